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

	// Lanes is how many links carry each topic at once, each with a lane of its
	// own; 1 to 3, default 1.
	Lanes int

	// RollAfter is the age at which an open link is replaced by a new one, more or
	// less by a random tenth; 0: never.
	RollAfter time.Duration

	PaceBurst int           // requests that need not wait for their turn; default 10
	PaceEvery time.Duration // after how long there is a turn for one more; default 1.5 s

	// Heard returns when the last frame of a topic came on any link, the zero
	// time if none did. Nil: topics are not watched.
	Heard func(topic string) time.Time

	// Cadence returns the longest silence that the venue documents for a topic,
	// 0 if it documents none. Nil: none.
	Cadence func(topic string) time.Duration

	// Rand returns a number in [0, n), evenly distributed. Required.
	Rand func(n int64) int64
}

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

// Session is the state of a stream's connections. Make one with New; it is not
// safe for concurrent use.
type Session struct {
	m *Machine
}

// New returns an idle session.
func New(cfg Config) *Session { return &Session{m: NewMachine(cfg)} }

// firstLink is the number of the first link.
const firstLink = 1

// State returns where the stream stands: Open if every topic has an open link,
// else the state of a link that is missing.
func (s *Session) State() State { return s.m.State() }

// Counts returns how many topics are wanted and how many of them are live on at
// least one link.
func (s *Session) Counts() (wanted, liveNow int) { return s.m.Counts() }

// LinkInfo is a link as [Session.Links] shows it.
type LinkInfo struct {
	Link     int // its number, never used twice; the first is 1
	Shard    int // the set of topics it carries
	Lane     int // 0 to 3, distinct among the links of a shard
	State    State
	Topics   int       // wanted on it
	Live     int       // of those, accepted
	Since    time.Time // of the connection, if it is open
	Failures int       // in a row
	Replaces int       // the link whose successor it is to be; 0: none
}

// Links returns the links, by number.
func (s *Session) Links() []LinkInfo {
	wanted, liveNow := s.m.Counts()
	return []LinkInfo{{
		Link: firstLink, State: s.m.State(), Topics: wanted, Live: liveNow,
		Since: s.m.openedAt, Failures: s.m.attempts,
	}}
}

// Wake returns when a Tick is due; the zero time means not before something
// else happens.
func (s *Session) Wake() time.Time { return s.m.Wake() }

// Next takes in what happened and returns what to do about it, in order. The
// slice is valid until the next call.
func (s *Session) Next(now time.Time, ev Event) []Action {
	switch e := ev.(type) {
	case Dialed:
		if e.Link != firstLink {
			return nil
		}
	case DialFailed:
		if e.Link != firstLink {
			return nil
		}
	case Lost:
		if e.Link != firstLink {
			return nil
		}
	case Ack:
		if e.Link != firstLink {
			return nil
		}
	case Arrived:
		if e.Link != firstLink {
			return nil
		}
	case Tick:
		for _, l := range e.Links {
			if l.Link == firstLink {
				ev = Tick{Inbound: l.Inbound, Held: l.Held}
			}
		}
	}
	acts := s.m.Next(now, ev)
	for i, a := range acts {
		switch a := a.(type) {
		case Dial:
			a.Link = firstLink
			acts[i] = a
		case HangUp:
			a.Link = firstLink
			acts[i] = a
		case Send:
			a.Link = firstLink
			acts[i] = a
		}
	}
	return acts
}
