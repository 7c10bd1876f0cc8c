package bybit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/memnet"
)

// Trace hooks and their order over a stream's life.
func TestTraceTellsEverything(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		var mu sync.Mutex // guards log
		var log []string
		say := func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			log = append(log, fmt.Sprintf(format, args...))
		}
		wantLog := func(lines ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(log, lines) {
				t.Fatalf("traced\n%s\nwant\n%s", strings.Join(log, "\n"), strings.Join(lines, "\n"))
			}
			log = nil
		}
		link := func(l bybit.TraceLink) string {
			if l.Channel != bybit.Linear || l.URL != "ws://venue/v5/public/linear" {
				t.Errorf("a link of %s at %s", l.Channel, l.URL)
			}
			return fmt.Sprintf("link %d lane %d connection %d", l.Link, l.Lane, l.Connection)
		}
		c := v.traced(&bybit.Trace{
			BudgetFull: func(l bybit.TraceLink) { say("budget full: %s", link(l)) },
			Dialing:    func(l bybit.TraceLink, n int) { say("dialing: %s attempt %d", link(l), n) },
			DialFailed: func(l bybit.TraceLink, err error) {
				say("dial failed: %s %v", link(l), errors.Is(err, memnet.ErrRefused))
			},
			Connected: func(l bybit.TraceLink, took time.Duration) { say("connected: %s after %v", link(l), took) },
			Disconnected: func(l bybit.TraceLink, after time.Duration, err error) {
				say("disconnected: %s after %v: %v", link(l), after, err)
			},
			Request: func(l bybit.TraceLink, r bybit.TraceRequest) {
				say("request: %s %s %v id %v", link(l), r.Op, r.Topics, r.ReqID != "")
			},
			Reply: func(l bybit.TraceLink, r bybit.TraceReply) {
				say("reply: %s %s %v %q id %v", link(l), r.Op, r.Success, r.Message, r.ReqID != "")
			},
			Rejected: func(err *bybit.RejectedError) { say("rejected: %v", err) },
			Gap:      func(topic bybit.Topic, reason bybit.GapReason, err error) { say("gap: %s %s %v", topic, reason, err) },
			Resync:   func(topic bybit.Topic) { say("resync: %s", topic) },
			Overflow: func(messages, topics int) { say("overflow: %d of %d", messages, topics) },
		})
		v.reject("publicTrade.NOPE", "error:handler not found,topic:publicTrade.NOPE")
		s, err := c.Public(t.Context(), bybit.Linear, &bybit.StreamOptions{QueueBytes: 1}, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("NOPE"))
		if err != nil {
			t.Fatal(err)
		}
		wantLog("dialing: link 1 lane 0 connection 0 attempt 0",
			"connected: link 1 lane 0 connection 1 after 0s",
			"request: link 1 lane 0 connection 1 subscribe [orderbook.50.BTCUSDT publicTrade.NOPE] id true",
			`reply: link 1 lane 0 connection 1 subscribe false "error:handler not found,topic:publicTrade.NOPE" id true`,
			"rejected: publicTrade.NOPE: error:handler not found,topic:publicTrade.NOPE",
			"request: link 1 lane 0 connection 1 subscribe [orderbook.50.BTCUSDT] id true",
			`reply: link 1 lane 0 connection 1 subscribe true "" id true`)
		v.last().send(snapshot("BTCUSDT", 7, "1"), delta("BTCUSDT", 9, "1"))
		wantEvents(t, s, "rejected publicTrade.NOPE: error:handler not found,topic:publicTrade.NOPE",
			"book BTCUSDT u=7 bid 100 x 1", "gap orderbook.50.BTCUSDT book dropped 1")
		wantLog("gap: orderbook.50.BTCUSDT book book: gap: update id 9, want 8",
			"resync: orderbook.50.BTCUSDT",
			"request: link 1 lane 0 connection 1 unsubscribe [orderbook.50.BTCUSDT] id true",
			"request: link 1 lane 0 connection 1 subscribe [orderbook.50.BTCUSDT] id true",
			`reply: link 1 lane 0 connection 1 unsubscribe true "" id true`,
			`reply: link 1 lane 0 connection 1 subscribe true "" id true`)
		ping := time.NewTimer(20 * time.Second)
		<-ping.C
		wantLog("request: link 1 lane 0 connection 1 ping [] id true", `reply: link 1 lane 0 connection 1 pong true "" id true`)
		v.ln.Refuse(memnet.ErrRefused)
		v.last().close(1001, "going away")
		minute := time.NewTimer(time.Minute)
		<-minute.C
		mu.Lock()
		log = log[:min(len(log), 6)] // it goes on like that
		mu.Unlock()
		wantLog("disconnected: link 1 lane 0 connection 1 after 20s: closed by the peer: going away (1001)",
			"gap: orderbook.50.BTCUSDT disconnected closed by the peer: going away (1001)",
			"dialing: link 1 lane 0 connection 0 attempt 1", "dial failed: link 1 lane 0 connection 0 true",
			"dialing: link 1 lane 0 connection 0 attempt 2", "dial failed: link 1 lane 0 connection 0 true")
		v.ln.Refuse(nil)
		time.Sleep(time.Minute / 2)
		frames := make([]string, 300)
		for i := range frames {
			frames[i] = delta("BTCUSDT", i+5, "1")
		}
		for range 3 {
			v.last().send(frames...)
			synctest.Wait()
		}
		mu.Lock()
		if i := slices.IndexFunc(log, func(line string) bool {
			return strings.HasPrefix(line, "overflow: ") && strings.HasSuffix(line, " of 1")
		}); i < 0 {
			t.Errorf("traced %q, want an overflow", log)
		}
		mu.Unlock()
		s.Close()
	})
}

// A hook may look at the statistics of the stream that it is told of.
func TestTraceMayCallStats(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		var s *bybit.Stream
		seen := 0
		look := func() {
			if s != nil && s.Stats().Topics >= 0 {
				seen++
			}
		}
		c := v.traced(&bybit.Trace{
			Disconnected: func(bybit.TraceLink, time.Duration, error) { look() },
			Connected:    func(bybit.TraceLink, time.Duration) { look() },
			Request:      func(bybit.TraceLink, bybit.TraceRequest) { look() },
			Reply:        func(bybit.TraceLink, bybit.TraceReply) { look() },
			Gap:          func(bybit.Topic, bybit.GapReason, error) { look() },
		})
		opened, err := c.Public(t.Context(), bybit.Linear, nil, bybit.Trades("BTCUSDT"))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s = opened
		v.last().cut()
		time.Sleep(time.Minute)
		synctest.Wait()
		if seen < 5 {
			t.Errorf("%d looks at the statistics, want one for each thing that was told", seen)
		}
		s.Close()
	})
}
