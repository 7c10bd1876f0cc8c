package feed

import (
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/internal/wire"
)

// absent is a number that is not there.
var absent decimal.Decimal

// number is a fixed-point number with at most scale digits after the point, without trailing zeros.
func number(raw int64, scale int) decimal.Decimal {
	d := padded(raw, scale)
	if units, ok := d.Units(scale); ok {
		return catalog.Trimmed(units, scale)
	}
	return d
}

// padded is a fixed-point number with exactly scale digits after the point.
func padded(raw int64, scale int) decimal.Decimal { return fixed.F(raw).Decimal(scale) }

// wholeNumber is a count.
func wholeNumber(n int64) decimal.Decimal { return decimal.FromInt(n) }

// change is (now-then)/then, rounded down to scale digits, without trailing zeros: what price24hPcnt and change24h show.
// Recorded frames show -1/3 as -0.33333334.
func change(now, then int64, scale int) decimal.Decimal {
	if then == 0 {
		return noSize
	}
	pow := int64(1)
	for range scale {
		pow *= 10
	}
	if then < 0 { // a spread's price
		now, then = -now, -then
	}
	return catalog.Trimmed(fixed.MulDiv(now-then, pow, then), scale)
}

// basisRates are what a future's mark price is above the index, as a part of the index, and that for a year. Choice: recorded
// frames fit the mark price better than the last one.
func basisRates(mark, index, left int64) (rate, year decimal.Decimal) {
	const scale, units = 8, 100_000_000
	if index <= 0 {
		return noSize, noSize
	}
	r := fixed.MulDivRound(mark-index, units, index)
	rate, year = decimal.New(r, scale), noSize
	if left > 0 {
		year = decimal.New(fixed.MulDivRound(r, 365*day/millisecond, left/millisecond), scale)
	}
	return rate, year
}

// trimmedQty is a quantity without trailing zeros, which most topics of linear and inverse keep.
func trimmedQty(in *catalog.Instrument, lots int64) decimal.Decimal { return trimmed(in.Qty(lots)) }

// trimmedPrice is a price without trailing zeros.
func trimmedPrice(in *catalog.Instrument, ticks int64) decimal.Decimal {
	return trimmed(in.Price(ticks))
}

// trimmed is a number without trailing zeros.
func trimmed(d decimal.Decimal) decimal.Decimal {
	if units, ok := d.Units(d.Scale()); ok && d.IsSet() {
		return catalog.Trimmed(units, d.Scale())
	}
	return d
}

// volume is the volume of a ticker on linear and inverse, which has four digits after the point whatever the lot is.
func volume(in *catalog.Instrument, lots int64) decimal.Decimal {
	d := in.Qty(lots)
	if units, ok := d.Units(4); ok {
		return decimal.New(units, 4)
	}
	return d
}

// valueScale is the scale in which an instrument's amounts are counted.
func valueScale(in *catalog.Instrument) int {
	if in.Inverse {
		return coinScale
	}
	return in.PriceScale + in.LotScale
}

// turnover is an amount rounded to scale digits after the point, with or without its trailing zeros.
func turnover(in *catalog.Instrument, a Amount, scale int, trim bool) decimal.Decimal {
	d := a.decimal(valueScale(in))
	if trim {
		return trimmed(d.Round(scale, decimal.HalfEven))
	}
	if v, err := d.Quo(decimal.FromInt(1), scale, decimal.HalfEven); err == nil {
		return v
	}
	return d
}

// worth is what lots are worth at a mark price, to two digits: openInterestValue.
func (m *market) worth(lots, mark int64) decimal.Decimal {
	qty, price := m.inst.Qty(lots), fixed.F(mark).Decimal(8)
	var v decimal.Decimal
	var err error
	if m.ch == wire.Inverse {
		v, err = qty.Quo(price, 2, decimal.HalfEven)
	} else if v, err = qty.Mul(price); err == nil {
		v, err = v.Quo(decimal.FromInt(1), 2, decimal.HalfEven)
	}
	if err != nil {
		return noSize
	}
	return v
}
