package core

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
)

// start is when the runs of these tests begin.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()

func mustNew(t testing.TB, cfg Config) *Core {
	t.Helper()
	if cfg.Start == 0 {
		cfg.Start = start
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustFind(t testing.TB, c *Core, category bybit.Category, symbol string) *catalog.Instrument {
	t.Helper()
	in, ok := c.Catalog().Find(category, symbol)
	if !ok {
		t.Fatalf("no %s %s", category, symbol)
	}
	return in
}

func mustDo(t testing.TB, c *Core, command Command) []engine.Event {
	t.Helper()
	events, err := c.Do(command)
	if err != nil {
		t.Fatalf("%s: %v", command.verb(), err)
	}
	return events
}

// Every command comes back from its text as it was, and every field of an order is in it.
func TestJournalText(t *testing.T) {
	order := engine.Order{
		ID: 1<<64 - 1, Account: 1000, Group: 7, Side: engine.Sell, Market: true, TIF: engine.RPI, Prevent: engine.CancelBoth,
		SeesRPI: true, Reprice: true, Bounded: true, Tag: engine.TagADL, Price: -5, Qty: 1 << 62, Value: 3, Worst: -9,
		Best: 5, BestOpposite: true,
	}
	for i, v := 0, reflect.ValueOf(order); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Fatalf("engine.Order has a field %s that is not tested", v.Type().Field(i).Name)
		}
	}
	tests := []struct {
		command Command
		text    string
	}{
		{&Place{Instrument: 3, Order: engine.Order{Account: 1000, Price: 5, Qty: 7}},
			`{"at":9,"n":2,"do":"place","with":{"instrument":3,"order":{"account":1000,"side":"Buy","price":5,"qty":7}}}`},
		{&Place{Instrument: 3, Order: order},
			`{"at":9,"n":2,"do":"place","with":{"instrument":3,"order":{"id":18446744073709551615,"account":1000,"group":7,"side":"Sell",` +
				`"market":true,"tif":"RPI","prevent":"CancelBoth","seesRPI":true,"reprice":true,"bounded":true,"tag":"ADL","price":-5,` +
				`"qty":4611686018427387904,"value":3,"worst":-9,"best":5,"bestOpposite":true}}}`},
		{&Amend{Instrument: 4, ID: 6, Price: -1, Qty: 2}, `{"at":9,"n":2,"do":"amend","with":{"instrument":4,"id":6,"price":-1,"qty":2}}`},
		{&Cancel{Instrument: 4, ID: 6, Reason: engine.ByAdmin}, `{"at":9,"n":2,"do":"cancel","with":{"instrument":4,"id":6,"reason":"by admin"}}`},
		{&Halt{Instruments: []catalog.ID{1, 2}}, `{"at":9,"n":2,"do":"halt","with":{"instruments":[1,2]}}`},
		{&Resume{}, `{"at":9,"n":2,"do":"resume","with":{}}`},
		{&Restart{}, `{"at":9,"n":2,"do":"restart","with":{}}`},
		{&Regime{Coin: "BTC", Regime: flow.FlashCrash, Over: 5}, `{"at":9,"n":2,"do":"regime","with":{"coin":"BTC","regime":"flash-crash","over":5}}`},
		{&Regime{}, `{"at":9,"n":2,"do":"regime","with":{"regime":"normal"}}`},
		{&Shock{Coin: "ETH", Percent: fixed.Ratio(-1, 3), Over: 7}, `{"at":9,"n":2,"do":"shock","with":{"coin":"ETH","percent":"-0.333333333256","over":7}}`},
		{&Maintain{feed.Notice{Title: "upgrade", State: "scheduled"}}, `{"at":9,"n":2,"do":"maintain","with":{"title":"upgrade","state":"scheduled"}}`},
		{&Maintain{feed.Notice{ID: "a", Title: "b", State: "ongoing", Begin: 3, End: 4, Href: "c", ServiceTypes: []int64{5}, Products: []int64{6, 7}, UIDSuffixes: []int64{8}, MaintainType: 9, Env: 10}},
			`{"at":9,"n":2,"do":"maintain","with":{"id":"a","title":"b","state":"ongoing","begin":3,"end":4,"href":"c","serviceTypes":[5],"products":[6,7],"uidSuffixes":[8],"maintainType":9,"env":10}}`},
		{&Block{"custom", []feed.BlockLeg{{ID: 3, Side: engine.Sell, Price: -5, Lots: 7}, {ID: 4, Price: 1, Lots: 2}}},
			`{"at":9,"n":2,"do":"block","with":{"strategy":"custom","legs":[{"instrument":3,"side":"Sell","price":-5,"qty":7},{"instrument":4,"side":"Buy","price":1,"qty":2}]}}`},
	}
	met := map[string]bool{}
	for _, tt := range tests {
		met[tt.command.verb()] = true
		text, err := json.Marshal(Entry{9, 2, tt.command})
		if err != nil || string(text) != tt.text {
			t.Errorf("%s: %v\ngot  %s\nwant %s", tt.command.verb(), err, text, tt.text)
			continue
		}
		var back Entry
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, Entry{9, 2, tt.command}) {
			t.Errorf("%s: came back as %+v, %v", text, back.Command, err)
		}
	}
	for _, command := range commands() {
		if !met[command.verb()] {
			t.Errorf("%s is not tested", command.verb())
		}
	}
	for _, text := range []string{
		`{"at":9,"n":2,"do":"dance","with":{}}`,
		`{"at":9,"n":2,"do":"halt","with":{"what":1}}`,
		`{"at":9,"n":2,"do":"cancel","with":{"instrument":4,"id":6,"reason":"unknown"}}`,
		`{"at":9,"n":2,"do":"place","with":{"instrument":3,"order":{"account":1,"side":"Both"}}}`,
		`{"at":9,"n":2,"do":"place","with":{"instrument":3,"order":{"account":-1,"side":"Buy"}}}`,
		`{"at":9,"n":2,"more":1,"do":"halt","with":{}}`,
	} {
		if err := json.Unmarshal([]byte(text), new(Entry)); !errors.Is(err, errEntry) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := json.Marshal(Entry{9, 2, Cancel{Reason: 255}}); err == nil {
		t.Error("a reason without a name was written")
	}
}

