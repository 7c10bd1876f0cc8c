package flow_test

import (
	"math"
	"slices"
	"testing"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
)

// each calls look for every live instrument that has a book of its own makers.
func each(w *flowtest.World, look func(in *catalog.Instrument, b *engine.Book)) {
	for _, in := range w.Cat.Live() {
		if in.Kind != catalog.Option && in.Kind != catalog.Spread {
			look(in, w.Book(in.ID))
		}
	}
}

// TestWhatHoldsAtAllTimes looks at the whole catalogue twice a second, in each regime but the gap: both sides have
// orders, bids stand below asks, inventories are within their limits.
func TestWhatHoldsAtAllTimes(t *testing.T) {
	w := market(t, 21, "spot", "linear", "inverse", "spread")
	w.Run(start)
	most := fixed.F(0)
	for _, r := range flow.Regimes() {
		if r == flow.Gap {
			continue
		}
		w.Flow.SetRegime("", r, 0)
		for range 30 {
			w.Run(w.Now() + second/2)
			each(w, func(in *catalog.Instrument, b *engine.Book) {
				bid, _, ok := b.Best(engine.Buy)
				ask, _, ok2 := b.Best(engine.Sell)
				if !ok || !ok2 || bid >= ask {
					t.Fatalf("%v, %s %s: bid %d (%v), ask %d (%v)", r, in.Category, in.Symbol, bid, ok, ask, ok2)
				}
				for _, share := range w.Flow.Inventories(in.ID) {
					most = max(most, share.Abs())
				}
			})
		}
	}
	t.Logf("the fullest inventory was %v of its limit", most)
	if most > fixed.One+fixed.One/4 { // limits follow the price
		t.Errorf("an inventory was %v of its limit", most)
	}
	if most < fixed.One/5 {
		t.Errorf("no inventory was above %v of its limit: they do not matter", most)
	}
}

// TestPricesOfACoinStayTogether: in normal times each book's middle is within three tolerances of its fair price in 99
// samples of 100, and within 15 always; spot and perpetuals of a coin, seen in one coin, within 10 basis points.
func TestPricesOfACoinStayTogether(t *testing.T) {
	w := market(t, 5, "spot", "linear", "inverse")
	w.Run(start + 10*second)
	samples, apart, farthest, widest := 0, 0, 0.0, 0.0
	for range 600 {
		w.Run(w.Now() + second/2)
		prices := make(map[string][]float64)
		each(w, func(in *catalog.Instrument, b *engine.Book) {
			bid, _, _ := b.Best(engine.Buy)
			ask, _, _ := b.Best(engine.Sell)
			fair, tolerance := w.Flow.Fair(in.ID)
			mid := (fixed.FromInt(bid) + fixed.FromInt(ask)) / 2
			off := float64((mid - fair).Abs()) / float64(max(tolerance, fixed.One))
			samples++
			farthest = max(farthest, off)
			if off > 3 {
				apart++
			}
			if in.Kind == catalog.Spot || in.Kind == catalog.Perpetual {
				usd, ok := w.Cat.Stable(in.Quote)
				if !ok {
					t.Fatalf("%s has the quote coin %s", in.Symbol, in.Quote)
				}
				prices[in.Base] = append(prices[in.Base], float64(in.PriceOf(bid)+in.PriceOf(ask))/2*float64(usd)/float64(fixed.One))
			}
		})
		for _, p := range prices {
			widest = max(widest, math.Log(slices.Max(p)/slices.Min(p)))
		}
	}
	t.Logf("%d of %d samples further than 3 tolerances, farthest %.1f; spot and perpetuals %.5f apart", apart, samples, farthest, widest)
	if apart*100 > samples || farthest > 15 {
		t.Errorf("%d of %d samples are further than 3 tolerances from the fair price, the farthest %.1f", apart, samples, farthest)
	}
	if widest > 0.001 {
		t.Errorf("spot and perpetuals of a coin are %.5f apart", widest)
	}
	if widest < 0.00002 {
		t.Errorf("spot and perpetuals of a coin are only %.6f apart: there is no basis", widest)
	}
}

// TestBooksStayDeep: after a quarter of an hour the liquid books still have about 1,000 levels.
func TestBooksStayDeep(t *testing.T) {
	for _, symbol := range []string{"linear:BTCUSDT", "spot:ETHUSDT", "linear:XRPUSDT"} {
		w := market(t, 9, symbol)
		w.Run(start + 15*minute)
		each(w, func(in *catalog.Instrument, b *engine.Book) {
			for _, side := range []engine.Side{engine.Buy, engine.Sell} {
				levels := b.Levels(nil, side, 3000, false)
				reach := math.Abs(float64(levels[len(levels)-1].Price)/float64(levels[0].Price) - 1)
				t.Logf("%s %v: %d levels to %.3f", symbol, side, len(levels), reach)
				if len(levels) < 900 || b.Resting() > 4000 || reach > 0.5 {
					t.Errorf("%s %v: %d levels to %.3f, %d orders", symbol, side, len(levels), reach, b.Resting())
				}
			}
		})
	}
}

