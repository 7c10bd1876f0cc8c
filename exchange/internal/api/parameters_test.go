package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// badParameters are requests that each market endpoint refuses, with code and message. Those of an endpoint follow its
// path; "" as the message means that the request is served.
var badParameters = []struct {
	path string
	rows [][2]string // query, message
}{
	{"/v5/market/instruments-info", [][2]string{
		{"", illegalCategory},
		{"category=", illegalCategory},
		{"category=Linear", illegalCategory},
		{"category=spread", illegalCategory},
		{"category=linear%00", illegalCategory},
		{"category=linear&category=linear", wrongRequest},
		{"category=linear&category=spot", wrongRequest},
		{"category=linear&symbol=btcusdt", wrongSymbol},
		{"category=inverse&symbol=BTCUSDT", wrongSymbol},
		{"category=option&symbol=BTCUSDT", wrongSymbol},
		{"category=spot&symbol=NOSUCH", ""},
		{"category=linear&symbol=" + strings.Repeat("A", 4000), wrongSymbol},
		{"category=linear&symbol=%ff%fe", wrongSymbol},
		{"category=linear&limit=0", wrongLimit},
		{"category=linear&limit=-1", wrongLimit},
		{"category=linear&limit=1001", ""},
		{"category=linear&limit=99999999999999999999", wrongRequest},
		{"category=linear&limit=ten", wrongRequest},
		{"category=linear&limit=1.5", wrongRequest},
		{"category=linear&limit=", ""},
		{"category=spot&limit=0", ""},
		{"category=linear&cursor=x", wrongCursor},
		{"category=linear&cursor=first%3DA%26last%3DB", wrongCursor},
		{"category=linear&cursor=%25%25%25", wrongCursor},
		{"category=linear&cursor=last%3DBTCUSDT%3B", wrongCursor},
		{"category=linear&status=Sleeping", ""},
		{"category=linear&unknown=1", ""},
		{"category=linear&&&=&==", ""},
	}},
	{"/v5/market/kline", append(candleRows("symbol=BTCUSDT&interval=60"), [][2]string{
		{"", wrongSymbol},
		{"category=option&symbol=BTCUSDT&interval=1", wrongCategory},
		{"category=Spot&symbol=BTCUSDT&interval=1", wrongCategory},
		{"category=linear&interval=1", wrongSymbol},
		{"category=spot&interval=1", wrongSpotSymbol},
		{"category=spot&symbol=BTCUSDT&interval=7", wrongSpotInterval},
		{"category=spot&symbol=BTCUSDT", wrongSpotInterval},
		{"category=linear&symbol=BTCUSDT", wrongInterval},
		{"category=linear&symbol=BTCUSDT&interval=1h", wrongInterval},
		{"category=linear&symbol=BTCUSDT&interval=d", wrongInterval},
		{"category=linear&symbol=BTCUSDT&interval=01", wrongInterval},
	}...)},
	{"/v5/market/mark-price-kline", append(candleRows("symbol=BTCUSDT&interval=D"), [][2]string{
		{"category=spot&symbol=BTCUSDT&interval=1", wrongCategory},
		{"category=option&symbol=BTCUSDT&interval=1", wrongSymbol},
		{"symbol=BTCUSDT&interval=2", wrongInterval},
	}...)},
	{"/v5/market/index-price-kline", append(candleRows("category=inverse&symbol=BTCUSD&interval=W"), [][2]string{
		{"category=spot&symbol=BTCUSDT&interval=1", wrongCategory},
		{"category=option&symbol=BTCUSDT&interval=1", wrongCategory},
		{"symbol=BTCUSD&interval=1", wrongSymbol},
		{"symbol=BTCUSDT&interval=", wrongInterval},
	}...)},
	{"/v5/market/premium-index-price-kline", append(candleRows("symbol=BTCUSDT&interval=M"), [][2]string{
		{"category=inverse&symbol=BTCUSD&interval=1", wrongCategory},
		{"symbol=BTCUSDT-27MAR26&interval=1", wrongSymbol},
		{"symbol=BTCUSDT&interval=1m", wrongInterval},
	}...)},
	{"/v5/market/funding/history", append(bookRows("category=linear&symbol=BTCUSDT"), [][2]string{
		{"", illegalCategory},
		{"category=spot&symbol=BTCUSDT", illegalCategory},
		{"category=option&symbol=BTCUSDT", illegalCategory},
		{"category=linear", wrongSymbol},
		{"category=inverse&symbol=BTCUSDT", wrongSymbol},
		{"category=linear&symbol=BTCUSDT&startTime=1767000000000", wrongTime},
		{"category=linear&symbol=BTCUSDT&startTime=2&endTime=1", wrongTime},
		{"category=linear&symbol=BTCUSDT&startTime=now&endTime=1", wrongRequest},
		{"category=linear&symbol=BTCUSDT&startTime=0&endTime=9223372036854775807", ""},
		{"category=linear&symbol=BTCUSDT-27MAR26", ""},
	}...)},
	{"/v5/market/open-interest", append(statisticRows("category=linear&symbol=BTCUSDT&intervalTime=1h"), [][2]string{
		{"", illegalCategory},
		{"category=spot&symbol=BTCUSDT&intervalTime=1h", illegalCategory},
		{"category=linear&intervalTime=1h", wrongSymbol},
		{"category=linear&symbol=BTCUSDT", wrongInterval},
		{"category=linear&symbol=BTCUSDT&intervalTime=60", wrongInterval},
		{"category=linear&symbol=BTCUSDT&intervalTime=2h", wrongInterval},
	}...)},
	{"/v5/market/account-ratio", append(statisticRows("category=inverse&symbol=BTCUSD&period=1d"), [][2]string{
		{"", illegalCategory},
		{"category=option&symbol=BTCUSDT&period=1d", illegalCategory},
		{"category=linear&symbol=NOSUCH&period=1d", wrongSymbol},
		{"category=linear&symbol=BTCUSDT", wrongPeriod},
		{"category=linear&symbol=BTCUSDT&period=1w", wrongPeriod},
	}...)},
	{"/v5/market/historical-volatility", [][2]string{
		{"", wrongRequest},
		{"category=linear", wrongRequest},
		{"category=option&period=7d", wrongRequest},
		{"category=option&period=8", wrongRequest},
		{"category=option&period=-7", wrongRequest},
		{"category=option&baseCoin=BTC&period=270", ""},
		{"category=option&baseCoin=SOL&period=270", wrongRequest},
		{"category=option&baseCoin=NOSUCH", ""},
		{"category=option&quoteCoin=EUR", wrongRequest},
		{"category=option&startTime=1767000000000", wrongRequest},
		{"category=option&endTime=1767000000000", wrongRequest},
		{"category=option&startTime=1767000000000&endTime=1766000000000", wrongRequest},
		{"category=option&startTime=1760000000000&endTime=1767000000000", wrongRequest},
		{"category=option&startTime=1&endTime=9223372036854775807", wrongRequest},
		{"category=option&startTime=1&endTime=2", ""},
		{"category=option&category=option", wrongRequest},
	}},
	{"/v5/market/orderbook", append(bookRows("category=linear&symbol=BTCUSDT"), [][2]string{
		{"", illegalCategory},
		{"category=spread&symbol=BTCUSDT_BTC/USDT", illegalCategory},
		{"category=option&symbol=BTCUSDT", wrongSymbol},
		{"category=spot&symbol=BTCPERP", wrongSpotSymbol},
		{"category=spot", wrongSpotSymbol},
	}...)},
	{"/v5/market/full_orderbook", [][2]string{
		{"", illegalCategory},
		{"symbol=BTCUSDT", illegalCategory},
		{"category=option&symbol=BTC-27MAR26-90000-C-USDT", illegalCategory},
		{"category=linear", wrongSymbol},
		{"category=inverse&symbol=BTCUSDT", wrongSymbol},
		{"category=spot&symbol=btcusdt", wrongSpotSymbol},
		{"category=spot&symbol=BTCUSDT&symbol=BTCUSDT", wrongRequest},
	}},
	{"/v5/market/rpi_orderbook", append(bookRows("category=linear&symbol=BTCUSDT"), [][2]string{
		{"", wrongSymbol},
		{"symbol=BTCUSDT", ""},
		{"category=option&symbol=BTCUSDT", illegalCategory},
		{"category=spot&symbol=NOSUCH", wrongSpotSymbol},
	}...)},
	{"/v5/market/tickers", [][2]string{
		{"", illegalCategory},
		{"symbol=BTCUSDT", illegalCategory},
		{"category=future", illegalCategory},
		{"category=linear&symbol=NOSUCH", wrongSymbol},
		{"category=linear&symbol=BTCUSD", wrongSymbol},
		{"category=spot&symbol=NOSUCH", wrongSpotSymbol},
		{"category=option", wrongRequest},
		{"category=option&expDate=27MAR26", wrongRequest},
		{"category=option&baseCoin=NOSUCH", ""},
		{"category=option&baseCoin=BTC&expDate=someday", ""},
		{"category=linear&symbol=BTCUSDT&symbol=ETHUSDT", wrongRequest},
	}},
	{"/v5/market/recent-trade", append(bookRows("category=linear&symbol=BTCUSDT"), [][2]string{
		{"", illegalCategory},
		{"category=linear", wrongSymbol},
		{"category=inverse&symbol=NOSUCH", wrongSymbol},
		{"category=spot", wrongSpotSymbol},
		{"category=option", ""},
		{"category=option&symbol=NOSUCH", wrongSymbol},
		{"category=option&optionType=Straddle", wrongRequest},
	}...)},
	{"/v5/market/price-limit", [][2]string{
		{"", wrongSymbol},
		{"symbol=BTCUSDT", ""},
		{"category=option&symbol=BTCUSDT", illegalCategory},
		{"category=spot&symbol=NOSUCH", wrongSpotSymbol},
		{"symbol=A&symbol=B", wrongRequest},
	}},
	{"/v5/market/delivery-price", append(bookRows("category=linear"), [][2]string{
		{"", illegalCategory},
		{"category=spot", illegalCategory},
		{"category=linear&symbol=BTCUSDT", wrongDeliverySymbol},
		{"category=option&symbol=NOSUCH", wrongDeliverySymbol},
		{"category=linear&cursor=x", wrongCursor},
	}...)},
	{"/v5/market/new-delivery-price", [][2]string{
		{"", illegalCategory},
		{"category=linear&baseCoin=BTC", illegalCategory},
		{"category=option", wrongRequest},
		{"category=option&baseCoin=NOSUCH", ""},
		{"category=option&baseCoin=BTC&baseCoin=BTC", wrongRequest},
	}},
	{"/v5/market/index-price-components", [][2]string{
		{"", wrongRequest},
		{"indexName=BTC", wrongRequest},
		{"indexName=NOSUCHUSDT", wrongRequest},
		{"indexName=BTCUSDT&indexName=BTCUSDT", wrongRequest},
	}},
	{"/v5/market/insurance", [][2]string{
		{"coin=NOSUCH", ""},
		{"coin=BTC&coin=BTC", wrongRequest},
	}},
	{"/v5/market/adlAlert", [][2]string{
		{"symbol=NOSUCH", wrongSymbol},
		{"symbol=btcusdt", wrongSymbol},
		{"symbol=A&symbol=B", wrongRequest},
	}},
	{"/v5/system/status", [][2]string{
		{"state=asleep", wrongRequest},
		{"id=NOSUCH", ""},
		{"id=a&id=b", wrongRequest},
	}},
	{"/v5/spread/orderbook", append(bookRows("symbol=BTCUSDT_BTC/USDT"), [][2]string{
		{"", wrongSymbol},
		{"symbol=BTCUSDT", wrongSymbol},
	}...)},
	{"/v5/spread/tickers", [][2]string{
		{"", wrongSymbol},
		{"symbol=BTCUSDT", wrongSymbol},
		{"symbol=BTCUSDT_BTC%2FUSDT", ""},
		{"symbol=A&symbol=B", wrongRequest},
	}},
	{"/v5/spread/recent-trade", append(bookRows("symbol=BTCUSDT_BTC/USDT"), [][2]string{
		{"", wrongSymbol},
		{"symbol=BTCUSDT", wrongSymbol},
	}...)},
	{"/v5/market/risk-limit", [][2]string{
		{"", illegalCategory},
		{"category=spot", illegalCategory},
		{"category=option", illegalCategory},
		{"category=linear&symbol=NOSUCH", wrongSymbol},
		{"category=linear&cursor=first%3DA%26last%3DB", wrongCursor},
		{"category=inverse&symbol=BTCUSD&symbol=BTCUSD", wrongRequest},
	}},
	{"/v5/market/fee-group-info", [][2]string{
		{"", wrongRequest},
		{"productType=spot", wrongRequest},
		{"productType=contract&groupId=77", ""},
		{"productType=contract&productType=contract", wrongRequest},
	}},
	{"/v5/spread/instrument", [][2]string{
		{"limit=0", wrongLimit},
		{"limit=-5", wrongLimit},
		{"limit=a", wrongRequest},
		{"limit=501", ""},
		{"cursor=x", wrongCursor},
		{"symbol=NOSUCH", ""},
		{"symbol=A&symbol=B", wrongRequest},
	}},
	{"/v5/announcements/index", [][2]string{
		{"", wrongRequest},
		{"locale=xx-XX", wrongRequest},
		{"locale=en-US&page=0", wrongRequest},
		{"locale=en-US&page=-1", wrongRequest},
		{"locale=en-US&page=9223372036854775807&limit=9223372036854775807", ""},
		{"locale=en-US&limit=0", wrongRequest},
		{"locale=en-US&limit=x", wrongRequest},
	}},
}

