package catalog

import (
	"fmt"
	"math"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// instrument derives the integer terms of an instrument from what instruments-info says about it. It is the one way in:
// the rows of the tables become a bybit.Instrument first, and so does a user's file.
func instrument(category bybit.Category, info *bybit.Instrument) (*Instrument, error) {
	in := &Instrument{
		Category: category, Symbol: info.Symbol, Base: info.BaseCoin, Quote: info.QuoteCoin, Settle: info.SettleCoin,
		Info: *info, Fees: fees(category),
		Listed: nanos(info.LaunchTime), Delivery: nanos(info.DeliveryTime),
		trim: category == bybit.Spot || category == bybit.Option,
	}
	if in.Symbol == "" || in.Base == "" || in.Quote == "" {
		return nil, fmt.Errorf("symbol is %q, baseCoin %q, quoteCoin %q: want all three", in.Symbol, in.Base, in.Quote)
	}
	if in.Settle == "" {
		in.Settle = in.Quote
	}
	if err := in.kindOf(info); err != nil {
		return nil, err
	}
	lot := &info.LotSizeFilter
	in.Tick, in.Lot = info.PriceFilter.TickSize, lot.QtyStep
	if in.Kind == Spot {
		in.Lot = lot.BasePrecision
	}
	if err := in.steps(); err != nil {
		return nil, err
	}
	in.MarkScale = in.PriceScale
	switch {
	case in.Kind == Option:
		in.MarkScale = optionScale
	case info.PriceScale > 0 && info.PriceScale <= 12:
		in.MarkScale = max(in.PriceScale, int(info.PriceScale)) // coarser than the tick, it would move the mark price
	}
	in.bounds(info)
	if in.Kind != Option {
		limits := info.RiskParameters
		if limits == nil {
			limits = new(bybit.RiskParameters)
		}
		in.LimitX = rate(limits.PriceLimitRatioX, usualLimit)
		in.LimitY = rate(limits.PriceLimitRatioY, 2*in.LimitX)
	}
	if in.Kind == Perpetual {
		in.FundingEvery = usualFunding
		if info.FundingInterval > 0 && info.FundingInterval <= mostFunding {
			in.FundingEvery = info.FundingInterval * Minute
		}
		in.FundingCap = rate(info.UpperFundingRate, usualCap)
		in.FundingFloor = rate(info.LowerFundingRate, -in.FundingCap)
	}
	if in.Kind == Perpetual || in.Kind == Future {
		in.Fees.Group = feeGroup(in.Base, in.Quote)
	}
	return in, nil
}

// What holds where old replies say nothing.
const (
	usualFunding = 8 * Hour
	mostFunding  = 24 * 60             // minutes
	usualCap     = fixed.One / 200     // 0.5 %
	usualLimit   = fixed.One * 3 / 100 // 3 %
)

// rate is a rate, or what holds where it is absent.
func rate(d decimal.Decimal, absent fixed.F) fixed.F {
	if f, ok := fixed.FromDecimal(d); ok && d.IsSet() {
		return f
	}
	return absent
}

// optionScale is how many digits after the point mark prices of options are shown with: 3502.0715721 in recorded frames.
const optionScale = 8

// kindOf sets Kind and what follows from it.
func (in *Instrument) kindOf(info *bybit.Instrument) error {
	switch in.Category {
	case bybit.Spot:
		in.Kind = Spot
	case bybit.Linear, bybit.Inverse:
		in.Inverse = in.Category == bybit.Inverse
		switch info.ContractType {
		case bybit.ContractLinearPerpetual, bybit.ContractInversePerpetual:
			in.Kind = Perpetual
		case bybit.ContractLinearFutures, bybit.ContractInverseFutures:
			in.Kind = Future
			if in.Delivery == 0 {
				return fmt.Errorf("deliveryTime is missing: want the time at which the future is delivered")
			}
		default:
			return fmt.Errorf("contractType is %q: want LinearPerpetual, LinearFutures, InversePerpetual or InverseFutures", info.ContractType)
		}
	case bybit.Option:
		in.Kind = Option
		strike, ok := strikeOf(info.Symbol)
		if !ok {
			return fmt.Errorf("symbol is %q: want one with a strike, such as BTC-27MAR26-70000-P-USDT", info.Symbol)
		}
		if in.Delivery == 0 {
			return fmt.Errorf("deliveryTime is missing: want the time at which the option is delivered")
		}
		in.Strike, in.Call = strike, info.OptionsType == bybit.OptionCall
	default:
		return fmt.Errorf("category %q is none of spot, linear, inverse, option", in.Category)
	}
	return nil
}

// steps checks Tick and Lot and takes them apart.
func (in *Instrument) steps() error {
	part := func(name string, d decimal.Decimal, scale *int, units *int64) error {
		u, ok := d.Coefficient()
		switch {
		case d.Sign() <= 0 || d.Scale() > maxScale:
			return fmt.Errorf("%s is %s: want more than 0 and at most %d digits after the point", name, d, maxScale)
		case !ok || u > maxUnits:
			return fmt.Errorf("%s is %s: want at most %s", name, d, decimal.New(maxUnits, d.Scale()))
		}
		*scale, *units = d.Scale(), u
		return nil
	}
	if err := part("priceFilter.tickSize", in.Tick, &in.PriceScale, &in.tickUnits); err != nil {
		return err
	}
	lot := "lotSizeFilter.qtyStep"
	if in.Kind == Spot {
		lot = "lotSizeFilter.basePrecision"
	}
	return part(lot, in.Lot, &in.LotScale, &in.lotUnits)
}

const (
	maxScale = 9       // prices are also kept as fixed.F, whose steps are 2.3e-10
	maxUnits = 1 << 30 // so that steps times fixed.One fit an int64
)

// bounds sets the limits of prices and quantities. What is missing or beyond the range is unbounded.
func (in *Instrument) bounds(info *bybit.Instrument) {
	price := func(d decimal.Decimal, missing int64) int64 {
		if ticks, ok := units(d, in.PriceScale, in.tickUnits); ok {
			return ticks
		}
		return missing
	}
	most := unbounded(in.lotUnits)
	qty := func(d decimal.Decimal, missing int64) int64 { // whole lots
		if !d.IsSet() {
			return missing
		}
		q, err := d.Quo(in.Lot, 0, decimal.ToZero)
		if lots, ok := q.Units(0); err == nil && ok && lots > 0 {
			return min(lots, most)
		}
		return missing
	}
	lot := &info.LotSizeFilter
	in.MinPrice, in.MaxPrice = max(1, price(info.PriceFilter.MinPrice, 1)), min(price(info.PriceFilter.MaxPrice, math.MaxInt64), unbounded(in.tickUnits))
	in.MinQty, in.MaxQty = qty(lot.MinOrderQty, 1), qty(lot.MaxOrderQty, most)
	in.MaxMarketQty, in.MaxPostOnlyQty = qty(lot.MaxMktOrderQty, in.MaxQty), in.MaxQty
	notional := lot.MinNotionalValue
	if in.Kind == Spot {
		in.MaxQty = qty(lot.MaxLimitOrderQty, in.MaxQty)
		in.MaxMarketQty, in.MaxPostOnlyQty = qty(lot.MaxMarketOrderQty, in.MaxQty), qty(lot.PostOnlyMaxLimitOrderSize, in.MaxQty)
		notional = lot.MinOrderAmt
	}
	if notional.IsSet() && !in.Inverse {
		unit := decimal.New(in.tickUnits, in.PriceScale)
		if unit, err := unit.Mul(in.Lot); err == nil {
			q, err := notional.Quo(unit, 0, decimal.AwayFromZero)
			if n, ok := q.Units(0); err == nil && ok {
				in.MinNotional = n
			}
		}
	}
}

// nanos is a time as ns since 1970, 0 for an absent one.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli() * 1e6
}