// TestContractsAreDeliveredAndListed rolls a day of options.
func TestContractsAreDeliveredAndListed(t *testing.T) {
	const delivery = start + 8*hour // 08:00 UTC is when contracts are delivered
	cat, err := catalog.New(catalog.Config{Start: delivery - 20*second, Only: []string{"option:ETH*", "inverse:BTCUSD*"}})
	if err != nil {
		t.Fatal(err)
	}
	w := flowtest.New(cat, 1)
	price(w)
	w.Run(delivery)
	delivered, listed := w.Roll()
	if len(delivered) == 0 || len(listed) == 0 {
		t.Fatalf("%d contracts were delivered, %d listed", len(delivered), len(listed))
	}
	price(w)
	w.Run(w.Now() + 10*second)
	for _, id := range listed {
		if in := w.Cat.At(id); in.Kind == catalog.Option && w.Book(id).Resting() == 0 {
			t.Errorf("%s was listed and nobody quotes it", in.Symbol)
		}
	}
}

// TestTheCarryEndsAtDelivery: the fair price of a future meets the latent price.
func TestTheCarryEndsAtDelivery(t *testing.T) {
	w := market(t, 1, "inverse:BTCUSDH26")
	in := find(t, w, "inverse:BTCUSDH26")
	basis := func() float64 {
		fair, _ := w.Flow.Fair(in.ID)
		return float64(fair)/float64(fixed.One)*0.1/(float64(w.Flow.Index("BTC"))/float64(fixed.One)) - 1
	}
	w.Run(start)
	if years := float64(in.Delivery-start) / (365 * 24 * float64(hour)); math.Abs(basis()-0.05*years) > 0.0005 {
		t.Errorf("the basis at the start is %.5f, want 5 %% of %.3f years", basis(), years)
	}
	late, err := catalog.New(catalog.Config{Start: in.Delivery - minute, Only: []string{"inverse:BTCUSD*"}})
	if err != nil {
		t.Fatal(err)
	}
	w = flowtest.New(late, 1)
	in = find(t, w, "inverse:BTCUSDH26")
	w.Run(in.Delivery - second)
	if math.Abs(basis()) > 0.0001 {
		t.Errorf("the basis a second before delivery is %.5f", basis())
	}
}

// TestOptionsAreQuotedNowAndThen: at most five changes a second of each quote of an option, on average far fewer.
func TestOptionsAreQuotedNowAndThen(t *testing.T) {
	w := market(t, 1, "option:BTC-2JAN26*", "spot:BTCUSDT")
	base := w.Flow.Index("BTC")
	price(w)
	w.Run(start)
	changes := make([]int, w.Cat.Len())
	trades := 0
	w.Seen = func(id catalog.ID, ev *engine.Event) {
		if w.Cat.At(id).Kind != catalog.Option {
			return
		}
		if ev.Kind == engine.Traded {
			trades++
		} else {
			changes[id]++
		}
	}
	all, options := 0, 0
	for range 120 {
		for range 20 { // the mark moves as an option at the money does, each 50 ms
			for _, in := range w.Cat.Live() {
				if in.Kind == catalog.Option {
					w.Marks[in.ID] = base/50 + (w.Flow.Index("BTC")-base)/2
				}
			}
			w.Run(w.Now() + second/20)
		}
		options = 0
		for id, n := range changes {
			if n > 8*5 { // four levels on each side
				t.Fatalf("%s: %d changes within a second", w.Cat.At(catalog.ID(id)).Symbol, n)
			}
			all += n
			changes[id] = 0
			if w.Cat.At(catalog.ID(id)).Kind == catalog.Option {
				options++
			}
		}
	}
	t.Logf("%.2f changes a second for each of %d options, %d trades", float64(all)/120/float64(options), options, trades)
	if all == 0 || all > 120*8*options/2 { // each quote every other second
		t.Errorf("%d changes in two minutes of %d options", all, options)
	}
}

// TestAccountsAreFlows: no order comes from an account that is not flow's.
func TestAccountsAreFlows(t *testing.T) {
	w := market(t, 1, "linear:BTCUSDT", "option:BTC-2JAN26*")
	price(w)
	w.Seen = func(_ catalog.ID, ev *engine.Event) {
		if ev.Account < 1 || ev.Account > flow.MaxAccount {
			t.Fatalf("account %d", ev.Account)
		}
	}
	w.Run(start + 5*second)
}
