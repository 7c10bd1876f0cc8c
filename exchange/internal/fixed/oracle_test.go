package fixed

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// The oracle is math/big with 240 bits, where e^x and ln x are made from their series.

const bigBits = 240

func bigOf(x int64) *big.Float { return new(big.Float).SetPrec(bigBits).SetInt64(x) }

// bigF returns the number that f stands for.
func bigF(f F) *big.Float { return new(big.Float).SetMantExp(bigOf(int64(f)), -fractionBits) }

func bigNew() *big.Float { return new(big.Float).SetPrec(bigBits) }

func bigExp(x *big.Float) *big.Float {
	// e^x = (e^(x/2^40))^(2^40); the series then needs few terms. The 40 squarings cost 40 of the 240 bits.
	small := new(big.Float).SetMantExp(bigNew().Set(x), -40)
	sum, term := bigOf(1), bigOf(1)
	for n := int64(1); n < 12; n++ {
		term = bigNew().Quo(bigNew().Mul(term, small), bigOf(n))
		sum = bigNew().Add(sum, term)
	}
	for range 40 {
		sum = bigNew().Mul(sum, sum)
	}
	return sum
}

// bigLog solves e^y = x by Newton's method.
func bigLog(x *big.Float) *big.Float {
	// The first guess is the power of two, times ln 2 roughly.
	y := bigNew().Quo(bigOf(int64(x.MantExp(nil))*693), bigOf(1000))
	for range 12 {
		e := bigExp(y)
		// y += 2 (x - e) / (x + e), of third order
		d := bigNew().Quo(bigNew().Sub(x, e), bigNew().Add(x, e))
		y = bigNew().Add(y, bigNew().Mul(d, bigOf(2)))
	}
	return y
}

// bigPi is Machin's 16 atan(1/5) - 4 atan(1/239).
func bigPi() *big.Float {
	atan := func(n int64) *big.Float {
		sum, power := bigNew(), bigNew().Quo(bigOf(1), bigOf(n))
		for k := int64(1); k < 200; k += 4 {
			sum.Add(sum, bigNew().Quo(power, bigOf(k)))
			power = bigNew().Quo(power, bigOf(n*n))
			sum.Sub(sum, bigNew().Quo(power, bigOf(k+2)))
			power = bigNew().Quo(power, bigOf(n*n))
		}
		return sum
	}
	return bigNew().Sub(bigNew().Mul(bigOf(16), atan(5)), bigNew().Mul(bigOf(4), atan(239)))
}

func bigPDF(x *big.Float) *big.Float {
	square := bigNew().Mul(x, x)
	e := bigExp(new(big.Float).SetMantExp(square.Neg(square), -1))
	return bigNew().Quo(e, bigNew().Sqrt(bigNew().Mul(bigPi(), bigOf(2))))
}

// bigCDF sums the density's series.
func bigCDF(x *big.Float) *big.Float {
	sum, term := bigNew(), bigNew().Set(x)
	for n := int64(3); n < 700; n += 2 {
		sum.Add(sum, term)
		term = bigNew().Quo(bigNew().Mul(bigNew().Mul(term, x), x), bigOf(n))
	}
	return bigNew().Add(bigNew().Mul(sum, bigPDF(x)), bigNew().Quo(bigOf(1), bigOf(2)))
}

// offBy returns how far got is from want, in units.
func offBy(got F, want *big.Float) float64 {
	d := bigNew().Sub(bigF(got), want)
	units, _ := new(big.Float).SetMantExp(d, fractionBits).Float64()
	return max(units, -units)
}

// inRange reports whether f can be a result, and not a place where results saturate.
func inRange(want *big.Float) bool {
	return want.Cmp(bigF(Max)) <= 0 && want.Cmp(bigF(Min)) >= 0
}

// numbers returns arguments of all sizes: the ends, powers of two and their neighbours, and random ones whose
// logarithm is evenly spread.
func numbers(n int) []F {
	found := []F{0, Max, Min, Max - 1, Min + 1, One, -One, Half}
	for i := range 63 {
		for d := range 3 {
			v := F(1)<<i + F(d) - 1
			found = append(found, v, -v)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		v := F(r.Uint64() >> 1 >> r.IntN(63))
		found = append(found, v, -v)
	}
	return found
}

// worst keeps the argument of the largest error.
type worst struct {
	units float64
	at    F
}

func (w *worst) see(got F, want *big.Float, at F) {
	if d := offBy(got, want); d > w.units {
		w.units, w.at = d, at
	}
}

func (w *worst) atMost(t *testing.T, limit float64) {
	t.Helper()
	if w.units > limit {
		t.Errorf("off by %.3f units at %v (%d), want at most %v", w.units, w.at, int64(w.at), limit)
	}
	t.Logf("off by at most %.3f units, at %v", w.units, w.at)
}
