package catalog

import (
	"math"
	"math/bits"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// ID is the number of an instrument: its index in the catalogue.
type ID int32

// None is no instrument.
const None ID = -1

// Kind says what an instrument is.
type Kind uint8

// The kinds of instruments.
const (
	Spot Kind = iota + 1
	Perpetual
	Future // with a delivery date
	Option
	Spread // two legs at the difference of their prices
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case Spot:
		return "spot"
	case Perpetual:
		return "perpetual"
	case Future:
		return "future"
	case Option:
		return "option"
	case Spread:
		return "spread"
	}
	return "no kind"
}

// Instrument is what can be traded, and its rules. Nothing in it changes after it was listed but Info.Status and
// Spread.Status, when it is delivered.
type Instrument struct {
	ID       ID
	Kind     Kind
	Category bybit.Category // spot, linear, inverse, option or spread
	Symbol   string
	Base     string
	Quote    string // coin in which prices are; USD on inverse
	Settle   string // coin in which profit and loss are paid; Quote on spot
	Inverse  bool   // contracts of one US dollar, settled in the base coin

	Info   bybit.Instrument        // as instruments-info shows it; empty for a spread
	Spread *bybit.SpreadInstrument // as /v5/spread/instrument shows it; nil unless it is a spread
	Legs   [2]ID                   // of a spread: its price is the first's less the second's

	Tiers []bybit.RiskLimitTier // risk limits, lowest first; perpetuals and futures
	Fees  Fees

	Listed, Delivery int64   // times in ns; Delivery is 0 if it never is delivered
	Strike           fixed.F // of an option, in Quote
	Call             bool    // of an option

	Tick, Lot            decimal.Decimal // price and quantity of one unit
	PriceScale, LotScale int             // digits after the point of Tick and of Lot
	MarkScale            int             // digits after the point that mark and index prices are shown with

	MinPrice, MaxPrice  int64 // prices that an order can have, in ticks
	MinQty              int64 // smallest order, in lots
	MaxQty              int64 // largest limit order, in lots
	MaxMarketQty        int64 // largest market order, in lots
	MaxPostOnlyQty      int64 // largest post-only order, in lots
	MinNotional         int64 // smallest value of an order, in ticks times lots; 0 is none, as on inverse
	LimitX, LimitY      fixed.F
	FundingEvery        int64   // ns between two fundings; 0 without funding
	FundingCap          fixed.F // highest funding rate
	FundingFloor        fixed.F // lowest funding rate, negative
	ImpactValue         int64   // value whose execution the impact prices take, in Quote (USD)
	Turnover            int64   // US dollars that usually change hands in a day
	OpenValue           int64   // US dollars that are usually open, one side; 0 on spot and spreads
	tickUnits, lotUnits int64   // Tick and Lot as whole numbers of their scale
	trim                bool    // numbers lose their trailing zeros on the wire
}

// Price returns the price of a number of ticks as the wire shows it. Linear and inverse keep all digits of the tick
// (78879.00); spot, option and spread drop trailing zeros (78715), as recorded frames show.
func (in *Instrument) Price(ticks int64) decimal.Decimal {
	return in.shown(ticks, in.tickUnits, in.PriceScale)
}

// Qty returns the quantity of a number of lots as the wire shows it, trimmed as Price.
func (in *Instrument) Qty(lots int64) decimal.Decimal {
	return in.shown(lots, in.lotUnits, in.LotScale)
}

func (in *Instrument) shown(n, units int64, scale int) decimal.Decimal {
	if high, low := bits.Mul64(magnitude(n), uint64(units)); high != 0 || low > math.MaxInt64 {
		d := product(n, units, scale)
		for in.trim && d.Scale() > 0 && d.Round(d.Scale()-1, decimal.ToZero).Equal(d) {
			d = d.Round(d.Scale()-1, decimal.ToZero)
		}
		return d
	}
	if in.trim {
		return Trimmed(n*units, scale)
	}
	return decimal.New(n*units, scale)
}

