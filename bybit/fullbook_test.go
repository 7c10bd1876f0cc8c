package bybit_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/memnet"
)

const fullTopic = "orderbook.full.ABCUSDT"

// fullVenue is a venue with a full book that it changes, pushes and serves.
type fullVenue struct {
	*venue
	rest *memnet.Listener
	srv  *http.Server

	mu     sync.Mutex // guards what follows
	bids   map[int]int
	asks   map[int]int
	u, seq int
	states map[string]string // what the book is, by u and seq
	asked  []time.Time       // when requests came, by the fake clock
	bad    int               // requests of another shape
	serve  http.HandlerFunc  // in place of the book
}

// inFullBubble runs a test with a full venue in a bubble.
func inFullBubble(t *testing.T, test func(t *testing.T, v *fullVenue)) {
	t.Helper()
	inBubble(t, func(t *testing.T, plain *venue) {
		plain.env = bybit.CustomEnvironment("ws://venue", "http://rest")
		v := &fullVenue{
			venue: plain, rest: memnet.Listen("rest"), u: 100, seq: 5000,
			bids: map[int]int{100: 1}, asks: map[int]int{101: 1}, states: map[string]string{},
		}
		v.srv = &http.Server{Handler: http.HandlerFunc(v.handle)}
		done := make(chan struct{})
		go func() {
			defer close(done)
			v.srv.Serve(v.rest)
		}()
		defer func() {
			for _, c := range v.clients {
				c.Close()
			}
			v.srv.Close()
			v.rest.CutAll()
			<-done
		}()
		test(t, v)
		v.checkPace(t)
	})
}

// checkPace checks that no two requests came within 2 s.
func (v *fullVenue) checkPace(t *testing.T) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := 1; i < len(v.asked); i++ {
		if d := v.asked[i].Sub(v.asked[i-1]); d < 2*time.Second {
			t.Errorf("request %d came %s after the one before, want 2s at least", i, d)
		}
	}
	if v.bad > 0 {
		t.Errorf("%d requests were not GET /v5/market/full_orderbook?category=linear&symbol=ABCUSDT", v.bad)
	}
}

func (v *fullVenue) requestCount() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.asked)
}

func (v *fullVenue) handle(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	v.asked = append(v.asked, time.Now())
	if r.Method != http.MethodGet || r.URL.Path != "/v5/market/full_orderbook" || r.URL.RawQuery != "category=linear&symbol=ABCUSDT" {
		v.bad++
	}
	serve := v.serve
	v.mu.Unlock()
	if serve != nil {
		serve(w, r)
		return
	}
	fmt.Fprint(w, v.reply())
}

// reply is the book as of now.
func (v *fullVenue) reply() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return envelope(fmt.Sprintf(`{"s":"ABCUSDT","a":%s,"b":%s,"ts":1767225600123,"u":%d,"seq":%d,"cts":1767225600120}`,
		levelList(v.asks, 1), levelList(v.bids, -1), v.u, v.seq))
}

func envelope(result string) string {
	return `{"retCode":0,"retMsg":"OK","result":` + result + `,"retExtInfo":{},"time":1767225600124}`
}

func (v *fullVenue) serving(h http.HandlerFunc) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.serve = h
}

// levelList writes levels, in the order of the sign.
func levelList(levels map[int]int, sign int) string {
	prices := slices.SortedFunc(maps.Keys(levels), func(a, b int) int { return sign * cmp.Compare(a, b) })
	var out []string
	for _, p := range prices {
		out = append(out, fmt.Sprintf(`["%d","%d"]`, p, levels[p]))
	}
	return "[" + strings.Join(out, ",") + "]"
}

// step changes the book at random and returns the delta.
func (v *fullVenue) step(rnd *rand.Rand) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	bids, asks := map[int]int{}, map[int]int{}
	for range 1 + rnd.IntN(4) {
		bids[100-rnd.IntN(30)] = rnd.IntN(5)
		asks[101+rnd.IntN(30)] = rnd.IntN(5)
	}
	v.u++
	v.seq += 1 + rnd.IntN(3)
	return v.change(bids, asks)
}

