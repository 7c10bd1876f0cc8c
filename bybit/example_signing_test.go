package bybit_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// localREST is an exchange on this machine that answers each path with one reply.
func localREST(replies map[string]string) (bybit.Environment, func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v5/market/time" {
			fmt.Fprintf(w, `{"retCode":0,"result":{"timeNano":"%d"}}`, time.Now().UnixNano())
			return
		}
		io.WriteString(w, replies[r.URL.Path])
	}))
	return bybit.CustomEnvironment("", server.URL), server.Close
}

// A key that the user made: the exchange has its public half, the private one signs. It is
// usually read from a file, as CredentialsFromEnv does with BYBIT_PRIVATE_KEY_PATH.
func ExampleCredentials_rsa() {
	environment, stop := localREST(map[string]string{
		"/v5/account/info": `{"retCode":0,"result":{"marginMode":"REGULAR_MARGIN"}}`,
	})
	defer stop()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	client, err := bybit.NewClient(&bybit.Options{
		Environment: environment,
		Credentials: &bybit.Credentials{Key: "myAPIkey0123456789", Signer: key},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	info, err := client.Account.Info(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.MarginMode == bybit.MarginCross)
	// Output: true
}

// A vault keeps a private key and never gives it away. Anything of this shape will do: a
// hardware module, a signing service.
type vault struct{ key *rsa.PrivateKey }

func (v *vault) Public() crypto.PublicKey { return v.key.Public() }

func (v *vault) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	fmt.Printf("signing %d bytes of %s\n", len(digest), opts.HashFunc())
	return v.key.Sign(random, digest, opts)
}

// A key that the program never sees.
func ExampleCredentials_signer() {
	environment, stop := localREST(map[string]string{
		"/v5/account/info": `{"retCode":0,"result":{"marginMode":"PORTFOLIO_MARGIN"}}`,
	})
	defer stop()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	client, err := bybit.NewClient(&bybit.Options{
		Environment: environment,
		Credentials: &bybit.Credentials{Key: "myAPIkey0123456789", Signer: &vault{key}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	info, err := client.Account.Info(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.MarginMode)
	// Output:
	// signing 32 bytes of SHA-256
	// PORTFOLIO_MARGIN
}

// Each item of a batch has an outcome of its own.
func ExampleOrderService_PlaceBatch() {
	environment, stop := localREST(map[string]string{"/v5/order/create-batch": `{"retCode":0,
		"result":{"list":[
			{"category":"linear","symbol":"BTCUSDT","orderId":"1f0c","orderLinkId":"buy-1"},
			{"category":"linear","symbol":"BTCUSDT","orderId":"","orderLinkId":"buy-2"}]},
		"retExtInfo":{"list":[{"code":0,"msg":"OK"},{"code":110007,"msg":"ab not enough for new order"}]}}`,
	})
	defer stop()
	client, err := bybit.NewClient(&bybit.Options{
		Environment: environment,
		Credentials: &bybit.Credentials{Key: "myAPIkey0123456789", Secret: "mySecret"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	order := bybit.OrderToPlace{
		Symbol: "BTCUSDT", Side: bybit.Buy, OrderType: bybit.OrderTypeLimit,
		Qty: decimal.MustParse("0.01"), Price: bybit.Some(decimal.MustParse("60000")),
	}
	first, second := order, order
	first.LinkID, second.LinkID = bybit.Some("buy-1"), bybit.Some("buy-2")
	batch, err := client.Order.PlaceBatch(context.Background(), &bybit.OrderPlaceBatchParams{
		Category: bybit.Linear, Orders: []bybit.OrderToPlace{first, second},
	})
	if err != nil {
		log.Fatal(err) // none of them, or nobody knows: see UnknownError
	}
	for _, item := range batch.Items {
		refused, isRefused := errors.AsType[*bybit.Error](item.Err)
		switch {
		case item.Err == nil:
			fmt.Println(item.LinkID, "is order", item.OrderID)
		case isRefused:
			fmt.Println(item.LinkID, "was refused:", refused.Code, refused.Message)
		default: // ErrOutcomeUnknown
			fmt.Println(item.LinkID, "must be looked for:", item.Err)
		}
	}
	// Output:
	// buy-1 is order 1f0c
	// buy-2 was refused: 110007 ab not enough for new order
}

// Refusals have codes; the exchange lists them under "error" in its documentation.
func ExampleError() {
	environment, stop := localREST(map[string]string{
		"/v5/position/set-leverage": `{"retCode":110043,"retMsg":"leverage not modified","result":{}}`,
	})
	defer stop()
	client, err := bybit.NewClient(&bybit.Options{
		Environment: environment,
		Credentials: &bybit.Credentials{Key: "myAPIkey0123456789", Secret: "mySecret"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	const notModified = 110043
	ten := decimal.MustParse("10")
	err = client.Position.SetLeverage(context.Background(), &bybit.PositionSetLeverageParams{
		Category: bybit.Linear, Symbol: "BTCUSDT", BuyLeverage: ten, SellLeverage: ten,
	})
	refused, ok := errors.AsType[*bybit.Error](err)
	switch {
	case errors.Is(err, bybit.ErrOutcomeUnknown):
		fmt.Println("ask for the position before trying again:", err)
	case ok && refused.Code == notModified:
		fmt.Println("it was 10 already")
	case err != nil:
		fmt.Println(err)
	}
	// Output: it was 10 already
}

// What a budget has left of the limits that calls have met.
func ExampleBudget_Limits() {
	environment, stop := localREST(map[string]string{
		"/v5/market/tickers": `{"retCode":0,"result":{"category":"spot","list":[]}}`,
	})
	defer stop()
	budget := bybit.NewBudget(nil)
	client, err := bybit.NewClient(&bybit.Options{Environment: environment, Budget: budget, Limits: bybit.LimitRefuse})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	_, err = client.Market.Tickers(context.Background(), &bybit.TickersParams{Category: bybit.Spot})
	if full, ok := errors.AsType[*bybit.LimitError](err); ok {
		log.Fatal("not sent; there is room in ", full.RetryAfter)
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, use := range budget.Limits() {
		fmt.Println(use.Used, "of", use.Calls, "in", use.Per)
	}
	// Output: 1 of 600 in 5s
}
