package catalog

import (
	"errors"
	"fmt"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// source says which table an instrument comes from.
type source uint8

const (
	fromSpot source = iota + 1
	fromPerpetual
	fromFuture
	fromOption
	fromSpread
	fromFile
)

// origin is all that is needed to make an instrument again: what a snapshot keeps of it.
type origin struct {
	from     source
	row      int
	listed   int64
	delivery int64
	strike   int64
	call     bool
	legs     [2]ID
	category bybit.Category // of a file
	json     []byte         // of a file: the instrument as instruments-info shows it
	over     bool           // delivered
}

var errNoSuchRow = errors.New("no such row")

// make makes an instrument, without a number.
func (c *Catalog) make(o *origin) (*Instrument, error) {
	has := func(n int) bool { return o.row >= 0 && o.row < n }
	switch o.from {
	case fromSpot:
		if has(len(spotRows)) {
			in := built(bybit.Spot, spotRows[o.row].info())
			in.Turnover = spotRows[o.row].turnover * 1e6
			return in, nil
		}
	case fromPerpetual:
		if has(len(perpetualRows)) {
			r := perpetualRows[o.row]
			return r.build(r.symbol, o.listed, 0), nil
		}
	case fromFuture:
		if has(len(futureRows)) && o.delivery > 0 && o.delivery%Day == deliveryHour {
			r := futureRows[o.row]
			return r.build(r.futureSymbol(o.delivery), o.listed, o.delivery), nil
		}
	case fromOption:
		if has(len(optionRows)) && o.delivery > 0 && o.delivery%Day == deliveryHour && o.strike > 0 && o.strike < 1<<30 {
			return optionRows[o.row].build(o.listed, o.delivery, o.strike, o.call), nil
		}
	case fromSpread:
		if has(len(spreadRows)) {
			return c.spread(o)
		}
	case fromFile:
		return fileInstrument(o.category, o.json)
	}
	return nil, fmt.Errorf("row %d of table %d: %w", o.row, o.from, errNoSuchRow)
}

// NextRoll returns when Roll is due next: the next 08:00 UTC if there are families of dated contracts, or the next delivery
// of a contract from a file; Never without either.
func (c *Catalog) NextRoll(now int64) int64 {
	next := Never
	for i, in := range c.live {
		if in.Delivery == 0 {
			continue
		}
		at := in.Delivery
		if c.origins[c.live[i].ID].from != fromFile {
			at = min(at, nextDelivery(now))
		}
		next = min(next, max(at, now+1))
	}
	return next
}

// Roll delivers what expires at or before now and lists what the calendar asks for. underlying gives the prices of base
// coins in US dollars: strikes are chosen around them. It is to be called at each NextRoll. It returns the numbers of
// the contracts that were delivered, and of those that are new.
func (c *Catalog) Roll(now int64, underlying func(base string) fixed.F) (delivered, listed []ID) {
	for _, in := range c.live {
		if in.Delivery == 0 || in.Delivery > now {
			continue
		}
		in.end()
		c.past = append(c.past, in)
		c.origins[in.ID].over = true
		delivered = append(delivered, in.ID)
	}
	c.reindex()
	for len(c.past) > 0 && c.past[0].Delivery < now-keep {
		c.byID[c.past[0].ID] = nil
		c.origins[c.past[0].ID] = origin{over: true}
		c.past = c.past[1:]
	}
	return delivered, c.roll(now, underlying, false)
}

// end marks an instrument as delivered.
func (in *Instrument) end() {
	if in.Spread != nil {
		in.Spread.Status = bybit.SpreadSettling
	} else {
		in.Info.Status = bybit.InstrumentDelivering
	}
}

// roll lists what the calendar asks for. The first time contracts get the launch time that the calendar gives them, later
// they are new.
func (c *Catalog) roll(now int64, underlying func(base string) fixed.F, first bool) []ID {
	var listed []ID
	offer := func(o origin) {
		if id := c.offer(o); id != None {
			listed = append(listed, id)
		}
	}
	launch := func(delivery int64, list func(at int64) []int64) int64 {
		if first {
			return since(now, delivery, list)
		}
		return now
	}
	for row := range futureRows {
		list := futureRows[row].expiries.futures
		for _, delivery := range list(now) {
			if _, ok := c.Find(futureRows[row].category, futureRows[row].futureSymbol(delivery)); !ok {
				offer(origin{from: fromFuture, row: row, listed: launch(delivery, list), delivery: delivery})
			}
		}
	}
	for row := range optionRows {
		r := optionRows[row]
		price, ok := c.InQuote(r.base, r.quote, underlying)
		if !ok {
			continue
		}
		list := r.expiries.options
		for _, delivery := range list(now) {
			at := launch(delivery, list)
			for _, strike := range strikes(price, periodOf(delivery), r.strikesEachSide) {
				for _, call := range [...]bool{true, false} {
					offer(origin{from: fromOption, row: row, listed: at, delivery: delivery, strike: strike, call: call})
				}
			}
		}
	}
	for row := range spreadRows {
		if o, ok := c.spreadOrigin(row, now, first); ok {
			offer(o)
		}
	}
	return listed
}
