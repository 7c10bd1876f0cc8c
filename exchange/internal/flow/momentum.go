package flow

import (
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// momentum follows: when a fast average of the price leaves a slow one by more than is usual at the present volatility, it
// trades in that direction, then waits.
type momentum struct {
	taker
	fast, slow fixed.F // averages of the touch, in ticks
	rest       int64   // not before
}

const momentumMean = 2 * second

func (m *momentum) wake(d *desk, now int64) int64 {
	next := d.after(now, momentumMean)
	bid, ask := d.touch()
	mid := fixed.FromInt(bid)/2 + fixed.FromInt(ask)/2
	if m.slow == 0 {
		m.fast, m.slow = mid, mid
	}
	m.fast += (mid - m.fast) / 5  // ten seconds
	m.slow += (mid - m.slow) / 45 // a minute and a half
	if now < m.rest || d.mood().effect.pulled || d.book().Closed() {
		return next
	}
	// The deviation of a minute's return, in ticks.
	usual := d.base().asset.Vol.Mul(stepSigma).Mul(minuteSteps).Mul(d.base().factor)
	apart := m.fast - m.slow
	if apart.Abs() < usual.Mul(d.fair)+fixed.FromInt(2) {
		return next
	}
	side := engine.Buy
	if apart < 0 {
		side = engine.Sell
	}
	usd := d.prof.median.Mul(2*fixed.One + 6*d.rand.Exponential())
	d.take(m.account, side, d.lots(min(usd, d.prof.largest)), d.worst(side, fixed.FromInt(20)), false, engine.TagNone)
	m.rest = d.after(now, 20*second)
	return next
}

// Walk describes the state.
func (m *momentum) Walk(w *state.Walker) {
	state.Integer(w, &m.fast)
	state.Integer(w, &m.slow)
	w.Int64(&m.rest)
}
