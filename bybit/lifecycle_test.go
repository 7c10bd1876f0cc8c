package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// hangingClient returns a client of which no dial ends before its context.
func hangingClient(t *testing.T, v *venue) *bybit.Client {
	t.Helper()
	c, err := bybit.NewClient(&bybit.Options{Environment: v.env, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A stream that keeps no books yields every message, and still knows when one of
// them is missing: once, before the message that shows it, and once more only with
// a snapshot, before one that does not follow what was yielded last.
func TestBooksNoneYieldsEverything(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(&bybit.StreamOptions{Books: bybit.BooksNone}, bybit.OrderBook(50, "BTCUSDT"))
		v.requests()
		v.last().send(delta("BTCUSDT", 6, "9"), snapshot("BTCUSDT", 7, "1"), delta("BTCUSDT", 8, "2"),
			delta("BTCUSDT", 10, "3"), delta("BTCUSDT", 11, "4"), delta("BTCUSDT", 15, "5"))
		want := []int64{6, 7, 8, 0, 10, 11, 15}
		for i, want := range want {
			ev, err := s.Recv(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want == 0 {
				gap, ok := ev.(*bybit.GapEvent)
				var fault *book.Error
				if !ok || gap.Reason != bybit.GapBook || gap.Dropped != 0 || !errors.As(gap.Err, &fault) || fault.Want != 9 || fault.Got != 10 {
					t.Fatalf("event %d is %T %+v, want a gap from 9 to 10", i, ev, ev)
				}
				continue
			}
			got, ok := ev.(*bybit.BookEvent)
			if !ok || got.ID != want || len(got.Bids) != 1 || got.Bids[0].Price.String() != "100" {
				t.Fatalf("event %d is %T %+v, want the message %d", i, ev, ev, want)
			}
			if _, err := got.Book.BestBid(); !errors.Is(err, book.ErrNoBook) {
				t.Errorf("a read of the book = %v, want ErrNoBook", err)
			}
		}
		synctest.Wait()
		v.wantRequests("unsubscribe orderbook.50.BTCUSDT", "subscribe orderbook.50.BTCUSDT")
		v.last().send(snapshot("BTCUSDT", 16, "5"), delta("BTCUSDT", 18, "6"))
		wantEvents(t, s, "book BTCUSDT u=16: book: no book", "gap orderbook.50.BTCUSDT book dropped 0", "book BTCUSDT u=18: book: no book")
		synctest.Wait()
		v.last().send(snapshot("BTCUSDT", 25, "7"), delta("BTCUSDT", 26, "8"))
		wantEvents(t, s, "gap orderbook.50.BTCUSDT book dropped 0", "book BTCUSDT u=25: book: no book", "book BTCUSDT u=26: book: no book")
		synctest.Wait()
		if stats := s.Stats(); stats.Violations != 2 || stats.Gaps != 3 || stats.Dropped != 0 || stats.Resyncs != 2 {
			t.Errorf("stats %+v, want two violations and resyncs, three gaps, and nothing dropped", stats)
		}
		s.Close()
	})
}

// A lenient book applies what skips an update id, and counts it; a crossed one it
// does not keep.
func TestBooksLenient(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(&bybit.StreamOptions{Books: bybit.BooksLenient}, bybit.OrderBook(50, "BTCUSDT"))
		v.requests()
		v.last().send(snapshot("BTCUSDT", 7, "1"), delta("BTCUSDT", 9, "2"), delta("BTCUSDT", 9, "3"), delta("BTCUSDT", 10, "4"),
			snapshot("BTCUSDT", 20, "5"))
		wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1", "book BTCUSDT u=9 bid 100 x 2", "book BTCUSDT u=9 bid 100 x 3",
			"book BTCUSDT u=10 bid 100 x 4", "book BTCUSDT u=20 bid 100 x 5")
		synctest.Wait()
		v.wantRequests()
		if stats := s.Stats(); stats.Violations != 3 || stats.Gaps != 0 {
			t.Errorf("stats %+v, want three violations and no gap", stats)
		}
		v.last().send(strings.Replace(delta("BTCUSDT", 21, "3"), `"b":[["100"`, `"b":[["102"`, 1))
		wantEvents(t, s, "gap orderbook.50.BTCUSDT book dropped 1")
		synctest.Wait()
		v.wantRequests("unsubscribe orderbook.50.BTCUSDT", "subscribe orderbook.50.BTCUSDT")
		if stats := s.Stats(); stats.Violations != 4 || stats.Gaps != 1 {
			t.Errorf("stats %+v, want the fourth violation and a gap", stats)
		}
		s.Close()
	})
}

