// Package naive is the matching engine as one would explain it: each side is a list of orders, sorted by who trades first.
// It is the oracle for package engine: both take the same commands, and after each the events, the levels, the orders and
// the counters must be the same.
//
// It shares the types of package engine and none of its code. Whatever is asked is found by going through the list, sums
// are checked in numbers of any size, and whether a FOK order fills is found by trying it on a copy of the book. Nothing
// here is fast, and nothing outside of tests and benchmarks imports it.
package naive

import (
	"math"
	"math/big"
	"slices"

	"github.com/bywire/bywire/exchange/internal/engine"
)

// Book is the naive twin of engine.Book.
type Book struct {
	maxMatches int
	closed     bool
	lowestSell int64
	highestBuy int64
	seq        int64
	versions   [2]int64
	orders     [2][]engine.Resting // by side; who trades first stands first
	changed    [2]bool             // by side, in this command
	events     []engine.Event
}

const maxPrice = 1<<47 - 2

// New returns an empty book that trades.
func New(cfg engine.Config) *Book {
	b := &Book{maxMatches: cfg.MaxMatches, lowestSell: -maxPrice, highestBuy: maxPrice}
	if b.maxMatches <= 0 {
		b.maxMatches = 10_000
	}
	return b
}

// command runs one command and numbers it, if it changed something.
func (b *Book) command(do func()) []engine.Event {
	b.events = nil
	b.changed = [2]bool{}
	do()
	if b.changed[engine.Buy] || b.changed[engine.Sell] {
		b.seq++
	}
	for s, changed := range b.changed {
		if changed {
			b.versions[s] = b.seq
		}
	}
	for i := range b.events {
		b.events[i].Seq = b.seq
	}
	return b.events
}

// Place is engine.Book's Place.
func (b *Book) Place(o *engine.Order) []engine.Event {
	return b.command(func() {
		placed := *o
		if why := b.check(&placed); why != engine.NoReason {
			b.tell(engine.Refused, why, o, 0)
			return
		}
		b.enter(placed, 0)
	})
}

// check says why an order is refused, and otherwise gives it the price it is placed at.
func (b *Book) check(o *engine.Order) engine.Reason {
	_, there := b.Order(o.ID)
	switch {
	case b.closed:
		return engine.BookClosed
	case there:
		return engine.DuplicateID
	case o.ID == 0, o.Side > engine.Sell, o.TIF > engine.RPI, o.Prevent > engine.CancelBoth, o.Best > 5, o.Market && o.Best != 0:
		return engine.BadOrder
	case o.Value < 0, o.Value > 0 && !o.Market, o.Value > 0 && o.Qty != 0:
		return engine.BadValue
	case o.Value == 0 && o.Qty <= 0:
		return engine.BadQty
	case o.Bounded && (o.Worst > maxPrice || o.Worst < -maxPrice):
		return engine.BadPrice
	}
	if o.Market {
		o.Price = 0
		return engine.NoReason
	}
	if o.Best > 0 {
		from := o.Side
		if o.BestOpposite {
			from = o.Side.Opposite()
		}
		levels := b.Levels(nil, from, 5, false)
		if len(levels) < int(o.Best) {
			return engine.NoSuchLevel
		}
		o.Price = levels[o.Best-1].Price
	}
	if why := b.checkPrice(o); why != engine.NoReason {
		return why
	}
	return b.checkSize(o, 0)
}

// checkPrice applies the price limits.
func (b *Book) checkPrice(o *engine.Order) engine.Reason {
	if o.Price > maxPrice || o.Price < -maxPrice {
		return engine.BadPrice
	}
	var limited int64
	if o.Side == engine.Buy {
		limited = min(o.Price, b.highestBuy)
	} else {
		limited = max(o.Price, b.lowestSell)
	}
	if limited != o.Price && !o.Reprice {
		return engine.PriceLimit
	}
	o.Price = limited
	return engine.NoReason
}

// checkSize finds products and sums that are no int64. Gone is how much of the side's sum the order takes the place of.
func (b *Book) checkSize(o *engine.Order, gone int64) engine.Reason {
	value := new(big.Int).Mul(big.NewInt(o.Price), big.NewInt(o.Qty))
	if value.CmpAbs(big.NewInt(math.MaxInt64)) > 0 {
		return engine.BadQty
	}
	total := big.NewInt(o.Qty)
	total.Sub(total, big.NewInt(gone))
	for _, r := range b.orders[o.Side] {
		total.Add(total, big.NewInt(r.Left))
	}
	if !total.IsInt64() {
		return engine.BadQty
	}
	return engine.NoReason
}

