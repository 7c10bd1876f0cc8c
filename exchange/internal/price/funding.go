package price

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// interestPerDay is the interest part of the funding rate for a day: 0.03 % ("Funding rate", bybit.com, undated, without a
// period; 0.01 % for 8 hours on help.bybit.com, "What is funding rate").
const interestPerDay = fixed.One * 3 / 10000

// dampener is how far the interest may pull the rate from the premium.
const dampener = fixed.One * 5 / 10000

// Interest returns the interest part of the funding rate for an interval.
func Interest(interval int64) fixed.F {
	return fixed.F(fixed.MulDivRound(int64(interestPerDay), interval, catalog.Day))
}

// FundingRate returns premium + clamp(interest - premium, -0.05 %, 0.05 %), within floor and highest. "Introduction to Funding
// Rate", testnet.bytick.com; the bounds are lowerFundingRate and upperFundingRate of instruments-info.
func FundingRate(premium, interest, floor, highest fixed.F) fixed.F {
	rate := premium + min(max(interest-premium, -dampener), dampener)
	return min(max(rate, floor), highest)
}

// Weighted is the average premium of a funding interval: its minutes weigh 1, 2, 3 ..., so later ones count more
// ("Introduction to Funding Rate": (P1*1 + P2*2 + ... + P480*480) / (1 + 2 + ... + 480)). A minute that was missed has no
// weight.
type Weighted struct {
	sum    int64 // of weight times premium
	weight int64
}

// Add adds the premium of the nth minute of the interval, from 1.
func (a *Weighted) Add(n int64, premium fixed.F) {
	a.sum += n * int64(min(max(premium, -fixed.One), fixed.One))
	a.weight += n
}

// Mean returns the average, 0 before the first minute.
func (a *Weighted) Mean() fixed.F {
	if a.weight == 0 {
		return 0
	}
	return fixed.F(fixed.MulDivRound(a.sum, 1, a.weight))
}

// NextFunding returns the first funding time after a time: multiples of the interval from midnight UTC.
func NextFunding(after, interval int64) int64 {
	return (after/interval + 1) * interval
}

// Funding is a settled funding.
type Funding struct {
	At   int64
	Rate fixed.F
}
