package sim

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// Rules say what the options of a stream change about what it owes.
type Rules struct {
	// NoBooks: the stream keeps no books, and the judge keeps its own of the
	// messages, as a user would.
	NoBooks bool

	// Lenient: books may pass over update ids, and differ from the server's since.
	Lenient bool

	// Lanes: several connections carry the same topics, so that events need
	// not follow one wire. Each message must then come once, in order.
	Lanes bool
}

// Judge checks the events of one stream, in the order in which See gets them.
// It belongs to one goroutine.
type Judge struct {
	s      *Server
	net    *network
	rules  Rules
	topics map[string]*trial
	order  []*trial

	view book.View // of the event before, which must be stale by now
	held bool      // there is one

	complaints []string
	counts     Counts
}

// Counts are what a judge has seen. Full is how often a full book has begun.
type Counts struct{ Books, Full, Trades, Tickers, Gaps, Rejected, Damaged, Conflated, Others int }

// Plus adds counts up.
func (c Counts) Plus(o Counts) Counts {
	return Counts{c.Books + o.Books, c.Full + o.Full, c.Trades + o.Trades, c.Tickers + o.Tickers, c.Gaps + o.Gaps,
		c.Rejected + o.Rejected, c.Damaged + o.Damaged, c.Conflated + o.Conflated, c.Others + o.Others}
}

// trial is what the judge knows of a topic.
type trial struct {
	name      string
	started   bool    // an event has come
	gap       bool    // and a gap since: anything later may follow
	places    []place // where on the wire the last event may have stood
	last      entry
	keys      []int64       // lanes: what came, in order
	gaps      []pause       // lanes
	snapshots []int64       // lanes: those of keys
	times     map[int64]int // how often each came
	u         int64         // of the last book
	whole     bool          // that book misses nothing
	own       *book.Book    // of a stream without books
	ended     bool          // rejected, and not subscribed again
}

// Judge returns the judge of a stream.
func (s *Server) Judge(stream int, rules Rules) *Judge {
	return &Judge{s: s, net: s.nets[stream], rules: rules, topics: make(map[string]*trial)}
}

// Complaints returns what was wrong, a line each, at most twenty.
func (j *Judge) Complaints() []string { return j.complaints }

// Counts returns what was seen.
func (j *Judge) Counts() Counts { return j.counts }

func (j *Judge) complain(topic, format string, args ...any) {
	if len(j.complaints) < 20 {
		j.complaints = append(j.complaints, topic+": "+fmt.Sprintf(format, args...))
	}
}

func (j *Judge) trial(name string) *trial {
	t := j.topics[name]
	if t == nil {
		t = &trial{name: name, gap: true, times: make(map[int64]int)}
		j.topics[name] = t
		j.order = append(j.order, t)
	}
	return t
}

// See judges the next event of the stream.
func (j *Judge) See(ev bybit.Event) {
	if err := j.view.Err(); j.held && !errors.Is(err, book.ErrStale) {
		j.complain("", "the book of the event before can still be read: %v", err)
	}
	j.held = false
	j.s.mu.Lock()
	defer j.s.mu.Unlock()
	switch ev := ev.(type) {
	case *bybit.BookEvent:
		j.counts.Books++
		t := j.trial(ev.Topic.String())
		if ev.Snapshot && j.feedOf(t.name).full() {
			j.counts.Full++
		}
		if j.arrive(t, entry{key: ev.Seq, snapshot: ev.Snapshot}, 1+ev.Conflated) {
			j.judgeBook(t, ev)
		}
		if !j.rules.NoBooks {
			j.view, j.held = ev.Book, true
		}
	case *bybit.TradesEvent:
		j.counts.Trades++
		if len(ev.Trades) == 0 {
			j.complain(ev.Topic.String(), "an event without trades")
			return
		}
		j.arrive(j.trial(ev.Topic.String()), entry{key: ev.Trades[0].Seq, snapshot: true}, 1)
	case *bybit.TickerEvent:
		j.counts.Tickers++
		t := j.trial(ev.Topic.String())
		if j.arrive(t, entry{key: ev.Seq, snapshot: ev.Snapshot}, 1+ev.Conflated) {
			j.judgeTicker(t, ev)
		}
	case *bybit.GapEvent:
		j.counts.Gaps++
		j.interrupt(j.trial(ev.Topic.String()), ev.Time)
	case *bybit.RejectedEvent:
		j.counts.Rejected++
		t := j.trial(ev.Topic.String())
		t.ended = true
		j.interrupt(t, ev.Time)
	case *bybit.DecodeErrorEvent:
		j.counts.Damaged++
	default:
		j.counts.Others++
	}
}

