package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// joined is what connections of a venue have been asked for.
type joined struct {
	mu sync.Mutex // guards all
	on map[*venueConn][]string
	// largest is the greatest request, in topics.
	largest, requests int
}

// watchJoins makes the venue keep what is subscribed on each connection.
func watchJoins(v *venue) *joined {
	j := &joined{on: map[*venueConn][]string{}}
	v.script = func(c *venueConn, _ []byte, req *wire.Request) bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		switch req.Op {
		case wire.OpSubscribe:
			j.on[c] = append(j.on[c], req.Args...)
			j.largest = max(j.largest, len(req.Args))
			j.requests++
		case wire.OpUnsubscribe:
			j.on[c] = slices.DeleteFunc(j.on[c], func(t string) bool { return slices.Contains(req.Args, t) })
			j.requests++
		}
		return false
	}
	return j
}

// carriers returns the connections that are open and have the topic, oldest first.
func (j *joined) carriers(v *venue, topic string) []*venueConn {
	v.mu.Lock()
	defer v.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	var on []*venueConn
	for _, c := range v.conns {
		if slices.Contains(j.on[c], topic) && !c.ended.Load() {
			on = append(on, c)
		}
	}
	return on
}

// The limits of each channel: 10 topics a request on spot, 2,000 topics a connection
// on option, 21,000 characters a connection everywhere.
func TestFailureClass11_ManyTopicsOverSeveralSockets(t *testing.T) {
	symbols := func(n int, form string) []bybit.Topic {
		topics := make([]bybit.Topic, n)
		for i := range topics {
			topics[i] = bybit.Trades(fmt.Sprintf(form, i))
		}
		return topics
	}
	short := make([]bybit.Topic, 4500) // of which the characters of 2,000 would fit
	for i := range short {
		short[i] = bybit.RawTopic(fmt.Sprintf("t%04d", i))
	}
	tests := []struct {
		ch      bybit.Channel
		family  wire.Family
		topics  []bybit.Topic
		sockets int
		request int // topics at most
		total   int // topics a socket at most
	}{
		{bybit.Spot, wire.FamilySpot, symbols(25, "COIN%dUSDT"), 1, 10, 25},
		{bybit.Spot, wire.FamilySpot, symbols(1600, "COIN%05dUSDT"), 3, 10, 750},
		{bybit.Option, wire.FamilyOption, short, 3, 2000, 2000},
		{bybit.Linear, wire.FamilyFutures, symbols(3100, "COIN%05dUSDT"), 5, 3000, 750},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d topics on %s", len(tt.topics), tt.ch), func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				v.family = tt.family
				j := watchJoins(v)
				s, err := v.client().Public(t.Context(), tt.ch, nil, tt.topics...)
				if err != nil {
					t.Fatal(err)
				}
				stats := s.Stats()
				if v.connects() != tt.sockets || len(stats.Connections) != tt.sockets || stats.Accepted != len(tt.topics) {
					t.Errorf("%d sockets, %d in the stats, %d topics accepted, want %d sockets", v.connects(), len(stats.Connections), stats.Accepted, tt.sockets)
				}
				if j.largest > tt.request {
					t.Errorf("a request had %d topics, want at most %d", j.largest, tt.request)
				}
				for c, topics := range j.on {
					chars := 0
					for _, topic := range topics {
						chars += len(topic)
					}
					if chars > 21_000 || len(topics) > tt.total {
						t.Errorf("connection %p has %d topics of %d characters", c, len(topics), chars)
					}
				}
				// Every topic comes through, once.
				for _, topic := range tt.topics {
					on := j.carriers(v, topic.String())
					if len(on) != 1 {
						t.Fatalf("%s is on %d connections", topic, len(on))
					}
					on[0].send(fmt.Sprintf(`{"topic":"%s","type":"snapshot","ts":1767225600123,"data":[]}`, topic))
				}
				got := map[bybit.Topic]int{}
				for range tt.topics {
					ev, err := s.Recv(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					switch ev := ev.(type) {
					case *bybit.TradesEvent:
						got[ev.Topic]++
					case *bybit.RawEvent:
						got[ev.Topic]++
					}
				}
				wantNone(t, s)
				if len(got) != len(tt.topics) {
					t.Errorf("%d topics came through, want %d", len(got), len(tt.topics))
				}
				// One socket is lost: the gap names its topics and no others.
				if tt.sockets > 1 {
					lost := slices.Clone(j.on[v.conns[1]])
					v.conns[1].close(1001, "going away")
					for range lost {
						ev, err := s.Recv(t.Context())
						gap, ok := ev.(*bybit.GapEvent)
						if err != nil || !ok || !slices.Contains(lost, gap.Topic.String()) {
							t.Fatalf("got %s, %v, want gaps of what was on the socket", describe(ev), err)
						}
					}
					time.Sleep(time.Minute / 2)
					if stats := s.Stats(); stats.Accepted != len(tt.topics) || stats.Reconnects != 1 || stats.Gaps != int64(len(lost)) {
						t.Errorf("half a minute later %d are accepted, %d reconnects, %d gaps", stats.Accepted, stats.Reconnects, stats.Gaps)
					}
				}
				s.Close()
			})
		})
	}
}

