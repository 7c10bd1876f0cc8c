package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
)

// feeds opens a stream per symbol, of its trades and its book, and returns where
// the venue pushes them.
func (v *venue) feeds(symbols ...string) (streams []*bybit.Stream, conns []*venueConn) {
	v.tb.Helper()
	for _, symbol := range symbols {
		streams = append(streams, v.stream(nil, bybit.Trades(symbol), bybit.OrderBook(50, symbol)))
		conns = append(conns, v.last())
	}
	return streams, conns
}

// pass lets time go by, and what is on its way arrive.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestMergeIsOldestFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		streams, conns := v.feeds("BTCUSDT", "ETHUSDT", "SOLUSDT")
		s := bybit.Merge(streams...)
		conns[2].send(snapshot("SOLUSDT", 7, "1"))
		pass(time.Millisecond)
		conns[1].send(tradeFrame("ETHUSDT", 1))
		pass(time.Millisecond)
		conns[0].send(tradeFrame("BTCUSDT", 2), tradeFrame("BTCUSDT", 3))
		pass(time.Millisecond)
		conns[2].send(delta("SOLUSDT", 8, "2"))
		pass(time.Millisecond)
		conns[1].send(tradeFrame("ETHUSDT", 4))
		pass(time.Millisecond)
		conns[0].send(tradeFrame("BTCUSDT", 5))
		synctest.Wait()
		wantEvents(t, s, "book SOLUSDT u=7 bid 100 x 1", "trades ETHUSDT seq=1", "trades BTCUSDT seq=2")
		// What comes in while the consumer is in the middle of it takes its place.
		pass(time.Millisecond)
		conns[1].send(tradeFrame("ETHUSDT", 6))
		synctest.Wait()
		wantEvents(t, s, "trades BTCUSDT seq=3", "book SOLUSDT u=8 bid 100 x 2", "trades ETHUSDT seq=4",
			"trades BTCUSDT seq=5", "trades ETHUSDT seq=6")
		wantNone(t, s)
		s.Close()
	})
}

// A notice stands where it happened, not before what was queued earlier elsewhere.
func TestMergeOrdersNotices(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		streams, conns := v.feeds("BTCUSDT", "ETHUSDT")
		s := bybit.Merge(streams...)
		conns[0].send(tradeFrame("BTCUSDT", 1))
		pass(time.Millisecond)
		conns[1].Close()
		pass(time.Millisecond)
		conns[0].send(tradeFrame("BTCUSDT", 2))
		synctest.Wait()
		wantEvents(t, s, "trades BTCUSDT seq=1", "gap publicTrade.ETHUSDT disconnected dropped 0",
			"gap orderbook.50.ETHUSDT disconnected dropped 0", "trades BTCUSDT seq=2")
		s.Close()
	})
}

// Streams that receive at the same time take turns.
func TestMergeIsFair(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		streams, conns := v.feeds("BTCUSDT", "ETHUSDT", "SOLUSDT")
		s := bybit.Merge(streams...)
		symbols := []string{"BTCUSDT", "ETHUSDT", "SOLUSDT"}
		for i, c := range conns {
			frames := make([]string, 100)
			for k := range frames {
				frames[k] = tradeFrame(symbols[i], k)
			}
			c.send(frames...)
		}
		synctest.Wait()
		for k := range 100 {
			for range symbols {
				ev, err := s.Recv(t.Context())
				if trades, ok := ev.(*bybit.TradesEvent); err != nil || !ok || trades.Trades[0].Seq != int64(k) {
					t.Fatalf("got %s, %v, want message %d of each stream first", describe(ev), err, k)
				}
			}
		}
		s.Close()
	})
}

// A merged stream under random load: nothing is lost or late, each stream's order
// is kept, and times of receipt do not go back among what was queued.
func TestMergeUnderLoad(t *testing.T) {
	for seed := range uint64(5) {
		inBubble(t, func(t *testing.T, v *venue) {
			const n = 400
			symbols := []string{"BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"}
			streams, conns := v.feeds(symbols...)
			inner := bybit.Merge(streams[:2]...)
			s := bybit.Merge(inner, streams[2], streams[3])
			var wg sync.WaitGroup
			for i, c := range conns {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(i)))
					for k := 0; k < n; {
						frames := make([]string, 0, 8)
						for range min(1+r.IntN(8), n-k) {
							frames = append(frames, tradeFrame(symbols[i], k))
							k++
						}
						c.send(frames...)
						time.Sleep(time.Duration(r.IntN(500)) * time.Microsecond)
					}
				})
			}
			go func() {
				wg.Wait()
				time.Sleep(time.Second)
				s.Close()
			}()
			r := rand.New(rand.NewPCG(seed, 99))
			next := map[string]int64{}
			var last time.Time
			wait := r.IntN(2) == 0
			for {
				ev, ok, err := s.TryRecv()
				if !ok && err == nil {
					if wait {
						<-s.Ready()
						continue
					}
					ev, err = s.Recv(t.Context())
				}
				if err != nil {
					if !errors.Is(err, bybit.ErrClosed) {
						t.Fatal(err)
					}
					break
				}
				trades := ev.(*bybit.TradesEvent)
				if got := trades.Trades[0].Seq; got != next[trades.Topic.Symbol()] {
					t.Fatalf("seed %d: %s: message %d, want %d", seed, trades.Topic, got, next[trades.Topic.Symbol()])
				}
				next[trades.Topic.Symbol()]++
				if trades.Received.Before(last) {
					t.Fatalf("seed %d: received %v after %v", seed, trades.Received, last)
				}
				last = trades.Received
				if r.IntN(20) == 0 {
					wait = !wait
					pass(time.Duration(r.IntN(3000)) * time.Microsecond)
				}
			}
			for _, symbol := range symbols {
				if next[symbol] != n {
					t.Errorf("seed %d: %s: %d messages, want %d", seed, symbol, next[symbol], n)
				}
			}
		})
	}
}