// A snapshot that is ahead of a healthy book says that messages are missing: the
// gap comes first, and nothing is asked for.
func TestSnapshotAheadIsAGap(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"), bybit.OrderBook(1, "BTCUSDT"))
		v.requests()
		top := func(u int) string {
			return strings.Replace(snapshot("BTCUSDT", u, "1"), "orderbook.50", "orderbook.1", 1)
		}
		v.last().send(snapshot("BTCUSDT", 7, "1"), snapshot("BTCUSDT", 8, "2"), snapshot("BTCUSDT", 8, "3"), snapshot("BTCUSDT", 12, "4"),
			delta("BTCUSDT", 13, "5"), snapshot("BTCUSDT", 1, "6"), top(5), top(9))
		wantEvents(t, s, "book BTCUSDT u=7 bid 100 x 1", "book BTCUSDT u=8 bid 100 x 2", "book BTCUSDT u=8 bid 100 x 3",
			"gap orderbook.50.BTCUSDT book dropped 0", "book BTCUSDT u=12 bid 100 x 4", "book BTCUSDT u=13 bid 100 x 5",
			"book BTCUSDT u=1 bid 100 x 6", "book BTCUSDT u=5 bid 100 x 1", "book BTCUSDT u=9 bid 100 x 1")
		synctest.Wait()
		v.wantRequests()
		// Between the gap and the snapshot the topic may be taken off.
		v.last().send(snapshot("BTCUSDT", 2, "7"))
		wantEvents(t, s, "book BTCUSDT u=2 bid 100 x 7")
		v.last().send(snapshot("BTCUSDT", 9, "8"))
		wantEvents(t, s, "gap orderbook.50.BTCUSDT book dropped 0")
		if err := s.Unsubscribe(t.Context(), bybit.OrderBook(50, "BTCUSDT")); err != nil {
			t.Error(err)
		}
		wantNone(t, s)
		s.Close()
	})
}

func TestCloseOfTheClientEndsAnOpeningStream(t *testing.T) {
	for _, topics := range [][]bybit.Topic{nil, {bybit.Trades("BTCUSDT")}} {
		inBubble(t, func(t *testing.T, v *venue) {
			c := hangingClient(t, v)
			var wg sync.WaitGroup
			wg.Go(func() {
				s, err := c.Public(t.Context(), bybit.Linear, nil, topics...)
				if s != nil || !errors.Is(err, bybit.ErrClosed) {
					t.Errorf("with %d topics: Public = %v, %v, want ErrClosed", len(topics), s, err)
				}
			})
			synctest.Wait()
			start := time.Now()
			c.Close()
			wg.Wait()
			if took := time.Since(start); took > 0 {
				t.Errorf("with %d topics: Close took %v", len(topics), took)
			}
		})
	}
}

func TestContextEndsAnOpeningStream(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := hangingClient(t, v).Public(ctx, bybit.Linear, nil)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Public = %v after %v", err, time.Since(start))
		}
	})
}

