package bybit_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

const rpiTopic = "orderbook.rpi.AAAUSDT"

// rpiFrame writes a message of orderbook.rpi. A level is "price size rpi", levels are
// separated by commas.
func rpiFrame(kind string, u int, bids, asks string) string {
	side := func(text string) string {
		var levels []string
		for level := range strings.SplitSeq(text, ",") {
			if f := strings.Fields(level); len(f) == 3 {
				levels = append(levels, fmt.Sprintf(`["%s","%s","%s"]`, f[0], f[1], f[2]))
			}
		}
		return "[" + strings.Join(levels, ",") + "]"
	}
	return fmt.Sprintf(`{"topic":"%s","ts":1767225600123,"type":"%s","data":{"s":"AAAUSDT","b":%s,"a":%s,"u":%d,"seq":%d},"cts":1767225600120}`,
		rpiTopic, kind, side(bids), side(asks), u, 1000+u)
}

// rpiText writes a book as "price size rpi" levels, bids before asks.
func rpiText(t *testing.T, v book.View) string {
	t.Helper()
	var sides []string
	for _, sd := range []book.Side{book.Bid, book.Ask} {
		levels, err := v.Levels(sd)
		if err != nil {
			return err.Error()
		}
		var out []string
		for l := range levels {
			if !l.RPI.IsSet() {
				t.Errorf("level %v has no RPI size", l)
			}
			out = append(out, fmt.Sprintf("%v %v %v", l.Price, l.Size, l.RPI))
		}
		sides = append(sides, strings.Join(out, ", "))
	}
	return strings.Join(sides, " | ")
}

// The book of orderbook.rpi has both sizes of each price. A price goes when both are
// zero. RPI sizes may cross the book, and are not what others can trade with.
func TestRPIBookIsLive(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.RPIOrderBook("AAAUSDT"))
		v.wantRequests("subscribe " + rpiTopic)
		for i, step := range []struct {
			frame            string
			want             string
			bestBid, bestAsk string
		}{
			{rpiFrame("snapshot", 7, "100 1 0, 99 2 0.5", "101 3 0, 102 0 4"), "100 1 0, 99 2 0.5 | 101 3 0, 102 0 4", "100 1 0", "101 3 0"},
			// Only RPI is left of the best bid: it stays, and is passed over.
			{rpiFrame("delta", 8, "100 0 1.5", ""), "100 0 1.5, 99 2 0.5 | 101 3 0, 102 0 4", "99 2 0.5", "101 3 0"},
			// A bid above the best ask, but of RPI alone: no fault.
			{rpiFrame("delta", 9, "101.5 0 7", ""), "101.5 0 7, 100 0 1.5, 99 2 0.5 | 101 3 0, 102 0 4", "99 2 0.5", "101 3 0"},
			// And at the same price.
			{rpiFrame("delta", 10, "101.5 0 0,101 0 1", ""), "101 0 1, 100 0 1.5, 99 2 0.5 | 101 3 0, 102 0 4", "99 2 0.5", "101 3 0"},
			// Both zero: gone. Size comes to a price that had RPI only.
			{rpiFrame("delta", 11, "101 0 0,100 0 0,99 2.5 0.5", "102 1 4,101 0 0"), "99 2.5 0.5 | 102 1 4", "99 2.5 0.5", "102 1 4"},
		} {
			v.last().send(step.frame)
			ev, err := s.Recv(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			e, ok := ev.(*bybit.BookEvent)
			if !ok {
				t.Fatalf("step %d: %s, want a book", i, describe(ev))
			}
			if got := rpiText(t, e.Book); got != step.want {
				t.Errorf("step %d: book\n got %s\nwant %s", i, got, step.want)
			}
			for _, best := range []struct {
				side string
				read func() (book.Level, error)
				want string
			}{{"bid", e.Book.BestBid, step.bestBid}, {"ask", e.Book.BestAsk, step.bestAsk}} {
				l, err := best.read()
				if got := fmt.Sprintf("%v %v %v", l.Price, l.Size, l.RPI); err != nil || got != best.want {
					t.Errorf("step %d: best %s is %s, %v, want %s", i, best.side, got, err, best.want)
				}
			}
		}
		if got := s.Stats(); got.Gaps != 0 || got.Violations != 0 {
			t.Errorf("gaps %d, violations %d, want none", got.Gaps, got.Violations)
		}
		s.Close()
	})
}

