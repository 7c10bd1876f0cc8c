package book

import (
	"iter"
	"time"

	"github.com/bywire/bywire/decimal"
)

// View is a handle for reading a Book as it was when the View was taken. It is
// a value of two words; the zero View has no book.
//
// Every read checks first: after the owner has changed or released the book it
// returns ErrStale, of a book without content ErrNoBook, of an invalid book the
// reason, mostly an *Error. To keep a book beyond that, take a Clone. A View is
// read on the goroutine that owns the Book.
type View struct {
	book *Book
	gen  uint64
}

// Err returns what every read of the View returns: nil while it can be read.
func (v View) Err() error {
	switch {
	case v.book == nil:
		return ErrNoBook
	case v.gen != v.book.gen:
		return ErrStale
	}
	return v.book.err
}

// ID returns the update id of the last message, u.
func (v View) ID() (int64, error) {
	if err := v.Err(); err != nil {
		return 0, err
	}
	return v.book.id, nil
}

// Seq returns the cross sequence of the last message, 0 if it had none.
func (v View) Seq() (int64, error) {
	if err := v.Err(); err != nil {
		return 0, err
	}
	return v.book.seq, nil
}

// MatchTime returns when the engine made the last change, cts; the zero time if
// the message did not say.
func (v View) MatchTime() (time.Time, error) {
	if err := v.Err(); err != nil {
		return time.Time{}, err
	}
	return v.book.matched, nil
}

// Len returns the number of levels of each side, those with RPI size only
// included.
func (v View) Len() (bids, asks int, err error) {
	if err := v.Err(); err != nil {
		return 0, 0, err
	}
	return v.book.bids.n, v.book.asks.n, nil
}

// BestBid returns the highest bid that every order can meet: levels with RPI
// size only are passed over, so on orderbook.rpi the first of Bids may be
// higher. The error is ErrEmptySide if there is none.
func (v View) BestBid() (Level, error) { return v.best(Bid) }

// BestAsk returns the lowest ask, as BestBid does the highest bid.
func (v View) BestAsk() (Level, error) { return v.best(Ask) }

func (v View) best(sd Side) (Level, error) {
	s, err := v.side(sd)
	if err != nil {
		return Level{}, err
	}
	_, lv, ok := s.best()
	if !ok {
		return Level{}, ErrEmptySide
	}
	return *lv, nil
}

// Bids returns the bids, highest first. The sequence ends early if the book
// changes while it is read; Err says so then.
func (v View) Bids() (iter.Seq[Level], error) { return v.Levels(Bid) }

// Asks returns the asks, lowest first, as Bids does the bids.
func (v View) Asks() (iter.Seq[Level], error) { return v.Levels(Ask) }

// Levels returns Bids or Asks.
func (v View) Levels(sd Side) (iter.Seq[Level], error) {
	s, err := v.side(sd)
	if err != nil {
		return nil, err
	}
	return func(yield func(Level) bool) {
		if v.Err() != nil {
			return
		}
		for c := s.top(); c.next(); {
			if !yield(*c.level()) || v.gen != v.book.gen {
				return
			}
		}
	}, nil
}

// AppendTop appends the best n levels of a side to dst, best first, fewer if
// there are fewer. It is the quickest way to read the top of a book.
func (v View) AppendTop(dst []Level, sd Side, n int) ([]Level, error) {
	s, err := v.side(sd)
	if err != nil {
		return dst, err
	}
	for c := s.top(); n > 0 && c.next(); n-- {
		dst = append(dst, *c.level())
	}
	return dst, nil
}

// At returns the level of a price; ok is false if the side has none there. The
// price may be written with any number of zeros at its end.
func (v View) At(sd Side, price decimal.Decimal) (lv Level, ok bool, err error) {
	s, err := v.side(sd)
	if err != nil {
		return Level{}, false, err
	}
	k, ok := price.Units(v.book.scale)
	if !ok || !price.IsSet() || k >= keyLimit || k <= -keyLimit {
		return Level{}, false, nil // keys express every price of the book
	}
	if sd == Ask {
		k = -k
	}
	b, _, i, ok := s.find(k)
	if !ok {
		return Level{}, false, nil
	}
	return s.levels[b.refs[i]], true, nil
}

// Spread returns the best ask minus the best bid, ErrEmptySide if a side has no
// level that every order can meet.
func (v View) Spread() (decimal.Decimal, error) {
	bid, ask, err := v.touch()
	if err != nil {
		return decimal.Decimal{}, err
	}
	return ask.Price.Sub(bid.Price)
}

// Mid returns the exact middle between best bid and best ask, with one digit
// more after the point than they have. Errors are those of Spread.
func (v View) Mid() (decimal.Decimal, error) {
	bid, ask, err := v.touch()
	if err != nil {
		return decimal.Decimal{}, err
	}
	sum, err := ask.Price.Add(bid.Price)
	if err != nil {
		return decimal.Decimal{}, err
	}
	return sum.Mul(decimal.New(5, 1))
}

func (v View) touch() (bid, ask Level, err error) {
	if bid, err = v.BestBid(); err != nil {
		return bid, ask, err
	}
	ask, err = v.BestAsk()
	return bid, ask, err
}

// Clone returns an independent copy of the book.
func (v View) Clone() (*Book, error) {
	if err := v.Err(); err != nil {
		return nil, err
	}
	return v.book.Clone(), nil
}

// AppendSnapshot makes u a snapshot of the book: update id, cross sequence,
// match time and all levels, best first. What u held before is overwritten and
// the memory of its slices reused. A server sends it to whoever subscribes
// late; deltas from the next id on continue it.
func (v View) AppendSnapshot(u *Update) error {
	if err := v.Err(); err != nil {
		return err
	}
	b := v.book
	u.Snapshot, u.ID, u.From, u.Seq, u.MatchTime = true, b.id, 0, b.seq, b.matched
	u.Bids, _ = v.AppendTop(u.Bids[:0], Bid, b.bids.n)
	u.Asks, _ = v.AppendTop(u.Asks[:0], Ask, b.asks.n)
	return nil
}

// side returns a side of a book that can be read.
func (v View) side(sd Side) (*side, error) {
	if err := v.Err(); err != nil {
		return nil, err
	}
	if sd == Ask {
		return &v.book.asks, nil
	}
	return &v.book.bids, nil
}
