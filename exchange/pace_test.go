package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/internal/wire"
)

// everything is what a client of linear BTCUSDT can subscribe to that comes often.
func everything() []string {
	return []string{
		"orderbook.50.BTCUSDT", "orderbook.1.BTCUSDT", "orderbook.200.BTCUSDT", "orderbook.1000.BTCUSDT",
		"publicTrade.BTCUSDT", "tickers.BTCUSDT", "kline.1.BTCUSDT",
	}
}

// A client that reads slowly sets the pace of an advance and of a Max clock, and loses nothing, however long a quantum is. On
// a Max clock it may also read in lumps, as a slow one is seen to over TCP.
func TestASlowReaderSetsThePace(t *testing.T) {
	const span = 5 * time.Minute // of the exchange
	for _, quantum := range []time.Duration{DefaultQuantum, 2 * time.Minute} {
		for _, mode := range []Mode{Step, Max} {
			t.Run(fmt.Sprint(mode, " ", quantum), func(t *testing.T) {
				cfg := stepped("linear:BTCUSDT")
				cfg.QueueBytes, cfg.Quantum = 300<<10, quantum
				inBubble(t, cfg, func(t *testing.T, b *bench) {
					s := b.socket(wire.Linear, everything()...)
					var total atomic.Int64
					over := make(chan string, 1)
					var lump time.Duration
					if mode == Max {
						lump = 7 * time.Second
					}
					go func() {
						u := int64(0)
						var owed time.Duration
						for {
							text := s.next()
							if text == "" {
								over <- "the connection has ended"
								return
							}
							total.Add(int64(len(text)))
							if owed += time.Duration(len(text)) * time.Second / 100_000; owed > lump {
								time.Sleep(owed)
								owed = 0
							}
							if !strings.HasPrefix(text, `{"topic":"orderbook.50.`) {
								continue
							}
							var is int64
							if _, after, ok := strings.Cut(text, `"u":`); !ok || func() error { _, err := fmt.Sscan(after, &is); return err }() != nil {
								over <- "no u in " + text
								return
							}
							if u != 0 && is != u+1 {
								over <- fmt.Sprintf("u %d follows %d", is, u)
								return
							}
							u = is
						}
					}()
					begun := time.Now()
					if mode == Max {
						if err := b.x.SetClock(t.Context(), Max, 0); err != nil {
							t.Fatal(err)
						}
						for b.x.Now().Sub(defaultStart) < span && len(over) == 0 {
							time.Sleep(time.Second)
						}
						if err := b.x.SetClock(t.Context(), Step, 0); err != nil {
							t.Fatal(err)
						}
					} else if late, err := b.x.Advance(t.Context(), span); err != nil || len(late) > 0 {
						t.Fatalf("late %v, %v", late, err)
					}
					took := time.Since(begun)
					time.Sleep(time.Minute) // what is on its way arrives
					select {
					case why := <-over:
						t.Fatal(why)
					default:
					}
					// Of what it got all but a queue, what the network holds and the last lump was waited for.
					if least := time.Duration(total.Load()-(700<<10)) * time.Second / 100_000; total.Load() < 2<<20 || took < least-lump {
						t.Errorf("%d bytes took %v, want %v or more", total.Load(), took, least)
					}
					s.conn.Close()
					<-over
				})
			})
		}
	}
}

// A client that has said bywire.idle once is named for not saying it again, once: neither what it reads nor its pings make
// the time wait for it another second.
func TestIdleSaidOnce(t *testing.T) {
	inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
		s := b.socket(wire.Linear, "orderbook.50.BTCUSDT")
		s.send(`{"op":"bywire.idle"}`)
		go func() {
			for text := s.next(); text != ""; text = s.next() {
				if strings.HasPrefix(text, `{"topic"`) {
					s.send(`{"op":"ping"}`)
				}
			}
		}()
		synctest.Wait()
		begun := time.Now()
		for n := range 5 {
			late, err := b.x.Advance(t.Context(), 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if len(late) != 1 || late[0].Why != NotIdle || !strings.HasSuffix(late[0].String(), ": did not say bywire.idle") {
				t.Errorf("advance %d: late %v", n, late)
			}
		}
		if took := time.Since(begun); took != time.Second {
			t.Errorf("five advances took %v, want a second", took)
		}
		synctest.Wait()
		s.conn.Close()
	})
}

// With a silence the time waits for clients that say nothing of themselves, after each quantum with output; what a call sets
// is shown.
func TestSilence(t *testing.T) {
	inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
		s := b.socket(wire.Linear, "orderbook.50.BTCUSDT")
		texts := make(chan string, 1<<16)
		go func() {
			for text := s.next(); text != ""; text = s.next() {
				texts <- text
			}
		}()
		if err := b.x.SetPace(t.Context(), 100*time.Millisecond, 7*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, err := b.x.Advance(t.Context(), 2*time.Second); err != nil {
			t.Fatal(err)
		}
		const silence = 7 * time.Millisecond // once for each quantum with output
		if took := time.Since(begun); took%silence != 0 || took < 15*silence || took > 20*silence || len(texts) < 30 {
			t.Errorf("20 quanta took %v with %d messages", took, len(texts))
		}
		if st := b.state(); st.Quantum != 100*time.Millisecond || st.Silence != 7*time.Millisecond {
			t.Errorf("state %+v", st)
		}
		if err := b.x.SetPace(t.Context(), -1, 0); err == nil {
			t.Error("a quantum below 0 was taken")
		}
		y, err := b.x.Fork(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer y.Close()
		if st, err := y.State(t.Context()); err != nil || st.Quantum != 100*time.Millisecond || st.Silence != 7*time.Millisecond {
			t.Errorf("a fork's state %+v, %v", st, err)
		}
		s.conn.Close()
	})
}

