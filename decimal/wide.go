package decimal

import "math/bits"

// pow10 holds the powers of ten that fit one word.
var pow10 = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// wide is an unsigned number of three words, little end first. Two coefficients
// of 28 digits multiply to 56 digits, aligning one with the other needs as many,
// and 192 bits hold 57: no intermediate result of this package is larger, except
// dividends whose quotient cannot fit anyway, which mulPow10 reports.
//
// It is the path for numbers that do not fit one or two words.
type wide struct{ w0, w1, w2 uint64 }

// wide returns the coefficient of d.
func (d Decimal) wide() wide { return wide{w0: d.lo, w1: uint64(d.hi)} }

func (a wide) isZero() bool { return a.w0|a.w1|a.w2 == 0 }

// fits reports whether a is a coefficient: less than 10^28.
func (a wide) fits() bool { return a.w2 == 0 && fits(a.w1, a.w0) }

// fits reports whether the two words are less than 10^28.
func fits(hi, lo uint64) bool { return hi < limitHi || hi == limitHi && lo < limitLo }

func (a wide) cmp(b wide) int {
	_, borrow := a.sub(b)
	switch {
	case borrow != 0:
		return -1
	case a == b:
		return 0
	}
	return +1
}

// add returns a+b, which must fit.
func (a wide) add(b wide) (s wide) {
	var c uint64
	s.w0, c = bits.Add64(a.w0, b.w0, 0)
	s.w1, c = bits.Add64(a.w1, b.w1, c)
	s.w2, _ = bits.Add64(a.w2, b.w2, c)
	return s
}

// sub returns a-b and 1 if b is larger.
func (a wide) sub(b wide) (s wide, borrow uint64) {
	s.w0, borrow = bits.Sub64(a.w0, b.w0, 0)
	s.w1, borrow = bits.Sub64(a.w1, b.w1, borrow)
	s.w2, borrow = bits.Sub64(a.w2, b.w2, borrow)
	return s, borrow
}

// mul returns a*m and the word that did not fit.
func (a wide) mul(m uint64) (p wide, over uint64) {
	h0, l0 := bits.Mul64(a.w0, m)
	h1, l1 := bits.Mul64(a.w1, m)
	h2, l2 := bits.Mul64(a.w2, m)
	var c uint64
	p.w0 = l0
	p.w1, c = bits.Add64(l1, h0, 0)
	p.w2, c = bits.Add64(l2, h1, c)
	return p, h2 + c
}

// mulPow10 returns a*10^n; false if that does not fit.
func (a wide) mulPow10(n int) (wide, bool) {
	for n > 0 && !a.isZero() {
		step := min(n, len(pow10)-1)
		var over uint64
		if a, over = a.mul(pow10[step]); over != 0 {
			return wide{}, false
		}
		n -= step
	}
	return a, true
}

// shift returns a*10^n for a coefficient a and n <= MaxScale, which always fits.
func (a wide) shift(n uint8) wide {
	if a.w1 == 0 && int(n) < len(pow10) {
		hi, lo := bits.Mul64(a.w0, pow10[n])
		return wide{w0: lo, w1: hi}
	}
	a, _ = a.mulPow10(int(n))
	return a
}

// mulCoef returns the product of two coefficients, which always fits.
func mulCoef(d, e Decimal) wide {
	low, _ := d.wide().mul(e.lo)
	high, _ := d.wide().mul(uint64(e.hi))
	return low.add(wide{w1: high.w0, w2: high.w1})
}

// quoRemWord divides by one word.
func (a wide) quoRemWord(m uint64) (q wide, rem uint64) {
	q.w2, rem = bits.Div64(0, a.w2, m)
	q.w1, rem = bits.Div64(rem, a.w1, m)
	q.w0, rem = bits.Div64(rem, a.w0, m)
	return q, rem
}

// quoRem divides a by b, which is not zero.
func (a wide) quoRem(b wide) (q, rem wide) {
	if b.w1|b.w2 == 0 {
		q, rem.w0 = a.quoRemWord(b.w0)
		return q, rem
	}
	return a.quoRemLong(b)
}

// quoRemLong divides by two or three words: the schoolbook method with words as
// digits (Knuth, The Art of Computer Programming 4.3.1, algorithm D).
func (a wide) quoRemLong(b wide) (q, rem wide) {
	v := [3]uint64{b.w0, b.w1, b.w2}
	n := 3
	if v[2] == 0 {
		n = 2
	}
	// Normalise: the divisor's top bit is set, so that an estimated digit is at
	// most two too large. A shift by 64-s gives 0 when s is 0, as it should.
	s := uint(bits.LeadingZeros64(v[n-1]))
	v[2] = v[2]<<s | v[1]>>(64-s)
	v[1] = v[1]<<s | v[0]>>(64-s)
	v[0] <<= s
	u := [4]uint64{a.w0 << s, a.w1<<s | a.w0>>(64-s), a.w2<<s | a.w1>>(64-s), a.w2 >> (64 - s)}

	var digits [3]uint64
	for j := 3 - n; j >= 0; j-- {
		digit := estimate(u[j+n], u[j+n-1], u[j+n-2], v[n-1], v[n-2])
		var carry, borrow uint64
		for i := range n {
			h, l := bits.Mul64(digit, v[i])
			var c uint64
			l, c = bits.Add64(l, carry, 0)
			carry = h + c
			u[j+i], borrow = bits.Sub64(u[j+i], l, borrow)
		}
		u[j+n], borrow = bits.Sub64(u[j+n], carry, borrow)
		for borrow != 0 { // one too large: put one divisor back
			digit--
			var c uint64
			for i := range n {
				u[j+i], c = bits.Add64(u[j+i], v[i], c)
			}
			u[j+n], c = bits.Add64(u[j+n], 0, c)
			borrow -= c
		}
		digits[j] = digit
	}
	q = wide{digits[0], digits[1], digits[2]}
	rem = wide{u[0]>>s | u[1]<<(64-s), u[1]>>s | u[2]<<(64-s), u[2]>>s | u[3]<<(64-s)}
	return q, rem
}

// estimate returns the quotient digit of u2 u1 u0 divided by v1 v0, never too
// small and rarely too large by one.
func estimate(u2, u1, u0, v1, v0 uint64) uint64 {
	if u2 >= v1 {
		return 1<<64 - 1
	}
	digit, rem := bits.Div64(u2, u1, v1)
	for {
		h, l := bits.Mul64(digit, v0)
		if h < rem || h == rem && l <= u0 {
			return digit
		}
		digit--
		var c uint64
		if rem, c = bits.Add64(rem, v1, 0); c != 0 {
			return digit
		}
	}
}
