package core

import (
	"testing"

	"github.com/bywire/bywire/exchange/internal/feed"
)

// all wants every frame and keeps nothing.
type all struct{ frames, size int }

func (*all) Wanted(*feed.Topic) bool { return true }
func (s *all) Publish(_ *feed.Topic, frame []byte, _ bool) {
	s.frames++
	s.size += len(frame)
}

// What a virtual second costs, after the first minute: of all instruments and of one symbol, with nobody listening and with
// every topic encoded. An operation is a second, so 1e9 over ns/op is the ratio of a Max clock to real time.
func BenchmarkVirtualSecond(b *testing.B) {
	for _, tt := range []struct {
		name string
		only []string
		sink bool
	}{
		{"all", nil, false},
		{"all, every topic encoded", nil, true},
		{"one symbol", []string{"linear:BTCUSDT"}, false},
		{"one symbol, every topic encoded", []string{"linear:BTCUSDT"}, true},
	} {
		b.Run(tt.name, func(b *testing.B) {
			cfg := Config{Seed: 1, Start: start, Only: tt.only}
			sink := &all{}
			if tt.sink {
				cfg.Sink = sink
			}
			c := mustNew(b, cfg)
			c.Advance(c.Now() + minute)
			b.ReportAllocs()
			before, frames, size := c.Counts(), sink.frames, sink.size
			for b.Loop() {
				c.Advance(c.Now() + second)
			}
			n := float64(b.N)
			after := c.Counts()
			b.ReportMetric(float64(after.Placed-before.Placed)/n, "orders/op")
			b.ReportMetric(float64(after.Cancelled-before.Cancelled+after.Amended-before.Amended)/n, "cancels/op")
			b.ReportMetric(float64(after.Traded-before.Traded)/n, "trades/op")
			if tt.sink {
				b.ReportMetric(float64(sink.frames-frames)/n, "frames/op")
				b.ReportMetric(float64(sink.size-size)/n, "B(wire)/op")
			}
		})
	}
}

// What it takes until the books are filled, of all instruments and of one.
func BenchmarkStart(b *testing.B) {
	for _, tt := range []struct {
		name string
		only []string
	}{{"all", nil}, {"one symbol", []string{"linear:BTCUSDT"}}} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c := mustNew(b, Config{Seed: 1, Start: start, Only: tt.only})
				c.Advance(start)
			}
		})
	}
}

// What a snapshot and its restore take after a minute, and how long it is.
func BenchmarkSnapshot(b *testing.B) {
	c := mustNew(b, Config{Seed: 1, Start: start})
	c.Advance(start + minute)
	var snapshot []byte
	b.Run("take", func(b *testing.B) {
		for b.Loop() {
			snapshot = c.Snapshot()
		}
		b.ReportMetric(float64(len(snapshot)), "B")
	})
	b.Run("hash", func(b *testing.B) {
		for b.Loop() {
			c.Hash()
		}
	})
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			if err := c.Restore(snapshot); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// What it costs to say what the state is: BenchmarkState/snapshot is what a loop that owns the core spends.
func BenchmarkState(b *testing.B) {
	c := mustNew(b, Config{Seed: 1, Start: start})
	c.Advance(c.Now() + minute/2)
	snapshot := c.Snapshot()
	fresh := mustNew(b, Config{Seed: 1, Start: start})
	for _, tt := range []struct {
		name string
		do   func()
	}{
		{"hash", func() { c.Hash() }},
		{"snapshot", func() { c.Snapshot() }},
		{"hash of a snapshot", func() { HashOf(snapshot) }},
		{"check of the published books", func() { c.Feed().Check() }},
		{"restore", func() {
			if err := fresh.Restore(snapshot); err != nil {
				b.Fatal(err)
			}
		}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tt.do()
			}
			b.ReportMetric(float64(len(snapshot)), "bytes")
		})
	}
}
