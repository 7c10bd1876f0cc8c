package price

import (
	"reflect"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

func num(s string) fixed.F {
	f, ok := fixed.FromDecimal(decimal.MustParse(s))
	if !ok {
		panic(s)
	}
	return f
}

// start is 2026-01-01T00:00:00Z, a Thursday.
const start = 1767225600 * catalog.Second

// market is Inputs that a test sets.
type market struct {
	cat   *catalog.Catalog
	index map[string]fixed.F // in US dollars; others are at their start
	vol   fixed.F
	quote func(in *catalog.Instrument) Quote
}

func (m *market) Index(coin string) fixed.F {
	if p, ok := m.index[coin]; ok {
		return p
	}
	a, _ := m.cat.Asset(coin)
	return a.Start
}

func (m *market) Vol(string) fixed.F { return m.vol }

func (m *market) Quote(in *catalog.Instrument) Quote {
	if m.quote == nil {
		return Quote{}
	}
	return m.quote(in)
}

func id(t *testing.T, c *catalog.Catalog, category bybit.Category, symbol string) catalog.ID {
	t.Helper()
	in, ok := c.Find(category, symbol)
	if !ok {
		t.Fatalf("%s %s is not listed", category, symbol)
	}
	return in.ID
}

func is(t *testing.T, what string, got fixed.F, scale int, want string) {
	t.Helper()
	if s := got.Decimal(scale).String(); s != want {
		t.Errorf("%s is %s, want %s", what, s, want)
	}
}

// only is a catalogue of a few instruments.
func only(t *testing.T, at int64, patterns ...string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.New(catalog.Config{Start: at, Only: patterns})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBoardOfTheDefaultCatalogue(t *testing.T) {
	c := catalog.Default(start)
	b := New(c, start)
	b.Update(start, &market{cat: c})
	// 88,000 dollars at 0.9996 dollars per USDT; nothing traded yet: the mark is the index, shown with 2 digits.
	is(t, "mark", b.Mark(id(t, c, bybit.Linear, "BTCUSDT")), 4, "88035.2100")
	// The future has 85.33 days and 5 % a year: 88035.2141 * (1 + 0.05 * 85.3333/365).
	is(t, "mark of the future", b.Mark(id(t, c, bybit.Linear, "BTCUSDT-27MAR26")), 2, "89064.30")
	is(t, "index of spot", b.Mark(id(t, c, bybit.Spot, "BTCUSDC")), 2, "88008.80")
	for _, in := range c.Live() {
		limits, limited := b.Limits(in.ID)
		o, priced := b.Option(in.ID)
		switch in.Kind {
		case catalog.Option:
			if limited || !priced || o.Price < 0 || o.Vol < lowestVol || o.Underlying <= 0 || b.Mark(in.ID) != o.Price {
				t.Fatalf("%s: %+v, %t, limits %t", in.Symbol, o, priced, limited)
			}
		case catalog.Spread:
			if limited || priced || b.Mark(in.ID) != 0 || b.IndexOf(in.ID) != 0 {
				t.Fatalf("%s has prices", in.Symbol)
			}
		default:
			if price := in.TicksOf(b.Mark(in.ID)); !limited || limits.LowestSell >= price || limits.HighestBuy <= price || priced {
				t.Fatalf("%s: limits %+v, mark %d", in.Symbol, limits, price)
			}
		}
	}
	for _, bad := range []catalog.ID{-1, catalog.ID(c.Len())} {
		if b.Mark(bad) != 0 || b.IndexOf(bad) != 0 || b.Premium(bad) != 0 || b.Fundings(bad) != nil || b.ImpliedVol(bad, 5) != 0 {
			t.Errorf("instrument %d has prices", bad)
		}
	}
}

// The mark follows P2 over five minutes while the last price lies beyond: a book 10 above the index from the first second on,
// after 100 seconds 40 above it.
func TestBoardMarksAPerpetual(t *testing.T) {
	c := only(t, start, "linear:BTCUSDT")
	btc := id(t, c, bybit.Linear, "BTCUSDT")
	b := New(c, start)
	b.Begin(btc, num("0.0003"))
	above := int64(100)
	m := &market{cat: c, index: map[string]fixed.F{"BTC": num("90000").Mul(num("0.9996"))}}
	m.quote = func(in *catalog.Instrument) Quote {
		return Quote{Bid: 900000 + above - 5, Ask: 900000 + above + 5, Last: 950000}
	}
	for s := int64(1); s <= 400; s++ {
		if s > 100 {
			above = 400
		}
		b.Update(start+s*catalog.Second, m)
		switch s {
		case 1, 100: // P1 = 90000 * (1 + 0.0003 * 8/8) = 90027, less than 0.1 in these seconds; the last is beyond: the median is P1
			if got := b.Mark(btc); got < num("90026.9") || got > num("90027") {
				t.Errorf("mark after %d seconds: %v", s, got)
			}
		case 300: // P2 = 90000 + (100 * 10 + 200 * 40) / 300
			is(t, "mark after 300 seconds", b.Mark(btc), 2, "90030.00")
		case 350: // the first 50 of them are gone: (50 * 10 + 250 * 40) / 300
			is(t, "mark after 350 seconds", b.Mark(btc), 2, "90035.00")
		case 400:
			is(t, "mark after 400 seconds", b.Mark(btc), 2, "90040.00")
		}
	}
	// Highest buy: 90040 * 1.01 = 90940.4 and no premium over the mark in the last seconds of 0 to 1; lowest sell 90040 * 0.99.
	limits, _ := b.Limits(btc)
	if limits.HighestBuy < 909404 || limits.HighestBuy > 909450 || limits.LowestSell != 891396 {
		t.Errorf("limits %+v", limits)
	}
}

func TestBoardWithoutABookOrATrade(t *testing.T) {
	c := only(t, start, "linear:BTCUSDT")
	btc := id(t, c, bybit.Linear, "BTCUSDT")
	m := &market{cat: c, index: map[string]fixed.F{"BTC": num("90000").Mul(num("0.9996"))}}
	for _, tt := range []struct {
		name  string
		quote Quote
		want  string
	}{
		{"nothing", Quote{}, "90000.00"},
		{"only a trade", Quote{Last: 900500}, "90050.00"},
		{"only a book", Quote{Bid: 900010, Ask: 900030}, "90002.00"},
		{"half a book", Quote{Bid: 900010}, "90000.00"},
	} {
		b := New(c, start)
		m.quote = func(*catalog.Instrument) Quote { return tt.quote }
		b.Update(start, m)
		is(t, tt.name, b.Mark(btc), 2, tt.want)
	}
}

// Eight hours with a premium of 0.1 % in the second half: the example of TestWeightedPremium, F = 0.00074948 - 0.0005.
func TestBoardSettlesFunding(t *testing.T) {
	c := only(t, start, "linear:BTCUSDT", "linear:ETHUSDT")
	btc, eth := id(t, c, bybit.Linear, "BTCUSDT"), id(t, c, bybit.Linear, "ETHUSDT")
	b := New(c, start)
	m := &market{cat: c, index: map[string]fixed.F{"BTC": num("90000").Mul(num("0.9996"))}}
	premium := false
	m.quote = func(in *catalog.Instrument) Quote {
		if in.ID == btc && premium {
			return Quote{ImpactBid: 900900, ImpactAsk: 901000}
		}
		return Quote{}
	}
	var settled []catalog.ID
	for s := int64(1); s <= 8*3600; s++ {
		premium = s > 4*3600
		b.Update(start+s*catalog.Second, m)
		if got := b.Settled(); len(got) > 0 {
			if s != 8*3600 {
				t.Fatalf("settled %v after %d seconds", got, s)
			}
			settled = got
		}
		if rate, next := b.Funding(btc); s == 4*3600 && (rate != num("0.0001") || next != start+8*catalog.Hour) {
			t.Errorf("after four hours the rate is %v, next at %d", rate, next)
		}
	}
	if len(settled) != 2 || settled[0] != btc || settled[1] != eth {
		t.Errorf("settled %v", settled)
	}
	is(t, "premium index", b.Premium(btc), 6, "0.001000")
	got := b.Fundings(btc)
	if len(got) != 1 || got[0].At != start+8*catalog.Hour {
		t.Fatalf("fundings %v", got)
	}
	is(t, "settled rate", got[0].Rate, 8, "0.00024948")
	is(t, "settled rate of ETH", b.Fundings(eth)[0].Rate, 8, "0.00010000")

	// P1 follows the rate that was settled now: with the last trade and P2 beyond it, it is the mark. 90000 * (1 + 0.00024948).
	m.quote = func(in *catalog.Instrument) Quote {
		return Quote{Bid: 1000000, Ask: 1000001, Last: 900001, ImpactBid: 900900}
	}
	b.Update(start+8*catalog.Hour+1, m)
	is(t, "mark after the funding", b.Mark(btc), 2, "90022.45")
	m.quote = func(in *catalog.Instrument) Quote { return Quote{ImpactBid: 900900} }

	// The next interval begins anew: its first minute has a premium of 0.1 %, so 0.001 - 0.0005.
	if _, next := b.Funding(btc); next != start+16*catalog.Hour {
		t.Errorf("the next funding is at %d", next)
	}
	for s := int64(8*3600) + 1; s <= 8*3600+60; s++ {
		b.Update(start+s*catalog.Second, m)
	}
	rate, _ := b.Funding(btc)
	is(t, "rate of the new interval", rate, 8, "0.00050000")
}

// The 30 minutes before 27 March 2026, 08:00: the index rises by 0.10 a second from 90,000, so its mean is
// 90000 + 0.1 * (0 + ... + 1799) / 1800 = 90089.95.
func TestBoardDeliversAtTheMean(t *testing.T) {
	const delivery = 1774598400 * catalog.Second
	begin := delivery - 3600*catalog.Second
	for _, rollFirst := range []bool{true, false} {
		c := only(t, begin, "inverse:BTCUSD*", "option:BTC-27MAR26-*")
		future := id(t, c, bybit.Inverse, "BTCUSDH26")
		option := c.All(bybit.Option)[0].ID
		b := New(c, begin)
		m := &market{cat: c, index: make(map[string]fixed.F)}
		at := func(s int64) {
			m.index["BTC"] = num("90000") + fixed.Ratio(s-1800, 10)
			b.Update(begin+s*catalog.Second, m)
		}
		for s := int64(0); s < 3600; s++ {
			at(s)
			if p, ok := b.Predicted(future); ok != (s >= 1800) {
				t.Fatalf("predicted %v after %d seconds", p, s)
			}
			if s == 2700 { // 901 samples: 0.1 * 450
				p, _ := b.Predicted(future)
				is(t, "predicted", p, 4, "90045.0000")
				if p, ok := b.Predicted(option); !ok {
					t.Errorf("the option predicts %v", p)
				}
			}
		}
		if !rollFirst {
			at(3600)
		}
		var price, optionPrice fixed.F
		delivered, listed := c.Roll(delivery, m.Index)
		for _, x := range delivered {
			p := b.Delivered(x)
			switch x {
			case future:
				price = p
			case option:
				optionPrice = p
			}
		}
		for _, x := range listed {
			b.Listed(x, delivery)
		}
		if rollFirst {
			at(3600)
		}
		is(t, "delivery price", price, 6, "90089.950000")
		is(t, "delivery price of the option", optionPrice, 4, "90126.0004") // in USDT: / 0.9996
		if b.Mark(future) != 0 {
			t.Errorf("a delivered future has the mark price %v", b.Mark(future))
		}
		next := id(t, c, bybit.Inverse, "BTCUSDM26")
		// 90180 dollars and 91 days of 5 % a year.
		is(t, "mark of the next future", b.Mark(next), 2, "91304.16")
		list := b.Deliveries()
		if len(list) != len(delivered) || list[0].At != delivery {
			t.Errorf("%d deliveries of %d: %+v", len(list), len(delivered), list)
		}
	}
}

// A clock that jumps over the 30 minutes leaves the index.
func TestBoardDeliversWithoutSamples(t *testing.T) {
	c := only(t, start, "inverse:BTCUSD*")
	future := id(t, c, bybit.Inverse, "BTCUSDH26")
	b := New(c, start)
	m := &market{cat: c}
	b.Update(start, m)
	delivery := c.At(future).Delivery
	c.Roll(delivery+catalog.Hour, m.Index)
	is(t, "delivery price", b.Delivered(future), 2, "88000.00")
	if b.Delivered(catalog.ID(999)) != 0 {
		t.Error("an unknown contract was delivered")
	}
}

// The documentation's example, BTC-26DEC25 of 14 October 2025 (V5 page websocket/public/ticker): index 114132.51, mark 121144.63,
// last 109401.50; basis -4730.84 and basisRate 0.06129209 were made of an index some seconds older, so ours are those of
// the index shown: -4731.01, 7012.12 / 114132.51 = 0.06143841.
func TestBoardBasis(t *testing.T) {
	c := only(t, start, "inverse:BTCUSD*")
	future := id(t, c, bybit.Inverse, "BTCUSDH26")
	b := New(c, start)
	m := &market{cat: c, index: map[string]fixed.F{"BTC": num("114132.51")}}
	m.quote = func(in *catalog.Instrument) Quote {
		return Quote{Last: 1094015, ImpactBid: 1211446, ImpactAsk: 1211447}
	}
	b.Update(start, m)
	basis, ok := b.Basis(future)
	if !ok {
		t.Fatal("no basis")
	}
	is(t, "mark", b.Mark(future), 2, "121144.65")
	is(t, "basis", basis.Basis, 2, "-4731.01")
	is(t, "basis rate", basis.Rate, 6, "0.061439")
	// 85.333 days: times 4.27734.
	is(t, "basis rate of a year", basis.Year, 5, "0.26279")
	if _, ok := b.Basis(id(t, c, bybit.Inverse, "BTCUSD")); ok {
		t.Error("a perpetual has a basis")
	}
}

// The basis of a future is the mean of ten minutes.
func TestBoardMarksAFuture(t *testing.T) {
	c := only(t, start, "inverse:BTCUSD*")
	future := id(t, c, bybit.Inverse, "BTCUSDH26")
	b := New(c, start)
	m := &market{cat: c, index: map[string]fixed.F{"BTC": num("100000")}}
	impact := int64(1010000)
	m.quote = func(in *catalog.Instrument) Quote { return Quote{ImpactBid: impact - 1, ImpactAsk: impact + 1} }
	for s := int64(1); s <= 900; s++ {
		if s > 300 {
			impact = 1040000
		}
		b.Update(start+s*catalog.Second, m)
		switch s {
		case 300:
			is(t, "mark", b.Mark(future), 1, "101000.0")
		case 600: // (300 * 1 % + 300 * 4 %) / 600
			is(t, "mark", b.Mark(future), 1, "102500.0")
		case 750: // (150 * 1 % + 450 * 4 %) / 600
			is(t, "mark", b.Mark(future), 1, "103250.0")
		case 900:
			is(t, "mark", b.Mark(future), 1, "104000.0")
		}
	}
}

func TestBoardListsWithPrices(t *testing.T) {
	c := catalog.Default(start)
	b := New(c, start)
	m := &market{cat: c, vol: num("0.9")}
	b.Update(start, m)
	_, listed := c.Roll(c.NextRoll(start), m.Index)
	options := 0
	for _, x := range listed {
		b.Listed(x, c.NextRoll(start))
		if in := c.At(x); in.Kind == catalog.Option {
			options++
			if o, ok := b.Option(x); !ok || b.ImpliedVol(x, in.TicksOf(o.Price)) == 0 && in.TicksOf(o.Price) > 0 && o.Vega > fixed.One/10 && o.Delta.Abs() < num("0.9") {
				t.Fatalf("%s: %+v", in.Symbol, o)
			}
		}
	}
	if options == 0 {
		t.Error("no options were listed")
	}
}

// The volatility of a bid or ask is the mark's if its price is.
func TestBoardImpliedVol(t *testing.T) {
	c := only(t, start, "option:BTC-27MAR26-*")
	b := New(c, start)
	b.Update(start, &market{cat: c, vol: num("0.6")})
	o, _ := b.Option(id(t, c, bybit.Option, "BTC-27MAR26-90000-C-USDT"))
	ticks := c.At(0).TicksOf(o.Price)
	got := b.ImpliedVol(id(t, c, bybit.Option, "BTC-27MAR26-90000-C-USDT"), ticks)
	// A tick of 5 at a vega of 170 is 0.0003.
	if (got-o.Vol).Abs() > num("0.0003") || o.Vol < num("0.4") {
		t.Errorf("volatility %v of %d ticks, the mark is %+v", got, ticks, o)
	}
	if b.ImpliedVol(0, 0) != 0 {
		t.Error("no bid has a volatility")
	}
}

// The surface follows with a time constant of an hour: from the usual 46 % to 90 %, after an hour by 1 - 1/e of the way.
func TestBoardFollowsTheVolatility(t *testing.T) {
	c := only(t, start, "option:BTC-2JAN26-88000-*")
	b := New(c, start)
	m := &market{cat: c}
	b.Update(start, m) // nothing is known: the usual one
	is(t, "volatility", b.pairs[0].vol, 4, "0.4600")
	before, _ := b.Option(0)
	m.vol = num("0.9")
	for s := int64(1); s <= 3600; s++ {
		b.Update(start+s*catalog.Second, m)
	}
	is(t, "volatility after an hour", b.pairs[0].vol, 3, "0.738")
	// A day and eight hours: kT is 0.0438, so all but 2 % of it reaches the option, times 1.03.
	after, _ := b.Option(0)
	is(t, "rise of the option's", after.Vol-before.Vol, 2, "0.28")
}

// crowd is a market that moves, for tests of the state.
func crowd(c *catalog.Catalog) (*market, func()) {
	r := fixed.NewRand(9, "crowd")
	m := &market{cat: c, index: make(map[string]fixed.F), vol: num("0.5")}
	for _, a := range c.Assets() {
		m.index[a.Coin] = a.Start
	}
	m.quote = func(in *catalog.Instrument) Quote {
		p := in.TicksOf(c.StartPrice(in)) + r.IntN(41) - 20
		q := Quote{Bid: p, Ask: p + 1 + r.IntN(3), Last: p, ImpactBid: p - 3, ImpactAsk: p + 5}
		if r.IntN(50) == 0 {
			q.Bid = 0
		}
		return q
	}
	return m, func() {
		for _, a := range c.Assets() {
			m.index[a.Coin] = m.index[a.Coin].Mul((r.Gauss() / 5000).Exp())
		}
	}
}

// A board restored from a snapshot goes on as the one it was taken from.
func TestBoardSnapshot(t *testing.T) {
	c := only(t, start, "BTCUSDT*", "inverse", "option:BTC-2JAN26-*", "option:BTC-1JAN26-*")
	b := New(c, start)
	m, move := crowd(c)
	step := func(b *Board, now int64) { b.Update(now, m) }
	begin := start + 8*catalog.Hour - 20*60*catalog.Second
	now := begin
	b.Begin(id(t, c, bybit.Linear, "BTCUSDT"), num("-0.0007"))
	for ; now < begin+700*catalog.Second; now += catalog.Second {
		move()
		step(b, now)
	}
	cat := new(catalog.Catalog)
	if err := state.Restore(cat, state.Bytes(c)); err != nil {
		t.Fatal(err)
	}
	copied := New(cat, now)
	if err := state.Restore(copied, state.Bytes(b)); err != nil {
		t.Fatal(err)
	}
	if state.Hash(copied) != state.Hash(b) || !reflect.DeepEqual(copied.pairs, b.pairs) || !reflect.DeepEqual(copied.rows, b.rows) || !reflect.DeepEqual(copied.options, b.options) {
		t.Fatal("restored to another state")
	}
	quote := m.quote
	for ; now < begin+1300*catalog.Second; now += catalog.Second {
		move()
		said := make(map[catalog.ID]Quote)
		m.quote = func(in *catalog.Instrument) Quote {
			if q, ok := said[in.ID]; ok {
				return q
			}
			said[in.ID] = quote(in)
			return said[in.ID]
		}
		step(b, now)
		step(copied, now)
		if now == start+8*catalog.Hour {
			for _, x := range []struct {
				c *catalog.Catalog
				b *Board
			}{{c, b}, {cat, copied}} {
				delivered, listed := x.c.Roll(now, m.Index)
				for _, i := range delivered {
					x.b.Delivered(i)
				}
				for _, i := range listed {
					x.b.Listed(i, now)
				}
			}
		}
	}
	if state.Hash(copied) != state.Hash(b) {
		t.Error("a restored board goes on otherwise")
	}
	if len(b.Deliveries()) == 0 || len(b.Fundings(id(t, c, bybit.Linear, "BTCUSDT"))) != 1 {
		t.Errorf("nothing happened: %d deliveries", len(b.Deliveries()))
	}
}

func FuzzRestore(f *testing.F) {
	c, err := catalog.New(catalog.Config{Start: start, Only: []string{"BTCUSDT*", "inverse", "option:BTC-2JAN26-88000-*"}})
	if err != nil {
		f.Fatal(err)
	}
	b := New(c, start)
	m, move := crowd(c)
	for s := range int64(400) {
		move()
		b.Update(start+s*catalog.Second, m)
	}
	f.Add(state.Bytes(b))
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		b := New(c, start)
		if state.Restore(b, snapshot) != nil {
			return
		}
		b.Update(start+catalog.Hour, m)
	})
}

// An update of the default catalogue: 8 perpetuals, 3 futures, 7 spot pairs, 252 options.
func BenchmarkUpdate(b *testing.B) {
	for _, bb := range []struct {
		name string
		only []string
	}{{"all", nil}, {"BTCUSDT", []string{"linear:BTCUSDT"}}} {
		b.Run(bb.name, func(b *testing.B) {
			c, err := catalog.New(catalog.Config{Start: start, Only: bb.only})
			if err != nil {
				b.Fatal(err)
			}
			board := New(c, start)
			m, _ := crowd(c)
			now := start
			for b.Loop() {
				now += catalog.Second
				board.Update(now, m)
			}
		})
	}
}
