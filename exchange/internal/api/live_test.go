package api

import (
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/core"
)

// TestEndpointsAgreeOnALiveMarket lets the generated market trade over two full minutes, and compares what different endpoints
// say of the same.
func TestEndpointsAgreeOnALiveMarket(t *testing.T) {
	c, err := core.New(core.Config{Seed: 5, Start: start, Only: []string{"spot:BTCUSDT", "linear:BTCUSDT", "inverse:BTCUSD", "option:BTC-27MAR26-*"}})
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(start + 2*int64(time.Minute) + int64(time.Second))
	a := New(c, Options{})
	for _, market := range []struct{ category, symbol string }{{"spot", "BTCUSDT"}, {"linear", "BTCUSDT"}, {"inverse", "BTCUSD"}} {
		where := "?category=" + market.category + "&symbol=" + market.symbol
		in, ok := c.Catalog().Find(bybit.Category(market.category), market.symbol)
		if !ok {
			t.Fatalf("no %s", where)
		}
		ticker := ask[bybit.TickersResult](t, a, "/v5/market/tickers"+where).List[0]
		trades := ask[bybit.TradesResult](t, a, "/v5/market/recent-trade"+where+"&limit=1000").List
		if len(trades) < 3 {
			t.Fatalf("%s: %d trades", where, len(trades))
		}
		minutes := ask[bybit.KlineResult](t, a, "/v5/market/kline"+where+"&interval=1&limit=4").List
		day := ask[bybit.KlineResult](t, a, "/v5/market/kline"+where+"&interval=D&limit=1").List[0]
		if !trades[0].Price.Equal(ticker.LastPrice) || !minutes[0].ClosePrice.Equal(ticker.LastPrice) || !day.ClosePrice.Equal(ticker.LastPrice) {
			t.Errorf("%s: last price %s of the ticker, %s of the trades, %s and %s of the candles", where, ticker.LastPrice, trades[0].Price, minutes[0].ClosePrice, day.ClosePrice)
		}
		if ticker.Ask1Price.Cmp(ticker.Bid1Price) <= 0 || ticker.HighPrice24h.Cmp(ticker.LowPrice24h) <= 0 || ticker.Volume24h.Sign() <= 0 {
			t.Errorf("%s: %+v", where, ticker)
		}
		// Candles join: each opens where the one before closed, also the first live one, and the day's has them all.
		for i := range minutes[:3] {
			if !minutes[i].OpenPrice.Equal(minutes[i+1].ClosePrice) {
				t.Errorf("%s: %s opens at %s, %s closed at %s", where, minutes[i].StartTime, minutes[i].OpenPrice, minutes[i+1].StartTime, minutes[i+1].ClosePrice)
			}
		}
		sums := make(map[int64]decimal.Decimal)
		for i := range trades {
			at := trades[i].Time.Truncate(time.Minute).UnixMilli()
			sum, err := sums[at].Add(trades[i].Size)
			if err != nil {
				t.Fatal(err)
			}
			sums[at] = sum
		}
		for _, candle := range minutes[:2] {
			if oldest := trades[len(trades)-1].Time; !oldest.Before(candle.StartTime) && len(trades) >= 60 {
				continue // not all trades of that minute are kept
			}
			if sum := sums[candle.StartTime.UnixMilli()]; !sum.Equal(candle.Volume) {
				t.Errorf("%s: the candle of %s has the volume %s, its trades %s", where, candle.StartTime, candle.Volume, sum)
			}
		}
		book := ask[bybit.OrderBookResult](t, a, "/v5/market/orderbook"+where+"&limit=1000")
		limits := ask[bybit.PriceLimitResult](t, a, "/v5/market/price-limit"+where)
		if len(book.Bids) < 50 || len(book.Asks) < 50 || book.UpdateID < 10 {
			t.Errorf("%s: %d bids, %d asks, u %d", where, len(book.Bids), len(book.Asks), book.UpdateID)
		}
		if limits.BuyLimit.Cmp(ticker.Ask1Price) < 0 || limits.SellLimit.Cmp(ticker.Bid1Price) > 0 {
			t.Errorf("%s: limits %s and %s around %s and %s", where, limits.SellLimit, limits.BuyLimit, ticker.Bid1Price, ticker.Ask1Price)
		}
		if in.FundingEvery == 0 {
			continue
		}
		interest := ask[bybit.OpenInterestResult](t, a, "/v5/market/open-interest"+where+"&intervalTime=5min&limit=3").List
		mark := ask[bybit.MarkPriceKlineResult](t, a, "/v5/market/mark-price-kline"+where+"&interval=1&limit=1").List
		index := ask[bybit.IndexPriceKlineResult](t, a, "/v5/market/index-price-kline"+where+"&interval=1&limit=1").List
		funding := ask[bybit.FundingHistoryResult](t, a, "/v5/market/funding/history"+where+"&limit=1").List
		if len(interest) != 3 || len(mark) != 1 || len(index) != 1 || len(funding) != 1 {
			t.Fatalf("%s: %d values of open interest, %d marks, %d indices, %d fundings", where, len(interest), len(mark), len(index), len(funding))
		}
		if !mark[0].ClosePrice.Equal(ticker.MarkPrice) || !index[0].ClosePrice.Equal(ticker.IndexPrice) {
			t.Errorf("%s: mark %s and index %s of candles, %s and %s of the ticker", where, mark[0].ClosePrice, index[0].ClosePrice, ticker.MarkPrice, ticker.IndexPrice)
		}
		if next := funding[0].Time.Add(time.Duration(in.FundingEvery)); !next.Equal(ticker.NextFundingTime) {
			t.Errorf("%s: the last funding was at %s, the next is at %s", where, funding[0].Time, ticker.NextFundingTime)
		}
	}
	options := ask[bybit.TickersResult](t, a, "/v5/market/tickers?category=option&baseCoin=BTC").List
	quoted := 0
	for i := range options {
		if v := &options[i]; v.Bid1Size.Sign() > 0 && v.Ask1Size.Sign() > 0 {
			quoted++
			// The maker follows the mark price, and is late by some steps.
			bid, ask, mark := v.Bid1Price.Float64(), v.Ask1Price.Float64(), v.MarkPrice.Float64()
			if spread := ask - bid; bid > mark+spread || ask < mark-spread {
				t.Errorf("%s: mark %s, far outside of %s and %s", v.Symbol, v.MarkPrice, v.Bid1Price, v.Ask1Price)
			}
		}
	}
	if quoted < 10 {
		t.Errorf("%d of %d options have a bid and an ask", quoted, len(options))
	}
}
