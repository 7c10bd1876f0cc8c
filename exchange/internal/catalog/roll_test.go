package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// walk is a market that moves by 4 % a day.
type walk struct {
	price map[string]fixed.F
	rand  *fixed.Rand
}

func newWalk(c *Catalog) *walk {
	w := &walk{price: make(map[string]fixed.F), rand: fixed.NewRand(1, "catalog test")}
	for _, a := range c.Assets() {
		w.price[a.Coin] = a.Start
	}
	return w
}

func (w *walk) step(c *Catalog) {
	for _, a := range c.Assets() {
		w.price[a.Coin] = w.price[a.Coin].Mul((w.rand.Gauss() / 25).Exp())
	}
}

func (w *walk) underlying(coin string) fixed.F { return w.price[coin] }

// checkRolled checks what must hold after each Roll.
func checkRolled(c *Catalog, now int64, w *walk) error {
	seen := make(map[name]bool)
	for _, in := range c.Live() {
		n := name{in.Category, in.Symbol}
		found, ok := c.Find(in.Category, in.Symbol)
		if seen[n] || !ok || found != in || c.At(in.ID) != in || !in.Live(now) {
			return fmt.Errorf("%s %s, number %d: twice, not found, or not live", in.Category, in.Symbol, in.ID)
		}
		seen[n] = true
	}
	for _, family := range []struct {
		category bybit.Category
		kind     Kind
		want     int
	}{{bybit.Linear, Future, 2}, {bybit.Inverse, Future, 1}, {bybit.Spread, Spread, 6}} {
		n := 0
		for _, in := range c.All(family.category) {
			if in.Kind == family.kind {
				n++
			}
		}
		if n != family.want {
			return fmt.Errorf("%d instruments of kind %v in %s, want %d", n, family.kind, family.category, family.want)
		}
	}
	for _, in := range c.All(bybit.Spread) {
		for _, leg := range in.Legs {
			if l := c.At(leg); l == nil || !l.Live(now) {
				return fmt.Errorf("%s has a leg that is not listed", in.Symbol)
			}
		}
	}
	return checkChains(c, now, w)
}

// checkChains checks that each coin has options of all expiries that the calendar asks for, with strikes on both sides of
// the price, a call and a put of each.
func checkChains(c *Catalog, now int64, w *walk) error {
	for _, r := range optionRows {
		price, _ := c.InQuote(r.base, r.quote, w.underlying)
		for _, delivery := range r.expiries.options(now) {
			var below, above, sides int
			for _, in := range c.All(bybit.Option) {
				if in.Base != r.base || in.Delivery != delivery {
					continue
				}
				if in.Strike < price {
					below++
				} else {
					above++
				}
				if in.Call {
					sides++
				} else {
					sides--
				}
			}
			if below < 2*r.strikesEachSide-1 || above < 2*r.strikesEachSide-1 || sides != 0 {
				return fmt.Errorf("%s options of %s: %d below, %d above the price, %d more calls than puts", r.base, dayMonthYear(delivery), below, above, sides)
			}
		}
	}
	return nil
}

