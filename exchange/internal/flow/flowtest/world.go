// Package flowtest runs the generated market without the rest of the exchange: books, a clock that jumps from wake to
// wake, and an eye on all events. Tests of flow and the measurements of realism stand on it.
//
// What it leaves out is what the core adds: index and mark prices, funding, price limits, publishing, commands of users.
package flowtest

import (
	"slices"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
	"github.com/bywire/bywire/exchange/internal/state"
)

// World is a catalogue, its books and its market.
type World struct {
	Cat  *catalog.Catalog
	Flow *flow.Flow

	// Seen, if set, is shown each event, after flow was.
	Seen func(id catalog.ID, ev *engine.Event)

	// Marks are the mark prices that World.Mark gives, by instrument.
	Marks map[catalog.ID]fixed.F

	// Blocks are the block trades there were, with copies of their legs.
	Blocks []Block

	Commands int64 // how many orders, amendments and cancellations there were

	now   int64
	books []*engine.Book
	ids   uint64
}

// Block is a block trade.
type Block struct {
	At       int64
	Strategy string
	Legs     []flow.BlockLeg
}

// New returns the market of a catalogue at its start. Nothing is in the books before the first Run.
func New(cat *catalog.Catalog, seed uint64) *World { return newWorld(flow.Config{}, cat, seed) }

// NewQuiet returns a market in which only the latent prices move.
func NewQuiet(cat *catalog.Catalog, seed uint64) *World {
	return newWorld(flow.Config{Quiet: true}, cat, seed)
}

func newWorld(cfg flow.Config, cat *catalog.Catalog, seed uint64) *World {
	w := &World{Cat: cat, Flow: flow.New(cfg, cat, seed, cat.Start()), Marks: make(map[catalog.ID]fixed.F), now: cat.Start()}
	for range cat.Len() {
		w.books = append(w.books, engine.New(engine.Config{}))
	}
	return w
}

// Run lets the market run until a time, everything due then included.
func (w *World) Run(until int64) {
	for w.Flow.Next() <= until {
		w.now = max(w.Flow.Next(), w.now)
		w.Flow.Run(w.now, w)
	}
	w.now = until
}

// Roll delivers and lists what is due.
func (w *World) Roll() (delivered, listed []catalog.ID) {
	delivered, listed = w.Cat.Roll(w.now, w.Flow.Index)
	for len(w.books) < w.Cat.Len() {
		w.books = append(w.books, engine.New(engine.Config{}))
	}
	for _, id := range delivered {
		w.Flow.Delivered(id)
		w.books[id] = nil
	}
	for _, id := range listed {
		w.Flow.Listed(id)
	}
	return delivered, listed
}

// Now returns the time.
func (w *World) Now() int64 { return w.now }

// Book returns a book.
func (w *World) Book(id catalog.ID) *engine.Book { return w.books[id] }

// Mark returns what Marks holds.
func (w *World) Mark(id catalog.ID) fixed.F { return w.Marks[id] }

// Block keeps a block trade.
func (w *World) Block(strategy string, legs []flow.BlockLeg) bool {
	w.Blocks = append(w.Blocks, Block{w.now, strategy, slices.Clone(legs)})
	return true
}

// Place places an order, of flow or of anybody.
func (w *World) Place(id catalog.ID, o *engine.Order) []engine.Event {
	if o.ID == 0 {
		w.ids++
		o.ID = w.ids * 0x9e3779b97f4a7c15
	}
	return w.tell(id, w.books[id].Place(o))
}

// Amend changes an order.
func (w *World) Amend(id catalog.ID, order uint64, price, qty int64) []engine.Event {
	return w.tell(id, w.books[id].Amend(order, price, qty))
}

// Cancel takes an order out.
func (w *World) Cancel(id catalog.ID, order uint64) []engine.Event {
	return w.tell(id, w.books[id].Cancel(order, engine.ByUser))
}

// tell shows events to flow, if a flow account is in them, and to Seen.
func (w *World) tell(id catalog.ID, evs []engine.Event) []engine.Event {
	w.Commands++
	ours := func(account uint32) bool { return account >= 1 && account <= flow.MaxAccount }
	for i := range evs {
		if ev := &evs[i]; ours(ev.Account) || ours(ev.MakerAccount) {
			w.Flow.Seen(id, ev)
		}
		if w.Seen != nil {
			w.Seen(id, &evs[i])
		}
	}
	return evs
}

// Walk describes the state of the market and its books.
func (w *World) Walk(s *state.Walker) {
	s.Int64(&w.now)
	s.Uint64(&w.ids)
	w.Cat.Walk(s)
	for _, b := range w.books {
		if b != nil {
			b.Walk(s)
		}
	}
	w.Flow.Walk(s)
}
