package bybit

import (
	"time"

	"github.com/bywire/bywire/internal/session"
	"github.com/bywire/bywire/internal/wire"
)

// apply makes an event of the item and brings the subscription's state up to it.
// It returns nil for an event that is not to be yielded.
func (s *Stream) apply(it *item) Event {
	sub, ev := it.sub, it.ev
	if sub == nil {
		return ev
	}
	if _, ok := ev.(*RejectedEvent); !ok && sub.gone.Load() {
		return nil // unsubscribed: frames that were on their way
	}
	if sub.quiet != nil && it.isData() {
		if silent := s.endQuiet(sub, it); silent != nil {
			s.local.next-- // the message comes after it
			s.count.silent.Add(1)
			return silent
		}
	}
	if ev == nil {
		if sub.merge != nil && sub.merge.prints != nil && sub.merge.prints.judge(it.frame, it.lane) == duplicate {
			s.count.duplicates.Add(1)
			return nil
		}
		ev = s.local.decode(it)
	}
	switch ev := ev.(type) {
	case *BookEvent:
		if sub.merge != nil {
			return s.applyLanedBook(sub, ev, it)
		}
		return s.applyBook(sub, ev)
	case *TickerEvent:
		if sub.merge != nil {
			return s.applyLateTicker(sub, ev, it.lane)
		}
		sub.applyTicker(ev)
	case *GapEvent:
		s.applyGap(sub, ev)
		s.count.gaps.Add(1)
	case *SilentEvent:
		s.count.silent.Add(1)
	case *fullNotice:
		return s.applyFullNotice(sub, ev, it.received)
	case *lanesNotice:
		s.applyLanes(sub, ev, it.received)
		return nil
	case *quietNotice:
		sub.quiet = ev.silent
		return nil
	case *DecodeErrorEvent:
		s.count.undecoded.Add(1)
		s.applyDamage(sub)
	}
	return ev
}

// applyBook takes a message of an order book into account. Where a gap comes
// before the message itself, the message is kept for the next call.
func (s *Stream) applyBook(sub *subscription, ev *BookEvent) Event {
	if sub.kind == wire.KindFullOrderBook {
		return s.applyFull(sub, ev)
	}
	if !sub.chained {
		return s.yieldBook(sub, ev)
	}
	if sub.broken && !ev.Snapshot && ev.ID != 1 {
		// Nothing is known that this delta could change.
		if sub.policy == BooksNone {
			sub.loose = ev.ID
			return s.yieldBook(sub, ev)
		}
		sub.dropped += 1 + ev.Conflated
		s.count.dropped.Add(int64(1 + ev.Conflated))
		return nil
	}
	if lost := sub.missing(sub.loose, &ev.Update); sub.broken && lost != nil {
		// Since the gap that broke the chain there were messages, and now there are some
		// missing again.
		sub.loose = 0
		s.local.after(sub, ev)
		return s.bookGap(sub, lost, 0, ev.Received)
	}
	fault := sub.skipped(&ev.Update)
	if fault != nil {
		s.count.violations.Add(1)
	}
	if ev.Snapshot && fault != nil && sub.policy != BooksLenient {
		// The snapshot is good; what lies between it and the last message is
		// missing.
		sub.breakChain()
		s.local.after(sub, ev)
		return s.bookGap(sub, fault, 0, ev.Received)
	}
	if err := sub.advance(&ev.Update, fault); err != nil {
		if fault == nil {
			s.count.violations.Add(1)
		}
		sub.breakChain()
		dropped := 1 + ev.Conflated
		if sub.policy == BooksNone {
			s.local.after(sub, ev)
			dropped = 0
		}
		s.count.dropped.Add(int64(dropped))
		gap := s.bookGap(sub, err, dropped, ev.Received)
		s.mail.put(letter{event: session.Resync{Topic: sub.topic.name}})
		return gap
	}
	sub.broken = false
	if sub.merge != nil {
		sub.merge.chain.broken = false
	}
	sub.dropped = 0
	if sub.book != nil {
		ev.Book = sub.book.View()
	}
	return s.yieldBook(sub, ev)
}

