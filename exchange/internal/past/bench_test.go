package past

import (
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// BenchmarkBars asks a past that nobody has asked before, and one that was asked the same.
func BenchmarkBars(b *testing.B) {
	cat := catalog.Default(newYear)
	in, _ := cat.Find(bybit.Linear, "BTCUSDT")
	for _, bench := range []struct {
		name string
		i    Interval
	}{{"minutes", M1}, {"half hours", M30}, {"hours", H1}, {"days", D1}} {
		dst := make([]Bar, 0, 1000)
		b.Run("1000 "+bench.name, func(b *testing.B) {
			for b.Loop() {
				New(7, cat, newYear).Bars(dst, in.ID, Trade, bench.i, 0, newYear, 1000)
			}
		})
		p := New(7, cat, newYear)
		b.Run("1000 "+bench.name+" again", func(b *testing.B) {
			for b.Loop() {
				p.Bars(dst, in.ID, Trade, bench.i, 0, newYear, 1000)
			}
		})
	}
}
