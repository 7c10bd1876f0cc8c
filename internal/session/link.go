package session

import (
	"slices"
	"time"
)

// link is a place for a connection, and what is known of the one that is there.
type link struct {
	num, lane int
	shard     *shard
	state     State
	retired   bool // ends for good with its connection

	replaces  *link // this one is to succeed that
	successor *link
	rollAt    time.Time // when to be replaced
	rollBy    time.Time // when to have replaced
	rollFails int

	sides    []*side // in no order that means anything
	live     int     // wanted ones that are live
	carries  int     // that the peer has
	high     int     // the most wanted ones that it ever had on this connection
	queues   [needs]sideQueue
	renewal  renewal
	flight   []*request // by the time they were sent
	bucket   bucket
	sent     window // requests that took a turn, or were free
	refusals int    // topics refused on this connection
	turn     int    // whose turn it is for the next request

	failures int       // in a row
	openedAt time.Time // of the connection that is open
	retryAt  time.Time
	pingAt   time.Time // next ping
	pingedAt time.Time // unanswered as far as is known; zero: none
	inbound  time.Time // the last bytes
	held     bool      // nobody reads
	heldAt   time.Time // when last
	hangErr  error
	parted   []string // topics that are forgotten and on their way until the connection ends
}

// newLink adds a link to a shard, with all its topics.
func (s *Session) newLink(sh *shard, lane int) *link {
	s.lastLink++
	l := &link{num: s.lastLink, lane: lane, shard: sh}
	s.links = append(s.links, l)
	s.byNum[l.num] = l
	if i := slices.IndexFunc(sh.links, func(o *link) bool { return !o.retired }); i >= 0 {
		for _, e := range bySubscription(sh.links[i].sides) {
			if e.topic.wanted {
				s.addSide(e.topic, l)
			}
		}
	}
	sh.links = append(sh.links, l)
	if s.opened {
		s.dial(l)
	}
	return l
}

// dropLink forgets a link that has no connection.
func (s *Session) dropLink(l *link) {
	for _, e := range bySubscription(l.sides) {
		s.removeSide(e)
	}
	is := func(o *link) bool { return o == l }
	s.links = slices.DeleteFunc(s.links, is)
	l.shard.links = slices.DeleteFunc(l.shard.links, is)
	delete(s.byNum, l.num)
	s.do(Forget{Link: l.num})
}

// retire ends a link for good, in order.
func (s *Session) retire(l *link) {
	l.retired = true
	switch l.state {
	case Open:
		l.state = Hanging
		s.do(HangUp{Link: l.num})
	case Idle, Waiting:
		s.dropLink(l)
	}
}

func (s *Session) dial(l *link) {
	l.state = Dialing
	s.do(Dial{Link: l.num, Lane: l.lane, Attempt: l.failures})
}

func (s *Session) dialed(l *link) {
	if l == nil || l.state != Dialing {
		return
	}
	if !s.opened {
		s.opened = true
		for _, other := range s.links {
			if other.state == Idle {
				s.dial(other)
			}
		}
	}
	l.hangErr = nil
	l.openedAt = s.now
	if l.retired {
		l.state = Hanging
		s.do(HangUp{Link: l.num})
		return
	}
	l.state = Open
	l.pingAt = s.now.Add(s.cfg.PingEvery)
	l.pingedAt, l.inbound, l.heldAt = time.Time{}, s.now, time.Time{}
	l.rollAt = s.rollTime()
	l.high = 0
	l.bucket = bucket{tokens: s.cfg.PaceBurst, from: s.now}
	l.sent, l.refusals, l.turn = nil, 0, 0
	// The queue has what was subscribed meanwhile behind what came back with
	// the end of the last connection; now all go by age.
	l.queues = [needs]sideQueue{}
	for _, e := range bySubscription(l.sides) {
		e.need, e.queued = none, [needs]bool{}
		s.mark(e)
	}
}

func (s *Session) dialFailed(l *link, err error) {
	if l == nil || l.state != Dialing {
		return
	}
	if !s.opened {
		s.end(err)
		s.do(Failed{Err: err})
		return
	}
	s.again(l)
}

// again decides how it goes on with a link that has no connection.
func (s *Session) again(l *link) {
	l.state = Waiting
	switch {
	case l.retired:
		s.dropLink(l)
	case l.replaces != nil:
		s.endRoll(l)
		s.dropLink(l)
	case l.successor != nil:
		// Its place is taken, or about to be.
		l.successor.replaces = nil
		l.successor = nil
		s.dropLink(l)
	default:
		s.backOff(l)
	}
}

