package feed

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/price"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// frames collects what a topic pushes, as text.
func (v *venue) framesOf(ch wire.Channel, name string) *[]string {
	v.t.Helper()
	topic := v.topic(ch, name)
	list := new([]string)
	before := v.every
	v.every = func(t *Topic, frame []byte) {
		if before != nil {
			before(t, frame)
		}
		if t == topic {
			*list = append(*list, string(frame))
		}
	}
	return list
}

// A book of one level is sent when its best prices change, and again after 3 s of silence with the same u, seq and
// cts.
func TestTopOfBookIsRepeated(t *testing.T) {
	v := newVenue(t, "linear:BTCUSDT")
	id := v.find(bybit.Linear, "BTCUSDT").ID
	frames := v.framesOf(wire.Linear, "orderbook.1.BTCUSDT")
	v.advance(testStart + 10*millisecond)
	v.place(id, engine.Order{Account: 1, Side: engine.Buy, Price: 880_000, Qty: 1500})
	v.advance(testStart + 15*millisecond)
	v.place(id, engine.Order{Account: 1, Side: engine.Buy, Price: 879_000, Qty: 1}) // changes nothing at the top
	v.advance(testStart + 7*second)
	frame := func(ts int, bids string, u, seq int, cts int) string {
		return fmt.Sprintf(`{"topic":"orderbook.1.BTCUSDT","ts":%d,"type":"snapshot","data":{"s":"BTCUSDT","b":[%s],"a":[],"u":%d,"seq":%d},"cts":%d}`,
			1767225600000+ts, bids, u, seq, 1767225600000+cts)
	}
	want := []string{
		frame(10, ``, 1, 1, 0),
		frame(20, `["88000.00","1.500"]`, 2, 3, 15),
		frame(3020, `["88000.00","1.500"]`, 2, 3, 15),
		frame(6020, `["88000.00","1.500"]`, 2, 3, 15),
	}
	if !slices.Equal(*frames, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(*frames, "\n"), strings.Join(want, "\n"))
	}
}

// A restart begins each book anew: a snapshot with u = 1, and on orderbook.full a delta of everything.
func TestRestartBeginsAnew(t *testing.T) {
	v := newMarkets(t)
	in := v.find(bybit.Spot, "BTCUSDT")
	full, deep := v.framesOf(wire.Spot, "orderbook.full.BTCUSDT"), v.framesOf(wire.Spot, "orderbook.50.BTCUSDT")
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Buy, Price: 880_000, Qty: 7})
	v.wait(time.Second)
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Sell, Price: 880_011, Qty: 9})
	v.wait(time.Second)
	*full, *deep = nil, nil
	v.feed.Restart(v.now, in.ID)
	if b, ok := v.feed.Book(in.ID); !ok || b.U != 1 || len(b.Bids) != 1 || len(b.Asks) != 1 {
		t.Errorf("REST shows %+v", b)
	}
	v.wait(time.Second)
	wantFull := `{"topic":"orderbook.full.BTCUSDT","ts":1767225602000,"type":"delta","data":{"s":"BTCUSDT","b":[["88000","0.000007"]],"a":[["88001.1","0.000009"]],"u":1,"seq":3},"cts":1767225601000}`
	wantDeep := `{"topic":"orderbook.50.BTCUSDT","ts":1767225602000,"type":"snapshot","data":{"s":"BTCUSDT","b":[["88000","0.000007"]],"a":[["88001.1","0.000009"]],"u":1,"seq":3},"cts":1767225601000}`
	if len(*full) != 1 || (*full)[0] != wantFull || len(*deep) != 1 || (*deep)[0] != wantDeep {
		t.Errorf("full %s\ndeep %s", *full, *deep)
	}
}

