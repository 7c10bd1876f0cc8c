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

// observed is what a while of one instrument looked like.
type observed struct {
	mids         []float64 // each 100 ms, in ticks
	spread       float64   // mean, in ticks
	depth        float64   // mean lots within 20 basis points, both sides
	empty        int       // samples with an empty side
	trades       []int64   // prices
	takers       int
	liquidations [2]int // by side
}

// observe runs the market for a time and looks at one instrument.
func observe(w *flowtest.World, in *catalog.Instrument, length int64) observed {
	var o observed
	var last uint64
	w.Seen = func(id catalog.ID, ev *engine.Event) {
		if id != in.ID || ev.Kind != engine.Traded {
			return
		}
		o.trades = append(o.trades, ev.Price)
		if ev.ID != last {
			last = ev.ID
			o.takers++
			if ev.Tag == engine.TagLiquidation {
				o.liquidations[ev.Side]++
			}
		}
	}
	defer func() { w.Seen = nil }()
	var levels []engine.Level
	n := 0.0
	for end := w.Now() + length; w.Now() < end; {
		w.Run(w.Now() + second/10)
		b := w.Book(in.ID)
		bid, _, ok := b.Best(engine.Buy)
		ask, _, ok2 := b.Best(engine.Sell)
		if !ok || !ok2 {
			o.empty++
			continue
		}
		mid := float64(bid+ask) / 2
		o.mids = append(o.mids, mid)
		o.spread += float64(ask - bid)
		for _, side := range []engine.Side{engine.Buy, engine.Sell} {
			levels = b.Levels(levels[:0], side, 2000, false)
			for _, l := range levels {
				if math.Abs(float64(l.Price)-mid) <= mid*20e-4 {
					o.depth += float64(l.Qty)
				}
			}
		}
		n++
	}
	o.spread /= n
	o.depth /= n
	return o
}

// volatility is the root of the mean squared return of a second.
func (o *observed) volatility() float64 {
	sum, n := 0.0, 0.0
	for i := 10; i < len(o.mids); i += 10 {
		r := math.Log(o.mids[i] / o.mids[i-10])
		sum, n = sum+r*r, n+1
	}
	return math.Sqrt(sum / n)
}

func (o *observed) lowest() float64 {
	low := math.Inf(1)
	for _, m := range o.mids {
		low = min(low, m)
	}
	return low
}

// under returns what BTCUSDT looks like for a time under a regime, from the same start.
func under(t *testing.T, r flow.Regime, length int64) observed {
	t.Helper()
	w := market(t, 11, "linear:BTCUSDT")
	w.Run(start + 30*second)
	if !w.Flow.SetRegime("BTC", r, 0) {
		t.Fatalf("%v is refused", r)
	}
	w.Run(start + 40*second)
	return observe(w, find(t, w, "linear:BTCUSDT"), length)
}

func TestRegimesDoWhatTheySay(t *testing.T) {
	const length = 4 * minute
	normal, calm := under(t, flow.Normal, length), under(t, flow.Calm, length)
	volatile, thin := under(t, flow.Volatile, length), under(t, flow.Thin, length)
	t.Logf("volatility: normal %.3g calm %.3g volatile %.3g thin %.3g", normal.volatility(), calm.volatility(), volatile.volatility(), thin.volatility())
	t.Logf("spread: normal %.1f calm %.1f volatile %.1f thin %.1f", normal.spread, calm.spread, volatile.spread, thin.spread)
	t.Logf("depth: normal %.0f calm %.0f volatile %.0f thin %.0f", normal.depth, calm.depth, volatile.depth, thin.depth)
	t.Logf("takers: normal %d calm %d volatile %d thin %d", normal.takers, calm.takers, volatile.takers, thin.takers)
	t.Logf("empty %d %d %d %d, liquidations %v %v %v %v", normal.empty, calm.empty, volatile.empty, thin.empty, normal.liquidations, calm.liquidations, volatile.liquidations, thin.liquidations)
	for _, c := range []struct {
		what     string
		is, want float64 // is must be at least want
	}{
		{"calm is less volatile", normal.volatility(), 1.7 * calm.volatility()},
		{"calm has fewer takers", float64(normal.takers), 1.4 * float64(calm.takers)},
		{"volatile is more volatile", volatile.volatility(), 2.5 * normal.volatility()},
		{"volatile has more takers", float64(volatile.takers), 2 * float64(normal.takers)},
		{"volatile has wider spreads", volatile.spread, 3 * normal.spread},
		{"thin has less depth", normal.depth, 3 * thin.depth},
		{"thin has wider spreads", thin.spread, 8 * normal.spread},
		{"thin has fewer takers", float64(normal.takers), 1.3 * float64(thin.takers)},
	} {
		if c.is < c.want {
			t.Errorf("%s: %.4g is below %.4g", c.what, c.is, c.want)
		}
	}
	for _, o := range []observed{normal, calm, volatile, thin} {
		if o.empty > 0 {
			t.Errorf("a side was empty in %d samples", o.empty)
		}
	}
}

