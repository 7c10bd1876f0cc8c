package queue_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/internal/queue"
)

// TestNoWakeUpIsLost has producers that pause at random and a consumer that waits
// on Ready alone, now and then after a Take that gave up. A lost wake-up leaves
// everybody asleep, which ends the bubble with a deadlock.
func TestNoWakeUpIsLost(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			const producers, each = 3, 2000
			left := producers * each // the end of the queue would wake as well
			q, b := queue.New[int](1<<20, newArena)
			var wg sync.WaitGroup
			for p := range uint64(producers) {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(seed, p))
					for i := range each {
						push(q, int(p)*each+i)
						if r.IntN(4) == 0 {
							time.Sleep(time.Duration(r.IntN(3)) * time.Microsecond)
						}
					}
				})
			}
			r := rand.New(rand.NewPCG(seed, 99))
			var next [producers]int
			for left > 0 {
				full, err := q.TryTake(b)
				if r.IntN(8) == 0 && full == nil && err == nil {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(2))*time.Microsecond)
					if full, err = q.Take(ctx, b); errors.Is(err, context.DeadlineExceeded) {
						full, err = nil, nil
					}
					cancel()
				}
				if err != nil {
					t.Fatal(err)
				}
				if full == nil {
					<-q.Ready()
					continue
				}
				b = full
				left -= len(b.Items)
				for _, item := range b.Items {
					if p := item / each; next[p] != item%each {
						t.Fatalf("seed %d: producer %d: got %d, want %d", seed, p, item%each, next[p])
					}
					next[item/each]++
				}
			}
			wg.Wait()
		})
	}
}

// TestNoWakeUpIsLostInParallel is the same on real processors, where the two
// sides meet between any two instructions.
func TestNoWakeUpIsLostInParallel(t *testing.T) {
	const n = 100_000
	q, b := queue.New[int](1<<20, newArena)
	wake := make(chan struct{}, 1)
	go func() {
		for i := range n {
			push(q, i)
		}
	}()
	ready, next := q.Ready(), 0
	for next < n {
		full, err := q.TryTake(b)
		if err != nil {
			t.Fatal(err)
		}
		if full == nil {
			<-ready
			continue
		}
		b = full
		next += len(b.Items)
		if next > n/2 && wake != nil {
			q.Share(wake)
			ready, wake = wake, nil
		}
	}
}

func TestReadySaysNothingBeforeThereIsSomething(t *testing.T) {
	q, b := queue.New[int](100, newArena)
	silent := func(when string) {
		t.Helper()
		select {
		case <-q.Ready():
			t.Errorf("a wake-up %s", when)
		default:
		}
	}
	push(q, 1)
	silent("that nobody asked for")
	if !q.Some() {
		t.Error("Some = false with an item queued")
	}
	b, _ = q.TryTake(b)
	if none, _ := q.TryTake(b); none != nil || q.Some() {
		t.Errorf("TryTake = %v, Some = %v, want nothing", none, q.Some())
	}
	silent("for nothing")
	push(q)
	silent("after a producer that brought nothing")
	push(q, 2)
	push(q, 3)
	<-q.Ready()
	silent("for one pause twice")
	b, _ = q.TryTake(b)
	if len(b.Items) != 2 {
		t.Errorf("got %d items, want 2", len(b.Items))
	}
	q.Close()
	<-q.Ready()
	if !q.Some() {
		t.Error("Some = false at the end")
	}
}

func TestShareMovesTheWakeUps(t *testing.T) {
	wake := make(chan struct{}, 1)
	one, spent := queue.New[int](100, newArena)
	two, _ := queue.New[int](100, newArena)
	one.Share(wake)
	two.Share(wake)
	<-one.Ready() // whoever waited there learns that it is over
	<-wake
	if none, err := one.TryTake(spent); none != nil || err != nil {
		t.Fatalf("TryTake = %v, %v, want nothing", none, err)
	}
	push(one, 1)
	<-wake
	select {
	case <-one.Ready():
		t.Error("a wake-up in the queue's own channel after Share")
	default:
	}
	two.Close()
	<-wake
}