func FuzzEntry(f *testing.F) {
	f.Add([]byte(`{"at":9,"n":2,"do":"place","with":{"instrument":3,"order":{"account":1000,"side":"Sell","tif":"FOK","price":5,"qty":7}}}`))
	f.Add([]byte(`{"at":9,"n":2,"do":"cancel","with":{"instrument":4,"id":6,"reason":"by user"}}`))
	f.Add([]byte(`{"at":9,"n":2,"do":"halt","with":{"instruments":[1]}}`))
	f.Add([]byte(`{"at":9,"n":2,"do":"resume","with":{"instruments":[]}}`))
	f.Add([]byte(`{"at":9,"n":2,"do":"maintain","with":{"title":"a","state":"ongoing","products":[1],"uidSuffixes":[]}}`))
	f.Add([]byte(`{"at":9,"n":2,"do":"block","with":{"strategy":"custom","legs":[{"instrument":3,"side":"Sell","price":-5,"qty":7}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var e, back Entry
		if json.Unmarshal(text, &e) != nil {
			return
		}
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%s was read and is not written: %v", text, err)
		}
		if err := json.Unmarshal(again, &back); err != nil || !reflect.DeepEqual(e, back) {
			t.Fatalf("%s became %s, %v", text, again, err)
		}
	})
}

// Commands get their numbers and times, the journal has them before they are done, and what does not exist is refused.
func TestDo(t *testing.T) {
	var journal []Entry
	var c *Core
	resting := -1
	c = mustNew(t, Config{Only: []string{"linear:BTCUSDT"}, Quiet: true, Journal: func(e Entry) {
		if journal = append(journal, e); len(journal) == 1 {
			resting = c.Book(e.Command.(Place).Instrument).Resting()
		}
	}})
	in := mustFind(t, c, bybit.Linear, "BTCUSDT")
	c.Advance(start + 5)
	events := mustDo(t, c, Place{Instrument: in.ID, Order: engine.Order{Account: 1000, Price: 800_000, Qty: 7}})
	if len(events) != 1 || events[0].Kind != engine.Rested || events[0].ID == 0 {
		t.Fatalf("events %+v", events)
	}
	if resting != 0 || c.Book(in.ID).Resting() != 1 {
		t.Errorf("%d orders rested when the journal was told, %d after", resting, c.Book(in.ID).Resting())
	}
	if len(journal) != 1 || journal[0].At != start+5 || journal[0].N != 1 || c.Commands() != 1 {
		t.Errorf("journal %+v", journal)
	}
	if _, err := c.Do(Place{Instrument: 5000}); !errors.Is(err, ErrNoInstrument) {
		t.Errorf("an instrument that is not: %v", err)
	}
}

// Halt, resume and restart go to the books that they name, or to all.
func TestCommandsForSomeBooks(t *testing.T) {
	c := mustNew(t, Config{Only: []string{"linear:BTCUSDT", "linear:ETHUSDT"}, Quiet: true})
	btc, eth := mustFind(t, c, bybit.Linear, "BTCUSDT").ID, mustFind(t, c, bybit.Linear, "ETHUSDT").ID
	closed := func() [2]bool { return [2]bool{c.Book(btc).Closed(), c.Book(eth).Closed()} }
	for _, step := range []struct {
		command Command
		want    [2]bool
	}{
		{Halt{Instruments: []catalog.ID{eth}}, [2]bool{false, true}},
		{Halt{}, [2]bool{true, true}},
		{Resume{Instruments: []catalog.ID{btc}}, [2]bool{false, true}},
		{Resume{}, [2]bool{false, false}},
	} {
		mustDo(t, c, step.command)
		if got := closed(); got != step.want {
			t.Errorf("%+v: closed %v, want %v", step.command, got, step.want)
		}
	}
	if _, err := c.Do(Halt{Instruments: []catalog.ID{btc, 5000}}); !errors.Is(err, ErrNoInstrument) || closed() != [2]bool{} {
		t.Errorf("a list with one that is not: %v, closed %v", err, closed())
	}
}

// What is announced and what is traded by request for quote is in the state and comes back, and what is wrong is refused.
func TestMaintainAndBlock(t *testing.T) {
	c := mustNew(t, Config{Only: []string{"linear:BTCUSDT"}, Quiet: true})
	in := mustFind(t, c, bybit.Linear, "BTCUSDT")
	hash := c.Hash()
	mustDo(t, c, Maintain{feed.Notice{Title: "upgrade", State: "scheduled", Begin: start, End: start + minute}})
	list := c.Feed().Maintenance()
	if len(list) != 1 || list[0].Title != "upgrade" || list[0].ID == "" {
		t.Fatalf("announced: %+v", list)
	}
	mustDo(t, c, Maintain{feed.Notice{ID: list[0].ID, Title: "upgrade", State: "ongoing"}})
	mustDo(t, c, Block{"custom", []feed.BlockLeg{{ID: in.ID, Side: engine.Sell, Price: 880_000, Lots: 500}}})
	if list := c.Feed().Maintenance(); len(list) != 1 || list[0].State != "ongoing" {
		t.Errorf("announced: %+v", list)
	}
	if blocks := c.Feed().Blocks(9); len(blocks) != 1 || blocks[0].Legs[0].Symbol != "BTCUSDT" {
		t.Errorf("block trades: %+v", blocks)
	}
	if trades := c.Feed().Trades(nil, in.ID, 9); len(trades) != 1 || !trades[0].Block {
		t.Errorf("trades: %+v", trades)
	}
	other := mustNew(t, Config{Only: []string{"linear:BTCUSDT"}, Quiet: true})
	if err := other.Restore(c.Snapshot()); err != nil || other.Hash() != c.Hash() || c.Hash() == hash || len(other.Feed().Blocks(9)) != 1 {
		t.Errorf("restored: %v, %d block trades", err, len(other.Feed().Blocks(9)))
	}
	for _, tt := range []struct {
		command Command
		want    error
	}{
		{Maintain{feed.Notice{Title: "upgrade"}}, feed.ErrNotice},
		{Block{Strategy: "custom"}, feed.ErrBlock},
		{Block{"custom", []feed.BlockLeg{{ID: 5000, Price: 880_000, Lots: 500}}}, ErrNoInstrument},
	} {
		if _, err := c.Do(tt.command); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v", tt.command, err)
		}
	}
}

// script is commands from a seed: orders, amendments and cancels of outside accounts around the prices there are, and now
// and then a block trade or a maintenance. Some are refused.
func script(c *Core, seed uint64, n int, step int64) {
	r := rand.New(rand.NewPCG(seed, 1))
	type known struct {
		id    catalog.ID
		order uint64
	}
	var orders []known
	for range n {
		live := c.Catalog().Live()
		in := live[r.IntN(len(live))]
		switch k := r.IntN(11); {
		case k == 10 && len(orders)%2 == 0:
			c.Do(Maintain{feed.Notice{Title: "upgrade", State: "scheduled", Begin: c.Now(), Products: []int64{1 + r.Int64N(4)}}})
		case k == 10:
			c.Do(Block{"custom", []feed.BlockLeg{{
				ID: in.ID, Side: engine.Side(r.IntN(2)), Price: in.TicksOf(c.Catalog().StartPrice(in)), Lots: in.MinQty * (1 + r.Int64N(9)),
			}}})
		case k < 6 || len(orders) == 0:
			price := in.TicksOf(c.Catalog().StartPrice(in)) + r.Int64N(41) - 20
			events, err := c.Do(Place{Instrument: in.ID, Order: engine.Order{
				Account: 1000 + uint32(r.IntN(3)), Side: engine.Side(r.IntN(2)), Price: max(price, 1), Qty: 1 + r.Int64N(100),
			}})
			if err == nil && len(events) > 0 && events[0].ID != 0 {
				orders = append(orders, known{in.ID, events[0].ID})
			}
		case k < 8:
			o := orders[r.IntN(len(orders))]
			c.Do(Cancel{Instrument: o.id, ID: o.order, Reason: engine.ByUser})
		default:
			o := orders[r.IntN(len(orders))]
			if b := c.Book(o.id); b != nil {
				if at, ok := b.Order(o.order); ok {
					c.Do(Amend{Instrument: o.id, ID: o.order, Price: at.Price + r.Int64N(5) - 2, Qty: 1 + r.Int64N(100)})
				}
			}
		}
		c.Advance(c.Now() + r.Int64N(step))
	}
}

// A core that is restored goes on like the one the snapshot was taken from, and a snapshot of it is the same.
func TestRestoreGoesOn(t *testing.T) {
	// An hour before contracts are delivered, and a minute.
	for _, start := range []int64{start + 7*60*minute, start + (8*60-1)*minute} {
		restoreGoesOn(t, start)
	}
}

func restoreGoesOn(t *testing.T, start int64) {
	c := mustNew(t, Config{Seed: 3, Start: start})
	script(c, 1, 120, second/2)
	snapshot, hash := c.Snapshot(), c.Hash()
	other := mustNew(t, Config{Seed: 3, Start: start})
	other.Advance(start + 5*second)
	if err := other.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	if other.Hash() != hash || HashOf(snapshot) != hash || !slices.Equal(other.Snapshot(), snapshot) {
		t.Fatal("a restored core is not what it was restored from")
	}
	script(c, 2, 120, second/2)
	script(other, 2, 120, second/2)
	if c.Hash() != other.Hash() {
		t.Error("a restored core went on differently")
	}
	if c.Hash() == hash {
		t.Error("120 commands have not changed the hash")
	}
	if err := mustNew(t, Config{Seed: 4, Start: start}).Restore(snapshot); err == nil {
		t.Error("a core of another seed took the snapshot")
	}
	before := other.Hash()
	if err := other.Restore(snapshot[:len(snapshot)/2]); err == nil || other.Hash() != before {
		t.Errorf("half a snapshot: %v, and the state changed: %v", err, other.Hash() != before)
	}
}

// A journal leads to the same state: also when the time stood still between two commands or not.
func TestJournalLeadsToTheSameState(t *testing.T) {
	var journal []Entry
	c := mustNew(t, Config{Seed: 3, Journal: func(e Entry) { journal = append(journal, e) }})
	script(c, 9, 150, second/2)
	again := mustNew(t, Config{Seed: 3})
	for _, e := range journal {
		again.Advance(e.At)
		again.Do(e.Command)
	}
	again.Advance(c.Now())
	if c.Hash() != again.Hash() {
		t.Error("the journal led to another state")
	}
	if len(c.Feed().Blocks(1)) == 0 || len(c.Feed().Maintenance()) == 0 {
		t.Errorf("%d block trades, %d maintenances", len(c.Feed().Blocks(9)), len(c.Feed().Maintenance()))
	}
}

// Over a virtual year contracts are delivered and others listed, orders in delivered books are cancelled, and there is
// always something of each kind.
func TestAYearNeverRunsDry(t *testing.T) {
	c := mustNew(t, Config{Quiet: true, Only: []string{"option:BTC-*", "linear:BTC*", "inverse:BTC*", "spot:BTCUSDT"}})
	rest := func() {
		for _, in := range c.Catalog().Live() {
			if c.Book(in.ID).Resting() == 0 {
				mustDo(t, c, Place{Instrument: in.ID, Order: engine.Order{Account: 1000, Price: in.TicksOf(c.Catalog().StartPrice(in)), Qty: 1, Reprice: true}})
			}
		}
	}
	first := c.Catalog().Len()
	// Pushes would take hours.
	c.queue = timers{{at: c.Catalog().NextRoll(start), kind: rollTimer}}
	for day := range 365 {
		rest()
		c.Advance(c.Now() + 24*60*minute)
		kinds := map[catalog.Kind]int{}
		for _, in := range c.Catalog().Live() {
			kinds[in.Kind]++
			if c.Book(in.ID) == nil {
				t.Fatalf("day %d: %s is listed and has no book", day, in.Symbol)
			}
		}
		for _, kind := range []catalog.Kind{catalog.Spot, catalog.Perpetual, catalog.Future, catalog.Option, catalog.Spread} {
			if kinds[kind] == 0 {
				t.Fatalf("day %d: no %v", day, kind)
			}
		}
	}
	books := 0
	for _, b := range c.books.list {
		if b != nil {
			books++
		}
	}
	if live := len(c.Catalog().Live()); books != live || c.Catalog().Len() < 2*first {
		t.Errorf("%d books for %d instruments, %d were listed after %d", books, live, c.Catalog().Len(), first)
	}
}
