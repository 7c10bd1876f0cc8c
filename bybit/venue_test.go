package bybit_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/memnet"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
)

// venue is a server that answers as it is told, over the in-memory network. By
// default it answers pings and accepts every topic; what it pushes is up to the test.
type venue struct {
	tb  testing.TB
	ln  *memnet.Listener
	wg  sync.WaitGroup
	env bybit.Environment

	// Set before the first connection.
	family   wire.Family
	onJoin   func(c *venueConn, topic string) // after the acknowledgement
	noAcks   bool
	noPongs  bool
	upgrade  func() error // refuses a handshake
	noReqIDs bool
	// script answers a request in place of the venue, or leaves it to it.
	script func(c *venueConn, frame []byte, req *wire.Request) bool

	mu       sync.Mutex // guards what follows
	rejected map[string]string
	conns    []*venueConn
	clients  []*bybit.Client
	log      []string // requests but pings: "subscribe a,b"
	pings    int
}

// venueConn is the venue's end of a connection.
type venueConn struct {
	net.Conn
	path    string
	ended   atomic.Bool   // the client has gone, or was cut
	writing chan struct{} // holds one token, so that a frame that waits for room is not mixed with another
}

// newVenue starts a venue that ends with the test.
func newVenue(tb testing.TB) *venue {
	v := &venue{
		tb: tb, ln: memnet.Listen("venue"), rejected: map[string]string{},
		family: wire.FamilyFutures, env: bybit.CustomEnvironment("ws://venue", ""),
	}
	v.wg.Go(func() {
		for {
			nc, err := v.ln.Accept()
			if err != nil {
				return
			}
			v.wg.Go(func() { v.serve(nc) })
		}
	})
	return v
}

// stop ends the venue and waits for its goroutines. It closes the clients as
// well, so that a test that failed half way ends with its own message.
func (v *venue) stop() {
	if v.tb != nil && v.tb.Failed() {
		for _, c := range v.clients {
			c.Close()
		}
	}
	v.ln.Close()
	v.ln.CutAll()
	v.wg.Wait()
}

// client returns a client of the venue.
func (v *venue) client() *bybit.Client {
	c, err := bybit.NewClient(&bybit.Options{Environment: v.env, DialContext: v.ln.Dial})
	if err != nil {
		v.tb.Fatal(err)
	}
	v.clients = append(v.clients, c)
	return c
}

// traced returns a client of the venue with a trace.
func (v *venue) traced(trace *bybit.Trace) *bybit.Client {
	c, err := bybit.NewClient(&bybit.Options{Environment: v.env, DialContext: v.ln.Dial, Trace: trace})
	if err != nil {
		v.tb.Fatal(err)
	}
	v.clients = append(v.clients, c)
	return c
}

// patience is how long a test waits for what must come: in a bubble, where heartbeats
// keep the clock going for ever, a test would not end without it.
const patience = 24 * time.Hour

// stream opens a stream of topics on linear.
func (v *venue) stream(opts *bybit.StreamOptions, topics ...bybit.Topic) *bybit.Stream {
	v.tb.Helper()
	ctx, cancel := context.WithTimeout(v.tb.Context(), patience)
	defer cancel()
	s, err := v.client().Public(ctx, bybit.Linear, opts, topics...)
	if err != nil {
		v.tb.Fatal(err)
	}
	return s
}

func (v *venue) serve(nc net.Conn) {
	defer nc.Close()
	c := &venueConn{Conn: nc, writing: make(chan struct{}, 1)}
	defer c.ended.Store(true)
	up := ws.Upgrader{OnRequest: func(uri []byte) error {
		c.path = string(uri)
		if v.upgrade != nil {
			return v.upgrade()
		}
		return nil
	}}
	if _, err := up.Upgrade(nc); err != nil {
		return
	}
	v.mu.Lock()
	v.conns = append(v.conns, c)
	v.mu.Unlock()
	frames := wsframe.NewReader(nc, 1024, 1<<20, true)
	for {
		op, payload, err := frames.Next()
		switch {
		case err != nil:
			return
		case op == ws.OpClose:
			nc.Write(wsframe.AppendFrame(nil, ws.OpClose, payload))
			return
		case op != ws.OpText:
			continue
		}
		req, err := wire.ParseRequest(payload)
		if err != nil {
			v.tb.Errorf("the client sent %q: %v", payload, err)
			return
		}
		v.answer(c, payload, &req)
	}
}

