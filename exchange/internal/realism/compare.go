package realism

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
)

// Factor is how far a figure of the generated market may be from the recorded one.
const Factor = 1.5

const second = int64(1e9)

// Start and seed of the market that is compared.
const (
	comparedStart = 1_767_225_600 * second
	comparedSeed  = 1
)

// Row is a figure of both.
type Row struct {
	Name                string
	Recorded, Generated float64
	Held                bool // Generated must be within Factor of Recorded; otherwise Why not is said in Pair.Notes
}

// Within reports whether the figures are within Factor of one another.
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
	{"levels on a side, median", func(f *Figures) float64 { return f.Levels }},
	{"distance of the last level, median, ticks", func(f *Figures) float64 { return f.Reach }},
	{"share of the first 50 ticks that hold a level", func(f *Figures) float64 { return f.Occupied }},
	{"value at the best level, median, USD", func(f *Figures) float64 { return f.TouchValue }},
	{"value of a level, median, USD", func(f *Figures) float64 { return f.LevelValue }},
	{"tail index of level sizes", func(f *Figures) float64 { return f.LevelTail }},
	{"messages with changes a second", func(f *Figures) float64 { return f.Pushes }},
	{"changed levels a second", func(f *Figures) float64 { return f.Changes }},
	{"trades a second", func(f *Figures) float64 { return f.Trades }},
	{"taker orders a second", func(f *Figures) float64 { return f.Orders }},
	{"value of a trade, median, USD", func(f *Figures) float64 { return f.TradeValue }},
	{"tail index of trade sizes", func(f *Figures) float64 { return f.TradeTail }},
}

// rows compares the figures that both have. Those named in loose are shown, not held.
func rows(recorded, generated Figures, loose ...string) []Row {
	var all []Row
	for _, f := range figures {
		r := Row{Name: f.name, Recorded: f.of(&recorded), Generated: f.of(&generated), Held: true}
		if math.IsNaN(r.Recorded) || math.IsNaN(r.Generated) {
			continue
		}
		for _, name := range loose {
			if name == f.name {
				r.Held = false
			}
		}
		all = append(all, r)
	}
	return all
}

// generate watches one instrument alone.
func generate(symbol string, depth int, interval, length int64) (Figures, error) {
	cat, err := catalog.New(catalog.Config{Start: comparedStart, Only: []string{symbol}})
	if err != nil {
		return Figures{}, err
	}
	live := cat.Live()
	if len(live) != 1 {
		return Figures{}, fmt.Errorf("realism: %s names %d instruments", symbol, len(live))
	}
	w := flowtest.New(cat, comparedSeed)
	w.Run(comparedStart + 10*second)
	m, err := Watch(w, live[0], depth, interval, length)
	if err != nil {
		return Figures{}, err
	}
	return m.Figures(), nil
}

// Compare measures the recordings in a folder (testdata/real of the shared folder) and the generated market. The last
// pair's figures of returns stand in Returns.
func Compare(dir string) ([]Pair, Returns, error) {
	var pairs []Pair
	for _, compare := range []func(string) (Pair, error){compareXRP, compareSpot} {
		p, err := compare(dir)
		if err != nil {
			return nil, Returns{}, err
		}
		pairs = append(pairs, p)
	}
	inverse, returns, err := compareInverse(dir)
	if err != nil {
		return nil, Returns{}, err
	}
	return append(pairs, inverse), returns, nil
}

func compareXRP(dir string) (Pair, error) {
	recorded := Meter{Tick: 0.0001}
	if err := bookStream(&recorded, filepath.Join(dir, "ws_v5", "linear_orderbook500_XRPUSDT_20241201.jsonl.gz")); err != nil {
		return Pair{}, err
	}
	generated, err := generate("linear:XRPUSDT", 500, second/10, 120*second)
	return Pair{
		Instrument: "linear XRPUSDT",
		Recordings: []string{"`orderbook.500.XRPUSDT` of 1 December 2024, 4.8 seconds, a message each 100 ms, price 1.953, tick 0.0001"},
		Notes: []string{
			"The price is nearly that of the simulated symbol (1.87), the tick is the same. It stands for all books whose tick is wide: XRP, DOGE and SOL.",
			"Those seconds are of a busy time. The rate of changes is reproduced on this symbol alone; its neighbours change as their turnover lets expect.",
			"The generated book is measured at 500 levels each 100 ms for two minutes.",
		},
		Rows: rows(recorded.Figures(), generated),
	}, err
}

func compareSpot(dir string) (Pair, error) {
	recorded, stream := Meter{Tick: 0.1}, Meter{Tick: 0.1}
	if err := bookPolls(&recorded, filepath.Join(dir, "capture_rest", "spot_orderbook50_BTCUSDT_20260304_0822-0835.jsonl.gz")); err != nil {
		return Pair{}, err
	}
	if err := tradePolls(&recorded, filepath.Join(dir, "capture_rest", "spot_recent-trade_BTCUSDT_20260304_0822-0835.jsonl.gz")); err != nil {
		return Pair{}, err
	}
	if err := bookStream(&stream, filepath.Join(dir, "ws_v5", "spot_orderbook50_BTCUSDT_20260824.jsonl")); err != nil {
		return Pair{}, err
	}
	of := recorded.Figures()
	rate := stream.Figures()
	of.Pushes, of.Changes = rate.Pushes, rate.Changes
	generated, err := generate("spot:BTCUSDT", 50, second/50, 600*second)
	return Pair{
		Instrument: "spot BTCUSDT",
		Recordings: []string{
			"40 polls of 50 levels on 4 March 2026, 08:22 to 08:34 UTC, price 69,184, tick 0.1: spread, levels, sizes",
			"1,904 trades of the same twelve minutes, with gaps between the polls: rates are over the time that the polls cover",
			"`orderbook.50.BTCUSDT` of 24 August 2026, 8 messages within 0.36 seconds, price 78,715: messages and changes a second",
		},
		Notes: []string{
			"It stands for all books whose tick is fine: BTC and ETH. The simulated price is 88,000, the tick the same.",
			"Rates of book changes come from a third of a second and are no more than a hint.",
			"Trades a second and their median value are shown, not held: the recorded market fills an order against three small ones on average, ours against fewer, larger ones, and the time between polls is not known to be like the rest.",
		},
		Rows: rows(of, generated, "trades a second", "value of a trade, median, USD"),
	}, err
}

// Returns is how prices move, in the recording and in the generated market.
type Returns struct{ Recorded, Generated Figures }

func compareInverse(dir string) (Pair, Returns, error) {
	recorded := Meter{Tick: 0.5, Inverse: true}
	if err := tradeFile(&recorded, filepath.Join(dir, "history", "inverse_trades_BTCUSD_20191001_0000-1600.csv.gz")); err != nil {
		return Pair{}, Returns{}, err
	}
	generated, err := generate("inverse:BTCUSD", 0, 60*second, 16*3600*second)
	of := recorded.Figures()
	return Pair{
		Instrument: "inverse BTCUSD",
		Recordings: []string{"all 56,627 trades of 1 October 2019, 00:00 to 16:00 UTC, price 8,391, tick 0.5"},
		Notes: []string{
			"An old recording: the price was a tenth, the tick fifty times as wide for it, the contract the venue's main one. Sizes in contracts of one dollar and returns can still be compared; books of that time are not in the set.",
		},
		Rows: rows(of, generated),
	}, Returns{of, generated}, err
}
