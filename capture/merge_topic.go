package capture

import (
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// held is a record that waits for its place in the result, or the memory of one
// that has found it.
type held struct {
	src      int
	mark     mark
	done     bool // its twin has been written: it only stands in its queue
	matched  bool // the other recording has it too
	indexed  bool
	written  bool
	kind     Kind
	dir      Direction
	conn     *mergeConn
	record   uint64 // its number in its recording
	received time.Time
	id       wire.Identity
	data     []byte
	twin     *held // the same message of the other recording, while both are held
	next     *held // with the same key
}

// heldSize is what a record that is held takes besides its data, about.
const heldSize = 256

// mark is what stands in a queue without being a record.
type mark uint8

const (
	markNone  mark = iota
	markGap        // the recording lacks something of this topic here
	markBreak      // of every topic that it has
	markEnd        // the recording ends
)

// class says how messages of a topic are told apart and put in order.
type class uint8

const (
	classOther  class = iota // by content, close in time
	classPass                // not at all: notes, acknowledgements
	classChain               // order books whose update ids rise by one
	classTop                 // order books of depth 1, which repeat
	classTrades              // by trade ids
)

// mergeTopic is one topic of one channel on its way through a merge.
type mergeTopic struct {
	key    topicKey
	class  class
	ticker bool
	near   int64 // ms by which the times of one message may differ
	queue  [2]fifo[*held]
	put    [2]uint64 // how many were put into the queue
	gone   [2]uint64 // how many have left it
	index  map[wire.Hash]*held
	recent fifo[*held] // written, and remembered for who comes late
	trades tradeSet

	last     wire.Identity // of the last message written
	received time.Time     // of it
	written  int64

	// covers says for each recording whether nothing speaks against its having the topic
	// at this point: it had its last message, and marks no gap behind it.
	covers [2]bool
	seen   [2]bool
	open   [2]int64 // gaps that it has marked and not come back from
	missed [2]int64 // MissingPlaces at the first of these
	helped [2]bool  // the other one has covered the topic since
	marked time.Time

	report TopicLedger
}

const (
	// remembered is how many written messages of a topic are known, for those
	// whose twin comes when the window has passed them.
	remembered = 512
	// tradesKnown is how many of its trades are.
	tradesKnown = 4096
	// nearby is by how much the times of one message may differ where its topic's
	// cadence does not say, in ms; nearbySeq where it has a cross sequence.
	nearby    = 250
	nearbySeq = 1500
)

func newMergeTopic(key topicKey) *mergeTopic {
	t := &mergeTopic{key: key, near: nearby, index: make(map[wire.Hash]*held)}
	t.report = TopicLedger{Channel: key.channel, Topic: key.topic, Missing: []Missing{}, Conflicts: []Conflict{}, PartlyKnown: []Place{}}
	if key == (topicKey{}) {
		t.class = classPass
		return t
	}
	name, err := wire.ParseTopic(key.topic)
	if err != nil {
		return t
	}
	switch {
	case name.Kind == wire.KindOrderBook && name.Depth == 1:
		t.class, t.near = classTop, nearbySeq // half of the three seconds after which it repeats
	case name.Kind == wire.KindOrderBook, name.Kind == wire.KindRPIOrderBook, name.Kind == wire.KindFullOrderBook:
		t.class = classChain
	case name.Kind == wire.KindTrades:
		t.class = classTrades
	default:
		t.ticker = name.Kind == wire.KindTickers
		if push := name.PushOn(wire.Channel(key.channel)); push.Min > 0 {
			t.near = push.Min.Milliseconds() / 2
		}
	}
	return t
}

// step takes one record or mark out of the topic's queues: that which comes
// first.
func (m *merging) step(t *mergeTopic) error {
	a, b := t.queue[0].head(), t.queue[1].head()
	for _, h := range []**held{a, b} {
		if h != nil && ((*h).mark != markNone || (*h).done) {
			e := t.pop((*h).src)
			if e.mark != markNone {
				t.interrupt(e)
			} else {
				t.cover(e.src)
				t.leave(e)
			}
			m.forget(e)
			return nil
		}
	}
	switch {
	case a == nil:
		return m.emit(t, *b)
	case b == nil:
		return m.emit(t, *a)
	case t.first(*a, *b):
		return m.emit(t, *a)
	}
	return m.emit(t, *b)
}

func (t *mergeTopic) pop(src int) *held {
	t.gone[src]++
	return t.queue[src].pop()
}

// first reports whether a comes before b.
func (t *mergeTopic) first(a, b *held) bool {
	// Where the other recording has a, it has b before it.
	if (a.twin != nil) != (b.twin != nil) {
		return b.twin != nil
	}
	x, y := &a.id, &b.id
	switch {
	case a.twin == b:
		return true
	case t.class == classPass:
		return !b.received.Before(a.received)
	case x.Kind == wire.IdentityBook && y.Kind == wire.IdentityBook && x.Update != y.Update:
		return t.bookFirst(x, y)
	case x.Kind == wire.IdentityBook && x.CrossMs != y.CrossMs && x.CrossMs != 0 && y.CrossMs != 0:
		return x.CrossMs < y.CrossMs
	case t.class == classChain && x.Snapshot != y.Snapshot:
		return y.Snapshot // it says again what the delta came to
	case x.Ms != y.Ms && x.Ms != 0 && y.Ms != 0:
		return x.Ms < y.Ms
	case x.Seq != y.Seq && x.Seq != 0 && y.Seq != 0:
		return x.Seq < y.Seq
	case x.Snapshot != y.Snapshot:
		return y.Snapshot
	}
	return !b.received.Before(a.received)
}

// bookFirst reports whether x comes before y, of which the update ids differ. Update
// ids begin again when the venue restarts; cts and seq do not.
func (t *mergeTopic) bookFirst(x, y *wire.Identity) bool {
	below := x.Update < y.Update
	if contrary(below, x.CrossMs, y.CrossMs) && (contrary(below, x.Seq, y.Seq) || x.Seq == 0 || y.Seq == 0) {
		return !below // a restart is between them
	}
	if last := t.last.Update; x.CrossMs == y.CrossMs && (x.Update < last) != (y.Update < last) {
		return y.Update < last // which is behind a restart
	}
	return below
}

// contrary reports whether two numbers, if both are known, are in another order
// than below says.
func contrary(below bool, x, y int64) bool {
	return x != 0 && y != 0 && x != y && below != (x < y)
}

// later reports whether x was made after the last message written, by what does
// not begin again.
func (t *mergeTopic) later(x *wire.Identity) bool {
	l := &t.last
	if x.CrossMs != 0 && l.CrossMs != 0 && x.CrossMs != l.CrossMs {
		return x.CrossMs > l.CrossMs
	}
	if x.Seq != 0 && l.Seq != 0 && x.Seq != l.Seq {
		return x.Seq > l.Seq
	}
	return x.Update == 1
}

// late reports whether what comes after x has been written.
func (t *mergeTopic) late(x *wire.Identity) bool {
	l := &t.last
	switch {
	case t.written == 0:
		return false
	case t.ticker:
		return x.Seq != 0 && x.Seq < l.Seq && x.Ms < l.Ms
	case x.Kind != wire.IdentityBook || x.Update == 0 || l.Update == 0:
		return false
	case x.Update == l.Update && t.class == classTop:
		return x.Ms <= l.Ms && !t.later(x)
	case x.Update == l.Update && x.Snapshot:
		return false
	case x.Update <= l.Update:
		return !t.later(x)
	case x.Update == l.Update+1:
		return false
	}
	return x.CrossMs < l.CrossMs && x.Seq < l.Seq && x.CrossMs != 0
}

// emit writes a message that is at the head of its queue, or its twin.
func (m *merging) emit(t *mergeTopic, x *held) error {
	t.pop(x.src)
	keep := x
	m.held -= int64(len(x.data)) + heldSize
	if y := x.twin; y != nil {
		m.held -= int64(len(y.data)) + heldSize
		x.twin, y.twin, y.done = nil, nil, true
		if y.received.Before(x.received) || y.src == 0 && y.received.Equal(x.received) {
			keep = y
		}
		defer m.drop(y)
		m.compare(x, y)
	}
	if t.class == classPass {
		defer m.forget(x)
		return m.pass(x)
	}
	write := true
	switch {
	case t.late(&x.id):
		t.report.Late++
		write = false
	case x.id.Kind == wire.IdentityTrades:
		write = m.tradesNew(t, keep)
	}
	if write {
		if err := m.emitWhole(t, keep); err != nil {
			return err
		}
		if x.matched {
			t.report.Both++
		} else {
			*t.only(x.src)++
		}
	}
	t.cover(x.src)
	m.drop(x)
	if !write {
		t.leave(x)
		m.forget(x)
		return nil
	}
	x.written = true
	t.recent.push(x)
	if t.recent.len() > remembered {
		old := t.recent.pop()
		t.leave(old)
		m.forget(old)
	}
	return nil
}

// emitWhole writes a message, behind a gap record if something is missing before it.
func (m *merging) emitWhole(t *mergeTopic, e *held) error {
	if missing, ok := t.missing(e); ok {
		if err := m.missing(t, missing, e.conn, e.received); err != nil {
			return err
		}
	}
	if err := m.write(e.kind, e.dir, e.conn, e.received, e.data); err != nil {
		return err
	}
	t.last, t.received = e.id, e.received
	t.written++
	if r := &t.report; r.First == nil {
		first, last := e.received, e.received
		r.First, r.Last = &first, &last
	} else if e.received.After(*r.Last) {
		*r.Last = e.received
	}
	return nil
}

// missing says what is in neither recording before a message.
func (t *mergeTopic) missing(e *held) (Missing, bool) {
	gap := Missing{From: t.received, To: &e.received}
	bare := !t.covers[0] && !t.covers[1]
	if t.written == 0 {
		return gap, false
	}
	u, last := e.id.Update, t.last.Update
	if t.class != classChain || u == 0 || last == 0 {
		return gap, bare
	}
	switch {
	case u == last: // a snapshot of what is known
		return gap, false
	case u > last && u != 1:
		gap.FromU, gap.ToU = last+1, u-1
		if e.id.Snapshot && bare {
			gap.ToU = u // of the message the snapshot came instead
		}
		return gap, gap.FromU <= gap.ToU
	case bare:
		gap.FromU = last + 1
		return gap, true
	}
	gap.FromU, gap.ToU = 1, u-1
	return gap, u > 1
}

// missing takes down and writes what is in neither recording.
func (m *merging) missing(t *mergeTopic, gap Missing, c *mergeConn, at time.Time) error {
	t.report.MissingPlaces++
	if len(t.report.Missing) < maxListed {
		if gap.To != nil {
			to := *gap.To
			gap.To = &to
		}
		t.report.Missing = append(t.report.Missing, gap)
	}
	return m.write(Gap, In, c, at, []byte(t.key.topic+": missing, "+gap.String()))
}

// tradesNew takes down the trades of a message, and reports whether any of them is
// new.
func (m *merging) tradesNew(t *mergeTopic, e *held) bool {
	m.ids = wire.AppendTradeIDs(m.ids[:0], e.data)
	known := 0
	for _, id := range m.ids {
		if !t.trades.add(id) {
			known++
		}
	}
	switch {
	case known == 0:
		return true
	case known == len(m.ids):
		t.report.Contained++
		return false
	}
	t.report.Partly++
	if len(t.report.PartlyKnown) < maxListed {
		t.report.PartlyKnown = append(t.report.PartlyKnown, e.place())
	}
	return true
}

// pass writes what is no message of a topic.
func (m *merging) pass(e *held) error {
	name := [2]string{"A: ", "B: "}[e.src]
	kind, data := e.kind, e.data
	switch {
	case kind == Note && e.record != 0: // the merge's own notes have none
		data = append([]byte(name), data...)
	case kind == ClockOffset && e.src == 1:
		kind, data = Note, append([]byte(name+"clock offset "), data...) // of another clock than A's
	}
	if len(data) > MaxData {
		data = data[:MaxData]
	}
	return m.write(kind, e.dir, e.conn, e.received, data)
}

// interrupt takes a mark.
func (t *mergeTopic) interrupt(e *held) {
	s := e.src
	if e.mark == markBreak && !t.seen[s] {
		return
	}
	t.covers[s] = false
	t.marked = e.received
	if e.mark == markEnd || t.class == classPass {
		return
	}
	if s == 0 {
		t.report.GapsA++
	} else {
		t.report.GapsB++
	}
	if t.open[s]++; t.open[s] == 1 {
		t.missed[s] = t.report.MissingPlaces
		t.helped[s] = t.covers[1-s]
	}
}

// cover takes down that a recording has the topic.
func (t *mergeTopic) cover(s int) {
	t.covers[s], t.seen[s] = true, true
	t.helped[1-s] = t.helped[1-s] || t.open[1-s] > 0
	if t.open[s] > 0 && t.report.MissingPlaces == t.missed[s] {
		t.fill(s)
	}
	t.open[s] = 0
}

func (t *mergeTopic) fill(s int) {
	if s == 0 {
		t.report.FilledA += t.open[s]
	} else {
		t.report.FilledB += t.open[s]
	}
}

// endTopic judges the gaps that a recording did not come back from.
func (m *merging) endTopic(t *mergeTopic) error {
	var remains bool
	for s := range 2 {
		switch {
		case t.open[s] == 0:
		case t.helped[s] && t.open[1-s] == 0 && t.report.MissingPlaces == t.missed[s]:
			t.fill(s)
		default:
			remains = true
		}
	}
	if !remains {
		return nil
	}
	gap := Missing{From: t.received}
	if t.written == 0 {
		gap.From = t.marked
	}
	return m.missing(t, gap, m.conns[t.key.channel], m.end)
}
