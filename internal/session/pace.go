package session

import (
	"slices"
	"strconv"
	"time"
)

// How requests are paced. What a link has to send is not a list of requests but
// the difference between the topics that are wanted and those that the peer
// has, so that calls in opposite directions leave nothing behind. A request
// takes a turn; there are PaceBurst turns, and one more each PaceEvery. The
// kinds of requests (unsubscribe, subscribe, resynchronise) take turns in
// rotation, so that each comes to its own however busy the others are.
//
// Two kinds of full requests need no turn, though they take those that are
// there, but for the last: the ones that bring a link more wanted topics than it
// ever had on its connection, which is what subscribing many at once and every
// reconnect does, and the ones that resynchronise topics that were not
// unsubscribed and subscribed in between. Neither can be repeated by flipping
// topics on and off. The halves of a refused request go at once as well; their
// number is bounded by the topics that are refused.
//
// Two more need no turn up to PaceFree requests in a minute: those that bring a link
// more topics than it ever had though they are not full, which is what subscribing
// one topic after the other does, and those that unsubscribe topics for the first
// time since they were such growth, which is what taking off many does, or one after
// the other. Of these the ones that are not full go one at a time, so that what is
// asked for meanwhile gathers.
//
// What takes a turn and what is free together is at most paceMost in any minute. Pings
// take no turn and do not count.

// need is what has to be sent for a topic on a link.
type need uint8

const (
	none need = iota
	unsubscribing
	subscribing
	needs int = iota
)

const (
	opSubscribe   = "subscribe"
	opUnsubscribe = "unsubscribe"

	renewCost = 2 // turns of a resynchronisation: an unsubscribe and a subscribe

	paceMost = 52 // requests in a paceSpan, so that with pings they are at most 60
	paceSpan = time.Minute
)

// sideQueue holds sides in the order in which they came to need something. One
// that needs it no more stays as a blank until it is reached.
type sideQueue struct {
	sides []*side
	n     int // that are no blanks
}

// queueFor enters what a side needs now, instead of what it needed before.
func (l *link) queueFor(e *side, n need) {
	if e.need == n {
		return
	}
	if e.need != none {
		l.queues[e.need].n--
	}
	e.need = n
	if n == none {
		return
	}
	q := &l.queues[n]
	q.n++
	if e.queued[n] {
		return // its blank is filled
	}
	e.queued[n] = true
	if len(q.sides) > 2*q.n+64 {
		q.sides = slices.DeleteFunc(q.sides, func(o *side) bool {
			if o.need != n {
				o.queued[n] = false
			}
			return o.need != n
		})
	}
	q.sides = append(q.sides, e)
}

// take returns the first sides of a queue, at most limit.
func (l *link) take(n need, limit int) []*side {
	q := &l.queues[n]
	taken := make([]*side, 0, min(q.n, limit))
	for len(q.sides) > 0 && len(taken) < limit {
		e := q.sides[0]
		q.sides[0] = nil
		q.sides = q.sides[1:]
		e.queued[n] = false
		if e.need == n {
			taken = append(taken, e)
		}
	}
	return taken
}

// bucket holds the turns of a link.
type bucket struct {
	tokens int       // as of from
	from   time.Time // when the last one came
}

func (b *bucket) refill(now time.Time, burst int, every time.Duration) {
	if n := int(now.Sub(b.from) / every); n > 0 {
		b.tokens += n
		b.from = b.from.Add(time.Duration(n) * every)
	}
	if b.tokens >= burst {
		b.tokens = burst
		b.from = now
	}
}

// spare takes a turn for a request that needs none, if more than keep are there.
func (b *bucket) spare(keep int) {
	if b.tokens > keep {
		b.tokens--
	}
}

// window holds when the requests of the last paceSpan were sent, oldest first.
type window []time.Time

// room reports whether n more requests stay within most, and else when they do.
func (w *window) room(now time.Time, n, most int) (at time.Time, ok bool) {
	old := 0
	for old < len(*w) && now.Sub((*w)[old]) >= paceSpan {
		old++
	}
	*w = slices.Delete(*w, 0, old)
	if i := len(*w) + n - most - 1; i >= 0 && i < len(*w) {
		return (*w)[i].Add(paceSpan), false
	}
	return now, true
}

func (w *window) note(now time.Time, n int) {
	for range n {
		*w = append(*w, now)
	}
}

// free sends a request that needs no turn though it may be small, if there is one.
func (s *Session) free(l *link) bool {
	subs, unsubs := l.queues[subscribing].n, l.queues[unsubscribing].n
	alone := len(l.flight) == 0
	grows := subs > 0 && alone && l.serves()+l.refusals >= l.high
	leaves := unsubs > 0 && (alone || unsubs >= s.cfg.MaxArgs)
	if !grows && !leaves || s.cfg.PaceFree < 0 {
		return false
	}
	if _, ok := l.sent.room(s.now, 1, s.cfg.PaceFree); !ok {
		return false
	}
	switch {
	case leaves && l.allGrown(s.cfg.MaxArgs):
		s.ask(l, opUnsubscribe, l.take(unsubscribing, s.cfg.MaxArgs))
	case grows:
		s.grow(l)
	default:
		return false
	}
	l.sent.note(s.now, 1)
	return true
}

