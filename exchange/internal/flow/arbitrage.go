package flow

import (
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// arbitrage takes what stands on the wrong side of the fair price: asks below it, bids above it. It ties the instruments
// of a coin together, moves the touch through the small orders of the crowd, and is the makers' loss when they are late.
type arbitrage struct{ taker }

// arbitrageMean is how long it looks away where much is traded; profile.late is how long here.
const arbitrageMean = 200 * millisecond

func (a *arbitrage) wake(d *desk, now int64) int64 {
	next := d.after(now, max(d.prof.late, d.prof.makerMean/2))
	if d.mood().effect.pulled || d.book().Closed() {
		return next
	}
	b := d.book()
	edge := d.prof.tolerance + d.prof.tolerance/2
	if ask, qty, ok := b.Best(engine.Sell); ok && d.fair > fixed.FromInt(ask)+edge {
		d.take(a.account, engine.Buy, a.size(d, qty), at(d.fair-d.prof.tolerance/4), false, engine.TagNone)
	} else if bid, qty, ok := b.Best(engine.Buy); ok && d.fair < fixed.FromInt(bid)-edge {
		d.take(a.account, engine.Sell, a.size(d, qty), at(d.fair+d.prof.tolerance/4)+1, false, engine.TagNone)
	}
	return next
}

// size is what stands at the best price and usually some levels more.
func (a *arbitrage) size(d *desk, best int64) int64 {
	more := d.lots(d.prof.sweep.Mul(fixed.Half + d.rand.Exponential()))
	return d.clamp(min(best, 4*more) + more)
}
