package book_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/book/internal/naive"
	"github.com/bywire/bywire/decimal"
)

// FuzzBook runs a script of messages through the book and its naive twin and
// compares error, content, counts and reads after each. The blocks are small,
// so that a short script splits and merges them.
func FuzzBook(f *testing.F) {
	f.Add([]byte{50, 0, 4, 0x80, 10, 20, 11, 21, 0, 1, 5, 30, 0, 12, 3})
	f.Add([]byte{0, 1, 8, 0x83, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Add([]byte{1, 0, 2, 0xff, 0xff, 0xff, 1, 1, 1, 0, 0, 2, 2, 9})
	f.Add(slices.Repeat([]byte{0, 0, 9, 200, 3, 250, 7}, 40))
	f.Add([]byte{50, 0, 0, 1, 10, 8, 0x42, 3, 1, 12, 16, 0x43, 2, 2, 10, 0, 14, 8, 0x40, 4, 1, 10, 8})
	f.Add([]byte("000010227")) // a price of 28 digits, of which half a size is bought
	f.Fuzz(func(t *testing.T, script []byte) {
		src := &script
		depth := []int{0, 1, 3, 50}[next(src)%4]
		fast, slow := book.NewSmallBlocks(depth, 4+int(next(src)%8)), naive.New(depth)
		if next(src)%4 == 0 {
			fast.SetPolicy(book.Lenient)
			slow.Policy = book.Lenient
		}
		for len(*src) > 0 {
			u := message(src, slow)
			got, want := fast.Apply(u), slow.Apply(u)
			if !sameError(got, want) {
				t.Fatalf("Apply(%+v) = %v, want %v", u, got, want)
			}
			compare(t, fast, slow)
		}
	})
}

func next(src *[]byte) byte {
	if len(*src) == 0 {
		return 0
	}
	c := (*src)[0]
	*src = (*src)[1:]
	return c
}

// message makes one message from the script: mostly plausible ones, so that
// books live long, sometimes any nonsense.
func message(src *[]byte, state *naive.Book) *book.Update {
	op := next(src)
	u := &book.Update{ID: state.ID + 1, Seq: state.Seq + int64(op%3), MatchTime: time.UnixMilli(int64(op))}
	switch op >> 4 {
	case 0:
		u.ID = int64(next(src) % 8) // 1 replaces the book, others are mostly gaps
	case 1:
		u.Seq = int64(op)
	case 4: // several in one: it follows, overlaps, repeats or skips
		u.ID += int64(op % 4)
		u.From = state.ID + int64(next(src)%5) - 2
	}
	u.Snapshot = state.Err != nil && op%8 != 7 || op>>4 == 2
	wild := op>>4 == 3
	for range next(src) % 16 {
		sd, lv := level(src, wild)
		if sd == book.Bid {
			u.Bids = append(u.Bids, lv)
		} else {
			u.Asks = append(u.Asks, lv)
		}
	}
	if u.Snapshot && op%8 != 6 {
		u.Bids, u.Asks = tidy(u.Bids, -1), tidy(u.Asks, +1)
	}
	return u
}

// level makes one level from two to four bytes: bids below 128 ticks, asks
// above, now and then on the wrong side or with another number of digits.
func level(src *[]byte, wild bool) (book.Side, book.Level) {
	place, how := next(src), next(src)
	sd := book.Side(place & 1)
	ticks := int64(place >> 1)
	if sd == book.Ask {
		ticks += 128
	}
	if how%32 == 31 {
		ticks = 300 - ticks
	}
	scale := []int{1, 1, 1, 0, 2, 3}[how%6]
	lv := book.Level{
		Price: decimal.New((ticks-40)*[]int64{10, 10, 10, 1, 100, 1000}[how%6]+int64(how%5/4), scale),
		Size:  decimal.New(int64(how>>3&7), int(how&3)),
	}
	if how%16 == 15 {
		lv.RPI = decimal.FromInt(int64(next(src) % 4))
	}
	if wild {
		switch next(src) % 8 {
		case 0:
			lv.Price = decimal.Decimal{}
		case 1:
			lv.Price = decimal.New(int64(next(src))<<52, 3)
		case 2:
			lv.Price = decimal.New(int64(next(src)), 3+int(how%26))
		case 3:
			lv.Size = decimal.Decimal{}
		case 4:
			lv.Size = decimal.New(-int64(next(src)), 2)
		case 5:
			lv.RPI = decimal.New(-int64(next(src)), 2)
		case 6:
			lv.Price, _ = decimal.FromUnits(-1<<62, int(how%4)).Sub(decimal.New(int64(next(src)), 0))
		}
	}
	return sd, lv
}

// tidy sorts a side the way the venue sends snapshots, without repeats.
func tidy(levels []book.Level, sign int) []book.Level {
	slices.SortStableFunc(levels, func(x, y book.Level) int { return sign * x.Price.Cmp(y.Price) })
	return slices.CompactFunc(levels, func(x, y book.Level) bool { return x.Price.Equal(y.Price) })
}

func sameError(x, y error) bool {
	a, ok := errors.AsType[*book.Error](x)
	b, ok2 := errors.AsType[*book.Error](y)
	if ok && ok2 {
		return *a == *b
	}
	return x == y
}

// compare fails unless the fast book and the naive one are the same in all that
// can be read.
func compare(t testing.TB, fast *book.Book, slow *naive.Book) {
	t.Helper()
	if fast.Stats() != slow.Stats {
		t.Fatalf("Stats = %+v, want %+v", fast.Stats(), slow.Stats)
	}
	v := fast.View()
	if !sameError(v.Err(), slow.Err) {
		t.Fatalf("Err = %v, want %v", v.Err(), slow.Err)
	}
	if slow.Err != nil {
		refuseReads(t, v, fast.Err())
		return
	}
	id, _ := v.ID()
	seq, _ := v.Seq()
	at, _ := v.MatchTime()
	if id != slow.ID || seq != slow.Seq || !at.Equal(slow.Time) {
		t.Fatalf("ID, Seq, MatchTime = %d, %d, %v, want %d, %d, %v", id, seq, at, slow.ID, slow.Seq, slow.Time)
	}
	for _, sd := range []book.Side{book.Bid, book.Ask} {
		compareSide(t, v, sd, slow)
	}
	compareTouch(t, v, slow)
	compareCopies(t, fast)
}

func compareSide(t testing.TB, v book.View, sd book.Side, slow *naive.Book) {
	t.Helper()
	want := slow.Levels(sd)
	seq, err := v.Levels(sd)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(seq); !slices.Equal(got, want) {
		t.Fatalf("%v levels = %v, want %v", sd, got, want)
	}
	best, err := v.BestBid()
	if sd == book.Ask {
		best, err = v.BestAsk()
	}
	wantBest, ok := slow.Best(sd)
	if best != wantBest || (err == nil) != ok || err != nil && err != book.ErrEmptySide {
		t.Fatalf("best %v = %v, %v, want %v, %v", sd, best, err, wantBest, ok)
	}
	sum := book.Sum{Size: decimal.FromInt(0), Notional: decimal.FromInt(0)}
	var sumErr error
	for i, lv := range want {
		got, ok, err := v.At(sd, lv.Price)
		if got != lv || !ok || err != nil {
			t.Fatalf("At(%v, %v) = %v, %v, %v", sd, lv.Price, got, ok, err)
		}
		var e [4]error
		var cost decimal.Decimal
		sum.Levels, sum.Worst = i+1, lv.Price
		sum.Size, e[0] = sum.Size.Add(lv.Size)
		if lv.RPI.IsSet() {
			sum.RPI, e[1] = sum.RPI.Add(lv.RPI)
		}
		cost, e[2] = lv.Price.Mul(lv.Size)
		sum.Notional, e[3] = sum.Notional.Add(cost)
		if sumErr = errors.Join(sumErr, errors.Join(e[:]...)); sumErr != nil {
			if _, err := v.SumTop(sd, i+1); err == nil {
				t.Fatalf("SumTop(%v, %d) does not report %v", sd, i+1, sumErr)
			}
			continue
		}
		if i >= 64 && i+1 < len(want) {
			continue
		}
		top, err := v.SumTop(sd, i+1)
		to, err2 := v.SumTo(sd, lv.Price)
		size, err3 := v.SizeTo(sd, lv.Price)
		if top != sum || to != sum || size != sum.Size || err != nil || err2 != nil || err3 != nil {
			t.Fatalf("%v sums to %d = %+v, %+v, %v (%v, %v, %v), want %+v", sd, i+1, top, to, size, err, err2, err3, sum)
		}
	}
	if sumErr == nil {
		compareFill(t, v, sd, sum)
	}
}

// compareFill buys all there is and one more, then half.
func compareFill(t testing.TB, v book.View, sd book.Side, all book.Sum) {
	t.Helper()
	more, err := all.Size.Add(decimal.FromInt(1))
	if err != nil {
		return
	}
	fill, err := v.Fill(sd, more)
	if err != nil || !fill.Size.Equal(all.Size) || !fill.Missing.Equal(decimal.FromInt(1)) || !fill.Notional.Equal(all.Notional) {
		t.Fatalf("Fill(%v, %v) = %+v, %v, want all of %+v and 1 missing", sd, more, fill, err, all)
	}
	half, err := all.Size.Mul(decimal.New(5, 1))
	if err != nil {
		return
	}
	fill, err = v.Fill(sd, half)
	if errors.Is(err, decimal.ErrRange) {
		return // half has a digit more than the sizes, and the price has 28 already
	}
	if err != nil || !fill.Size.Equal(half) || !fill.Missing.IsZero() {
		t.Fatalf("Fill(%v, %v) = %+v, %v", sd, half, fill, err)
	}
}

func compareTouch(t testing.TB, v book.View, slow *naive.Book) {
	t.Helper()
	bid, ok := slow.Best(book.Bid)
	ask, ok2 := slow.Best(book.Ask)
	spread, err := v.Spread()
	mid, err2 := v.Mid()
	if !ok || !ok2 {
		if err != book.ErrEmptySide || err2 != book.ErrEmptySide {
			t.Fatalf("Spread, Mid of an empty side: %v, %v", err, err2)
		}
		return
	}
	if err != nil || err2 != nil {
		if errors.Is(err, decimal.ErrRange) || errors.Is(err2, decimal.ErrRange) {
			return
		}
		t.Fatalf("Spread, Mid: %v, %v", err, err2)
	}
	up, _ := bid.Price.Add(spread)
	low, _ := mid.Sub(bid.Price)
	high, _ := ask.Price.Sub(mid)
	if !up.Equal(ask.Price) || !low.Equal(high) {
		t.Fatalf("bid %v, ask %v: spread %v, mid %v", bid.Price, ask.Price, spread, mid)
	}
}

// compareCopies checks that a clone and a snapshot hold the same book.
func compareCopies(t testing.TB, b *book.Book) {
	t.Helper()
	want := dump(t, b)
	clone, err := b.View().Clone()
	if err != nil {
		t.Fatal(err)
	}
	if got := dump(t, clone); !equalUpdates(got, want) {
		t.Fatalf("clone = %+v, want %+v", got, want)
	}
	again := book.New(b.Depth())
	if err := again.Apply(want); err != nil {
		t.Fatalf("a snapshot of the book does not apply: %v", err)
	}
	if got := dump(t, again); !equalUpdates(got, want) {
		t.Fatalf("applied snapshot = %+v, want %+v", got, want)
	}
}

func dump(t testing.TB, b *book.Book) *book.Update {
	t.Helper()
	var u book.Update
	if err := b.View().AppendSnapshot(&u); err != nil {
		t.Fatal(err)
	}
	return &u
}

func equalUpdates(a, b *book.Update) bool {
	return a.Snapshot == b.Snapshot && a.ID == b.ID && a.Seq == b.Seq && a.MatchTime.Equal(b.MatchTime) &&
		slices.Equal(a.Bids, b.Bids) && slices.Equal(a.Asks, b.Asks)
}

// refuseReads checks that every read of a view returns the same error.
func refuseReads(t testing.TB, v book.View, want error) {
	t.Helper()
	for name, err := range readErrors(v) {
		if err != want {
			t.Fatalf("%s: error %v, want %v", name, err, want)
		}
	}
}

// readErrors calls every read of a view and yields what it returned as error.
func readErrors(v book.View) map[string]error {
	errs := map[string]error{"Err": v.Err()}
	one := decimal.FromInt(1)
	_, errs["ID"] = v.ID()
	_, errs["Seq"] = v.Seq()
	_, errs["MatchTime"] = v.MatchTime()
	_, _, errs["Len"] = v.Len()
	_, errs["BestBid"] = v.BestBid()
	_, errs["BestAsk"] = v.BestAsk()
	_, errs["Bids"] = v.Bids()
	_, errs["Asks"] = v.Asks()
	_, errs["Levels"] = v.Levels(book.Ask)
	_, errs["AppendTop"] = v.AppendTop(nil, book.Bid, 1)
	_, _, errs["At"] = v.At(book.Bid, one)
	_, errs["Spread"] = v.Spread()
	_, errs["Mid"] = v.Mid()
	_, errs["SumTop"] = v.SumTop(book.Bid, 1)
	_, errs["SumTo"] = v.SumTo(book.Bid, one)
	_, errs["SizeTo"] = v.SizeTo(book.Bid, one)
	_, errs["Fill"] = v.Fill(book.Bid, one)
	_, errs["Clone"] = v.Clone()
	errs["AppendSnapshot"] = v.AppendSnapshot(&book.Update{})
	return errs
}
