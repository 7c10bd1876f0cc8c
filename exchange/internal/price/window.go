package price

import (
	"math/bits"

	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// window is the mean of the last samples, at most size of them.
type window struct {
	size    int
	samples []fixed.F
	next    int // where the next sample goes once the window is full
	sum     fixed.F
}

// sampleBound keeps the sum of a window within its range: 600 samples of it fit.
const sampleBound = fixed.Max >> 10

func (w *window) add(v fixed.F) {
	v = min(max(v, -sampleBound), sampleBound)
	if len(w.samples) < w.size {
		w.samples = append(w.samples, v)
		w.sum += v
		return
	}
	w.sum += v - w.samples[w.next]
	w.samples[w.next] = v
	w.next = (w.next + 1) % w.size
}

// mean returns the mean, and false without samples.
func (w *window) mean() (fixed.F, bool) {
	if len(w.samples) == 0 {
		return 0, false
	}
	return fixed.F(fixed.MulDivRound(int64(w.sum), 1, int64(len(w.samples)))), true
}

func (w *window) walk(s *state.Walker) {
	state.Slice(s, &w.samples, func(s *state.Walker, v *fixed.F) { state.Integer(s, v) })
	s.Int(&w.next)
	if s.Reading() {
		if len(w.samples) > w.size || w.next < 0 || w.next >= w.size || len(w.samples) < w.size && w.next != 0 {
			s.Fail(errState)
			w.samples, w.next = nil, 0
		}
		w.sum = 0
		for i, v := range w.samples {
			w.samples[i] = min(max(v, -sampleBound), sampleBound)
			w.sum += w.samples[i]
		}
	}
}

// average is the mean of any number of samples that are not negative.
type average struct {
	hi, lo uint64 // sum
	n      int64
}

func (a *average) add(v fixed.F) {
	lo, carry := bits.Add64(a.lo, uint64(max(0, v)), 0)
	a.lo, a.hi = lo, a.hi+carry
	a.n++
}

// mean returns the mean, and false without samples.
func (a *average) mean() (fixed.F, bool) {
	if a.n <= 0 || a.hi >= uint64(a.n) {
		return 0, false
	}
	q, rest := bits.Div64(a.hi, a.lo, uint64(a.n))
	if rest >= uint64(a.n)-rest {
		q++
	}
	return fixed.F(q), true
}

func (a *average) walk(s *state.Walker) {
	s.Uint64(&a.hi)
	s.Uint64(&a.lo)
	s.Int64(&a.n)
}
