// Command twochannels reads two channels in one loop: the spot order book and the
// linear ticker of bitcoin. It prints what a perpetual costs above the coin:
//
//	go run ./examples/twochannels [-ws ws://127.0.0.1:8787]
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
	"github.com/bywire/bywire/decimal"
)

// run follows both until ctx or the replay ends.
func run(ctx context.Context, out io.Writer, options *bybit.Options) error {
	client, err := bybit.NewClient(options)
	if err != nil {
		return err
	}
	defer client.Close()
	spot, err := client.Public(ctx, bybit.Spot, nil, bybit.OrderBook(1, "BTCUSDT"))
	if err != nil {
		return err
	}
	linear, err := client.Public(ctx, bybit.Linear, nil, bybit.Tickers("BTCUSDT"))
	if err != nil {
		return err
	}
	var coin, perpetual, printed decimal.Decimal // absent while unknown
	for event, err := range bybit.Merge(spot, linear).Events(ctx) {
		switch e := event.(type) {
		case *bybit.BookEvent:
			coin, _ = e.Book.Mid() // absent while a side is empty
		case *bybit.TickerEvent:
			perpetual = e.LastPrice
		case *bybit.GapEvent:
			fmt.Fprintf(out, "%v missed something: %s\n", e.Topic, e.Reason)
			coin, perpetual = decimal.Decimal{}, decimal.Decimal{}
		case *bybit.RejectedEvent:
			return e.Err
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, bybit.ErrEndOfCapture) {
			return err
		}
		basis, err := perpetual.Sub(coin)
		if err == nil && coin.IsSet() && perpetual.IsSet() && !basis.Equal(printed) {
			fmt.Fprintf(out, "perpetual %v, coin %v, basis %v\n", perpetual, coin, basis)
			printed = basis
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
