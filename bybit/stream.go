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
	// ErrClosed is what calls return after Close: Recv once it has handed out
	// what was queued.
	ErrClosed = errors.New("stream closed")

	// ErrEndOfCapture is what calls return after the server of a replay has said
	// that its capture is over, by closing with code 1000 and the reason "end of
	// capture": Recv once it has handed out what was queued. The stream is closed
	// then. The exchange itself never says so; every other end is a lost
	// connection.
	ErrEndOfCapture = errors.New("end of capture")

	// ErrConcurrentRecv is what Recv returns while another Recv of the same
	// stream is under way: a stream has one consumer.
	ErrConcurrentRecv = errors.New("concurrent Recv on one stream")

	// ErrMerged is what Recv returns of a stream that was given to Merge: its
	// events come out of the merged stream.
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
// A stream lives until Close. When its connection is lost it yields a
// [GapEvent] per topic and connects again, for ever, with pauses that grow to 30
// seconds; then it subscribes all topics again. A connection whose peer sends
// nothing, not even an answer to a ping, is taken for lost after 30 seconds.
//
// The queue between the network and the consumer is bounded, see
// [StreamOptions].QueueBytes. The network side never waits for the consumer.
type Stream struct {
	// Who owns what. Three goroutines and the callers take part:
	//
	//	runner    one per stream, lives until it has ended. It owns the session
	//	          machine, the subscriptions' registry and the calls that wait.
	//	          It never blocks but for its mailbox and its timer.
	//	dialer    one per attempt, ends with it. It hands the connection over
	//	          through the mailbox.
	//	reader    one per connection, started by the runner when there is no
	//	          other. It finds each frame's subscription, handles control
	//	          frames, and copies data frames into the queue's batch, once per
	//	          burst. It never waits for anybody but the socket. Its last act is a
	//	          letter to the runner.
	//	consumer  whoever calls Recv, held to one by the flag consuming. It owns
	//	          the batch it took, decoding, the memory of events, the books
	//	          and the states of tickers.
	//
	//	user ─Subscribe, Close─▶ mail ─▶ runner ─▶ dialer, socket's writer
	//	consumer ─resync───────▶ mail      │ gap, rejected
	//	reader ──acks, lost────▶ mail      ▼
	//	socket ─▶ reader ──────frames───▶ queue ─▶ consumer ─▶ events
	//
	// Locks nest in one order: queue, then mail. No lock is held while user code
	// runs; there is no user code outside the consumer's goroutine.
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
	// holds counts how often the reader began or ended to wait for the consumer,
	// as OverflowWait says: odd while it waits.
	holds atomic.Int64
	// closing is closed by the runner when Close was called.
	closing chan struct{}
	over    sync.Once // for abort and Close

	read  reader         // owned by the reader
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

// Close ends the connection in order and then the stream. Events that are
// queued can still be received. It waits until the stream's goroutines have ended, at
// most about a second, and always returns nil.
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
