package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
)

// Ten minutes of a feed of 1,000 messages a second that nobody looks at. The
// connection stays and memory is bounded, whatever the queue does when it is full;
// unless it waits, the exchange never has to. Afterwards every message is accounted
// for.
func TestFailureClass25_AsleepForTenMinutes(t *testing.T) {
	for _, c := range []struct {
		name     string
		overflow bybit.Overflow
		queue    int
	}{
		{"gap", bybit.OverflowGap, 1 << 20},
		{"conflate", bybit.OverflowConflate, 1 << 20},
		{"wait", bybit.OverflowWait, 8 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				s := v.stream(&bybit.StreamOptions{QueueBytes: c.queue, Overflow: c.overflow},
					bybit.OrderBook(50, "BTCUSDT"), bybit.Tickers("BTCUSDT"), bybit.Trades("BTCUSDT"))
				sleepThrough(t, v, s, c.overflow, c.queue)
			})
		})
	}
}

func sleepThrough(t *testing.T, v *venue, s *bybit.Stream, overflow bybit.Overflow, queue int) {
	const seconds, bursts, size = 600, 4, 250
	conn := v.last()
	conn.send(snapshot("BTCUSDT", 1, "1"), tickerFrame("snapshot", "BTCUSDT", `"lastPrice":"1","markPrice":"1"`))
	wantEvents(t, s, "book BTCUSDT u=1 bid 100 x 1", "ticker BTCUSDT last 1* mark 1* complete true")
	before := heapInUse()
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		frames := make([]string, size)
		ticker, trade := tickerFrame("delta", "BTCUSDT", `"lastPrice":"2"`), tradeFrame("BTCUSDT", 1)
		before, after, _ := strings.Cut(delta("BTCUSDT", 77, "2"), `"u":77,`)
		u := 1
		for i := range seconds * bursts {
			for k := range frames {
				switch k % 5 {
				case 0:
					frames[k] = ticker
				case 1:
					frames[k] = trade
				default:
					u++
					frames[k] = before + `"u":` + strconv.Itoa(u) + "," + after
				}
			}
			start := time.Now()
			conn.send(frames...)
			if took := time.Since(start); took > 0 && overflow != bybit.OverflowWait {
				t.Errorf("burst %d: the exchange waited for %v", i, took)
				return
			}
			time.Sleep(time.Second / bursts)
		}
	}()
	for range 60 {
		pass(10 * time.Second)
		if queued := s.Stats().QueueBytes; queued > queue/2 {
			t.Fatalf("%d bytes are queued, more than half of %d", queued, queue)
		}
		// The network holds another 256 KiB, what is read and what is conflated as
		// much again.
		if grown := heapInUse() - before; grown > 4*int64(queue)+8<<20 {
			t.Fatalf("the heap has grown by %d bytes", grown)
		}
	}
	wantBooks, wantTickers, wantTrades := seconds*bursts*size*3/5, seconds*bursts*size/5, seconds*bursts*size/5
	got := map[string]int{}
	for {
		ev, ok, err := s.TryRecv()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			select {
			case <-s.Ready():
				continue
			case <-fed:
			}
			if synctest.Wait(); len(s.Ready()) == 0 {
				break
			}
			continue
		}
		switch ev := ev.(type) {
		case *bybit.BookEvent:
			got["books"] += 1 + ev.Conflated
		case *bybit.TickerEvent:
			got["tickers"] += 1 + ev.Conflated
		case *bybit.TradesEvent:
			got["trades"]++
		case *bybit.GapEvent:
			got["gaps"]++
			got["gap "+ev.Topic.String()]++
		}
	}
	stats := s.Stats()
	sum := int64(got["books"]+got["tickers"]+got["trades"]) + stats.Dropped
	if v.connects() != 1 || sum != int64(wantBooks+wantTickers+wantTrades) {
		t.Errorf("%d connections; %v and %d dropped are %d messages, want %d", v.connects(), got, stats.Dropped, sum, wantBooks+wantTickers+wantTrades)
	}
	switch overflow {
	case bybit.OverflowGap:
		if got["gap orderbook.50.BTCUSDT"] == 0 || got["gap tickers.BTCUSDT"] == 0 || got["gap publicTrade.BTCUSDT"] == 0 {
			t.Errorf("%v: want a gap of each topic", got)
		}
	case bybit.OverflowConflate:
		if got["books"] != wantBooks || got["tickers"] != wantTickers || got["gaps"] != 1 || got["gap publicTrade.BTCUSDT"] != 1 {
			t.Errorf("%v: want every book and ticker, and one gap of the trades", got)
		}
	case bybit.OverflowWait:
		if got["gaps"] != 0 || stats.Dropped != 0 {
			t.Errorf("%v, %d dropped: want nothing lost", got, stats.Dropped)
		}
	}
	s.Close()
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A panic in the user's loop is the user's: whoever recovers goes on with the next
// event, and the connection has noticed nothing.
func TestFailureClass25_PanicInTheLoop(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
		v.last().send(snapshot("BTCUSDT", 1, "1"), tradeFrame("BTCUSDT", 1))
		var got []string
		for round := 2; round < 6; round++ {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				for ev, err := range s.Events(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, describe(ev))
					if len(got)%2 == 0 {
						v.last().send(delta("BTCUSDT", round, "2"), tradeFrame("BTCUSDT", round))
						pass(time.Minute) // a while in which nobody receives
						panic("the handler's")
					}
				}
			}()
		}
		want := []string{"book BTCUSDT u=1 bid 100 x 1", "trades BTCUSDT seq=1"}
		for round := 2; round < 5; round++ {
			want = append(want, fmt.Sprintf("book BTCUSDT u=%d bid 100 x 2", round), fmt.Sprintf("trades BTCUSDT seq=%d", round))
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if v.connects() != 1 || s.Stats().State != "open" {
			t.Errorf("%d connections, %s", v.connects(), s.Stats().State)
		}
		s.Close()
	})
}

