package book_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/book/internal/naive"
	"github.com/bywire/bywire/decimal"
)

func TestApply(t *testing.T) {
	const from = `
		ask 100.3 5
		ask 100.2 1.50
		bid 100.1 2
		bid 99.90 4`
	tests := []struct {
		name, delta, want string
	}{
		{"size changes, in the text of the last message", `
			ask 100.20 7
			bid 99.9 1`, `
			ask 100.3 5
			ask 100.20 7
			bid 100.1 2
			bid 99.9 1`},
		{"new best, new worst, one between", `
			ask 100.9 1
			bid 100.15 3
			bid 100 8
			bid 90 1`, `
			ask 100.9 1
			ask 100.3 5
			ask 100.2 1.50
			bid 100.15 3
			bid 100.1 2
			bid 100 8
			bid 99.90 4
			bid 90 1`},
		{"the best goes, unknown deletes do nothing", `
			ask 100.2 0
			ask 123 0
			bid 100.10 0.00
			bid 1 0`, `
			ask 100.3 5
			bid 99.90 4`},
		{"of one price twice the later counts", `
			bid 100 1
			bid 100.0 2
			bid 99.9 0
			bid 99.9 6`, `
			ask 100.3 5
			ask 100.2 1.50
			bid 100.1 2
			bid 100.0 2
			bid 99.9 6`},
		{"the market moves through the old touch", `
			ask 100.2 0
			bid 100.2 9`, `
			ask 100.3 5
			bid 100.2 9
			bid 100.1 2
			bid 99.90 4`},
		{"many more digits", `
			bid 100.1000000001 1`, `
			ask 100.3 5
			ask 100.2 1.50
			bid 100.1000000001 1
			bid 100.1 2
			bid 99.90 4`},
		{"everything goes", `
			ask 100.3 0
			ask 100.2 0
			bid 100.1 0
			bid 99.9 0`, ``},
		{"nothing", ``, from},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, 5, from)
			if err := b.Apply(change(t, 8, tt.delta)); err != nil {
				t.Fatal(err)
			}
			if got := show(t, b.View()); got != clean(tt.want) {
				t.Errorf("book is\n%swant\n%s", got, clean(tt.want))
			}
		})
	}
}

// Spreads trade at negative prices; the better bid is the one nearer to +inf.
func TestNegativePrices(t *testing.T) {
	b := start(t, 0, `
		ask 0.5   1
		ask 0     2
		ask -0.25 3
		bid -0.5  4
		bid -10   5`)
	if err := b.Apply(change(t, 8, `
		ask -0.250 0
		bid -0.30 1
		bid -11 1
		bid -10 0`)); err != nil {
		t.Fatal(err)
	}
	want := clean(`
		ask 0.5 1
		ask 0 2
		bid -0.30 1
		bid -0.5 4
		bid -11 1`)
	if got := show(t, b.View()); got != want {
		t.Errorf("book is\n%swant\n%s", got, want)
	}
	if d, err := b.View().Spread(); err != nil || d.String() != "0.30" {
		t.Errorf("Spread = %v, %v, want 0.30", d, err)
	}
	if d, err := b.View().Mid(); err != nil || d.String() != "-0.150" {
		t.Errorf("Mid = %v, %v, want -0.150", d, err)
	}
}

// RPI orders may cross the visible book and make levels without visible size.
func TestRPI(t *testing.T) {
	b := start(t, 50, `
		ask 100.4 5   0
		ask 100.2 0   0.7
		bid 100.3 0   0.5
		bid 100.1 2   1`)
	v := b.View()
	bid, err := v.BestBid()
	if err != nil || bid.Price.String() != "100.1" {
		t.Errorf("BestBid = %v, %v, want 100.1, the best with visible size", bid, err)
	}
	if d, err := v.Spread(); err != nil || d.String() != "0.3" {
		t.Errorf("Spread = %v, %v, want 0.3", d, err)
	}
	sum, err := v.SumTop(book.Bid, 2)
	if err != nil || sum.Size.String() != "2" || sum.RPI.String() != "1.5" || sum.Levels != 2 || sum.Notional.String() != "200.2" {
		t.Errorf("SumTop = %+v, %v", sum, err)
	}
	if fill, err := v.Fill(book.Ask, decimal.FromInt(1)); err != nil || fill.Worst.String() != "100.4" || fill.Levels != 1 {
		t.Errorf("Fill = %+v, %v, want at 100.4: RPI size cannot be met", fill, err)
	}
	// Visible size at a level that was hidden: now the book is crossed.
	err = b.Apply(change(t, 8, `ask 100.1 1 0`))
	if want := (book.Error{Kind: book.Crossed, Price: decimal.MustParse("100.1"), Other: decimal.MustParse("100.1")}); !sameError(err, &want) {
		t.Errorf("Apply = %v, want %v", err, &want)
	}
	if err := b.Apply(ladder(t, 9, `
		ask 2 1 0
		bid 1 0 3`)); err != nil {
		t.Fatal(err)
	}
	if err := b.Apply(change(t, 10, `bid 1 0 0`)); err != nil {
		t.Fatal(err)
	}
	if got, want := show(t, b.View()), "ask 2 1 0\n"; got != want {
		t.Errorf("book is %q, want %q", got, want)
	}
}