// A delivered contract has no topics any more, and its full book says so.
func TestDelivered(t *testing.T) {
	v := newVenue(t, "BTCUSDH26")
	in := v.find(bybit.Inverse, "BTCUSDH26")
	full := v.framesOf(wire.Inverse, "orderbook.full.BTCUSDH26")
	before := len(v.feed.index)
	v.wait(500 * time.Millisecond)
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Buy, Price: 880_000, Qty: 7})
	v.wait(500 * time.Millisecond)
	v.feed.Republish() // u was 2, and is 1
	*full = nil
	numbers := v.feed.Topics()
	v.feed.Delivered(v.now, in.ID)
	if want := `{"topic":"orderbook.full.BTCUSDH26","type":"delta","ts":1767225601000,"data":{"s":"BTCUSDH26","b":[],"a":[],"u":1,"seq":2},"cts":1767225600500}`; len(*full) != 1 || (*full)[0] != want {
		t.Errorf("got %s, want %s", *full, want)
	}
	if _, ok := v.feed.Topic(wire.Inverse, "tickers.BTCUSDH26"); ok || before-len(v.feed.index) != 23 {
		t.Errorf("%d topics went, of 23", before-len(v.feed.index))
	}
	if _, ok := v.feed.Ticker(in.ID); ok || len(v.feed.Insurance()) != 0 || len(v.feed.tops) != 0 || len(v.feed.priced) != 0 {
		t.Error("something of it is left")
	}
	v.wait(2 * time.Second)
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Buy, Price: 880_000, Qty: 7}) // nobody should, and nothing happens
	v.feed.Listed(in.ID)
	if topic := v.topic(wire.Inverse, "tickers.BTCUSDH26"); topic.N < numbers {
		t.Errorf("topic number %d was given twice", topic.N)
	}
}

// Liquidations are pushed each 500 ms, as positions; the pool takes what lies between the trades and the bankruptcy
// price.
func TestLiquidationsFeedThePool(t *testing.T) {
	v := newVenue(t, "linear:SOLUSDT", "linear:BTCUSDT")
	in := v.find(bybit.Linear, "SOLUSDT")
	v.board.set(v, in.ID, func(q *quote) { q.mark = fixed.FromInt(125) })
	rate := v.feed.markets[in.ID].maintenance()
	if rate <= 0 || rate > f(1, 10) {
		t.Fatalf("maintenance margin rate %v", rate)
	}
	long := in.TicksOf(fixed.FromInt(125).Mul(fixed.One - rate)) // bankruptcy price of a long position
	for _, price := range []int64{12_500, 12_400, long - 50} {
		v.place(in.ID, engine.Order{Account: 1, Side: engine.Buy, Price: price, Qty: 100})
	}
	losses, pools, alerts := v.framesOf(wire.Linear, "allLiquidation.SOLUSDT"), v.framesOf(wire.Linear, "insurance.USDT"), v.framesOf(wire.Inverse, "adlAlert.USDT")
	v.wait(1100 * time.Millisecond)
	*alerts = nil
	pool := v.feed.poolOf(v.feed.markets[in.ID])
	before := pool.balance
	if len(*losses)+len(*pools) > 0 {
		t.Fatalf("%s %s", *losses, *pools)
	}
	v.place(in.ID, engine.Order{Account: 2, Side: engine.Sell, Market: true, Qty: 250, Tag: engine.TagLiquidation})
	v.place(in.ID, engine.Order{Account: 2, Side: engine.Sell, Market: true, Qty: 10}) // an ordinary order
	v.wait(time.Second)
	want := fmt.Sprintf(`{"topic":"allLiquidation.SOLUSDT","type":"snapshot","ts":1767225601500,"data":[{"T":1767225601100,"s":"SOLUSDT","S":"Buy","v":"25.0","p":"%s"}]}`, in.Price(long))
	if len(*losses) != 1 || (*losses)[0] != want {
		t.Errorf("got %s, want %s", *losses, want)
	}
	// 10 SOL at 125.00, 10 at 124.00, 5 half a dollar below the bankruptcy price; in 10^-8 USDT. A lot is 0.1 SOL.
	gain := (100*(12_500-long) + 100*(12_400-long) - 50*50) * 100_000
	if pool.balance-before != gain {
		t.Errorf("the pool has gained %d, want %d", pool.balance-before, gain)
	}
	if len(*pools) != 1 || !strings.Contains((*pools)[0], `"type":"delta","ts":1767225602000,"data":[{"coin":"USDT","symbols":"SOLUSDT","balance":"`+catalog.Trimmed(pool.balance, 8).String()+`","updateTime":"1767225601100"}]}`) {
		t.Errorf("pools: %s", *pools)
	}
	if len(*alerts) != 1 || !strings.Contains((*alerts)[0], `"s":"SOLUSDT","b":`+catalog.Trimmed(pool.balance, 8).String()) {
		t.Errorf("alerts: %s", *alerts)
	}
	if adl := v.feed.ADL(in.ID); len(adl) != 1 || adl[0].Symbol != "SOLUSDT" {
		t.Errorf("REST's alerts: %+v", adl)
	}
	// REST shows a pool as of the last minute.
	funds := v.feed.Insurance()
	i := slices.IndexFunc(funds, func(f Fund) bool { return f.Symbols == "SOLUSDT" })
	if funds[i].Balance != before {
		t.Errorf("REST shows %d before the minute is over, want %d", funds[i].Balance, before)
	}
	v.wait(time.Minute)
	if funds = v.feed.Insurance(); funds[i].Balance != pool.balance || funds[i].At != testStart+minute {
		t.Errorf("REST shows %+v, want %d", funds[i], pool.balance)
	}
	// A loss shows in the alerts; each push has what is new.
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Sell, Price: 14_000, Qty: 1_000_000})
	v.place(in.ID, engine.Order{Account: 2, Side: engine.Buy, Market: true, Qty: 1_000_000, Tag: engine.TagLiquidation})
	v.wait(time.Second)
	if pool.balance >= before || !strings.Contains((*alerts)[len(*alerts)-1], `"pr":-0.`) || len(*losses) != 2 || !strings.Contains((*losses)[1], `"data":[{"T":1767225662100,"s":"SOLUSDT","S":"Sell"`) || strings.Contains((*losses)[1], "},{") {
		t.Errorf("after a loss: balance %d, alerts %s, liquidations %s", pool.balance, *alerts, *losses)
	}
}

