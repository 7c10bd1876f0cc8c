package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	var frames []exampletest.Frame
	add := func(kind, symbol, fields string) {
		at := time.Duration(len(frames)) * time.Second
		ts := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(at).UnixMilli()
		text := fmt.Sprintf(`{"topic":"tickers.%s","type":"%s","data":{"symbol":"%s",%s},"cs":%d,"ts":%d}`, symbol, kind, symbol, fields, 100+len(frames), ts)
		frames = append(frames, exampletest.Frame{At: at, Channel: bybit.Linear, Text: text})
	}
	add("snapshot", "BTCUSDT", `"lastPrice":"88000.1","fundingRate":"0.0001"`)
	add("snapshot", "ETHUSDT", `"lastPrice":"2990.15","fundingRate":"0.0006"`)
	add("delta", "BTCUSDT", `"fundingRate":"0.0005"`)   // not above
	add("delta", "BTCUSDT", `"fundingRate":"0.000501"`) // above
	add("delta", "BTCUSDT", `"lastPrice":"88001"`)      // still
	add("delta", "BTCUSDT", `"fundingRate":"0.0004"`)   // between the bounds
	add("delta", "BTCUSDT", `"fundingRate":"0.0007"`)   // one alert is enough
	add("delta", "BTCUSDT", `"fundingRate":"-0.0001"`)
	add("delta", "BTCUSDT", `"fundingRate":"0.001"`)
	add("snapshot", "SOLUSDT", `"lastPrice":"120.5","fundingRate":""`) // unknown
	// The network fails for a moment. What was an alert before stays one.
	frames = append(frames, exampletest.Frame{At: 9500 * time.Millisecond})
	add("delta", "BTCUSDT", `"lastPrice":"88002","fundingRate":"0.0006"`)
	add("delta", "BTCUSDT", `"lastPrice":"88003","fundingRate":"0.0002"`)
	got := exampletest.Output(t, frames, run)
	want := `00:00:01 ALERT ETHUSDT pays 0.0006 at 2990.15
00:00:03 ALERT BTCUSDT pays 0.000501 at 88000.1
00:00:07 calm BTCUSDT pays -0.0001
00:00:08 ALERT BTCUSDT pays 0.001 at 88001
BLIND tickers.BTCUSDT: disconnected
BLIND tickers.ETHUSDT: disconnected
BLIND tickers.SOLUSDT: disconnected
00:00:12 calm BTCUSDT pays 0.0002
`
	if got != want {
		t.Errorf("the program wrote\n%s\nwant\n%s", got, want)
	}
}

// What the venue does not list is said, and the rest is watched.
func TestUnlisted(t *testing.T) {
	got := exampletest.Output(t, []exampletest.Frame{{Channel: bybit.Linear,
		Text: `{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","lastPrice":"88000","fundingRate":"0.001"},"cs":100,"ts":1767225600000}`}}, run)
	want := `not watched: tickers.ETHUSDT: error:handler not found,topic:tickers.ETHUSDT
not watched: tickers.SOLUSDT: error:handler not found,topic:tickers.SOLUSDT
00:00:00 ALERT BTCUSDT pays 0.001 at 88000
`
	if got != want {
		t.Errorf("the program wrote\n%s\nwant\n%s", got, want)
	}
}
