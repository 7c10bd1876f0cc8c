package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/exchange/internal/flow"
)

// questions are asked of each endpoint: one query per category that it takes.
var questions = map[string][]string{
	"/v3/public/time":                      {""},
	"/v5/market/time":                      {""},
	"/v5/market/kline":                     {"category=spot&symbol=BTCUSDT&interval=1", "category=linear&symbol=BTCPERP&interval=D&limit=1", "category=inverse&symbol=ETHUSD&interval=60&limit=1"},
	"/v5/market/mark-price-kline":          {"category=linear&symbol=ETHUSDT&interval=1", "category=inverse&symbol=BTCUSD&interval=W&limit=1", "category=option&symbol=$OPTION&interval=1"},
	"/v5/market/index-price-kline":         {"category=linear&symbol=SOLUSDT&interval=5&limit=1", "category=inverse&symbol=BTCUSD&interval=M&limit=1"},
	"/v5/market/premium-index-price-kline": {"category=linear&symbol=BTCUSDT&interval=1"},
	"/v5/market/funding/history":           {"category=linear&symbol=BTCUSDT", "category=inverse&symbol=BTCUSD"},
	"/v5/market/open-interest":             {"category=linear&symbol=BTCUSDT&intervalTime=5min", "category=inverse&symbol=BTCUSD&intervalTime=1h"},
	"/v5/market/account-ratio":             {"category=linear&symbol=BTCUSDT&period=5min", "category=inverse&symbol=BTCUSD&period=1h"},
	"/v5/market/historical-volatility":     {"category=option&baseCoin=ETH&period=30"},
	"/v5/market/orderbook":                 {"category=spot&symbol=BTCUSDT", "category=linear&symbol=BTCUSDT", "category=inverse&symbol=BTCUSD", "category=option&symbol=$OPTION&limit=25"},
	"/v5/market/full_orderbook":            {"category=spot&symbol=BTCUSDT", "category=linear&symbol=BTCUSDT", "category=inverse&symbol=BTCUSD"},
	"/v5/market/rpi_orderbook":             {"category=spot&symbol=BTCUSDT&limit=50", "category=linear&symbol=BTCUSDT&limit=50", "category=inverse&symbol=BTCUSD&limit=50"},
	"/v5/market/tickers":                   {"category=spot", "category=linear", "category=inverse", "category=option&baseCoin=BTC"},
	"/v5/market/recent-trade":              {"category=spot&symbol=BTCUSDT", "category=linear&symbol=BTCUSDT", "category=inverse&symbol=BTCUSD", "category=option"},
	"/v5/market/price-limit":               {"category=spot&symbol=BTCUSDT", "category=linear&symbol=BTCUSDT", "category=inverse&symbol=BTCUSD"},
	"/v5/market/delivery-price":            {"category=linear", "category=inverse", "category=option&baseCoin=BTC&settleCoin=USDT"},
	"/v5/market/new-delivery-price":        {"category=option&baseCoin=BTC"},
	"/v5/market/index-price-components":    {"indexName=BTCUSDT"},
	"/v5/market/insurance":                 {""},
	"/v5/market/adlAlert":                  {""},
	"/v5/market/instruments-info":          {"category=spot", "category=linear", "category=inverse", "category=option&baseCoin=ETH"},
	"/v5/market/risk-limit":                {"category=linear", "category=inverse"},
	"/v5/market/fee-group-info":            {"productType=contract"},
	"/v5/spread/instrument":                {""},
	"/v5/spread/orderbook":                 {"symbol=BTCUSDT_BTC%2FUSDT&limit=25"},
	"/v5/spread/tickers":                   {"symbol=BTCUSDT_BTC%2FUSDT"},
	"/v5/spread/recent-trade":              {"symbol=BTCUSDT_BTC%2FUSDT"},
	"/v5/system/status":                    {""},
	"/v5/announcements/index":              {"locale=en-US"},
}

// constants are the answers that do not change with the market, and why.
var constants = map[string]string{
	"/v5/market/instruments-info?category=spot": "spot pairs are neither listed nor delivered in a run",
}

// clocks are fields that move with the time alone, or count what was published: an answer in which only these differ is
// constant.
var clocks = []string{"ts", "cts", "u", "seq", "time", "updatedTime", "updateTime"}

// TestNoAnswerIsConstant asks every endpoint twice, before and after a quarter's contracts were delivered in a market in which
// something happens. What it says the second time is not empty, and not what it said the first time.
func TestNoAnswerIsConstant(t *testing.T) {
	from := time.Date(2026, 3, 27, 7, 59, 0, 0, time.UTC).UnixNano() // a minute before the quarter ends
	c, err := core.New(core.Config{Seed: 5, Start: from})
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(from + 20*int64(time.Second))
	a := New(c, Options{})
	option := ""
	for _, in := range c.Catalog().All("option") {
		if in.Base == "BTC" && in.Delivery > from+20*24*hour && c.Feed().Trades(nil, in.ID, 1) != nil {
			option = in.Symbol
		}
	}
	if option == "" {
		t.Fatal("no option has traded")
	}
	answers := func() map[string][]byte {
		list := make(map[string][]byte)
		for path, queries := range questions {
			for _, query := range queries {
				list[path+"?"+query] = answerTo(t, a, path, strings.ReplaceAll(query, "$OPTION", option))
			}
		}
		return list
	}
	before := answers()
	for _, command := range []core.Command{
		core.Regime{Regime: flow.Cascade},
		core.Maintain{Notice: feed.Notice{Title: "upgrade", State: "scheduled", Begin: from + hour, End: from + 2*hour}},
	} {
		if _, err := c.Do(command); err != nil {
			t.Fatal(err)
		}
	}
	c.Advance(from + 2*int64(time.Minute) + 10*int64(time.Second))
	after := answers()
	for question, answer := range after {
		if len(answer) == 0 {
			t.Errorf("%s: nothing is in the answer", question)
		}
		reason, constant := constants[question]
		if bytes.Equal(answer, before[question]) != constant {
			t.Errorf("%s: the answer is constant: %v, want %v (%s)\n%.300s", question, !constant, constant, reason, answer)
		}
	}
	for i := range served {
		if len(questions[served[i].path]) == 0 {
			t.Errorf("%s is not asked", served[i].path)
		}
	}
	for question := range constants {
		if after[question] == nil {
			t.Errorf("%s is not asked", question)
		}
	}
}

// answerTo returns what is in a result beside the time and what was asked for; nil if there is nothing.
func answerTo(t *testing.T, a *API, path, query string) []byte {
	t.Helper()
	r := a.Serve(&Request{Method: http.MethodGet, Path: path, Query: query})
	var envelope map[string]any
	if err := json.Unmarshal(r.Body, &envelope); err != nil || envelope["retCode"] != 0.0 {
		t.Fatalf("%s?%s: %v in %.300s", path, query, err, r.Body)
	}
	said := envelope["result"]
	if strings.HasSuffix(path, "/time") {
		return bytes.Clone(r.Body) // the API uses it again
	}
	if result, ok := said.(map[string]any); ok {
		for _, name := range append(clocks, "category", "symbol", "nextPageCursor", "total") {
			delete(result, name)
		}
		for name, value := range result {
			if list, ok := value.([]any); ok && len(list) == 0 {
				delete(result, name)
			}
		}
		if len(result) == 0 {
			return nil
		}
	} else if list, ok := said.([]any); ok && len(list) == 0 {
		return nil
	}
	text, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
