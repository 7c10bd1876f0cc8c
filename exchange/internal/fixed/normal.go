package fixed

import "math/bits"

// inverseRoot2Pi is 1/sqrt(2*pi), 64 bits after the point.
const inverseRoot2Pi = 0x662114cf50d94234

// density returns the density of the normal distribution at x, 64 bits after the point, and x*x, 58 bits after it.
// x is within -8 and 8.
func density(x F) (d, square uint64) {
	u := magnitude(int64(x))
	hi, lo := bits.Mul64(u, u) // 64 bits after the point
	m, k := exp(-F(roundShift(hi<<32|lo>>32, 1)))
	return mulHigh(m, inverseRoot2Pi) << 1 >> uint(-k), hi<<58 | lo>>6
}

// NormPDF returns the density of the standard normal distribution at f.
func (f F) NormPDF() F {
	if f.Abs() >= FromInt(8) {
		return 0
	}
	d, _ := density(f)
	return F(roundShift(d, 32))
}

// NormCDF returns the probability that a standard normal number is below f. Up to 4 the part between 0 and f is the density
// times f + f^3/3 + f^5/(3*5) + ..., all of one sign. Beyond, what is left in the tail is the density over
// f + 1/(f + 2/(f + 3/(f + ...))), which converges the faster the larger f is.
func (f F) NormCDF() F {
	const end = 7 * One // what is beyond is less than half a unit
	switch {
	case f >= end:
		return One
	case f <= -end:
		return 0
	}
	d, square := density(f)
	u := magnitude(int64(f))
	sum := uint64(0) // from 0 to f, 64 bits after the point
	if f.Abs() < 4*One {
		hi, lo := bits.Mul64(d, u)
		term := hi<<32 | lo>>32
		for n := uint64(3); term > 0; n += 2 {
			sum += term
			hi, lo = bits.Mul64(term, square)
			term, _ = bits.Div64(hi>>58, hi<<6|lo>>58, n)
		}
	} else {
		below := u
		for n := uint64(16); n > 0; n-- {
			q, _ := bits.Div64(n, 0, below) // n over a number of 32 bits after the point
			below = u + q
		}
		tail, _ := bits.Div64(d>>32, d<<32, below)
		sum = 1<<63 - tail
	}
	half := min(F(roundShift(sum, 32)), Half)
	if f < 0 {
		half = -half
	}
	return Half + half
}

// The inverse follows P. J. Acklam's rational approximation (2000): one ratio of polynomials in the middle, one in
// sqrt(-2 log p) for the tails. They are evaluated with 48 bits after the point, because the denominator
// comes near zero at the edge of the middle.
const quantileBits = 48

var (
	middleAbove = [6]int64{-11173664380422731, 62190797908352216, -77666971051866516, 38944244984578263, -8631373321505741, 705553136020111}
	middleBelow = [5]int64{-15333658640517513, 45482369666388922, -43825366729934478, 18802897707837176, -3738179530800147}
	tailAbove   = [6]int64{-2191252858029, -90746535518727, -675753380152043, -717685907130179, 1231358487335794, 827019638602228}
	tailBelow   = [4]int64{2191197043402, 90766427644942, 688244074306755, 1056772090672675}
)

// mulQ multiplies numbers with 48 bits after the point. Results of the quantile stay far from the ends.
func mulQ(a, b int64) int64 {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	u := int64(hi<<(64-quantileBits) | lo>>quantileBits)
	if (a < 0) != (b < 0) {
		return -u
	}
	return u
}

func horner(coefficients []int64, x int64) int64 {
	sum := int64(0)
	for _, c := range coefficients {
		sum = mulQ(sum, x) + c
	}
	return sum
}

// quantile returns the number below which a standard normal one is with probability p / 2^64, p from 1 to 2^63. It is 0
// or negative.
func quantile(p uint64) F {
	const one = 1 << quantileBits
	var above, below int64
	if p >= 0x06353f7ced916873 { // 0.02425
		q := int64(1<<63-p) >> (64 - quantileBits)
		r := mulQ(q, q)
		above = -mulQ(horner(middleAbove[:], r), q)
		below = mulQ(horner(middleBelow[:], r), r) + one
	} else {
		q := int64(F(-ln(p, 64)>>(logBits-fractionBits-1)).Sqrt()) << (quantileBits - fractionBits)
		above = horner(tailAbove[:], q)
		below = mulQ(horner(tailBelow[:], q), q) + one
	}
	return Ratio(above, below)
}

// NormQuantile is the inverse of NormCDF: the number below which a standard normal one is with probability f. It is Min at
// 0 and below, Max at 1 and above.
func (f F) NormQuantile() F {
	switch {
	case f <= 0:
		return Min
	case f >= One:
		return Max
	case f > Half:
		return -quantile(uint64(One-f) << 32)
	}
	return quantile(uint64(f) << 32)
}
