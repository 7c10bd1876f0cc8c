package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
)

// Whatever goes wrong on the way, the book after each event is the venue's, there are
// never two requests within 2 s, and the book comes back when calm returns.
func TestFailureClass08_FullBookUnderDisturbances(t *testing.T) {
	for name, opts := range map[string]bybit.StreamOptions{
		"one connection": {},
		"lenient":        {Books: bybit.BooksLenient},
		"small queue":    {QueueBytes: 64 << 10},
		"conflating":     {QueueBytes: 64 << 10, Overflow: bybit.OverflowConflate},
		"two lanes":      {Duplicates: 2},
		"rolling":        {RollAfter: 20 * time.Second},
	} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s %d", name, seed), func(t *testing.T) {
				inFullBubble(t, func(t *testing.T, v *fullVenue) { disturb(t, v, opts, seed) })
			})
		}
	}
}

func disturb(t *testing.T, v *fullVenue, opts bybit.StreamOptions, seed uint64) {
	rnd := seeded(seed)
	var old string // a reply of before
	broken := func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		what := rnd.IntN(6)
		v.mu.Unlock()
		switch what {
		case 0:
			w.WriteHeader(http.StatusBadGateway)
		case 1:
			v.mu.Lock()
			reply := old
			v.mu.Unlock()
			fmt.Fprint(w, reply)
		case 2: // late: newer deltas have been pushed
			reply := v.reply()
			time.Sleep(3 * time.Second)
			fmt.Fprint(w, reply)
		case 3: // newer than what the stream has had: it comes at the end of a pause
			time.Sleep(time.Second)
			fmt.Fprint(w, v.reply())
		case 4:
			panic(http.ErrAbortHandler)
		default:
			fmt.Fprint(w, v.reply())
		}
	}
	old = v.reply()
	v.serving(broken)
	s := v.open(&opts)
	j := &fullJudge{v: v}
	number := func(n int) int {
		v.mu.Lock()
		defer v.mu.Unlock()
		return rnd.IntN(n)
	}
	for range 400 {
		switch number(60) {
		case 0:
			v.step(rnd) // lost
		case 1:
			v.ln.CutAll()
		case 2:
			v.broadcast(v.restart())
		case 3:
			frame := v.step(rnd)
			v.broadcast(frame)
			if opts.Duplicates > 1 {
				v.broadcast(frame)
			}
		case 4:
			reply := v.reply()
			v.mu.Lock()
			old = reply
			v.mu.Unlock()
		case 5: // the consumer sleeps
			for range 2000 {
				v.push(rnd)
			}
		case 6: // one connection of several loses a message
			frame := v.step(rnd)
			for i, c := range v.all() {
				if !c.ended.Load() && i%2 == 0 {
					c.send(frame)
				}
			}
		case 7:
			if err := s.Unsubscribe(t.Context(), bybit.FullOrderBook("ABCUSDT")); err != nil {
				t.Fatal(err)
			}
			j.own = nil
			if err := s.Subscribe(t.Context(), bybit.FullOrderBook("ABCUSDT")); err != nil {
				t.Fatal(err)
			}
		default:
			v.push(rnd)
		}
		time.Sleep(200 * time.Millisecond)
		if number(4) > 0 {
			j.drain(t, s)
		}
	}
	v.serving(nil)
	for range 400 { // a failure may have put the next request 32 s off
		v.push(rnd)
		time.Sleep(200 * time.Millisecond)
		j.drain(t, s)
	}
	j.take()
	v.push(rnd)
	j.want(t, s, "delta")
}

