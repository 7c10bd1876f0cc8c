package bybit

import "strings"

// idChunk is the size of the memory that ids are cut from: about 110 trade ids.
// One id that a user keeps holds its whole chunk.
const idChunk = 4096

// idArena makes strings of ids, which never repeat, with one allocation for
// many: they are parts of a chunk. A chunk that is full is left to the strings
// that point into it.
type idArena struct {
	owner any // the message it belongs to, see idsOf
	chunk strings.Builder
}

// maxArenaID is the longest id that goes into a chunk. Longer ones, which the
// venue does not send, would leave most of a chunk unused.
const maxArenaID = idChunk / 16

// text returns a string of the bytes.
func (a *idArena) text(id []byte) string {
	if len(id) == 0 {
		return ""
	}
	if len(id) > maxArenaID {
		return string(id)
	}
	if a.chunk.Cap()-a.chunk.Len() < len(id) {
		a.chunk = strings.Builder{}
		a.chunk.Grow(idChunk)
	}
	from := a.chunk.Len()
	a.chunk.Write(id)
	return a.chunk.String()[from:]
}

// idsOf returns the arena of a message, a new one if there is none or if the
// message is a copy of another: two messages may be decoded by two goroutines,
// so they never share one.
func idsOf[M any](arena **idArena, m *M) *idArena {
	if *arena == nil || (*arena).owner != any(m) {
		*arena = &idArena{owner: m}
	}
	return *arena
}