// On inverse a contract's value in coin falls as its price rises, and the pool gains all the same when a long
// position is sold above its bankruptcy price. The pools of large contracts are shared, and not pushed.
func TestLiquidationOnInverse(t *testing.T) {
	v := newVenue(t, "BTCUSD")
	in := v.find(bybit.Inverse, "BTCUSD")
	v.board.set(v, in.ID, func(q *quote) { q.mark = fixed.FromInt(80_000) })
	pools := v.framesOf(wire.Inverse, "insurance.inverse")
	alerts := v.framesOf(wire.Inverse, "adlAlert.inverse")
	v.wait(time.Second)
	pool := v.feed.poolOf(v.feed.markets[in.ID])
	before := pool.balance
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Buy, Price: 800_000, Qty: 8_000_000})
	v.place(in.ID, engine.Order{Account: 2, Side: engine.Sell, Market: true, Qty: 8_000_000, Tag: engine.TagLiquidation})
	bankrupt := in.TicksOf(fixed.FromInt(80_000).Mul(fixed.One - v.feed.markets[in.ID].maintenance()))
	worth, _ := in.Value(bankrupt, 8_000_000).Units(8)
	if gain := pool.balance - before; gain != worth-100*1e8 || gain <= 0 {
		t.Errorf("the pool has gained %d, want %d", gain, worth-100*1e8)
	}
	*alerts = nil
	v.wait(2 * time.Second)
	if len(*pools) != 0 || len(*alerts) != 1 {
		t.Errorf("pools %s, alerts %s", *pools, *alerts)
	}
	if got := v.feed.Snapshot(v.topic(wire.Inverse, "insurance.inverse"), nil); len(got) != 1 || !strings.Contains(string(got[0]), `"type":"snapshot"`) || !strings.Contains(string(got[0]), `"data":[]`) {
		t.Errorf("a new subscriber gets %s", got)
	}
	// REST shows a shared pool as of midnight.
	v.wait(2 * time.Minute)
	if funds := v.feed.Insurance(); funds[0].Balance != before {
		t.Errorf("REST shows %+v before midnight", funds)
	}
}

