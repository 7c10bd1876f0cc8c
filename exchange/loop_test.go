package exchange

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
)

// socket is a bare client that reads when the test says so.
type socket struct {
	t    *testing.T
	conn net.Conn
	r    *wsframe.Reader
	got  int // messages
}

func (b *bench) socket(ch wire.Channel, topics ...string) *socket {
	b.t.Helper()
	conn, err := b.ln.Dial(b.t.Context(), "tcp", "localhost:80")
	if err != nil {
		b.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", ch.Path())
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		b.t.Fatalf("handshake: %v %v", resp, err)
	}
	s := &socket{t: b.t, conn: conn, r: wsframe.NewReader(conn, 4096, 1<<24, false)}
	early, _ := br.Peek(br.Buffered())
	s.r.Preload(early)
	if len(topics) > 0 {
		s.send(`{"op":"subscribe","args":["` + strings.Join(topics, `","`) + `"]}`)
		if ack := s.next(); !strings.Contains(ack, `"success":true`) {
			b.t.Fatal(ack)
		}
	}
	return s
}

func (s *socket) send(text string) {
	if _, err := s.conn.Write(wsframe.AppendMasked(nil, ws.OpText, [4]byte{1, 2, 3, 4}, []byte(text))); err != nil {
		s.t.Error(err)
	}
}

// next is the next message; "" is the end of the connection.
func (s *socket) next() string {
	op, p, err := s.r.Next()
	if err != nil || op == ws.OpClose {
		return ""
	}
	s.got++
	return string(p)
}

func (b *bench) state() *State {
	b.t.Helper()
	s, err := b.x.State(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// A Live clock shows the time of day, a Scaled one runs in proportion, a Step clock stands; Pause, SetClock and Advance
// change that.
func TestClocks(t *testing.T) {
	cfg := Config{Symbols: []string{"spot:BTCUSDT"}, Quiet: true}
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		sleep := func(d time.Duration, want time.Duration, what string) {
			t.Helper()
			before := b.state().Time
			time.Sleep(d)
			if got := b.state().Time.Sub(before); got != want {
				t.Errorf("%s: %v have passed, want %v", what, got, want)
			}
		}
		if now := time.Now(); !b.state().Time.Equal(now) {
			t.Errorf("live: %v, want %v", b.state().Time, now)
		}
		sleep(3*time.Second+7, 3*time.Second+7, "live")
		if err := b.x.SetClock(t.Context(), Scaled, 10); err != nil {
			t.Fatal(err)
		}
		sleep(time.Second, 10*time.Second, "x10")
		b.x.Pause(t.Context(), true)
		sleep(time.Hour, 0, "paused")
		b.x.Pause(t.Context(), false)
		sleep(time.Second, 10*time.Second, "not paused any more")
		before := b.state().Time
		b.advance(time.Minute)
		if got := b.state().Time.Sub(before); got != time.Minute {
			t.Errorf("advance by a minute: %v", got)
		}
		sleep(time.Second, 10*time.Second, "after an advance")
		b.x.SetClock(t.Context(), Step, 0)
		sleep(time.Hour, 0, "step")
		b.advance(1500 * time.Millisecond)
		sleep(time.Second, 0, "step")
		if err := b.x.SetClock(t.Context(), Scaled, -1); err == nil {
			t.Error("a speed below 0 was taken")
		}
	})
}

// A clock that cannot keep up gives up the time that it lost.
func TestScaledClockGivesUpLostTime(t *testing.T) {
	inBubble(t, Config{Clock: Scaled, Speed: 1, Symbols: []string{"spot:BTCUSDT"}, Quiet: true}, func(t *testing.T, b *bench) {
		b.do(func(*core.Core) { time.Sleep(10 * time.Second) }) // the loop stands still
		before := b.state().Time
		time.Sleep(time.Second)
		if got := b.state().Time.Sub(before); got > 3*time.Second {
			t.Errorf("%v have passed in a second", got)
		}
	})
}

