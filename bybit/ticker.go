package bybit

import (
	"math/bits"
	"time"

	"github.com/bywire/bywire/decimal"
)

// TickerMessage is a push of tickers. On linear and inverse a snapshot is
// followed by deltas that carry only what changed; spot, option and spread push
// snapshots only. V5 page: [websocket/public/ticker].
//
// [websocket/public/ticker]: https://bybit-exchange.github.io/docs/v5/websocket/public/ticker
type TickerMessage struct {
	MessageID string    // id of the push; only on option
	Topic     Topic     // tickers.{symbol}
	Time      time.Time // ts: when the frame was made
	Snapshot  bool
	Seq       int64 // cs: cross sequence; 0 is absent, as on option and spread
	Ticker

	ids *idArena
}

// Ticker is the state of an instrument, or a change of it: one struct for all
// categories. Has tells which fields the frame carried: a field that is absent
// from a delta has not changed, and one that is present and unset was sent as
// "". Prices are in quote coin (US dollars on inverse), sizes and volumes in
// base coin (contracts of one US dollar on inverse), rates as fractions: 0.01
// is 1 %.
type Ticker struct {
	Symbol        string
	TickDirection TickDirection   // linear, inverse
	LastPrice     decimal.Decimal // all
	PrevPrice24h  decimal.Decimal // not option
	PrevPrice1h   decimal.Decimal // linear, inverse
	HighPrice24h  decimal.Decimal // all
	LowPrice24h   decimal.Decimal // all
	Price24hPcnt  decimal.Decimal // not option, spread
	Change24h     decimal.Decimal // option
	MarkPrice     decimal.Decimal // linear, inverse, option
	IndexPrice    decimal.Decimal // linear, inverse, option
	USDIndexPrice decimal.Decimal // usdIndexPrice: spot

	Volume24h               decimal.Decimal // all
	Turnover24h             decimal.Decimal // not spread
	TotalVolume             decimal.Decimal // option
	TotalTurnover           decimal.Decimal // option
	OpenInterest            decimal.Decimal // linear, inverse, option
	OpenInterestValue       decimal.Decimal // linear, inverse
	SingleOpenInterest      decimal.Decimal // linear, inverse: one side only
	SingleOpenInterestValue decimal.Decimal // linear, inverse

	BidPrice, BidSize decimal.Decimal // best bid: bid1Price on linear and inverse, bidPrice on option and spread
	AskPrice, AskSize decimal.Decimal // best ask
	BidIV, AskIV      decimal.Decimal // bidIv, askIv: option

	FundingRate         decimal.Decimal // perpetuals
	FundingCap          decimal.Decimal // perpetuals
	FundingIntervalHour decimal.Decimal // perpetuals: hours
	NextFundingTime     time.Time       // perpetuals

	DeliveryTime           time.Time       // futures
	DeliveryFeeRate        decimal.Decimal // futures
	PredictedDeliveryPrice decimal.Decimal // futures, option: in the last 30 minutes
	Basis                  decimal.Decimal // futures
	BasisRate              decimal.Decimal // futures
	BasisRateYear          decimal.Decimal // futures

	PreOpenPrice       decimal.Decimal // pre-market contracts
	PreQty             decimal.Decimal // pre-market contracts
	CurPreListingPhase string          // pre-market contracts, such as "ContinuousTrading"

	MarkPriceIV     decimal.Decimal // markPriceIv: option
	UnderlyingPrice decimal.Decimal // option
	Delta           decimal.Decimal // option
	Gamma           decimal.Decimal // option
	Vega            decimal.Decimal // option
	Theta           decimal.Decimal // option

	fields uint64
}

// TickerField names a field of a Ticker for Has and Mark.
type TickerField uint8

// The fields of a Ticker. Best bid and ask have two spellings on the wire,
// with a digit on linear and inverse and without on option and spread; they
// are one field here, and the channel decides the spelling.
const (
	TickerSymbol TickerField = iota
	TickerTickDirection
	TickerLastPrice
	TickerPrevPrice24h
	TickerPrevPrice1h
	TickerHighPrice24h
	TickerLowPrice24h
	TickerPrice24hPcnt
	TickerChange24h
	TickerMarkPrice
	TickerIndexPrice
	TickerUSDIndexPrice
	TickerVolume24h
	TickerTurnover24h
	TickerTotalVolume
	TickerTotalTurnover
	TickerOpenInterest
	TickerOpenInterestValue
	TickerSingleOpenInterest
	TickerSingleOpenInterestValue
	TickerBidPrice
	TickerBidSize
	TickerAskPrice
	TickerAskSize
	TickerBidIV
	TickerAskIV
	TickerFundingRate
	TickerFundingCap
	TickerFundingIntervalHour
	TickerNextFundingTime
	TickerDeliveryTime
	TickerDeliveryFeeRate
	TickerPredictedDeliveryPrice
	TickerBasis
	TickerBasisRate
	TickerBasisRateYear
	TickerPreOpenPrice
	TickerPreQty
	TickerCurPreListingPhase
	TickerMarkPriceIV
	TickerUnderlyingPrice
	TickerDelta
	TickerGamma
	TickerVega
	TickerTheta
	tickerFieldCount
)

