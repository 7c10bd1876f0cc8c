package main

import (
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	ms := time.Millisecond
	got := exampletest.Output(t, []exampletest.Frame{
		{At: 0 * ms, Channel: bybit.Linear, Text: `{"topic":"publicTrade.ETHUSDT","type":"snapshot","ts":1767225600000,"data":[{"T":1767225600000,"s":"ETHUSDT","S":"Sell","v":"3","p":"2990.15","L":"ZeroMinusTick","i":"3f8a4f5e-5a57-5d3c-9b3c-0a5f1c7e0001","BT":false,"seq":400}]}`},
		{At: 10 * ms, Channel: bybit.Linear, Text: `{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1767225600010,"data":{"s":"BTCUSDT","b":[["88000.1","2"],["88000.0","1"]],"a":[["88000.2","1.5"]],"u":7,"seq":900},"cts":1767225600008}`},
		{At: 20 * ms, Channel: bybit.Linear, Text: `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1767225600020,"data":[{"T":1767225600018,"s":"BTCUSDT","S":"Buy","v":"0.5","p":"88000.20","L":"PlusTick","i":"3f8a4f5e-5a57-5d3c-9b3c-0a5f1c7e0002","BT":false,"seq":901},{"T":1767225600018,"s":"BTCUSDT","S":"Buy","v":"1","p":"88000.2","L":"ZeroPlusTick","i":"3f8a4f5e-5a57-5d3c-9b3c-0a5f1c7e0003","BT":false,"seq":901}]}`},
		{At: 30 * ms, Channel: bybit.Linear, Text: `{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1767225600030,"data":{"s":"BTCUSDT","b":[["88000.2","4"]],"a":[["88000.2","0"],["88000.3","1"]],"u":8,"seq":902},"cts":1767225600028}`},
		{At: 40 * ms, Channel: bybit.Linear, Text: `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1767225600040,"data":[{"T":1767225600038,"s":"BTCUSDT","S":"Sell","v":"0.25","p":"88000.2","L":"ZeroPlusTick","i":"3f8a4f5e-5a57-5d3c-9b3c-0a5f1c7e0004","BT":false,"seq":903}]}`},
		{At: 50 * ms, Channel: bybit.Linear, Text: `{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1767225600050,"data":{"s":"BTCUSDT","b":[],"a":[["88000.4","1"]],"u":10,"seq":905},"cts":1767225600048}`},
		{At: 60 * ms, Channel: bybit.Linear, Text: `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1767225600060,"data":[{"T":1767225600058,"s":"BTCUSDT","S":"Sell","v":"0.75","p":"88000.1","L":"MinusTick","i":"3f8a4f5e-5a57-5d3c-9b3c-0a5f1c7e0005","BT":false,"seq":906}]}`},
	}, run)
	want := `not subscribed: orderbook.50.ETHUSDT: error:handler not found,topic:orderbook.50.ETHUSDT
ETHUSDT Sell 3 at 2990.15
BTCUSDT Buy 0.5 at 88000.20, between 88000.1 and 88000.2
BTCUSDT Buy 1 at 88000.2, between 88000.1 and 88000.2
BTCUSDT Sell 0.25 at 88000.2, between 88000.2 and 88000.3
orderbook.50.BTCUSDT missed something: book
BTCUSDT Sell 0.75 at 88000.1
`
	if got != want {
		t.Errorf("the program wrote\n%s\nwant\n%s", got, want)
	}
}
