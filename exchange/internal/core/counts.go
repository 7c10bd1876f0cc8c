package core

import "github.com/bywire/bywire/exchange/internal/engine"

// counts are what has happened since the core was made. They are no part of the state: they say how busy a run is.
type counts struct{ orders, trades int64 }

// add counts what one command to a book did.
func (n *counts) add(events []engine.Event) {
	if len(events) > 0 {
		n.orders++
	}
	for i := range events {
		if events[i].Kind == engine.Traded {
			n.trades++
		}
	}
}

// Happened returns how many orders were placed, amended and cancelled, and how many matches there were, since the core was
// made or restored.
func (c *Core) Happened() (orders, trades int64) { return c.counts.orders, c.counts.trades }