func (v *venue) answer(c *venueConn, frame []byte, req *wire.Request) {
	if v.script != nil && v.script(c, frame, req) {
		return
	}
	reply := wire.Reply{Op: req.Op, ReqID: req.ReqID, Success: true, ConnID: "c-1"}
	if v.noReqIDs {
		reply.ReqID = ""
	}
	if req.Op == wire.OpPing {
		v.mu.Lock()
		v.pings++
		v.mu.Unlock()
		if !v.noPongs {
			reply.Op = wire.OpPong
			c.reply(v.family, &reply)
		}
		return
	}
	v.mu.Lock()
	v.log = append(v.log, req.Op+" "+strings.Join(req.Args, ","))
	var accepted []string
	for _, topic := range req.Args {
		if text, bad := v.rejected[topic]; bad && req.Op == wire.OpSubscribe {
			reply.Failed = append(reply.Failed, topic)
			reply.Message = text
		} else {
			accepted = append(accepted, topic)
		}
	}
	v.mu.Unlock()
	if v.noAcks {
		return
	}
	if v.family == wire.FamilyOption {
		reply.Succeeded, reply.Message = accepted, ""
		reply.Success = len(accepted) > 0
	} else if reply.Success = len(reply.Failed) == 0; !reply.Success {
		accepted = nil
	}
	c.reply(v.family, &reply)
	if req.Op == wire.OpSubscribe && v.onJoin != nil {
		for _, topic := range accepted {
			v.onJoin(c, topic)
		}
	}
}

func (v *venue) reject(topic, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rejected[topic] = text
}

// last returns the newest connection.
func (v *venue) last() *venueConn {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.conns[len(v.conns)-1]
}

// all returns every connection there was, oldest first.
func (v *venue) all() []*venueConn {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.conns)
}

// requests returns the log and empties it.
func (v *venue) requests() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	log := v.log
	v.log = nil
	return log
}

// pinged returns how many JSON pings came.
func (v *venue) pinged() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pings
}

func (v *venue) connects() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.conns)
}

func (c *venueConn) reply(f wire.Family, r *wire.Reply) { c.send(string(wire.AppendReply(nil, f, r))) }

// send pushes frames in one write.
func (c *venueConn) send(frames ...string) {
	var out []byte
	for _, f := range frames {
		out = wsframe.AppendFrame(out, ws.OpText, []byte(f))
	}
	c.writing <- struct{}{}
	c.Write(out)
	<-c.writing
}

// cut ends the connection as a dead link does.
func (c *venueConn) cut() {
	c.ended.Store(true)
	c.Conn.(*memnet.Conn).Cut()
}

// close ends the connection in order.
func (c *venueConn) close(code ws.StatusCode, reason string) {
	c.Write(wsframe.AppendFrame(nil, ws.OpClose, wsframe.AppendClose(nil, code, reason)))
}

// snapshot and delta are frames of orderbook.50 with one level a side: the bid
// at 100 and the ask at 101, of the given size.
func snapshot(symbol string, u int, size string) string {
	return bookFrame("snapshot", symbol, u, size)
}
func delta(symbol string, u int, size string) string { return bookFrame("delta", symbol, u, size) }

func bookFrame(kind, symbol string, u int, size string) string {
	return fmt.Sprintf(`{"topic":"orderbook.50.%s","type":"%s","ts":1767225600123,"data":{"s":"%s","b":[["100","%s"]],"a":[["101","%s"]],"u":%d,"seq":%d},"cts":1767225600120}`,
		symbol, kind, symbol, size, size, u, 1000+u)
}

