package bybit

import (
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// The orders of a ticker's keys by channel and type; fields that a channel
// does not have stand at the end. They are never written.
var (
	tickerOrderFutures = [tickerFieldCount]TickerField{
		TickerSymbol, TickerTickDirection, TickerPrice24hPcnt, TickerLastPrice, TickerPrevPrice24h,
		TickerHighPrice24h, TickerLowPrice24h, TickerPrevPrice1h, TickerMarkPrice, TickerIndexPrice,
		TickerOpenInterest, TickerOpenInterestValue, TickerSingleOpenInterest, TickerSingleOpenInterestValue,
		TickerTurnover24h, TickerVolume24h, TickerFundingIntervalHour, TickerFundingCap, TickerDeliveryTime,
		TickerBasisRate, TickerDeliveryFeeRate, TickerPredictedDeliveryPrice, TickerBasis, TickerBasisRateYear,
		TickerNextFundingTime, TickerFundingRate, TickerBidPrice, TickerBidSize, TickerAskPrice, TickerAskSize,
		TickerPreOpenPrice, TickerPreQty, TickerCurPreListingPhase, TickerChange24h, TickerUSDIndexPrice,
		TickerTotalVolume, TickerTotalTurnover, TickerBidIV, TickerAskIV, TickerMarkPriceIV, TickerUnderlyingPrice,
		TickerDelta, TickerGamma, TickerVega, TickerTheta,
	}
	// Deltas of futures with a delivery put what changes at delivery last.
	tickerOrderFuturesDelta = [tickerFieldCount]TickerField{
		TickerSymbol, TickerTickDirection, TickerPrice24hPcnt, TickerLastPrice, TickerPrevPrice24h,
		TickerHighPrice24h, TickerLowPrice24h, TickerPrevPrice1h, TickerMarkPrice, TickerIndexPrice,
		TickerOpenInterest, TickerOpenInterestValue, TickerSingleOpenInterest, TickerSingleOpenInterestValue,
		TickerTurnover24h, TickerVolume24h, TickerFundingIntervalHour, TickerFundingCap, TickerDeliveryTime,
		TickerNextFundingTime, TickerFundingRate, TickerBidPrice, TickerBidSize, TickerAskPrice, TickerAskSize,
		TickerBasisRate, TickerDeliveryFeeRate, TickerPredictedDeliveryPrice, TickerBasis, TickerBasisRateYear,
		TickerPreOpenPrice, TickerPreQty, TickerCurPreListingPhase, TickerChange24h, TickerUSDIndexPrice,
		TickerTotalVolume, TickerTotalTurnover, TickerBidIV, TickerAskIV, TickerMarkPriceIV, TickerUnderlyingPrice,
		TickerDelta, TickerGamma, TickerVega, TickerTheta,
	}
	tickerOrderSpot = [tickerFieldCount]TickerField{
		TickerSymbol, TickerLastPrice, TickerHighPrice24h, TickerLowPrice24h, TickerPrevPrice24h, TickerVolume24h,
		TickerTurnover24h, TickerPrice24hPcnt, TickerUSDIndexPrice, TickerTickDirection, TickerPrevPrice1h,
		TickerChange24h, TickerMarkPrice, TickerIndexPrice, TickerTotalVolume, TickerTotalTurnover,
		TickerOpenInterest, TickerOpenInterestValue, TickerSingleOpenInterest, TickerSingleOpenInterestValue,
		TickerBidPrice, TickerBidSize, TickerAskPrice, TickerAskSize, TickerBidIV, TickerAskIV, TickerFundingRate,
		TickerFundingCap, TickerFundingIntervalHour, TickerNextFundingTime, TickerDeliveryTime,
		TickerDeliveryFeeRate, TickerPredictedDeliveryPrice, TickerBasis, TickerBasisRate, TickerBasisRateYear,
		TickerPreOpenPrice, TickerPreQty, TickerCurPreListingPhase, TickerMarkPriceIV, TickerUnderlyingPrice,
		TickerDelta, TickerGamma, TickerVega, TickerTheta,
	}
	tickerOrderOption = [tickerFieldCount]TickerField{
		TickerSymbol, TickerBidPrice, TickerBidSize, TickerBidIV, TickerAskPrice, TickerAskSize, TickerAskIV,
		TickerLastPrice, TickerHighPrice24h, TickerLowPrice24h, TickerMarkPrice, TickerIndexPrice, TickerMarkPriceIV,
		TickerUnderlyingPrice, TickerOpenInterest, TickerTurnover24h, TickerVolume24h, TickerTotalVolume,
		TickerTotalTurnover, TickerDelta, TickerGamma, TickerVega, TickerTheta, TickerPredictedDeliveryPrice,
		TickerChange24h, TickerTickDirection, TickerPrevPrice24h, TickerPrevPrice1h, TickerPrice24hPcnt,
		TickerUSDIndexPrice, TickerOpenInterestValue, TickerSingleOpenInterest, TickerSingleOpenInterestValue,
		TickerFundingRate, TickerFundingCap, TickerFundingIntervalHour, TickerNextFundingTime, TickerDeliveryTime,
		TickerDeliveryFeeRate, TickerBasis, TickerBasisRate, TickerBasisRateYear, TickerPreOpenPrice, TickerPreQty,
		TickerCurPreListingPhase,
	}
	tickerOrderSpread = [tickerFieldCount]TickerField{
		TickerSymbol, TickerBidPrice, TickerBidSize, TickerAskPrice, TickerAskSize, TickerLastPrice,
		TickerHighPrice24h, TickerLowPrice24h, TickerPrevPrice24h, TickerVolume24h, TickerTickDirection,
		TickerPrevPrice1h, TickerPrice24hPcnt, TickerChange24h, TickerMarkPrice, TickerIndexPrice,
		TickerUSDIndexPrice, TickerTurnover24h, TickerTotalVolume, TickerTotalTurnover, TickerOpenInterest,
		TickerOpenInterestValue, TickerSingleOpenInterest, TickerSingleOpenInterestValue, TickerBidIV, TickerAskIV,
		TickerFundingRate, TickerFundingCap, TickerFundingIntervalHour, TickerNextFundingTime, TickerDeliveryTime,
		TickerDeliveryFeeRate, TickerPredictedDeliveryPrice, TickerBasis, TickerBasisRate, TickerBasisRateYear,
		TickerPreOpenPrice, TickerPreQty, TickerCurPreListingPhase, TickerMarkPriceIV, TickerUnderlyingPrice,
		TickerDelta, TickerGamma, TickerVega, TickerTheta,
	}
)

// tickerKeys holds the keys of the fields. It is never written.
var tickerKeys = [tickerFieldCount]string{
	TickerSymbol:                  "symbol",
	TickerTickDirection:           "tickDirection",
	TickerLastPrice:               "lastPrice",
	TickerPrevPrice24h:            "prevPrice24h",
	TickerPrevPrice1h:             "prevPrice1h",
	TickerHighPrice24h:            "highPrice24h",
	TickerLowPrice24h:             "lowPrice24h",
	TickerPrice24hPcnt:            "price24hPcnt",
	TickerChange24h:               "change24h",
	TickerMarkPrice:               "markPrice",
	TickerIndexPrice:              "indexPrice",
	TickerUSDIndexPrice:           "usdIndexPrice",
	TickerVolume24h:               "volume24h",
	TickerTurnover24h:             "turnover24h",
	TickerTotalVolume:             "totalVolume",
	TickerTotalTurnover:           "totalTurnover",
	TickerOpenInterest:            "openInterest",
	TickerOpenInterestValue:       "openInterestValue",
	TickerSingleOpenInterest:      "singleOpenInterest",
	TickerSingleOpenInterestValue: "singleOpenInterestValue",
	TickerBidPrice:                "bid1Price",
	TickerBidSize:                 "bid1Size",
	TickerAskPrice:                "ask1Price",
	TickerAskSize:                 "ask1Size",
	TickerBidIV:                   "bidIv",
	TickerAskIV:                   "askIv",
	TickerFundingRate:             "fundingRate",
	TickerFundingCap:              "fundingCap",
	TickerFundingIntervalHour:     "fundingIntervalHour",
	TickerNextFundingTime:         "nextFundingTime",
	TickerDeliveryTime:            "deliveryTime",
	TickerDeliveryFeeRate:         "deliveryFeeRate",
	TickerPredictedDeliveryPrice:  "predictedDeliveryPrice",
	TickerBasis:                   "basis",
	TickerBasisRate:               "basisRate",
	TickerBasisRateYear:           "basisRateYear",
	TickerPreOpenPrice:            "preOpenPrice",
	TickerPreQty:                  "preQty",
	TickerCurPreListingPhase:      "curPreListingPhase",
	TickerMarkPriceIV:             "markPriceIv",
	TickerUnderlyingPrice:         "underlyingPrice",
	TickerDelta:                   "delta",
	TickerGamma:                   "gamma",
	TickerVega:                    "vega",
	TickerTheta:                   "theta",
}

// key returns the key of a field on a channel.
func (f TickerField) key(ch Channel) string {
	if f >= TickerBidPrice && f <= TickerAskSize && (ch == Option || ch == Spread) {
		return [...]string{"bidPrice", "bidSize", "askPrice", "askSize"}[f-TickerBidPrice]
	}
	return tickerKeys[f]
}

// AppendJSON appends the message as the channel writes it: linear and inverse
// end with cs and ts, option begins with the id and ends with the type, spot
// and spread put ts, type and cs in front of the data. A field is written if it
// is set or marked; a Seq of 0, a zero Time and an empty id are left out.
func (m *TickerMessage) AppendJSON(dst []byte, ch Channel) []byte {
	h := header{topic: m.Topic.name, id: m.MessageID, kind: TypeDelta, time: m.Time, seq: m.Seq}
	if m.Snapshot {
		h.kind = TypeSnapshot
	}
	order, fields := orderTicker, &tickerOrderFutures
	switch {
	case ch == Spot:
		order, fields = orderTimeType, &tickerOrderSpot
	case ch == Spread:
		order, fields = orderTimeType, &tickerOrderSpread
	case ch == Option:
		order, fields = orderOption2023, &tickerOrderOption
	case !m.Snapshot:
		fields = &tickerOrderFuturesDelta
	}
	dst = append(h.before(dst, order), '{')
	start := len(dst)
	for _, f := range fields {
		if !m.Has(f) && !m.isSet(f) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, f.key(ch)...)
		dst = append(dst, '"', ':')
		dst = m.appendField(dst, f)
	}
	return h.after(append(dst, '}'), order)
}

