package flow

import (
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// liquidator closes positions that lost their margin: after a fall it sells for those who were long, after a rise
// it buys. Its orders carry engine.TagLiquidation. Normally there are few, and more after large moves; in a cascade each of its orders
// pushes the latent price on, which brings the next.
type liquidator struct{ taker }

var (
	liquidationFrom  = fixed.Ratio(22, 10) // a move of so many deviations of a minute's usual return
	liquidationMost  = 6 * fixed.One       // orders a second
	cascadeRate      = 5 * fixed.One       // orders a second in a cascade
	cascadePush      = fixed.Ratio(25, 100_000)
	cascadePushLeast = fixed.Ratio(5, 100_000)
)

const (
	liquidatorMean = 500 * millisecond
	liquidatorFast = 60 * millisecond
)

func (l *liquidator) wake(d *desk, now int64) int64 {
	mood, c := d.mood(), d.base()
	cascade := mood.regime == Cascade && mood.stage == 0
	mean := liquidatorMean
	if cascade {
		mean = liquidatorFast
	}
	next := d.after(now, mean)
	if mood.effect.pulled || d.book().Closed() {
		return next
	}
	var rate fixed.F
	side := engine.Sell
	if cascade {
		rate = cascadeRate
	} else {
		usual := c.asset.Vol.Mul(stepSigma).Mul(minuteSteps)
		over := c.trend.Abs().Div(usual) - liquidationFrom
		rate = d.prof.takers/250 + min(max(over, 0), liquidationMost).Mul(d.prof.takers)/8
		if c.trend > 0 {
			side = engine.Buy
		}
	}
	for range d.rand.Poisson(rate.Mul(fixed.Ratio(mean, second))) {
		usd := min(d.prof.median.Mul((d.rand.Gauss().Mul(d.prof.sigma)).Exp())*2, d.prof.largest)
		d.take(l.account, side, d.lots(usd), d.worst(side, fixed.FromInt(60)), false, engine.TagLiquidation)
		if cascade && d.leads() && mood.size > -cascadeLimit {
			push := -cascadePushLeast - cascadePush.Mul(d.rand.F())
			mood.size += push
			d.f.latent.push(d.coin, push, now, 300*millisecond)
		}
	}
	return next
}

// leads reports whether the instrument is the one whose liquidations move the coin: its first perpetual.
func (d *desk) leads() bool {
	for _, other := range d.f.desks {
		if other != nil && other.coin == d.coin && other.swap() {
			return other == d
		}
	}
	return false
}