// moment is the reverse of nanos.
func moment(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMilli(at / 1e6).UTC()
}

// day is the time of a day in a table.
func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic("catalog: a day of its own table: " + err.Error())
	}
	return t
}

// info makes a spot pair's row what instruments-info shows.
func (r spotRow) info() *bybit.Instrument {
	n := decimal.MustParse
	return &bybit.Instrument{
		Symbol: r.base + r.quote, Status: bybit.InstrumentTrading, BaseCoin: r.base, QuoteCoin: r.quote,
		Innovation:    "0", //nolint:staticcheck // the venue still writes it
		MarginTrading: bybit.MarginTradingUnified, STTag: "0",
		LotSizeFilter: bybit.LotSizeFilter{
			BasePrecision: n(r.baseStep), QuotePrecision: n(r.quoteStep), MinOrderQty: n(r.minQty), MaxOrderQty: n(r.maxQty),
			MinOrderAmt: n(minSpotValue), MaxOrderAmt: n(r.maxValue),
			MaxLimitOrderQty: n(r.maxLimit), MaxMarketOrderQty: n(r.maxMarket), PostOnlyMaxLimitOrderSize: n(r.maxPostOnly),
		},
		PriceFilter:    bybit.PriceFilter{TickSize: n(r.tick)},
		RiskParameters: &bybit.RiskParameters{PriceLimitRatioX: n(r.limitX), PriceLimitRatioY: n(r.limitY)},
	}
}

