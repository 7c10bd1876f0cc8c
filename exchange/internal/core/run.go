package core

import (
	"fmt"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
	"github.com/bywire/bywire/exchange/internal/past"
)

// table says what a timer of each kind does at its time, and when it is due again.
var table = [timerKinds]func(c *Core, t timer) (again int64){
	minuteTimer: (*Core).minute,
	rollTimer:   (*Core).roll,
	boardTimer:  (*Core).price,
	flowTimer:   (*Core).trade,
	pushTimer:   (*Core).push,
}

// classes are the intervals of pushes.
var classes = feed.Classes()

// setTimers sets all timers for a run that begins.
func (c *Core) setTimers() {
	c.queue = c.queue[:0]
	c.queue.push(timer{at: multiple(c.now, minute), kind: minuteTimer})
	c.queue.push(timer{at: c.cat.NextRoll(c.now), kind: rollTimer})
	c.queue.push(timer{at: c.now, kind: boardTimer}) // there is no moment without prices
	c.queue.push(timer{at: c.flow.Next(), kind: flowTimer})
	for n := range classes {
		c.queue.push(timer{at: c.now, kind: pushTimer, n: int32(n)}) // nor without something published
	}
}

// multiple is the first multiple of a span at a time or after it.
func multiple(at, span int64) int64 { return (at + span - 1) / span * span }

// Next is when something is due next.
func (c *Core) Next() int64 { return c.queue.next() }

// wake sets the timer of flow anew, after something that may have given it an earlier one.
func (c *Core) wake() { c.queue.move(flowTimer, max(c.flow.Next(), c.now)) }

// Advance moves the time to an instant and does everything that is due until then, that instant included. A time that has
// passed does nothing.
func (c *Core) Advance(to int64) {
	for c.queue.next() <= to {
		t := c.queue[0]
		c.now = max(c.now, t.at)
		again := table[t.kind](c, t)
		// What runs may have moved timers; its own is still the first, for nothing is due before now.
		c.queue.rearm(max(again, t.at))
	}
	c.now = max(c.now, to)
}

// book returns the book of an instrument, for a command.
func (c *Core) book(id catalog.ID) (*engine.Book, error) {
	if b := c.books.Book(id); b != nil {
		return b, nil
	}
	return nil, ErrNoInstrument
}

func (p Place) run(c *Core) ([]engine.Event, error) {
	b, err := c.book(p.Instrument)
	if err != nil {
		return nil, err
	}
	o := p.Order
	if o.ID == 0 {
		o.ID = c.ids.next()
	}
	c.count.Placed++
	return c.tell(p.Instrument, b.Place(&o)), nil
}

func (a Amend) run(c *Core) ([]engine.Event, error) {
	b, err := c.book(a.Instrument)
	if err != nil {
		return nil, err
	}
	return c.tell(a.Instrument, b.Amend(a.ID, a.Price, a.Qty)), nil
}

func (a Cancel) run(c *Core) ([]engine.Event, error) {
	b, err := c.book(a.Instrument)
	if err != nil {
		return nil, err
	}
	return c.tell(a.Instrument, b.Cancel(a.ID, a.Reason)), nil
}

func (h Halt) run(c *Core) ([]engine.Event, error) { return c.each(h.Instruments, (*engine.Book).Halt) }
func (r Resume) run(c *Core) ([]engine.Event, error) {
	return c.each(r.Instruments, (*engine.Book).Resume)
}
func (r Restart) run(c *Core) ([]engine.Event, error) {
	return c.each(r.Instruments, (*engine.Book).Restart)
}

func (r Regime) run(c *Core) ([]engine.Event, error) {
	if !c.flow.SetRegime(r.Coin, r.Regime, r.Over) {
		return nil, ErrNoCoin
	}
	return nil, nil
}

func (s Shock) run(c *Core) ([]engine.Event, error) {
	if _, ok := c.flow.Regime(s.Coin); !ok && s.Coin != "" {
		return nil, ErrNoCoin
	}
	if s.Over < 0 || s.Over > flow.LongestShock {
		return nil, ErrTooLong
	}
	if !c.flow.Shock(s.Coin, s.Percent, s.Over) {
		return nil, ErrTooFar
	}
	return nil, nil
}

func (m Maintain) run(c *Core) ([]engine.Event, error) {
	if _, err := c.feed.Maintain(c.now, m.Notice); err != nil {
		return nil, fmt.Errorf("core: %w", err)
	}
	return nil, nil
}

func (b Block) run(c *Core) ([]engine.Event, error) {
	for _, l := range b.Legs {
		if _, err := c.book(l.ID); err != nil {
			return nil, err
		}
	}
	if err := c.feed.Block(c.now, b.Strategy, b.Legs); err != nil {
		return nil, fmt.Errorf("core: %w", err)
	}
	return nil, nil
}