// The venue sent deltas for depth 1 in 2023: the old best goes, the new comes.
func TestDepthOneDelta(t *testing.T) {
	b := start(t, 1, `
		ask 27994.40 0.058
		bid 27991.60 1.5`)
	if err := b.Apply(change(t, 8, `
		ask 27994.80 0.1
		ask 27994.40 0
		bid 27991.70 0.777
		bid 27991.60 0`)); err != nil {
		t.Fatal(err)
	}
	if got, want := show(t, b.View()), "ask 27994.80 0.1\nbid 27991.70 0.777\n"; got != want {
		t.Errorf("book is %q, want %q", got, want)
	}
}

// Depth 1 repeats its snapshot after three seconds without a change.
func TestRepeatedSnapshot(t *testing.T) {
	b := book.New(1)
	for range 3 {
		if err := b.Apply(ladder(t, 7, "ask 2 1\nbid 1 1")); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.Stats(); s.Repeats != 2 || s.Gaps != 0 || s.Snapshots != 3 {
		t.Errorf("Stats = %+v, want 2 repeats, no gap", s)
	}
}

// Option books of 2023: no seq, and an empty snapshot with u = 0 before the
// first order. The id that comes then is the first one.
func TestEmptySnapshotWithoutID(t *testing.T) {
	b := book.New(25)
	if err := b.Apply(&book.Update{Snapshot: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.View().BestBid(); err != book.ErrEmptySide {
		t.Errorf("BestBid of an empty book: %v, want ErrEmptySide", err)
	}
	u := change(t, 24642, "ask 1.75 46")
	u.Seq = 0
	if err := b.Apply(u); err != nil {
		t.Fatal(err)
	}
	if seq, err := b.View().Seq(); seq != 0 || err != nil {
		t.Errorf("Seq = %d, %v, want 0", seq, err)
	}
	if err := b.Apply(change(t, 24644, "")); err == nil {
		t.Error("a gap after the first id passed")
	}
}

func TestStaleView(t *testing.T) {
	b := start(t, 50, "ask 2 1\nbid 1 1")
	v := b.View()
	refuseReads(t, book.View{}, book.ErrNoBook)
	refuseReads(t, v, nil)
	bids, _ := v.Bids()
	keep, err := v.Clone()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Apply(change(t, 8, "bid 1 0\nbid 1.5 1")); err != nil {
		t.Fatal(err)
	}
	refuseReads(t, v, book.ErrStale)
	for lv := range bids {
		t.Errorf("a stale sequence yields %v", lv)
	}
	if got, want := show(t, keep.View()), "ask 2 1\nbid 1 1\n"; got != want {
		t.Errorf("clone is %q, want %q", got, want)
	}
	v = b.View()
	b.Release()
	refuseReads(t, v, book.ErrStale)
	v = b.View()
	refuseReads(t, v, nil)
	b.Invalidate(errTimeout)
	refuseReads(t, v, book.ErrStale)
	refuseReads(t, b.View(), errTimeout)
}

func TestSums(t *testing.T) {
	v := start(t, 50, `
		ask 101.5 100
		ask 101   3
		ask 100.5 0.5
		bid 100   1
		bid 99.5  10`).View()
	d := decimal.MustParse
	sum, err := v.SumTo(book.Ask, d("101.20"))
	if err != nil || sum != (book.Sum{Levels: 2, Size: d("3.5"), Notional: d("353.25"), Worst: d("101")}) {
		t.Errorf("SumTo = %+v, %v", sum, err)
	}
	fill, err := v.Fill(book.Ask, d("2.5"))
	if err != nil || fill.Levels != 2 || fill.Notional.String() != "252.25" || fill.Missing.Sign() != 0 {
		t.Errorf("Fill = %+v, %v", fill, err)
	}
	if avg, err := fill.Average(4, decimal.HalfEven); err != nil || avg.String() != "100.9000" {
		t.Errorf("Average = %v, %v, want 100.9000", avg, err)
	}
	if fill, err = v.Fill(book.Bid, d("12")); err != nil || fill.Missing.String() != "1" || fill.Size.String() != "11" {
		t.Errorf("Fill = %+v, %v, want 1 missing", fill, err)
	}
	huge := start(t, 50, `
		bid 9000000.00001 99999999999999999999.99
		bid 9000000.00000 1`).View()
	if _, err := huge.SumTop(book.Bid, 1); err == nil {
		t.Error("SumTop beyond 28 digits reports nothing")
	}
	if size, err := huge.SizeTo(book.Bid, d("9000000")); err != nil || size.String() != "100000000000000000000.99" {
		t.Errorf("SizeTo = %v, %v", size, err)
	}
}

// A long random life of a book at every depth, against the twin.
func TestAgainstNaive(t *testing.T) {
	for _, depth := range []int{1, 25, 50, 200, 1000} {
		for _, heavy := range []bool{true, false} {
			fast, slow, m := book.NewSmallBlocks(depth, 8), naive.New(depth), newMarket(depth, heavy)
			for i := range int64(60) {
				u := m.snapshot(i + 2)
				if i%20 != 0 && depth > 1 {
					u, _ = m.delta()
					u.ID = i + 2
				}
				if err, err2 := fast.Apply(u), slow.Apply(u); err != nil || err2 != nil {
					t.Fatalf("depth %d, message %d: %v, naive %v", depth, i, err, err2)
				}
			}
			compare(t, fast, slow)
		}
	}
}

// A book that drifts far from where it began keeps a bounded number of blocks.
func TestDriftingBookStaysCompact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	b := book.NewSmallBlocks(0, 16)
	u := &book.Update{Snapshot: true, ID: 2}
	if err := b.Apply(u); err != nil {
		t.Fatal(err)
	}
	for i := range int64(20_000) {
		u := &book.Update{ID: 3 + i}
		u.Bids = append(u.Bids, book.Level{Price: decimal.FromInt(i + rng.Int64N(50)), Size: decimal.FromInt(1)})
		for k := range int64(3) {
			u.Bids = append(u.Bids, book.Level{Price: decimal.FromInt(i - 400 + rng.Int64N(100) + k), Size: decimal.FromInt(0)})
		}
		if err := b.Apply(u); err != nil {
			t.Fatal(err)
		}
	}
	bids, _, err := b.View().Len()
	if err != nil {
		t.Fatal(err)
	}
	if n := book.Blocks(b); n > 2+bids/3 {
		t.Errorf("%d blocks of 16 for %d levels", n, bids)
	}
}

func TestApplyDoesNotAllocate(t *testing.T) {
	for _, depth := range []int{1, 50, 200, 1000, 10_000} {
		for _, heavy := range []bool{true, false} {
			b := newDepth(depth)
			s := newShuttle(t, b, heavy, 500)
			apply := func() {
				if err := b.Apply(s.next()); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 * len(s.deltas) {
				apply()
			}
			if n := testing.AllocsPerRun(1000, apply); n != 0 {
				t.Errorf("depth %d: %v allocations per Apply", depth, n)
			}
			top := make([]book.Level, 0, 20)
			read := func() {
				v := b.View()
				top, _ = v.AppendTop(top[:0], book.Bid, 10)
				_, _ = v.BestAsk()
				_, _ = v.SumTop(book.Ask, 10)
				_, _ = v.Fill(book.Ask, decimal.FromInt(3))
				_, _ = v.MatchTime()
			}
			if n := testing.AllocsPerRun(100, read); n != 0 {
				t.Errorf("depth %d: %v allocations per read", depth, n)
			}
		}
	}
}

// A message that carries a time gives it to readers.
func TestMatchTime(t *testing.T) {
	b := book.New(1)
	at := time.UnixMilli(1758841134598).UTC()
	u := ladder(t, 5, "ask 2 1\nbid 1 1")
	u.MatchTime = at
	if err := b.Apply(u); err != nil {
		t.Fatal(err)
	}
	if got, err := b.View().MatchTime(); !got.Equal(at) || err != nil {
		t.Errorf("MatchTime = %v, %v, want %v", got, err, at)
	}
}

// TestSeveralMessagesInOne checks which deltas that stand for several follow a book
// at update id 10.
func TestSeveralMessagesInOne(t *testing.T) {
	for _, c := range []struct {
		from, id int64
		gap      int64 // the Got of the error, 0 for none
	}{
		{from: 11, id: 11},
		{from: 11, id: 15},
		{from: 9, id: 15},
		{from: 10, id: 11},
		{from: 0, id: 12, gap: 12},
		{from: 12, id: 15, gap: 12},
		{from: 8, id: 10, gap: 8},
		{from: 3, id: 5, gap: 3},
	} {
		b := book.New(50)
		if err := b.Apply(ladder(t, 10, "ask 101 1\nbid 100 1")); err != nil {
			t.Fatal(err)
		}
		u := change(t, c.id, "bid 100 7")
		u.From = c.from
		err := b.Apply(u)
		fault, _ := errors.AsType[*book.Error](err)
		switch {
		case c.gap == 0 && err != nil:
			t.Errorf("%d to %d after 10: %v, want no error", c.from, c.id, err)
		case c.gap != 0 && (fault == nil || fault.Kind != book.Gap || fault.Want != 11 || fault.Got != c.gap):
			t.Errorf("%d to %d after 10: %v, want a gap from 11 to %d", c.from, c.id, err, c.gap)
		}
		if id, _ := b.View().ID(); err == nil && id != c.id {
			t.Errorf("%d to %d: the book has id %d", c.from, c.id, id)
		}
	}
}
