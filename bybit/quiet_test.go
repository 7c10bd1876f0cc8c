package bybit_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// A quiet night of many illiquid options, which get their books anew again and again,
// is no event at all.
func TestFailureClass18_QuietNight(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		const n = 500
		var topics []bybit.Topic
		v.family = wire.FamilyOption
		v.onJoin = func(c *venueConn, name string) {
			symbol := strings.TrimPrefix(name, "orderbook.25.")
			c.send(strings.Replace(snapshot(symbol, 7, "1"), "orderbook.50", "orderbook.25", 1))
		}
		for i := range n {
			topics = append(topics, bybit.OrderBook(25, fmt.Sprintf("BTC-25DEC26-%d-C", 1000*i)))
		}
		s, err := v.client().Public(t.Context(), bybit.Option, nil, topics...)
		if err != nil {
			t.Fatal(err)
		}
		night := time.NewTimer(10 * time.Hour)
		<-night.C
		synctest.Wait()
		books := 0
		for {
			ev, ok, err := s.TryRecv()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if _, isBook := ev.(*bybit.BookEvent); !isBook {
				t.Fatalf("after %d books: %s", books, describe(ev))
			}
			books++
		}
		requests := len(v.requests())
		// After 1, 8 and 60 minutes, then each hour.
		if books < 10*n || books > 14*n || requests > 14*n/100 {
			t.Errorf("%d books of %d topics in %d requests", books, n, requests)
		}
		s.Close()
	})
}

// What the new subscription brings says whether the old one was dead.
func TestFailureClass18_SilenceIsToldByWhatFollows(t *testing.T) {
	ticker := func(last string, cs int) string {
		return fmt.Sprintf(`{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","lastPrice":"%s"},"cs":%d,"ts":1}`, last, cs)
	}
	for _, tt := range []struct {
		name   string
		topic  bybit.Topic
		before string
		wait   time.Duration // from the new subscription
		after  string
		want   int // silent events
	}{
		{"a trade at once", bybit.Trades("BTCUSDT"), tradeFrame("BTCUSDT", 1), time.Second, tradeFrame("BTCUSDT", 2), 1},
		{"a trade later", bybit.Trades("BTCUSDT"), tradeFrame("BTCUSDT", 1), 11 * time.Second, tradeFrame("BTCUSDT", 2), 0},
		{"the same ticker", bybit.Tickers("BTCUSDT"), ticker("5", 7), time.Second, ticker("5", 9), 0},
		{"another ticker", bybit.Tickers("BTCUSDT"), ticker("5", 7), time.Second, ticker("6", 9), 1},
		{"the same book", bybit.OrderBook(50, "BTCUSDT"), snapshot("BTCUSDT", 7, "1"), time.Second, snapshot("BTCUSDT", 7, "1"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				s := v.stream(nil, tt.topic)
				v.last().send(tt.before)
				quiet := time.NewTimer(time.Minute + 4*time.Second)
				<-quiet.C
				v.requests()
				for ev, ok, _ := s.TryRecv(); ok; ev, ok, _ = s.TryRecv() {
					if got := describe(ev); got == "*bybit.SilentEvent" {
						t.Fatalf("%s before anything was proved", got)
					}
				}
				for s.Stats().Resyncs == 0 {
					tick := time.NewTimer(time.Second)
					<-tick.C
					synctest.Wait()
				}
				wait := time.NewTimer(tt.wait)
				<-wait.C
				v.last().send(tt.after)
				synctest.Wait()
				silent, others := 0, 0
				for ev, ok, err := s.TryRecv(); ok; ev, ok, err = s.TryRecv() {
					if _, is := ev.(*bybit.SilentEvent); is && err == nil {
						silent++
						if others > 0 {
							t.Error("it comes after the message that proves it")
						}
					} else {
						others++
					}
				}
				if silent != tt.want || others != 1 {
					t.Errorf("%d silent events and %d others, want %d and 1", silent, others, tt.want)
				}
				if got := s.Stats().Silent; got != int64(tt.want) {
					t.Errorf("Stats say %d silent events, want %d", got, tt.want)
				}
				s.Close()
			})
		})
	}
}
