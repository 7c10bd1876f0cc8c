package api

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/endpoints"
	"github.com/bywire/bywire/internal/wire"
)

var update = flag.Bool("update", false, "rewrite the table of docs/fidelity.md")

const (
	tableBegins = "<!-- made by: go test ./exchange/internal/api -run TestFidelityPage -update -->\n"
	tableEnds   = "<!-- end -->\n"
)

// TestFidelityPage holds the page's table to the code.
func TestFidelityPage(t *testing.T) {
	page := filepath.Join("..", "..", "..", "docs", "fidelity.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), tableBegins)
	_, tail, ended := strings.Cut(rest, tableEnds)
	if !ok || !ended {
		t.Fatalf("%s has no table between %q and %q", page, tableBegins, tableEnds)
	}
	want := head + tableBegins + Fidelity() + tableEnds + tail
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s is stale: run go test ./exchange/internal/api -run TestFidelityPage -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestEveryMarketEndpointIsServed: nothing of the market's REST is left out in silence.
func TestEveryMarketEndpointIsServed(t *testing.T) {
	paths := make(map[string]bool)
	for _, e := range served {
		if paths[e.path] {
			t.Errorf("%s stands twice", e.path)
		}
		paths[e.path] = true
	}
	for _, e := range endpoints.All() {
		market := strings.HasPrefix(e.Path, "/v5/market/") || e.Path == "/v5/announcements/index" || e.Path == "/v5/system/status" ||
			strings.HasPrefix(e.Path, "/v5/spread/") && e.Auth == "public"
		if market != paths[e.Path] {
			t.Errorf("%s: served %v, want %v", e.Path, paths[e.Path], market)
		}
	}
}

// TestServedTopicsExist holds the table of topics to the feed: on each channel of a row there is such a topic, and on no
// channel one of a row that is not simulated.
func TestServedTopicsExist(t *testing.T) {
	m := newRig(t)
	symbol := map[wire.Channel]string{
		wire.Spot: "BTCUSDT", wire.Linear: "BTCUSDT", wire.Inverse: "BTCUSD", wire.Option: m.catalog.All(bybit.Option)[0].Symbol, wire.Spread: "BTCUSDT_BTC/USDT",
	}
	group := map[wire.Channel]string{wire.Linear: "USDT", wire.Inverse: "inverse"}
	for i := range topics {
		row := &topics[i]
		for _, ch := range row.channels {
			fill := strings.NewReplacer("{symbol}", symbol[ch], "{group}", group[ch], "{baseCoin}", "BTC")
			for _, name := range row.each(ch) {
				if _, found := m.feed.Topic(ch, fill.Replace(name)); found != row.served {
					t.Errorf("%s on %s: there is a topic: %v, want %v", fill.Replace(name), ch, found, row.served)
				}
			}
		}
	}
}
