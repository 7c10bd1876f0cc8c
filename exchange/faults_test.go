package exchange_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/bybittest"
	"github.com/bywire/bywire/exchange"
	"github.com/bywire/bywire/internal/wsframe"
)

// raw is a client that notes every frame as it comes.
type raw struct {
	t    *testing.T
	conn net.Conn
	id   string // conn_id
	done chan struct{}

	mu     sync.Mutex // guards the fields below
	frames []string
	last   time.Time // when the last one came
}

const handshake = "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// connect opens a connection on a channel's path.
func connect(t *testing.T, x *bybittest.Exchange, path string) *raw {
	t.Helper()
	conn, err := x.Options().DialContext(t.Context(), "tcp", "localhost:80")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, handshake, path)
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v %v", resp, err)
	}
	c := &raw{t: t, conn: conn, done: make(chan struct{})}
	r := wsframe.NewReader(conn, 4096, 1<<24, false)
	early, _ := br.Peek(br.Buffered())
	r.Preload(early)
	go func() {
		defer close(c.done)
		for {
			op, p, err := r.Next()
			switch {
			case err != nil:
				c.note("end")
				return
			case op == ws.OpClose:
				code, reason, _ := wsframe.ParseClose(p)
				c.note(fmt.Sprintf("close %d %s", code, reason))
				conn.Write(wsframe.AppendMasked(nil, ws.OpClose, [4]byte{1, 2, 3, 4}, p))
			case op == ws.OpPong:
				c.note("pong " + string(p))
			default:
				c.note(string(p))
			}
		}
	}()
	return c
}

func (c *raw) note(frame string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames, c.last = append(c.frames, frame), time.Now()
}

func (c *raw) send(op ws.OpCode, text string) {
	// A connection that has ended takes nothing, and what it has noted says so.
	_, _ = c.conn.Write(wsframe.AppendMasked(nil, op, [4]byte{1, 2, 3, 4}, []byte(text)))
}

// subscribe subscribes to topics and takes what comes at once.
func (c *raw) subscribe(topics ...string) {
	c.t.Helper()
	c.send(ws.OpText, `{"op":"subscribe","args":["`+strings.Join(topics, `","`)+`"]}`)
	frames := c.take()
	var ack struct {
		Success bool
		ConnID  string `json:"conn_id"`
	}
	if len(frames) == 0 || json.Unmarshal([]byte(frames[0]), &ack) != nil || !ack.Success {
		c.t.Fatalf("subscribe %v: %.300q", topics, frames)
	}
	c.id = ack.ConnID
}

// take returns what has come since the last call, once nothing more is on its way.
func (c *raw) take() []string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	frames := c.frames
	c.frames = nil
	return frames
}

func (c *raw) close() {
	c.conn.Close()
	<-c.done
}

// one is a market of one symbol in which only the test does something.
func one() *exchange.Config {
	return &exchange.Config{Symbols: []string{"linear:BTCUSDT"}, Seed: 7, Quiet: true}
}

// trade lets time pass in which the book changes every 20 ms.
func trade(x *bybittest.Exchange, t *testing.T, d time.Duration) {
	t.Helper()
	const every = 20 * time.Millisecond
	for ; d > 0; d -= every {
		if err := x.Stir(t.Context(), int(x.Now().UnixMilli()/20)); err != nil {
			t.Fatal(err)
		}
		x.Advance(min(d, every))
	}
}

const btcBook = "orderbook.50.BTCUSDT"

// pair runs a test with two connections to the same topic: one that something is done to, and one beside it.
func pair(t *testing.T, test func(t *testing.T, x *bybittest.Exchange, a, b *raw)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := bybittest.NewExchange(t, one())
		a, b := connect(t, x, "/v5/public/linear"), connect(t, x, "/v5/public/linear")
		defer a.close()
		defer b.close()
		a.subscribe(btcBook)
		b.subscribe(btcBook)
		x.Advance(time.Millisecond) // what was due at the beginning is over
		a.take()
		b.take()
		test(t, x, a, b)
	})
}

func (c *raw) fault(x *bybittest.Exchange, f exchange.Fault) exchange.ActiveFault {
	c.t.Helper()
	f.Connection = c.id
	added, err := x.AddFault(c.t.Context(), f)
	if err != nil {
		c.t.Fatal(err)
	}
	return added
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: %d frames, want %d\ngot  %.400q\nwant %.400q", what, len(got), len(want), got, want)
	}
}