// twice is a stream with two connections per topic, and these.
func twice(t *testing.T, v *venue, topics ...bybit.Topic) (*bybit.Stream, *venueConn, *venueConn) {
	t.Helper()
	s := v.stream(&bybit.StreamOptions{Duplicates: 2}, topics...)
	synctest.Wait()
	time.Sleep(time.Second) // the second follows the first
	synctest.Wait()
	if v.connects() != 2 {
		t.Fatalf("%d connections, want 2", v.connects())
	}
	for i, c := range s.Stats().Connections {
		if c.Lane != i || c.Shard != 1 || c.Topics != len(topics) || c.State != "open" {
			t.Fatalf("connection %d is %+v", i, c)
		}
	}
	v.requests()
	return s, v.conns[0], v.conns[1]
}

func TestDuplicatesFastestWins(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s, a, b := twice(t, v, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"), bybit.Tickers("BTCUSDT"))
		step := func(c *venueConn, frame string, want ...string) {
			t.Helper()
			c.send(frame)
			synctest.Wait()
			wantEvents(t, s, want...)
			wantNone(t, s)
		}
		step(a, snapshot("BTCUSDT", 7, "1"), "book BTCUSDT u=7 bid 100 x 1")
		step(b, snapshot("BTCUSDT", 7, "1"))
		step(b, delta("BTCUSDT", 8, "2"), "book BTCUSDT u=8 bid 100 x 2")
		step(a, delta("BTCUSDT", 8, "2"))
		step(a, tradeFrame("BTCUSDT", 1), "trades BTCUSDT seq=1")
		step(b, tradeFrame("BTCUSDT", 1))
		step(b, tradeFrame("BTCUSDT", 2), "trades BTCUSDT seq=2")
		step(a, tradeFrame("BTCUSDT", 2))
		step(a, tickerFrame("snapshot", "BTCUSDT", `"lastPrice":"100","markPrice":"100.1"`), "ticker BTCUSDT last 100* mark 100.1* complete true")
		step(b, tickerFrame("snapshot", "BTCUSDT", `"lastPrice":"100","markPrice":"100.1"`))
		step(b, tickerFrame("delta", "BTCUSDT", `"lastPrice":"101"`), "ticker BTCUSDT last 101* mark 100.1 complete true")
		step(a, tickerFrame("delta", "BTCUSDT", `"lastPrice":"101"`))
		// A book's message that one of them leaves out.
		step(a, delta("BTCUSDT", 10, "4"))
		step(a, delta("BTCUSDT", 11, "5"))
		step(b, delta("BTCUSDT", 9, "3"), "book BTCUSDT u=9 bid 100 x 3", "book BTCUSDT u=10 bid 100 x 4", "book BTCUSDT u=11 bid 100 x 5")
		step(b, delta("BTCUSDT", 10, "4"))
		// One that both leave out is a gap, once, and a new snapshot.
		step(a, delta("BTCUSDT", 13, "6"))
		step(b, delta("BTCUSDT", 13, "6"), "gap orderbook.50.BTCUSDT book dropped 1")
		synctest.Wait()
		// On both, in any order.
		log := slices.Sorted(slices.Values(v.requests()))
		if want := []string{"subscribe orderbook.50.BTCUSDT", "subscribe orderbook.50.BTCUSDT",
			"unsubscribe orderbook.50.BTCUSDT", "unsubscribe orderbook.50.BTCUSDT"}; !slices.Equal(log, want) {
			t.Fatalf("requests %q, want %q", log, want)
		}
		step(b, snapshot("BTCUSDT", 20, "7"), "book BTCUSDT u=20 bid 100 x 7")
		step(a, snapshot("BTCUSDT", 21, "8"), "book BTCUSDT u=21 bid 100 x 8")
		step(b, delta("BTCUSDT", 21, "8"))
		if stats := s.Stats(); stats.Duplicates != 9 || stats.Gaps != 1 || stats.Violations != 1 {
			t.Errorf("stats %+v, want 9 duplicates and a gap", stats)
		}
		s.Close()
	})
}

