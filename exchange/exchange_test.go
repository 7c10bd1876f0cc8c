package exchange

import (
	"bytes"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/internal/memnet"
)

// bench is an exchange behind a network in memory, with clients.
type bench struct {
	t       *testing.T
	x       *Exchange
	ln      *memnet.Listener
	clients []*bybit.Client
}

// inBubble runs a test with an exchange in fake time.
func inBubble(t *testing.T, cfg Config, f func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		x, err := New(&cfg)
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{t: t, x: x, ln: memnet.Listen("exchange")}
		srv := &http.Server{Handler: x, ErrorLog: log.New(io.Discard, "", 0)}
		var wg sync.WaitGroup
		wg.Go(func() { srv.Serve(b.ln) })
		defer func() {
			for _, c := range b.clients {
				c.Close()
			}
			if err := x.Close(); err != nil && !errors.Is(err, errBroken) {
				t.Errorf("Close: %v", err)
			}
			srv.Close()
			b.ln.Close()
			b.ln.CutAll()
			wg.Wait()
		}()
		f(t, b)
	})
}

func (b *bench) client() *bybit.Client {
	c, err := bybit.NewClient(&bybit.Options{
		Environment: bybit.CustomEnvironment("ws://localhost", "http://localhost"), DialContext: b.ln.Dial,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.clients = append(b.clients, c)
	return c
}

func (b *bench) stream(ch bybit.Channel, topics ...bybit.Topic) *bybit.Stream {
	b.t.Helper()
	s, err := b.client().Public(b.t.Context(), ch, nil, topics...)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// advance moves the time and wants every client to have taken what there was.
func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	late, err := b.x.Advance(b.t.Context(), d)
	if err != nil || len(late) > 0 {
		b.t.Fatalf("advance: late %q, %v", late, err)
	}
	synctest.Wait()
}

// do runs on the loop.
func (b *bench) do(f func(c *core.Core)) {
	b.t.Helper()
	if err := b.x.do(b.t.Context(), f); err != nil {
		b.t.Fatal(err)
	}
}

// stepped is a configuration of these tests: one instrument, time by Advance.
func stepped(symbols ...string) Config {
	return Config{Seed: 5, Clock: Step, Symbols: symbols, AckDelay: -1, Limits: LimitsOff}
}

// drain takes the events that have arrived.
func drain(t *testing.T, s *bybit.Stream, see func(bybit.Event)) (n int) {
	t.Helper()
	for {
		ev, ok, err := s.TryRecv()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return n
		}
		n++
		switch ev := ev.(type) {
		case *bybit.GapEvent, *bybit.RejectedEvent, *bybit.DecodeErrorEvent:
			t.Fatalf("%T %+v", ev, ev)
		}
		see(ev)
	}
}

// Clients join a running market at different times and depths; each book is verified by the SDK, and equals the engine's
// whenever the time stands at a push.
func TestLiveJoin(t *testing.T) {
	inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
		depths := []int{1, 50, 200, 1000}
		type joined struct {
			depth int
			s     *bybit.Stream
			last  *bybit.BookEvent
		}
		var all []*joined
		compared := 0
		for round := range 12 {
			if round < 8 {
				depth := depths[round%len(depths)]
				all = append(all, &joined{depth: depth, s: b.stream(bybit.Linear, bybit.OrderBook(depth, "BTCUSDT"))})
			}
			b.ladder("BTCUSDT", round)
			b.advance(1300*time.Millisecond - 100*time.Millisecond*time.Duration(round%2))
			b.advance(time.Second - time.Duration(b.x.Now().UnixNano())%time.Second)
			for _, j := range all {
				drain(t, j.s, func(ev bybit.Event) {
					if ev, ok := ev.(*bybit.BookEvent); ok {
						j.last = ev.Clone()
					}
				})
				if j.last == nil {
					t.Fatalf("round %d: no book of depth %d", round, j.depth)
				}
				compared++
				b.compare(j.last, "BTCUSDT", j.depth)
			}
		}
		if compared < 60 {
			t.Errorf("%d books compared", compared)
		}
	})
}

