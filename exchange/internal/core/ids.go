package core

import (
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

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
		if id := fixed.Mix(g.given ^ g.key); id != 0 {
			return id
		}
	}
}

func (g *orderIDs) walk(w *state.Walker) {
	w.Uint64(&g.key)
	w.Uint64(&g.given)
}
