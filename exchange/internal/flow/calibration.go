package flow

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// profile is what an instrument's agents are fitted with. docs/market.md has the recordings beside what comes of it.
type profile struct {
	makers    int
	makerMean int64   // between two looks of a maker, ns
	tolerance fixed.F // how far the fair price may leave the touch before makers follow, in ticks
	look      int64   // how long a maker looks away from the touch at most, on average, ns
	touch     fixed.F // value that makers show at the touch together, US dollars
	limit     fixed.F // largest inventory of a maker, US dollars

	coarse bool    // the tick is wide: every tick near the touch holds a level
	rings  []ring  // places of the crowd
	roam   int64   // share of its changes in percent that move an order of the last ring, the roamers
	level  fixed.F // about the median value of a crowd's order, US dollars
	thin   fixed.F // most that its order at the touch of a coarse book is worth, US dollars; 0: any
	tail   fixed.F // tail index of its sizes
	rate   fixed.F // changes of the crowd in a second
	resize fixed.F // share of them that only change a size
	flee   fixed.F // how far the fair price goes through an order of it before its owner flees, in ticks

	takers  fixed.F // taker orders in a second
	share   fixed.F // of the turnover that they bring; the rest is arbitrage and momentum
	median  fixed.F // value of the median taker order, US dollars
	sigma   fixed.F // of the logarithm of its value
	largest fixed.F // value of the largest taker order, US dollars
	sweep   fixed.F // value an arbitrage order takes beyond the best level, US dollars
	late    int64   // between two looks of arbitrage, ns
}

// ring is a part of the crowd's places on a side: count cells of width ticks each. It begins where the one before it ends,
// or at the touch.
type ring struct {
	width, count int64
	touch        bool
}

// million is in US dollars.
const million = 1_000_000

// profileOf fits an instrument. Everything follows from what usually changes hands in it and from how large its tick is,
// so that instruments of a user's file have a market as well.
func profileOf(in *catalog.Instrument, c, quote *coin, activity fixed.F) profile {
	turnover := fixed.FromInt(max(in.Turnover/million, 1)) // millions a day
	root := turnover.Sqrt()
	tickBps := tickInBps(in, c, quote) // one tick in basis points

	p := profile{
		makers:    3,
		makerMean: 250 * millisecond,
		look:      22 * millisecond,
		touch:     max(turnover.MulInt(90), fixed.FromInt(1500).Mul(root)),
		level:     min(max(turnover/4, fixed.FromInt(300)), fixed.FromInt(1400)),
		tail:      fixed.Ratio(30, 10),
		rate:      fixed.Ratio(10, 10).Mul(root).Mul(activity),
		resize:    fixed.Ratio(2, 10),
		sigma:     fixed.Ratio(20, 10),
		share:     fixed.Ratio(95, 100),
	}
	// Fine books stand within a fraction of a basis point; coarse ones within their tick.
	p.tolerance = max(fixed.Ratio(65, 100).Div(tickBps), fixed.Ratio(7, 10))
	if in.Kind == catalog.Spot {
		p.tolerance = max(fixed.Ratio(85, 100).Div(tickBps), fixed.Ratio(7, 10))
	}
	if root < 10*fixed.One {
		p.share = fixed.Ratio(85, 100)
	}
	p.flee = p.tolerance
	if p.coarse = tickBps > fixed.Ratio(2, 10); p.coarse {
		p.touch = max(turnover.MulInt(14), fixed.FromInt(100).Mul(root))
		p.thin, p.flee = p.touch/2, -p.tolerance/4
		p.level = fixed.FromInt(1950).Mul(root).Mul(min(tickBps, 2*fixed.One))
		p.share = fixed.Ratio(70, 100)
		p.resize, p.roam = fixed.Ratio(97, 100), 75
		p.tail = fixed.Ratio(13, 10)
		p.rate = min(p.rate.MulInt(20), fixed.FromInt(330).Mul(activity))
	}
	p.rings = rings(in, tickBps, root, p.coarse)
	if in.Kind == catalog.Spot {
		if p.coarse {
			p.rate, p.level, p.share = p.rate/16, p.level/2, fixed.Ratio(90, 100)
		} else {
			p.rate, p.resize = p.rate.Mul(fixed.Ratio(36, 100)), fixed.Ratio(95, 100)
			p.flee, p.look = p.tolerance/2, 12*millisecond
			p.level = min(max(fixed.FromInt(27).Mul(root), fixed.FromInt(300)), fixed.FromInt(1000))
		}
		p.touch = min(p.touch, fixed.FromInt(450).Mul(root))
		p.makerMean = 400 * millisecond
	}
	if in.Kind == catalog.Future {
		p.makers = 2
		p.makerMean = 600 * millisecond
	}
	// Takers: more of them and larger ones where more changes hands.
	share := fixed.Ratio(5, 100)
	switch in.Category {
	case bybit.Spot:
		share, p.sigma = fixed.Ratio(17, 100), fixed.Ratio(29, 10)
	case bybit.Inverse:
		share, p.sigma = fixed.Ratio(10, 1000), fixed.Ratio(22, 10)
		p.touch, p.flee = fixed.FromInt(6500).Mul(root), p.tolerance/2
		p.level = min(max(fixed.FromInt(27).Mul(root), fixed.FromInt(300)), fixed.FromInt(1000))
	}
	p.limit = p.touch * 7
	p.takers = share.Mul(root).Mul(activity)
	each := turnover.Mul(p.share).Div(fixed.Ratio(864, 10)).Mul(fixed.FromInt(1000)).Div(max(p.takers, fixed.Ratio(1, 1000)))
	p.median, p.largest = lognormal(each, p.sigma)
	p.sweep = min(2*p.level, each)
	// Where little changes hands nobody waits for each mispriced order.
	p.late = min(max(fixed.FromInt(40).Div(root).MulInt(arbitrageMean).Int(), arbitrageMean), 5*arbitrageMean)
	return p
}