// interrupt notes that messages of a topic are missing here, and that the user
// knows.
func (j *Judge) interrupt(t *trial, at time.Time) {
	t.gap, t.whole = true, false
	t.gaps = append(t.gaps, pause{len(t.keys), at})
	if t.own != nil {
		t.own.Invalidate(nil)
	}
}

// arrive checks that the event stands where it may: right behind the one before,
// or anywhere later if there was a gap. n is how many messages it stands for. It
// returns false if the rest of the event is not worth a look.
func (j *Judge) arrive(t *trial, e entry, n int) bool {
	t.ended = false
	tape := j.net.tape(t.name)
	if n > 1 { // a snapshot and the deltas behind it make a snapshot with the last one's key
		j.counts.Conflated += n - 1
		t.gaps = append(t.gaps, pause{len(t.keys), time.Now()}) // for lanes: what it stands for does not come
	}
	t.times[e.key]++
	if most := tape.times[e.key]; t.times[e.key] > most && j.owesOnce(t) {
		j.complain(t.name, "message %d came %d times, and was sent %d times on a connection", e.key, t.times[e.key], most)
	}
	if j.rules.Lanes {
		return j.arriveOnLanes(t, tape, e)
	}
	if parsed, err := wire.ParseTopic(t.name); err == nil && parsed.Kind == wire.KindFullOrderBook {
		return j.arriveFull(t, tape, e, n)
	}
	forms := []entry{e}
	if n > 1 {
		forms = append(forms, e.twin())
	}
	var next []place
	switch {
	case !t.started:
		next = tape.find(place{-1, -1}, forms...)
	case t.gap:
		next = tape.find(t.places[0], forms...)
	default:
		for _, p := range t.places {
			for _, form := range forms {
				if q, ok := tape.follow(p, n, form); ok {
					next = append(next, q)
				}
			}
		}
	}
	if len(next) == 0 {
		if t.gap || !t.started {
			j.complain(t.name, "%s was not sent behind %s", e, t.last)
		} else {
			j.complain(t.name, "%s is not what was sent behind %s, and no gap says so: the wire has %s", e, t.last, tape.around(t.places[0]))
		}
		next = tape.find(place{-1, -1}, forms...) // go on from here
		if len(next) == 0 {
			return false
		}
	}
	t.started, t.gap, t.places, t.last = true, false, next, e
	return true
}

// arriveFull is arrive for orderbook.full. Its wire has changes only: a book that is new
// is that behind one of them, once there was a gap, and a change that is not newer than the last
// is no change.
func (j *Judge) arriveFull(t *trial, tape *tape, e entry, n int) bool {
	form := entry{key: e.key}
	var next []place
	switch {
	case e.snapshot && t.started && !t.gap:
		j.complain(t.name, "%s begins the book anew, and no gap says why", e)
	case e.snapshot:
		from := place{-1, -1}
		if t.started {
			from = t.places[0]
		}
		next = tape.find(from, form)
	default:
		for _, p := range t.places {
			if q, ok := tape.followNewer(p, n, form); ok && (j.rules.NoBooks || !t.gap) {
				next = append(next, q)
			}
		}
		if j.rules.NoBooks && (t.gap || !t.started) {
			next = tape.find(place{-1, -1}, form)
		}
	}
	if len(next) == 0 {
		j.complain(t.name, "%s is not what was sent behind %s, and no gap says so", e, t.last)
		if next = tape.find(place{-1, -1}, form); len(next) == 0 {
			return false
		}
	}
	t.started, t.gap, t.places, t.last = true, false, next, e
	return true
}

// owesOnce reports a topic of which a message is never repeated by a new
// subscription, as snapshots are.
func (j *Judge) owesOnce(t *trial) bool {
	parsed, err := wire.ParseTopic(t.name)
	return err == nil && parsed.Kind == wire.KindTrades
}