func TestATrendGoesItsWay(t *testing.T) {
	after := func(r flow.Regime) float64 {
		w := market(t, 4, "option:BTC-2JAN26-88000-C-USDT") // latent prices need no book
		w.Flow.SetRegime("", r, 0)
		w.Run(start + hour)
		return float64(w.Flow.Index("BTC"))
	}
	flat := after(flow.Normal)
	want := 3.5 * 0.46 / math.Sqrt(8760) // deviations of an hour
	for _, c := range []struct {
		r    flow.Regime
		want float64
	}{{flow.TrendUp, want}, {flow.TrendDown, -want}} {
		if got := math.Log(after(c.r) / flat); math.Abs(got-c.want) > 0.001 {
			t.Errorf("%v moves the price of an hour by %.4f, want %.4f", c.r, got, c.want)
		}
	}
}

func TestAGapLeavesPricesOut(t *testing.T) {
	for seed := range uint64(4) {
		w := market(t, seed, "linear:BTCUSDT")
		in := find(t, w, "linear:BTCUSDT")
		w.Run(start + 20*second)
		before := observe(w, in, 5*second)
		w.Flow.SetRegime("BTC", flow.Gap, 0)
		left := observe(w, in, 3*second)
		if left.spread < 5*before.spread {
			t.Errorf("seed %d: spread %.1f ticks before, %.1f while makers are away", seed, before.spread, left.spread)
		}
		o := observe(w, in, 17*second)
		o.trades = append(left.trades, o.trades...)
		from, to := before.mids[len(before.mids)-1], o.mids[len(o.mids)-1]
		moved := math.Abs(math.Log(to / from))
		if moved < 0.012 || moved > 0.035 {
			t.Errorf("seed %d: the gap is %.4f, want 0.015 to 0.03", seed, moved)
		}
		inside := 0
		low, high := min(from, to)*1.003, max(from, to)*0.997
		for _, p := range o.trades {
			if float64(p) > low && float64(p) < high {
				inside++
			}
		}
		if inside > 0 {
			t.Errorf("seed %d: %d of %d trades are inside of the gap", seed, inside, len(o.trades))
		}
		if r, _ := w.Flow.Regime("BTC"); r != flow.Normal {
			t.Errorf("seed %d: %v does not end", seed, r)
		}
		if after := observe(w, in, 5*second); after.spread > 8*before.spread+8 {
			t.Errorf("seed %d: spread %.1f ticks before, %.1f after", seed, before.spread, after.spread)
		}
	}
}

func TestAFlashCrashFallsAndComesBack(t *testing.T) {
	w := market(t, 2, "linear:BTCUSDT", "spot:BTCUSDT")
	in := find(t, w, "linear:BTCUSDT")
	w.Run(start + 20*second)
	before := observe(w, in, 2*second)
	w.Flow.SetRegime("BTC", flow.FlashCrash, 0)
	fall := observe(w, in, 35*second)
	rest := observe(w, in, 150*second)
	from, low, end := before.mids[0], fall.lowest(), rest.mids[len(rest.mids)-1]
	t.Logf("from %.0f to %.0f and back to %.0f; spread %.1f, depth %.0f of %.0f, empty %d, %d takers", from, low, end, fall.spread, fall.depth, before.depth, fall.empty, fall.takers)
	if drop := 1 - low/from; drop < 0.05 || drop > 0.12 {
		t.Errorf("it falls by %.4f, want 0.06 to 0.09 or a little more", drop)
	}
	if back := (end - low) / (from - low); back < 0.5 || back > 0.95 {
		t.Errorf("it comes back by %.2f of the fall, want about 0.7", back)
	}
	if fall.depth > before.depth/2 {
		t.Errorf("depth %.0f within 20 basis points, %.0f before: the book is not emptied", fall.depth, before.depth)
	}
	w.Run(w.Now() + 10*second)
	if r, _ := w.Flow.Regime("BTC"); r != flow.Normal {
		t.Errorf("%v does not end", r)
	}
}

