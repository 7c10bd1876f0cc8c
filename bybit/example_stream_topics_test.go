package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
)

// localVenue is a server in memory that sends frames for each topic when it is
// subscribed, and ends the connection at the end of them if it is told to.
func localVenue(frames map[string][]string, hangUp bool) (*bybit.Options, func()) {
	v := newVenue(nil)
	sent := 0
	v.onJoin = func(c *venueConn, topic string) {
		c.send(frames[topic]...)
		if sent++; hangUp && sent == len(frames) {
			c.close(1000, "maintenance")
		}
	}
	return &bybit.Options{Environment: v.env, DialContext: v.ln.Dial}, v.stop
}

// Many symbols share one stream, which keeps the order within each topic. A
// book is read inside the loop; what is to be kept is copied out of it.
func ExampleClient_Public_manySymbols() {
	options, stop := localVenue(map[string][]string{
		"orderbook.50.BTCUSDT": {snapshot("BTCUSDT", 1, "2.5"), delta("BTCUSDT", 2, "3")},
		"orderbook.50.ETHUSDT": {snapshot("ETHUSDT", 1, "40")},
		"orderbook.50.SOLUSDT": {snapshot("SOLUSDT", 1, "700")},
	}, false)
	defer stop()
	ctx := context.Background()
	client, err := bybit.NewClient(options)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	var topics []bybit.Topic
	for _, symbol := range []string{"BTCUSDT", "ETHUSDT", "SOLUSDT"} {
		topics = append(topics, bybit.OrderBook(50, symbol))
	}
	stream, err := client.Public(ctx, bybit.Linear, nil, topics...)
	if err != nil {
		log.Fatal(err)
	}
	best := map[string]book.Level{}
	for seen := 0; seen < 4; {
		event, err := stream.Recv(ctx)
		if err != nil {
			log.Fatal(err)
		}
		e, ok := event.(*bybit.BookEvent)
		if !ok {
			continue
		}
		seen++
		if bid, err := e.Book.BestBid(); err == nil {
			best[e.Symbol] = bid
		}
	}
	for _, topic := range topics {
		symbol := topic.Symbol()
		fmt.Println(symbol, best[symbol].Price, "x", best[symbol].Size)
	}
	// Output:
	// BTCUSDT 100 x 3
	// ETHUSDT 100 x 40
	// SOLUSDT 100 x 700
}

// A gap says where something is missing and why. What follows is consistent: a
// program that derives a state of its own from the events starts it anew here.
func ExampleGapEvent() {
	options, stop := localVenue(map[string][]string{
		"orderbook.50.BTCUSDT": {snapshot("BTCUSDT", 7, "1"), delta("BTCUSDT", 9, "2")}, // 8 is missing
		"publicTrade.BTCUSDT":  {tradeFrame("BTCUSDT", 1)},
	}, true)
	defer stop()
	ctx := context.Background()
	client, err := bybit.NewClient(options)
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
			fmt.Println("book", e.ID)
		case *bybit.TradesEvent:
			fmt.Println("trades", len(e.Trades))
		case *bybit.GapEvent:
			fmt.Println("gap", e.Topic, e.Reason)
			if fault, ok := errors.AsType[*book.Error](e.Err); ok {
				fmt.Println("  ", fault)
			}
			if closed, ok := errors.AsType[*bybit.CloseError](e.Err); ok && strings.HasPrefix(e.Topic.String(), "publicTrade") {
				fmt.Println("  ", closed.Reason)
				return // or go on: the stream connects again by itself
			}
		}
	}
	// Output:
	// book 7
	// gap orderbook.50.BTCUSDT book
	//    book: gap: update id 9, want 8
	// trades 1
	// gap orderbook.50.BTCUSDT disconnected
	// gap publicTrade.BTCUSDT disconnected
	//    maintenance
}

// A replay of a capture, started with
//
//	bywire replay DIR --listen 127.0.0.1:8787 --speed max
//
// is a deployment like any other. OverflowWait lets it go as fast as the loop
// does, without losing anything; at the end it closes with code 1000.
func ExampleCustomEnvironment() {
	ctx := context.Background()
	client, err := bybit.NewClient(&bybit.Options{
		Environment: bybit.CustomEnvironment("ws://127.0.0.1:8787", ""),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	stream, err := client.Public(ctx, bybit.Linear, &bybit.StreamOptions{Overflow: bybit.OverflowWait},
		bybit.OrderBook(500, "BTCUSDT")) // a depth of old recordings
	if err != nil {
		log.Fatal(err)
	}
	books := 0
	for event, err := range stream.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch e := event.(type) {
		case *bybit.BookEvent:
			books++
		case *bybit.GapEvent:
			if closed, ok := errors.AsType[*bybit.CloseError](e.Err); ok && closed.Code == 1000 {
				fmt.Println("the end, after", books, "books")
				return
			}
		}
	}
}
