package capture

import (
	"fmt"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// mark puts a mark behind what a recording has of the topic so far.
func (m *merging) mark(t *mergeTopic, src int, what mark) {
	e := m.fresh()
	e.src, e.mark = src, what
	e.received = time.Unix(0, m.latest).UTC()
	t.queue[src].push(e)
	t.put[src]++
}

// hold takes a record into its topic's queue, unless the recording has it twice.
func (m *merging) hold(t *mergeTopic, src int, rec *Record) {
	e := m.fresh()
	e.src, e.kind, e.dir, e.conn = src, rec.Kind, rec.Direction, m.conn(rec)
	e.record, e.received = rec.Seq, rec.Received
	e.data = append(m.room(), rec.Data...)
	if t.class != classPass {
		e.id = wire.Identify(rec.Data)
		if f := t.find(e); f != nil && !m.match(t, f, e) {
			m.forget(e)
			return
		}
		t.enter(e)
	}
	if !e.done {
		m.held += int64(len(e.data)) + heldSize
	}
	m.waiting[src].push(turn{t, t.put[src], rec.Received.UnixNano()})
	t.queue[src].push(e)
	t.put[src]++
}

// find returns the message that e is, of those that are known; nil for none.
func (t *mergeTopic) find(e *held) *held {
	exact := t.class == classChain && e.id.Kind == wire.IdentityBook && e.id.Update != 0 || e.id.Kind == wire.IdentityTrades
	near := t.near
	if e.id.Seq != 0 || e.id.CrossMs != 0 {
		near = max(near, nearbySeq)
	}
	var best *held
	for f := t.index[e.id.Key]; f != nil; f = f.next {
		apart := max(f.id.Ms-e.id.Ms, e.id.Ms-f.id.Ms)
		switch {
		case exact:
			return f
		case f.src == e.src:
			if apart == 0 && t.class == classTop {
				return f
			}
		case !f.matched && apart <= near:
			near, best = apart, f
			if apart == 0 {
				return f
			}
		}
	}
	return best
}

// match takes down that e is the message f, and reports whether e has a place in
// its queue: it has none if its recording has the message already.
func (m *merging) match(t *mergeTopic, f, e *held) bool {
	again := f.src == e.src || f.matched
	later := f.received.After(e.received) && !again && !f.written
	if f.id.Content != e.id.Content {
		if later {
			m.conflict(t, e, f)
		} else {
			m.conflict(t, f, e)
		}
	}
	if again {
		t.report.Repeats++
		return false
	}
	f.matched, e.matched = true, true
	if f.written {
		*t.only(f.src)--
		t.report.Both++
		e.done = true
		m.drop(e)
		m.compare(f, e)
		return true
	}
	f.twin, e.twin = e, f
	return true
}

func (t *mergeTopic) only(src int) *int64 {
	if src == 0 {
		return &t.report.OnlyA
	}
	return &t.report.OnlyB
}

// compare takes down how much later B received a message.
func (m *merging) compare(x, y *held) {
	if x.src == 1 {
		x, y = y, x
	}
	m.apart.add(y.received.Sub(x.received))
}

// conflict takes down that there are two versions of a message. The one that the result
// does not have goes into a note.
func (m *merging) conflict(t *mergeTopic, kept, other *held) {
	t.report.ConflictCount++
	if len(t.report.Conflicts) < maxListed {
		t.report.Conflicts = append(t.report.Conflicts, Conflict{Kept: kept.place(), Other: other.place(), U: kept.id.Update})
	}
	text := fmt.Appendf(nil, "%s: conflict, %c has: ", t.key.topic, 'A'+rune(other.src))
	rec := Record{Kind: Note, Received: other.received, Data: append(text, other.data...)}
	if c := other.conn; c != nil {
		rec.Conn, rec.Channel, rec.URL = c.id, c.channel, c.url
	}
	if len(rec.Data) > MaxData {
		rec.Data = rec.Data[:len(text)]
	}
	m.hold(m.topic(topicKey{}), other.src, &rec)
}

func (e *held) place() Place {
	p := Place{Received: e.received}
	if e.src == 0 {
		p.RecordA = e.record
	} else {
		p.RecordB = e.record
	}
	return p
}

// enter makes a message known.
func (t *mergeTopic) enter(e *held) {
	e.next, e.indexed = t.index[e.id.Key], true
	t.index[e.id.Key] = e
}

// leave makes it unknown.
func (t *mergeTopic) leave(e *held) {
	if !e.indexed {
		return
	}
	e.indexed = false
	f := t.index[e.id.Key]
	if f == e {
		if e.next == nil {
			delete(t.index, e.id.Key)
		} else {
			t.index[e.id.Key] = e.next
		}
		return
	}
	for f.next != e {
		f = f.next
	}
	f.next = e.next
}

// fresh returns a record to fill.
func (m *merging) fresh() *held {
	if n := len(m.free); n > 0 {
		e := m.free[n-1]
		m.free = m.free[:n-1]
		return e
	}
	return new(held)
}

// forget gives a record free that nothing refers to any more.
func (m *merging) forget(e *held) {
	m.drop(e)
	*e = held{}
	m.free = append(m.free, e)
}

// smallRoom is what is kept to be used again: most messages fit.
const smallRoom = 4096

// room returns room for a message's data.
func (m *merging) room() []byte {
	if n := len(m.rooms); n > 0 {
		b := m.rooms[n-1]
		m.rooms = m.rooms[:n-1]
		return b
	}
	return nil
}

// drop gives the room of a message's data free. Its identity stays.
func (m *merging) drop(e *held) {
	if c := cap(e.data); c > 0 && c <= smallRoom {
		m.rooms = append(m.rooms, e.data[:0])
	}
	e.data = nil
}

// tradeSet is the trades of a topic that were written last.
type tradeSet struct {
	known map[wire.Hash]struct{}
	ring  []wire.Hash
	next  int
}

// add makes a trade known, and reports whether it was not.
func (s *tradeSet) add(id wire.Hash) bool {
	if _, ok := s.known[id]; ok {
		return false
	}
	if s.known == nil {
		s.known = make(map[wire.Hash]struct{})
	}
	s.known[id] = struct{}{}
	if len(s.ring) < tradesKnown {
		s.ring = append(s.ring, id)
		return true
	}
	delete(s.known, s.ring[s.next])
	s.ring[s.next] = id
	s.next = (s.next + 1) % tradesKnown
	return true
}

// fifo is a queue. What has been taken out is overwritten when half of the room is
// that.
type fifo[T any] struct {
	list []T
	from int
}

func (q *fifo[T]) len() int { return len(q.list) - q.from }

// head returns the oldest element; nil if there is none.
func (q *fifo[T]) head() *T {
	if q.from == len(q.list) {
		return nil
	}
	return &q.list[q.from]
}

func (q *fifo[T]) push(x T) {
	if q.from > 16 && 2*q.from >= len(q.list) && len(q.list) == cap(q.list) {
		n := copy(q.list, q.list[q.from:])
		clear(q.list[n:])
		q.list, q.from = q.list[:n], 0
	}
	q.list = append(q.list, x)
}

func (q *fifo[T]) pop() T {
	x := q.list[q.from]
	var zero T
	q.list[q.from] = zero
	q.from++
	return x
}
