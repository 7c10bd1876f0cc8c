package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// outages are the ways in which a connection may end and its successor be
// refused. Each returns what makes the venue well again.
var outages = []struct {
	name string
	hit  func(v *venue, ill *atomic.Int32) (heal func())
}{
	{"the network is gone", func(v *venue, _ *atomic.Int32) func() {
		v.ln.Refuse(errors.New("network is unreachable"))
		v.ln.CutAll()
		return func() { v.ln.Refuse(nil) }
	}},
	{"handshakes are refused", func(v *venue, ill *atomic.Int32) func() {
		ill.Store(refusesHandshakes)
		v.last().close(1001, "maintenance")
		return func() { ill.Store(well) }
	}},
	{"closed without a code", func(v *venue, ill *atomic.Int32) func() {
		ill.Store(refusesHandshakes)
		v.last().end()
		return func() { ill.Store(well) }
	}},
	{"connections are accepted and dead", func(v *venue, ill *atomic.Int32) func() {
		ill.Store(answersNothing)
		return func() { ill.Store(well) }
	}},
	{"connections are cut as soon as they subscribe", func(v *venue, ill *atomic.Int32) func() {
		ill.Store(cutsSubscribers)
		v.ln.CutAll()
		return func() { ill.Store(well) }
	}},
}

const (
	well int32 = iota
	refusesHandshakes
	answersNothing
	cutsSubscribers
)

// TestFailureClass01_AWeekOfOutages: whatever the outage is and however long it
// lasts, the stream is back within a delay, a dead peer's time and an unanswered
// request's, and says that it was away.
func TestFailureClass01_AWeekOfOutages(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		var ill atomic.Int32
		v.upgrade = func() error {
			if ill.Load() == refusesHandshakes {
				return forbidden()
			}
			return nil
		}
		v.script = func(c *venueConn, _ []byte, req *wire.Request) bool {
			switch ill.Load() {
			case answersNothing:
				return true
			case cutsSubscribers:
				if req.Op == wire.OpSubscribe {
					c.Close()
				}
				return true
			}
			return false
		}
		v.onJoin = func(c *venueConn, topic string) { c.send(snapshot("BTCUSDT", 7, "1")) }
		s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"))
		wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1")
		const bound = 30*time.Second + 30*time.Second + 10*time.Second
		began, dice := time.Now(), rand.New(rand.NewPCG(1, 1))
		rounds, unseen := 0, 0
		for ; time.Since(began) < 7*24*time.Hour; rounds++ {
			calm := time.NewTimer(time.Duration(dice.Int64N(int64(2 * time.Hour))))
			<-calm.C
			// Calm enough for the topic to be taken for silent: it is subscribed anew.
			synctest.Wait()
			for ev, ok, err := s.TryRecv(); ok; ev, ok, err = s.TryRecv() {
				if _, gap := ev.(*bybit.GapEvent); gap || err != nil {
					t.Fatalf("in calm weather the stream said %v, %v", ev, err)
				}
			}
			o := outages[dice.IntN(len(outages))]
			heal := o.hit(v, &ill)
			outage := time.NewTimer(time.Duration(dice.Int64N(int64(time.Hour))) * time.Duration(1+dice.IntN(3)))
			<-outage.C
			heal()
			healed := time.Now()
			back := time.NewTimer(bound)
			<-back.C
			synctest.Wait()
			var seen []string
			for {
				ev, ok, err := s.TryRecv()
				if err != nil {
					t.Fatalf("%s: the stream ended with %v", o.name, err)
				}
				if !ok {
					break
				}
				if _, silent := ev.(*bybit.SilentEvent); !silent {
					seen = append(seen, describe(ev))
				}
			}
			// An outage shorter than it takes to notice a dead peer may pass
			// unseen; any other is one gap and one new book.
			want := []string{"gap orderbook.50.BTCUSDT disconnected dropped 0", "book BTCUSDT u=7 bid 100 x 1"}
			if len(seen) == 0 {
				unseen++
			} else if fmt.Sprint(seen) != fmt.Sprint(want) {
				t.Fatalf("%s: %v after its end the stream has said %q, want %q", o.name, time.Since(healed), seen, want)
			}
			if state := s.Stats().State; state != "open" {
				t.Fatalf("%s: the stream is %s %v after its end", o.name, state, time.Since(healed))
			}
		}
		if rounds < 50 || unseen > rounds/10 {
			t.Errorf("%d outages in a week, of which %d passed unseen", rounds, unseen)
		}
		s.Close()
	})
}

