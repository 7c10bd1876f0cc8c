package price

import (
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// Walk describes the board's state. To restore, the board must have been made with New for the catalogue of the snapshot:
// which rows there are follows from it.
func (b *Board) Walk(w *state.Walker) {
	w.Tag("price.1")
	w.Int64(&b.now)
	state.Slice(w, &b.pairs, func(w *state.Walker, p *pair) {
		w.String(&p.base)
		w.String(&p.quote)
		state.Integer(w, &p.index)
		state.Integer(w, &p.vol)
		state.Slice(w, &p.averages, func(w *state.Walker, a *deliveryAverage) {
			w.Int64(&a.delivery)
			a.walk(w)
		})
	})
	for id := range b.rows {
		if r := b.rows[id]; r != nil {
			r.walk(w)
		}
		if o := b.options[id]; o != nil {
			o.walk(w)
		}
	}
	state.Slice(w, &b.delivered, func(w *state.Walker, d *Delivery) {
		state.Integer(w, &d.ID)
		w.Int64(&d.At)
		state.Integer(w, &d.Price)
	})
	if w.Reading() && w.Err() == nil {
		b.restore(w)
	}
}

// restore makes what is derived.
func (b *Board) restore(w *state.Walker) {
	n := len(b.pairs)
	for _, in := range b.cat.Live() {
		if b.pairOf[in.ID] >= 0 {
			b.pairOf[in.ID] = b.pair(in.Base, in.Quote)
		}
	}
	if len(b.pairs) != n {
		w.Fail(errState)
	}
}

func (r *row) walk(w *state.Walker) {
	for _, v := range []*int64{&r.quote.Bid, &r.quote.Ask, &r.quote.Last, &r.quote.ImpactBid, &r.quote.ImpactAsk, &r.limits.LowestSell, &r.limits.HighestBuy, &r.minute, &r.nextFunding, &r.weighted.sum, &r.weighted.weight} {
		w.Int64(v)
	}
	for _, v := range []*fixed.F{&r.mark, &r.premium, &r.rate, &r.lastRate} {
		state.Integer(w, v)
	}
	for _, v := range []*window{&r.toMiddle, &r.toMark, &r.basis} {
		if v.size > 0 {
			v.walk(w)
		}
	}
	state.Slice(w, &r.fundings, func(w *state.Walker, f *Funding) {
		w.Int64(&f.At)
		state.Integer(w, &f.Rate)
	})
}

func (o *option) walk(w *state.Walker) {
	for _, v := range []*fixed.F{&o.Price, &o.Delta, &o.Gamma, &o.Vega, &o.Theta, &o.Vol, &o.Underlying, &o.Years} {
		state.Integer(w, v)
	}
}
