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
	// says so. Default: 64 MiB; at least 64 KiB.
	QueueBytes int

	// RawFrames keeps a copy of each message's bytes in the event's Frame.
	// Default: no.
	RawFrames bool
}

const (
	defaultQueueBytes  = 64 << 20
	minQueueBytes      = 64 << 10
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
	return opts
}
