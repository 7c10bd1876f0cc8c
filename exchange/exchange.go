package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bywire/bywire/exchange/internal/api"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/internal/guard"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// ErrClosed is what calls get after Close.
var ErrClosed = errors.New("exchange: closed")

// socketBytes bounds what the system holds for a client beside its queue. With that a client that reads 150 KB a second, with
// the buffers that Linux gives it, is seen to read; with the system's own megabytes one of 500 KB would seem to have stopped.
const socketBytes = 32 << 10

// closeWait bounds how long Close waits for clients to take what is queued for them.
const closeWait = time.Second

// Exchange is a local exchange: an http.Handler that speaks the V5 protocol. Its methods may be called concurrently.
type Exchange struct {
	cfg Config
	ws  *wsserver.Server
	api *api.API
	web http.Handler // guards all of it

	skipped []string // see Skipped

	faults faults
	rates  rates     // the loop's alone
	shelf  shelf     // of the control API
	stop   func()    // ends a fork; nil: this is none
	parent *Exchange // of a fork

	requests chan func()     // run by the loop's goroutine
	ctx      context.Context // ends the loop
	cancel   context.CancelFunc
	done     chan struct{} // closed when the loop has ended
	moving   chan struct{} // holds one token: who has it may move the time
	turn     atomic.Pointer[turn]
	now      atomic.Int64 // the core's time, for who need not ask the loop
	steady   atomic.Bool  // some client has asked to be waited for
	pace     pace

	requested atomic.Int64 // requests over REST so far
	looked    looked       // at the state

	// The loop's alone.
	core    *core.Core
	clock   clock
	topics  []*wsserver.Topic             // by feed.Topic.N; nil until somebody has subscribed
	lost    map[topicName]*wsserver.Topic // somebody has subscribed to, and a restore has taken away; they may be listed again
	runs    int                           // how often the market has become another one
	journal journal
	settled chan struct{} // on a Max clock, closed when the clients have caught up; nil: they are not waited for
	ends    int64         // where the quantum under way ends
	output  bool          // a client has got something in it
}

// New returns an exchange whose market has begun; cfg may be nil. Close ends it. The error says what is wrong with the
// configuration.
func New(cfg *Config) (*Exchange, error) {
	if cfg == nil {
		cfg = &Config{}
	}
	return build(*cfg, nil, nil)
}

// build returns an exchange: a new one, or one in the state of a snapshot with the clock of its parent.
func build(cfg Config, snapshot []byte, of *clock) (*Exchange, error) {
	x := &Exchange{requests: make(chan func()), done: make(chan struct{}), moving: make(chan struct{}, 1)}
	x.turn.Store(newTurn())
	now := cfg.Clock == Live && cfg.Start.IsZero()
	var err error
	if x.cfg, err = cfg.withDefaults(); err != nil {
		return nil, err
	}
	x.journal.w, x.journal.log = x.cfg.Journal, x.cfg.Logger
	x.pace.quantum.Store(int64(x.cfg.Quantum))
	x.pace.silence.Store(int64(x.cfg.Silence))
	if x.core, err = x.newCore(snapshot); err != nil {
		return nil, err
	}
	x.skipped = slices.Clone(x.core.Skipped())
	x.journal.write(x.header())
	x.core.Advance(x.core.Now()) // the books are filled before anybody sees them
	x.api = api.New(x.core, api.Options{Unlimited: x.cfg.Limits == LimitsOff, Time: x.now.Load})
	limits := wsserver.VenueLimits()
	if x.cfg.Limits == LimitsOff {
		limits = wsserver.Limits{AnyArgs: true}
	}
	x.now.Store(x.core.Now())
	x.ws = wsserver.New(source{x}, &wsserver.Options{
		AckDelay: x.cfg.AckDelay, QueueBytes: x.cfg.QueueBytes, SocketBytes: socketBytes, IdleTimeout: x.cfg.IdleTimeout,
		Limits: limits, Op: x.operation, Now: x.Now,
		Deaf: func(s *wsserver.Session, op string) bool { return x.faults.deaf(s, op, x.now.Load()) },
	})
	x.web = guard.New(http.HandlerFunc(x.route), guard.Options{Hosts: x.cfg.Hosts, Origins: x.cfg.AllowOrigins, Token: x.cfg.Token})
	x.ctx, x.cancel = context.WithCancel(context.Background())
	x.setClock(of, now)
	go x.run()
	return x, nil
}

// setClock sets the clock going: where its parent's is, or from where the market begins. To make a market takes a moment,
// which a clock that shows the time of day makes up for at once.
func (x *Exchange) setClock(of *clock, now bool) {
	switch {
	case of == nil:
		x.clock = clock{mode: x.cfg.Clock, speed: x.cfg.Speed}
		x.clock.start(x.core.Now())
		if now {
			x.clock.wall = x.cfg.Start
		}
	case of.runs() && of.mode != Max:
		x.clock = *of
	default:
		x.clock = clock{mode: of.mode, speed: of.speed, paused: of.paused}
		x.clock.start(x.core.Now())
	}
}

