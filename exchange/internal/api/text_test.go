package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/feed"
)

// TestTextOfReplies holds details of what is written to the documentation that a decoder would not see.
func TestTextOfReplies(t *testing.T) {
	const pairs = `{"instruments": [{"category": "spot", "like": "BTCUSDT", "symbol": "ETHBTC", "baseCoin": "ETH", "quoteCoin": "BTC", "priceFilter": {"tickSize": "0.000001"}}]}`
	c, err := core.New(core.Config{Seed: 5, Start: start, Instruments: []byte(pairs)})
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(start)
	if _, err := c.Do(core.Maintain{Notice: feed.Notice{Title: "upgrade", State: "scheduled", Begin: start, End: start + hour, UIDSuffixes: []int64{3, 7}}}); err != nil {
		t.Fatal(err)
	}
	c.Advance(start + 3*int64(time.Second))
	a := New(c, Options{})
	option := c.Catalog().All("option")[0].Symbol
	for _, row := range []struct{ target, want, why string }{
		{"/v5/market/adlAlert?symbol=BTCUSDT", `"maxBalance":"",`, "deprecated, always empty"},
		{"/v5/market/instruments-info?category=option&symbol=" + option, `"list":[{"symbol":"` + option + `","symbolId":`, "symbolId behind symbol, as on linear"},
		{"/v5/system/status", `"uidSuffix":[3,7],`, "numbers"},
		{"/v5/market/tickers?category=spot&symbol=ETHBTC", `"usdIndexPrice":""}`, "only pairs in USDT and USDC have it"},
		{"/v5/market/tickers?category=spot&symbol=ETHUSDC", `"usdIndexPrice":"2`, "and these have"},
		{"/v5/market/instruments-info?category=linear&symbol=BTCUSDT", `"isPreListing":false,"preListingInfo":null,`, "null, not absent"},
		{"/v5/market/instruments-info?category=linear&symbol=BTCUSDT", `"forbidUplWithdrawal":false,"fullName":"Bitcoin","marketRegion":"","underlyingTicker":""}]`, "as recorded in September 2026"},
		{"/v5/market/instruments-info?category=spot&symbol=BTCUSDT", `"symbolType":""}]}`, "no cursor on spot, no xstockMultiplier"},
		{"/v5/market/tickers?category=linear&symbol=BTCUSDT", `"basisRate":"","deliveryFeeRate":"","deliveryTime":"0",`, "a perpetual has no delivery"},
		{"/v5/market/historical-volatility?category=option", `{"retCode":0,"retMsg":"SUCCESS","category":"option","result":[{"period":7,`, "the list is the result"},
		{"/v5/market/delivery-price?category=linear", `"result":{"category":"linear","nextPageCursor":"","list":[]}`, "the cursor before the list"},
		{"/v5/market/price-limit?symbol=BTCUSDT", `{"retCode":0,"retMsg":"","result":{"symbol":"BTCUSDT","buyLmt":"`, "no message, linear by default"},
	} {
		path, query, _ := strings.Cut(row.target, "?")
		if r := a.Serve(&Request{Method: http.MethodGet, Path: path, Query: query}); !strings.Contains(string(r.Body), row.want) {
			t.Errorf("%s: want %s (%s) in\n%.900s", row.target, row.want, row.why, r.Body)
		}
	}
}
