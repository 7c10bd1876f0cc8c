package book_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/book/internal/naive"
	"github.com/bywire/bywire/decimal"
)

func TestFold(t *testing.T) {
	snapshot := func(id int64, text string) *book.Update { return ladder(t, id, text) }
	delta := func(id int64, text string) *book.Update { return change(t, id, text) }
	several := func(from, id int64, text string) *book.Update {
		u := delta(id, text)
		u.From = from
		return u
	}
	full := func(from, id int64, text string) *book.Update {
		u := snapshot(id, text)
		u.From = from
		return u
	}
	for _, c := range []struct {
		name string
		in   []*book.Update
		want []*book.Update // a new one for each message that could not be added
	}{
		{"one alone", []*book.Update{delta(5, "bid 100 1")}, []*book.Update{delta(5, "bid 100 1")}},
		{
			"the last write counts and deletes stay",
			[]*book.Update{delta(5, "ask 102 1\nbid 100 1\nbid 99 1"), delta(6, "bid 100 0\nbid 99 2"), delta(7, "bid 98 0\nbid 101 3")},
			[]*book.Update{several(5, 7, "ask 102 1\nbid 100 0\nbid 98 0\nbid 101 3\nbid 99 2")},
		},
		{
			"one price in two spellings",
			[]*book.Update{delta(5, "bid 100 1"), delta(6, "bid 100.00 2"), delta(7, "bid 100.0 0")},
			[]*book.Update{several(5, 7, "bid 100.0 0")},
		},
		{
			"a snapshot and what follows",
			[]*book.Update{snapshot(5, "ask 102 1\nask 101 4\nbid 100 1\nbid 99 1"), delta(6, "ask 101 0\nbid 98 0"), delta(7, "bid 99 7\nask 103 1")},
			[]*book.Update{full(5, 7, "ask 103 1\nask 102 1\nbid 100 1\nbid 99 7")},
		},
		{
			"a restart replaces, in any order",
			[]*book.Update{delta(5, "bid 100 1"), delta(6, "bid 90 1"), delta(1, "bid 50 1\nbid 51 2"), delta(2, "bid 50 0")},
			[]*book.Update{full(5, 2, "bid 51 2")},
		},
		{
			"a snapshot in its place, or older, replaces",
			[]*book.Update{delta(5, "bid 100 1"), snapshot(6, "bid 70 1"), snapshot(6, "bid 71 1"), snapshot(3, "bid 60 1")},
			[]*book.Update{full(5, 3, "bid 60 1")},
		},
		{
			"a skip shows, of a delta and of a snapshot",
			[]*book.Update{delta(5, "bid 100 1"), delta(7, "bid 99 1"), delta(8, "bid 99 2"), snapshot(10, "bid 98 1"), delta(11, "bid 98 2")},
			[]*book.Update{delta(5, "bid 100 1"), several(7, 8, "bid 99 2"), full(10, 11, "bid 98 2")},
		},
		{
			"a repeated delta shows",
			[]*book.Update{delta(5, "bid 100 1"), delta(5, "bid 100 2")},
			[]*book.Update{delta(5, "bid 100 1"), delta(5, "bid 100 2")},
		},
		{
			"what was folded folds again, overlapping too",
			[]*book.Update{several(5, 9, "bid 100 1"), several(8, 12, "bid 100 2"), several(13, 14, "bid 99 1"), full(15, 3, "bid 50 1"), delta(4, "bid 51 1")},
			[]*book.Update{full(5, 4, "bid 51 1\nbid 50 1")},
		},
		{
			"a folded snapshot with something missing before it",
			[]*book.Update{delta(5, "bid 100 1"), full(7, 3, "bid 50 1")},
			[]*book.Update{delta(5, "bid 100 1"), full(7, 3, "bid 50 1")},
		},
		{
			"id 0 follows nothing",
			[]*book.Update{snapshot(0, ""), delta(0, "bid 1 1"), delta(1, "bid 2 1"), delta(2, "bid 3 1")},
			[]*book.Update{snapshot(0, ""), delta(0, "bid 1 1"), full(1, 2, "bid 3 1\nbid 2 1")},
		},
		{
			"RPI alone is no delete",
			[]*book.Update{snapshot(5, "bid 100 1 1\nbid 99 0 2"), delta(6, "bid 100 0 3\nbid 99 0 0")},
			[]*book.Update{full(5, 6, "bid 100 0 3")},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f book.Fold
			var got []*book.Update
			flush := func() {
				if f.Len() > 0 {
					var u book.Update
					if f.Update(&u); len(u.Bids)+len(u.Asks) != f.Levels() {
						t.Errorf("Levels = %d, want %d", f.Levels(), len(u.Bids)+len(u.Asks))
					}
					got = append(got, &u)
					f.Reset()
				}
			}
			for _, u := range c.in {
				if !f.Add(u) {
					flush()
					if !f.Add(u) {
						t.Fatalf("an empty fold does not take %+v", u)
					}
				}
			}
			flush()
			if !slices.EqualFunc(got, c.want, func(a, b *book.Update) bool { return equalUpdates(a, b) && a.From == b.From }) {
				t.Errorf("got")
				for _, u := range got {
					t.Errorf("  %+v", *u)
				}
				t.Errorf("want")
				for _, u := range c.want {
					t.Errorf("  %+v", *u)
				}
			}
		})
	}
}

