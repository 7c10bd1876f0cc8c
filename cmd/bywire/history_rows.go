package main

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/bywire/bywire/bybit"
)

// historyKind is one kind of rows that history fetches.
type historyKind struct {
	name, short string
	categories  []string
	intervals   []intervalName // the first is the default
	spans       bool           // the exchange has all of the past
	columns     []string       // behind category, symbol and, if there are intervals, interval

	// rows are those from q.from on and before q.to that come behind last, which is nil if
	// there are none before.
	rows func(ctx context.Context, c *bybit.Client, q *historyQuery, last *historyRow) iter.Seq2[historyRow, error]
}

// historyRow is one row: its time and its values, in the order of columns.
type historyRow struct {
	at     time.Time
	values []string
}

// intervalName is an interval as people write it, and as the venue does.
type intervalName struct{ name, venue string }

func (k *historyKind) intervalNames() []string {
	var names []string
	for _, i := range k.intervals {
		names = append(names, i.name)
	}
	return names
}

// interval returns how the venue writes an interval; "" if there is none.
func (k *historyKind) interval(name string) string {
	for _, i := range k.intervals {
		if name == i.name || name == i.venue {
			return i.venue
		}
	}
	return ""
}

// header are the names of all columns.
func (k *historyKind) header() []string {
	names := []string{"category", "symbol"}
	if len(k.intervals) > 0 {
		names = append(names, "interval")
	}
	return append(names, k.columns...)
}

// about are the values of the columns that all rows of a query share.
func (q *historyQuery) about() []string {
	values := []string{q.category, q.symbol}
	if q.interval != "" {
		values = append(values, q.interval)
	}
	return values
}

// until is the time of the last row there can be.
func (q *historyQuery) until() bybit.Opt[time.Time] {
	if q.to.IsZero() {
		return bybit.Opt[time.Time]{}
	}
	return bybit.Some(q.to.Add(-time.Millisecond))
}

// historyKinds are the kinds there are.
func historyKinds() []*historyKind {
	contracts := []string{bybit.Linear, bybit.Inverse}
	return []*historyKind{
		{
			name: "klines", short: "candles of trades, those that are closed", spans: true,
			categories: []string{bybit.Spot, bybit.Linear, bybit.Inverse},
			intervals: []intervalName{
				{"1m", "1"}, {"3m", "3"}, {"5m", "5"}, {"15m", "15"}, {"30m", "30"}, {"1h", "60"}, {"2h", "120"}, {"4h", "240"}, {"6h", "360"}, {"12h", "720"},
				{"1d", "D"}, {"1w", "W"}, {"1M", "M"},
			},
			columns: []string{"time", "open", "high", "low", "close", "volume", "turnover"},
			rows:    klineRows,
		}, {
			name: "funding", short: "funding rates that were paid", spans: true, categories: contracts,
			columns: []string{"time", "rate"},
			rows:    fundingRows,
		}, {
			name: "open-interest", short: "open interest over time", spans: true, categories: contracts,
			intervals: []intervalName{{"5m", "5min"}, {"15m", "15min"}, {"30m", "30min"}, {"1h", "1h"}, {"4h", "4h"}, {"1d", "1d"}},
			columns:   []string{"time", "openInterest"},
			rows:      openInterestRows,
		}, {
			name: "trades", short: "the last public trades", categories: []string{bybit.Spot, bybit.Linear, bybit.Inverse, bybit.Option},
			columns: []string{"id", "time", "side", "price", "size", "blockTrade", "rpiTrade", "seq"},
			rows:    tradeRows,
		},
	}
}

// historyRowsOf makes rows of what an iterator of the SDK yields.
func historyRowsOf[T any](seq iter.Seq2[T, error], row func(*T) historyRow) iter.Seq2[historyRow, error] {
	return func(yield func(historyRow, error) bool) {
		for v, err := range seq {
			if err != nil {
				yield(historyRow{}, err)
				return
			}
			if !yield(row(&v), nil) {
				return
			}
		}
	}
}

