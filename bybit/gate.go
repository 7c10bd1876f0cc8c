package bybit

import (
	"container/heap"
	"slices"
	"sync"
	"time"
)

const (
	// maxFlight is how long a request that has no reply yet is taken to be on its way. A
	// limit's span begins when the exchange counts the request, which is some time before the
	// reply, so a place is kept from when the request leaves until the span after the reply:
	// then no delay on the way makes two spans of ours one of the exchange's.
	maxFlight = time.Second

	// banTime is for how long the exchange bans an address that has asked too often, at
	// least. V5 page: rate-limit.
	banTime = 10 * time.Minute

	// After an HTTP 403 that is no ban a gate is closed for doubtFirst, after each further
	// one for twice as long, and never longer than doubtMost.
	doubtFirst = time.Second
	doubtMost  = 8 * time.Second

	// cancelProbes is how many cancels may be under way at once while there are doubts, so that
	// one whose reply does not come holds up no other.
	cancelProbes = 3
)

// class says who goes first of those that wait.
type class uint8

const (
	cancels class = iota // and whatever a cancel may have to wait for
	writes
	reads
	classes // so many
)

// gate admits so many requests within a span of time. Those that wait go by class, and
// within a class in their order.
type gate struct {
	scope LimitScope
	per   time.Duration

	mu     sync.Mutex   // guards what follows
	size   int          // 0: everything is admitted
	used   int          // of size: by places and held
	held   int          // by places of requests that have not left yet
	places places       // of those that have
	closed time.Time    // nothing is admitted before
	banned time.Time    // nor before this, and nobody waits for it
	doubts int          // HTTP 403 in a row
	unsure time.Time    // cancels alone are admitted before, because of doubts
	probes [classes]int // requests that were admitted meanwhile and are not done
	queues [classes][]*queued
	timer  *time.Timer
}

// place is what an admitted request takes.
type place struct {
	gate  *gate
	n     int
	class class
	probe bool      // whether there were doubts
	free  time.Time // when the place is free again
	index int       // in gate.places; or notLeft, or expired
}

// What a place's index is while it is not in the heap.
const (
	notLeft = -1 - iota
	expired
)

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
	x.index = expired
	return x
}

// queued is a request that waits.
type queued struct {
	n     int
	class class
	ready chan struct{} // closed with place set, or because the address is banned
	place *place
}

// enter takes a place for n requests, if there is one that nobody waits for. Otherwise
// the request is queued, and why is what there is no room for; after a ban it is not even
// queued. A batch larger than the limit needs all of it.
func (g *gate) enter(n int, c class) (p *place, q *queued, why *LimitError) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.expire(now)
	if g.waiting(c) == nil && g.fits(n, c, now) {
		return g.grant(n, c), nil, nil
	}
	if why = g.full(n, c, now); why.Scope == LimitBan {
		return nil, nil, why
	}
	q = &queued{n: n, class: c, ready: make(chan struct{})}
	g.queues[c] = append(g.queues[c], q)
	g.dispatch(now)
	return nil, q, why
}

// leave takes a request out of the queue, and gives back the place that it may have got
// in the same moment. It returns why there is no room for it now.
func (g *gate) leave(q *queued) *LimitError {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if q.place != nil {
		g.giveBack(q.place)
		g.ended(q.place)
	} else {
		g.queues[q.class] = slices.DeleteFunc(g.queues[q.class], func(x *queued) bool { return x == q })
	}
	g.dispatch(now)
	return g.full(q.n, q.class, now)
}

// refusal returns why nothing is admitted while the address is banned, or nil.
func (g *gate) refusal() *LimitError {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := time.Now(); g.banned.After(now) {
		return g.full(1, reads, now)
	}
	return nil
}

// left says that the request is on its way. Before, the place has no end: a request that
// waits for something else, such as another gate or a connection, still counts when it
// leaves.
func (p *place) left() {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.index != notLeft {
		return
	}
	g.held -= p.n
	p.free = time.Now().Add(maxFlight + g.per)
	heap.Push(&g.places, p)
}

// done says that the request's reply has come, or that none will. Of a request of which
// nothing was sent the place is given back.
func (p *place) done(sent bool) {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	switch free := now.Add(g.per); {
	case !sent || p.index == notLeft:
		g.giveBack(p)
	case p.index != expired && free.Before(p.free):
		p.free = free
		heap.Fix(&g.places, p.index)
	}
	g.ended(p)
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
	if others := g.size - remaining - (g.used - g.held); g.size > 0 && remaining >= 0 && others > 0 {
		heap.Push(&g.places, &place{gate: g, n: others, free: now.Add(g.per)})
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

// ban sends away all that wait and all that come, until the ban is over.
func (g *gate) ban() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.banned = time.Now().Add(banTime)
	g.doubts = max(g.doubts, 1)
	for c := range g.queues {
		for _, q := range g.queues[c] {
			close(q.ready)
		}
		g.queues[c] = nil
	}
}

// doubt closes the gate for a short while: the exchange has turned a request away, and
// does not say whether it means the address. From then on one request at a time shows
// whether it is over. A cancel waits neither for the gate to open nor for those.
func (g *gate) doubt() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if g.unsure.After(now) {
		return // of a request that left before
	}
	g.unsure = now.Add(min(doubtFirst<<min(g.doubts, 10), doubtMost))
	g.doubts++
	g.dispatch(now)
}

