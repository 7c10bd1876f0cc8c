package flow

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// BlockLeg is one leg of a block trade, in the instrument's ticks and lots.
type BlockLeg struct {
	ID          catalog.ID
	Side        engine.Side
	Price, Lots int64
}

// blocks lets large traders agree on block trades, now and then, that no book sees: somebody asks for quotes, and takes the
// best one near the fair price. All legs are of one coin, settled in the same, and of one
// quantity, so that they hedge one another. The names of strategies are those that V5
// page rfq/trade/rfq-config shows; how often they come, and how large they are, is a choice.
//
//	FundingRate  a linear perpetual against spot, which earns or pays funding
//	CarryTrade   a linear future against spot, which earns the carry
//	custom       an option, two of one expiry, or one and its hedge; without options a perpetual
type blocks struct {
	next int64 // not before; 0: none was drawn yet
	rand *fixed.Rand
	legs []BlockLeg // scratch
	bad  bool       // scratch: a leg cannot be
}

// blockMean is how long it is between two, on average, for all coins together.
const blockMean = 20 * minute

// blockValue is the usual value of the first leg, US dollars.
var blockValue = fixed.FromInt(400_000)

// blockTrade does a block trade, if one is due.
func (f *Flow) blockTrade(now int64) {
	b := &f.blocks
	if f.cfg.Quiet || now < b.next {
		return
	}
	due := b.next > 0
	wait := b.rand.Exponential()
	b.next = now + second + fixed.MulDiv(int64(min(wait, 8*fixed.One)), blockMean, int64(fixed.One))
	if !due {
		return
	}
	first := b.pick(f, "", func(in *catalog.Instrument) bool { return in.Kind != catalog.Spread })
	if first == nil {
		return
	}
	strategy := b.agree(f, first.Base, b.rand.IntN(100))
	if len(b.legs) > 0 && !b.bad && !f.world.Block(strategy, b.legs) {
		b.next = now + second // the venue has bounds that flow does not know: somebody else tries
	}
}

// agree puts the legs together. Without them there is no trade: the coin has no such instruments, or they are halted.
func (b *blocks) agree(f *Flow, coin string, kind int64) (strategy string) {
	b.legs, b.bad = b.legs[:0], false
	side := engine.Side(b.rand.IntN(2))
	perpetual := b.pick(f, coin, func(in *catalog.Instrument) bool {
		return in.Kind == catalog.Perpetual && in.Category == bybit.Linear && in.Quote == "USDT"
	})
	option := b.pick(f, coin, func(in *catalog.Instrument) bool { return in.Kind == catalog.Option })
	if kind < 50 && option == nil && kind >= 25 {
		option = perpetual
	}
	if kind < 50 && option != nil {
		b.leg(f, option, side)
		switch {
		case kind < 20: // the one with another strike
			if other := b.pick(f, coin, func(in *catalog.Instrument) bool {
				return in.Kind == catalog.Option && in.Delivery == option.Delivery && in.Call == option.Call && in.ID != option.ID
			}); other != nil {
				b.leg(f, other, side.Opposite())
			}
		case kind < 35 && perpetual != nil && perpetual != option:
			hedge := side // of a put
			if option.Call {
				hedge = side.Opposite()
			}
			b.leg(f, perpetual, hedge)
		}
		return "custom"
	}
	far, strategy := perpetual, "FundingRate"
	if kind >= 80 {
		far, strategy = b.pick(f, coin, func(in *catalog.Instrument) bool { return in.Kind == catalog.Future && in.Category == bybit.Linear }), "CarryTrade"
	}
	spot := b.pick(f, coin, func(in *catalog.Instrument) bool { return in.Kind == catalog.Spot && in.Quote == "USDT" })
	if far != nil && spot != nil {
		b.leg(f, far, side)
		b.leg(f, spot, side.Opposite())
	}
	return strategy
}

// pick draws one of the coin's open instruments, or of all if coin is empty.
func (b *blocks) pick(f *Flow, coin string, like func(*catalog.Instrument) bool) *catalog.Instrument {
	var found *catalog.Instrument
	n := int64(0)
	for _, d := range f.desks {
		if d == nil || coin != "" && d.in.Base != coin || !like(d.in) || d.book() == nil || d.book().Closed() {
			continue
		}
		if n++; b.rand.IntN(n) == 0 {
			found = d.in
		}
	}
	return found
}

// leg adds a leg: the first of a usual value, each further one of the first one's quantity of the base coin, to the nearest
// lot. If it cannot be priced, or the instrument has no order of that size, there is no trade at all.
func (b *blocks) leg(f *Flow, in *catalog.Instrument, side engine.Side) {
	if b.bad {
		return
	}
	d := f.desk(in.ID)
	middle := d.fair
	off := d.bps(2 * fixed.One).Mul(b.rand.Gauss())
	if in.Kind == catalog.Option {
		mark := f.world.Mark(in.ID)
		middle = fixed.F(fixed.MulDiv(int64(mark), d.perUnit, d.units))
		off = middle.Mul(fixed.Ratio(1, 100)).Mul(b.rand.Gauss())
	}
	price := max(at(middle+off), in.MinPrice, 1)
	var lots int64
	switch {
	case len(b.legs) > 0:
		first := b.legs[0]
		lots = in.LotsOf(f.cat.At(first.ID).QtyOf(first.Lots) + in.QtyOf(1)/2)
	case in.Kind == catalog.Option:
		lots = d.clamp(d.few(2000))
	default:
		lots = d.clamp(roundSize(d.lots(blockValue.Mul(b.rand.Gauss().Mul(fixed.Ratio(6, 10)).Exp()))))
	}
	if middle <= 0 || !d.allows(price) || lots != d.clamp(lots) {
		b.bad = true
		return
	}
	b.legs = append(b.legs, BlockLeg{ID: in.ID, Side: side, Price: price, Lots: lots})
}

// walk describes the state.
func (b *blocks) walk(w *state.Walker) {
	w.Int64(&b.next)
	b.rand.Walk(w)
}
