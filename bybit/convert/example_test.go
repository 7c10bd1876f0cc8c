package convert_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybit/convert"
	"github.com/bywire/bywire/decimal"
)

// A quote, and its confirmation.
func Example() {
	replies := map[string]string{
		"/v5/asset/exchange/quote-apply":     `{"retCode":0,"result":{"quoteTxId":"1010","exchangeRate":"0.053","fromCoin":"ETH","toCoin":"BTC","toAmount":"0.0053"}}`,
		"/v5/asset/exchange/convert-execute": `{"retCode":0,"result":{"exchangeStatus":"processing","quoteTxId":"1010"}}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v5/market/time" {
			fmt.Fprintf(w, `{"retCode":0,"result":{"timeNano":"%d"}}`, time.Now().UnixNano())
			return
		}
		io.WriteString(w, replies[r.URL.Path])
	}))
	defer server.Close()
	client, err := bybit.NewClient(&bybit.Options{
		Environment: bybit.CustomEnvironment("", server.URL), // or Testnet()
		Credentials: &bybit.Credentials{Key: "myAPIkey0123456789", Secret: "mySecret"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	exchange := convert.New(client)

	quote, err := exchange.Quote(ctx, &convert.QuoteParams{
		FromCoin: "ETH", ToCoin: "BTC", AccountType: convert.WalletUnified,
		RequestCoin: "ETH", RequestAmount: decimal.MustParse("0.1"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("0.1 ETH are", quote.ToAmount, "BTC")
	confirmed, err := exchange.Confirm(ctx, &convert.ConfirmParams{QuoteTxID: quote.QuoteTxID})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(confirmed.ExchangeStatus)
	// Output:
	// 0.1 ETH are 0.0053 BTC
	// processing
}
