package session

import "time"

// Event is one thing that happened. The set is closed.
type Event interface{ event() }

type (
	// Start begins the first dial.
	Start struct{}

	// Dialed says that the dial succeeded.
	Dialed struct{}

	// DialFailed says that the dial failed.
	DialFailed struct{ Err error }

	// Lost says that the connection has ended and its last frame has been
	// handed over. Err is the reason, unless a HangUp gave one.
	Lost struct{ Err error }

	// Subscribe wants topics. Done names Call once all of them are answered.
	Subscribe struct {
		Call   int
		Topics []string
	}

	// Unsubscribe ends topics. Done names Call once the peer has answered.
	Unsubscribe struct {
		Call   int
		Topics []string
	}

	// Resync wants a fresh snapshot of a topic, by unsubscribing and
	// subscribing it. It is done at a limited rate. While a subscription of the
	// topic is under way it waits for the answer: the snapshot may have come
	// before that and be the very one that was lost.
	Resync struct{ Topic string }

	// Ack is a reply to a request. Which fields are set depends on the family.
	Ack struct {
		Op        string // "subscribe" or "unsubscribe"; may be empty
		ReqID     string // may be empty: the reply is then matched by topics, else by order
		Success   bool
		Code      int
		Message   string
		Failed    []string // topics, on families that answer by topic
		Succeeded []string
	}

	// Arrived says that a topic's first data on this connection came: it is
	// subscribed, whether or not a reply says so. A reply that refuses it still
	// counts, since after an unsubscribe the data may be older than the request.
	Arrived struct{ Topic string }

	// Tick says that time has passed. Inbound is when the last bytes came. Held
	// says that nobody reads what comes, on purpose: then silence says nothing
	// about the peer, and replies are not late.
	Tick struct {
		Inbound time.Time
		Held    bool
	}

	// Close ends the session for good.
	Close struct{}
)

func (Start) event()       {}
func (Dialed) event()      {}
func (DialFailed) event()  {}
func (Lost) event()        {}
func (Subscribe) event()   {}
func (Unsubscribe) event() {}
func (Resync) event()      {}
func (Ack) event()         {}
func (Arrived) event()     {}
func (Tick) event()        {}
func (Close) event()       {}

// Action is one thing to do. The set is closed.
type Action interface{ action() }

type (
	// Dial means: connect, then report Dialed or DialFailed.
	Dial struct{ Attempt int }

	// HangUp means: end the connection, then report Lost. A nil Err is an
	// orderly close.
	HangUp struct{ Err error }

	// Send means: send a request, "ping", "subscribe" or "unsubscribe".
	Send struct {
		Op     string
		ReqID  string
		Topics []string
	}

	// Gap means: tell the user that these topics missed data.
	Gap struct {
		Topics []string
		Err    error
	}

	// Reject means: tell the user that the topic is not subscribed and will
	// not be.
	Reject struct{ Rejection }

	// Done means: the call is answered. Err is set if it ended otherwise.
	Done struct {
		Call     int
		Accepted int
		Rejected []Rejection
		Err      error
	}

	// Failed means: the first dial failed and the session is closed.
	Failed struct{ Err error }
)

func (Dial) action()   {}
func (HangUp) action() {}
func (Send) action()   {}
func (Gap) action()    {}
func (Reject) action() {}
func (Done) action()   {}
func (Failed) action() {}

// Rejection is a topic that the peer refused, and what it said.
type Rejection struct {
	Topic   string
	Code    int
	Message string
}