func klineRows(ctx context.Context, c *bybit.Client, q *historyQuery, _ *historyRow) iter.Seq2[historyRow, error] {
	p := &bybit.KlineParams{Category: bybit.Category(q.category), Symbol: q.symbol, Interval: bybit.Interval(q.interval), Start: bybit.Some(q.from), End: q.until()}
	return historyRowsOf(c.Market.AllKlines(ctx, p), func(k *bybit.Candle) historyRow {
		return historyRow{k.StartTime, []string{stamp(k.StartTime), k.OpenPrice.String(), k.HighPrice.String(), k.LowPrice.String(), k.ClosePrice.String(), k.Volume.String(), k.Turnover.String()}}
	})
}

func fundingRows(ctx context.Context, c *bybit.Client, q *historyQuery, _ *historyRow) iter.Seq2[historyRow, error] {
	p := &bybit.FundingHistoryParams{Category: bybit.Category(q.category), Symbol: q.symbol, StartTime: bybit.Some(q.from), EndTime: q.until()}
	return historyRowsOf(c.Market.AllFundingHistory(ctx, p), func(r *bybit.FundingRate) historyRow {
		return historyRow{r.Time, []string{stamp(r.Time), r.Rate.String()}}
	})
}

func openInterestRows(ctx context.Context, c *bybit.Client, q *historyQuery, _ *historyRow) iter.Seq2[historyRow, error] {
	p := &bybit.OpenInterestParams{Category: bybit.Category(q.category), Symbol: q.symbol, IntervalTime: bybit.Period(q.interval), StartTime: bybit.Some(q.from), EndTime: q.until()}
	return historyRowsOf(c.Market.AllOpenInterest(ctx, p), func(r *bybit.OpenInterestPoint) historyRow {
		return historyRow{r.Timestamp, []string{stamp(r.Timestamp), r.OpenInterest.String()}}
	})
}

// tradeRows are what the exchange still has of trades. What it has not comes last, as an
// error.
func tradeRows(ctx context.Context, c *bybit.Client, q *historyQuery, last *historyRow) iter.Seq2[historyRow, error] {
	return func(yield func(historyRow, error) bool) {
		var trades []historyRow
		behind := 0 // where those begin that come behind last
		for trade, err := range c.Market.AllTrades(ctx, &bybit.TradesParams{Category: bybit.Category(q.category), Symbol: bybit.Some(q.symbol)}) {
			if err != nil {
				yield(historyRow{}, err)
				return
			}
			trades = append(trades, historyRow{trade.Time, []string{
				trade.ExecID, stamp(trade.Time), string(trade.Side), trade.Price.String(), trade.Size.String(),
				strconv.FormatBool(trade.IsBlockTrade), strconv.FormatBool(trade.IsRPITrade), strconv.FormatInt(trade.Seq, 10),
			}})
			if last != nil && trade.ExecID == last.values[0] {
				behind = len(trades)
			}
		}
		var gap error
		switch {
		case len(trades) == 0:
		case last != nil && behind == 0:
			yield(historyRow{}, &historyGap{fmt.Sprintf("the exchange has trades from %s on, the file ends at %s: what was between is missing, and nothing was added; name another file", stamp(trades[0].at), stamp(last.at))})
			return
		case last == nil && !q.from.IsZero() && q.from.Before(trades[0].at):
			gap = &historyGap{fmt.Sprintf("the exchange has trades from %s on only; those before are missing", stamp(trades[0].at))}
		}
		for _, row := range trades[behind:] {
			if row.at.Before(q.from) || !q.to.IsZero() && !row.at.Before(q.to) {
				continue
			}
			if !yield(row, nil) {
				return
			}
		}
		if gap != nil {
			yield(historyRow{}, gap)
		}
	}
}
