package book

import "time"

// Policy says what Apply does when an update id does not follow the last one.
//
// The documentation promises that u rises by one for orderbook.full only; for
// orderbook.{depth} it is practice.
type Policy uint8

const (
	// Strict makes the book invalid at a gap. It is the default.
	Strict Policy = iota
	// Lenient counts the gap in Stats.Gaps and applies the message. All other
	// checks stay strict.
	Lenient
)

// Stats counts what a Book has seen since New. A Clone takes the counts along.
type Stats struct {
	Updates        uint64 // messages applied, also those that then broke a check
	Snapshots      uint64 // messages that replaced the book, u = 1 included
	Repeats        uint64 // snapshots with the update id that the book already had (depth 1, after 3 s)
	Gaps           uint64 // update ids that did not follow the last one
	Crossed        uint64 // messages after which the book was crossed
	Rejected       uint64 // messages with any other fault
	Ignored        uint64 // deltas that met no valid book
	UnknownDeletes uint64 // deletes of a price that was not in the book
	SeqBack        uint64 // cross sequences below the one before
}

// Book is a level-2 order book of one topic. Make one with New.
//
// A Book belongs to one goroutine, and so do its Views.
type Book struct {
	bids, asks side
	depth      int
	policy     Policy
	scale      int // digits after the point of keys: the most that a price had since the last replacement

	id      int64
	seq     int64
	matched time.Time
	err     error  // why the book cannot be read; nil while it is valid
	gen     uint64 // of Views: moves whenever what they would read changes
	stats   Stats
}

// New returns a book without content for a topic of the given depth: at most
// that many levels a side. Depth 0 has no limit, as orderbook.full.
func New(depth int) *Book { return newBook(depth, blockCap) }

func newBook(depth, limit int) *Book {
	b := &Book{depth: max(depth, 0), err: ErrNoBook}
	b.bids.init(b.depth, limit)
	b.asks.init(b.depth, limit)
	return b
}

// Depth returns the number of levels that a side may have, 0 for no limit.
func (b *Book) Depth() int { return b.depth }

// SetPolicy says what a gap does; the default is Strict.
func (b *Book) SetPolicy(p Policy) { b.policy = p }

// Stats returns the counts so far.
func (b *Book) Stats() Stats { return b.stats }

// Err returns nil while the book is valid, else what every read returns:
// ErrNoBook, an *Error, or what Invalidate was given.
func (b *Book) Err() error { return b.err }

// View returns a handle for reading the book as it is now, also if it is
// invalid: its reads then return the reason.
func (b *Book) View() View { return View{book: b, gen: b.gen} }

// Release makes the Views handed out so far stale. The book is unchanged.
func (b *Book) Release() { b.gen++ }

// Invalidate makes the book unreadable until the next snapshot. Reads return
// err, or ErrNoBook if err is nil.
func (b *Book) Invalidate(err error) {
	if err == nil {
		err = ErrNoBook
	}
	b.err = err
	b.gen++
}

// Clone returns an independent copy, with the counts and the policy.
func (b *Book) Clone() *Book {
	c := *b
	c.gen = 0
	c.bids.copyFrom(&b.bids)
	c.asks.copyFrom(&b.asks)
	return &c
}

// Apply changes the book by one message and checks it.
//
// A snapshot, or a message with update id 1, replaces the book. A delta needs a
// valid book and the next update id; after an update id of 0 (empty option
// books have none) any id is the next. A delta that meets no valid book changes
// nothing and returns the reason, the very value that Err returns.
//
// A delta that stands for several messages, from From to ID, has the next update id
// if the first of them has, or if the book has had some of them already, but not the
// last: every price in it is as the last of them left it. Of a replacement From is not
// looked at.
//
// A message with a fault returns an *Error and leaves the book invalid until
// the next replacement. A delete of an unknown price is not a fault; it is
// counted.
//
// Apply makes all Views stale. It does not keep u or its slices and does not
// allocate once the book has held as many levels as it does now.
func (b *Book) Apply(u *Update) error {
	if u.Snapshot || u.ID == 1 {
		return b.replace(u)
	}
	if b.err != nil {
		b.stats.Ignored++
		return b.err
	}
	b.gen++
	if u.ID != b.id+1 && b.id != 0 && !u.overlaps(b.id) {
		b.stats.Gaps++
		if b.policy == Strict {
			return b.fail(&Error{Kind: Gap, Want: b.id + 1, Got: u.First()})
		}
	}
	b.stamp(u)
	if e := b.change(&b.bids, Bid, u.Bids); e != nil {
		return b.fail(e)
	}
	if e := b.change(&b.asks, Ask, u.Asks); e != nil {
		return b.fail(e)
	}
	return b.verify()
}

// replace makes the book what u says. Only a true snapshot promises an order.
func (b *Book) replace(u *Update) error {
	b.gen++
	b.stats.Snapshots++
	if b.err == nil && u.ID == b.id {
		b.stats.Repeats++
	}
	b.stamp(u)
	b.err = nil
	b.scale = maxScale(u.Asks, maxScale(u.Bids, 0))
	b.bids.clear()
	b.asks.clear()
	if e := b.fill(&b.bids, Bid, u.Bids, u.Snapshot); e != nil {
		return b.fail(e)
	}
	if e := b.fill(&b.asks, Ask, u.Asks, u.Snapshot); e != nil {
		return b.fail(e)
	}
	return b.verify()
}