// largestTaker is how large a taker order can be, in means of a lognormal value.
const largestTaker = 25

// lognormal returns the median of a lognormal value with a deviation of its logarithm, and its cap, so that the mean is given.
// Without the cap the mean is median x exp(sigma^2/2).
func lognormal(mean, sigma fixed.F) (median, largest fixed.F) {
	half := sigma.Mul(sigma) / 2
	k := (fixed.FromInt(largestTaker).Log() + half).Div(sigma) // the cap, in deviations
	kept := (k - sigma).NormCDF() + (fixed.One - k.NormCDF()).MulInt(largestTaker)
	whole := mean.Div(kept)
	return whole.Div(half.Exp()), whole.MulInt(largestTaker)
}

// tickInBps is a tick in basis points of the first price: the coin's in US dollars, or in the quote coin if that has a price of
// its own.
func tickInBps(in *catalog.Instrument, c, quote *coin) fixed.F {
	units, _ := in.Tick.Units(in.PriceScale)
	price := c.asset.Start
	if quote != nil {
		price = price.Div(quote.asset.Start)
	}
	ticks := int64(price)
	for range in.PriceScale {
		ticks = fixed.MulDiv(ticks, 10, 1)
	}
	return max(fixed.Ratio(10_000*units, max(ticks>>32, 1)), 1)
}

// rings lays the places out: levels get wider apart with the distance, and there are about 1,100 of them on a side. On a
// coarse book each tick is a place, and there are roamers: orders that jump about within parts of the first 500 ticks.
func rings(in *catalog.Instrument, tickBps, root fixed.F, coarse bool) []ring {
	near := fixed.Ratio(45, 1000) // basis points between levels near the touch
	switch in.Category {
	case bybit.Linear:
		if near = fixed.Ratio(16, 1000); !coarse { // closest where as much is traded as in ETHUSDT
			near = near.Mul(max(fixed.One, fixed.FromInt(56).Div(root)))
		}
	case bybit.Inverse:
		near = fixed.Ratio(240, 1000)
	}
	var all []ring
	for _, r := range []struct{ wider, count int64 }{{1, 96}, {2, 256}, {5, 512}, {40, 256}} {
		width := max(near.MulInt(r.wider).Div(tickBps).Round(), 1)
		all = append(all, ring{width: width, count: r.count})
	}
	if coarse {
		all = append(all, ring{width: roamerTicks, count: 512 / roamerTicks, touch: true})
	}
	return all
}

// roamerTicks is how many ticks a roamer has for itself.
const roamerTicks = 8
