package engine_test

import (
	"math/rand/v2"

	"github.com/bywire/bywire/exchange/internal/engine"
)

// deep is how many orders rest in the book of a load.
const deep = 10_000

// A load is an endless stream of commands for a deep book: of ten commands five add an order, four cancel one of those
// that rest, each as likely as another, and one crosses the spread. Seven of ten orders stand within 50 ticks of the
// middle, which wanders, most others within 500 and some 5,000 away; a tick of these is step ticks of the book.
type load struct {
	step   int64
	rand   *rand.Rand
	ahead  *engine.Book // has taken all commands that were handed out
	live   []uint64
	places map[uint64]int // in live
	n      uint64
	middle int64 // in steps
}

// A request is a command of a load: an order, or with no quantity the cancelling of id.
type request struct {
	id     uint64
	price  int64
	qty    int32
	side   engine.Side
	market bool
}

func newLoad(seed uint64, step int64) *load {
	return &load{step: step, rand: rand.New(rand.NewPCG(seed, 1)), ahead: engine.New(engine.Config{}), places: make(map[uint64]int), middle: 1_000_000}
}

// fill returns the commands that bring an empty book to its depth.
func (l *load) fill() []request {
	var rs []request
	for len(l.live) < deep {
		rs = append(rs, l.hand(l.add()))
	}
	return rs
}

// next returns the following n commands.
func (l *load) next(n int) []request {
	rs := make([]request, n)
	l.write(rs)
	return rs
}

// write puts the following commands into a slice.
func (l *load) write(rs []request) {
	for i := range rs {
		switch k := l.rand.IntN(10); {
		case k < 5:
			rs[i] = l.hand(l.add())
		case k < 9:
			rs[i] = l.hand(request{id: l.live[l.rand.IntN(len(l.live))]})
		default:
			rs[i] = l.hand(l.cross())
		}
	}
}

func (l *load) begin() request {
	l.n++
	l.middle += l.rand.Int64N(3) - 1
	return request{id: sparse(l.n), side: engine.Side(l.rand.IntN(2)), qty: 1 + l.rand.Int32N(20)}
}

func (l *load) add() request {
	r := l.begin()
	away := int64(50)
	switch k := l.rand.IntN(20); {
	case k == 0:
		away = 5000
	case k < 6:
		away = 500
	}
	away = 1 + l.rand.Int64N(away)
	if r.side == engine.Buy {
		r.price = (l.middle - away) * l.step
		if ask, _, ok := l.ahead.Best(engine.Sell); ok {
			r.price = min(r.price, ask-l.step)
		}
	} else {
		r.price = (l.middle + away) * l.step
		if bid, _, ok := l.ahead.Best(engine.Buy); ok {
			r.price = max(r.price, bid+l.step)
		}
	}
	return r
}

// cross takes on average one order away, a few more when the book is too deep.
func (l *load) cross() request {
	r := l.begin()
	if len(l.live) > deep {
		r.qty *= 3
	}
	price, _, ok := l.ahead.Best(r.side.Opposite())
	if r.price = price; !ok || r.qty%2 == 0 {
		r.market = true
	}
	return r
}

// hand runs a command on the load's own book.
func (l *load) hand(r request) request {
	for _, e := range r.run(l.ahead) {
		switch {
		case e.Kind == engine.Rested:
			l.places[e.ID] = len(l.live)
			l.live = append(l.live, e.ID)
		case e.Kind == engine.Traded && e.MakerLeft == 0:
			l.gone(e.Maker)
		case e.Kind == engine.Cancelled:
			l.gone(e.ID)
		}
	}
	return r
}

func (l *load) gone(id uint64) {
	i, ok := l.places[id]
	if !ok {
		return // a market order never rested
	}
	last := l.live[len(l.live)-1]
	l.live[i], l.places[last] = last, i
	l.live = l.live[:len(l.live)-1]
	delete(l.places, id)
}

// run gives a command to a book. The order stays on the stack, as it may wherever the engine is called directly.
func (r *request) run(b *engine.Book) []engine.Event {
	if r.qty == 0 {
		return b.Cancel(r.id, engine.ByUser)
	}
	o := r.order()
	return b.Place(&o)
}

func (r *request) order() engine.Order {
	return engine.Order{ID: r.id, Account: 1 + uint32(r.id%999), Side: r.side, Market: r.market, Price: r.price, Qty: int64(r.qty)}
}
