package wsserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
	"github.com/bywire/bywire/internal/wsserver"
)

// message is what a feed publishes.
type message struct {
	Topic, Type string
	N           int
}

func parse(t *testing.T, text string) (m message) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%.100q: %v", text, err)
	}
	return m
}

// 100 clients join three topics at their own time, while the feed publishes. Each must see, per topic: the acknowledgement,
// a snapshot with the count at which it joined, and then every publication from there on, in order. Half leave one topic
// midway: nothing of it follows the acknowledgement.
func TestJoinIsAtomicAndOrderHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, messages = 100, 300
		topics := []string{"A", "B", "C"}
		f := newFeed(&wsserver.Options{Slow: wsserver.Pause, AckDelay: time.Millisecond})
		ln, stop := serve(f.srv)
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				c := dial(t, ln, wire.Linear)
				defer c.conn.Close()
				time.Sleep(time.Duration(i) * 100 * time.Microsecond)
				c.send(`{"op":"subscribe","args":["A","B","C"]}`)
				if reply, err := wire.ParseReply([]byte(c.next())); err != nil || !reply.Success {
					t.Errorf("%+v %v", reply, err)
				}
				next := map[string]int{}
				for _, topic := range topics {
					m := parse(t, c.next())
					if m.Topic != topic || m.Type != "snapshot" {
						t.Errorf("client %d: %+v before the snapshot of %s", i, m, topic)
					}
					next[topic] = m.N + 1
				}
				left, leaving := false, i%2 == 0 && next["A"] < messages/2
				for next["A"] <= messages || next["C"] <= messages || (next["B"] <= messages && !left) {
					text := c.next()
					if strings.HasPrefix(text, `{"success"`) {
						left = true
						continue
					}
					m := parse(t, text)
					if m.N != next[m.Topic] || m.Type != "delta" {
						t.Errorf("client %d: %+v, want number %d", i, m, next[m.Topic])
						return
					}
					if left && m.Topic == "B" {
						t.Errorf("client %d: %+v after the acknowledgement of its unsubscribe", i, m)
					}
					next[m.Topic]++
					if leaving && m.Topic == "A" && m.N == messages/2+i {
						c.send(`{"op":"unsubscribe","args":["B"]}`)
					}
				}
				if leaving && !left {
					t.Errorf("client %d: no acknowledgement of the unsubscribe", i)
				}
			})
		}
		for range messages {
			f.do(func() {
				for _, topic := range topics {
					if err := f.publish(t.Context(), wire.Linear, topic); err != nil {
						t.Error(err)
					}
				}
			})
			time.Sleep(100 * time.Microsecond)
		}
		wg.Wait()
		ended(t, f.srv)
		stop()
		f.stop()
		if f.closed != clients {
			t.Errorf("Closed was called %d times, want %d", f.closed, clients)
		}
		if n := f.srv.Topic(wire.Linear, "A").Subscribers(); n != 0 {
			t.Errorf("%d subscribers are left", n)
		}
	})
}

// The same name on another channel is another topic.
func TestChannelsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(nil)
		ln, stop := serve(f.srv)
		defer func() { ended(t, f.srv); stop(); f.stop() }()
		c := subscribed(t, ln, "A")
		defer c.conn.Close()
		f.do(func() {
			f.srv.Topic(wire.Spot, "A").Publish(t.Context(), []byte("spot"), wsserver.Following)
			f.srv.Topic(wire.Linear, "A").Publish(t.Context(), []byte("linear"), wsserver.Following)
		})
		c.want("linear")
	})
}

func TestCloseFlushesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: -1})
		ln, stop := serve(f.srv)
		c := subscribed(t, ln, "A")
		for n := range 60 { // more than the connection holds
			f.do(func() { f.srv.Topic(wire.Linear, "A").Publish(t.Context(), bulk(n), wsserver.Following) })
		}
		result := make(chan error, 1)
		go func() { result <- f.srv.Close(t.Context(), ws.StatusNormalClosure, "end of capture") }()
		synctest.Wait()
		for n := range 60 {
			if got := number(t, c.next()); got != n {
				t.Fatalf("got %d, want %d", got, n)
			}
		}
		c.want("close 1000 end of capture")
		c.frame(ws.OpClose, "\x03\xe8")
		c.want("end: EOF")
		if err := <-result; err != nil {
			t.Error(err)
		}
		resp := handshake(t, ln.Dial, "/v5/public/linear", "websocket")
		if resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("after Close: %s", resp.Status)
		}
		stop()
		f.stop()
	})
}

func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: -1})
		ln, stop := serve(f.srv)
		c := subscribed(t, ln, "A")
		for n := range 60 {
			f.do(func() { f.srv.Topic(wire.Linear, "A").Publish(t.Context(), bulk(n), wsserver.Following) })
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		if err := f.srv.Close(ctx, ws.StatusNormalClosure, ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
		synctest.Wait()
		if n := f.srv.Sessions(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		c.conn.Close()
		stop()
		f.stop()
	})
}

// A client that ignores the close frame is left after CloseWait.
func TestCloseWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(nil)
		ln, stop := serve(f.srv)
		c := dial(t, ln, wire.Linear)
		synctest.Wait() // the handshake is answered a moment before the session counts as open
		began := time.Now()
		go f.srv.CloseSessions(t.Context(), ws.StatusNormalClosure, "bye")
		c.want("close 1000 bye")
		c.send(`{"op":"ping"}`) // not answered any more
		c.want("end: EOF")
		if took := time.Since(began); took != wsserver.DefaultCloseWait {
			t.Errorf("took %v, want %v", took, wsserver.DefaultCloseWait)
		}
		c.conn.Close()
		stop()
		f.stop()
	})
}

