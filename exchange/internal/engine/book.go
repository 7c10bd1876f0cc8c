package engine

// Config says how a book trades. The zero value is useful.
type Config struct {
	// MaxMatches is the most trades one command makes; what is left of the order then is cancelled. 10,000 is what the
	// venue states for market orders of spot; that other orders share it is a choice. Default: 10,000.
	MaxMatches int
}

const defaultMaxMatches = 10_000

// A Book is the order book of one instrument. It is not safe for concurrent use, reading included.
type Book struct {
	maxMatches int

	seq    int64
	closed bool
	limits [2]int64 // by Side: the highest price to buy at, the lowest to sell at
	sides  [2]side  // by Side

	orders []resting // orders[0] is none
	free   int32     // first of the slots to use again, chained by next
	index  index

	events []Event
	now    int64 // the Seq of the command under way, if it changes something
}

// New returns an empty book that trades.
func New(cfg Config) *Book {
	b := &Book{maxMatches: cfg.MaxMatches}
	if b.maxMatches <= 0 {
		b.maxMatches = defaultMaxMatches
	}
	b.reset()
	return b
}

// reset makes the book empty and open.
func (b *Book) reset() {
	*b = Book{
		maxMatches: b.maxMatches,
		limits:     [2]int64{Buy: maxPrice, Sell: -maxPrice},
		sides:      [2]side{Buy: newSide(-1), Sell: newSide(1)},
		orders:     make([]resting, 1, 64),
	}
	b.index.grow(nil)
}

// Place trades the order with what rests, as far as its price and kind allow, and puts the rest of it into the book if
// its kind is to rest. The events are valid until the next call that returns events; so it is with all of them.
func (b *Book) Place(o *Order) []Event {
	b.begin()
	price, why := b.admit(o)
	if why != NoReason {
		b.tell(Refused, why, o, o.Price, 0)
	} else {
		b.enter(o, price, 0)
	}
	return b.events
}

// Amend gives a resting order a price and a quantity; whoever keeps one of them passes the old one. The quantity is that
// of the whole order, with what has traded. A smaller quantity at the same price keeps the place in the queue (choice: the
// venue documents nothing). All else takes the order out of the book and enters it like a new one of its kind: Amended is
// followed by the events of a new order. What it was placed with counts, also its prevention (choice).
func (b *Book) Amend(id uint64, price, qty int64) []Event {
	b.begin()
	slot := b.find(id)
	if slot == 0 {
		e := b.event(Refused)
		e.Reason, e.ID, e.Price, e.Qty = NoSuchOrder, id, price, qty
		return b.events
	}
	r := &b.orders[slot]
	o := b.order(slot)
	old, left, done := o.Price, r.left, r.done
	o.Price, o.Qty = price, qty
	price, why := b.admitAmended(&o, old, left, done)
	if why != NoReason {
		b.tell(Refused, why, &o, o.Price, 0)
		return b.events
	}
	if price == old && qty-done < left {
		b.shrink(slot, done+left-qty)
		b.tell(Amended, NoReason, &o, price, qty-done).Was = old
		return b.events
	}
	b.remove(slot)
	b.tell(Amended, NoReason, &o, price, qty-done).Was = old
	b.enter(&o, price, done)
	return b.events
}

// Cancel takes an order out of the book, for the reason given. It works in a closed book, too (choice).
func (b *Book) Cancel(id uint64, why Reason) []Event {
	b.begin()
	slot := b.find(id)
	if slot == 0 {
		e := b.event(Refused)
		e.Reason, e.ID = NoSuchOrder, id
		return b.events
	}
	b.cancel(slot, why, 0)
	return b.events
}

// Clear cancels all orders, bids first, each side from the best on, for the reason given. It is one command.
func (b *Book) Clear(why Reason) []Event {
	b.begin()
	for i := range b.sides {
		s := &b.sides[i]
		for l := s.tree.ceiling(0); l != 0; l = s.tree.ceiling(0) {
			slot := s.levels[l].queue[forAll].head
			if slot == 0 {
				slot = s.levels[l].queue[rpiOnly].head
			}
			b.cancel(slot, why, 0)
		}
	}
	return b.events
}

// Halt closes the book: orders can only be cancelled. A closed book stays as it is, without an event.
func (b *Book) Halt() []Event { return b.open(false, Halted) }

// Resume opens a closed book again, with the orders that are in it.
func (b *Book) Resume() []Event { return b.open(true, Resumed) }

func (b *Book) open(open bool, kind EventKind) []Event {
	b.begin()
	if b.closed == open {
		b.closed = !open
		b.event(kind)
	}
	return b.events
}

// Restart tells those who publish the book that their counters begin anew (u = 1 and a snapshot). The book keeps its
// orders, its Seq and its versions: on the venue a restart of the publishing service is not one of matching (choice).
func (b *Book) Restart() []Event {
	b.begin()
	b.event(Restarted)
	return b.events
}