// ladder places outside orders on both sides around the price, and takes some.
func (b *bench) ladder(symbol string, round int) {
	b.do(func(c *core.Core) {
		in, _ := c.Catalog().Find(bybit.Linear, symbol)
		middle := in.TicksOf(c.Catalog().StartPrice(in))
		if bid, _, ok := c.Book(in.ID).Best(engine.Buy); ok {
			middle = bid
		}
		for i := range int64(20) {
			for _, side := range []engine.Side{engine.Buy, engine.Sell} {
				price := middle - 1 - (i*7+int64(round))%90
				if side == engine.Sell {
					price = middle + 1 + (i*11+int64(round))%90
				}
				if _, err := c.Do(core.Place{Instrument: in.ID, Order: engine.Order{Account: 1000, Side: side, Price: price, Qty: 1 + i}}); err != nil {
					b.t.Fatal(err)
				}
			}
		}
	})
}

// compare wants a book to be the engine's.
func (b *bench) compare(ev *bybit.BookEvent, symbol string, depth int) {
	b.t.Helper()
	for side, of := range map[book.Side]engine.Side{book.Bid: engine.Buy, book.Ask: engine.Sell} {
		got, err := ev.Book.AppendTop(nil, side, depth)
		if err != nil {
			b.t.Fatal(err)
		}
		b.do(func(c *core.Core) {
			in, ok := c.Catalog().Find(bybit.Linear, symbol)
			if !ok {
				b.t.Fatalf("no %s", symbol)
			}
			want := c.Book(in.ID).Levels(nil, of, depth, false)
			if len(got) != len(want) || len(want) == 0 {
				b.t.Fatalf("depth %d, side %v: %d levels, the engine has %d", depth, of, len(got), len(want))
			}
			for i := range want {
				if got[i].Price.Cmp(in.Price(want[i].Price)) != 0 || got[i].Size.Cmp(in.Qty(want[i].Qty)) != 0 {
					b.t.Fatalf("depth %d, side %v, level %d: %v, the engine has %v of %v", depth, of, i, got[i], in.Price(want[i].Price), in.Qty(want[i].Qty))
				}
			}
		})
	}
}

// REST and streams tell of one market: the ticker of a call is that of the stream, at the same time.
func TestRESTAnswersBetweenCommands(t *testing.T) {
	inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
		b.advance(5 * time.Second)
		reply, err := b.client().Market.ServerTime(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := b.x.Now(); !reply.TimeNano.Equal(want) {
			t.Errorf("server time %v, want %v", reply.TimeNano, want)
		}
	})
}

// orders is a source of commands from outside.
func (b *bench) orders(n int) {
	for i := range n {
		b.do(func(c *core.Core) {
			for _, in := range c.Catalog().Live() {
				price, _, ok := c.Book(in.ID).Best(engine.Side(i % 2))
				if !ok {
					price = in.TicksOf(c.Catalog().StartPrice(in))
				}
				if _, err := c.Do(core.Place{Instrument: in.ID, Order: engine.Order{
					Account: 1000, Side: engine.Side(i % 2), Price: price, Qty: int64(1 + i%7),
				}}); err != nil {
					b.t.Error(err)
				}
			}
		})
		b.advance(37 * time.Millisecond)
	}
}

// A journal of a run that was driven from outside, with clients that come and go, leads to the same hash; so it does over
// a restore and a reset.
func TestJournalIsTheRun(t *testing.T) {
	var written bytes.Buffer
	cfg := stepped("linear:BTCUSDT", "spot:BTCUSDT")
	cfg.Journal = &written
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		ctx := t.Context()
		s := b.stream(bybit.Linear, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
		check := func(when string) {
			t.Helper()
			state, err := b.x.State(ctx)
			if err != nil {
				t.Fatal(err)
			}
			replayed, err := ReplayJournal(bytes.NewReader(written.Bytes()), state.Time)
			if err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			if replayed.Hash != state.Hash || replayed.Commands != state.Commands {
				t.Errorf("%s: %d commands lead to %x, the journal's %d to %x", when, state.Commands, state.Hash, replayed.Commands, replayed.Hash)
			}
		}
		b.orders(20)
		check("orders")
		snapshot, err := b.x.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.x.Halt(ctx, Symbol{bybit.Linear, "BTCUSDT"}); err != nil {
			t.Fatal(err)
		}
		b.orders(5)
		check("halted")
		if err := b.x.Restore(ctx, snapshot); err != nil {
			t.Fatal(err)
		}
		b.orders(5)
		check("restored")
		if err := b.x.Reset(ctx); err != nil {
			t.Fatal(err)
		}
		b.orders(5)
		check("reset")
		if n := drain(t, s, func(bybit.Event) {}); n == 0 {
			t.Error("the stream had nothing")
		}
		if _, err := ReplayJournal(bytes.NewReader(append(bytes.Clone(written.Bytes()), `{"at":1`...)), time.Time{}); err != nil {
			t.Errorf("a torn line: %v", err)
		}
		if _, err := ReplayJournal(bytes.NewReader(append(bytes.Clone(written.Bytes()), "{\"at\":1}\n"...)), time.Time{}); err == nil {
			t.Error("a line that is no entry was passed over")
		}
	})
}

