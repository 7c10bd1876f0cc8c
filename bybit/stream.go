package bybit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bywire/bywire/internal/queue"
	"github.com/bywire/bywire/internal/wsclient"
)

// Errors of streams.
var (
	// ErrClosed is what calls return after Close of a stream or its client: Recv once it
	// has handed out what was queued.
	ErrClosed = errors.New("stream closed")

	// ErrEndOfCapture is what calls return after the server of a replay has said
	// that its capture is over, by closing with code 1000 and the reason "end of
	// capture": Recv once it has handed out what was queued. The stream is closed
	// then. The exchange itself never says so; every other end is a lost
	// connection.
	ErrEndOfCapture = errors.New("end of capture")

	// ErrConcurrentRecv is what Recv and TryRecv return, and Events yields, while
	// another of them takes an event of the same stream: a stream has one consumer.
	ErrConcurrentRecv = errors.New("concurrent Recv on one stream")

	// ErrMerged is what Recv and TryRecv return, and Events yields, of a stream that
	// was given to Merge: its events come out of the merged stream.
	ErrMerged = errors.New("stream is part of a merged stream")
)

// CloseError is why a connection ended that the peer closed in order: its code
// and reason, 1005 if it gave none. It is the Err of a [GapEvent].
type CloseError = wsclient.CloseError

// HandshakeError is a server's refusal of the WebSocket handshake, with the
// HTTP status: 403 from a region or address without access, 404 for a path that
// does not exist.
type HandshakeError = wsclient.HandshakeError

// Stream is a self-healing subscription to topics of one channel, and the
// ordered events that come of it. Make one with [Client.Public].
//
// Events are pulled, by [Stream.Recv] or a loop over [Stream.Events], by one
// consumer at a time. All other methods are safe for concurrent use, also from within
// that loop.
//
// A stream lives until Close. It opens as many connections as its topics need:
// the exchange bounds the topics of one, see [Client.Public]. When a connection is
// lost the stream yields a [GapEvent] per topic that was on it, and on no other,
// and connects again, for ever, with pauses that grow to 30 seconds; then it
// subscribes all its topics again. A connection whose peer sends nothing, not even an
// answer to a ping, is taken for lost after 30 seconds. A topic that brings nothing
// for longer than expected is subscribed anew; [SilentEvent] says when that is told.
//
// Events of one topic come in the exchange's order. Those of different topics come in
// the order in which they were received, also from several connections; with
// [StreamOptions].Duplicates or RollAfter a message of an order book may wait up to a
// second for the one before it.
//
// The queue between the network and the consumer is bounded, see
// [StreamOptions].QueueBytes. The network side never waits for the consumer, unless
// [OverflowWait] tells it to. Nothing is dropped silently: what is lost on the way, or
// discarded because the queue was full, is a [GapEvent] in its place, what cannot be
// decoded a [DecodeErrorEvent].
type Stream struct {
	// Who owns what. These goroutines and the callers take part:
	//
	//	runner    one per stream, lives until it has ended. It owns the session,
	//	          the links and their connections, the subscriptions' registry and
	//	          the calls that wait. It never blocks but for its mailbox and its
	//	          timer, and while the user's Trace runs.
	//	dialer    one per attempt of a link, ends with it. It waits for the budget,
	//	          connects, and hands the connection over through the mailbox.
	//	reader    one per connection, started by the runner when it is made. It
	//	          finds each frame's subscription, handles control frames, and copies
	//	          data frames into the queue's batch, once per burst. It waits for the
	//	          socket, and for other readers of the stream while these have the
	//	          batch: for the copying of a burst. Its last act is a letter to the
	//	          runner.
	//	consumer  whoever calls Recv, held to one by the flag consuming. It owns
	//	          the batch it took, decoding, the memory of events, the books,
	//	          the states of tickers, and what puts the lanes of a topic into
	//	          one order.
	//
	//	user ─Subscribe, Close─▶ mail ─▶ runner ─▶ dialers, sockets' writers
	//	consumer ─resync───────▶ mail      │ gap, rejected, silent, lanes
	//	readers ─acks, lost────▶ mail      ▼
	//	sockets ─▶ readers ────frames───▶ queue ─▶ consumer ─▶ events
	//
	// Locks nest in one order: queue, then mail. No lock is held while user code
	// runs, which it does on the consumer's goroutine, and as Trace on the runner's.
	client *Client
	ch     Channel
	url    string
	opts   StreamOptions
	log    *slog.Logger

	mail  mailbox
	queue *queue.Queue[item, *arena]
	// table is what the reader finds subscriptions by. The runner replaces it;
	// a map that was stored is never written again.
	table  atomic.Pointer[map[string]*subscription]
	cancel context.CancelFunc // ends dials
	up     chan struct{}      // closed by the runner when the first dial has succeeded
	done   chan struct{}      // closed by the runner when it has ended
	final  error              // why there is no more; set by the runner before it closes queue and done
	// closing is closed by the runner when Close was called.
	closing chan struct{}
	over    sync.Once // for abort and Close

	began time.Time      // what a subscription's heard counts from; never written again
	local consumer       // owned by the consumer
	count streamCounters // see there

	consuming atomic.Bool // a Recv is under way, or the stream is taken
	taken     atomic.Bool // by Merge, for ever

	merged *merged // set in what Merge returns, which has none of the above but consuming and taken
}

// item is one entry of the queue: a frame as it came, or a notice.
type item struct {
	sub      *subscription // nil for a notice without a topic
	ev       Event         // the notice
	frame    []byte        // in the memory of the batch
	received time.Time     // of the frame; of a notice, when it was made
	lane     uint8         // of the connection that brought the frame
}

// newStream returns a stream whose runner has not started.
func newStream(c *Client, ch Channel, url string, opts StreamOptions) *Stream {
	s := &Stream{
		client: c,
		ch:     ch,
		url:    url,
		opts:   opts,
		log:    c.opts.Logger.With("channel", string(ch)),
		up:     make(chan struct{}),
		done:   make(chan struct{}),

		closing: make(chan struct{}),
		began:   time.Now(),
	}
	s.mail.wake = make(chan struct{}, 1)
	s.table.Store(&map[string]*subscription{})
	s.queue, s.local.out = queue.New[item](opts.QueueBytes, newArena)
	s.local.raw = opts.RawFrames
	return s
}

// open starts the stream and waits for the answers to its topics.
func (s *Stream) open(ctx context.Context, topics []Topic) error {
	// Lifetime ends with Close, not with the ctx of the caller.
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	r := newRunner(life, s)
	go r.run()
	w := newWaiter(topics)
	s.mail.put(letter{open: true, subscribe: w})
	if err := s.await(ctx, w); err != nil {
		return err
	}
	select {
	case <-s.up:
		return nil
	case <-s.done:
		select {
		case <-s.up:
			return nil // a short replay may be over already: its events are queued
		default:
		}
		if r.failure != nil {
			return r.failure
		}
		return s.final // closed with its client
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the connections in order and then the stream. Events that are
// queued can still be received; calls that wait, such as Subscribe, return [ErrClosed]. It
// waits until the stream's goroutines have ended, at most about a second, and always
// returns nil. A second Close does nothing.
func (s *Stream) Close() error {
	if s.merged != nil {
		s.merged.close()
		return nil
	}
	s.over.Do(func() { s.mail.put(letter{close: true}) })
	<-s.done
	return nil
}

// abort is Close without the second of good manners.
func (s *Stream) abort() {
	s.over.Do(func() { s.mail.put(letter{close: true, abort: true}) })
	<-s.done
}
