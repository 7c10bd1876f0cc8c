package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// inBubble runs a test on fake time. A goroutine that the stream leaves behind
// keeps the bubble from ending, which fails the test.
func inBubble(t *testing.T, test func(t *testing.T, v *venue)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := newVenue(t)
		defer v.stop()
		test(t, v)
	})
}

func TestStreamOfThreeTopics(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"), bybit.Tickers("BTCUSDT"))
		v.wantRequests("subscribe orderbook.50.BTCUSDT,publicTrade.BTCUSDT,tickers.BTCUSDT")
		if path := v.last().path; path != "/v5/public/linear" {
			t.Errorf("the client asked for %s", path)
		}
		v.last().send(
			snapshot("BTCUSDT", 7, "1"),
			tradeFrame("BTCUSDT", 1),
			delta("BTCUSDT", 8, "2"),
			tickerFrame("snapshot", "BTCUSDT", `"lastPrice":"100","markPrice":"100.1"`),
			tickerFrame("delta", "BTCUSDT", `"lastPrice":"100.5"`),
			tickerFrame("delta", "BTCUSDT", `"markPrice":"100.2"`),
		)
		wantEvents(t, s,
			"book BTCUSDT u=7 bid 100 x 1",
			"trades BTCUSDT seq=1",
			"book BTCUSDT u=8 bid 100 x 2",
			"ticker BTCUSDT last 100* mark 100.1* complete true",
			"ticker BTCUSDT last 100.5* mark 100.1 complete true",
			"ticker BTCUSDT last 100.5 mark 100.2* complete true",
		)
		stats := s.Stats()
		if stats.State != "open" || stats.Topics != 3 || stats.Accepted != 3 || stats.Frames < 7 || stats.Gaps != 0 {
			t.Errorf("stats %+v", stats)
		}
		s.Close()
		if _, err := s.Recv(t.Context()); !errors.Is(err, bybit.ErrClosed) {
			t.Errorf("Recv after Close = %v", err)
		}
	})
}

func TestBookIsValidUntilTheNextRecv(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
		v.last().send(snapshot("BTCUSDT", 7, "1"), tradeFrame("BTCUSDT", 1), tradeFrame("BTCUSDT", 2))
		ev, err := s.Recv(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first := ev.(*bybit.BookEvent)
		kept := first.Clone()
		wantEvents(t, s, "trades BTCUSDT seq=1") // any event, of whatever topic
		if err := first.Book.Err(); !errors.Is(err, book.ErrStale) {
			t.Errorf("a late read = %v, want ErrStale", err)
		}
		if first.Bids != nil || first.Asks != nil {
			t.Error("the levels of a late event must be gone")
		}
		if bid, err := kept.Book.BestBid(); err != nil || bid.Size.String() != "1" || kept.ID != 7 || len(kept.Bids) != 1 {
			t.Errorf("the clone is %+v, its best bid %v, %v", kept, bid, err)
		}
		s.Close()
	})
}

// A replay says when its capture is over, and the stream is over with it: no gap,
// no new connection.
func TestEndOfCapture(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"))
		v.last().send(snapshot("BTCUSDT", 7, "1"))
		v.last().close(1000, "end of capture")
		wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1")
		if ev, err := s.Recv(t.Context()); !errors.Is(err, bybit.ErrEndOfCapture) {
			t.Errorf("Recv after the end = %v, %v", ev, err)
		}
		if err := s.Subscribe(t.Context(), bybit.Trades("BTCUSDT")); !errors.Is(err, bybit.ErrEndOfCapture) {
			t.Errorf("Subscribe after the end = %v", err)
		}
		s.Close()
		time.Sleep(time.Hour)
		if n := v.connects(); n != 1 {
			t.Errorf("%d connects", n)
		}
	})
}

func TestFirstDialFailureIsReturned(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		down := errors.New("network is unreachable")
		v.ln.Refuse(down)
		if _, err := v.client().Public(t.Context(), bybit.Linear, nil, bybit.Trades("BTCUSDT")); !errors.Is(err, down) {
			t.Errorf("Public = %v, want the dial's error", err)
		}
		v.ln.Refuse(nil)
		v.upgrade = forbidden
		_, err := v.client().Public(t.Context(), bybit.Linear, nil)
		var refused *bybit.HandshakeError
		if !errors.As(err, &refused) || refused.Status != 403 {
			t.Errorf("Public = %v, want HTTP 403", err)
		}
	})
}

