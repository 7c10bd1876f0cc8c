package flow

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// spreadMaker quotes a spread around the difference of its legs' middle prices. The result may be negative.
type spreadMaker struct{ ladder }

const spreadLook = 800 * millisecond

func (m *spreadMaker) wake(d *desk, now int64) int64 {
	next := d.after(now, spreadLook)
	if d.book().Closed() {
		return next
	}
	one, ok1 := d.middle(d.in.Legs[0])
	two, ok2 := d.middle(d.in.Legs[1])
	if !ok1 || !ok2 || d.mood().effect.pulled {
		m.withdraw(d)
		return next
	}
	half := max(fixed.MulDiv(int64(one), d.perUnit, d.units*20_000*int64(fixed.One)), 2) // half a basis point of the leg
	middle := fixed.F(fixed.MulDiv(int64(one-two), d.perUnit, d.units))
	m.quote(d, middle, half, half/3, d.in.MinPrice, func() int64 { return d.few(d.small()) })
	return next
}

// small is the lots that about 5,000 dollars buy.
func (d *desk) small() int64 {
	lot := d.in.QtyOf(1).Mul(d.base().price)
	return max(fixed.MulDiv(5000, int64(fixed.One), max(int64(lot), 1)), 2)
}

// middle is the middle of an instrument's book, as a price.
func (d *desk) middle(id catalog.ID) (fixed.F, bool) {
	b, in := d.f.world.Book(id), d.f.cat.At(id)
	if b == nil || in == nil {
		return 0, false
	}
	bid, _, ok1 := b.Best(engine.Buy)
	ask, _, ok2 := b.Best(engine.Sell)
	return in.PriceOf(bid)/2 + in.PriceOf(ask)/2, ok1 && ok2
}
