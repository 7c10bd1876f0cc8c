package exchange_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybittest"
	"github.com/bywire/bywire/exchange"
	"github.com/bywire/bywire/internal/wsframe"
)

// abused runs a test against an exchange whose clock runs, and then wants the market to be as well as before: the time
// has gone on, a client that was there from the beginning gets whole books, and a new one is answered.
func abused(t *testing.T, test func(t *testing.T, x *bybittest.Exchange)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := &exchange.Config{Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Symbols: []string{"linear:BTCUSDT"}}
		x := bybittest.NewExchange(t, cfg)
		stream, err := x.Client().Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT"))
		if err != nil {
			t.Fatal(err)
		}
		books := func() (n int) {
			for {
				synctest.Wait()
				ev, ok, err := stream.TryRecv()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					return n
				}
				e, ok := ev.(*bybit.BookEvent)
				if !ok || e.Book.Err() != nil {
					t.Fatalf("the other client got %T %+v", ev, ev)
				}
				n++
			}
		}
		books()
		test(t, x)
		books()
		before := x.Now()
		time.Sleep(2 * time.Second)
		if passed := x.Now().Sub(before); passed < 1900*time.Millisecond || passed > 2100*time.Millisecond {
			t.Errorf("in two seconds %s of the market passed", passed)
		}
		if n := books(); n < 5 {
			t.Errorf("the other client got %d books in two seconds", n)
		}
		if _, err := x.Client().Market.Tickers(t.Context(), &bybit.TickersParams{Category: bybit.Linear}); err != nil {
			t.Errorf("a new client: %v", err)
		}
	})
}

