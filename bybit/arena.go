package bybit

// arena is the memory of the frames in one batch of the queue. The reader copies
// into it, the consumer decodes from it, and when the batch comes back all of it
// is used again.
type arena struct {
	chunks [][]byte
	at     int // chunk in use
	used   int // bytes of it
}

func newArena() *arena { return &arena{} }

const (
	chunkBytes = 64 << 10
	keepChunks = 64 // kept for the next use, 4 MiB
)

// keep returns a copy of the frame. A frame that would not fit a chunk has memory
// of its own.
func (a *arena) keep(frame []byte) []byte {
	if len(frame) > chunkBytes/4 {
		return append([]byte(nil), frame...)
	}
	if a.at < len(a.chunks) && chunkBytes-a.used < len(frame) {
		a.at++
		a.used = 0
	}
	if a.at == len(a.chunks) {
		a.chunks = append(a.chunks, make([]byte, chunkBytes))
	}
	from := a.used
	a.used += copy(a.chunks[a.at][from:], frame)
	return a.chunks[a.at][from:a.used:a.used]
}

// Reset makes the arena empty.
func (a *arena) Reset() {
	if len(a.chunks) > keepChunks {
		clear(a.chunks[keepChunks:])
		a.chunks = a.chunks[:keepChunks]
	}
	a.at, a.used = 0, 0
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

// keep takes the values that were appended to what room returned. Values that
// outgrew it have memory of their own.
func (s *slab[T]) keep(values []T) []T {
	if n := len(values); cap(values) == cap(s.free) {
		s.free = s.free[n:]
	}
	return values[:len(values):len(values)]
}
