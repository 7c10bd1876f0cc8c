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

// BenchmarkStart is what the bars of the default catalogue cost when the exchange starts: the store, and the first 24-hour
// figures of each instrument.
func BenchmarkStart(b *testing.B) {
	cat := catalog.Default(newYear)
	for b.Loop() {
		s := NewStore(New(7, cat, newYear))
		for id := range catalog.ID(cat.Len()) {
			s.Day(id)
		}
	}
}

// busy is a store of the default catalogue in which each instrument has traded and has prices.
func busy() *Store {
	cat := catalog.Default(newYear)
	s := NewStore(New(7, cat, newYear))
	for _, in := range cat.Live() {
		s.Trade(newYear, in.ID, 1000, 10)
		for _, of := range []Series{Mark, Index, Premium} {
			s.Value(newYear, in.ID, of, 1000)
		}
		s.Interest(newYear, in.ID, 1000)
	}
	return s
}

func BenchmarkStore(b *testing.B) {
	s := busy()
	in, _ := s.cat.Find(bybit.Linear, "BTCUSDT")
	inverse, _ := s.cat.Find(bybit.Inverse, "BTCUSD")
	at := s.now
	for _, bench := range []struct {
		name string
		f    func()
	}{
		{"trade", func() { s.Trade(at, in.ID, 880001, 17) }},
		{"trade inverse", func() { s.Trade(at, inverse.ID, 880001, 17) }},
		{"value", func() { s.Value(at, in.ID, Mark, 88000) }},
		{"current month", func() { s.Current(in.ID, Trade, MN1) }},
		{"day", func() { s.Day(in.ID) }},
		{"minute", func() { at += minute; s.Minute(at) }},
		{"minute and all days", func() {
			at += minute
			s.Minute(at)
			for id := range catalog.ID(s.cat.Len()) {
				s.Day(id)
			}
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.f()
			}
		})
	}
}
