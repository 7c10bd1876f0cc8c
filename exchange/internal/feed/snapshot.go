package feed

import (
	"slices"

	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// Snapshot appends the frames that a new subscriber of a topic gets: the state as it was pushed last, with the same
// u, so that what is pushed next follows without a hole. Topics without a state (trades, liquidations, status,
// block trades, the full book) and topics that have not pushed yet have none. The frames are new memory.
func (f *Feed) Snapshot(t *Topic, dst [][]byte) [][]byte {
	held := f.frame
	f.frame = nil
	if f.encodeState(t) {
		dst = append(dst, f.frame)
	}
	f.frame = held
	return dst
}

// encodeState makes f.frame the state of a topic, if it has one.
func (f *Feed) encodeState(t *Topic) bool {
	sink := f.sink
	defer func() { f.sink = sink }()
	f.sink = nobody{} // publish then only encodes
	if t.pools != nil {
		if t.Kind == wire.KindADLAlerts {
			f.fillADL(t.pools, t)
			f.publish(t, &f.adl, true)
		} else {
			f.fillInsurance(t.pools, t, true)
			f.publish(t, &f.insurance, true)
		}
		return true
	}
	m := f.market(t.ID)
	if m == nil {
		return false // delivered in the meantime, or about several instruments
	}
	switch t.Kind {
	case wire.KindOrderBook, wire.KindRPIOrderBook:
		d := t.depth
		if d.u == 0 {
			return false
		}
		f.headBook(m, d, true)
		f.fillLevels(m, d, &d.sides)
		f.publish(t, &f.book, true)
	case wire.KindTickers:
		if m.ticker.pushed == 0 {
			return false
		}
		f.headTicker(m)
		f.publish(t, &f.ticker, true)
	case wire.KindKlines:
		bar, ok := f.bars.Current(m.inst.ID, past.Trade, t.bar.interval)
		if !ok {
			return false
		}
		f.fillKline(m, t.bar, &bar, false)
		f.publish(t, &f.klines, true)
	case wire.KindPriceLimits:
		if m.limits.pushed == 0 {
			return false
		}
		f.fillLimits(m)
		f.publish(t, &f.limits, true)
	default:
		return false
	}
	return true
}

// Republish publishes all that has a state once more as it was pushed last, books with u = 1 as after a restart: for an
// audience that has seen what another run published. The state stays as it is. Only the published u of the books begins
// anew, and that is outside of the state.
func (f *Feed) Republish() {
	for i := range f.groups {
		for _, t := range f.groups[i].insurance {
			f.republish(t)
		}
		for _, t := range f.groups[i].adl {
			f.republish(t)
		}
	}
	for _, m := range f.markets {
		if m == nil {
			continue
		}
		for _, d := range m.depths {
			if d.u == 0 {
				continue // nobody has seen it yet
			}
			if d.before = d.u - 1; d != m.full {
				f.republish(d.topic)
			} else if f.sink.Wanted(d.topic) {
				f.headBook(m, d, false)
				f.fillChanges(m, d, &[2][]rung{}, &d.sides)
				f.publish(d.topic, &f.book, false)
			}
		}
		f.republish(m.ticker.topic)
		for _, c := range m.candles {
			f.republish(c.topic)
		}
		if m.limits != nil {
			f.republish(m.limits.topic)
		}
	}
}

// republish publishes the state of a topic, if it is wanted and has one.
func (f *Feed) republish(t *Topic) {
	if f.sink.Wanted(t) && f.encodeState(t) {
		f.sink.Publish(t, f.frame, true)
	}
}

// Walk goes through the state. On restore the feed is to be new, made with the catalogue and books of the same state.
func (f *Feed) Walk(w *state.Walker) {
	w.Tag("feed.Feed.1")
	w.Int64(&f.now)
	for i := range f.tickersAt {
		w.Int64(&f.tickersAt[i])
	}
	w.Int64(&f.klinesAt)
	w.Int64(&f.rfqs)
	w.Int64(&f.noticed)
	listed := 0
	for _, m := range f.markets {
		if m == nil {
			continue
		}
		listed++
		m.walk(w)
	}
	n := listed
	if w.Int(&n); w.Reading() && n != listed {
		w.Fail(errState)
	}
	f.walkCoins(w)
	for i := range f.groups {
		f.groups[i].walk(w, f)
	}
	state.Slice(w, &f.notices, func(w *state.Walker, n *Notice) { n.walk(w) })
	state.Slice(w, &f.blocks, func(w *state.Walker, b *block) { b.walk(w) })
	if !w.Reading() {
		return
	}
	for _, b := range f.blocks {
		for i := range b.legs {
			if f.cat.At(b.legs[i].ID) == nil || b.legs[i].Side > 1 {
				w.Fail(errState)
			}
		}
	}
	// What may have changed since the last pushes is looked at again: that costs time and changes nothing.
	f.nextRepeat = 0
	for _, m := range f.markets {
		if m != nil {
			f.touch(m)
			f.dirty[dirtyKline].add(m.inst.ID)
			if m.losses != nil {
				f.dirty[dirtyLiquidation].add(m.inst.ID)
			}
		}
	}
}

// walkCoins goes through what options share by coin. A coin stays when its last option was delivered.
func (f *Feed) walkCoins(w *state.Walker) {
	if !w.Reading() {
		state.Slice(w, &f.coins, func(w *state.Walker, c **coin) {
			w.String(&(*c).name)
			(*c).recent.walk(w)
		})
		return
	}
	made := f.coins
	f.coins = nil
	var read []coin
	state.Slice(w, &read, func(w *state.Walker, c *coin) {
		w.String(&c.name)
		c.recent.walk(w)
	})
	for i := range read {
		if slices.ContainsFunc(f.coins, func(c *coin) bool { return c.name == read[i].name }) {
			w.Fail(errState)
			break
		}
		at := slices.IndexFunc(made, func(c *coin) bool { return c.name == read[i].name })
		if at < 0 {
			f.coinNamed(read[i].name)
		} else {
			f.coins = append(f.coins, made[at])
		}
		f.coins[i].recent = read[i].recent
	}
	for _, c := range made {
		if !slices.Contains(f.coins, c) {
			w.Fail(errState)
			f.coins = append(f.coins, c)
		}
	}
}