func TestContextBoundsPublic(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		v.noAcks = true
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := v.client().Public(ctx, bybit.Linear, nil, bybit.Trades("BTCUSDT"))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("Public = %v after %v, want the deadline", err, time.Since(start))
		}
		v.noAcks = false
		ctx, cancel = context.WithCancel(t.Context())
		s, err := v.client().Public(ctx, bybit.Linear, nil, bybit.Trades("BTCUSDT"))
		if err != nil {
			t.Fatal(err)
		}
		cancel() // the stream lives on
		synctest.Wait()
		v.last().send(tradeFrame("BTCUSDT", 1))
		wantEvents(t, s, "trades BTCUSDT seq=1")
		if _, err := s.Recv(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Recv = %v, want ctx's error", err)
		}
		v.last().send(tradeFrame("BTCUSDT", 2))
		wantEvents(t, s, "trades BTCUSDT seq=2")
		s.Close()
	})
}

func TestFailureClass01_StreamComesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
		v.last().send(snapshot("BTCUSDT", 7, "1"))
		wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1")
		v.requests()
		for round := range 20 {
			// An outage of an hour, during which every dial fails.
			v.ln.Refuse(errors.New("network is unreachable"))
			v.last().send(delta("BTCUSDT", 8, "2"))
			synctest.Wait()
			v.ln.CutAll()
			wantEvents(t, s, "book BTCUSDT u=8 bid 100 x 2",
				"gap orderbook.50.BTCUSDT disconnected dropped 0", "gap publicTrade.BTCUSDT disconnected dropped 0")
			outage := time.NewTimer(time.Hour)
			<-outage.C
			if state := s.Stats().State; state != "waiting" && state != "dialing" {
				t.Fatalf("state %s during the outage", state)
			}
			v.ln.Refuse(nil)
			back := time.NewTimer(31 * time.Second)
			<-back.C
			v.wantRequests("subscribe orderbook.50.BTCUSDT,publicTrade.BTCUSDT")
			if v.connects() != round+2 {
				t.Fatalf("%d connections after %d outages", v.connects(), round+1)
			}
			// A delta of before the snapshot is dropped.
			v.last().send(delta("BTCUSDT", 9, "5"), snapshot("BTCUSDT", 7, "1"), tradeFrame("BTCUSDT", round))
			wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1", fmt.Sprintf("trades BTCUSDT seq=%d", round))
		}
		if stats := s.Stats(); stats.Connects != 21 || stats.Gaps != 40 || stats.Dropped != 20 {
			t.Errorf("stats %+v", stats)
		}
		s.Close()
	})
}

func TestFailureClass08_BookSaysWhenItIsWrong(t *testing.T) {
	crossed := strings.Replace(delta("BTCUSDT", 9, "3"), `"b":[["100"`, `"b":[["102"`, 1)
	tests := []struct {
		name string
		bad  string
		kind book.Kind
	}{
		{"a skipped update id", delta("BTCUSDT", 10, "3"), book.Gap},
		{"a repeated update id", delta("BTCUSDT", 8, "3"), book.Gap},
		{"a crossed book", crossed, book.Crossed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
				v.requests()
				v.last().send(snapshot("BTCUSDT", 7, "1"), delta("BTCUSDT", 8, "2"), tt.bad,
					delta("BTCUSDT", 11, "4"), tradeFrame("BTCUSDT", 1))
				wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1", "book BTCUSDT u=8 bid 100 x 2")
				ev, err := s.Recv(t.Context())
				gap, ok := ev.(*bybit.GapEvent)
				if err != nil || !ok {
					t.Fatalf("got %v, %v, want a gap in place", ev, err)
				}
				var fault *book.Error
				if !errors.As(gap.Err, &fault) || fault.Kind != tt.kind || gap.Reason != bybit.GapBook || gap.Dropped != 1 {
					t.Errorf("gap %+v: %v, want kind %v", gap, gap.Err, tt.kind)
				}
				wantEvents(t, s, "trades BTCUSDT seq=1")
				synctest.Wait()
				v.wantRequests("unsubscribe orderbook.50.BTCUSDT", "subscribe orderbook.50.BTCUSDT")
				v.last().send(snapshot("BTCUSDT", 20, "9"), delta("BTCUSDT", 21, "8"))
				wantEvents(t, s, "book BTCUSDT u=20 bid 100 x 9", "book BTCUSDT u=21 bid 100 x 8")
				// u = 1 is a restart of the service: no gap, a new book.
				v.last().send(snapshot("BTCUSDT", 1, "3"), delta("BTCUSDT", 2, "2"))
				wantEvents(t, s, "book BTCUSDT u=1 bid 100 x 3", "book BTCUSDT u=2 bid 100 x 2")
				s.Close()
			})
		})
	}
}

