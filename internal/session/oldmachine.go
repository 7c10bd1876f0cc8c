package session

import "time"

const (
	oldDefaultMaxArgs = 200
	oldMaxInFlight    = 20 // requests without a reply
	oldArgOverhead    = 3  // two quotes and a comma, which the venue may count as characters

	oldResyncEvery = time.Second     // between two rounds of resynchronisation
	oldResyncMin   = time.Second     // from a topic's first to its second
	oldResyncMax   = time.Minute     // between any two of a topic
	oldResyncCalm  = 5 * time.Minute // after this long without one a topic starts anew
)

// phase is how far a topic's subscription has come.
type oldPhase uint8

const (
	oldPending oldPhase = iota // to be sent
	oldSent                    // in a request without a reply
	oldLive                    // accepted
)

type oldTopic struct {
	name      string
	oldPhase  oldPhase
	delivered bool       // was live since its last gap: a loss must be told
	gone      bool       // unsubscribed or rejected; requests may still name it
	calls     []*oldCall // who waits for it

	// asked is the last subscribe request that names the topic. A reply to an
	// older one says nothing about it any more.
	asked *oldRequest

	resyncDue  bool
	resyncAt   time.Time     // earliest time of the next one
	resyncWait time.Duration // from the next one to the one after
}

// call is a Subscribe or Unsubscribe whose Done is owed.
type oldCall struct {
	id       int
	left     int // topics, or requests of an unsubscribe, without an answer
	accepted int
	rejected []Rejection
}

// request is a control frame that was sent and not answered.
type oldRequest struct {
	id      string
	op      string
	topics  []*oldTopic
	oldCall *oldCall // of an unsubscribe
	sentAt  time.Time
}

// Machine is one connection, without links. It is what stands behind [Session]
// until that has all its rules; use Session.
type Machine struct {
	cfg   Config
	state State
	acts  []Action

	topics map[string]*oldTopic
	order  []*oldTopic // by subscription, so that nothing depends on map order
	chars  int
	flight []*oldRequest
	nextID int

	attempts int       // failures in a row
	openedAt time.Time // of the connection that is open
	retryAt  time.Time
	pingAt   time.Time // next ping
	pingedAt time.Time // unanswered as far as is known; zero: none
	resyncAt time.Time // earliest next round
	hangErr  error
	opened   bool // a dial has succeeded once
}

// NewMachine returns an idle machine.
func NewMachine(cfg Config) *Machine {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&cfg.PingEvery, 20*time.Second)
	def(&cfg.PongTimeout, 10*time.Second)
	def(&cfg.AckTimeout, 10*time.Second)
	def(&cfg.BackoffMin, 500*time.Millisecond)
	def(&cfg.BackoffMax, 30*time.Second)
	def(&cfg.StableAfter, 10*time.Second)
	if cfg.MaxArgs <= 0 {
		cfg.MaxArgs = oldDefaultMaxArgs
	}
	return &Machine{cfg: cfg, topics: make(map[string]*oldTopic)}
}

// State returns where the connection stands.
func (m *Machine) State() State { return m.state }

// Counts returns how many topics are wanted and how many of them are live.
func (m *Machine) Counts() (wanted, liveNow int) {
	for _, t := range m.order {
		if t.oldPhase == oldLive {
			liveNow++
		}
	}
	return len(m.order), liveNow
}

// Next takes in what happened and returns what to do about it, in order. The
// slice is valid until the next call.
func (m *Machine) Next(now time.Time, ev Event) []Action {
	m.acts = m.acts[:0]
	if m.state == Closed {
		m.afterClose(ev)
		return m.acts
	}
	switch ev := ev.(type) {
	case Start:
		if m.state == Idle {
			m.dial()
		}
	case Dialed:
		m.dialed(now)
	case DialFailed:
		m.dialFailed(now, ev.Err)
	case Lost:
		m.lost(now, ev.Err)
	case Subscribe:
		m.subscribe(now, ev)
	case Unsubscribe:
		m.unsubscribe(now, ev)
	case Resync:
		m.resync(now, ev.Topic)
	case Ack:
		m.ack(now, &ev)
	case Arrived:
		m.arrived(ev.Topic)
	case Tick:
		m.tick(now, &ev)
	case Close:
		m.close()
	}
	if m.state == Open {
		m.resyncRound(now)
		m.flush(now)
	}
	return m.acts
}

// Wake returns when a Tick is due; the zero time means not before something
// else happens.
func (m *Machine) Wake() time.Time {
	switch m.state {
	case Waiting:
		return m.retryAt
	case Open:
		at := m.pingAt
		earlier := func(t time.Time) {
			if t.Before(at) {
				at = t
			}
		}
		if !m.pingedAt.IsZero() {
			earlier(m.pingedAt.Add(m.cfg.PongTimeout))
		}
		if len(m.flight) > 0 {
			earlier(m.flight[0].sentAt.Add(m.cfg.AckTimeout))
		}
		for _, t := range m.order {
			if t.resyncDue && t.oldPhase == oldLive {
				earlier(oldLater(t.resyncAt, m.resyncAt))
			}
		}
		return at
	}
	return time.Time{}
}

func oldLater(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (m *Machine) do(a Action) { m.acts = append(m.acts, a) }
