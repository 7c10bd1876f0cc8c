package bybit

import (
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/internal/session"
)

// applyLanedBook takes a message of an order book that several connections bring
// into account: it is delivered, or is a copy, or is held back. What was held back and
// has its turn after it is left to applyMore.
func (s *Stream) applyLanedBook(sub *subscription, ev *BookEvent, it *item) Event {
	m := sub.merge
	k := bookKeyOf(ev, it.lane)
	switch m.book(&k) {
	case deliver:
		s.awaitLanes(sub, it.received)
		return s.applyBook(sub, ev)
	case duplicate:
		s.count.duplicates.Add(1)
	case hold:
		var kept bool
		if it.ev != nil {
			kept = m.chain.keepConflated(&k, ev)
		} else {
			kept = m.chain.keep(&k, it.frame)
		}
		if !kept {
			s.count.duplicates.Add(1)
		}
	case misplaced:
		s.count.violations.Add(1)
		if sub.snapshots(s.ch) {
			s.mail.put(letter{event: session.Resync{Topic: sub.topic.name}})
		}
		fault := &book.Error{Kind: book.Gap, Want: sub.updateID + 1, Got: ev.ID}
		gap := s.bookGap(sub, fault, 1+len(m.chain.held), it.received)
		s.count.dropped.Add(1)
		s.applyGap(sub, gap)
		s.mail.put(letter{event: session.Resync{Topic: sub.topic.name}})
		return gap
	}
	s.awaitLanes(sub, it.received)
	return nil
}

// awaitLanes sees to what the topic holds back, if anything.
func (s *Stream) awaitLanes(sub *subscription, now time.Time) {
	m := sub.merge
	if m.chain == nil || len(m.chain.held) == 0 {
		return
	}
	c := &s.local
	c.more, c.moreSub, c.moreAt = true, sub, now
	if !m.asked {
		m.asked = true
		s.mail.put(letter{held: sub})
	}
}

// applyLanes takes a notice about the connections of a topic into account.
func (s *Stream) applyLanes(sub *subscription, n *lanesNotice, now time.Time) {
	if sub.merge == nil {
		return
	}
	if n.overdue {
		sub.merge.asked = false
	} else {
		sub.merge.carried(n.mask)
	}
	s.awaitLanes(sub, now)
}

// applyHeld delivers the next message that was held back, if it is its turn.
func (s *Stream) applyHeld(sub *subscription) Event {
	c := &s.local
	if sub.merge.chain == nil {
		c.more = false
		return nil
	}
	h, late, ok := sub.merge.chain.release(c.moreAt)
	s.count.duplicates.Add(int64(late))
	if !ok {
		c.more = false
		return nil
	}
	if h.ev != nil {
		return s.applyBook(sub, h.ev)
	}
	it := item{sub: sub, frame: h.frame, received: h.at, lane: h.lane}
	ev, ok := c.decode(&it).(*BookEvent)
	if !ok {
		return nil // it was decoded before
	}
	return s.applyBook(sub, ev)
}

// applyLateTicker is applyTicker where several connections bring the topic: a
// change that is older than what is known cannot be put in any more.
func (s *Stream) applyLateTicker(sub *subscription, ev *TickerEvent, lane uint8) Event {
	m := sub.merge
	k := orderKey{at: ev.Seq, sent: ev.Time.UnixMilli(), snapshot: ev.Snapshot, conflated: ev.Conflated > 0, lane: lane}
	if k.at == 0 {
		k.at = k.sent
	}
	// One that stands for several has all that its lane brought before, so that what
	// another lane brings later of that is known, as after a snapshot.
	switch m.doubt(m.ticker.judge(&k, m.prints.several)) {
	case duplicate:
		s.count.duplicates.Add(1)
		return nil
	case misplaced:
		s.count.dropped.Add(1)
		s.count.gaps.Add(1)
		gap := &GapEvent{Topic: sub.topic, Reason: GapOrder, Dropped: 1, Time: ev.Received}
		s.applyGap(sub, gap)
		s.traceGap(gap)
		s.mail.put(letter{event: session.Resync{Topic: sub.topic.name}})
		return gap
	}
	sub.applyTicker(ev)
	return ev
}
