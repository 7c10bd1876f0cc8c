// Command alert watches funding rates. It says when one rises above 0.05 %, and when
// it has fallen below 0.03 % again:
//
//	go run ./examples/alert [-ws ws://127.0.0.1:8787]
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
	"github.com/bywire/bywire/decimal"
)

// run watches until ctx or the replay ends. There are two bounds, so that a rate
// that hovers around one of them is one alert.
func run(ctx context.Context, out io.Writer, options *bybit.Options) error {
	high, low := decimal.MustParse("0.0005"), decimal.MustParse("0.0003")
	client, err := bybit.NewClient(options)
	if err != nil {
		return err
	}
	defer client.Close()
	stream, err := client.Public(ctx, bybit.Linear, nil,
		bybit.Tickers("BTCUSDT"), bybit.Tickers("ETHUSDT"), bybit.Tickers("SOLUSDT"))
	if err != nil {
		return err
	}
	alarmed := map[string]bool{}
	for event, err := range stream.Events(ctx) {
		switch e := event.(type) {
		case *bybit.TickerEvent: // its fields are the state: a push carries what has changed
			rate, clock := e.FundingRate, e.Time.Format(time.TimeOnly)
			switch {
			case !rate.IsSet():
			case !alarmed[e.Symbol] && rate.Cmp(high) > 0:
				alarmed[e.Symbol] = true
				fmt.Fprintf(out, "%s ALERT %s pays %v at %v\n", clock, e.Symbol, rate, e.LastPrice)
			case alarmed[e.Symbol] && rate.Cmp(low) < 0:
				alarmed[e.Symbol] = false
				fmt.Fprintf(out, "%s calm %s pays %v\n", clock, e.Symbol, rate)
			}
		case *bybit.GapEvent: // a watch that sees nothing says so
			fmt.Fprintf(out, "BLIND %v: %s\n", e.Topic, e.Reason)
		case *bybit.RejectedEvent:
			fmt.Fprintf(out, "not watched: %v\n", e.Err)
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
