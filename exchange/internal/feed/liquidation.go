package feed

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// liquidationState is what an instrument's next push of allLiquidation will have.
type liquidationState struct {
	topic   *Topic
	waiting []liquidation
}

// liquidation is one position, or a part of one, that the venue closed.
type liquidation struct {
	at       int64
	side     engine.Side // of the position
	lots     int64
	bankrupt int64 // ticks
}

func (f *Feed) addLiquidations(m *market) {
	name := bybit.Liquidations(m.inst.Symbol)
	m.losses = &liquidationState{topic: f.addTopic(m.ch, wire.KindLiquidations, name, m.inst.ID)}
}

func (s *liquidationState) walk(w *state.Walker) {
	state.Slice(w, &s.waiting, func(w *state.Walker, l *liquidation) {
		w.Int64(&l.at)
		state.Integer(w, &l.side)
		w.Int64(&l.lots)
		w.Int64(&l.bankrupt)
		if w.Reading() && l.side > engine.Sell {
			w.Fail(errState)
			l.side = 0
		}
	})
}

// liquidate takes the trades by which one command closed positions. Each order is one liquidation, and the pool
// gains or loses what lies between the trades' prices and the bankruptcy price.
func (f *Feed) liquidate(m *market, trades []engine.Event) {
	if m.losses == nil {
		return
	}
	for len(trades) > 0 {
		first := &trades[0]
		v := liquidation{at: f.now, side: first.Side.Opposite(), bankrupt: f.bankruptcy(m, first.Side)}
		n := 0
		for ; n < len(trades) && trades[n].ID == first.ID; n++ {
			v.lots += trades[n].Qty
			f.insure(m, first.Side, trades[n].Price, v.bankrupt, trades[n].Qty)
		}
		m.losses.waiting = append(m.losses.waiting, v)
		f.dirty[dirtyLiquidation].add(m.inst.ID)
		trades = trades[n:]
	}
}

// bankruptcy is the price at which the margin of a position is used up, which an order of that side closes. Choice,
// until the ledger knows better: a position is liquidated at a mark price that leaves the maintenance margin of the
// lowest tier.
func (f *Feed) bankruptcy(m *market, side engine.Side) int64 {
	mark := f.board.Mark(m.inst.ID)
	rate := m.maintenance()
	if side == engine.Sell {
		rate = -rate
	}
	return max(1, m.inst.TicksOf(mark.Mul(fixed.One+rate)))
}

// maintenance is the maintenance margin rate of the lowest tier.
func (m *market) maintenance() fixed.F {
	if len(m.inst.Tiers) == 0 {
		return 0
	}
	rate, ok := fixed.FromDecimal(m.inst.Tiers[0].MaintenanceMargin)
	if !ok {
		return 0
	}
	if m.inst.Inverse {
		rate /= 100 // in percent there
	}
	return rate
}

// pushLiquidations pushes what was liquidated since the last push.
func (f *Feed) pushLiquidations() {
	for id := range f.dirty[dirtyLiquidation].drain() {
		m := f.markets[id]
		s := m.losses
		if len(s.waiting) > 0 && f.sink.Wanted(s.topic) {
			msg := &f.liquidations
			msg.Topic, msg.Time, msg.Liquidations = s.topic.msg, clock(f.now), msg.Liquidations[:0]
			for i := range s.waiting {
				l := &s.waiting[i]
				msg.Liquidations = append(msg.Liquidations, bybit.Liquidation{
					Time: clock(l.at), Symbol: m.inst.Symbol, Side: sideNames[l.side],
					Size: m.inst.Qty(l.lots), Price: m.inst.Price(l.bankrupt),
				})
			}
			f.publish(s.topic, msg, false)
		}
		s.waiting = s.waiting[:0]
	}
}
