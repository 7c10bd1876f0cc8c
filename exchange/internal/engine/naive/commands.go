package naive

import "github.com/bywire/bywire/exchange/internal/engine"

// Amend is engine.Book's Amend.
func (b *Book) Amend(id uint64, price, qty int64) []engine.Event {
	return b.command(func() {
		s, i, ok := b.find(id)
		if !ok {
			b.events = append(b.events, engine.Event{Kind: engine.Refused, Reason: engine.NoSuchOrder, ID: id, Price: price, Qty: qty})
			return
		}
		r := b.orders[s][i]
		done := r.Qty - r.Left
		o := r.Order
		o.Price, o.Qty = price, qty
		asked := o
		why := engine.NoReason
		switch {
		case b.closed:
			why = engine.BookClosed
		case qty <= done:
			why = engine.BadQty
		case price != r.Price:
			why = b.checkPrice(&o)
		}
		if why == engine.NoReason && o.Price == r.Price && qty == r.Qty {
			why = engine.Unchanged
		}
		if why == engine.NoReason {
			why = b.checkSize(&o, r.Qty)
		}
		if why != engine.NoReason {
			b.tell(engine.Refused, why, &asked, 0)
			return
		}
		b.tell(engine.Amended, engine.NoReason, &o, qty-done)
		b.events[len(b.events)-1].Was = r.Price
		if o.Price == r.Price && qty < r.Qty {
			b.orders[s][i].Qty, b.orders[s][i].Left = qty, qty-done
			b.changed[s] = true
			return
		}
		b.drop(id)
		b.enter(o, done)
	})
}

// Cancel is engine.Book's Cancel.
func (b *Book) Cancel(id uint64, why engine.Reason) []engine.Event {
	return b.command(func() {
		r, ok := b.Order(id)
		if !ok {
			b.events = append(b.events, engine.Event{Kind: engine.Refused, Reason: engine.NoSuchOrder, ID: id})
			return
		}
		b.drop(id)
		b.tell(engine.Cancelled, why, &r.Order, r.Left)
	})
}

// Clear is engine.Book's Clear.
func (b *Book) Clear(why engine.Reason) []engine.Event {
	return b.command(func() {
		for s := range b.orders {
			for len(b.orders[s]) > 0 {
				r := b.orders[s][0]
				b.drop(r.ID)
				b.tell(engine.Cancelled, why, &r.Order, r.Left)
			}
		}
	})
}

// Halt is engine.Book's Halt.
func (b *Book) Halt() []engine.Event {
	return b.command(func() {
		if !b.closed {
			b.closed = true
			b.events = append(b.events, engine.Event{Kind: engine.Halted})
		}
	})
}

// Resume is engine.Book's Resume.
func (b *Book) Resume() []engine.Event {
	return b.command(func() {
		if b.closed {
			b.closed = false
			b.events = append(b.events, engine.Event{Kind: engine.Resumed})
		}
	})
}

// Restart is engine.Book's Restart.
func (b *Book) Restart() []engine.Event {
	return b.command(func() { b.events = append(b.events, engine.Event{Kind: engine.Restarted}) })
}

// SetLimits is engine.Book's SetLimits.
func (b *Book) SetLimits(lowestSell, highestBuy int64) {
	within := func(p int64) int64 { return max(-maxPrice, min(p, maxPrice)) }
	b.lowestSell, b.highestBuy = within(lowestSell), within(highestBuy)
}

// Best is engine.Book's Best.
func (b *Book) Best(s engine.Side) (price, qty int64, ok bool) {
	levels := b.Levels(nil, s, 1, false)
	if len(levels) == 0 {
		return 0, 0, false
	}
	return levels[0].Price, levels[0].Qty, true
}

// Levels is engine.Book's Levels.
func (b *Book) Levels(dst []engine.Level, s engine.Side, n int, rpi bool) []engine.Level {
	var levels []engine.Level
	for _, r := range b.seen(s, rpi) {
		if len(levels) == 0 || levels[len(levels)-1].Price != r.Price {
			levels = append(levels, engine.Level{Price: r.Price})
		}
		l := &levels[len(levels)-1]
		l.Orders++
		if r.TIF == engine.RPI {
			l.RPI += r.Left
		} else {
			l.Qty += r.Left
		}
	}
	return append(dst, levels[:max(0, min(n, len(levels)))]...)
}

// LevelAt is engine.Book's LevelAt.
func (b *Book) LevelAt(s engine.Side, price int64) (engine.Level, bool) {
	l := engine.Level{Price: price}
	for _, r := range b.orders[s] {
		switch {
		case r.Price != price:
			continue
		case r.TIF == engine.RPI:
			l.RPI += r.Left
		default:
			l.Qty += r.Left
		}
		l.Orders++
	}
	if l.Orders == 0 {
		return engine.Level{}, false
	}
	return l, true
}

// Orders is engine.Book's Orders.
func (b *Book) Orders(dst []engine.Resting, s engine.Side) []engine.Resting {
	return append(dst, b.orders[s]...)
}

// Order is engine.Book's Order.
func (b *Book) Order(id uint64) (engine.Resting, bool) {
	s, i, ok := b.find(id)
	if !ok {
		return engine.Resting{}, false
	}
	return b.orders[s][i], true
}

// Version is engine.Book's Version.
func (b *Book) Version(s engine.Side) uint64 { return uint64(b.versions[s]) }

// Seq is engine.Book's Seq.
func (b *Book) Seq() int64 { return b.seq }

// Closed is engine.Book's Closed.
func (b *Book) Closed() bool { return b.closed }

// Limits is engine.Book's Limits.
func (b *Book) Limits() (lowestSell, highestBuy int64) { return b.lowestSell, b.highestBuy }

// Resting is engine.Book's Resting.
func (b *Book) Resting() int { return len(b.orders[engine.Buy]) + len(b.orders[engine.Sell]) }