func TestCloseWhileReconnecting(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		v.ln.Refuse(errors.New("network is unreachable"))
		v.ln.CutAll()
		wantEvents(t, s, "gap publicTrade.BTCUSDT disconnected dropped 0")
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := s.Subscribe(t.Context(), bybit.Trades("ETHUSDT")); !errors.Is(err, bybit.ErrClosed) {
				t.Errorf("Subscribe = %v, want ErrClosed", err)
			}
		})
		wg.Go(func() {
			if _, err := s.Recv(t.Context()); !errors.Is(err, bybit.ErrClosed) {
				t.Errorf("Recv = %v, want ErrClosed", err)
			}
		})
		synctest.Wait()
		wg.Go(func() { s.Close() })
		wg.Go(func() { s.Close() })
		wg.Wait()
	})
}

// A peer that takes nothing any more holds Close up for a second, not for as long
// as a write may take.
func TestCloseAgainstADeafPeer(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		deaf := make(chan struct{})
		v.script = func(_ *venueConn, _ []byte, req *wire.Request) bool {
			if len(req.Args) > 1 {
				<-deaf
			}
			return false
		}
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		// 800 KiB of requests, more than the network holds.
		topics := make([]bybit.Topic, 200)
		for i := range topics {
			topics[i] = bybit.RawTopic(fmt.Sprintf("%0100d", i))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 {
			s.Subscribe(ctx, topics...)
			s.Unsubscribe(ctx, topics...)
		}
		synctest.Wait()
		start := time.Now()
		s.Close()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("Close took %v", took)
		}
		close(deaf)
	})
}

func TestSubscribeWhileReconnecting(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		v.requests()
		v.ln.CutAll()
		wantEvents(t, s, "gap publicTrade.BTCUSDT disconnected dropped 0")
		// Two calls of one topic, named twice, and one that is taken back.
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if err := s.Subscribe(t.Context(), bybit.Trades("ETHUSDT"), bybit.Trades("ETHUSDT")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			err := s.Subscribe(t.Context(), bybit.Trades("SOLUSDT"))
			var rejected *bybit.RejectedError
			if !errors.As(err, &rejected) || rejected.Topic != bybit.Trades("SOLUSDT") {
				t.Errorf("Subscribe of a topic that is taken back = %v", err)
			}
		})
		synctest.Wait()
		if err := s.Unsubscribe(t.Context(), bybit.Trades("SOLUSDT")); err != nil {
			t.Error(err)
		}
		wg.Wait()
		v.wantRequests("subscribe publicTrade.BTCUSDT,publicTrade.ETHUSDT")
		v.last().send(tradeFrame("ETHUSDT", 1), tradeFrame("BTCUSDT", 2))
		wantEvents(t, s, "trades ETHUSDT seq=1", "trades BTCUSDT seq=2")
		s.Close()
	})
}

// What came before a topic was refused on a new connection is delivered, in
// order: data, gap, rejection.
func TestRejectedOnReconnect(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"), bybit.Trades("ETHUSDT"))
		v.last().send(tradeFrame("BTCUSDT", 1), tradeFrame("ETHUSDT", 2), tradeFrame("BTCUSDT", 3))
		synctest.Wait()
		v.reject("publicTrade.BTCUSDT", "error:handler not found,topic:publicTrade.BTCUSDT")
		v.ln.CutAll()
		back := time.NewTimer(time.Minute)
		<-back.C
		v.last().send(tradeFrame("BTCUSDT", 4), tradeFrame("ETHUSDT", 5))
		synctest.Wait()
		wantEvents(t, s,
			"trades BTCUSDT seq=1", "trades ETHUSDT seq=2", "trades BTCUSDT seq=3",
			"gap publicTrade.BTCUSDT disconnected dropped 0", "gap publicTrade.ETHUSDT disconnected dropped 0",
			"rejected publicTrade.BTCUSDT: error:handler not found,topic:publicTrade.BTCUSDT",
			"trades ETHUSDT seq=5")
		if stats := s.Stats(); stats.Topics != 1 || stats.Accepted != 1 || len(stats.Rejected) != 1 {
			t.Errorf("stats %+v", stats)
		}
		s.Close()
	})
}