// What is wrong with an RPI book ends it, and a new snapshot is asked for.
func TestRPIBookFaults(t *testing.T) {
	deep := func(n int) string {
		var levels []string
		for i := range n {
			levels = append(levels, fmt.Sprintf("%d 0 1", 90-i))
		}
		return strings.Join(levels, ",")
	}
	for _, row := range []struct {
		name, frame string
		want        book.Kind // 0: none
	}{
		{"a size that crosses", rpiFrame("delta", 8, "101 1 0", ""), book.Crossed},
		{"an RPI size that crosses", rpiFrame("delta", 8, "105 0 1", ""), 0},
		{"50 levels", rpiFrame("delta", 8, deep(49), ""), 0},
		{"51 levels", rpiFrame("delta", 8, deep(50), ""), book.TooDeep},
		{"a skipped update id", rpiFrame("delta", 9, "99 1 0", ""), book.Gap},
		{"an RPI size below zero", rpiFrame("delta", 8, "99 1 -1", ""), book.BadSize},
	} {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				s := v.stream(nil, bybit.RPIOrderBook("AAAUSDT"))
				defer s.Close()
				v.requests()
				v.last().send(rpiFrame("snapshot", 7, "100 1 0", "101 3 0"))
				if ev, err := s.Recv(t.Context()); err != nil || ev.(*bybit.BookEvent).Book.Err() != nil {
					t.Fatalf("the first event is %v, %v", ev, err)
				}
				v.last().send(row.frame)
				ev, err := s.Recv(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				gap, isGap := ev.(*bybit.GapEvent)
				if row.want == 0 {
					if isGap {
						t.Errorf("a gap: %v, want none", gap.Err)
					}
					return
				}
				fault, _ := errors.AsType[*book.Error](errOf(gap))
				if !isGap || gap.Reason != bybit.GapBook || fault == nil || fault.Kind != row.want {
					t.Fatalf("the event is %s with %v, want a gap of kind %v", describe(ev), errOf(gap), row.want)
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				v.wantRequests("unsubscribe "+rpiTopic, "subscribe "+rpiTopic)
				v.last().send(rpiFrame("snapshot", 20, "100 1 0", "101 3 0"))
				wantEvents(t, s, "book AAAUSDT u=20 bid 100 x 1")
			})
		})
	}
}

func errOf(gap *bybit.GapEvent) error {
	if gap == nil {
		return nil
	}
	return gap.Err
}

// rpiModel is the venue's RPI book: what it pushes, and what the book was at each
// update id.
type rpiModel struct {
	rnd    *rand.Rand
	u      int
	sides  [2]map[int][2]int // price to sizes; bids, asks
	states map[int64]string
}

// text writes a side, all prices of which are in the order of the book.
func (m *rpiModel) text(side int, only map[int]bool) string {
	var prices []int
	for p := range m.sides[side] {
		prices = append(prices, p)
	}
	for p := range only {
		if _, ok := m.sides[side][p]; !ok {
			prices = append(prices, p) // deleted
		}
	}
	slices.Sort(prices)
	if side == 0 {
		slices.Reverse(prices)
	}
	var out []string
	for _, p := range prices {
		if sizes := m.sides[side][p]; only == nil || only[p] {
			out = append(out, fmt.Sprintf("%d %d %d", p, sizes[0], sizes[1]))
		}
	}
	return strings.Join(out, ", ")
}

func (m *rpiModel) note() {
	m.states[int64(m.u)] = m.text(0, nil) + " | " + m.text(1, nil)
}

func (m *rpiModel) snapshot() string {
	m.note()
	return rpiFrame("snapshot", m.u, m.text(0, nil), m.text(1, nil))
}

// step changes a few prices. Sizes of RPI orders may stand on the other side's prices.
func (m *rpiModel) step() string {
	m.u++
	var changed [2]map[int]bool
	for side := range changed {
		changed[side] = map[int]bool{}
		for range m.rnd.IntN(4) {
			price, size := 100-m.rnd.IntN(20), m.rnd.IntN(4)
			if side == 1 {
				price = 101 + m.rnd.IntN(20)
			}
			if m.rnd.IntN(4) == 0 {
				price, size = 100+(2*side-1)*-m.rnd.IntN(5), 0
			}
			sizes := [2]int{size, m.rnd.IntN(3)}
			if m.sides[side][price] = sizes; sizes == [2]int{} {
				delete(m.sides[side], price)
			}
			changed[side][price] = true
		}
	}
	m.note()
	return rpiFrame("delta", m.u, m.text(0, changed[0]), m.text(1, changed[1]))
}

// Whatever is lost, repeated or cut, an RPI book that can be read is the venue's at
// that update id, and what was lost is told.
func TestRPIBookEqualsTheVenues(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				m := &rpiModel{rnd: rand.New(rand.NewPCG(seed, 5)), u: 10, states: map[int64]string{}}
				m.sides = [2]map[int][2]int{{100: {1, 0}}, {101: {1, 1}}}
				v.family = wire.FamilySpot
				var latest atomic.Pointer[string] // snapshot, for who joins
				keep := func(frame string) { latest.Store(&frame) }
				v.onJoin = func(c *venueConn, _ string) { c.send(*latest.Load()) }
				keep(m.snapshot())
				s, err := v.client().Public(t.Context(), bybit.Spot, nil, bybit.RPIOrderBook("AAAUSDT"))
				if err != nil {
					t.Fatal(err)
				}
				read, gaps, valid := 0, 0, false
				for i := range 600 {
					frame := m.step()
					keep(m.snapshot())
					switch c := v.last(); m.rnd.IntN(30) {
					case 0: // lost
					case 1:
						if i < 560 {
							v.ln.CutAll()
							time.Sleep(4 * time.Second)
						}
					default:
						c.send(frame)
					}
					time.Sleep(100 * time.Millisecond)
					synctest.Wait()
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
							gaps++
							valid = false
						case *bybit.BookEvent:
							if !valid && !ev.Snapshot {
								t.Fatalf("after a gap comes a delta, u=%d", ev.ID)
							}
							valid = true
							read++
							if got, want := rpiText(t, ev.Book), m.states[ev.ID]; got != want {
								t.Fatalf("book at u=%d:\n got %s\nwant %s", ev.ID, got, want)
							}
						default:
							t.Fatalf("%s", describe(ev))
						}
					}
				}
				if read < 100 || gaps < 5 {
					t.Errorf("%d books and %d gaps: the run shows nothing", read, gaps)
				}
				s.Close()
			})
		})
	}
}