// arriveOnLanes checks order and presence where several wires carry the topic.
func (j *Judge) arriveOnLanes(t *trial, tape *tape, e entry) bool {
	if len(tape.index[e]) == 0 && len(tape.index[entry{key: e.key, snapshot: !e.snapshot}]) == 0 {
		j.complain(t.name, "%s was never sent", e)
		return false
	}
	t.keys = append(t.keys, e.key)
	if e.snapshot {
		t.snapshots = append(t.snapshots, e.key)
	}
	t.started, t.gap, t.last = true, false, e
	return true
}

// twin is the message of that key in the other form: an event that stands for
// several is a snapshot if one of them was.
func (e entry) twin() entry {
	e.snapshot = !e.snapshot
	return e
}

// String writes the entry for a complaint.
func (e entry) String() string {
	s := fmt.Sprintf("message %d", e.key)
	if e.snapshot {
		s = fmt.Sprintf("snapshot %d", e.key)
	}
	if e.damaged {
		s += " (damaged)"
	}
	return s
}

// around shows what follows a place.
func (t *tape) around(p place) string {
	list := t.conns[p.conn]
	return fmt.Sprint(list[p.index:min(len(list), p.index+4)])
}

// judgeBook compares a book with the server's.
func (j *Judge) judgeBook(t *trial, ev *bybit.BookEvent) {
	f := j.feedOf(t.name)
	truth, ok := f.books[ev.Seq]
	if !ok || truth.u != ev.ID || truth.match != ev.MatchTime.UnixMilli() {
		j.complain(t.name, "u %d seq %d cts %d, the server has u %d cts %d", ev.ID, ev.Seq, ev.MatchTime.UnixMilli(), truth.u, truth.match)
		return
	}
	view := ev.Book
	if j.rules.Lenient {
		if err := view.Err(); err != nil {
			j.complain(t.name, "u %d: the book of an event cannot be read: %v", ev.ID, err)
		}
		return
	}
	if j.rules.NoBooks {
		if err := view.Err(); !errors.Is(err, book.ErrNoBook) {
			j.complain(t.name, "a stream without books has one: %v", err)
		}
		if f.full() {
			return // its user would need the snapshots
		}
		if t.own == nil {
			t.own = book.New(f.depth)
		}
		if err := t.own.Apply(&ev.Update); err != nil {
			return // waits for a snapshot, as the user would
		}
		view = t.own.View()
	}
	first := ev.ID // of the messages that the event stands for
	if ev.From != 0 {
		first = ev.From
	}
	hash, err := fingerprintOf(j.s.hashes, view, f.kind == wire.KindRPIOrderBook)
	switch {
	case err != nil:
		j.complain(t.name, "u %d: the book of an event cannot be read: %v", ev.ID, err)
	case hash != truth.hash:
		j.complain(t.name, "the book differs from the server's at u %d, seq %d", ev.ID, ev.Seq)
	case !ev.Snapshot && ev.ID != 1 && (first > t.u+1 || ev.ID <= t.u),
		ev.Snapshot && t.whole && !f.snapshots && first > t.u+1: // whoever sums up deltas has missed some
		j.complain(t.name, "update id %d follows %d", ev.ID, t.u)
	}
	t.u, t.whole = ev.ID, true
}

// fingerprintOf is feed.fingerprint of a client's book.
func fingerprintOf(seed maphash.Seed, v book.View, rpi bool) (uint64, error) {
	var text []byte
	for _, side := range []book.Side{book.Bid, book.Ask} {
		levels, err := v.Levels(side)
		if err != nil {
			return 0, err
		}
		for lv := range levels {
			text = lv.Price.AppendTo(text)
			text = append(lv.Size.AppendTo(append(text, ' ')), ' ')
			if rpi {
				text = lv.RPI.AppendTo(text)
			}
			text = append(text, '\n')
		}
		text = append(text, '|')
	}
	return maphash.Bytes(seed, text), nil
}

