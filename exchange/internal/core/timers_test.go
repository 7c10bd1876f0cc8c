package core

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

type timersOf struct{ *timers }

func (t timersOf) Walk(w *state.Walker) { t.walk(w) }

// Timers come out in the order of time, kind and number, whatever the order they were set in; a snapshot does not depend
// on it either.
func TestTimersHaveATotalOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var want []timer
		for range 1 + r.IntN(40) {
			want = append(want, timer{at: r.Int64N(4), kind: timerKind(r.IntN(int(timerKinds))), n: r.Int32N(3)})
		}
		slices.SortFunc(want, func(a, b timer) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
		want = slices.Compact(want)
		build := func() *timers {
			q := &timers{}
			for _, i := range r.Perm(len(want)) {
				q.push(want[i])
			}
			return q
		}
		q, other := build(), build()
		if state.Hash(timersOf{q}) != state.Hash(timersOf{other}) {
			t.Fatal("the hash depends on the order in which timers were set")
		}
		restored := &timers{}
		if err := state.Restore(timersOf{restored}, state.Bytes(timersOf{q})); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if restored.next() != want[i].at || (*restored)[0] != want[i] || (*q)[0] != want[i] {
				t.Fatalf("place %d: %+v and restored %+v, want %+v", i, (*q)[0], (*restored)[0], want[i])
			}
			q.rearm(never)
			restored.rearm(never)
		}
	}
}

func TestMoveATimer(t *testing.T) {
	q := &timers{}
	for kind := range timerKinds {
		q.push(timer{at: 100 + int64(kind), kind: kind})
	}
	q.move(pushTimer, 3)
	q.move(minuteTimer, 500)
	var got []timerKind
	for q.next() != never {
		got = append(got, (*q)[0].kind)
		q.rearm(never)
	}
	if want := []timerKind{pushTimer, rollTimer, boardTimer, flowTimer, minuteTimer}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestOrderNumbersAreUniqueAndSparse(t *testing.T) {
	g := orderIDs{key: 7}
	seen := map[uint64]bool{}
	high := 0
	for range 100_000 {
		id := g.next()
		if id == 0 || seen[id] {
			t.Fatalf("number %d: zero or given before", id)
		}
		seen[id] = true
		if id > 1<<63 {
			high++
		}
	}
	if high < 49_000 || high > 51_000 {
		t.Errorf("%d of 100,000 numbers have their highest bit set", high)
	}
	// The counter that maps to 0 is passed over.
	g = orderIDs{}
	if fixed.Mix(0) != 0 {
		t.Fatal("the test relies on fixed.Mix(0) = 0")
	}
	g = orderIDs{key: 5, given: 4}
	if id := g.next(); id != fixed.Mix(6^5) {
		t.Errorf("number %d after the one that would be 0", id)
	}
}
