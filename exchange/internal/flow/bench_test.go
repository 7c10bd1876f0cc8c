package flow_test

import (
	"testing"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/flow/flowtest"
)

// BenchmarkSecond is a virtual second of markets: what flow and the books cost of a core.
func BenchmarkSecond(b *testing.B) {
	for _, bench := range []struct {
		name string
		only []string
	}{
		{"BTCUSDT", []string{"linear:BTCUSDT"}},
		{"XRPUSDT", []string{"linear:XRPUSDT"}},
		{"BTCUSDTspot", []string{"spot:BTCUSDT"}},
		{"BTCUSD", []string{"inverse:BTCUSD"}},
		{"books", []string{"spot", "linear", "inverse", "spread"}},
		{"all", nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			w := market(b, 1, bench.only...)
			price(w)
			w.Run(start)
			w.Commands = 0
			at, n := start, int64(0)
			for b.Loop() {
				n++
				at += second
				w.Run(at)
			}
			b.ReportMetric(float64(w.Commands)/float64(n), "commands/op")
		})
	}
}

// BenchmarkFill is the first Run: all books of the default catalogue.
func BenchmarkFill(b *testing.B) {
	for b.Loop() {
		w := market(b, 1)
		price(w)
		w.Run(start)
	}
}

// price gives each option a mark that a test can do with: 2 % of the underlying.
func price(w *flowtest.World) {
	for _, in := range w.Cat.Live() {
		if in.Kind == catalog.Option {
			w.Marks[in.ID] = w.Flow.Index(in.Base) / 50
		}
	}
}