// each does something to the books of some instruments, or of all. Their events are told, and not returned: they are
// of several books.
func (c *Core) each(ids []catalog.ID, do func(*engine.Book) []engine.Event) ([]engine.Event, error) {
	for _, id := range ids {
		if _, err := c.book(id); err != nil {
			return nil, err
		}
	}
	if len(ids) == 0 {
		for _, in := range c.cat.Live() {
			c.tell(in.ID, do(c.books.Book(in.ID)))
		}
	}
	for _, id := range ids {
		c.tell(id, do(c.books.Book(id)))
	}
	return nil, nil
}

// tell tells everyone inside what a command did.
func (c *Core) tell(id catalog.ID, events []engine.Event) []engine.Event {
	for i := range events {
		ev := &events[i]
		c.count.see(ev)
		c.feed.Event(c.now, id, ev)
		if ofFlow(ev.Account) || ev.Kind == engine.Traded && ofFlow(ev.MakerAccount) {
			c.flow.Seen(id, ev)
		}
	}
	c.feed.EndCommand(c.now, id)
	return events
}

// ofFlow reports whether an account is the generated market's.
func ofFlow(account uint32) bool { return account > 0 && account <= flow.MaxAccount }

// trade lets the generated market act.
func (c *Core) trade(t timer) int64 {
	c.flow.Run(c.now, world{c})
	return max(c.flow.Next(), t.at+1)
}

// world is where the generated market acts.
type world struct{ c *Core }

// Now implements flow.World.
func (w world) Now() int64 { return w.c.now }

// Book implements flow.World.
func (w world) Book(id catalog.ID) *engine.Book { return w.c.books.Book(id) }

// Mark implements flow.World.
func (w world) Mark(id catalog.ID) fixed.F { return w.c.board.Mark(id) }

// Block implements flow.World.
func (w world) Block(strategy string, legs []flow.BlockLeg) bool {
	var all []feed.BlockLeg
	for _, l := range legs {
		all = append(all, feed.BlockLeg(l))
	}
	return w.c.feed.Block(w.c.now, strategy, all) == nil
}

// Place implements flow.World.
func (w world) Place(id catalog.ID, o *engine.Order) []engine.Event {
	b := w.c.books.Book(id)
	if b == nil {
		return nil
	}
	if o.ID == 0 {
		o.ID = w.c.ids.next()
	}
	w.c.count.Placed++
	return w.c.tell(id, b.Place(o))
}

// Amend implements flow.World.
func (w world) Amend(id catalog.ID, order uint64, price, qty int64) []engine.Event {
	if b := w.c.books.Book(id); b != nil {
		return w.c.tell(id, b.Amend(order, price, qty))
	}
	return nil
}

// Cancel implements flow.World.
func (w world) Cancel(id catalog.ID, order uint64) []engine.Event {
	if b := w.c.books.Book(id); b != nil {
		return w.c.tell(id, b.Cancel(order, engine.ByUser))
	}
	return nil
}

// push publishes what has changed since the push before.
func (c *Core) push(t timer) int64 {
	every := classes[t.n]
	c.feed.Push(c.now, every)
	return multiple(t.at+1, every)
}

// minute closes the bars of a minute.
func (c *Core) minute(t timer) int64 {
	c.bars.Minute(c.now)
	return t.at + minute
}

// price computes the prices of a second, and sets the price limits that follow from them.
func (c *Core) price(t timer) int64 {
	c.board.Update(c.now, inputs{c})
	for _, in := range c.cat.Live() {
		if in.Kind != catalog.Spread {
			c.bars.Value(c.now, in.ID, past.Mark, c.board.Mark(in.ID))
			c.bars.Value(c.now, in.ID, past.Index, c.board.IndexOf(in.ID))
			c.bars.Value(c.now, in.ID, past.Premium, c.board.Premium(in.ID))
		}
		if l, ok := c.board.Limits(in.ID); ok {
			c.books.list[in.ID].SetLimits(l.LowestSell, l.HighestBuy)
		}
	}
	return multiple(t.at+1, second)
}

// roll delivers what expires and lists what follows.
func (c *Core) roll(timer) int64 {
	delivered, listed := c.cat.Roll(c.now, c.underlying)
	for _, id := range delivered {
		c.tell(id, c.books.Book(id).Clear(engine.BySettlement))
		c.board.Delivered(id)
		c.bars.Delivered(id)
		c.flow.Delivered(id)
		c.feed.Delivered(c.now, id)
		c.books.list[id] = nil
	}
	for _, id := range listed {
		c.books.open(id)
		c.board.Listed(id, c.now)
		c.flow.Listed(id)
		c.feed.Listed(id)
	}
	c.wake()
	return c.cat.NextRoll(c.now)
}

// underlying is the price of a base coin in US dollars.
func (c *Core) underlying(coin string) fixed.F { return inputs{c}.Index(coin) }
