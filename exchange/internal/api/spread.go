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

// spreadRules: an unknown spread is refused with the text of contracts (choice).
var spreadRules = rules{symbol: wrongSymbol}

// spreadOrderBook answers spread/orderbook.
func spreadOrderBook(v *view) (result, *Refusal) {
	var p bybit.SpreadOrderBookParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	in, refused := v.instrument(spreadRules, bybit.Spread, p.Symbol)
	if refused != nil {
		return nil, refused
	}
	n, refused := inLimit(p.Limit, 1, 25)
	if refused != nil {
		return nil, refused
	}
	b := v.book(v.Feed().Book(in.ID))
	return &bybit.SpreadOrderBookResult{
		Symbol: in.Symbol, Bids: levels(in, b.Bids, n), Asks: levels(in, b.Asks, n),
		UpdateID: b.U, Time: timeOf(b.Time), Seq: b.Seq, MatchTime: timeOf(b.Matched),
	}, nil
}

// spreadTrades answers spread/recent-trade.
func spreadTrades(v *view) (result, *Refusal) {
	var p bybit.SpreadTradesParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	in, refused := v.instrument(spreadRules, bybit.Spread, p.Symbol)
	if refused != nil {
		return nil, refused
	}
	n, refused := inLimit(p.Limit, 500, 1000)
	if refused != nil {
		return nil, refused
	}
	r := &bybit.SpreadTradesResult{List: []bybit.SpreadTrade{}}
	for _, t := range v.Feed().Trades(nil, in.ID, n) {
		r.List = append(r.List, bybit.SpreadTrade{
			ExecID: t.ID, Symbol: t.Symbol, Price: t.Price, Size: t.Size, Side: t.Side, Time: t.Time, Seq: t.Seq,
		})
	}
	return r, nil
}

// spreadTickers answers spread/tickers.
func spreadTickers(v *view) (result, *Refusal) {
	var p bybit.SpreadTickersParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	in, refused := v.instrument(spreadRules, bybit.Spread, p.Symbol)
	if refused != nil {
		return nil, refused
	}
	r := &bybit.SpreadTickersResult{List: []bybit.SpreadTicker{}}
	if t, ok := v.Feed().Ticker(in.ID); ok {
		r.List = append(r.List, bybit.SpreadTicker{
			Symbol: in.Symbol, BidPrice: t.BidPrice, BidSize: t.BidSize, AskPrice: t.AskPrice, AskSize: t.AskSize, LastPrice: t.LastPrice,
			HighPrice24h: t.HighPrice24h, LowPrice24h: t.LowPrice24h, PrevPrice24h: t.PrevPrice24h, Volume24h: t.Volume24h,
		})
	}
	return r, nil
}
