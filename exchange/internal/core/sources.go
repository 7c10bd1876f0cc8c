package core

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/price"
)

// inputs is what the board of prices reads.
type inputs struct{ c *Core }

// Index implements price.Inputs.
func (i inputs) Index(coin string) fixed.F {
	return i.c.flow.Index(coin)
}

// Vol implements price.Inputs.
func (i inputs) Vol(coin string) fixed.F { return i.c.flow.Vol(coin) }

// impactLevels is how many levels an impact price looks at: the value it is about lies within a fraction of them.
const impactLevels = 200

// Quote implements price.Inputs.
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