// newCore makes a core of the configuration, in the state of a snapshot if there is one, with the exchange as its audience.
func (x *Exchange) newCore(snapshot []byte) (*core.Core, error) {
	h := x.header()
	cfg := h.config()
	cfg.Sink = sink{x}
	cfg.Journal = func(e core.Entry) { x.journal.write(e) }
	if snapshot == nil {
		return core.New(cfg)
	}
	c, err := core.Restored(cfg, snapshot)
	if err == nil {
		c.Warm() // not on the loop, in a second that has other things to be pushed
	}
	return c, err
}

// Now is the exchange's time.
func (x *Exchange) Now() time.Time { return time.Unix(0, x.now.Load()).UTC() }

// Close ends the exchange, its forks and its connections, code 1001. It returns the error of the journal, if there was
// one.
func (x *Exchange) Close() error {
	if x.parent != nil {
		x.parent.shelf.release(x)
	}
	x.shelf.close()
	x.cancel()
	<-x.done
	return x.journal.err
}

// do runs f on the loop's goroutine, at the time that it is, and waits for it.
func (x *Exchange) do(ctx context.Context, f func(c *core.Core)) error {
	ran := make(chan struct{})
	request := func() {
		defer close(ran)
		x.catchUp()
		f(x.core)
	}
	select {
	case x.requests <- request:
		<-ran
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-x.done:
		return ErrClosed
	}
}

// Server returns an HTTP server for the exchange, with bounds on the headers of requests and on how long they may take.
func (x *Exchange) Server() *http.Server {
	s := &http.Server{Handler: x, IdleTimeout: idleWait}
	guard.Limit(s)
	return s
}

// Bounds on how long a client may leave things half done.
const (
	idleWait = 2 * time.Minute  // with nothing, on a connection that is kept
	bodyWait = 10 * time.Second // to send a body
)

// readBody reads the body of a request. Its length is bounded by the guard, its time here: a bound on the whole request would
// end a call that takes long, such as one that advances the time by a day.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// A writer that knows no deadlines is a recorder's, and what it reads from is memory.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyWait))
	body, err := io.ReadAll(r.Body)
	if err == nil {
		_ = control.SetReadDeadline(time.Time{})
	}
	return body, err
}

// ServeHTTP answers WebSocket handshakes on the paths of the public channels, REST requests, and the control API below
// /control/v1. It refuses web pages, see Config.AllowOrigins.
func (x *Exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) { x.web.ServeHTTP(w, r) }

// route answers a request that has passed the guard.
func (x *Exchange) route(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		x.serveControl(w, r)
		return
	}
	if ch, ok := wire.ChannelOfPath(r.URL.Path); ok {
		if simulated(ch) {
			x.ws.Serve(w, r, ch)
			return
		}
		text := r.URL.Path + " is not simulated"
		if !ch.IsPublic() {
			text += ": this exchange has market data, and no accounts and orders yet"
		}
		http.Error(w, text, http.StatusNotFound)
		return
	}
	x.serveREST(w, r)
}

// channels are those that the exchange has.
func channels() []wire.Channel {
	return []wire.Channel{wire.Spot, wire.Linear, wire.Inverse, wire.Option, wire.Spread, wire.RFQ, wire.Status}
}

// simulated reports whether the exchange has the channel.
func simulated(ch wire.Channel) bool { return slices.Contains(channels(), ch) }

// serveREST lets the API answer between two commands.
func (x *Exchange) serveREST(w http.ResponseWriter, r *http.Request) {
	x.requested.Add(1)
	refusal := x.api.Admit(r, wsserver.AddressOf(r.RemoteAddr))
	if refusal != nil {
		write(w, refusal)
		return
	}
	if _, err := readBody(w, r); err != nil {
		http.Error(w, "the body is too long or was not sent", http.StatusRequestEntityTooLarge)
		return
	}
	q := &api.Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery}
	var resp api.Response
	err := x.do(r.Context(), func(*core.Core) {
		resp = x.answerREST(q)
		resp.Body = append([]byte(nil), resp.Body...) // the API's memory is its own again
	})
	switch {
	case errors.Is(err, ErrClosed):
		http.Error(w, "closing", http.StatusServiceUnavailable)
	case err == nil:
		write(w, &resp)
	}
}

// answerREST runs on the loop, where a panic would end the process and with it the market. The API only reads, so that the
// market is whole after one; a command that panics is not caught.
func (x *Exchange) answerREST(q *api.Request) (resp api.Response) {
	defer func() {
		if p := recover(); p != nil {
			x.cfg.Logger.Error("panic in an answer", "method", q.Method, "path", q.Path, "query", q.Query, "panic", fmt.Sprint(p),
				"stack", string(debug.Stack()))
			resp = x.api.Failed()
		}
	}()
	return x.api.Serve(q)
}

func write(w http.ResponseWriter, resp *api.Response) {
	maps.Copy(w.Header(), resp.Header)
	w.WriteHeader(resp.Status)
	// A client that is gone is nobody who would want to know.
	_, _ = w.Write(resp.Body)
}
