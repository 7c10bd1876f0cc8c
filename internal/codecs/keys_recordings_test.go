//go:build recordings

package codecs_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/recordings"
)

// servedByExchange says which endpoints a server writes, so that their keys and the order of them count.
func servedByExchange(d *documented) bool {
	if d.Method != http.MethodGet {
		return false
	}
	switch d.Path {
	case "/v5/announcements/index", "/v5/system/status", "/v5/spread/instrument", "/v5/spread/orderbook", "/v5/spread/tickers", "/v5/spread/recent-trade":
		return true
	}
	return strings.HasPrefix(d.Path, "/v5/market/")
}

// keyExceptions are the objects of documented replies that are written with other keys, or in another order.
var keyExceptions = map[string]string{
	"GET /v5/market/instruments-info list[]": "displayName and forbidUplWithdrawal of linear are documented, and in the reply of September 2026; the examples are older",
	"GET /v5/market/tickers list[]":          "singleOpenInterest and its value are documented, and in the reply of September 2026; the example is older",
	"GET /v5/market/risk-limit ":             "nextPageCursor is documented; the example of 2022 lacks it",
}

// TestDocumentedKeysAreWritten decodes the documented replies of the endpoints that the exchange serves and encodes them
// again: the same keys in the same order, none more.
func TestDocumentedKeysAreWritten(t *testing.T) {
	ours := byOp()
	used := make(map[string]bool)
	n := 0
	for _, d := range readDocumentation(t) {
		if !servedByExchange(&d) {
			continue
		}
		e := ours[d.op()]
		for _, example := range d.replies() {
			n++
			body := example
			if !e.Whole {
				var envelope struct{ Result json.RawMessage }
				if err := json.Unmarshal(example, &envelope); err != nil {
					t.Fatal(err)
				}
				body = envelope.Result
			}
			r := e.Result()
			if err := r.Decode(body); err != nil {
				t.Errorf("%s: %v", d.op(), err)
				continue
			}
			want, got := recordings.Keys(t, body), recordings.Keys(t, r.AppendJSON(nil))
			for _, path := range slices.Sorted(mapsKeys(want, got)) {
				w, g := strings.Join(want[path], " "), strings.Join(got[path], " ")
				if e.Whole && path == "" {
					w = strings.TrimPrefix(w, "retCode retMsg ")
				}
				if w == g {
					continue
				}
				name := d.op() + " " + path
				if keyExceptions[name] != "" {
					used[name] = true
					continue
				}
				t.Errorf("%s (%s):\nwant %s\ngot  %s", name, d.Doc, w, g)
			}
		}
	}
	for name := range keyExceptions {
		if !used[name] {
			t.Errorf("%s is no exception any more", name)
		}
	}
	if n < 30 {
		t.Errorf("%d examples, at least 30", n)
	}
}

func mapsKeys(a, b map[string][]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range a {
			if !yield(k) {
				return
			}
		}
		for k := range b {
			if _, both := a[k]; !both && !yield(k) {
				return
			}
		}
	}
}
