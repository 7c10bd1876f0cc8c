package price

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Median returns the middle one of three.
func Median(a, b, c fixed.F) fixed.F { return max(min(a, b), min(max(a, b), c)) }

// PerpetualMark returns the mark price of a perpetual: the median of P1, P2 and the last trade.
//
//	P1 = index * (1 + last funding rate * time left / interval)
//	P2 = index + mean over 5 minutes, each second, of (middle of best bid and ask - index)
//
// "Mark Price (Perpetual)", testnet.bybit.com, 2024-10-16. The page divides the time left by 8 hours; it is the interval here
// (choice), which is the same for contracts of 8 hours.
func PerpetualMark(index, lastFunding, left, interval, premium, last fixed.F) fixed.F {
	p1 := index.Add(index.Mul(lastFunding).Mul(left.Div(interval)))
	return Median(p1, index.Add(premium), last)
}

// FutureMark returns the mark price of a future: index * (1 + basis), where basis is the mean over 10 minutes, each
// second, of (impact middle - index) / index. "Mark Price (Futures)", bybit.nl, 2023-12-04; for inverse ones, and the same for
// linear ones (choice, no page found).
func FutureMark(index, basis fixed.F) fixed.F { return index.Add(index.Mul(basis)) }

// Premium returns the premium index: [max(0, impact bid - index) - max(0, index - impact ask)] / index.
// "Funding rate", bybit.com/en/announcement-info/fund-rate, undated. A side without an impact price (0) adds nothing.
func Premium(index, impactBid, impactAsk fixed.F) fixed.F {
	var p fixed.F
	if impactBid > 0 {
		p += max(0, impactBid-index)
	}
	if impactAsk > 0 {
		p -= max(0, index-impactAsk)
	}
	return p.Div(index)
}

// Impact returns the average price at which an order of the instrument's impact value trades against levels, best first, in
// ticks; false if they do not hold that much. On inverse the value of a lot is a dollar whatever the price, so the mean
// is over contracts there, else over the base coin.
func Impact(in *catalog.Instrument, levels []engine.Level) (int64, bool) {
	return ImpactOf(in, levels, in.ImpactValue)
}

// ImpactOf is Impact for a value of one's own, in quote coin.
func ImpactOf(in *catalog.Instrument, levels []engine.Level, value int64) (int64, bool) {
	left := fixed.FromInt(value)
	var qty, cost fixed.F // base coin (contracts), and what it costs (base coin)
	for _, l := range levels {
		price, q := in.PriceOf(l.Price), in.QtyOf(l.Qty)
		if price <= 0 || q <= 0 {
			continue
		}
		worth := q
		if !in.Inverse {
			worth = q.Mul(price)
		}
		if worth >= left {
			if in.Inverse {
				qty, cost = qty.Add(left), cost.Add(left.Div(price))
			} else {
				qty, cost = qty.Add(left.Div(price)), cost.Add(left)
			}
			left = 0
			break
		}
		left -= worth
		qty = qty.Add(q)
		if in.Inverse {
			cost = cost.Add(q.Div(price))
		} else {
			cost = cost.Add(worth)
		}
	}
	if left > 0 || qty == 0 || cost == 0 {
		return 0, false
	}
	if in.Inverse {
		return in.TicksOf(qty.Div(cost)), true
	}
	return in.TicksOf(cost.Div(qty)), true
}
