package book

import (
	"errors"
	"strconv"

	"github.com/bywire/bywire/decimal"
)

var (
	// ErrNoBook says that no snapshot has arrived yet, or that the venue has
	// no book for the symbol.
	ErrNoBook = errors.New("book: no book")
	// ErrStale says that the book has changed since the View was taken.
	ErrStale = errors.New("book: view is stale")
	// ErrEmptySide says that a valid book has no level on the side that a read
	// needs.
	ErrEmptySide = errors.New("book: side is empty")
)

// Kind says which check a message broke.
type Kind uint8

// The checks of Apply, and the two ends of a live book that only Full knows.
const (
	// Gap: the update id does not follow the last one. Want and Got are ids.
	Gap Kind = iota + 1
	// Crossed: the best bid is not below the best ask, judged on Size alone
	// because RPI orders may cross the visible book. Price is the bid, Other
	// the ask.
	Crossed
	// TooDeep: Side has more levels than the topic's depth. Want is the depth,
	// Got the number of levels.
	TooDeep
	// Unsorted: a level of a snapshot is better than the one before it. Price
	// is the level's, Other that of the one before.
	Unsorted
	// Duplicate: a price appears twice in a snapshot.
	Duplicate
	// BadSize: a size is negative or absent. Other is the size.
	BadSize
	// BadPrice: a price is absent, or it and the book's other prices do not all
	// fit 63 bits as whole multiples of their last digit (18 digits do).
	BadPrice
	// Restart: the venue started the topic anew, with update id 1 (Full only).
	Restart
	// Misaligned: a REST snapshot does not belong to the buffered deltas (Full
	// only). Want and Got are cross sequences.
	Misaligned
)

// String returns the kind in words.
func (k Kind) String() string {
	switch k {
	case Gap:
		return "gap"
	case Crossed:
		return "crossed"
	case TooDeep:
		return "too deep"
	case Unsorted:
		return "unsorted"
	case Duplicate:
		return "duplicate price"
	case BadSize:
		return "bad size"
	case BadPrice:
		return "bad price"
	case Restart:
		return "restart"
	case Misaligned:
		return "misaligned snapshot"
	}
	return "kind " + strconv.Itoa(int(k))
}

// Error says what was wrong with a message, and so with the book since. The
// fields that a Kind does not mention are zero.
type Error struct {
	Kind         Kind
	Side         Side            // the side of Price, where the kind is about one
	Want, Got    int64           // see Kind
	Price, Other decimal.Decimal // see Kind
}

// Error returns one line with the figures, such as
// "book: gap: update id 12, want 10".
func (e *Error) Error() string {
	s := "book: " + e.Kind.String()
	switch e.Kind {
	case Gap:
		s += ": update id " + strconv.FormatInt(e.Got, 10) + ", want " + strconv.FormatInt(e.Want, 10)
	case Crossed:
		s += ": bid " + e.Price.String() + ", ask " + e.Other.String()
	case TooDeep:
		s += ": " + strconv.FormatInt(e.Got, 10) + " " + e.Side.String() + " levels, depth " + strconv.FormatInt(e.Want, 10)
	case Unsorted:
		s += ": " + e.Side.String() + " " + e.Price.String() + " after " + e.Other.String()
	case Duplicate, BadPrice:
		s += ": " + e.Side.String() + " " + quoted(e.Price)
	case BadSize:
		s += ": " + e.Side.String() + " " + e.Price.String() + " size " + quoted(e.Other)
	case Misaligned:
		s += ": seq " + strconv.FormatInt(e.Got, 10) + ", deltas at " + strconv.FormatInt(e.Want, 10)
	}
	return s
}

// quoted shows an absent number as "", where nothing would be read as a
// mistake in the sentence.
func quoted(d decimal.Decimal) string {
	if !d.IsSet() {
		return `""`
	}
	return d.String()
}
