package main

import (
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

func TestSelectTopics(t *testing.T) {
	for _, tc := range []struct {
		args     string
		category string
		own      bool
		channel  bybit.Channel
		topics   string
		notice   string
	}{
		{args: "publicTrade.BTCUSDT", channel: "linear", topics: "publicTrade.BTCUSDT", notice: "taking publicTrade.BTCUSDT on linear; add --category spot for the other"},
		{args: "publicTrade.BTCUSDT", category: "spot", channel: "spot", topics: "publicTrade.BTCUSDT"},
		{args: "publicTrade.BTCUSDC", channel: "spot", topics: "publicTrade.BTCUSDC", notice: "taking publicTrade.BTCUSDC on spot; add --category linear for the other"},
		{args: "publicTrade.BTCPERP", channel: "linear", topics: "publicTrade.BTCPERP"},
		{args: "publicTrade.BTC-26JUN26", channel: "linear", topics: "publicTrade.BTC-26JUN26"},
		{args: "tickers.BTCUSD tickers.BTCUSDM26", channel: "inverse", topics: "tickers.BTCUSD tickers.BTCUSDM26"},
		{args: "orderbook.25.BTC-26JUN26-70000-C", channel: "option", topics: "orderbook.25.BTC-26JUN26-70000-C"},
		{args: "allLiquidation.BTCUSDT", channel: "linear", topics: "allLiquidation.BTCUSDT"},
		{args: "insurance.inverse", channel: "inverse", topics: "insurance.inverse"},
		{args: "adlAlert.USDC", channel: "linear", topics: "adlAlert.USDC"},
		{args: "system.status", channel: "status", topics: "system.status"},
		// What is named twice is subscribed once.
		{args: "publicTrade.BTCUSDT trade.BTCUSDT", category: "linear", channel: "linear", topics: "publicTrade.BTCUSDT", notice: "trade.BTCUSDT is a retired name: taking publicTrade.BTCUSDT on linear"},
		// The sure one decides.
		{args: "tickers.BTCUSDT allLiquidation.BTCUSDT", channel: "linear", topics: "tickers.BTCUSDT allLiquidation.BTCUSDT"},
		{args: "klineV2.1.BTCUSD", channel: "inverse", topics: "kline.1.BTCUSD", notice: "klineV2.1.BTCUSD is a retired name: taking kline.1.BTCUSD on inverse"},
		{args: "trade.BTCUSDT", category: "spot", channel: "spot", topics: "publicTrade.BTCUSDT", notice: "trade.BTCUSDT is a retired name: taking publicTrade.BTCUSDT on spot"},
		// A server of one's own may have what the venue has retired.
		{args: "orderbook.500.BTCUSDT", category: "linear", own: true, channel: "linear", topics: "orderbook.500.BTCUSDT"},
		{args: "liquidation.BTCUSD", own: true, channel: "inverse", topics: "liquidation.BTCUSD"},
		{args: "liquidation.BTCUSD", channel: "inverse", topics: "allLiquidation.BTCUSD", notice: "liquidation.BTCUSD is a retired name: taking allLiquidation.BTCUSD on inverse"},
		{args: "brand.new", category: "/v5/public/new", channel: "/v5/public/new", topics: "brand.new"},
	} {
		var stderr strings.Builder
		a := newApp(strings.NewReader(""), &strings.Builder{}, &stderr)
		sel, err := a.selectTopics(strings.Fields(tc.args), tc.category, tc.own)
		if err != nil {
			t.Errorf("%s: %v", tc.args, err)
			continue
		}
		var topics []string
		for _, topic := range sel.topics {
			topics = append(topics, topic.String())
		}
		notice := strings.TrimSuffix(strings.TrimPrefix(stderr.String(), "bywire: "), "\n")
		if sel.channel != tc.channel || strings.Join(topics, " ") != tc.topics || notice != tc.notice {
			t.Errorf("%s: %q on %s, notice %q", tc.args, topics, sel.channel, notice)
		}
	}
}

func TestParseMoment(t *testing.T) {
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                              {},
		"+90s":                          first.Add(90 * time.Second),
		"+0s":                           first,
		"2026-01-31":                    time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		"2026-01-31T12:00":              time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
		"2026-01-31 12:00:01.5":         time.Date(2026, 1, 31, 12, 0, 1, 5e8, time.UTC),
		"2026-01-31T12:00:01.25+02:00":  time.Date(2026, 1, 31, 10, 0, 1, 25e7, time.UTC),
		"1700000000":                    time.Unix(1700000000, 0).UTC(),
		"1700000000123":                 time.UnixMilli(1700000000123).UTC(),
		"2026-01-31T12:00Z":             time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
		"2026-01-31T12:00:00.000000001": time.Date(2026, 1, 31, 12, 0, 0, 1, time.UTC),
	} {
		if got, err := parseMoment("from", text, first); err != nil || !got.Equal(want) {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"now", "+-1s", "+x", "-5", "2026-13-01", "17000000000000000000"} {
		if got, err := parseMoment("from", text, first); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}

func TestAppendTime(t *testing.T) {
	for _, tc := range []struct {
		at   time.Time
		want string
	}{
		{time.Time{}, "null"},
		{time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), `"2026-01-02T03:04:05.000000006Z"`},
		{time.Date(2026, 12, 31, 23, 59, 59, 999999999, time.FixedZone("", 3600)), `"2026-12-31T22:59:59.999999999Z"`},
		{time.Date(12, 1, 1, 0, 0, 0, 0, time.UTC), `"0012-01-01T00:00:00Z"`},
	} {
		if got := string(appendTime(nil, tc.at)); got != tc.want {
			t.Errorf("%s prints as %s, want %s", tc.at, got, tc.want)
		}
	}
}

func TestProgressLine(t *testing.T) {
	for _, tc := range []struct {
		done, total int64
		took        time.Duration
		want        string
	}{
		{1_200_000, 4_000_000, 5 * time.Second, "verify: 1,200,000 records of 4,000,000 records, 30 %, 240,000 records/s, 11s left"},
		{500, 0, time.Second, "verify: 500 records, 500 records/s"},
		{0, 10, time.Second, "verify: 0 records of 10 records, 0 %, 0 records/s, - left"},
	} {
		if got := progressLine("verify", recordCount, tc.done, tc.total, tc.took); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

func TestProgressOnATerminalAndElsewhere(t *testing.T) {
	var words strings.Builder
	p := &progress{w: &words, terminal: true, what: "import", amount: byteCount, begun: time.Now().Add(-10 * time.Second)}
	p.tell(50_000_000, 100_000_000)
	p.tell(60_000_000, 100_000_000) // too soon after the first
	p.end()
	if got := words.String(); !strings.HasPrefix(got, "\rimport: 50.0 MB of 100.0 MB, 50 %, ") || strings.Contains(got, "60.0 MB") || strings.Contains(got, "\n") || !strings.HasSuffix(got, "\r") {
		t.Errorf("on a terminal: %q", got)
	}
	words.Reset()
	p = &progress{w: &words, what: "import", amount: byteCount, begun: time.Now().Add(-10 * time.Second)}
	p.tell(50_000_000, 100_000_000)
	p.end()
	if got := words.String(); !strings.HasPrefix(got, "bywire: import: 50.0 MB") || strings.Contains(got, "\r") || !strings.HasSuffix(got, "left\n") {
		t.Errorf("elsewhere: %q", got)
	}
}

func TestAmounts(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 KB", 1550: "1.6 KB", 999_949: "999.9 KB", 999_950: "1.0 MB", 12_345_678: "12.3 MB", 5e12: "5.0 TB"} {
		if got := byteCount(n); got != want {
			t.Errorf("%d bytes: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if got := ratio(876_900, 156_200); got != "5.6" {
		t.Errorf("ratio %s", got)
	}
	if got := ratio(0, 10); got != "-" {
		t.Errorf("ratio of nothing %s", got)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"stream", "book", "replay", "capture", "topics", "version"}
	for typed, want := range map[string]string{"strem": "stream", "caputre": "capture", "top": "topics", "vers": "version", "x": "", "record": "", "Book": "book"} {
		if got := nearest(typed, words); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
}