func TestACascadeIsOfLiquidations(t *testing.T) {
	w := market(t, 2, "linear:BTCUSDT", "spot:BTCUSDT")
	in := find(t, w, "linear:BTCUSDT")
	w.Run(start + 20*second)
	before := observe(w, in, 60*second)
	w.Flow.SetRegime("BTC", flow.Cascade, 0)
	run := observe(w, in, 60*second)
	rest := observe(w, in, 125*second)
	from, low, end := before.mids[len(before.mids)-1], run.lowest(), rest.mids[len(rest.mids)-1]
	t.Logf("from %.0f to %.0f and back to %.0f; %v liquidations before, %v in it, %v after", from, low, end, before.liquidations, run.liquidations, rest.liquidations)
	if before.liquidations[engine.Sell] > 10 {
		t.Errorf("%d liquidations in a normal minute", before.liquidations[engine.Sell])
	}
	if run.liquidations[engine.Sell] < 100 || run.liquidations[engine.Buy] > 0 {
		t.Errorf("liquidations %v, want 100 or more sales and no purchase", run.liquidations)
	}
	if drop := 1 - low/from; drop < 0.02 || drop > 0.09 {
		t.Errorf("it falls by %.4f, want 0.02 to 0.09", drop)
	}
	if end <= low*1.003 {
		t.Errorf("it ends at %.0f, with %.0f the lowest: nothing comes back", end, low)
	}
	if r, _ := w.Flow.Regime("BTC"); r != flow.Normal {
		t.Errorf("%v does not end", r)
	}
}

func TestAShockMovesThePrice(t *testing.T) {
	for _, c := range []struct {
		percent int64
		over    int64
	}{{5, 0}, {-10, 10 * second}, {20, minute}} {
		run := func(shock bool) (at [3]float64) {
			w := market(t, 6, "option:ETH-2JAN26-3000-C-USDT")
			w.Run(start + second)
			if shock && !w.Flow.Shock("ETH", fixed.FromInt(c.percent), c.over) {
				t.Fatal("refused")
			}
			for i, d := range []int64{c.over / 2, c.over + second, c.over + 2*second} {
				w.Run(start + second + d)
				at[i] = float64(w.Flow.Index("ETH"))
			}
			return at
		}
		with, without := run(true), run(false)
		want := 1 + float64(c.percent)/100
		if got := with[1] / without[1]; math.Abs(got-want) > 1e-6 {
			t.Errorf("%d %% over %d ns: %.6f of the price, want %.6f", c.percent, c.over, got, want)
		}
		if got := with[2] / without[2]; math.Abs(got-want) > 1e-6 {
			t.Errorf("%d %% over %d ns: it goes on, %.6f", c.percent, c.over, got)
		}
		if half := with[0] / without[0]; c.over > 0 && math.Abs(math.Log(half)-math.Log(want)/2) > 0.01 {
			t.Errorf("%d %% over %d ns: %.6f of the price after half the time", c.percent, c.over, half)
		}
	}
	w := market(t, 6, "option:ETH-2JAN26-3000-C-USDT")
	for _, percent := range []int64{-100, -200} {
		if w.Flow.Shock("ETH", fixed.FromInt(percent), 0) {
			t.Errorf("a shock of %d %% is taken", percent)
		}
	}
	if w.Flow.Shock("NOSUCH", fixed.One, 0) || w.Flow.SetRegime("NOSUCH", flow.Calm, 0) || w.Flow.SetRegime("", 200, 0) {
		t.Error("what does not exist is taken")
	}
}
