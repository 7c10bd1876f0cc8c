package api

import (
	"slices"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// deliveringFor is how long a contract is being delivered after its expiry: from 8 to 12 o'clock. V5 page
// market/delivery-price.
const deliveringFor = 4 * int64(time.Hour)

// instruments answers instruments-info.
func instruments(v *view) (result, *Refusal) {
	var p bybit.InstrumentsParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, "", bybit.Spot, bybit.Linear, bybit.Inverse, bybit.Option)
	if refused != nil {
		return nil, refused
	}
	n, refused := inLimit(p.Limit, 500, 1000)
	if refused != nil && category != bybit.Spot {
		return nil, refused
	}
	list, refused := v.chosen(category, &p)
	if refused != nil {
		return nil, refused
	}
	r := &bybit.InstrumentsResult{Category: category}
	if category != bybit.Spot {
		if list, r.NextPageCursor, refused = pageOf(list, p.Cursor, n, symbolOf); refused != nil {
			return nil, refused
		}
	}
	r.List = make([]bybit.Instrument, 0, len(list))
	for _, in := range list {
		info := in.Info
		info.Status = statusOf(in, v.now)
		r.List = append(r.List, info)
	}
	return r, nil
}

// statusOf is an instrument's status: a contract that has expired is delivered for some hours, then it is closed.
func statusOf(in *catalog.Instrument, now int64) bybit.InstrumentStatus {
	if in.Delivery != 0 && now >= in.Delivery+deliveringFor {
		return bybit.InstrumentClosed
	}
	return in.Info.Status
}

// chosen returns the instruments that the parameters ask for, in the order of their listing; contracts that are listed
// no more come last.
func (v *view) chosen(category bybit.Category, p *bybit.InstrumentsParams) ([]*catalog.Instrument, *Refusal) {
	base, byBase := p.BaseCoin.Get()
	byBase = byBase && category != bybit.Spot
	symbol, bySymbol := p.Symbol.Get()
	if category == bybit.Option && !byBase && !bySymbol {
		base, byBase = "BTC", true // docs
	}
	known := false
	wanted := func(in *catalog.Instrument) bool {
		switch {
		case bySymbol && in.Symbol != symbol, byBase && in.Base != base:
			return false
		case p.SymbolType != "" && in.Info.SymbolType != p.SymbolType && category != bybit.Option:
			return false
		}
		known = true
		status := statusOf(in, v.now)
		switch {
		case p.Status != "":
			return status == p.Status
		case category == bybit.Option:
			return status != bybit.InstrumentClosed
		}
		return status == bybit.InstrumentTrading
	}
	categories := []bybit.Category{category}
	if byBase && !bySymbol && category == bybit.Linear || byBase && !bySymbol && category == bybit.Inverse {
		categories = []bybit.Category{bybit.Linear, bybit.Inverse} // docs: by base coin both are answered with both
	}
	var list []*catalog.Instrument
	for _, c := range categories {
		for _, in := range v.Catalog().All(c) {
			if wanted(in) {
				list = append(list, in)
			}
		}
	}
	for _, in := range v.Catalog().Delivered() {
		if slices.Contains(categories, in.Category) && wanted(in) {
			list = append(list, in)
		}
	}
	if bySymbol && !known && category != bybit.Spot {
		// Seen: spot has an empty list for an unknown symbol, linear a refusal with an empty result.
		return nil, &Refusal{Code: codeParameter, Message: wrongSymbol, Result: &bybit.InstrumentsResult{}}
	}
	return list, nil
}

// riskPage is how many symbols a page of risk-limit has on linear. V5 page market/risk-limit.
const riskPage = 15

// riskLimits answers risk-limit.
func riskLimits(v *view) (result, *Refusal) {
	var p bybit.RiskLimitsParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, "", bybit.Linear, bybit.Inverse)
	if refused != nil {
		return nil, refused
	}
	list := v.Catalog().All(category)
	if symbol, ok := p.Symbol.Get(); ok {
		in, refused := v.instrument(marketRules, category, symbol)
		if refused != nil {
			return nil, refused
		}
		list = []*catalog.Instrument{in}
	}
	n := len(list)
	if category == bybit.Linear {
		n = riskPage
	}
	r := &bybit.RiskLimitsResult{Category: category, List: []bybit.RiskLimitTier{}}
	if list, r.NextPageCursor, refused = pageOf(list, p.Cursor, n, symbolOf); refused != nil {
		return nil, refused
	}
	for _, in := range list {
		r.List = append(r.List, in.Tiers...)
	}
	return r, nil
}

// feeGroups answers fee-group-info. V5 page market/fee-group-info: productType is required and has one value.
func feeGroups(v *view) (result, *Refusal) {
	var p bybit.FeeGroupsParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	if p.ProductType != "contract" {
		return nil, refuse(wrongRequest)
	}
	r := &bybit.FeeGroupsResult{List: []bybit.FeeGroup{}}
	for _, g := range v.Catalog().FeeGroups() {
		if p.GroupID == "" || groupID(g.GroupName) == p.GroupID {
			r.List = append(r.List, g)
		}
	}
	return r, nil
}

// groupID is the number of a fee group. V5 page market/fee-group-info.
func groupID(name bybit.FeeGroupName) bybit.FeeGroupID {
	switch name {
	case bybit.FeeGroupNameMajor:
		return bybit.FeeGroupMajor
	case bybit.FeeGroupNameHighGrowth:
		return bybit.FeeGroupHighGrowth
	case bybit.FeeGroupNameMidLiquidity:
		return bybit.FeeGroupMidLiquidity
	case bybit.FeeGroupNameMidActivation:
		return bybit.FeeGroupMidActivation
	case bybit.FeeGroupNameLongTail:
		return bybit.FeeGroupLongTail
	case bybit.FeeGroupNameInnovation:
		return bybit.FeeGroupInnovation
	case bybit.FeeGroupNamePreListing:
		return bybit.FeeGroupPreListing
	case bybit.FeeGroupNameUSDC:
		return bybit.FeeGroupUSDC
	case bybit.FeeGroupNameTradFi, bybit.FeeGroupNameTradFiAlt:
		return bybit.FeeGroupTradFi
	}
	return ""
}
