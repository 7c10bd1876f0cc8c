package feed

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// limitState is the price limits as pushed last.
type limitState struct {
	topic     *Topic
	buy, sell int64 // highest price of a buy, lowest of a sell, in ticks
	pushed    int64 // ts; 0 before the first push
}

func (f *Feed) addLimits(m *market) {
	m.limits = &limitState{topic: f.addTopic(m.ch, wire.KindPriceLimits, bybit.PriceLimits(m.inst.Symbol), m.inst.ID)}
	f.priced = append(f.priced, m)
}

func (s *limitState) walk(w *state.Walker) {
	w.Int64(&s.buy)
	w.Int64(&s.sell)
	w.Int64(&s.pushed)
}

// pushLimits pushes the price limits that have changed (choice: the venue gives the interval, and not whether it
// repeats what is as it was).
func (f *Feed) pushLimits() {
	for _, m := range f.priced {
		now, ok := f.board.Limits(m.inst.ID)
		s := m.limits
		if !ok || s.pushed != 0 && now.HighestBuy == s.buy && now.LowestSell == s.sell {
			continue
		}
		s.buy, s.sell, s.pushed = now.HighestBuy, now.LowestSell, f.now
		if f.sink.Wanted(s.topic) {
			f.fillLimits(m)
			f.publish(s.topic, &f.limits, true)
		}
	}
}

// fillLimits makes f.limits the limits as pushed last.
func (f *Feed) fillLimits(m *market) {
	s := m.limits
	f.limits = bybit.PriceLimitMessage{
		Topic: s.topic.msg, Time: clock(s.pushed), Symbol: m.inst.Symbol,
		BuyLimit: m.inst.Price(s.buy), SellLimit: m.inst.Price(s.sell),
	}
}