// enough fails a test that would prove nothing.
func enough(t *testing.T, frames []string, n int) []string {
	t.Helper()
	if len(frames) < n {
		t.Fatalf("only %d messages came in a second, want %d or more", len(frames), n)
	}
	return frames
}

func TestFaultsOfMessages(t *testing.T) {
	for name, test := range map[string]struct {
		fault exchange.Fault
		want  func(all []string) []string
	}{
		"skip":           {exchange.Fault{Kind: exchange.FaultSkip}, func(all []string) []string { return all[1:] }},
		"skip three":     {exchange.Fault{Kind: exchange.FaultSkip, Count: 3}, func(all []string) []string { return all[3:] }},
		"skip others":    {exchange.Fault{Kind: exchange.FaultSkip, Topic: "publicTrade.*"}, func(all []string) []string { return all }},
		"skip elsewhere": {exchange.Fault{Kind: exchange.FaultSkip, Channel: "spot"}, func(all []string) []string { return all }},
		"duplicate": {exchange.Fault{Kind: exchange.FaultDuplicate, Topic: "orderbook.*", Count: 2}, func(all []string) []string {
			return slices.Concat(all[:1], all[:1], all[1:2], all[1:])
		}},
		"reorder": {exchange.Fault{Kind: exchange.FaultReorder, Topic: "*.BTCUSDT", Channel: "linear"}, func(all []string) []string {
			return slices.Concat(all[1:2], all[:1], all[2:])
		}},
		"reorder two": {exchange.Fault{Kind: exchange.FaultReorder, Count: 2}, func(all []string) []string {
			return slices.Concat(all[1:2], all[:1], all[3:4], all[2:3], all[4:])
		}},
		"silent topic": {exchange.Fault{Kind: exchange.FaultSilent, Topic: btcBook}, func([]string) []string { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
				a.fault(x, test.fault)
				trade(x, t, time.Second)
				all := enough(t, b.take(), 5)
				same(t, "the connection", a.take(), test.want(all))
				if err := x.RemoveFault(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				trade(x, t, time.Second)
				same(t, "afterwards", a.take(), enough(t, b.take(), 5))
			})
		})
	}
}

// What is late comes later, in order, and what follows not before it: also behind the end of the fault, and if it would
// be less late itself.
func TestFaultDelay(t *testing.T) {
	pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
		a.fault(x, exchange.Fault{Kind: exchange.FaultDelay, Delay: 300 * time.Millisecond, Count: 10})
		a.fault(x, exchange.Fault{Kind: exchange.FaultDelay, Delay: 100 * time.Millisecond, Count: 10})
		var sent, got []string
		most := 0
		for range 10 {
			trade(x, t, 100*time.Millisecond)
			sent, got = append(sent, b.take()...), append(got, a.take()...)
			most = max(most, len(sent)-len(got))
			same(t, "what came so far", got, sent[:len(got)])
		}
		same(t, "in all", got, enough(t, sent, 40))
		if most < 14 { // 300 ms of a message each 20 ms
			t.Errorf("at most %d messages were late", most)
		}
		if list, err := x.Faults(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("faults in force after their end: %v %v", list, err)
		}
		if n := x.HeldBack(); n != 0 {
			t.Errorf("%d messages and lanes are kept in the end", n)
		}
	})
}

// What is held back is not for who has left: a later subscription begins with its snapshot.
func TestFaultDelayAndLeave(t *testing.T) {
	pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
		a.fault(x, exchange.Fault{Kind: exchange.FaultDelay, Delay: 300 * time.Millisecond, Count: 10})
		trade(x, t, 200*time.Millisecond)
		same(t, "before", a.take(), nil)
		a.send(ws.OpText, `{"op":"unsubscribe","args":["`+btcBook+`"]}`)
		a.take()
		a.subscribe(btcBook) // takes the snapshot as well
		b.take()
		trade(x, t, time.Second)
		same(t, "afterwards", a.take(), enough(t, b.take(), 40))

		b.fault(x, exchange.Fault{Kind: exchange.FaultReorder, Count: 1})
		a.fault(x, exchange.Fault{Kind: exchange.FaultDelay, Delay: time.Minute, Count: 10})
		trade(x, t, 20*time.Millisecond)
		if n := x.HeldBack(); n < 3 {
			t.Errorf("%d messages and lanes are kept, want those of two connections", n)
		}
		a.close()
		b.close()
		synctest.Wait()
		x.Advance(2 * time.Minute)
		if n := x.HeldBack(); n != 0 {
			t.Errorf("%d messages and lanes are kept of connections that are over", n)
		}
	})
}

