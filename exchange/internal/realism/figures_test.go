package realism

import (
	"math"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
	"github.com/bywire/bywire/exchange/internal/past"
)

// TestTheGeneratedMarketHasItsFigures holds what the generated market is fitted to without the recordings: a book with a fine
// tick, books with a wide one, a spot book. The median of the seeds is to be within Factor of each figure.
func TestTheGeneratedMarketHasItsFigures(t *testing.T) {
	none := math.NaN()
	book := func(spread, reach, occupied, touch, level float64) Figures {
		return Figures{
			SpreadMedian: 1, SpreadMean: spread, Levels: none, Reach: reach, Occupied: occupied, TouchValue: touch, LevelValue: level,
			LevelTail: none, Pushes: none, Changes: none, Trades: none, Orders: none, TradeValue: none, TradeTail: none,
		}
	}
	wide := book(1, 500, 1, none, none)
	wide.Changes, wide.LevelTail = 600, 1.3
	spot := book(1.1, 280, 0.17, 15_000, 950)
	spot.Changes, spot.Pushes, spot.Trades, spot.Orders, spot.LevelTail, spot.TradeTail = 48, 21, 16, 6.2, 1.6, 1.7
	inverse := book(none, none, none, none, none)
	inverse.SpreadMedian, inverse.Trades, inverse.TradeValue = none, 1, 1000
	for _, c := range []struct {
		symbols []string
		at      window
		want    Figures
	}{
		{[]string{"linear:BTCUSDT"}, window{5, 5 * second, 200 * second}, book(1, 5.7, 0.67, 460_000, 1400)},
		{[]string{"linear:ETHUSDT"}, window{5, 5 * second, 200 * second}, book(1, 6.3, 0.65, 195_000, 650)},
		{[]string{"linear:SOLUSDT"}, window{5, 5 * second, 200 * second}, book(1, 4, 1, 28_000, 45_000)},
		{[]string{"linear:DOGEUSDT"}, window{5, 5 * second, 200 * second}, book(1, 4, 1, 7_800, 37_000)},
		{[]string{"linear:XRPUSDT", "linear:SOLUSDT", "linear:DOGEUSDT"}, window{500, second / 10, 20 * second}, wide},
		{[]string{"spot:BTCUSDT"}, window{50, second / 50, 300 * second}, spot},
		{[]string{"inverse:BTCUSD"}, window{0, 60 * second, 3 * 3600 * second}, inverse},
	} {
		generated, err := c.at.generate(c.symbols...)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows([]Figures{c.want}, generated) {
			t.Logf("%v, %s: %.4g wanted, %.4g generated (%.4g to %.4g)", c.symbols, r.Name, r.Recorded, r.Generated, r.Least, r.Most)
			if !r.Within() {
				t.Errorf("%v, %s: %.4g wanted, %.4g generated: more than a factor of %g", c.symbols, r.Name, r.Recorded, r.Generated, Factor)
			}
		}
	}
}

// TestAFigureThatIsMissingFails: a generated market without trades does not pass for one.
func TestAFigureThatIsMissingFails(t *testing.T) {
	recorded, dead := Figures{Trades: 3, Orders: math.NaN()}, Figures{Trades: math.NaN(), Orders: 1}
	alive := dead
	alive.Trades = 3
	found := false
	for _, r := range rows([]Figures{recorded}, []Figures{alive, dead, alive}) {
		if r.Name == tradesASecond {
			found = true
			if r.Within() || !math.IsNaN(r.Generated) {
				t.Errorf("one of three markets has no trades, and the row says %+v", r)
			}
		}
		if r.Name == "taker orders a second" {
			t.Error("what was not recorded is compared")
		}
	}
	if !found {
		t.Error("a figure that the generated market does not have is left out")
	}
}

// TestIndexReturns holds how index prices move over days: volatility, kurtosis and memory of one-minute returns. The range of
// kurtosis is that of Bitcoin in the studies that docs/market.md names.
func TestIndexReturns(t *testing.T) {
	const days, seeds = 2, 5
	cat, err := catalog.New(catalog.Config{Start: comparedStart, Only: []string{"spot:BTCUSDT", "spot:ETHUSDT", "spot:DOGEUSDT"}})
	if err != nil {
		t.Fatal(err)
	}
	coins := []string{"BTC", "ETH", "DOGE"}
	all, spent := make([][]Figures, len(coins)), make([][]Figures, len(coins))
	for seed := uint64(1); seed <= seeds; seed++ {
		w := flowtest.NewQuiet(cat, seed)
		meters := make([]Meter, len(coins))
		for minute := range int64(days * 24 * 60) {
			w.Run(comparedStart + minute*60*second)
			for i := range meters {
				meters[i].Trade(Trade{At: w.Now(), Price: float64(w.Flow.Index(coins[i])) / float64(fixed.One), Qty: 1})
			}
		}
		for i := range meters {
			all[i] = append(all[i], meters[i].Figures())
			spent[i] = append(spent[i], pastReturns(cat, seed, coins[i]))
		}
	}
	for i, coin := range coins {
		r := Returns{Generated: all[i]}
		asset, _ := cat.Asset(coin)
		usual := float64(asset.Vol) / float64(fixed.One)
		vol := median(r.all(func(f *Figures) float64 { return f.Volatility }))
		kurtosis := median(r.all(func(f *Figures) float64 { return f.Kurtosis }))
		t.Logf("%s: volatility %.3f of %.2f, kurtosis %.1f", coin, vol, usual, kurtosis)
		before := Returns{Generated: spent[i]}
		earlier := median(before.all(func(f *Figures) float64 { return f.Volatility }))
		if !(vol > usual/1.3 && vol < usual*1.3 && earlier > vol/Factor && earlier < vol*Factor) {
			t.Errorf("%s: the volatility of a year is %.3f, want about %.2f; it was %.3f before the start", coin, vol, usual, earlier)
		}
		if !(kurtosis >= LeastKurtosis && kurtosis <= MostKurtosis) {
			t.Errorf("%s: the kurtosis of minute returns is %.1f, want %d to %d", coin, kurtosis, LeastKurtosis, MostKurtosis)
		}
		last := 1.0
		for k, lag := range lags {
			memory := median(r.all(func(f *Figures) float64 { return f.Memory[k] }))
			t.Logf("%s: absolute returns %d minutes apart: %.3f", coin, lag, memory)
			if !(memory > 0.01 && memory < 0.5 && memory < last+0.02) {
				t.Errorf("%s: absolute returns %d minutes apart have the correlation %.3f: want it to be positive and to fall slowly", coin, lag, memory)
			}
			last = memory
		}
	}
}

// pastReturns measures the days before the start.
func pastReturns(cat *catalog.Catalog, seed uint64, coin string) Figures {
	in, _ := cat.Find(bybit.Spot, coin+"USDT")
	var m Meter
	for _, bar := range past.New(seed, cat, comparedStart).Bars(nil, in.ID, past.Trade, past.M1, comparedStart-5*24*3600*second, comparedStart-60*second, 0) {
		m.Trade(Trade{At: bar.Start, Price: float64(bar.Close), Qty: 1})
	}
	return m.Figures()
}
