package decimal

import (
	"cmp"
	"math/bits"
)

// Rounding says where a number goes that lies between two neighbours. The zero
// value is ToZero.
type Rounding uint8

// The roundings. 1.5, 2.5 and -1.5 rounded to whole numbers in each:
const (
	ToZero           Rounding = iota // cut off: 1, 2, -1
	AwayFromZero                     // 2, 3, -2
	Floor                            // towards minus infinity: 1, 2, -2
	Ceil                             // towards plus infinity: 2, 3, -1
	HalfEven                         // to the nearest, a half to the even one: 2, 2, -2
	HalfAwayFromZero                 // to the nearest, a half away from zero: 2, 3, -2
)

// String returns the name of the constant.
func (r Rounding) String() string {
	switch r {
	case ToZero:
		return "ToZero"
	case AwayFromZero:
		return "AwayFromZero"
	case Floor:
		return "Floor"
	case Ceil:
		return "Ceil"
	case HalfEven:
		return "HalfEven"
	case HalfAwayFromZero:
		return "HalfAwayFromZero"
	}
	return "Rounding(?)"
}

// up reports whether a magnitude that was cut off goes up by one; something was
// cut off. odd is the parity of what is left, half compares the part cut off
// with one half.
func (r Rounding) up(neg, odd bool, half int) bool {
	switch r {
	case AwayFromZero:
		return true
	case Floor:
		return neg
	case Ceil:
		return !neg
	case HalfEven:
		return half > 0 || half == 0 && odd
	case HalfAwayFromZero:
		return half >= 0
	}
	return false
}

// divideWord returns hi lo / den rounded to a whole number, where hi < den. The
// result may be 2^64: the quotient rounded up.
func divideWord(hi, lo, den uint64, neg bool, r Rounding) wide {
	var q, rem uint64
	if hi == 0 {
		q, rem = lo/den, lo%den // half the price of the division of two words
	} else {
		q, rem = bits.Div64(hi, lo, den)
	}
	if rem == 0 || !r.up(neg, q&1 != 0, cmp.Compare(rem, den-rem)) {
		return wide{w0: q}
	}
	q, carry := bits.Add64(q, 1, 0)
	return wide{w0: q, w1: carry}
}

// divide is divideWord for dividends and divisors of any size.
func divide(num, den wide, neg bool, r Rounding) wide {
	if num.w1|num.w2|den.w1|den.w2 == 0 {
		return divideWord(0, num.w0, den.w0, neg, r)
	}
	q, rem := num.quoRem(den)
	if rem.isZero() {
		return q
	}
	rest, _ := den.sub(rem)
	if r.up(neg, q.w0&1 != 0, rem.cmp(rest)) {
		q = q.add(wide{w0: 1})
	}
	return q
}

// Round returns d with at most scale digits after the point; a scale below 0 is
// taken as 0. A number that has no more digits than that is returned as it is,
// without zeros added, and absent stays absent. It cannot overflow.
func (d Decimal) Round(scale int, r Rounding) Decimal {
	scale = max(scale, 0)
	if scale >= int(d.scale) {
		return d
	}
	neg := d.flags&flagNeg != 0
	drop := int(d.scale) - scale
	if drop < len(pow10) && d.hi == 0 {
		return makeDecimal(divideWord(0, d.lo, pow10[drop], neg, r), uint8(scale), neg)
	}
	den, _ := wide{w0: 1}.mulPow10(drop)
	return makeDecimal(divide(d.wide(), den, neg, r), uint8(scale), neg)
}

// Quantize returns the multiple of tick next to d in the direction of r, with
// the scale of tick: 109378.87 quantised to the tick 0.10 with Floor is
// 109378.80. The sign of tick does not matter, and absent counts as 0.
// ErrDivisionByZero if tick is zero or absent, ErrRange if the result does not
// fit.
func (d Decimal) Quantize(tick Decimal, r Rounding) (Decimal, error) {
	if tick.IsZero() {
		return Decimal{}, opError(opQuantize, ErrDivisionByZero)
	}
	neg := d.flags&flagNeg != 0
	num, den := align(d, tick)
	n := divide(num, den, neg, r)
	if !n.fits() {
		return Decimal{}, opError(opQuantize, ErrRange)
	}
	coef := mulCoef(makeDecimal(n, 0, false), tick)
	if !coef.fits() {
		return Decimal{}, opError(opQuantize, ErrRange)
	}
	return makeDecimal(coef, tick.scale, neg), nil
}

// IsMultipleOf reports whether d is a whole multiple of tick, as a price must be
// of the tick size; zero and absent are, of every tick. Nothing is a multiple of
// a tick that is zero or absent.
func (d Decimal) IsMultipleOf(tick Decimal) bool {
	if tick.IsZero() {
		return false
	}
	num, den := align(d, tick)
	if num.w1|num.w2|den.w1|den.w2 == 0 {
		return num.w0%den.w0 == 0
	}
	_, rem := num.quoRem(den)
	return rem.isZero()
}

// align returns the coefficients of d and e at the larger of their scales.
func align(d, e Decimal) (wide, wide) {
	a, b := d.wide(), e.wide()
	switch {
	case d.scale < e.scale:
		a = a.shift(e.scale - d.scale)
	case d.scale > e.scale:
		b = b.shift(d.scale - e.scale)
	}
	return a, b
}

// Coefficient returns the number without its point, which is Units(d.Scale()):
// 109378.80 is 10937880. It returns false if that needs more than 63 bits.
func (d Decimal) Coefficient() (int64, bool) {
	c := int64(d.lo)
	if d.flags&flagNeg != 0 {
		c = -c
	}
	return c, d.hi == 0 && int64(d.lo) >= 0
}

// Units returns d * 10^scale as a whole number, the form that order books keep
// prices in: 109378.80 is 10937880 at scale 2 and 1093788 at scale 1. It returns
// false if digits would be lost, if the number does not fit an int64 or the
// scale is outside 0..28. Absent is 0.
func (d Decimal) Units(scale int) (int64, bool) {
	if scale == int(d.scale) && d.hi == 0 && d.lo < 1<<63 {
		if d.flags&flagNeg != 0 {
			return -int64(d.lo), true
		}
		return int64(d.lo), true
	}
	return d.unitsAny(scale)
}

// unitsAny is Units for any scale and size.
func (d Decimal) unitsAny(scale int) (int64, bool) {
	if uint(scale) > MaxScale {
		return 0, false
	}
	a := d.wide()
	if shift := scale - int(d.scale); shift >= 0 {
		a = a.shift(uint8(shift))
	} else if drop := -shift; drop < len(pow10) && d.hi == 0 {
		a = wide{w0: d.lo / pow10[drop]}
		if a.w0*pow10[drop] != d.lo {
			return 0, false
		}
	} else {
		den, _ := wide{w0: 1}.mulPow10(drop)
		var rem wide
		if a, rem = a.quoRem(den); !rem.isZero() {
			return 0, false
		}
	}
	if a.w1|a.w2 != 0 {
		return 0, false
	}
	switch neg := d.flags&flagNeg != 0; {
	case neg && a.w0 <= 1<<63:
		return -int64(a.w0), true
	case !neg && a.w0 < 1<<63:
		return int64(a.w0), true
	}
	return 0, false
}