func tradeFrame(symbol string, seq int) string {
	return fmt.Sprintf(`{"topic":"publicTrade.%s","type":"snapshot","ts":1767225600123,"data":[{"T":1767225600121,"s":"%s","S":"Buy","v":"0.5","p":"100.5","L":"PlusTick","i":"00000000-0000-0000-0000-%012d","BT":false,"RPI":false,"seq":%d}]}`,
		symbol, symbol, seq, seq)
}

func tickerFrame(kind, symbol, fields string) string {
	return fmt.Sprintf(`{"topic":"tickers.%s","type":"%s","data":{"symbol":"%s",%s},"cs":24987956059,"ts":1767225600123}`, symbol, kind, symbol, fields)
}

// describe writes an event as a line.
func describe(ev bybit.Event) string {
	switch ev := ev.(type) {
	case *bybit.BookEvent:
		bid, err := ev.Book.BestBid()
		if err != nil {
			return fmt.Sprintf("book %s u=%d: %v", ev.Symbol, ev.ID, err)
		}
		return fmt.Sprintf("book %s u=%d bid %v x %v", ev.Symbol, ev.ID, bid.Price, bid.Size)
	case *bybit.TradesEvent:
		return fmt.Sprintf("trades %s seq=%d", ev.Topic.Symbol(), ev.Trades[0].Seq)
	case *bybit.TickerEvent:
		mark := func(f bybit.TickerField) string {
			if ev.Arrived(f) {
				return "*"
			}
			return ""
		}
		return fmt.Sprintf("ticker %s last %v%s mark %v%s complete %v", ev.Symbol,
			ev.LastPrice, mark(bybit.TickerLastPrice), ev.MarkPrice, mark(bybit.TickerMarkPrice), ev.Complete)
	case *bybit.KlineEvent:
		return fmt.Sprintf("kline %s close %v", ev.Topic, ev.Klines[0].Close)
	case *bybit.GapEvent:
		return fmt.Sprintf("gap %s %s dropped %d", ev.Topic, ev.Reason, ev.Dropped)
	case *bybit.RejectedEvent:
		return fmt.Sprintf("rejected %v", ev.Err)
	case *bybit.DecodeErrorEvent:
		return fmt.Sprintf("damaged %s offset %d", ev.Topic, ev.Err.Offset)
	case *bybit.RawEvent:
		return fmt.Sprintf("raw %s %s", ev.Topic, ev.Frame)
	}
	return fmt.Sprintf("%T", ev)
}

// wantEvents receives as many events as there are lines and compares.
func wantEvents(tb testing.TB, s *bybit.Stream, lines ...string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	for i, want := range lines {
		ev, err := s.Recv(ctx)
		if err != nil {
			tb.Fatalf("event %d: %v, want %s", i, err, want)
		}
		if got := describe(ev); got != want {
			tb.Fatalf("event %d:\n got %s\nwant %s", i, got, want)
		}
	}
}

// wantNone checks that nothing is queued.
func wantNone(tb testing.TB, s *bybit.Stream) {
	tb.Helper()
	if ev, ok, err := s.TryRecv(); ok || err != nil {
		tb.Fatalf("TryRecv = %v, %v, want nothing", ev, err)
	}
}

// wantRequests checks what the venue was asked since the last look.
func (v *venue) wantRequests(lines ...string) {
	v.tb.Helper()
	if got := v.requests(); !slices.Equal(got, lines) {
		v.tb.Fatalf("requests:\n got %q\nwant %q", got, lines)
	}
}

// forbidden refuses a handshake with HTTP 403.
func forbidden() error { return ws.RejectConnectionError(ws.RejectionStatus(http.StatusForbidden)) }

// end closes the connection in order, without a code.
func (c *venueConn) end() { c.Write(wsframe.AppendFrame(nil, ws.OpClose, nil)) }
