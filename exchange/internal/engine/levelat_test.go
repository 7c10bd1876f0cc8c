package engine_test

import (
	"math"
	"testing"

	"github.com/bywire/bywire/exchange/internal/engine"
)

// LevelAt is Levels, one price at a time.
func TestLevelAt(t *testing.T) {
	b := engine.New(engine.Config{})
	for id := range uint64(400) {
		o := engine.Order{ID: id + 1, Account: 1, Side: engine.Side(id % 2), Qty: int64(id%7) + 1, TIF: engine.PostOnly}
		if id%5 == 0 {
			o.TIF = engine.RPI
		}
		o.Price = int64(id*id%61) - 80
		if o.Side == engine.Sell {
			o.Price += 80
		}
		b.Place(&o)
	}
	for s := engine.Buy; s <= engine.Sell; s++ {
		found := 0
		for price := int64(-100); price <= 100; price++ {
			got, ok := b.LevelAt(s, price)
			var want engine.Level
			for _, l := range b.Levels(nil, s, 1000, true) {
				if l.Price == price {
					want = l
				}
			}
			if got != want || ok != (want.Orders > 0) {
				t.Errorf("%v at %d: %+v, %t, want %+v", s, price, got, ok, want)
			}
			if ok {
				found++
			}
		}
		if found < 10 {
			t.Errorf("%v: only %d levels", s, found)
		}
		for _, price := range []int64{math.MinInt64, math.MaxInt64} {
			if l, ok := b.LevelAt(s, price); ok {
				t.Errorf("%v at %d: %+v", s, price, l)
			}
		}
	}
}

// An amendment says which price it left.
func TestAmendedSaysThePriceBefore(t *testing.T) {
	b := engine.New(engine.Config{})
	b.Place(&engine.Order{ID: 1, Account: 1, Price: 100, Qty: 9})
	if ev := b.Amend(1, 100, 5); ev[0].Kind != engine.Amended || ev[0].Was != 100 {
		t.Errorf("smaller: %+v", ev)
	}
	if ev := b.Amend(1, 103, 5); ev[0].Kind != engine.Amended || ev[0].Was != 100 || ev[0].Price != 103 {
		t.Errorf("dearer: %+v", ev)
	}
}
