package book_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/decimal"
)

// fullServer is the venue's side of orderbook.full: a book that changes, the
// messages on their way, what the book was at each cross sequence, and a REST
// endpoint that answers with what it is at that moment.
type fullServer struct {
	bids, asks map[int64]int64
	id, seq    int64
	stream     []*book.Update
	past       []*book.Update         // delivered
	history    map[int64]*book.Update // by cross sequence
	reply      *book.Update           // taken, not delivered yet
}

// state returns the book as REST shows it.
func (s *fullServer) state() *book.Update {
	u := &book.Update{Snapshot: true, ID: s.id, Seq: s.seq}
	side := func(levels map[int64]int64, sign int) (out []book.Level) {
		for p, q := range levels {
			out = append(out, book.Level{Price: decimal.New(p, 1), Size: decimal.FromInt(q)})
		}
		slices.SortFunc(out, func(a, b book.Level) int { return sign * a.Price.Cmp(b.Price) })
		return out
	}
	u.Bids, u.Asks = side(s.bids, -1), side(s.asks, 1)
	return u
}

// change sets n levels and puts the delta on the stream.
func (s *fullServer) change(src *[]byte, n int) {
	u := &book.Update{}
	for range n {
		c := next(src)
		price, size := int64(c&63), int64(next(src)%4)
		levels, out := s.bids, &u.Bids
		if c&64 != 0 {
			levels, out, price = s.asks, &u.Asks, price+100
		}
		levels[price] = size
		if size == 0 {
			delete(levels, price)
		}
		*out = append(*out, book.Level{Price: decimal.New(price, 1), Size: decimal.FromInt(size)})
	}
	s.id++
	s.seq += 2 + int64(n) // leaves a sequence that no push has, for a reply from between two
	u.ID, u.Seq = s.id, s.seq
	s.stream = append(s.stream, u)
	s.history[s.seq] = s.state()
}

// restart clears the book; the next message has update id 1.
func (s *fullServer) restart(src *[]byte, n int) {
	s.bids, s.asks, s.id = map[int64]int64{}, map[int64]int64{}, 0
	s.change(src, n)
}

// fullClient checks every step of a Full against the rules.
type fullClient struct {
	t      *testing.T
	full   *book.Full
	server *fullServer
	now    time.Time
	asked  time.Time
	asking bool
	tick   time.Time
}

func (c *fullClient) take(s book.FullStep) {
	c.t.Helper()
	if s.State != c.full.State() {
		c.t.Fatalf("step says %v, Full is %v", s.State, c.full.State())
	}
	if s.Fetch {
		switch {
		case c.asking:
			c.t.Fatal("asked for a second snapshot before the answer")
		case c.now.Sub(c.asked) < 2*time.Second:
			c.t.Fatalf("asked twice within %v", c.now.Sub(c.asked))
		case s.State != book.FullSyncing:
			c.t.Fatalf("asked in state %v", s.State)
		}
		c.asking, c.asked = true, c.now
	}
	if c.tick = s.At; !s.At.IsZero() && (!s.At.After(c.now) || c.asking) {
		c.t.Fatalf("wants a call at %v, now %v, asking %v", s.At, c.now, c.asking)
	}
	if s.State != book.FullLive {
		if err := c.full.View().Err(); err == nil {
			c.t.Fatalf("readable in state %v", s.State)
		}
		return
	}
	var got book.Update
	if err := c.full.View().AppendSnapshot(&got); err != nil {
		c.t.Fatalf("live and unreadable: %v", err)
	}
	if want := c.server.history[got.Seq]; want == nil || !equalUpdates(&got, want) {
		c.t.Fatalf("book at seq %d is %+v, the server's was %+v", got.Seq, got, want)
	}
}

func (c *fullClient) deliver() {
	if q := c.server.stream; len(q) > 0 {
		c.server.stream = q[1:]
		c.server.past = append(c.server.past, q[0])
		c.take(c.full.Delta(q[0], c.now))
	}
}

func (c *fullClient) answer() {
	if c.server.reply != nil {
		u := c.server.reply
		c.server.reply, c.asking = nil, false
		c.take(c.full.Snapshot(u, c.now))
	}
}

func (c *fullClient) pass(d time.Duration) {
	c.now = c.now.Add(d)
	if !c.tick.IsZero() && !c.now.Before(c.tick) {
		c.take(c.full.Tick(c.now))
	}
}

