//go:build !race

package core

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
)

// notState are the fields that may differ between a core and one that was restored from its snapshot, by their type.
// Everything else that a core holds is to be the same: what is left out of a Walk leads to another run, if only later.
var notState = map[string]string{
	"core.Core.queue":  "a heap: its order within depends on its history, and its hash does not",
	"core.Core.levels": "of one call",
	"core.Core.size":   "saves work",

	"engine.Book.orders": "where an order lies in memory depends on the history; the hash has all of them, by queue",
	"engine.Book.free":   "see orders",
	"engine.Book.index":  "finds orders by id",
	"engine.Book.events": "of one call",
	"engine.Book.now":    "of one call",
	"engine.side.levels": "see orders",
	"engine.side.free":   "see orders",
	"engine.side.best":   "see orders",
	"engine.side.tree":   "finds levels by price",
	"engine.side.recent": "finds levels by price",

	"flow.desk.order":  "of one call",
	"flow.blocks.legs": "of one call",
	"flow.blocks.bad":  "of one call",
	"flow.maker.limit": "computed at each wake",

	"past.Past.of":       "made when it is asked for",
	"past.Past.paths":    "made when it is asked for",
	"past.track.joints":  "made when it is asked for",
	"past.track.window":  "made when it is asked for",
	"past.track.squares": "made when it is asked for",

	"feed.Topic.N":            "topics are numbered anew, for whoever listens",
	"feed.Feed.numbers":       "the same",
	"feed.Feed.dirty":         "what is looked at without need costs time and nothing else",
	"feed.Feed.nextRepeat":    "the same",
	"feed.depth.seen":         "the same",
	"feed.market.mirrors":     "the book once more",
	"feed.Feed.trading":       "of one call",
	"feed.Feed.liquidated":    "of one call",
	"feed.Feed.levels":        "of one call",
	"feed.Feed.rungs":         "of one call",
	"feed.Feed.shown":         "of one call",
	"feed.Feed.frame":         "of one call",
	"feed.Feed.ids":           "of one call",
	"feed.Feed.book":          "of one call",
	"feed.Feed.tradesMessage": "of one call",
	"feed.Feed.ticker":        "of one call",
	"feed.Feed.before":        "of one call",
	"feed.Feed.klines":        "of one call",
	"feed.Feed.liquidations":  "of one call",
	"feed.Feed.insurance":     "of one call",
	"feed.Feed.adl":           "of one call",
	"feed.Feed.limits":        "of one call",
}

// difference looks for what differs between two values, however deep.
type difference struct {
	seen  map[[2]uintptr]bool
	found map[string]string // by path without indexes: the first
	met   map[string]bool   // of notState
}

var indexes = regexp.MustCompile(`\[[^\]]*\]`)

func (d *difference) say(path, format string, args ...any) {
	field := indexes.ReplaceAllString(path, "[]")
	if _, ok := d.found[field]; !ok {
		d.found[field] = path + ": " + fmt.Sprintf(format, args...)
	}
}

