package book_test

import (
	"strings"
	"testing"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/decimal"
)

// ladder reads levels as a trader sees them, best ask nearest to best bid:
//
//	ask 100.3  5
//	ask 100.2  1.5
//	bid 100.1  2  0.5     third number: RPI size
//	bid 100.0  4
//
// Asks are turned around, so that both sides of the update are best first.
func ladder(tb testing.TB, id int64, text string) *book.Update {
	tb.Helper()
	u := &book.Update{Snapshot: true, ID: id, Seq: 10 * id}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) < 3 {
			tb.Fatalf("ladder: bad line %q", line)
		}
		lv := book.Level{Price: decimal.MustParse(f[1]), Size: decimal.MustParse(f[2])}
		if len(f) > 3 {
			lv.RPI = decimal.MustParse(f[3])
		}
		switch f[0] {
		case "bid":
			u.Bids = append(u.Bids, lv)
		case "ask":
			u.Asks = append([]book.Level{lv}, u.Asks...)
		default:
			tb.Fatalf("ladder: bad line %q", line)
		}
	}
	return u
}

// change reads a delta in the same form.
func change(tb testing.TB, id int64, text string) *book.Update {
	tb.Helper()
	u := ladder(tb, id, text)
	u.Snapshot = false
	return u
}

// show writes a book as a ladder.
func show(tb testing.TB, v book.View) string {
	tb.Helper()
	var u book.Update
	if err := v.AppendSnapshot(&u); err != nil {
		tb.Fatalf("show: %v", err)
	}
	var s strings.Builder
	line := func(side string, lv book.Level) {
		s.WriteString(side + " " + lv.Price.String() + " " + lv.Size.String())
		if lv.RPI.IsSet() {
			s.WriteString(" " + lv.RPI.String())
		}
		s.WriteString("\n")
	}
	for i := range u.Asks {
		line("ask", u.Asks[len(u.Asks)-1-i])
	}
	for _, lv := range u.Bids {
		line("bid", lv)
	}
	return s.String()
}

// clean removes indentation and empty lines of a ladder in a test.
func clean(text string) string {
	var s strings.Builder
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 {
			s.WriteString(strings.Join(f, " ") + "\n")
		}
	}
	return s.String()
}

// start returns a book of the given depth with the ladder as its snapshot 7.
func start(tb testing.TB, depth int, text string) *book.Book {
	tb.Helper()
	b := book.New(depth)
	if err := b.Apply(ladder(tb, 7, text)); err != nil {
		tb.Fatal(err)
	}
	return b
}
