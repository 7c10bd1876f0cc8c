package bybit

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"
)

// AllKlines yields the candles of [MarketService.Kline] that are closed, oldest first: those
// that start in the span from Start to End, both included. Start is required; without End, or
// if it lies ahead, the last one is the newest that is closed when the iterator gets there. Closed is
// what ended 2 seconds ago or more, by the exchange's clock: until then its last trades may be
// missing.
//
// Each candle comes once, and none is missing that the exchange has. How far back that is it
// does not say, nor does it bound spans: they may be of any length. About one page is in memory.
// Limit is the length of a page, 1000 by default. An error comes once, last; to go on, ask again
// from the end of the last candle.
//
// V5 page: [market/kline].
//
// [market/kline]: https://bybit-exchange.github.io/docs/v5/market/kline
func (s *MarketService) AllKlines(ctx context.Context, p *KlineParams) iter.Seq2[Candle, error] {
	params := deref(p)
	limit := pageLength(&params.Limit, 1000)
	return candles(ctx, "market.AllKlines", params.Interval, params.Start, params.End, limit,
		func(c *Candle) time.Time { return c.StartTime },
		func(ctx context.Context, from, to time.Time) ([]Candle, time.Time, error) {
			page := params
			page.Start, page.End = Some(from), Some(to)
			r, now, err := historyPage[KlineResult](ctx, s.c, "/v5/market/kline", &page)
			return r.List, now, err
		})
}

// AllMarkPriceKlines is [MarketService.AllKlines] of the mark price. Limit is at most 500
// on option.
//
// V5 page: [market/mark-kline].
//
// [market/mark-kline]: https://bybit-exchange.github.io/docs/v5/market/mark-kline
func (s *MarketService) AllMarkPriceKlines(ctx context.Context, p *MarkPriceKlineParams) iter.Seq2[PriceCandle, error] {
	params := deref(p)
	most := 1000
	if params.Category == Option {
		most = 500
	}
	limit := pageLength(&params.Limit, most)
	return candles(ctx, "market.AllMarkPriceKlines", params.Interval, params.Start, params.End, limit,
		func(c *PriceCandle) time.Time { return c.StartTime },
		func(ctx context.Context, from, to time.Time) ([]PriceCandle, time.Time, error) {
			page := params
			page.Start, page.End = Some(from), Some(to)
			r, now, err := historyPage[MarkPriceKlineResult](ctx, s.c, "/v5/market/mark-price-kline", &page)
			return r.List, now, err
		})
}

// AllIndexPriceKlines is [MarketService.AllKlines] of the index price.
//
// V5 page: [market/index-kline].
//
// [market/index-kline]: https://bybit-exchange.github.io/docs/v5/market/index-kline
func (s *MarketService) AllIndexPriceKlines(ctx context.Context, p *IndexPriceKlineParams) iter.Seq2[PriceCandle, error] {
	params := deref(p)
	limit := pageLength(&params.Limit, 1000)
	return candles(ctx, "market.AllIndexPriceKlines", params.Interval, params.Start, params.End, limit,
		func(c *PriceCandle) time.Time { return c.StartTime },
		func(ctx context.Context, from, to time.Time) ([]PriceCandle, time.Time, error) {
			page := params
			page.Start, page.End = Some(from), Some(to)
			r, now, err := historyPage[IndexPriceKlineResult](ctx, s.c, "/v5/market/index-price-kline", &page)
			return r.List, now, err
		})
}

// AllPremiumIndexKlines is [MarketService.AllKlines] of the premium index.
//
// V5 page: [market/premium-index-kline].
//
// [market/premium-index-kline]: https://bybit-exchange.github.io/docs/v5/market/premium-index-kline
func (s *MarketService) AllPremiumIndexKlines(ctx context.Context, p *PremiumIndexKlineParams) iter.Seq2[PriceCandle, error] {
	params := deref(p)
	limit := pageLength(&params.Limit, 1000)
	return candles(ctx, "market.AllPremiumIndexKlines", params.Interval, params.Start, params.End, limit,
		func(c *PriceCandle) time.Time { return c.StartTime },
		func(ctx context.Context, from, to time.Time) ([]PriceCandle, time.Time, error) {
			page := params
			page.Start, page.End = Some(from), Some(to)
			r, now, err := historyPage[PremiumIndexKlineResult](ctx, s.c, "/v5/market/premium-index-price-kline", &page)
			return r.List, now, err
		})
}

// candles walks over an endpoint of candles.
func candles[T any](ctx context.Context, op string, interval Interval, start, end Opt[time.Time], limit int, at func(*T) time.Time,
	get func(ctx context.Context, from, to time.Time) ([]T, time.Time, error)) iter.Seq2[T, error] {
	from := start.Or(time.Time{})
	first, known := interval.floor(from)
	if !known {
		return onlyError[T](fmt.Errorf("%s: the interval %q has no length that is known", op, string(interval)))
	}
	w := &walk[T]{
		op: op, from: from, to: end.Or(time.Time{}), limit: limit, at: at, get: get,
		length: time.Duration(limit-1) * interval.after(first).Sub(first),
		next: func(t time.Time) time.Time {
			start, _ := interval.floor(t)
			return interval.after(start)
		},
		closed: func(row *T, now time.Time) bool { return !interval.after(at(row)).Add(klineSettle).After(now) },
	}
	return w.rows(ctx)
}

