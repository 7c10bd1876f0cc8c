package book_test

import (
	"fmt"
	"testing"

	"github.com/bywire/bywire/book"
)

var depths = []int{1, 50, 200, 1000, 10_000}

// BenchmarkUpdate applies deltas of seven entries: near the best price ("top")
// and anywhere ("any"). Depth 1 gets snapshots, as on the venue. With "read10"
// the ten best levels of both sides are copied out after each.
func BenchmarkUpdate(b *testing.B) {
	for _, depth := range depths {
		for _, where := range []string{"top", "any"} {
			for _, read := range []int{0, 10} {
				b.Run(fmt.Sprintf("depth=%d/%s/read%d", depth, where, read), func(b *testing.B) {
					bk := newDepth(depth)
					benchmarkUpdate(b, bk, newShuttle(b, bk, where == "top", 4096), read)
				})
			}
		}
	}
}

// BenchmarkBlocks is BenchmarkUpdate over block sizes, for the choice of
// blockCap.
func BenchmarkBlocks(b *testing.B) {
	for _, depth := range depths[1:] {
		for _, where := range []string{"top", "any"} {
			for _, limit := range []int{32, 64, 128, 256} {
				b.Run(fmt.Sprintf("depth=%d/%s/cap=%d", depth, where, limit), func(b *testing.B) {
					bk := book.NewSmallBlocks(depth%10_000, limit)
					benchmarkUpdate(b, bk, newShuttle(b, bk, where == "top", 4096), 0)
				})
			}
		}
	}
}

// newDepth returns a book for a topic's depth; 10,000 levels are the full book.
func newDepth(depth int) *book.Book { return book.New(depth % 10_000) }

func benchmarkUpdate(b *testing.B, bk *book.Book, s *shuttle, read int) {
	var top []book.Level
	b.ReportAllocs()
	for b.Loop() {
		if err := bk.Apply(s.next()); err != nil {
			b.Fatal(err)
		}
		if read > 0 {
			v := bk.View()
			top, _ = v.AppendTop(top[:0], book.Bid, read)
			top, _ = v.AppendTop(top, book.Ask, read)
		}
	}
}

// BenchmarkSnapshot replaces a book by a snapshot.
func BenchmarkSnapshot(b *testing.B) {
	for _, depth := range depths {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			bk := newDepth(depth)
			u := newMarket(depth, true).snapshot(5)
			b.ReportAllocs()
			for b.Loop() {
				if err := bk.Apply(u); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRead reads the top of a book of depth 200.
func BenchmarkRead(b *testing.B) {
	bk := newDepth(200)
	if err := bk.Apply(newMarket(200, true).snapshot(5)); err != nil {
		b.Fatal(err)
	}
	v := bk.View()
	b.Run("BestBid", func(b *testing.B) {
		for b.Loop() {
			_, _ = v.BestBid()
		}
	})
	b.Run("Bids10", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			bids, _ := v.Bids()
			for range bids {
				if n++; n == 10 {
					break
				}
			}
		}
	})
	b.Run("SumTop10", func(b *testing.B) {
		for b.Loop() {
			_, _ = v.SumTop(book.Ask, 10)
		}
	})
	b.Run("SizeTo10", func(b *testing.B) {
		to, _ := v.SumTop(book.Ask, 10)
		for b.Loop() {
			_, _ = v.SizeTo(book.Ask, to.Worst)
		}
	})
}
