package flow

import (
	"math"
	"testing"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// TestPricesArePulledHome: a coin without volatility that has risen far comes back by 0.0008 of its distance a day.
func TestPricesArePulledHome(t *testing.T) {
	const begin = 1_767_225_600 * second
	l := newLatent(catalog.Default(begin), 1, begin)
	still := *l.coins[0].asset
	still.Vol = 0
	l.coins[0].asset = &still
	l.coins[0].log = 2 * fixed.One
	moods := make([]mood, len(l.coins))
	for i := range moods {
		moods[i].derive(&l.coins[i])
	}
	const hours = 2
	for at := begin; at < begin+hours*hour; at += latentStep {
		l.step(at, moods)
	}
	came := 2 - float64(l.coins[0].log)/float64(fixed.One)
	if want := 2 * 0.0008 * hours / 24; math.Abs(came-want) > want/20 {
		t.Errorf("in %d hours it came back by %.7f, want %.7f", hours, came, want)
	}
}

// TestTheCarryWanders: what a future is dearer than spot for a year changes within hours, by more than the excursions of its
// basis in minutes.
func TestTheCarryWanders(t *testing.T) {
	const begin, symbol, hours = 1_767_225_600 * second, "BTCUSDT-26JUN26", 3
	cat, err := catalog.New(catalog.Config{Start: begin, Only: []string{"linear:" + symbol}})
	if err != nil {
		t.Fatal(err)
	}
	in, _ := cat.Find("linear", symbol)
	carry, basis, seeds := 0.0, 0.0, uint64(50)
	for seed := range seeds {
		d := New(Config{}, cat, seed, begin).desks[in.ID]
		for range hours * hour / second {
			d.stepBasis()
		}
		carry += math.Pow(float64(d.carry)/float64(fixed.One), 2) / float64(seeds)
		basis += math.Pow(float64(d.basisNow(begin+hours*hour)-d.base().asset.Carry.Mul(in.Years(begin+hours*hour)))/float64(fixed.One), 2) / float64(seeds)
	}
	carry, basis = math.Sqrt(carry), math.Sqrt(basis)
	t.Logf("carry %.5f, basis %.5f within %d hours", carry, basis, hours)
	// 0.012 is its deviation in the long run and 72 hours its memory: 0.012 x sqrt(2 x 3 / 72) = 0.0035.
	if carry < 0.0025 || carry > 0.0045 || basis < 0.4*carry || basis > 0.6*carry {
		t.Errorf("in %d hours the carry moves by %.5f and the basis by %.5f, want 0.0035 and half of it", hours, carry, basis)
	}
}