// slowly is a journal that makes New take long.
type slowly time.Duration

func (s slowly) Write(p []byte) (int, error) {
	time.Sleep(time.Duration(s))
	return len(p), nil
}

// A Live clock that begins with the wall clock shows it, however long it takes to make a market.
func TestLiveShowsTheTimeOfDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1234 * time.Microsecond) // Start is cut to milliseconds, and what is cut off is not lost
		x, err := New(&Config{Symbols: []string{"spot:BTCUSDT"}, Quiet: true, Journal: slowly(600 * time.Millisecond)})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		look := func(what string, x *Exchange) {
			t.Helper()
			s, err := x.State(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if now := time.Now(); !s.Time.Equal(now) {
				t.Errorf("%s: %v behind", what, now.Sub(s.Time))
			}
		}
		synctest.Wait()
		look("at the beginning", x)
		time.Sleep(3*time.Second + 7)
		look("later", x)
		y, err := x.Fork(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer y.Close()
		clockOf := func(x *Exchange) (c clock) {
			if err := x.do(t.Context(), func(*core.Core) { c = x.clock }); err != nil {
				t.Fatal(err)
			}
			return c
		}
		if clockOf(y) != clockOf(x) {
			t.Errorf("a fork's clock is %+v, want %+v", clockOf(y), clockOf(x))
		}
		synctest.Wait()
		look("a fork", y)
		// An advance that takes long, and calls that change nothing, do not put it back.
		if err := x.SetClock(t.Context(), Live, 0); err != nil {
			t.Fatal(err)
		}
		if err := x.Pause(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if clockOf(y) != clockOf(x) {
			t.Errorf("calls that change nothing have changed the clock")
		}
		var ahead time.Duration
		for _, step := range []func(c *core.Core){
			func(c *core.Core) {
				x.clock.hold(c.Now())
				x.advance(c.Now() + int64(time.Minute))
			},
			func(c *core.Core) {
				x.clock.release(c.Now())
				ahead = time.Duration(x.clock.target() - time.Now().UnixNano())
			},
		} {
			if err := x.do(t.Context(), step); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
		}
		if ahead != time.Minute {
			t.Errorf("after an advance by a minute that took 5 s the clock is %v ahead", ahead)
		}
	})
}

// A pause, a restore and a reset end an advance that is under way, and one that waits for its turn; the time stays where
// they leave it.
func TestAdvanceIsInterrupted(t *testing.T) {
	for name, change := range map[string]func(x *Exchange, snapshot []byte) error{
		"pause":   func(x *Exchange, _ []byte) error { return x.Pause(context.Background(), true) },
		"restore": func(x *Exchange, snapshot []byte) error { return x.Restore(context.Background(), snapshot) },
		"reset":   func(x *Exchange, _ []byte) error { return x.Reset(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
				s := b.socket(wire.Linear, "orderbook.50.BTCUSDT")
				s.send(`{"op":"bywire.idle"}`)
				synctest.Wait()
				snapshot, err := b.x.Snapshot(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 2)
				for range 2 {
					go func() {
						_, err := b.x.Advance(t.Context(), 10_000*time.Hour)
						ended <- err
					}()
				}
				synctest.Wait() // the first one waits for the client
				if err := change(b.x, snapshot); err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				for range 2 {
					if err := <-ended; !errors.Is(err, ErrInterrupted) || !strings.Contains(err.Error(), "interrupted by "+name+"; it is 2026-01-01T00:00:0") {
						t.Errorf("advance: %v", err)
					}
				}
				if took := time.Since(begun); took != 0 {
					t.Errorf("it took %v", took)
				}
				if passed := b.state().Time.Sub(defaultStart); (passed == 0) == (name == "pause") || passed > time.Second {
					t.Errorf("it is %v after the beginning", passed)
				}
				s.conn.Close()
				synctest.Wait()
				if _, err := b.x.Advance(t.Context(), time.Second); err != nil {
					t.Errorf("the next advance: %v", err)
				}
			})
		})
	}
}

// The call of the clock says that an advance was interrupted, and a speed or a mode lets a clock run that is paused.
func TestControlClockWhilePaused(t *testing.T) {
	inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
		s := b.socket(wire.Linear, "orderbook.50.BTCUSDT")
		s.send(`{"op":"bywire.idle"}`)
		synctest.Wait()
		clock := func(body string) (int, string) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/control/v1/clock", strings.NewReader(body))
			r.Host = "localhost"
			b.x.ServeHTTP(w, r)
			return w.Code, w.Body.String()
		}
		interrupted := make(chan string, 1)
		go func() {
			status, text := clock(`{"advance":"1h"}`)
			interrupted <- fmt.Sprint(status, text)
		}()
		synctest.Wait()
		if status, text := clock(`{"pause":true}`); status != http.StatusOK {
			t.Fatal(status, text)
		}
		if text := <-interrupted; !strings.HasPrefix(text, "409") || !strings.Contains(text, `"error": "advance: interrupted by pause; it is 2026-01-01T`) {
			t.Error(text)
		}
		s.conn.Close()
		for body, moves := range map[string]bool{`{"speed":10}`: true, `{"mode":"live"}`: true, `{"mode":"step"}`: false, `{"speed":20,"pause":true}`: false} {
			clock(`{"pause":true}`)
			if status, text := clock(body); status != http.StatusOK {
				t.Fatal(status, text)
			}
			before := b.state().Time
			time.Sleep(time.Second)
			if moved := b.state().Time.After(before); moved != moves {
				t.Errorf("%s after a pause: moves %t, want %t", body, moved, moves)
			}
		}
	})
}
