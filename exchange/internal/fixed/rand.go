package fixed

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"github.com/bywire/bywire/exchange/internal/state"
)

// A Rand is a stream of random numbers: PCG-DXSM with 128 bits of state, which is also what math/rand/v2 calls PCG. Its
// zero value is a stream too, the same one each time.
type Rand struct{ hi, lo uint64 }

// NewRand returns the stream of a seed and a name of any number of parts. Other names give independent streams.
func NewRand(seed uint64, names ...string) *Rand {
	hi, lo := source(seed, names)
	return &Rand{hi, lo}
}

// source derives 128 bits from a seed and a name. The lengths keep ("ab", "c") and ("a", "bc") apart.
func source(seed uint64, names []string) (hi, lo uint64) {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 128), seed)
	for _, name := range names {
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
	}
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])
}

// Walk goes through the state of the stream.
func (r *Rand) Walk(w *state.Walker) {
	w.Uint64(&r.hi)
	w.Uint64(&r.lo)
}

// Uint64 returns 64 random bits.
func (r *Rand) Uint64() uint64 {
	const (
		multiplierHi, multiplierLo = 2549297995355413924, 4865540595714422341
		incrementHi, incrementLo   = 6364136223846793005, 1442695040888963407
		cheap                      = 0xda942042e4dd58b5
	)
	hi, lo := bits.Mul64(r.lo, multiplierLo)
	hi += r.hi*multiplierLo + r.lo*multiplierHi
	lo, carry := bits.Add64(lo, incrementLo, 0)
	hi, _ = bits.Add64(hi, incrementHi, carry)
	r.hi, r.lo = hi, lo
	hi ^= hi >> 32
	hi *= cheap
	hi ^= hi >> 48
	return hi * (lo | 1)
}

// IntN returns a whole number from 0 to n-1, each with the same probability; 0 if n is below 1.
func (r *Rand) IntN(n int64) int64 {
	if n < 1 {
		return 0
	}
	hi, lo := bits.Mul64(r.Uint64(), uint64(n))
	if lo < uint64(n) {
		// 2^64 is no multiple of n: the first 2^64 mod n values of lo would make some results likelier.
		for least := -uint64(n) % uint64(n); lo < least; {
			hi, lo = bits.Mul64(r.Uint64(), uint64(n))
		}
	}
	return int64(hi)
}

// F returns a number of [0, 1), each multiple of 2^-32 with the same probability.
func (r *Rand) F() F { return uniform(r.Uint64()) }

// Bool returns true with probability p.
func (r *Rand) Bool(p F) bool { return r.F() < p }

// Gauss returns a number of the standard normal distribution, at most 9.1 from 0.
func (r *Rand) Gauss() F { return gauss(r.Uint64()) }

// Exponential returns a number of the exponential distribution with mean 1, at most 44.4.
func (r *Rand) Exponential() F { return exponential(r.Uint64()) }

// Pareto returns a number of the Pareto distribution from 1 upward: it exceeds x with probability x^-alpha. alpha must be
// above 0; without one it is Max.
func (r *Rand) Pareto(alpha F) F { return pareto(r.Uint64(), alpha) }

func uniform(u uint64) F { return F(u >> 32) }

func gauss(u uint64) F {
	// 63 bits say how far out, one on which side.
	x := quantile(max(u&^(1<<63), 1))
	if u < 1<<63 {
		return x
	}
	return -x
}

func exponential(u uint64) F {
	return F(-ln(max(u, 1), 64) >> (logBits - fractionBits))
}

func pareto(u uint64, alpha F) F {
	if alpha <= 0 {
		return Max
	}
	return exponential(u).Div(alpha).Exp()
}

// Poisson returns a number of the Poisson distribution: how many of independent events happen where mean of them are
// expected. Above a mean of 256 the normal distribution stands in for it.
func (r *Rand) Poisson(mean F) int64 {
	const piece, many = 12 * One, 256 * One
	if mean > many {
		return max((mean + mean.Sqrt().Mul(r.Gauss())).Round(), 0)
	}
	n := int64(0)
	for ; mean > piece; mean -= piece { // the sum of two Poisson numbers is one of the sum of the means
		n += r.poisson(piece)
	}
	return n + r.poisson(mean)
}

// poisson looks where a uniform number falls among the probabilities of 0, 1, 2 ...; mean is at most 12.
func (r *Rand) poisson(mean F) int64 {
	if mean <= 0 {
		return 0
	}
	m, k := exp(-mean)
	p := m >> uint(-1-k) // 64 bits after the point
	u := r.Uint64()
	n := int64(0)
	for u >= p && p > 0 {
		u -= p
		n++
		hi, lo := bits.Mul64(p, uint64(mean))
		p, _ = bits.Div64(hi>>32, hi<<32|lo>>32, uint64(n))
	}
	return n
}

// Pick returns the index of one of the weights, each with a probability proportional to it. A weight below 0 counts as 0;
// if all are 0 it is the first.
func (r *Rand) Pick(weights ...int64) int {
	sum := int64(0)
	for _, w := range weights {
		sum += max(w, 0)
	}
	at := r.IntN(sum)
	for i, w := range weights {
		if at -= max(w, 0); at < 0 {
			return i
		}
	}
	return 0
}