// Advance waits a second for a client that does not read and names it, then does not wait for it any more; the others get
// everything, and in the end the stopped one is cut.
func TestAdvanceNamesAStoppedReader(t *testing.T) {
	cfg := stepped("linear:BTCUSDT")
	cfg.QueueBytes = 600 << 10
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		topics := []string{"orderbook.1.BTCUSDT", "orderbook.50.BTCUSDT", "orderbook.200.BTCUSDT", "orderbook.1000.BTCUSDT", "publicTrade.BTCUSDT", "tickers.BTCUSDT"}
		stopped := b.socket(wire.Linear, topics...)
		good := b.stream(bybit.Linear, bybit.OrderBook(50, "BTCUSDT"))
		var named []Late
		waits, cut := 0, false
		for range 400 {
			before := time.Now()
			late, err := b.x.Advance(t.Context(), time.Second)
			if err != nil {
				t.Fatal(err)
			}
			switch took := time.Since(before); took {
			case 0:
			case time.Second:
				waits++
			default:
				t.Fatalf("an advance took %v", took)
			}
			named = append(named, late...)
			drain(t, good, func(bybit.Event) {})
			if len(late) == 0 && waits > 0 {
				time.Sleep(10 * time.Second)
				cut = b.x.ws.Sessions() == 1
				break
			}
		}
		if waits != 1 || len(named) == 0 {
			t.Errorf("%d advances took a second; late: %q", waits, named)
		}
		if !cut {
			t.Error("the stopped reader is still there")
		}
		for _, name := range named {
			if name != named[0] {
				t.Errorf("late: %q", named)
			}
		}
		stopped.conn.Close()
	})
}

// Time waits for a client in lock step: while it has not dealt with a message, time is within a quantum of it. It does so
// on Step and on Max.
func TestLockStep(t *testing.T) {
	for _, mode := range []Mode{Step, Max} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
				s := b.socket(wire.Linear, "orderbook.50.BTCUSDT", "publicTrade.BTCUSDT")
				s.send(`{"op":"bywire.idle","args":["1"]}`)
				synctest.Wait()
				moved := make(chan error, 1)
				if mode == Max {
					if err := b.x.SetClock(t.Context(), Max, 0); err != nil {
						t.Fatal(err)
					}
					moved <- nil
				} else {
					go func() {
						_, err := b.x.Advance(t.Context(), 20*time.Second)
						moved <- err
					}()
				}
				begun := time.Now()
				for range 100 {
					text := s.next()
					var ts int64
					if _, after, ok := strings.Cut(text, `"ts":`); !ok || func() error { _, err := fmt.Sscan(after, &ts); return err }() != nil {
						t.Fatalf("no ts in %.200s", text)
					}
					synctest.Wait() // the exchange has gone as far as it goes without us
					if ahead := b.x.Now().UnixMilli() - ts; ahead < 0 || ahead > DefaultQuantum.Milliseconds() && s.got > 2 {
						t.Fatalf("message %d of %d: the time is %d ms ahead", s.got, ts, ahead)
					}
					s.send(fmt.Sprintf(`{"op":"bywire.idle","args":["%d"]}`, s.got))
				}
				if took := time.Since(begun); took != 0 {
					t.Errorf("100 messages took %v of real time", took)
				}
				if mode == Max {
					b.x.SetClock(t.Context(), Step, 0)
				}
				s.conn.Close()
				if err := <-moved; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// On a Max clock time runs by itself, and calls are answered meanwhile.
func TestMaxRuns(t *testing.T) {
	x, err := New(&Config{Clock: Max, Symbols: []string{"linear:BTCUSDT"}})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for x.Now().Sub(defaultStart) < 10*time.Second {
		if _, err := x.State(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// Advance ends with its context, and the time stays where it is.
func TestAdvanceEndsWithItsContext(t *testing.T) {
	inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
		s := b.socket(wire.Linear, "orderbook.50.BTCUSDT")
		s.send(`{"op":"bywire.idle"}`)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := b.x.Advance(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("advance: %v", err)
		}
		if passed := b.state().Time.Sub(defaultStart); passed > time.Second {
			t.Errorf("%v have passed", passed)
		}
		s.send(`{"op":"bywire.idle","args":["minus"]}`)
		for text := s.next(); !strings.Contains(text, "bywire.idle"); text = s.next() {
			if text == "" {
				t.Fatal("no answer to an argument that is no number")
			}
		}
		s.conn.Close()
	})
}
