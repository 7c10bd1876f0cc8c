package engine

import (
	"math"
	"math/bits"
)

// Side is the side of an order.
type Side uint8

// The sides.
const (
	Buy Side = iota
	Sell
)

// Opposite returns the side that s trades with.
func (s Side) Opposite() Side { return s ^ 1 }

func (s Side) String() string { return nameOf(s, "Buy", "Sell") }

// TimeInForce says what becomes of an order, or of its rest, that does not trade at once.
type TimeInForce uint8

// The times in force.
const (
	GTC      TimeInForce = iota // it rests until it is cancelled
	IOC                         // it is cancelled
	FOK                         // all of it trades at once, or nothing
	PostOnly                    // it rests; if any of it would trade at once, all of it is cancelled
	RPI                         // as PostOnly, and it trades only with takers that see RPI orders, last at its price
)

func (t TimeInForce) String() string { return nameOf(t, "GTC", "IOC", "FOK", "PostOnly", "RPI") }

// Prevention says what happens when an order meets a resting one of the same owner. Only that of the incoming order
// counts.
type Prevention uint8

// The preventions.
const (
	PreventNone Prevention = iota // they trade
	CancelMaker                   // the resting order is cancelled, the incoming one goes on
	CancelTaker                   // the incoming order is cancelled, or what is left of it
	CancelBoth
)

func (p Prevention) String() string {
	return nameOf(p, "PreventNone", "CancelMaker", "CancelTaker", "CancelBoth")
}

// Tag marks an order for those who read its events. The book does nothing with it.
type Tag uint8

// The tags.
const (
	TagNone Tag = iota
	TagLiquidation
	TagADL
)

func (t Tag) String() string { return nameOf(t, "none", "liquidation", "ADL") }

// An Order is what Place takes. The zero values of what is not needed mean what one expects: a limit order, good till
// cancelled, without prevention and without a bound.
type Order struct {
	ID      uint64 // not 0, and never used before
	Account uint32 // whose it is
	Group   uint32 // accounts that count as one owner for Prevent; 0: the account alone

	Side    Side
	Market  bool // trades at once at the prices there are, within the price limits; Price and TIF are not looked at
	TIF     TimeInForce
	Prevent Prevention
	SeesRPI bool // may trade with RPI orders
	Reprice bool // beyond the price limits it is placed at the limit; otherwise it is refused
	Bounded bool // Worst counts
	Tag     Tag

	Price int64 // of a limit order, in ticks; may be negative
	Qty   int64 // in lots
	Value int64 // of a market order by value, in ticks x lots; Qty is 0 then

	// Worst is the price beyond which nothing trades; what would is cancelled. The caller works it out, for a slippage
	// tolerance from Book.Best and so many ticks or percent.
	Worst int64

	// Best 1 to 5 takes the price of that visible level instead of Price: of the order's own side (the venue's Queue), or
	// with BestOpposite of the other side (Counterparty). If there is no such level it is refused (choice).
	Best         uint8
	BestOpposite bool
}

// maxBest is the last level that Order.Best reaches.
const maxBest = 5

// admit checks an order before it touches the book, and returns the price it is placed at.
func (b *Book) admit(o *Order) (price int64, why Reason) {
	switch {
	case b.closed:
		return 0, BookClosed
	case b.find(o.ID) != 0:
		return 0, DuplicateID
	case o.ID == 0 || o.Side > Sell || o.TIF > RPI || o.Prevent > CancelBoth || o.Best > maxBest || o.Market && o.Best > 0:
		return 0, BadOrder
	case o.Value != 0 && (!o.Market || o.Value < 0 || o.Qty != 0):
		return 0, BadValue
	case o.Qty <= 0 && o.Value == 0:
		return 0, BadQty
	case o.Bounded && !inRange(o.Worst):
		return 0, BadPrice
	case o.Market:
		return 0, NoReason
	}
	price = o.Price
	if o.Best > 0 {
		if price, why = b.priceOf(o); why != NoReason {
			return 0, why
		}
	}
	if price, why = b.limited(o, price); why == NoReason {
		why = b.room(o, price, o.Qty)
	}
	return price, why
}

// admitAmended is admit for an order that rested at the price old.
func (b *Book) admitAmended(o *Order, old, left, done int64) (price int64, why Reason) {
	if b.closed {
		return 0, BookClosed // choice: a closed book lets orders go, and changes none
	}
	if o.Qty <= done {
		return 0, BadQty
	}
	if price = o.Price; price != old {
		if price, why = b.limited(o, price); why != NoReason {
			return 0, why
		}
	}
	if price == old && o.Qty == done+left {
		return 0, Unchanged
	}
	return price, b.room(o, price, o.Qty-done-left)
}

// limited returns the price that the price limits leave to a limit order at price.
func (b *Book) limited(o *Order, price int64) (int64, Reason) {
	if !inRange(price) {
		return 0, BadPrice
	}
	own, limit := &b.sides[o.Side], b.limits[o.Side]
	switch {
	case own.key(price) >= own.key(limit):
		return price, NoReason
	case o.Reprice:
		return limit, NoReason
	default:
		return 0, PriceLimit
	}
}

// room checks that an order that makes its side larger by more lots leaves all sums within an int64.
func (b *Book) room(o *Order, price, more int64) Reason {
	if !fits(price, o.Qty) || more > math.MaxInt64-b.sides[o.Side].total {
		return BadQty
	}
	return NoReason
}

// priceOf returns the price of the level that o.Best asks for.
func (b *Book) priceOf(o *Order) (int64, Reason) {
	side := &b.sides[o.Side]
	if o.BestOpposite {
		side = &b.sides[o.Side.Opposite()]
	}
	l := side.best
	for n := o.Best; l != 0 && n > 1; n-- {
		l = side.after(l, false)
	}
	if l == 0 {
		return 0, NoSuchLevel
	}
	return side.levels[l].price, NoReason
}

// fits reports whether price x qty is an int64.
func fits(price, qty int64) bool {
	hi, lo := bits.Mul64(uint64(max(price, -price)), uint64(qty))
	return hi == 0 && lo <= math.MaxInt64
}

// nameOf is the name of a value of an enumeration.
func nameOf[T ~uint8](v T, names ...string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return "unknown"
}
