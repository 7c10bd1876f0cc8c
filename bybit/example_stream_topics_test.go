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
// subscribed. After the last of them it ends the connection with code 1000 and
// the reason, unless that is empty.
func localVenue(frames map[string][]string, reason string) (*bybit.Options, func()) {
	v := newVenue(nil)
	sent := 0
	v.onJoin = func(c *venueConn, topic string) {
		c.send(frames[topic]...)
		if sent++; reason != "" && sent == len(frames) {
			c.close(1000, reason)
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
	}, "")
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
	}, "maintenance")
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
// does, without losing anything; at its end the stream ends. (Here the network
// is one in memory; options without a DialContext reach the real one.)
func ExampleCustomEnvironment() {
	options, stop := localVenue(map[string][]string{
		"orderbook.500.BTCUSDT": {deep(snapshot("BTCUSDT", 1, "2.5")), deep(delta("BTCUSDT", 2, "3")), deep(delta("BTCUSDT", 3, "1"))},
	}, "end of capture")
	defer stop()
	options.Environment = bybit.CustomEnvironment("ws://127.0.0.1:8787", "")

	ctx := context.Background()
	client, err := bybit.NewClient(options)
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
		if errors.Is(err, bybit.ErrEndOfCapture) {
			fmt.Println("the end, after", books, "books")
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		if _, ok := event.(*bybit.BookEvent); ok {
			books++
		}
	}
	// Output:
	// the end, after 3 books
}

// deep makes a book of 500 levels of one of 50.
func deep(frame string) string { return strings.Replace(frame, "orderbook.50.", "orderbook.500.", 1) }

// Books and trades of two symbols in one loop: one connection, one consumer, and
// each topic in its order.
func ExampleStream_Events() {
	options, stop := localVenue(map[string][]string{
		"orderbook.50.BTCUSDT": {snapshot("BTCUSDT", 1, "2.5"), delta("BTCUSDT", 2, "3")},
		"publicTrade.BTCUSDT":  {tradeFrame("BTCUSDT", 1001)},
		"orderbook.50.ETHUSDT": {snapshot("ETHUSDT", 1, "40")},
		"publicTrade.ETHUSDT":  {tradeFrame("ETHUSDT", 2001), tradeFrame("ETHUSDT", 2002)},
	}, "end of capture")
	defer stop()
	ctx := context.Background()
	client, err := bybit.NewClient(options)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	stream, err := client.Public(ctx, bybit.Linear, nil,
		bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"),
		bybit.OrderBook(50, "ETHUSDT"), bybit.Trades("ETHUSDT"))
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range stream.Events(ctx) {
		if err != nil {
			fmt.Println(err) // a replay's end; the exchange's stream ends with Close only
			break
		}
		switch e := event.(type) {
		case *bybit.BookEvent:
			bid, err := e.Book.BestBid()
			if err != nil {
				continue // a side can be empty
			}
			fmt.Println(e.Symbol, "bid", bid.Price, "x", bid.Size)
		case *bybit.TradesEvent:
			for _, trade := range e.Trades {
				fmt.Println(e.Topic.Symbol(), trade.Side, trade.Size, "at", trade.Price)
			}
		case *bybit.GapEvent:
			fmt.Println(e.Topic, "missed something:", e.Reason)
		}
	}
	// Output:
	// BTCUSDT bid 100 x 2.5
	// BTCUSDT bid 100 x 3
	// BTCUSDT Buy 0.5 at 100.5
	// ETHUSDT bid 100 x 40
	// ETHUSDT Buy 0.5 at 100.5
	// ETHUSDT Buy 0.5 at 100.5
	// end of capture
}