func TestResyncsOfAHopelessBookAreFew(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		// Each snapshot is followed by a delta that does not fit.
		v.onJoin = func(c *venueConn, topic string) {
			c.send(snapshot("BTCUSDT", 7, "1"), delta("BTCUSDT", 9, "1"))
		}
		s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for ev, err := range s.Events(ctx) {
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(ev, err)
			}
		}
		if n := len(v.requests()) / 2; n < 50 || n > 70 {
			t.Errorf("%d resynchronisations in an hour, want about one a minute", n)
		}
		s.Close()
	})
}

func TestFailureClass09_RejectedTopic(t *testing.T) {
	for _, row := range []struct {
		family wire.Family
		text   string
	}{
		{wire.FamilyFutures, "error:handler not found,topic:publicTrade.NOPE"},
		{wire.FamilySpot, "error:handler not found,topic:publicTrade.NOPE"},
		{wire.FamilyOption, "error:handler not found,topic:publicTrade.NOPE"},
		{wire.FamilyFutures, "no"}, // whichever is meant
		{wire.FamilySpot, "no"},
	} {
		inBubble(t, func(t *testing.T, v *venue) {
			family, text := row.family, row.text
			v.family = family
			v.noReqIDs = family == wire.FamilyFutures // as in the documentation's example
			v.reject("publicTrade.NOPE", text)
			s := v.stream(nil, bybit.Trades("BTCUSDT"), bybit.Trades("NOPE"), bybit.Trades("ETHUSDT"))
			v.last().send(tradeFrame("BTCUSDT", 1), tradeFrame("ETHUSDT", 2))
			ev, err := s.Recv(t.Context())
			rejected, ok := ev.(*bybit.RejectedEvent)
			if err != nil || !ok || rejected.Topic != bybit.Trades("NOPE") {
				t.Fatalf("family %d: got %v, %v, want the rejection", family, ev, err)
			}
			wantEvents(t, s, "trades BTCUSDT seq=1", "trades ETHUSDT seq=2")
			if stats := s.Stats(); len(stats.Rejected) != 1 || stats.Accepted != 2 {
				t.Errorf("family %d: stats %+v", family, stats)
			}
			s.Close()

			_, err = v.client().Public(t.Context(), bybit.Linear, nil, bybit.Trades("NOPE"))
			var refused *bybit.RejectedError
			if !errors.As(err, &refused) || refused.Topic != bybit.Trades("NOPE") {
				t.Errorf("family %d: Public = %v, want the rejection", family, err)
			}
		})
	}
}

func TestFailureClass12_DepthsAreChecked(t *testing.T) {
	tests := []struct {
		env   bybit.Environment
		ch    bybit.Channel
		topic bybit.Topic
		want  string // in the error, "" for none
	}{
		{bybit.Mainnet(), bybit.Linear, bybit.OrderBook(500, "BTCUSDT"), "1000"},
		{bybit.Testnet(), bybit.Spot, bybit.OrderBook(30, "BTCUSDT"), "50"},
		{bybit.Mainnet(), bybit.Option, bybit.OrderBook(50, "BTC-26JUN26-70000-C"), "100"},
		{bybit.Mainnet(), bybit.Spot, bybit.Liquidations("BTCUSDT"), "linear"},
		{bybit.CustomEnvironment("ws://venue", ""), bybit.Linear, bybit.OrderBook(30, "BTCUSDT"), "50"},
		{bybit.CustomEnvironment("ws://venue", ""), bybit.Linear, bybit.OrderBook(500, "BTCUSDT"), ""},
		{bybit.CustomEnvironment("ws://venue", ""), bybit.Linear, bybit.RawTopic("orderbook.30.BTCUSDT"), ""},
	}
	for _, tt := range tests {
		inBubble(t, func(t *testing.T, v *venue) {
			v.env = tt.env
			s, err := v.client().Public(t.Context(), tt.ch, nil, tt.topic)
			if tt.want == "" {
				if err != nil {
					t.Fatalf("%s on %s: %v", tt.topic, tt.env.Name, err)
				}
				s.Close()
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || v.connects() > 0 {
				t.Errorf("%s on %s of %s: %v, want an error that says %q", tt.topic, tt.ch, tt.env.Name, err, tt.want)
			}
		})
	}
}

func TestFailureClass14_DamageIsAnEvent(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"), bybit.Klines(bybit.Interval1m, "BTCUSDT"))
		damaged := delta("BTCUSDT", 8, "1.2.3")
		v.last().send(
			snapshot("BTCUSDT", 7, "1"), damaged, tradeFrame("BTCUSDT", 1),
			strings.Replace(tradeFrame("BTCUSDT", 2), `"p":"100.5"`, `"p":null,"new":{"x":[1]}`, 1),
			"not even JSON", delta("BTCUSDT", 9, "3"),
		)
		wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1")
		ev, err := s.Recv(t.Context())
		bad, ok := ev.(*bybit.DecodeErrorEvent)
		if err != nil || !ok || bad.Topic != bybit.OrderBook(50, "BTCUSDT") || string(bad.Err.Frame) != damaged {
			t.Fatalf("got %v, %v, want a decode error with the bytes", ev, err)
		}
		wantEvents(t, s, "trades BTCUSDT seq=1", "trades BTCUSDT seq=2", "damaged  offset 0",
			"gap orderbook.50.BTCUSDT book dropped 1")
		if stats := s.Stats(); stats.Undecoded != 2 || stats.State != "open" {
			t.Errorf("stats %+v", stats)
		}
		s.Close()
	})
}