// judgeTicker compares a complete ticker with the server's.
func (j *Judge) judgeTicker(t *trial, ev *bybit.TickerEvent) {
	truth, ok := j.feedOf(t.name).tickers[ev.Seq]
	if !ok {
		j.complain(t.name, "cs %d was never sent", ev.Seq)
		return
	}
	if !ev.Complete {
		return
	}
	got := [tickerFields]string{
		ev.LastPrice.String(), ev.MarkPrice.String(), ev.IndexPrice.String(), ev.BidPrice.String(), ev.BidSize.String(),
		ev.AskPrice.String(), ev.AskSize.String(), ev.FundingRate.String(),
	}
	for i, v := range truth {
		if want := string(appendFixed(nil, v, 3)); got[i] != want {
			j.complain(t.name, "cs %d: %s is %s, the server's %s", ev.Seq, tickerField(i), got[i], want)
		}
	}
}

// feedOf returns the topic of that name. Names differ between channels by the
// symbols that a test chooses.
func (j *Judge) feedOf(name string) *feed {
	i := slices.IndexFunc(j.s.order, func(f *feed) bool { return f.name == name })
	return j.s.order[i]
}

// Settled checks, when the server is frozen and everything has arrived, that
// each of the topics stands where the server stands, and on lanes that nothing
// is missing outside of the gaps.
func (j *Judge) Settled(topics []bybit.Topic) {
	j.s.mu.Lock()
	defer j.s.mu.Unlock()
	for _, topic := range topics {
		t := j.trial(topic.String())
		f := j.feedOf(t.name)
		switch {
		case t.ended:
			j.complain(t.name, "is not subscribed any more")
		case !t.started || t.gap:
			j.complain(t.name, "nothing came after the last gap; the server is at %d", f.key)
		case t.last.key != f.key:
			j.complain(t.name, "stands at %d, the server at %d", t.last.key, f.key)
		}
		if j.rules.Lanes {
			j.settleLanes(t, f)
		}
	}
	slices.Sort(j.complaints)
}

// begins reports whether the book of that key was the first to come of its count of
// update ids.
func (t *trial) begins(key int64, f *feed) bool {
	i := slices.Index(t.keys, key)
	return i > 0 && f.books[t.keys[i-1]].epoch < f.books[key].epoch
}

// pause is a gap of a topic on lanes: before which of the messages that came it
// stood, and when it was announced: a consumer that sleeps sees it later.
type pause struct {
	before int
	at     time.Time
}

// covers reports whether a message that was sent at a time lies in the gap:
// between the newest that came before it and the oldest that came after, or so
// shortly before it in time that a connection which brought nothing any more may
// have been taken for alive.
func (g pause) covers(keys []int64, key int64, sent time.Time) bool {
	if g.before == len(keys) {
		return true
	}
	if late := g.at.Sub(sent); late >= 0 && late < 50*time.Second {
		return true
	}
	newest := keys[max(0, g.before-1)]
	if g.before >= 2 {
		newest = min(newest, keys[g.before-2]) // two may have changed places
	}
	return newest <= key && key <= max(newest, slices.Min(keys[g.before:min(g.before+3, len(keys))]))
}

// settleLanes checks that whatever a connection carried has come, or lies in a
// gap: between the newest message before it and the oldest after it.
//
// A book of one level is a state in each message, of which a late one is worth
// nothing: it is left out. So is the change of a ticker that a later snapshot, of
// another connection, has brought before it, and the changes of a book around a
// restart of the service, if another connection brought the new book first.
func (j *Judge) settleLanes(t *trial, f *feed) {
	if len(t.keys) == 0 || f.depth == 1 {
		return
	}
	tape := j.net.tape(t.name)
	var sent []int64
	for e := range tape.index {
		sent = append(sent, e.key)
	}
	slices.Sort(sent)
	sent = slices.Compact(sent)
	for _, key := range sent {
		if f.books == nil && tape.holes[key] {
			continue // the connection that left it out looks like one that covers the other's loss
		}
		if t.times[key] > 0 || key < t.keys[0] || key > slices.Max(t.keys) {
			continue
		}
		covered := slices.ContainsFunc(t.gaps, func(g pause) bool { return g.covers(t.keys, key, tape.sent[key]) }) ||
			slices.ContainsFunc(t.snapshots, func(s int64) bool {
				return s > key && tape.sent[s].Sub(tape.sent[key]) < time.Minute && (f.tickers != nil || t.begins(s, f))
			})
		if !covered {
			j.complain(t.name, "message %d was sent and never came, and no gap says so", key)
		}
	}
}