// after lets a decoded message come after the gap before it.
func (c *consumer) after(sub *subscription, ev *BookEvent) {
	c.more, c.moreSub, c.moreAt, c.pending = true, sub, ev.Received, ev
}

// applyMore goes on with an item of which something was left.
func (s *Stream) applyMore() Event {
	c := &s.local
	sub, ev := c.moreSub, c.pending
	c.pending = nil
	if sub.gone.Load() {
		c.more = false
		return nil
	}
	if ev != nil {
		return s.applyBook(sub, ev)
	}
	if sub.merge == nil {
		c.more = false
		return nil
	}
	return s.applyHeld(sub)
}

func (s *Stream) yieldBook(sub *subscription, ev *BookEvent) Event {
	s.local.last, s.local.lastBook = ev, nil
	switch {
	case sub.full != nil:
		s.local.lastBook = sub.full.machine
	case sub.book != nil:
		s.local.lastBook = sub.book
	}
	return ev
}

// bookGap announces that messages of a book are missing, dropped of them because
// of what is wrong now.
func (s *Stream) bookGap(sub *subscription, err error, dropped int, at time.Time) *GapEvent {
	gap := &GapEvent{Topic: sub.topic, Reason: GapBook, Err: err, Dropped: dropped + sub.dropped, Time: at}
	sub.dropped = 0
	s.count.gaps.Add(1)
	s.traceGap(gap)
	return gap
}

// traceGap lets the runner tell the user's Trace of a gap that the consumer
// found.
func (s *Stream) traceGap(gap *GapEvent) {
	if told := s.client.opts.Trace.Gap; told != nil {
		s.mail.put(letter{tell: func() { told(gap.Topic, gap.Reason, gap.Err) }})
	}
}

// applyTicker makes the event's fields the state as of the event.
func (sub *subscription) applyTicker(ev *TickerEvent) {
	ev.arrived = ev.fields
	if ev.Snapshot {
		sub.ticker, sub.complete = ev.Ticker, true
	} else {
		sub.ticker.Merge(&ev.Ticker)
		ev.Ticker = sub.ticker
	}
	ev.Complete = sub.complete
}

// breakChain makes the book wait for a snapshot.
func (sub *subscription) breakChain() {
	sub.broken, sub.loose = true, 0
	if sub.merge != nil {
		sub.merge.chain.broken = true
	}
}

// applyGap makes the state wait for a snapshot.
func (s *Stream) applyGap(sub *subscription, ev *GapEvent) {
	if sub.merge != nil {
		s.count.dropped.Add(int64(sub.merge.reset()))
	}
	sub.ticker, sub.complete = Ticker{}, false
	sub.dropped, sub.quiet = 0, nil
	sub.broken, sub.loose = sub.chained, 0
	if sub.book != nil {
		sub.book.Invalidate(&gapError{ev.Reason, ev.Err, ev.Time})
	}
	if sub.kind == wire.KindFullOrderBook {
		s.resetFull(sub, ev)
	}
}

// applyDamage handles a message that could not be decoded. A book shows the loss
// by itself, since the next update id skips, unless what was lost is the snapshot
// that it waits for. A ticker has no such number, so it starts anew.
func (s *Stream) applyDamage(sub *subscription) {
	if sub.snapshots(s.ch) && (!sub.chained || sub.broken) {
		sub.complete = false
		s.mail.put(letter{event: session.Resync{Topic: sub.topic.name}})
	}
}

// gapError is what reads of a book return after a gap, until the snapshot.
type gapError struct {
	reason GapReason
	err    error
	since  time.Time
}

// Error says why there is no book.
func (e *gapError) Error() string {
	text := "no book since " + e.since.Format(time.RFC3339) + ": " + string(e.reason)
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

// Unwrap returns what happened.
func (e *gapError) Unwrap() error { return e.err }
