package feed

import (
	"errors"
	"fmt"

	"github.com/bywire/bywire/exchange/internal/engine"
)

// ErrBook is in the error of a published book that is not the engine's.
var ErrBook = errors.New("a published book is not the engine's")

// Check compares each book as it was pushed last, at its u, with the engine's. A book that has changed since cannot be
// compared, for the engine has no memory; its next push is due within 200 ms. Check returns how many it has compared, of
// how many topics, and each that differs. It reads the engine, and none of what the pushes were made of. A BookView is not
// valid any more afterwards.
func (f *Feed) Check() (compared, topics int, broken []error) {
	for _, m := range f.markets {
		if m == nil {
			continue
		}
		topics += len(m.depths)
		for _, rpi := range [...]bool{false, true} {
			var n int
			n, broken = f.checkMarket(m, rpi, broken)
			compared += n
		}
	}
	return compared, topics, broken
}

// checkMarket compares an instrument's books: those with RPI orders, or those without.
func (f *Feed) checkMarket(m *market, rpi bool, broken []error) (compared int, _ []error) {
	versions := [2]uint64{m.book.Version(engine.Buy), m.book.Version(engine.Sell)}
	for _, d := range m.depths {
		if d.rpi != rpi || d.u == 0 || d.seen != versions {
			continue
		}
		if compared++; compared == 1 { // the engine's book is the same for all depths
			most := m.book.Resting() // there are no more levels than orders
			if rpi {
				most = d.levels
			}
			for side := range f.shown {
				f.shown[side] = m.book.Levels(f.shown[side][:0], engine.Side(side), most, rpi)
			}
		}
		for side, now := range f.shown {
			if d.levels > 0 {
				now = now[:min(len(now), d.levels)]
			}
			if at := firstDifference(d.sides[side], now); at >= 0 {
				broken = append(broken, fmt.Errorf("%w: %s %s at u %d, %s, level %d", ErrBook, d.topic.Channel, d.topic.Name,
					d.published(), [...]string{"bids", "asks"}[side], at+1))
			}
		}
	}
	return compared, broken
}

// firstDifference returns the level, counted from the best, at which a published side is not the engine's; -1: none.
func firstDifference(published []rung, now []engine.Level) int {
	last := len(published) - 1
	for i := range min(len(published), len(now)) {
		if r := published[last-i]; r != (rung{now[i].Price, now[i].Qty, now[i].RPI}) {
			return i
		}
	}
	if len(published) != len(now) {
		return min(len(published), len(now))
	}
	return -1
}
