package past

import (
	"math/bits"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// Series says what bars are of.
type Series uint8

// The series, and the units of their prices.
const (
	Trade    Series = iota // trades, in ticks
	Mark                   // mark price, in units of 10^-MarkScale
	Index                  // index price, in units of 10^-MarkScale
	Premium                // premium index, in units of 10^-8
	Interest               // open interest of one side, in lots
	seriesCount
)

// premiumScale is how many digits after the point a premium has.
const premiumScale = 8

// Bar is what a price did in an interval. It opens with the close of the bar before it, as candles of the venue do.
type Bar struct {
	Start                  int64 // when the interval began
	Open, High, Low, Close int64 // in units of the series
	Volume                 int64 // lots that traded
	Turnover               Amount
	Trades                 int64 // how many trades; 0 in series without
	Last                   int64 // time of the last trade; known of bars that are open or have just closed
}

// flat is a bar in which nothing happens.
func flat(start, price int64) Bar {
	return Bar{Start: start, Open: price, High: price, Low: price, Close: price}
}

// add puts a later bar behind b.
func (b *Bar) add(later *Bar) {
	b.High, b.Low = max(b.High, later.High), min(b.Low, later.Low)
	b.Close = later.Close
	b.Volume += later.Volume
	b.Turnover.add(later.Turnover)
	b.Trades += later.Trades
	b.Last = max(b.Last, later.Last)
}

func (b *Bar) walk(w *state.Walker) {
	w.Int64(&b.Start)
	w.Int64(&b.Open)
	w.Int64(&b.High)
	w.Int64(&b.Low)
	w.Int64(&b.Close)
	w.Int64(&b.Volume)
	w.Uint64(&b.Turnover.Hi)
	w.Uint64(&b.Turnover.Lo)
	w.Int64(&b.Trades)
	w.Int64(&b.Last)
}

// Amount is a sum of values of trades, which is exact: a number of 128 bits that counts ticks times lots, and on inverse
// 10^-8 of the base coin, to which each trade is rounded. Spreads, whose prices can be negative, have none.
type Amount struct{ Hi, Lo uint64 }

func (a *Amount) add(b Amount) {
	var carry uint64
	a.Lo, carry = bits.Add64(a.Lo, b.Lo, 0)
	a.Hi, _ = bits.Add64(a.Hi, b.Hi, carry)
}

// worth returns the value of lots at a price.
func worth(in *catalog.Instrument, ticks, lots int64) Amount {
	switch {
	case ticks <= 0 || lots <= 0 || in.Kind == catalog.Spread:
		return Amount{}
	case in.Inverse:
		units, ok := in.Value(ticks, lots).Units(8)
		if !ok || units < 0 {
			return Amount{}
		}
		return Amount{Lo: uint64(units)}
	}
	hi, lo := bits.Mul64(uint64(ticks), uint64(lots))
	return Amount{hi, lo}
}

// Value returns the amount in the quote coin of in, on inverse in its base coin; absent if it has more than 28 digits.
func (a Amount) Value(in *catalog.Instrument) decimal.Decimal {
	unit := decimal.New(1, 8)
	if !in.Inverse {
		unit = in.Value(1, 1)
	}
	const part = 1e18
	if a.Hi >= part {
		return decimal.Decimal{}
	}
	q, rest := bits.Div64(a.Hi, a.Lo, part)
	if q >= 1<<63 {
		return decimal.Decimal{}
	}
	count := decimal.FromInt(int64(rest))
	if q > 0 {
		high, err := decimal.FromInt(int64(q)).Mul(decimal.FromInt(part))
		if err == nil {
			count, err = high.Add(count)
		}
		if err != nil {
			return decimal.Decimal{}
		}
	}
	v, err := count.Mul(unit)
	if err != nil {
		return decimal.Decimal{}
	}
	return v
}

// Shown returns a price of a series as a decimal: the instrument's price of a number of ticks, the quantity of a number of
// lots, or a number of the digits that the series has.
func Shown(in *catalog.Instrument, s Series, v int64) decimal.Decimal {
	switch s {
	case Trade:
		return in.Price(v)
	case Interest:
		return in.Qty(v)
	case Premium:
		return decimal.New(v, premiumScale)
	}
	return decimal.New(v, in.MarkScale)
}

// counted returns a number in the units of a series.
func counted(in *catalog.Instrument, s Series, v fixed.F) int64 {
	switch s {
	case Trade:
		return in.TicksOf(v)
	case Interest:
		return in.LotsOf(v)
	case Premium:
		return fixed.MulDivRound(int64(v), 1e8, int64(fixed.One))
	}
	return fixed.MulDivRound(int64(v), fixed.Pow10(in.MarkScale), int64(fixed.One))
}
