package bybittest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybittest"
	"github.com/bywire/bywire/exchange"
)

// one is a market of one symbol.
func one(seed uint64) *exchange.Config {
	return &exchange.Config{Seed: seed, Symbols: []string{"linear:BTCUSDT"}}
}

// received takes what a stream has got, once nothing more is on its way. It is for bubbles.
func received(t *testing.T, s *bybit.Stream) (events []bybit.Event) {
	t.Helper()
	for {
		synctest.Wait()
		ev, ok, err := s.TryRecv()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return events
		}
		events = append(events, ev)
	}
}

// The time stands still but for Advance, and what happens is then at the client, in a bubble.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bybittest.NewExchange(t, nil)
		s, err := x.Client().Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
		if err != nil {
			t.Fatal(err)
		}
		first := received(t, s)
		if len(first) != 1 {
			t.Fatalf("%d events at the beginning, want the snapshot", len(first))
		}
		time.Sleep(time.Minute)
		if events := received(t, s); len(events) != 0 {
			t.Fatalf("%d events although the time stood still", len(events))
		}
		begun := time.Now()
		x.Advance(10 * time.Second)
		books, trades := 0, 0
		for _, ev := range received(t, s) {
			switch e := ev.(type) {
			case *bybit.BookEvent:
				books++
				if at := e.Time.Sub(x.Now()); at > 0 || at < -10*time.Second {
					t.Errorf("a book of %s at %s", e.Time, x.Now())
				}
			case *bybit.TradesEvent:
				trades++
			default:
				t.Errorf("%T %+v", ev, ev)
			}
		}
		if books < 10 || trades == 0 {
			t.Errorf("%d books and %d trades in ten seconds", books, trades)
		}
		if want := time.Date(2026, 1, 1, 0, 0, 10, 0, time.UTC); !x.Now().Equal(want) {
			t.Errorf("it is %s, want %s", x.Now(), want)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("ten seconds took %s of the test's", took)
		}
	})
}

// A seed has one market, in a bubble and outside, with clients and without.
func TestOneSeedOneMarket(t *testing.T) {
	run := func(t *testing.T, seed uint64, watched bool) [32]byte {
		x := bybittest.NewExchange(t, one(seed))
		if watched {
			if _, err := x.Client().Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(200, "BTCUSDT"), bybit.Tickers("BTCUSDT")); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			x.Advance(time.Second)
		}
		return x.State().Hash
	}
	want := run(t, 7, false)
	synctest.Test(t, func(t *testing.T) {
		if got := run(t, 7, true); got != want {
			t.Errorf("hash %x, want %x", got, want)
		}
	})
	if run(t, 8, false) == want {
		t.Error("another seed has the same market")
	}
}

// Many at the same time do not know of each other.
func TestFiftyInParallel(t *testing.T) {
	var mu sync.Mutex
	hashes := map[uint64][][32]byte{}
	t.Run("all", func(t *testing.T) {
		for n := range 50 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				seed := uint64(n / 2)
				x := bybittest.NewExchange(t, one(seed))
				s, err := x.Client().Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT"))
				if err != nil {
					t.Fatal(err)
				}
				x.Advance(2 * time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				for range 10 {
					ev, err := s.Recv(ctx)
					if err != nil {
						t.Fatal(err)
					}
					if e, ok := ev.(*bybit.BookEvent); !ok || e.Book.Err() != nil {
						t.Fatalf("%T %+v", ev, ev)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				hashes[seed] = append(hashes[seed], x.State().Hash)
			})
		}
	})
	for seed, pair := range hashes {
		if len(pair) != 2 || pair[0] != pair[1] {
			t.Errorf("seed %d: %x", seed, pair)
		}
	}
	if len(hashes) != 25 {
		t.Errorf("%d seeds, want 25", len(hashes))
	}
}

// REST and the control API are there, and connections can be cut.
func TestTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bybittest.NewExchange(t, one(1))
		client := x.Client()
		now, err := client.Market.ServerTime(t.Context())
		if err != nil || !now.TimeNano.Equal(x.Now()) {
			t.Errorf("server time %+v, %v; want %s", now, err, x.Now())
		}
		resp, err := x.HTTP().Get("http://localhost/control/v1/state")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		var state struct {
			Seed        uint64
			Instruments int
		}
		if err != nil || json.Unmarshal(text, &state) != nil || state.Seed != 1 || state.Instruments != 1 {
			t.Errorf("state: %v %s", err, text)
		}
		s, err := client.Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT"))
		if err != nil {
			t.Fatal(err)
		}
		received(t, s)
		if n := x.DropConnections(); n == 0 {
			t.Error("no connection to drop")
		}
		time.Sleep(time.Minute)
		var kinds []string
		for _, ev := range received(t, s) {
			kinds = append(kinds, fmt.Sprintf("%T", ev))
		}
		if want := []string{"*bybit.GapEvent", "*bybit.BookEvent"}; !slices.Equal(kinds, want) {
			t.Errorf("after the drop: %v, want %v", kinds, want)
		}
	})
}