// restart begins the ids anew.
func (v *fullVenue) restart() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.u = 1
	v.seq++
	return v.change(map[int]int{90: 3}, map[int]int{120: 3})
}

// change makes the delta of a change; v.mu is held.
func (v *fullVenue) change(bids, asks map[int]int) string {
	for _, side := range []struct{ book, delta map[int]int }{{v.bids, bids}, {v.asks, asks}} {
		for p, size := range side.delta {
			if side.book[p] = size; size == 0 {
				delete(side.book, p)
			}
		}
	}
	v.states[fmt.Sprint(v.u, " ", v.seq)] = levelList(v.bids, -1) + levelList(v.asks, 1)
	return fmt.Sprintf(`{"topic":"%s","type":"delta","ts":1767225600123,"data":{"s":"ABCUSDT","b":%s,"a":%s,"u":%d,"seq":%d},"cts":1767225600120}`,
		fullTopic, levelList(bids, -1), levelList(asks, 1), v.u, v.seq)
}

// push changes the book and sends the delta to whoever is there.
func (v *fullVenue) push(rnd *rand.Rand) { v.broadcast(v.step(rnd)) }

func (v *fullVenue) broadcast(frame string) {
	for _, c := range v.all() {
		if !c.ended.Load() {
			c.send(frame)
		}
	}
}

// fullClient is a client that finds both of the venue's doors.
func (v *fullVenue) fullClient(opts bybit.Options) *bybit.Client {
	opts.Environment = v.env
	opts.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(addr); host == "rest" {
			return v.rest.Dial(ctx, network, addr)
		}
		return v.ln.Dial(ctx, network, addr)
	}
	c, err := bybit.NewClient(&opts)
	if err != nil {
		v.tb.Fatal(err)
	}
	v.clients = append(v.clients, c)
	return c
}

func (v *fullVenue) open(opts *bybit.StreamOptions) *bybit.Stream {
	v.tb.Helper()
	s, err := v.fullClient(bybit.Options{}).Public(v.tb.Context(), bybit.Linear, opts, bybit.FullOrderBook("ABCUSDT"))
	if err != nil {
		v.tb.Fatal(err)
	}
	return s
}

// viewText writes a book as the venue notes its own.
func viewText(v book.View) string {
	bids, err := v.Bids()
	if err != nil {
		return err.Error()
	}
	asks, err := v.Asks()
	if err != nil {
		return err.Error()
	}
	var out [2][]string
	for l := range bids {
		out[0] = append(out[0], fmt.Sprintf(`["%v","%v"]`, l.Price, l.Size))
	}
	for l := range asks {
		out[1] = append(out[1], fmt.Sprintf(`["%v","%v"]`, l.Price, l.Size))
	}
	return "[" + strings.Join(out[0], ",") + "][" + strings.Join(out[1], ",") + "]"
}

// fullJudge compares a stream's events with the venue.
type fullJudge struct {
	v    *fullVenue
	own  *book.Book // kept from the events alone, as a user may
	seen []string   // event kinds
	gaps []*bybit.GapEvent
}

func (j *fullJudge) event(t *testing.T, ev bybit.Event) {
	t.Helper()
	switch ev := ev.(type) {
	case *bybit.GapEvent:
		j.seen = append(j.seen, "gap "+string(ev.Reason))
		j.gaps = append(j.gaps, ev)
		j.own = nil
	case *bybit.BookEvent:
		kind := "delta"
		if ev.Snapshot {
			kind = "snapshot"
			j.own = book.New(0)
		} else if j.own == nil {
			t.Fatalf("a delta (u=%d) with no snapshot before it; events %q", ev.ID, j.seen)
		}
		j.seen = append(j.seen, kind)
		j.v.mu.Lock()
		want := j.v.states[fmt.Sprint(ev.ID, " ", ev.Seq)]
		j.v.mu.Unlock()
		if got := viewText(ev.Book); got != want {
			t.Fatalf("book at u=%d seq=%d:\n got %s\nwant %s", ev.ID, ev.Seq, got, want)
		}
		if err := j.own.Apply(&ev.Update); err != nil {
			t.Fatalf("event u=%d snapshot %v does not fit the events before: %v", ev.ID, ev.Snapshot, err)
		}
		if got := viewText(j.own.View()); got != want {
			t.Fatalf("book of the events alone at u=%d:\n got %s\nwant %s", ev.ID, got, want)
		}
	default:
		t.Fatalf("%s", describe(ev))
	}
}