// Has reports whether the frame, or a message merged into the ticker, carried
// the field, or Mark named it.
func (t *Ticker) Has(f TickerField) bool { return f < tickerFieldCount && t.fields&(1<<f) != 0 }

// Mark makes AppendJSON write the fields even where they are unset, as "".
// Fields that are set are written anyway.
func (t *Ticker) Mark(fields ...TickerField) {
	for _, f := range fields {
		if f < tickerFieldCount {
			t.fields |= 1 << f
		}
	}
}

// Merge applies a delta: each field that the delta carries replaces the
// receiver's, also by "". To apply a snapshot assign it.
func (t *Ticker) Merge(delta *Ticker) {
	for rest := delta.fields; rest != 0; rest &= rest - 1 {
		f := TickerField(bits.TrailingZeros64(rest))
		switch f {
		case TickerSymbol:
			t.Symbol = delta.Symbol
		case TickerTickDirection:
			t.TickDirection = delta.TickDirection
		case TickerCurPreListingPhase:
			t.CurPreListingPhase = delta.CurPreListingPhase
		case TickerNextFundingTime:
			t.NextFundingTime = delta.NextFundingTime
		case TickerDeliveryTime:
			t.DeliveryTime = delta.DeliveryTime
		default:
			*t.number(f) = *delta.number(f)
		}
	}
	t.fields |= delta.fields
}

// number returns where a field that is a number is stored, nil for others.
func (t *Ticker) number(f TickerField) *decimal.Decimal {
	switch f {
	case TickerLastPrice:
		return &t.LastPrice
	case TickerPrevPrice24h:
		return &t.PrevPrice24h
	case TickerPrevPrice1h:
		return &t.PrevPrice1h
	case TickerHighPrice24h:
		return &t.HighPrice24h
	case TickerLowPrice24h:
		return &t.LowPrice24h
	case TickerPrice24hPcnt:
		return &t.Price24hPcnt
	case TickerChange24h:
		return &t.Change24h
	case TickerMarkPrice:
		return &t.MarkPrice
	case TickerIndexPrice:
		return &t.IndexPrice
	case TickerUSDIndexPrice:
		return &t.USDIndexPrice
	case TickerVolume24h:
		return &t.Volume24h
	case TickerTurnover24h:
		return &t.Turnover24h
	case TickerTotalVolume:
		return &t.TotalVolume
	case TickerTotalTurnover:
		return &t.TotalTurnover
	case TickerOpenInterest:
		return &t.OpenInterest
	case TickerOpenInterestValue:
		return &t.OpenInterestValue
	case TickerSingleOpenInterest:
		return &t.SingleOpenInterest
	case TickerSingleOpenInterestValue:
		return &t.SingleOpenInterestValue
	case TickerBidPrice:
		return &t.BidPrice
	case TickerBidSize:
		return &t.BidSize
	case TickerAskPrice:
		return &t.AskPrice
	case TickerAskSize:
		return &t.AskSize
	case TickerBidIV:
		return &t.BidIV
	case TickerAskIV:
		return &t.AskIV
	case TickerFundingRate:
		return &t.FundingRate
	case TickerFundingCap:
		return &t.FundingCap
	case TickerFundingIntervalHour:
		return &t.FundingIntervalHour
	case TickerDeliveryFeeRate:
		return &t.DeliveryFeeRate
	case TickerPredictedDeliveryPrice:
		return &t.PredictedDeliveryPrice
	case TickerBasis:
		return &t.Basis
	case TickerBasisRate:
		return &t.BasisRate
	case TickerBasisRateYear:
		return &t.BasisRateYear
	case TickerPreOpenPrice:
		return &t.PreOpenPrice
	case TickerPreQty:
		return &t.PreQty
	case TickerMarkPriceIV:
		return &t.MarkPriceIV
	case TickerUnderlyingPrice:
		return &t.UnderlyingPrice
	case TickerDelta:
		return &t.Delta
	case TickerGamma:
		return &t.Gamma
	case TickerVega:
		return &t.Vega
	case TickerTheta:
		return &t.Theta
	}
	return nil
}
