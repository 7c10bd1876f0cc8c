package earn_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybit/earn"
)

// What flexible savings pay. No key is needed.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"retCode":0,"result":{"list":[
			{"category":"FlexibleSaving","estimateApr":"3%","coin":"BTC","minStakeAmount":"0.00001","productId":"430"}]}}`)
	}))
	defer server.Close()
	client, err := bybit.NewClient(&bybit.Options{Environment: bybit.CustomEnvironment("", server.URL)}) // nil for mainnet
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	products, err := earn.New(client).Products(context.Background(), &earn.ProductsParams{Category: earn.FlexibleSaving})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range products.List {
		fmt.Println(p.Coin, p.EstimateAPR, "from", p.MinStakeAmount)
	}
	// Output: BTC 3 from 0.00001
}
