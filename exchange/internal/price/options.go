package price

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// updateOptions values all options. Those of one coin and expiry stand together in the catalogue for the most part, so what
// they share is kept from one to the next.
func (b *Board) updateOptions(now int64, in Inputs) {
	var key struct {
		pair     int32
		delivery int64
	}
	var shared *expiry
	for _, x := range b.cat.All(bybit.Option) {
		o := b.options[x.ID]
		if o == nil {
			continue
		}
		p := b.pairOf[x.ID]
		if shared == nil || key.pair != p || key.delivery != x.Delivery {
			key.pair, key.delivery = p, x.Delivery
			e := b.expiry(now, x, b.pairs[p].index, in)
			shared = &e
		}
		o.Vol, o.Underlying, o.Years = shared.vol(o.log), shared.forward, shared.years
		o.Greeks = black76(shared.forward, x.Strike, shared.logForward-o.log, o.Vol, shared.root, shared.years, x.Call)
	}
}

// expiry prepares the expiry of an option.
func (b *Board) expiry(now int64, x *catalog.Instrument, index fixed.F, in Inputs) expiry {
	a, ok := b.cat.Asset(x.Base)
	if !ok {
		a = &catalog.Asset{Coin: x.Base, Vol: fixed.One}
	}
	vol := in.Vol(x.Base)
	if vol <= 0 {
		vol = a.Vol
	}
	years := x.Years(now)
	return newExpiry(Forward(a, index, years), a.Vol, vol, years)
}
