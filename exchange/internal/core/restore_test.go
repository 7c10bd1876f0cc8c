package core

import (
	"errors"
	"slices"
	"testing"

	"github.com/bywire/bywire/exchange/internal/catalog"
)

// A restore and a beginning anew lead back to the state that was, also for an audience that is told everything once
// more, and no book that REST shows is empty afterwards. The same goes for a restart of the books, which is a command.
func TestNoMomentWithoutBooks(t *testing.T) {
	fresh := func() *Core {
		c := mustNew(t, Config{Seed: 5, Only: []string{"spot:BTCUSDT", "linear:BTCUSDT", "option:BTC-*"}, Sink: &all{}})
		c.Advance(start)
		return c
	}
	books := func(what string, c *Core, u int64) {
		t.Helper()
		for _, in := range c.Catalog().Live() {
			b, ok := c.Feed().Book(in.ID)
			if !ok || u > 0 && b.U != u {
				t.Errorf("%s: the book of %s: %v, u %d", what, in.Symbol, ok, b.U)
			}
			if in.Kind != catalog.Option && (len(b.Bids) == 0 || len(b.Asks) == 0) {
				t.Errorf("%s: the book of %s has %d bids and %d asks", what, in.Symbol, len(b.Bids), len(b.Asks))
			}
		}
	}
	check := func(c *Core) {
		t.Helper()
		if compared, topics, broken := c.Feed().Check(); len(broken) > 0 || c.Now() > start && compared != topics {
			t.Errorf("%d books of %d compared: %v", compared, topics, broken)
		}
	}
	c := fresh()
	first := c.Snapshot()
	books("the start", c, 1)
	c.Advance(start + 3*second)
	later, hash := c.Snapshot(), c.Hash()
	c.Advance(start + 5*second)
	after := c.Hash()

	for range 2 { // the second time books have begun anew before
		if err := c.Restore(later); err != nil {
			t.Fatal(err)
		}
		c.Republish()
		if c.Hash() != hash || c.Commands() != 0 {
			t.Error("a restore leads to another state than the snapshot's")
		}
		books("restore", c, 1)
		c.Advance(start + 5*second)
		if c.Hash() != after {
			t.Error("a restored run goes on to another state")
		}
		check(c)
		c.Republish()
	}

	if err := c.Restore(first); err != nil {
		t.Fatal(err)
	}
	c.Republish()
	books("reset", c, 1)
	check(c)
	again := fresh()
	c.Advance(start + 2*second)
	again.Advance(start + 2*second)
	if c.Hash() != again.Hash() {
		t.Error("a run that was begun anew leads to another state than a new one")
	}

	mustDo(t, c, Restart{})
	books("restart", c, 1)
	if c.Hash() == again.Hash() {
		t.Error("a restart is in the journal and not in the state")
	}
}

// Timers that a run does not have are refused: one that is missing, there twice, of no class, or in the past.
func TestTimersOfASnapshot(t *testing.T) {
	for what, spoil := range map[string]func(q *timers){
		"none":        func(q *timers) { *q = nil },
		"one missing": func(q *timers) { *q = (*q)[:len(*q)-1] },
		"twice":       func(q *timers) { q.push(timer{at: (*q)[0].at + 1, kind: (*q)[0].kind, n: (*q)[0].n}) },
		"no class": func(q *timers) {
			i := slices.IndexFunc(*q, func(t timer) bool { return t.kind == pushTimer })
			(*q)[i].n = int32(len(classes))
		},
		"the past": func(q *timers) { (*q)[0].at = start - 1 },
	} {
		c := mustNew(t, Config{Only: []string{"linear:BTCUSDT"}, Quiet: true})
		good := mustNew(t, Config{Only: []string{"linear:BTCUSDT"}, Quiet: true})
		if err := good.Restore(c.Snapshot()); err != nil {
			t.Fatal(err)
		}
		spoil(&c.queue)
		if err := good.Restore(c.Snapshot()); !errors.Is(err, errTimers) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
