package bybit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// laneClock begins the tests of the merger; a step is as many milliseconds later.
func laneClock(ms int) time.Time { return time.UnixMilli(1_767_225_600_000 + int64(ms)) }

// chainStep is a message that a lane brings, or with mask a change of the lanes.
type chainStep struct {
	lane uint8
	u    int64
	snap bool
	seq  int64 // 0: 1000 + u
	at   int   // ms
	mask uint8 // of a notice instead
	tick bool  // an overdue notice instead
	want string
}

// play feeds a step to a chain and says what comes out: update ids in order, "s"
// in front of snapshots; "dup" for a copy, "held" for what waits.
func (st *chainStep) play(c *chain) string {
	var out []string
	word := func(k *bookKey) string {
		if k.snapshot {
			return fmt.Sprintf("s%d", k.id)
		}
		return fmt.Sprint(k.id)
	}
	switch {
	case st.tick:
	case st.mask != 0:
		c.carried(st.mask)
	default:
		k := bookKey{id: st.u, first: st.u, seq: st.seq, snapshot: st.snap, lane: st.lane, at: laneClock(st.at)}
		if k.seq == 0 {
			k.seq = 1000 + k.id
		}
		k.matched = k.seq
		switch c.judge(&k) {
		case deliver:
			out = append(out, word(&k))
		case duplicate:
			out = append(out, "dup")
		case misplaced:
			out = append(out, "lost")
		case hold:
			if c.keep(&k, nil) {
				out = append(out, "held")
			} else {
				out = append(out, "dup")
			}
		}
	}
	for {
		h, late, ok := c.release(laneClock(st.at))
		for range late {
			out = append(out, "dup")
		}
		if !ok {
			return strings.Join(out, " ")
		}
		out = append(out, word(&h.bookKey))
	}
}

