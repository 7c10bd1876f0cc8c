package flow

import (
	"errors"

	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

var errNoSide = errors.New("flow: there is no such side")

// retail quotes for retail takers only: RPI orders a little better than the touch where there is room, or at it. Others
// neither see nor reach them.
type retail struct {
	trader
	quotes [2]quote
}

const retailMean = 700 * millisecond

func (r *retail) wake(d *desk, now int64) int64 {
	next := d.after(now, max(retailMean, 3*d.prof.makerMean))
	if d.book().Closed() {
		return next
	}
	if d.mood().effect.pulled {
		d.pull(&r.quotes[engine.Buy])
		d.pull(&r.quotes[engine.Sell])
		return next
	}
	bid, ask := d.touch()
	inside := min((ask-bid-1)/2, max(at(d.bps(fixed.One/20)), 1))
	for side, price := range [2]int64{bid + inside, ask - inside} {
		q := &r.quotes[side]
		lots := d.lots(d.prof.level.Mul(fixed.One + 3*d.rand.F()))
		switch {
		case q.id == 0:
			d.post(q, r.account, engine.Side(side), engine.RPI, price, lots)
		case q.price != price:
			d.move(q, price, lots)
		}
	}
	return next
}

func (r *retail) filled(_ *desk, ev *engine.Event) {
	if q := &r.quotes[ev.Side.Opposite()]; q.id == ev.Maker {
		q.fill(ev)
	}
}

func (r *retail) gone(side engine.Side, id uint64) {
	if q := &r.quotes[side]; q.id == id {
		*q = quote{}
	}
}

// Walk describes the state.
func (r *retail) Walk(w *state.Walker) {
	for side := range r.quotes {
		r.quotes[side].Walk(w)
	}
}
