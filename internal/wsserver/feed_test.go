package wsserver_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/memnet"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
	"github.com/bywire/bywire/internal/wsserver"
)

// feed is a source with one goroutine, as a real one has: subscriptions and publications happen in one order. Each
// topic counts its publications; a new subscriber gets the count so far as its snapshot.
type feed struct {
	srv    *wsserver.Server
	steps  chan func()
	done   chan struct{}
	verify func(topic string) error

	// The goroutine's alone.
	counts map[string]int
	joined map[*wsserver.Session][]string

	mu     sync.Mutex // guards closed
	closed int
}

func newFeed(opts *wsserver.Options) *feed {
	f := &feed{
		steps:  make(chan func()),
		done:   make(chan struct{}),
		counts: map[string]int{},
		joined: map[*wsserver.Session][]string{},
		verify: func(topic string) error {
			if strings.Contains(topic, "BAD") {
				return wsserver.ErrNoTopic
			}
			return nil
		},
	}
	f.srv = wsserver.New(f, opts)
	go f.run()
	return f
}

func (f *feed) run() {
	for step := range f.steps {
		step()
	}
	close(f.done)
}

// do runs one step on the feed's goroutine and waits for it.
func (f *feed) do(step func()) {
	ended := make(chan struct{})
	f.steps <- func() { step(); close(ended) }
	<-ended
}

func (f *feed) stop() {
	close(f.steps)
	<-f.done
}

func (f *feed) Subscribe(q *wsserver.Subscription) {
	f.do(func() {
		errs := make([]error, len(q.Topics))
		var first [][]byte
		for i, topic := range q.Topics {
			if errs[i] = f.verify(topic); errs[i] == nil {
				first = append(first, fmt.Appendf(nil, `{"topic":"%s","type":"snapshot","n":%d}`, topic, f.counts[topic]))
			}
		}
		f.joined[q.Session] = append(f.joined[q.Session], q.Answer(errs, first...)...)
	})
}

func (f *feed) Unsubscribe(s *wsserver.Session, topics []string) { f.do(func() {}) }

func (f *feed) Closed(s *wsserver.Session) {
	f.mu.Lock()
	f.closed++
	f.mu.Unlock()
}

// publish sends the topic's next message. It is called on the feed's goroutine.
func (f *feed) publish(ctx context.Context, ch wire.Channel, topic string) error {
	f.counts[topic]++
	return f.srv.Topic(ch, topic).Publish(ctx, fmt.Appendf(nil, `{"topic":"%s","type":"delta","n":%d}`, topic, f.counts[topic]), wsserver.Following)
}

// serve puts a handler for all paths on a listener in memory; stop closes both.
func serve(srv *wsserver.Server) (ln *memnet.Listener, stop func()) {
	ln = memnet.Listen("venue")
	hs := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ch, _ := wire.ChannelOfPath(r.URL.Path)
		srv.Serve(w, r, ch)
	})}
	go hs.Serve(ln)
	return ln, func() { hs.Close() }
}

// client is the other end of one connection.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *wsframe.Reader
}

// dial shakes hands on the channel's path.
func dial(t testing.TB, ln *memnet.Listener, ch wire.Channel) *client {
	t.Helper()
	conn, err := ln.Dial(context.Background(), "tcp", "venue:80")
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: conn}
	c.r = shake(t, conn, ch)
	return c
}

func shake(t testing.TB, conn net.Conn, ch wire.Channel) *wsframe.Reader {
	t.Helper()
	fmt.Fprintf(conn, handshakeText, ch.Path(), "websocket")
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v %v", resp, err)
	}
	r := wsframe.NewReader(conn, 4096, 1<<22, false)
	early, _ := br.Peek(br.Buffered())
	r.Preload(early)
	return r
}

// handshakeText asks for a path and an upgrade.
const handshakeText = "GET %s HTTP/1.1\r\nHost: venue\r\nUpgrade: %s\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// handshake returns the answer to a handshake that may fail, and closes the connection.
func handshake(t testing.TB, dial func(context.Context, string, string) (net.Conn, error), path, upgrade string) *http.Response {
	t.Helper()
	conn, err := dial(context.Background(), "tcp", "venue:80")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, handshakeText, path, upgrade)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

func (c *client) send(payload string) { c.frame(ws.OpText, payload) }

func (c *client) frame(op ws.OpCode, payload string) {
	c.t.Helper()
	if _, err := c.conn.Write(wsframe.AppendMasked(nil, op, [4]byte{1, 2, 3, 4}, []byte(payload))); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next message as text; a close frame is "close CODE REASON", the connection's end "end: " and its error.
func (c *client) next() string {
	op, p, err := c.r.Next()
	switch {
	case err != nil:
		return "end: " + err.Error()
	case op == ws.OpClose:
		code, reason, err := wsframe.ParseClose(p)
		if err != nil {
			return "close " + err.Error()
		}
		return fmt.Sprintf("close %d %s", code, reason)
	case op == ws.OpPong:
		return "pong " + string(p)
	}
	return string(p)
}

func (c *client) want(want string) {
	c.t.Helper()
	if got := c.next(); got != want {
		c.t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// named gives connections a fixed name.
func named(wire.Channel) string { return "c-1" }

// ended waits until the server has no session left.
func ended(t testing.TB, srv *wsserver.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := srv.CloseSessions(ctx, ws.StatusGoingAway, ""); err != nil {
		t.Fatal(err)
	}
}