// On a clock that runs by itself a late message comes when it is due, and not with what is due next in the market.
func TestFaultDelayOnARunningClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := one()
		cfg.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // and Live
		x := bybittest.NewExchange(t, cfg)
		a, b := connect(t, x, "/v5/public/linear"), connect(t, x, "/v5/public/linear")
		defer a.close()
		defer b.close()
		a.subscribe(btcBook)
		b.subscribe(btcBook)
		a.fault(x, exchange.Fault{Kind: exchange.FaultDelay, Delay: 1500 * time.Microsecond})
		if err := x.Stir(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		sent, got := b.take(), a.take()
		same(t, "in all", got, sent)
		if late := a.last.Sub(b.last); len(sent) == 0 || late != 1500*time.Microsecond {
			t.Errorf("%d messages, %s late", len(sent), late)
		}
	})
}

// The clock of a fault is the exchange's: a delay of 300 ms is exactly that.
func TestFaultDelayIsExact(t *testing.T) {
	pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
		a.fault(x, exchange.Fault{Kind: exchange.FaultDelay, Delay: 300 * time.Millisecond, Count: 1})
		if err := x.Stir(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for len(b.take()) == 0 {
			x.Advance(time.Millisecond)
		}
		a.take()
		for late := 0; len(a.take()) == 0; late++ {
			x.Advance(time.Millisecond)
			if late > 300 {
				t.Fatal("more than 300 ms late")
			}
			if n := len(a.take()); n > 0 && late != 299 {
				t.Fatalf("%d ms late, want 300", late+1)
			} else if n > 0 {
				return
			}
		}
	})
}

func TestFaultsOfConnections(t *testing.T) {
	t.Run("cut", func(t *testing.T) {
		pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
			if hits := a.fault(x, exchange.Fault{Kind: exchange.FaultDrop}).Hits; hits != 1 {
				t.Errorf("%d connections dropped, want 1", hits)
			}
			same(t, "the connection", a.take(), []string{"end"})
			trade(x, t, time.Second)
			enough(t, b.take(), 5)
		})
	})
	t.Run("close", func(t *testing.T) {
		pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
			added, err := x.AddFault(t.Context(), exchange.Fault{Kind: exchange.FaultDrop, Topic: "orderbook.*", Code: 1012, Reason: "restart"})
			if err != nil || added.Hits != 2 {
				t.Fatalf("%d connections dropped, %v", added.Hits, err)
			}
			for _, c := range []*raw{a, b} {
				same(t, "the connection", c.take(), []string{"close 1012 restart", "end"})
			}
		})
	})
	t.Run("silent", func(t *testing.T) {
		pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
			a.fault(x, exchange.Fault{Kind: exchange.FaultSilent, For: time.Second})
			a.send(ws.OpText, `{"op":"ping"}`)
			a.send(ws.OpPing, "p")
			a.send(ws.OpText, `{"op":"subscribe","args":["tickers.BTCUSDT"]}`)
			synctest.Wait() // it has not heard any of it
			trade(x, t, time.Second)
			enough(t, b.take(), 5)
			same(t, "the connection", a.take(), nil)
			trade(x, t, time.Second)
			same(t, "afterwards", a.take(), enough(t, b.take(), 5))
			a.send(ws.OpPing, "q")
			same(t, "pongs", a.take(), []string{"pong q"})
		})
	})
	t.Run("no pong", func(t *testing.T) {
		pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
			a.fault(x, exchange.Fault{Kind: exchange.FaultNoPong, Count: 2})
			for _, text := range []string{"1", "2", "3"} {
				a.send(ws.OpPing, text)
				b.send(ws.OpPing, text)
			}
			same(t, "pongs", a.take(), []string{"pong 3"})
			same(t, "the other's", b.take(), []string{"pong 1", "pong 2", "pong 3"})
		})
	})
	t.Run("refuse", func(t *testing.T) {
		pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
			a.fault(x, exchange.Fault{Kind: exchange.FaultRefuse, Topic: "tickers.*"})
			a.send(ws.OpText, `{"op":"subscribe","args":["tickers.BTCUSDT"]}`)
			if got := a.take(); len(got) != 1 || !strings.Contains(got[0], `"success":false`) || !strings.Contains(got[0], "tickers.BTCUSDT") {
				t.Errorf("the first request: %q", got)
			}
			a.subscribe("tickers.BTCUSDT")
		})
	})
	t.Run("slow", func(t *testing.T) {
		pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
			a.fault(x, exchange.Fault{Kind: exchange.FaultSlow, Rate: 20, For: time.Hour})
			for n := range 20 {
				if err := x.Stir(t.Context(), n); err != nil {
					t.Fatal(err)
				}
				late, err := x.Exchange.Advance(t.Context(), 20*time.Millisecond)
				if err != nil || len(late) > 1 || len(late) == 1 && late[0] != (exchange.Late{Connection: a.id, Remote: late[0].Remote, Why: exchange.NotRead}) || n == 3 && len(late) == 0 {
					t.Fatalf("late: %q, %v; want the slow one", late, err)
				}
			}
			all, got := enough(t, b.take(), 5), a.take()
			if len(got) == 0 || len(got) >= len(all) {
				t.Fatalf("%d of %d messages came", len(got), len(all))
			}
			if err := x.RemoveFault(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			same(t, "in the end", append(got, a.take()...), all)
		})
	})
}

