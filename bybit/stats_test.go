package bybit_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
)

// The counters of two connections that carry one topic, through the loss of one.
func TestStatsByConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		opened := time.Now().UTC()
		s, a, b := twice(t, v, bybit.Trades("BTCUSDT"))
		base := s.Stats()
		a.send(tradeFrame("BTCUSDT", 1), tradeFrame("NOPE", 1))
		synctest.Wait()
		b.send(tradeFrame("BTCUSDT", 1))
		wantEvents(t, s, "trades BTCUSDT seq=1")
		synctest.Wait()
		wantNone(t, s)
		got := s.Stats()
		size := int64(len(tradeFrame("BTCUSDT", 1)))
		other := int64(len(tradeFrame("NOPE", 1)))
		if got.Frames-base.Frames != 3 || got.Bytes-base.Bytes != 2*size+other || got.Unwanted != 1 || got.Duplicates != 1 || got.QueueBytes != 0 {
			t.Errorf("stats %+v, want 3 more frames of %d bytes, one unwanted, one duplicate", got, 2*size+other)
		}
		// An acknowledgement each came before.
		want := []bybit.ConnectionStats{
			{Link: 1, Number: 1, Shard: 1, Lane: 0, State: "open", Topics: 1, Since: opened,
				Frames: base.Connections[0].Frames + 2, Bytes: base.Connections[0].Bytes + size + other},
			{Link: 2, Number: 2, Shard: 1, Lane: 1, State: "open", Topics: 1, Since: got.Connections[1].Since,
				Frames: base.Connections[1].Frames + 1, Bytes: base.Connections[1].Bytes + size},
		}
		if !reflect.DeepEqual(got.Connections, want) {
			t.Errorf("connections\n%+v, want\n%+v", got.Connections, want)
		}
		v.ln.Refuse(errors.New("network is unreachable"))
		a.cut()
		synctest.Wait()
		lost := bybit.ConnectionStats{Link: 1, Shard: 1, State: "waiting"}
		if got := s.Stats().Connections; len(got) != 2 || got[0] != lost || got[1].State != "open" {
			t.Errorf("with one lost the connections are %+v", got)
		}
		v.ln.Refuse(nil)
		time.Sleep(time.Minute / 2)
		synctest.Wait()
		if got := s.Stats(); len(got.Connections) != 2 || got.Connections[0].Number != 3 || got.Connections[0].Link != 1 ||
			got.Connections[0].Frames != 2 || got.Reconnects != 1 || got.Connects != 3 || got.Gaps != 0 {
			t.Errorf("half a minute later the stats are %+v", got)
		}
		wantNone(t, s) // which takes the notices of that
		b.send(tradeFrame("BTCUSDT", 2))
		synctest.Wait()
		if got := s.Stats().QueueBytes; got < int(size) || got > int(size)+200 {
			t.Errorf("%d bytes are queued, want those of a frame", got)
		}
		s.Close()
		if got := s.Stats(); got.State != "closed" {
			t.Errorf("the closed stream is %s", got.State)
		}
	})
}

// Replays on several connections end one by one: the stream ends with the last.
func TestEndOfCaptureOnSeveralConnections(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s, a, b := twice(t, v, bybit.Trades("BTCUSDT"))
		a.send(tradeFrame("BTCUSDT", 1))
		a.close(1000, "end of capture")
		wantEvents(t, s, "trades BTCUSDT seq=1")
		for i := range 30 {
			time.Sleep(10 * time.Second)
			b.send(tradeFrame("BTCUSDT", 2+i))
			wantEvents(t, s, fmt.Sprintf("trades BTCUSDT seq=%d", 2+i))
		}
		b.close(1000, "end of capture")
		if ev, err := s.Recv(t.Context()); !errors.Is(err, bybit.ErrEndOfCapture) {
			t.Errorf("Recv after the end = %v, %v", ev, err)
		}
		if n := v.connects(); n != 2 {
			t.Errorf("%d connects, want no more than the two", n)
		}
		s.Close()
	})
}

// A link that is not needed any more closes; what it carried is not missed.
func TestConnectionsThatAreEmptyClose(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		var topics []bybit.Topic
		for i := range 1000 {
			topics = append(topics, bybit.Trades(fmt.Sprintf("COIN%05dUSDT", i)))
		}
		s := v.stream(nil, topics...)
		if n := len(s.Stats().Connections); n != 2 {
			t.Fatalf("%d connections, want 2", n)
		}
		if err := s.Unsubscribe(t.Context(), topics[500:]...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := s.Stats(); len(got.Connections) != 1 || got.Topics != 500 || got.Gaps != 0 {
			t.Errorf("%d connections for %d topics, %d gaps, want 1 without a gap", len(got.Connections), got.Topics, got.Gaps)
		}
		v.mu.Lock()
		open := slices.IndexFunc(v.conns, func(c *venueConn) bool { return !c.ended.Load() })
		v.mu.Unlock()
		v.conns[open].send(tradeFrame("COIN00007USDT", 1))
		for {
			ev, err := s.Recv(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, silent := ev.(*bybit.SilentEvent); silent {
				continue
			}
			if got := describe(ev); got != "trades COIN00007USDT seq=1" {
				t.Errorf("got %s", got)
			}
			break
		}
		s.Close()
	})
}
