package bybit

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
)

// Merge makes one stream of several, for one loop over several channels.
//
// What is queued comes out oldest first, by the time at which it was received, and
// streams that received at the same time take turns. The order within each stream is kept,
// whatever the clock did. Nothing waits: an event is not held back because
// another stream might still bring an older one. The book of a [BookEvent] is valid until
// the next Recv of the merged stream.
//
// The merged stream is the only consumer of its parts from now on: their own Recv,
// TryRecv and Events return [ErrMerged]. Everything else stays with the parts. Topics are
// added and taken off there, Subscribe and Unsubscribe of the merged stream return an
// error, and a part can be closed by itself. Close closes all parts; Stats are the
// parts' sums. Options such as QueueBytes hold for each part.
//
// The merged stream ends when all parts have ended and everything queued was
// received: with the parts' error if they agree, as after replays, which all end in
// [ErrEndOfCapture], and with [ErrClosed] otherwise.
//
// Merging merged streams makes one of all their parts. A stream that is named twice,
// by itself or within a merged one, counts once; nil counts as none; merging none gives
// a stream that has ended. If one of the streams is part of another merged stream
// already, or is receiving at this moment, none is taken: every call on what Merge returns
// then gives ErrMerged or [ErrConcurrentRecv], except that Close has nothing to close.
//
// The price is a comparison per part and event: for tens of streams, not
// thousands.
func Merge(streams ...*Stream) *Stream {
	m := &merged{wake: make(chan struct{}, 1)}
	if err := m.take(streams); err != nil {
		m.err, m.parts = err, nil
	}
	m.live = len(m.parts)
	for _, p := range m.parts {
		if p.err != nil {
			m.live--
		}
		p.stream.queue.Share(m.wake)
	}
	return &Stream{merged: m}
}

// errMergedTopics is the refusal to change the topics of a merged stream.
var errMergedTopics = errors.New("a merged stream has no topics of its own: its parts have")

// merged is the inside of a stream that Merge has made. Whoever calls Recv owns it
// and its parts' consumers.
type merged struct {
	parts []*part
	wake  chan struct{} // of all parts' queues
	err   error         // why Merge refused, else nil
	live  int           // parts that have not ended
	turn  int           // which part is asked first
	last  *part         // that yielded last
	begun bool          // there was a Recv
}

// part is a stream in a merged one.
type part struct {
	stream *Stream
	head   int64 // when the next item of its batch was received, in ns since 1970; noHead if there is none
	err    error // what it ended with
}

const noHead = math.MaxInt64

// look notes when the next item was received.
func (p *part) look() {
	c := &p.stream.local
	switch {
	case c.more:
		p.head = math.MinInt64 // of the item that was taken last
		return
	case c.next == len(c.out.Items):
		p.head = noHead
		return
	}
	p.head = c.out.Items[c.next].received.UnixNano()
}

// fill takes what is queued, once the batch is used up. It reports whether that
// has changed anything; if not, the queue will wake the consumer.
func (p *part) fill() bool {
	c := &p.stream.local
	full, err := p.stream.queue.TryTake(c.out)
	c.next = 0
	if err != nil {
		p.err = p.stream.final
		return true
	}
	if full == nil {
		return false
	}
	c.out = full
	p.look()
	return true
}

// take makes the streams the merged one's own, all or none.
func (m *merged) take(streams []*Stream) (err error) {
	var taken []*Stream
	defer func() {
		for _, s := range taken {
			if err == nil {
				s.taken.Store(true)
			} else {
				s.consuming.Store(false)
			}
		}
	}()
	// Merged ones first: their parts are taken already.
	sorted := slices.DeleteFunc(slices.Clone(streams), func(s *Stream) bool { return s == nil })
	slices.SortStableFunc(sorted, func(a, b *Stream) int { return b.rank() - a.rank() })
	for _, s := range sorted {
		if slices.Contains(taken, s) || slices.ContainsFunc(m.parts, func(p *part) bool { return p.stream == s }) {
			continue
		}
		if !s.consuming.CompareAndSwap(false, true) {
			return s.refusal()
		}
		taken = append(taken, s)
		if s.merged == nil {
			p := &part{stream: s}
			p.look()
			m.parts = append(m.parts, p)
			continue
		}
		if s.merged.err != nil {
			return s.merged.err
		}
		m.parts = append(m.parts, s.merged.parts...)
	}
	return nil
}

