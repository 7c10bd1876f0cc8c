package catalog

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Never is a time that does not come.
const Never int64 = math.MaxInt64

// Config says which of the default instruments a catalogue has. The zero value is all of them, listed in 1970.
type Config struct {
	// Start is the time at which the exchange starts: which contracts are listed then follows from the calendar.
	Start int64

	// Only names the instruments to keep: a symbol (BTCUSDT), a category (option), both (linear:BTCUSDT), or either with
	// a * for any end (option:ETH-*). A spread is kept if its legs are. Default: all.
	Only []string
}

// Catalog is the list of instruments. It is not safe for concurrent use.
type Catalog struct {
	start  int64
	only   []string
	assets []Asset

	byID    []*Instrument // nil: delivered long ago
	origins []origin      // by ID: what an instrument was made of
	past    []*Instrument // delivered in the last keep, oldest first

	// Derived.
	stables []fixed.F
	live    []*Instrument
	lists   [5][]*Instrument // live, by Kind's category
	names   map[name]*Instrument
}

type name struct {
	category bybit.Category
	symbol   string
}

// keep is how long a delivered contract is remembered, for /v5/market/delivery-price.
const keep = 31 * Day

// Default returns all default instruments.
func Default(start int64) *Catalog {
	c, err := New(Config{Start: start})
	if err != nil {
		panic(err) // without Only there is nothing to be wrong
	}
	return c
}

// New returns a catalogue of the default instruments. An error says which part of Only names none of them.
func New(cfg Config) (*Catalog, error) {
	c := &Catalog{start: cfg.Start}
	for i := range assetRows {
		c.assets = append(c.assets, assetRows[i].asset())
	}
	c.prepare()
	for i := range spotRows {
		c.offer(origin{from: fromSpot, row: i})
	}
	for i := range perpetualRows {
		c.offer(origin{from: fromPerpetual, row: i, listed: c.launched(nanos(day(perpetualRows[i].launched)))})
	}
	c.roll(cfg.Start, func(coin string) fixed.F {
		a, _ := c.Asset(coin)
		return a.Start
	}, true)
	if len(cfg.Only) == 0 {
		return c, nil
	}
	return c.Select(cfg.Only)
}

// seasoned is how long what is there at the start has been listed at least.
const seasoned = 180 * Day

// launched returns when something was listed that is there at the start. Choice: an exchange that starts before the launch of
// its instruments has them all the same, listed half a year before.
func (c *Catalog) launched(at int64) int64 {
	if at <= c.start {
		return at
	}
	return max(fixed.Floor(c.start, Day)-seasoned, 0)
}

// Select returns a catalogue with those instruments only that patterns as those of Config.Only name; all of them if there are
// none. It is to be called before the exchange starts, after Load, so that the patterns may name what a file adds and what it
// takes over may be left out. An error says which pattern names nothing.
func (c *Catalog) Select(only []string) (*Catalog, error) {
	s := &Catalog{start: c.start, only: slices.Clone(only), assets: slices.Clone(c.assets)}
	s.prepare()
	places := make([]ID, len(c.byID))
	for i, in := range c.byID {
		places[i] = None
		if in == nil || c.origins[i].over || !s.wanted(in.Category, in.Symbol) {
			continue
		}
		o := c.origins[i]
		if o.from == fromSpread {
			if o.legs = [2]ID{places[o.legs[0]], places[o.legs[1]]}; o.legs[0] == None || o.legs[1] == None {
				continue
			}
		}
		again, err := s.make(&o)
		if err != nil {
			return nil, fmt.Errorf("catalog: %s %s: %w", in.Category, in.Symbol, err)
		}
		if o.from == fromFile {
			s.setTiers(again)
		}
		places[i] = s.add(again, o)
	}
	for _, pattern := range only {
		if !slices.ContainsFunc(s.live, func(in *Instrument) bool { return matches(pattern, in.Category, in.Symbol) }) {
			return nil, fmt.Errorf("catalog: %q names no instrument", pattern)
		}
	}
	return s, nil
}

// prepare makes what is derived and does not change.
func (c *Catalog) prepare() {
	c.stables = c.stables[:0]
	for _, s := range stables {
		c.stables = append(c.stables, number(s.usd))
	}
	c.names = make(map[name]*Instrument)
}

