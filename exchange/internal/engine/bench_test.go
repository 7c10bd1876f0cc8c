package engine_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/engine/naive"
)

const (
	commandLimit = 120     // nanoseconds that a command and its events may take
	round        = 1 << 15 // commands that are measured at once

	oracleRounds = 30
	oracleRound  = 50
	oracleIdle   = 300_000 // nanoseconds that a command takes it on the machine of docs/performance.md
)

// BenchmarkCommands gives a deep book the commands of a load, with prices 1 tick apart and some, and reports what one of
// them takes with its events in the median round and in the best, and how many times that best the oracle's best takes in
// the same run. Between two rounds the load makes the next, which leaves the processor's caches full of other things.
//
// With prices 1 tick apart the median is held to the limit; on a machine that is slower than that of docs/performance.md, to
// so many times the limit as the oracle takes longer there.
//
//	go test ./exchange/internal/engine -run '^$' -bench Commands
func BenchmarkCommands(b *testing.B) {
	for _, step := range []int64{1, 64, 4097} {
		b.Run(fmt.Sprintf("%d ticks apart", step), func(b *testing.B) {
			l := newLoad(1, step)
			fast := engine.New(engine.Config{})
			timed(l.fill(), fast)
			slow := oracle(l, fast)
			for range 4 {
				timed(l.next(round), fast)
			}
			var rounds []float64
			rs := make([]request, round)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				l.write(rs)
				b.StartTimer()
				rounds = append(rounds, float64(timed(rs, fast))/round)
			}
			if fast.Seq() != l.ahead.Seq() {
				b.Fatalf("the book is at seq %d, the load's at %d", fast.Seq(), l.ahead.Seq())
			}
			slices.Sort(rounds)
			best, median := rounds[0], rounds[len(rounds)/2]
			allowed := commandLimit * max(1, slow/oracleIdle)
			b.ReportMetric(median, "median-ns/command")
			b.ReportMetric(best, "best-ns/command")
			b.ReportMetric(slow/best, "oracle-ratio")
			if step == 1 && median > allowed {
				b.Errorf("a command takes %.0f ns in the median round (%.0f in the best), more than %.0f", median, best, allowed)
			}
		})
	}
}

// oracle gives the naive engine the orders of a book, then both some commands of the load, and returns how many
// nanoseconds one takes the naive engine in its best round.
func oracle(l *load, fast *engine.Book) float64 {
	slow := naive.New(engine.Config{})
	for s := range engine.Sell + 1 {
		for _, r := range fast.Orders(nil, s) {
			slow.Place(&r.Order)
		}
	}
	best := time.Duration(math.MaxInt64)
	for range oracleRounds {
		rs := l.next(oracleRound)
		start := time.Now()
		for _, r := range rs {
			if r.qty == 0 {
				slow.Cancel(r.id, engine.ByUser)
			} else {
				o := r.order()
				slow.Place(&o)
			}
		}
		best = min(best, time.Since(start))
		timed(rs, fast)
	}
	return float64(best) / oracleRound
}

// timed runs commands and returns how long they took.
func timed(rs []request, b *engine.Book) time.Duration {
	start := time.Now()
	for i := range rs {
		events := rs[i].run(b)
		for k := range events {
			if events[k].Kind == engine.Refused {
				panic("a load has no command that is refused")
			}
		}
	}
	return time.Since(start)
}

// BenchmarkLevels reads the best levels of a deep book, and reports nanoseconds a level.
func BenchmarkLevels(b *testing.B) {
	l := newLoad(1, 1)
	l.fill()
	for _, n := range []int{1, 50, 500} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var levels []engine.Level
			for b.Loop() {
				if levels = l.ahead.Levels(levels[:0], engine.Buy, n, false); len(levels) != n {
					b.Fatalf("%d levels, want %d", len(levels), n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/level")
		})
	}
}

func TestASteadyBookAllocatesNothing(t *testing.T) {
	l := newLoad(2, 1)
	b := engine.New(engine.Config{})
	for _, r := range append(l.fill(), l.next(1<<18)...) {
		r.run(b)
	}
	const runs = 5
	rs := l.next((runs + 1) * round)
	allocs := testing.AllocsPerRun(runs, func() {
		timed(rs[:round], b)
		rs = rs[round:]
	})
	if allocs != 0 || len(rs) != 0 || b.Seq() != l.ahead.Seq() {
		t.Errorf("%v allocations in %d commands, want none", allocs, round)
	}
}
