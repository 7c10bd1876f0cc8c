package bybit

import "time"

// Trace is told what a client's streams and calls do, for logs and metrics. Every field
// may be nil. Nothing that it is told has a key, a secret or a signature in it.
//
// The functions of streams are called by the stream's own goroutine, one at a time for each
// stream, in the order of what happened there; those of two streams may run at the
// same time. They must return at once: while one runs, the stream neither
// connects nor subscribes, though data still flows. They must not call the
// stream's Subscribe, Unsubscribe or Close, nor the client's Public or Close, which would
// wait for themselves; Stats may be called. What they are given is theirs to keep.
type Trace struct {
	// BudgetFull: a dial waits for the Budget.
	BudgetFull func(TraceLink)

	// Dialing: a dial begins. Attempt counts the failures before it in a row, a
	// connection that was lost soon included.
	Dialing func(link TraceLink, attempt int)

	// DialFailed: it failed, and is tried again unless it was the stream's first.
	DialFailed func(TraceLink, error)

	// Connected: it succeeded. Took is the time of the connect with its
	// handshakes, without the wait for the Budget.
	Connected func(link TraceLink, took time.Duration)

	// Disconnected: the connection has ended after so long, for that reason.
	Disconnected func(link TraceLink, after time.Duration, err error)

	// Request: a request was handed to the socket: a ping, a subscribe or an
	// unsubscribe.
	Request func(TraceLink, TraceRequest)

	// Reply: the exchange answered, pongs included.
	Reply func(TraceLink, TraceReply)

	// Rejected: the exchange refused a topic for good.
	Rejected func(*RejectedError)

	// Gap: the stream announces a gap of a topic. Gaps of overflows are told by
	// Overflow.
	Gap func(topic Topic, reason GapReason, err error)

	// Resync: a topic is to be subscribed anew, which is done at a limited rate.
	Resync func(topic Topic)

	// Silent: a topic brought nothing for longer than expected, see SilentEvent.
	Silent func(topic Topic, since time.Time, expected time.Duration)

	// Overflow: the queue was full. So many messages of so many topics were
	// discarded.
	Overflow func(messages, topics int)

	// HandedOver: a connection was replaced by another while both were open, as
	// StreamOptions.RollAfter asks for.
	HandedOver func(from, to TraceLink)

	// What follows is about calls over REST. It is called on the goroutine that makes
	// the call, which waits meanwhile.

	// CallLimited: a call waits for a limit of the Budget, for so long at least.
	CallLimited func(call TraceCall, scope LimitScope, wait time.Duration)

	// CallBegun: a request is handed to the network, after its wait for limits.
	CallBegun func(TraceCall)

	// CallEnded: it has ended after so long. The error is nil, an *Error, a
	// *DecodeError, or the network's.
	CallEnded func(call TraceCall, took time.Duration, err error)

	// CallRetry: it failed, and is repeated after a wait.
	CallRetry func(call TraceCall, wait time.Duration, err error)

	// ClockMeasured: the exchange's clock has been measured. The samples are calls of
	// their own, on a goroutine of their own.
	ClockMeasured func(ClockSync)
}

// TraceCall says which request something is about.
type TraceCall struct {
	Method  string
	Path    string
	Attempt int // from 1; grows when the call is repeated, for whatever reason
}

// TraceLink says which connection of a stream something is about.
type TraceLink struct {
	Channel Channel
	URL     string
	// Link is the number of the slot, from 1, that the connection fills: it stays
	// when the connection is lost and replaced.
	Link int
	// Lane tells connections apart that carry the same topics, from 0.
	Lane int
	// Connection is the number of the connection in the stream, from 1; 0 while
	// it is not made.
	Connection int
}

// TraceRequest is a control frame that was sent.
type TraceRequest struct {
	Op     string // "ping", "subscribe", "unsubscribe"
	ReqID  string
	Topics []string
}

// TraceReply is a control frame that came.
type TraceReply struct {
	Op        string // "pong", "subscribe", "unsubscribe"; "" where the channel names none
	ReqID     string // "" where the channel echoes none
	Success   bool
	Code      int
	Message   string
	Failed    []string // topics, on the channels that answer by topic
	Succeeded []string
}