// RPI orders that the other side hides come back when it lets them, though their own side has not changed.
func TestHiddenRPIOrdersComeBack(t *testing.T) {
	v := newVenue(t, "linear:BTCUSDT")
	in := v.find(bybit.Linear, "BTCUSDT")
	c := v.join(v.topic(wire.Linear, "orderbook.rpi.BTCUSDT"))
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Sell, Price: 880_000, Qty: 5, TIF: engine.RPI})
	v.wait(time.Second)
	c.check()
	v.place(in.ID, engine.Order{Account: 2, Side: engine.Buy, Price: 880_010, Qty: 7}) // does not see it
	v.wait(time.Second)
	c.check()
	if asks := v.feed.markets[in.ID].rpi.sides[engine.Sell]; len(asks) != 0 {
		t.Fatalf("asks %v", asks)
	}
	v.do(in.ID, func(b *engine.Book) []engine.Event { return b.Cancel(v.order, engine.ByUser) })
	v.wait(time.Second)
	c.check()
	if asks := v.feed.markets[in.ID].rpi.sides[engine.Sell]; len(asks) != 1 || asks[0].rpi != 5 {
		t.Errorf("asks %v", asks)
	}
}

// Each topic has a number of its own, below Topics; asking for a snapshot pushes nothing; and each topic that has a
// state has one soon, also of a contract without orders and trades.
func TestTopicsAndTheirSnapshots(t *testing.T) {
	v := newMarkets(t)
	v.wait(2 * time.Second)
	v.every = func(topic *Topic, frame []byte) { t.Errorf("asking for a snapshot has pushed %s", frame) }
	seen := make(map[int]bool)
	without := make(map[wire.Kind]bool)
	for _, topic := range v.feed.index {
		if seen[topic.N] || topic.N < 0 || topic.N >= v.feed.Topics() {
			t.Errorf("%s has the number %d", topic.Name, topic.N)
		}
		seen[topic.N] = true
		frames := v.feed.Snapshot(topic, nil)
		if len(frames) == 0 {
			without[topic.Kind] = true
		}
		for _, frame := range frames {
			m, _ := bybit.NewMessage(topic.msg)
			if err := m.Decode(frame); err != nil {
				t.Error(err)
			}
			// Nothing has happened yet, and all keys are there.
			for _, row := range documentedKeys {
				if row.channel == topic.Channel && row.topic == topic.Name && row.kind == "snapshot" && row.keys != keysOf(t, frame) && topic.pools == nil {
					t.Errorf("%s: keys %s, want %s", topic.Name, keysOf(t, frame), row.keys)
				}
			}
		}
	}
	for _, kind := range []wire.Kind{wire.KindOrderBook, wire.KindRPIOrderBook, wire.KindTickers, wire.KindInsurance, wire.KindADLAlerts} {
		if without[kind] {
			t.Errorf("no snapshot of %v", kind)
		}
	}
	for _, kind := range []wire.Kind{wire.KindFullOrderBook, wire.KindTrades, wire.KindLiquidations, wire.KindSystemStatus, wire.KindRFQTrades} {
		if !without[kind] {
			t.Errorf("a snapshot of %v", kind)
		}
	}
	if len(seen) < 80 {
		t.Errorf("only %d topics", len(seen))
	}
}

