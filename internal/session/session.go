// Package session decides what a stream's connection does next. It is a state
// machine without I/O: it has no socket, goroutine, clock or random source of
// its own, so that every rule in it can be tested as a table.
//
//	actions := m.Next(now, event)   // then perform them, in order
//	timer.Reset(m.Wake().Sub(now))  // and send a Tick when it fires
//
// One goroutine, the runner, owns a [Machine]. It feeds in what happened (a
// dial succeeded, a reply came, the user subscribed, time passed) and performs
// what comes out (dial, send, hang up, tell the user).
//
//	        Start                Dialed
//	idle ----------> dialing -------------> open
//	                 ^    | DialFailed       |  Lost
//	          retry  |    v                  v
//	                waiting <----------------+      Close: closed, from anywhere
//
// What it guarantees:
//   - Only Close, or a failure of the very first dial, ends it. Every later
//     failure is retried for ever, after a random part of a delay that doubles
//     up to a cap ("full jitter"), so that thousands of clients do not return at once.
//   - After a reconnect every wanted topic is subscribed again, and each topic
//     that had been live is named in one [Gap].
//   - Each topic of a call ends as accepted or rejected, exactly once, or with the call.
//   - A ping is sent every PingEvery; any inbound frame answers it. A peer that
//     sends nothing for PongTimeout after a ping is dead.
//   - A topic that is resynchronised again and again is so at a falling rate.
//
// Acknowledgements differ by family: on some channels one bad topic rejects
// its whole request and only the text says which, on others each topic is
// answered. Both are handled by what a reply carries, see [Ack].
package session

import "time"

// Config are the numbers of a connection. Zero fields take the defaults,
// except where zero means no limit.
type Config struct {
	MaxArgs  int // topics in one request; 0: 200
	MaxChars int // characters of all topics of the connection; 0: no limit
	MaxTotal int // topics of the connection; 0: no limit

	// AssumeAck takes a request without a reply as accepted after AckTimeout,
	// for channels whose replies are not documented. Otherwise the connection
	// is replaced.
	AssumeAck bool

	PingEvery   time.Duration // default 20 s
	PongTimeout time.Duration // default 10 s
	AckTimeout  time.Duration // default 10 s
	BackoffMin  time.Duration // bound of the first delay; default 500 ms
	BackoffMax  time.Duration // bound of every delay; default 30 s
	StableAfter time.Duration // a connection that lasted this long ends a series of failures; default 10 s

	// Rand returns a number in [0, n), evenly distributed. Required.
	Rand func(n int64) int64
}

const (
	defaultMaxArgs = 200
	maxInFlight    = 20 // requests without a reply
	argOverhead    = 3  // two quotes and a comma, which the venue may count as characters

	resyncEvery = time.Second     // between two rounds of resynchronisation
	resyncMin   = time.Second     // from a topic's first to its second
	resyncMax   = time.Minute     // between any two of a topic
	resyncCalm  = 5 * time.Minute // after this long without one a topic starts anew
)

// State is where the connection stands.
type State uint8

// The states.
const (
	Idle    State = iota // not started
	Dialing              // a dial is under way
	Open                 // connected
	Hanging              // told to hang up, waiting for Lost
	Waiting              // for the next dial
	Closed               // for good
)

// String names the state.
func (s State) String() string {
	names := [...]string{"idle", "dialing", "open", "hanging up", "waiting", "closed"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// phase is how far a topic's subscription has come.
type phase uint8

const (
	pending phase = iota // to be sent
	sent                 // in a request without a reply
	live                 // accepted
)

type topic struct {
	name      string
	phase     phase
	delivered bool    // was live since its last gap: a loss must be told
	gone      bool    // unsubscribed or rejected; requests may still name it
	calls     []*call // who waits for it

	// asked is the last subscribe request that names the topic. A reply to an
	// older one says nothing about it any more.
	asked *request

	resyncDue  bool
	resyncAt   time.Time     // earliest time of the next one
	resyncWait time.Duration // from the next one to the one after
}

// call is a Subscribe or Unsubscribe whose Done is owed.
type call struct {
	id       int
	left     int // topics, or requests of an unsubscribe, without an answer
	accepted int
	rejected []Rejection
}

// request is a control frame that was sent and not answered.
type request struct {
	id     string
	op     string
	topics []*topic
	call   *call // of an unsubscribe
	sentAt time.Time
}

// Machine is the state. Make one with New; it is not safe for concurrent use.
type Machine struct {
	cfg   Config
	state State
	acts  []Action

	topics map[string]*topic
	order  []*topic // by subscription, so that nothing depends on map order
	chars  int
	flight []*request
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

// New returns an idle machine.
func New(cfg Config) *Machine {
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
		cfg.MaxArgs = defaultMaxArgs
	}
	return &Machine{cfg: cfg, topics: make(map[string]*topic)}
}

// State returns where the connection stands.
func (m *Machine) State() State { return m.state }

// Counts returns how many topics are wanted and how many of them are live.
func (m *Machine) Counts() (wanted, liveNow int) {
	for _, t := range m.order {
		if t.phase == live {
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
			if t.resyncDue && t.phase == live {
				earlier(later(t.resyncAt, m.resyncAt))
			}
		}
		return at
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (m *Machine) do(a Action) { m.acts = append(m.acts, a) }