// What a book would refuse is not added, and leaves no trace.
func TestFoldRefusesFaults(t *testing.T) {
	unsorted := ladder(t, 6, "bid 99 1\nbid 100 1")
	twice := ladder(t, 6, "bid 99 1\nbid 99 2")
	restart := change(t, 1, "bid 99 1\nbid 98 1\nbid 99.0 2")
	negative := change(t, 6, "bid 99 -1")
	noSize := change(t, 6, "bid 99 1")
	noSize.Bids[0].Size = decimal.Decimal{}
	noPrice := change(t, 6, "bid 98 1\nbid 99 1")
	noPrice.Bids[1].Price = decimal.Decimal{}
	tooFine := change(t, 6, "bid 0.00000000000000000001 1")
	for name, bad := range map[string]*book.Update{
		"unsorted": unsorted, "twice": twice, "restart with a price twice": restart, "negative size": negative,
		"no size": noSize, "no price": noPrice, "too fine a price": tooFine,
	} {
		f := new(book.Fold)
		if !f.Add(change(t, 5, "bid 100 1\nask 101 1")) || f.Add(bad) {
			t.Errorf("%s: was added", name)
		}
		var got book.Update
		f.Update(&got)
		if want := change(t, 5, "bid 100 1\nask 101 1"); !equalUpdates(&got, want) || f.Len() != 1 {
			t.Errorf("%s: the fold is %+v afterwards, want %+v", name, got, *want)
		}
	}
}

// FuzzFold lets a naive book take every message of a script, and a book what Fold
// makes of them: wherever both have come to the same message, both are the same. No
// gap that the first one saw is hidden from the second. (A message that repeats an
// update id is a gap for a book, though nothing is missing; folded with what follows
// it, it overlaps what the book has had, which Apply allows.)
func FuzzFold(f *testing.F) {
	f.Add([]byte{3, 50, 0x80, 10, 20, 11, 21, 0, 1, 5, 30, 0, 12, 3, 1, 1, 2, 8, 1, 1, 2, 8})
	f.Add([]byte{9, 0x20, 3, 1, 12, 3, 16, 5, 8, 1, 1, 12, 0x42, 3, 1, 12, 16, 0x43, 2, 2, 10, 0, 14, 8})
	f.Add([]byte("1A00@00@100")) // From after ID
	f.Fuzz(func(t *testing.T, script []byte) {
		src := &script
		each, slow, fast := naive.New(0), naive.New(0), book.NewSmallBlocks(0, 4)
		cut := 1 + int(next(src)%16)
		var fold book.Fold
		sound := true // every message since the last flush was fine
		flush := func() {
			if fold.Len() == 0 {
				return
			}
			var u book.Update
			fold.Update(&u)
			last, healthy := slow.ID, slow.Err == nil
			fold.Reset()
			got, want := fast.Apply(&u), slow.Apply(&u)
			if !sameError(got, want) {
				t.Fatalf("Apply(%+v) = %v, want %v", u, got, want)
			}
			gap, _ := errors.AsType[*book.Error](each.Err)
			shown := got != nil || healthy && u.Snapshot && u.First() > last+1
			switch {
			case sound && each.Err == nil:
				if got != nil || slow.ID != each.ID || slow.Seq != each.Seq || !slow.Time.Equal(each.Time) ||
					!slices.Equal(slow.Levels(book.Bid), each.Levels(book.Bid)) || !slices.Equal(slow.Levels(book.Ask), each.Levels(book.Ask)) {
					t.Fatalf("folded %+v: %v\n got %+v\nwant %+v", u, got, slow, each)
				}
			case gap != nil && gap.Kind == book.Gap && gap.Got > gap.Want && healthy && !shown:
				t.Fatalf("folded %+v hides %v", u, gap)
			}
			compare(t, fast, slow)
			sound = true
		}
		for i := 0; len(*src) > 0; i++ {
			u := message(src, each)
			if i%cut == 0 || !fold.Add(u) {
				flush()
				if !fold.Add(u) {
					// A fault that every book sees.
					each.Apply(u)
					fast.Apply(u)
					slow.Apply(u)
					continue
				}
			}
			if each.Apply(u) != nil {
				sound = false
			}
		}
		flush()
	})
}

func BenchmarkFold(b *testing.B) {
	m := newMarket(50, true)
	feed := make([]*book.Update, 10_000)
	levels := 0
	for i := range feed {
		u, _ := m.delta()
		u.ID = int64(i + 2)
		feed[i] = u
		levels += len(u.Bids) + len(u.Asks)
	}
	var f book.Fold
	b.ReportAllocs()
	for b.Loop() {
		f.Reset()
		for _, u := range feed {
			if !f.Add(u) {
				b.Fatalf("%+v was not added", u)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(feed)), "ns/message")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(levels), "ns/level")
}