// drain takes what is there.
func (j *fullJudge) drain(t *testing.T, s *bybit.Stream) {
	t.Helper()
	for idle := 0; idle < 2; { // what was received may make the stream ask, and get
		synctest.Wait()
		ev, ok, err := s.TryRecv()
		if err != nil {
			t.Fatal(err)
		}
		if idle++; ok {
			idle = 0
			j.event(t, ev)
		}
	}
}

// take returns the kinds of events since the last call.
func (j *fullJudge) take() string {
	seen := strings.Join(j.seen, ", ")
	j.seen = nil
	return seen
}

func (j *fullJudge) want(t *testing.T, s *bybit.Stream, want string) {
	t.Helper()
	j.drain(t, s)
	if got := j.take(); got != want {
		t.Fatalf("events:\n got %s\nwant %s", got, want)
	}
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// Snapshot and deltas become a book; a gap, a restart and a lost connection begin
// anew, each after one event that says so.
func TestFailureClass08_FullBookLive(t *testing.T) {
	inFullBubble(t, func(t *testing.T, v *fullVenue) {
		rnd := seeded(1)
		s := v.open(nil)
		j := &fullJudge{v: v}
		j.want(t, s, "")
		if n := v.requestCount(); n != 0 {
			t.Fatalf("%d requests before the first delta, want none", n)
		}
		v.push(rnd)
		j.want(t, s, "snapshot")
		v.push(rnd)
		v.push(rnd)
		j.want(t, s, "delta, delta")

		v.step(rnd) // lost
		v.push(rnd)
		j.want(t, s, "gap book") // and the request waits for its time
		v.push(rnd)
		j.want(t, s, "")
		if fault := new(book.Error); !errors.As(j.gaps[0].Err, &fault) || fault.Kind != book.Gap {
			t.Errorf("the gap's error is %v, want a *book.Error of kind gap", j.gaps[0].Err)
		}
		if got := s.Stats(); got.Dropped != 3 || got.Violations != 1 || got.Gaps != 1 {
			t.Errorf("dropped %d, violations %d, gaps %d, want 3, 1, 1", got.Dropped, got.Violations, got.Gaps)
		}
		time.Sleep(2 * time.Second)
		j.want(t, s, "snapshot")

		v.broadcast(v.restart())
		j.want(t, s, "gap book")
		time.Sleep(2 * time.Second)
		j.want(t, s, "snapshot")
		v.push(rnd)
		j.want(t, s, "delta")

		v.ln.CutAll()
		j.want(t, s, "gap disconnected")
		time.Sleep(3 * time.Second)
		v.push(rnd)
		j.want(t, s, "snapshot")
	})
}

// Requests that fail are told once, repeated at a falling rate, and the book comes when
// the exchange gives one. Each row is what the first five replies are.
func TestFailureClass08_FullSnapshotFails(t *testing.T) {
	levels := `"ts":1,"cts":1`
	for _, row := range []struct {
		name  string
		serve func(v *fullVenue, w http.ResponseWriter, r *http.Request)
		check func(err error) bool
	}{
		{"refused", func(v *fullVenue, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Traceid", "t-1")
			fmt.Fprint(w, `{"retCode":10006,"retMsg":"Too many visits.","result":{},"retExtInfo":{},"time":1}`)
		}, func(err error) bool {
			e := new(bybit.Error)
			return errors.As(err, &e) && e.Code == 10006 && e.Message == "Too many visits." && e.Status == 200 && e.TraceID == "t-1"
		}},
		{"500", func(v *fullVenue, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "<html>  gateway\n</html>")
		}, func(err error) bool {
			e := new(bybit.Error)
			return errors.As(err, &e) && e.Code == 0 && e.Status == 500 && e.Message == "<html> gateway </html>"
		}},
		{"no JSON", func(v *fullVenue, w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }, isDecodeError},
		{"another symbol", func(v *fullVenue, w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, envelope(`{"s":"XYZ","b":[["1","1"]],"a":[],"u":1,"seq":1,`+levels+`}`))
		}, isDecodeError},
		{"no seq", func(v *fullVenue, w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, envelope(`{"s":"ABCUSDT","b":[["1","1"]],"a":[],"u":1,`+levels+`}`))
		}, isDecodeError},
		{"a float that is none", func(v *fullVenue, w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, envelope(`{"s":"ABCUSDT","b":[["1x","1"]],"a":[],"u":1,"seq":1,`+levels+`}`))
		}, isDecodeError},
		{"crossed", func(v *fullVenue, w http.ResponseWriter, r *http.Request) {
			v.mu.Lock()
			defer v.mu.Unlock()
			fmt.Fprint(w, envelope(fmt.Sprintf(`{"s":"ABCUSDT","b":[["5","1"]],"a":[["4","1"]],"u":%d,"seq":%d}`, v.u, v.seq)))
		}, func(err error) bool {
			e := new(book.Error)
			return errors.As(err, &e) && e.Kind == book.Crossed
		}},
		{"too old, again and again", func(v *fullVenue, w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, envelope(`{"s":"ABCUSDT","b":[["1","1"]],"a":[["4","1"]],"u":7,"seq":7}`))
		}, func(err error) bool {
			e := new(book.Error)
			return errors.As(err, &e) && e.Kind == book.Misaligned
		}},
		{"of another count of updates, again and again", func(v *fullVenue, w http.ResponseWriter, r *http.Request) {
			v.mu.Lock()
			defer v.mu.Unlock()
			fmt.Fprint(w, envelope(fmt.Sprintf(`{"s":"ABCUSDT","b":[["1","1"]],"a":[["4","1"]],"u":%d,"seq":%d}`, v.u+1, v.seq)))
		}, func(err error) bool {
			e := new(book.Error)
			return errors.As(err, &e) && e.Kind == book.Misaligned
		}},
		{"huge", func(v *fullVenue, w http.ResponseWriter, r *http.Request) {
			chunk := []byte(strings.Repeat(" ", 1<<16))
			for range 200 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, func(err error) bool { return err != nil && strings.Contains(err.Error(), "longer than") }},
		{"slow", func(v *fullVenue, w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			func(err error) bool { return err != nil && strings.Contains(err.Error(), "no reply within 20s") }},
		{"cut", func(v *fullVenue, w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
			func(err error) bool { return err != nil }},
	} {
		t.Run(row.name, func(t *testing.T) {
			inFullBubble(t, func(t *testing.T, v *fullVenue) {
				rnd := seeded(2)
				v.serving(func(w http.ResponseWriter, r *http.Request) {
					if v.requestCount() > 5 {
						fmt.Fprint(w, v.reply())
						return
					}
					row.serve(v, w, r)
				})
				s := v.open(nil)
				j := &fullJudge{v: v}
				began := time.Now()
				for v.requestCount() < 6 && time.Since(began) < 10*time.Minute {
					v.push(rnd)
					time.Sleep(200 * time.Millisecond)
					j.drain(t, s)
				}
				j.want(t, s, "gap snapshot, snapshot")
				v.push(rnd)
				j.want(t, s, "delta")
				if !row.check(j.gaps[0].Err) {
					t.Errorf("the gap's error is %T: %v", j.gaps[0].Err, j.gaps[0].Err)
				}
			})
		})
	}
}

func isDecodeError(err error) bool { return errors.As(err, new(*bybit.DecodeError)) }
