package engine_test

import (
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
	slowRound    = 50      // the same of the oracle
)

// BenchmarkCommands gives a deep book the commands of a load and reports what one of them takes with its events, and how
// many times that the oracle needs in the same run. The rounds are short, and the best of them counts: what else runs on
// the machine makes others worse, but none better.
//
//	go test ./exchange/internal/engine -run '^$' -bench Commands
func BenchmarkCommands(b *testing.B) {
	l := newLoad(1)
	fast, slow := engine.New(engine.Config{}), naive.New(engine.Config{})
	timed(l.fill(), fast)
	for s := range engine.Sell + 1 {
		for _, r := range fast.Orders(nil, s) {
			slow.Place(&r.Order)
		}
	}
	slowest := time.Duration(math.MaxInt64)
	for range 5 {
		rs := l.next(slowRound)
		start := time.Now()
		for _, r := range rs {
			if r.qty == 0 {
				slow.Cancel(r.id, engine.ByUser)
			} else {
				o := r.order()
				slow.Place(&o)
			}
		}
		slowest = min(slowest, time.Since(start))
		timed(rs, fast)
	}
	for range 4 {
		timed(l.next(round), fast)
	}
	var rounds []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		rs := l.next(round)
		b.StartTimer()
		rounds = append(rounds, timed(rs, fast))
	}
	if fast.Seq() != l.ahead.Seq() {
		b.Fatalf("the book is at seq %d, the load's at %d", fast.Seq(), l.ahead.Seq())
	}
	slices.Sort(rounds)
	best := float64(rounds[0]) / round
	b.ReportMetric(best, "ns/command")
	b.ReportMetric(float64(rounds[len(rounds)/2])/round, "median-ns/command")
	b.ReportMetric(float64(slowest)/slowRound/best, "oracle-ratio")
	if best > commandLimit {
		b.Errorf("a command takes %.0f ns, more than %d", best, commandLimit)
	}
}

// timed runs commands and returns how long they took.
func timed(rs []request, b *engine.Book) time.Duration {
	start := time.Now()
	for i := range rs {
		for _, e := range rs[i].run(b) {
			if e.Kind == engine.Refused {
				panic("a load has no command that is refused")
			}
		}
	}
	return time.Since(start)
}

// BenchmarkLevels reads the best levels of a deep book, and reports nanoseconds a level.
func BenchmarkLevels(b *testing.B) {
	l := newLoad(1)
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
	l := newLoad(2)
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
