package flow

import (
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// noise is everybody who trades at once for reasons of their own. They come as a Poisson process that excites itself (a
// Hawkes process): each order raises the rate of the next ones for a while, so orders come in bursts. Sides run in
// streaks, as large orders are worked in pieces. Values are lognormal, which is a heavy tail over the range that the book
// can fill, and many are of the sizes that people type.
type noise struct {
	taker
	excited fixed.F // orders a second above the usual rate, at the time at
	at      int64
	buying  bool
	armed   bool // a wake that may be an order, not only the first
}

// Each order raises the rate by so much that excitedShare of all orders follow another one.
var (
	excitedShare = fixed.Ratio(75, 100)
	excitedDecay = fixed.Ratio(1, 4) // a second
	streak       = fixed.Ratio(70, 100)
	roundOrders  = fixed.Ratio(35, 100)
	seesRPI      = fixed.Ratio(30, 100)
)

func (n *noise) wake(d *desk, now int64) int64 {
	usual := d.prof.takers.Mul(fixed.One - excitedShare).Mul(d.activity())
	n.excited = n.excited.Mul((-excitedDecay.Mul(fixed.Ratio(now-n.at, second))).Exp())
	n.at = now
	// Thinning: the wait was drawn at the rate after the last order, which has decayed since.
	if n.armed && !d.mood().effect.pulled && !d.book().Closed() {
		n.order(d)
		n.excited += excitedShare.Mul(excitedDecay)
	}
	rate := max(usual+n.excited, fixed.One/2000)
	// The next order comes after an exponential time, of a rate that decays meanwhile: drawn piece by piece.
	wait := d.rand.Exponential().Div(rate)
	piece := min(fixed.One.Div(excitedDecay)/4, 4*fixed.One)
	n.armed = wait <= piece
	return now + max(fixed.MulDiv(int64(min(wait, piece)), second, int64(fixed.One)), millisecond)
}

// order sends one.
func (n *noise) order(d *desk) {
	if !d.rand.Bool(streak) {
		n.buying = d.rand.Bool(fixed.Half + d.mood().bias/2)
	}
	side := engine.Sell
	if n.buying {
		side = engine.Buy
	}
	usd := d.prof.median.Mul(d.rand.Gauss().Mul(d.prof.sigma).Exp())
	lots := d.lots(min(usd, d.prof.largest))
	if d.rand.Bool(roundOrders) {
		lots = d.clamp(roundSize(lots))
	}
	d.take(n.account, side, lots, d.worst(side, fixed.FromInt(30)), d.rand.Bool(seesRPI), engine.TagNone)
}

// worst is the price of a side that is so many basis points worse than the fair one.
func (d *desk) worst(side engine.Side, bps fixed.F) int64 {
	return max(at(d.fair)-outwards(side)*max(at(d.bps(bps)), 2), 1)
}

// Walk describes the state.
func (n *noise) Walk(w *state.Walker) {
	state.Integer(w, &n.excited)
	w.Int64(&n.at)
	w.Bool(&n.buying)
	w.Bool(&n.armed)
}
