package api

import (
	"strings"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// tickers answers tickers: the state of this moment, from the same figures as the topics.
func tickers(v *view) (result, *Refusal) {
	var p bybit.TickersParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, "", bybit.Spot, bybit.Linear, bybit.Inverse, bybit.Option)
	if refused != nil {
		return nil, refused
	}
	list := v.Catalog().All(category)
	symbol, bySymbol := p.Symbol.Get()
	base, byBase := p.BaseCoin.Get()
	switch {
	case bySymbol:
		in, refused := v.instrument(marketRules, category, symbol)
		if refused != nil {
			// Seen on linear: the result is there, and empty.
			refused.Result = &bybit.TickersResult{}
			return nil, refused
		}
		list = []*catalog.Instrument{in}
	case category == bybit.Option && !byBase:
		return nil, refuse(wrongRequest) // docs: one of them is required; the text is a choice
	}
	r := &bybit.TickersResult{Category: category, List: []bybit.MarketTicker{}}
	for _, in := range list {
		if category == bybit.Option && (byBase && in.Base != base || p.ExpDate.IsSet() && p.ExpDate.Or("") != expiryOf(in)) {
			continue
		}
		if t, ok := v.Feed().Ticker(in.ID); ok {
			r.List = append(r.List, marketTicker(in, &t))
		}
	}
	return r, nil
}

// expiryOf is the day of an expiry as symbols have it: 25DEC22.
func expiryOf(in *catalog.Instrument) string {
	return strings.ToUpper(time.Unix(0, in.Delivery).UTC().Format("2Jan06"))
}

// marketTicker is a ticker of the stream as REST calls its fields.
func marketTicker(in *catalog.Instrument, t *bybit.Ticker) bybit.MarketTicker {
	m := bybit.MarketTicker{
		Symbol: in.Symbol, LastPrice: t.LastPrice, IndexPrice: t.IndexPrice, MarkPrice: t.MarkPrice,
		PrevPrice24h: t.PrevPrice24h, Price24hPcnt: t.Price24hPcnt, HighPrice24h: t.HighPrice24h, LowPrice24h: t.LowPrice24h,
		PrevPrice1h: t.PrevPrice1h, Turnover24h: t.Turnover24h, Volume24h: t.Volume24h, USDIndexPrice: t.USDIndexPrice,
		OpenInterest: t.OpenInterest, OpenInterestValue: t.OpenInterestValue,
		SingleOpenInterest: t.SingleOpenInterest, SingleOpenInterestValue: t.SingleOpenInterestValue,
		Bid1Price: t.BidPrice, Bid1Size: t.BidSize, Ask1Price: t.AskPrice, Ask1Size: t.AskSize,
		FundingRate: t.FundingRate, FundingCap: t.FundingCap, NextFundingTime: t.NextFundingTime,
		PredictedDeliveryPrice: t.PredictedDeliveryPrice, DeliveryTime: t.DeliveryTime, DeliveryFeeRate: t.DeliveryFeeRate,
		Basis: t.Basis, BasisRate: t.BasisRate, BasisRateYear: t.BasisRateYear,
		PreOpenPrice: t.PreOpenPrice, PreQty: t.PreQty, CurPreListingPhase: bybit.AuctionPhase(t.CurPreListingPhase),
		FundingIntervalHour: in.FundingEvery / int64(time.Hour),
	}
	if in.Kind != catalog.Option {
		if m.PredictedDeliveryPrice.IsZero() {
			m.PredictedDeliveryPrice = decimal.Decimal{} // docs: it has a value in the last 30 minutes
		}
		return m
	}
	m.Bid1IV, m.Ask1IV, m.MarkIV, m.UnderlyingPrice = t.BidIV, t.AskIV, t.MarkPriceIV, t.UnderlyingPrice
	m.Delta, m.Gamma, m.Vega, m.Theta = t.Delta, t.Gamma, t.Vega, t.Theta
	m.TotalVolume, m.TotalTurnover, m.Change24h = t.TotalVolume, t.TotalTurnover, t.Change24h
	return m
}
