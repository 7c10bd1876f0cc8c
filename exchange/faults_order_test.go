package exchange_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/bybittest"
	"github.com/bywire/bywire/exchange"
)

// What several faults do to one message: all of them act, in the order that docs/control.md has, whichever came first.
func TestFaultsOfOneMessage(t *testing.T) {
	const late = 70 * time.Millisecond
	for name, test := range map[string]struct {
		faults []exchange.Fault
		want   func(all []string) []string
		hits   []int
	}{
		"a skip under a delay": {
			[]exchange.Fault{{Kind: exchange.FaultDelay, Delay: late, For: time.Hour}, {Kind: exchange.FaultSkip}},
			func(all []string) []string { return all[1:] }, []int{-1, 1},
		},
		"a skip of what would be sent twice": {
			[]exchange.Fault{{Kind: exchange.FaultDuplicate}, {Kind: exchange.FaultSkip}},
			func(all []string) []string { return slices.Concat(all[1:2], all[1:]) }, []int{1, 1},
		},
		"two skips": {
			[]exchange.Fault{{Kind: exchange.FaultSkip}, {Kind: exchange.FaultSkip}},
			func(all []string) []string { return all[2:] }, []int{1, 1},
		},
		"silence over everything": {
			[]exchange.Fault{{Kind: exchange.FaultDuplicate}, {Kind: exchange.FaultSilent, Topic: btcBook}, {Kind: exchange.FaultSkip}},
			func([]string) []string { return nil }, []int{0, -1, 0},
		},
		"two duplicates": {
			[]exchange.Fault{{Kind: exchange.FaultDuplicate}, {Kind: exchange.FaultDuplicate, Count: 2}},
			func(all []string) []string { return slices.Concat(all[:1], all[:1], all[:1], all[1:2], all[1:]) }, []int{1, 2},
		},
		"a duplicate that is late": {
			[]exchange.Fault{{Kind: exchange.FaultDelay, Delay: late}, {Kind: exchange.FaultDuplicate}},
			func(all []string) []string { return slices.Concat(all[:1], all) }, []int{1, 1},
		},
		"a duplicate after the next one": {
			[]exchange.Fault{{Kind: exchange.FaultReorder}, {Kind: exchange.FaultDuplicate}},
			func(all []string) []string { return slices.Concat(all[1:2], all[:1], all[:1], all[2:]) }, []int{1, 1},
		},
		"one after the next one, and late": {
			[]exchange.Fault{{Kind: exchange.FaultDelay, Delay: late}, {Kind: exchange.FaultReorder}},
			func(all []string) []string { return slices.Concat(all[1:2], all[:1], all[2:]) }, []int{1, 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
				for n := range test.faults {
					a.fault(x, test.faults[n])
				}
				trade(x, t, time.Second)
				active, err := x.Faults(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for n, hits := range test.hits {
					i := slices.IndexFunc(active, func(f exchange.ActiveFault) bool { return f.ID == n+1 })
					if hits < 0 && (i < 0 || active[i].Hits < 5) {
						t.Errorf("the fault %+v has not happened often: %+v", test.faults[n], active)
					}
					if hits >= 0 && i >= 0 && active[i].Hits != hits { // one that is used up is gone
						t.Errorf("the fault %+v has happened %d times, want %d", test.faults[n], active[i].Hits, hits)
					}
				}
				if err := x.RemoveFault(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				all := enough(t, b.take(), 5)
				x.Advance(late)
				same(t, "the connection", a.take(), test.want(all))
			})
		})
	}
}

// Delays add up, exactly.
func TestFaultDelaysAddUp(t *testing.T) {
	pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
		a.fault(x, exchange.Fault{Kind: exchange.FaultDelay, Delay: 30 * time.Millisecond})
		a.fault(x, exchange.Fault{Kind: exchange.FaultDelay, Delay: 50 * time.Millisecond})
		if err := x.Stir(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for len(b.take()) == 0 {
			x.Advance(time.Millisecond)
		}
		a.take()
		x.Advance(79 * time.Millisecond)
		same(t, "after 79 ms", a.take(), nil)
		x.Advance(time.Millisecond)
		enough(t, a.take(), 1)
	})
}

