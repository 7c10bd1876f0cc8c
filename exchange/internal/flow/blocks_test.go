package flow_test

import (
	"testing"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
	"github.com/bywire/bywire/exchange/internal/state"
)

// TestBlockTradesAreRareAndFair: a few an hour over the whole catalogue, of each strategy, of one coin, near the fair price, of
// one quantity, of prices and sizes that the instrument allows.
func TestBlockTradesAreRareAndFair(t *testing.T) {
	only := []string{"linear:BTCUSDT", "linear:BTCUSDT-26JUN26", "spot:BTCUSDT", "option:BTC-2JAN26*"}
	strategies, legs, hours := make(map[string]int), 0, int64(4)
	w := market(t, 4, only...)
	price(w)
	for range hours * 60 * 60 * 10 {
		w.Run(w.Now() + second/10) // each latent step: the fair price is still the one of the trade
		for _, b := range w.Blocks {
			strategies[b.Strategy]++
			for i, l := range b.Legs {
				legs++
				in := w.Cat.At(l.ID)
				if in.Base != "BTC" || in.Quote != "USDT" && in.Kind != catalog.Option {
					t.Errorf("%s: a leg of %s", b.Strategy, in.Symbol)
				}
				if l.Price < in.MinPrice || l.Price > in.MaxPrice || l.Lots < in.MinQty || l.Lots > in.MaxQty {
					t.Errorf("%s: %s has %d lots at %d, outside of its bounds", b.Strategy, in.Symbol, l.Lots, l.Price)
				}
				if in.Kind != catalog.Option {
					if fair, _ := w.Flow.Fair(in.ID); (fixed.FromInt(l.Price) - fair).Abs() > fair/1000 { // five deviations
						t.Errorf("%s: %s at %d, the fair price is %v", b.Strategy, in.Symbol, l.Price, fair)
					}
				}
				if first := w.Cat.At(b.Legs[0].ID); i > 0 {
					if want := first.QtyOf(b.Legs[0].Lots); (in.QtyOf(l.Lots) - want).Abs() > in.QtyOf(1)/2 {
						t.Errorf("%s: %s of %s, hedged by %s of %s", b.Strategy, first.Qty(b.Legs[0].Lots), first.Symbol, in.Qty(l.Lots), in.Symbol)
					}
				}
				if i > 0 && b.Strategy != "custom" && l.Side == b.Legs[0].Side {
					t.Errorf("%s: both legs on one side", b.Strategy)
				}
			}
		}
		w.Blocks = nil
	}
	t.Logf("in %d hours %v, %d legs", hours, strategies, legs)
	all := strategies["custom"] + strategies["FundingRate"] + strategies["CarryTrade"]
	if int64(all) < hours || int64(all) > 6*hours || len(strategies) != 3 || legs < all*3/2 {
		t.Errorf("in %d hours %v with %d legs: want about three an hour, of each kind", hours, strategies, legs)
	}
}

// TestBlockTradesFollowFromTheState: a restored market has the next one at the same time.
func TestBlockTradesFollowFromTheState(t *testing.T) {
	run := func(w *flowtest.World) []flowtest.Block {
		for range 40 {
			w.Run(w.Now() + minute)
		}
		return w.Blocks
	}
	only := []string{"spot:BTCUSDT", "linear:BTCUSDT"}
	for seed := uint64(1); seed < 50; seed++ {
		w := market(t, seed, only...)
		w.Run(start + minute)
		snapshot := state.Bytes(w)
		want := run(w)
		if len(want) == 0 {
			continue
		}
		r := market(t, seed, only...)
		if err := state.Restore(r, snapshot); err != nil {
			t.Fatal(err)
		}
		got := run(r)
		if len(got) != len(want) || got[0].At != want[0].At || got[0].Strategy != want[0].Strategy || got[0].Legs[0] != want[0].Legs[0] {
			t.Errorf("seed %d: the restored market trades %+v, the other one %+v", seed, got, want)
		}
		return
	}
	t.Error("in 50 half hours no block trade")
}

// TestAQuietMarketHasNoBlockTrades: nobody trades.
func TestAQuietMarketHasNoBlockTrades(t *testing.T) {
	cat, err := catalog.New(catalog.Config{Start: start, Only: []string{"spot:BTCUSDT", "linear:BTCUSDT"}})
	if err != nil {
		t.Fatal(err)
	}
	w := flowtest.NewQuiet(cat, 1)
	w.Run(start + 3*hour)
	if len(w.Blocks) > 0 {
		t.Errorf("%d block trades", len(w.Blocks))
	}
}
