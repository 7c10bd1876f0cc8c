package api

import (
	"slices"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// How many digits after the point a delivery price has. The documented ones of delivery-price end with zeros, those of
// new-delivery-price do not.
const (
	deliveryScale       = 9 // always
	optionDeliveryScale = 8 // at most
)

// delivered is a contract that was delivered, and at which price.
type delivered struct {
	*catalog.Instrument
	price fixed.F
}

// deliveries are the contracts of a category that were delivered in the last 31 days, newest first; those of one
// moment in the order of their listing.
func (v *view) deliveries(category bybit.Category) []delivered {
	var list []delivered
	for _, d := range v.Board().Deliveries() {
		if in := v.Catalog().At(d.ID); in != nil && in.Category == category {
			list = append(list, delivered{in, d.Price})
		}
	}
	slices.SortStableFunc(list, func(a, b delivered) int { return int(min(1, max(-1, b.Delivery-a.Delivery))) })
	return list
}

// deliveryPrices answers delivery-price. The documentation gives the defaults of baseCoin and settleCoin for option.
func deliveryPrices(v *view) (result, *Refusal) {
	var p bybit.DeliveryPricesParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, "", bybit.Linear, bybit.Inverse, bybit.Option)
	if refused != nil {
		return nil, refused
	}
	n, refused := inLimit(p.Limit, 50, 200)
	if refused != nil {
		return nil, refused
	}
	symbol, bySymbol := p.Symbol.Get()
	prices := make(map[catalog.ID]fixed.F)
	var list []*catalog.Instrument
	for _, d := range v.deliveries(category) {
		switch {
		case bySymbol && d.Symbol != symbol:
			continue
		case bySymbol:
		case category == bybit.Option && (d.Base != p.BaseCoin.Or("BTC") || d.Settle != p.SettleCoin.Or("USDC")),
			category == bybit.Option && v.now >= d.Delivery+deliveringFor,
			d.Settle != p.SettleCoin.Or(d.Settle):
			continue
		}
		prices[d.ID] = d.price
		list = append(list, d.Instrument)
	}
	if bySymbol && len(list) == 0 {
		return nil, refuse(wrongDeliverySymbol)
	}
	r := &bybit.DeliveryPricesResult{Category: category, List: []bybit.DeliveryPrice{}}
	if list, r.NextPageCursor, refused = pageOf(list, p.Cursor, n, symbolOf); refused != nil {
		return nil, refused
	}
	for _, in := range list {
		r.List = append(r.List, bybit.DeliveryPrice{Symbol: in.Symbol, Price: prices[in.ID].Decimal(deliveryScale), Time: timeOf(in.Delivery)})
	}
	return r, nil
}

// deliverySays is the retMsg of delivery-price, whose example of option says success.
func deliverySays(v *view) string {
	var p bybit.DeliveryPricesParams
	if refused := v.decode(&p); refused == nil && p.Category == bybit.Option {
		return "success"
	}
	return "OK"
}

const (
	optionDeliveries = 50                 // rows of new-delivery-price
	shownAfter       = int64(time.Minute) // its latest row appears a minute after the delivery
)

// optionDeliveryPrices answers new-delivery-price: one price a day for all options on a coin.
func optionDeliveryPrices(v *view) (result, *Refusal) {
	var p bybit.OptionDeliveryPricesParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, "", bybit.Option)
	if refused != nil {
		return nil, refused
	}
	if p.BaseCoin == "" {
		return nil, refuse(wrongRequest)
	}
	r := &bybit.OptionDeliveryPricesResult{Category: category, List: []bybit.OptionDeliveryPrice{}}
	last := int64(0)
	for _, d := range v.deliveries(bybit.Option) {
		if d.Base != p.BaseCoin || d.Settle != p.SettleCoin.Or("USDT") || d.Delivery == last || v.now < d.Delivery+shownAfter {
			continue
		}
		last = d.Delivery
		r.List = append(r.List, bybit.OptionDeliveryPrice{Price: shown(d.price, optionDeliveryScale), Time: timeOf(d.Delivery)})
	}
	v.earlierDeliveries(r, p.BaseCoin, p.SettleCoin.Or("USDT"))
	r.List = r.List[:min(len(r.List), optionDeliveries)]
	return r, nil
}

// earlierDeliveries adds those of before the start, one a day at 8 o'clock, of coins that have options now.
func (v *view) earlierDeliveries(r *bybit.OptionDeliveryPricesResult, base, settle string) {
	i := slices.IndexFunc(v.Catalog().All(bybit.Option), func(in *catalog.Instrument) bool { return in.Base == base && in.Settle == settle })
	if i < 0 {
		return
	}
	quote := v.Catalog().All(bybit.Option)[i].Quote
	at := v.Past().Start()
	for at -= mod(at-8*hour, 24*hour); len(r.List) < optionDeliveries; at -= 24 * hour {
		price, ok := v.Past().Delivery(base, quote, at)
		if !ok {
			return
		}
		if n := len(r.List); n == 0 || r.List[n-1].Time.UnixNano() > at {
			r.List = append(r.List, bybit.OptionDeliveryPrice{Price: shown(price, optionDeliveryScale), Time: timeOf(at)})
		}
	}
}
