package realism

import (
	"math"
	"math/rand/v2"
	"testing"
)

const tolerance = 1e-9

func near(t *testing.T, name string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s is %v, want %v", name, got, want)
	}
}

func TestAMeterOfBooks(t *testing.T) {
	m := Meter{Tick: 0.5, Stream: true}
	bids := []Level{{100, 2}, {99, 1}, {97, 4}}
	asks := []Level{{101, 1}, {102, 3}, {105, 8}}
	m.Book(0, bids, asks)
	m.Book(1e9, bids, asks) // nothing changed: no message
	bids = []Level{{100, 2}, {98, 1}, {97, 5}}
	m.Book(2e9, bids, asks) // 99 gone, 98 new, 97 of another size
	m.Book(3e9, bids, []Level{{103, 1}, {105, 8}})
	m.Book(4e9, nil, asks) // half a book says nothing
	f := m.Figures()
	near(t, "spread, median", f.SpreadMedian, 1, tolerance)
	near(t, "spread, mean", f.SpreadMean, 1.5, tolerance)
	near(t, "levels", f.Levels, 3, tolerance)
	near(t, "messages a second", f.Pushes, 2.0/3, tolerance)
	near(t, "changes a second", f.Changes, (3+3)/3.0, tolerance)
	near(t, "value at the touch", f.TouchValue, (51.5+100)/2, tolerance) // bids 100 four times, asks 50.5 and once 51.5
	near(t, "distance of the last level", f.Reach, 3, tolerance)
	// Bids hold 3 of 4 ticks four times, asks 3 of 5 three times and 2 of 3 once.
	near(t, "share of ticks with a level", f.Occupied, (4*3.0/4+3*3.0/5+2.0/3)/8, tolerance)
}

func TestAMeterOfTrades(t *testing.T) {
	m := Meter{Tick: 1}
	for i := range 1000 {
		m.Trade(Trade{At: int64(i) * 5e8, Price: 10, Qty: 3, Order: uint64(1 + i/4)})
	}
	m.Covers(500e9)
	f := m.Figures()
	near(t, "trades a second", f.Trades, 2, tolerance)
	near(t, "orders a second", f.Orders, 0.5, tolerance)
	near(t, "value", f.TradeValue, 30, tolerance)
	if !math.IsNaN(f.Kurtosis) || !math.IsNaN(f.Pushes) {
		t.Errorf("ten minutes of trades and no book say something of kurtosis (%v) or messages (%v)", f.Kurtosis, f.Pushes)
	}
}

func TestTailsMomentsAndMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var pareto, normal, waves []float64
	sigma := 1.0
	for i := range 100_000 {
		pareto = append(pareto, math.Pow(1-r.Float64(), -1/1.5))
		normal = append(normal, r.NormFloat64())
		if i%500 == 0 {
			sigma = math.Exp(r.NormFloat64())
		}
		waves = append(waves, math.Abs(sigma*r.NormFloat64()))
	}
	near(t, "tail index", hill(pareto), 1.5, 0.05)
	near(t, "kurtosis", kurtosis(normal), 3, 0.1)
	near(t, "memory of none", autocorrelation(normal, 1), 0, 0.02)
	if at10, at1000 := autocorrelation(waves, 10), autocorrelation(waves, 1000); at10 < 0.3 || math.Abs(at1000) > 0.15 {
		t.Errorf("clusters of 500: correlation %v at 10, %v at 1000", at10, at1000)
	}
}

func TestMinuteReturns(t *testing.T) {
	m := Meter{}
	for _, x := range []struct {
		at    int64
		price float64
	}{{1, 100}, {59, 101}, {60, 110}, {200, 121}, {260, 100}} {
		m.Trade(Trade{At: x.at * 1e9, Price: x.price})
	}
	want := []float64{math.Log(110.0 / 101), 0, math.Log(121.0 / 110)}
	got := m.minuteReturns()
	if len(got) != len(want) {
		t.Fatalf("returns %v, want %v", got, want)
	}
	for i := range want {
		near(t, "return", got[i], want[i], tolerance)
	}
}