// AllFundingHistory yields the funding rates of [MarketService.FundingHistory], oldest first:
// those of the span from StartTime to EndTime, both included. StartTime is required;
// without EndTime the last one is the newest there is. Each comes once and none is missing,
// however long the span and the funding interval, which may have changed within it. How far back the
// rates go the exchange does not say. Limit is the length of a page, 200 by default. An error comes
// once, last.
//
// V5 page: [market/history-fund-rate].
//
// [market/history-fund-rate]: https://bybit-exchange.github.io/docs/v5/market/history-fund-rate
func (s *MarketService) AllFundingHistory(ctx context.Context, p *FundingHistoryParams) iter.Seq2[FundingRate, error] {
	params := deref(p)
	limit := pageLength(&params.Limit, 200)
	w := &walk[FundingRate]{
		op: "market.AllFundingHistory", from: params.StartTime.Or(time.Time{}), to: params.EndTime.Or(time.Time{}), limit: limit,
		length: time.Duration(limit) * 8 * time.Hour, // the usual interval
		at:     func(r *FundingRate) time.Time { return r.Time },
		get: func(ctx context.Context, from, to time.Time) ([]FundingRate, time.Time, error) {
			page := params
			page.StartTime, page.EndTime = Some(from), Some(to)
			r, now, err := historyPage[FundingHistoryResult](ctx, s.c, "/v5/market/funding/history", &page)
			return r.List, now, err
		},
	}
	return w.rows(ctx)
}

// AllOpenInterest yields the values of [MarketService.OpenInterest], oldest first: those of
// the span from StartTime to EndTime, both included. StartTime is required; without EndTime
// the last one is the newest there is. Each comes once and none is missing back to the
// symbol's launch. When markets are wild the newest may come late. Limit is the length of a page,
// 200 by default; Cursor is not used. An error comes once, last.
//
// V5 page: [market/open-interest].
//
// [market/open-interest]: https://bybit-exchange.github.io/docs/v5/market/open-interest
func (s *MarketService) AllOpenInterest(ctx context.Context, p *OpenInterestParams) iter.Seq2[OpenInterestPoint, error] {
	params := deref(p)
	params.Cursor = Opt[string]{}
	limit := pageLength(&params.Limit, 200)
	apart, known := params.IntervalTime.length()
	if !known {
		apart = 5 * time.Minute // the walk finds out
	}
	w := &walk[OpenInterestPoint]{
		op: "market.AllOpenInterest", from: params.StartTime.Or(time.Time{}), to: params.EndTime.Or(time.Time{}), limit: limit,
		length: time.Duration(limit-1) * apart,
		at:     func(r *OpenInterestPoint) time.Time { return r.Timestamp },
		get: func(ctx context.Context, from, to time.Time) ([]OpenInterestPoint, time.Time, error) {
			page := params
			page.StartTime, page.EndTime = Some(from), Some(to)
			r, now, err := historyPage[OpenInterestResult](ctx, s.c, "/v5/market/open-interest", &page)
			return r.List, now, err
		},
	}
	return w.rows(ctx)
}

// AllTrades yields what the exchange still has of public trades, oldest first: the last
// 1000 of a symbol, the last 60 on spot, fewer if Limit says so. There are no older ones over REST:
// the exchange offers those as files. An error comes once, last.
//
// V5 page: [market/recent-trade].
//
// [market/recent-trade]: https://bybit-exchange.github.io/docs/v5/market/recent-trade
func (s *MarketService) AllTrades(ctx context.Context, p *TradesParams) iter.Seq2[PublicTrade, error] {
	return func(yield func(PublicTrade, error) bool) {
		params := deref(p)
		most := 1000
		if params.Category == Spot {
			most = 60
		}
		pageLength(&params.Limit, most)
		r, err := s.Trades(ctx, &params)
		if err != nil {
			yield(PublicTrade{}, err)
			return
		}
		for _, trade := range slices.Backward(r.List) {
			if !yield(trade, nil) {
				return
			}
		}
	}
}

// pageLength sets the limit to what is sent: the most there can be, unless less is asked
// for.
func pageLength(limit *Opt[int], most int) int {
	n := min(limit.Or(most), most)
	if n < 1 {
		n = most
	}
	limit.Set(n)
	return n
}

// deref returns a copy of the params that may be changed; empty ones for nil.
func deref[P any](p *P) P {
	var params P
	if p != nil {
		params = *p
	}
	return params
}

// onlyError yields nothing but an error.
func onlyError[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}
