package feed

import (
	"math/bits"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Quote is what the price board says of an instrument at the moment. What an instrument does not have is 0.
type Quote struct {
	Mark, Index  fixed.F // in the quote coin
	Funding      fixed.F // the current estimate of the next rate
	NextFunding  int64
	Predicted    fixed.F // delivery price, in the 30 minutes before the delivery
	Underlying   fixed.F // option
	MarkIV       fixed.F
	Delta, Gamma fixed.F
	Vega, Theta  fixed.F
	Sell, Buy    int64   // price limits in ticks: lowest sell, highest buy
	Limited      bool    // there are price limits
	USD          fixed.F // index price of the base coin in US dollars
}

// Board is the board of computed prices.
type Board interface {
	Quote(id catalog.ID) Quote
}

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
