package core

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/price"
	"github.com/bywire/bywire/exchange/internal/state"
)

// Units of virtual time.
const (
	second = catalog.Second
	minute = catalog.Minute
)

// Config says what a run is. Two cores of the same configuration are the same.
type Config struct {
	Seed  uint64
	Start int64 // of virtual time, in ns since 1970 UTC

	// Only names the default instruments to keep; see catalog.Config. Default: all.
	Only []string
	// Instruments is a file of instruments to add or replace; see catalog.Load. Default: none.
	Instruments []byte
	// Quiet leaves the generated orders out. Prices still move. Default: false.
	Quiet bool

	// Sink gets what is published. Nothing of it is in the state: who listens changes nothing. Default: nobody listens.
	Sink feed.Sink
	// Journal gets each command before it is done. Default: nobody.
	Journal func(Entry)
}

// Core is a run of the exchange. It is not safe for concurrent use, reading included.
type Core struct {
	cfg   Config
	now   int64
	done  uint64 // commands so far
	count Counts
	ids   orderIDs
	queue timers
	parts

	levels []engine.Level // of one call, used again
	size   int            // of the last snapshot
}

// Counts are how much has happened in the books, whoever asked for it.
type Counts struct {
	Placed, Amended, Cancelled, Traded, Refused uint64
}

func (n *Counts) walk(w *state.Walker) {
	for _, v := range []*uint64{&n.Placed, &n.Amended, &n.Cancelled, &n.Traded, &n.Refused} {
		w.Uint64(v)
	}
}

func (n *Counts) see(ev *engine.Event) {
	switch ev.Kind {
	case engine.Amended:
		n.Amended++
	case engine.Cancelled:
		n.Cancelled++
	case engine.Traded:
		n.Traded++
	case engine.Refused:
		n.Refused++
	}
}

// parts are what a core is made of. They refer to one another, and are replaced together.
type parts struct {
	cat     *catalog.Catalog
	skipped []string
	books   *books
	board   *price.Board
	past    *past.Past
	bars    *past.Store
	flow    *flow.Flow
	feed    *feed.Feed
}

// books are the books of the instruments, by number; nil: delivered.
type books struct{ list []*engine.Book }

// Book returns the book of an instrument, nil if there is none.
func (b *books) Book(id catalog.ID) *engine.Book {
	if id < 0 || int(id) >= len(b.list) {
		return nil
	}
	return b.list[id]
}

// open makes the book of an instrument.
func (b *books) open(id catalog.ID) {
	for len(b.list) <= int(id) {
		b.list = append(b.list, nil)
	}
	b.list[id] = engine.New(engine.Config{})
}

// New returns a core at the beginning of its run. The error is about the instruments that the configuration names.
func New(cfg Config) (*Core, error) {
	c := &Core{cfg: cfg, now: cfg.Start}
	c.ids.key = fixed.Mix(cfg.Seed + 1)
	var err error
	if c.parts, err = newParts(&cfg); err != nil {
		return nil, err
	}
	c.setTimers()
	return c, nil
}

// newParts makes the parts as they are at the beginning.
func newParts(cfg *Config) (p parts, err error) {
	if p.cat, p.skipped, err = newCatalog(cfg); err != nil {
		return parts{}, err
	}
	p.books = &books{}
	for _, in := range p.cat.Live() {
		p.books.open(in.ID)
	}
	p.board = price.New(p.cat, cfg.Start)
	p.past = past.New(cfg.Seed, p.cat, cfg.Start)
	p.bars = past.NewStore(p.past)
	for _, in := range p.cat.Live() {
		if f := p.past.Funding(in.ID, 0, cfg.Start, 1); len(f) > 0 {
			p.board.Begin(in.ID, f[0].Rate)
		}
	}
	p.flow = newFlow(cfg, &p)
	p.feed = newFeed(cfg, &p, cfg.Start)
	return p, nil
}

func newFlow(cfg *Config, p *parts) *flow.Flow {
	return flow.New(flow.Config{Quiet: cfg.Quiet}, p.cat, cfg.Seed, cfg.Start)
}

func newFeed(cfg *Config, p *parts, now int64) *feed.Feed {
	return feed.New(p.cat, p.books, p.board, p.bars, cfg.Sink, now)
}

func newCatalog(cfg *Config) (cat *catalog.Catalog, skipped []string, err error) {
	cat, err = catalog.New(catalog.Config{Start: cfg.Start})
	if err != nil {
		return nil, nil, err
	}
	if len(cfg.Instruments) > 0 {
		if skipped, err = cat.Load(cfg.Instruments); err != nil {
			return nil, nil, fmt.Errorf("core: instruments: %w", err)
		}
	}
	if len(cfg.Only) > 0 {
		cat, err = cat.Select(cfg.Only)
	}
	return cat, skipped, err
}

// Now is the virtual time.
func (c *Core) Now() int64 { return c.now }

// Started is the virtual time at which the run began.
func (c *Core) Started() int64 { return c.cfg.Start }

// Seed is the seed of the run.
func (c *Core) Seed() uint64 { return c.cfg.Seed }

// Commands is how many commands were done.
func (c *Core) Commands() uint64 { return c.done }

// Counts is how much has happened.
func (c *Core) Counts() Counts { return c.count }

// Catalog is the list of instruments.
func (c *Core) Catalog() *catalog.Catalog { return c.cat }

// Skipped says of which instruments of Config.Instruments nothing is simulated, and why.
func (c *Core) Skipped() []string { return c.skipped }

