package bybit

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bywire/bywire/internal/session"
)

// StreamStats is a snapshot of a stream's counters since it was opened.
type StreamStats struct {
	State      string // "dialing", "open", "waiting" for the next dial, "hanging up", "closed"; "mixed" if the parts of a merged stream differ
	Topics     int    // wanted
	Accepted   int    // of those, acknowledged on this connection
	Rejected   []RejectedError
	Connects   int // connections that were made
	Frames     int64
	Bytes      int64 // of frames, without WebSocket headers
	Unwanted   int64 // data frames of topics that are not subscribed, as after an unsubscribe
	Gaps       int64 // gap events yielded
	Dropped    int64 // messages that arrived and were not yielded: after a gap, at an overflow
	Undecoded  int64 // frames that could not be decoded
	Overflows  int64 // how often the queue was full
	QueueBytes int   // what waits for the consumer, without what it works through
}

// streamCounters is what Stats reads. Each group has a writer of its own.
type streamCounters struct {
	// Written by the reader, once per burst.
	frames, bytes, unwanted, undecoded atomic.Int64
	// Written by the runner.
	connects atomic.Int64
	// Written by whoever produces, rarely, and by the consumer.
	overflows, gaps, dropped atomic.Int64

	mu       sync.Mutex // guards what follows, which the runner writes
	state    session.State
	topics   int
	accepted int
	refused  []RejectedError
}

// session notes where the machine stands.
func (c *streamCounters) session(m *session.Machine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = m.State()
	c.topics, c.accepted = m.Counts()
}

// maxRefused bounds the list of rejected topics: a topic that is asked for and
// refused again and again appears once.
const maxRefused = 1000

func (c *streamCounters) rejected(err RejectedError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := slices.ContainsFunc(c.refused, func(e RejectedError) bool { return e.Topic == err.Topic })
	if !known && len(c.refused) < maxRefused {
		c.refused = append(c.refused, err)
	}
}

// Stats returns the stream's counters.
func (s *Stream) Stats() StreamStats {
	if s.merged != nil {
		return s.merged.stats()
	}
	c := &s.count
	c.mu.Lock()
	defer c.mu.Unlock()
	return StreamStats{
		State:      c.state.String(),
		Topics:     c.topics,
		Accepted:   c.accepted,
		Rejected:   slices.Clone(c.refused),
		Connects:   int(c.connects.Load()),
		Frames:     c.frames.Load(),
		Bytes:      c.bytes.Load(),
		Unwanted:   c.unwanted.Load(),
		Gaps:       c.gaps.Load(),
		Dropped:    c.dropped.Load(),
		Undecoded:  c.undecoded.Load(),
		Overflows:  c.overflows.Load(),
		QueueBytes: s.queue.Bytes(),
	}
}