func (d *difference) walk(a, b reflect.Value, path string) {
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				d.say(path, "nil: %v and %v", a.IsNil(), b.IsNil())
			}
			return
		}
		if a.Kind() == reflect.Pointer {
			pair := [2]uintptr{a.Pointer(), b.Pointer()}
			if d.seen[pair] || pair[0] == pair[1] {
				return
			}
			d.seen[pair] = true
		} else if a.Elem().Type() != b.Elem().Type() {
			d.say(path, "%v and %v", a.Elem().Type(), b.Elem().Type())
			return
		}
		d.walk(a.Elem(), b.Elem(), path)
	case reflect.Struct:
		for i := range a.NumField() {
			name := a.Type().Field(i).Name
			if field := a.Type().String() + "." + name; notState[field] != "" {
				d.met[field] = true
				continue
			}
			d.walk(a.Field(i), b.Field(i), path+"."+name)
		}
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			d.say(path, "%d and %d elements", a.Len(), b.Len())
			return
		}
		for i := range a.Len() {
			d.walk(a.Index(i), b.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Map:
		if a.Len() != b.Len() {
			d.say(path, "%d and %d keys", a.Len(), b.Len())
			return
		}
		for _, k := range a.MapKeys() {
			if v := b.MapIndex(k); v.IsValid() {
				d.walk(a.MapIndex(k), v, fmt.Sprintf("%s[%v]", path, k))
			} else {
				d.say(path, "only one has the key %v", k)
			}
		}
	case reflect.Func: // of the configuration
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if a.Int() != b.Int() {
			d.say(path, "%d and %d", a.Int(), b.Int())
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if a.Uint() != b.Uint() {
			d.say(path, "%d and %d", a.Uint(), b.Uint())
		}
	case reflect.Bool:
		if a.Bool() != b.Bool() {
			d.say(path, "%v and %v", a.Bool(), b.Bool())
		}
	case reflect.String:
		if a.String() != b.String() {
			d.say(path, "%q and %q", a.String(), b.String())
		}
	default:
		d.say(path, "a %v, which is not compared", a.Kind())
	}
}

// same fails if two cores differ in more than notState.
func same(t *testing.T, when string, a, b *Core) {
	t.Helper()
	d := &difference{make(map[[2]uintptr]bool), make(map[string]string), make(map[string]bool)}
	d.walk(reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem(), "core")
	for _, field := range slices.Sorted(maps.Keys(d.found)) {
		t.Errorf("%s: %s differs: %s", when, field, d.found[field])
	}
	for field := range notState {
		if !d.met[field] {
			t.Errorf("%s: there is no %s", when, field)
		}
	}
}

// stir does what can be done to a run from outside, by the number of the step.
func stir(t *testing.T, c *Core, step int) {
	t.Helper()
	regimes := flow.Regimes()
	if step%3 == 0 {
		mustDo(t, c, Regime{Coin: []string{"BTC", "", "SOL"}[step/3%3], Regime: regimes[step/3%len(regimes)]})
	}
	switch step % 6 {
	case 1:
		mustDo(t, c, Shock{Coin: "SOL", Percent: fixed.FromInt(int64(step%7 - 3)), Over: 20 * second})
	case 2:
		mustDo(t, c, Halt{})
	case 3:
		mustDo(t, c, Resume{})
	case 4:
		mustDo(t, c, Restart{})
	}
	for i, in := range c.Catalog().Live() {
		price, _, ok := c.Book(in.ID).Best(engine.Sell)
		if i%3 != step%3 || !ok {
			continue
		}
		for _, o := range []engine.Order{
			{Account: 1001, Side: engine.Buy, Price: price, Qty: 5 * in.MinQty, Prevent: engine.CancelMaker},
			{Account: 1001, Side: engine.Buy, Price: price - 20, Qty: 3 * in.MinQty, TIF: engine.RPI},
			{Account: 1002, Side: engine.Buy, Market: true, Qty: 2 * in.MinQty, Tag: engine.TagLiquidation},
		} {
			mustDo(t, c, Place{Instrument: in.ID, Order: o})
		}
	}
}

// A restored core has all that the core of its snapshot has, when it is restored and after it has gone on: field by field,
// for a hash says nothing of what the state forgets. Contracts are delivered, others listed and fundings settled meanwhile.
func TestRestoredCoreIsTheSame(t *testing.T) {
	only, steps, step := []string{"spot:BTCUSDT", "linear:BTC*", "inverse:BTC*", "linear:SOLUSDT", "spot:SOLUSDT", "spread:SOL*", "option:BTC-27MAR26-8*"}, 12, 40*second
	if *hour {
		only, steps, step = nil, 12, 5*minute
	}
	delivery := time.Date(2026, 3, 27, 8, 0, 0, 0, time.UTC).UnixNano()
	cfg := Config{Seed: 9, Start: delivery - int64(steps)*step*2/3, Only: only}
	a := mustNew(t, cfg)
	first := a.Catalog().Len()
	a.Advance(cfg.Start + 7*second)
	restored := func() *Core {
		c := mustNew(t, cfg)
		if err := c.Restore(a.Snapshot()); err != nil {
			t.Fatal(err)
		}
		return c
	}
	b := restored()
	same(t, "at the start", a, b)
	for i := range steps {
		for _, c := range []*Core{a, b} {
			stir(t, c, i)
			c.Advance(cfg.Start + int64(i+1)*step + int64(i%11)*777_777_777)
		}
		if a.Hash() != b.Hash() {
			t.Fatalf("step %d: the states differ", i)
		}
		same(t, fmt.Sprintf("step %d, gone on", i), a, b)
		c := restored()
		same(t, fmt.Sprintf("step %d, restored", i), a, c)
		if i%2 == 1 {
			b = c
		}
		if t.Failed() {
			return
		}
	}
	kinds := 0
	for _, in := range a.Catalog().Live() {
		kinds |= 1 << in.Kind
	}
	if a.Catalog().Len() == first || kinds < 1<<5-1 || a.Counts().Traded < 1000 {
		t.Errorf("%d instruments of %d, kinds %b, %d trades: not much has happened", a.Catalog().Len(), first, kinds, a.Counts().Traded)
	}
}