// bookRows are bad limits behind a good query.
func bookRows(good string) [][2]string {
	return [][2]string{
		{good, ""},
		{good + "&limit=0", wrongLimit},
		{good + "&limit=-1", wrongLimit},
		{good + "&limit=-9223372036854775807", wrongLimit},
		{good + "&limit=9223372036854775807", ""},
		{good + "&limit=9223372036854775808", wrongRequest},
		{good + "&limit=ten", wrongRequest},
		{good + "&limit=1e2", wrongRequest},
		{good + "&limit=%31", wrongRequest},
		{good + "&limit=1&limit=1", wrongRequest},
		{good + "&limit=", ""},
	}
}

// timeRows are bad times behind a good query.
func timeRows(good, from, to string) [][2]string {
	return [][2]string{
		{good + "&" + from + "=2&" + to + "=1", wrongTime},
		{good + "&" + from + "=1&" + to + "=1", ""},
		{good + "&" + from + "=now", wrongRequest},
		{good + "&" + to + "=1.5", wrongRequest},
		{good + "&" + from + "=-1", wrongRequest},
		{good + "&" + from + "=0&" + to + "=9223372036854775807", ""},
		{good + "&" + from + "=9223372036854775807", ""},
		{good + "&" + to + "=-9223372036854775807", wrongRequest},
		{good + "&" + to + "=0", ""},
		{good + "&" + to + "=99999999999999999999", wrongRequest},
		{good + "&" + from + "=1&" + from + "=1", wrongRequest},
		{good + "&" + from + "=&" + to + "=", ""},
	}
}