// info makes a contract's row what instruments-info shows: of a perpetual, or with delivery of a future.
func (r contractRow) info(symbol string, listed, delivery int64) *bybit.Instrument {
	n := decimal.MustParse
	i := &bybit.Instrument{
		Symbol: symbol, Status: bybit.InstrumentTrading, BaseCoin: r.base, QuoteCoin: r.quote, SettleCoin: r.quote,
		ContractType: bybit.ContractLinearPerpetual,
		LaunchTime:   moment(listed), DeliveryTime: moment(delivery),
		PriceScale:     int64(n(r.tick).Scale()),
		LeverageFilter: &bybit.LeverageFilter{MinLeverage: n("1"), MaxLeverage: n(r.leverage), LeverageStep: n("0.01")},
		PriceFilter:    bybit.PriceFilter{MinPrice: n(r.tick), MaxPrice: n(r.maxPrice), TickSize: n(r.tick)},
		LotSizeFilter: bybit.LotSizeFilter{
			MaxOrderQty: n(r.maxQty), MinOrderQty: n(r.lot), QtyStep: n(r.lot), MaxMktOrderQty: n(r.maxMarket),
			PostOnlyMaxOrderQty: n(r.maxQty), //nolint:staticcheck // the venue still writes it
		},
		UnifiedMarginTrade: true, CopyTrading: bybit.CopyTradingNone,
		RiskParameters: &bybit.RiskParameters{PriceLimitRatioX: n(r.limitX), PriceLimitRatioY: n(r.limitY)},
		DisplayName:    symbol,
	}
	if r.category == bybit.Inverse {
		i.ContractType, i.SettleCoin = bybit.ContractInversePerpetual, r.base
	} else {
		i.LotSizeFilter.MinNotionalValue = n("5")
	}
	if delivery == 0 {
		i.FundingInterval = 480
		i.UpperFundingRate, i.LowerFundingRate = n(r.fundingCap), n(r.fundingCap).Neg()
		if r.quote == "USDT" {
			i.CopyTrading = bybit.CopyTradingBoth
		}
		return i
	}
	i.ContractType = bybit.ContractLinearFutures
	if r.category == bybit.Inverse {
		i.ContractType = bybit.ContractInverseFutures
	}
	i.DeliveryFeeRate = n("0.0005")
	return i
}

// build makes a contract of its row.
func (r contractRow) build(symbol string, listed, delivery int64) *Instrument {
	in := built(r.category, r.info(symbol, listed, delivery))
	in.Tiers = tiers(symbol, r.ladder, in.Info.LeverageFilter.MaxLeverage, in.Inverse)
	in.Turnover, in.OpenValue = r.turnover*1e6, r.open*1e6
	return in
}

// built is instrument for rows of the package's own tables, where an error is a mistake in them.
func built(category bybit.Category, info *bybit.Instrument) *Instrument {
	in, err := instrument(category, info)
	if err != nil {
		panic(fmt.Sprintf("catalog: %s %s of its own table: %v", category, info.Symbol, err))
	}
	return in
}

// build makes an option of its chain's row.
func (r optionRow) build(listed, delivery, strike int64, call bool) *Instrument {
	n := decimal.MustParse
	side, kind := "P", bybit.OptionPut
	if call {
		side, kind = "C", bybit.OptionCall
	}
	date := dayMonthYear(delivery)
	in := built(bybit.Option, &bybit.Instrument{
		Symbol:   fmt.Sprintf("%s-%s-%d-%s-%s", r.base, date, strike, side, r.quote),
		Status:   bybit.InstrumentTrading,
		BaseCoin: r.base, QuoteCoin: r.quote, SettleCoin: r.quote,
		OptionsType: kind, LaunchTime: moment(listed), DeliveryTime: moment(delivery), DeliveryFeeRate: n("0.00015"),
		PriceFilter:   bybit.PriceFilter{MinPrice: n(r.tick), MaxPrice: n(r.maxPrice), TickSize: n(r.tick)},
		LotSizeFilter: bybit.LotSizeFilter{MaxOrderQty: n(r.maxQty), MinOrderQty: n(r.lot), QtyStep: n(r.lot)},
		DisplayName:   fmt.Sprintf("%s%s-%s-%d-%s", r.base, r.quote, date, strike, side),
	})
	in.Turnover, in.OpenValue = r.turnover*1e6, r.open*1e6
	return in
}
