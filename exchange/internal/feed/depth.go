package feed

import (
	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// repeatAfter is the longest silence of a book of one level: then it is sent again as it is. V5 page
// websocket/public/orderbook.
const repeatAfter = 3 * second

// fullLevels is how many levels a side GET /v5/market/full_orderbook shows.
const fullLevels = 10_000

// depth is the state of one order book topic: what its subscribers hold, and what it was when that was pushed.
type depth struct {
	topic  *Topic
	levels int // a side; 0 is all, orderbook.full
	rpi    bool
	every  int64 // its interval

	u       int64     // of the last message, counted since the last restart; 0 before the first
	before  int64     // how far u was when Republish began the published count anew; not in the state
	seq     int64     // the engine's, then
	matched int64     // cts: when the engine last did something, then
	pushed  int64     // ts
	sides   [2][]rung // by engine.Side, the best price last
	seen    [2]uint64 // the engine's versions of the sides, then
}

// pushDepth compares the book with what was pushed last and sends the difference. The first message of a topic, and
// the first after a restart, has u = 1 and everything.
func (f *Feed) pushDepth(m *market, d *depth) {
	b := m.book
	if d.u > 0 && b.Version(engine.Buy) == d.seen[0] && b.Version(engine.Sell) == d.seen[1] {
		return
	}
	fresh := d.u == 0
	changed := fresh
	now := d.sides
	for i := range now {
		side := engine.Side(i)
		v := b.Version(side)
		if !fresh && v == d.seen[i] && !d.rpi { // RPI orders are hidden or not by the other side
			continue
		}
		d.seen[i] = v
		now[i] = f.read(m, d, side)
		changed = changed || !same(d.sides[i], now[i])
	}
	if !changed {
		return
	}
	d.u++
	d.seq, d.matched, d.pushed = m.crossSeq(), m.matched, f.now
	snapshot := d.levels == 1 || fresh && d.levels != 0
	if f.sink.Wanted(d.topic) {
		f.headBook(m, d, snapshot)
		switch {
		case snapshot:
			f.fillLevels(m, d, &now)
		case fresh:
			f.fillChanges(m, d, &[2][]rung{}, &now)
		default:
			f.fillChanges(m, d, &d.sides, &now)
		}
		f.publish(d.topic, &f.book, snapshot)
	}
	for i := range d.sides {
		d.sides[i] = append(d.sides[i][:0], now[i]...)
	}
}

// read returns the levels of a side that a topic shows now, valid until the next read of that side.
func (f *Feed) read(m *market, d *depth, side engine.Side) []rung {
	if !d.rpi {
		return f.sync(m, side).top(d.levels)
	}
	f.levels = m.book.Levels(f.levels[:0], side, d.levels, true)
	f.rungs[side] = appendReversed(f.rungs[side][:0], f.levels)
	return f.rungs[side]
}

// same reports whether subscribers would see no difference. It begins with the best prices, where there mostly is
// one.
func same(old, now []rung) bool {
	if len(old) != len(now) {
		return false
	}
	for i := len(now) - 1; i >= 0; i-- {
		if old[i] != now[i] {
			return false
		}
	}
	return true
}

// repeatTops sends books of one level again that have been silent for 3 s, with the same u. Nobody listens to most
// of them, so the times are kept and no frame is made.
func (f *Feed) repeatTops() {
	if f.now < f.nextRepeat {
		return
	}
	f.nextRepeat = f.now + repeatAfter
	for _, m := range f.tops {
		d := m.top
		if d.u > 0 && f.now >= d.pushed+repeatAfter {
			d.pushed = f.now
			if f.sink.Wanted(d.topic) {
				f.headBook(m, d, true)
				f.fillLevels(m, d, &d.sides)
				f.publish(d.topic, &f.book, true)
			}
		}
		f.nextRepeat = min(f.nextRepeat, d.pushed+repeatAfter)
	}
}

// fillLevels makes f.book hold whole sides.
func (f *Feed) fillLevels(m *market, d *depth, now *[2][]rung) {
	f.book.Bids = m.appendLevels(f.book.Bids[:0], now[0], d.rpi)
	f.book.Asks = m.appendLevels(f.book.Asks[:0], now[1], d.rpi)
}

// fillChanges makes f.book hold what turns old into now.
func (f *Feed) fillChanges(m *market, d *depth, old, now *[2][]rung) {
	f.book.Bids = m.appendChanges(f.book.Bids[:0], old[0], now[0], engine.Buy, d.rpi)
	f.book.Asks = m.appendChanges(f.book.Asks[:0], old[1], now[1], engine.Sell, d.rpi)
}

// headBook fills all of f.book but its levels.
func (f *Feed) headBook(m *market, d *depth, snapshot bool) {
	f.book.Topic, f.book.Symbol = d.topic.msg, m.inst.Symbol
	f.book.Snapshot = snapshot
	f.book.ID, f.book.Seq = d.published(), d.seq
	f.book.Time, f.book.MatchTime = clock(d.pushed), clock(d.matched)
	f.book.MessageID = ""
	if m.ch == wire.Option {
		f.book.MessageID = messageID(d.topic, d.seq, millis(d.pushed))
	}
}

// appendLevels appends levels as they go over the wire, best first.
func (m *market) appendLevels(dst []book.Level, levels []rung, rpi bool) []book.Level {
	for i := len(levels) - 1; i >= 0; i-- {
		dst = append(dst, m.level(&levels[i], rpi))
	}
	return dst
}

// level is one level as it goes over the wire.
func (m *market) level(l *rung, rpi bool) book.Level {
	v := book.Level{Price: m.inst.Price(l.price), Size: m.inst.Qty(l.qty)}
	if rpi {
		v.RPI = m.inst.Qty(l.rpi)
	}
	return v
}

// gone is a level that is there no more.
func (m *market) gone(l *rung, rpi bool) book.Level {
	v := book.Level{Price: m.inst.Price(l.price), Size: noSize}
	if rpi {
		v.RPI = noSize
	}
	return v
}

// appendChanges appends what turns old into now, best price first: levels that are new or have other sizes, and
// levels that are gone with size 0, also those that better ones have pushed out of the topic's depth.
func (m *market) appendChanges(dst []book.Level, old, now []rung, side engine.Side, rpi bool) []book.Level {
	i, j := len(old)-1, len(now)-1
	for i >= 0 && j >= 0 {
		switch o, n := &old[i], &now[j]; {
		case o.price == n.price: // nearly always
			if *o != *n {
				dst = append(dst, m.level(n, rpi))
			}
			i--
			j--
		case better(side, o.price, n.price):
			dst = append(dst, m.gone(o, rpi))
			i--
		default:
			dst = append(dst, m.level(n, rpi))
			j--
		}
	}
	for ; i >= 0; i-- {
		dst = append(dst, m.gone(&old[i], rpi))
	}
	for ; j >= 0; j-- {
		dst = append(dst, m.level(&now[j], rpi))
	}
	return dst
}

// better reports whether price a stands before b on a side.
func better(side engine.Side, a, b int64) bool {
	if side == engine.Buy {
		return a > b
	}
	return a < b
}

// published is the u that the audience knows.
func (d *depth) published() int64 { return d.u - d.before }

// restart makes the next message the first one.
func (d *depth) restart() {
	d.u, d.before, d.seen = 0, 0, [2]uint64{}
	for i := range d.sides {
		d.sides[i] = d.sides[i][:0]
	}
}

// walk goes through the state. The engine's versions are left out: they only save work.
func (d *depth) walk(w *state.Walker) {
	w.Int64(&d.u)
	w.Int64(&d.seq)
	w.Int64(&d.matched)
	w.Int64(&d.pushed)
	for i := range d.sides {
		state.Slice(w, &d.sides[i], func(w *state.Walker, l *rung) {
			w.Int64(&l.price)
			w.Int64(&l.qty)
			if d.rpi {
				w.Int64(&l.rpi)
			}
		})
	}
	if w.Reading() {
		d.seen, d.before = [2]uint64{}, 0
	}
}