// A message that neither connection brings is waited for a second, though nothing
// else comes.
func TestDuplicatesWaitASecond(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s, a, b := twice(t, v, bybit.OrderBook(50, "BTCUSDT"))
		a.send(snapshot("BTCUSDT", 7, "1"))
		b.send(snapshot("BTCUSDT", 7, "1"))
		wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1")
		synctest.Wait()
		start := time.Now()
		a.send(delta("BTCUSDT", 9, "3"))
		wantEvents(t, s, "gap orderbook.50.BTCUSDT book dropped 1")
		if took := time.Since(start); took != time.Second {
			t.Errorf("the gap came after %v, want a second", took)
		}
		s.Close()
	})
}

// One of the two is cut, again and again: nothing is missed. Then both are: one gap.
func TestDuplicatesOneSocketCut(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		j := watchJoins(v)
		var mu sync.Mutex // guards u
		u := 0
		v.onJoin = func(c *venueConn, topic string) {
			mu.Lock()
			defer mu.Unlock()
			if u > 0 {
				c.send(snapshot("BTCUSDT", u, fmt.Sprint(u)))
			}
		}
		s, _, _ := twice(t, v, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
		topic := bybit.OrderBook(50, "BTCUSDT").String()
		r := rand.New(rand.NewPCG(1, 2))
		push := func() {
			mu.Lock()
			u++
			frame := delta("BTCUSDT", u, fmt.Sprint(u))
			if u == 1 {
				frame = snapshot("BTCUSDT", u, "1")
			}
			for _, c := range j.carriers(v, topic) {
				c.send(frame, tradeFrame("BTCUSDT", u))
			}
			mu.Unlock()
			synctest.Wait()
			wantEvents(t, s, fmt.Sprintf("book BTCUSDT u=%d bid 100 x %d", u, u), fmt.Sprintf("trades BTCUSDT seq=%d", u))
			wantNone(t, s)
		}
		for range 300 {
			push()
			if on := j.carriers(v, topic); len(on) == 2 && r.IntN(5) == 0 {
				on[r.IntN(2)].cut()
			}
			time.Sleep(time.Duration(r.IntN(20_000)) * time.Millisecond)
			synctest.Wait()
		}
		if stats := s.Stats(); stats.Gaps != 0 || stats.Reconnects < 20 || stats.Duplicates < 200 {
			t.Errorf("stats %+v, want no gap, some reconnects and many duplicates", stats)
		}
		time.Sleep(time.Minute / 2)
		v.ln.CutAll()
		wantEvents(t, s, "gap "+topic+" disconnected dropped 0", "gap publicTrade.BTCUSDT disconnected dropped 0")
		time.Sleep(time.Minute / 2)
		synctest.Wait()
		for ev, ok, err := s.TryRecv(); ok; ev, ok, err = s.TryRecv() {
			if _, isBook := ev.(*bybit.BookEvent); !isBook || err != nil {
				t.Fatalf("after the gap came %s, %v", describe(ev), err)
			}
		}
		push()
		if stats := s.Stats(); stats.Gaps != 2 || stats.Accepted != 2 {
			t.Errorf("stats %+v, want a gap of each topic", stats)
		}
		s.Close()
	})
}

