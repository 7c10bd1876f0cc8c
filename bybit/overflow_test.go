package bybit_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
)

func TestFailureClass25_SleepingConsumer(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(&bybit.StreamOptions{QueueBytes: 256 << 10}, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
		v.requests()
		v.last().send(snapshot("BTCUSDT", 1, "1"))
		wantEvents(t, s, "book BTCUSDT u=1 bid 100 x 1")
		// Ten minutes in which the consumer does not look, the venue never
		// waits, and the connection stays.
		const perSecond = 20
		u := 1
		for second := range 600 {
			frames := make([]string, 0, 2*perSecond)
			for range perSecond {
				u++
				frames = append(frames, delta("BTCUSDT", u, "2"), tradeFrame("BTCUSDT", u))
			}
			v.last().send(frames...)
			tick := time.NewTimer(time.Second)
			<-tick.C
			if queued := s.Stats().QueueBytes; queued > 128<<10 {
				t.Fatalf("%d bytes are queued at second %d", queued, second)
			}
		}
		synctest.Wait() // a reader in the middle of a burst has the queue
		var gaps []string
		received, dropped := 0, 0
		for {
			ev, ok, err := s.TryRecv()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			switch ev := ev.(type) {
			case *bybit.GapEvent:
				gaps = append(gaps, fmt.Sprint(ev.Topic, " ", ev.Reason))
				dropped += ev.Dropped
			case *bybit.TradesEvent:
				received++
				if len(gaps) == 0 {
					t.Fatal("data after a loss came before its gap")
				}
			case *bybit.BookEvent:
				t.Fatal("a delta on a book with a hole was yielded")
			}
		}
		if want := []string{"orderbook.50.BTCUSDT overflow", "publicTrade.BTCUSDT overflow"}; !slices.Equal(gaps, want) {
			t.Errorf("gaps %q, want %q", gaps, want)
		}
		if stats := s.Stats(); v.connects() != 1 || stats.Overflows == 0 || received == 0 ||
			int64(received)+stats.Dropped != 2*600*perSecond {
			t.Errorf("received %d, dropped %d, stats %+v", received, dropped, stats)
		}
		if requests := v.requests(); len(requests) < 2 || requests[0] != "unsubscribe orderbook.50.BTCUSDT" || len(requests) > 60 {
			t.Errorf("requests %q, want a few resynchronisations of the book", requests)
		}
		v.last().send(snapshot("BTCUSDT", 1, "4"), tradeFrame("BTCUSDT", 99))
		wantEvents(t, s, "book BTCUSDT u=1 bid 100 x 4", "trades BTCUSDT seq=99")
		s.Close()
	})
}

func TestOverflowWaitLosesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(&bybit.StreamOptions{Overflow: bybit.OverflowWait, QueueBytes: 1}, bybit.Trades("BTCUSDT"))
		const n = 60_000 // some 28 MiB of events
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; i < n; i += 100 {
				frames := make([]string, 100)
				for k := range frames {
					frames[k] = tradeFrame("BTCUSDT", i+k)
				}
				v.last().send(frames...)
			}
		})
		asleep := time.NewTimer(time.Hour)
		<-asleep.C
		if queued := s.Stats().QueueBytes; queued > 4<<20 || queued < 2<<20 {
			t.Errorf("%d bytes are queued", queued)
		}
		for i := range n {
			ev, err := s.Recv(t.Context())
			trades, ok := ev.(*bybit.TradesEvent)
			if err != nil || !ok || trades.Trades[0].Seq != int64(i) {
				t.Fatalf("event %d: %v, %v", i, ev, err)
			}
		}
		wg.Wait()
		if v.connects() != 1 {
			t.Errorf("%d connections", v.connects())
		}
		// Close ends a reader that waits.
		for range 200 {
			frames := make([]string, 100)
			for k := range frames {
				frames[k] = tradeFrame("BTCUSDT", k)
			}
			v.last().send(frames...)
			synctest.Wait()
			if s.Stats().QueueBytes > 2<<20 {
				break
			}
		}
		s.Close()
	})
}