// recorder is a test that notes its failures.
type recorder struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) end() []string {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	return r.errors
}

// leaky starts a goroutine at its first line that ends when it is told to.
type leaky struct{ stop chan struct{} }

func (l *leaky) Write(p []byte) (int, error) {
	if l.stop == nil {
		l.stop = make(chan struct{})
		go func() { <-l.stop }()
	}
	return len(p), nil
}

func TestLeftoversAreErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		x := bybittest.NewExchange(r, one(1))
		client, err := bybit.NewClient(x.Options())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT")); err != nil {
			t.Fatal(err)
		}
		told := r.end()
		client.Close()
		if len(told) != 1 || !strings.Contains(told[0], "1 connections are still open") {
			t.Errorf("a client that is left open: %q", told)
		}

		r = &recorder{TB: t}
		journal := &leaky{}
		cfg := one(1)
		cfg.Journal = journal
		bybittest.NewExchange(r, cfg)
		told = r.end()
		close(journal.stop)
		if len(told) != 1 || !strings.Contains(told[0], "goroutines of the exchange") || !strings.Contains(told[0], "leaky") {
			t.Errorf("a goroutine that is left: %q", told)
		}

		r = &recorder{TB: t}
		x = bybittest.NewExchange(r, one(1))
		if _, err := x.Client().Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT")); err != nil {
			t.Fatal(err)
		}
		if told := r.end(); len(told) != 0 {
			t.Errorf("a stream of Client: %q", told)
		}
	})
}

// A configuration that says nothing of limits has none, whatever else it says; one that asks for the venue's has them.
func TestLimitsAreAskedFor(t *testing.T) {
	for _, test := range []struct {
		limits exchange.Limits
		want   int
	}{{exchange.LimitsDefault, http.StatusOK}, {exchange.LimitsOff, http.StatusOK}, {exchange.LimitsReal, http.StatusForbidden}} {
		cfg := one(7)
		cfg.Limits = test.limits
		x := bybittest.NewExchange(t, cfg)
		status := 0
		for range 601 {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "http://localhost/v5/market/time", http.NoBody)
			x.ServeHTTP(w, r)
			status = w.Code
		}
		if status != test.want {
			t.Errorf("limits %d: request 601 gets %d, want %d", test.limits, status, test.want)
		}
	}
}

// After Reset the run is the same run.
func TestResetIsQuiet(t *testing.T) {
	x := bybittest.NewExchange(t, one(3))
	var hashes [2][32]byte
	for i := range hashes {
		x.Advance(3 * time.Second)
		hashes[i] = x.State().Hash
		if err := x.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if hashes[0] != hashes[1] {
		t.Errorf("the first run came to %x, the second to %x", hashes[0], hashes[1])
	}
}

// Forks that nobody has closed end with the test, and are watched as the exchange is.
func TestForksEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		x := bybittest.NewExchange(r, one(1))
		var forks []*exchange.Exchange
		for range 2 {
			y, err := x.Fork(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			forks = append(forks, y)
		}
		z, err := forks[0].Fork(t.Context()) // of a fork
		if err != nil {
			t.Fatal(err)
		}
		forks[1].Close()
		if _, err := forks[0].Advance(t.Context(), time.Second); err != nil {
			t.Error(err)
		}
		if errs := r.end(); len(errs) != 0 {
			t.Errorf("at the end: %q", errs)
		}
		for i, y := range append(forks, z) {
			if _, err := y.State(t.Context()); !errors.Is(err, exchange.ErrClosed) {
				t.Errorf("fork %d after the end: %v", i, err)
			}
		}
		if _, err := x.Fork(t.Context()); !errors.Is(err, exchange.ErrClosed) {
			t.Errorf("a fork of an exchange that has ended: %v", err)
		}
	})
}

func BenchmarkNewExchange(b *testing.B) {
	for name, cfg := range map[string]*exchange.Config{"all": nil, "one": one(1)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bybittest.NewExchange(b, cfg)
			}
		})
	}
}
