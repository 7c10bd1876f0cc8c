package flow_test

import (
	"fmt"
	"testing"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
)

const user = flow.MaxAccount + 1

// TestAUserTradesWithTheMarket: a large purchase moves the touch and the makers' inventories; the book comes back.
func TestAUserTradesWithTheMarket(t *testing.T) {
	w := market(t, 3, "linear:BTCUSDT")
	in := find(t, w, "linear:BTCUSDT")
	w.Run(start + 20*second)
	held := func() (sum fixed.F) {
		for _, share := range w.Flow.Inventories(in.ID) {
			sum += share
		}
		return sum
	}
	before := held()
	ask, _, _ := w.Book(in.ID).Best(engine.Sell)
	bought := int64(0)
	for _, ev := range w.Place(in.ID, &engine.Order{Account: user, Side: engine.Buy, Market: true, Qty: 60_000}) {
		if ev.Kind == engine.Traded {
			bought += ev.Qty
		}
	}
	swept, _, _ := w.Book(in.ID).Best(engine.Sell)
	if bought != 60_000 || swept < ask+500 {
		t.Fatalf("60 BTC: %d lots bought, the best ask went from %d to %d", bought, ask, swept)
	}
	if after := held(); after > before-fixed.One/5 {
		t.Errorf("makers held %v of their limits, %v after they sold", before, after)
	}
	w.Run(w.Now() + 3*second)
	fair, _ := w.Flow.Fair(in.ID)
	ask, _, _ = w.Book(in.ID).Best(engine.Sell)
	if off := fixed.FromInt(ask) - fair; off > fixed.FromInt(200) {
		t.Errorf("three seconds later the best ask is %v ticks above the fair price", off)
	}
}

// TestAUsersQuoteIsTaken: what a user offers on the wrong side of the fair price is taken by arbitrage within seconds, and
// what rests at the touch trades in time, unless the price leaves: most of it within two minutes.
func TestAUsersQuoteIsTaken(t *testing.T) {
	served, byArbitrage, quotes := 0, 0, 0
	for seed := range uint64(20) {
		side := engine.Side(seed % 2)
		w := market(t, seed, "linear:BTCUSDT")
		in := find(t, w, "linear:BTCUSDT")
		w.Run(start + 20*second)
		traded, arbitrage := make(map[uint64]int64), false
		w.Seen = func(_ catalog.ID, ev *engine.Event) {
			if ev.Kind == engine.Traded && ev.MakerAccount == user {
				traded[ev.Maker] += ev.Qty
				arbitrage = arbitrage || w.Flow.Agent(in.ID, ev.Account) == "arbitrage"
			}
		}
		fair, tolerance := w.Flow.Fair(in.ID)
		wrong := (fair - 3*tolerance).Int()
		if side == engine.Buy {
			wrong = (fair + 3*tolerance).Int()
		}
		// Whatever is in the way is taken first.
		w.Place(in.ID, &engine.Order{Account: user, Side: side, TIF: engine.IOC, Price: wrong, Qty: 1_000_000})
		mistake := &engine.Order{Account: user, Side: side, TIF: engine.PostOnly, Price: wrong, Qty: 200}
		w.Place(in.ID, mistake)
		w.Run(w.Now() + 3*second)
		if traded[mistake.ID] == 0 {
			t.Errorf("seed %d, %v far from the fair price: nobody took it within three seconds", seed, side)
		}
		if arbitrage {
			byArbitrage++
		}
		w.Run(w.Now() + minute)
		best, _, _ := w.Book(in.ID).Best(side)
		fairly := &engine.Order{Account: user, Side: side, TIF: engine.PostOnly, Price: best, Qty: 10}
		w.Place(in.ID, fairly)
		w.Run(w.Now() + 2*minute)
		quotes++
		if traded[fairly.ID] == 10 {
			served++
		}
	}
	t.Logf("of %d quotes at the touch %d traded within two minutes; of as many mistakes arbitrage took %d", quotes, served, byArbitrage)
	if served*3 < quotes*2 || byArbitrage*4 < quotes*3 {
		t.Errorf("of %d quotes at the touch %d traded within two minutes; of as many mistakes arbitrage took %d", quotes, served, byArbitrage)
	}
}

// TestAHaltedBookIsLeftAlone: nobody sends what would be refused, and trading goes on when the book opens again.
func TestAHaltedBookIsLeftAlone(t *testing.T) {
	w := market(t, 3, "linear:BTCUSDT", "option:BTC-2JAN26*")
	price(w)
	in := find(t, w, "linear:BTCUSDT")
	w.Run(start + 20*second)
	for _, in := range w.Cat.Live() {
		w.Book(in.ID).Halt()
	}
	refused, trades := 0, 0
	w.Seen = func(_ catalog.ID, ev *engine.Event) {
		switch ev.Kind {
		case engine.Refused:
			refused++
		case engine.Traded:
			trades++
		}
	}
	w.Run(w.Now() + 20*second)
	if refused > 0 || trades > 0 {
		t.Errorf("%d orders were refused and %d traded in closed books", refused, trades)
	}
	for _, in := range w.Cat.Live() {
		w.Book(in.ID).Resume()
	}
	w.Flow.Shock("BTC", fixed.One/2, 0)
	w.Run(w.Now() + 20*second)
	bid, _, _ := w.Book(in.ID).Best(engine.Buy)
	if fair, tolerance := w.Flow.Fair(in.ID); trades == 0 || (fixed.FromInt(bid)-fair).Abs() > 4*tolerance {
		t.Errorf("after the halt: %d trades, bid %d, fair price %v", trades, bid, fair)
	}
}