func TestFailureClass16_NothingLeaks(t *testing.T) {
	// The bubble fails if a goroutine is left.
	inBubble(t, func(t *testing.T, v *venue) {
		client := v.client()
		var ended []weak.Pointer[bybit.Stream]
		for range 50 {
			s, err := client.Public(t.Context(), bybit.Linear, nil, bybit.Trades("BTCUSDT"))
			if err != nil {
				t.Fatal(err)
			}
			v.ln.CutAll()
			if _, err := s.Recv(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.Close() // while it waits for the next dial
			ended = append(ended, weak.Make(s))
		}
		runtime.GC()
		if n := len(slices.DeleteFunc(ended, func(p weak.Pointer[bybit.Stream]) bool { return p.Value() == nil })); n > 1 {
			t.Errorf("%d of 50 streams are still in memory after Close", n)
		}
		if _, err := client.Public(t.Context(), bybit.Linear, nil, bybit.Trades("BTCUSDT")); err != nil {
			t.Fatal(err)
		}
		client.Close()
		if _, err := client.Public(t.Context(), bybit.Linear, nil); !errors.Is(err, bybit.ErrClosed) {
			t.Errorf("Public after Close = %v", err)
		}
	})
}

func TestFailureClass17_HeartbeatOverADay(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		// Trades come now and then, so that the topic is not taken for silent.
		for i := range 24 * 60 {
			minute := time.NewTimer(time.Minute)
			<-minute.C
			v.last().send(tradeFrame("BTCUSDT", i))
			wantEvents(t, s, fmt.Sprintf("trades BTCUSDT seq=%d", i))
		}
		synctest.Wait()
		if n := v.pinged(); v.connects() != 1 || n != 24*180 {
			t.Errorf("%d pings on %d connections in a day, want one each 20 s on one", n, v.connects())
		}
		wantNone(t, s)
		s.Close()
	})
}

func TestFailureClass17_DeadPeerIsReplaced(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		v.noPongs = true
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		start := time.Now()
		// Data alone keeps a connection alive.
		for range 10 {
			tick := time.NewTimer(9 * time.Second)
			<-tick.C
			v.last().send(tradeFrame("BTCUSDT", 1))
			wantEvents(t, s, "trades BTCUSDT seq=1")
		}
		if v.connects() != 1 {
			t.Fatalf("%d connections", v.connects())
		}
		wantEvents(t, s, "gap publicTrade.BTCUSDT disconnected dropped 0")
		if quiet := time.Since(start) - 90*time.Second; quiet < 10*time.Second || quiet > 30*time.Second {
			t.Errorf("the peer was given up after %v of silence", quiet)
		}
		s.Close()
	})
}

