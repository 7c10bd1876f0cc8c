package fixed

import (
	"math"
	"math/bits"
)

// MulDiv returns a*b/c rounded down (toward minus infinity), the product in 128 bits. A result that does not fit
// saturates, so does division by zero; 0/0 is 0.
func MulDiv(a, b, c int64) int64 {
	return quotient(magnitude(a), magnitude(b), magnitude(c), negative(a, b, c), down)
}

// MulDivRound is MulDiv rounded to the nearest whole number, halves away from zero.
func MulDivRound(a, b, c int64) int64 {
	return quotient(magnitude(a), magnitude(b), magnitude(c), negative(a, b, c), nearest)
}

func negative(a, b, c int64) bool { return (a < 0) != (b < 0) != (c < 0) }

type rounding uint8

const (
	down rounding = iota
	nearest
)

// quotient returns a*b/c, or its negative.
func quotient(a, b, c uint64, negative bool, r rounding) int64 {
	hi, lo := bits.Mul64(a, b)
	if hi >= c { // the quotient has more than 64 bits, or c is 0
		switch {
		case hi == 0 && lo == 0:
			return 0
		case negative:
			return math.MinInt64
		}
		return math.MaxInt64
	}
	q, rest := bits.Div64(hi, lo, c)
	if r == nearest && rest >= c-rest || r == down && negative && rest > 0 {
		if q++; q == 0 {
			q = math.MaxUint64
		}
	}
	switch {
	case negative && q >= 1<<63:
		return math.MinInt64
	case negative:
		return -int64(q)
	case q >= 1<<63:
		return math.MaxInt64
	}
	return int64(q)
}

// Floor returns the largest multiple of step that is not above v. step is above 0.
func Floor(v, step int64) int64 {
	rest := v % step
	if rest < 0 {
		rest += step
	}
	return v - rest
}

// Pow10 is 10^n for 0 <= n <= 18.
func Pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
