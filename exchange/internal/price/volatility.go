package price

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// RealisedVol returns the volatility of a year that prices show which were taken at equal distances, oldest first: the square root
// of the mean square of their logarithmic changes, for 365 days. Choice: the V5 page market/historical-volatility says only that
// the data is hourly; the mean change is taken as 0, as is usual for so short steps. 0 of fewer than two prices.
func RealisedVol(prices []fixed.F, every int64) fixed.F {
	if len(prices) < 2 || every <= 0 {
		return 0
	}
	// Changes are small and their squares tiny: they are summed with 48 binary digits after the point. A change is cut at a
	// factor of 1.6, so that 50,000 of them can be summed whatever they are.
	var sum int64
	before := prices[0].Log()
	for _, p := range prices[1:] {
		log := p.Log()
		change := int64(min(max(log-before, -fixed.Half), fixed.Half))
		before = log
		sum += fixed.MulDiv(change, change, 1<<16)
	}
	perYear := fixed.Ratio(365*catalog.Day, every)
	steps := int64(len(prices) - 1)
	mean := fixed.MulDivRound(sum, 1, steps) // with 48 digits
	return fixed.F(fixed.MulDivRound(mean, int64(perYear), 1<<48)).Sqrt()
}