func TestSubscribeAndCloseInsideTheLoop(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		v.onJoin = func(c *venueConn, topic string) {
			if topic == "publicTrade.ETHUSDT" {
				c.send(tradeFrame("BTCUSDT", 2), tradeFrame("ETHUSDT", 3), tradeFrame("BTCUSDT", 4))
			}
		}
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		v.last().send(tradeFrame("BTCUSDT", 1))
		var got []string
		var last error
		for ev, err := range s.Events(t.Context()) {
			if err != nil {
				last = err
				continue
			}
			got = append(got, describe(ev))
			switch len(got) {
			case 1:
				if err := s.Subscribe(t.Context(), bybit.Trades("ETHUSDT")); err != nil {
					t.Error(err)
				}
			case 2:
				synctest.Wait() // all is queued
				if err := s.Unsubscribe(t.Context(), bybit.Trades("BTCUSDT")); err != nil {
					t.Error(err)
				}
			case 3:
				v.last().send(tradeFrame("ETHUSDT", 5))
				synctest.Wait()
				s.Close()
			}
		}
		want := []string{"trades BTCUSDT seq=1", "trades BTCUSDT seq=2", "trades ETHUSDT seq=3", "trades ETHUSDT seq=5"}
		if !slices.Equal(got, want) || !errors.Is(last, bybit.ErrClosed) {
			t.Errorf("got %q, then %v", got, last)
		}
		if err := s.Subscribe(t.Context(), bybit.Trades("ETHUSDT")); !errors.Is(err, bybit.ErrClosed) {
			t.Errorf("Subscribe after Close = %v", err)
		}
	})
}

func TestConcurrentRecv(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		var wg sync.WaitGroup
		wg.Go(func() { wantEvents(t, s, "trades BTCUSDT seq=1") })
		synctest.Wait()
		if _, err := s.Recv(t.Context()); !errors.Is(err, bybit.ErrConcurrentRecv) {
			t.Errorf("a second Recv = %v", err)
		}
		if _, _, err := s.TryRecv(); !errors.Is(err, bybit.ErrConcurrentRecv) {
			t.Errorf("a TryRecv beside a Recv = %v", err)
		}
		v.last().send(tradeFrame("BTCUSDT", 1))
		wg.Wait()
		// A loop that was left, and its successor, are one consumer.
		v.last().send(tradeFrame("BTCUSDT", 2), tradeFrame("BTCUSDT", 3))
		for range s.Events(t.Context()) {
			break
		}
		wantEvents(t, s, "trades BTCUSDT seq=3")
		s.Close()
	})
}

func TestOrderlyEndOfAServer(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		v.last().send(tradeFrame("BTCUSDT", 1))
		v.last().close(1001, "maintenance")
		wantEvents(t, s, "trades BTCUSDT seq=1")
		ev, err := s.Recv(t.Context())
		gap, ok := ev.(*bybit.GapEvent)
		var closed *bybit.CloseError
		if err != nil || !ok || !errors.As(gap.Err, &closed) || closed.Code != 1001 || closed.Reason != "maintenance" {
			t.Errorf("got %v, %v, want a gap with the close", ev, err)
		}
		s.Close()
	})
}

func TestSpotRequestsArePackedByTen(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		v.family = wire.FamilySpot
		topics := make([]bybit.Topic, 25)
		for i := range topics {
			topics[i] = bybit.Trades(fmt.Sprintf("COIN%dUSDT", i))
		}
		s, err := v.client().Public(t.Context(), bybit.Spot, nil, topics...)
		if err != nil {
			t.Fatal(err)
		}
		var counts []int
		for _, r := range v.requests() {
			counts = append(counts, len(strings.Split(r, ",")))
		}
		if !slices.Equal(counts, []int{10, 10, 5}) {
			t.Errorf("requests of %d topics, want 10, 10 and 5", counts)
		}
		s.Close()
	})
}

func TestRawFramesAndRawTopics(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(&bybit.StreamOptions{RawFrames: true}, bybit.OrderBook(50, "BTCUSDT"), bybit.RawTopic("publicTrade.BTCUSDT"))
		frames := []string{snapshot("BTCUSDT", 7, "1"), delta("BTCUSDT", 8, "2")}
		v.last().send(append(frames, tradeFrame("BTCUSDT", 1))...)
		for _, want := range frames {
			ev, err := s.Recv(t.Context())
			if b, ok := ev.(*bybit.BookEvent); err != nil || !ok || string(b.Frame) != want {
				t.Fatalf("got %v, %v, want the frame beside the event", ev, err)
			}
		}
		wantEvents(t, s, "raw publicTrade.BTCUSDT "+tradeFrame("BTCUSDT", 1))
		s.Close()
	})
}