var errTimeout = errors.New("timeout")

// FuzzFull lets a script move a server, its stream, its REST endpoint and the
// clock. Whenever the book is live it must be the server's book at that cross
// sequence; requests must keep their distance; and once the faults are over the
// book must become live.
func FuzzFull(f *testing.F) {
	f.Add([]byte{0, 70, 3, 1, 4, 5, 0, 1, 9, 1})
	f.Add([]byte{0, 70, 3, 1, 4, 0, 5, 8, 9, 1, 5, 0, 2, 3, 2, 0, 66, 1, 1, 7, 40, 4, 5})
	f.Add([]byte{0, 1, 2, 1, 4, 5, 3, 0, 1, 7, 30, 4, 5, 3, 2, 100, 1, 5, 1, 1, 7, 30, 4, 5})
	f.Add([]byte{0, 70, 3, 1, 204, 0, 1, 5, 0, 1, 1, 0, 1})
	f.Add([]byte("00000000000000000000011!0001111\xd6\x99")) // such a reply, then a second restart
	f.Add([]byte("\x17011\"\xfd11\xf6"))                     // a restart that comes once more, after another
	f.Add([]byte("\xdf00X00\x031!1100\"1117\xd8"))           // a message of the count before, once more, with the next update id
	// A reply from before a reset, and once more the message that it belongs to; restarts were lost in between.
	f.Add([]byte("\xdf00X00\x031!1100\"1+P\x80\x98v{6\xbb\xec/\xd7\x00\xd5\xc3/\u0633\xb3\xb3\xb3\xe3\x1e117\xd8"))
	f.Fuzz(func(t *testing.T, script []byte) {
		src := &script
		server := &fullServer{bids: map[int64]int64{3: 1}, asks: map[int64]int64{130: 1}, id: 10, seq: 1000, history: map[int64]*book.Update{}}
		start := time.UnixMilli(1_700_000_000_000)
		c := &fullClient{t: t, server: server, now: start, full: book.NewFull(&book.FullOptions{MaxUpdates: 6, MaxLevels: 12})}
		for len(*src) > 0 {
			switch op := next(src); op % 10 {
			case 0, 8:
				server.change(src, int(op>>4)%4)
			case 1, 9:
				c.deliver()
			case 2: // a message is lost; not that of a restart, which nobody could notice
				if q := server.stream; len(q) > 0 && q[0].ID != 1 {
					server.stream = q[1:]
				}
			case 3:
				server.restart(src, int(op>>4)%3)
			case 4:
				if c.asking && server.reply == nil {
					server.reply = server.state()
					if op >= 200 { // from between two pushes: no delta belongs to it
						server.reply.Seq++
					}
				}
			case 5:
				c.answer()
			case 6:
				if past := server.past; op >= 200 { // a message comes once more
					if i := len(past) - 1 - int(op>>2)%4; i >= 0 {
						c.take(c.full.Delta(past[i], c.now))
					}
				} else if c.asking {
					server.reply, c.asking = nil, false
					c.take(c.full.SnapshotFailed(errTimeout, c.now))
				}
			case 7:
				if op >= 200 {
					server.stream = nil
					c.take(c.full.Reset(nil, c.now))
				}
				c.pass(time.Duration(next(src)) * 50 * time.Millisecond)
			}
			if n := c.full.Buffered(); n > 6 {
				t.Fatalf("%d deltas buffered", n)
			}
		}
		c.settle()
	})
}

// settle ends all faults and waits until the book has been live for a while, at
// most a minute of the server's time.
func (c *fullClient) settle() {
	live := 0
	for i := 0; i < 300 && live < 10; i++ {
		if c.full.State() == book.FullLive {
			live++
		}
		script := []byte{3, 1, 100, 2}
		c.server.change(&script, 2)
		for len(c.server.stream) > 0 {
			c.deliver()
		}
		if c.asking && c.server.reply == nil {
			c.server.reply = c.server.state()
		}
		c.answer()
		c.pass(200 * time.Millisecond)
	}
	id, err := c.full.View().ID()
	if c.full.State() != book.FullLive || err != nil || id != c.server.id {
		c.t.Fatalf("after a minute without faults: %v, id %d (%v), server %d", c.full.State(), id, err, c.server.id)
	}
}
