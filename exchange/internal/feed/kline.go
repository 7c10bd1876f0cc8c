package feed

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// intervals are the candles that the venue has, by past.Interval. It is never written.
var intervals = [past.Intervals]bybit.Interval{
	bybit.Interval1m, bybit.Interval3m, bybit.Interval5m, bybit.Interval15m, bybit.Interval30m, bybit.Interval1h, bybit.Interval2h,
	bybit.Interval4h, bybit.Interval6h, bybit.Interval12h, bybit.Interval1d, bybit.Interval1w, bybit.Interval1M,
}

// candle is the state of one kline topic. The bars themselves are the store's, which REST reads as well.
type candle struct {
	topic    *Topic
	interval past.Interval
	start    int64 // of the bar that was pushed last; 0 before the first
	trades   int64 // how many it had
}

// addCandles makes an instrument's kline topics.
func (f *Feed) addCandles(m *market) {
	for i, interval := range intervals {
		topic := f.addTopic(m.ch, wire.KindKlines, bybit.Klines(interval, m.inst.Symbol), m.inst.ID)
		c := &candle{topic: topic, interval: past.Interval(i)}
		topic.bar = c
		m.candles = append(m.candles, c)
	}
}

func (c *candle) walk(w *state.Walker) {
	w.Int64(&c.start)
	w.Int64(&c.trades)
}

// pushKlines pushes, once a second (choice: the venue says 1 to 60 s), the candles that have changed, and those
// that have ended, with confirm. A candle in which nothing traded is pushed when it ends, like any other.
func (f *Feed) pushKlines() {
	turn := f.now/minute != f.klinesAt/minute // some candle has ended
	f.klinesAt = f.now
	if !turn {
		for id := range f.dirty[dirtyKline].drain() {
			for _, c := range f.markets[id].candles {
				f.pushKline(f.markets[id], c)
			}
		}
		return
	}
	f.dirty[dirtyKline].clear()
	for _, m := range f.markets {
		if m == nil {
			continue
		}
		for _, c := range m.candles {
			f.pushKline(m, c)
		}
	}
}

// pushKline pushes one candle if it has changed.
func (f *Feed) pushKline(m *market, c *candle) {
	bar, ok := f.bars.Current(m.inst.ID, past.Trade, c.interval)
	if !ok || bar.Start == c.start && bar.Trades == c.trades {
		return
	}
	wanted := f.sink.Wanted(c.topic)
	if c.start != 0 && bar.Start != c.start && wanted {
		if ended, ok := f.bars.Closed(m.inst.ID, past.Trade, c.interval); ok && ended.Start == c.start {
			f.fillKline(m, c, &ended, true)
			f.publish(c.topic, &f.klines, true)
		}
	}
	quiet := bar.Start != c.start && bar.Trades == 0 && c.start != 0
	c.start, c.trades = bar.Start, bar.Trades
	if wanted && !quiet {
		f.fillKline(m, c, &bar, false)
		f.publish(c.topic, &f.klines, true)
	}
}

// fillKline makes f.klines the message of one bar.
func (f *Feed) fillKline(m *market, c *candle, bar *past.Bar, ended bool) {
	in := m.inst
	end := c.interval.End(bar.Start)
	at := bar.Last
	if at == 0 {
		at = bar.Start
	}
	f.klines.Topic, f.klines.Time = c.topic.msg, clock(f.now)
	f.klines.Klines = append(f.klines.Klines[:0], bybit.Kline{
		Start: clock(bar.Start), End: clock(end - millisecond), Interval: intervals[c.interval],
		Open: trimmedPrice(in, bar.Open), Close: trimmedPrice(in, bar.Close),
		High: trimmedPrice(in, bar.High), Low: trimmedPrice(in, bar.Low),
		Volume: trimmedQty(in, bar.Volume), Turnover: trimmed(bar.Turnover.Value(in).Round(8, decimal.HalfEven)),
		Confirm: ended, Time: clock(at),
	})
}