// Book returns the book of an instrument, nil if it was delivered.
func (c *Core) Book(id catalog.ID) *engine.Book { return c.books.Book(id) }

// Board is the board of computed prices.
func (c *Core) Board() *price.Board { return c.board }

// Past is what was before the start.
func (c *Core) Past() *past.Past { return c.past }

// Bars are the candles of the past and since.
func (c *Core) Bars() *past.Store { return c.bars }

// Flow is the generated market.
func (c *Core) Flow() *flow.Flow { return c.flow }

// Feed is what is published, and what REST shows of it.
func (c *Core) Feed() *feed.Feed { return c.feed }

// Why a command is refused; see also feed.ErrNotice and feed.ErrBlock.
var (
	ErrNoInstrument = errors.New("core: no such instrument") // or not any more
	ErrNoCoin       = errors.New("core: no such coin, or nothing that can be done to it")
	ErrTooFar       = errors.New("core: a price can go to twelve times or a twelfth of where it began, and no further")
	ErrTooLong      = errors.New("core: a shock takes two years at most, and no negative time")
)

// Do does a command now, after all that is due now: also what an earlier command has made due, so that a journal need not
// say where Advance was called. The events are valid until the next call of any method that changes something. An error
// says that nothing has happened.
func (c *Core) Do(command Command) ([]engine.Event, error) {
	c.Advance(c.now)
	c.done++
	if c.cfg.Journal != nil {
		c.cfg.Journal(Entry{At: c.now, N: c.done, Command: command})
	}
	events, err := command.run(c)
	c.wake()
	return events, err
}

// Hash tells states apart: cores whose hashes are equal go on alike. It takes as long as Snapshot and HashOf together.
func (c *Core) Hash() [32]byte { return state.Hash(c) }

// HashOf is the Hash of the core that a snapshot was taken from. It needs no core, so it can be computed elsewhere.
func HashOf(snapshot []byte) [32]byte { return sha256.Sum256(snapshot) }

// Snapshot returns the state, in memory of its own.
func (c *Core) Snapshot() []byte {
	snapshot := state.Append(make([]byte, 0, c.size+c.size/16), c)
	c.size = len(snapshot)
	return snapshot
}

// Restored returns a core in the state of a snapshot of a core with the same configuration.
func Restored(cfg Config, snapshot []byte) (*Core, error) {
	// The parts are made by Walk, of the instruments that there were then.
	c := &Core{cfg: cfg}
	var err error
	if c.cat, c.skipped, err = newCatalog(&cfg); err != nil {
		return nil, err
	}
	c.books = &books{}
	if err := state.Restore(c, snapshot); err != nil {
		return nil, fmt.Errorf("core: restore: %w", err)
	}
	return c, nil
}

// Warm makes what a core otherwise makes when it is first asked: the candles that began before the start of the run, which
// take a tenth of a second for all instruments. It changes no state.
func (c *Core) Warm() {
	for _, in := range c.cat.Live() {
		for i := range past.Intervals {
			c.bars.Current(in.ID, past.Trade, past.Interval(i))
		}
	}
}

// Become makes the core what another one of the same configuration is, which is not to be used any more: it takes no time,
// however long it took to make that one.
func (c *Core) Become(fresh *Core) { *c = *fresh }

// Restore makes the state that of a snapshot of a core with the same configuration. After an error it is as before.
func (c *Core) Restore(snapshot []byte) error {
	fresh, err := Restored(c.cfg, snapshot)
	if err == nil {
		c.Become(fresh)
	}
	return err
}

// Republish publishes once more what was pushed last, books with u = 1, for an audience that has seen another run: after
// Restore, when the Sink goes on to the same subscribers. It is no command. It changes nothing that the state or its hash
// has, so a run goes on as if it had not been called.
func (c *Core) Republish() { c.feed.Republish() }

// Walk describes the state.
func (c *Core) Walk(w *state.Walker) {
	w.Tag("core.1")
	seed, start := c.cfg.Seed, c.cfg.Start
	w.Uint64(&seed)
	w.Int64(&start)
	if seed != c.cfg.Seed || start != c.cfg.Start {
		w.Fail(fmt.Errorf("it is of a run with seed %d that began at %d", seed, start))
	}
	w.Int64(&c.now)
	w.Uint64(&c.done)
	c.count.walk(w)
	c.ids.walk(w)
	c.queue.walk(w)
	if w.Reading() && !c.queue.complete(c.now) {
		w.Fail(errTimers)
		return
	}
	c.cat.Walk(w)
	if w.Err() != nil {
		return
	}
	c.books.walk(w, c.cat)
	if w.Reading() {
		// What knows the instruments is made for those that there are now.
		c.board = price.New(c.cat, c.now)
	}
	c.board.Walk(w)
	if w.Reading() {
		c.past = past.New(c.cfg.Seed, c.cat, c.cfg.Start)
		c.bars = past.NewStore(c.past)
	}
	c.bars.Walk(w)
	if w.Reading() {
		c.flow = newFlow(&c.cfg, &c.parts)
	}
	c.flow.Walk(w)
	if w.Reading() {
		c.feed = newFeed(&c.cfg, &c.parts, c.now)
	}
	c.feed.Walk(w)
}

// walk describes the books of the instruments that there are.
func (b *books) walk(w *state.Walker, cat *catalog.Catalog) {
	if w.Reading() {
		b.list = b.list[:0]
		for _, in := range cat.Live() {
			b.open(in.ID)
		}
	}
	for _, in := range cat.Live() {
		b.list[in.ID].Walk(w)
	}
}
