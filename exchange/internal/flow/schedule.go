package flow

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/state"
)

const (
	millisecond int64 = 1_000_000
	second            = catalog.Second
	minute            = catalog.Minute
	hour              = catalog.Hour
)

// theLatent stands in the schedule for the latent prices, which come before all desks.
const theLatent catalog.ID = -1

// wake is when an agent acts next. Each agent has one.
type wake struct {
	at    int64
	desk  catalog.ID
	agent uint16
}

// order is the total order of the schedule.
func (a wake) order(b wake) int {
	if a.at != b.at {
		return cmp.Compare(a.at, b.at)
	}
	if a.desk != b.desk {
		return cmp.Compare(a.desk, b.desk)
	}
	return cmp.Compare(a.agent, b.agent)
}

// schedule is a binary heap. Times are whole milliseconds, so that agents share instants.
type schedule struct{ heap []wake }

func (s *schedule) next() int64 {
	if len(s.heap) == 0 {
		return math.MaxInt64
	}
	return s.heap[0].at
}

func (s *schedule) push(x wake) {
	if rest := x.at % millisecond; rest > 0 {
		x.at += millisecond - rest
	}
	s.heap = append(s.heap, x)
	i := len(s.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if s.heap[up].order(x) <= 0 {
			break
		}
		s.heap[i] = s.heap[up]
		i = up
	}
	s.heap[i] = x
}

func (s *schedule) pop() wake {
	first, last := s.heap[0], len(s.heap)-1
	x := s.heap[last]
	s.heap = s.heap[:last]
	if last > 0 {
		s.sink(0, x)
	}
	return first
}

// sink puts x at i or below.
func (s *schedule) sink(i int, x wake) {
	for {
		down := 2*i + 1
		if down >= len(s.heap) {
			break
		}
		if right := down + 1; right < len(s.heap) && s.heap[right].order(s.heap[down]) < 0 {
			down = right
		}
		if x.order(s.heap[down]) <= 0 {
			break
		}
		s.heap[i] = s.heap[down]
		i = down
	}
	s.heap[i] = x
}

// drop removes the agents of a desk.
func (s *schedule) drop(id catalog.ID) {
	s.heap = slices.DeleteFunc(s.heap, func(x wake) bool { return x.desk == id })
	slices.SortFunc(s.heap, wake.order) // sorted is a heap
}

// Walk writes the wakes in their order: how the heap came to lie is no part of the state.
func (s *schedule) Walk(w *state.Walker) {
	sorted := s.heap
	if !w.Reading() {
		sorted = slices.Clone(s.heap)
		slices.SortFunc(sorted, wake.order)
	}
	state.Slice(w, &sorted, func(w *state.Walker, x *wake) {
		w.Int64(&x.at)
		state.Integer(w, &x.desk)
		state.Integer(w, &x.agent)
	})
	s.heap = sorted
}

// check refuses a schedule that names what is not there.
func (s *schedule) check(w *state.Walker, f *Flow) {
	agents := 1
	for _, d := range f.desks {
		if d != nil {
			agents += len(d.agents)
		}
	}
	if len(s.heap) != agents {
		w.Fail(errors.New("flow: not every agent wakes once"))
	}
	for i, x := range s.heap {
		d := f.desk(x.desk)
		if x.desk != theLatent && (d == nil || int(x.agent) >= len(d.agents)) || x.desk == theLatent && x.agent != 0 {
			w.Fail(errors.New("flow: an agent is to wake that does not exist"))
			return
		}
		if i > 0 && s.heap[i-1].order(x) >= 0 {
			w.Fail(errors.New("flow: the schedule is not in order"))
			return
		}
	}
}
