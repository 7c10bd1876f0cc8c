//go:build (linux || darwin) && !race

package exchange

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
)

// These measure the time of processors, which a busy machine stretches much less than the time on the wall. What they
// allow is stated in docs/performance.md, and is many times what it takes.

// processors is the time this process has used, in the kernel too.
func processors(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const (
	someOrders  = 1000 // a second
	shareOfOne  = 0.25 // of a processor that they may take
	timesAsFast = 500  // as real time is a Max clock of one symbol without options
)

// The default catalogue, live, with nobody listening: more than 1,000 orders are placed, changed or cancelled in a second,
// for less than a quarter of a processor.
func TestTheWholeMarketTakesLessThanAQuarterOfAProcessor(t *testing.T) {
	const seconds = 30
	inBubble(t, Config{Seed: 1, Clock: Live, Start: defaultStart}, func(t *testing.T, b *bench) {
		time.Sleep(time.Minute) // of the bubble: the books fill, the first bars and fundings are there
		synctest.Wait()
		before, from := orders(t, b.x), processors(t)
		time.Sleep(seconds * time.Second)
		synctest.Wait()
		got, took := float64(orders(t, b.x)-before)/seconds, (processors(t)-from)/seconds
		t.Logf("%.0f orders a second, for %v of processor time", got, took)
		if got < someOrders || took.Seconds() > shareOfOne {
			t.Errorf("%.0f orders a second for %v of processor time; want %d or more, for %.2f s at most", got, took, someOrders, shareOfOne)
		}
	})
}

// orders is how many were placed, changed and cancelled so far.
func orders(tb testing.TB, x *Exchange) (n uint64) {
	tb.Helper()
	if err := x.do(tb.Context(), func(c *core.Core) {
		n = c.Counts().Placed + c.Counts().Amended + c.Counts().Cancelled
	}); err != nil {
		tb.Fatal(err)
	}
	return n
}

// The same on the wall clock: an operation is a second of it.
func BenchmarkLive(b *testing.B) {
	x, err := New(&Config{Seed: 1, Clock: Live, Start: defaultStart})
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	<-second.C // the books are filled
	before, from := orders(b, x), processors(b)
	for b.Loop() {
		<-second.C
	}
	n := float64(b.N)
	got, took := float64(orders(b, x)-before)/n, (processors(b)-from).Seconds()/n
	b.ReportMetric(got, "orders/s")
	b.ReportMetric(1000*took, "cpu-ms/s")
	if got < someOrders || took > shareOfOne {
		b.Errorf("%.0f orders a second for %.3f s of processor time; want %d or more, for %.2f s at most", got, took, someOrders, shareOfOne)
	}
}

// A Max clock of one symbol without options makes 500 seconds and more in one of a processor.
func TestMaxClockIsManyTimesRealTime(t *testing.T) {
	const span = 5 * time.Minute
	x, err := New(&Config{Seed: 1, Clock: Max, Symbols: []string{"linear:BTCUSDT"}})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	began, at, used := time.Now(), x.Now(), processors(t)
	for x.Now().Sub(at) < span {
		<-look.C
	}
	virtual := float64(x.Now().Sub(at))
	wall, cpu := virtual/float64(time.Since(began)), virtual/float64(processors(t)-used)
	t.Logf("%.0f times real time, and %.0f times the time of processors", wall, cpu)
	if cpu < timesAsFast {
		t.Errorf("virtual time is %.0f times the time of processors, want %d or more", cpu, timesAsFast)
	}
}
