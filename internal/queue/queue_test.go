package queue_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/internal/queue"
)

type arena struct{ resets int }

func (a *arena) Reset() { a.resets++ }

func newArena() *arena { return &arena{} }

func push(q *queue.Queue[int, *arena], items ...int) {
	b := q.Lock()
	b.Items = append(b.Items, items...)
	b.Bytes += len(items)
	q.Unlock()
}

func TestOrderAcrossSwaps(t *testing.T) {
	const n = 200_000
	q, b := queue.New[int](1<<30, newArena)
	go func() {
		for i := 0; i < n; i += 4 {
			push(q, i, i+1, i+2, i+3)
		}
		q.Close()
	}()
	next := 0
	for {
		full, err := q.Take(t.Context(), b)
		if err != nil {
			if !errors.Is(err, queue.ErrClosed) {
				t.Fatal(err)
			}
			break
		}
		b = full
		for _, item := range b.Items {
			if item != next {
				t.Fatalf("got %d, want %d", item, next)
			}
			next++
		}
	}
	if next != n {
		t.Fatalf("got %d items, want %d", next, n)
	}
}

func TestTakeSleepsUntilPushedCancelledOrClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, b := queue.New[int](100, newArena)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := q.Take(ctx, b); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Take = %v, want the deadline", err)
		}
		time.AfterFunc(time.Minute, func() { push(q, 7) })
		start := time.Now()
		full, err := q.Take(t.Context(), b)
		if err != nil || len(full.Items) != 1 || full.Items[0] != 7 || time.Since(start) != time.Minute {
			t.Fatalf("Take = %v, %v after %v", full, err, time.Since(start))
		}
		if none, err := q.TryTake(full); none != nil || err != nil {
			t.Fatalf("TryTake = %v, %v, want nothing", none, err)
		}
		push(q, 8)
		q.Close()
		last, err := q.Take(t.Context(), full)
		if err != nil || last.Items[0] != 8 {
			t.Fatalf("Take after Close = %v, %v, want what was queued", last, err)
		}
		if _, err := q.Take(t.Context(), last); !errors.Is(err, queue.ErrClosed) {
			t.Fatalf("Take = %v, want ErrClosed", err)
		}
	})
}

func TestBoundIsHalfPerBatch(t *testing.T) {
	q, b := queue.New[int](100, newArena)
	q.Lock()
	if !q.Fits(50) || q.Fits(51) {
		t.Error("an empty batch takes 50 of 100 bytes")
	}
	q.Unlock()
	push(q, make([]int, 50)...)
	q.Lock()
	if q.Fits(1) {
		t.Error("a full batch has no room")
	}
	q.Unlock()
	if got := q.Bytes(); got != 50 {
		t.Errorf("Bytes = %d, want 50", got)
	}
	full, err := q.Take(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if got := q.Bytes(); got != 0 {
		t.Errorf("Bytes after Take = %d, want 0", got)
	}
	if full.Arena.resets != 0 || b.Arena.resets != 1 {
		t.Errorf("resets: full %d, spent %d, want 0 and 1", full.Arena.resets, b.Arena.resets)
	}
}

func TestRoomOpensWhenTaken(t *testing.T) {
	q, b := queue.New[int](100, newArena)
	push(q, make([]int, 25)...)
	if q.Room() != nil {
		t.Fatal("a half-full queue has room")
	}
	push(q, 1)
	room := q.Room()
	select {
	case <-room:
		t.Fatal("room before the consumer came")
	default:
	}
	if _, err := q.Take(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	<-room
	if q.Room() != nil {
		t.Error("an empty queue has room")
	}
}

func BenchmarkHandOver(b *testing.B) {
	q, out := queue.New[int](1<<30, newArena)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			full, err := q.Take(context.Background(), out)
			if err != nil {
				return
			}
			out = full
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		in := q.Lock()
		for i := range 64 {
			in.Items = append(in.Items, i)
		}
		q.Unlock()
	}
	q.Close()
	<-done
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/item")
}
