package bybit

import (
	"context"
	"errors"
	"iter"

	"github.com/bywire/bywire/internal/queue"
)

// Recv returns the next event and waits for it if there is none.
//
// ctx bounds the wait; when it has ended its error is returned, and the stream stays
// usable. After Close, Recv returns what was queued and then [ErrClosed]; at the
// end of a replay likewise, with [ErrEndOfCapture].
// While another Recv is under way it returns [ErrConcurrentRecv], and of a stream that
// was given to [Merge], [ErrMerged].
//
// The book of a [BookEvent] is changed here, on the caller's goroutine. It is
// valid until the next Recv or TryRecv, also if that returns no event.
func (s *Stream) Recv(ctx context.Context) (Event, error) {
	if !s.consuming.CompareAndSwap(false, true) {
		return nil, s.refusal()
	}
	ev, err := s.recv(ctx)
	s.consuming.Store(false)
	return ev, err
}

// refusal says why there is no Recv now.
func (s *Stream) refusal() error {
	if s.taken.Load() {
		return ErrMerged
	}
	return ErrConcurrentRecv
}

func (s *Stream) recv(ctx context.Context) (Event, error) {
	if s.merged != nil {
		return s.merged.recv(ctx)
	}
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
// errors are Recv's: after Close or the end of a replay, once nothing is queued any
// more, and at once if the stream has another consumer. After false without an error,
// [Stream.Ready] tells when to try again. A [BookEvent] is valid as long as Recv's.
func (s *Stream) TryRecv() (Event, bool, error) {
	if !s.consuming.CompareAndSwap(false, true) {
		return nil, false, s.refusal()
	}
	defer s.consuming.Store(false)
	if s.merged != nil {
		return s.merged.tryRecv()
	}
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

// Ready returns a channel for a select: after TryRecv has said false, it receives
// as soon as there may be an event, or the stream's end. The channel is always the
// same one, is never closed, and has nothing to drain.
//
// It holds one wake-up for all that gathers, so every wake-up is followed by
// TryRecv until that says false or gives an error:
//
//	for {
//		for {
//			ev, ok, err := stream.TryRecv()
//			if err != nil {
//				return err
//			}
//			if !ok {
//				break
//			}
//			handle(ev)
//		}
//		select {
//		case <-stream.Ready():
//		case <-timer.C:
//		}
//	}
//
// A wake-up may be for nothing: another call has taken the event already, or it
// was of a topic that is unsubscribed. None is ever missing. After the stream's end
// has been received there is none any more.
func (s *Stream) Ready() <-chan struct{} {
	if s.merged != nil {
		return s.merged.wake
	}
	return s.queue.Ready()
}

// Events returns the events as they come, for a range loop. An error is yielded
// at most once, last: ctx's error when ctx has ended, after which the stream
// stays usable; Recv's error after the stream's end, once what was queued has
// been yielded; or [ErrConcurrentRecv] or [ErrMerged], as Recv's. Gaps, rejections and
// what cannot be decoded are events.
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
	for c := &s.local; c.more || c.next < len(c.out.Items); {
		if ev := s.fromItem(); ev != nil {
			return ev
		}
	}
	return nil
}

// fromItem goes on with the item before, if more is to come of it, or takes one item
// of the batch, which has one. It returns the event, or nil if there is none worth
// yielding.
func (s *Stream) fromItem() Event {
	c := &s.local
	if c.more {
		return s.applyMore()
	}
	it := &c.out.Items[c.next]
	c.next++
	return s.apply(it)
}
