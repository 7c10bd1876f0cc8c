package engine

import "math"

// A taker is an order that is trading with the other side.
type taker struct {
	*Order
	left   int64  // lots, or value
	done   int64  // lots that it has traded
	trades int    // in this command
	limit  uint64 // the last key of the other side that its price takes
	worst  uint64 // the last key that its bounds let it take
	met    uint64 // the order of the same owner that ended it
}

// enter trades an order with the other side and rests what is left, if its kind is to rest. Done is what it has traded
// before it was amended.
func (b *Book) enter(o *Order, price, done int64) {
	other := &b.sides[o.Side.Opposite()]
	t := taker{Order: o, left: max(o.Qty-done, o.Value), done: done, limit: math.MaxUint64, worst: math.MaxUint64}
	if o.Market {
		t.worst = other.key(b.limits[o.Side])
	} else {
		t.limit = other.key(price)
	}
	if o.Bounded {
		t.worst = min(t.worst, other.key(o.Worst))
	}
	why := NoReason
	switch {
	case o.Market || o.TIF == IOC:
		if why = b.take(&t); why == NoReason {
			why = NothingToTake
		}
	case o.TIF == GTC:
		why = b.take(&t)
	case o.TIF == FOK:
		if why = NotAllAtOnce; b.fills(&t) {
			why = b.take(&t)
		}
	default:
		// Prices alone decide: that it would meet its owner does not save it, and what it does not see is not there for
		// it. So two RPI orders never meet, unless the later one sees RPI (choice).
		if l := b.first(other, o.SeesRPI); l != 0 && other.levels[l].key <= t.limit {
			why = WouldTake
		}
	}
	switch {
	case t.left == 0:
	case why == NoReason:
		b.rest(o, price, t.left, t.done)
		b.tell(Rested, NoReason, o, price, t.left)
	default:
		b.tell(Cancelled, why, o, price, t.left).Maker = t.met
	}
}

// first returns the best level that a taker may trade with: the best with an order for all, or with RPI orders the best
// of any. An RPI order whose price crosses the visible best of its other side is neither shown nor traded with until that
// is gone; that it is not shown is documented, that it is not traded with is a choice that follows from it.
func (b *Book) first(s *side, rpi bool) int32 {
	if !rpi {
		return s.best
	}
	other := &b.sides[Buy]
	if s == other {
		other = &b.sides[Sell]
	}
	if other.best == 0 {
		return s.tree.ceiling(0)
	}
	return s.tree.ceiling(s.key(other.levels[other.best].price) + 1)
}

// take trades until the order is filled, its price takes no more, or something ends it: then it says what.
func (b *Book) take(t *taker) Reason {
	s := &b.sides[t.Side.Opposite()]
	for l := b.first(s, t.SeesRPI); l != 0; {
		v := &s.levels[l]
		key := v.key // the level may be gone when its orders are
		if key > t.limit {
			return NoReason
		}
		if key > t.worst {
			return WorstPrice
		}
		for q := range t.queues() {
			for v.queue[q].n > 0 {
				if why := b.meet(t, v, v.queue[q].head); why != NoReason || t.left == 0 {
					return why
				}
			}
		}
		if t.SeesRPI {
			l = s.tree.ceiling(key + 1)
		} else {
			l = s.best
		}
	}
	return NoReason
}

// meet brings the order together with the next one that rests. That one is gone after it, or the order is done.
func (b *Book) meet(t *taker, v *level, slot int32) Reason {
	r := &b.orders[slot]
	if t.Prevent != PreventNone && t.owns(r) {
		if t.Prevent != CancelTaker {
			b.cancel(slot, SelfMatch, t.ID)
		}
		if t.Prevent != CancelMaker {
			t.met = r.id
			return SelfMatch
		}
		return NoReason
	}
	if t.trades == b.maxMatches {
		return TooManyTrades
	}
	price, qty := v.price, min(t.left, r.left)
	if t.Value == 0 {
		t.left -= qty
	} else {
		if price <= 0 {
			return BadValue
		}
		if qty = min(t.left/price, r.left); qty == 0 {
			return ValueTooSmall
		}
		t.left -= qty * price
	}
	t.trades++
	t.done += qty
	rest := r.left - qty
	if rest > 0 {
		b.shrink(slot, qty)
		r.done += qty
	} else {
		b.remove(slot)
	}
	e := b.event(Traded)
	e.Side, e.RPI, e.Tag = t.Side, r.tif == RPI, t.Tag
	e.ID, e.Maker, e.Account, e.MakerAccount = t.ID, r.id, t.Account, r.account
	e.Price, e.Qty, e.Left, e.MakerLeft = price, qty, t.left, rest
	if rest > 0 && t.left > 0 {
		return ValueTooSmall // the value left pays for no lot of an order that has some
	}
	return NoReason
}

// owns reports whether both orders count as one owner's. Groups decide where both have one, accounts otherwise.
func (t *taker) owns(r *resting) bool {
	if t.Group != 0 && r.group != 0 {
		return t.Group == r.group
	}
	return t.Account == r.account
}

// queues returns how many of the queues of a level the order trades with.
func (t *taker) queues() int {
	if t.SeesRPI {
		return 2
	}
	return 1
}

// fills reports whether all of the order would trade at once. Nothing is changed: an order that does not fill cancels no
// order of its owner either (choice).
func (b *Book) fills(t *taker) bool {
	s := &b.sides[t.Side.Opposite()]
	left, trades := t.left, 0
	for l := b.first(s, t.SeesRPI); l != 0 && s.levels[l].key <= min(t.limit, t.worst); l = s.after(l, t.SeesRPI) {
		for q := range t.queues() {
			for slot := s.levels[l].queue[q].head; slot != 0; slot = b.orders[slot].next {
				r := &b.orders[slot]
				if t.Prevent != PreventNone && t.owns(r) {
					if t.Prevent == CancelMaker {
						continue
					}
					return false
				}
				if trades++; trades > b.maxMatches {
					return false
				}
				if left -= r.left; left <= 0 {
					return true
				}
			}
		}
	}
	return false
}
