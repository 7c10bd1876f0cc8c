package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// A client that signs, and what may become of an order.
func ExampleClient_signing() {
	ctx := context.Background()
	credentials, err := bybit.CredentialsFromFile("testnet.json", "") // or CredentialsFromEnv, or a literal
	if err != nil {
		log.Fatal(err)
	}
	client, err := bybit.NewClient(&bybit.Options{Environment: bybit.Testnet(), Credentials: credentials})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ack, err := client.Order.Place(ctx, &bybit.OrderPlaceParams{
		Category: bybit.Linear, Symbol: "BTCUSDT", Side: bybit.Buy, OrderType: bybit.OrderTypeLimit,
		Qty: decimal.MustParse("0.001"), Price: bybit.Some(decimal.MustParse("50000")),
		LinkID: bybit.Some("mine-1"),
	})
	if refused, ok := errors.AsType[*bybit.Error](err); ok {
		log.Fatalf("there is no order: %v", refused)
	}
	if unknown, ok := errors.AsType[*bybit.UnknownError](err); ok {
		log.Fatalf("look for %s before placing another: %v", unknown.Ref.LinkID, err)
	}
	if err != nil {
		log.Fatalf("nothing was sent: %v", err)
	}
	fmt.Println(ack.OrderID)
}

// Pages are asked for as the loop goes on.
func ExampleMarketService_AllInstruments() {
	ctx := context.Background()
	client, err := bybit.NewClient(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for instrument, err := range client.Market.AllInstruments(ctx, &bybit.InstrumentsParams{Category: bybit.Linear}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(instrument.Symbol, instrument.PriceFilter.TickSize)
	}
}

// Any endpoint, with params and a result of one's own.
func ExampleClient_Call() {
	ctx := context.Background()
	client, err := bybit.NewClient(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	var result struct {
		List []struct{ Symbol, LastPrice string }
	}
	params := map[string]any{"category": "spot", "symbol": "BTCUSDT"}
	if err := client.Call(ctx, http.MethodGet, "/v5/market/tickers", params, &result); err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.List[0].LastPrice)
}

// Two clients of one machine share what the exchange allows its address. One of them would
// rather be refused than wait.
func ExampleBudget() {
	ctx := context.Background()
	budget := bybit.NewBudget(nil)
	patient, err := bybit.NewClient(&bybit.Options{Budget: budget})
	if err != nil {
		log.Fatal(err)
	}
	defer patient.Close()
	hasty, err := bybit.NewClient(&bybit.Options{Budget: budget, Limits: bybit.LimitRefuse})
	if err != nil {
		log.Fatal(err)
	}
	defer hasty.Close()

	_, err = hasty.Market.Tickers(ctx, &bybit.TickersParams{Category: bybit.Spot})
	if full, ok := errors.AsType[*bybit.LimitError](err); ok {
		fmt.Println("not sent; there is room in", full.RetryAfter.Round(time.Millisecond))
	}
	for _, use := range budget.Limits() {
		fmt.Printf("%s %s: %d of %d in %s\n", use.Host, use.Op, use.Used, use.Calls, use.Per)
	}
}