// Where the exchange has no book, that is said once and nothing is asked for, until a
// change with levels comes.
func TestFailureClass08_FullBookThatIsNone(t *testing.T) {
	inFullBubble(t, func(t *testing.T, v *fullVenue) {
		rnd := seeded(3)
		s := v.open(nil)
		j := &fullJudge{v: v}
		v.push(rnd)
		j.want(t, s, "snapshot")
		v.serving(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, envelope(`{"s":"ABCUSDT","b":[],"a":[],"ts":1,"u":1,"seq":6000,"cts":1}`))
		})
		v.mu.Lock()
		v.u, v.seq = 1, 6000
		clear(v.bids)
		clear(v.asks)
		empty := v.change(nil, nil)
		v.mu.Unlock()
		v.broadcast(empty)
		j.want(t, s, "gap book")
		time.Sleep(2 * time.Second)
		j.want(t, s, "gap snapshot")
		if err := j.gaps[1].Err; !errors.Is(err, book.ErrNoBook) {
			t.Errorf("the gap's error is %v, want a book.ErrNoBook", err)
		}
		before := v.requestCount()
		for range 20 {
			v.broadcast(empty)
			time.Sleep(time.Minute)
			j.want(t, s, "")
		}
		if got := v.requestCount(); got != before {
			t.Errorf("%d requests while there is no book, want none", got-before)
		}
		v.serving(nil)
		v.push(rnd)
		j.want(t, s, "snapshot")
		v.push(rnd)
		j.want(t, s, "delta")
	})
}

// Closing, unsubscribing and the end of the client end a request that is under way.
func TestFailureClass08_FullEndsDuringFetch(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, v *fullVenue, s *bybit.Stream){
		"stream": func(t *testing.T, v *fullVenue, s *bybit.Stream) { s.Close() },
		"client": func(t *testing.T, v *fullVenue, s *bybit.Stream) { v.clients[0].Close() },
		"unsubscribe": func(t *testing.T, v *fullVenue, s *bybit.Stream) {
			if err := s.Unsubscribe(t.Context(), bybit.FullOrderBook("ABCUSDT")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inFullBubble(t, func(t *testing.T, v *fullVenue) {
				ended := make(chan struct{})
				v.serving(func(w http.ResponseWriter, r *http.Request) {
					<-r.Context().Done()
					close(ended)
				})
				s := v.open(nil)
				v.push(seeded(4))
				synctest.Wait()
				wantNone(t, s)
				synctest.Wait()
				if n := v.requestCount(); n != 1 {
					t.Fatalf("%d requests, want 1", n)
				}
				began := time.Now()
				end(t, v, s)
				<-ended
				if took := time.Since(began); took > time.Second {
					t.Errorf("the request ended after %s, want a second at most", took)
				}
				synctest.Wait()
				if ev, ok, _ := s.TryRecv(); ok {
					t.Errorf("event %s after the end, want none", describe(ev))
				}
			})
		})
	}
}

// Two streams of a client that flip the topic share the pace of requests, which
// checkPace looks at.
func TestFailureClass08_FullRequestsKeepTheirPace(t *testing.T) {
	inFullBubble(t, func(t *testing.T, v *fullVenue) {
		rnd := seeded(5)
		c := v.fullClient(bybit.Options{})
		topic := bybit.FullOrderBook("ABCUSDT")
		var streams []*bybit.Stream
		for range 2 {
			s, err := c.Public(t.Context(), bybit.Linear, nil, topic)
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, s)
		}
		live := 0
		for i := range 40 {
			for _, s := range streams {
				v.push(rnd)
				for idle := 0; idle < 2; {
					synctest.Wait()
					ev, ok, err := s.TryRecv()
					if err != nil {
						t.Fatal(err)
					}
					if idle++; ok {
						idle = 0
					}
					if e, is := ev.(*bybit.BookEvent); is && e.Snapshot {
						live++
					}
				}
				if i%4 == 0 {
					if err := s.Unsubscribe(t.Context(), topic); err != nil {
						t.Fatal(err)
					}
					if err := s.Subscribe(t.Context(), topic); err != nil {
						t.Fatal(err)
					}
				}
			}
			time.Sleep(700 * time.Millisecond)
		}
		if live < 4 {
			t.Errorf("the book became live %d times, want several", live)
		}
	})
}

// A change that comes twice, or late, is neither a change nor a gap.
func TestFailureClass08_FullOldMessagesAreNone(t *testing.T) {
	inFullBubble(t, func(t *testing.T, v *fullVenue) {
		rnd := seeded(11)
		s := v.open(nil)
		j := &fullJudge{v: v}
		first, second := v.step(rnd), v.step(rnd)
		for _, frame := range []string{first, first, second, first} {
			v.broadcast(frame)
		}
		j.want(t, s, "snapshot")
		third := v.step(rnd)
		for _, frame := range []string{second, third, third, first} {
			v.broadcast(frame)
		}
		j.want(t, s, "delta")
		v.push(rnd)
		j.want(t, s, "delta")
		if got := s.Stats(); got.Gaps != 0 || got.Violations != 0 || v.requestCount() != 1 {
			t.Errorf("gaps %d, violations %d, requests %d, want 0, 0, 1", got.Gaps, got.Violations, v.requestCount())
		}
	})
}

