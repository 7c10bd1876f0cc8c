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
	touch     fixed.F // value that makers show at the touch together, US dollars
	limit     fixed.F // largest inventory of a maker, US dollars

	coarse bool    // the tick is wide: every tick near the touch holds a level
	rings  []ring  // places of the crowd
	level  fixed.F // median value of a crowd's order, US dollars
	tail   fixed.F // tail index of its sizes
	rate   fixed.F // changes of the crowd in a second
	resize fixed.F // share of them that only change a size

	takers  fixed.F // taker orders in a second
	median  fixed.F // value of the median taker order, US dollars
	sigma   fixed.F // of the logarithm of its value
	largest fixed.F // value of the largest taker order, US dollars
	sweep   fixed.F // value an arbitrage order takes beyond the best level, US dollars
}

// ring is a part of the crowd's places on a side: count cells of width ticks each.
type ring struct {
	width, count int64
}

// million is in US dollars.
const million = 1_000_000

// profileOf fits an instrument. Everything follows from what usually changes hands in it and from how large its tick is,
// so that instruments of a user's file have a market as well.
func profileOf(in *catalog.Instrument, c *coin, activity fixed.F) profile {
	turnover := fixed.FromInt(max(in.Turnover/million, 1)) // millions a day
	root := turnover.Sqrt()
	tickBps := tickInBps(in, c) // one tick in basis points

	p := profile{
		makers:    3,
		makerMean: 250 * millisecond,
		touch:     fixed.FromInt(6500).Mul(root),
		level:     min(max(fixed.FromInt(27).Mul(root), fixed.FromInt(300)), fixed.FromInt(1000)),
		tail:      fixed.Ratio(30, 10),
		rate:      fixed.Ratio(10, 10).Mul(root).Mul(activity),
		resize:    fixed.Ratio(2, 10),
		sigma:     fixed.Ratio(20, 10),
	}
	// Fine books stand within a fraction of a basis point; coarse ones within their tick.
	p.tolerance = max(fixed.Ratio(65, 100).Div(tickBps), fixed.Ratio(7, 10))
	p.rings = rings(in, tickBps)
	if p.coarse = tickBps > fixed.Ratio(2, 10); p.coarse {
		p.touch = fixed.FromInt(200).Mul(root)
		p.level = min(max(fixed.FromInt(360).Mul(root), fixed.FromInt(1500)), fixed.FromInt(9000))
		p.resize = fixed.Ratio(97, 100)
		p.tail = fixed.Ratio(13, 10)
	}
	if in.Kind == catalog.Spot {
		p.touch = min(p.touch, fixed.FromInt(450).Mul(root))
		p.rate = p.rate.Mul(fixed.Ratio(6, 10))
		p.makerMean = 400 * millisecond
	}
	if in.Kind == catalog.Future {
		p.makers = 2
		p.makerMean = 600 * millisecond
	}
	if in.Category == bybit.Linear && in.Symbol == "XRPUSDT" {
		p.rate = fixed.FromInt(540).Mul(activity) // a recording of a hectic minute, see docs/market.md
	}
	p.limit = p.touch * 4
	p.sweep = 2 * p.level
	// Takers: more of them and larger ones where more changes hands. A lognormal value has the mean median x exp(sigma^2/2).
	share := fixed.Ratio(5, 100)
	switch in.Category {
	case bybit.Spot:
		share, p.sigma = fixed.Ratio(20, 100), fixed.Ratio(29, 10)
	case bybit.Inverse:
		share, p.sigma = fixed.Ratio(10, 1000), fixed.Ratio(24, 10)
	}
	p.takers = share.Mul(root).Mul(activity)
	perOrder := turnover.Div(fixed.Ratio(864, 10)).Mul(fixed.FromInt(1000)).Div(max(p.takers, fixed.Ratio(1, 1000)))
	p.largest = perOrder * 25
	p.median = perOrder.Div((p.sigma.Mul(p.sigma) / 2).Exp())
	return p
}

// tickInBps is a tick at the coin's first price, in basis points.
func tickInBps(in *catalog.Instrument, c *coin) fixed.F {
	units, _ := in.Tick.Units(in.PriceScale)
	ticks := int64(c.asset.Start)
	for range in.PriceScale {
		ticks = fixed.MulDiv(ticks, 10, 1)
	}
	return max(fixed.Ratio(10_000*units, max(ticks>>32, 1)), 1)
}

// rings lays the places out: levels get wider apart with the distance, and there are about 1,100 of them on a side.
func rings(in *catalog.Instrument, tickBps fixed.F) []ring {
	near := fixed.Ratio(50, 1000) // basis points between levels near the touch
	switch in.Category {
	case bybit.Linear:
		near = fixed.Ratio(30, 1000)
	case bybit.Inverse:
		near = fixed.Ratio(240, 1000)
	}
	var all []ring
	for _, r := range []struct{ wider, count int64 }{{1, 96}, {2, 256}, {5, 512}, {40, 256}} {
		width := max(near.MulInt(r.wider).Div(tickBps).Round(), 1)
		all = append(all, ring{width: width, count: r.count})
	}
	return all
}
