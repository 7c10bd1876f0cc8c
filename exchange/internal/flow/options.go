package flow

import (
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// ladder is the quotes of a maker who is alone in a book: a few levels a side around a value that others computed.
type ladder struct {
	trader
	quotes [2][ladderLevels]quote
}

const ladderLevels = 4

// quote brings the ladder to where it belongs: the first level half ticks from the middle, the next ones as far again.
// Levels that are less than slack ticks off stay. below is the lowest price that may be quoted.
func (l *ladder) quote(d *desk, middle fixed.F, half, slack, below int64, lots func() int64) {
	bid, ask := at(middle-fixed.FromInt(half)), -at(-middle-fixed.FromInt(half))
	// What moves away goes first, so that a ladder never trades with itself.
	first := engine.Buy
	if q := &l.quotes[engine.Sell][0]; q.id != 0 && bid >= q.price {
		first = engine.Sell
	}
	for _, side := range [2]engine.Side{first, first.Opposite()} {
		best := bid
		if side == engine.Sell {
			best = ask
		}
		for i := range l.quotes[side] {
			q, price := &l.quotes[side][i], best+outwards(side)*int64(i)*half
			switch {
			case price < below:
				d.pull(q)
			case q.id == 0:
				d.post(q, l.account, side, engine.PostOnly, price, lots())
			case max(price-q.price, q.price-price) > slack:
				d.move(q, price, lots())
			}
		}
	}
}

func (l *ladder) withdraw(d *desk) {
	for side := range l.quotes {
		for i := range l.quotes[side] {
			d.pull(&l.quotes[side][i])
		}
	}
}

func (l *ladder) filled(_ *desk, ev *engine.Event) {
	for i := range l.quotes[ev.Side.Opposite()] {
		if q := &l.quotes[ev.Side.Opposite()][i]; q.id == ev.Maker {
			q.fill(ev)
		}
	}
}

func (l *ladder) gone(side engine.Side, id uint64) {
	for i := range l.quotes[side] {
		if l.quotes[side][i].id == id {
			l.quotes[side][i] = quote{}
		}
	}
}

// Walk describes the state.
func (l *ladder) Walk(w *state.Walker) {
	for side := range l.quotes {
		for i := range l.quotes[side] {
			l.quotes[side][i].Walk(w)
		}
	}
}

// optionMaker quotes an option around the mark price that the world computes. It looks every few seconds and leaves what
// has not moved, so most options are quoted well below once a second.
type optionMaker struct{ ladder }

const optionLook = 2500 * millisecond

func (m *optionMaker) wake(d *desk, now int64) int64 {
	if d.book().Closed() {
		return now + optionLook
	}
	mark := d.f.world.Mark(d.id)
	if mark <= 0 {
		return now + second // the world has not computed it yet
	}
	middle := fixed.F(fixed.MulDiv(int64(mark), d.perUnit, d.units))
	if d.mood().effect.pulled {
		m.withdraw(d)
		return now + optionLook/2 + d.rand.IntN(optionLook)
	}
	half := max(at(middle.Mul(fixed.Ratio(2, 100))), 1)
	m.quote(d, middle, half, half/4, max(d.in.MinPrice, 1), func() int64 { return d.few(200) })
	return now + optionLook/2 + d.rand.IntN(optionLook)
}

// few draws a small size: round, up to most times the smallest step of sizes.
func (d *desk) few(most int64) int64 {
	lots := roundSize(1 + d.rand.IntN(most))
	if d.in.MaxQty > 0 {
		lots = min(lots, d.in.MaxQty)
	}
	return max(lots, d.in.MinQty, 1)
}

// visitor takes the best price of a maker who is alone, seldom.
type visitor struct {
	taker
	mean int64 // between two visits
	most int64 // largest size in lots
	came bool
}

func (v *visitor) wake(d *desk, now int64) int64 {
	next := d.after(now, v.mean)
	if !v.came || d.book().Closed() || d.mood().effect.pulled {
		v.came = true
		return next
	}
	side := engine.Side(d.rand.IntN(2))
	if price, _, ok := d.book().Best(side.Opposite()); ok {
		d.take(v.account, side, d.few(v.most), price, false, engine.TagNone)
	}
	return next
}

// Walk describes the state.
func (v *visitor) Walk(w *state.Walker) {
	w.Bool(&v.came)
	w.Int64(&v.most) // of the price at the time when the desk was made
}
