package bybit

import "github.com/bywire/bywire/book"

// arena is the memory of the book events in one batch of the queue, with their
// levels. The reader cuts from it, the consumer reads, and when the batch comes
// back all of it is used again: deltas cost no allocation, and stay in the cache.
type arena struct {
	books      eventChunks
	bids, asks levelChunks
}

func newArena() *arena { return &arena{} }

// Reset makes the arena empty.
func (a *arena) Reset() {
	a.books.reset()
	a.bids.reset()
	a.asks.reset()
}

const (
	chunkEvents = 64
	chunkLevels = 1024 // 48 KiB
	minRoom     = 128  // levels that a message finds room for; one with more allocates
	keepChunks  = 32   // kept for the next use, 1.5 MiB
)

// eventChunks hands out book events that were used before.
type eventChunks struct {
	chunks [][]BookEvent
	used   int
}

// next returns an event with anything in it.
func (c *eventChunks) next() *BookEvent {
	if c.used == len(c.chunks)*chunkEvents {
		c.chunks = append(c.chunks, make([]BookEvent, chunkEvents))
	}
	ev := &c.chunks[c.used/chunkEvents][c.used%chunkEvents]
	c.used++
	return ev
}

func (c *eventChunks) reset() {
	if len(c.chunks) > keepChunks {
		clear(c.chunks[keepChunks:])
		c.chunks = c.chunks[:keepChunks]
	}
	c.used = 0
}

// levelChunks hands out slices from chunks of levels.
type levelChunks struct {
	chunks [][]book.Level
	at     int // chunk in use
	used   int // levels of it
}

// room returns an empty slice with room for at least minRoom levels.
func (l *levelChunks) room() []book.Level {
	if l.at == len(l.chunks) {
		l.chunks = append(l.chunks, make([]book.Level, chunkLevels))
	}
	if chunkLevels-l.used < minRoom {
		l.at++
		l.used = 0
		return l.room()
	}
	return l.chunks[l.at][l.used:l.used]
}

// keep takes the levels that were appended to what room returned. Levels that
// outgrew it have memory of their own, and the chunk is not used.
func (l *levelChunks) keep(levels []book.Level) []book.Level {
	if n := len(levels); cap(levels) == chunkLevels-l.used {
		l.used += n
	}
	return levels[:len(levels):len(levels)]
}

func (l *levelChunks) reset() {
	if len(l.chunks) > keepChunks {
		clear(l.chunks[keepChunks:])
		l.chunks = l.chunks[:keepChunks]
	}
	l.at, l.used = 0, 0
}

// slab hands out values that outlive everything else, many to an allocation.
type slab[T any] struct{ free []T }

// next returns a zero value. size is how many one allocation holds.
func (s *slab[T]) next(size int) *T {
	if len(s.free) == 0 {
		s.free = make([]T, size)
	}
	v := &s.free[0]
	s.free = s.free[1:]
	return v
}

// room returns an empty slice with room for at least n values.
func (s *slab[T]) room(n, size int) []T {
	if len(s.free) < n {
		s.free = make([]T, max(size, n))
	}
	return s.free[:0]
}

// keep takes the values that were appended to what room returned, as
// levelChunks.keep does.
func (s *slab[T]) keep(values []T) []T {
	if n := len(values); cap(values) == cap(s.free) {
		s.free = s.free[n:]
	}
	return values[:len(values):len(values)]
}
