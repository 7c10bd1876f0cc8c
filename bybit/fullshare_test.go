package bybit_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

// crowd is several streams of one client with the same full book.
type crowd struct {
	v       *fullVenue
	client  *bybit.Client
	streams []*bybit.Stream
	judges  []*fullJudge
}

func (c *crowd) add(t *testing.T) {
	t.Helper()
	s, err := c.client.Public(t.Context(), bybit.Linear, nil, bybit.FullOrderBook("ABCUSDT"))
	if err != nil {
		t.Fatal(err)
	}
	c.streams = append(c.streams, s)
	c.judges = append(c.judges, &fullJudge{v: c.v})
}

// want checks what the streams in [from, to) have had since the last look.
func (c *crowd) want(t *testing.T, from, to int, want string) {
	t.Helper()
	for i := from; i < to; i++ {
		c.judges[i].drain(t, c.streams[i])
	}
	for i := from; i < to; i++ { // what one has asked for may be for all
		c.judges[i].drain(t, c.streams[i])
		if got := c.judges[i].take(); got != want {
			t.Fatalf("stream %d has had %q, want %q", i, got, want)
		}
	}
}

// pass lets time pass, in which the streams are looked after.
func (c *crowd) pass(t *testing.T, d time.Duration) {
	t.Helper()
	for ; d > 0; d -= min(d, 100*time.Millisecond) {
		pass(min(d, 100*time.Millisecond))
		for i, s := range c.streams {
			c.judges[i].drain(t, s)
		}
	}
}

func (c *crowd) wantRequests(t *testing.T, want int) {
	t.Helper()
	if got := c.v.requestCount(); got != want {
		t.Fatalf("%d requests, want %d", got, want)
	}
}

func newCrowd(t *testing.T, v *fullVenue, n int) *crowd {
	t.Helper()
	c := &crowd{v: v, client: v.fullClient(bybit.Options{})}
	for range n {
		c.add(t)
	}
	return c
}

// slowly serves the book as it is when the request comes, half a second later.
func (v *fullVenue) slowly(w http.ResponseWriter, r *http.Request) {
	reply := v.reply()
	<-time.After(500 * time.Millisecond)
	fmt.Fprint(w, reply)
}

// Ten streams of one client that begin a book with the same change have it with one
// request.
func TestFullStreamsShareAReply(t *testing.T) {
	inFullBubble(t, func(t *testing.T, v *fullVenue) {
		rnd := seeded(20)
		v.serving(v.slowly)
		c := newCrowd(t, v, 10)
		v.push(rnd)
		c.want(t, 0, 10, "")
		c.pass(t, 500*time.Millisecond)
		c.want(t, 0, 10, "snapshot")
		c.wantRequests(t, 1)
		v.push(rnd)
		c.want(t, 0, 10, "delta")

		// A change is lost: all are without a book, and wait for the next request.
		v.step(rnd)
		v.push(rnd)
		c.want(t, 0, 10, "gap book")
		c.pass(t, 2500*time.Millisecond)
		c.want(t, 0, 10, "snapshot")
		c.wantRequests(t, 2)
	})
}

// A reply that was made before what a stream has is not its: it has the next one, with
// all that have come by then.
func TestFullReplyThatIsTooOldIsNotShared(t *testing.T) {
	inFullBubble(t, func(t *testing.T, v *fullVenue) {
		rnd := seeded(21)
		v.serving(v.slowly)
		c := newCrowd(t, v, 1)
		v.push(rnd)
		c.want(t, 0, 1, "")
		for range 4 {
			c.add(t)
		}
		v.push(rnd) // the first that these have; the reply is from before
		c.want(t, 0, 5, "")
		c.pass(t, 500*time.Millisecond)
		c.want(t, 0, 1, "snapshot")
		c.want(t, 1, 5, "")
		c.pass(t, time.Second)
		c.add(t)
		v.push(rnd) // the first that this one has
		c.want(t, 0, 1, "delta")
		c.wantRequests(t, 1)
		c.pass(t, 1499*time.Millisecond)
		c.want(t, 1, 6, "")
		c.pass(t, time.Millisecond)
		c.want(t, 1, 6, "snapshot")
		c.wantRequests(t, 2)
		for i, s := range c.streams {
			if got := s.Stats(); got.Gaps != 0 {
				t.Errorf("stream %d: %d gaps, want none", i, got.Gaps)
			}
		}
	})
}

// A request that fails has failed for all that were there before it, and who joined
// while it was under way waits for the next.
func TestFullFailureIsShared(t *testing.T) {
	inFullBubble(t, func(t *testing.T, v *fullVenue) {
		rnd := seeded(22)
		v.serving(v.slowly)
		c := newCrowd(t, v, 4)
		v.push(rnd)
		c.want(t, 0, 4, "")
		c.pass(t, 500*time.Millisecond)
		c.want(t, 0, 4, "snapshot")
		v.serving(func(w http.ResponseWriter, r *http.Request) {
			<-time.After(500 * time.Millisecond)
			w.WriteHeader(http.StatusBadGateway)
		})
		v.step(rnd)
		v.push(rnd)
		c.want(t, 0, 4, "gap book")
		c.pass(t, 2100*time.Millisecond) // 100 ms into the request
		c.add(t)
		v.push(rnd)
		c.want(t, 0, 5, "")
		c.wantRequests(t, 2)
		c.pass(t, 400*time.Millisecond)
		c.want(t, 0, 4, "gap snapshot")
		c.want(t, 4, 5, "")
		v.serving(v.slowly)
		c.pass(t, 2500*time.Millisecond)
		c.want(t, 0, 5, "snapshot")
		c.wantRequests(t, 3)
	})
}

// Who makes the request may close before the reply: the others have one all the same.
func TestFullReplyOutlivesWhoAsked(t *testing.T) {
	inFullBubble(t, func(t *testing.T, v *fullVenue) {
		v.serving(v.slowly)
		c := newCrowd(t, v, 3)
		v.push(seeded(23))
		for i := range c.streams { // the first to look is the one that asks
			c.want(t, i, i+1, "")
		}
		c.streams[0].Close()
		c.streams, c.judges = c.streams[1:], c.judges[1:]
		c.pass(t, 2*time.Second)
		c.want(t, 0, 2, "")
		c.pass(t, 500*time.Millisecond)
		c.want(t, 0, 2, "snapshot")
		c.wantRequests(t, 2)
	})
}
