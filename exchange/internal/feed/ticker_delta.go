package feed

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// futuresFields are the numbers of a linear or inverse ticker that can change. It is never written.
var futuresFields = [...]struct {
	field bybit.TickerField
	of    func(*bybit.Ticker) *decimal.Decimal
}{
	{bybit.TickerPrice24hPcnt, func(t *bybit.Ticker) *decimal.Decimal { return &t.Price24hPcnt }},
	{bybit.TickerLastPrice, func(t *bybit.Ticker) *decimal.Decimal { return &t.LastPrice }},
	{bybit.TickerPrevPrice24h, func(t *bybit.Ticker) *decimal.Decimal { return &t.PrevPrice24h }},
	{bybit.TickerHighPrice24h, func(t *bybit.Ticker) *decimal.Decimal { return &t.HighPrice24h }},
	{bybit.TickerLowPrice24h, func(t *bybit.Ticker) *decimal.Decimal { return &t.LowPrice24h }},
	{bybit.TickerPrevPrice1h, func(t *bybit.Ticker) *decimal.Decimal { return &t.PrevPrice1h }},
	{bybit.TickerMarkPrice, func(t *bybit.Ticker) *decimal.Decimal { return &t.MarkPrice }},
	{bybit.TickerIndexPrice, func(t *bybit.Ticker) *decimal.Decimal { return &t.IndexPrice }},
	{bybit.TickerOpenInterest, func(t *bybit.Ticker) *decimal.Decimal { return &t.OpenInterest }},
	{bybit.TickerOpenInterestValue, func(t *bybit.Ticker) *decimal.Decimal { return &t.OpenInterestValue }},
	{bybit.TickerSingleOpenInterest, func(t *bybit.Ticker) *decimal.Decimal { return &t.SingleOpenInterest }},
	{bybit.TickerSingleOpenInterestValue, func(t *bybit.Ticker) *decimal.Decimal { return &t.SingleOpenInterestValue }},
	{bybit.TickerTurnover24h, func(t *bybit.Ticker) *decimal.Decimal { return &t.Turnover24h }},
	{bybit.TickerVolume24h, func(t *bybit.Ticker) *decimal.Decimal { return &t.Volume24h }},
	{bybit.TickerFundingRate, func(t *bybit.Ticker) *decimal.Decimal { return &t.FundingRate }},
	{bybit.TickerBidPrice, func(t *bybit.Ticker) *decimal.Decimal { return &t.BidPrice }},
	{bybit.TickerBidSize, func(t *bybit.Ticker) *decimal.Decimal { return &t.BidSize }},
	{bybit.TickerAskPrice, func(t *bybit.Ticker) *decimal.Decimal { return &t.AskPrice }},
	{bybit.TickerAskSize, func(t *bybit.Ticker) *decimal.Decimal { return &t.AskSize }},
	{bybit.TickerPredictedDeliveryPrice, func(t *bybit.Ticker) *decimal.Decimal { return &t.PredictedDeliveryPrice }},
	{bybit.TickerBasis, func(t *bybit.Ticker) *decimal.Decimal { return &t.Basis }},
	{bybit.TickerBasisRate, func(t *bybit.Ticker) *decimal.Decimal { return &t.BasisRate }},
	{bybit.TickerBasisRateYear, func(t *bybit.Ticker) *decimal.Decimal { return &t.BasisRateYear }},
}

// changes returns what of a linear or inverse ticker is not as it was before, and whether there is anything.
func changes(now, before *bybit.Ticker) (delta bybit.Ticker, some bool) {
	delta.Symbol = now.Symbol
	for i := range futuresFields {
		row := &futuresFields[i]
		if v := *row.of(now); v != *row.of(before) {
			*row.of(&delta) = v
			delta.Mark(row.field)
			some = true
		}
	}
	if now.TickDirection != before.TickDirection {
		delta.TickDirection, some = now.TickDirection, true
	}
	if !now.NextFundingTime.Equal(before.NextFundingTime) {
		delta.NextFundingTime, some = now.NextFundingTime, true
	}
	return delta, some
}
