package bybit

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/bywire/bywire/internal/queue"
	"github.com/bywire/bywire/internal/session"
)

// Recv returns the next event and waits for it if there is none.
//
// ctx bounds the wait; when it has ended its error is returned, and the stream stays
// usable. After Close, Recv returns what was queued and then [ErrClosed]; at the
// end of a replay likewise, with [ErrEndOfCapture].
// While another Recv is under way it returns [ErrConcurrentRecv].
//
// The book of a [BookEvent] is changed here, on the caller's goroutine. It is
// valid until the next Recv.
func (s *Stream) Recv(ctx context.Context) (Event, error) {
	if !s.consuming.CompareAndSwap(false, true) {
		return nil, ErrConcurrentRecv
	}
	ev, err := s.recv(ctx)
	s.consuming.Store(false)
	return ev, err
}

func (s *Stream) recv(ctx context.Context) (Event, error) {
	c := &s.local
	c.release()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if ev := s.fromBatch(); ev != nil {
			return ev, nil
		}
		full, err := s.queue.Take(ctx, c.out)
		if err != nil {
			c.next = 0
			if errors.Is(err, queue.ErrClosed) {
				err = s.final
			}
			return nil, err
		}
		c.out, c.next = full, 0
	}
}

// TryRecv returns the next event if there is one: false if there is none now,
// which includes one that the network side is just about to hand over. The
// error is that of Recv after Close or the end of a replay, once nothing is queued
// any more.
func (s *Stream) TryRecv() (Event, bool, error) {
	if !s.consuming.CompareAndSwap(false, true) {
		return nil, false, ErrConcurrentRecv
	}
	defer s.consuming.Store(false)
	c := &s.local
	c.release()
	for {
		if ev := s.fromBatch(); ev != nil {
			return ev, true, nil
		}
		full, err := s.queue.TryTake(c.out)
		c.next = 0
		if err != nil {
			return nil, false, s.final
		}
		if full == nil {
			return nil, false, nil
		}
		c.out = full
	}
}

// Events returns the events as they come, for a range loop. An error is yielded
// at most once, last: ctx's error when ctx has ended, after which the stream
// stays usable, or Recv's error after the stream's end, once what was queued has
// been yielded.
// Breaking out of the loop keeps the stream, and what is queued.
func (s *Stream) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			ev, err := s.Recv(ctx)
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// release ends the validity of the book that was yielded last. The levels of
// the event are used again.
func (c *consumer) release() {
	if c.last != nil {
		c.last.Bids, c.last.Asks = nil, nil
		c.last = nil
		if c.lastBook != nil {
			c.lastBook.Release()
		}
	}
}

// fromBatch returns the next event of the batch that is worth yielding, nil at
// its end.
func (s *Stream) fromBatch() Event {
	c := &s.local
	for c.next < len(c.out.Items) {
		it := &c.out.Items[c.next]
		c.next++
		if ev := s.apply(it); ev != nil {
			return ev
		}
	}
	return nil
}

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
