package exchange

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
	"github.com/bywire/bywire/internal/wsserver"
)

// A Symbol names an instrument.
type Symbol struct {
	Category bybit.Category // "spread" for spreads
	Symbol   string
}

// ErrNoSymbol is in the error of a call that names an instrument that there is not.
var ErrNoSymbol = core.ErrNoInstrument

// command does a command on the loop.
func (x *Exchange) command(ctx context.Context, build func(c *core.Core) (core.Command, error)) error {
	var failed error
	err := x.do(ctx, func(c *core.Core) {
		command, err := build(c)
		if err == nil {
			_, err = c.Do(command)
		}
		failed = err
	})
	if err != nil {
		return err
	}
	return failed
}

// numbers finds the instruments of symbols.
func numbers(c *core.Core, symbols []Symbol) ([]catalog.ID, error) {
	ids := make([]catalog.ID, 0, len(symbols))
	for _, s := range symbols {
		in, ok := c.Catalog().Find(s.Category, s.Symbol)
		if !ok {
			return nil, fmt.Errorf("exchange: %s %s: %w", s.Category, s.Symbol, ErrNoSymbol)
		}
		ids = append(ids, in.ID)
	}
	return ids, nil
}

// Halt stops trading in the instruments named, or in all: orders can only be cancelled.
func (x *Exchange) Halt(ctx context.Context, symbols ...Symbol) error {
	return x.command(ctx, func(c *core.Core) (core.Command, error) {
		ids, err := numbers(c, symbols)
		return core.Halt{Instruments: ids}, err
	})
}

// Resume lets trading in the instruments named, or in all, go on.
func (x *Exchange) Resume(ctx context.Context, symbols ...Symbol) error {
	return x.command(ctx, func(c *core.Core) (core.Command, error) {
		ids, err := numbers(c, symbols)
		return core.Resume{Instruments: ids}, err
	})
}

// RestartBooks lets the published books of the instruments named, or of all, begin anew at u = 1, as after a restart of
// the venue's publishing service.
func (x *Exchange) RestartBooks(ctx context.Context, symbols ...Symbol) error {
	return x.command(ctx, func(c *core.Core) (core.Command, error) {
		ids, err := numbers(c, symbols)
		return core.Restart{Instruments: ids}, err
	})
}

// Regime changes how the generated market of a base coin behaves, or of all if coin is "": normal, calm, trend-up,
// trend-down, volatile, thin, gap, flash-crash, cascade. It lasts for so long, or if over is 0 until the next one or, of
// the last three, until it has run its course.
func (x *Exchange) Regime(ctx context.Context, coin, name string, over time.Duration) error {
	return x.command(ctx, func(*core.Core) (core.Command, error) {
		regime, ok := flow.ParseRegime(name)
		if !ok {
			return nil, fmt.Errorf("exchange: no regime is called %.40q; there are %v", name, flow.Regimes())
		}
		return core.Regime{Coin: coin, Regime: regime, Over: int64(over)}, nil
	})
}

// Shock moves the latent price of a base coin, or of all if coin is "", by so many percent (5 is up by 5 %), evenly over a
// time of at most two years; 0 is at once.
func (x *Exchange) Shock(ctx context.Context, coin string, percent decimal.Decimal, over time.Duration) error {
	return x.command(ctx, func(*core.Core) (core.Command, error) {
		p, ok := fixed.FromDecimal(percent)
		if !ok {
			return nil, fmt.Errorf("exchange: a shock by %v percent", percent)
		}
		return core.Shock{Coin: coin, Percent: p, Over: int64(over)}, nil
	})
}

// Symbols lists the instruments that there are now: by category, and in each as they were listed.
func (x *Exchange) Symbols(ctx context.Context) (symbols []Symbol, err error) {
	err = x.do(ctx, func(c *core.Core) {
		for _, category := range []bybit.Category{bybit.Linear, bybit.Spot, bybit.Inverse, bybit.Option, bybit.Spread} {
			for _, in := range c.Catalog().All(category) {
				symbols = append(symbols, Symbol{in.Category, in.Symbol})
			}
		}
	})
	return symbols, err
}

// Skipped says of which instruments of Config.Catalog nothing is simulated, and why; a text each.
func (x *Exchange) Skipped() []string { return x.skipped }

