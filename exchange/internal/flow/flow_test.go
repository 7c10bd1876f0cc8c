package flow_test

import (
	"testing"
	"time"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
	"github.com/bywire/bywire/exchange/internal/state"
)

const (
	second = int64(time.Second)
	minute = 60 * second
	hour   = 60 * minute
	start  = int64(1767225600) * second // 2026-01-01
)

// market is the market of some instruments.
func market(tb testing.TB, seed uint64, only ...string) *flowtest.World {
	tb.Helper()
	cat, err := catalog.New(catalog.Config{Start: start, Only: only})
	if err != nil {
		tb.Fatal(err)
	}
	return flowtest.New(cat, seed)
}

// find returns an instrument.
func find(tb testing.TB, w *flowtest.World, symbol string) *catalog.Instrument {
	tb.Helper()
	for _, in := range w.Cat.Live() {
		if string(in.Category)+":"+in.Symbol == symbol {
			return in
		}
	}
	tb.Fatalf("there is no %s", symbol)
	return nil
}

func TestOneSeedOneMarket(t *testing.T) {
	hash := func(seed uint64) [32]byte {
		w := market(t, seed, "linear:BTCUSDT", "spot:BTCUSDT", "linear:XRPUSDT", "spread")
		w.Run(start + 20*second)
		return state.Hash(w)
	}
	one, again := hash(7), hash(7)
	if one != again {
		t.Error("two runs with one seed differ")
	}
	if one == hash(8) {
		t.Error("two seeds make one market")
	}
}

// TestARestoredMarketGoesOnAsTheOther restores at many times, with scripts, jumps and trends under way.
func TestARestoredMarketGoesOnAsTheOther(t *testing.T) {
	only := []string{"linear:BTCUSDT", "spot:BTCUSDT", "spot:XRPUSDT", "linear:XRPUSDT", "option:BTC-2JAN26*"}
	w := market(t, 3, only...)
	price(w)
	const begin = start + 4*minute // icebergs have begun
	w.Run(begin)
	w.Flow.SetRegime("XRP", flow.Cascade, 0)
	w.Flow.Shock("BTC", fixed.FromInt(2), 20*second)
	var snapshots [][]byte
	for i := range int64(12) {
		w.Run(begin + i*5*second)
		if i == 9 {
			w.Flow.SetRegime("BTC", flow.Volatile, 0)
			w.Run(w.Now() + second/2)
		}
		snapshots = append(snapshots, state.Bytes(w))
	}
	for i, snapshot := range snapshots {
		r := market(t, 3, only...)
		price(r)
		if err := state.Restore(r, snapshot); err != nil {
			t.Fatal(err)
		}
		if string(state.Bytes(r)) != string(snapshot) {
			t.Fatalf("snapshot %d: restored, but not the same", i)
		}
		// It goes on to the next snapshot, or if something is done to the market before that, a little further.
		if i+1 < len(snapshots) && i != 8 {
			r.Run(begin + int64(i+1)*5*second)
			if string(state.Bytes(r)) != string(snapshots[i+1]) {
				t.Errorf("snapshot %d: a restored market goes on in another way", i)
			}
		}
	}
}

func TestBooksAreFullAtTheStart(t *testing.T) {
	w := market(t, 1, "spot", "linear", "inverse")
	w.Run(start)
	for _, in := range w.Cat.Live() {
		if in.Kind == catalog.Spread {
			continue
		}
		for _, side := range []engine.Side{engine.Buy, engine.Sell} {
			if n := len(w.Book(in.ID).Levels(nil, side, 2000, false)); n < 1000 {
				t.Errorf("%s %s %v: %d levels, want 1,000", in.Category, in.Symbol, side, n)
			}
		}
	}
}
