package decimal

import "math/bits"

// Add returns d+e exactly, or ErrRange. The result has the larger of the two
// scales; where that does not fit, trailing zeros are dropped until it does.
// Absent counts as 0.
func (d Decimal) Add(e Decimal) (Decimal, error) {
	if d.scale == e.scale && d.hi|e.hi == 0 {
		if sum, ok := addWords(d, e); ok {
			return sum, nil
		}
	}
	return addAny(d, e, opAdd)
}

// Sub returns d-e exactly, or ErrRange, with the scale that Add gives.
func (d Decimal) Sub(e Decimal) (Decimal, error) {
	e.flags ^= flagNeg
	if d.scale == e.scale && d.hi|e.hi == 0 {
		if sum, ok := addWords(d, e); ok {
			return sum, nil
		}
	}
	return addAny(d, e, opSub)
}

// addWords adds numbers of one word and the same scale; false if the sum does
// not fit one word, or is 0, whose sign is a case of its own.
func addWords(d, e Decimal) (Decimal, bool) {
	flags := d.flags | flagSet
	if (d.flags^e.flags)&flagNeg == 0 {
		sum := d.lo + e.lo
		return Decimal{lo: sum, scale: d.scale, flags: flags}, sum >= d.lo && sum != 0
	}
	diff := d.lo - e.lo
	if d.lo < e.lo {
		diff = -diff
		flags ^= flagNeg
	}
	return Decimal{lo: diff, scale: d.scale, flags: flags}, diff != 0
}

// addAny adds numbers of any signs, scales and sizes.
func addAny(d, e Decimal, op string) (Decimal, error) {
	a, b := align(d, e)
	neg := d.flags&flagNeg != 0
	var sum wide
	if (d.flags^e.flags)&flagNeg == 0 {
		sum = a.add(b)
	} else {
		var borrow uint64
		if sum, borrow = a.sub(b); borrow != 0 {
			sum, _ = b.sub(a)
			neg = !neg
		}
	}
	return fromWide(sum, int(max(d.scale, e.scale)), neg, op)
}

// Mul returns d*e exactly, or ErrRange. The result has the sum of the two
// scales; where that does not fit, trailing zeros are dropped until it does.
// Absent counts as 0.
func (d Decimal) Mul(e Decimal) (Decimal, error) {
	scale := int(d.scale) + int(e.scale)
	neg := (d.flags^e.flags)&flagNeg != 0
	if d.hi|e.hi == 0 && scale <= MaxScale {
		if hi, lo := bits.Mul64(d.lo, e.lo); fits(hi, lo) {
			return makeDecimal(wide{w0: lo, w1: hi}, uint8(scale), neg), nil
		}
	}
	return fromWide(mulCoef(d, e), scale, neg, opMul)
}

// fromWide makes a Decimal of an exact result, dropping as many trailing zeros
// as it must.
func fromWide(a wide, scale int, neg bool, op string) (Decimal, error) {
	if a.isZero() {
		return Decimal{scale: uint8(min(scale, MaxScale)), flags: flagSet}, nil
	}
	for scale > MaxScale || !a.fits() {
		q, rem := a.quoRemWord(10)
		if rem != 0 || scale == 0 {
			return Decimal{}, opError(op, ErrRange)
		}
		a = q
		scale--
	}
	return makeDecimal(a, uint8(scale), neg), nil
}

// makeDecimal returns the set Decimal of a coefficient that fits. Zero gets no
// sign: a minus before zero comes from text only, never from arithmetic.
func makeDecimal(a wide, scale uint8, neg bool) Decimal {
	d := Decimal{lo: a.w0, hi: uint32(a.w1), scale: scale, flags: flagSet}
	if neg && !a.isZero() {
		d.flags |= flagNeg
	}
	return d
}

// Quo returns d/e rounded to exactly scale digits after the point, 0..28:
// 2 divided by 3 with scale 4 and HalfEven is 0.6667. ErrDivisionByZero if e is
// zero or absent, ErrRange if the result needs more than 28 digits at that
// scale or the scale is out of bounds.
func (d Decimal) Quo(e Decimal, scale int, r Rounding) (Decimal, error) {
	if e.IsZero() {
		return Decimal{}, opError(opQuo, ErrDivisionByZero)
	}
	if uint(scale) > MaxScale {
		return Decimal{}, opError(opQuo, ErrRange)
	}
	neg := (d.flags^e.flags)&flagNeg != 0
	shift := scale + int(e.scale) - int(d.scale)
	if uint(shift) < uint(len(pow10)) && d.hi|e.hi == 0 {
		if hi, lo := bits.Mul64(d.lo, pow10[shift]); hi < e.lo {
			q := divideWord(hi, lo, e.lo, neg, r)
			return makeDecimal(q, uint8(scale), neg), nil
		}
	}
	num, den := d.wide(), e.wide()
	ok := true
	if shift >= 0 {
		// A dividend beyond 192 bits is more than 10^28 times any divisor.
		num, ok = num.mulPow10(shift)
	} else {
		den, _ = den.mulPow10(-shift)
	}
	if !ok {
		return Decimal{}, opError(opQuo, ErrRange)
	}
	q := divide(num, den, neg, r)
	if !q.fits() {
		return Decimal{}, opError(opQuo, ErrRange)
	}
	return makeDecimal(q, uint8(scale), neg), nil
}
