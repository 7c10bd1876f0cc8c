package exchange_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybittest"
	"github.com/bywire/bywire/exchange"
)

// busy is a market of one symbol.
func busy() *exchange.Config { return &exchange.Config{Symbols: []string{"linear:BTCUSDT"}, Seed: 7} }

// call makes a call of the control API that must succeed, and decodes the answer.
func call(t *testing.T, x http.Handler, name, body string, answer any) {
	t.Helper()
	status, text := post(x, name, body)
	if status != http.StatusOK {
		t.Fatalf("%s %s: status %d %s", name, body, status, text)
	}
	if answer != nil {
		if err := json.Unmarshal([]byte(text), answer); err != nil {
			t.Fatal(err)
		}
	}
}

// updates are the u of the messages of books, with an S before those of snapshots.
func updates(t *testing.T, frames []string) (list []string) {
	t.Helper()
	for _, frame := range frames {
		var m struct {
			Type string
			Data struct{ U int64 }
		}
		if err := json.Unmarshal([]byte(frame), &m); err != nil {
			t.Fatalf("%v: %.200s", err, frame)
		}
		list = append(list, strings.Replace(m.Type, "snapshot", "S", 1)[:1]+fmt.Sprint(m.Data.U))
	}
	return list
}

// To go back and forth gives the same each time, and who is subscribed sees its books begin anew.
func TestSnapshotAndRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bybittest.NewExchange(t, busy())
		c := connect(t, x, "/v5/public/linear")
		defer c.close()
		c.subscribe(btcBook)
		x.Advance(3 * time.Second)
		var taken struct {
			Name, Hash string
			Time       time.Time
			Bytes      int
		}
		call(t, x, "snapshot", `{"name":"before"}`, &taken)
		if hash := fmt.Sprintf("%x", x.State().Hash); taken.Hash != hash || !taken.Time.Equal(x.Now()) || taken.Bytes < 1000 {
			t.Errorf("snapshot %+v at %s of %s", taken, x.Now(), hash)
		}
		var hashes [][32]byte
		for range 2 {
			x.Advance(5 * time.Second)
			c.take()
			call(t, x, "restore", `{"name":"before"}`, nil)
			if !x.Now().Equal(taken.Time) {
				t.Fatalf("it is %s, want %s", x.Now(), taken.Time)
			}
			x.Advance(time.Second)
			got := updates(t, c.take())
			if len(got) < 3 || got[0] != "S1" || got[1] != "d2" || got[2] != "d3" {
				t.Errorf("after the restore: %v", got)
			}
			hashes = append(hashes, x.State().Hash)
		}
		if hashes[0] != hashes[1] {
			t.Error("a second after a restore the market is another one than the time before")
		}
	})
}

func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bybittest.NewExchange(t, busy())
		c := connect(t, x, "/v5/public/linear")
		defer c.close()
		c.subscribe(btcBook)
		begun := x.Now()
		x.Advance(3 * time.Second)
		c.take()
		call(t, x, "reset", ``, nil)
		if !x.Now().Equal(begun) {
			t.Errorf("it is %s, want %s", x.Now(), begun)
		}
		x.Advance(time.Second)
		if got := updates(t, c.take()); len(got) < 2 || got[0] != "S1" || got[1] != "d2" {
			t.Errorf("after the reset: %v", got)
		}
	})
}

// A fork is what its parent is, goes the same way by itself, and another one when it is told to.
func TestFork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bybittest.NewExchange(t, busy())
		x.Advance(2 * time.Second)
		fork := func() *exchange.Exchange {
			y, err := x.Fork(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { y.Close() })
			return y
		}
		hash := func(y *exchange.Exchange) [32]byte {
			s, err := y.State(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return s.Hash
		}
		y, z := fork(), fork()
		if hash(y) != x.State().Hash || !y.Now().Equal(x.Now()) {
			t.Error("a fork begins as something else")
		}
		if err := z.Halt(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, e := range []*exchange.Exchange{x.Exchange, y, z} {
			if _, err := e.Advance(t.Context(), 5*time.Second); err != nil {
				t.Fatal(err)
			}
		}
		if hash(y) != x.State().Hash {
			t.Error("a fork that is left alone goes another way")
		}
		if hash(z) == x.State().Hash {
			t.Error("a fork in which trading was halted goes the same way")
		}
	})
}

