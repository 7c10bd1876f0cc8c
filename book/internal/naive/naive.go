// Package naive is the order book as one would write it on a napkin: a map of
// prices per side, sorted whenever somebody looks. It is the oracle for package
// book: both take the same messages, and after each the content, the error and
// every read must be the same.
//
// It shares types and errors with package book and no code: levels live in a
// map keyed by a price's shortest text, everything is compared with
// decimal.Cmp, and each check is written the way the rule is spoken.
// Nothing here is fast, and nothing outside of tests imports it.
package naive

import (
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/decimal"
)

// Book is the naive twin of book.Book.
type Book struct {
	Depth  int
	Policy book.Policy
	Err    error
	ID     int64
	Seq    int64
	Time   time.Time
	Stats  book.Stats
	sides  [2]map[string]book.Level
	scale  int
}

// New returns an empty twin for a topic of the given depth, 0 for no limit.
func New(depth int) *Book {
	return &Book{Depth: depth, Err: book.ErrNoBook, sides: [2]map[string]book.Level{{}, {}}}
}

// Apply is book.Book's Apply.
func (b *Book) Apply(u *book.Update) error {
	fresh := u.Snapshot || u.ID == 1
	if !fresh && b.Err != nil {
		b.Stats.Ignored++
		return b.Err
	}
	if !fresh && b.ID != 0 && !b.next(u) {
		b.Stats.Gaps++
		if b.Policy == book.Strict {
			b.Err = &book.Error{Kind: book.Gap, Want: b.ID + 1, Got: u.ID}
			if u.From != 0 {
				b.Err = &book.Error{Kind: book.Gap, Want: b.ID + 1, Got: u.From}
			}
			return b.Err
		}
	}
	if fresh {
		b.Stats.Snapshots++
		if b.Err == nil && b.ID == u.ID {
			b.Stats.Repeats++
		}
		b.sides = [2]map[string]book.Level{{}, {}}
		b.scale = 0
		for _, lv := range slices.Concat(u.Bids, u.Asks) {
			b.scale = max(b.scale, lv.Price.Scale())
		}
	}
	if u.Seq != 0 && u.Seq < b.Seq {
		b.Stats.SeqBack++
	}
	b.Stats.Updates++
	b.ID, b.Seq, b.Time, b.Err = u.ID, u.Seq, u.MatchTime, nil
	fault := b.levels(book.Bid, u.Bids, fresh, u.Snapshot)
	if fault == nil {
		fault = b.levels(book.Ask, u.Asks, fresh, u.Snapshot)
	}
	if fault == nil {
		fault = b.check()
	}
	if fault == nil {
		return nil
	}
	if fault.Kind == book.Crossed {
		b.Stats.Crossed++
	} else {
		b.Stats.Rejected++
	}
	b.Err = fault
	return fault
}

// next reports whether the next update id is among those that the message stands
// for.
func (b *Book) next(u *book.Update) bool {
	first := u.From
	if first == 0 || first > u.ID {
		first = u.ID
	}
	return first <= b.ID+1 && b.ID < u.ID
}

func (b *Book) levels(sd book.Side, levels []book.Level, fresh, sorted bool) *book.Error {
	for i, lv := range levels {
		bad := book.Error{Side: sd, Price: lv.Price}
		b.scale = max(b.scale, lv.Price.Scale())
		if !lv.Price.IsSet() || !b.fits(lv.Price) {
			bad.Kind = book.BadPrice
			return &bad
		}
		if !lv.Size.IsSet() || lv.Size.Sign() < 0 {
			bad.Kind, bad.Other = book.BadSize, lv.Size
			return &bad
		}
		if lv.RPI.Sign() < 0 {
			bad.Kind, bad.Other = book.BadSize, lv.RPI
			return &bad
		}
		_, known := b.sides[sd][key(lv.Price)]
		if fresh && !sorted && known || sorted && i > 0 && lv.Price.Cmp(levels[i-1].Price) == 0 {
			bad.Kind = book.Duplicate
			return &bad
		}
		if sorted && i > 0 && (lv.Price.Cmp(levels[i-1].Price) > 0) == (sd == book.Bid) {
			bad.Kind, bad.Other = book.Unsorted, levels[i-1].Price
			return &bad
		}
		switch {
		case !lv.Size.IsZero() || !lv.RPI.IsZero():
			b.sides[sd][key(lv.Price)] = lv
		case known:
			delete(b.sides[sd], key(lv.Price))
		default:
			b.Stats.UnknownDeletes++
		}
	}
	return nil
}

// fits reports whether all prices, the new one included, are whole numbers
// within 2^62 at the book's scale.
func (b *Book) fits(price decimal.Decimal) bool {
	ok := func(p decimal.Decimal) bool {
		units, ok := p.Units(b.scale)
		return ok && units < 1<<62 && units > -1<<62
	}
	for _, side := range b.sides {
		for _, lv := range side {
			if !ok(lv.Price) {
				return false
			}
		}
	}
	return ok(price)
}

func (b *Book) check() *book.Error {
	for _, sd := range []book.Side{book.Bid, book.Ask} {
		if n := len(b.sides[sd]); b.Depth > 0 && n > b.Depth {
			return &book.Error{Kind: book.TooDeep, Side: sd, Want: int64(b.Depth), Got: int64(n)}
		}
	}
	bid, hasBid := b.Best(book.Bid)
	ask, hasAsk := b.Best(book.Ask)
	if hasBid && hasAsk && bid.Price.Cmp(ask.Price) >= 0 {
		return &book.Error{Kind: book.Crossed, Price: bid.Price, Other: ask.Price}
	}
	return nil
}

// Levels returns a side, best first.
func (b *Book) Levels(sd book.Side) []book.Level {
	out := make([]book.Level, 0, len(b.sides[sd]))
	for _, lv := range b.sides[sd] {
		out = append(out, lv)
	}
	slices.SortFunc(out, func(x, y book.Level) int {
		if sd == book.Bid {
			return y.Price.Cmp(x.Price)
		}
		return x.Price.Cmp(y.Price)
	})
	return out
}

// Best returns the best level that has more than RPI size.
func (b *Book) Best(sd book.Side) (book.Level, bool) {
	for _, lv := range b.Levels(sd) {
		if !lv.Size.IsZero() {
			return lv, true
		}
	}
	return book.Level{}, false
}

// key is the shortest text of a price: "1.950" and "1.95" are one level.
func key(price decimal.Decimal) string {
	s := price.String()
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	if price.IsZero() {
		return "0"
	}
	return s
}
