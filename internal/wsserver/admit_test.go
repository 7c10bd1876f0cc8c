package wsserver_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// An address has so many connections on a channel, and opens so many in five minutes; then it gets 403 until one ends or
// the oldest is old.
func TestConnectionsOfAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{Limits: wsserver.Limits{Open: 2, New: 5}})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		dialMem := func(ctx context.Context, network, addr string) (net.Conn, error) { return ln.Dial(ctx, network, addr) }
		refused := func(ch wire.Channel) {
			t.Helper()
			if resp := handshake(t, dialMem, ch.Path(), "websocket"); resp.StatusCode != http.StatusForbidden {
				t.Fatalf("%s: status %d, want 403", ch, resp.StatusCode)
			}
		}
		a, b := dial(t, ln, wire.Linear), dial(t, ln, wire.Linear)
		refused(wire.Linear)
		c := dial(t, ln, wire.Spot) // another channel
		a.conn.Close()
		synctest.Wait()
		a = dial(t, ln, wire.Linear)
		time.Sleep(time.Minute)
		d := dial(t, ln, wire.Inverse) // the fifth
		refused(wire.Option)
		time.Sleep(4*time.Minute - time.Second)
		refused(wire.Option)
		time.Sleep(time.Second)
		e := dial(t, ln, wire.Option) // the first four are five minutes old
		for _, c := range []*client{a, b, c, d, e} {
			c.conn.Close()
		}
		ended(t, f.srv)
	})
}

// What is no handshake is told so, and does not count as a connection of its address.
func TestOnlyHandshakesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{Limits: wsserver.Limits{Open: 1, New: 1}})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		const whole = "GET /v5/public/linear HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
		for _, test := range []struct {
			old, new string
			want     int
		}{
			{"GET ", "POST ", 405},
			{"HTTP/1.1", "HTTP/1.0", 505},
			{"Upgrade: websocket\r\n", "", 400},
			{"Upgrade: websocket\r\n", "Upgrade: h2c\r\n", 400},
			{"keep-alive, Upgrade", "keep-alive", 400},
			{"Version: 13", "Version: 7", 426},
			{"Sec-WebSocket-Version: 13\r\n", "", 400},
			{"dGhlIHNhbXBsZSBub25jZQ==", "short", 400},
		} {
			conn, err := ln.Dial(t.Context(), "tcp", "venue:80")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, strings.Replace(whole, test.old, test.new, 1)); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%q: %v", test.new, err)
			}
			resp.Body.Close()
			conn.Close()
			if resp.StatusCode != test.want {
				t.Errorf("%q for %q: status %d, want %d", test.new, test.old, resp.StatusCode, test.want)
			}
		}
		c := dial(t, ln, wire.Linear)
		c.conn.Close()
		ended(t, f.srv)
	})
}

// Without limits nobody is refused, and arguments are not counted.
func TestAnyArguments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: -1, Limits: wsserver.Limits{AnyArgs: true}})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		c := dial(t, ln, wire.Spot)
		c.send(`{"op":"subscribe","args":["A","B","C","D","E","F","G","H","I","J","K"]}`)
		if got := c.next(); !strings.Contains(got, `"success":true`) {
			t.Errorf("11 arguments: %s", got)
		}
		c.conn.Close()
		ended(t, f.srv)
	})
}

// An operation of the server's own is answered by it; what it does not take is refused as ever.
func TestOwnOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: -1, ConnID: named, Op: func(s *wsserver.Session, r *wire.Request) bool {
			if r.Op != "test.hello" {
				return false
			}
			s.Reply(wire.Reply{Op: r.Op, Success: true, ReqID: r.ReqID})
			return true
		}})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		c := dial(t, ln, wire.Linear)
		c.send(`{"op":"test.hello","req_id":"7"}`)
		c.want(`{"success":true,"ret_msg":"","conn_id":"c-1","req_id":"7","op":"test.hello"}`)
		c.send(`{"op":"test.bye"}`)
		c.want(`{"success":false,"ret_msg":"error:invalid op","conn_id":"c-1","req_id":"","op":"test.bye"}`)
		c.conn.Close()
		ended(t, f.srv)
	})
}