// grow subscribes topics that bring the link more than it ever had.
func (s *Session) grow(l *link) {
	sides := l.take(subscribing, s.cfg.MaxArgs)
	for _, e := range sides {
		e.grown = true
	}
	s.ask(l, opSubscribe, sides)
}

// allGrown reports whether the topics of the next unsubscribe were all subscribed
// as growth: a flip that is repeated is not.
func (l *link) allGrown(limit int) bool {
	for _, e := range l.queues[unsubscribing].sides {
		if e.need != unsubscribing {
			continue
		}
		if !e.grown {
			return false
		}
		if limit--; limit == 0 {
			break
		}
	}
	return true
}

// kinds of requests that take turns.
const (
	kindUnsubscribe = iota
	kindSubscribe
	kindRenew
	kinds
)

// next returns the kind of request whose turn it is, and what it costs; kinds
// if there is nothing to send.
func (l *link) next() (kind, cost int) {
	for i := range kinds {
		switch kind := (l.turn + i) % kinds; {
		case kind == kindUnsubscribe && l.queues[unsubscribing].n > 0,
			kind == kindSubscribe && l.queues[subscribing].n > 0:
			return kind, 1
		case kind == kindRenew && len(l.renewal.round) > 0:
			return kind, renewCost
		}
	}
	return kinds, 0
}

// flush sends what is due, as far as there are turns and requests may be in
// flight.
func (s *Session) flush(l *link) {
	s.gatherRenewals(l)
	for len(l.flight) < maxInFlight {
		l.bucket.refill(s.now, s.cfg.PaceBurst, s.cfg.PaceEvery)
		if l.queues[subscribing].n >= s.cfg.MaxArgs && l.serves() >= l.high {
			s.grow(l)
			l.bucket.spare(1)
			continue
		}
		if s.free(l) {
			continue
		}
		if batch := s.fullRenewal(l); batch != nil {
			s.renew(l, batch)
			l.bucket.spare(renewCost)
			l.bucket.spare(renewCost)
			continue
		}
		kind, cost := l.next()
		if kind == kinds || l.bucket.tokens < cost {
			return
		}
		if _, ok := l.sent.room(s.now, cost, paceMost); !ok {
			return
		}
		l.sent.note(s.now, cost)
		l.bucket.tokens -= cost
		l.turn = kind + 1
		switch kind {
		case kindUnsubscribe:
			s.ask(l, opUnsubscribe, l.take(unsubscribing, s.cfg.MaxArgs))
		case kindSubscribe:
			s.ask(l, opSubscribe, l.take(subscribing, s.cfg.MaxArgs))
		case kindRenew:
			s.renew(l, l.renewal.round[:min(len(l.renewal.round), s.cfg.MaxArgs)])
		}
	}
}

// serves counts the wanted topics that the peer has. Those that wait to be
// unsubscribed do not count: they would make every flip look like growth.
func (l *link) serves() int { return l.carries - l.queues[unsubscribing].n }

// wakePaced says when the turn comes that the next request waits for.
func (s *Session) wakePaced(l *link, earlier func(time.Time)) {
	kind, cost := l.next()
	if kind == kinds || len(l.flight) >= maxInFlight {
		return
	}
	turn := l.bucket.from.Add(time.Duration(cost-l.bucket.tokens) * s.cfg.PaceEvery)
	room, _ := l.sent.room(s.now, cost, paceMost)
	earlier(later(turn, room))
}

// request is a control frame that was sent and not answered.
type request struct {
	id    string
	op    string
	names []string
	sides []*side // of a subscribe
	calls []*call // of an unsubscribe; one that waits for several topics is here as often
	at    time.Time

	parted []string // topics that are forgotten and on their way until this is answered
}

// ask sends a request.
func (s *Session) ask(l *link, op string, sides []*side) {
	r := &request{id: s.requestID(), op: op, names: make([]string, len(sides)), at: s.now}
	for i, e := range sides {
		r.names[i] = e.topic.name
	}
	if op == opSubscribe {
		r.sides = slices.Clone(sides)
	}
	for _, e := range sides {
		if op == opSubscribe {
			e.asked = r
			s.turn(e, sent)
			continue
		}
		r.calls = append(r.calls, e.leaving...)
		e.leaving = nil
		e.asked = nil
		s.turn(e, pending) // which removes it, if nobody wants it
		if e.index < 0 {
			r.parted = append(r.parted, e.topic.name)
			s.part(e.topic.name, l.shard)
		}
	}
	l.high = max(l.high, l.serves())
	l.flight = append(l.flight, r)
	s.do(Send{Link: l.num, Op: op, ReqID: r.id, Topics: r.names})
}

func (s *Session) requestID() string {
	s.lastRequest++
	return strconv.Itoa(s.lastRequest)
}