// Without REST, and on channels without a category there, a full book is refused before
// anything is sent; BooksNone yields every message.
func TestFullBookWithoutREST(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		topic := bybit.FullOrderBook("ABCUSDT")
		for _, books := range []bybit.Books{bybit.BooksVerified, bybit.BooksLenient} {
			_, err := v.client().Public(t.Context(), bybit.Linear, &bybit.StreamOptions{Books: books}, topic)
			e := new(bybit.UnsupportedError)
			if !errors.As(err, &e) || e.Ability != bybit.AbilityREST || !strings.Contains(err.Error(), "BooksNone") {
				t.Errorf("books %d: error %v, want an *UnsupportedError for REST that names BooksNone", books, err)
			}
		}
		s := v.stream(nil)
		if err := s.Subscribe(t.Context(), topic); !errors.As(err, new(*bybit.UnsupportedError)) {
			t.Errorf("Subscribe: error %v, want an *UnsupportedError", err)
		}
		s.Close()
		s = v.stream(&bybit.StreamOptions{Books: bybit.BooksNone}, topic)
		frame := func(u int) string {
			return fmt.Sprintf(`{"topic":"%s","type":"delta","ts":1,"data":{"s":"ABCUSDT","b":[],"a":[],"u":%d,"seq":%d},"cts":1}`, fullTopic, u, u)
		}
		v.last().send(frame(5), frame(6), frame(9), frame(10), frame(1), frame(2))
		none := ": " + book.ErrNoBook.Error()
		wantEvents(t, s, "book ABCUSDT u=5"+none, "book ABCUSDT u=6"+none, "gap orderbook.full.ABCUSDT book dropped 0",
			"book ABCUSDT u=9"+none, "book ABCUSDT u=10"+none, "book ABCUSDT u=1"+none, "book ABCUSDT u=2"+none)
		s.Close()
	})
}

// A view of a full book holds until the next Recv.
func TestFullBookViewIsStaleAfterRecv(t *testing.T) {
	inFullBubble(t, func(t *testing.T, v *fullVenue) {
		s := v.open(nil)
		v.push(seeded(6))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ev, err := s.Recv(ctx)
		if err != nil {
			t.Fatal(err)
		}
		e := ev.(*bybit.BookEvent)
		kept := e.Clone()
		wantNone(t, s)
		if err := e.Book.Err(); !errors.Is(err, book.ErrStale) {
			t.Errorf("the view says %v after the next Recv, want book.ErrStale", err)
		}
		if _, err := kept.Book.BestBid(); err != nil || len(kept.Bids) == 0 {
			t.Errorf("the clone has %d bids and says %v, want some and nil", len(kept.Bids), err)
		}
	})
}

// A reply that comes while the queue overflows, and all else in it is discarded, still
// reaches the book, which would otherwise wait for it for ever.
func TestFailureClass08_FullReplyOutlivesOverflow(t *testing.T) {
	inFullBubble(t, func(t *testing.T, v *fullVenue) {
		rnd := seeded(7)
		v.serving(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			fmt.Fprint(w, v.reply())
		})
		s := v.open(&bybit.StreamOptions{QueueBytes: 64 << 10})
		j := &fullJudge{v: v}
		v.push(rnd)
		j.want(t, s, "") // the request is out
		time.Sleep(2 * time.Second)
		for range 2000 {
			v.push(rnd)
		}
		synctest.Wait()
		if s.Stats().Overflows == 0 {
			t.Fatal("no overflow, want one")
		}
		for range 50 {
			j.drain(t, s)
			time.Sleep(200 * time.Millisecond)
			v.push(rnd)
		}
		j.take()
		v.push(rnd)
		j.want(t, s, "delta, delta")
	})
}