func TestTwoYearsNeverRunDry(t *testing.T) {
	c := Default(start)
	w := newWalk(c)
	var copied *Catalog
	most, count := 0, make(map[Kind]int)
	for now := c.NextRoll(start); now < start+731*Day; now = c.NextRoll(now) {
		if now%Day != deliveryHour {
			t.Fatalf("a roll at %v", moment(now))
		}
		w.step(c)
		var due []ID
		for _, in := range c.Live() {
			if in.Delivery != 0 && in.Delivery <= now {
				due = append(due, in.ID)
			}
		}
		before := c.Len()
		delivered, listed := c.Roll(now, w.underlying)
		if !slices.Equal(delivered, due) {
			t.Fatalf("%v: delivered %v, due were %v", moment(now), delivered, due)
		}
		for i, id := range listed {
			if int(id) != before+i || c.At(id).Listed != now {
				t.Fatalf("%v: listed %v after %d instruments, with launch %v", moment(now), listed, before, moment(c.At(id).Listed))
			}
		}
		for _, id := range delivered {
			in := c.At(id)
			if in == nil || in.Delivery != now || in.Spread == nil && in.Info.Status != bybit.InstrumentDelivering {
				t.Fatalf("%v: %+v was delivered", moment(now), in)
			}
			count[in.Kind]++
		}
		if err := checkRolled(c, now, w); err != nil {
			t.Fatalf("%v: %v", moment(now), err)
		}
		most = max(most, len(c.Live()))
		if now == at("2026-11-13T08:00") {
			copied = new(Catalog)
			if err := state.Restore(copied, state.Bytes(c)); err != nil {
				t.Fatal(err)
			}
			if in := copied.Delivered()[0]; in.Info.Status != bybit.InstrumentDelivering && in.Spread == nil {
				t.Errorf("%s came back as %s", in.Symbol, in.Info.Status)
			}
		}
		if copied != nil && now > at("2026-11-13T08:00") {
			copied.Roll(now, w.underlying)
		}
	}
	// Eight quarters from March 2026 to December 2027, of two linear families' worth and one inverse; three spreads end
	// with each linear future.
	if count[Future] != 16 || count[Spread] != 24 {
		t.Errorf("%d futures and %d spreads were delivered in two years, want 16 and 24", count[Future], count[Spread])
	}
	if state.Hash(c) != state.Hash(copied) {
		t.Error("a restored catalogue rolls otherwise")
	}
	for i, in := range c.Delivered() {
		if got := copied.Delivered()[i]; got.Symbol != in.Symbol || got.Info.Status != in.Info.Status {
			t.Fatalf("%s (%s) came back as %s (%s)", in.Symbol, in.Info.Status, got.Symbol, got.Info.Status)
		}
	}
	if most > 700 {
		t.Errorf("up to %d instruments at a time", most)
	}
	kept := 0
	for i := range c.Len() {
		if c.At(ID(i)) != nil {
			kept++
		}
	}
	if kept > 2500 || len(c.Delivered())+len(c.Live()) != kept {
		t.Errorf("%d of %d instruments are kept, %d of them delivered", kept, c.Len(), len(c.Delivered()))
	}
	for i := range c.Delivered()[1:] {
		if c.Delivered()[i].Delivery > c.Delivered()[i+1].Delivery {
			t.Fatal("deliveries are not in order")
		}
	}
	t.Logf("%d instruments in two years, at most %d at a time", c.Len(), most)
}

func TestRollIsDueWhenSomethingExpires(t *testing.T) {
	for _, tt := range []struct {
		only []string
		want int64
	}{
		{nil, at("2026-01-01T08:00")},
		{[]string{"option:ETH-*"}, at("2026-01-01T08:00")},
		{[]string{"spot", "linear:BTCUSDT"}, Never},
	} {
		c, err := New(Config{Start: start, Only: tt.only})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.NextRoll(start); got != tt.want {
			t.Errorf("only %v: the next roll is at %v", tt.only, moment(got))
		}
	}
}

func TestOnlySomeInstruments(t *testing.T) {
	for _, tt := range []struct{ only, want string }{
		{"linear:BTCUSDT", "linear:BTCUSDT"},
		{"BTCUSD", "inverse:BTCUSD"},
		{"linear:BTCUSDT*", "linear:BTCUSDT linear:BTCUSDT-27MAR26 linear:BTCUSDT-26JUN26 spread:BTCUSDT-27MAR26_BTCUSDT spread:BTCUSDT-26JUN26_BTCUSDT-27MAR26"},
		{"BTCUSDT", "spot:BTCUSDT linear:BTCUSDT spread:BTCUSDT_BTC/USDT"},
		{"inverse", "inverse:BTCUSD inverse:ETHUSD inverse:BTCUSDH26"},
	} {
		c, err := New(Config{Start: start, Only: []string{tt.only}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, in := range c.Live() {
			got = append(got, string(in.Category)+":"+in.Symbol)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("only %s:\n got %s\nwant %s", tt.only, s, tt.want)
		}
	}
	if c, err := New(Config{Only: []string{"BTCUSDT", "SHIBUSDT"}}); err == nil {
		t.Errorf("a catalogue of %d instruments where one is unknown", c.Len())
	}
}
