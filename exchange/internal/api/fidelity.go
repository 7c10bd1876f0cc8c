package api

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/internal/endpoints"
	"github.com/bywire/bywire/internal/wire"
)

// topicRow is a row of the table of topics.
type topicRow struct {
	name     string
	channels []wire.Channel
	served   bool
	missing  string
}

// Channels that rows have in common.
var (
	traded    = []wire.Channel{wire.Spot, wire.Linear, wire.Inverse}
	contracts = []wire.Channel{wire.Linear, wire.Inverse}
)

// topics are the topics of WebSocket, as the table of docs/fidelity.md has them.
var topics = []topicRow{
	{name: "orderbook.{depth}.{symbol}", channels: []wire.Channel{wire.Spot, wire.Linear, wire.Inverse, wire.Option, wire.Spread}, served: true},
	{name: "orderbook.rpi.{symbol}", channels: traded, served: true},
	{name: "orderbook.full.{symbol}", channels: traded, served: true},
	{name: "publicTrade.{symbol}", channels: []wire.Channel{wire.Spot, wire.Linear, wire.Inverse, wire.Spread}, served: true},
	{name: "publicTrade.{baseCoin}", channels: []wire.Channel{wire.Option}, served: true},
	{name: "tickers.{symbol}", channels: []wire.Channel{wire.Spot, wire.Linear, wire.Inverse, wire.Option, wire.Spread}, served: true},
	{name: "kline.{interval}.{symbol}", channels: traded, served: true},
	{name: "allLiquidation.{symbol}", channels: contracts, served: true},
	{name: "insurance.{group}", channels: contracts, served: true},
	{name: "adlAlert.{group}", channels: contracts, served: true},
	{name: "priceLimit.{symbol}", channels: traded, served: true},
	{name: "system.status", channels: []wire.Channel{wire.Status}, served: true},
	{name: "rfq.open.public.trades", channels: []wire.Channel{wire.RFQ}, served: true},
	{name: "earn.dualassets.offers, earn.smartleverage.offers, earn.doublewin.offers, earn.discountbuy.offers", channels: []wire.Channel{wire.Finance}},
	{name: "all private topics", channels: []wire.Channel{wire.Private}},
	{name: "order.create, order.amend, order.cancel and their batches", channels: []wire.Channel{wire.Trade}},
}

// where names the channels of a row by their paths.
func (t *topicRow) where() string {
	var paths []string
	for _, ch := range t.channels {
		paths = append(paths, strings.TrimPrefix(strings.TrimPrefix(ch.Path(), "/v5/"), "public/"))
	}
	return strings.Join(paths, ", ")
}

// Sort is what topics of a channel have in common that differ by symbol, group or coin only.
type Sort struct {
	Channel wire.Channel
	Topic   string // "orderbook.50", "kline.60", "publicTrade", "system.status"
}

// SortOf is the sort of a topic.
func SortOf(ch wire.Channel, topic string) Sort {
	if ch != wire.Status && ch != wire.RFQ {
		topic = topic[:max(0, strings.LastIndexByte(topic, '.'))]
	}
	return Sort{ch, topic}
}

// Sorts are the sorts of topics that the exchange has.
func Sorts() []Sort {
	var list []Sort
	for _, row := range topics {
		if !row.served {
			continue
		}
		for _, ch := range row.channels {
			for _, name := range row.each(ch) {
				list = append(list, SortOf(ch, name))
			}
		}
	}
	return list
}

// each returns the names of a row on a channel, one for each depth or interval.
func (t *topicRow) each(ch wire.Channel) (names []string) {
	switch {
	case strings.Contains(t.name, "{depth}"):
		for _, d := range wire.Depths(ch) {
			if d.State == wire.DepthCurrent {
				names = append(names, strings.Replace(t.name, "{depth}", strconv.Itoa(d.Levels), 1))
			}
		}
	case strings.Contains(t.name, "{interval}"):
		for i := range past.Interval(past.Intervals) {
			names = append(names, strings.Replace(t.name, "{interval}", i.String(), 1))
		}
	default:
		names = strings.Split(t.name, ", ")
	}
	return names
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
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", t.name, t.where(), extent(t.served, t.missing), t.missing)
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
