package flow

import (
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// maker quotes both sides at the touch and at several depths, and leans against its inventory.
//
// Its reference is the fair price, moved against its inventory. It keeps its bid at the touch while the reference is not
// below it by more than the tolerance, fills a gap between bid and ask at the tick of the reference, and never quotes
// through the other side. Deeper quotes hang below the touch at distances of their own; they are replaced when
// they have come too far from their place, or with age. What is filled is put back at a later look, not at once.
type maker struct {
	trader
	scale fixed.F // of its sizes; makers differ
	limit int64   // of the inventory in lots, derived

	inventory int64 // lots
	hedged    int64 // when the inventory was last hedged
	looked    int64 // when it last looked at all of its quotes
	quotes    [2][]quote
	offsets   [2][]int64 // distance of each quote from the first, in ticks
}

// makerDepths are the distances of a maker's quotes from its first, in tenths of a basis point, and their sizes in
// percent of its first on fine books and on coarse ones.
var makerDepths = []struct{ tenths, fine, coarse int64 }{
	{0, 100, 100}, {6, 8, 50}, {12, 10, 60}, {22, 12, 80}, {36, 20, 100}, {60, 40, 150}, {100, 50, 200}, {160, 60, 200}, {250, 80, 200},
}

// Ages: a deeper quote is replaced when it is that old, or as many times older as it is deep.
const makerAge = 20 * second

// A maker lays off a fiftieth of its inventory elsewhere at each hedge.
const (
	hedgeEvery = 5 * second
	hedgeShare = 50
)

func newMaker(i int) *maker {
	m := &maker{scale: fixed.Ratio(int64(4+6*(i%3)), 10)}
	for side := range m.quotes {
		m.quotes[side] = make([]quote, len(makerDepths))
		m.offsets[side] = make([]int64, len(makerDepths))
	}
	return m
}

func (m *maker) wake(d *desk, now int64) int64 {
	mood := d.mood()
	next := d.after(now, min(d.prof.makerMean/8, d.prof.look))
	if d.book().Closed() {
		return next
	}
	if mood.effect.pulled {
		m.withdraw(d)
		return next
	}
	full := now-m.looked >= d.prof.makerMean
	if !full && m.content(d) {
		return next
	}
	if full {
		m.looked = now
	}
	m.limit = max(d.lots(d.prof.limit.Mul(m.scale)), 1)
	if m.hedged == 0 {
		m.hedged = now
	}
	if now-m.hedged >= hedgeEvery {
		m.hedged = now
		m.inventory -= fixed.MulDivRound(m.inventory, 1, hedgeShare)
	}

	bid, ask := d.touch()
	keep := d.bps(mood.effect.spread)
	// A full inventory moves the reference by two tolerances.
	lean := fixed.F(fixed.MulDiv(int64(2*d.prof.tolerance), -m.inventory, m.limit))
	ref := d.fair + lean
	buy := min(max(bid, at(ref-keep)), ask-1, at(ref-keep+d.prof.tolerance))
	sell := max(min(ask, at(ref+keep)+1), bid+1, at(ref+keep-d.prof.tolerance)+1)
	if sell <= buy {
		sell = buy + 1
	}
	m.side(d, engine.Buy, buy, now, full)
	m.side(d, engine.Sell, sell, now, full)
	return next
}

// content reports whether a short look shows nothing to do: bid and ask are next to one another, and the fair price is
// with them.
func (m *maker) content(d *desk) bool {
	bid, _, ok := d.book().Best(engine.Buy)
	ask, _, ok2 := d.book().Best(engine.Sell)
	wide := fixed.FromInt(1) + 2*d.bps(d.mood().effect.spread)
	return ok && ok2 && fixed.FromInt(ask-bid) <= wide &&
		d.fair > fixed.FromInt(bid)-d.prof.tolerance && d.fair < fixed.FromInt(ask)+d.prof.tolerance
}

// side brings the quotes of a side to where they belong, or in a short look the first of them; first is its price.
func (m *maker) side(d *desk, side engine.Side, first, now int64, full bool) {
	sign := int64(1)
	room := m.limit + m.inventory // lots it may still sell
	if side == engine.Buy {
		sign, room = -1, m.limit-m.inventory
	}
	n := len(m.quotes[side])
	if !full {
		n = 1
	}
	for i := range n {
		q := &m.quotes[side][i]
		if room <= 0 {
			d.pull(q)
			continue
		}
		price := first + sign*m.offset(d, side, i)
		age := now - q.at
		switch {
		case q.id == 0:
			if age > 0 && !d.rand.Bool(fixed.Half) && i > 0 && q.at > 0 {
				continue
			}
			m.offsets[side][i] = 0
			price = first + sign*m.offset(d, side, i)
			d.post(q, m.account, side, engine.PostOnly, price, min(m.size(d, i), room))
		case i == 0 && q.price != price, m.strayed(d, i, q, price), i > 0 && age > makerAge*int64(i):
			if i > 0 {
				m.offsets[side][i] = 0
				price = first + sign*m.offset(d, side, i)
			}
			d.move(q, price, min(m.size(d, i), room))
		case q.left > room:
			d.move(q, q.price, room)
		case i == 0 && full && d.rand.Bool(fixed.Ratio(1, 16)):
			d.move(q, q.price, min(m.size(d, i), room))
		}
		room -= q.left
	}
}

// strayed reports whether a deeper quote is too far from its place.
func (m *maker) strayed(d *desk, i int, q *quote, price int64) bool {
	if i == 0 {
		return false
	}
	off := max(q.price-price, price-q.price)
	return off > max(int64(i), at(d.bps(fixed.Ratio(makerDepths[i].tenths, 14))))
}

// offset returns how far a quote is from the first one. It is drawn when the quote is placed.
func (m *maker) offset(d *desk, side engine.Side, i int) int64 {
	if i == 0 {
		return 0
	}
	if m.offsets[side][i] == 0 {
		base := max(d.bps(fixed.Ratio(makerDepths[i].tenths, 10)), fixed.FromInt(int64(i*(i+1)/2)))
		m.offsets[side][i] = max(at(base.Mul(fixed.Ratio(8, 10)+d.rand.F().Mul(fixed.Ratio(4, 10)))), int64(i))
	}
	return m.offsets[side][i]
}

// size draws the size of a quote.
func (m *maker) size(d *desk, i int) int64 {
	share := makerDepths[i].fine
	if d.prof.coarse {
		share = makerDepths[i].coarse
	}
	usd := d.prof.touch.Mul(m.scale).Mul(fixed.Ratio(share, 100*int64(d.prof.makers))).Mul(d.mood().effect.depth)
	return d.lots(usd.Mul(d.rand.Gauss().Mul(fixed.Ratio(9, 10)).Exp()).Mul(fixed.Ratio(8, 10)))
}

// withdraw cancels everything.
func (m *maker) withdraw(d *desk) {
	for side := range m.quotes {
		for i := range m.quotes[side] {
			d.pull(&m.quotes[side][i])
		}
	}
}

func (m *maker) filled(_ *desk, ev *engine.Event) {
	side := ev.Side.Opposite()
	if side == engine.Buy {
		m.inventory += ev.Qty
	} else {
		m.inventory -= ev.Qty
	}
	for i := range m.quotes[side] {
		if q := &m.quotes[side][i]; q.id == ev.Maker {
			q.fill(ev)
			return
		}
	}
}

func (m *maker) gone(side engine.Side, id uint64) {
	for i := range m.quotes[side] {
		if m.quotes[side][i].id == id {
			m.quotes[side][i] = quote{}
		}
	}
}

// Walk describes the state.
func (m *maker) Walk(w *state.Walker) {
	w.Int64(&m.inventory)
	w.Int64(&m.hedged)
	w.Int64(&m.looked)
	for side := range m.quotes {
		for i := range m.quotes[side] {
			m.quotes[side][i].Walk(w)
			w.Int64(&m.offsets[side][i])
		}
	}
}
