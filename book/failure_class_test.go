package book_test

import (
	"testing"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/decimal"
)

const touch = `
	ask 100.4 1
	ask 100.3 5
	bid 100.1 2
	bid 100.0 4`

// Class 8, corrupt order books: each message that would corrupt a book makes it
// invalid, every read says why, deltas cannot revive it, a snapshot does.
func TestFailureClass08_CorruptBook(t *testing.T) {
	d := decimal.MustParse
	tests := []struct {
		name string
		u    *book.Update
		want book.Error
	}{
		{"update id skips", change(t, 9, ""), book.Error{Kind: book.Gap, Want: 8, Got: 9}},
		{"update id repeats", change(t, 7, ""), book.Error{Kind: book.Gap, Want: 8, Got: 7}},
		{"update id goes back", change(t, 2, ""), book.Error{Kind: book.Gap, Want: 8, Got: 2}},
		{"update id missing", change(t, 0, ""), book.Error{Kind: book.Gap, Want: 8}},
		{"bid above the ask", change(t, 8, "bid 100.35 1"), book.Error{Kind: book.Crossed, Price: d("100.35"), Other: d("100.3")}},
		{"bid at the ask", change(t, 8, "ask 100.10 1"), book.Error{Kind: book.Crossed, Price: d("100.1"), Other: d("100.10")}},
		{"a bid too many", change(t, 8, "bid 90 1\nbid 80 1"), book.Error{Kind: book.TooDeep, Side: book.Bid, Want: 3, Got: 4}},
		{"an ask too many", change(t, 8, "ask 110 1\nask 111 1"), book.Error{Kind: book.TooDeep, Side: book.Ask, Want: 3, Got: 4}},
		{"negative size", change(t, 8, "bid 90 -1"), book.Error{Kind: book.BadSize, Price: d("90"), Other: d("-1")}},
		{"negative RPI size", change(t, 8, "ask 110 1 -2"), book.Error{Kind: book.BadSize, Side: book.Ask, Price: d("110"), Other: d("-2")}},
		{"absent size", &book.Update{ID: 8, Bids: []book.Level{{Price: d("90")}}}, book.Error{Kind: book.BadSize, Price: d("90")}},
		{"absent price", &book.Update{ID: 8, Bids: []book.Level{{Size: d("90")}}}, book.Error{Kind: book.BadPrice}},
		{"price beyond 64 bits", change(t, 8, "ask 9999999999999999999 1"), book.Error{Kind: book.BadPrice, Side: book.Ask, Price: d("9999999999999999999")}},
		{"prices together beyond 64 bits", change(t, 8, "bid 0.00000000000000001 1"), book.Error{Kind: book.BadPrice, Price: d("0.00000000000000001")}},
		{"snapshot out of order", ladder(t, 8, "bid 1 1\nbid 2 1"), book.Error{Kind: book.Unsorted, Price: d("2"), Other: d("1")}},
		{"snapshot's asks out of order", ladder(t, 8, "ask 1 1\nask 2 1"), book.Error{Kind: book.Unsorted, Side: book.Ask, Price: d("1"), Other: d("2")}},
		{"snapshot with a price twice", ladder(t, 8, "bid 1.0 1\nbid 1 1"), book.Error{Kind: book.Duplicate, Price: d("1")}},
		{"snapshot crossed", ladder(t, 8, "ask 1 1\nbid 1 1"), book.Error{Kind: book.Crossed, Price: d("1"), Other: d("1")}},
		{"snapshot too deep", ladder(t, 8, "bid 4 1\nbid 3 1\nbid 2 1\nbid 1 1"), book.Error{Kind: book.TooDeep, Want: 3, Got: 4}},
		{"restart with a price twice", change(t, 1, "bid 1 1\nbid 3 1\nbid 1.0 1"), book.Error{Kind: book.Duplicate, Price: d("1.0")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, 3, touch)
			err := b.Apply(tt.u)
			if !sameError(err, &tt.want) {
				t.Fatalf("Apply = %v, want %v", err, &tt.want)
			}
			refuseReads(t, b.View(), err)
			if again := b.Apply(change(t, tt.u.ID+5, "bid 100.1 3")); again != err {
				t.Errorf("a delta to the invalid book: %v, want the first reason", again)
			}
			refuseReads(t, b.View(), err)
			if err := b.Apply(ladder(t, 30, touch)); err != nil {
				t.Fatal(err)
			}
			if got := show(t, b.View()); got != clean(touch) {
				t.Errorf("after the snapshot the book is\n%s", got)
			}
		})
	}
}

// Class 8: update id 1 is a restart of the venue's service and replaces the
// book, whatever it held and whatever the message calls itself.
func TestFailureClass08_RestartReplaces(t *testing.T) {
	for _, invalid := range []bool{false, true} {
		b := start(t, 3, touch)
		if invalid {
			b.Invalidate(errTimeout)
		}
		if err := b.Apply(change(t, 1, "ask 9 1\nbid 5 1\nbid 6 1")); err != nil {
			t.Fatal(err)
		}
		if got, want := show(t, b.View()), "ask 9 1\nbid 6 1\nbid 5 1\n"; got != want {
			t.Errorf("book is %q, want %q", got, want)
		}
		if err := b.Apply(change(t, 2, "bid 7 1")); err != nil {
			t.Errorf("the delta after the restart: %v", err)
		}
	}
}

// Class 8: a delta before any snapshot is no book.
func TestFailureClass08_NoSnapshotYet(t *testing.T) {
	b := book.New(50)
	if err := b.Apply(change(t, 8, touch)); err != book.ErrNoBook {
		t.Errorf("Apply = %v, want ErrNoBook", err)
	}
	refuseReads(t, b.View(), book.ErrNoBook)
	if s := b.Stats(); s != (book.Stats{Ignored: 1}) {
		t.Errorf("Stats = %+v, want one ignored", s)
	}
}

// Class 8: the check of update ids is a policy; lenient counts and goes on, and
// leaves all other checks in force.
func TestFailureClass08_LenientCounts(t *testing.T) {
	b := start(t, 3, touch)
	b.SetPolicy(book.Lenient)
	for _, id := range []int64{9, 10, 10, 3} {
		if err := b.Apply(change(t, id, "bid 100.1 3")); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.Stats(); s.Gaps != 3 || s.Updates != 5 {
		t.Errorf("Stats = %+v, want 3 gaps in 5 updates", s)
	}
	if err := b.Apply(change(t, 4, "bid 101 3")); err == nil {
		t.Error("a crossed book passed")
	}
}

// Class 8: deletes of unknown levels are counted and harmless.
func TestFailureClass08_UnknownDelete(t *testing.T) {
	b := start(t, 3, touch)
	if err := b.Apply(change(t, 8, "ask 150 0\nbid 50 0\nbid 100.10 0\nbid 100.1 0")); err != nil {
		t.Fatal(err)
	}
	if s := b.Stats(); s.UnknownDeletes != 3 {
		t.Errorf("UnknownDeletes = %d, want 3", s.UnknownDeletes)
	}
}

// Class 8: a view outlives its book's change only as an error.
func TestFailureClass08_StaleViewSaysSo(t *testing.T) {
	b := start(t, 3, touch)
	v := b.View()
	if err := b.Apply(change(t, 9, "")); err == nil {
		t.Fatal("a gap passed")
	}
	refuseReads(t, v, book.ErrStale)
}