func TestUnsubscribeTakesWhatIsQueued(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"), bybit.Trades("ETHUSDT"))
		v.last().send(tradeFrame("BTCUSDT", 1), tradeFrame("ETHUSDT", 2), tradeFrame("BTCUSDT", 3), tradeFrame("ETHUSDT", 4))
		wantEvents(t, s, "trades BTCUSDT seq=1")
		// Even a call that does not wait takes them off.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Unsubscribe(ctx, bybit.Trades("BTCUSDT"), bybit.Trades("BTCUSDT"), bybit.Trades("NOPE")); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		wantEvents(t, s, "trades ETHUSDT seq=2", "trades ETHUSDT seq=4")
		wantNone(t, s)
		// A second subscription begins anew.
		if err := s.Subscribe(t.Context(), bybit.Trades("BTCUSDT")); err != nil {
			t.Error(err)
		}
		v.last().send(tradeFrame("BTCUSDT", 5))
		wantEvents(t, s, "trades BTCUSDT seq=5")
		s.Close()
	})
}

func TestEndOfCaptureEndsCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		v.script = func(c *venueConn, _ []byte, _ *wire.Request) bool {
			c.close(1000, "end of capture")
			return true
		}
		if err := s.Subscribe(t.Context(), bybit.Trades("ETHUSDT")); !errors.Is(err, bybit.ErrEndOfCapture) {
			t.Errorf("Subscribe = %v, want ErrEndOfCapture", err)
		}
		s.Close()
	})
}

// A consumer that takes hours in the middle of a replay holds up the replies as
// well. Neither they nor the pongs are missed.
func TestOverflowWaitHoldsReplies(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(&bybit.StreamOptions{Overflow: bybit.OverflowWait, QueueBytes: 1}, bybit.Trades("BTCUSDT"))
		var wg sync.WaitGroup
		const n = 40_000
		wg.Go(func() {
			for i := 0; i < n; i += 100 {
				frames := make([]string, 100)
				for k := range frames {
					frames[k] = tradeFrame("BTCUSDT", i+k)
				}
				v.last().send(frames...)
			}
		})
		synctest.Wait() // the queue is full
		wg.Go(func() {
			if err := s.Subscribe(t.Context(), bybit.Trades("ETHUSDT")); err != nil {
				t.Error(err)
			}
		})
		for i := range n {
			if i%1000 == 0 {
				pause := time.NewTimer(17 * time.Minute)
				<-pause.C
			}
			ev, err := s.Recv(t.Context())
			trades, ok := ev.(*bybit.TradesEvent)
			if err != nil || !ok || trades.Trades[0].Seq != int64(i) {
				t.Fatalf("event %d: %v, %v", i, ev, err)
			}
		}
		wg.Wait()
		if stats := s.Stats(); v.connects() != 1 || stats.Accepted != 2 {
			t.Errorf("%d connections, stats %+v", v.connects(), stats)
		}
		s.Close()
	})
}

// A snapshot that cannot be decoded leaves nothing for deltas to build on: it is
// asked for again.
func TestDamagedSnapshotIsAskedForAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.OrderBook(50, "BTCUSDT"))
		v.requests()
		v.last().send(snapshot("BTCUSDT", 7, "1.2.3"), delta("BTCUSDT", 8, "2"))
		ev, err := s.Recv(t.Context())
		if damage, ok := ev.(*bybit.DecodeErrorEvent); err != nil || !ok || damage.Topic != bybit.OrderBook(50, "BTCUSDT") {
			t.Fatalf("got %v, %v, want the damage", ev, err)
		}
		wantNone(t, s)
		synctest.Wait()
		v.wantRequests("unsubscribe orderbook.50.BTCUSDT", "subscribe orderbook.50.BTCUSDT")
		v.last().send(snapshot("BTCUSDT", 9, "3"))
		wantEvents(t, s, "book BTCUSDT u=9 bid 100 x 3")
		s.Close()
	})
}
