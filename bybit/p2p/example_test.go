package p2p_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybit/p2p"
)

// Who the account is to other traders.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v5/market/time" {
			fmt.Fprintf(w, `{"retCode":0,"result":{"timeNano":"%d"}}`, time.Now().UnixNano())
			return
		}
		io.WriteString(w, `{"ret_code":0,"ret_msg":"SUCCESS","result":{"nickName":"maker","userId":"290120"}}`)
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

	account, err := p2p.New(client).Account(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(account.NickName)
	// Output: maker
}
