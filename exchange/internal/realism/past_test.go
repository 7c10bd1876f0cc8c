package realism

import (
	"fmt"
	"slices"
	"testing"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
	"github.com/bywire/bywire/exchange/internal/past"
)

// minutes is what some minutes of an instrument, or of all of a coin, came to.
type minutes struct{ turnover, trades, n float64 }

func (m *minutes) add(in *catalog.Instrument, last, lots, trades int64) {
	price, qty := in.Price(last).Float64(), in.Qty(lots).Float64()
	if in.Inverse {
		price = 1
	}
	m.turnover += price * qty
	m.trades += float64(trades)
	m.n++
}

func (m *minutes) perDay() float64    { return m.turnover / m.n * 1440 }
func (m *minutes) perMinute() float64 { return m.trades / m.n }

// TestThePastIsTheMarketCoarsened: what trades does not change where the past ends. Of each instrument live turnover and trades
// are within Factor of the past's, and the turnover of the catalogue's as well. Inverse ones and those with less than 100 millions a day are
// left a factor of 2, for an hour is not much of what trades now and then. TestIndexReturns has volatility.
func TestThePastIsTheMarketCoarsened(t *testing.T) {
	const seeds, length, days = 10, 6, 3
	live, spent := make(map[catalog.ID]*minutes), make(map[catalog.ID]*minutes)
	var instruments []*catalog.Instrument
	for seed := uint64(1); seed <= seeds; seed++ {
		cat, err := catalog.New(catalog.Config{Start: comparedStart, Only: []string{"linear", "spot", "inverse"}})
		if err != nil {
			t.Fatal(err)
		}
		instruments = slices.DeleteFunc(cat.Live(), func(in *catalog.Instrument) bool { return in.Kind == catalog.Spread })
		w, p := flowtest.New(cat, seed), past.New(seed, cat, comparedStart)
		lots, trades := make([]int64, cat.Len()), make([]int64, cat.Len())
		w.Seen = func(id catalog.ID, ev *engine.Event) {
			if ev.Kind == engine.Traded {
				lots[id] += ev.Qty
				trades[id]++
			}
		}
		w.Run(comparedStart + 10*second)
		for range length {
			for _, in := range instruments {
				lots[in.ID], trades[in.ID] = 0, 0
			}
			w.Run(w.Now() + 60*second)
			for _, in := range instruments {
				if live[in.ID] == nil {
					live[in.ID], spent[in.ID] = &minutes{}, &minutes{}
				}
				bid, _, _ := w.Book(in.ID).Best(engine.Buy)
				live[in.ID].add(in, bid, lots[in.ID], trades[in.ID])
			}
		}
		for _, in := range instruments {
			for _, bar := range p.Bars(nil, in.ID, past.Trade, past.M1, comparedStart-days*24*3600*second, comparedStart-60*second, 0) {
				spent[in.ID].add(in, bar.Close, bar.Volume, bar.Trades)
			}
		}
	}
	hold := func(what string, got, want, factor float64) {
		if t.Logf("%s: %.4g, past or catalogue %.4g (x%.2f)", what, got, want, got/want); !(got <= want*factor && want <= got*factor) {
			t.Errorf("%s: %.4g, past or catalogue %.4g: more than a factor of %g", what, got, want, factor)
		}
	}
	for _, in := range instruments {
		factor := Factor
		if in.Turnover < 100e6 || in.Inverse {
			factor = 2
		}
		name := fmt.Sprintf("%s %s, ", in.Category, in.Symbol)
		hold(name+"turnover of a day", live[in.ID].perDay(), spent[in.ID].perDay(), factor)
		hold(name+"turnover of a day, catalogue", live[in.ID].perDay(), float64(in.Turnover), factor)
		hold(name+"trades of a minute", live[in.ID].perMinute(), spent[in.ID].perMinute(), factor)
	}
}