// matches reports whether a pattern of Config.Only names an instrument.
func matches(pattern string, category bybit.Category, symbol string) bool {
	glob := func(pattern, s string) bool {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
			return strings.HasPrefix(s, prefix)
		}
		return pattern == s
	}
	if of, rest, ok := strings.Cut(pattern, ":"); ok {
		return glob(of, string(category)) && glob(rest, symbol)
	}
	return glob(pattern, string(category)) || glob(pattern, symbol)
}

// wanted reports whether Config.Only lets an instrument in.
func (c *Catalog) wanted(category bybit.Category, symbol string) bool {
	return len(c.only) == 0 || category == bybit.Spread ||
		slices.ContainsFunc(c.only, func(p string) bool { return matches(p, category, symbol) })
}

// offer lists what an origin makes, unless it is not wanted or there already. It returns None if it did not.
func (c *Catalog) offer(o origin) ID {
	in, err := c.make(&o)
	if err != nil {
		panic("catalog: of its own table: " + err.Error())
	}
	if !c.wanted(in.Category, in.Symbol) || c.names[name{in.Category, in.Symbol}] != nil {
		return None
	}
	return c.add(in, o)
}

// add gives an instrument its number and lists it.
func (c *Catalog) add(in *Instrument, o origin) ID {
	in.ID = ID(len(c.byID))
	c.complete(in)
	c.byID = append(c.byID, in)
	c.origins = append(c.origins, o)
	c.index(in)
	return in.ID
}

// impact is the value whose execution impact prices take, in US dollars, by liquidity class. Choice: the venue's impact
// notional per contract is not public any more.
var impact = [...]int64{0, 200000, 60000, 20000, 10000, 5000}

// complete fills in what depends on the number and the coin.
func (c *Catalog) complete(in *Instrument) {
	if in.Info.SymbolID == 0 && in.Kind != Spread {
		in.Info.SymbolID = int64(in.ID) + 1 // choice: unique in the whole catalogue
	}
	a, ok := c.Asset(in.Base)
	if !ok {
		return
	}
	if in.Info.FullName == "" && (in.Kind == Perpetual || in.Kind == Future) {
		in.Info.FullName = a.Name
	}
	in.ImpactValue = impact[min(int(a.Liquidity), len(impact)-1)]
	if in.Turnover == 0 {
		in.Turnover = a.Turnover
		if in.Kind == Perpetual || in.Kind == Future {
			in.OpenValue = a.Turnover / 2
		}
	}
}

// index puts a live instrument into the lists.
func (c *Catalog) index(in *Instrument) {
	c.live = append(c.live, in)
	i := categoryIndex(in.Category)
	c.lists[i] = append(c.lists[i], in)
	c.names[name{in.Category, in.Symbol}] = in
}

// reindex makes the lists anew.
func (c *Catalog) reindex() {
	c.live = c.live[:0]
	for i := range c.lists {
		c.lists[i] = c.lists[i][:0]
	}
	clear(c.names)
	for id, in := range c.byID {
		if !c.origins[id].over {
			c.index(in)
		}
	}
}

func categoryIndex(category bybit.Category) int {
	switch category {
	case bybit.Spot:
		return 0
	case bybit.Linear:
		return 1
	case bybit.Inverse:
		return 2
	case bybit.Option:
		return 3
	case bybit.Spread:
		return 4
	}
	return -1
}

// Start returns the time at which the exchange starts.
func (c *Catalog) Start() int64 { return c.start }

// Len returns how many numbers were given: IDs are below it.
func (c *Catalog) Len() int { return len(c.byID) }

// At returns an instrument by its number; nil if there is none, or it was delivered more than 31 days ago.
func (c *Catalog) At(id ID) *Instrument {
	if id < 0 || int(id) >= len(c.byID) {
		return nil
	}
	return c.byID[id]
}

// Find returns a listed instrument by its name.
func (c *Catalog) Find(category bybit.Category, symbol string) (*Instrument, bool) {
	in := c.names[name{category, symbol}]
	return in, in != nil
}

// All returns the listed instruments of a category in the order in which they were listed; nil for an unknown category.
// The slice is the catalogue's and valid until the next Roll or Load.
func (c *Catalog) All(category bybit.Category) []*Instrument {
	i := categoryIndex(category)
	if i < 0 {
		return nil
	}
	return c.lists[i]
}

// Live returns all listed instruments by number. The slice is the catalogue's and valid until the next Roll or Load.
func (c *Catalog) Live() []*Instrument { return c.live }

// Delivered returns the contracts delivered in the last 31 days, the oldest first. The slice is the catalogue's.
func (c *Catalog) Delivered() []*Instrument { return c.past }