func (b *Book) stamp(u *Update) {
	b.stats.Updates++
	if u.Seq < b.seq && u.Seq != 0 {
		b.stats.SeqBack++
	}
	b.id, b.seq, b.matched = u.ID, u.Seq, u.MatchTime
}

func (b *Book) fail(e *Error) error {
	switch e.Kind {
	case Gap: // counted where the policy is
	case Crossed:
		b.stats.Crossed++
	default:
		b.stats.Rejected++
	}
	b.err = e
	return e
}

// key returns the integer by which a side is sorted: larger is better.
func (b *Book) key(sd Side, lv *Level) (int64, *Error) {
	if lv.Price.Scale() > b.scale && !b.widen(lv.Price.Scale()) || !lv.Price.IsSet() {
		return 0, &Error{Kind: BadPrice, Side: sd, Price: lv.Price}
	}
	k, ok := lv.Price.Units(b.scale)
	if !ok || k >= keyLimit || k <= -keyLimit {
		return 0, &Error{Kind: BadPrice, Side: sd, Price: lv.Price}
	}
	if sd == Ask {
		k = -k
	}
	if !lv.Size.IsSet() || lv.Size.Sign() < 0 {
		return 0, &Error{Kind: BadSize, Side: sd, Price: lv.Price, Other: lv.Size}
	}
	if lv.RPI.Sign() < 0 {
		return 0, &Error{Kind: BadSize, Side: sd, Price: lv.Price, Other: lv.RPI}
	}
	return k, nil
}

// change applies one side of a delta.
func (b *Book) change(s *side, sd Side, levels []Level) *Error {
	for i := range levels {
		lv := &levels[i]
		// What nearly every level is; whatever is not so goes the long way.
		k, ok := lv.Price.Coefficient()
		if lv.Price.Scale() != b.scale {
			k, ok = lv.Price.Units(b.scale)
		}
		if sd == Ask {
			k = -k
		}
		if !ok || !lv.Price.IsSet() || lv.Price.Scale() > b.scale || k >= keyLimit || k <= -keyLimit ||
			!lv.Size.IsSet() || lv.Size.Sign() < 0 || lv.RPI.Sign() < 0 {
			var e *Error
			if k, e = b.key(sd, lv); e != nil {
				return e
			}
		}
		block, at, j, found := s.find(k)
		if lv.Size.IsZero() {
			if lv.RPI.IsZero() {
				if !found {
					b.stats.UnknownDeletes++
					continue
				}
				if old := &s.levels[block.refs[j]]; old.Size.IsZero() {
					s.hidden--
				}
				s.remove(at, j)
				continue
			}
			s.hidden++
		}
		if !found {
			s.insert(at, j, k, lv)
			continue
		}
		old := &s.levels[block.refs[j]]
		if old.Size.IsZero() {
			s.hidden--
		}
		*old = *lv
	}
	return nil
}

// fill loads one side of a replacement into an empty side. Levels of size zero
// delete nothing and are left out.
func (b *Book) fill(s *side, sd Side, levels []Level, sorted bool) *Error {
	if !sorted {
		for i := range levels {
			if k, e := b.key(sd, &levels[i]); e != nil {
				return e
			} else if _, _, _, found := s.find(k); found {
				return &Error{Kind: Duplicate, Side: sd, Price: levels[i].Price}
			}
			if e := b.change(s, sd, levels[i:i+1]); e != nil {
				return e
			}
		}
		return nil
	}
	s.load = s.load[:0]
	var last int64
	for i := range levels {
		lv := &levels[i]
		k, e := b.key(sd, lv)
		if e != nil {
			return e
		}
		if i > 0 && k >= last {
			if k == last {
				return &Error{Kind: Duplicate, Side: sd, Price: lv.Price}
			}
			return &Error{Kind: Unsorted, Side: sd, Price: lv.Price, Other: levels[i-1].Price}
		}
		last = k
		if lv.Size.IsZero() {
			if lv.RPI.IsZero() {
				b.stats.UnknownDeletes++
				continue
			}
			s.hidden++
		}
		s.load = append(s.load, k)
		s.levels = append(s.levels, *lv)
	}
	s.build()
	return nil
}

// verify checks the book as a whole, after a message.
func (b *Book) verify() error {
	if b.depth > 0 {
		if b.bids.n > b.depth {
			return b.fail(&Error{Kind: TooDeep, Side: Bid, Want: int64(b.depth), Got: int64(b.bids.n)})
		}
		if b.asks.n > b.depth {
			return b.fail(&Error{Kind: TooDeep, Side: Ask, Want: int64(b.depth), Got: int64(b.asks.n)})
		}
	}
	bidKey, bid, hasBid := b.bids.best()
	askKey, ask, hasAsk := b.asks.best()
	if hasBid && hasAsk && bidKey >= -askKey {
		return b.fail(&Error{Kind: Crossed, Price: bid.Price, Other: ask.Price})
	}
	return nil
}

// widen gives the keys more digits after the point, for a price that has more
// than all before it. It reports whether all keys still fit 64 bits.
func (b *Book) widen(scale int) bool {
	for ; b.scale < scale; b.scale++ {
		if !b.bids.rescale() || !b.asks.rescale() {
			return false
		}
	}
	return true
}

func maxScale(levels []Level, scale int) int {
	for i := range levels {
		scale = max(scale, levels[i].Price.Scale())
	}
	return scale
}