func TestChainOfTwoLanes(t *testing.T) {
	const a, b = 0, 1
	tests := []struct {
		name  string
		steps []chainStep
	}{
		{"the fastest wins", []chainStep{
			{mask: 3}, {lane: a, u: 7, snap: true, want: "s7"}, {lane: b, u: 7, snap: true, want: "dup"},
			{lane: a, u: 8, want: "8"}, {lane: a, u: 9, want: "9"}, {lane: b, u: 8, want: "dup"}, {lane: b, u: 9, want: "dup"},
			{lane: b, u: 10, want: "10"}, {lane: a, u: 10, want: "dup"},
		}},
		{"a loss on one lane waits for the other", []chainStep{
			{mask: 3}, {lane: a, u: 7, snap: true, want: "s7"}, {lane: b, u: 7, snap: true, want: "dup"},
			{lane: a, u: 9, want: "held"}, {lane: a, u: 10, want: "held"}, {lane: b, u: 8, want: "8 9 10"},
			{lane: b, u: 9, want: "dup"}, {lane: b, u: 10, want: "dup"}, {lane: b, u: 11, want: "11"},
		}},
		{"a loss on both is given up when both are past it", []chainStep{
			{mask: 3}, {lane: a, u: 7, snap: true, want: "s7"}, {lane: b, u: 7, snap: true, want: "dup"},
			{lane: a, u: 9, want: "held"}, {lane: b, u: 9, want: "dup 9"}, {lane: a, u: 10, want: "10"},
		}},
		{"a lane that has said nothing is waited for, a second", []chainStep{
			{mask: 3}, {lane: a, u: 7, snap: true, want: "s7"}, {lane: a, u: 9, want: "held"},
			{lane: a, u: 10, at: 500, want: "held"}, {tick: true, at: 1000, want: "9 10"},
		}},
		{"the only lane is not waited for", []chainStep{
			{mask: 1}, {lane: a, u: 7, snap: true, want: "s7"}, {lane: a, u: 9, want: "held 9"},
		}},
		{"a lane that is lost is not waited for any more", []chainStep{
			{mask: 3}, {lane: a, u: 7, snap: true, want: "s7"}, {lane: b, u: 7, snap: true, want: "dup"},
			{lane: a, u: 9, want: "held"}, {mask: 1, want: "9"},
		}},
		{"a lane that joins brings a snapshot that is ahead", []chainStep{
			{mask: 1}, {lane: a, u: 7, snap: true, want: "s7"}, {mask: 3}, {lane: b, u: 9, snap: true, want: "held"},
			{lane: b, u: 10, want: "held"}, {lane: a, u: 8, want: "8 s9 10"}, {lane: a, u: 9, want: "dup"}, {lane: a, u: 10, want: "dup"},
		}},
		{"and one that is behind", []chainStep{
			{mask: 1}, {lane: a, u: 7, snap: true, want: "s7"}, {lane: a, u: 8, want: "8"}, {lane: a, u: 9, want: "9"},
			{mask: 3}, {lane: b, u: 8, snap: true, want: "dup"}, {lane: b, u: 9, want: "dup"}, {lane: b, u: 10, want: "10"},
		}},
		{"one restart is one, whatever lane says so", []chainStep{
			{mask: 3}, {lane: a, u: 70, snap: true, want: "s70"}, {lane: b, u: 70, snap: true, want: "dup"},
			{lane: a, u: 1, snap: true, seq: 2000, want: "s1"}, {lane: a, u: 2, seq: 2001, want: "2"},
			{lane: b, u: 71, want: "dup"}, {lane: b, u: 1, snap: true, seq: 2000, want: "dup"}, {lane: b, u: 2, seq: 2001, want: "dup"},
			{lane: b, u: 3, seq: 2002, want: "3"}, {lane: a, u: 1, snap: true, seq: 3000, want: "s1"}, {lane: b, u: 4, seq: 2003, want: "dup"},
		}},
		{"what was held is of no use after a restart", []chainStep{
			{mask: 3}, {lane: a, u: 7, snap: true, want: "s7"}, {lane: a, u: 9, want: "held"},
			{lane: b, u: 1, snap: true, seq: 2000, want: "s1"}, {lane: b, u: 2, seq: 2001, want: "2"},
		}},
		{"a service that was replaced counts from anywhere", []chainStep{
			{mask: 1}, {lane: a, u: 700, snap: true, want: "s700"}, {lane: a, u: 5, snap: true, seq: 5000, want: "s5"},
			{lane: a, u: 6, seq: 5001, want: "6"},
		}},
		{"a delta of another count", []chainStep{
			{mask: 1}, {lane: a, u: 700, snap: true, want: "s700"}, {lane: a, u: 5, seq: 5000, want: "lost"},
		}},
		{"a lane that has left out a restart", []chainStep{
			{mask: 3}, {lane: a, u: 1, snap: true, want: "s1"}, {lane: a, u: 3, want: "held"}, {lane: a, u: 4, want: "held"},
			{lane: a, u: 2, seq: 3000, want: "lost"},
		}},
		{"a message that one lane brings twice", []chainStep{
			{mask: 1}, {lane: a, u: 7, snap: true, want: "s7"}, {lane: a, u: 8, want: "8"}, {lane: a, u: 8, want: "dup"}, {lane: a, u: 9, want: "9"},
		}},
		{"deltas before the first snapshot", []chainStep{
			{mask: 3}, {lane: a, u: 5, want: "5"}, {lane: b, u: 4, want: "dup"}, {lane: b, u: 5, want: "dup"}, {lane: a, u: 9, want: "9"},
			{lane: b, u: 7, snap: true, want: "s7"}, {lane: b, u: 8, want: "8"}, {lane: b, u: 9, want: "9"}, {lane: a, u: 10, want: "10"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newMerger(wire.KindOrderBook, false).chain
			for i, st := range tt.steps {
				if got := st.play(c); got != st.want {
					t.Fatalf("step %d %+v: got %q, want %q", i, st, got, st.want)
				}
			}
		})
	}
}

// No more than maxHeld messages are held back, and then the wait is over.
func TestChainHoldsSoManyMessages(t *testing.T) {
	c := newMerger(wire.KindOrderBook, false).chain
	first := chainStep{u: 7, snap: true}
	first.play(c)
	for i := range maxHeld - 1 {
		st := chainStep{u: int64(9 + i)}
		if got := st.play(c); got != "held" {
			t.Fatalf("message %d: %q, want it held", i, got)
		}
	}
	last := chainStep{u: 9 + maxHeld - 1}
	if got := strings.Fields(last.play(c)); len(got) != maxHeld+1 || got[1] != "9" || len(c.held) != 0 {
		t.Errorf("the last came with %d others, want all %d", len(got)-1, maxHeld)
	}
}

// served is a message of a server, in the order in which it was made.
type served struct {
	n   int // its place
	key bookKey
}

// arrival is a copy of it on a lane.
type arrival struct {
	served
	at int // ms
}

// lanesOf lets each lane lose messages and delay them, in order, by less than most.
func lanesOf(r *rand.Rand, messages []served, lanes int, loss float64, most int) []arrival {
	var all []arrival
	for lane := range lanes {
		at := 0
		for _, m := range messages {
			at = max(at, 20*m.n+r.IntN(most))
			if r.Float64() < loss {
				continue
			}
			m.key.lane = uint8(lane)
			m.key.at = laneClock(at)
			all = append(all, arrival{m, at})
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at - b.at })
	return all
}

// merged plays arrivals and returns the places of what comes out. A message that
// skips an update id is taken as it is, as by a lenient book.
func (c *chain) merged(all []arrival) []int {
	places := map[bookKey]int{}
	var out []int
	strip := func(k bookKey) bookKey { k.lane, k.at = 0, time.Time{}; return k }
	for _, a := range all {
		places[strip(a.key)] = a.n
	}
	for _, a := range all {
		switch k := a.key; c.judge(&k) {
		case deliver:
			out = append(out, a.n)
		case hold:
			c.keep(&k, nil)
		}
		for {
			h, _, ok := c.release(a.key.at)
			if !ok {
				break
			}
			out = append(out, places[strip(h.bookKey)])
		}
	}
	return out
}

// Two and three lanes with random loss and delay, compared with a model: what came on
// any lane comes out once, in the server's order.
func TestChainAgainstAModel(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		lanes := 2 + int(seed%2)
		messages := make([]served, 400)
		for i := range messages {
			u := int64(i + 10)
			messages[i] = served{i, bookKey{id: u, first: u, seq: 1000 + u, matched: u, snapshot: i == 0 || r.IntN(60) == 0}}
		}
		all := lanesOf(r, messages, lanes, []float64{0, 0.02, 0.3}[r.IntN(3)], 1+r.IntN(900))
		var want []int
		for _, a := range all {
			want = append(want, a.n)
		}
		slices.Sort(want)
		want = slices.Compact(want)
		c := newMerger(wire.KindOrderBook, false).chain
		c.carried(1<<lanes - 1)
		got := c.merged(all)
		for len(c.held) > 0 { // the end of time
			h, _, ok := c.release(laneClock(1 << 30))
			if !ok {
				break
			}
			got = append(got, int(h.id-10))
		}
		// Before the first snapshot nothing waits for anything.
		at := slices.IndexFunc(got, func(n int) bool { return messages[n].key.snapshot })
		if at < 0 {
			t.Fatalf("seed %d: no snapshot came out of %d messages", seed, len(got))
		}
		early := got[:at]
		got = got[at:]
		want = slices.DeleteFunc(want, func(n int) bool { return n < got[0] || slices.Contains(early, n) && !slices.Contains(got, n) })
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, %d lanes: got %d messages\n%v\nwant %d\n%v", seed, lanes, len(got), got, len(want), want)
		}
	}
}

