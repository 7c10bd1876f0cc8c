package api

import (
	"strings"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// indexScale is how many digits after the point an index price has at most.
const indexScale = 8

// indexComponents answers index-price-components. The generated index is one price, and that is what is said: there are no
// other exchanges in this world.
func indexComponents(v *view) (result, *Refusal) {
	var p bybit.IndexComponentsParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	for _, a := range v.Catalog().Assets() {
		quote, ok := strings.CutPrefix(p.IndexName, a.Coin)
		if !ok {
			continue
		}
		index, ok := v.Board().Index(a.Coin, quote)
		if !ok {
			continue
		}
		price, one := shown(index, indexScale), decimal.FromInt(1)
		return &bybit.IndexComponentsResult{
			IndexName: p.IndexName, LastPrice: price, UpdateTime: timeOf(v.Board().Now()),
			Components: []bybit.IndexComponent{{
				Exchange: "bywire", SpotPair: p.IndexName, EquivalentPrice: price, Multiplier: one, Price: price, Weight: one,
			}},
		}, nil
	}
	return nil, refuse(wrongRequest) // choice
}
