package bybit_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/memnet"
)

// benchVenue answers every request alike, over the in-memory network.
func benchVenue(b *testing.B) *memnet.Listener {
	ln := memnet.Listen("rest")
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		io.WriteString(w, plainReply)
	})}
	go srv.Serve(ln)
	b.Cleanup(func() { srv.Close() })
	return ln
}

// BenchmarkNetHTTPGet is a GET with package net/http alone: what a signed call is compared
// with.
func BenchmarkNetHTTPGet(b *testing.B) {
	ln := benchVenue(b)
	client := &http.Client{Transport: &http.Transport{DialContext: ln.Dial}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	for b.Loop() {
		resp, err := client.Get("http://rest/v5/order/realtime?category=linear&symbol=BTCUSDT")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}

// benchParams encodes itself as generated params do.
type benchParams struct{}

func (*benchParams) AppendQuery(dst []byte) ([]byte, error) {
	return append(dst, "category=linear&symbol=BTCUSDT"...), nil
}

// BenchmarkSignedGet is the same as a signed call: encoded, counted against the limits,
// signed, taken out of its envelope.
func BenchmarkSignedGet(b *testing.B) {
	ln := benchVenue(b)
	client, err := bybit.NewClient(&bybit.Options{
		Environment: bybit.CustomEnvironment("", "http://localhost"), DialContext: ln.Dial, Credentials: testCredentials(),
		Budget: bybit.NewBudget(&bybit.BudgetOptions{Requests: 1 << 20}),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	params := &benchParams{}
	var result json.RawMessage
	b.ReportAllocs()
	for b.Loop() {
		if err := client.Call(b.Context(), http.MethodGet, "/v5/order/benchmark", params, &result); err != nil {
			b.Fatal(err)
		}
	}
}
