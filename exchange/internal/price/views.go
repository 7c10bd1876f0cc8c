package price

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Now returns the time of the last Update, 0 before the first.
func (b *Board) Now() int64 { return b.now }

// Index returns the index price of a coin in a quote coin, of pairs that an instrument has.
func (b *Board) Index(base, quote string) (fixed.F, bool) {
	for i := range b.pairs {
		if p := &b.pairs[i]; p.base == base && p.quote == quote {
			return p.index, p.index > 0
		}
	}
	return 0, false
}

// IndexOf returns the index price of an instrument, 0 if there is none.
func (b *Board) IndexOf(id catalog.ID) fixed.F {
	if id < 0 || int(id) >= len(b.pairOf) || b.pairOf[id] < 0 {
		return 0
	}
	return b.pairs[b.pairOf[id]].index
}

// Mark returns the mark price of a perpetual, a future or an option; of a spot pair its index. 0 if there is none.
func (b *Board) Mark(id catalog.ID) fixed.F {
	if r := b.row(id); r != nil {
		return r.mark
	}
	if o := b.option(id); o != nil {
		return o.Price
	}
	return 0
}

// Premium returns the premium index of a perpetual or future.
func (b *Board) Premium(id catalog.ID) fixed.F {
	if r := b.row(id); r != nil {
		return r.premium
	}
	return 0
}

// Funding returns the funding rate of a perpetual if it were settled now, and when that happens; 0 for others.
func (b *Board) Funding(id catalog.ID) (rate fixed.F, next int64) {
	if r := b.row(id); r != nil {
		return r.rate, r.nextFunding
	}
	return 0, 0
}

// Settled returns the perpetuals whose funding the last Update settled, by number. Valid until the next Update.
func (b *Board) Settled() []catalog.ID { return b.settled }

// Fundings returns the fundings of a perpetual that were settled since the start, the oldest first. The slice is the board's.
func (b *Board) Fundings(id catalog.ID) []Funding {
	if r := b.row(id); r != nil {
		return r.fundings
	}
	return nil
}

// Limits returns the prices that new orders may have now. It is false for options and spreads, which have none but their
// range, and before the first Update.
func (b *Board) Limits(id catalog.ID) (Limits, bool) {
	if r := b.row(id); r != nil && r.limits != (Limits{}) {
		return r.limits, true
	}
	return Limits{}, false
}

// Basis is how far a future is from its index.
type Basis struct {
	Basis fixed.F // last price (mark without one) less the index
	Rate  fixed.F // of the mark price, as a share of the index
	Year  fixed.F // Rate for a year of 365 days
}

// Basis returns the basis of a future. What is compared was read off the documentation's example, BTC-26DEC25 of October 2025
// (V5 page websocket/public/ticker): basis is 109401.50 - 114132, the last price, and basisRate 121144.63/114132 - 1, the mark.
func (b *Board) Basis(id catalog.ID) (Basis, bool) {
	r, in := b.row(id), b.cat.At(id)
	if r == nil || in == nil || in.Kind != catalog.Future || r.mark == 0 {
		return Basis{}, false
	}
	index, price := b.IndexOf(id), r.mark
	if r.quote.Last > 0 {
		price = in.PriceOf(r.quote.Last)
	}
	basis := Basis{Basis: price - index, Rate: (r.mark - index).Div(index)}
	if years := in.Years(b.now); years > 0 {
		basis.Year = basis.Rate.Div(years)
	}
	return basis, true
}

// OptionMark is what the ticker of an option shows.
type OptionMark struct {
	Greeks             // Price is the mark price
	Vol        fixed.F // markIv
	Underlying fixed.F // underlyingPrice: the forward of its expiry
	Years      fixed.F // time to the expiry
}

// Option returns the mark of an option; false for others and before the first Update.
func (b *Board) Option(id catalog.ID) (OptionMark, bool) {
	o := b.option(id)
	if o == nil || o.Underlying == 0 {
		return OptionMark{}, false
	}
	return o.OptionMark, true
}

// ImpliedVol returns the volatility that a price of an option in ticks means: bidIv and askIv. 0 without a price, and see
// the function ImpliedVol.
func (b *Board) ImpliedVol(id catalog.ID, ticks int64) fixed.F {
	o, in := b.option(id), b.cat.At(id)
	if o == nil || o.Underlying == 0 || in == nil || ticks <= 0 {
		return 0
	}
	return ImpliedVol(o.Underlying, in.Strike, o.Years, in.PriceOf(ticks), in.Call)
}

func (b *Board) option(id catalog.ID) *option {
	if id < 0 || int(id) >= len(b.options) {
		return nil
	}
	return b.options[id]
}
