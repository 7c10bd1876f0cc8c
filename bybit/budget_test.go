package bybit_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
)

// Two clients with one budget of five connects a minute never begin a sixth
// within any minute, however often their connections are lost.
func TestBudgetSharedByTwoClients(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		budget := bybit.NewBudget(&bybit.BudgetOptions{Connects: 5, Per: time.Minute})
		var full atomic.Int64
		var streams []*bybit.Stream
		for range 2 {
			c, err := bybit.NewClient(&bybit.Options{
				Environment: v.env, DialContext: v.ln.Dial, Budget: budget,
				Trace: &bybit.Trace{BudgetFull: func(bybit.TraceLink) { full.Add(1) }},
			})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				s, err := c.Public(t.Context(), bybit.Linear, nil, bybit.Trades("BTCUSDT"))
				if err != nil {
					t.Fatal(err)
				}
				streams = append(streams, s)
			}
		}
		if got, want := budget.Uses(), (bybit.BudgetUse{Host: "venue", Begun: 4, Connects: 5, Per: time.Minute}); len(got) != 1 || got[0] != want {
			t.Errorf("uses %+v, want %+v", got, want)
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(2 * time.Second):
					v.ln.CutAll()
				}
			}
		})
		// Between the seconds: what the budget allows again after a minute must not
		// fall on the moment of a sample.
		time.Sleep(500 * time.Millisecond)
		var connects []int // by the second
		for range 600 {
			time.Sleep(time.Second)
			connects = append(connects, v.connects())
		}
		close(stop)
		wg.Wait()
		for i := 60; i < len(connects); i++ {
			if n := connects[i] - connects[i-60]; n > 5 {
				t.Fatalf("%d connects in the minute before second %d, want at most 5", n, i)
			}
		}
		if last := connects[len(connects)-1]; last < 40 {
			t.Errorf("%d connects in ten minutes, want the budget used up, some 50", last)
		}
		if full.Load() == 0 {
			t.Error("no dial was traced as waiting")
		}
		// Close does not wait for the budget.
		start := time.Now()
		for _, s := range streams {
			s.Close()
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("closing took %v", took)
		}
	})
}

// The first dial waits for the budget as well, for ctx at most; and DialTimeout
// does not count that wait.
func TestBudgetBoundsTheFirstDial(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		budget := bybit.NewBudget(&bybit.BudgetOptions{Connects: 1, Per: time.Hour})
		c, err := bybit.NewClient(&bybit.Options{Environment: v.env, DialContext: v.ln.Dial, Budget: budget})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		first, err := c.Public(t.Context(), bybit.Linear, nil)
		if err != nil || time.Since(start) != 0 {
			t.Fatalf("Public = %v after %v, want no wait", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.Public(ctx, bybit.Linear, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Public without budget = %v, want ctx's error", err)
		}
		second, err := c.Public(t.Context(), bybit.Linear, nil)
		if took := time.Since(start); err != nil || took != time.Hour {
			t.Fatalf("Public = %v after %v, want success after an hour", err, took)
		}
		synctest.Wait()
		if got := budget.Uses(); len(got) != 1 || got[0].Begun != 1 || got[0].Waiting != 0 {
			t.Errorf("uses %+v, want one begun and none waiting", got)
		}
		first.Close()
		second.Close()
	})
}
