//go:build !race

package core

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/api"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/exchange/internal/flow"
	"github.com/bywire/bywire/internal/wire"
)

var hour = flag.Bool("hour", false, "compare runs of a virtual hour and not of a minute and a half")

// Under the race detector this would take minutes and find nothing: the core has no second goroutine.

// recorder hashes the stream of each topic while it is published.
type recorder struct{ topics []tape }

type tape struct {
	name   string
	frames int
	sum    uint64
}

func (*recorder) Wanted(*feed.Topic) bool { return true }

func (r *recorder) Publish(t *feed.Topic, frame []byte, replacing bool) {
	for len(r.topics) <= t.N {
		r.topics = append(r.topics, tape{})
	}
	p := &r.topics[t.N]
	p.name = string(t.Channel) + " " + t.Name
	p.frames++
	h := fnv.New64a()
	fmt.Fprintf(h, "%x %v %d ", p.sum, replacing, len(frame))
	h.Write(frame)
	p.sum = h.Sum64()
}

// tapes returns the topics that had frames, by name.
func (r *recorder) tapes() []tape {
	tapes := slices.DeleteFunc(slices.Clone(r.topics), func(t tape) bool { return t.frames == 0 })
	slices.SortFunc(tapes, func(a, b tape) int { return strings.Compare(a.name, b.name) })
	return tapes
}

// digest is one number for all streams.
func (r *recorder) digest() string {
	h := sha256.New()
	for _, t := range r.tapes() {
		fmt.Fprintln(h, t.name, t.frames, t.sum)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// goldenRun is all instruments from shortly before contracts are delivered, others listed and fundings settled, with commands
// of each kind from outside.
func goldenRun(t testing.TB, sink feed.Sink) *Core {
	t.Helper()
	from, span := start+8*60*minute-45*second, 90*second
	if *hour {
		from, span = start+7*60*minute+30*minute, 60*minute
	}
	c := mustNew(t, Config{Seed: 20260101, Start: from, Sink: sink})
	c.Advance(from)
	happenings(t, c)
	script(c, 7, 200, second/4)
	c.Advance(from + span)
	return c
}

// happenings are what the market has of itself seldom or never: a cascade of liquidations, a maintenance, a block trade, and
// trades of options and spreads.
func happenings(t testing.TB, c *Core) {
	t.Helper()
	do := func(command Command) {
		t.Helper()
		if _, err := c.Do(command); err != nil {
			t.Fatalf("%+v: %v", command, err)
		}
	}
	do(Regime{Regime: flow.Cascade})
	do(Maintain{feed.Notice{Title: "upgrade", State: "scheduled", Begin: c.Now() + minute, End: c.Now() + 60*minute, ServiceTypes: []int64{1}, Products: []int64{1}}})
	var legs []feed.BlockLeg
	for _, category := range []bybit.Category{bybit.Linear, bybit.Option} {
		in := c.Catalog().All(category)[0]
		legs = append(legs, feed.BlockLeg{ID: in.ID, Price: in.TicksOf(c.Board().Mark(in.ID)), Lots: in.MinQty})
	}
	do(Block{Strategy: "custom", Legs: legs})
	for _, category := range []bybit.Category{bybit.Option, bybit.Spread} {
		traded := 0
		for _, in := range c.Catalog().All(category) {
			if _, _, ok := c.Book(in.ID).Best(engine.Sell); ok && traded < 3 {
				do(Place{Instrument: in.ID, Order: engine.Order{Account: 1000, Side: engine.Buy, Market: true, Qty: in.MinQty}})
				traded++
			}
		}
	}
}

// Two runs of one seed give the same bytes on every topic and the same state; and the state does not depend on who
// listens.
func TestTwoRunsAreOne(t *testing.T) {
	first, second := &recorder{}, &recorder{}
	a, b := goldenRun(t, first), goldenRun(t, second)
	quiet := goldenRun(t, nil)
	if a.Hash() != b.Hash() {
		t.Error("two runs led to different states")
	}
	if a.Hash() != quiet.Hash() {
		t.Error("a run that nobody listened to led to another state")
	}
	x, y := first.tapes(), second.tapes()
	if len(x) != len(y) {
		t.Fatalf("%d topics in one run, %d in the other", len(x), len(y))
	}
	for i := range x {
		if x[i] != y[i] {
			t.Errorf("%+v in one run, %+v in the other", x[i], y[i])
		}
	}
	frames := 0
	sorts := map[api.Sort]int{}
	for _, p := range x {
		frames += p.frames
		channel, topic, _ := strings.Cut(p.name, " ")
		sorts[api.SortOf(wire.Channel(channel), topic)] += p.frames
	}
	t.Logf("%d topics, %d frames, %v", len(x), frames, sorts)
	for _, sort := range api.Sorts() {
		if sorts[sort] == 0 {
			t.Errorf("no frame of %v", sort)
		}
		delete(sorts, sort)
	}
	for sort := range sorts {
		t.Errorf("the table of docs/fidelity.md does not have %v", sort)
	}
}
