package past

import (
	"math"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// returns are the logarithmic returns of bars.
func returns(bars []Bar) []float64 {
	found := make([]float64, len(bars))
	for i, b := range bars {
		found[i] = math.Log(float64(b.Close) / float64(b.Open))
	}
	return found
}

func mean(v []float64) float64 {
	sum := 0.
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

func correlation(a, b []float64) float64 {
	ma, mb := mean(a), mean(b)
	var ab, aa, bb float64
	for i := range min(len(a), len(b)) {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}

// within says what is measured, and fails if it is not between two bounds.
func within(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	t.Logf("%s: %.3f (%v to %v)", what, got, low, high)
	if !(got >= low && got <= high) {
		t.Errorf("%s is %.4f, want %v to %v", what, got, low, high)
	}
}

// The bounds are what is known of crypto currencies: fat tails at each length, volatility that stays for a while, volume that
// comes with movement, coins that move together, and hours that differ.
func TestThePastLooksLikeAMarket(t *testing.T) {
	cat := catalog.Default(newYear)
	p := New(7, cat, newYear)
	of := func(symbol string, i Interval) []Bar {
		return p.Bars(nil, find(t, cat, bybit.Linear, symbol).ID, Trade, i, 0, newYear, 0)
	}
	btc, eth := of("BTCUSDT", D1), of("ETHUSDT", D1)
	for _, in := range []struct {
		interval       Interval
		aYear          float64
		kurtosis, most float64
	}{{M1, 525600, 5, 60}, {H1, 8760, 4, 40}, {D1, 365, 3.5, 20}} {
		bars := of("BTCUSDT", in.interval)
		r := returns(bars)
		var m2, m4 float64
		size, wide, volume := make([]float64, len(r)), make([]float64, len(r)), make([]float64, len(r))
		for i, x := range r {
			m2 += x * x / float64(len(r))
			m4 += x * x * x * x / float64(len(r))
			size[i] = math.Abs(x)
			wide[i] = math.Log(float64(bars[i].High) / float64(bars[i].Low))
			volume[i] = math.Log(float64(bars[i].Volume))
		}
		name := in.interval.String()
		within(t, name+": volatility of a year", math.Sqrt(m2*in.aYear), 0.46*0.75, 0.46*1.35)
		within(t, name+": kurtosis", m4/m2/m2, in.kurtosis, in.most)
		within(t, name+": correlation of sizes with the next", correlation(size[1:], size), 0.08, 0.6)
		within(t, name+": correlation of returns with the next", correlation(r[1:], r), -0.06, 0.06)
		within(t, name+": correlation of volume with range", correlation(wide, volume), 0.4, 0.95)
		within(t, name+": range over size", mean(wide)/mean(size), 1.5, 2.6) // 2 of a random walk
	}
	within(t, "correlation of BTC and ETH by day", correlation(returns(btc), returns(eth)), 0.6, 0.95)
	within(t, "correlation of BTC and ETH by minute", correlation(returns(of("BTCUSDT", M1)), returns(of("ETHUSDT", M1))), 0.5, 0.95)

	turnover := 0.
	for _, b := range btc {
		turnover += b.Turnover.Value(find(t, cat, bybit.Linear, "BTCUSDT")).Float64() / float64(len(btc))
	}
	within(t, "turnover of a day over the usual", turnover/5600e6, 0.7, 1.4)

	var quiet, busy float64
	for _, b := range of("BTCUSDT", H1) {
		switch b.Start % day / hour {
		case 5:
			quiet += float64(b.Volume)
		case 14:
			busy += float64(b.Volume)
		}
	}
	within(t, "volume at 14:00 over that at 05:00", busy/quiet, 1.7, 4)

	lowest, highest := math.Inf(1), 0.
	for _, b := range btc {
		lowest, highest = min(lowest, float64(b.Low)/880000), max(highest, float64(b.High)/880000)
	}
	within(t, "lowest price of five years over today's", lowest, 0.02, 1)
	within(t, "highest price of five years over today's", highest, 1, 20)
}

func TestInstrumentsOfACoinKeepTogether(t *testing.T) {
	cat := catalog.Default(newYear)
	p := New(7, cat, newYear)
	spot := p.Bars(nil, find(t, cat, bybit.Spot, "BTCUSDT").ID, Trade, M1, 0, newYear, 0)
	for _, in := range cat.Live() {
		if in.Base != "BTC" || in.Kind == catalog.Option || in.Kind == catalog.Spread || in.Kind == catalog.Spot {
			continue
		}
		far := 0.
		bars := p.Bars(nil, in.ID, Trade, M1, 0, newYear, 0)
		if len(bars) != len(spot) {
			continue // listed in the last month
		}
		for i, b := range bars {
			carry := 1.
			if in.Kind == catalog.Future {
				carry = math.Exp(0.05 * float64(in.Delivery-b.Start) / float64(365*day))
			}
			far = max(far, math.Abs(float64(b.Close)/float64(spot[i].Close)/carry-1))
		}
		within(t, in.Symbol+": farthest from spot", far, 1e-6, 0.004)
	}
	// Mark and index are where the trades are.
	in := find(t, cat, bybit.Linear, "BTCUSDT")
	trade := p.Bars(nil, in.ID, Trade, H1, 0, newYear, 500)
	mark, index := p.Bars(nil, in.ID, Mark, H1, 0, newYear, 500), p.Bars(nil, in.ID, Index, H1, 0, newYear, 500)
	premium := p.Bars(nil, in.ID, Premium, H1, 0, newYear, 500)
	for i := range trade {
		last, m, x := Shown(in, Trade, trade[i].Close).Float64(), Shown(in, Mark, mark[i].Close).Float64(), Shown(in, Index, index[i].Close).Float64()
		if math.Abs(last-m) > 0.2 || math.Abs(m/x-1-Shown(in, Premium, premium[i].Close).Float64()) > 3e-4 {
			t.Fatalf("hour %d: last %v, mark %v, index %v, premium %v", i, last, m, x, premium[i].Close)
		}
	}
}
