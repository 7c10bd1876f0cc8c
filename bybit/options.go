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

	// Credentials sign calls. A client that has them needs an explicit Environment, of which
	// RESTURL is https, or http on this machine.
	// Default: none, public data only.
	Credentials *Credentials

	// RecvWindow is for how long after its timestamp the exchange accepts a request: a
	// millisecond or more. Default: 5 s, the exchange's own.
	RecvWindow time.Duration

	// Referer is a broker's id, sent with signed requests. Default: none.
	Referer string

	// Limits says what a call does when a limit is used up. Default: LimitWait.
	Limits LimitPolicy

	// WriteWait is how long a call that changes something may wait before it is signed and
	// sent: for limits, and for the clock to be measured. One that would leave later is not sent
	// and fails with a [*LimitError], or with the refusal of its timestamp, since an order that
	// leaves late is another order. Then RecvWindow begins. Cancels wait for as long as ctx
	// lasts, and so do all calls if it is below 0. Default: 5 s.
	WriteWait time.Duration

	// Retries is how often a call that changes nothing is repeated after a failure
	// that may pass: one of the network, HTTP status 5xx or 429, too many requests, an error or a
	// timeout inside of the exchange. A call that changes anything never is. Below 0: never. Default: 3.
	Retries int

	// DialContext opens network connections, for proxies and tests. Default:
	// a net.Dialer, which reads no proxy from the environment.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLS is the configuration for wss and https; the server's name is filled
	// in. Default: the system's certificate authorities.
	TLS *tls.Config

	// DialTimeout bounds one connect with its handshakes. Default: 15 s.
	DialTimeout time.Duration

	// Budget bounds how many connections are begun and how many requests are made in a
	// span of time. Clients behind one IP address share one. Default: one of the
	// client's own, with the venue's limits.
	Budget *Budget

	// Trace is told what the streams and the calls do. Default: nobody is.
	Trace *Trace

	// Logger gets a line when a connection opens, ends or is retried, and
	// when a topic is rejected; none per message. Default: discard.
	Logger *slog.Logger
}

// StreamOptions are what a [Stream] is made with. Nil means the defaults.
type StreamOptions struct {
	// QueueBytes bounds what waits for a slow consumer, in bytes of memory.
	// One half gathers while the consumer works through the other. When its
	// half is full, Overflow says what happens. What an overflow leaves, a few
	// notices for each topic, comes on top. Default: 64 MiB, 16 MiB with
	// OverflowConflate; at least 64 KiB, 8 MiB with OverflowWait.
	QueueBytes int

	// Overflow says what happens when the queue is full. Default: OverflowGap.
	Overflow Overflow

	// Books says whether the stream keeps order books, and how strict it is
	// about them. Default: BooksVerified.
	Books Books

	// Duplicates is how many connections carry each topic, 1 or 2. With 2 the
	// fastest frame of each message is yielded, and a message is missing only if it
	// came on neither: a connection that is lost costs nothing. A message of an order
	// book that is ahead waits for the other connection to bring the one before it, a
	// second at most. See StreamStats.Duplicates. Default: 1.
	//
	// The price is the traffic and some memory per topic. Messages are compared by
	// their update ids on order books, and by their content elsewhere; of the latter
	// the last 512 of a topic are remembered, so that a connection that lags further
	// behind may bring one again. If a connection that stays open loses one of the
	// latter, the other's copy comes late, but comes; a ticker's is then a gap, and a
	// new snapshot.
	Duplicates int

	// RollAfter is the age at which a connection is replaced by a new one, before
	// the old one is closed, so that nothing is missed: for streams that live for
	// weeks. The age varies by a tenth. Default: never.
	RollAfter time.Duration

	// BusyPoll is how long a connection's reader asks its socket again and again
	// before it sleeps. To be woken is most of what a message's way through this
	// process takes; a reader that polls for longer than the pauses of the feed, say a
	// millisecond, saves it, and keeps one processor busy meanwhile. Use it with a
	// processor to spare for each connection, and with GOMAXPROCS below the number
	// of processors where other programs need some: else the highest delays grow.
	// On Unix only, and without effect on connections of Options.DialContext that
	// are no sockets. Default: sleep at once.
	BusyPoll time.Duration

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

	// BooksNone delivers the messages alone, all of them, for those who keep
	// books of their own. That update ids follow one another is still checked: a
	// GapEvent says, in place, where they do not, and a snapshot is asked for.
	// The messages until then are yielded too, and are deltas on a book that
	// misses something. Reads of BookEvent.Book return [book.ErrNoBook]. Of
	// orderbook.full no snapshot is fetched.
	BooksNone

	// BooksLenient keeps books like BooksVerified, but applies a message whose
	// update id does not follow the last one, and counts it in
	// StreamStats.Violations instead of announcing a gap: that update ids rise by
	// one is practice, and promised in writing for orderbook.full only, whose books
	// are kept as in BooksVerified. A book
	// that is wrong in any other way, such as crossed, is replaced as ever.
	BooksLenient
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

	// OverflowConflate makes one message of those that have gathered for a topic,
	// where the newest state is what counts: for displays and for strategies that
	// are late. The network side never waits.
	//
	// Of an order book it is a delta in which every price is as the last message
	// left it, or a snapshot if one was among them; of a ticker, a message
	// with the newest value of each field. BookEvent.Conflated and
	// TickerEvent.Conflated say how many messages an event stands for beyond itself; its
	// times and sequence are the newest one's, and Frame is nil. The book after such an
	// event is the exchange's at that update id, and nothing is a gap but what the
	// exchange or the network has left out, which shows where it was.
	//
	// Trades are never conflated, nor is any other topic, orderbook.full
	// included. They stay as long as they fill no more than half of the room
	// together with what was conflated; otherwise they are discarded with a gap, as with
	// OverflowGap. So are books and tickers that even conflated need more than that: 48
	// bytes a level and a KiB a ticker.
	//
	// It is done by the network side, whenever half of QueueBytes has gathered and at
	// least a quarter of it is new. That takes 10 to 20 ms for 8 MiB of deltas, in
	// which the socket is not read, and for that time as much memory again.
	OverflowConflate
)

const (
	defaultQueueBytes  = 64 << 20
	conflateQueueBytes = 16 << 20 // so that to conflate a half takes a moment
	minQueueBytes      = 64 << 10
	minWaitingBytes    = 8 << 20 // so that what one read brings fits a quarter
	defaultDialTimeout = 15 * time.Second
	defaultRecvWindow  = 5 * time.Second
	defaultRetries     = 3
	defaultWriteWait   = 5 * time.Second
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
	if opts.RecvWindow <= 0 {
		opts.RecvWindow = defaultRecvWindow
	}
	if opts.WriteWait == 0 {
		opts.WriteWait = defaultWriteWait
	}
	switch {
	case opts.Retries == 0:
		opts.Retries = defaultRetries
	case opts.Retries < 0:
		opts.Retries = 0
	}
	if opts.Budget == nil {
		opts.Budget = NewBudget(nil)
	}
	if opts.Trace == nil {
		opts.Trace = &Trace{}
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
		if opts.Overflow == OverflowConflate {
			opts.QueueBytes = conflateQueueBytes
		}
	}
	opts.QueueBytes = max(opts.QueueBytes, minQueueBytes)
	opts.Duplicates = min(max(opts.Duplicates, 1), 2)
	opts.RollAfter = max(opts.RollAfter, 0)
	if opts.Overflow == OverflowWait {
		opts.QueueBytes = max(opts.QueueBytes, minWaitingBytes)
	}
	return opts
}