// TestOddInstruments: a market is made of what a user's file holds, or none, but nothing breaks.
func TestOddInstruments(t *testing.T) {
	for _, c := range []struct {
		name, price, tick, lot string
		traded                 bool
	}{
		{"a coin of little value", "0.0000071", "0.00000001", "100", true},
		{"a tick of a tenth of the price", "10", "1", "0.1", true},
		{"a very fine tick", "8", "0.0000001", "0.1", true},
		{"a tick too fine", "88000", "0.0000001", "0.001", false},
		{"a lot worth a hundredth of a day", "1000", "0.1", "200", true},
		{"a lot worth a million", "1000", "0.1", "1000", false},
	} {
		cat := catalog.Default(start)
		skipped, err := cat.Load(fmt.Appendf(nil, `{"assets":[{"coin":"ODD","price":%q,"volatility":"1.1","correlation":"0.7"}],
			"instruments":[{"category":"linear","like":"DOGEUSDT","symbol":"ODDUSDT","baseCoin":"ODD","priceFilter":{"tickSize":%q,"minPrice":%q,"maxPrice":"100000"},
			"lotSizeFilter":{"qtyStep":%q,"minOrderQty":%q,"maxOrderQty":"100000000","maxMktOrderQty":"10000000"}}]}`, c.price, c.tick, c.tick, c.lot, c.lot))
		if err != nil || len(skipped) > 0 == c.traded {
			t.Fatalf("%s: %v, skipped %q", c.name, err, skipped)
		}
		if !c.traded {
			continue // flow is not asked
		}
		w := flowtest.New(cat, 1)
		in, ok := cat.Find("linear", "ODDUSDT")
		if !ok {
			t.Fatalf("%s is not listed", c.name)
		}
		trades := 0
		w.Seen = func(id catalog.ID, ev *engine.Event) {
			if id == in.ID && ev.Kind == engine.Traded {
				trades++
			}
		}
		w.Run(start + 5*second)
		w.Flow.Shock("ODD", fixed.FromInt(30), second)
		w.Run(start + 25*second)
		b := w.Book(in.ID)
		_, _, ok1 := b.Best(engine.Buy)
		_, _, ok2 := b.Best(engine.Sell)
		t.Logf("%s: %d orders, %d trades, bids %v, asks %v", c.name, b.Resting(), trades, ok1, ok2)
		if traded := ok2 && trades > 0; traded != c.traded {
			t.Errorf("%s: traded %v, want %v", c.name, traded, c.traded)
		}
	}
}

// TestTheFinestTick: an instrument with as many ticks in its price as the catalogue allows is traded at its fair price, also
// when the coin has risen as far as a coin can: sums of two prices do not wrap.
func TestTheFinestTick(t *testing.T) {
	cat := catalog.Default(start)
	skipped, err := cat.Load([]byte(`{"assets":[{"coin":"ODD","price":"8.8","volatility":"0.9","correlation":"0.7"}],
		"instruments":[{"category":"linear","like":"DOGEUSDT","symbol":"ODDUSDT","baseCoin":"ODD","priceFilter":{"tickSize":"0.0000001","minPrice":"0.0000001","maxPrice":"100000"},
		"lotSizeFilter":{"qtyStep":"0.1","minOrderQty":"0.1","maxOrderQty":"100000000","maxMktOrderQty":"10000000"}}]}`))
	if err != nil || len(skipped) > 0 {
		t.Fatal(err, skipped)
	}
	w := flowtest.New(cat, 1)
	in, ok := cat.Find("linear", "ODDUSDT")
	if !ok {
		t.Fatal("ODDUSDT is not listed")
	}
	trades := 0
	w.Seen = func(id catalog.ID, ev *engine.Event) {
		if id == in.ID && ev.Kind == engine.Traded {
			trades++
		}
	}
	w.Run(start + 5*second)
	if !w.Flow.Shock("ODD", fixed.FromInt(1000), 0) {
		t.Fatal("a coin cannot rise to eleven times its price")
	}
	w.Run(start + 20*second)
	trades = 0
	for range 120 {
		w.Run(w.Now() + second/2)
		fair, _ := w.Flow.Fair(in.ID)
		bid, _, ok := w.Book(in.ID).Best(engine.Buy)
		ask, _, ok2 := w.Book(in.ID).Best(engine.Sell)
		if !ok || !ok2 || float64(bid) < float64(fair.Int())*0.99 || float64(ask) > float64(fair.Int())*1.01 {
			t.Fatalf("bid %d (%v), ask %d (%v), fair price %v", bid, ok, ask, ok2, fair)
		}
	}
	if trades < 20 {
		t.Errorf("%d trades within a minute", trades)
	}
}
