// Command manysymbols follows trades, best prices and tickers of a hundred symbols
// in one stream. Every ten seconds it says what has happened:
//
//	go run ./examples/manysymbols [-ws ws://127.0.0.1:8787]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/bywire/bywire/bybit"
)

// run follows the symbols until ctx or the replay ends.
func run(ctx context.Context, out io.Writer, options *bybit.Options) error {
	client, err := bybit.NewClient(options)
	if err != nil {
		return err
	}
	defer client.Close()
	// However many they are: the stream knows what one request and one connection take.
	stream, err := client.Public(ctx, bybit.Linear, nil, topics()...)
	if err != nil {
		return err
	}
	var books, trades, tickers, gaps, rejected int
	last := map[string]string{}
	next := time.Now().Add(10 * time.Second)
	for event, err := range stream.Events(ctx) {
		switch e := event.(type) {
		case *bybit.BookEvent:
			books++
		case *bybit.TradesEvent:
			trades += len(e.Trades)
		case *bybit.TickerEvent:
			tickers++
			last[e.Symbol] = e.LastPrice.String()
		case *bybit.GapEvent:
			gaps++
		case *bybit.RejectedEvent:
			rejected++
		}
		if err != nil || time.Now().After(next) {
			fmt.Fprintf(out, "%d symbols with a price: %d books, %d trades, %d tickers; %d gaps, %d topics rejected\n",
				len(last), books, trades, tickers, gaps, rejected)
			next = next.Add(10 * time.Second)
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