// product returns n times units / 10^scale, however large: it has at most 28 digits.
func product(n, units int64, scale int) decimal.Decimal {
	d, err := decimal.FromInt(n).Mul(decimal.New(units, scale))
	if err != nil {
		return decimal.Decimal{} // units are at most 2^30: it fits
	}
	return d
}

// magnitude is the absolute value, of the smallest number too.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Trimmed returns units / 10^scale without trailing zeros after the point.
func Trimmed(units int64, scale int) decimal.Decimal {
	for scale > 0 && units%10 == 0 {
		units /= 10
		scale--
	}
	return decimal.New(units, scale)
}

// Ticks returns a price as a number of ticks, and whether it is a multiple of the tick within the instrument's range.
func (in *Instrument) Ticks(price decimal.Decimal) (int64, bool) {
	ticks, ok := units(price, in.PriceScale, in.tickUnits)
	return ticks, ok && ticks >= in.MinPrice && ticks <= in.MaxPrice
}

// Lots returns a quantity as a number of lots, and whether it is a positive multiple of the lot. Whether an order may be
// that small or large is MinQty's and MaxQty's question.
func (in *Instrument) Lots(qty decimal.Decimal) (int64, bool) {
	lots, ok := units(qty, in.LotScale, in.lotUnits)
	return lots, ok && lots > 0
}

// units returns d as a multiple of step / 10^scale.
func units(d decimal.Decimal, scale int, step int64) (int64, bool) {
	u, ok := d.Units(scale)
	if !ok || !d.IsSet() || u%step != 0 {
		return 0, false
	}
	return u / step, true
}

// TicksOf returns the price nearest to p, of two the one further from zero. It may lie outside MinPrice and MaxPrice.
func (in *Instrument) TicksOf(p fixed.F) int64 {
	return fixed.MulDivRound(int64(p), fixed.Pow10(in.PriceScale), in.tickUnits*int64(fixed.One))
}

// PriceOf returns the price of a number of ticks.
func (in *Instrument) PriceOf(ticks int64) fixed.F {
	return fixed.F(fixed.MulDivRound(ticks, in.tickUnits*int64(fixed.One), fixed.Pow10(in.PriceScale)))
}

// LotsOf returns the whole lots in a quantity, at least 0.
func (in *Instrument) LotsOf(qty fixed.F) int64 {
	return max(0, fixed.MulDiv(int64(qty), fixed.Pow10(in.LotScale), in.lotUnits*int64(fixed.One)))
}

// QtyOf returns the quantity of a number of lots, saturating at the largest F (2^31).
func (in *Instrument) QtyOf(lots int64) fixed.F {
	return fixed.F(fixed.MulDivRound(lots, in.lotUnits*int64(fixed.One), fixed.Pow10(in.LotScale)))
}

// valueScale is how many digits after the point the value of an inverse trade has.
const valueScale = 8

// Value returns what lots at a price are worth: in the quote coin and exact, or on inverse in the base coin to
// 8 digits, the last one rounded half to even. It is absent if that cannot be written: a price of 0 on inverse,
// or more than 28 digits.
func (in *Instrument) Value(ticks, lots int64) decimal.Decimal {
	price, qty := product(ticks, in.tickUnits, in.PriceScale), product(lots, in.lotUnits, in.LotScale)
	var v decimal.Decimal
	var err error
	if in.Inverse {
		v, err = qty.Quo(price, valueScale, decimal.HalfEven)
	} else {
		v, err = price.Mul(qty)
	}
	if err != nil {
		return decimal.Decimal{}
	}
	return v
}

// Live reports whether the instrument is listed and not yet delivered at a time.
func (in *Instrument) Live(at int64) bool {
	return in.Listed <= at && (in.Delivery == 0 || at < in.Delivery)
}

// Years returns the time from at to the delivery in years of 365 days, 0 if there is none or it has passed.
func (in *Instrument) Years(at int64) fixed.F {
	if in.Delivery <= at {
		return 0
	}
	const year = 365 * Day / int64(1e6) // in ms, so that a century fits
	return fixed.Ratio((in.Delivery-at)/int64(1e6), year)
}
