package realism

import (
	"fmt"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
)

// Watch measures a generated market for a time: books to a depth at each interval, as the topic of that depth is pushed,
// and all trades. It lets the market run.
func Watch(w *flowtest.World, in *catalog.Instrument, depth int, interval, length int64) (*Meter, error) {
	tick, err := floatOf(in.Tick.String())
	if err != nil {
		return nil, err
	}
	lot, err := floatOf(in.Lot.String())
	if err != nil {
		return nil, err
	}
	m := &Meter{Tick: tick, Inverse: in.Inverse, Stream: depth > 0, Every: 1e9}
	earlier := w.Seen
	w.Seen = func(id catalog.ID, ev *engine.Event) {
		if earlier != nil {
			earlier(id, ev)
		}
		if id == in.ID && ev.Kind == engine.Traded {
			m.Trade(Trade{At: w.Now(), Price: float64(ev.Price) * tick, Qty: float64(ev.Qty) * lot, Order: ev.ID})
		}
	}
	defer func() { w.Seen = earlier }()
	var levels []engine.Level
	side := func(s engine.Side) []Level {
		levels = w.Book(in.ID).Levels(levels[:0], s, depth, false)
		out := make([]Level, len(levels))
		for i, l := range levels {
			out[i] = Level{Price: l.Price, Qty: float64(l.Qty) * lot}
		}
		return out
	}
	for end := w.Now() + length; w.Now() < end; {
		w.Run(min(w.Now()+interval, end))
		if depth > 0 {
			m.Book(w.Now(), side(engine.Buy), side(engine.Sell))
		}
	}
	m.Covers(length)
	return m, nil
}

func floatOf(s string) (float64, error) {
	var f float64
	if _, err := fmt.Sscan(s, &f); err != nil {
		return 0, fmt.Errorf("realism: %q: %w", s, err)
	}
	return f, nil
}
