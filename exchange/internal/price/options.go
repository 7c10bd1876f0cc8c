package price

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// updateOptions values all options. Those of one coin and expiry stand together in the catalogue for the most part, so what
// they share is kept from one to the next.
func (b *Board) updateOptions(now int64) {
	var key struct {
		pair     int32
		delivery int64
	}
	var shared expiry
	for _, x := range b.cat.All(bybit.Option) {
		o := b.options[x.ID]
		if o == nil {
			continue
		}
		if p := b.pairOf[x.ID]; key.delivery != x.Delivery || key.pair != p {
			key.pair, key.delivery = p, x.Delivery
			shared = b.expiry(now, x, &b.pairs[p])
		}
		o.value(x, &shared)
	}
}

// value values one option of an expiry.
func (o *option) value(x *catalog.Instrument, e *expiry) {
	o.Vol, o.Underlying, o.Years = e.vol(o.log), e.forward, e.years
	o.Greeks = black76(e.forward, x.Strike, e.logForward-o.log, o.Vol, e.root, e.years, x.Call)
}

// expiry prepares the expiry of an option.
func (b *Board) expiry(now int64, x *catalog.Instrument, p *pair) expiry {
	usual := b.usual(x.Base)
	vol := p.vol
	if vol <= 0 {
		vol = usual
	}
	return newExpiry(b.forward(now, x, p.index), usual, vol, x.Years(now))
}
