package bybit_test

import (
	"context"
	"fmt"
	"log"

	"github.com/bywire/bywire/bybit"
)

func ExampleMerge_channels() {
	ctx := context.Background()
	client, err := bybit.NewClient(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	spot, err := client.Public(ctx, bybit.Spot, nil, bybit.OrderBook(1, "BTCUSDT"))
	if err != nil {
		log.Fatal(err)
	}
	perpetual, err := client.Public(ctx, bybit.Linear, nil, bybit.Tickers("BTCUSDT"))
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range bybit.Merge(spot, perpetual).Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch e := event.(type) {
		case *bybit.BookEvent:
			mid, err := e.Book.Mid()
			fmt.Println("spot", mid, err)
		case *bybit.TickerEvent:
			fmt.Println("perpetual", e.LastPrice, "funding", e.FundingRate)
		}
	}
}
