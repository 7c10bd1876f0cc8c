// Package session decides what the connections of a stream do next. It is a
// state machine without I/O: it has no socket, goroutine, clock or random source
// of its own, so that every rule in it can be tested as a table.
//
//	actions := s.Next(now, event)   // then perform them, in order
//	timer.Reset(s.Wake().Sub(now))  // and send a Tick when it fires
//
// One goroutine, the runner, owns a [Session]. It feeds in what happened (a
// dial succeeded, a reply came, the user subscribed, time passed) and performs
// what comes out (dial, send, hang up, tell the user).
//
// The topics of a stream are packed into shards, as many as one connection
// takes. A shard has a link, or several that carry the same topics on lanes of
// their own. A link is a place for a connection: it dials again when it was lost.
//
//	topics ──▶ shard 0 ─┬─ link 1, lane 0   open ──┐
//	                    ├─ link 2, lane 1   open   │ rolled: link 4 takes over
//	                    └─ link 4, lane 2   dialing◀┘ when it has every topic
//	           shard 1 ─┬─ link 3, lane 0   waiting
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
//   - After a reconnect every wanted topic is subscribed again. A topic that had
//     been live and that no link carries any more is named in one [Gap]. One that
//     was rejected is not asked for again unless the user subscribes it again.
//   - Each topic of a call ends as accepted or rejected, exactly once, or with the
//     call. A topic is rejected if no link could have it.
//   - A ping is sent every PingEvery; any inbound frame answers it. A peer that
//     sends nothing for PongTimeout after a ping is dead.
//   - A topic that is resynchronised again and again is so at a falling rate.
//   - Requests are paced, see pace.go: calls in opposite directions cancel, and
//     what remains waits for its turn, PaceEvery times the kinds of requests there
//     are, and at most a minute where many were sent at once. Nothing waits for ever.
//   - A link that is older than RollAfter is replaced without a gap, or kept.
//   - A topic that is silent for longer than it should is resynchronised.
//
// Acknowledgements differ by family: on some channels one bad topic rejects
// its whole request and only the text says which, on others each topic is
// answered. Both are handled by what a reply carries, see [Ack].
//
// The files: session.go is the frame, topic.go what is known of a topic, link.go
// a connection's life, plan.go the shards, subscribe.go the user's calls, ack.go
// the replies, pace.go when requests are sent, resync.go, roll.go and live.go the
// rules of those names.
package session

import (
	"errors"
	"time"
)

var (
	// ErrDeadPeer is why a connection is given up whose peer sent nothing
	// after a ping.
	ErrDeadPeer = errors.New("no frame arrived after a ping")

	// ErrNoReply is why a connection is given up on which a request was not
	// answered.
	ErrNoReply = errors.New("a subscribe request was not answered")

	// ErrClosed is how calls end that are open at Close.
	ErrClosed = errors.New("session closed")
)

// Config are the numbers of a session. Zero fields take the defaults, except
// where zero means no limit.
type Config struct {
	MaxArgs  int // topics in one request; 0: 200
	MaxChars int // characters of all topics of a connection; 0: no limit
	MaxTotal int // topics of a connection; 0: no limit

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

	PaceBurst int           // requests that need not wait for their turn, at least 2; default 10
	PaceEvery time.Duration // after how long there is a turn for one more; default 1.5 s
	PaceFree  int           // requests in a minute that need no turn, see pace.go; default 40, negative: none

	// Heard returns when the last frame of a topic came on any link, the zero
	// time if none did. Nil: topics are not watched.
	Heard func(topic string) time.Time

	// Cadence returns the longest silence that the venue documents for a topic,
	// 0 if it documents none. Nil: none.
	Cadence func(topic string) time.Duration

	// Rand returns a number in [0, n), evenly distributed. Required.
	Rand func(n int64) int64
}

const (
	defaultMaxArgs = 200
	maxInFlight    = 20 // requests of a link without a reply
	argOverhead    = 3  // two quotes and a comma, which the venue may count as characters
	maxLanes       = 4  // of a shard, with one for a roll
)

// withDefaults fills in what is zero.
func (cfg Config) withDefaults() Config {
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
	def(&cfg.PaceEvery, 1500*time.Millisecond)
	if cfg.PaceBurst <= 0 {
		cfg.PaceBurst = 10
	}
	cfg.PaceBurst = max(cfg.PaceBurst, renewCost)
	if cfg.PaceFree == 0 {
		cfg.PaceFree = 40
	}
	if cfg.MaxArgs <= 0 {
		cfg.MaxArgs = defaultMaxArgs
	}
	cfg.Lanes = min(max(cfg.Lanes, 1), maxLanes-1)
	return cfg
}

// State is where a link, or the whole session, stands.
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
	cfg    Config
	now    time.Time // of the event that is taken in
	acts   []Action
	start  bool // Start came
	opened bool // a dial has succeeded once
	closed bool

	topics   map[string]*topic // wanted, or held by a peer that was not told yet
	order    []*topic          // the same, so that nothing depends on map order
	changed  []*topic          // whose lanes may have changed
	partings map[string]*parting
	wanted   int
	live     int // wanted topics that are live on a link

	shards []*shard
	links  []*link // by number
	byNum  map[int]*link
	calls  []*call // open

	lastTopic, lastShard, lastLink, lastRequest int

	checkAt time.Time // next look at who is silent; zero: nobody is live
}