func (s *Stream) rank() int {
	if s.merged != nil {
		return 1
	}
	return 0
}

// recv is Recv.
func (m *merged) recv(ctx context.Context) (Event, error) {
	m.release()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if ev := m.next(); ev != nil {
			return ev, nil
		}
		if m.live == 0 {
			return nil, m.end()
		}
		if m.fill() {
			continue
		}
		select {
		case <-m.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryRecv is TryRecv.
func (m *merged) tryRecv() (Event, bool, error) {
	m.release()
	for {
		if ev := m.next(); ev != nil {
			return ev, true, nil
		}
		if m.live == 0 {
			return nil, false, m.end()
		}
		if !m.fill() {
			return nil, false, nil
		}
	}
}

// release ends the validity of the book that was yielded last.
func (m *merged) release() {
	if !m.begun {
		m.begun = true
		for _, p := range m.parts {
			p.stream.local.release() // yielded before the streams were merged
		}
	}
	if m.last != nil {
		m.last.stream.local.release()
		m.last = nil
	}
}

// next returns the next event of the batches at hand and of the queues that have
// something, nil if there is none.
func (m *merged) next() Event {
	for {
		p := m.oldest()
		if p == nil {
			return nil
		}
		ev := p.stream.fromItem()
		p.look()
		if ev != nil {
			m.last = p
			return ev
		}
	}
}

// oldest returns the part whose next item was received first. Of several it is the
// one whose turn it is.
func (m *merged) oldest() *part {
	at, best := -1, int64(noHead)
	for i, p := range m.parts {
		if p.head == noHead && (p.err != nil || !p.stream.queue.Some() || !m.refill(p) || p.head == noHead) {
			continue
		}
		if p.head < best || p.head == best && at < m.turn && i >= m.turn {
			at, best = i, p.head
		}
	}
	if at < 0 {
		return nil
	}
	m.turn = at + 1
	return m.parts[at]
}

func (m *merged) refill(p *part) bool {
	changed := p.fill()
	if p.err != nil {
		m.live--
	}
	return changed
}

// fill looks into every queue whose batch is used up, and so arms its wake-up. It
// reports whether one had something.
func (m *merged) fill() bool {
	changed := false
	for _, p := range m.parts {
		if p.head == noHead && p.err == nil && m.refill(p) {
			changed = true
		}
	}
	return changed
}

// end returns what the stream ends with.
func (m *merged) end() error {
	if m.err != nil {
		return m.err
	}
	if len(m.parts) == 0 {
		return ErrClosed
	}
	for _, p := range m.parts[1:] {
		if !errors.Is(p.err, m.parts[0].err) {
			return ErrClosed
		}
	}
	return m.parts[0].err
}

// close closes the parts. It does not look at what Recv owns.
func (m *merged) close() {
	var wg sync.WaitGroup
	for _, p := range m.parts {
		wg.Go(func() { p.stream.Close() })
	}
	wg.Wait()
}

// stats adds up the parts' counters.
func (m *merged) stats() StreamStats {
	if len(m.parts) == 0 {
		return StreamStats{State: "closed"}
	}
	sum := m.parts[0].stream.Stats()
	for _, p := range m.parts[1:] {
		sum.add(p.stream.Stats())
	}
	return sum
}

func (sum *StreamStats) add(s StreamStats) {
	if sum.State != s.State {
		sum.State = "mixed"
	}
	sum.Topics += s.Topics
	sum.Accepted += s.Accepted
	sum.Rejected = append(sum.Rejected, s.Rejected...)
	sum.Connections = append(sum.Connections, s.Connections...)
	sum.Connects += s.Connects
	sum.Reconnects += s.Reconnects
	sum.Handovers += s.Handovers
	sum.Resyncs += s.Resyncs
	sum.Frames += s.Frames
	sum.Bytes += s.Bytes
	sum.Unwanted += s.Unwanted
	sum.Duplicates += s.Duplicates
	sum.Gaps += s.Gaps
	sum.Silent += s.Silent
	sum.Violations += s.Violations
	sum.Dropped += s.Dropped
	sum.Undecoded += s.Undecoded
	sum.Overflows += s.Overflows
	sum.Conflated += s.Conflated
	sum.QueueBytes += s.QueueBytes
}
