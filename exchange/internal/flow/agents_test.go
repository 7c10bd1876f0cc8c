package flow_test

import (
	"math"
	"testing"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
)

// TestWhoFollowsAMove: after a rise momentum and liquidations buy, after a fall they sell; without a move there are few of
// either.
func TestWhoFollowsAMove(t *testing.T) {
	var orders [3]map[string][2]int // after a fall, nothing, a rise: taker orders by agent and side
	for i, percent := range []int64{-3, 0, 3} {
		orders[i] = make(map[string][2]int)
		for seed := uint64(1); seed <= 6; seed++ {
			w := market(t, seed, "linear:BTCUSDT")
			in := find(t, w, "linear:BTCUSDT")
			w.Run(start + 3*minute) // averages have formed
			last := uint64(0)
			w.Seen = func(_ catalog.ID, ev *engine.Event) {
				if ev.Kind != engine.Traded || ev.ID == last {
					return
				}
				last = ev.ID
				who := w.Flow.Agent(in.ID, ev.Account)
				if (ev.Tag == engine.TagLiquidation) != (who == "liquidator") {
					t.Errorf("an order of %s has the tag %v", who, ev.Tag)
				}
				n := orders[i][who]
				n[ev.Side]++
				orders[i][who] = n
			}
			if percent != 0 {
				w.Flow.Shock("BTC", fixed.FromInt(percent), minute)
			}
			w.Run(w.Now() + 90*second)
		}
	}
	for _, who := range []string{"momentum", "liquidator"} {
		fall, still, rise := orders[0][who], orders[1][who], orders[2][who]
		t.Logf("%s: buy and sell orders %v after a fall, %v without a move, %v after a rise", who, fall, still, rise)
		if fall[engine.Sell] < 6 || rise[engine.Buy] < 6 || fall[engine.Sell] < 4*fall[engine.Buy] || rise[engine.Buy] < 4*rise[engine.Sell] {
			t.Errorf("%s: buy and sell orders %v after a fall, %v after a rise: it does not follow the move", who, fall, rise)
		}
		if 2*(still[0]+still[1]) > fall[engine.Sell]+rise[engine.Buy] {
			t.Errorf("%s: %v orders without a move, %v and %v with one", who, still, fall, rise)
		}
	}
}

// TestAnIcebergShowsAPart: it works a large order in slices of one side, one at a time, each placed when the one before is gone.
func TestAnIcebergShowsAPart(t *testing.T) {
	w := market(t, 2, "linear:BTCUSDT")
	in := find(t, w, "linear:BTCUSDT")
	resting := make(map[uint64]bool)
	var side engine.Side
	run, longest, filled := 0, 0, 0
	w.Seen = func(_ catalog.ID, ev *engine.Event) {
		switch {
		case ev.Kind == engine.Rested && w.Flow.Agent(in.ID, ev.Account) == "iceberg":
			if len(resting) > 0 && !resting[ev.ID] {
				t.Fatalf("%d slices rest, and one more is placed", len(resting))
			}
			if !resting[ev.ID] { // a move rests anew
				if ev.Side != side {
					run = 0
				}
				run++
				longest = max(longest, run)
			}
			resting[ev.ID], side = true, ev.Side
		case ev.Kind == engine.Cancelled:
			delete(resting, ev.ID)
		case ev.Kind == engine.Traded && ev.MakerLeft == 0 && resting[ev.Maker]:
			delete(resting, ev.Maker)
			filled++
		}
	}
	w.Run(start + 90*minute)
	t.Logf("%d slices were filled, %d of one side in a row", filled, longest)
	if filled < 20 || longest < 10 {
		t.Errorf("%d slices were filled, %d of one side in a row: want an order of ten slices or more", filled, longest)
	}
}