// backOff waits a random part of a bound that doubles with each failure.
func (s *Session) backOff(l *link) {
	bound := s.cfg.BackoffMax
	if l.failures < 30 && s.cfg.BackoffMin<<l.failures < bound {
		bound = s.cfg.BackoffMin << l.failures
	}
	l.failures++
	l.retryAt = s.now.Add(time.Duration(s.cfg.Rand(int64(bound) + 1)))
}

func (s *Session) hangUp(l *link, err error) {
	l.state = Hanging
	l.hangErr = err
	s.do(HangUp{Link: l.num, Err: err})
}

func (s *Session) lost(l *link, err error, inbound time.Time) {
	if l == nil || l.state != Open && l.state != Hanging {
		return
	}
	if l.hangErr != nil {
		err = l.hangErr
	}
	l.state = Waiting
	sides := bySubscription(l.sides)
	if inbound.IsZero() {
		inbound = s.now
	}
	var missed, doubtful []string
	for _, e := range sides {
		t := e.topic
		if !e.carried {
			continue
		}
		e.carried = false
		switch {
		case !t.delivered:
		case !t.carried():
			t.delivered = false
			missed = append(missed, t.name)
		case !t.carriedSince(inbound):
			doubtful = append(doubtful, t.name)
		default:
			t.inherit(e, inbound)
		}
	}
	if len(doubtful) > 0 {
		s.do(Doubt{Topics: doubtful, Err: err})
	}
	if len(missed) > 0 {
		s.do(Gap{Topics: missed, Err: err})
	}
	flight := l.flight
	l.flight = nil
	l.renewal = renewal{}
	for _, e := range sides {
		e.asked = nil
		e.resync.due, e.resync.round, e.resync.flipped = false, false, false
		s.turn(e, pending)
		s.mark(e)
		if t := e.topic; t.wanted && !t.hopeful() {
			s.askElsewhere(t)
		}
	}
	// A topic whose unsubscribe was not answered is gone with the connection.
	for _, r := range flight {
		s.answerAll(&r.calls)
		s.parted(&r.parted)
	}
	s.parted(&l.parted)
	if s.now.Sub(l.openedAt) >= s.cfg.StableAfter {
		l.failures = 0
	}
	s.again(l)
}

// askElsewhere asks those links again that refused a topic, when the one that
// had it is lost.
func (s *Session) askElsewhere(t *topic) {
	for _, e := range t.sides {
		if e.phase == refused {
			s.turn(e, pending)
		}
	}
}

func (s *Session) tick(ev *Tick) {
	for _, info := range ev.Links {
		if l := s.byNum[info.Link]; l != nil {
			l.inbound = later(l.inbound, info.Inbound)
			l.held = info.Held
			if info.Held {
				l.heldAt = s.now
			}
		}
	}
	for _, l := range slices.Clone(s.links) {
		switch l.state {
		case Waiting:
			if !s.now.Before(l.retryAt) {
				s.dial(l)
			}
		case Open:
			s.heartbeat(l)
			if l.state == Open {
				s.expire(l)
			}
			s.startRoll(l)
		}
		l.held = false
	}
	s.lateRolls()
	s.closeEmpty()
	s.watchTopics()
}

func (s *Session) heartbeat(l *link) {
	if l.held {
		l.pingedAt = time.Time{}
		for _, r := range l.flight {
			r.at = s.now
		}
	}
	if !l.pingedAt.IsZero() {
		switch {
		case !l.inbound.Before(l.pingedAt): // a coarse clock gives both one time
			l.pingedAt = time.Time{}
		case s.now.Sub(l.pingedAt) >= s.cfg.PongTimeout:
			s.hangUp(l, ErrDeadPeer)
			return
		}
	}
	if !s.now.Before(l.pingAt) {
		s.ping(l)
	}
}

func (s *Session) ping(l *link) {
	s.do(Send{Link: l.num, Op: "ping", ReqID: s.requestID()})
	l.pingAt = s.now.Add(s.cfg.PingEvery)
	// A ping that is still open keeps its older, stricter time.
	if l.pingedAt.IsZero() {
		l.pingedAt = s.now
	}
}

// wakeLink says when a link needs a Tick.
func (s *Session) wakeLink(l *link, earlier func(time.Time)) {
	switch l.state {
	case Waiting:
		earlier(l.retryAt)
	case Open:
		earlier(l.pingAt)
		if !l.pingedAt.IsZero() {
			earlier(l.pingedAt.Add(s.cfg.PongTimeout))
		}
		if len(l.flight) > 0 {
			earlier(l.flight[0].at.Add(s.cfg.AckTimeout))
		}
		if s.mayRoll(l) {
			earlier(l.rollAt)
		}
		s.wakeRenewals(l, earlier)
		s.wakePaced(l, earlier)
	}
	if l.replaces != nil {
		earlier(l.rollBy)
	}
}
