package fixed

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/bywire/bywire/exchange/internal/state"
)

func TestRandIsThePCGOfTheStandardLibrary(t *testing.T) {
	r := NewRand(7, "a", "b")
	want := rand.NewPCG(r.hi, r.lo)
	for i := range 1000 {
		if got, want := r.Uint64(), want.Uint64(); got != want {
			t.Fatalf("number %d is %#x, want %#x", i, got, want)
		}
	}
}

func TestStreamsHaveNames(t *testing.T) {
	seen := make(map[uint64]string)
	for seed := range uint64(4) {
		for _, names := range [][]string{nil, {""}, {"", ""}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"a", "b", "c"}} {
			name := fmt.Sprintf("%d %q", seed, names)
			first := NewRand(seed, names...).Uint64()
			noise := NewNoise(seed, names...)
			if NewRand(seed, names...).Uint64() != first || NewNoise(seed, names...) != noise {
				t.Errorf("%s is not the same twice", name)
			}
			for _, u := range []uint64{first, NewNoise(seed, names...).Uint64(0), NewNoise(seed, names...).Uint64(1)} {
				if other, ok := seen[u]; ok {
					t.Errorf("%s has a number of %s", name, other)
				}
				seen[u] = name
			}
		}
	}
	// What the first numbers are is part of every recorded hash: they must not change by accident.
	if got := NewRand(1, "flow", "BTC").Uint64(); got != goldenRand {
		t.Errorf("the first number of flow BTC is %#x, want %#x", got, uint64(goldenRand))
	}
	if got := NewNoise(1, "flow", "BTC").Uint64(5); got != goldenNoise {
		t.Errorf("the noise of flow BTC at 5 is %#x, want %#x", got, uint64(goldenNoise))
	}
}

const (
	goldenRand  = 0x19e59c3db6092f5
	goldenNoise = 0x67334bddb8cd9f8f
)

func TestARestoredStreamGoesOn(t *testing.T) {
	r := NewRand(1, "x")
	for range 10 {
		r.Gauss()
	}
	var s Rand
	if err := state.Restore(&s, state.Bytes(r)); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if a, b := r.Uint64(), s.Uint64(); a != b {
			t.Fatalf("restored: %#x, original: %#x", b, a)
		}
	}
}

// moments are the mean, standard deviation, skewness and kurtosis of a sample.
type moments struct{ mean, deviation, skew, kurtosis float64 }

func momentsOf(sample []float64) moments {
	var m moments
	n := float64(len(sample))
	for _, x := range sample {
		m.mean += x / n
	}
	var m2, m3, m4 float64
	for _, x := range sample {
		d := x - m.mean
		m2 += d * d / n
		m3 += d * d * d / n
		m4 += d * d * d * d / n
	}
	m.deviation = math.Sqrt(m2)
	return moments{m.mean, m.deviation, m3 / m2 / m.deviation, m4 / m2 / m2}
}

func (m moments) near(t *testing.T, want, tolerance moments) {
	t.Helper()
	for _, is := range []struct {
		name                 string
		got, want, tolerance float64
	}{
		{"mean", m.mean, want.mean, tolerance.mean},
		{"deviation", m.deviation, want.deviation, tolerance.deviation},
		{"skewness", m.skew, want.skew, tolerance.skew},
		{"kurtosis", m.kurtosis, want.kurtosis, tolerance.kurtosis},
	} {
		if math.Abs(is.got-is.want) > is.tolerance {
			t.Errorf("%s = %.4f, want %.4f within %.4f", is.name, is.got, is.want, is.tolerance)
		}
	}
}

func float(f F) float64 { return float64(f) / float64(One) }

// draw returns n numbers of a source.
func draw(n int, next func(i uint64) F) []float64 {
	sample := make([]float64, n)
	for i := range sample {
		sample[i] = float(next(uint64(i)))
	}
	return sample
}

// The tolerances are about four standard errors of 100,000 numbers; the seeds are fixed, so the tests are too.
func TestDistributions(t *testing.T) {
	const n = 100_000
	noise := NewNoise(5, "distributions")
	for _, tt := range []struct {
		name            string
		rand            func(*Rand) F
		noise           func(uint64) F
		want, tolerance moments
	}{
		{"uniform", (*Rand).F, noise.F, moments{0.5, math.Sqrt(1. / 12), 0, 1.8}, moments{0.004, 0.002, 0.02, 0.02}},
		{"gauss", (*Rand).Gauss, noise.Gauss, moments{0, 1, 0, 3}, moments{0.013, 0.009, 0.031, 0.062}},
		{"exponential", (*Rand).Exponential, noise.Exponential, moments{1, 1, 2, 9}, moments{0.013, 0.018, 0.15, 1.5}},
		{"Pareto", func(r *Rand) F { return r.Pareto(10 * One) }, func(i uint64) F { return noise.Pareto(i, 10*One) },
			moments{10. / 9, math.Sqrt(10./8) / 9, 2.811, 17.83}, moments{0.002, 0.003, 0.3, 7}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRand(9, tt.name)
			momentsOf(draw(n, func(uint64) F { return tt.rand(r) })).near(t, tt.want, tt.tolerance)
			momentsOf(draw(n, tt.noise)).near(t, tt.want, tt.tolerance)
		})
	}
}

