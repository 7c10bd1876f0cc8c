package fixed

import (
	"math"
	"math/bits"

	"github.com/bywire/bywire/decimal"
)

// F is a fixed-point number with 32 bits after the point. Its zero value is 0.
type F int64

const fractionBits = 32

// Numbers by name.
const (
	One  F = 1 << fractionBits
	Half F = One / 2
	Max  F = math.MaxInt64
	Min  F = math.MinInt64
)

// FromInt returns the whole number i, saturated.
func FromInt(i int64) F {
	switch {
	case i > math.MaxInt32:
		return Max
	case i < math.MinInt32:
		return Min
	}
	return F(i) << fractionBits
}

// Ratio returns num/den. It is how constants are written: Ratio(3, 10_000) are three basis points. Division by zero
// saturates, 0/0 is 0.
func Ratio(num, den int64) F {
	return F(quotient(magnitude(num), 1<<fractionBits, magnitude(den), num < 0 != (den < 0), nearest))
}

// FromDecimal returns the number next to d. It reports false, and the number saturated, if d is absent or out of range.
func FromDecimal(d decimal.Decimal) (F, bool) {
	whole := d.Round(0, decimal.ToZero)
	units, ok := whole.Units(0)
	if !ok {
		if d.Sign() < 0 {
			return Min, false
		}
		return Max, false
	}
	// What follows the 18th place is far below a unit.
	rest, err := d.Sub(whole)
	if err != nil {
		return 0, false
	}
	fraction, ok := rest.Round(18, decimal.HalfEven).Units(18)
	if !ok {
		return 0, false
	}
	switch {
	case units > math.MaxInt32:
		return Max, false
	case units < math.MinInt32 || units == math.MinInt32 && fraction < 0:
		return Min, false
	}
	return FromInt(units).Add(Ratio(fraction, 1e18)), d.IsSet()
}

// Decimal returns f with scale digits after the point, 0 to 18, rounded half to even.
func (f F) Decimal(scale int) decimal.Decimal {
	scale = min(max(scale, 0), 18)
	u := magnitude(int64(f))
	whole, fraction := u>>fractionBits, u&(1<<fractionBits-1)
	hi, lo := bits.Mul64(fraction, uint64(Pow10(scale)))
	digits := hi<<32 | lo>>32 // at most 10^18
	if rest := lo & (1<<32 - 1); rest > 1<<31 || rest == 1<<31 && (whole*uint64(Pow10(scale))+digits)&1 == 1 {
		digits++
	}
	d := decimal.FromUnits(int64(digits), scale)
	if whole > 0 {
		sum, err := decimal.FromInt(int64(whole)).Add(d)
		if err != nil {
			return decimal.Decimal{} // cannot be: 10 digits and 18 fit
		}
		d = sum
	}
	if f < 0 {
		return d.Neg()
	}
	return d
}

// String returns f with nine digits after the point.
func (f F) String() string { return f.Decimal(9).String() }

// Int returns the largest whole number that is not above f.
func (f F) Int() int64 { return int64(f >> fractionBits) }

// Round returns the whole number next to f, halves away from zero.
func (f F) Round() int64 {
	if f < 0 {
		return -int64((uint64(-f) + uint64(Half)) >> fractionBits)
	}
	return int64((uint64(f) + uint64(Half)) >> fractionBits)
}

// Abs returns f without its sign.
func (f F) Abs() F {
	switch {
	case f == Min:
		return Max
	case f < 0:
		return -f
	}
	return f
}

// Add returns f+g, saturated.
func (f F) Add(g F) F {
	sum := f + g
	if (f < 0) == (g < 0) && (sum < 0) != (f < 0) {
		if f < 0 {
			return Min
		}
		return Max
	}
	return sum
}

// Sub returns f-g, saturated.
func (f F) Sub(g F) F {
	d := f - g
	if (f < 0) != (g < 0) && (d < 0) != (f < 0) {
		if f < 0 {
			return Min
		}
		return Max
	}
	return d
}

// Mul returns f*g.
func (f F) Mul(g F) F {
	hi, lo := bits.Mul64(magnitude(int64(f)), magnitude(int64(g)))
	lo, carry := bits.Add64(lo, uint64(Half), 0)
	hi += carry
	if hi >= 1<<31 {
		return saturated((f < 0) != (g < 0))
	}
	u := F(hi<<32 | lo>>32)
	if (f < 0) != (g < 0) {
		return -u
	}
	return u
}

// Div returns f/g. Division by zero saturates, 0/0 is 0.
func (f F) Div(g F) F { return Ratio(int64(f), int64(g)) }

// MulInt returns f*i, saturated.
func (f F) MulInt(i int64) F {
	hi, lo := bits.Mul64(magnitude(int64(f)), magnitude(i))
	negative := (f < 0) != (i < 0)
	if hi > 0 || lo >= 1<<63 {
		return saturated(negative)
	}
	if negative {
		return -F(lo)
	}
	return F(lo)
}

func saturated(negative bool) F {
	if negative {
		return Min
	}
	return Max
}

// magnitude returns |v|, also of the number whose negative does not fit.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}
