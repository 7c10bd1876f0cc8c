package feed

import (
	"math/bits"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
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

// Amount is a sum of values of trades: ticks times lots, or on inverse 10^-8 base coin, as an unsigned number of 128 bits.
// Spreads, whose prices may be negative, have none.
type Amount struct{ Hi, Lo uint64 }

// Bar is one candle.
type Bar struct {
	Start                  int64
	Open, High, Low, Close int64 // in ticks
	Volume                 int64 // in lots
	Turnover               Amount
	Trades                 int64
	Last                   int64 // time of the last trade; 0: none
}

// Day is what tickers show of the last 24 hours.
type Day struct {
	Last, Open, Hour, High, Low int64 // in ticks; Open and Hour are the prices 24 h and 1 h ago
	Volume                      int64
	Turnover                    Amount
}

// Bars keeps the candles of what is traded now, and knows those of before the start.
type Bars interface {
	// Trade takes one trade.
	Trade(at int64, id catalog.ID, ticks, lots int64)
	// Interest takes the lots that are open on one side of a contract.
	Interest(at int64, id catalog.ID, lots int64)
	// Current returns the candle that is open. False: nothing has traded yet.
	Current(id catalog.ID, interval bybit.Interval) (Bar, bool)
	// Closed returns the candle that ended last.
	Closed(id catalog.ID, interval bybit.Interval) (Bar, bool)
	// Day returns the figures of the last 24 hours.
	Day(id catalog.ID) Day
}

// add returns the sum of two amounts.
func (a Amount) add(b Amount) Amount {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(a.Hi, b.Hi, carry)
	return Amount{hi, lo}
}

// decimal is the number that an amount of units at a scale makes; absent if it has more than 28 digits.
func (a Amount) decimal(scale int) decimal.Decimal {
	const base = 1e18
	if a.Hi == 0 && a.Lo < 1<<63 {
		return decimal.New(int64(a.Lo), scale)
	}
	if a.Hi >= base {
		return absent
	}
	q, r := bits.Div64(a.Hi, a.Lo, base)
	if q >= 1<<63 {
		return absent
	}
	high, err := decimal.FromInt(int64(q)).Mul(decimal.FromInt(base))
	if err != nil {
		return absent
	}
	sum, err := high.Add(decimal.FromInt(int64(r)))
	if err != nil {
		return absent
	}
	// Exact: a power of ten moves the point.
	v, err := sum.Mul(decimal.New(1, scale))
	if err != nil {
		return absent
	}
	return v
}
