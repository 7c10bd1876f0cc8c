// Package queue hands items from one side that must never wait to one that may
// sleep: from a socket's reader to the user's loop.
//
// A [Queue] is two batches. The producer takes one out, appends to it and puts
// it back, once per burst; the consumer works through the other without any lock,
// and when that is done they swap:
//
//	producer:  b := q.Lock(); b.Items = append(b.Items, ...); b.Bytes += n; q.Unlock()
//	consumer:  b, err = q.Take(ctx, b); for _, item := range b.Items { ... }
//
// While the producer has the batch, a consumer that comes for it finds nothing
// and sleeps. Both locks of the queue are held for a few instructions or, the
// producers' own, by producers only: a producer that loses its processor in the
// middle of a burst leaves nobody hanging on a mutex.
//
// A channel costs 95 ns an item because each one is an agreement between two
// goroutines; here the agreement is per batch, so the price of an item is that of
// an append. The consumer is woken only if it sleeps, once. One that waits for other
// things as well waits on [Queue.Ready]; one that works through several queues lets them
// wake it through one channel, see [Queue.Share].
//
// Each batch carries an [Arena]: memory of the items that goes back to the
// producer with the batch, so that what an item points at is allocated once.
//
// The bound is in bytes, as the producer counts them, and it is the producer
// who decides what happens at the bound: [Queue.Fits] asks, the batch is at hand,
// and nothing is dropped here. Both batches together hold at most the limit given to New:
// each holds half of it.
//
// The queue knows neither events nor books. It is safe for any number of
// goroutines that produce and one that consumes; that there is one is the caller's care.
package queue

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// ErrClosed is what Take returns when the queue is closed and empty.
var ErrClosed = errors.New("queue closed")

// Arena is memory that items of a batch point into. Reset makes it empty for
// the next use; nobody reads the old items any more.
type Arena interface{ Reset() }

// Batch is a run of items in order.
type Batch[T any, A Arena] struct {
	Items []T
	Bytes int // what the producer counted for the items
	Arena A
}

// keepItems is how many items' room an emptied batch keeps: a burst after a
// long pause must not hold its memory for ever.
const keepItems = 16 << 10

func (b *Batch[T, A]) reset() {
	if cap(b.Items) > keepItems {
		b.Items = nil
	}
	clear(b.Items)
	b.Items = b.Items[:0]
	b.Bytes = 0
	b.Arena.Reset()
}

// Queue is the two batches. Make one with New.
type Queue[T any, A Arena] struct {
	limit int           // bytes of one batch
	own   chan struct{} // what Ready returns; holds one token

	// some is true while there is something to take, or to find out: items or
	// the end. It is written under mu and read without.
	some atomic.Bool

	producing sync.Mutex   // held from Lock to Unlock; guards filling and its batch
	filling   *Batch[T, A] // the batch that a producer has taken out

	mu     sync.Mutex    // guards what follows
	wake   chan struct{} // own, or what Share was given
	in     *Batch[T, A]
	room   chan struct{} // closed by the next Take, for a producer that waits; nil: nobody does
	queued int           // bytes in the batch as of the last Unlock
	asleep bool          // the consumer has found nothing and wants a token in wake
	closed bool
}

// New returns a queue that holds at most limit bytes, and the empty batch
// with which the consumer begins: it is the spent batch of its first Take.
func New[T any, A Arena](limit int, arena func() A) (*Queue[T, A], *Batch[T, A]) {
	wake := make(chan struct{}, 1)
	q := &Queue[T, A]{
		limit: limit / 2,
		own:   wake,
		wake:  wake,
		in:    &Batch[T, A]{Arena: arena()},
	}
	return q, &Batch[T, A]{Arena: arena()}
}

// Lock gives a producer the batch to append to until Unlock.
func (q *Queue[T, A]) Lock() *Batch[T, A] {
	q.producing.Lock()
	q.mu.Lock()
	q.filling, q.in = q.in, nil
	q.mu.Unlock()
	return q.filling
}

