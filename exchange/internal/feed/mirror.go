package feed

import (
	"slices"

	"github.com/bywire/bywire/exchange/internal/engine"
)

// mirror is one side of a book as a list, the worst price first: the topics of a book want hundreds of levels many
// times a second, and a list is read faster than the engine's tree. Commands note the prices that they touch; those
// are read again when a topic is due. Changes are mostly near the best price, where the list moves little.
type mirror struct {
	levels  []rung
	touched []int64 // prices to read again, with repetitions
	stale   bool    // all of it is to be read again
}

// rung is a level as topics have it: what all may trade with, and on orderbook.rpi what RPI orders have beside that.
type rung struct{ price, qty, rpi int64 }

// maxTouched is how many prices are noted before it is better to read all levels.
const maxTouched = 4096

// touch notes a price that a command may have changed.
func (v *mirror) touch(price int64) {
	switch {
	case v.stale:
	case len(v.touched) == maxTouched:
		v.stale = true
	default:
		v.touched = append(v.touched, price)
	}
}

// touches notes the prices of an event.
func (m *market) touches(ev *engine.Event) {
	switch ev.Kind {
	case engine.Rested, engine.Cancelled:
		m.mirrors[ev.Side].touch(ev.Price)
	case engine.Amended:
		m.mirrors[ev.Side].touch(ev.Price)
		if ev.Was != ev.Price {
			m.mirrors[ev.Side].touch(ev.Was)
		}
	case engine.Traded:
		m.mirrors[ev.Side.Opposite()].touch(ev.Price)
	}
}

// sync makes the mirror of a side what the book is now.
func (f *Feed) sync(m *market, side engine.Side) *mirror {
	v := &m.mirrors[side]
	if v.stale {
		v.stale = false
		f.levels = m.book.Levels(f.levels[:0], side, m.book.Resting(), false) // there are no more levels than orders
		v.levels = v.levels[:0]
		v.levels = appendReversed(v.levels, f.levels)
	} else {
		for _, price := range v.touched {
			l, _ := m.book.LevelAt(side, price)
			v.set(side, price, l.Qty)
		}
	}
	v.touched = v.touched[:0]
	return v
}

// set makes qty the quantity at a price.
func (v *mirror) set(side engine.Side, price, qty int64) {
	i := v.find(side, price)
	switch known := i < len(v.levels) && v.levels[i].price == price; {
	case known && qty == 0:
		v.levels = slices.Delete(v.levels, i, i+1)
	case known:
		v.levels[i].qty = qty
	case qty != 0:
		v.levels = slices.Insert(v.levels, i, rung{price: price, qty: qty})
	}
}

// find returns where a price is, or belongs.
func (v *mirror) find(side engine.Side, price int64) int {
	low, high := 0, len(v.levels)
	for low < high {
		mid := int(uint(low+high) / 2)
		if better(side, price, v.levels[mid].price) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// top is the part of it that the n best levels are; 0 is all.
func (v *mirror) top(n int) []rung {
	if n > 0 && n < len(v.levels) {
		return v.levels[len(v.levels)-n:]
	}
	return v.levels
}

// appendReversed appends levels of the engine, whose best is the first, with the best as the last.
func appendReversed(dst []rung, levels []engine.Level) []rung {
	for i := len(levels) - 1; i >= 0; i-- {
		dst = append(dst, rung{levels[i].Price, levels[i].Qty, levels[i].RPI})
	}
	return dst
}