// New returns an idle session.
func New(cfg Config) *Session {
	return &Session{
		cfg:       cfg.withDefaults(),
		topics:    make(map[string]*topic),
		partings:  make(map[string]*parting),
		byNum:     make(map[int]*link),
		lastShard: -1,
	}
}

// State returns where the stream stands: Open if each shard has an open link,
// else the best state among the links of one that has none.
func (s *Session) State() State {
	switch {
	case s.closed:
		return Closed
	case !s.start:
		return Idle
	}
	for _, sh := range s.shards {
		if state := sh.state(); state != Open {
			return state
		}
	}
	return Open
}

// Counts returns how many topics are wanted and how many of them are live on at
// least one link.
func (s *Session) Counts() (wanted, liveNow int) { return s.wanted, s.live }

// LinkInfo is a link as [Session.Links] shows it.
type LinkInfo struct {
	Link     int // its number, never used twice; the first is 1
	Shard    int // the number of the set of topics it carries
	Lane     int // 0 to 3, distinct among the links of a shard
	State    State
	Topics   int       // wanted on it
	Live     int       // of those, accepted
	Since    time.Time // of the connection, if it is open
	Failures int       // in a row
	Replaces int       // the link whose successor it is to be; 0: none
}

// Links returns the links, by number. It takes a time that grows with their
// number, not with that of the topics.
func (s *Session) Links() []LinkInfo {
	infos := make([]LinkInfo, len(s.links))
	for i, l := range s.links {
		infos[i] = LinkInfo{
			Link: l.num, Shard: l.shard.num, Lane: l.lane, State: l.state,
			Topics: l.shard.wanted, Live: l.live, Failures: l.failures,
		}
		if l.state == Open {
			infos[i].Since = l.openedAt
		}
		if l.replaces != nil {
			infos[i].Replaces = l.replaces.num
		}
	}
	return infos
}

// Next takes in what happened and returns what to do about it, in order. The
// slice is valid until the next call. Events of links that do not exist, or that
// do not fit the link's state, mean nothing.
func (s *Session) Next(now time.Time, ev Event) []Action {
	s.now = now
	s.acts = s.acts[:0]
	if s.closed {
		s.afterClose(ev)
		return s.acts
	}
	switch ev := ev.(type) {
	case Start:
		s.begin()
	case Dialed:
		s.dialed(s.byNum[ev.Link])
	case DialFailed:
		s.dialFailed(s.byNum[ev.Link], ev.Err)
	case Lost:
		s.lost(s.byNum[ev.Link], ev.Err, ev.Inbound)
	case Subscribe:
		s.subscribe(&ev)
	case Unsubscribe:
		s.unsubscribe(&ev)
	case Resync:
		s.resync(s.topics[ev.Topic])
	case Ack:
		s.ack(s.byNum[ev.Link], &ev)
	case Arrived:
		s.arrived(s.byNum[ev.Link], ev.Topic)
	case Tick:
		s.tick(&ev)
	case Close:
		s.close()
	}
	if s.closed {
		return s.acts
	}
	for _, l := range s.links {
		if l.state == Open {
			s.flush(l)
		}
	}
	s.advanceRolls()
	s.tellLanes()
	s.scheduleWatch()
	return s.acts
}

// Wake returns when a Tick is due; the zero time means not before something
// else happens.
func (s *Session) Wake() time.Time {
	var at time.Time
	if s.closed {
		return at
	}
	earlier := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	for _, l := range s.links {
		s.wakeLink(l, earlier)
	}
	for _, sh := range s.shards {
		if sh.count == 0 && len(s.shards) > 1 {
			earlier(sh.emptyAt.Add(emptyAfter))
		}
	}
	if !s.checkAt.IsZero() {
		earlier(s.checkAt)
	}
	return at
}

// begin dials the first link. The others wait until that has succeeded: its
// failure is the user's to know, and may be theirs as well.
func (s *Session) begin() {
	if s.start {
		return
	}
	s.start = true
	if len(s.shards) == 0 {
		s.addShard()
	}
	s.dial(s.links[0])
}

func (s *Session) close() {
	for _, l := range s.links {
		if l.state == Open {
			s.do(HangUp{Link: l.num})
		}
		l.state = Closed
	}
	s.end(ErrClosed)
}

// end is the end of everything.
func (s *Session) end(err error) {
	s.closed = true
	for _, l := range s.links {
		l.state = Closed
	}
	s.endCalls(err)
}

// afterClose answers what comes in when everything is over.
func (s *Session) afterClose(ev Event) {
	switch ev := ev.(type) {
	case Subscribe:
		s.do(Done{Call: ev.Call, Err: ErrClosed})
	case Unsubscribe:
		s.do(Done{Call: ev.Call, Err: ErrClosed})
	case Dialed:
		s.do(HangUp{Link: ev.Link})
	}
}

func (s *Session) do(a Action) { s.acts = append(s.acts, a) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
