package feed

import (
	"math/bits"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/internal/wire"
)

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

// change is (now-then)/then with at most scale digits, without trailing zeros: what price24hPcnt and change24h
// show. Recorded frames round in different ways: linear and inverse cut off (0.1583158 is 0.158315), spot takes the
// nearest (0.019553 is 0.0196), option goes down (-1/3 is -0.33333334).
func change(now, then int64, scale int, how decimal.Rounding) decimal.Decimal {
	d, err := decimal.FromInt(now-then).Quo(decimal.FromInt(then), scale, how)
	if err != nil {
		return noSize // there was no price
	}
	return trimmed(d)
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

// padTo is a number with exactly scale digits after the point.
func padTo(d decimal.Decimal, scale int) decimal.Decimal {
	v, err := d.Quo(decimal.FromInt(1), scale, decimal.HalfEven)
	if err != nil {
		return d
	}
	return v
}

// amount is the value of one trade, as past.Amount counts it; 0 on inverse and of spreads, where nobody asks.
func amount(ticks, lots int64) past.Amount {
	if ticks <= 0 || lots <= 0 {
		return past.Amount{}
	}
	hi, lo := bits.Mul64(uint64(ticks), uint64(lots))
	return past.Amount{Hi: hi, Lo: lo}
}

// sum returns the sum of two amounts.
func sum(a, b past.Amount) past.Amount {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(a.Hi, b.Hi, carry)
	return past.Amount{Hi: hi, Lo: lo}
}

// worth is what lots are worth at a mark price, to two digits: openInterestValue.
func (m *market) worth(lots, mark int64) decimal.Decimal {
	qty, price := m.inst.Qty(lots), fixed.F(mark).Decimal(8)
	var v decimal.Decimal
	var err error
	if m.ch == wire.Inverse {
		v, err = qty.Quo(price, 2, decimal.HalfEven)
	} else if v, err = qty.Mul(price); err == nil {
		v = padTo(v, 2)
	}
	if err != nil {
		return noSize
	}
	return v
}
