package exchange

import (
	"sync"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
)

// To look closely at the state takes the loop milliseconds, in which nothing is published. So what was seen is kept while
// the state is the same, and whoever looks at a running clock again and again may see what was so a moment ago.

// stateKey identifies a state: two looks with equal ones see the same.
type stateKey struct {
	runs      int
	now, next int64
	commands  uint64
}

// look is what was seen of the state.
type look struct {
	key      stateKey
	taken    time.Time // on the wall clock
	snapshot []byte    // what the hash is still to be made of; nil: there is one
	hash     [32]byte
	checks   []invariantText
}

// looked keeps the last look.
type looked struct {
	mu   sync.Mutex // guards last
	last look
}

// look looks at the state, or returns what was seen of it before, or of an earlier one if the clock runs and no more
// than stale of real time has passed since. It runs on the loop; keep completes what it returns.
func (x *Exchange) look(c *core.Core, stale time.Duration) look {
	key := stateKey{x.runs, c.Now(), c.Next(), c.Commands()}
	x.looked.mu.Lock()
	last := x.looked.last
	x.looked.mu.Unlock()
	if !last.taken.IsZero() && (last.key == key || last.key.runs == key.runs && x.clock.runs() && time.Since(last.taken) < stale) {
		return last
	}
	return look{key: key, taken: time.Now(), snapshot: c.Snapshot(), checks: invariants(c)}
}

// keep makes the hash of what was seen, on its caller's goroutine, and keeps it.
func (l *looked) keep(seen look) look {
	if seen.snapshot == nil {
		return seen
	}
	seen.hash, seen.snapshot = core.HashOf(seen.snapshot), nil
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = seen
	return seen
}
