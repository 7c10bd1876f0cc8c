package fixed

import (
	"math/big"
	"testing"
)

func TestConstants(t *testing.T) {
	two := bigOf(2)
	log2 := bigLog(two)
	nearestOf := func(x *big.Float, point int) *big.Int {
		x = new(big.Float).SetMantExp(x, point)
		i, _ := x.Add(x, bigNew().Quo(bigOf(1), two)).Int(nil)
		return i
	}
	is := func(name string, got uint64, want *big.Int) {
		t.Helper()
		if !want.IsUint64() || want.Uint64() != got {
			t.Errorf("%s = %#x, want %#x", name, got, want)
		}
	}
	is("ln2", ln2, nearestOf(log2, 64))
	log2e := nearestOf(bigNew().Quo(bigOf(1), log2), 127)
	is("log2eHi", log2eHi, new(big.Int).Rsh(log2e, 64))
	is("log2eLo", log2eLo, new(big.Int).And(log2e, new(big.Int).SetUint64(1<<64-1)))
	is("inverseRoot2Pi", inverseRoot2Pi, nearestOf(bigPDF(bigNew()), 64))
	for j, got := range sixteenths {
		power := bigExp(bigNew().Quo(bigNew().Mul(log2, bigOf(int64(j))), bigOf(16)))
		is("sixteenths", got, nearestOf(power, 63))
	}
	factorial := int64(1)
	for n := 2; n <= 11; n++ {
		factorial *= int64(n)
		is("inverseFactorials", inverseFactorials[11-n], nearestOf(bigNew().Quo(bigOf(1), bigOf(factorial)), 64))
	}
	for i, got := range inverseOdd {
		is("inverseOdd", got, nearestOf(bigNew().Quo(bigOf(1), bigOf(int64(23-2*i))), 64))
	}
}

func TestExp(t *testing.T) {
	var low, high worst
	see := func(x F) {
		want := bigExp(bigF(x))
		switch {
		case !inRange(want):
			if got := x.Exp(); got != Max {
				t.Errorf("exp(%v) = %v, want it saturated", x, got)
			}
		case x < FromInt(19):
			low.see(x.Exp(), want, x)
		default:
			high.see(x.Exp(), want, x)
		}
	}
	for _, x := range numbers(300) {
		if x.Abs() < FromInt(40) {
			see(x)
		} else if got := x.Exp(); x < 0 && got != 0 || x > 0 && got != Max {
			t.Errorf("exp(%v) = %v", x, got)
		}
	}
	r := NewRand(1, "exp")
	for range 4000 {
		see(r.F().Mul(FromInt(46)) - FromInt(23))
	}
	last := F(92288378626) // ln(2^31) = 21.4875...: the last result, and the first that does not fit
	for d := F(-50); d < 50; d++ {
		see(last + d)
	}
	low.atMost(t, 0.6)
	high.atMost(t, 2)
}

func TestLog(t *testing.T) {
	var w worst
	for _, x := range numbers(2000) {
		if x <= 0 {
			if got := x.Log(); got != Min {
				t.Errorf("log(%v) = %v, want Min", x, got)
			}
			continue
		}
		w.see(x.Log(), bigLog(bigF(x)), x)
	}
	for d := F(-300); d < 300; d++ { // near 1 and near the square root of 2
		for _, x := range []F{One + d, 6074001000 + d, 3037000500 + d} {
			w.see(x.Log(), bigLog(bigF(x)), x)
		}
	}
	w.atMost(t, 0.6)
}

func TestSqrt(t *testing.T) {
	var w worst
	for _, x := range numbers(20000) {
		if x <= 0 {
			if got := x.Sqrt(); got != 0 {
				t.Errorf("sqrt(%v) = %v, want 0", x, got)
			}
			continue
		}
		w.see(x.Sqrt(), bigNew().Sqrt(bigF(x)), x)
		if half := x / 2 / One * One; half > 0 && half < FromInt(40000) && half.Mul(half).Sqrt() != half {
			t.Errorf("sqrt(%v squared) = %v", half, half.Mul(half).Sqrt())
		}
	}
	w.atMost(t, 0.5)
}

func TestNormPDF(t *testing.T) {
	var w worst
	for _, x := range append(numbers(300), FromInt(8)-1, 1-FromInt(8), FromInt(8)) {
		if x.Abs() < FromInt(12) {
			w.see(x.NormPDF(), bigPDF(bigF(x)), x)
		} else if got := x.NormPDF(); got != 0 {
			t.Errorf("density at %v = %v, want 0", x, got)
		}
	}
	r := NewRand(1, "pdf")
	for range 1000 {
		x := r.F().Mul(FromInt(16)) - FromInt(8)
		w.see(x.NormPDF(), bigPDF(bigF(x)), x)
	}
	w.atMost(t, 1)
}

func TestNormCDF(t *testing.T) {
	var w worst
	see := func(x F) {
		w.see(x.NormCDF(), bigCDF(bigF(x)), x)
		if sum := x.NormCDF() + (-x).NormCDF(); sum != One {
			t.Errorf("the probabilities below %v and -%v sum to %v", x, x, sum)
		}
	}
	for _, x := range append(numbers(100), FromInt(7)-1, FromInt(7), 1-FromInt(7)) {
		if x.Abs() < FromInt(10) {
			see(x)
		} else if got := x.NormCDF(); x < 0 && got != 0 || x > 0 && got != One {
			t.Errorf("probability below %v = %v", x, got)
		}
	}
	for i := int64(-700); i <= 700; i++ {
		see(Ratio(i, 100))
	}
	w.atMost(t, 1)
}

func TestNormQuantile(t *testing.T) {
	// bigCDF of the result must be the argument again: the error of the argument over the density is that of the
	// result.
	var middle, tails worst
	relative := 0.0
	see := func(p F) {
		x := p.NormQuantile()
		d := bigNew().Quo(bigNew().Sub(bigCDF(bigF(x)), bigF(p)), bigPDF(bigF(x)))
		want := bigNew().Sub(bigF(x), d) // one step of Newton's method
		if p > Ratio(1, 1000) && p < One-Ratio(1, 1000) {
			middle.see(x, want, p)
			return
		}
		tails.see(x, want, p)
		off, _ := d.Float64()
		size, _ := want.Float64()
		relative = max(relative, off/size, -off/size)
	}
	for i := range 31 {
		for _, p := range []F{1 << i, 3 << i >> 1, One - 1<<i} {
			see(max(p, 1))
		}
	}
	for i := int64(1); i < 600; i++ {
		see(Ratio(i, 600))
	}
	for d := F(-20); d < 20; d++ { // where the middle ends
		see(Ratio(2425, 100000) + d)
	}
	middle.atMost(t, 16)
	tails.atMost(t, 32)
	if relative > 2e-9 {
		t.Errorf("relative error %g in the tails", relative)
	}
	for p, want := range map[F]F{0: Min, -1: Min, Min: Min, One: Max, Max: Max, Half: 0} {
		if got := p.NormQuantile(); got != want {
			t.Errorf("quantile(%v) = %v, want %v", p, got, want)
		}
	}
}
