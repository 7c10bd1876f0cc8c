package book

import (
	"slices"
	"time"
)

// Fold makes one message of several that followed one another: of deltas a delta
// in which every price is as the last of them left it, deletes included; of a
// replacement and the deltas after it, a snapshot. A book that applies the one is as
// if it had applied all, to the level. What is lost is what was between, and the checks
// of it: a book that was crossed only for a moment never is.
//
// It is for consumers that are behind and want the newest book, not every change.
// The zero Fold is empty and ready. It belongs to one goroutine.
type Fold struct {
	bids, asks side // what was written; with deletes, as levels of size zero, unless replaced
	scale      int  // of the keys, as in Book
	replaced   bool // the messages began with a replacement, or had one

	n           int // messages
	from        int64
	first, last int64
	seq         int64
	matched     time.Time

	bidKeys, askKeys []int64 // of the message at hand
	sorted           []int64
}

// Len returns how many messages were added since Reset.
func (f *Fold) Len() int { return f.n }

// Levels returns how many levels the message will have.
func (f *Fold) Levels() int { return f.bids.n + f.asks.n }

// Reset makes the fold empty.
func (f *Fold) Reset() {
	if f.n > 0 {
		f.bids.clear()
		f.asks.clear()
	}
	f.scale, f.replaced, f.n = 0, false, 0
}

// Add takes the next message and reports whether it could be added; if not, nothing
// has changed. An empty fold takes any message that is without fault by itself.
// Otherwise these cannot be added:
//
//   - a message whose first update id comes later than the last one's next: whatever is
//     missing in between must show;
//   - a delta with an old update id;
//   - any message if its update id, or the last one, is 0, which follows nothing;
//   - a message that a book would refuse by itself, for its prices, its sizes, or the
//     order of a snapshot; and a delta that says From after ID.
//
// Add does not keep u or its slices.
func (f *Fold) Add(u *Update) bool {
	fresh := u.Snapshot || u.ID == 1
	if !fresh && u.From > u.ID || f.n > 0 && (u.ID == 0 || f.last == 0 || u.First() > f.last+1 || !fresh && u.ID <= f.last) {
		return false
	}
	scale := maxScale(u.Asks, maxScale(u.Bids, 0))
	if !fresh && f.n > 0 {
		scale = max(scale, f.scale)
	}
	var ok bool
	if f.bidKeys, ok = f.check(f.bidKeys[:0], Bid, u.Bids, scale, fresh, u.Snapshot); !ok {
		return false
	}
	if f.askKeys, ok = f.check(f.askKeys[:0], Ask, u.Asks, scale, fresh, u.Snapshot); !ok {
		return false
	}
	switch {
	case fresh || f.n == 0:
		f.empty(fresh)
		f.scale = scale
	case scale > f.scale:
		if !f.bids.scalable(scale-f.scale) || !f.asks.scalable(scale-f.scale) {
			return false
		}
		for ; f.scale < scale; f.scale++ {
			f.bids.rescale()
			f.asks.rescale()
		}
	}
	f.write(&f.bids, f.bidKeys, u.Bids)
	f.write(&f.asks, f.askKeys, u.Asks)
	if f.n == 0 {
		f.first, f.from = u.First(), u.From
	}
	f.n++
	f.last, f.seq, f.matched = u.ID, u.Seq, u.MatchTime
	return true
}

// empty makes room for a first message or a replacement.
func (f *Fold) empty(fresh bool) {
	if f.bids.blocks == nil {
		f.bids.init(0, blockCap)
		f.asks.init(0, blockCap)
	}
	if f.n > 0 {
		f.bids.clear()
		f.asks.clear()
	}
	f.replaced = fresh
}

// check appends the keys of one side's levels, which have to be fit for a book.
func (f *Fold) check(keys []int64, sd Side, levels []Level, scale int, fresh, snapshot bool) ([]int64, bool) {
	for i := range levels {
		lv := &levels[i]
		k, ok := lv.Price.Units(scale)
		if !ok || !lv.Price.IsSet() || k >= keyLimit || k <= -keyLimit || !lv.Size.IsSet() || lv.Size.Sign() < 0 || lv.RPI.Sign() < 0 {
			return keys, false
		}
		if sd == Ask {
			k = -k
		}
		if snapshot && i > 0 && k >= keys[i-1] {
			return keys, false
		}
		keys = append(keys, k)
	}
	if fresh && !snapshot {
		f.sorted = append(f.sorted[:0], keys...)
		slices.Sort(f.sorted)
		if len(slices.Compact(f.sorted)) < len(keys) {
			return keys, false
		}
	}
	return keys, true
}

// write puts the levels into a side. Deletes are kept as long as it is not known
// what they delete.
func (f *Fold) write(s *side, keys []int64, levels []Level) {
	for i := range levels {
		lv := &levels[i]
		b, at, j, found := s.find(keys[i])
		switch gone := lv.Size.IsZero() && lv.RPI.IsZero(); {
		case gone && f.replaced && found:
			s.remove(at, j)
		case gone && f.replaced:
		case found:
			s.levels[b.refs[j]] = *lv
		default:
			s.insert(at, j, keys[i], lv)
		}
	}
}

// Update makes u the message that stands for all that were added, in the memory of
// its slices. The deletes come first, then the levels, best first. From is set if there was more
// than one message. The fold is unchanged. Nothing was added: a message without levels.
func (f *Fold) Update(u *Update) {
	u.Snapshot, u.ID, u.From, u.Seq, u.MatchTime = f.replaced, f.last, f.from, f.seq, f.matched
	if f.n > 1 {
		u.From = f.first
	}
	if f.n == 0 {
		*u = Update{Bids: u.Bids[:0], Asks: u.Asks[:0]}
		return
	}
	u.Bids = f.bids.appendAll(u.Bids[:0])
	u.Asks = f.asks.appendAll(u.Asks[:0])
}

// appendAll appends the deletes and then the levels, each best first. A book whose
// numbers are near their limits may have room for the levels only after the deletes.
func (s *side) appendAll(dst []Level) []Level {
	dst = slices.Grow(dst, s.n)
	for c := s.top(); c.next(); {
		if lv := c.level(); lv.Size.IsZero() && lv.RPI.IsZero() {
			dst = append(dst, *lv)
		}
	}
	for c := s.top(); c.next(); {
		if lv := c.level(); !lv.Size.IsZero() || !lv.RPI.IsZero() {
			dst = append(dst, *lv)
		}
	}
	return dst
}

// scalable reports whether rescale can be called so many times.
func (s *side) scalable(times int) bool {
	limit := int64(keyLimit - 1)
	for range times {
		limit /= 10
	}
	first, last := s.blocks[0].keys, s.blocks[len(s.blocks)-1].keys
	return s.n == 0 || first[0] >= -limit && last[len(last)-1] <= limit
}