// Fits reports whether n more bytes are within the bound. Between Lock and
// Unlock only.
func (q *Queue[T, A]) Fits(n int) bool { return q.filling.Bytes+n <= q.limit }

// Unlock ends the producer's turn, wakes the consumer if it sleeps and there is
// something for it, and returns how many bytes are queued.
func (q *Queue[T, A]) Unlock() int {
	b := q.filling
	bytes := b.Bytes
	q.mu.Lock()
	q.in, q.queued = b, bytes
	var wake chan struct{}
	if len(b.Items) > 0 || q.closed {
		if q.asleep {
			q.asleep, wake = false, q.wake
		}
		if !q.some.Load() {
			q.some.Store(true)
		}
	}
	q.mu.Unlock()
	q.producing.Unlock()
	if wake != nil {
		signal(wake)
	}
	return bytes
}

func signal(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default: // a wake-up that nobody has taken yet serves as well
	}
}

// Take returns spent, empty, to the producer and gives the consumer the items
// that have gathered, at least one. It waits for ctx at most. After Close it
// returns what is left, then ErrClosed. On an error the consumer keeps spent, emptied.
func (q *Queue[T, A]) Take(ctx context.Context, spent *Batch[T, A]) (*Batch[T, A], error) {
	spent.reset()
	for {
		full, err := q.swap(spent)
		if full != nil || err != nil {
			return full, err
		}
		select {
		case <-q.own:
		case <-ctx.Done():
			return nil, ctx.Err() // the wake-up that may come is for Ready, or too many
		}
	}
}

// TryTake is Take without waiting: nil when there is nothing. When that changes,
// Ready gets a token.
func (q *Queue[T, A]) TryTake(spent *Batch[T, A]) (*Batch[T, A], error) {
	spent.reset()
	return q.swap(spent)
}

// Ready returns a channel that gets a token after Take or TryTake have found
// nothing and there may be something since: items or the end. Tokens may be one
// too many, never one too few: whoever has taken one calls TryTake until it finds
// nothing, and only then waits again.
func (q *Queue[T, A]) Ready() <-chan struct{} { return q.own }

// Some reports whether TryTake would find something, or the end, without taking
// a lock: for a consumer of many queues. It asks for no token.
func (q *Queue[T, A]) Some() bool { return q.some.Load() }

// Share makes all tokens of the queue go to wake, which holds one and which
// other queues share, so that one goroutine can wait for them all. Ready gets a last
// token, for whoever waits there. The consumer uses TryTake from here on, not Take.
func (q *Queue[T, A]) Share(wake chan struct{}) {
	q.mu.Lock()
	last := q.wake
	q.wake = wake
	q.mu.Unlock()
	signal(last)
	signal(wake)
}

func (q *Queue[T, A]) swap(spent *Batch[T, A]) (*Batch[T, A], error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.in != nil && len(q.in.Items) > 0 {
		full := q.in
		q.in, q.queued = spent, 0
		q.some.Store(q.closed)
		if q.room != nil {
			close(q.room)
			q.room = nil
		}
		return full, nil
	}
	if q.closed && q.in != nil {
		return nil, ErrClosed
	}
	q.asleep = true
	return nil, nil
}

// Room returns nil while the queue is less than half full, and otherwise a
// channel that is closed when the consumer has taken what is in it: for producers
// that would rather wait than discard.
func (q *Queue[T, A]) Room() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.queued <= q.limit/2 {
		return nil
	}
	if q.room == nil {
		q.room = make(chan struct{})
	}
	return q.room
}

// Bytes returns what is queued and not taken yet.
func (q *Queue[T, A]) Bytes() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.queued
}

// Close lets the consumer end after what is queued. Items may still be
// appended, and are still handed over.
func (q *Queue[T, A]) Close() {
	q.mu.Lock()
	q.closed = true
	q.asleep = false
	q.some.Store(true)
	wake := q.wake
	q.mu.Unlock()
	signal(wake)
}
