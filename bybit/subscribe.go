package bybit

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/internal/session"
	"github.com/bywire/bywire/internal/wire"
)

// subscription is a topic of a stream and the state that builds on its
// messages. The runner makes it; each part has one owner.
type subscription struct {
	topic  Topic
	kind   wire.Kind // KindUnknown: delivered undecoded
	symbol string
	// repeats is the longest silence that the exchange promises, 0 if it promises
	// none.
	repeats time.Duration

	gone atomic.Bool // set when the topic was unsubscribed: nothing of it is yielded any more

	heard atomic.Int64 // when the last message came, in nanoseconds since the stream began; 0: never

	// Guarded by the queue's producers' lock, which whoever takes a frame has.
	seen [maxLanes]int // by lane: the connection on which the last message came

	// Likewise, for the length of one overflow.
	lost  int
	gap   *GapEvent
	group int // of its items while a batch is conflated, from 1; 0: none yet
	kept  keptNotices

	// Owned by the consumer.
	policy   Books
	chained  bool       // messages build on one another by their update ids
	single   bool       // depth 1, of which every message is a snapshot
	updateID int64      // of the last message of the chain
	loose    int64      // of the last one that was yielded although the chain is broken; 0: none
	book     *book.Book // nil if none is kept
	full     *fullBook  // likewise, of orderbook.full
	broken   bool       // a chain waits for a snapshot
	dropped  int        // messages discarded since the last gap
	ticker   Ticker
	complete bool         // ticker began with a snapshot
	quiet    *SilentEvent // what to tell if the next message shows a loss; nil: nothing
	merge    *merger      // nil where one connection brings each message
}

func newSubscription(t Topic, ch Channel, opts *StreamOptions) *subscription {
	books := opts.Books
	sub := &subscription{topic: t, policy: books}
	if opts.Duplicates > 1 || opts.RollAfter > 0 {
		defer func() { sub.merge = newMerger(sub.kind, sub.single) }()
	}
	if t.raw {
		return sub
	}
	parsed, err := wire.ParseTopic(t.name)
	if err != nil {
		return sub // checkTopics lets none through
	}
	sub.kind, sub.symbol = parsed.Kind, parsed.Symbol
	sub.repeats = parsed.RepeatOn(wire.Channel(ch))
	depth := parsed.Depth
	switch parsed.Kind {
	case wire.KindFullOrderBook:
		if books != BooksNone {
			sub.full = newFullBook()
		}
		return sub
	case wire.KindOrderBook:
	case wire.KindRPIOrderBook:
		depth = rpiDepth
	default:
		return sub
	}
	sub.chained, sub.broken = true, true
	sub.single = depth == 1
	if books != BooksNone {
		sub.book = book.New(depth)
	}
	if books == BooksLenient {
		sub.book.SetPolicy(book.Lenient)
	}
	return sub
}

// skipped returns an error if messages are missing between the last one of the
// chain and u: update ids rise by one. V5 pages: websocket/public/orderbook,
// websocket/public/full-ob.
func (sub *subscription) skipped(u *book.Update) *book.Error {
	if sub.broken {
		return nil
	}
	return sub.missing(sub.updateID, u)
}

// missing returns what lies between a message of the chain and a later one, nil if that is
// nothing. last is the update id of the first of the two, 0 if there was none.
func (sub *subscription) missing(last int64, u *book.Update) *book.Error {
	want, first := last+1, u.First()
	switch {
	case first <= want && want <= u.ID || first == 1 || last == 0:
		return nil
	case u.Snapshot && (sub.single || u.ID == last || (u.From != 0 || sub.merge != nil) && first <= want):
		// Any other snapshot is ahead, or of a new count of which the beginning
		// was not seen. What stands for several messages has seen it; another
		// connection may bring it still.
		return nil
	}
	return &book.Error{Kind: book.Gap, Want: want, Got: first}
}

// advance takes the next message of a chain, into the book if there is one;
// fault is what skipped said. The error is a *book.Error.
func (sub *subscription) advance(u *book.Update, fault *book.Error) error {
	switch {
	case sub.book != nil:
		if err := sub.book.Apply(u); err != nil {
			return err
		}
	case fault != nil:
		return fault
	}
	sub.updateID = u.ID
	return nil
}

// rpiDepth is the number of levels of orderbook.rpi. V5 page:
// websocket/public/orderbook-rpi.
const rpiDepth = 50

// snapshots reports whether subscribing the topic on the channel brings a
// snapshot that later messages build on.
func (sub *subscription) snapshots(ch Channel) bool {
	switch sub.kind {
	case wire.KindOrderBook, wire.KindRPIOrderBook:
		return true
	case wire.KindTickers:
		return ch != Spot && ch != Option && ch != Spread
	}
	return false
}

