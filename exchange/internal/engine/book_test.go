package engine_test

import (
	"slices"
	"testing"

	"github.com/bywire/bywire/exchange/internal/engine"
)

func TestOrdersTradeAtThePriceThatRested(t *testing.T) {
	b := engine.New(engine.Config{})
	b.Place(&engine.Order{ID: 1, Account: 7, Side: engine.Sell, Price: 101, Qty: 5})
	got := b.Place(&engine.Order{ID: 2, Account: 8, Side: engine.Buy, Price: 102, Qty: 7})
	want := []engine.Event{
		{Kind: engine.Traded, Side: engine.Buy, Seq: 2, ID: 2, Maker: 1, Account: 8, MakerAccount: 7, Price: 101, Qty: 5, Left: 2},
		{Kind: engine.Rested, Side: engine.Buy, Seq: 2, ID: 2, Account: 8, Price: 102, Qty: 7, Left: 2},
	}
	if !slices.Equal(got, want) {
		t.Errorf("events are\n%+v, want\n%+v", got, want)
	}
}
