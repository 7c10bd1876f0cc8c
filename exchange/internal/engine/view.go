package engine

// A Level is what one price of a side holds.
type Level struct {
	Price  int64
	Qty    int64 // of orders for all
	RPI    int64 // of RPI orders; 0 if they were not asked for
	Orders int32 // how many orders Qty and RPI are
}

// Best returns the best price of a side that all may trade with, and what there is at it.
func (b *Book) Best(s Side) (price, qty int64, ok bool) {
	v := &b.sides[s].levels[b.sides[s].best]
	return v.price, v.queue[forAll].qty, b.sides[s].best != 0
}

// Levels appends the n best levels of a side, best first: those that all may trade with, or with rpi what a taker sees
// who may trade with RPI orders, too. RPI orders that cross the visible best of the other side are not part of it, so with
// rpi the result depends on both sides.
func (b *Book) Levels(dst []Level, s Side, n int, rpi bool) []Level {
	side := &b.sides[s]
	for l := b.first(side, rpi); l != 0 && n > 0; {
		v := &side.levels[l]
		level := Level{Price: v.price, Qty: v.queue[forAll].qty, Orders: v.queue[forAll].n}
		if rpi {
			level.RPI = v.queue[rpiOnly].qty
			level.Orders += v.queue[rpiOnly].n
		}
		dst = append(dst, level)
		if n--; n > 0 {
			l = side.after(l, rpi)
		}
	}
	return dst
}

// LevelAt returns what rests at a price of a side, RPI orders included; false if nothing does.
func (b *Book) LevelAt(s Side, price int64) (Level, bool) {
	side := &b.sides[s]
	if !inRange(price) {
		return Level{}, false
	}
	l := side.tree.ceiling(side.key(price))
	v := &side.levels[l]
	if l == 0 || v.price != price {
		return Level{}, false
	}
	return Level{Price: price, Qty: v.queue[forAll].qty, RPI: v.queue[rpiOnly].qty, Orders: v.queue[forAll].n + v.queue[rpiOnly].n}, true
}

// Version returns the Seq of the last command that changed a side.
func (b *Book) Version(s Side) uint64 { return uint64(b.sides[s].version) }

// Seq returns how many commands have changed the book.
func (b *Book) Seq() int64 { return b.seq }

// Closed reports whether the book is halted.
func (b *Book) Closed() bool { return b.closed }

// Resting returns how many orders rest.
func (b *Book) Resting() int { return b.index.used }

// Limits returns the price limits.
func (b *Book) Limits() (lowestSell, highestBuy int64) { return b.limits[Sell], b.limits[Buy] }

// A Resting is an order in the book.
type Resting struct {
	Order       // as it stands: its price and the quantity of the whole order
	Left  int64 // what has not traded
}

// Order returns an order that rests.
func (b *Book) Order(id uint64) (Resting, bool) {
	slot := b.find(id)
	if slot == 0 {
		return Resting{}, false
	}
	return Resting{b.order(slot), b.orders[slot].left}, true
}

// Orders appends the orders of a side in the order in which they trade.
func (b *Book) Orders(dst []Resting, s Side) []Resting {
	side := &b.sides[s]
	for l := side.tree.ceiling(0); l != 0; l = side.after(l, true) {
		for _, q := range side.levels[l].queue {
			for slot := q.head; slot != 0; slot = b.orders[slot].next {
				dst = append(dst, Resting{b.order(slot), b.orders[slot].left})
			}
		}
	}
	return dst
}
