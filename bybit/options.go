package bybit

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"
)

// Options are what a [Client] is made with. The zero value, and nil, mean
// public data of mainnet.
type Options struct {
	// Environment says which deployment to talk to. Default: Mainnet.
	Environment Environment

	// DialContext opens network connections, for proxies and tests. Default:
	// a net.Dialer, which reads no proxy from the environment.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLS is the configuration for wss and https; the server's name is filled
	// in. Default: the system's certificate authorities.
	TLS *tls.Config

	// DialTimeout bounds one connect with its handshakes. Default: 15 s.
	DialTimeout time.Duration

	// Logger gets a line when a connection opens, ends or is retried, and
	// when a topic is rejected; none per message. Default: discard.
	Logger *slog.Logger
}

// StreamOptions are what a [Stream] is made with. Nil means the defaults.
type StreamOptions struct {
	// QueueBytes bounds what waits for a slow consumer, in bytes of memory.
	// One half gathers while the consumer works through the other. When its
	// half is full, what has gathered is discarded, and a GapEvent per topic
	// says so. Default: 64 MiB; at least 64 KiB, 8 MiB with OverflowWait.
	QueueBytes int

	// Overflow says what happens when the queue is full. Default: OverflowGap.
	Overflow Overflow

	// Books says whether the stream keeps order books. Default: BooksVerified.
	Books Books

	// RawFrames keeps a copy of each message's bytes in the event's Frame.
	// Default: no.
	RawFrames bool
}

// Books is what a stream does with the messages of order book topics.
type Books uint8

const (
	// BooksVerified keeps a book for each topic, changed and checked message by
	// message, see [BookEvent].
	BooksVerified Books = iota

	// BooksNone delivers the messages alone, for those who keep books of their
	// own. That update ids follow one another is still checked, and a gap is
	// still announced and mended by a snapshot; reads of BookEvent.Book return
	// [book.ErrNoBook].
	BooksNone
)

// Overflow is what a stream does when its queue is full.
type Overflow uint8

const (
	// OverflowGap discards what has gathered and says so with a GapEvent per
	// topic: the right end for live data. The network side never waits.
	OverflowGap Overflow = iota

	// OverflowWait stops reading until the consumer has caught up, so that
	// the server feels it. It is for replays, which go as fast as they are
	// read: nothing is lost. A live exchange would cut the connection.
	// Meanwhile no reply is read either: Subscribe inside the event loop waits for ctx
	// if the queue is full.
	OverflowWait
)

const (
	defaultQueueBytes  = 64 << 20
	minQueueBytes      = 64 << 10
	minWaitingBytes    = 8 << 20 // so that what one read brings fits a quarter
	defaultDialTimeout = 15 * time.Second
)

func (o *Options) withDefaults() Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.Environment == (Environment{}) {
		opts.Environment = Mainnet()
	}
	if opts.DialTimeout <= 0 {
		opts.DialTimeout = defaultDialTimeout
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return opts
}

func (o *StreamOptions) withDefaults() StreamOptions {
	var opts StreamOptions
	if o != nil {
		opts = *o
	}
	if opts.QueueBytes <= 0 {
		opts.QueueBytes = defaultQueueBytes
	}
	opts.QueueBytes = max(opts.QueueBytes, minQueueBytes)
	if opts.Overflow == OverflowWait {
		opts.QueueBytes = max(opts.QueueBytes, minWaitingBytes)
	}
	return opts
}
