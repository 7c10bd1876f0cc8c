package engine

import (
	"fmt"
	"math"

	"github.com/bywire/bywire/exchange/internal/state"
)

// Walk describes the book: its counters and limits, then the orders of the bids and of the asks, from the best price to
// the worst and at a price in the order in which they trade. Config is not part of it: a snapshot is restored into a book
// of the same Config. Bytes that no book could have written are an error, and leave it empty and open.
func (b *Book) Walk(w *state.Walker) {
	if !w.Reading() {
		b.walk(w)
		return
	}
	read := New(Config{MaxMatches: b.maxMatches})
	if read.walk(w); w.Err() != nil {
		read.reset()
	}
	*b = *read
}

func (b *Book) walk(w *state.Walker) {
	w.Tag("engine.Book.2")
	w.Int64(&b.seq)
	w.Bool(&b.closed)
	for i := range b.sides {
		s := Side(i)
		w.Int64(&b.limits[s])
		w.Int64(&b.sides[s].version)
		if !w.Reading() {
			b.writeOrders(w, s)
			continue
		}
		orders := readOrders(w)
		if err := b.refill(s, orders); err != nil {
			w.Fail(fmt.Errorf("%w: %v of a book: %w", state.ErrCorrupt, s, err))
		}
	}
}

// writeOrders writes the orders of a side, and an id of 0 behind them: to count them before would take a third of the time.
func (b *Book) writeOrders(w *state.Walker, s Side) {
	side := &b.sides[s]
	var r Resting
	for l := side.tree.ceiling(0); l != 0; l = side.after(l, true) {
		for _, q := range side.levels[l].queue {
			for slot := q.head; slot != 0; slot = b.orders[slot].next {
				r.Order, r.Left = b.order(slot), b.orders[slot].left
				w.Uint64(&r.ID)
				walkResting(w, &r)
			}
		}
	}
	var end uint64
	w.Uint64(&end)
}

// readOrders reads what writeOrders wrote.
func readOrders(w *state.Walker) (orders []Resting) {
	for {
		var r Resting
		if w.Uint64(&r.ID); r.ID == 0 {
			return orders
		}
		walkResting(w, &r)
		orders = append(orders, r)
	}
}

// walkResting goes through an order but for its id.
func walkResting(w *state.Walker, r *Resting) {
	w.Int64(&r.Price)
	w.Int64(&r.Qty)
	w.Int64(&r.Left)
	w.Uint32(&r.Account)
	w.Uint32(&r.Group)
	state.Integer(w, &r.TIF)
	state.Integer(w, &r.Prevent)
	state.Integer(w, &r.Tag)
	w.Bool(&r.SeesRPI)
	w.Bool(&r.Reprice)
}

// refill rests the orders of a list, and finds whatever no book could hold.
func (b *Book) refill(s Side, orders []Resting) error {
	side, other := &b.sides[s], &b.sides[s.Opposite()]
	seq, version := b.seq, side.version
	if seq < 0 || seq == math.MaxInt64 || version < 0 || version > seq || b.limits[s] != within(b.limits[s]) {
		return fmt.Errorf("version %d and limit %d at seq %d", version, b.limits[s], seq)
	}
	for i := range orders {
		o := &orders[i]
		o.Side = s
		switch {
		case o.TIF != GTC && o.TIF != PostOnly && o.TIF != RPI || o.Prevent > CancelBoth:
			return fmt.Errorf("order %d does not rest", o.ID)
		case b.find(o.ID) != 0:
			return fmt.Errorf("order %d is there twice", o.ID)
		case o.Left <= 0 || o.Left > o.Qty || !inRange(o.Price) || b.room(&o.Order, o.Price, o.Left) != NoReason:
			return fmt.Errorf("order %d of %d, of which %d are left, at %d", o.ID, o.Qty, o.Left, o.Price)
		}
		if i > 0 {
			last := &orders[i-1]
			was, is := side.key(last.Price), side.key(o.Price)
			if is < was || is == was && queueOf(o.TIF) < queueOf(last.TIF) {
				return fmt.Errorf("order %d stands behind order %d", o.ID, last.ID)
			}
		}
		b.rest(&o.Order, o.Price, o.Left, o.Qty-o.Left)
	}
	if side.best != 0 && other.best != 0 && side.key(other.levels[other.best].price) >= side.key(side.levels[side.best].price) {
		return fmt.Errorf("the best price crosses the other side's")
	}
	b.seq, side.version = seq, version
	return nil
}
