package flow

import (
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// crowd is everybody who leaves a single limit order somewhere: together they are the book beyond the touch.
//
// A side has places at fixed prices: rings of cells, narrow ones near the touch, wider ones further out. A ring
// covers a window of cells that follows the touch. When the touch rises, a cell enters the window of the bids at its near
// end, and the order of the cell that left at the far end moves there: cells are kept in a circle, the order of cell g at
// g modulo the length. So a move of the touch costs a handful of amendments, however deep the book is. Between moves,
// cells near the touch change often and those far away seldom.
type crowd struct {
	trader
	sides  [2][]circle
	placed bool
}

// circle holds the orders of a ring on one side.
type circle struct {
	ring
	from  int64  // ticks between the touch and the window
	near  int64  // state: cell at the window's near end
	cells []cell // state: cell g at g modulo the length
}

// cell is one place and its order, if there is one.
type cell struct {
	quote
	size int64 // usual size, in lots
}

func newCrowd(d *desk) *crowd {
	c := &crowd{}
	for side := range c.sides {
		from := int64(0)
		for _, r := range d.prof.rings {
			if r.touch {
				from = 0
			}
			c.sides[side] = append(c.sides[side], circle{ring: r, from: from, cells: make([]cell, r.count)})
			from += r.width * r.count
		}
	}
	return c
}

// crowdMean is how long the crowd rests between two looks, crowdMost where it has little to do.
const (
	crowdMean = 40 * millisecond
	crowdMost = 150 * millisecond
)

func (c *crowd) wake(d *desk, now int64) int64 {
	rate, mean := d.prof.rate, crowdMean
	if rate < 25*fixed.One { // about one change a look
		mean = min(fixed.MulDiv(second, int64(fixed.One), int64(max(rate, fixed.One/10))), crowdMost)
	}
	next := d.after(now, mean)
	if d.book().Closed() {
		return next
	}
	bid, ask := d.touch()
	// The crowd believes in the touch, as long as it is near the fair price.
	slack := max(4*d.prof.tolerance, d.bps(3*fixed.One))
	bid = min(max(bid, at(d.fair-slack)), ask-1, at(d.fair+slack))
	ask = max(min(ask, at(d.fair+slack)), bid+1, at(d.fair-slack))
	for side, touch := range [2]int64{bid, ask} {
		c.flee(d, engine.Side(side))
		c.follow(d, engine.Side(side), touch, now)
	}
	c.placed = true
	n := d.rand.Poisson(rate.Mul(fixed.Ratio(mean, second)).Mul(d.mood().effect.rate))
	if d.restless { // a regime began: look at much of the book at once
		n += 200
	}
	for range n {
		c.change(d, now)
	}
	return next
}

// flee cancels most of what the fair price has gone through, before others take it.
func (c *crowd) flee(d *desk, side engine.Side) {
	sign := fixed.F(outwards(side))
	limit := sign*d.fair - d.prof.flee
	for i := range c.sides[side] {
		r := &c.sides[side][i]
		for k := range r.count {
			x := r.slot(r.near + k)
			if x.id != 0 && fixed.FromInt(x.price)*sign >= limit {
				if d.restless { // after a jump the cells do not lie in the order of their prices
					continue
				}
				break
			}
			if x.id != 0 && d.rand.Bool(fleeing) {
				d.pull(&x.quote)
			}
		}
	}
}

// fleeing is how likely an order flees at one look.
var fleeing = fixed.Ratio(60, 100)

// mostMoves is how many cells of a ring move at one look.
const mostMoves = 24

// follow moves the windows of a side to where the touch is.
func (c *crowd) follow(d *desk, side engine.Side, touch, now int64) {
	sign := outwards(side)
	for i := range c.sides[side] {
		r := &c.sides[side][i]
		near := cellOf(sign*touch+r.from, r.width)
		if !c.placed {
			r.near = near
			for k := range r.count {
				c.fill(d, side, i, near+k, now)
			}
			continue
		}
		if near > r.near+r.count || near < r.near-r.count { // it jumped: the ring begins anew where it is
			r.near = near + r.count
		}
		for moves := 0; r.near > near && moves < mostMoves; moves++ {
			r.near--
			c.place(d, side, i, r.near, now)
		}
		for moves := 0; r.near < near && moves < mostMoves; moves++ {
			c.place(d, side, i, r.near+r.count, now)
			r.near++
		}
	}
	if d.prof.thin > 0 {
		c.thin(d, side)
	}
}

// thin makes the order at the touch of a coarse book small: who waits there for a price of his own is soon served or gone.
func (c *crowd) thin(d *desk, side engine.Side) {
	r := &c.sides[side][0]
	if x := r.slot(r.near); x.id != 0 && x.left > x.size/2 {
		if most := d.lots(d.prof.thin.Mul(fixed.Half + d.rand.F())); x.left > 2*most {
			d.move(&x.quote, x.price, most)
		}
	}
}

// outwards is the direction in which prices of a side get worse; cells are counted that way.
func outwards(side engine.Side) int64 {
	if side == engine.Buy {
		return -1
	}
	return 1
}

func cellOf(outward, width int64) int64 {
	q := outward / width
	if outward%width < 0 {
		q--
	}
	return q
}

func (r *circle) slot(g int64) *cell {
	k := g % r.count
	if k < 0 {
		k += r.count
	}
	return &r.cells[k]
}

// price draws a price in a cell.
func (r *circle) price(d *desk, side engine.Side, g int64) int64 {
	p := g * r.width
	if r.width > 1 {
		p += d.rand.IntN(r.width)
		if d.rand.IntN(100) < 12 { // people like round prices
			for _, round := range [...]int64{1000, 100, 10} {
				if up := p - p%round + round; round < 2*r.width && up < (g+1)*r.width {
					p = up
					break
				}
			}
		}
	}
	return outwards(side) * p
}

// taken reports whether the cell holds an order in this mood: in a thin book many do not.
func (c *crowd) taken(d *desk, g int64) bool {
	depth := d.mood().effect.depth
	return depth >= fixed.One || int64(uint64(g)*0x9e3779b97f4a7c15>>32) < int64(depth)
}

// fill puts the first order into a cell.
func (c *crowd) fill(d *desk, side engine.Side, ring int, g, now int64) {
	r := &c.sides[side][ring]
	x := r.slot(g)
	x.size = c.size(d, ring)
	if c.taken(d, g) {
		c.post(d, side, x, r.price(d, side, g))
	}
}

// post places an order unless it would trade.
func (c *crowd) post(d *desk, side engine.Side, x *cell, price int64) {
	if !c.fits(d, side, price) {
		return
	}
	d.post(&x.quote, c.account, side, engine.PostOnly, price, x.size)
}

// fits reports whether an order can stand at a price: the instrument allows it, and it would not trade.
func (c *crowd) fits(d *desk, side engine.Side, price int64) bool {
	if !d.allows(price) {
		return false
	}
	best, _, ok := d.book().Best(side.Opposite())
	return !ok || (price-best)*outwards(side) > 0
}

// place moves what was in a slot of the circle to the cell that has taken its place.
func (c *crowd) place(d *desk, side engine.Side, ring int, g, now int64) {
	r := &c.sides[side][ring]
	x := r.slot(g)
	switch {
	case !c.taken(d, g):
		d.pull(&x.quote)
	case x.id == 0:
		x.size = c.size(d, ring)
		c.post(d, side, x, r.price(d, side, g))
	default:
		if price := r.price(d, side, g); c.fits(d, side, price) {
			d.move(&x.quote, price, x.size)
		}
	}
}

// change lets somebody do something. Near places change more often: the place within a ring falls as a square, and rings
// take turns by weight.
func (c *crowd) change(d *desk, now int64) {
	side := engine.Side(d.rand.IntN(2))
	ring := 0
	if d.prof.roam > d.rand.IntN(100) {
		ring = len(c.sides[side]) - 1
	} else {
		for ring < len(crowdFarther) && d.rand.IntN(100) < crowdFarther[ring] {
			ring++
		}
	}
	r := &c.sides[side][ring]
	u := d.rand.F()
	if ring == 0 || r.touch {
		u = u.Mul(u)
	}
	g := r.near + u.MulInt(r.count).Int()
	x := r.slot(g)
	switch {
	case !c.taken(d, g):
		d.pull(&x.quote)
	case x.id == 0:
		x.size = c.size(d, ring)
		c.post(d, side, x, r.price(d, side, g))
	case !r.touch && d.rand.Bool(d.prof.resize):
		d.move(&x.quote, x.price, c.resized(d, x))
	case r.width > 1:
		if price := r.price(d, side, g); c.fits(d, side, price) {
			d.move(&x.quote, price, c.size(d, ring))
		}
	default:
		d.pull(&x.quote)
	}
}

// crowdFarther is the chance in percent that a change is not in this ring but further out.
var crowdFarther = []int64{45, 12, 10}

// crowdShrinks is what is left of a usual size in the rings of a coarse book after the first.
var crowdShrinks = []fixed.F{fixed.Ratio(34, 100), fixed.Ratio(12, 100), fixed.Ratio(12, 100), fixed.Ratio(12, 100)}

// crowdGrowth is how much larger orders are in each ring of a fine book.
var crowdGrowth = []int64{1, 3, 9, 60}

// size draws a usual size; one in ten is a round number. On fine books orders grow with the distance from the touch, as
// fast as places get wider or faster, so that there is as much of the book in each part of the price or more; on coarse
// ones they get smaller and of more different sizes, as the recording shows.
func (c *crowd) size(d *desk, ring int) int64 {
	usd, tail := d.prof.level, d.prof.tail
	if !d.prof.coarse {
		usd = usd.MulInt(crowdGrowth[min(ring, len(crowdGrowth)-1)])
	} else if ring > 0 {
		usd, tail = usd.Mul(crowdShrinks[ring-1]), tail-fixed.Ratio(int64(ring)/2, 5)
	}
	// The median of a Pareto number with index a is 2^(1/a).
	draw := min(d.rand.Pareto(tail), 300*fixed.One)
	lots := d.lots(usd.Mul(draw).Mul(fixed.Ratio(6, 10)))
	if d.rand.IntN(10) == 0 {
		lots = d.clamp(roundSize(lots))
	}
	return lots
}

// resized is the usual size, give or take a fifth.
func (c *crowd) resized(d *desk, x *cell) int64 {
	factor := fixed.One + d.rand.Gauss().Mul(fixed.Ratio(2, 10))
	return d.clamp(fixed.MulDivRound(x.size, int64(max(factor, fixed.One/10)), int64(fixed.One)))
}

// roundSize returns the nearest of 1, 2, 5, 10, 20, 50 ...
func roundSize(lots int64) int64 {
	unit := int64(1)
	for lots >= 10*unit {
		unit *= 10
	}
	switch first := lots / unit; {
	case first >= 7:
		return 10 * unit
	case first >= 4:
		return 5 * unit
	case first >= 2:
		return 2 * unit
	}
	return max(unit, 1)
}

func (c *crowd) filled(_ *desk, ev *engine.Event) {
	if x := c.find(ev.Side.Opposite(), ev.Maker); x != nil {
		x.fill(ev)
	}
}

func (c *crowd) gone(side engine.Side, id uint64) {
	if x := c.find(side, id); x != nil {
		x.quote = quote{}
	}
}

// find looks for an order from the touch outwards, for those near it trade.
func (c *crowd) find(side engine.Side, id uint64) *cell {
	for i := range c.sides[side] {
		r := &c.sides[side][i]
		for k := range r.count {
			if x := r.slot(r.near + k); x.id == id {
				return x
			}
		}
	}
	return nil
}

// Walk describes the state.
func (c *crowd) Walk(w *state.Walker) {
	w.Bool(&c.placed)
	for side := range c.sides {
		for i := range c.sides[side] {
			r := &c.sides[side][i]
			w.Int64(&r.near)
			for k := range r.cells {
				r.cells[k].Walk(w)
				w.Int64(&r.cells[k].size)
			}
		}
	}
}
