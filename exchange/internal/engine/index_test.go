package engine_test

import (
	"testing"

	"github.com/bywire/bywire/exchange/internal/engine"
)

// idOf returns the nth of the ids with a hash.
func idOf(hash uint32, n int) uint64 {
	const factor = 0x9e3779b97f4a7c15 // of hashOf
	inverse := uint64(factor)
	for range 5 {
		inverse *= 2 - factor*inverse
	}
	return inverse * (uint64(hash)<<32 | uint64(n))
}

// Ids that the index cannot tell by their hash are still found, each its own.
func TestIdsOfOneHash(t *testing.T) {
	b := engine.New(engine.Config{})
	const n = 100
	for i := range n {
		if got := engine.HashOf(idOf(7, i)); got != 7 {
			t.Fatalf("id %d has hash %d", idOf(7, i), got)
		}
		b.Place(&engine.Order{ID: idOf(7, i), Price: int64(i), Qty: 1})
	}
	for i := range n {
		if i%3 == 0 {
			b.Cancel(idOf(7, i), engine.ByUser)
		}
	}
	for i := range n {
		if o, ok := b.Order(idOf(7, i)); ok != (i%3 != 0) || ok && o.Price != int64(i) {
			t.Errorf("order %d is %+v, %t", i, o, ok)
		}
	}
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}

// Orders far from where their search begins may surround the index; what is not there is not looked for without end.
func TestAnIndexWhereEachBucketSentOrdersOn(t *testing.T) {
	b := engine.New(engine.Config{})
	var last []uint64
	for hash := uint32(0); hash < 18; hash += 6 {
		for i := range 40 { // of the 48 that the smallest index holds
			b.Place(&engine.Order{ID: idOf(hash, i), Price: 1, Qty: 1})
		}
		for i := range 39 {
			b.Cancel(idOf(hash, i), engine.ByUser)
		}
		last = append(last, idOf(hash, 39))
	}
	for _, id := range last {
		if _, ok := b.Order(id); !ok {
			t.Errorf("order %d is not found", id)
		}
	}
	if b.Resting() != len(last) {
		t.Errorf("%d orders rest, want %d", b.Resting(), len(last))
	}
	if _, ok := b.Order(idOf(3, 99)); ok {
		t.Error("an order is found that never was")
	}
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}
