package catalog

import (
	"fmt"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// Walk describes the catalogue's state: coins, and of each instrument what it was made of. The instruments themselves follow
// from that.
func (c *Catalog) Walk(w *state.Walker) {
	w.Tag("catalog.1")
	w.Int64(&c.start)
	state.Slice(w, &c.only, (*state.Walker).String)
	state.Slice(w, &c.assets, func(w *state.Walker, a *Asset) { a.walk(w) })
	state.Slice(w, &c.origins, func(w *state.Walker, o *origin) { o.walk(w) })
	past := make([]ID, 0, len(c.past))
	for _, in := range c.past {
		past = append(past, in.ID)
	}
	state.Slice(w, &past, func(w *state.Walker, id *ID) { state.Integer(w, id) })
	if w.Reading() && w.Err() == nil {
		if err := c.restore(past); err != nil {
			w.Fail(err)
		}
	}
}

func (a *Asset) walk(w *state.Walker) {
	w.String(&a.Coin)
	w.String(&a.Name)
	for _, f := range []*fixed.F{&a.Start, &a.Vol, &a.Corr, &a.Carry, &a.Funding} {
		state.Integer(w, f)
	}
	w.Uint8(&a.Liquidity)
	w.Int64(&a.Turnover)
}

func (o *origin) walk(w *state.Walker) {
	state.Integer(w, &o.from)
	w.Int(&o.row)
	w.Int64(&o.listed)
	w.Int64(&o.delivery)
	w.Int64(&o.strike)
	w.Bool(&o.call)
	state.Integer(w, &o.legs[0])
	state.Integer(w, &o.legs[1])
	category := string(o.category)
	w.String(&category)
	o.category = bybit.Category(category)
	w.Bytes(&o.json)
	w.Bool(&o.over)
}

// restore makes the instruments of the origins.
func (c *Catalog) restore(past []ID) error {
	c.prepare()
	c.byID, c.past = make([]*Instrument, len(c.origins)), nil
	seen := make(map[name]bool)
	kept := make(map[ID]bool, len(past))
	for _, id := range past {
		kept[id] = true
	}
	for i := range c.origins {
		o := &c.origins[i]
		if o.over && !kept[ID(i)] {
			continue
		}
		in, err := c.make(o)
		if err != nil {
			return fmt.Errorf("catalog: instrument %d: %w", i, err)
		}
		in.ID = ID(i)
		if o.from == fromFile {
			c.setTiers(in)
		}
		c.complete(in)
		if o.over {
			in.end()
		} else if n := (name{in.Category, in.Symbol}); seen[n] {
			return fmt.Errorf("catalog: %s %s is there twice", n.category, n.symbol)
		} else {
			seen[n] = true
		}
		c.byID[i] = in
	}
	for _, id := range past {
		if in := c.At(id); in == nil || !c.origins[id].over {
			return fmt.Errorf("catalog: instrument %d was not delivered", id)
		}
		c.past = append(c.past, c.byID[id])
	}
	c.reindex()
	return nil
}