func TestGaussHasTheTailsOfTheNormalDistribution(t *testing.T) {
	const n = 1_000_000
	r := NewRand(2, "tails")
	var beyond [5]float64
	for range n {
		for k := int64(1); k < 5; k++ {
			if r := r.Gauss(); r < FromInt(-k) {
				beyond[k]++
			}
		}
	}
	for k := 1; k < 5; k++ {
		want := n / 2 * math.Erfc(float64(k)/math.Sqrt2)
		if d := math.Abs(beyond[k] - want); d > 4*math.Sqrt(want) {
			t.Errorf("%v of %d are below -%d, want about %.0f", beyond[k], n, k, want)
		}
	}
	for u, want := range map[uint64]float64{0: -9.08, 1: -9.08, 1 << 63: 9.08, 1<<63 - 1: 0, math.MaxUint64: 0} {
		if got := float(gauss(u)); math.Abs(got-want) > 0.01 {
			t.Errorf("gauss(%#x) = %v, want %v", u, got, want)
		}
	}
	if got := float(exponential(0)); math.Abs(got-64*math.Ln2) > 1e-9 {
		t.Errorf("the largest exponential number is %v", got)
	}
}

func TestPoisson(t *testing.T) {
	for _, mean := range []float64{0.01, 0.7, 4, 11.99, 12, 30, 250, 5000} {
		t.Run(fmt.Sprint(mean), func(t *testing.T) {
			const n = 50_000
			r := NewRand(4, "poisson")
			got := momentsOf(draw(n, func(uint64) F { return FromInt(r.Poisson(F(mean * float64(One)))) }))
			d := math.Sqrt(mean)
			skew := 1 / d
			if mean > 256 {
				skew = 0
			}
			got.near(t, moments{mean, d, skew, 3 + skew*skew}, moments{4 * d / math.Sqrt(n), 0.04 * d, 0.04 + 0.15*skew, 0.1 + 0.9*skew*skew})
		})
	}
	r := NewRand(4, "few")
	if got := r.Poisson(0) + r.Poisson(-One) + r.Poisson(Min) + r.Poisson(1); got != 0 {
		t.Errorf("without a mean %d happened", got)
	}
}

func TestWholeNumbersAndChoices(t *testing.T) {
	r := NewRand(3, "choices")
	var counts [7]float64
	for range 70_000 {
		counts[r.IntN(7)]++
	}
	for i, c := range counts {
		if math.Abs(c-10_000) > 400 {
			t.Errorf("%d came %v times in 70,000", i, c)
		}
	}
	// With n = 3/8 of 2^64, a plain multiplication would give each third number two outputs of eight, and the others three.
	var thirds [3]float64
	for range 30_000 {
		thirds[r.IntN(3<<61)%3]++
	}
	for i, c := range thirds {
		if math.Abs(c-10_000) > 400 {
			t.Errorf("of a large range, numbers that are %d modulo 3 came %v times in 30,000", i, c)
		}
	}
	for _, n := range []int64{1, 0, -1, math.MinInt64} {
		if got := r.IntN(n); got != 0 {
			t.Errorf("IntN(%d) = %d", n, got)
		}
	}
	var picks [4]float64
	yes := 0.
	for range 60_000 {
		picks[r.Pick(1, 0, 2, -5)]++
		if r.Bool(Ratio(1, 4)) {
			yes++
		}
	}
	if math.Abs(picks[0]-20_000) > 500 || picks[1] != 0 || picks[3] != 0 {
		t.Errorf("picked with weights 1, 0, 2 and -5: %v", picks)
	}
	if math.Abs(yes-15_000) > 450 || r.Bool(0) || !r.Bool(One) {
		t.Errorf("a chance of one in four came %v times in 60,000", yes)
	}
	if got := r.Pick() + r.Pick(0, 0) + r.Pick(-1); got != 0 {
		t.Errorf("picked without weights: %d", got)
	}
}

// TestNoiseIsIndependent looks at what a bad mixer would show: the same number at neighbours, correlation
// between indices and between names that differ little.
func TestNoiseIsIndependent(t *testing.T) {
	const n = 100_000
	a, b := NewNoise(1, "a"), NewNoise(1, "b")
	correlation := func(of func(i uint64) float64) float64 {
		sum := 0.
		for i := range uint64(n) {
			sum += float(a.Gauss(i)) * of(i)
		}
		return sum / n
	}
	for name, of := range map[string]func(uint64) float64{
		"the next":        func(i uint64) float64 { return float(a.Gauss(i + 1)) },
		"one 1,024 on":    func(i uint64) float64 { return float(a.Gauss(i + 1024)) },
		"one 2^32 on":     func(i uint64) float64 { return float(a.Gauss(i + 1<<32)) },
		"its negative":    func(i uint64) float64 { return float(a.Gauss(-i - 1)) },
		"another name":    func(i uint64) float64 { return float(b.Gauss(i)) },
		"its own stream":  func(i uint64) float64 { r := a.Rand(i); return float(r.Gauss()) },
		"the next square": func(i uint64) float64 { g := float(a.Gauss(i + 1)); return g*g - 1 },
	} {
		if c := correlation(of); math.Abs(c) > 4/math.Sqrt(n)*1.5 {
			t.Errorf("correlation with %s: %.4f", name, c)
		}
	}
	// Each bit of the index changes each bit of the number half of the time.
	for bit := range 64 {
		var changed [64]float64
		for i := range uint64(2000) {
			d := a.Uint64(i*7919) ^ a.Uint64(i*7919^1<<bit)
			for k := range changed {
				changed[k] += float64(d >> k & 1)
			}
		}
		for k, c := range changed {
			if math.Abs(c-1000) > 5*math.Sqrt(500) {
				t.Errorf("bit %d of the index changes bit %d of the number %v times in 2,000", bit, k, c)
			}
		}
	}
}
