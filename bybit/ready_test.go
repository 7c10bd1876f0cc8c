package bybit_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
)

// The loop of Ready's documentation over two streams and a timer: every event
// comes, in each stream's order, at once.
func TestReadyInASelect(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		const n = 300
		btc := v.stream(nil, bybit.Trades("BTCUSDT"))
		toBTC := v.last()
		eth := v.stream(nil, bybit.Trades("ETHUSDT"))
		toETH := v.last()
		var wg sync.WaitGroup
		feed := func(c *venueConn, s *bybit.Stream, symbol string, seed uint64) {
			r := rand.New(rand.NewPCG(seed, 1))
			for i := range n {
				time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
				c.send(tradeFrame(symbol, int(time.Now().UnixMilli())*1000+i))
			}
			time.Sleep(time.Second)
			s.Close()
		}
		wg.Go(func() { feed(toBTC, btc, "BTCUSDT", 1) })
		wg.Go(func() { feed(toETH, eth, "ETHUSDT", 2) })

		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		ticks, got := 0, map[bybit.Topic]int{}
		open := []*bybit.Stream{btc, eth}
		for len(open) > 0 {
			open = slices.DeleteFunc(open, func(s *bybit.Stream) bool {
				for {
					ev, ok, err := s.TryRecv()
					if errors.Is(err, bybit.ErrClosed) {
						return true
					}
					if err != nil {
						t.Fatal(err)
					}
					if !ok {
						return false
					}
					trades := ev.(*bybit.TradesEvent)
					seq := int(trades.Trades[0].Seq)
					if seq%1000 != got[trades.Topic] {
						t.Fatalf("%s: got message %d, want %d", trades.Topic, seq%1000, got[trades.Topic])
					}
					got[trades.Topic]++
					if late := time.Now().UnixMilli() - int64(seq/1000); late != 0 {
						t.Fatalf("%s: message %d came %d ms late", trades.Topic, seq%1000, late)
					}
				}
			})
			select {
			case <-btc.Ready():
			case <-eth.Ready():
			case <-ticker.C:
				ticks++
			}
		}
		wg.Wait()
		if got[bybit.Trades("BTCUSDT")] != n || got[bybit.Trades("ETHUSDT")] != n || ticks < 100 {
			t.Errorf("received %v with %d ticks, want %d each and a tick every 10 ms", got, ticks, n)
		}
	})
}

func TestReadyAfterARecvThatGaveUp(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"))
		wantNone(t, s)
		select {
		case <-s.Ready():
			t.Error("ready without an event")
		default:
		}
		v.last().send(tradeFrame("BTCUSDT", 1))
		synctest.Wait()
		<-s.Ready()
		wantEvents(t, s, "trades BTCUSDT seq=1")
		wantNone(t, s)
		s.Close()
		<-s.Ready()
		if ev, ok, err := s.TryRecv(); ok || !errors.Is(err, bybit.ErrClosed) {
			t.Error(fmt.Sprint("TryRecv = ", ev, ok, err, ", want ErrClosed"))
		}
	})
}
