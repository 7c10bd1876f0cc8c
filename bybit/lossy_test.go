package bybit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
)

// lossy is a venue whose connections leave out messages, delay them and are cut.
type lossy struct {
	v *venue
	j *joined

	mu   sync.Mutex // guards what follows
	r    *rand.Rand
	loss float64
	lag  int // ms, at most
	u    int
	sent map[int]int // by trade: connections that brought it
	// queues holds what is on its way to a connection: a connection keeps its order.
	queues map[*venueConn]*lane
}

// lane is what is on its way on a connection.
type lane struct {
	frames []string
	due    []time.Time
}

func newLossy(v *venue, seed uint64, loss float64, lag int) *lossy {
	l := &lossy{
		v: v, j: watchJoins(v), r: rand.New(rand.NewPCG(seed, 3)), loss: loss, lag: lag,
		sent: map[int]int{}, queues: map[*venueConn]*lane{},
	}
	v.onJoin = func(c *venueConn, topic string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if strings.HasPrefix(topic, "orderbook") && l.u > 0 {
			l.put(c, snapshot("BTCUSDT", l.u, fmt.Sprint(l.u)))
		}
	}
	return l
}

// put sends a frame on its way. The caller has the lock.
func (l *lossy) put(c *venueConn, frame string) {
	q := l.queues[c]
	if q == nil {
		q = &lane{}
		l.queues[c] = q
	}
	due := time.Now().Add(time.Duration(l.r.IntN(l.lag+1)) * time.Millisecond)
	if n := len(q.due); n > 0 && q.due[n-1].After(due) {
		due = q.due[n-1]
	}
	q.frames, q.due = append(q.frames, frame), append(q.due, due)
}

// step makes the next message of both topics.
func (l *lossy) step() {
	on := l.j.carriers(l.v, "publicTrade.BTCUSDT")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.u++
	for _, c := range on {
		if l.r.Float64() >= l.loss {
			l.put(c, delta("BTCUSDT", l.u, fmt.Sprint(l.u)))
		}
		if l.r.Float64() >= l.loss {
			l.put(c, tradeFrame("BTCUSDT", l.u))
		}
	}
}

// deliver lets arrive what is due.
func (l *lossy) deliver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, c := range l.v.all() {
		q := l.queues[c]
		if q == nil {
			continue
		}
		n := 0
		for n < len(q.due) && !q.due[n].After(now) {
			n++
		}
		if n == 0 {
			continue
		}
		if !c.ended.Load() {
			for _, frame := range q.frames[:n] {
				var seq int
				if _, err := fmt.Sscanf(frame[strings.LastIndex(frame, `"seq":`):], `"seq":%d`, &seq); err == nil && strings.Contains(frame, "publicTrade") {
					l.sent[seq]++
				}
			}
			c.send(q.frames[:n]...)
		}
		q.frames, q.due = slices.Delete(q.frames, 0, n), slices.Delete(q.due, 0, n)
	}
}

// Two connections per topic, with losses, lags, cuts and rolls: a book is the server's
// at every update id, and its update ids rise by one except after a gap; every
// trade that a connection brought comes out once.
func TestLossyLanes(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) { playLossy(t, v, seed) })
		})
	}
}

func playLossy(t *testing.T, v *venue, seed uint64) {
	loss, lag := []float64{0, 0.01, 0.04}[seed%3], []int{0, 300, 900}[seed/3%3]
	l := newLossy(v, seed, loss, lag)
	opts := &bybit.StreamOptions{Duplicates: 2}
	if seed%2 == 1 {
		opts.RollAfter = 40 * time.Second
	}
	s := v.stream(opts, bybit.OrderBook(50, "BTCUSDT"), bybit.Trades("BTCUSDT"))
	pass(5 * time.Second)
	l.step()
	l.mu.Lock()
	for _, c := range l.v.all() {
		l.put(c, snapshot("BTCUSDT", 1, "1"))
	}
	l.mu.Unlock()

	dice := rand.New(rand.NewPCG(seed, 4))
	last, books, gaps := 0, 0, 0
	trades := map[int]int{}
	drain := func() {
		t.Helper()
		for {
			ev, ok, err := s.TryRecv()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return
			}
			switch ev := ev.(type) {
			case *bybit.BookEvent:
				books++
				bid, err := ev.Book.BestBid()
				if err != nil || bid.Size.String() != fmt.Sprint(ev.ID) {
					t.Fatalf("the book at %d has a bid of %v, %v", ev.ID, bid.Size, err)
				}
				if last != 0 && int(ev.ID) != last+1 {
					t.Fatalf("update id %d after %d without a gap", ev.ID, last)
				}
				last = int(ev.ID)
			case *bybit.GapEvent:
				gaps++
				if ev.Topic == bybit.OrderBook(50, "BTCUSDT") {
					last = 0
				} else if ev.Reason != bybit.GapDisconnected {
					t.Fatalf("a gap of trades: %+v", ev)
				}
			case *bybit.TradesEvent:
				trades[int(ev.Trades[0].Seq)]++
			case *bybit.DecodeErrorEvent:
				t.Fatal(ev.Err)
			}
		}
	}
	for range 6000 {
		pass(50 * time.Millisecond)
		l.step()
		l.deliver()
		if dice.IntN(600) == 0 {
			if on := l.j.carriers(v, "publicTrade.BTCUSDT"); len(on) > 1 {
				on[dice.IntN(len(on))].cut()
			}
		}
		synctest.Wait()
		drain()
	}
	for range 40 {
		pass(50 * time.Millisecond)
		l.deliver()
		synctest.Wait()
	}
	drain()
	for seq, n := range trades {
		if n != 1 {
			t.Errorf("trade %d came out %d times", seq, n)
		}
	}
	missing := 0
	for seq := range l.sent {
		if trades[seq] == 0 {
			missing++
		}
	}
	// What was on its way when a connection was cut is lost with it.
	if missing > 0 && loss == 0 && lag == 0 {
		t.Errorf("%d trades that were brought did not come out", missing)
	}
	stats := s.Stats()
	if gaps > 0 && loss == 0 && lag == 0 {
		t.Errorf("%d gaps without a loss, stats %+v", gaps, stats)
	}
	if books < 500 || len(trades) < 5000 || stats.Reconnects == 0 || stats.Duplicates < 4000 || opts.RollAfter > 0 && stats.Handovers < 3 {
		t.Errorf("%d books, %d trades, %d gaps, stats %+v", books, len(trades), gaps, stats)
	}
	s.Close()
}

// A connection that has just taken over from another has nothing missing of what that one
// brought: losing the third, which carried the topic all the while, is no gap.
func TestNoGapBehindAHandover(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		j := watchJoins(v)
		s := v.stream(&bybit.StreamOptions{Duplicates: 2, RollAfter: 40 * time.Second}, bybit.Trades("BTCUSDT"))
		seq := 0
		push := func(conns []*venueConn) {
			seq++
			for _, c := range conns {
				c.send(tradeFrame("BTCUSDT", seq))
			}
			synctest.Wait()
			wantEvents(t, s, fmt.Sprintf("trades BTCUSDT seq=%d", seq))
			wantNone(t, s)
		}
		pass(5 * time.Second)
		for s.Stats().Handovers == 0 {
			push(j.carriers(v, "publicTrade.BTCUSDT"))
			pass(50 * time.Millisecond)
		}
		on := j.carriers(v, "publicTrade.BTCUSDT")
		if len(on) != 2 {
			t.Fatalf("%d connections have the topic behind a handover, want 2", len(on))
		}
		on[0].cut()
		synctest.Wait()
		push(on[1:])
		s.Close()
	})
}
