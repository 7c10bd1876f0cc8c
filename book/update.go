package book

import (
	"time"

	"github.com/bywire/bywire/decimal"
)

// Level is one price of one side of a book.
//
// Size is the quantity that every order can meet. RPI is the quantity of
// retail price improvement orders at the same price; only orderbook.rpi has
// it, elsewhere it is absent. In an Update a level whose Size is zero, and
// whose RPI is zero or absent, deletes the price.
type Level struct {
	Price, Size, RPI decimal.Decimal
}

// Update is one message of an orderbook topic without its envelope.
//
// Bids and Asks may be in any order in a delta; of two levels with one price
// the later one counts. In a snapshot they are sorted, best first, and a price
// appears once. Apply keeps no reference to them.
//
// An Update may stand for several messages that followed one another, see
// [Fold]: From says so.
//
// See https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
type Update struct {
	Snapshot  bool      // the message replaces the book
	ID        int64     // u: steps by one; 1 means that the venue's service restarted
	From      int64     // the ID of the first message that this one stands for, ID being that of the last; 0: of one alone
	Seq       int64     // seq: the cross sequence; 0 is absent (option books of 2023)
	MatchTime time.Time // cts: when the engine made the change; zero is absent (2023)
	Bids      []Level
	Asks      []Level
}

// First returns the ID of the first message that u stands for: From, or ID if From
// is 0.
func (u *Update) First() int64 {
	if u.From != 0 {
		return u.From
	}
	return u.ID
}

// overlaps reports whether u stands for messages up to the one with the id after
// last, or some further.
func (u *Update) overlaps(last int64) bool {
	return u.From != 0 && u.From <= last+1 && u.ID > last
}

// Side names a side of the book.
type Side uint8

// The sides of a book. A buy order takes from Ask, a sell order from Bid.
const (
	Bid Side = iota
	Ask
)

// String returns "bid" or "ask".
func (s Side) String() string {
	if s == Ask {
		return "ask"
	}
	return "bid"
}