// TestVolatilityBeginsAsItIsAtAnyTime: over many seeds the squared volatility at the start has the mean of the usual one, and
// differs from seed to seed.
func TestVolatilityBeginsAsItIsAtAnyTime(t *testing.T) {
	cat, err := catalog.New(catalog.Config{Start: start, Only: []string{"spot:BTCUSDT"}})
	if err != nil {
		t.Fatal(err)
	}
	const seeds = 2000
	asset, _ := cat.Asset("ETH")
	squares, logs, logs2 := 0.0, 0.0, 0.0
	for seed := range uint64(seeds) {
		f := flow.New(flow.Config{Quiet: true}, cat, seed, start)
		x := float64(f.Vol("ETH")) / float64(asset.Vol)
		squares += x * x / seeds
		logs += math.Log(x) / seeds
		logs2 += math.Log(x) * math.Log(x) / seeds
	}
	spread := math.Sqrt(logs2 - logs*logs)
	t.Logf("mean square %.3f of the usual, median %.3f, spread of the logarithm %.3f", squares, math.Exp(logs), spread)
	if squares < 0.8 || squares > 1.25 || spread < 0.5 || spread > 0.85 {
		t.Errorf("mean square %.3f of the usual, spread of the logarithm %.3f: want 1 and 0.67", squares, spread)
	}
}

// TestAShockThatGoesTooFarIsRefused: what earlier shocks have still to do counts, and nothing happens to any coin.
func TestAShockThatGoesTooFarIsRefused(t *testing.T) {
	w := market(t, 1, "spot:BTCUSDT")
	w.Run(start)
	if w.Flow.Shock("BTC", fixed.FromInt(-99), 0) || w.Flow.Shock("", fixed.FromInt(1200), minute) {
		t.Error("a price goes to a hundredth, or to thirteen times")
	}
	done := 0
	for range 20 {
		if w.Flow.Shock("ETH", fixed.FromInt(50), hour) {
			done++
		}
	}
	if done != 6 { // 1.5^6 = 11.4
		t.Errorf("a price goes up by half %d times, want 6", done)
	}
	if w.Flow.Shock("", fixed.FromInt(50), 0) {
		t.Error("all prices go up by half, and one of them too far")
	}
	before := w.Flow.Index("BTC")
	w.Run(start + second)
	if after := w.Flow.Index("BTC"); (after - before).Abs() > before/100 {
		t.Errorf("BTC went from %v to %v by shocks that were refused", before, after)
	}
}

// TestOrdersStayWithinTheBounds: whatever the fair price does, no order rests at a price that the instrument does not have.
func TestOrdersStayWithinTheBounds(t *testing.T) {
	for _, percent := range []int64{-8, 8} {
		cat := catalog.Default(start)
		skipped, err := cat.Load([]byte(`{"assets":[{"coin":"ODD","price":"10","volatility":"0.9","correlation":"0.7"}],
			"instruments":[{"category":"linear","like":"DOGEUSDT","symbol":"ODDUSDT","baseCoin":"ODD","priceFilter":{"tickSize":"0.001","minPrice":"9.7","maxPrice":"10.3"},
			"lotSizeFilter":{"qtyStep":"0.1","minOrderQty":"0.1","maxOrderQty":"100000000","maxMktOrderQty":"10000000"}}]}`))
		if err != nil || len(skipped) > 0 {
			t.Fatal(err, skipped)
		}
		w := flowtest.New(cat, 1)
		in, _ := cat.Find("linear", "ODDUSDT")
		rested := 0
		w.Seen = func(id catalog.ID, ev *engine.Event) {
			if id != in.ID || ev.Kind != engine.Rested && ev.Kind != engine.Amended {
				return
			}
			if rested++; ev.Price < in.MinPrice || ev.Price > in.MaxPrice {
				t.Fatalf("%d %%: an order of %s rests at %d, outside of %d to %d", percent, w.Flow.Agent(id, ev.Account), ev.Price, in.MinPrice, in.MaxPrice)
			}
		}
		w.Run(start + 10*second)
		w.Flow.Shock("ODD", fixed.FromInt(percent), 20*second)
		w.Run(w.Now() + minute)
		if rested < 2000 {
			t.Errorf("%d %%: only %d orders", percent, rested)
		}
	}
}
