package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// TestEverythingAtOnce lets callers subscribe and unsubscribe with contexts that
// end at any time while the venue cuts connections, refuses dials, rejects topics
// and breaks books, and the consumer is slow. When calm returns the venue and the
// stream must agree on what is subscribed, and every book must be whole.
func TestEverythingAtOnce(t *testing.T) {
	for seed := range uint64(4) {
		for _, family := range []wire.Family{wire.FamilyFutures, wire.FamilyOption} {
			t.Run(fmt.Sprintf("seed %d family %d", seed, family), func(t *testing.T) {
				inBubble(t, func(t *testing.T, v *venue) {
					v.family = family
					playChaos(t, v, seed)
				})
			})
		}
	}
}

func playChaos(t *testing.T, v *venue, seed uint64) {
	var mu sync.Mutex // guards joined and calm
	joined := map[*venueConn]map[string]bool{}
	calm := false
	v.script = func(c *venueConn, _ []byte, req *wire.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if joined[c] == nil {
			joined[c] = map[string]bool{}
		}
		if req.Op == wire.OpUnsubscribe {
			for _, topic := range req.Args {
				delete(joined[c], topic)
			}
		}
		return false
	}
	v.onJoin = func(c *venueConn, topic string) {
		mu.Lock()
		joined[c][topic] = true
		broken := !calm
		mu.Unlock()
		symbol := topic[len("orderbook.50."):]
		c.send(snapshot(symbol, 7, "1"))
		if broken {
			c.send(delta(symbol, 9, "2"))
		}
	}
	topics := make([]bybit.Topic, 12)
	for i := range topics {
		topics[i] = bybit.OrderBook(50, fmt.Sprintf("COIN%dUSDT", i))
	}
	var options *bybit.StreamOptions
	if seed%2 == 1 {
		options = &bybit.StreamOptions{QueueBytes: 1}
	}
	s := v.stream(options)

	whole := map[string]bool{}
	var consumer, rest sync.WaitGroup
	consumer.Go(func() {
		pause := rand.New(rand.NewPCG(seed, 99))
		for ev, err := range s.Events(t.Context()) {
			switch ev := ev.(type) {
			case *bybit.BookEvent:
				mu.Lock()
				whole[ev.Topic.String()] = true
				mu.Unlock()
			case *bybit.GapEvent:
				mu.Lock()
				whole[ev.Topic.String()] = false
				mu.Unlock()
			case nil:
				if !errors.Is(err, bybit.ErrClosed) {
					t.Errorf("the stream ended with %v", err)
				}
			}
			if pause.IntN(20) == 0 {
				time.Sleep(time.Duration(pause.IntN(300)) * time.Millisecond)
			}
		}
	})
	for caller := range uint64(4) {
		rest.Go(func() {
			r := rand.New(rand.NewPCG(seed, caller))
			for range 200 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(2000))*time.Millisecond)
				some := topics[r.IntN(6) : 6+r.IntN(6)]
				if r.IntN(2) == 0 {
					s.Subscribe(ctx, some...)
				} else {
					s.Unsubscribe(ctx, some...)
				}
				cancel()
				time.Sleep(time.Duration(r.IntN(500)) * time.Millisecond)
			}
		})
	}
	rest.Go(func() {
		r := rand.New(rand.NewPCG(seed, 42))
		for range 60 {
			time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
			switch r.IntN(4) {
			case 0:
				v.ln.CutAll()
			case 1:
				v.ln.Refuse(errors.New("network is unreachable"))
				v.ln.CutAll()
			case 2:
				v.reject(topics[r.IntN(12)].String(), "error:handler not found,topic:"+topics[0].String())
			}
			v.ln.Refuse(nil)
		}
	})
	rest.Wait()

	mu.Lock()
	calm = true
	mu.Unlock()
	v.mu.Lock()
	clear(v.rejected)
	v.mu.Unlock()
	time.Sleep(5 * time.Minute)
	if err := s.Unsubscribe(t.Context(), topics[:6]...); err != nil {
		t.Error(err)
	}
	if err := s.Subscribe(t.Context(), topics[6:]...); err != nil {
		t.Error(err)
	}
	time.Sleep(5 * time.Minute) // resynchronisations are spaced out by up to a minute
	synctest.Wait()
	stats := s.Stats()
	mu.Lock()
	on := joined[v.last()]
	for i, topic := range topics {
		if want := i >= 6; on[topic.String()] != want {
			t.Errorf("%s is subscribed: %v, want %v", topic, on[topic.String()], want)
		} else if want && !whole[topic.String()] {
			t.Errorf("%s has no book", topic)
		}
	}
	mu.Unlock()
	if stats.State != "open" || stats.Topics != 6 || stats.Accepted != 6 || stats.Connects < 5 {
		t.Errorf("stats %+v", stats)
	}
	s.Close()
	consumer.Wait()
}