// appendField appends the value of a field.
func (t *Ticker) appendField(dst []byte, f TickerField) []byte {
	if number := t.number(f); number != nil {
		return wire.AppendDecimal(dst, *number)
	}
	switch f {
	case TickerSymbol:
		return wire.AppendString(dst, t.Symbol)
	case TickerTickDirection:
		return wire.AppendString(dst, string(t.TickDirection))
	case TickerCurPreListingPhase:
		return wire.AppendString(dst, t.CurPreListingPhase)
	case TickerNextFundingTime:
		return wire.AppendMillisString(dst, t.NextFundingTime)
	}
	dst = append(dst, '"')
	if !t.DeliveryTime.IsZero() {
		dst = t.DeliveryTime.AppendFormat(dst, time.RFC3339Nano)
	}
	return append(dst, '"')
}

// isSet reports whether the field's value is not the zero value.
func (t *Ticker) isSet(f TickerField) bool {
	if number := t.number(f); number != nil {
		return number.IsSet()
	}
	switch f {
	case TickerSymbol:
		return t.Symbol != ""
	case TickerTickDirection:
		return t.TickDirection != ""
	case TickerCurPreListingPhase:
		return t.CurPreListingPhase != ""
	case TickerNextFundingTime:
		return !t.NextFundingTime.IsZero()
	}
	return !t.DeliveryTime.IsZero()
}