// A fork of a clock that is paused is paused too.
func TestForkOfAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := busy()
		cfg.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		x := bybittest.NewExchange(t, cfg)
		for _, paused := range []bool{false, true} {
			if err := x.Pause(t.Context(), paused); err != nil {
				t.Fatal(err)
			}
			y, err := x.Fork(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			begun := y.Now()
			time.Sleep(time.Second)
			if passed := y.Now().Sub(begun); (passed == 0) != paused {
				t.Errorf("paused %t: %s passed", paused, passed)
			}
			if err := y.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// Sixteen snapshots are kept, and as many forks; an exchange that ends takes its forks along.
func TestControlKeepsSoMany(t *testing.T) {
	x := bybittest.NewExchange(t, one())
	for n := range 16 {
		call(t, x, "snapshot", fmt.Sprintf(`{"name":"s%d"}`, n), nil)
	}
	if status, text := post(x, "snapshot", `{"name":"s16"}`); status != http.StatusConflict || !strings.Contains(text, "16 snapshots are kept") {
		t.Errorf("the 17th snapshot: status %d %s", status, text)
	}
	call(t, x, "snapshot", `{"name":"s3"}`, nil)
	r := httptest.NewRequest(http.MethodGet, "/control/v1/snapshot", http.NoBody)
	r.Host = "localhost"
	_, text, _ := ask(x, r)
	var list struct{ Snapshots []struct{ Name string } }
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Snapshots) != 16 || list.Snapshots[15].Name != "s3" {
		t.Errorf("snapshots: %v %s", err, text)
	}
	var addrs []string
	for range 16 {
		var fork struct{ Listen string }
		call(t, x, "fork", ``, &fork)
		addrs = append(addrs, fork.Listen)
	}
	if status, text := post(x, "fork", ``); status != http.StatusConflict || !strings.Contains(text, "16 forks are there") {
		t.Errorf("the 17th fork: status %d %s", status, text)
	}
	slices.Sort(addrs)
	if n := len(slices.Compact(addrs)); n != 16 {
		t.Errorf("%d addresses", n)
	}
	if resp, err := http.Get("http://" + addrs[0] + "/v5/market/time"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("a fork: %v %v", resp, err)
	} else {
		resp.Body.Close()
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	for _, addr := range addrs {
		if resp, err := http.Get("http://" + addr + "/v5/market/time"); err == nil {
			resp.Body.Close()
			t.Errorf("a fork answers after the end: status %d", resp.StatusCode)
		}
	}
}

// The state shows what there is: connections, faults, rates, and invariants that hold.
func TestControlState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bybittest.NewExchange(t, busy())
		a, b := connect(t, x, "/v5/public/linear"), connect(t, x, "/v5/public/spot")
		defer a.close()
		defer b.close()
		a.subscribe(btcBook, "tickers.BTCUSDT")
		call(t, x, "faults", `{"kind":"no-pong","channel":"linear","for":"1m"}`, nil)
		call(t, x, "clock", `{"advance":"5s"}`, nil)
		r := httptest.NewRequest(http.MethodGet, "/control/v1/state", http.NoBody)
		r.Host = "localhost"
		status, text, _ := ask(x, r)
		var s struct {
			Time        time.Time
			Hash        string
			Commands    int
			Instruments int
			Rates       struct{ Orders, Trades, Frames, Bytes int64 }
			Invariants  []struct {
				Name         string
				Holds        bool
				Compared, Of int
			}
			Connections []struct {
				ID, Channel, Remote string
				Topics              int
			}
			Faults []struct {
				Kind  string
				Until time.Time
			}
		}
		if err := json.Unmarshal([]byte(text), &s); err != nil || status != 200 {
			t.Fatalf("status %d, %v: %s", status, err, text)
		}
		if !s.Time.Equal(x.Now()) || s.Hash != fmt.Sprintf("%x", x.State().Hash) || s.Commands != 1 || s.Instruments != 1 {
			t.Errorf("state %s", text)
		}
		if n := int64(len(a.take())); s.Rates.Orders < 100 || s.Rates.Frames < n/10 || s.Rates.Frames > n || s.Rates.Bytes < 100*s.Rates.Frames {
			t.Errorf("rates %+v; %d frames in five seconds", s.Rates, n)
		}
		if n := len(s.Invariants); n != 4 || s.Invariants[n-1].Compared < 5 || s.Invariants[n-1].Compared != s.Invariants[n-1].Of {
			t.Errorf("invariants %+v: want four, and all books compared after whole seconds", s.Invariants)
		}
		for _, v := range s.Invariants {
			if !v.Holds {
				t.Errorf("%s: does not hold", v.Name)
			}
		}
		if len(s.Connections) != 2 || s.Connections[0].Channel != "linear" || s.Connections[0].ID != a.id || s.Connections[0].Topics != 2 ||
			s.Connections[1].Channel != "spot" || s.Connections[1].Topics != 0 {
			t.Errorf("connections %+v", s.Connections)
		}
		if want := x.Now().Add(55 * time.Second); len(s.Faults) != 1 || s.Faults[0].Kind != "no-pong" || !s.Faults[0].Until.Equal(want) {
			t.Errorf("faults %+v, want one until %s", s.Faults, want)
		}
	})
}

// Faults outlive a restore, and their ends move with the time; what was held back does not come any more.
func TestFaultsAndRestore(t *testing.T) {
	pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
		snapshot, err := x.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		x.Advance(time.Hour)
		a.fault(x, exchange.Fault{Kind: exchange.FaultDelay, Delay: time.Second, For: time.Minute})
		trade(x, t, 100*time.Millisecond)
		a.take()
		b.take()
		if err := x.Restore(t.Context(), snapshot); err != nil {
			t.Fatal(err)
		}
		list, err := x.Faults(t.Context())
		if err != nil || len(list) != 1 || !list[0].Until.Equal(x.Now().Add(time.Minute-100*time.Millisecond)) {
			t.Errorf("faults %+v at %s, %v", list, x.Now(), err)
		}
		trade(x, t, 2*time.Second)
		got, all := updates(t, a.take()), updates(t, b.take())
		if len(got) < 10 || got[0] != "S1" || !slices.Equal(got, all[:len(got)]) {
			t.Errorf("got %v\nof  %v", got, all)
		}
	})
}