// gapped stands for a gap in what comes out.
const gapped = -1

// strict plays arrivals like merged, in front of a strict book: what skips an
// update id is left out, and everything until a message that replaces the book.
func (c *chain) strict(all []arrival) []int {
	places := map[int64]int{} // by seq, which no two messages share
	var out []int
	book, broken := int64(0), true
	take := func(k *bookKey) {
		switch {
		case k.snapshot:
			broken, c.broken = false, false
		case broken:
			return
		case k.id != book+1:
			broken, c.broken = true, true
			out = append(out, gapped)
			return
		}
		book = k.id
		out = append(out, places[k.seq])
	}
	for _, a := range all {
		k := a.key
		places[k.seq] = a.n
		switch c.judge(&k) {
		case deliver:
			take(&k)
		case hold:
			c.keep(&k, nil)
		case misplaced:
			c.reset()
			broken = true
			out = append(out, gapped)
		}
		for {
			h, _, ok := c.release(k.at)
			if !ok {
				break
			}
			take(&h.bookKey)
		}
	}
	return out
}

// With restarts at any time, losses, and delays without bound, nothing comes twice and
// nothing out of the server's order between two gaps. Without losses and with delays that the lanes
// wait for, everything comes but what a restart overtook.
func TestChainWithRestarts(t *testing.T) {
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 8))
		calm := seed%3 == 0
		most, loss := 5000, 0.02
		if calm {
			most, loss = 800, 0
		}
		u, restarts := int64(9), []int{}
		messages := make([]served, 400)
		for i := range messages {
			u++
			if u > 4 && i > 0 && r.IntN(40) == 0 { // two in a row cannot be told from one
				u = 1
				restarts = append(restarts, i)
			}
			messages[i] = served{i, bookKey{id: u, first: u, seq: int64(1000 + i), matched: int64(1 + i), snapshot: i == 0 || u == 1}}
		}
		c := newMerger(wire.KindOrderBook, false).chain
		c.carried(3)
		all := lanesOf(r, messages, 2, loss, most)
		got := c.strict(all)
		for i := 1; i < len(got); i++ {
			if got[i] != gapped && got[i] <= got[i-1] {
				t.Fatalf("seed %d: %d comes after %d", seed, got[i], got[i-1])
			}
		}
		if calm && slices.Contains(got, gapped) {
			t.Errorf("seed %d: a gap without a loss", seed)
		}
		if len(got) < 100 {
			t.Errorf("seed %d: only %d messages came out", seed, len(got))
		}
		for n := range messages {
			if !calm || slices.Contains(got, n) {
				continue
			}
			if next := slices.IndexFunc(restarts, func(at int) bool { return at > n && at-n < 45 }); next < 0 {
				t.Errorf("seed %d: message %d did not come out, and no restart is near", seed, n)
			}
		}
	}
}

func TestLatestOfTwoLanes(t *testing.T) {
	l := newMerger(wire.KindOrderBook, true).latest
	for i, st := range []struct {
		u, seq, sent int64
		want         verdict
	}{
		{7, 100, 1000, deliver}, {7, 100, 1000, duplicate}, {7, 100, 4000, deliver}, {7, 100, 4000, duplicate},
		{9, 102, 4100, deliver}, {8, 101, 4050, duplicate}, {9, 102, 4100, duplicate},
		{1, 200, 5000, deliver}, {9, 102, 7100, duplicate}, {1, 200, 5000, duplicate}, {2, 201, 5100, deliver},
	} {
		k := bookKey{id: st.u, seq: st.seq, sent: st.sent, snapshot: true}
		if got := l.judge(&k); got != st.want {
			t.Errorf("message %d %+v: verdict %d, want %d", i, st, got, st.want)
		}
	}
}
