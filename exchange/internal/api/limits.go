package api

import "github.com/bywire/bywire/bybit"

// priceLimit answers price-limit with what the topic has pushed last.
func priceLimit(v *view) (result, *Refusal) {
	var p bybit.PriceLimitParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, bybit.Linear, bybit.Spot, bybit.Linear, bybit.Inverse)
	if refused != nil {
		return nil, refused
	}
	in, refused := v.instrument(marketRules, category, p.Symbol)
	if refused != nil {
		return nil, refused
	}
	r := &bybit.PriceLimitResult{Symbol: in.Symbol, Time: timeOf(v.now)}
	if buy, sell, at, ok := v.Feed().Limits(in.ID); ok {
		r.BuyLimit, r.SellLimit, r.Time = in.Price(buy), in.Price(sell), timeOf(at)
	}
	return r, nil
}