// Of a connection that several faults make slow the slowest counts, and when that ends the other one.
func TestFaultsSlowTogether(t *testing.T) {
	pair(t, func(t *testing.T, x *bybittest.Exchange, a, _ *raw) {
		slower := a.fault(x, exchange.Fault{Kind: exchange.FaultSlow, Rate: 100, For: time.Hour})
		a.fault(x, exchange.Fault{Kind: exchange.FaultSlow, Rate: 10_000, For: time.Hour})
		took := func() time.Duration {
			begun := time.Now()
			for n := range 5 {
				a.send(ws.OpPing, strings.Repeat("x", 98)) // a pong of 100 bytes
				synctest.Wait()
				a.mu.Lock()
				got := len(a.frames)
				a.mu.Unlock()
				for ; got <= n; time.Sleep(time.Millisecond) {
					a.mu.Lock()
					got = len(a.frames)
					a.mu.Unlock()
				}
			}
			a.take()
			return time.Since(begun)
		}
		if d := took(); d < 3*time.Second {
			t.Errorf("five pongs of 100 bytes took %v at 100 bytes a second", d)
		}
		time.Sleep(10 * time.Second)
		if err := x.RemoveFault(t.Context(), slower.ID); err != nil {
			t.Fatal(err)
		}
		if d := took(); d < 30*time.Millisecond || d > time.Second {
			t.Errorf("five pongs of 100 bytes took %v at 10000 bytes a second", d)
		}
	})
}

// A topic chooses the connections whose pings are not answered.
func TestFaultNoPongOfATopic(t *testing.T) {
	pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
		b.subscribe("kline.1.BTCUSDT")
		added, err := x.AddFault(t.Context(), exchange.Fault{Kind: exchange.FaultNoPong, Topic: "kline.*"})
		if err != nil || added.Topics != 1 || added.Connections != 1 {
			t.Fatalf("%+v, %v", added, err)
		}
		for _, c := range []*raw{a, b} {
			c.send(ws.OpPing, "1")
		}
		same(t, "who has no such topic", a.take(), []string{"pong 1"})
		same(t, "who has one", b.take(), nil)
		b.send(ws.OpText, `{"op":"unsubscribe","args":["kline.1.BTCUSDT"]}`)
		b.take()
		b.send(ws.OpPing, "2")
		same(t, "who has one no more", b.take(), []string{"pong 2"})
	})
}

// A new fault says how much it is about, so that a pattern that is misspelt is noticed.
func TestFaultSaysWhatItMatches(t *testing.T) {
	pair(t, func(t *testing.T, x *bybittest.Exchange, a, b *raw) {
		a.subscribe("tickers.BTCUSDT", "kline.1.BTCUSDT")
		for _, test := range []struct {
			body                string
			topics, connections int
		}{
			{`{"kind":"skip"}`, 3, 2},
			{`{"kind":"skip","topic":"orderbook.*"}`, 1, 2},
			{`{"kind":"skip","topic":"orderbok.50.BTCUSDT"}`, 0, 0},
			{`{"kind":"silent","connection":"` + a.id + `"}`, 3, 1},
			{`{"kind":"silent","connection":"` + b.id + `"}`, 1, 1},
			{`{"kind":"no-pong","topic":"*.BTCUSDT"}`, 3, 2},
			{`{"kind":"refuse","connection":"nobody"}`, 0, 0},
			{`{"kind":"slow","rate":1000000,"topic":"kline.*"}`, 1, 1},
			{`{"kind":"drop","channel":"spot"}`, 0, 0},
			{`{"kind":"drop","topic":"tickers.*"}`, 1, 1},
			{`{"kind":"drop"}`, 1, 1},
		} {
			var got struct {
				Matches *struct{ Topics, Connections int }
			}
			call(t, x, "faults", test.body, &got)
			if got.Matches == nil || got.Matches.Topics != test.topics || got.Matches.Connections != test.connections {
				t.Errorf("%s: %+v, want %d topics and %d connections", test.body, got.Matches, test.topics, test.connections)
			}
			synctest.Wait()
		}
	})
}
