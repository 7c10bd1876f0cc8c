//go:build recordings

package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/internal/codecs"
	"github.com/bywire/bywire/internal/recordings"
)

// replaced are parts of documented requests that ask for contracts or times that this market does not have.
var replaced = strings.NewReplacer(
	"ETH-26DEC22-1400-C", "$DELIVERED",
	"ETH-3JAN23-1250-P", "$OPTION", "BTC-30DEC22-18000-C", "$OPTION",
	"BTCUSDZ22", "$FUTURE",
	"ETHPERP", "BTCPERP",
	"1000BTTUSDT", "BTCUSDT",
	"start=1670601600000&end=1670608800000", "start=$FROM&end=$TO",
	"startTime=1696089600000&endTime=1696262400000", "startTime=$FROM&endTime=$TO",
)

// keyExceptions are objects whose keys differ from those of the documented example.
var keyExceptions = map[string]string{
	"/v5/market/instruments-info result.list[]": "displayName, forbidUplWithdrawal and symbolId are documented, the last three members recorded; all are newer than the examples",
	"/v5/market/tickers result.list[]":          "singleOpenInterest and its value are documented, and newer than the example",
	"/v5/market/risk-limit result":              "nextPageCursor is documented, and newer than the example",
	"/v5/announcements/index result.list[]":     "publishTime is documented, and newer than the example",
}

// TestDocumentedRequestsAreServed plays the documented request of each endpoint. The reply has the keys of the documented
// one in the same order, and the SDK reads all of it.
func TestDocumentedRequestsAreServed(t *testing.T) {
	text, err := os.ReadFile(recordings.Path(t, "spec/rest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Endpoints []struct {
			Method, Path string
			Request      json.RawMessage `json:"example_request"` // a text; objects are bodies of POST
			Reply        json.RawMessage `json:"example_response"`
			Requests     []example       `json:"example_requests"`
			Replies      []example       `json:"example_responses"`
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	types := make(map[string]codecs.Endpoint)
	for _, e := range codecs.All() {
		types[e.Method+" "+e.Path] = e
	}
	a, names := exampleMarket(t)
	used := make(map[string]bool)
	n := 0
	for _, d := range file.Endpoints {
		if d.Method != http.MethodGet || !slices.ContainsFunc(served, func(e endpoint) bool { return e.path == d.Path }) {
			continue
		}
		query := ""
		if len(d.Request) > 0 {
			if err := json.Unmarshal(d.Request, &query); err != nil { // null leaves it
				t.Fatal(err)
			}
		}
		requests, replies := []string{query}, []json.RawMessage{d.Reply}
		for i, r := range d.Requests {
			// The second of two examples of linear is of a contract before its listing, which no request goes with.
			if reply := d.Replies[min(len(d.Replies)-1, i+len(d.Replies)-len(d.Requests))]; i > 0 {
				requests, replies = append(requests, *r.text(t)), append(replies, reply.Value)
			}
		}
		for i, query := range requests {
			n++
			query = names.Replace(replaced.Replace(query))
			r := a.Serve(&Request{Method: http.MethodGet, Path: d.Path, Query: query})
			want, got := recordings.Keys(t, replies[i]), recordings.Keys(t, r.Body)
			for _, path := range slices.Sorted(maps.Keys(want)) {
				if slices.Equal(want[path], got[path]) {
					continue
				}
				if name := d.Path + " " + path; keyExceptions[name] != "" && missing(want[path], got[path]) == nil {
					used[name] = true
					continue
				}
				t.Errorf("%s?%s: %s\nwant %s\ngot  %s\nin   %.600s", d.Path, query, path, want[path], got[path], r.Body)
			}
			var envelope struct {
				RetCode int
				RetMsg  string
				Result  json.RawMessage
			}
			if err := json.Unmarshal(r.Body, &envelope); err != nil || envelope.RetCode != 0 {
				t.Errorf("%s?%s: %v, %.300s", d.Path, query, err, r.Body)
				continue
			}
			var example struct{ RetMsg string }
			if err := json.Unmarshal(replies[i], &example); err != nil || envelope.RetMsg != example.RetMsg {
				t.Errorf("%s?%s: retMsg %q, want %q", d.Path, query, envelope.RetMsg, example.RetMsg)
			}
			e := types["GET "+d.Path]
			body := []byte(envelope.Result)
			if e.Whole {
				body = r.Body
			}
			if err := e.Result().Decode(body); err != nil {
				t.Errorf("%s?%s: %v in %.300s", d.Path, query, err, r.Body)
			}
		}
	}
	for name := range keyExceptions {
		if !used[name] {
			t.Errorf("%s is no exception any more", name)
		}
	}
	if n < len(served)-1 {
		t.Errorf("%d requests for %d endpoints", n, len(served))
	}
}

// missing returns the keys of want that got does not have.
func missing(want, got []string) (list []string) {
	for _, key := range want {
		if !slices.Contains(got, key) {
			list = append(list, key)
		}
	}
	return list
}

// example is one of several examples.
type example struct {
	Label string
	Value json.RawMessage
}

func (e *example) text(t *testing.T) *string {
	t.Helper()
	s := new(string)
	if err := json.Unmarshal(e.Value, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// exampleMarket is a market in which something has happened, and the names of what the documented requests ask for.
func exampleMarket(t *testing.T) (*API, *strings.Replacer) {
	t.Helper()
	m := newRig(t)
	delivered := m.catalog.At(m.roll()[0])
	option := m.catalog.All(bybit.Option)[0]
	future := m.catalog.All(bybit.Inverse)[slices.IndexFunc(m.catalog.All(bybit.Inverse), func(in *catalog.Instrument) bool { return in.Kind == catalog.Future })]
	for _, in := range []*catalog.Instrument{
		option, future, m.find(bybit.Spot, "BTCUSDT"), m.find(bybit.Linear, "BTCUSDT"), m.find(bybit.Inverse, "BTCUSD"), m.find(bybit.Spread, "SOLUSDT_SOL/USDT"),
	} {
		m.ladder(in, 1000, 30)
		m.place(in, engine.Buy, engine.IOC, 1002, 2)
	}
	if _, err := m.feed.Maintain(m.now, feed.Notice{Title: "upgrade", State: "scheduled", Begin: m.now, End: m.now + hour, ServiceTypes: []int64{1}, Products: []int64{1}}); err != nil {
		t.Fatal(err)
	}
	m.advance(time.Minute)
	ms := func(at int64) string { return strconv.FormatInt(at/1e6, 10) }
	return New(m, Options{}), strings.NewReplacer(
		"$DELIVERED", delivered.Symbol, "$OPTION", option.Symbol, "$FUTURE", future.Symbol, "$FROM", ms(start-48*hour), "$TO", ms(start),
	)
}