func candleRows(good string) [][2]string {
	return append(bookRows(good), timeRows(good, "start", "end")...)
}

func statisticRows(good string) [][2]string {
	return append(append(bookRows(good), timeRows(good, "startTime", "endTime")...), [][2]string{
		{good + "&cursor=x", wrongCursor},
		{good + "&cursor=lastid%3D0%26lasttime%3Dx", wrongCursor},
		{good + "&cursor=lastid%3D0%26lasttime%3D-5", wrongCursor},
		{good + "&cursor=lasttime%3D9223372036854775807", wrongCursor},
		{good + "&cursor=lastid%253D0%2526lasttime%253D1760000000", ""},
	}...)
}

func TestBadParameters(t *testing.T) {
	a := newAPI(t)
	seen := make(map[string]bool)
	for _, e := range badParameters {
		seen[e.path] = true
		rows := append(e.rows, [2]string{"giant=" + strings.Repeat("a", maxQuery), wrongRequest})
		for _, row := range rows {
			r := a.Serve(&Request{Method: http.MethodGet, Path: e.path, Query: row[0]})
			var envelope struct {
				RetCode int
				RetMsg  string
				Result  json.RawMessage
			}
			if err := json.Unmarshal(r.Body, &envelope); err != nil {
				t.Errorf("%s?%.80s: %v in %.200s", e.path, row[0], err, r.Body)
				continue
			}
			code, status := codeParameter, http.StatusOK
			switch {
			case row[1] == "":
				code = 0
			case len(row[0]) > maxQuery:
				status = http.StatusRequestURITooLong
			}
			if envelope.RetCode != code || row[1] != "" && envelope.RetMsg != row[1] || r.Status != status {
				t.Errorf("%s?%.80s: %d %.200s, want %d %d %q", e.path, row[0], r.Status, r.Body, status, code, row[1])
			}
			if code != 0 && (len(envelope.Result) == 0 || envelope.Result[0] != '{') {
				t.Errorf("%s?%.80s: a refusal with the result %s", e.path, row[0], envelope.Result)
			}
		}
	}
	for _, e := range served {
		if !seen[e.path] && !strings.HasSuffix(e.path, "/time") {
			t.Errorf("%s has no bad parameters", e.path)
		}
	}
}

// FuzzQuery: whatever stands behind a path, the reply is an envelope.
func FuzzQuery(f *testing.F) {
	for i, e := range badParameters {
		for _, row := range e.rows {
			f.Add(uint8(i), row[0])
		}
	}
	var a *API
	f.Fuzz(func(t *testing.T, n uint8, query string) {
		if a == nil {
			a = newAPI(t)
		}
		e := served[int(n)%len(served)]
		r := a.Serve(&Request{Method: http.MethodGet, Path: e.path, Query: query})
		var envelope struct{ RetCode *int }
		if err := json.Unmarshal(r.Body, &envelope); err != nil || envelope.RetCode == nil {
			t.Errorf("%s?%q: %v in %.200s", e.path, query, err, r.Body)
		}
	})
}
