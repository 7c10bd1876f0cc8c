package fixed

import "math/bits"

// The constants below carry 64 bits or more; a test makes each of them again with math/big.
const (
	log2eHi = 0xb8aa3b295c17f0bb // log2(e), 127 bits after the point, upper and lower word
	log2eLo = 0xbe87fed0691d3e89
	ln2     = 0xb17217f7d1cf79ac // 64 bits after the point
)

// sixteenths[j] is 2^(j/16), 63 bits after the point.
var sixteenths = [16]uint64{
	0x8000000000000000, 0x85aac367cc487b15, 0x8b95c1e3ea8bd6e7, 0x91c3d373ab11c336,
	0x9837f0518db8a96f, 0x9ef5326091a111ae, 0xa5fed6a9b15138ea, 0xad583eea42a14ac6,
	0xb504f333f9de6484, 0xbd08a39f580c36bf, 0xc5672a115506dadd, 0xce248c151f8480e4,
	0xd744fccad69d6af4, 0xe0ccdeec2a94e111, 0xeac0c6e7dd24392f, 0xf5257d152486cc2c,
}

// inverseFactorials are 1/n! for n from 11 down to 2, 64 bits after the point.
var inverseFactorials = [10]uint64{
	0x6b99159fd5, 0x49f93edde28, 0x2e3bc74aad8e, 0x1a01a01a01a02, 0xd00d00d00d00d,
	0x5b05b05b05b05b, 0x222222222222222, 0xaaaaaaaaaaaaaab, 0x2aaaaaaaaaaaaaab, 0x8000000000000000,
}

// inverseOdd are 1/n for n = 23, 21 ... 3, 64 bits after the point.
var inverseOdd = [11]uint64{
	0xb21642c8590b216, 0xc30c30c30c30c31, 0xd79435e50d79436, 0xf0f0f0f0f0f0f0f, 0x1111111111111111,
	0x13b13b13b13b13b1, 0x1745d1745d1745d1, 0x1c71c71c71c71c72, 0x2492492492492492, 0x3333333333333333, 0x5555555555555555,
}

// mulHigh multiplies numbers whose point is before the first bit of one of them.
func mulHigh(a, b uint64) uint64 {
	hi, _ := bits.Mul64(a, b)
	return hi
}

// exp returns e^x as m * 2^(k-63), m at least 2^63. The powers of two are split off exactly, then sixteenths of one, and
// what is left (below 0.044) goes into eleven terms of the series.
func exp(x F) (m uint64, k int) {
	// y = |x| * log2(e), 95 bits after the point, in two words.
	u := magnitude(int64(x))
	hi, lo := bits.Mul64(u, log2eHi)
	lo, carry := bits.Add64(lo, mulHigh(u, log2eLo), 0)
	hi += carry
	if x < 0 {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	k = int(int64(hi) >> 31) // floor
	f := hi<<33 | lo>>31     // the fraction, 64 bits
	y := mulHigh(f<<4>>4, ln2)
	sum := uint64(0)
	for _, c := range inverseFactorials {
		sum = c + mulHigh(sum, y)
	}
	sum = y + mulHigh(y, mulHigh(y, sum)) // e^y - 1
	m = sixteenths[f>>60]
	return m + mulHigh(m, sum), k
}

// Exp returns e^x.
func (f F) Exp() F {
	switch {
	case f >= FromInt(22):
		return Max
	case f <= FromInt(-23):
		return 0
	}
	m, k := exp(f)
	if k > 30 {
		return Max
	}
	u := roundShift(m, uint(31-k))
	if u > uint64(Max) {
		return Max
	}
	return F(u)
}

// roundShift returns u / 2^n rounded, n at least 1.
func roundShift(u uint64, n uint) uint64 {
	u >>= n - 1
	return u>>1 + u&1
}

// logBits are the bits after the point of what ln returns: 44 still fits before it.
const logBits = 57

// ln returns the natural logarithm of u / 2^point, u above 0. The number is brought to between sqrt(1/2) and
// sqrt(2), where the series of the inverse hyperbolic tangent of (m-1)/(m+1) is short.
func ln(u uint64, point int) int64 {
	n := bits.LeadingZeros64(u)
	e := int64(63 - n - point)
	m := u << n >> 1 // in [1, 2), 62 bits after the point
	if m > 0x5a827999fcef3242 {
		m >>= 1
		e++
	}
	const one = 1 << 62
	above := m >= one
	d := m - one
	if !above {
		d = one - m
	}
	z, _ := bits.Div64(d, 0, m+one)
	w := mulHigh(z, z)
	sum := uint64(0)
	for _, c := range inverseOdd {
		sum = c + mulHigh(w, sum)
	}
	half := int64(roundShift(z+mulHigh(z, mulHigh(w, sum)), 64-logBits))
	if !above {
		half = -half
	}
	return 2*half + e*int64(roundShift(ln2, 64-logBits))
}

// Log returns the natural logarithm of f. Of numbers that have none, 0 and below, it is Min.
func (f F) Log() F {
	if f <= 0 {
		return Min
	}
	v := ln(uint64(f), fractionBits)
	return F((v + 1<<(logBits-fractionBits-1)) >> (logBits - fractionBits))
}

// Sqrt returns the square root of f, 0 of what is below 0.
func (f F) Sqrt() F {
	if f <= 0 {
		return 0
	}
	hi, lo := uint64(f)>>32, uint64(f)<<32 // the square, of up to 95 bits
	// Newton's method from above: the first value is the next power of two.
	n := bits.Len64(uint64(f)) + fractionBits
	s := uint64(1) << ((n + 1) / 2)
	for {
		q, _ := bits.Div64(hi, lo, s) // s*s is above the square, so hi < s
		next := (s + q) / 2
		if next >= s {
			break
		}
		s = next
	}
	// s is the root rounded down. The nearest is one more if the square is above s*s + s.
	h, l := bits.Mul64(s, s+1)
	if hi > h || hi == h && lo > l {
		s++
	}
	return F(s)
}
