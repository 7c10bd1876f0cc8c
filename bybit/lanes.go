package bybit

import (
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// laneWait is how long a message that is ahead waits for the one before it, which
// another connection may still bring.
const laneWait = time.Second

// lanesNotice tells the consumer, in its place among the messages, what has
// changed about the connections that carry a topic. It is never yielded.
type lanesNotice struct {
	mask    uint8 // the lanes that carry the topic now
	overdue bool  // or: what is held back has waited for long enough
}

func (*lanesNotice) event() {}

// verdict is what to do with a message.
type verdict uint8

const (
	deliver   verdict = iota
	duplicate         // it was delivered already, or what came after it was
	hold              // what comes before it may still come
	misplaced         // it belongs to a state that is over, or not known
)

// merger makes one sequence of what several connections, the lanes, bring of one
// topic: each message once, the fastest copy, in order. It belongs to the consumer.
//
// The messages of order books are chained by their update ids, which say by
// themselves what is missing. All others are compared by their content.
type merger struct {
	chain  *chain  // of order books
	latest *latest // of depth 1, in front of chain
	prints *prints // of everything else
	ticker *order  // of tickers, behind prints
	asked  bool    // a notice is to come when what is held back is overdue
	stale  int     // copies in a row, with nothing delivered between them
}

// maxStale is how many messages in a row may be nothing but copies. One lane does
// not lag by so much; rather the feed has begun anew with ids and times that were
// there before, as a replay does.
const maxStale = 1024

// doubt counts a verdict, and turns it if there have been too many copies.
func (m *merger) doubt(v verdict) verdict {
	if v != duplicate {
		m.stale = 0
		return v
	}
	if m.stale++; m.stale < maxStale {
		return v
	}
	m.stale = 0
	return misplaced
}

func newMerger(kind wire.Kind, single bool) *merger {
	m := &merger{}
	switch kind {
	case wire.KindOrderBook, wire.KindRPIOrderBook:
		m.chain = &chain{broken: true}
		if single {
			m.latest = &latest{}
		}
	case wire.KindFullOrderBook:
		m.chain = &chain{endless: true}
	case wire.KindTickers:
		m.prints, m.ticker = newPrints(), &order{}
	default:
		m.prints = newPrints()
	}
	return m
}

// carried notes which lanes carry the topic.
func (m *merger) carried(mask uint8) {
	if m.chain != nil {
		m.chain.carried(mask)
	} else {
		m.prints.several = mask&(mask-1) != 0
	}
	if m.ticker != nil {
		m.ticker.carried(mask)
	}
}

// reset is told of a gap that was announced: the state begins anew. It returns how
// many messages it has let go of.
func (m *merger) reset() int {
	if m.ticker != nil {
		m.ticker.reset()
	}
	if m.latest != nil {
		*m.latest = latest{}
	}
	if m.chain == nil {
		return 0
	}
	return m.chain.reset()
}

// bookKey is what decides about a message of an order book.
type bookKey struct {
	id, first int64 // u; of a message that stands for several, of the last and the first
	seq       int64 // 0: absent
	matched   int64 // cts in milliseconds, 0: absent
	sent      int64 // ts in milliseconds
	snapshot  bool
	lane      uint8
	at        time.Time // received
}

func bookKeyOf(ev *BookEvent, lane uint8) bookKey {
	k := bookKey{
		id: ev.ID, first: ev.First(), seq: ev.Seq, sent: ev.Time.UnixMilli(),
		snapshot: ev.Snapshot, lane: lane, at: ev.Received,
	}
	if !ev.MatchTime.IsZero() {
		k.matched = ev.MatchTime.UnixMilli()
	}
	return k
}

// before reports whether k is certainly from before o: an update id alone does not
// say so after the service has restarted.
func (k *bookKey) before(o *bookKey) bool {
	return k.seq != 0 && k.seq < o.seq || k.matched != 0 && k.matched < o.matched
}

// earlier reports whether k is from before o by all that says so.
func (k *bookKey) earlier(o *bookKey) bool { return k.seq < o.seq && k.matched < o.matched }

// book decides about a message of an order book.
func (m *merger) book(k *bookKey) verdict {
	if m.latest != nil && k.snapshot {
		return m.doubt(m.latest.judge(k))
	}
	return m.doubt(m.chain.judge(k))
}

// latest orders the messages of depth 1, each of which is complete: a copy, and a
// message that is older than the last one, is of no use.
type latest struct {
	last  bookKey
	known bool
}

func (l *latest) judge(k *bookKey) verdict {
	last := &l.last
	switch {
	case !l.known:
	case k.before(last):
		return duplicate
	case k.id == last.id && k.sent <= last.sent:
		return duplicate
	case k.id < last.id && !last.before(k):
		return duplicate // else the service has restarted
	}
	l.last, l.known = *k, true
	return deliver
}

// maxHeld is how many messages of a topic are held back at most.
const maxHeld = 256

// heldMessage is a message that is ahead, with a copy of its frame.
type heldMessage struct {
	bookKey
	frame []byte
	ev    *BookEvent // in place of the frame, if it stands for several
}

// chain orders the messages of an order book by their update ids.
type chain struct {
	endless bool // orderbook.full: no message replaces the state, so any may begin it
	broken  bool // the next message with a state of its own begins the chain
	known   bool // last is a message
	last    bookKey

	// restart is the last message with update id 1, or snapshot that began a new
	// count: whatever is before it belongs to a count that is over.
	restart   bookKey
	restarted bool

	mask  uint8             // lanes that carry the topic, 0 if that is not known
	lanes [maxLanes]bookKey // the last message of each; id 0: none
	held  []heldMessage     // by update id
}

func (c *chain) carried(mask uint8) {
	c.mask = mask
	for lane := range c.lanes {
		if mask&(1<<lane) == 0 {
			c.lanes[lane] = bookKey{}
		}
	}
}

func (c *chain) reset() int {
	n := len(c.held)
	c.held, c.known, c.broken, c.restarted = nil, false, !c.endless, false
	clear(c.lanes[:])
	return n
}

// judge decides about a message as it arrives. One that is to be delivered counts
// as the last one.
func (c *chain) judge(k *bookKey) verdict {
	if c.restarted && k.before(&c.restart) {
		return duplicate
	}
	if k.id == 1 {
		if c.restarted && k.seq == c.restart.seq && k.matched == c.restart.matched {
			return duplicate
		}
		return c.begin(k)
	}
	own := c.lanes[k.lane]
	c.lanes[k.lane] = *k
	switch {
	case !c.known, c.broken && k.snapshot:
	case c.broken && k.id <= c.last.id:
		return duplicate
	case c.broken:
	case !k.snapshot && own.id != 0 && k.id <= own.id && own.earlier(k):
		return misplaced // the lane has left out a restart: ids of two counts look alike
	case k.id <= c.last.id:
		// Update ids that fall while the time rises are another count, as of a
		// service that was replaced. A snapshot begins it.
		if !c.last.earlier(k) {
			return duplicate
		}
		if !k.snapshot {
			return misplaced
		}
		return c.begin(k)
	case k.earlier(&c.last) && own.id != c.last.id:
		return duplicate // of a count that another lane has seen the end of
	case k.first > c.last.id+1 && c.last.id != 0:
		return hold
	case len(c.held) > 0 && k.id < c.held[0].id && c.held[0].earlier(k):
		return misplaced // likewise: it fits by its id alone
	}
	c.accept(k)
	return deliver
}

// begin starts a new count of update ids.
func (c *chain) begin(k *bookKey) verdict {
	c.restart, c.restarted = *k, true
	clear(c.lanes[:])
	c.lanes[k.lane] = *k
	kept := c.held[:0]
	for _, h := range c.held {
		if !h.before(k) && k.before(&h.bookKey) {
			kept = append(kept, h)
		}
	}
	clear(c.held[len(kept):])
	c.held = kept
	c.accept(k)
	return deliver
}

func (c *chain) accept(k *bookKey) {
	c.last, c.known = *k, true
	if k.snapshot || k.id == 1 {
		c.broken = false
	}
}

// keep holds a message back. It reports whether it was not held already.
func (c *chain) keep(k *bookKey, frame []byte) bool {
	i := len(c.held)
	for i > 0 && c.held[i-1].id >= k.id {
		i--
		if c.held[i].id == k.id && c.held[i].snapshot == k.snapshot {
			return false
		}
	}
	c.held = append(c.held, heldMessage{})
	copy(c.held[i+1:], c.held[i:])
	c.held[i] = heldMessage{bookKey: *k, frame: append([]byte(nil), frame...)}
	return true
}

// keepConflated is keep for a message that stands for several and has no frame.
func (c *chain) keepConflated(k *bookKey, ev *BookEvent) bool {
	if !c.keep(k, nil) {
		return false
	}
	for i := range c.held {
		if h := &c.held[i]; h.id == k.id && h.frame == nil {
			h.ev = ev
		}
	}
	return true
}

// release returns the next message that was held back, once it is its turn: what
// comes before it has come, or will not. late counts copies that it has let go of.
func (c *chain) release(now time.Time) (h heldMessage, late int, ok bool) {
	for len(c.held) > 0 {
		h = c.held[0]
		switch {
		case c.known && !c.broken && h.id <= c.last.id:
			late++
			c.drop()
			continue
		case c.broken, h.first <= c.last.id+1, c.hopeless(now):
			c.drop()
			c.accept(&h.bookKey)
			return h, late, true
		}
		break
	}
	return heldMessage{}, late, false
}

// drop takes the first message off.
func (c *chain) drop() {
	n := copy(c.held, c.held[1:])
	c.held[n] = heldMessage{}
	c.held = c.held[:n]
}

// hopeless reports whether the message before the first that is held will not come:
// every lane is past it, it was waited for, or no more can be held.
func (c *chain) hopeless(now time.Time) bool {
	if len(c.held) >= maxHeld || now.Sub(c.held[0].at) >= laneWait {
		return true
	}
	if c.mask == 0 {
		return false
	}
	for lane := range c.lanes {
		if c.mask&(1<<lane) != 0 && c.lanes[lane].id <= c.last.id+1 {
			return false
		}
	}
	return true
}
