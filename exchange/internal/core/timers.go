package core

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/bywire/bywire/exchange/internal/state"
)

// never is a time that does not come.
const never int64 = math.MaxInt64

// timer is one thing that is due. Timers of one instant run in the order of their kinds, those of one kind in the order
// of their numbers: a total order, so that nothing depends on when a timer was set.
type timer struct {
	at   int64
	kind timerKind
	n    int32 // the push class; 0 where there is one of the kind
}

// timerKind is a row of the table in run.go. The order of the constants is the order within an instant.
type timerKind uint8

const (
	minuteTimer timerKind = iota // bars close: what trades now is of the next minute
	rollTimer                    // delivery at the prices until now, and what is listed instead
	boardTimer                   // index, mark, greeks, limits, fundings; each second
	flowTimer                    // the generated market's orders
	pushTimer                    // topics, once everything above has happened; n is the class
	timerKinds
)

func (a timer) before(b timer) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	if a.kind != b.kind {
		return a.kind < b.kind
	}
	return a.n < b.n
}

// timers is a heap: the one that is due first is its first element.
type timers []timer

// next is when the first timer is due.
func (q timers) next() int64 {
	if len(q) == 0 {
		return never
	}
	return q[0].at
}

func (q *timers) push(t timer) {
	*q = append(*q, t)
	h := *q
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h[i].before(h[parent]) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

// rearm gives the first timer a new time, not before its old one.
func (q timers) rearm(at int64) {
	q[0].at = at
	q.down(0)
}

// move gives the timer of a kind another time.
func (q timers) move(kind timerKind, at int64) {
	for i := range q {
		if q[i].kind != kind {
			continue
		}
		q[i].at = at
		for ; i > 0 && q[i].before(q[(i-1)/2]); i = (i - 1) / 2 {
			q[i], q[(i-1)/2] = q[(i-1)/2], q[i]
		}
		q.down(i)
		return
	}
}

func (q timers) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q); child++ {
			if q[child].before(q[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
}

// walk describes the timers. A heap's array depends on its history, so they are written in their order.
func (q *timers) walk(w *state.Walker) {
	if w.Reading() {
		var sorted []timer
		state.Slice(w, &sorted, walkTimer)
		*q = (*q)[:0]
		for i, t := range sorted {
			if i > 0 && !sorted[i-1].before(t) {
				w.Fail(errors.New("core: timers out of order"))
			}
			q.push(t)
		}
		return
	}
	rest := append(timers(nil), *q...)
	sorted := make([]timer, 0, len(rest))
	for len(rest) > 0 {
		sorted = append(sorted, rest[0])
		rest[0] = rest[len(rest)-1]
		rest = rest[:len(rest)-1]
		rest.down(0)
	}
	state.Slice(w, &sorted, walkTimer)
}

// errTimers is why timers cannot be restored.
var errTimers = errors.New("core: timers that no run has")

// complete reports whether there is one timer of each kind and push class, none of them in the past. With others a run
// would stand still, or try to catch up with decades.
func (q timers) complete(now int64) bool {
	pushes := 0
	for kind := range timerKinds {
		n := 0
		for _, t := range q {
			if t.kind == kind && t.at >= now {
				n++
			}
		}
		if kind == pushTimer {
			pushes = n
		} else if n != 1 {
			return false
		}
	}
	for n := range classes {
		if !slices.ContainsFunc(q, func(t timer) bool { return t.kind == pushTimer && t.n == int32(n) }) {
			return false
		}
	}
	return pushes == len(classes) && len(q) == pushes+int(timerKinds)-1
}

func walkTimer(w *state.Walker, t *timer) {
	w.Int64(&t.at)
	state.Integer(w, &t.kind)
	w.Int32(&t.n)
	if t.kind >= timerKinds {
		w.Fail(fmt.Errorf("core: a timer of kind %d", t.kind))
	}
}