// slowWriter takes its time in the middle of each write, so that two at once would mix.
type slowWriter struct{ net.Conn }

func (w slowWriter) Write(p []byte) (int, error) {
	half := len(p) / 2
	n, err := w.Conn.Write(p[:half])
	if err != nil {
		return n, err
	}
	time.Sleep(time.Millisecond)
	m, err := w.Conn.Write(p[half:])
	return n + m, err
}

// TestFailureClass15_ManyCallers lets many goroutines subscribe and unsubscribe
// at once, over pings and a reconnect. Every frame that the venue reads is a whole
// request; it complains if not.
func TestFailureClass15_ManyCallers(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		c, err := bybit.NewClient(&bybit.Options{Environment: v.env, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := v.ln.Dial(ctx, network, addr)
			return slowWriter{nc}, err
		}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.Public(t.Context(), bybit.Linear, nil, bybit.Trades("BTCUSDT"))
		if err != nil {
			t.Fatal(err)
		}
		var callers sync.WaitGroup
		for i := range 20 {
			callers.Go(func() {
				topic := bybit.Trades(fmt.Sprintf("COIN%dUSDT", i))
				for range 25 {
					if err := s.Subscribe(t.Context(), topic); err != nil {
						t.Error(err)
					}
					if err := s.Unsubscribe(t.Context(), topic); err != nil {
						t.Error(err)
					}
				}
			})
		}
		callers.Go(func() {
			later := time.NewTimer(time.Second)
			<-later.C
			v.ln.CutAll()
		})
		callers.Wait()
		if stats := s.Stats(); stats.Topics != 1 {
			t.Errorf("%d topics are left, want 1", stats.Topics)
		}
		s.Close()
	})
}

// TestFailureClass16_NothingGathersOverReconnects: a thousand connections leave
// no goroutine and no memory behind while the stream lives.
func TestFailureClass16_NothingGathersOverReconnects(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		reconnect := func(times int) {
			for range times {
				v.ln.CutAll()
				wantEvents(t, s, "gap publicTrade.BTCUSDT disconnected dropped 0")
				calm := time.NewTimer(time.Minute)
				<-calm.C
			}
			synctest.Wait()
			v.mu.Lock()
			v.conns, v.log = v.conns[len(v.conns)-1:], nil // what the venue of the test keeps
			v.mu.Unlock()
		}
		figures := func() (int, uint64) {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return runtime.NumGoroutine(), m.HeapAlloc
		}
		reconnect(50)
		goroutines, heap := figures()
		reconnect(1000)
		goroutinesNow, heapNow := figures()
		if goroutinesNow > goroutines {
			t.Errorf("%d goroutines, %d a thousand connections ago", goroutinesNow, goroutines)
		}
		if more := int64(heapNow - heap); more > 1<<20 {
			t.Errorf("%d bytes more than a thousand connections ago", more)
		}
		s.Close()
	})
}

// A snapshot of a new count of update ids that does not begin it says that
// messages are missing: the new count's first, at least.
func TestSnapshotInTheMiddleOfANewCount(t *testing.T) {
	tests := []struct {
		name string
		next string
		want []string
	}{
		{"the same again", snapshot("BTCUSDT", 57, "1"), []string{"book BTCUSDT u=57 bid 100 x 1"}},
		{"the next", snapshot("BTCUSDT", 58, "2"), []string{"book BTCUSDT u=58 bid 100 x 2"}},
		{"a restart", snapshot("BTCUSDT", 1, "2"), []string{"book BTCUSDT u=1 bid 100 x 2"}},
		{"after a restart", snapshot("BTCUSDT", 8, "2"), []string{"gap orderbook.50.BTCUSDT book dropped 0", "book BTCUSDT u=8 bid 100 x 2"}},
		{"ahead", snapshot("BTCUSDT", 60, "2"), []string{"gap orderbook.50.BTCUSDT book dropped 0", "book BTCUSDT u=60 bid 100 x 2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"))
				v.last().send(snapshot("BTCUSDT", 57, "1"), tt.next)
				wantEvents(t, s, append([]string{"book BTCUSDT u=57 bid 100 x 1"}, tt.want...)...)
				wantNone(t, s)
				s.Close()
			})
		})
	}
}
