package api

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bywire/bywire/internal/endpoints"
)

// topics are the topics of WebSocket, as the table of docs/fidelity.md has them.
var topics = []struct {
	name, channels string
	served         bool
	missing        string
}{
	{name: "orderbook.{depth}.{symbol}", channels: "spot, linear, inverse, option, spread", served: true},
	{name: "orderbook.rpi.{symbol}", channels: "spot, linear, inverse", served: true},
	{name: "orderbook.full.{symbol}", channels: "spot, linear, inverse", served: true},
	{name: "publicTrade.{symbol}", channels: "spot, linear, inverse, spread; of a coin on option", served: true},
	{name: "tickers.{symbol}", channels: "spot, linear, inverse, option, spread", served: true},
	{name: "kline.{interval}.{symbol}", channels: "spot, linear, inverse", served: true},
	{name: "allLiquidation.{symbol}", channels: "linear, inverse", served: true},
	{name: "insurance.{group}", channels: "linear, inverse", served: true},
	{name: "adlAlert.{group}", channels: "linear, inverse", served: true},
	{name: "priceLimit.{symbol}", channels: "spot, linear, inverse", served: true},
	{name: "system.status", channels: "misc/status", served: true, missing: "nothing announces a maintenance yet"},
	{name: "rfq.open.public.trades", channels: "rfq", served: true, missing: "nobody makes block trades yet"},
	{name: "earn.dualassets.offers, earn.smartleverage.offers, earn.doublewin.offers, earn.discountbuy.offers", channels: "fp"},
	{name: "all private topics", channels: "private"},
	{name: "order.create, order.amend, order.cancel and their batches", channels: "trade"},
}

// Fidelity is the table of docs/fidelity.md that says which endpoints and topics are simulated.
func Fidelity() string {
	var b strings.Builder
	b.WriteString("| endpoint | | what is missing |\n|---|---|---|\n")
	for _, e := range slices.SortedFunc(slices.Values(served), func(a, b endpoint) int { return cmp.Compare(a.path, b.path) }) {
		fmt.Fprintf(&b, "| GET `%s` | %s | %s |\n", e.path, extent(true, e.missing), e.missing)
	}
	others := make(map[string]int)
	for _, e := range endpoints.All() {
		if !slices.ContainsFunc(served, func(s endpoint) bool { return s.path == e.Path }) {
			group, _, _ := strings.Cut(strings.TrimPrefix(e.Path, "/v5/"), "/")
			others[group]++
		}
	}
	for _, group := range slices.Sorted(maps.Keys(others)) {
		fmt.Fprintf(&b, "| `/v5/%s/...`, %s | not simulated | |\n", group, counted(others[group], "endpoint"))
	}
	b.WriteString("\n| topic | channels | | what is missing |\n|---|---|---|---|\n")
	for _, t := range topics {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", t.name, t.channels, extent(t.served, t.missing), t.missing)
	}
	return b.String()
}

func extent(served bool, missing string) string {
	switch {
	case !served:
		return "not simulated"
	case missing != "":
		return "partly"
	}
	return "simulated"
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
