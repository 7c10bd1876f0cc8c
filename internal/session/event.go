package session

import "time"

// Event is one thing that happened. The set is closed.
type Event interface{ event() }

type (
	// Start begins the first dial.
	Start struct{}

	// Dialed says that the dial of a link succeeded.
	Dialed struct{ Link int }

	// DialFailed says that the dial of a link failed.
	DialFailed struct {
		Link int
		Err  error
	}

	// Lost says that the connection of a link has ended and its last frame has
	// been handed over. Err is the reason, unless a HangUp gave one. The link
	// lives on and dials again, unless a Forget comes of it.
	//
	// Inbound is when the last bytes came, the zero time if that was just now:
	// what the peer sent later is lost.
	Lost struct {
		Link    int
		Err     error
		Inbound time.Time
	}

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
	// subscribing it on every link that has it. It is done at a limited rate.
	// While a subscription of the topic is under way it waits for the answer:
	// the snapshot may have come before that and be the very one that was lost.
	Resync struct{ Topic string }

	// Ack is a reply to a request. Which fields are set depends on the family.
	Ack struct {
		Link      int
		Op        string // "subscribe" or "unsubscribe"; may be empty
		ReqID     string // may be empty: the reply is then matched by topics, else by order
		Success   bool
		Code      int
		Message   string
		Failed    []string // topics, on families that answer by topic
		Succeeded []string
	}

	// Arrived says that a topic's first data on this connection of the link
	// came: it is subscribed, whether or not a reply says so. A reply that
	// refuses it still counts, since after an unsubscribe the data may be older
	// than the request.
	Arrived struct {
		Link  int
		Topic string
	}

	// Tick says that time has passed. It names every link that is connected.
	Tick struct{ Links []LinkTick }

	// Close ends the session for good.
	Close struct{}
)

// LinkTick is what is known of a link when time has passed. Inbound is when the
// last bytes came. Held says that since the last Tick nobody has read what came,
// on purpose, if only for a part of the time: then silence says nothing about
// the peer, and replies are not late.
type LinkTick struct {
	Link    int
	Inbound time.Time
	Held    bool
}

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
	// Dial means: connect the link, then report Dialed or DialFailed. A link has
	// one lane for life. Attempt counts the failures before this one.
	Dial struct{ Link, Lane, Attempt int }

	// HangUp means: end the connection of the link, then report Lost. A nil Err
	// is an orderly close.
	HangUp struct {
		Link int
		Err  error
	}

	// Send means: send a request on the link, "ping", "subscribe" or
	// "unsubscribe".
	Send struct {
		Link   int
		Op     string
		ReqID  string
		Topics []string
	}

	// Gap means: tell the user that these topics missed data. No link carries
	// them any more.
	Gap struct {
		Topics []string
		Err    error
	}

	// Doubt means: a link was lost that had brought nothing since before the
	// other links that carry these topics were subscribed. What the peer sent on
	// it in between is on none of them.
	Doubt struct {
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

	// Revived means: the topic was subscribed again before its unsubscribe was
	// sent, so that no request will be and no new snapshot comes by itself. Who
	// needs one asks for a [Resync]. It comes before the Done of the call.
	Revived struct{ Topic string }

	// Lanes means: from now on exactly the lanes in Mask (bit 0 is lane 0) have
	// the topics live. It is said only if there can be more than one link for a
	// topic, that is with Config.Lanes above 1 or RollAfter.
	Lanes struct {
		Topics []string
		Mask   uint8
	}

	// Silent means: the topic, though live, has brought nothing since Since,
	// which is longer than Allowed. It is resynchronised without being asked for.
	// Promised says that the venue documents a cadence, so that something is wrong;
	// otherwise Allowed is a guess, and most such topics are quiet in good order.
	Silent struct {
		Topic    string
		Since    time.Time
		Allowed  time.Duration
		Promised bool
	}

	// Handover means: the link To has all topics of From, which was hung up in
	// order; no topic missed data. Lost is still to be reported for From.
	Handover struct{ From, To int }

	// Forget means: the link has ended for good; its number is not used again.
	Forget struct{ Link int }
)

func (Dial) action()     {}
func (HangUp) action()   {}
func (Send) action()     {}
func (Gap) action()      {}
func (Doubt) action()    {}
func (Reject) action()   {}
func (Done) action()     {}
func (Failed) action()   {}
func (Revived) action()  {}
func (Lanes) action()    {}
func (Silent) action()   {}
func (Handover) action() {}
func (Forget) action()   {}

// Rejection is a topic that the peer refused, and what it said.
type Rejection struct {
	Topic   string
	Code    int
	Message string
}
