package feed

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// depth is the number of levels a side of a ladder has, always: a level that
// goes away lets a farther one into view, a new one pushes the farthest out.
const depth = 50

// A level is a price in ticks and a size in lots; size 0 deletes.
type level struct{ price, size int64 }

// A side is one half of a ladder, best first.
type side struct {
	levels []level
	down   bool // bids: worse prices are lower
}

// worse returns the price n ticks worse than p.
func (s *side) worse(p, n int64) int64 {
	if s.down {
		return p - n
	}
	return p + n
}

// A ladder is a book that changes as the venue's do: sizes near the best most
// of all, now and then a level more or less, never crossed.
type ladder struct {
	rng        *rand.Rand
	bids, asks side
}

func newLadder(rng *rand.Rand, mid int64) *ladder {
	l := &ladder{rng: rng, bids: side{down: true}, asks: side{}}
	for _, s := range []*side{&l.bids, &l.asks} {
		p := s.worse(mid, 1)
		for range depth {
			s.levels = append(s.levels, level{p, l.size()})
			p = s.worse(p, 1+rng.Int64N(3))
		}
	}
	return l
}

func (l *ladder) size() int64 { return 1 + l.rng.Int64N(1<<(1+l.rng.IntN(14))) }

// index favours levels near the best.
func (l *ladder) index() int {
	return min(l.rng.IntN(depth), l.rng.IntN(depth), l.rng.IntN(depth))
}

// change makes n changes to the ladder and returns them as a delta's levels,
// best first on each side, no price twice.
func (l *ladder) change(n int) (bids, asks []level) {
	touched := make(map[*side]map[int64]bool, 2)
	delta := map[*side]*[]level{&l.bids: &bids, &l.asks: &asks}
	for s := range delta {
		touched[s] = make(map[int64]bool, n)
	}
	put := func(s *side, lv level) {
		touched[s][lv.price] = true
		*delta[s] = append(*delta[s], lv)
	}
	for left := n; left > 0; {
		s, other := &l.bids, &l.asks
		if l.rng.IntN(2) == 0 {
			s, other = other, s
		}
		i := l.index()
		at := s.levels[i].price
		last := s.levels[depth-1].price
		switch kind := l.rng.IntN(10); {
		case kind < 2 && left >= 2 && i < depth-1 && !touched[s][at]:
			// A level goes, a farther one comes into view.
			far := s.worse(last, 1+l.rng.Int64N(3))
			if touched[s][far] {
				continue
			}
			s.levels = append(slices.Delete(s.levels, i, i+1), level{far, l.size()})
			put(s, level{at, 0})
			put(s, s.levels[depth-1])
			left -= 2
		case kind < 5 && left >= 2 && i < depth-1 && !touched[s][last]:
			// A new level, at times a new best one; the farthest goes.
			price, where := s.worse(at, 1), i+1
			if i == 0 && l.rng.IntN(2) == 0 {
				price, where = s.worse(at, -1), 0
			}
			if touched[s][price] || price == other.levels[0].price || (where > 0 && price == s.levels[where].price) {
				continue
			}
			s.levels = slices.Insert(s.levels[:depth-1], where, level{price, l.size()})
			put(s, s.levels[where])
			put(s, level{last, 0})
			left -= 2
		case kind >= 5 && !touched[s][at]:
			s.levels[i].size = l.size()
			put(s, s.levels[i])
			left--
		}
	}
	slices.SortFunc(bids, func(a, b level) int { return cmp.Compare(b.price, a.price) })
	slices.SortFunc(asks, func(a, b level) int { return cmp.Compare(a.price, b.price) })
	return bids, asks
}
