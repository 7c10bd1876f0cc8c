package bybittest_test

import (
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybittest"
	"github.com/bywire/bywire/exchange"
)

// A test of what a program does when an order book misses an update.
func ExampleNewExchange() {
	var t *testing.T // what a test is given

	x := bybittest.NewExchange(t, nil)
	stream, err := x.Client().Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.AddFault(t.Context(), exchange.Fault{Kind: exchange.FaultSkip, Topic: "orderbook.*"}); err != nil {
		t.Fatal(err)
	}
	x.Advance(time.Second) // a second of market, in which one message is not sent
	for event, err := range stream.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := event.(*bybit.GapEvent); ok {
			break // and the book is replaced next
		}
	}
}

// TestExample runs what the example shows.
func TestExample(t *testing.T) {
	x := bybittest.NewExchange(t, nil)
	stream, err := x.Client().Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.AddFault(t.Context(), exchange.Fault{Kind: exchange.FaultSkip, Topic: "orderbook.*"}); err != nil {
		t.Fatal(err)
	}
	x.Advance(time.Second)
	for event, err := range stream.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if gap, ok := event.(*bybit.GapEvent); ok {
			if gap.Reason != bybit.GapBook {
				t.Errorf("gap %+v", gap)
			}
			return
		}
	}
}
