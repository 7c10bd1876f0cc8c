package bybit

import (
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"
)

// maxFlight is how long a request that has no reply yet is taken to be on its way. A limit's
// span begins when the exchange counts the request, which is some time before the
// reply, so a place is kept from the beginning until the span after the reply: then no
// delay on the way makes two spans of ours one of the exchange's.
const maxFlight = time.Second

// gate admits so many requests within a span of time. Those that wait go in their
// order, urgent ones before all others.
type gate struct {
	mu     sync.Mutex // guards what follows
	size   int        // 0: everything is admitted
	per    time.Duration
	places places
	used   int       // of size
	closed time.Time // nothing is admitted before
	queue  [2][]*queued
	timer  *time.Timer
}

// place is what an admitted request takes.
type place struct {
	n     int
	free  time.Time // when the place is free again
	index int       // in places; -1: not there any more
}

// places is a heap of places, the one that is free first at the top.
type places []*place

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i].free.Before(p[j].free) }
func (p places) Swap(i, j int) {
	p[i], p[j] = p[j], p[i]
	p[i].index, p[j].index = i, j
}

// Push appends a place, for container/heap.
func (p *places) Push(x any) {
	x.(*place).index = len(*p)
	*p = append(*p, x.(*place))
}

// Pop takes the last place away, for container/heap.
func (p *places) Pop() any {
	last := len(*p) - 1
	x := (*p)[last]
	(*p)[last] = nil
	*p = (*p)[:last]
	x.index = -1
	return x
}

// queued is a request that waits.
type queued struct {
	n     int
	ready chan struct{} // closed with place set
	place *place
}

// The queues of a gate.
const (
	urgent = iota
	ordinary
)

// take waits until n requests may begin. A batch larger than the limit needs all of it.
// waiting is called, once, if it has to wait, with how long at least; if it returns an
// error, that is returned in place of a wait.
func (g *gate) take(ctx context.Context, n, class int, waiting func(time.Duration) error) (*place, error) {
	g.mu.Lock()
	now := time.Now()
	g.expire(now)
	if len(g.queue[urgent]) == 0 && (class == urgent || len(g.queue[ordinary]) == 0) && g.fits(n, now) {
		h := g.grant(n, now)
		g.mu.Unlock()
		return h, nil
	}
	wait := g.fitsAt(n, now).Sub(now)
	g.mu.Unlock()
	if err := waiting(wait); err != nil {
		return nil, err
	}
	w := &queued{n: n, ready: make(chan struct{})}
	g.mu.Lock()
	g.queue[class] = append(g.queue[class], w)
	g.dispatch(time.Now())
	g.mu.Unlock()
	select {
	case <-w.ready:
		return w.place, nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now = time.Now()
	if w.place != nil { // in the same moment
		g.free(w.place, now)
	} else {
		g.queue[class] = slices.DeleteFunc(g.queue[class], func(x *queued) bool { return x == w })
	}
	g.dispatch(now)
	return nil, context.Cause(ctx)
}

// done says that the reply for a place has come, or that none will.
func (g *gate) done(h *place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if free := now.Add(g.per); free.Before(h.free) {
		g.free(h, free)
	}
	g.dispatch(now)
}

// unused gives a place back: nothing was sent.
func (g *gate) unused(h *place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.free(h, now)
	g.dispatch(now)
}

// learn takes over what a reply's headers say: the limit, and how much of it remains,
// so that what others send in the account's name is counted too. -1 is unknown.
func (g *gate) learn(size, remaining int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.expire(now)
	if size > 0 {
		g.size = size
	}
	if others := g.size - remaining - g.used; g.size > 0 && remaining >= 0 && others > 0 {
		heap.Push(&g.places, &place{n: others, free: now.Add(g.per)})
		g.used += others
	}
	g.dispatch(now)
}

// close admits nothing until a time.
func (g *gate) close(until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until.After(g.closed) {
		g.closed = until
	}
	g.dispatch(time.Now())
}

// state returns how much is used, of how much, and how many requests wait.
func (g *gate) state() (used, size, waiting int, per time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expire(time.Now())
	return g.used, g.size, len(g.queue[urgent]) + len(g.queue[ordinary]), g.per
}

// The rest is called with the lock.

func (g *gate) expire(now time.Time) {
	for len(g.places) > 0 && !g.places[0].free.After(now) {
		g.used -= heap.Pop(&g.places).(*place).n
	}
}

// free changes when a place is free, unless it is already.
func (g *gate) free(p *place, at time.Time) {
	if p.index < 0 {
		return
	}
	p.free = at
	heap.Fix(&g.places, p.index)
}

func (g *gate) fits(n int, now time.Time) bool {
	return !g.closed.After(now) && (g.size == 0 || g.used+min(n, g.size) <= g.size)
}

// grant takes a place.
func (g *gate) grant(n int, now time.Time) *place {
	h := &place{n: n, free: now.Add(maxFlight + g.per)}
	heap.Push(&g.places, h)
	g.used += n
	return h
}

// fitsAt returns when n requests will fit if nothing else happens.
func (g *gate) fitsAt(n int, now time.Time) time.Time {
	at := now
	if g.closed.After(at) {
		at = g.closed
	}
	missing := g.used + min(n, g.size) - g.size
	if g.size == 0 || missing <= 0 {
		return at
	}
	places := slices.SortedFunc(slices.Values(g.places), func(a, b *place) int { return a.free.Compare(b.free) })
	for _, h := range places {
		if missing -= h.n; missing <= 0 {
			if h.free.After(at) {
				at = h.free
			}
			break
		}
	}
	return at
}

// dispatch admits those that fit, in their order, and sets the timer for the next.
func (g *gate) dispatch(now time.Time) {
	g.expire(now)
	for class := range g.queue {
		for len(g.queue[class]) > 0 {
			w := g.queue[class][0]
			if !g.fits(w.n, now) {
				g.wake(g.fitsAt(w.n, now).Sub(now))
				return
			}
			g.queue[class] = g.queue[class][1:]
			w.place = g.grant(w.n, now)
			close(w.ready)
		}
	}
	if g.timer != nil {
		g.timer.Stop()
	}
}

// wake makes dispatch happen after a time.
func (g *gate) wake(after time.Duration) {
	if g.timer != nil {
		g.timer.Reset(after)
		return
	}
	g.timer = time.AfterFunc(after, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.dispatch(time.Now())
	})
}
