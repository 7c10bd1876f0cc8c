package engine_test

import (
	"testing"

	"github.com/bywire/bywire/exchange/internal/engine"
)

// Ids that the index cannot tell by their hash are still found, each its own.
func TestIdsOfOneHash(t *testing.T) {
	const factor = 0x9e3779b97f4a7c15 // of hashOf
	inverse := uint64(factor)
	for range 5 {
		inverse *= 2 - factor*inverse
	}
	b := engine.New(engine.Config{})
	const n = 100
	id := func(i int64) uint64 { return inverse * (7<<32 | uint64(i)) }
	for i := range int64(n) {
		if engine.HashOf(id(i)) != 7 {
			t.Fatalf("id %d has hash %d", id(i), engine.HashOf(id(i)))
		}
		b.Place(&engine.Order{ID: id(i), Price: i, Qty: 1})
	}
	for i := range int64(n) {
		if i%3 == 0 {
			b.Cancel(id(i), engine.ByUser)
		}
	}
	for i := range int64(n) {
		if o, ok := b.Order(id(i)); ok != (i%3 != 0) || ok && o.Price != i {
			t.Errorf("order %d is %+v, %t", i, o, ok)
		}
	}
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}
