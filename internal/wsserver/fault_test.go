package wsserver_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// A message can be sent to some of a topic's sessions, and counts as published for each.
func TestSendToSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		f := newFeed(&wsserver.Options{AckDelay: -1, ConnID: func(wire.Channel) string { n++; return "c-" + string(rune('0'+n)) }})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		a, b := subscribedTo(t, ln, "A"), subscribedTo(t, ln, "A")
		f.do(func() {
			topic := f.srv.Topic(wire.Linear, "A")
			only := topic.Message([]byte(`{"for":"c-2"}`), wsserver.Following)
			topic.Each(func(s *wsserver.Session) {
				if s.ID() == "c-2" {
					s.Send(t.Context(), only)
				}
			})
			topic.Publish(t.Context(), []byte(`{"for":"all"}`), wsserver.Following)
		})
		b.want(`{"for":"c-2"}`)
		a.want(`{"for":"all"}`)
		b.want(`{"for":"all"}`)
		if frames, size := f.srv.Published(); frames != 3 || size != int64(3*len(`{"for":"c-2"}`)) {
			t.Errorf("published %d frames of %d bytes, want 3 of 39", frames, size)
		}
		ended(t, f.srv)
	})
}

// A session that is cut ends without a close frame.
func TestCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: -1})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		c := subscribedTo(t, ln, "A")
		f.do(func() { f.srv.Topic(wire.Linear, "A").Each((*wsserver.Session).Cut) })
		if got := c.next(); !strings.HasPrefix(got, "end: ") {
			t.Errorf("got %s, want the end of the connection", got)
		}
		ended(t, f.srv)
	})
}

// A throttled session writes so many bytes a second, whatever the size of its messages, until the bound is lifted; it can
// be closed meanwhile.
func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: -1})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		c := subscribedTo(t, ln, "A")
		topic := f.srv.Topic(wire.Linear, "A")
		throttle := func(rate int) { f.do(func() { topic.Each(func(s *wsserver.Session) { s.Throttle(rate) }) }) }
		send := func(n int, text string) {
			f.do(func() {
				for range n {
					topic.Publish(t.Context(), []byte(text), wsserver.Following)
				}
			})
		}
		read := func(n int) time.Duration {
			begun := time.Now()
			for range n {
				c.next()
			}
			return time.Since(begun)
		}
		throttle(1000)
		send(51, strings.Repeat("x", 98)) // 100 bytes with the header, the first at once
		if took := read(51); took != 5*time.Second {
			t.Errorf("5 kB at 1 kB/s took %v", took)
		}
		time.Sleep(time.Minute)
		send(2, strings.Repeat("x", 2000-4)) // longer than what a tenth of a second lets through
		if took := read(2); took != 2*time.Second {
			t.Errorf("a message behind one of 2 kB took %v", took)
		}
		throttle(0)
		time.Sleep(time.Minute)
		send(1000, strings.Repeat("x", 98))
		if took := read(1000); took != 0 {
			t.Errorf("without a bound 100 kB took %v", took)
		}
		throttle(1)
		send(1, "last")
		c.next()
		begun := time.Now()
		f.do(func() { topic.Each(func(s *wsserver.Session) { s.Close(wsserver.CloseNormal, "over") }) })
		c.want("close 1000 over")
		if took := time.Since(begun); took > time.Second {
			t.Errorf("the close frame took %v", took)
		}
		c.conn.Close()
		ended(t, f.srv)
	})
}

// What the server is deaf to is neither done nor answered; the rest is.
func TestDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var to atomic.Value
		f := newFeed(&wsserver.Options{AckDelay: -1, ConnID: named, Deaf: func(s *wsserver.Session, op string) bool { return op == to.Load() }})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		c := dial(t, ln, wire.Linear)
		to.Store(wire.OpPing)
		c.send(`{"op":"ping"}`)
		c.frame(ws.OpPing, "p1")
		c.send(`{"op":"unsubscribe","args":["A"]}`)
		c.want(`{"success":true,"ret_msg":"","conn_id":"c-1","req_id":"","op":"unsubscribe"}`)
		to.Store("")
		c.send(`nonsense`)
		c.frame(ws.OpPing, "p2")
		c.want("pong p2")
		to.Store(wire.OpSubscribe)
		c.send(`{"op":"subscribe","args":["A"]}`)
		synctest.Wait()
		if n := f.srv.Topic(wire.Linear, "A").Subscribers(); n != 0 {
			t.Errorf("%d subscribers after a request that was missed", n)
		}
		c.conn.Close()
		ended(t, f.srv)
	})
}
