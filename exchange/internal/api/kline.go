package api

import (
	"slices"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/past"
)

// candles is what the four kinds of candles are asked with.
type candles struct {
	category   bybit.Category
	symbol     string
	interval   bybit.Interval
	start, end bybit.Opt[time.Time]
	limit      bybit.Opt[int]

	series     past.Series
	categories []bybit.Category // that the endpoint takes; without one it is linear
}

// bars returns the candles that are asked for, newest first.
func (v *view) bars(p *candles) (*catalog.Instrument, []past.Bar, *Refusal) {
	category, refused := candleRules.inCategory(p.category, bybit.Linear, p.categories...)
	if refused != nil {
		return nil, nil, refused
	}
	in, refused := v.instrument(candleRules, category, p.symbol)
	if refused != nil {
		return nil, nil, refused
	}
	interval, ok := past.ParseInterval(string(p.interval))
	switch {
	case ok:
	case category == bybit.Spot:
		return nil, nil, refuse(wrongSpotInterval)
	default:
		return nil, nil, refuse(wrongInterval)
	}
	most := 1000
	if category == bybit.Option {
		most = 500
	}
	n, refused := inLimit(p.limit, 200, most)
	if refused != nil {
		return nil, nil, refused
	}
	s, refused := inSpan(p.start, p.end)
	if refused != nil {
		return nil, nil, refused
	}
	s.from, s.to = max(s.from, 0), min(s.to, v.now)
	if p.start.IsSet() && !p.end.IsSet() {
		// Seen in clients that walk forward: without an end the candles begin at the start.
		s.to = min(s.to, lastOf(interval, s.from, n))
	}
	list := v.Bars().Bars(nil, in.ID, p.series, interval, s.from, s.to, n)
	slices.Reverse(list)
	return in, list, nil
}

// lastOf is where the last of n candles begins whose first begins at or after a time.
func lastOf(i past.Interval, from int64, n int) int64 {
	at := i.Start(from)
	if at < from {
		at = i.End(at)
	}
	for range n - 1 {
		at = i.End(at)
	}
	return at
}

// kline answers kline.
func kline(v *view) (result, *Refusal) {
	var p bybit.KlineParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	in, list, refused := v.bars(&candles{
		p.Category, p.Symbol, p.Interval, p.Start, p.End, p.Limit,
		past.Trade, []bybit.Category{bybit.Spot, bybit.Linear, bybit.Inverse},
	})
	if refused != nil {
		return nil, refused
	}
	r := &bybit.KlineResult{Symbol: in.Symbol, Category: in.Category, List: make([]bybit.Candle, 0, len(list))}
	for i := range list {
		b := &list[i]
		r.List = append(r.List, bybit.Candle{
			StartTime: timeOf(b.Start), OpenPrice: trimmed(in.Price(b.Open)), HighPrice: trimmed(in.Price(b.High)),
			LowPrice: trimmed(in.Price(b.Low)), ClosePrice: trimmed(in.Price(b.Close)),
			Volume: trimmed(in.Qty(b.Volume)), Turnover: trimmed(b.Turnover.Value(in).Round(turnoverScale, decimal.HalfEven)),
		})
	}
	return r, nil
}

const (
	turnoverScale = 8 // digits after the point of a candle's turnover, at most
	premiumScale  = 6 // and of the premium index, always
)

// prices are candles of a price that is computed. Recorded mark prices have no trailing zeros, the documented index has, and
// the premium has six digits.
func prices(in *catalog.Instrument, s past.Series, list []past.Bar) []bybit.PriceCandle {
	price := func(v int64) decimal.Decimal {
		switch d := past.Shown(in, s, v); s {
		case past.Mark:
			return trimmed(d)
		case past.Premium:
			return d.Round(premiumScale, decimal.HalfEven) // it has eight
		default:
			return d
		}
	}
	candles := make([]bybit.PriceCandle, 0, len(list))
	for i := range list {
		b := &list[i]
		candles = append(candles, bybit.PriceCandle{
			StartTime: timeOf(b.Start), OpenPrice: price(b.Open), HighPrice: price(b.High), LowPrice: price(b.Low), ClosePrice: price(b.Close),
		})
	}
	return candles
}

// markPriceKline answers mark-price-kline.
func markPriceKline(v *view) (result, *Refusal) {
	var p bybit.MarkPriceKlineParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	in, list, refused := v.bars(&candles{
		p.Category, p.Symbol, p.Interval, p.Start, p.End, p.Limit,
		past.Mark, []bybit.Category{bybit.Linear, bybit.Inverse, bybit.Option},
	})
	if refused != nil {
		return nil, refused
	}
	return &bybit.MarkPriceKlineResult{Symbol: in.Symbol, Category: in.Category, List: prices(in, past.Mark, list)}, nil
}

// indexPriceKline answers index-price-kline.
func indexPriceKline(v *view) (result, *Refusal) {
	var p bybit.IndexPriceKlineParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	in, list, refused := v.bars(&candles{
		p.Category, p.Symbol, p.Interval, p.Start, p.End, p.Limit,
		past.Index, []bybit.Category{bybit.Linear, bybit.Inverse},
	})
	if refused != nil {
		return nil, refused
	}
	return &bybit.IndexPriceKlineResult{Symbol: in.Symbol, Category: in.Category, List: prices(in, past.Index, list)}, nil
}

// premiumIndexKline answers premium-index-price-kline, of perpetuals only: a dated contract is refused like an unknown
// symbol (choice).
func premiumIndexKline(v *view) (result, *Refusal) {
	var p bybit.PremiumIndexKlineParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	in, list, refused := v.bars(&candles{
		p.Category, p.Symbol, p.Interval, p.Start, p.End, p.Limit,
		past.Premium, []bybit.Category{bybit.Linear},
	})
	switch {
	case refused != nil:
		return nil, refused
	case in.Kind != catalog.Perpetual:
		return nil, refuse(wrongSymbol)
	}
	return &bybit.PremiumIndexKlineResult{Symbol: in.Symbol, Category: in.Category, List: prices(in, past.Premium, list)}, nil
}