// Open interest follows positions: a trade between two who open adds, one by which a long position changes hands
// does not, one that closes on both sides takes away.
func TestOpenInterest(t *testing.T) {
	v := newVenue(t, "linear:BTCUSDT")
	in := v.find(bybit.Linear, "BTCUSDT")
	base := v.feed.OpenInterest(in.ID)
	if want := past.OpenLots(v.cat, in); base != want || base < 1_000_000 {
		t.Fatalf("%d lots are open at the start, want about %d", base, want)
	}
	trade := func(seller, buyer uint32, lots, want int64) {
		t.Helper()
		v.place(in.ID, engine.Order{Account: seller, Side: engine.Sell, Price: 880_000, Qty: lots})
		v.place(in.ID, engine.Order{Account: buyer, Side: engine.Buy, Market: true, Qty: lots})
		if got := v.feed.OpenInterest(in.ID) - base; got != want {
			t.Errorf("%d sells %d to %d: %d are open, want %d", seller, lots, buyer, got, want)
		}
	}
	trade(1, 2, 10, 10)
	trade(2, 3, 4, 10) // 2 passes on what it has
	trade(3, 1, 4, 6)  // both close
	trade(2, 1, 9, 3)  // both turn about: 2 from 6 to -3, 1 from -6 to 3
	half := v.feed.LongShare(in.ID, f(1, 2))
	if half != f(51, 102) {
		t.Errorf("long share %v", half)
	}
}

// Block trades show in their own topic and as public trades, and move no price.
func TestBlockTrades(t *testing.T) {
	v := newMarkets(t)
	perp, option := v.find(bybit.Linear, "BTCUSDT"), v.find(bybit.Option, "BTC-2JAN26-88000-C-USDT")
	v.board.set(v, perp.ID, func(q *quote) { q.mark = fixedOf(t, "88001.25") })
	v.board.set(v, option.ID, func(q *quote) { q.option = price.OptionMark{Vol: f(1, 2), Underlying: fixedOf(t, "88020.5")} })
	rfq, trades := v.framesOf(wire.RFQ, "rfq.open.public.trades"), v.framesOf(wire.Linear, "publicTrade.BTCUSDT")
	last := v.feed.LastPrice(perp.ID)
	good := BlockLeg{perp.ID, engine.Sell, 880_000, 5000}
	spread := v.find(bybit.Spread, "BTCUSDT_BTC/USDT").ID
	before := state.Hash(v.feed)
	for what, bad := range map[string]struct {
		strategy string
		legs     []BlockLeg
	}{
		"no legs":        {"custom", nil},
		"26 legs":        {"custom", slices.Repeat([]BlockLeg{good}, 26)},
		"not listed":     {"custom", []BlockLeg{good, {1 << 20, engine.Sell, 880_000, 5000}}},
		"a spread":       {"custom", []BlockLeg{{spread, engine.Sell, 1, 5000}}},
		"no side":        {"custom", []BlockLeg{{perp.ID, 2, 880_000, 5000}}},
		"price 0":        {"custom", []BlockLeg{{perp.ID, engine.Buy, 0, 5000}}},
		"price too high": {"custom", []BlockLeg{{perp.ID, engine.Buy, perp.MaxPrice + 1, 5000}}},
		"nothing":        {"custom", []BlockLeg{{perp.ID, engine.Buy, 880_000, 0}}},
		"too much":       {"custom", []BlockLeg{{perp.ID, engine.Buy, 880_000, perp.MaxQty + 1}}},
		"no strategy":    {"", []BlockLeg{good}},
		"a long name":    {strings.Repeat("x", 101), []BlockLeg{good}},
		"no name":        {"\xff", []BlockLeg{good}},
	} {
		if err := v.feed.Block(v.now, bad.strategy, bad.legs); !errors.Is(err, ErrBlock) || state.Hash(v.feed) != before || len(*rfq)+len(*trades) > 0 {
			t.Errorf("%s: %v, or something has happened", what, err)
		}
	}
	v.block("custom", []BlockLeg{good, {option.ID, engine.Buy, 60, 500}})
	blocks := v.feed.Blocks(10)
	want := `{"topic":"rfq.open.public.trades","creationTime":1767225600000,"data":[{"rfqId":"` + blocks[0].RFQID + `","strategyType":"custom","legs":[` +
		`{"category":"linear","symbol":"BTCUSDT","side":"Sell","price":"88000.00","qty":"5.000","markPrice":"88001.25"},` +
		`{"category":"option","symbol":"BTC-2JAN26-88000-C-USDT","side":"Buy","price":"300","qty":"5","markPrice":"88020.5"}],"createdAt":"1767225600000","updatedAt":"1767225600000"}]}`
	if len(*rfq) != 1 || (*rfq)[0] != want {
		t.Errorf("got %s, want %s", *rfq, want)
	}
	if len(*trades) != 1 || !strings.Contains((*trades)[0], `"BT":true`) || v.feed.LastPrice(perp.ID) != last {
		t.Errorf("trades %s, last price %d", *trades, v.feed.LastPrice(perp.ID))
	}
	if ticker, _ := v.feed.Ticker(option.ID); ticker.TotalVolume.String() != "0" || ticker.Volume24h.String() != "0" {
		t.Errorf("the option's ticker counts the block trade: %s in all, %s in a day", ticker.TotalVolume, ticker.Volume24h)
	}
	if coin := v.feed.CoinTrades(nil, "BTC", 5, nil); len(coin) != 1 || !coin[0].Block || coin[0].Symbol != option.Symbol {
		t.Errorf("trades of options on BTC: %+v", coin)
	}
}