// enter trades an order, of which done has traded before, and rests what is left.
func (b *Book) enter(o engine.Order, done int64) {
	rests := !o.Market && (o.TIF == engine.GTC || o.TIF == engine.PostOnly || o.TIF == engine.RPI)
	makers := b.seen(o.Side.Opposite(), o.SeesRPI)
	if rests && o.TIF != engine.GTC && len(makers) > 0 && accepts(&o, makers[0].Price) {
		b.tell(engine.Cancelled, engine.WouldTake, &o, o.Qty-done)
		return
	}
	if !o.Market && o.TIF == engine.FOK {
		try := b.clone()
		as := o
		as.TIF = engine.IOC
		try.enter(as, done)
		last := try.events[len(try.events)-1]
		if last.Kind != engine.Traded || last.Left > 0 {
			b.tell(engine.Cancelled, engine.NotAllAtOnce, &o, o.Qty-done)
			return
		}
	}

	left := o.Qty - done + o.Value
	why, met := engine.NoReason, uint64(0)
	trades := 0
	for _, m := range makers {
		if left == 0 || why != engine.NoReason || !accepts(&o, m.Price) {
			break
		}
		switch {
		case b.tooFar(&o, m.Price):
			why = engine.WorstPrice
		case o.Prevent != engine.PreventNone && sameOwner(&o, &m.Order):
			if o.Prevent == engine.CancelMaker || o.Prevent == engine.CancelBoth {
				b.drop(m.ID)
				b.tell(engine.Cancelled, engine.SelfMatch, &m.Order, m.Left)
				b.events[len(b.events)-1].Maker = o.ID
			}
			if o.Prevent == engine.CancelTaker || o.Prevent == engine.CancelBoth {
				why, met = engine.SelfMatch, m.ID
			}
		case trades == b.maxMatches:
			why = engine.TooManyTrades
		case o.Value > 0 && m.Price <= 0:
			why = engine.BadValue
		case o.Value > 0 && m.Price > left:
			why = engine.ValueTooSmall
		default:
			qty := min(m.Left, left)
			if o.Value > 0 {
				qty = min(m.Left, left/m.Price)
				left -= qty * m.Price
			} else {
				left -= qty
			}
			done += qty
			trades++
			b.reduce(m.ID, qty)
			if m.Left > qty && left > 0 {
				why = engine.ValueTooSmall // better than this order is no other
			}
			b.events = append(b.events, engine.Event{
				Kind: engine.Traded, Side: o.Side, RPI: m.TIF == engine.RPI, Tag: o.Tag, ID: o.ID, Account: o.Account,
				Maker: m.ID, MakerAccount: m.Account, Price: m.Price, Qty: qty, Left: left, MakerLeft: m.Left - qty,
			})
		}
	}
	if left == 0 {
		return
	}
	if why == engine.NoReason && !rests {
		why = engine.NothingToTake
	}
	if why != engine.NoReason {
		b.tell(engine.Cancelled, why, &o, left)
		b.events[len(b.events)-1].Maker = met
		return
	}
	b.insert(engine.Resting{Order: stripped(o), Left: left})
	b.tell(engine.Rested, engine.NoReason, &o, left)
}

// stripped leaves of an order what is remembered while it rests.
func stripped(o engine.Order) engine.Order {
	o.Bounded, o.Worst, o.Best, o.BestOpposite = false, 0, 0, false
	return o
}

// accepts reports whether the order's own price allows a trade at price.
func accepts(o *engine.Order, price int64) bool {
	return o.Market || o.Side == engine.Buy && price <= o.Price || o.Side == engine.Sell && price >= o.Price
}

// tooFar reports whether a price is beyond the order's bound or, for a market order, beyond the price limit.
func (b *Book) tooFar(o *engine.Order, price int64) bool {
	if o.Side == engine.Buy {
		return o.Bounded && price > o.Worst || o.Market && price > b.highestBuy
	}
	return o.Bounded && price < o.Worst || o.Market && price < b.lowestSell
}

func sameOwner(a, b *engine.Order) bool {
	if a.Group != 0 && b.Group != 0 {
		return a.Group == b.Group
	}
	return a.Account == b.Account
}

// seen returns the orders of a side that a taker may trade with, who is first first.
func (b *Book) seen(s engine.Side, rpi bool) []engine.Resting {
	best, found := int64(0), false // of the other side, among the visible orders
	for _, r := range b.orders[s.Opposite()] {
		if r.TIF != engine.RPI {
			best, found = r.Price, true
			break
		}
	}
	var seen []engine.Resting
	for _, r := range b.orders[s] {
		crosses := found && (s == engine.Buy && r.Price >= best || s == engine.Sell && r.Price <= best)
		if r.TIF != engine.RPI || rpi && !crosses {
			seen = append(seen, r)
		}
	}
	return seen
}

// before reports whether a trades before b, if b is the older.
func before(a, b *engine.Resting) bool {
	if a.Price != b.Price {
		return a.Price > b.Price == (a.Side == engine.Buy)
	}
	return a.TIF != engine.RPI && b.TIF == engine.RPI
}

func (b *Book) insert(r engine.Resting) {
	list := b.orders[r.Side]
	i := 0
	for i < len(list) && !before(&r, &list[i]) {
		i++
	}
	b.orders[r.Side] = slices.Insert(list, i, r)
	b.changed[r.Side] = true
}

// find returns where an order is.
func (b *Book) find(id uint64) (engine.Side, int, bool) {
	for s, list := range b.orders {
		for i := range list {
			if list[i].ID == id {
				return engine.Side(s), i, true
			}
		}
	}
	return 0, 0, false
}

func (b *Book) drop(id uint64) {
	s, i, _ := b.find(id)
	b.orders[s] = slices.Delete(b.orders[s], i, i+1)
	b.changed[s] = true
}

func (b *Book) reduce(id uint64, qty int64) {
	s, i, _ := b.find(id)
	b.orders[s][i].Left -= qty
	b.changed[s] = true
	if b.orders[s][i].Left == 0 {
		b.drop(id)
	}
}

func (b *Book) tell(kind engine.EventKind, why engine.Reason, o *engine.Order, left int64) {
	b.events = append(b.events, engine.Event{
		Kind: kind, Reason: why, Side: o.Side, RPI: o.TIF == engine.RPI, Tag: o.Tag, ID: o.ID, Account: o.Account,
		Price: o.Price, Qty: max(o.Qty, o.Value), Left: left,
	})
}

func (b *Book) clone() *Book {
	c := *b
	c.events = nil
	for s := range c.orders {
		c.orders[s] = slices.Clone(c.orders[s])
	}
	return &c
}
