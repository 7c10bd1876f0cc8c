package api

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// recentTrades answers recent-trade. On option the trades of a base coin come together.
func recentTrades(v *view) (result, *Refusal) {
	var p bybit.TradesParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, "", bybit.Spot, bybit.Linear, bybit.Inverse, bybit.Option)
	if refused != nil {
		return nil, refused
	}
	otherwise, most := 500, 1000
	if category == bybit.Spot {
		otherwise, most = 60, 60
	}
	n, refused := inLimit(p.Limit, otherwise, most)
	if refused != nil {
		return nil, refused
	}
	symbol, bySymbol := p.Symbol.Get()
	var trades []bybit.Trade
	if category == bybit.Option && !bySymbol {
		if p.OptionType != "" && p.OptionType != bybit.OptionCall && p.OptionType != bybit.OptionPut {
			return nil, refuse(wrongRequest)
		}
		trades = v.Feed().CoinTrades(nil, p.BaseCoin.Or("BTC"), n, func(in *catalog.Instrument) bool {
			return p.OptionType == "" || p.OptionType == in.Info.OptionsType
		})
	} else {
		in, refused := v.instrument(marketRules, category, symbol)
		if refused != nil {
			return nil, refused
		}
		trades = v.Feed().Trades(nil, in.ID, n)
	}
	r := &bybit.TradesResult{Category: category, List: make([]bybit.PublicTrade, 0, len(trades))}
	for i := range trades {
		t := &trades[i]
		r.List = append(r.List, bybit.PublicTrade{
			ExecID: t.ID, Symbol: t.Symbol, Price: t.Price, Size: t.Size, Side: t.Side, Time: t.Time,
			IsBlockTrade: t.Block, IsRPITrade: t.RPI, Seq: t.Seq,
			MarkPrice: t.MarkPrice, IndexPrice: t.IndexPrice, MarkIV: t.MarkIV, IV: t.IV,
		})
	}
	return r, nil
}