// Subscribe, Unsubscribe and Close work inside the loop, also while the queue is
// full, and of a merged stream's part. What was queued before Close still comes.
func TestFailureClass25_CallsInsideTheLoop(t *testing.T) {
	for _, c := range []struct {
		name     string
		overflow bybit.Overflow
		merged   bool
	}{
		{"gap", bybit.OverflowGap, false}, {"conflate", bybit.OverflowConflate, false},
		{"wait", bybit.OverflowWait, false}, {"merged", bybit.OverflowGap, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				// A queue that a reader would wait for, if it waited for any.
				part := v.stream(&bybit.StreamOptions{QueueBytes: 1 << 20, Overflow: c.overflow}, bybit.Trades("BTCUSDT"))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				s := part
				if c.merged {
					s = bybit.Merge(part)
				}
				conn := v.last()
				conn.send(tradeFrame("BTCUSDT", 0))
				step, gaps := 0, 0
				for ev, err := range s.Events(ctx) {
					if err != nil {
						if !errors.Is(err, bybit.ErrClosed) {
							t.Errorf("step %d: %v", step, err)
						}
						break
					}
					if _, ok := ev.(*bybit.GapEvent); ok {
						gaps++
						continue
					}
					start := time.Now()
					switch step++; step {
					case 1:
						// 1.4 MB: more than the queue holds, unless it would wait.
						frames := make([]string, 3000)
						for k := range frames {
							frames[k] = tradeFrame("BTCUSDT", k)
						}
						go conn.send(frames...)
						synctest.Wait()
						if err := part.Subscribe(ctx, bybit.Trades("ETHUSDT")); err != nil {
							t.Error(err)
						}
					case 2:
						if err := part.Unsubscribe(ctx, bybit.Trades("BTCUSDT")); err != nil {
							t.Error(err)
						}
						conn.send(tradeFrame("ETHUSDT", 1), tradeFrame("ETHUSDT", 2))
					case 3:
						if got := describe(ev); got != "trades ETHUSDT seq=1" {
							t.Errorf("got %s after Unsubscribe", got)
						}
						conn.send(tradeFrame("ETHUSDT", 3))
						synctest.Wait()
						s.Close()
					default:
						if got := describe(ev); got != fmt.Sprintf("trades ETHUSDT seq=%d", step-2) {
							t.Errorf("got %s in step %d, want what was queued before Close", got, step)
						}
					}
					if took := time.Since(start); took > 2*time.Second {
						t.Errorf("step %d took %v", step, took)
					}
				}
				if step != 5 || (gaps > 0) == (c.overflow == bybit.OverflowWait) {
					t.Errorf("%d steps and %d gaps", step, gaps)
				}
			})
		})
	}
}