// A day in which the connection is replaced every hour, with a push every 20 seconds:
// nothing is missed and nothing comes twice, whatever the old and the new bring in
// between.
func TestFailureClass18_RollsOverADay(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		j := watchJoins(v)
		u := 1
		v.onJoin = func(c *venueConn, topic string) {
			if strings.HasPrefix(topic, "orderbook") {
				c.send(snapshot("BTCUSDT", u, "1"))
			}
		}
		var handed int
		c := v.traced(&bybit.Trace{
			HandedOver: func(from, to bybit.TraceLink) {
				if from.Lane == to.Lane || from.Link == to.Link {
					t.Errorf("handed over from %+v to %+v", from, to)
				}
				handed++
			},
		})
		s, err := c.Public(t.Context(), bybit.Linear, &bybit.StreamOptions{RollAfter: time.Hour},
			bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
		if err != nil {
			t.Fatal(err)
		}
		wantEvents(t, s, "book BTCUSDT u=1 bid 100 x 1")
		start := time.Now()
		most := 0
		for time.Since(start) < 24*time.Hour {
			tick := time.NewTimer(20 * time.Second)
			<-tick.C
			synctest.Wait()
			u++
			on := j.carriers(v, "publicTrade.BTCUSDT")
			most = max(most, len(on))
			for _, c := range on {
				c.send(delta("BTCUSDT", u, fmt.Sprint(u)), tradeFrame("BTCUSDT", u))
			}
			synctest.Wait()
			wantEvents(t, s, fmt.Sprintf("book BTCUSDT u=%d bid 100 x %d", u, u), fmt.Sprintf("trades BTCUSDT seq=%d", u))
			wantNone(t, s)
		}
		if stats := s.Stats(); stats.Gaps != 0 || stats.Handovers < 20 || stats.Handovers != handed || stats.Reconnects != 0 || len(stats.Connections) > 2 {
			t.Errorf("stats %+v after %d traced handovers, want more than 20 and no gap", stats, handed)
		}
		s.Close()
	})
}

// Subscribe, Unsubscribe and Close inside the loop, with links that come and go.
func TestCallsInsideTheLoopWithManyLinks(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		v.onJoin = func(c *venueConn, topic string) { c.send(tradeFrame(strings.TrimPrefix(topic, "publicTrade."), 1)) }
		s := v.stream(&bybit.StreamOptions{Duplicates: 2}, bybit.Trades("COIN"))
		// Some 1,100 characters each: the second shard begins at the twentieth.
		long := func(n int) bybit.Topic { return bybit.Trades(fmt.Sprintf("%s%03d", strings.Repeat("X", 80), n)) }
		next := 0
		for ev, err := range s.Events(t.Context()) {
			if errors.Is(err, bybit.ErrClosed) {
				break
			}
			if err != nil {
				t.Fatal(ev, err)
			}
			switch {
			case next < 500:
				if err := s.Subscribe(t.Context(), long(next)); err != nil {
					t.Fatal(err)
				}
				next++
				if next%50 == 0 {
					v.ln.CutAll()
				}
				if next%10 == 0 {
					if err := s.Unsubscribe(t.Context(), long(next-5)); err != nil {
						t.Fatal(err)
					}
				}
			case next == 500:
				if stats := s.Stats(); len(stats.Connections) < 4 || stats.Topics != 451 {
					t.Errorf("%d connections, %d topics at the end, want some of 451", len(stats.Connections), stats.Topics)
				}
				next++
				s.Close()
			}
		}
		if next != 501 {
			t.Errorf("the loop ended after %d subscribes", next)
		}
	})
}

// 10,000 calls of Subscribe and Unsubscribe in a minute are at most 60 requests, pings
// included, and the last call counts.
func TestTenThousandFlipsAreSixtyRequests(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		j := watchJoins(v)
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		before := j.requests + v.pinged()
		start := time.Now()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		var wg sync.WaitGroup
		for i := range 10_000 {
			flip := time.NewTimer(time.Minute / 10_000)
			<-flip.C
			// A topic of ten; half of the callers wait for the answer.
			topic := bybit.Trades(fmt.Sprintf("COIN%dUSDT", i/2%10))
			call := func(ctx context.Context) {
				if i%2 == 0 {
					s.Subscribe(ctx, topic)
				} else {
					s.Unsubscribe(ctx, topic)
				}
			}
			if i%4 < 2 {
				call(gone)
			} else {
				wg.Go(func() { call(t.Context()) })
				synctest.Wait() // in the order in which they were made
			}
		}
		if took := time.Since(start); took < 59*time.Second || took > 61*time.Second {
			t.Errorf("the flips took %v", took)
		}
		if n := j.requests + v.pinged() - before; n > 60 {
			t.Errorf("%d requests in a minute, want at most 60", n)
		}
		wg.Wait()
		if err := s.Subscribe(t.Context(), bybit.Trades("COIN3USDT")); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if on := slices.Sorted(slices.Values(j.on[v.last()])); !slices.Equal(on, []string{"publicTrade.BTCUSDT", "publicTrade.COIN3USDT"}) {
			t.Errorf("in the end %q are subscribed", on)
		}
		s.Close()
	})
}

