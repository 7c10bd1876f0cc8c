package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
)

func TestRun(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v5/market/time":
			http.NotFound(w, r) // this machine's clock has to do
		case r.URL.RequestURI() != "/v5/account/wallet-balance?accountType=UNIFIED", r.Header.Get("X-Bapi-Sign") == "":
			t.Errorf("asked for %s", r.URL)
		default:
			io.WriteString(w, `{"retCode":0,"retMsg":"OK","result":{"list":[{"accountType":"UNIFIED","totalEquity":"3.31216591","coin":[{"coin":"BTC","walletBalance":"0.00010"},{"coin":"USDT","walletBalance":"2"}]}]},"retExtInfo":{},"time":1}`)
		}
	}))
	defer server.Close()
	var out strings.Builder
	err := run(t.Context(), &out, &bybit.Options{
		Environment: bybit.CustomEnvironment("", server.URL), Credentials: &bybit.Credentials{Key: "key", Secret: "secret"},
	})
	if want := "equity 3.31216591 USD\nBTC 0.00010\nUSDT 2\n"; err != nil || out.String() != want {
		t.Errorf("printed %q, %v", out.String(), err)
	}
}