// The market does not notice faults.
func TestFaultsLeaveTheMarketAlone(t *testing.T) {
	run := func(t *testing.T, faulty bool) (hash [32]byte) {
		pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
			if faulty {
				for _, f := range []exchange.Fault{
					{Kind: exchange.FaultSkip, Count: 3}, {Kind: exchange.FaultDelay, Delay: time.Second, Count: 5},
					{Kind: exchange.FaultReorder, For: time.Second}, {Kind: exchange.FaultDuplicate, Count: 5},
				} {
					a.fault(x, f)
				}
			}
			trade(x, t, 3*time.Second)
			hash = x.State().Hash
		})
		return hash
	}
	if run(t, true) != run(t, false) {
		t.Error("the hash of a market with faults is another one")
	}
}

func TestFaultsAreChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bybittest.NewExchange(t, one())
		for _, test := range []struct {
			fault exchange.Fault
			want  string
		}{
			{exchange.Fault{}, `kind "": one of skip, duplicate, delay, reorder, drop, silent, no-pong, refuse, slow`},
			{exchange.Fault{Kind: "skip", Channel: "futures"}, `channel "futures": one of spot, linear, inverse, option, spread, rfq, status`},
			{exchange.Fault{Kind: "skip", Count: -1}, "count -1: 1 or more"},
			{exchange.Fault{Kind: "silent", Count: 1}, "count: not with silent"},
			{exchange.Fault{Kind: "skip", For: -1}, "for -1ns: a duration above 0"},
			{exchange.Fault{Kind: "drop", For: 1}, "for: not with drop"},
			{exchange.Fault{Kind: "delay"}, "delay 0s: of a fault of kind delay, from 1ns to 1h0m0s"},
			{exchange.Fault{Kind: "skip", Delay: 1}, "delay: only with kind delay"},
			{exchange.Fault{Kind: "slow"}, "rate 0: of a fault of kind slow"},
			{exchange.Fault{Kind: "skip", Rate: 1}, "rate: only with kind slow"},
			{exchange.Fault{Kind: "skip", Code: 1000}, "code and reason: only with kind drop"},
			{exchange.Fault{Kind: "drop", Code: 1006}, "code 1006: a code that a close frame can have"},
			{exchange.Fault{Kind: "drop", Reason: "x"}, "reason: only with a code"},
			{exchange.Fault{Kind: "drop", Code: 1000, Reason: strings.Repeat("x", 124)}, "reason: 124 bytes"},
		} {
			_, err := x.AddFault(t.Context(), test.fault)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%+v: %v, want %s", test.fault, err, test.want)
			}
		}
		if list, err := x.Faults(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("faults in force: %v %v", list, err)
		}
		if err := x.RemoveFault(t.Context(), 12); err == nil || !strings.Contains(err.Error(), "fault 12: no such fault is in force") {
			t.Errorf("RemoveFault(12): %v", err)
		}
	})
}