// A topic that brings nothing is announced and subscribed anew: after three times its
// documented repetition, or after a minute, and then more and more rarely.
func TestFailureClass18_SilentTopic(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		var silent []string
		c := v.traced(&bybit.Trace{
			Silent: func(topic bybit.Topic, since time.Time, expected time.Duration) {
				silent = append(silent, fmt.Sprint(topic, " ", expected))
			},
		})
		s, err := c.Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(1, "BTCUSDT"), bybit.Trades("BTCUSDT"))
		if err != nil {
			t.Fatal(err)
		}
		v.requests()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		ev, err := s.Recv(ctx)
		got, ok := ev.(*bybit.SilentEvent)
		if err != nil || !ok || got.Topic != bybit.OrderBook(1, "BTCUSDT") || got.Expected != 10*time.Second || got.Since.Sub(start) > time.Second {
			t.Fatalf("got %+v, %v, want the silent book of depth 1", ev, err)
		}
		if took := time.Since(start); took < 10*time.Second || took > 25*time.Second || !got.Time.Equal(time.Now()) {
			t.Errorf("it came after %v, and says %v", took, got.Time)
		}
		synctest.Wait()
		v.wantRequests("unsubscribe orderbook.1.BTCUSDT", "subscribe orderbook.1.BTCUSDT")
		for range 10 {
			tick := time.NewTimer(3 * time.Second)
			<-tick.C
			v.last().send(strings.Replace(snapshot("BTCUSDT", 7, "1"), "orderbook.50", "orderbook.1", 1))
			wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1")
		}
		day := time.NewTimer(24 * time.Hour)
		<-day.C
		synctest.Wait()
		for ev, ok, err := s.TryRecv(); ok; ev, ok, err = s.TryRecv() {
			if _, isSilent := ev.(*bybit.SilentEvent); !isSilent || err != nil {
				t.Fatalf("got %s, %v", describe(ev), err)
			}
		}
		stats := s.Stats()
		// The trades, of which nothing is promised, are subscribed anew as well.
		if stats.Silent < 20 || stats.Silent > 40 || len(silent) < 45 || len(silent) > 80 || stats.Resyncs != int64(len(silent)) || stats.Connects != 1 {
			t.Errorf("%d silent events in a day, %d traced, %d resyncs, %d connects", stats.Silent, len(silent), stats.Resyncs, stats.Connects)
		}
		s.Close()
	})
}

// A book that is taken off and wanted again before the exchange was told of either
// goes on there, so that no snapshot comes by itself: one is asked for.
func TestRevivedBookGetsASnapshot(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		topic := bybit.OrderBook(50, "BTCUSDT")
		s := v.stream(nil, topic)
		for range 12 { // more flips than may go at once, first of the book itself
			for _, flipped := range []bybit.Topic{topic, bybit.Trades("COINUSDT")} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				s.Unsubscribe(ctx, flipped)
				s.Subscribe(ctx, flipped)
				cancel()
			}
		}
		time.Sleep(10 * time.Second) // until all is sent, of which the last takes a turn
		v.last().send(snapshot("BTCUSDT", 7, "1"))
		wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1")
		for range 8 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			s.Unsubscribe(ctx, bybit.Trades("COINUSDT"))
			s.Subscribe(ctx, bybit.Trades("COINUSDT"))
			cancel()
		}
		v.requests()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Unsubscribe(gone, topic); !errors.Is(err, context.Canceled) {
			t.Errorf("Unsubscribe = %v, want it to wait for its turn", err)
		}
		if err := s.Subscribe(t.Context(), topic); err != nil {
			t.Error(err)
		}
		v.wantRequests()
		// The book is a new one, which knows nothing yet.
		v.last().send(delta("BTCUSDT", 8, "2"))
		synctest.Wait()
		wantNone(t, s)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		log := v.requests()
		if !slices.Contains(log, "unsubscribe "+topic.String()) || !slices.Contains(log, "subscribe "+topic.String()) {
			t.Errorf("the venue was asked %q, want the book's new snapshot among it", log)
		}
		v.last().send(snapshot("BTCUSDT", 9, "3"), delta("BTCUSDT", 10, "4"))
		wantEvents(t, s, "book BTCUSDT u=9 bid 100 x 3", "book BTCUSDT u=10 bid 100 x 4")
		s.Close()
	})
}
