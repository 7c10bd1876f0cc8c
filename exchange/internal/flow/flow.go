package flow

import (
	"fmt"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// World is what the agents trade in. Place gives the order an ID if it has none. Events of flow's own orders reach
// Flow.Seen before a call returns.
type World interface {
	Now() int64
	Book(catalog.ID) *engine.Book // nil: there is none
	Place(catalog.ID, *engine.Order) []engine.Event
	Amend(id catalog.ID, order uint64, price, qty int64) []engine.Event
	Cancel(id catalog.ID, order uint64) []engine.Event
	Mark(catalog.ID) fixed.F // mark price in the quote coin, 0: none yet
	// Block publishes a trade that two parties agreed on outside of the books, and reports whether it could be one. The legs are
	// valid during the call only.
	Block(strategy string, legs []BlockLeg) bool
}

// MaxAccount is the highest account that belongs to flow; the lowest is 1.
const MaxAccount = 999

// Config says how much there is of what. The zero value is the whole market.
type Config struct {
	// Activity scales how often agents act. Default: 1.
	Activity fixed.F
	// Quiet leaves the agents out: latent prices move, and nobody trades. Default: false.
	Quiet bool
}

// Flow is the generated market. It is not safe for concurrent use.
type Flow struct {
	cfg   Config
	cat   *catalog.Catalog
	seed  uint64
	start int64

	now    int64
	latent latent
	moods  []mood  // by coin, as latent.coins
	desks  []*desk // by catalog.ID; nil: not traded, or delivered
	wakes  schedule
	blocks blocks

	world World // during Run
}

// New returns the market of a catalogue. Nothing is placed yet: Next is start, and the first Run fills the books.
func New(cfg Config, cat *catalog.Catalog, seed uint64, start int64) *Flow {
	if cfg.Activity == 0 {
		cfg.Activity = fixed.One
	}
	f := &Flow{cfg: cfg, cat: cat, seed: seed, start: start, now: start}
	f.latent = newLatent(cat, seed, start)
	f.blocks.rand = fixed.NewRand(seed, "flow", "blocks")
	f.moods = make([]mood, len(f.latent.coins))
	for i := range f.moods {
		f.moods[i].derive(&f.latent.coins[i])
	}
	f.wakes.push(wake{at: start, desk: theLatent})
	for id := range catalog.ID(cat.Len()) {
		if in := cat.At(id); in.Live(start) {
			f.Listed(id)
		}
	}
	return f
}

// Next returns when the next agent wakes.
func (f *Flow) Next() int64 { return f.wakes.next() }

// Run wakes the agents that are due at now, in a fixed order.
func (f *Flow) Run(now int64, w World) {
	f.now, f.world = now, w
	for f.wakes.next() <= now {
		at := f.wakes.pop()
		if at.desk == theLatent {
			f.step(now)
			f.wakes.push(wake{at: now + latentStep, desk: theLatent})
			continue
		}
		d := f.desk(at.desk)
		if d == nil {
			continue // delivered since
		}
		at.at = max(d.agents[at.agent].wake(d, now), now+millisecond)
		f.wakes.push(at)
	}
	f.world = nil
}

// step moves the latent prices and what hangs on them.
func (f *Flow) step(now int64) {
	for i := range f.moods {
		f.moods[i].advance(f, i, now)
	}
	f.latent.step(now, f.moods)
	for _, d := range f.desks {
		if d != nil {
			d.reprice(now)
		}
	}
	f.blockTrade(now)
}

func (f *Flow) desk(id catalog.ID) *desk {
	if id < 0 || int(id) >= len(f.desks) {
		return nil
	}
	return f.desks[id]
}

// Listed starts the market of an instrument; its book is filled at the next Run.
func (f *Flow) Listed(id catalog.ID) {
	if f.cfg.Quiet {
		return
	}
	for int(id) >= len(f.desks) {
		f.desks = append(f.desks, nil)
	}
	d := newDesk(f, f.cat.At(id))
	if d == nil || f.desks[id] != nil {
		return
	}
	d.reprice(f.now)
	f.desks[id] = d
	for i := range d.agents {
		f.wakes.push(wake{at: f.now, desk: id, agent: uint16(i)})
	}
}

// Delivered ends the market of an instrument. Its orders are the caller's to cancel.
func (f *Flow) Delivered(id catalog.ID) {
	if f.desk(id) != nil {
		f.desks[id] = nil
		f.wakes.drop(id)
	}
}

// Seen takes an event in which a flow account is Account or MakerAccount, in order, while the command runs.
func (f *Flow) Seen(id catalog.ID, ev *engine.Event) {
	d := f.desk(id)
	if d == nil {
		return
	}
	switch ev.Kind {
	case engine.Traded:
		if a := d.agent(ev.MakerAccount); a != nil {
			a.filled(d, ev)
		}
	case engine.Cancelled:
		if a := d.agent(ev.Account); a != nil {
			a.gone(ev.Side, ev.ID)
		}
	}
}

// Index returns the latent price of a coin in US dollars, 0 if the coin has none. The index price is made from it.
func (f *Flow) Index(coin string) fixed.F {
	if i := f.latent.find(coin); i >= 0 {
		return f.latent.coins[i].price
	}
	return 0
}

// Vol returns the volatility of a coin for a year as it is now, 0 if there is no such coin.
func (f *Flow) Vol(coin string) fixed.F {
	i := f.latent.find(coin)
	if i < 0 {
		return 0
	}
	c := &f.latent.coins[i]
	return c.asset.Vol.Mul(c.factor).Mul(f.moods[i].effect.vol)
}

// Walk describes the state. The catalogue must have been restored before.
func (f *Flow) Walk(w *state.Walker) {
	w.Tag("flow.Flow.2")
	w.Int64(&f.now)
	f.latent.Walk(w)
	f.blocks.walk(w)
	for i := range f.moods {
		f.moods[i].walk(w, &f.latent.coins[i])
	}
	n := len(f.desks)
	w.Int(&n)
	if w.Reading() {
		if n < 0 || n > f.cat.Len() {
			w.Fail(fmt.Errorf("flow: %d desks of %d instruments", n, f.cat.Len()))
			return
		}
		f.desks = make([]*desk, n)
	}
	for i := range n {
		open := f.desks[i] != nil
		w.Bool(&open)
		if !open {
			continue
		}
		if w.Reading() {
			if f.desks[i] = newDesk(f, f.cat.At(catalog.ID(i))); f.desks[i] == nil {
				w.Fail(fmt.Errorf("flow: instrument %d is not traded", i))
				return
			}
		}
		f.desks[i].Walk(w)
	}
	f.wakes.Walk(w)
	if w.Reading() && w.Err() == nil {
		f.wakes.check(w, f)
	}
}
