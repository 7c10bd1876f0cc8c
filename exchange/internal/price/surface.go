package price

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// The surface of volatilities. Choice, all of it: the venue's is fitted to its quotes. This one has the shape that quotes of
// crypto options have, few numbers, and follows the volatility of the generated market.
//
//	level(T)^2 = usual^2 + (now^2 - usual^2) * (1 - e^(-kT)) / kT     the mean of a variance that returns to its usual one
//	vol(x, T) = level(T) * (1 + skew(T)*x + smile*(sqrt(1 + x^2) - 1))         x = ln(K/F) / (level*sqrt(T))
//
// A short expiry follows the volatility of now, a long one the coin's usual one. Puts below the money are dearer than calls
// above it; the wings rise, and become straight. Where options are worth nothing any more, beyond x = 10, it is cut.
const (
	returning  = 12 * fixed.One         // k: half of a jump of the variance is gone after three weeks
	premiumVol = fixed.One * 103 / 100  // what options ask beyond the volatility that is expected
	skewShort  = -fixed.One * 4 / 100   // at T = 0
	skewLong   = -fixed.One * 2 / 100   // at T = infinity
	skewYears  = fixed.One / 4          // how soon one becomes the other
	smile      = fixed.One * 6 / 100    // slope of the wings
	wings      = 10 * fixed.One         // x is cut here
	lowestVol  = fixed.One * 5 / 100    // of the surface
	leastYears = fixed.One / (365 * 24) // the surface of shorter expiries is that of an hour
)

// expiry is the part of a surface that all options of an expiry share.
type expiry struct {
	years, root fixed.F
	forward     fixed.F
	logForward  fixed.F
	level       fixed.F
	perX        fixed.F // 1 / (level * sqrt(T)), of at least an hour
	skew        fixed.F
}

// newExpiry prepares an expiry: usual and now are the coin's volatilities, now over about an hour.
func newExpiry(forward, usual, now, years fixed.F) expiry {
	e := expiry{years: years, root: years.Sqrt(), forward: forward, logForward: forward.Log()}
	t := max(years, leastYears)
	kt := returning.Mul(t)
	share := (fixed.One - (-kt).Exp()).Div(kt)
	variance := usual.Mul(usual)
	variance += (now.Mul(now) - variance).Mul(share)
	e.level = min(max(variance.Sqrt().Mul(premiumVol), lowestVol), maxVol)
	e.perX = fixed.One.Div(e.level.Mul(t.Sqrt()))
	e.skew = skewLong + (skewShort - skewLong).Mul(skewYears.Div(skewYears+t))
	return e
}

// vol returns the volatility of a strike, given its logarithm.
func (e *expiry) vol(logStrike fixed.F) fixed.F {
	x := min(max((logStrike-e.logForward).Mul(e.perX), -wings), wings)
	return min(max(e.level.Mul(fixed.One+e.skew.Mul(x)+smile.Mul((fixed.One+x.Mul(x)).Sqrt()-fixed.One)), lowestVol), maxVol)
}

// Forward returns the price of a coin at a later time as futures of the generated market have it.
func Forward(a *catalog.Asset, index, years fixed.F) fixed.F {
	return index.Add(index.Mul(a.Carry.Mul(years)))
}

// UsualMark returns the mark price of an option at a time at which the index of its coin is at a price and the coin's
// volatility is the usual one.
func UsualMark(a *catalog.Asset, in *catalog.Instrument, index fixed.F, at int64) fixed.F {
	years := in.Years(at)
	e := newExpiry(Forward(a, index, years), a.Vol, a.Vol, years)
	logStrike := in.Strike.Log()
	return black76(e.forward, in.Strike, e.logForward-logStrike, e.vol(logStrike), e.root, years, in.Call).Price
}
