package price

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Limits are the prices that new orders may have, in ticks.
type Limits struct {
	LowestSell, HighestBuy int64
}

// FutureLimits returns the lowest price of a sell order and the highest of a buy order of a perpetual or future.
//
//	highest buy = min(mark*(1+Y), max(index, mark*(1+X) + max(0, premium)))
//	lowest sell = max(mark*(1-Y), min(index, mark*(1-X) + min(0, premium)))
//
// where premium is the mean over 30 seconds, each second, of (middle of best bid and ask - mark). V5 page
// account/set-price-limit and announcement, in force since 2026-05-26; the factor before the premium is 1 by default.
func FutureLimits(mark, index, premium, x, y fixed.F) (lowestSell, highestBuy fixed.F) {
	highestBuy = min(mark.Mul(fixed.One+y), max(index, mark.Mul(fixed.One+x)+max(0, premium)))
	lowestSell = max(mark.Mul(fixed.One-y), min(index, mark.Mul(fixed.One-x)+min(0, premium)))
	return lowestSell, highestBuy
}

// SpotLimits returns the same for spot, where the index stands in for the mark price and premium is the mean over 2 minutes
// of (middle of best bid and ask - index).
//
//	highest buy = min(max(index, index*(1+X) + premium), index*(1+Y))
//	lowest sell = max(min(index, index*(1-X) + premium), index*(1-Y))
//
// "Spot Trading Rules", bybit.eu, 2025-06-17. That the premium is the middle's is a choice; the page says only 2 minutes.
func SpotLimits(index, premium, x, y fixed.F) (lowestSell, highestBuy fixed.F) {
	highestBuy = min(max(index, index.Mul(fixed.One+x)+premium), index.Mul(fixed.One+y))
	lowestSell = max(min(index, index.Mul(fixed.One-x)+premium), index.Mul(fixed.One-y))
	return lowestSell, highestBuy
}

// within returns limits in ticks: the highest tick not above, the lowest not below, and all within the instrument's range.
func within(in *catalog.Instrument, lowestSell, highestBuy fixed.F) Limits {
	sell, buy := in.TicksOf(lowestSell), in.TicksOf(highestBuy)
	if in.PriceOf(sell) < lowestSell {
		sell++
	}
	if in.PriceOf(buy) > highestBuy {
		buy--
	}
	return Limits{
		LowestSell: min(max(sell, in.MinPrice), in.MaxPrice),
		HighestBuy: min(max(buy, in.MinPrice), in.MaxPrice),
	}
}
