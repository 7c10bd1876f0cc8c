package bybit_test

import (
	"context"
	"fmt"
	"log"

	"github.com/bywire/bywire/bybit"
)

// A stream of two topics. It runs until the program ends: connections that are
// lost are replaced, and what was missed is an event.
func ExampleClient_Public() {
	ctx := context.Background()
	client, err := bybit.NewClient(nil) // nil: mainnet, public data
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	stream, err := client.Public(ctx, bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range stream.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch e := event.(type) {
		case *bybit.BookEvent:
			bid, err := e.Book.BestBid()
			if err != nil {
				continue // a side can be empty
			}
			fmt.Println(e.Symbol, "best bid", bid.Price, "for", bid.Size)
		case *bybit.TradesEvent:
			for _, trade := range e.Trades {
				fmt.Println(e.Topic.Symbol(), trade.Side, trade.Size, "at", trade.Price)
			}
		case *bybit.GapEvent:
			fmt.Println(e.Topic, "missed something:", e.Reason)
		}
	}
}
