package api

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// spreadInstruments answers spread/instrument. An unknown symbol, or a coin without spreads, has an empty list (choice).
func spreadInstruments(v *view) (result, *Refusal) {
	var p bybit.SpreadInstrumentsParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	n, refused := inLimit(p.Limit, 200, 500)
	if refused != nil {
		return nil, refused
	}
	var list []*catalog.Instrument
	for _, in := range v.Catalog().All(bybit.Spread) {
		if p.Symbol.Or(in.Symbol) == in.Symbol && p.BaseCoin.Or(in.Base) == in.Base {
			list = append(list, in)
		}
	}
	r := &bybit.SpreadInstrumentsResult{List: []bybit.SpreadInstrument{}}
	if list, r.NextPageCursor, refused = pageOf(list, p.Cursor, n, numberOf); refused != nil {
		return nil, refused
	}
	for _, in := range list {
		r.List = append(r.List, *in.Spread)
	}
	return r, nil
}
