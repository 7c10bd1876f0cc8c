package bybit

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bywire/bywire/internal/session"
)

// StreamStats is a snapshot of a stream's counters since it was opened.
type StreamStats struct {
	State       string            // "dialing", "open", "waiting" for the next dial, "hanging up", "closed"; "mixed" if the parts of a merged stream differ
	Topics      int               // wanted
	Accepted    int               // of those, acknowledged on a connection that is open
	Rejected    []RejectedError   // topics that were refused, each once, at most 1,000
	Connections []ConnectionStats // those that are open or to be opened again
	Connects    int               // connections that were made
	Reconnects  int               // of those, in the place of one that was lost
	Handovers   int               // connections that were replaced while they were open, see StreamOptions.RollAfter
	Resyncs     int64             // how often a topic was found to need a new snapshot, or was too long silent
	Frames      int64
	Bytes       int64 // of frames, without WebSocket headers
	Unwanted    int64 // data frames of topics that are not subscribed, as after an unsubscribe
	Duplicates  int64 // messages that another connection had brought already, see StreamOptions.Duplicates
	Gaps        int64 // gap events yielded
	Silent      int64 // silent events yielded
	Violations  int64 // order book messages that broke a rule: a skipped update id, a crossed book; see Books
	Dropped     int64 // messages that arrived and were not yielded: after a gap, at an overflow
	Undecoded   int64 // frames that could not be decoded
	Overflows   int64 // how often the queue was full
	Conflated   int64 // messages that became part of a later one, see OverflowConflate
	QueueBytes  int   // what waits for the consumer, without what it works through
}

// ConnectionStats is what one connection of a stream has done.
type ConnectionStats struct {
	Link   int       // number of the slot that the connection fills, from 1
	Number int       // of the connection in the stream, from 1; 0 if there is none yet
	Shard  int       // the set of topics that the connection carries, from 1
	Lane   int       // tells connections of one shard apart, from 0
	State  string    // as StreamStats.State
	Topics int       // acknowledged on it
	Since  time.Time // when it was made; zero if there is none
	Frames int64     // since then
	Bytes  int64     // of frames, without WebSocket headers
}

// streamCounters is what Stats reads. Each group has a writer of its own.
type streamCounters struct {
	// Written by the readers, once per burst.
	frames, bytes, unwanted, undecoded atomic.Int64
	// Written by the runner.
	connects, reconnects, handovers, resyncs atomic.Int64
	// Written by whoever produces, rarely, and by the consumer.
	overflows, gaps, dropped, silent, violations, duplicates, conflated atomic.Int64

	mu       sync.Mutex // guards what follows, which the runner writes
	state    session.State
	topics   int
	accepted int
	refused  []RejectedError
	links    []linkCounters
}

// linkCounters is a link as of the runner's last turn, and where it is counted.
type linkCounters struct {
	info  session.LinkInfo
	read  *reader // nil while there is no connection
	made  int
	since time.Time
}

// session notes where the session stands.
func (c *streamCounters) session(r *runner) {
	infos := r.session.Links()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = r.session.State()
	c.topics, c.accepted = r.session.Counts()
	c.links = c.links[:0]
	for _, info := range infos {
		link := linkCounters{info: info}
		if l := r.links[info.Link]; l != nil && l.read != nil {
			link.read, link.made, link.since = l.read, l.made, wallClock(l.since)
		}
		c.links = append(c.links, link)
	}
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
	stats := StreamStats{
		State:      c.state.String(),
		Topics:     c.topics,
		Accepted:   c.accepted,
		Rejected:   slices.Clone(c.refused),
		Connects:   int(c.connects.Load()),
		Reconnects: int(c.reconnects.Load()),
		Handovers:  int(c.handovers.Load()),
		Resyncs:    c.resyncs.Load(),
		Frames:     c.frames.Load(),
		Bytes:      c.bytes.Load(),
		Unwanted:   c.unwanted.Load(),
		Duplicates: c.duplicates.Load(),
		Gaps:       c.gaps.Load(),
		Silent:     c.silent.Load(),
		Violations: c.violations.Load(),
		Dropped:    c.dropped.Load(),
		Undecoded:  c.undecoded.Load(),
		Overflows:  c.overflows.Load(),
		Conflated:  c.conflated.Load(),
		QueueBytes: s.queue.Bytes(),
	}
	for i := range c.links {
		l := &c.links[i]
		conn := ConnectionStats{
			Link: l.info.Link, Number: l.made, Shard: l.info.Shard + 1, Lane: l.info.Lane,
			State: l.info.State.String(), Topics: l.info.Live, Since: l.since,
		}
		if l.read != nil {
			conn.Frames, conn.Bytes = l.read.frames.Load(), l.read.bytes.Load()
		}
		stats.Connections = append(stats.Connections, conn)
	}
	return stats
}