// Maintenance is pushed when it is announced and when it changes, and REST shows the newest state.
func TestMaintenance(t *testing.T) {
	v := newVenue(t, "spot:BTCUSDT")
	frames := v.framesOf(wire.Status, "system.status")
	n := Notice{Title: "upgrade", State: "scheduled", Begin: testStart + hour, End: testStart + 2*hour, ServiceTypes: []int64{2, 3}, Products: []int64{1}, UIDSuffixes: []int64{7}, MaintainType: 1, Env: 1}
	before := state.Hash(v.feed)
	for what, bad := range map[string]Notice{
		"no title":     {State: "scheduled"},
		"no state":     {Title: "upgrade"},
		"a long title": {State: "scheduled", Title: strings.Repeat("x", 1001)},
		"not a title":  {State: "scheduled", Title: "\xff"},
		"many codes":   {State: "scheduled", Title: "upgrade", Products: make([]int64, 101)},
		"backwards":    {State: "scheduled", Title: "upgrade", Begin: 2, End: 1},
		"before 1970":  {State: "scheduled", Title: "upgrade", Begin: -2},
		"no type":      {State: "scheduled", Title: "upgrade", MaintainType: 4},
		"below a type": {State: "scheduled", Title: "upgrade", MaintainType: -1},
		"no env":       {State: "scheduled", Title: "upgrade", Env: 3},
		"below an env": {State: "scheduled", Title: "upgrade", Env: -1},
	} {
		if _, err := v.feed.Maintain(v.now, bad); !errors.Is(err, ErrNotice) || state.Hash(v.feed) != before || len(*frames) > 0 {
			t.Errorf("%s: %v, or something has happened", what, err)
		}
	}
	n.ID = v.maintain(n)
	n.State = "ongoing"
	if v.maintain(n) != n.ID {
		t.Error("another id")
	}
	want := `{"topic":"system.status","ts":1767225600000,"data":[{"id":"` + n.ID + `","title":"upgrade","state":"ongoing","begin":"1767229200000","end":"1767232800000","href":"",` +
		`"serviceTypes":[2,3],"product":[1],"uidSuffix":[7],"maintainType":1,"env":1}]}`
	if len(*frames) != 2 || (*frames)[1] != want {
		t.Errorf("got %s, want %s", *frames, want)
	}
	if list := v.feed.Maintenance(); len(list) != 1 || list[0].State != "ongoing" || list[0].UIDSuffixes[0] != 7 {
		t.Errorf("REST shows %+v", list)
	}
}

