package bybit_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/bywire/bywire/bybit"
)

// A call that needs no key.
func ExampleMarketService() {
	ctx := context.Background()
	client, err := bybit.NewClient(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	tickers, err := client.Market.Tickers(ctx, &bybit.TickersParams{Category: bybit.Linear, Symbol: bybit.Some("BTCUSDT")})
	if err != nil {
		log.Fatal(err)
	}
	for _, ticker := range tickers.List {
		fmt.Println(ticker.Symbol, ticker.LastPrice, "open interest", ticker.OpenInterest)
	}
}

// Candles of the past, then those of today and each one as it closes.
func ExampleMarketService_history() {
	ctx := context.Background()
	client, err := bybit.NewClient(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	january := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	params := &bybit.KlineParams{
		Category: bybit.Linear, Symbol: "BTCUSDT", Interval: bybit.Interval1h,
		Start: bybit.Some(january), End: bybit.Some(january.AddDate(0, 1, 0)), // the starts of candles, both included
	}
	for candle, err := range client.Market.AllKlines(ctx, params) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(candle.StartTime, candle.ClosePrice)
	}

	live := &bybit.KlinesThenLiveParams{
		Category: bybit.Linear, Symbol: "BTCUSDT", Interval: bybit.Interval1m,
		Start: time.Now().Truncate(24 * time.Hour),
	}
	for candle, err := range client.Market.KlinesThenLive(ctx, live) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(candle.Start, candle.Close)
	}
}
