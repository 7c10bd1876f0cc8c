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

	u       int64             // of the last message; 0 before the first and after a restart
	seq     int64             // the engine's, then
	matched int64             // cts: when the engine last did something, then
	pushed  int64             // ts
	sides   [2][]engine.Level // by engine.Side, best first
	seen    [2]uint64         // the engine's versions of the sides, then
}

// pushDepth compares the book with what was pushed last and sends the difference. The first message of a topic, and the first
// after a restart, has u = 1 and everything.
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
		changed = changed || !same(d.sides[i], now[i], d.rpi)
	}
	if !changed {
		return
	}
	d.u++
	d.seq, d.matched, d.pushed = b.Seq(), m.matched, f.now
	snapshot := d.levels == 1 || fresh && d.levels != 0
	if f.sink.Wanted(d.topic) {
		f.headBook(m, d, snapshot)
		switch {
		case snapshot:
			f.fillLevels(m, d, &now)
		case fresh:
			f.fillChanges(m, d, &[2][]engine.Level{}, &now)
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
func (f *Feed) read(m *market, d *depth, side engine.Side) []engine.Level {
	if d.rpi {
		f.levels[side] = m.book.Levels(f.levels[side][:0], side, d.levels, true)
	} else {
		v := f.sync(m, side)
		f.levels[side] = v.top(f.levels[side][:0], d.levels)
	}
	return f.levels[side]
}

// same reports whether subscribers would see no difference.
func same(old, now []engine.Level, rpi bool) bool {
	if len(old) != len(now) {
		return false
	}
	for i := range now {
		if old[i].Price != now[i].Price || old[i].Qty != now[i].Qty || rpi && old[i].RPI != now[i].RPI {
			return false
		}
	}
	return true
}

// repeatTops sends books of one level again that have been silent for 3 s, with the same u. Nobody listens to most of them, so
// the times are kept and no frame is made.
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
func (f *Feed) fillLevels(m *market, d *depth, now *[2][]engine.Level) {
	f.book.Bids = m.appendLevels(f.book.Bids[:0], now[0], d.rpi)
	f.book.Asks = m.appendLevels(f.book.Asks[:0], now[1], d.rpi)
}

// fillChanges makes f.book hold what turns old into now.
func (f *Feed) fillChanges(m *market, d *depth, old, now *[2][]engine.Level) {
	f.book.Bids = m.appendChanges(f.book.Bids[:0], old[0], now[0], engine.Buy, d.rpi)
	f.book.Asks = m.appendChanges(f.book.Asks[:0], old[1], now[1], engine.Sell, d.rpi)
}

// headBook fills all of f.book but its levels.
func (f *Feed) headBook(m *market, d *depth, snapshot bool) {
	f.book.Topic, f.book.Symbol = d.topic.msg, m.inst.Symbol
	f.book.Snapshot = snapshot
	f.book.ID, f.book.Seq = d.u, d.seq
	f.book.Time, f.book.MatchTime = clock(d.pushed), clock(d.matched)
	f.book.MessageID = ""
	if m.ch == wire.Option {
		f.book.MessageID = messageID(d.topic, d.seq, millis(d.pushed))
	}
}

// appendLevels appends levels as they go over the wire.
func (m *market) appendLevels(dst []book.Level, levels []engine.Level, rpi bool) []book.Level {
	for i := range levels {
		dst = append(dst, m.level(&levels[i], rpi))
	}
	return dst
}

// level is one level as it goes over the wire.
func (m *market) level(l *engine.Level, rpi bool) book.Level {
	v := book.Level{Price: m.inst.Price(l.Price), Size: m.inst.Qty(l.Qty)}
	if rpi {
		v.RPI = m.inst.Qty(l.RPI)
	}
	return v
}

// appendChanges appends what turns old into now, best price first: levels that are new or have other sizes, and levels that are
// gone with size 0, also those that better ones have pushed out of the topic's depth.
func (m *market) appendChanges(dst []book.Level, old, now []engine.Level, side engine.Side, rpi bool) []book.Level {
	i, j := 0, 0
	for i < len(old) && j < len(now) {
		switch o, n := &old[i], &now[j]; {
		case o.Price == n.Price: // nearly always
			if o.Qty != n.Qty || rpi && o.RPI != n.RPI {
				dst = append(dst, m.level(n, rpi))
			}
			i++
			j++
		case better(side, o.Price, n.Price):
			dst = append(dst, m.gone(o, rpi))
			i++
		default:
			dst = append(dst, m.level(n, rpi))
			j++
		}
	}
	for ; i < len(old); i++ {
		dst = append(dst, m.gone(&old[i], rpi))
	}
	for ; j < len(now); j++ {
		dst = append(dst, m.level(&now[j], rpi))
	}
	return dst
}

// gone is a level that is there no more.
func (m *market) gone(l *engine.Level, rpi bool) book.Level {
	v := book.Level{Price: m.inst.Price(l.Price), Size: noSize}
	if rpi {
		v.RPI = noSize
	}
	return v
}

// better reports whether price a stands before b on a side.
func better(side engine.Side, a, b int64) bool {
	if side == engine.Buy {
		return a > b
	}
	return a < b
}

// restart makes the next message the first one.
func (d *depth) restart() {
	d.u, d.seen = 0, [2]uint64{}
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
		state.Slice(w, &d.sides[i], func(w *state.Walker, l *engine.Level) {
			w.Int64(&l.Price)
			w.Int64(&l.Qty)
			if d.rpi {
				w.Int64(&l.RPI)
			}
		})
	}
	if w.Reading() {
		d.seen = [2]uint64{}
	}
}