// Price limits are pushed when they change, at 300 ms, and a new subscriber gets them.
func TestPriceLimits(t *testing.T) {
	v := newVenue(t, "spot:BTCUSDT")
	in := v.find(bybit.Spot, "BTCUSDT")
	frames := v.framesOf(wire.Spot, "priceLimit.BTCUSDT")
	v.wait(time.Second)
	set := func(sell, buy int64) {
		v.board.set(v, in.ID, func(q *quote) { q.limits = price.Limits{LowestSell: sell, HighestBuy: buy} })
		v.wait(600 * time.Millisecond)
	}
	set(870_000, 890_005)
	set(870_000, 890_005)
	set(870_001, 890_005)
	want := []string{
		`{"topic":"priceLimit.BTCUSDT","data":{"symbol":"BTCUSDT","buyLmt":"89000.5","sellLmt":"87000"},"ts":1767225601200}`,
		`{"topic":"priceLimit.BTCUSDT","data":{"symbol":"BTCUSDT","buyLmt":"89000.5","sellLmt":"87000.1"},"ts":1767225602400}`,
	}
	if !slices.Equal(*frames, want) {
		t.Errorf("got %s, want %s", *frames, want)
	}
	if got := v.feed.Snapshot(v.topic(wire.Spot, "priceLimit.BTCUSDT"), nil); len(got) != 1 || string(got[0]) != want[1] {
		t.Errorf("a new subscriber gets %s", got)
	}
}

// busyRun runs random commands over all categories, and calls at, if it is not nil, halfway. It returns a digest of
// all frames, with the count of those from halfway on.
func busyRun(v *venue, seed uint64, at func()) {
	r := rand.New(rand.NewPCG(seed, 9))
	var traders []*trader
	for _, row := range markets {
		traders = append(traders, newTrader(v, v.find(row.category, row.symbol).ID, seed, row.mid, 200))
	}
	for i := range 600 {
		if i == 300 && at != nil {
			at()
		}
		for range 12 {
			traders[r.IntN(len(traders))].step()
		}
		if i%20 == 0 {
			id := traders[r.IntN(len(traders))].id
			v.board.set(v, id, func(q *quote) {
				q.mark, q.index = fixed.FromInt(88_000+r.Int64N(20)), fixed.FromInt(88_000+r.Int64N(20))
				q.limits = price.Limits{LowestSell: 800_000 + r.Int64N(10), HighestBuy: 900_000}
			})
		}
		v.wait(time.Duration(r.IntN(60)) * time.Millisecond)
	}
}

// Who listens changes nothing: with nobody, with everybody, and with clients that come and go, the state is the
// same in the end, and two runs push the same bytes.
func TestListenersChangeNothing(t *testing.T) {
	var hashes, digests [][32]byte
	for run := range 4 {
		v := newMarkets(t)
		digest := sha256.New()
		if run < 2 {
			v.every = func(topic *Topic, frame []byte) { fmt.Fprintf(digest, "%s %s %s\n", topic.Channel, topic.Name, frame) }
		}
		busyRun(v, 4, func() {
			if run == 3 {
				for _, name := range []string{"orderbook.50.BTCUSDT", "tickers.BTCUSDT", "kline.1.BTCUSDT", "orderbook.rpi.BTCUSDT"} {
					v.join(v.topic(wire.Linear, name))
					v.join(v.topic(wire.Spot, name))
				}
			}
		})
		hashes = append(hashes, state.Hash(v.feed))
		digests = append(digests, [32]byte(digest.Sum(nil)))
	}
	for i, h := range hashes {
		if h != hashes[0] {
			t.Errorf("run %d: the state differs", i)
		}
	}
	if digests[0] != digests[1] || digests[0] == digests[2] {
		t.Error("two runs have pushed different frames, or none")
	}
}