// checkTopics refuses what the channel does not have. Topics that the venue has
// retired pass on deployments that are not the venue's own.
func checkTopics(env *Environment, ch Channel, books Books, topics []Topic) error {
	for _, t := range topics {
		switch {
		case t.name == "":
			return errors.New("the zero Topic is no topic")
		case t.raw:
			continue
		}
		parsed, err := wire.ParseTopic(t.name)
		if err == nil {
			err = parsed.CheckOn(wire.Channel(ch))
		}
		if err != nil && (env.venue || !errors.Is(err, wire.ErrRetired)) {
			return fmt.Errorf("topic %s: %w", t.name, err)
		}
		if err == nil && parsed.Kind == wire.KindFullOrderBook && books != BooksNone {
			if err := checkFull(env, ch); err != nil {
				return fmt.Errorf("topic %s: its book begins with a snapshot over REST: %w; BooksNone gives the messages alone", t.name, err)
			}
		}
	}
	return nil
}

// waiter is a call of Subscribe or Unsubscribe that waits for its answer.
type waiter struct {
	topics   []Topic
	answered chan struct{}   // closed by the runner
	result   session.Done    // valid then
	refused  []RejectedError // valid then
}

func newWaiter(topics []Topic) *waiter {
	return &waiter{topics: topics, answered: make(chan struct{})}
}

func (w *waiter) names() []string {
	names := make([]string, len(w.topics))
	for i, t := range w.topics {
		names[i] = t.name
	}
	return names
}

// await waits for the answer of a subscribe.
func (s *Stream) await(ctx context.Context, w *waiter) error {
	select {
	case <-w.answered:
	case <-s.done:
		// The runner may have answered with its last breath.
		select {
		case <-w.answered:
		default:
			return s.final
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case w.result.Err != nil:
		return w.result.Err
	case w.result.Accepted == 0 && len(w.refused) > 0:
		errs := make([]error, len(w.refused))
		for i := range w.refused {
			errs[i] = &w.refused[i]
		}
		return errors.Join(errs...)
	}
	return nil
}

// Subscribe adds topics to the stream. It returns when the exchange has accepted
// or rejected every one, or when ctx ends, which leaves the topics wanted.
// Rejected topics are no error unless all of them are: then the error wraps a
// [*RejectedError] for each. A [RejectedEvent] tells in either case.
// Topics that are subscribed already count as accepted. If the channel does not have
// one of the topics, none is subscribed and the error says why, as of [Client.Public].
// While the connection is lost, Subscribe waits for the next one; after Close it
// returns [ErrClosed].
//
// Requests are gathered and paced: a call and its opposite that was not sent yet cancel,
// and each connection sends at most some 55 requests a minute, besides full ones, as for
// many topics in one call. Topics that are subscribed one by one go at once up to
// forty; those that are taken off and on again wait for a turn after the first ten, of
// which there is one each 1.5 s.
func (s *Stream) Subscribe(ctx context.Context, topics ...Topic) error {
	if s.merged != nil {
		return fmt.Errorf("subscribe: %w", errMergedTopics)
	}
	if err := checkTopics(&s.client.opts.Environment, s.ch, s.opts.Books, topics); err != nil {
		return fmt.Errorf("subscribe %s: %w", s.ch, err)
	}
	w := newWaiter(topics)
	s.mail.put(letter{subscribe: w})
	if err := s.await(ctx, w); err != nil {
		return fmt.Errorf("subscribe %s: %w", s.ch, err)
	}
	return nil
}

// Unsubscribe takes topics off the stream. No event of theirs is yielded after
// it has returned, not even one that was queued. It waits for the exchange's
// answer or for ctx; the topics are gone in either case, and what the exchange still
// sends of them is dropped, counted in StreamStats.Unwanted. A Subscribe that still
// waits for one of the topics ends as if it had been rejected, without an event. Topics
// that are not subscribed are ignored, rejected ones too, of which what is queued still
// comes. It is paced as Subscribe is.
func (s *Stream) Unsubscribe(ctx context.Context, topics ...Topic) error {
	if s.merged != nil {
		return fmt.Errorf("unsubscribe: %w", errMergedTopics)
	}
	w := newWaiter(topics)
	// The runner does this as well; here it holds even if ctx has ended before
	// the runner comes to it.
	table := *s.table.Load()
	for _, t := range topics {
		if sub := table[t.name]; sub != nil {
			sub.gone.Store(true)
		}
	}
	s.mail.put(letter{unsubscribe: w})
	if err := s.await(ctx, w); err != nil {
		return fmt.Errorf("unsubscribe %s: %w", s.ch, err)
	}
	return nil
}
