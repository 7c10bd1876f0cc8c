package book

import "github.com/bywire/bywire/decimal"

// Sum adds up levels from the best one on.
type Sum struct {
	Levels   int             // levels added, those with RPI size only included
	Size     decimal.Decimal // sum of Size
	RPI      decimal.Decimal // sum of RPI; absent on all topics but orderbook.rpi
	Notional decimal.Decimal // sum of price times Size, in the quote coin (inverse: not meaningful)
	Worst    decimal.Decimal // price of the last level added; absent if there is none
}

// SumTop adds up the best n levels of a side, fewer if there are fewer. The
// error is decimal.ErrRange if a sum has more than 28 digits.
func (v View) SumTop(sd Side, n int) (Sum, error) {
	s, err := v.side(sd)
	if err != nil {
		return Sum{}, err
	}
	t := Sum{Size: decimal.FromInt(0), Notional: decimal.FromInt(0)}
	for c := s.top(); t.Levels < n && c.next(); {
		if err := t.add(c.level()); err != nil {
			return Sum{}, err
		}
	}
	return t, nil
}

// SumTo adds up the levels of a side that are at the price or better: bids from
// the best down to it, asks from the best up to it. The error is
// decimal.ErrRange if a sum has more than 28 digits.
func (v View) SumTo(sd Side, price decimal.Decimal) (Sum, error) {
	s, err := v.side(sd)
	if err != nil {
		return Sum{}, err
	}
	t := Sum{Size: decimal.FromInt(0), Notional: decimal.FromInt(0)}
	for c := s.top(); c.next() && !worse(sd, c.level().Price, price); {
		if err := t.add(c.level()); err != nil {
			return Sum{}, err
		}
	}
	return t, nil
}

// SizeTo returns SumTo's Size alone, without the price of multiplications.
func (v View) SizeTo(sd Side, price decimal.Decimal) (decimal.Decimal, error) {
	s, err := v.side(sd)
	if err != nil {
		return decimal.Decimal{}, err
	}
	sum := decimal.FromInt(0)
	for c := s.top(); c.next() && !worse(sd, c.level().Price, price); {
		if sum, err = sum.Add(c.level().Size); err != nil {
			return decimal.Decimal{}, err
		}
	}
	return sum, nil
}

// worse reports whether price p is behind the limit, seen from the best price.
func worse(sd Side, p, limit decimal.Decimal) bool {
	if sd == Ask {
		return p.Cmp(limit) > 0
	}
	return p.Cmp(limit) < 0
}

func (t *Sum) add(lv *Level) (err error) {
	if t.Size, err = t.Size.Add(lv.Size); err != nil {
		return err
	}
	if lv.RPI.IsSet() {
		if t.RPI, err = t.RPI.Add(lv.RPI); err != nil {
			return err
		}
	}
	cost, err := lv.Price.Mul(lv.Size)
	if err != nil {
		return err
	}
	if t.Notional, err = t.Notional.Add(cost); err != nil {
		return err
	}
	t.Worst = lv.Price
	t.Levels++
	return nil
}

// Fill is what an order of a given size would meet in the book as it is.
type Fill struct {
	Levels   int             // levels touched
	Size     decimal.Decimal // what the book can give, at most the size asked for
	Missing  decimal.Decimal // the rest of the size asked for; zero if the book has enough
	Notional decimal.Decimal // cost: sum of price times size taken, exact
	Worst    decimal.Decimal // price of the last level touched, the limit that would be needed
}

// Fill walks a side from the best level until size is met: Ask for a purchase,
// Bid for a sale. RPI size is not counted, an order through the API does not
// meet it. A size that is not positive takes nothing. The error is
// decimal.ErrRange if a sum has more than 28 digits.
func (v View) Fill(sd Side, size decimal.Decimal) (Fill, error) {
	s, err := v.side(sd)
	if err != nil {
		return Fill{}, err
	}
	f := Fill{Size: decimal.FromInt(0), Missing: size, Notional: decimal.FromInt(0)}
	for c := s.top(); f.Missing.Sign() > 0 && c.next(); {
		lv := c.level()
		if lv.Size.IsZero() {
			continue
		}
		take := lv.Size
		if take.Cmp(f.Missing) > 0 {
			take = f.Missing
		}
		if f.Size, err = f.Size.Add(take); err != nil {
			return Fill{}, err
		}
		if f.Missing, err = f.Missing.Sub(take); err != nil {
			return Fill{}, err
		}
		cost, err := lv.Price.Mul(take)
		if err != nil {
			return Fill{}, err
		}
		if f.Notional, err = f.Notional.Add(cost); err != nil {
			return Fill{}, err
		}
		f.Worst = lv.Price
		f.Levels++
	}
	return f, nil
}

// Average returns the average price, Notional / Size, with scale digits after
// the point. The error is decimal.ErrDivisionByZero if nothing was taken.
func (f Fill) Average(scale int, r decimal.Rounding) (decimal.Decimal, error) {
	return f.Notional.Quo(f.Size, scale, r)
}
