package catalog

import (
	"fmt"
	"math"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// What the generated market can price. A price is also kept as a fixed.F of ticks, and may grow to twelve times what it
// starts from; below ten ticks no spread is left.
const (
	fewestTicks = 10
	mostTicks   = 1 << 30 / 12
	mostPrice   = 1 << 30
	leastPrice  = "0.00000001"
	mostYears   = 2 // to the delivery: with the largest carry a future still costs more than nothing
)

// check says what of an instrument of a file cannot be simulated. price is what it starts from, in its quote coin; the
// underlying's of an option.
func (in *Instrument) check(price fixed.F, start int64) error {
	// An option whose delivery is far away is worth no more than its underlying.
	ticks, shown := in.TicksOf(price), price.Decimal(min(maxScale, max(in.PriceScale, 2)))
	switch {
	case ticks < fewestTicks && in.Kind != Option:
		return fmt.Errorf("priceFilter.tickSize is %s: want at most a tenth of the price, %s %s", in.Tick, shown, in.Quote)
	case ticks > mostTicks:
		return fmt.Errorf("priceFilter.tickSize is %s: want at most %d ticks in the price, %s %s", in.Tick, mostTicks, shown, in.Quote)
	case price > mostPrice*fixed.One:
		return fmt.Errorf("the price is %s %s: want at most %d", shown, in.Quote, mostPrice)
	case !in.fits(in.Info.PriceFilter.MinPrice):
		return fmt.Errorf("priceFilter.minPrice is %s: want a multiple of tickSize, %s", in.Info.PriceFilter.MinPrice, in.Tick)
	case !in.fits(in.Info.PriceFilter.MaxPrice):
		return fmt.Errorf("priceFilter.maxPrice is %s: want a multiple of tickSize, %s", in.Info.PriceFilter.MaxPrice, in.Tick)
	case in.MinPrice > in.MaxPrice:
		return fmt.Errorf("priceFilter.minPrice is %s: want at most maxPrice, %s", in.Price(in.MinPrice), in.Price(in.MaxPrice))
	case in.Kind != Option && (ticks < in.MinPrice || ticks > in.MaxPrice):
		return fmt.Errorf("the price is %s %s: want one from priceFilter.minPrice, %s, to maxPrice, %s",
			shown, in.Quote, in.Price(in.MinPrice), in.Price(in.MaxPrice))
	case in.badSize() != nil:
		return in.badSize()
	case in.MinQty > in.MaxQty:
		return fmt.Errorf("lotSizeFilter.minOrderQty is %s: want at most the largest order, %s", in.Qty(in.MinQty), in.Qty(in.MaxQty))
	case in.Delivery > start+mostYears*366*Day:
		return fmt.Errorf("deliveryTime is %s: want a time within %d years of the start", moment(in.Delivery).Format(shownTime), mostYears)
	case in.Delivery != 0 && in.Delivery <= start:
		return fmt.Errorf("deliveryTime is %s: want a time after the start, %s",
			moment(in.Delivery).Format(shownTime), moment(start).Format(shownTime))
	case in.Kind == Option:
		return nil
	case in.LimitX <= 0 || in.LimitX > fixed.One:
		return fmt.Errorf("riskParameters.priceLimitRatioX is %s: want more than 0 and at most 1", Rate(in.LimitX))
	case in.LimitY < in.LimitX || in.LimitY > fixed.One:
		return fmt.Errorf("riskParameters.priceLimitRatioY is %s: want a number from priceLimitRatioX, %s, to 1", Rate(in.LimitY), Rate(in.LimitX))
	case in.Kind == Perpetual && (in.Info.FundingInterval <= 0 || in.Info.FundingInterval > mostFunding):
		return fmt.Errorf("fundingInterval is %d: want minutes from 1 to %d", in.Info.FundingInterval, mostFunding)
	case in.FundingCap > fixed.One || in.FundingFloor < -fixed.One || in.FundingFloor > in.FundingCap:
		return fmt.Errorf("upperFundingRate is %s and lowerFundingRate %s: want -1 <= lower <= upper <= 1", Rate(in.FundingCap), Rate(in.FundingFloor))
	}
	return nil
}

// fits reports whether a bound of the price is a multiple of the tick, or absent.
func (in *Instrument) fits(bound decimal.Decimal) bool {
	return !bound.IsSet() || bound.IsMultipleOf(in.Tick)
}

// badSize says which bound of the sizes of orders is there and cannot be one.
func (in *Instrument) badSize() error {
	lot := &in.Info.LotSizeFilter
	if q := lot.MinOrderQty; q.IsSet() && q.Sign() <= 0 {
		return fmt.Errorf("lotSizeFilter.minOrderQty is %s: want more than 0", q)
	}
	for _, q := range []struct {
		name string
		is   decimal.Decimal
	}{
		{"maxOrderQty", lot.MaxOrderQty},
		{"maxMktOrderQty", lot.MaxMktOrderQty},
		{"maxLimitOrderQty", lot.MaxLimitOrderQty},
		{"maxMarketOrderQty", lot.MaxMarketOrderQty},
		{"postOnlyMaxLimitOrderSize", lot.PostOnlyMaxLimitOrderSize},
	} {
		if in.Kind == Spot && q.is.IsZero() {
			continue // no bound: the venue's spot pairs of 2023 have it
		}
		if q.is.IsSet() && q.is.Cmp(in.Lot) < 0 {
			return fmt.Errorf("lotSizeFilter.%s is %s: want at least a lot, %s", q.name, q.is, in.Lot)
		}
	}
	return nil
}

// leastLots is how many lots the usual turnover of a day has at least: with fewer there are hardly any trades. Choice.
const leastLots = 100

// lotFits says whether the lot of an instrument is too large for what is usually traded in a day.
func (c *Catalog) lotFits(in *Instrument) error {
	a, ok := c.Asset(in.Base)
	if !ok {
		return nil
	}
	worth, turnover := a.Start, in.Turnover // in US dollars
	if in.Inverse {
		worth = fixed.One
	}
	if turnover == 0 {
		turnover = a.Turnover // as complete does
	}
	if fixed.MulDiv(in.lotUnits, int64(worth), fixed.Pow10(in.LotScale)*int64(fixed.One)) <= turnover/leastLots {
		return nil
	}
	step := "qtyStep"
	if in.Kind == Spot {
		step = "basePrecision"
	}
	return fmt.Errorf("lotSizeFilter.%s is %s: want at most what %d US dollars buy, a hundredth of the usual turnover of a day",
		step, in.Lot, turnover/leastLots)
}

const shownTime = "2006-01-02T15:04Z"

// Rate writes a rate with as many digits as it needs, at most nine.
func Rate(f fixed.F) decimal.Decimal {
	units, _ := f.Decimal(maxScale).Units(maxScale)
	return Trimmed(units, maxScale)
}

// check says what is wrong with a coin of a file.
func (a *fileAsset) check() error {
	if a.coin == "" {
		return fmt.Errorf("assets: one has no coin")
	}
	for _, s := range stables {
		if s.coin == a.coin {
			return fmt.Errorf("assets: %s: its price is a constant", a.coin)
		}
	}
	n := decimal.MustParse
	for _, v := range []struct {
		name        string
		value       decimal.Decimal
		least, most decimal.Decimal
	}{
		{"price", a.price, n(leastPrice), decimal.FromInt(mostPrice)},
		{"volatility", a.vol, n("0.001"), n("20")},
		{"correlation", a.corr, n("0"), n("1")},
		{"carry", a.carry, n("-0.4"), n("0.4")},
		{"funding", a.funding, n("-0.01"), n("0.01")},
		{"liquidity", a.deep, n("1"), n("5")},
		{"turnover", a.turnover, n("1"), decimal.FromInt(1e15)},
	} {
		if v.value.IsSet() && (v.value.Cmp(v.least) < 0 || v.value.Cmp(v.most) > 0) {
			return fmt.Errorf("assets: %s: %s is %s: want %s to %s", a.coin, v.name, v.value, v.least, v.most)
		}
	}
	return nil
}

// unbounded is how many units of a size there can be where nothing bounds them: few enough that a sum of a thousand
// still fits an int64.
func unbounded(unit int64) int64 { return math.MaxInt64 / unit >> 10 }

// fitted makes what a row of a file does not say fit what it says: own is the row alone, like what it took over. With
// another tick or coin the bounds of the price are those of the coin's price (see priceBounds); with another lot the largest
// orders have at least as many lots as before. Values of orders in another quote coin are none, unless both are dollars.
func (c *Catalog) fitted(info, own, like *bybit.Instrument) {
	tick := &info.PriceFilter
	if tick.TickSize.Cmp(like.PriceFilter.TickSize) != 0 || info.BaseCoin != like.BaseCoin || info.QuoteCoin != like.QuoteCoin {
		if own.PriceScale == 0 && info.PriceScale > 0 {
			info.PriceScale = int64(tick.TickSize.Scale())
		}
		if !own.PriceFilter.MinPrice.IsSet() {
			tick.MinPrice = decimal.Decimal{}
		}
		if !own.PriceFilter.MaxPrice.IsSet() {
			tick.MaxPrice = decimal.Decimal{}
		}
	}
	lot, was, said := &info.LotSizeFilter, &like.LotSizeFilter, &own.LotSizeFilter
	_, stable := c.Stable(info.QuoteCoin)
	if _, before := c.Stable(like.QuoteCoin); info.QuoteCoin != like.QuoteCoin && !(stable && before) {
		lot.MinOrderAmt, lot.MaxOrderAmt, lot.MinNotionalValue = said.MinOrderAmt, said.MaxOrderAmt, said.MinNotionalValue
	}
	step, before := lot.QtyStep, was.QtyStep
	if lot.BasePrecision.IsSet() {
		step, before = lot.BasePrecision, was.BasePrecision
	}
	if !step.IsSet() || !before.IsSet() || before.Sign() <= 0 || step.Cmp(before) == 0 {
		return
	}
	scaled := func(q decimal.Decimal) decimal.Decimal { // the same number of lots
		lots, err := q.Quo(before, 0, decimal.ToZero)
		if err != nil {
			return q
		}
		if scaled, err := lots.Mul(step); err == nil {
			return scaled
		}
		return q
	}
	if !said.MinOrderQty.IsSet() && lot.MinOrderQty.IsSet() {
		lot.MinOrderQty = scaled(lot.MinOrderQty)
	}
	for _, q := range []struct{ value, own *decimal.Decimal }{
		{&lot.MaxOrderQty, &said.MaxOrderQty},
		{&lot.MaxMktOrderQty, &said.MaxMktOrderQty},
		{&lot.PostOnlyMaxOrderQty, &said.PostOnlyMaxOrderQty}, //nolint:staticcheck // the venue still writes it
		{&lot.MaxLimitOrderQty, &said.MaxLimitOrderQty},
		{&lot.MaxMarketOrderQty, &said.MaxMarketOrderQty},
		{&lot.PostOnlyMaxLimitOrderSize, &said.PostOnlyMaxLimitOrderSize},
	} {
		if more := scaled(*q.value); q.value.IsSet() && !q.own.IsSet() && more.Cmp(*q.value) > 0 {
			*q.value = more
		}
	}
}

// priceBounds fills in the bounds of a contract's price where a file has none: a tick, and 32 times the price, which is near
// what the default contracts have (choice). It reports whether it did.
func (in *Instrument) priceBounds(info *bybit.Instrument, price fixed.F) bool {
	f := &info.PriceFilter
	if in.Kind != Perpetual && in.Kind != Future || f.MinPrice.IsSet() && f.MaxPrice.IsSet() {
		return false
	}
	if !f.MinPrice.IsSet() {
		f.MinPrice = in.Tick
	}
	if !f.MaxPrice.IsSet() {
		f.MaxPrice = in.Price(32 * min(max(in.TicksOf(price), 1), mostTicks))
	}
	return true
}