var errBroken = errors.New("the disk is full")

// broken fails after some writes.
type broken struct{ left int }

func (w *broken) Write(p []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// An error of the journal is said once, and kept, and the market goes on.
func TestJournalThatFails(t *testing.T) {
	var said bytes.Buffer
	cfg := stepped("spot:BTCUSDT")
	cfg.Journal, cfg.Logger = &broken{left: 3}, slog.New(slog.NewTextHandler(&said, nil))
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		b.orders(5)
		state, err := b.x.State(t.Context())
		if err != nil || !errors.Is(state.Journal, errBroken) || state.Commands != 5 {
			t.Errorf("state %+v, %v", state, err)
		}
		if err := b.x.Close(); !errors.Is(err, errBroken) {
			t.Errorf("Close: %v", err)
		}
		if text := said.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "journal") || !strings.Contains(text, errBroken.Error()) {
			t.Errorf("the log: %s", text)
		}
	})
}

// Topics that are not there are refused, and everything fails after Close.
func TestRefusals(t *testing.T) {
	inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
		s, err := b.client().Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "NOPEUSDT"))
		if err == nil {
			s.Close()
			t.Error("a book of nothing was subscribed")
		}
		if err := b.x.Halt(t.Context(), Symbol{bybit.Linear, "NOPEUSDT"}); !errors.Is(err, ErrNoSymbol) {
			t.Errorf("halt of nothing: %v", err)
		}
		for _, path := range []string{"/v5/private", "/v5/trade", "/v5/public/fp", "/v5/public/nothing", "/nothing"} {
			client := http.Client{Transport: &http.Transport{DialContext: b.ln.Dial, DisableKeepAlives: true}}
			resp, err := client.Get("http://localhost" + path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s", path, resp.Status)
			}
		}
		b.x.Close()
		if _, err := b.x.Advance(t.Context(), time.Second); !errors.Is(err, ErrClosed) {
			t.Errorf("advance after Close: %v", err)
		}
		if _, err := b.x.State(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("state after Close: %v", err)
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []Config{
		{Clock: 9}, {Speed: -1}, {Speed: 1e9}, {Quantum: -1}, {Silence: -1}, {Limits: 7}, {Start: time.Unix(0, 0)}, {QueueBytes: -1}, {AllowOrigins: []string{"localhost:3000"}},
		{Symbols: []string{"linear:NOPE"}}, {Catalog: []byte("nonsense")}, {IdleTimeout: -1},
	} {
		if x, err := New(&cfg); err == nil {
			x.Close()
			t.Errorf("%+v was taken", cfg)
		}
	}
	for text, want := range map[string]struct {
		mode  Mode
		speed float64
	}{"live": {Live, 0}, "step": {Step, 0}, "max": {Max, 0}, "x10": {Scaled, 10}, "x0.5": {Scaled, 0.5}} {
		if mode, speed, err := ParseClock(text); err != nil || mode != want.mode || speed != want.speed {
			t.Errorf("%s: %v %v %v", text, mode, speed, err)
		}
	}
	for _, text := range []string{"", "x", "x0", "x-1", "xNaN", "x1e9", "10", "Live", "xInf"} {
		if _, _, err := ParseClock(text); err == nil {
			t.Errorf("clock %q was taken", text)
		}
	}
}
