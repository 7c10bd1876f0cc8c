package api

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
)

// Books are shown as their topics have pushed them, with the topic's update id, so that a reply can be put beside a stream.

// orderBook answers orderbook.
func orderBook(v *view) (result, *Refusal) {
	var p bybit.OrderBookParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, "", bybit.Spot, bybit.Linear, bybit.Inverse, bybit.Option)
	if refused != nil {
		return nil, refused
	}
	in, refused := v.instrument(marketRules, category, p.Symbol)
	if refused != nil {
		return nil, refused
	}
	otherwise, most := 25, 1000
	switch category {
	case bybit.Spot:
		otherwise = 1
	case bybit.Option:
		otherwise, most = 1, 25
	}
	n, refused := inLimit(p.Limit, otherwise, most)
	if refused != nil {
		return nil, refused
	}
	b := v.book(v.Feed().Book(in.ID))
	return &bybit.OrderBookResult{
		Symbol: in.Symbol, Bids: levels(in, b.Bids, n), Asks: levels(in, b.Asks, n),
		Time: timeOf(b.Time), UpdateID: b.U, Seq: b.Seq, MatchTime: timeOf(b.Matched),
	}, nil
}

// fullOrderBook answers full_orderbook: what a client of orderbook.full begins with.
func fullOrderBook(v *view) (result, *Refusal) {
	var p bybit.FullOrderBookParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, "", bybit.Spot, bybit.Linear, bybit.Inverse)
	if refused != nil {
		return nil, refused
	}
	in, refused := v.instrument(marketRules, category, p.Symbol)
	if refused != nil {
		return nil, refused
	}
	b := v.book(v.Feed().Full(in.ID))
	return &bybit.FullOrderBookResult{
		Symbol: in.Symbol, Bids: levels(in, b.Bids, len(b.Bids)), Asks: levels(in, b.Asks, len(b.Asks)),
		Time: timeOf(b.Time), UpdateID: b.U, Seq: b.Seq, MatchTime: timeOf(b.Matched),
	}, nil
}

// rpiOrderBook answers rpi_orderbook. The documentation requires a limit and its example has none: the reply has one level
// a side then. Without a category it is linear, as on other endpoints (choice).
func rpiOrderBook(v *view) (result, *Refusal) {
	var p bybit.RPIOrderBookParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, bybit.Linear, bybit.Spot, bybit.Linear, bybit.Inverse)
	if refused != nil {
		return nil, refused
	}
	in, refused := v.instrument(marketRules, category, p.Symbol)
	if refused != nil {
		return nil, refused
	}
	n, refused := inLimit(p.Limit, 1, 50)
	if refused != nil {
		return nil, refused
	}
	b := v.book(v.Feed().RPI(in.ID))
	r := &bybit.RPIOrderBookResult{
		Symbol: in.Symbol, Time: timeOf(b.Time), UpdateID: b.U, Seq: b.Seq, MatchTime: timeOf(b.Matched),
		Bids: []bybit.RPIPriceLevel{}, Asks: []bybit.RPIPriceLevel{},
	}
	for _, l := range b.Bids[:min(n, len(b.Bids))] {
		r.Bids = append(r.Bids, bybit.RPIPriceLevel{Price: in.Price(l.Price), Size: in.Qty(l.Qty), RPISize: in.Qty(l.RPI)})
	}
	for _, l := range b.Asks[:min(n, len(b.Asks))] {
		r.Asks = append(r.Asks, bybit.RPIPriceLevel{Price: in.Price(l.Price), Size: in.Qty(l.Qty), RPISize: in.Qty(l.RPI)})
	}
	return r, nil
}

// book is a book as it was pushed, or an empty one of this moment before the first push.
func (v *view) book(b feed.BookView, pushed bool) feed.BookView {
	if !pushed {
		return feed.BookView{Time: v.now, Matched: v.now}
	}
	return b
}

// levels are the best n levels of a side.
func levels(in *catalog.Instrument, side []engine.Level, n int) []bybit.PriceLevel {
	n = min(n, len(side))
	list := make([]bybit.PriceLevel, 0, n)
	for _, l := range side[:n] {
		list = append(list, bybit.PriceLevel{Price: in.Price(l.Price), Size: in.Qty(l.Qty)})
	}
	return list
}
