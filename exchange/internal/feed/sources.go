package feed

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/price"
)

// Board is what the feed reads of the board of computed prices, *price.Board.
type Board interface {
	Now() int64 // of the last update
	Mark(id catalog.ID) fixed.F
	IndexOf(id catalog.ID) fixed.F
	Index(base, quote string) (fixed.F, bool)
	Funding(id catalog.ID) (rate fixed.F, next int64)
	Predicted(id catalog.ID) (fixed.F, bool)
	Basis(id catalog.ID) (price.Basis, bool)
	Option(id catalog.ID) (price.OptionMark, bool)
	ImpliedVol(id catalog.ID, ticks int64) fixed.F
	Limits(id catalog.ID) (price.Limits, bool)
}

var _ Board = (*price.Board)(nil)

// Bars keeps the candles of what is traded now, and knows those of before the start: *past.Store.
type Bars interface {
	Trade(at int64, id catalog.ID, ticks, lots int64)
	Interest(at int64, id catalog.ID, lots int64)
	Current(id catalog.ID, of past.Series, i past.Interval) (past.Bar, bool)
	Closed(id catalog.ID, of past.Series, i past.Interval) (past.Bar, bool)
	Day(id catalog.ID) past.Day
}

var _ Bars = (*past.Store)(nil)