// dial opens a connection without a word.
func dial(t *testing.T, x *bybittest.Exchange) net.Conn {
	t.Helper()
	conn, err := x.Options().DialContext(t.Context(), "tcp", "localhost:80")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// say sends bytes and returns the status of the answer, 0 if there is none but the end of the connection.
func say(t *testing.T, x *bybittest.Exchange, text string) int {
	t.Helper()
	conn := dial(t, x)
	defer conn.Close()
	go io.WriteString(conn, text) // a server that has seen enough takes no more
	method, _, _ := strings.Cut(text, " ")
	r, err := http.NewRequest(http.MethodGet, "http://localhost/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodHead {
		r.Method = method
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("%.60q: the body of status %d: %v", text, resp.StatusCode, err)
	}
	return resp.StatusCode
}

func request(method, path, more string) string {
	return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n"
}

func TestBadRequests(t *testing.T) {
	abused(t, func(t *testing.T, x *bybittest.Exchange) {
		body := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n)) }
		for _, test := range []struct {
			what, text string
			want       int // 0: the connection ends without an answer
		}{
			{"the root", request("GET", "/", ""), 404},
			{"a path of nobody", request("GET", "/v5/nothing", ""), 404},
			{"a path that climbs", request("GET", "/v5/../../etc/passwd", ""), 404},
			{"a path with escapes", request("GET", "/v5/market/%74ime", ""), 200},
			{"a path with a NUL", request("GET", "/v5/market/time%00", ""), 404},
			{"a broken escape", request("GET", "/v5/market/%zz", ""), 400},
			{"a path of 10 kB", request("GET", "/"+strings.Repeat("x", 10_000), ""), 404},
			{"a path of 100 kB", request("GET", "/"+strings.Repeat("x", 100_000), ""), 431},
			{"a channel without an upgrade", request("GET", "/v5/public/linear", ""), 400},
			{"a channel of nobody", request("GET", "/v5/public/futures", ""), 404},
			{"a channel that is not simulated", request("GET", "/v5/private", ""), 404},
			{"a channel by POST", request("POST", "/v5/public/linear", "Upgrade: websocket\r\nConnection: Upgrade\r\n"), 405},
			{"an upgrade to something else", request("GET", "/v5/public/linear", "Upgrade: h2c\r\n"), 400},
			{"a handshake of an old version", request("GET", "/v5/public/linear", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 7\r\n"), 400},
			{"the wrong category", request("GET", "/v5/market/tickers?category=futures", ""), 200},
			{"no category", request("GET", "/v5/market/tickers", ""), 200},
			{"a broken query", request("GET", "/v5/market/tickers?category=%zz&;&&==", ""), 200},
			{"8,000 parameters", request("GET", "/v5/market/tickers?"+strings.Repeat("a&", 4000)+strings.Repeat("b&", 3000), ""), 414},
			{"a limit beyond all", request("GET", "/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=99999999999999999999", ""), 200},
			{"a method of nobody", request("FOO", "/v5/market/time", ""), 400},
			{"DELETE", request("DELETE", "/v5/market/time", ""), 400},
			{"OPTIONS", request("OPTIONS", "*", ""), 200},
			{"TRACE", request("TRACE", "/v5/market/time", ""), 400},
			{"CONNECT", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", 400},
			{"HEAD", request("HEAD", "/v5/market/time", ""), 400},
			{"the control API by PUT", request("PUT", "/control/v1/clock", ""), 405},
			{"a call of nobody", request("POST", "/control/v1/clock/now", ""), 404},
			{"no JSON", request("POST", "/control/v1/clock", strings.TrimSuffix(body(10), "\r\n")), 400},
			{"a body of 2 MB", request("POST", "/control/v1/clock", body(2<<20)), 413},
			{"a body of 2 MB to REST", request("POST", "/v5/order/create", body(2<<20)), 413},
			{"a length below nothing", request("POST", "/control/v1/clock", "Content-Length: -5\r\n"), 400},
			{"two lengths", request("POST", "/control/v1/clock", "Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
			{"broken chunks", request("POST", "/control/v1/clock", "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400},
			{"a header of 20 kB", request("GET", "/v5/market/time", "X: "+strings.Repeat("x", 40_000)+"\r\n"), 431},
			{"no host", "GET /v5/market/time HTTP/1.1\r\n\r\n", 400},
			{"another host", "GET /v5/market/time HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
			{"a version of nobody", "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 505},
			{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00\xff", 200) + "\r\n\r\n", 400},
			{"nothing but lines", strings.Repeat("\r\n", 1000), 400},
		} {
			if got := say(t, x, test.text); got != test.want {
				t.Errorf("%s: status %d, want %v", test.what, got, test.want)
			}
		}
	})
}

// A request over WebSocket that is wrong is answered, or ends its own connection.
func TestBadFrames(t *testing.T) {
	key := [4]byte{1, 2, 3, 4}
	text := func(s string) string { return string(wsframe.AppendMasked(nil, ws.OpText, key, []byte(s))) }
	args := func(n int, arg string) string {
		return `{"op":"subscribe","args":[` + strings.TrimSuffix(strings.Repeat(`"`+arg+`",`, n), ",") + `]}`
	}
	for name, test := range map[string]struct {
		send string
		want string // of the last frame
	}{
		"no JSON":                       {text("nonsense"), `"success":false`},
		"nothing":                       {text(""), `"success":false`},
		"half an object":                {text(`{"op":"subscribe","args":[`), `"success":false`},
		"a list":                        {text(`[1,2,3]`), `"success":false`},
		"a deep object":                 {text(strings.Repeat(`{"a":`, 10_000)), `"success":false`},
		"deep lists":                    {text(`{"op":"ping","args":` + strings.Repeat(`[`, 30_000)), `"success":false`},
		"no text":                       {text("\xff\xfe\xfd"), `"success":false`},
		"a NUL":                         {text("{\"op\":\"pi\x00ng\"}"), `"success":false`},
		"an op of nobody":               {text(`{"op":"buy"}`), `"success":false`},
		"an op that is a number":        {text(`{"op":7}`), `"success":false`},
		"args that are no list":         {text(`{"op":"subscribe","args":"tickers.BTCUSDT"}`), `"success":false`},
		"args that are numbers":         {text(`{"op":"subscribe","args":[1,2]}`), `"success":false`},
		"no args":                       {text(`{"op":"subscribe"}`), `"success":false`},
		"a topic of nobody":             {text(args(1, "weather.BTCUSDT")), `"success":false`},
		"a topic of another channel":    {text(args(1, "tickers.BTC-26JUN26-90000-C-USDT")), `"success":false`},
		"a depth of nobody":             {text(args(1, "orderbook.7.BTCUSDT")), `"success":false`},
		"the same topic 2,000 times":    {text(args(2000, "tickers.BTCUSDT")), `"success":false`},
		"10,000 topics":                 {text(args(10_000, "x")), `"success":false`},
		"100,000 topics":                {text(args(100_000, "tickers.BTCUSDT")), "close 1009"},
		"a frame of 1 MB":               {text(strings.Repeat("x", 1<<20)), "close 1009"},
		"a frame that claims 2^62":      {"\x81\xff\x40\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04x", "close 1009"},
		"a frame that claims 2^63":      {"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04x", "close 100"},
		"a frame without a mask":        {string(wsframe.AppendFrame(nil, ws.OpText, []byte(`{"op":"ping"}`))), "close 1002"},
		"a reserved opcode":             {"\x83\x80\x01\x02\x03\x04", "close 1002"},
		"reserved bits":                 {"\xf1\x80\x01\x02\x03\x04", "close 1002"},
		"a ping of 200 bytes":           {string(wsframe.AppendMasked(nil, ws.OpPing, key, []byte(strings.Repeat("x", 200)))), "close 1002"},
		"a continuation of nothing":     {"\x80\x80\x01\x02\x03\x04", "close 1002"},
		"a close frame of one byte":     {"\x88\x81\x01\x02\x03\x04\x01", "close 1002"},
		"a close frame with a bad code": {string(wsframe.AppendMasked(nil, ws.OpClose, key, []byte{0, 5})), "close 1002"},
		"10,000 pings":                  {strings.Repeat(text(`{"op":"ping"}`), 10_000), `"ret_msg":"pong"`},
	} {
		t.Run(name, func(t *testing.T) {
			abused(t, func(t *testing.T, x *bybittest.Exchange) {
				c := connect(t, x, "/v5/public/linear")
				defer c.close()
				go io.WriteString(c.conn, test.send) // a server that has seen enough takes no more
				time.Sleep(time.Second)
				frames := c.take()
				if n := len(frames); n > 1 && frames[n-1] == "end" {
					frames = frames[:n-1]
				}
				if len(frames) == 0 || !strings.Contains(frames[len(frames)-1], test.want) {
					t.Errorf("got %.300q, want %s", frames, test.want)
				}
			})
		})
	}
}

// Clients that stop in the middle of anything cost nobody else anything, and are given up.
func TestHalfOpen(t *testing.T) {
	abused(t, func(t *testing.T, x *bybittest.Exchange) {
		var conns []net.Conn
		for _, half := range []string{
			"", "G", "GET /v5/market/time HTTP/1.1\r\nHost: local",
			"POST /control/v1/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"adv",
			"POST /v5/order/create HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
			"GET /v5/market/time HTTP/1.1\r\nHost: localhost\r\n\r\n", // and another one is to follow
			fmt.Sprintf(handshake, "/v5/public/linear")[:60],
			fmt.Sprintf(handshake, "/v5/public/linear"),
			fmt.Sprintf(handshake, "/v5/public/linear") + "\x81",
			fmt.Sprintf(handshake, "/v5/public/linear") + "\x81\xfe\xff\xff\x01\x02",
		} {
			for range 20 {
				conn := dial(t, x)
				if _, err := io.WriteString(conn, half); err != nil {
					t.Fatal(err)
				}
				conns = append(conns, conn)
			}
		}
		synctest.Wait()
		if n := x.Stats().Sessions; n < 60 {
			t.Fatalf("%d connections are open: the test proves nothing", n)
		}
		time.Sleep(15 * time.Minute) // ten of silence, and half a minute to find out
		if n := x.Stats().Sessions; n != 1 {
			t.Errorf("%d connections are open after a quarter of an hour, want the other client's", n)
		}
		for i, conn := range conns {
			conn.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Fatalf("connection %d is open after a quarter of an hour: %v", i, err)
			}
		}
	})
}

// A client that takes everything and reads nothing is cut off when its queue is full.
func TestStoppedReaders(t *testing.T) {
	abused(t, func(t *testing.T, x *bybittest.Exchange) {
		for range 10 {
			conn := dial(t, x)
			io.WriteString(conn, fmt.Sprintf(handshake, "/v5/public/linear"))
			for _, topic := range []string{"orderbook.1.BTCUSDT", "orderbook.50.BTCUSDT", "orderbook.200.BTCUSDT", "orderbook.1000.BTCUSDT", "orderbook.full.BTCUSDT", "publicTrade.BTCUSDT", "tickers.BTCUSDT"} {
				conn.Write(wsframe.AppendMasked(nil, ws.OpText, [4]byte{1, 2, 3, 4}, []byte(`{"op":"subscribe","args":["`+topic+`"]}`)))
			}
		}
		synctest.Wait()
		if n := x.Stats().Sessions; n != 11 {
			t.Fatalf("%d connections are open, want 11", n)
		}
		for minutes := 0; x.Stats().Sessions > 1; minutes++ {
			if minutes == 30 {
				t.Fatalf("%d connections are open after half an hour of reading nothing", x.Stats().Sessions)
			}
			time.Sleep(time.Minute)
		}
	})
}
