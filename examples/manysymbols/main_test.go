package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/examples/internal/exampletest"
)

// The replay knows every topic but two, and sends a message of each: those of one
// half of the symbols at once, the others 12 seconds later. In between the network
// fails: each topic has a gap, and the replay sends books and tickers as they were again.
func TestRun(t *testing.T) {
	var frames []exampletest.Frame
	all := topics()
	n := len(all) / 3
	half := n / 2
	unlisted := map[bybit.Topic]bool{all[3]: true, all[len(all)-1]: true}
	for i, topic := range all {
		if unlisted[topic] {
			continue
		}
		symbol := topic.Symbol()
		text := fmt.Sprintf(`{"topic":"%s","type":"snapshot","ts":1767225600000,"data":[{"T":1767225600000,"s":"%s","S":"Sell","v":"3","p":"2.5","L":"ZeroMinusTick","i":"3f8a4f5e-5a57-5d3c-9b3c-%012d","BT":false,"seq":400}]}`, topic, symbol, i)
		switch topic {
		case bybit.OrderBook(1, symbol):
			text = fmt.Sprintf(`{"topic":"%s","ts":1767225600010,"type":"snapshot","data":{"s":"%s","b":[["2.4","2"]],"a":[["2.5","1.5"]],"u":7,"seq":900},"cts":1767225600008}`, topic, symbol)
		case bybit.Tickers(symbol):
			text = fmt.Sprintf(`{"topic":"%s","type":"snapshot","data":{"symbol":"%s","lastPrice":"2.45"},"cs":24987956059,"ts":1767225600123}`, topic, symbol)
		}
		at := time.Duration(0)
		if i >= half*3 {
			at = 12 * time.Second
		}
		frames = append(frames, exampletest.Frame{At: at, Channel: bybit.Linear, Text: text})
	}
	frames = append(frames, exampletest.Frame{At: 5 * time.Second}) // the network fails
	if len(frames) < 300 {
		t.Fatalf("%d topics, want hundreds", len(frames))
	}
	got := exampletest.Output(t, frames, run)
	// The first message after ten seconds brings the line, and is a trade.
	line := "%d symbols with a price: %d books, %d trades, %d tickers; %d gaps, 2 topics rejected\n"
	want := fmt.Sprintf(line, half, 2*half, half, 2*half, 3*n-2) + fmt.Sprintf(line, n-1, n+half, n-1, n-1+half, 3*n-2)
	if got != want {
		t.Errorf("the program wrote\n%s\nwant\n%s", got, want)
	}
}
