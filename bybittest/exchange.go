package bybittest

import (
	"bytes"
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange"
	"github.com/bywire/bywire/internal/memnet"
)

// Exchange is an exchange of a test's own.
type Exchange struct {
	*exchange.Exchange

	t        testing.TB
	network  *memnet.Listener
	mu       sync.Mutex // guards clients
	clients  []*bybit.Client
	watching watch
}

// NewExchange starts an exchange that ends with the test. cfg may be nil: all instruments. With or without one there are
// no limits (LimitsReal is kept), and the market is quiet, as far as cfg does not say otherwise: the time moves by Advance
// alone (another Clock, or Live with a Start, is kept), acknowledgements are not held back (an AckDelay above 0 is), and
// prices move little, for the exchange begins in the regime "calm"; x.Regime changes that. Config.Quiet leaves the
// generated orders out altogether. What the exchange logs as an error, such as a panic of its own, fails the test.
//
// A market of all instruments takes some tens of milliseconds to begin; one of Symbols is there at once.
func NewExchange(t testing.TB, cfg *exchange.Config) *Exchange {
	t.Helper()
	var c exchange.Config
	if cfg != nil {
		c = *cfg
	}
	if c.Clock == exchange.Live && c.Start.IsZero() {
		c.Clock = exchange.Step
	}
	if c.AckDelay == 0 {
		c.AckDelay = -1
	}
	if c.Limits == exchange.LimitsDefault {
		c.Limits = exchange.LimitsOff
	}
	if c.Logger == nil {
		c.Logger = slog.New(errorsOnly{slog.NewTextHandler(panics{t}, nil)})
	}
	x := &Exchange{t: t, network: memnet.Listen("exchange")}
	served := make(chan error, 1)
	var server *http.Server
	x.watching.begin(func() {
		var err error
		if x.Exchange, err = exchange.New(&c); err != nil {
			t.Fatal(err)
		}
		server = x.Server()
		server.ErrorLog = log.New(panics{t}, "", 0)
		go func() { served <- server.Serve(x.network) }()
	})
	if err := x.calm(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.mu.Lock()
		clients := slices.Clone(x.clients)
		x.mu.Unlock()
		for _, client := range clients {
			if err := client.Close(); err != nil {
				t.Errorf("bybittest: closing a client: %v", err)
			}
		}
		x.watching.until(func() bool { return x.Stats().Sessions == 0 })
		if n := x.Stats().Sessions; n > 0 {
			t.Errorf("bybittest: %d connections are still open: close the clients that were made of Options", n)
		}
		if err := x.Close(); err != nil {
			t.Errorf("bybittest: closing the exchange: %v", err)
		}
		server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("bybittest: the server ended: %v", err)
		}
		x.network.Close()
		x.network.CutAll()
		x.watching.end(t)
	})
	return x
}

// Client returns a client of the exchange, without a key. It is closed at the end of the test.
func (x *Exchange) Client() *bybit.Client {
	x.t.Helper()
	var client *bybit.Client
	x.watching.during(func() {
		var err error
		if client, err = bybit.NewClient(x.Options()); err != nil {
			x.t.Fatal(err)
		}
	})
	x.mu.Lock()
	defer x.mu.Unlock()
	x.clients = append(x.clients, client)
	return client
}

// Options are those of Client, for a client that is to differ. Whoever makes one closes it.
func (x *Exchange) Options() *bybit.Options {
	return &bybit.Options{
		Environment: bybit.CustomEnvironment("ws://localhost", "http://localhost"), DialContext: x.network.Dial,
	}
}

// HTTP returns a client for plain requests, such as GET http://localhost/control/v1/state.
func (x *Exchange) HTTP() *http.Client {
	transport := &http.Transport{DialContext: x.network.Dial, DisableKeepAlives: true}
	return &http.Client{Transport: transport}
}

// Advance moves the time of the exchange and returns when all that was due was sent. A client that takes nothing fails
// the test, for what it would do next depends on chance; x.Exchange.Advance returns its name instead.
func (x *Exchange) Advance(d time.Duration) {
	x.t.Helper()
	late, err := x.Exchange.Advance(x.t.Context(), d)
	if err != nil {
		x.t.Fatalf("bybittest: advance %s: %v", d, err)
	}
	if len(late) > 0 {
		x.t.Fatalf("bybittest: advance %s: connections that do not read: %v", d, late)
	}
}

// Reset begins the run anew, as quiet as at first: the second run of a test is as the first.
func (x *Exchange) Reset(ctx context.Context) error {
	if err := x.Exchange.Reset(ctx); err != nil {
		return err
	}
	return x.calm(ctx)
}

// calm makes the market a quiet one.
func (x *Exchange) calm(ctx context.Context) error { return x.Regime(ctx, "", "calm", 0) }

// Fork returns another exchange that is what this one is now. It ends with the test, or before that with its Close.
func (x *Exchange) Fork(ctx context.Context) (y *exchange.Exchange, err error) {
	x.watching.during(func() { y, err = x.Exchange.Fork(ctx) })
	return y, err
}

// DropConnections cuts all connections, as a broken line does, and returns how many there were.
func (x *Exchange) DropConnections() int { return x.network.CutAll() }

// State returns what the exchange is like. It is here for its shorter form: a failure is one of the test.
func (x *Exchange) State() *exchange.State {
	x.t.Helper()
	s, err := x.Exchange.State(context.Background())
	if err != nil {
		x.t.Fatal(err)
	}
	return s
}

// panics makes a panic of a handler, and what the exchange logs as an error, an error of the test. The rest of what a
// server logs is about connections that end in the middle, which is what tests are about.
type panics struct{ t testing.TB }

func (p panics) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("panic")) || bytes.Contains(line, []byte("level=ERROR")) {
		p.t.Errorf("bybittest: %s", line)
	}
	return len(line), nil
}

// errorsOnly lets errors through.
type errorsOnly struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h errorsOnly) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}
