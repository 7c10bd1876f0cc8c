package flow

import (
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// iceberg works one large order after another: it shows a slice at the touch, follows the touch when it has run away, and
// shows the next slice when one is gone.
type iceberg struct {
	trader
	side   engine.Side
	hidden int64 // lots still to come
	slice  int64 // lots shown
	q      quote
}

const (
	icebergLook  = 400 * millisecond
	icebergPause = 3 * minute
)

func (x *iceberg) wake(d *desk, now int64) int64 {
	next := d.after(now, icebergLook)
	if d.book().Closed() {
		return next
	}
	if d.mood().effect.pulled {
		d.pull(&x.q)
		return next
	}
	if x.hidden == 0 && x.q.id == 0 {
		x.slice = d.lots(d.prof.level.Mul(fixed.One + 2*d.rand.F()))
		x.hidden = x.slice * (10 + d.rand.IntN(40))
		x.side = engine.Side(d.rand.IntN(2))
		return d.after(now, icebergPause)
	}
	bid, ask := d.touch()
	price, fair := bid, at(d.fair)
	if x.side == engine.Sell {
		price, fair = ask, fair+1
	}
	if (price-fair)*outwards(x.side) < 0 { // the touch is through the fair price: do not lead
		price = fair
		if x.side == engine.Buy {
			price = min(price, ask-1)
		} else {
			price = max(price, bid+1)
		}
	}
	switch {
	case x.q.id == 0:
		show := d.clamp(min(x.slice, x.hidden))
		d.post(&x.q, x.account, x.side, engine.PostOnly, price, show)
		if x.q.id != 0 {
			x.hidden = max(x.hidden-show, 0)
		}
	case (x.q.price-price)*outwards(x.side) > max(at(d.prof.tolerance), 2), (fair-x.q.price)*outwards(x.side) > at(d.prof.tolerance)/2+1:
		d.move(&x.q, price, x.q.left)
	}
	return next
}

func (x *iceberg) filled(_ *desk, ev *engine.Event) {
	if x.q.id == ev.Maker {
		x.q.fill(ev)
	}
}

func (x *iceberg) gone(_ engine.Side, id uint64) {
	if x.q.id == id {
		x.q = quote{}
	}
}

// Walk describes the state.
func (x *iceberg) Walk(w *state.Walker) {
	state.Integer(w, &x.side)
	w.Int64(&x.hidden)
	w.Int64(&x.slice)
	x.q.Walk(w)
	if w.Reading() && x.side > engine.Sell {
		w.Fail(errNoSide)
	}
}