// welcome ends doubts: the exchange has let the request in. One that left before them shows nothing.
func (p *place) welcome() {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if !p.probe || g.banned.After(now) { // which another reply has said
		return
	}
	g.doubts, g.unsure = 0, time.Time{}
	g.dispatch(now)
}

// state returns how much is used, of how much, and how many requests wait.
func (g *gate) state() (used, size, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expire(time.Now())
	for _, queue := range g.queues {
		waiting += len(queue)
	}
	return g.used, g.size, waiting
}

// The rest is called with the lock.

func (g *gate) expire(now time.Time) {
	for len(g.places) > 0 && !g.places[0].free.After(now) {
		g.used -= heap.Pop(&g.places).(*place).n
	}
}

// waiting returns the one that waits for longest and does not let a class pass, or nil.
func (g *gate) waiting(c class) *queued {
	for _, queue := range g.queues[:c+1] {
		if len(queue) > 0 {
			return queue[0]
		}
	}
	return nil
}

func (g *gate) fits(n int, c class, now time.Time) bool {
	if g.opensAt(c).After(now) || g.probed(c) {
		return false
	}
	return g.size == 0 || g.used+min(n, g.size) <= g.size
}

// opensAt returns when a class is admitted again.
func (g *gate) opensAt(c class) time.Time {
	at := later(g.closed, g.banned)
	if c != cancels {
		at = later(at, g.unsure)
	}
	return at
}

// probed reports whether a class has to wait for those that show whether doubts are over. Cancels
// do not wait for others.
func (g *gate) probed(c class) bool {
	switch {
	case g.doubts == 0:
		return false
	case c == cancels:
		return g.probes[cancels] >= cancelProbes
	}
	return g.probes != [classes]int{}
}

// grant takes a place.
func (g *gate) grant(n int, c class) *place {
	g.used += n
	g.held += n
	p := &place{gate: g, n: n, class: c, index: notLeft, probe: g.doubts > 0}
	if p.probe {
		g.probes[c]++
	}
	return p
}

// ended notes that a request is not under way any more.
func (g *gate) ended(p *place) {
	if p.probe {
		g.probes[p.class]--
	}
}

// giveBack frees a place at once.
func (g *gate) giveBack(p *place) {
	switch p.index {
	case expired:
		return
	case notLeft:
		g.held -= p.n
		p.index = expired
	default:
		heap.Remove(&g.places, p.index)
	}
	g.used -= p.n
}

// full returns why n requests do not fit, and when they may.
func (g *gate) full(n int, c class, now time.Time) *LimitError {
	after := g.soonest(n, c, now).Sub(now)
	switch {
	case g.banned.After(now):
		return &LimitError{Scope: LimitBan, RetryAfter: after}
	case g.doubts > 0:
		return &LimitError{Scope: LimitDoubt, RetryAfter: after}
	}
	return &LimitError{Scope: g.scope, Calls: g.size, Per: g.per, RetryAfter: after}
}

// soonest returns when n requests of a class may fit, behind those that wait: each of them takes
// its place for a span at least, and what is used now is free after a span at the soonest.
func (g *gate) soonest(n int, c class, now time.Time) time.Time {
	at := later(now, g.opensAt(c))
	if g.probed(c) {
		at = later(at, now.Add(doubtFirst))
	}
	if g.size == 0 {
		return at
	}
	last := min(n, g.size) // the place that is needed, counted from the first that will be taken
	for _, queue := range g.queues[:c+1] {
		for _, q := range queue {
			last += min(q.n, g.size)
		}
	}
	spans := (last - 1) / g.size
	if missing := g.used + last - spans*g.size - g.size; missing > 0 {
		free := g.freeAt(missing, now)
		if span := now.Add(g.per); free.After(span) {
			free = span
		}
		at = later(at, free)
	}
	return at.Add(time.Duration(spans) * g.per)
}

// fitsAt returns when n requests will fit if nothing else happens.
func (g *gate) fitsAt(n int, c class, now time.Time) time.Time {
	at := later(now, g.opensAt(c))
	if g.probed(c) {
		at = later(at, now.Add(doubtFirst))
	}
	if missing := g.used + min(n, g.size) - g.size; g.size > 0 && missing > 0 {
		at = later(at, g.freeAt(missing, now))
	}
	return at
}

// freeAt returns when n of what is used is free.
func (g *gate) freeAt(n int, now time.Time) time.Time {
	if len(g.places) > 0 && g.places[0].n >= n {
		return g.places[0].free
	}
	for _, p := range slices.SortedFunc(slices.Values(g.places), func(a, b *place) int { return a.free.Compare(b.free) }) {
		if n -= p.n; n <= 0 {
			return p.free
		}
	}
	return now.Add(maxFlight + g.per) // of those that have not left
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// dispatch admits those that fit, in their order, and sets the timer for the next.
func (g *gate) dispatch(now time.Time) {
	g.expire(now)
	for q := g.waiting(classes - 1); q != nil; q = g.waiting(classes - 1) {
		if !g.fits(q.n, q.class, now) {
			g.wake(g.fitsAt(q.n, q.class, now).Sub(now))
			return
		}
		g.queues[q.class] = g.queues[q.class][1:]
		q.place = g.grant(q.n, q.class)
		close(q.ready)
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
