package book_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/decimal"
)

// market makes the deltas of one book of fixed depth: seven entries or eight,
// sizes that change, levels that come and push out the worst one, levels that
// go and let one in at the far end. Every delta has an inverse, so that a
// benchmark can walk to the end and back for ever without a snapshot.
type market struct {
	rng   *rand.Rand
	depth int
	heavy bool // changes are near the best price, as they are on the venue; else anywhere
	sides [2][]tick
}

// tick is a level as integers: bids have falling, asks rising price.
type tick struct{ price, size int64 }

// newMarket returns a market of depth levels a side, three ticks apart.
func newMarket(depth int, heavy bool) *market {
	m := &market{rng: rand.New(rand.NewPCG(7, uint64(depth))), depth: depth, heavy: heavy}
	for i := range int64(depth) {
		m.sides[book.Bid] = append(m.sides[book.Bid], tick{10_937_880 - 3*i, m.size()})
		m.sides[book.Ask] = append(m.sides[book.Ask], tick{10_937_890 + 3*i, m.size()})
	}
	return m
}

func (m *market) size() int64 { return 1 + m.rng.Int64N(100_000) }

func (t tick) level() book.Level {
	return book.Level{Price: decimal.New(t.price, 2), Size: decimal.New(t.size, 3)}
}

// snapshot returns the market as it is.
func (m *market) snapshot(id int64) *book.Update {
	u := &book.Update{Snapshot: true, ID: id, Seq: id}
	for _, t := range m.sides[book.Bid] {
		u.Bids = append(u.Bids, t.level())
	}
	for _, t := range m.sides[book.Ask] {
		u.Asks = append(u.Asks, t.level())
	}
	return u
}

// delta changes the market and returns the change and its inverse.
func (m *market) delta() (there, back *book.Update) {
	before := [2][]tick{slices.Clone(m.sides[0]), slices.Clone(m.sides[1])}
	touched := [2]map[int64]bool{{}, {}}
	if m.depth == 1 { // the venue sends snapshots only
		return m.topOnly(), m.topOnly()
	}
	for len(touched[0])+len(touched[1]) < 7 {
		sd := book.Side(m.rng.IntN(2))
		m.step(sd, touched[sd])
	}
	there, back = new(book.Update), new(book.Update)
	there.Bids, back.Bids = entries(touched[0], before[0], m.sides[0], -1)
	there.Asks, back.Asks = entries(touched[1], before[1], m.sides[1], +1)
	return there, back
}

// topOnly returns a snapshot of a best bid and a best ask that move a little.
func (m *market) topOnly() *book.Update {
	move := m.rng.Int64N(5)
	for sd := range m.sides {
		m.sides[sd][0] = tick{[]int64{10_937_880, 10_937_890}[sd] + move, m.size()}
	}
	return m.snapshot(0)
}

// step does one thing to one side.
func (m *market) step(sd book.Side, touched map[int64]bool) {
	s := m.sides[sd]
	rank := m.rng.IntN(len(s))
	if m.heavy {
		rank = min(int(m.rng.ExpFloat64()*float64(min(m.depth, 200))/12), len(s)-1)
	}
	worse := int64(-1)
	if sd == book.Ask {
		worse = 1
	}
	switch what := m.rng.IntN(20); {
	case what < 14 || len(s) == 1:
		s[rank].size = m.size()
		touched[s[rank].price] = true
	case what < 17: // one goes, the next one beyond the far end becomes visible
		touched[s[rank].price] = true
		end := tick{s[len(s)-1].price + 3*worse, m.size()}
		touched[end.price] = true
		m.sides[sd] = append(slices.Delete(s, rank, rank+1), end)
	default: // one comes behind rank, the worst falls out of sight
		price := s[rank].price + worse
		if rank+1 == len(s) || s[rank+1].price == price {
			return
		}
		touched[price], touched[s[len(s)-1].price] = true, true
		m.sides[sd] = slices.Insert(s[:len(s)-1], rank+1, tick{price, m.size()})
	}
}

// entries writes the touched prices, best first, as they are and as they were.
func entries(touched map[int64]bool, before, after []tick, sign int64) (there, back []book.Level) {
	find := func(s []tick, price int64) tick {
		i, ok := slices.BinarySearchFunc(s, price, func(t tick, p int64) int { return int(sign * (t.price - p)) })
		if !ok {
			return tick{price: price}
		}
		return s[i]
	}
	prices := make([]int64, 0, len(touched))
	for p := range touched {
		prices = append(prices, p)
	}
	slices.SortFunc(prices, func(a, b int64) int { return int(sign * (a - b)) })
	for _, p := range prices {
		there = append(there, find(after, p).level())
		back = append(back, find(before, p).level())
	}
	return there, back
}

// shuttle plays a market's deltas to the end and back.
type shuttle struct {
	deltas []*book.Update // there and back
	at     int
	id     int64
}

// newShuttle returns a book with a snapshot of the market and n deltas, and as
// many back.
func newShuttle(tb testing.TB, b *book.Book, heavy bool, n int) *shuttle {
	tb.Helper()
	m := newMarket(b.Depth(), heavy)
	if b.Depth() == 0 {
		m = newMarket(10_000, heavy)
	}
	if err := b.Apply(m.snapshot(100)); err != nil {
		tb.Fatal(err)
	}
	s := &shuttle{deltas: make([]*book.Update, 2*n), id: 100}
	for i := range n {
		s.deltas[i], s.deltas[2*n-1-i] = m.delta()
	}
	s.pack()
	return s
}

// pack puts all levels into one piece of memory in the order of play. A live
// message comes out of a decoder's buffer, which the cache has; here the
// processor can at least fetch ahead.
func (s *shuttle) pack() {
	var all []book.Level
	for _, u := range s.deltas {
		all = append(append(all, u.Bids...), u.Asks...)
	}
	for _, u := range s.deltas {
		for _, side := range []*[]book.Level{&u.Bids, &u.Asks} {
			n := len(*side)
			*side, all = all[:n:n], all[n:]
		}
	}
}

// next returns the next message.
func (s *shuttle) next() *book.Update {
	u := s.deltas[s.at]
	if s.at++; s.at == len(s.deltas) {
		s.at = 0
	}
	s.id++
	u.ID = s.id
	return u
}
