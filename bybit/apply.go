package bybit

import (
	"time"

	"github.com/bywire/bywire/internal/session"
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
	if ev == nil {
		ev = s.local.decode(it)
	}
	switch ev := ev.(type) {
	case *BookEvent:
		return s.applyBook(sub, ev)
	case *TickerEvent:
		sub.applyTicker(ev)
	case *GapEvent:
		sub.applyGap(ev)
		s.count.gaps.Add(1)
	case *DecodeErrorEvent:
		s.count.undecoded.Add(1)
		s.applyDamage(sub)
	}
	return ev
}

func (s *Stream) applyBook(sub *subscription, ev *BookEvent) Event {
	if !sub.chained {
		s.local.last, s.local.lastBook = ev, nil
		return ev
	}
	if sub.broken && !ev.Snapshot && ev.ID != 1 {
		// Nothing is known that this delta could change.
		sub.dropped++
		s.count.dropped.Add(1)
		return nil
	}
	if err := sub.advance(&ev.Update); err != nil {
		sub.broken = true
		s.mail.put(letter{event: session.Resync{Topic: sub.topic.name}})
		s.count.dropped.Add(1)
		gap := &GapEvent{Topic: sub.topic, Reason: GapBook, Err: err, Dropped: 1 + sub.dropped, Time: ev.Received}
		sub.dropped = 0
		s.count.gaps.Add(1)
		return gap
	}
	sub.broken = false
	sub.dropped = 0
	if sub.book != nil {
		ev.Book = sub.book.View()
	}
	s.local.last, s.local.lastBook = ev, sub.book
	return ev
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

// applyGap makes the state wait for a snapshot.
func (sub *subscription) applyGap(ev *GapEvent) {
	sub.ticker, sub.complete = Ticker{}, false
	sub.dropped = 0
	sub.broken = sub.chained
	if sub.book != nil {
		sub.book.Invalidate(&gapError{ev.Reason, ev.Err, ev.Time})
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