// SetLimits sets the price limits for what comes next: the lowest price at which an order may sell and the highest at
// which one may buy. A limit order beyond is refused, or placed at the limit (Order.Reprice); a market order trades as far
// as the limit. What rests stays, and an amendment that keeps its price is not held against them (choice). A new book has
// no limits.
func (b *Book) SetLimits(lowestSell, highestBuy int64) {
	b.limits = [2]int64{Buy: within(highestBuy), Sell: within(lowestSell)}
}

// within returns the price nearest to p that a book can hold.
func within(p int64) int64 { return min(max(p, -maxPrice), maxPrice) }

func (b *Book) begin() {
	b.events = b.events[:0]
	b.now = b.seq + 1
}

// changed notes that the command changed a side.
func (b *Book) changed(s *side) {
	b.seq = b.now
	s.version = b.now
}

// event appends an event. Its fields are set in place: one is too large to be moved about.
func (b *Book) event(kind EventKind) *Event {
	b.events = append(b.events, Event{})
	e := &b.events[len(b.events)-1]
	e.Kind = kind
	e.Seq = b.seq
	return e
}

// tell appends what happened to one order.
func (b *Book) tell(kind EventKind, why Reason, o *Order, price, left int64) *Event {
	e := b.event(kind)
	e.Reason, e.Side, e.RPI, e.Tag = why, o.Side, o.TIF == RPI, o.Tag
	e.ID, e.Account = o.ID, o.Account
	e.Price, e.Qty, e.Left = price, max(o.Qty, o.Value), left
	return e
}

// rest puts an order into the book, behind those that are at its price.
func (b *Book) rest(o *Order, price, left, done int64) {
	slot := b.free
	if slot == 0 {
		slot = int32(len(b.orders))
		b.orders = append(b.orders, resting{})
	} else {
		b.free = b.orders[slot].next
	}
	s := &b.sides[o.Side]
	l := s.at(price)
	v := &s.levels[l]
	q := &v.queue[queueOf(o.TIF)]
	r := &b.orders[slot] // set in place: a literal would be made elsewhere and copied
	r.id, r.left, r.done, r.account, r.group = o.ID, left, done, o.Account, o.Group
	r.level, r.prev, r.next = l, q.tail, 0
	r.side, r.tif, r.tag, r.flags = o.Side, o.TIF, o.Tag, flagsOf(o)
	if q.tail == 0 {
		q.head = slot
	} else {
		b.orders[q.tail].next = slot
	}
	q.tail = slot
	q.n++
	q.qty += left
	s.total += left
	if o.TIF != RPI && (s.best == 0 || v.key < s.levels[s.best].key) {
		s.best = l
	}
	b.index.put(b.orders, slot)
	b.changed(s)
}

// shrink takes some, not all, of an order away.
func (b *Book) shrink(slot int32, qty int64) {
	r := &b.orders[slot]
	s := &b.sides[r.side]
	r.left -= qty
	s.levels[r.level].queue[queueOf(r.tif)].qty -= qty
	s.total -= qty
	b.changed(s)
}

// remove takes an order out of the book.
func (b *Book) remove(slot int32) {
	r := &b.orders[slot]
	s := &b.sides[r.side]
	q := &s.levels[r.level].queue[queueOf(r.tif)]
	if r.prev == 0 {
		q.head = r.next
	} else {
		b.orders[r.prev].next = r.next
	}
	if r.next == 0 {
		q.tail = r.prev
	} else {
		b.orders[r.next].prev = r.prev
	}
	q.n--
	q.qty -= r.left
	s.total -= r.left
	if q.n == 0 {
		s.emptied(r.level)
	}
	b.index.delete(b.orders, slot)
	r.next, b.free = b.free, slot
	b.changed(s)
}

// cancel removes an order and says why. Met is the incoming order, if that is why.
func (b *Book) cancel(slot int32, why Reason, met uint64) {
	r := &b.orders[slot]
	price := b.sides[r.side].levels[r.level].price
	b.remove(slot)
	e := b.event(Cancelled)
	e.Reason, e.Side, e.RPI, e.Tag = why, r.side, r.tif == RPI, r.tag
	e.ID, e.Maker, e.Account = r.id, met, r.account
	e.Price, e.Qty, e.Left = price, r.done+r.left, r.left
}

// order returns what rests in a slot as an order that could be placed.
func (b *Book) order(slot int32) Order {
	r := &b.orders[slot]
	return Order{
		ID: r.id, Account: r.account, Group: r.group, Side: r.side, TIF: r.tif, Tag: r.tag,
		Prevent: r.flags.prevent(), SeesRPI: r.flags&seesRPI != 0, Reprice: r.flags&reprice != 0,
		Price: b.sides[r.side].levels[r.level].price, Qty: r.done + r.left,
	}
}
