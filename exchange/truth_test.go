package exchange

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
)

// truth is what the engine's books were at each update id: a second run of the same market, which nobody disturbs.
type truth struct {
	t     *testing.T
	core  *core.Core
	seed  maphash.Seed
	books map[string]map[int64]uint64 // by topic, by u
	last  map[string]int64
	depth map[string]int
	msg   bybit.BookMessage
}

func newTruth(t *testing.T, cfg Config, topics map[string]int) *truth {
	v := &truth{t: t, seed: maphash.MakeSeed(), books: map[string]map[int64]uint64{}, last: map[string]int64{}, depth: topics}
	for name := range topics {
		v.books[name] = map[int64]uint64{}
	}
	full, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	c, err := core.New(core.Config{Seed: full.Seed, Start: full.Start.UnixNano(), Only: full.Symbols, Sink: v})
	if err != nil {
		t.Fatal(err)
	}
	v.core = c
	c.Advance(c.Now())
	return v
}

func (v *truth) Wanted(t *feed.Topic) bool { return v.depth[t.Name] > 0 }

// Publish notes what the engine's book is while its update is pushed.
func (v *truth) Publish(t *feed.Topic, frame []byte, _ bool) {
	if err := v.msg.Decode(frame); err != nil {
		v.t.Errorf("%s: %v", t.Name, err)
		return
	}
	v.last[t.Name] = v.msg.ID
	v.books[t.Name][v.msg.ID] = v.engine(t.Name)
}

// engine is a fingerprint of a topic's book in the engine.
func (v *truth) engine(name string) uint64 {
	symbol := name[strings.LastIndexByte(name, '.')+1:]
	in, ok := v.core.Catalog().Find(bybit.Linear, symbol)
	if !ok {
		v.t.Fatalf("no %s", symbol)
	}
	var h maphash.Hash
	h.SetSeed(v.seed)
	for _, side := range []engine.Side{engine.Buy, engine.Sell} {
		for _, l := range v.core.Book(in.ID).Levels(nil, side, v.depth[name], false) {
			fmt.Fprintf(&h, "%s@%s ", in.Qty(l.Qty), in.Price(l.Price))
		}
		h.WriteByte('|')
	}
	return h.Sum64()
}

// client is a fingerprint of a client's book.
func (v *truth) client(b book.View, depth int) (uint64, error) {
	var h maphash.Hash
	h.SetSeed(v.seed)
	for _, side := range []book.Side{book.Bid, book.Ask} {
		levels, err := b.AppendTop(nil, side, depth)
		if err != nil {
			return 0, err
		}
		for _, l := range levels {
			fmt.Fprintf(&h, "%s@%s ", l.Size, l.Price)
		}
		h.WriteByte('|')
	}
	return h.Sum64(), nil
}

// 20 clients join at random depths and times, while messages are skipped, doubled, late and out of order, and connections
// drop and fall silent. Whenever a client's stream says that a book is good, it is the engine's at that update id; and when
// the faults are over, every client has the last one.
func TestTruthUnderFaults(t *testing.T) {
	const clients = 20
	cfg := stepped("linear:BTCUSDT", "linear:XRPUSDT")
	topics := map[string]int{}
	var names []string
	for _, symbol := range []string{"BTCUSDT", "XRPUSDT"} {
		for _, depth := range []int{1, 50, 200, 1000} {
			name := bybit.OrderBook(depth, symbol).String()
			topics[name] = depth
			names = append(names, name)
		}
	}
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		r := rand.New(rand.NewPCG(11, 12))
		v := newTruth(t, cfg, topics)
		type client struct {
			topic string
			s     *bybit.Stream
			id    int64
			valid bool
		}
		var all []*client
		judged, gaps := 0, 0
		see := func(c *client) {
			for {
				ev, ok, err := c.s.TryRecv()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					return
				}
				switch ev := ev.(type) {
				case *bybit.GapEvent:
					gaps++
					c.valid = false
				case *bybit.BookEvent:
					got, err := v.client(ev.Book, topics[c.topic])
					if err != nil {
						if _, ok := errors.AsType[*book.Error](err); !ok {
							t.Fatalf("%s: %v", c.topic, err)
						}
						c.valid = false
						continue
					}
					want, ok := v.books[c.topic][ev.ID]
					if !ok || got != want {
						t.Fatalf("%s: the book at u %d is not the engine's (known: %v)", c.topic, ev.ID, ok)
					}
					judged++
					c.id, c.valid = ev.ID, true
				case *bybit.RejectedEvent, *bybit.DecodeErrorEvent:
					t.Fatalf("%s: %+v", c.topic, ev)
				}
			}
		}
		step := func(d time.Duration) {
			v.core.Advance(v.core.Now() + int64(d))
			if _, err := b.x.Advance(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			time.Sleep(d) // what clients wait for is their own clock
			synctest.Wait()
			for _, c := range all {
				see(c)
			}
		}
		kinds := []FaultKind{FaultSkip, FaultDuplicate, FaultDelay, FaultReorder, FaultDrop, FaultSilent}
		happened := map[FaultKind]int{}
		for round := range 150 {
			if len(all) < clients && round%3 == 0 {
				name := names[r.IntN(len(names))]
				topic, err := bybit.ParseTopic(name)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, &client{topic: name, s: b.stream(bybit.Linear, topic)})
			}
			if round%2 == 1 && round < 120 {
				f := Fault{Kind: kinds[r.IntN(len(kinds))], Topic: names[r.IntN(len(names))]}
				switch f.Kind {
				case FaultDelay:
					f.Delay, f.For = time.Duration(1+r.IntN(300))*time.Millisecond, time.Second
				case FaultSilent:
					f.For = time.Duration(1+r.IntN(3)) * time.Second
				case FaultSkip, FaultDuplicate, FaultReorder:
					f.Count = 1 + r.IntN(3)
				}
				if _, err := b.x.AddFault(t.Context(), f); err != nil {
					t.Fatal(err)
				}
				happened[f.Kind]++
			}
			step(time.Duration(50+r.IntN(400)) * time.Millisecond)
		}
		for range 90 { // backoffs end, books are asked for anew
			step(time.Second)
		}
		for _, c := range all {
			if !c.valid || c.id != v.last[c.topic] {
				t.Errorf("%s: at the end the client is at u %d (good: %v), the exchange at %d", c.topic, c.id, c.valid, v.last[c.topic])
			}
		}
		t.Logf("%d books judged, %d gaps, faults %v", judged, gaps, happened)
		if len(all) < clients || judged < 20_000 || gaps < 20 || len(happened) < len(kinds) {
			t.Errorf("%d clients, %d books judged, %d gaps, faults %v: too few for a test", len(all), judged, gaps, happened)
		}
		b.do(func(c *core.Core) {
			if c.Hash() != v.core.Hash() {
				t.Error("the run with clients and faults led to another state")
			}
		})
	})
}
