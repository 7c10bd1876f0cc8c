// Command booksandtrades prints each trade of two symbols beside the order book
// in which it happened:
//
//	go run ./examples/booksandtrades [-ws ws://127.0.0.1:8787]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/bywire/bywire/bybit"
)

// run follows the market until ctx or the replay ends.
func run(ctx context.Context, out io.Writer, options *bybit.Options) error {
	client, err := bybit.NewClient(options)
	if err != nil {
		return err
	}
	defer client.Close()
	stream, err := client.Public(ctx, bybit.Linear, nil,
		bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"),
		bybit.OrderBook(50, "ETHUSDT"), bybit.Trades("ETHUSDT"))
	if err != nil {
		return err
	}
	touch := map[string]string{} // a book is valid until the next event: what is needed later is copied
	for event, err := range stream.Events(ctx) {
		switch e := event.(type) {
		case *bybit.BookEvent:
			bid, bidErr := e.Book.BestBid()
			ask, askErr := e.Book.BestAsk()
			if bidErr == nil && askErr == nil { // a side can be empty
				touch[e.Symbol] = fmt.Sprintf(", between %v and %v", bid.Price, ask.Price)
			}
		case *bybit.TradesEvent:
			for _, trade := range e.Trades {
				fmt.Fprintf(out, "%s %s %v at %v%s\n", trade.Symbol, trade.Side, trade.Size, trade.Price, touch[trade.Symbol])
			}
		case *bybit.GapEvent:
			delete(touch, e.Topic.Symbol()) // what was known is old
			fmt.Fprintf(out, "%v missed something: %s\n", e.Topic, e.Reason)
		case *bybit.RejectedEvent:
			fmt.Fprintf(out, "not subscribed: %v\n", e.Err)
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, bybit.ErrEndOfCapture) {
			return err
		}
	}
	return nil
}

func main() {
	env := flag.String("env", "mainnet", "deployment: mainnet, testnet, or a region such as tr")
	url := flag.String("ws", "", "base URL of a replay instead, such as ws://127.0.0.1:8787")
	flag.Parse()
	environment, err := bybit.EnvironmentNamed(*env)
	if *url != "" {
		environment, err = bybit.CustomEnvironment(*url, ""), nil
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		err = run(ctx, os.Stdout, &bybit.Options{Environment: environment})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
