package core

import "github.com/bywire/bywire/exchange/internal/state"

// orderIDs gives orders their numbers: unique for ever, and spread over all 64 bits, so that nobody takes them for a
// count.
type orderIDs struct {
	key   uint64 // of the seed
	given uint64
}

// next returns the next number, never 0.
func (g *orderIDs) next() uint64 {
	for {
		g.given++
		if id := scatter(g.given ^ g.key); id != 0 {
			return id
		}
	}
}

// scatter is a bijection whose outputs look unlike its inputs: the finalizer of splitmix64.
func scatter(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func (g *orderIDs) walk(w *state.Walker) {
	w.Uint64(&g.key)
	w.Uint64(&g.given)
}
