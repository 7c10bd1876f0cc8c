package realism

import (
	"fmt"
	"math"
	"slices"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
)

// Factor is how far a figure of the generated market may be from the recorded one.
const Factor = 1.5

const second = int64(1e9)

// The market that is compared begins at comparedStart, once with each of the seeds 1 to comparedSeeds.
const (
	comparedStart = 1_767_225_600 * second
	comparedSeeds = 5
)

// Row is a figure of both.
type Row struct {
	Name                string
	Recorded, Generated float64 // Generated: the median of the seeds; NaN if one of them has no such figure
	Least, Most         float64 // of the seeds
	Held                bool    // Generated must be within Factor of Recorded; otherwise Why not is said in Pair.Notes
}

// Within reports whether the figures are within Factor of one another. A NaN is not.
func (r *Row) Within() bool {
	return r.Generated <= r.Recorded*Factor && r.Recorded <= r.Generated*Factor
}

// Pair is a simulated instrument beside the recordings it is compared with.
type Pair struct {
	Instrument string
	Recordings []string // what they are, in words
	Notes      []string
	Rows       []Row
}

// figure is one that can be compared.
type figure struct {
	name string
	of   func(*Figures) float64
}

// The figures by name.
var figures = []figure{
	{"spread, median, ticks", func(f *Figures) float64 { return f.SpreadMedian }},
	{"spread, mean, ticks", func(f *Figures) float64 { return f.SpreadMean }},
	{levelsOnASide, func(f *Figures) float64 { return f.Levels }},
	{"distance of the last level, median, ticks", func(f *Figures) float64 { return f.Reach }},
	{"share of the first 50 ticks that hold a level", func(f *Figures) float64 { return f.Occupied }},
	{"value at the best level, median, USD", func(f *Figures) float64 { return f.TouchValue }},
	{levelValue, func(f *Figures) float64 { return f.LevelValue }},
	{"tail index of level sizes", func(f *Figures) float64 { return f.LevelTail }},
	{messagesASecond, func(f *Figures) float64 { return f.Pushes }},
	{changesASecond, func(f *Figures) float64 { return f.Changes }},
	{tradesASecond, func(f *Figures) float64 { return f.Trades }},
	{"taker orders a second", func(f *Figures) float64 { return f.Orders }},
	{tradeValue, func(f *Figures) float64 { return f.TradeValue }},
	{"tail index of trade sizes", func(f *Figures) float64 { return f.TradeTail }},
}

// Figures that are not held everywhere.
const (
	levelsOnASide   = "levels on a side, median"
	levelValue      = "value of a level, median, USD"
	messagesASecond = "messages with changes a second"
	changesASecond  = "changed levels a second"
	tradesASecond   = "trades a second"
	tradeValue      = "value of a trade, median, USD"
)

// rows compares the figures that the recordings have: the median of the recordings, if there are several, with the median of
// the generated markets. Those named in loose are shown, not held.
func rows(recorded, generated []Figures, loose ...string) []Row {
	var all []Row
	for _, f := range figures {
		r := Row{Name: f.name, Recorded: middle(recorded, f), Generated: middle(generated, f), Held: !slices.Contains(loose, f.name)}
		if math.IsNaN(r.Recorded) {
			continue
		}
		r.Least, r.Most = math.Inf(1), math.Inf(-1)
		for i := range generated {
			r.Least, r.Most = min(r.Least, f.of(&generated[i])), max(r.Most, f.of(&generated[i]))
		}
		all = append(all, r)
	}
	return all
}

// middle is the median of a figure, NaN if one of them is.
func middle(of []Figures, f figure) float64 {
	var x []float64
	for i := range of {
		v := f.of(&of[i])
		if math.IsNaN(v) {
			return v
		}
		x = append(x, v)
	}
	return median(x)
}

// window is how a generated market is watched.
type window struct {
	depth            int
	interval, length int64
}

// generate watches some instruments, each alone, with each seed.
func (at window) generate(symbols ...string) ([]Figures, error) {
	var all []Figures
	for _, symbol := range symbols {
		for seed := uint64(1); seed <= comparedSeeds; seed++ {
			cat, err := catalog.New(catalog.Config{Start: comparedStart, Only: []string{symbol}})
			if err != nil {
				return nil, err
			}
			live := cat.Live()
			if len(live) != 1 {
				return nil, fmt.Errorf("realism: %s names %d instruments", symbol, len(live))
			}
			w := flowtest.New(cat, seed)
			w.Run(comparedStart + 10*second)
			m, err := Watch(w, live[0], at.depth, at.interval, at.length)
			if err != nil {
				return nil, err
			}
			all = append(all, m.Figures())
		}
	}
	return all, nil
}