func TestMergeOwnsItsParts(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		streams, conns := v.feeds("BTCUSDT", "ETHUSDT")
		conns[0].send(snapshot("BTCUSDT", 7, "1"), tradeFrame("BTCUSDT", 1))
		ev, err := streams[0].Recv(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		before := ev.(*bybit.BookEvent)
		s := bybit.Merge(streams...)
		if err := before.Book.Err(); err != nil {
			t.Errorf("a book that was received before Merge = %v, want it valid until the next Recv", err)
		}
		wantEvents(t, s, "trades BTCUSDT seq=1") // in the batch of the part already
		if err := before.Book.Err(); !errors.Is(err, book.ErrStale) {
			t.Errorf("after the next Recv = %v, want ErrStale", err)
		}
		if _, err := streams[0].Recv(t.Context()); !errors.Is(err, bybit.ErrMerged) {
			t.Errorf("Recv of a part = %v, want ErrMerged", err)
		}
		if _, _, err := streams[1].TryRecv(); !errors.Is(err, bybit.ErrMerged) {
			t.Errorf("TryRecv of a part = %v, want ErrMerged", err)
		}
		for ev, err := range streams[1].Events(t.Context()) {
			if ev != nil || !errors.Is(err, bybit.ErrMerged) {
				t.Errorf("Events of a part = %v, %v, want ErrMerged", ev, err)
			}
		}
		// The book of one part is valid until the next Recv, of whatever part.
		conns[0].send(delta("BTCUSDT", 8, "2"))
		pass(time.Millisecond)
		conns[1].send(tradeFrame("ETHUSDT", 2))
		ev, err = s.Recv(t.Context())
		first, ok := ev.(*bybit.BookEvent)
		if err != nil || !ok || first.Book.Err() != nil {
			t.Fatalf("got %v, %v, want a book", ev, err)
		}
		wantEvents(t, s, "trades ETHUSDT seq=2")
		if err := first.Book.Err(); !errors.Is(err, book.ErrStale) || first.Bids != nil {
			t.Errorf("a late read = %v, want ErrStale", err)
		}
		// Topics stay with the parts.
		if s.Subscribe(t.Context(), bybit.Trades("XRPUSDT")) == nil || s.Unsubscribe(t.Context(), bybit.Trades("BTCUSDT")) == nil {
			t.Error("Subscribe and Unsubscribe of a merged stream: no error")
		}
		if err := streams[1].Subscribe(t.Context(), bybit.Trades("XRPUSDT")); err != nil {
			t.Error(err)
		}
		conns[1].send(tradeFrame("XRPUSDT", 3))
		wantEvents(t, s, "trades XRPUSDT seq=3")
		if stats := s.Stats(); stats.State != "open" || stats.Topics != 5 || stats.Connects != 2 || stats.Accepted != 5 {
			t.Errorf("stats %+v, want the sums", stats)
		}
		s.Close()
		if _, err := s.Recv(t.Context()); !errors.Is(err, bybit.ErrClosed) {
			t.Errorf("Recv after Close = %v, want ErrClosed", err)
		}
		for _, part := range streams {
			if state := part.Stats().State; state != "closed" {
				t.Errorf("a part is %s after Close", state)
			}
		}
	})
}

func TestMergeEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		ends string // of each part: c closed by the user, e end of its capture
		want error
	}{
		{"all closed", "cc", bybit.ErrClosed},
		{"all replays over", "ee", bybit.ErrEndOfCapture},
		{"differently", "ec", bybit.ErrClosed},
		{"the other way round", "ce", bybit.ErrClosed},
		{"a replay alone", "e", bybit.ErrEndOfCapture},
		{"nothing", "", bybit.ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				streams, conns := v.feeds([]string{"BTCUSDT", "ETHUSDT"}[:len(c.ends)]...)
				s := bybit.Merge(streams...)
				var want []string
				for i, how := range c.ends {
					wantNone(t, s)
					conns[i].send(tradeFrame("BTCUSDT", i))
					if i == 1 {
						conns[i].send(tradeFrame("ETHUSDT", i))
						want = []string{"trades ETHUSDT seq=1"}
					} else {
						want = []string{"trades BTCUSDT seq=0"}
					}
					if how == 'e' {
						conns[i].close(1000, "end of capture")
					} else {
						synctest.Wait()
						streams[i].Close()
					}
					wantEvents(t, s, want...)
				}
				for range 2 {
					if ev, err := s.Recv(t.Context()); !errors.Is(err, c.want) || ev != nil {
						t.Errorf("Recv = %v, %v, want %v", ev, err, c.want)
					}
					if ev, ok, err := s.TryRecv(); !errors.Is(err, c.want) || ok {
						t.Errorf("TryRecv = %v, %v, want %v", ev, err, c.want)
					}
				}
				if state := s.Stats().State; state != "closed" {
					t.Errorf("state %q, want closed", state)
				}
				s.Close()
			})
		})
	}
}

// What is merged twice, or is in use, is refused whole; what is named twice counts
// once.
func TestMergeRefuses(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		streams, conns := v.feeds("BTCUSDT", "ETHUSDT", "SOLUSDT")
		refused := func(name string, s *bybit.Stream, want error) {
			t.Helper()
			if _, err := s.Recv(t.Context()); !errors.Is(err, want) {
				t.Errorf("%s: Recv = %v, want %v", name, err, want)
			}
			if _, ok, err := s.TryRecv(); !errors.Is(err, want) || ok {
				t.Errorf("%s: TryRecv = %v, %v, want %v", name, ok, err, want)
			}
			if err := s.Close(); err != nil {
				t.Errorf("%s: Close = %v", name, err)
			}
		}
		one := bybit.Merge(streams[0], nil, streams[0])
		refused("part of another", bybit.Merge(streams[1], streams[0]), bybit.ErrMerged)
		wantNone(t, streams[1]) // is free again

		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := streams[1].Recv(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		refused("receiving", bybit.Merge(streams[2], streams[1]), bybit.ErrConcurrentRecv)
		cancel()
		wg.Wait()

		two := bybit.Merge(one, streams[0], streams[1], one)
		refused("a refused one", bybit.Merge(streams[2], bybit.Merge(one)), bybit.ErrMerged)
		if _, err := one.Recv(t.Context()); !errors.Is(err, bybit.ErrMerged) {
			t.Errorf("Recv of a merged part = %v, want ErrMerged", err)
		}
		conns[0].send(tradeFrame("BTCUSDT", 1))
		pass(time.Millisecond)
		conns[1].send(tradeFrame("ETHUSDT", 2))
		wantEvents(t, two, "trades BTCUSDT seq=1", "trades ETHUSDT seq=2")
		if got := two.Stats().Connects; got != 2 {
			t.Errorf("%d connections in the sum, want 2: each part once", got)
		}
		wg.Go(func() {
			if _, err := two.Recv(t.Context()); !errors.Is(err, bybit.ErrClosed) {
				t.Error(err)
			}
		})
		synctest.Wait()
		if _, err := two.Recv(t.Context()); !errors.Is(err, bybit.ErrConcurrentRecv) {
			t.Errorf("a second Recv = %v, want ErrConcurrentRecv", err)
		}
		two.Close()
		wg.Wait()
		streams[2].Close()
	})
}

// Whoever waits on a stream's Ready when it is merged learns of it.
func TestMergeWakesWhoWaitsOnAPart(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		streams, _ := v.feeds("BTCUSDT", "ETHUSDT")
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				if _, ok, err := streams[0].TryRecv(); err != nil {
					if !errors.Is(err, bybit.ErrMerged) {
						t.Error(err)
					}
					return
				} else if !ok {
					<-streams[0].Ready()
				}
			}
		})
		synctest.Wait()
		s := bybit.Merge(streams...)
		wg.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Recv(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Recv = %v, want the deadline", err)
		}
		s.Close()
	})
}

func ExampleMerge() {
	v := newVenue(nil) // in place of the exchange
	defer v.stop()
	client := v.client()
	var streams []*bybit.Stream
	for _, symbol := range []string{"BTCUSDT", "ETHUSDT"} {
		stream, err := client.Public(context.Background(), bybit.Linear, nil, bybit.Trades(symbol))
		if err != nil {
			fmt.Println(err)
			return
		}
		streams = append(streams, stream)
		v.last().send(tradeFrame(symbol, 1), tradeFrame(symbol, 2))
	}
	both := bybit.Merge(streams...)
	defer both.Close()
	var got []string
	for ev, err := range both.Events(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if got = append(got, describe(ev)); len(got) == 4 {
			break
		}
	}
	slices.Sort(got)
	fmt.Println(strings.Join(got, "\n"))
	// Output:
	// trades BTCUSDT seq=1
	// trades BTCUSDT seq=2
	// trades ETHUSDT seq=1
	// trades ETHUSDT seq=2
}
