package exchange

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/exchange/internal/api"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/internal/wire"
)

// get asks over REST.
func (b *bench) get(path string) (status int, body string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	r.Host = "localhost"
	b.x.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// hasBook wants a book of BTCUSDT over REST.
func (b *bench) hasBook(when string) {
	b.t.Helper()
	_, text := b.get("/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=1")
	var got struct {
		Result struct {
			A, B   [][2]string
			U, Seq int64
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Result.A) != 1 || len(got.Result.B) != 1 || got.Result.U == 0 || got.Result.Seq == 0 {
		b.t.Errorf("%s: %s", when, text)
	}
}

// A restore leads back to the very state, and a reset to the first one: the hashes say so, then and later; and at no moment is
// there no market.
func TestRestoreAndResetLeadBack(t *testing.T) {
	inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
		s := b.socket(wire.Linear, everything()...)
		go func() {
			for text := s.next(); text != ""; text = s.next() {
			}
		}()
		run := []*State{b.state()}
		for range 4 {
			b.advance(time.Second)
			run = append(run, b.state())
		}
		back := func(what string, n int) {
			t.Helper()
			b.hasBook("after a " + what)
			for ; n < len(run); n++ {
				if got := b.state(); got.Hash != run[n].Hash || !got.Time.Equal(run[n].Time) || got.Commands != 0 {
					t.Fatalf("%s: %x at %v after %d commands, want %x at %v", what, got.Hash[:4], got.Time, got.Commands, run[n].Hash[:4], run[n].Time)
				}
				b.advance(time.Second)
			}
		}
		if err := b.x.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		back("reset", 0)
		if err := b.x.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.advance(2 * time.Second)
		snapshot, err := b.x.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.advance(1500 * time.Millisecond)
		for range 2 {
			if err := b.x.Restore(t.Context(), snapshot); err != nil {
				t.Fatal(err)
			}
			back("restore", 2)
		}
		if err := b.x.Restore(t.Context(), snapshot[:len(snapshot)/2]); err == nil {
			t.Error("half a snapshot was taken")
		}
		if err := b.x.RestartBooks(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.hasBook("after a restart")
		s.conn.Close()
	})
}

// Requests are answered while a reset, a restore or a fork makes its market.
func TestNothingHeavyOnTheLoop(t *testing.T) {
	x, err := New(&Config{Clock: Step, Limits: LimitsOff}) // all instruments
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	snapshot, err := x.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, heavy := range map[string]func() error{
		"reset":   func() error { return x.Reset(t.Context()) },
		"restore": func() error { return x.Restore(t.Context(), snapshot) },
		"fork": func() error {
			y, err := x.Fork(t.Context())
			if err == nil {
				err = y.Close()
			}
			return err
		},
	} {
		// Of several times the quietest: a machine may be busy with something else.
		least := 1.0
		for range 3 {
			done := make(chan error, 1)
			begun, longest := time.Now(), time.Duration(0)
			go func() { done <- heavy() }()
			for over := false; !over; {
				select {
				case err := <-done:
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
					over = true
				default:
					asked := time.Now()
					if err := x.do(t.Context(), func(*core.Core) {}); err != nil {
						t.Fatal(err)
					}
					longest = max(longest, time.Since(asked))
				}
			}
			least = min(least, float64(longest)/float64(time.Since(begun)))
		}
		if least > 0.3 {
			t.Errorf("%s: an answer took %.0f %% of the time", name, 100*least)
		}
	}
}

// What a market makes when it is first asked, the candles of a month that began before its start, a restored one has before the
// loop has to publish them.
func TestRestoredIsWarm(t *testing.T) {
	x, err := New(&Config{Clock: Step, Limits: LimitsOff, Start: time.Date(2026, 1, 30, 23, 20, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if _, err := x.Advance(t.Context(), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	snapshot, err := x.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	least := [2]time.Duration{time.Hour, time.Hour} // of a restored market, and of the one that goes on
	for range 3 {
		if err := x.Restore(t.Context(), snapshot); err != nil {
			t.Fatal(err)
		}
		for n := range least {
			begun := time.Now()
			if _, err := x.Advance(t.Context(), 2*time.Second); err != nil {
				t.Fatal(err)
			}
			least[n] = min(least[n], time.Since(begun))
		}
	}
	if least[0] > 8*least[1] {
		t.Errorf("the first two seconds took %v, the next %v", least[0], least[1])
	}
}

// A state that has not changed is looked at once, and one that changes all the time once a second.
func TestLooksAtTheState(t *testing.T) {
	cfg := stepped("linear:BTCUSDT")
	cfg.Clock = Live
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		type seen struct {
			Time, HashTime time.Time
			Hash           string
			Invariants     []struct{ Name string }
		}
		look := func(query string) (s seen) {
			t.Helper()
			status, text := b.get("/control/v1/state" + query)
			if err := json.Unmarshal([]byte(text), &s); err != nil || status != http.StatusOK {
				t.Fatal(status, text)
			}
			return s
		}
		first := look("")
		if !first.HashTime.Equal(first.Time) || len(first.Hash) != 64 || len(first.Invariants) < 3 {
			t.Errorf("%+v", first)
		}
		time.Sleep(900 * time.Millisecond)
		if s := look(""); !s.HashTime.Equal(first.Time) || s.Hash != first.Hash || s.Time.Sub(first.Time) != 900*time.Millisecond {
			t.Errorf("900 ms later: %+v, before %+v", s, first)
		}
		time.Sleep(100 * time.Millisecond)
		if s := look(""); !s.HashTime.Equal(s.Time) || s.Hash == first.Hash {
			t.Errorf("a second later: %+v, before %+v", s, first)
		}
		if s := look("?brief=true"); s.Hash != "" || s.Invariants != nil || s.Time.IsZero() {
			t.Errorf("brief: %+v", s)
		}
		if status, text := b.get("/control/v1/state?brief=yes"); status != http.StatusBadRequest || !strings.Contains(text, "?brief=true") {
			t.Error(status, text)
		}
		if err := b.x.SetClock(t.Context(), Step, 0); err != nil {
			t.Fatal(err)
		}
		// On a clock that stands each state is looked at, and none twice: also one that a command has changed, and no time.
		hashes := map[string]bool{}
		for n := range 3 {
			if n == 2 {
				if err := b.x.Stir(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
			} else {
				b.advance(time.Millisecond)
			}
			s := look("")
			if !s.HashTime.Equal(s.Time) || hashes[s.Hash] {
				t.Errorf("%+v after %v", s, hashes)
			}
			hashes[s.Hash] = true
			taken := b.x.looked.last.taken
			time.Sleep(time.Minute)
			if look("").Hash != s.Hash || b.state().Hash != b.x.looked.last.hash || b.x.looked.last.taken != taken {
				t.Error("a state that has not changed was looked at twice")
			}
		}
	})
}

// Who is subscribed to a contract that a restore takes off the list gets its messages when it is listed again.
func TestSubscribedBeforeItIsListed(t *testing.T) {
	cfg := stepped("option:BTC*")
	cfg.Quiet = true
	cfg.Start = time.Date(2026, 1, 1, 7, 59, 58, 0, time.UTC) // options are listed at eight
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		listed := func() map[string]bool {
			symbols := map[string]bool{}
			b.do(func(c *core.Core) {
				for _, in := range c.Catalog().Live() {
					if in.Kind == catalog.Option {
						symbols[in.Symbol] = true
					}
				}
			})
			return symbols
		}
		before := listed()
		snapshot, err := b.x.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.advance(3 * time.Second)
		symbol := ""
		for s := range listed() {
			if !before[s] && (symbol == "" || s < symbol) {
				symbol = s
			}
		}
		if symbol == "" {
			t.Fatal("nothing was listed")
		}
		s := b.socket(wire.Option, "tickers."+symbol)
		texts := make(chan string, 1000)
		go func() {
			for text := s.next(); text != ""; text = s.next() {
				texts <- text
			}
		}()
		for range 2 { // a second restore still knows of it
			if err := b.x.Restore(t.Context(), snapshot); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		for len(texts) > 0 {
			<-texts
		}
		b.advance(time.Second)
		if n := len(texts); n != 0 {
			t.Errorf("%d messages of what is not listed", n)
		}
		b.advance(3 * time.Second)
		if n := len(texts); n < 2 {
			t.Fatalf("%d messages of what is listed again", n)
		}
		if first := <-texts; !strings.Contains(first, `"symbol":"`+symbol+`"`) {
			t.Error(first)
		}
		b.do(func(*core.Core) {
			if n := len(b.x.lost); n != 0 {
				t.Errorf("%d topics are still looked for", n)
			}
		})
		s.conn.Close()
	})
}

// nothing is a market whose reads panic.
type nothing struct{ api.Market }

func (nothing) Now() int64 { return 0 }

// A panic while a request is answered is that request's: it gets the code of a server error, the log the stack, and the
// market goes on.
func TestPanicInAnAnswer(t *testing.T) {
	var log bytes.Buffer
	cfg := stepped("linear:BTCUSDT")
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		good := b.x.api
		b.do(func(*core.Core) { b.x.api = api.New(nothing{}, api.Options{Unlimited: true, Time: b.x.now.Load}) })
		status, text := b.get("/v5/market/tickers?category=linear&symbol=BTCUSDT")
		if status != http.StatusOK || text != `{"retCode":10016,"retMsg":"Server error.","result":{},"retExtInfo":{},"time":1767225600000}` {
			t.Error(status, text)
		}
		for _, part := range []string{"level=ERROR", "/v5/market/tickers", "nil pointer", "answerREST"} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("no %q in the log: %s", part, log.String())
			}
		}
		b.do(func(*core.Core) { b.x.api = good })
		b.advance(time.Second)
		b.hasBook("afterwards")
	})
}
