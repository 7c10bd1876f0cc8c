package core

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/price"
)

// inputs is what the board of prices reads.
type inputs struct{ c *Core }

func (i inputs) Index(coin string) fixed.F {
	return i.c.flow.Index(coin)
}

func (i inputs) Vol(coin string) fixed.F { return i.c.flow.Vol(coin) }

// impactLevels is how many levels an impact price looks at: the value it is about lies within a fraction of them.
const impactLevels = 200

func (i inputs) Quote(in *catalog.Instrument) price.Quote {
	b := i.c.books.Book(in.ID)
	var q price.Quote
	q.Bid, _, _ = b.Best(engine.Buy)
	q.Ask, _, _ = b.Best(engine.Sell)
	q.Last = i.c.feed.LastPrice(in.ID)
	if in.Kind != catalog.Spot {
		q.ImpactBid = i.impact(in, b, engine.Buy)
		q.ImpactAsk = i.impact(in, b, engine.Sell)
	}
	return q
}

func (i inputs) impact(in *catalog.Instrument, b *engine.Book, s engine.Side) int64 {
	i.c.levels = b.Levels(i.c.levels[:0], s, impactLevels, false)
	ticks, _ := price.Impact(in, i.c.levels)
	return ticks
}

// bars are the candles as the feed reads them.
type bars struct{ *past.Store }

func (b bars) Current(id catalog.ID, interval bybit.Interval) (feed.Bar, bool) {
	i, ok := past.ParseInterval(interval)
	if !ok {
		return feed.Bar{}, false
	}
	bar, ok := b.Store.Current(id, past.Trade, i)
	return shown(&bar), ok
}

func (b bars) Closed(id catalog.ID, interval bybit.Interval) (feed.Bar, bool) {
	i, ok := past.ParseInterval(interval)
	if !ok {
		return feed.Bar{}, false
	}
	bar, ok := b.Store.Closed(id, past.Trade, i)
	return shown(&bar), ok
}

func (b bars) Day(id catalog.ID) feed.Day {
	d := b.Store.Day(id)
	return feed.Day{
		Last: d.Last, Open: d.Open, Hour: d.Hour, High: d.High, Low: d.Low, Volume: d.Volume, Turnover: feed.Amount(d.Turnover),
	}
}

func shown(b *past.Bar) feed.Bar {
	return feed.Bar{
		Start: b.Start, Open: b.Open, High: b.High, Low: b.Low, Close: b.Close, Volume: b.Volume,
		Turnover: feed.Amount(b.Turnover), Trades: b.Trades, Last: b.Last,
	}
}
