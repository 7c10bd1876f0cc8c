package api

import (
	"slices"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

const hour = catalog.Hour

// Historical volatility. V5 page market/iv.
const (
	volatilitySpan  = 30 * 24 * hour      // the longest span of a request
	volatilityReach = 2 * 365 * 24 * hour // how far back it goes
	volatilityScale = 8                   // digits after the point
)

// volatilityPeriods are the days that a value can cover; those beyond 90 only of BTC and ETH. V5 page enum, optionPeriod.
var volatilityPeriods = []int{7, 14, 21, 30, 60, 90, 180, 270}

// historicalVolatility answers historical-volatility. Its service has one text for all mistakes (seen for period=7d; choice
// for the others).
func historicalVolatility(v *view) (result, *Refusal) {
	var p bybit.HistoricalVolatilityParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	base, quote, days := p.BaseCoin.Or("BTC"), p.QuoteCoin.Or("USD"), p.Period.Or(7)
	switch {
	case p.Category != bybit.Option,
		quote != "USD" && quote != "USDT",
		!slices.Contains(volatilityPeriods, days),
		days > 90 && base != "BTC" && base != "ETH",
		p.StartTime.IsSet() != p.EndTime.IsSet():
		return nil, refuse(wrongRequest)
	}
	to := v.now - v.now%hour
	s := span{to, to}
	if p.StartTime.IsSet() {
		asked, refused := inSpan(p.StartTime, p.EndTime)
		if refused != nil || asked.to/2-asked.from/2 > volatilitySpan/2 {
			return nil, refuse(wrongRequest)
		}
		s = span{max(asked.from, to-volatilityReach, 0), min(asked.to, v.now)}
	}
	r := &bybit.HistoricalVolatilityResult{Category: p.Category, List: []bybit.Volatility{}}
	of, ok := v.underlying(base)
	if !ok {
		return r, nil
	}
	for at := s.to - mod(s.to, hour); at >= s.from; at -= hour {
		if value := v.Bars().Volatility(of, days, at); value > 0 { // 0: the past does not reach so far
			r.List = append(r.List, bybit.Volatility{Period: int64(days), Value: shown(value, volatilityScale), Time: timeOf(at)})
		}
	}
	return r, nil
}

// mod is the remainder that is never negative.
func mod(a, b int64) int64 { return (a%b + b) % b }

// underlying is the instrument whose index is the price of a coin with options.
func (v *view) underlying(base string) (catalog.ID, bool) {
	if !slices.ContainsFunc(v.Catalog().All(bybit.Option), func(in *catalog.Instrument) bool { return in.Base == base }) {
		return catalog.None, false
	}
	for _, in := range v.Catalog().All(bybit.Linear) {
		if in.Base == base && in.Kind == catalog.Perpetual {
			return in.ID, true
		}
	}
	return catalog.None, false
}