func TestEndsOfSessions(t *testing.T) {
	tests := []struct {
		name string
		do   func(c *client)
		want []string
	}{
		{"the client closes", func(c *client) { c.frame(ws.OpClose, "\x03\xe9leaving") }, []string{"close 1001 ", "end: EOF"}},
		{"the client closes without a code", func(c *client) { c.frame(ws.OpClose, "") }, []string{"close 1005 ", "end: EOF"}},
		{"a close frame that is none", func(c *client) { c.frame(ws.OpClose, "\x00") }, []string{"close 1002 ", "end: EOF"}},
		{"a frame without mask", func(c *client) { c.conn.Write(wsframe.AppendFrame(nil, ws.OpText, []byte("{}"))) }, []string{"close 1002 protocol error"}},
		{"a message that is too long", func(c *client) { c.frame(ws.OpText, strings.Repeat(" ", 64<<10+1)) }, []string{"close 1009 message too long"}},
		{"a message as long as may be", func(c *client) { c.frame(ws.OpText, strings.Repeat(" ", 64<<10-13)+`{"op":"ping"}`) },
			[]string{`{"success":true,"ret_msg":"pong","conn_id":"c-1","req_id":"","op":"ping"}`}},
		{"a ping of the protocol", func(c *client) { c.frame(ws.OpPing, "still there?") }, []string{"pong still there?"}},
		{"a request in a binary frame", func(c *client) { c.frame(ws.OpBinary, `{"op":"ping"}`) },
			[]string{`{"success":true,"ret_msg":"pong","conn_id":"c-1","req_id":"","op":"ping"}`}},
		{"silence", func(c *client) {}, []string{"close 1008 idle"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFeed(&wsserver.Options{ConnID: named})
				ln, stop := serve(f.srv)
				c := dial(t, ln, wire.Linear)
				tt.do(c)
				for _, want := range tt.want {
					c.want(want)
				}
				c.conn.Close()
				synctest.Wait()
				if n := f.srv.Sessions(); n != 0 {
					t.Errorf("%d sessions are left", n)
				}
				if f.closed != 1 {
					t.Errorf("Closed was called %d times", f.closed)
				}
				stop()
				f.stop()
			})
		})
	}
}

func TestIdleMeansNeitherPingNorData(t *testing.T) {
	tests := []struct {
		name string
		busy func(f *feed, c *client) // every 9 minutes
		want time.Duration            // when the connection ends
	}{
		{"nothing", func(*feed, *client) {}, 10 * time.Minute},
		{"pings", func(_ *feed, c *client) { c.send(`{"op":"ping"}`) }, 100 * time.Minute},
		{"data", func(f *feed, c *client) {
			f.do(func() { f.publish(context.Background(), wire.Linear, "A") })
		}, 100 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFeed(&wsserver.Options{AckDelay: -1})
				ln, stop := serve(f.srv)
				c := subscribed(t, ln, "A")
				began := time.Now()
				go func() {
					for range 10 {
						time.Sleep(9 * time.Minute)
						if f.srv.Sessions() == 0 {
							return
						}
						tt.busy(f, c)
					}
				}()
				for {
					text := c.next()
					if text == "close 1008 idle" {
						break
					}
					if strings.HasPrefix(text, "end: ") {
						t.Fatal(text)
					}
				}
				if got := time.Since(began); got != tt.want {
					t.Errorf("ended after %v, want %v", got, tt.want)
				}
				c.conn.Close()
				time.Sleep(time.Hour)
				stop()
				f.stop()
			})
		})
	}
}

// A client may send its first request together with the handshake.
func TestEarlyRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{ConnID: named})
		ln, stop := serve(f.srv)
		defer func() { ended(t, f.srv); stop(); f.stop() }()
		conn, err := ln.Dial(t.Context(), "tcp", "venue:80")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		head := fmt.Sprintf(handshakeText, "/v5/public/spot", "websocket")
		conn.Write(wsframe.AppendMasked([]byte(head), ws.OpText, [4]byte{9, 8, 7, 6}, []byte(`{"op":"ping","req_id":"early"}`)))
		all := make([]byte, 4096)
		n := 0
		for !strings.Contains(string(all[:n]), "early") {
			m, err := conn.Read(all[n:])
			if err != nil {
				t.Fatalf("%v after %q", err, all[:n])
			}
			n += m
		}
	})
}

func TestHandshakeErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(nil)
		ln, stop := serve(f.srv)
		if resp := handshake(t, ln.Dial, "/v5/public/linear", "h2c"); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("no upgrade: %s", resp.Status)
		}
		synctest.Wait()
		if n := f.srv.Sessions(); n != 0 {
			t.Errorf("%d sessions", n)
		}
		stop()
		f.stop()
	})
}

func BenchmarkPublishToOne(b *testing.B) {
	srv := wsserver.New(openSource{}, &wsserver.Options{Slow: wsserver.Pause, AckDelay: -1})
	ln, stop := serve(srv)
	defer stop()
	c := dial(b, ln, wire.Linear)
	c.send(`{"op":"subscribe","args":["A"]}`)
	c.next()
	go io.Copy(io.Discard, c.conn)
	topic := srv.Topic(wire.Linear, "A")
	payload := []byte(strings.Repeat("x", 282))
	b.ReportAllocs()
	for b.Loop() {
		topic.Publish(b.Context(), payload, wsserver.Following)
	}
	c.conn.Close()
}

// openSource accepts everything and sends no snapshot.
type openSource struct{}

func (openSource) Subscribe(q *wsserver.Subscription)               { q.Answer(nil) }
func (openSource) Unsubscribe(s *wsserver.Session, topics []string) {}
func (openSource) Closed(s *wsserver.Session)                       {}
