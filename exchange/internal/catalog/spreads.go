package catalog

import (
	"fmt"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// Spreads are named after their legs as the V5 pages show it: SOLUSDT_SOL/USDT, a spot leg with a slash. Choice for what no
// page shows: a future leg is its symbol, and of two futures the later one comes first.

// resolve returns the instrument that a leg stands for now.
func (c *Catalog) resolve(l leg) (*Instrument, bool) {
	if l.nth == 0 {
		return c.Find(l.category, l.symbol)
	}
	var family *contractRow
	for i := range futureRows {
		if futureRows[i].category == l.category && futureRows[i].symbol == l.symbol {
			family = &futureRows[i]
		}
	}
	var found []*Instrument
	for _, in := range c.All(l.category) {
		if family != nil && family.has(in) {
			at := len(found)
			for at > 0 && found[at-1].Delivery > in.Delivery {
				at--
			}
			found = append(found[:at], append([]*Instrument{in}, found[at:]...)...)
		}
	}
	if len(found) < l.nth {
		return nil, false
	}
	return found[l.nth-1], true
}

// has reports whether a future is one of the family, also if a file has other terms for it.
func (r *contractRow) has(in *Instrument) bool {
	return in.Kind == Future && in.Delivery%Day == deliveryHour && periodOf(in.Delivery) == quarterly && in.Symbol == r.futureSymbol(in.Delivery)
}

// spreadOrigin returns the origin of a row's spread, if both legs are listed.
func (c *Catalog) spreadOrigin(row int, now int64, first bool) (origin, bool) {
	r := spreadRows[row]
	one, ok1 := c.resolve(r.first)
	two, ok2 := c.resolve(r.second)
	if !ok1 || !ok2 {
		return origin{}, false
	}
	o := origin{from: fromSpread, row: row, listed: now, legs: [2]ID{one.ID, two.ID}}
	if first {
		o.listed = max(one.Listed, two.Listed)
		if r.launched != "" {
			o.listed = c.launched(nanos(day(r.launched)))
		}
	}
	return o, true
}

// legName is how a leg is written in the symbol of a spread.
func legName(in *Instrument) string {
	if in.Kind == Spot {
		return in.Base + "/" + in.Quote
	}
	return in.Symbol
}

// legType is what a leg is called in /v5/spread/instrument.
func legType(in *Instrument) bybit.ContractType {
	if in.Kind == Spot {
		return bybit.ContractSpot
	}
	return in.Info.ContractType
}

// spread makes the spread of a row and two legs.
func (c *Catalog) spread(o *origin) (*Instrument, error) {
	r, n := spreadRows[o.row], decimal.MustParse
	legs := [2]*Instrument{c.At(o.legs[0]), c.At(o.legs[1])}
	if legs[0] == nil || legs[1] == nil || legs[0].Kind == Spread || legs[1].Kind == Spread {
		return nil, fmt.Errorf("legs %d and %d of a spread: %w", o.legs[0], o.legs[1], errNoSuchRow)
	}
	in := &Instrument{
		Kind: Spread, Category: bybit.Spread, Symbol: legName(legs[0]) + "_" + legName(legs[1]),
		Base: legs[0].Base, Quote: legs[0].Quote, Settle: legs[0].Settle, Legs: o.legs,
		Fees: fees(bybit.Spread), Listed: o.listed, Turnover: r.turnover * 1e6,
		Tick: n(r.tick), Lot: n(r.lot), trim: true,
	}
	for _, l := range legs {
		if l.Delivery != 0 && (in.Delivery == 0 || l.Delivery < in.Delivery) {
			in.Delivery = l.Delivery
		}
	}
	if err := in.steps(); err != nil {
		return nil, err
	}
	in.MarkScale = in.PriceScale
	high, maxSize := n(r.bound), n(r.maxSize)
	in.Spread = &bybit.SpreadInstrument{
		Symbol: in.Symbol, ContractType: r.kind, Status: bybit.SpreadTrading,
		BaseCoin: in.Base, QuoteCoin: in.Quote, SettleCoin: in.Settle,
		TickSize: in.Tick, MinPrice: high.Neg(), MaxPrice: high, LotSize: in.Lot, MinSize: in.Lot, MaxSize: maxSize,
		LaunchTime: moment(in.Listed), DeliveryTime: moment(in.Delivery),
	}
	for _, l := range legs {
		in.Spread.Legs = append(in.Spread.Legs, bybit.SpreadInstrumentLeg{Symbol: l.Symbol, ContractType: legType(l)})
	}
	in.MaxPrice, _ = units(high, in.PriceScale, in.tickUnits)
	in.MinPrice = -in.MaxPrice
	lots, _ := units(maxSize, in.LotScale, in.lotUnits)
	in.MinQty, in.MaxQty, in.MaxMarketQty, in.MaxPostOnlyQty = 1, lots, lots, lots
	return in, nil
}