// State is what an exchange is like at a moment.
type State struct {
	Time     time.Time // of the exchange
	Seed     uint64
	Hash     [32]byte // equal hashes: equal states
	Commands uint64   // from outside, so far
	Counts   Counts   // of everybody, so far
	Clock    Mode
	Speed    float64 // of a Scaled clock
	Paused   bool
	Quantum  time.Duration // see Config
	Silence  time.Duration
	Sessions int // open connections
	Journal  error
}

// Counts are how much has happened.
type Counts = core.Counts

// State returns the state of the moment.
func (x *Exchange) State(ctx context.Context) (*State, error) {
	var s *State
	var l look
	err := x.do(ctx, func(c *core.Core) {
		s = &State{
			Time: time.Unix(0, c.Now()).UTC(), Seed: c.Seed(), Commands: c.Commands(), Counts: c.Counts(),
			Clock: x.clock.mode, Speed: x.clock.speed, Paused: x.clock.paused, Journal: x.journal.err,
		}
		l = x.look(c, 0)
	})
	if err != nil {
		return nil, err
	}
	s.Hash = x.looked.keep(l).hash
	s.Quantum, s.Silence = time.Duration(x.pace.quantum.Load()), time.Duration(x.pace.silence.Load())
	s.Sessions = x.ws.Sessions()
	return s, nil
}

// Snapshot returns the whole state of the market, for Restore in an exchange with the same Seed, Start, Quiet, Symbols
// and Catalog.
func (x *Exchange) Snapshot(ctx context.Context) ([]byte, error) {
	var snapshot []byte
	err := x.do(ctx, func(c *core.Core) { snapshot = c.Snapshot() })
	return snapshot, err
}

// Restore makes the market what it was when the snapshot was taken, its time and its hash included. Whoever is connected
// stays so, is sent everything once more, and sees the books begin anew at u = 1. After an error nothing has changed.
func (x *Exchange) Restore(ctx context.Context, snapshot []byte) error {
	return x.restore(ctx, snapshot, "restore")
}

// Reset begins the run anew, at Config.Start.
func (x *Exchange) Reset(ctx context.Context) error {
	h := x.header()
	first, err := core.New(h.config()) // nobody hears of what it does
	if err != nil {
		return err
	}
	first.Advance(first.Now()) // as New does
	return x.restore(ctx, first.Snapshot(), "reset")
}

// restore makes the market that of a snapshot. What takes long is done before the loop is asked.
func (x *Exchange) restore(ctx context.Context, snapshot []byte, by string) error {
	fresh, err := x.newCore(snapshot)
	if err != nil {
		return err
	}
	h := x.header()
	h.State = snapshot
	line, err := x.journal.encode(h)
	if err != nil {
		return err
	}
	return x.do(ctx, func(c *core.Core) {
		c.Become(fresh)
		x.runs++
		x.interrupt(by)
		x.renumber(c)
		x.journal.append(line)
		x.faults.clear(c.Now() - x.now.Load())
		x.now.Store(c.Now())
		x.clock.start(c.Now())
		x.ends = 0
		// Choice: what an account had is not what it has now, and only a new connection will not mix the two.
		x.ws.Each(func(s *wsserver.Session) {
			if !s.Channel().IsPublic() {
				s.Close(wsserver.CloseRestart, "restored")
			}
		})
		// Whoever is connected has seen another run: it is told everything once more, and the run itself knows nothing of it.
		c.Republish()
	})
}

// renumber finds the topics in a market that has become another one: they have other numbers. Who is subscribed to one that is
// not listed now hears of it when it is.
func (x *Exchange) renumber(c *core.Core) {
	before := slices.AppendSeq(x.topics, maps.Values(x.lost))
	x.topics, x.lost = nil, nil
	for _, t := range before {
		if t == nil {
			continue
		}
		if topic, ok := c.Feed().Topic(t.Channel(), t.Name()); ok {
			x.publishes(topic.N, t)
		} else if t.Wanted() {
			if x.lost == nil {
				x.lost = map[topicName]*wsserver.Topic{}
			}
			x.lost[topicName{t.Channel(), t.Name()}] = t
		}
	}
}

// publishes notes where the frames of a topic go.
func (x *Exchange) publishes(n int, t *wsserver.Topic) {
	for len(x.topics) <= n {
		x.topics = append(x.topics, nil)
	}
	x.topics[n] = t
	delete(x.lost, topicName{t.Channel(), t.Name()})
}
