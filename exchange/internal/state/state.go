package state

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
)

// Walkable is what has a state.
type Walkable interface {
	// Walk hands each field of the state to w, always in the same order. When w is Reading it fills them in.
	Walk(w *Walker)
}

// ErrCorrupt is in each error of Restore that comes from the bytes rather than from a part's own check.
var ErrCorrupt = errors.New("corrupt snapshot")

// Bytes returns a snapshot of x.
func Bytes(x Walkable) []byte { return Append(nil, x) }

// Append appends a snapshot of x to dst. Room that dst has already saves the time to make some.
func Append(dst []byte, x Walkable) []byte {
	w := Walker{buf: dst[:cap(dst)], n: len(dst)}
	x.Walk(&w)
	return w.buf[:w.n]
}

// Hash returns the SHA-256 of Bytes(x), without holding them.
func Hash(x Walkable) [sha256.Size]byte {
	w := Walker{hash: sha256.New(), buf: make([]byte, hashRoom)}
	x.Walk(&w)
	w.hash.Write(w.buf[:w.n])
	var sum [sha256.Size]byte
	w.hash.Sum(sum[:0])
	return sum
}

// Restore fills x from a snapshot. x should be new: after an error it may hold a part of the snapshot.
func Restore(x Walkable, snapshot []byte) error {
	w := Walker{reading: true, buf: snapshot}
	x.Walk(&w)
	if w.err == nil && len(w.buf) > 0 {
		w.corrupt("%d bytes are left over", len(w.buf))
	}
	return w.err
}

// hashRoom is how much Hash gathers before it feeds the hash.
const hashRoom = 16 << 10

// A Walker goes through a state and writes it down, or fills it in. After the first error nothing is read any more: the
// methods leave zeros behind, Slice and Len leave nothing to go through, so a Walk needs no checks between its fields.
type Walker struct {
	reading bool
	buf     []byte    // reading: what is still to be read; writing: room
	n       int       // writing: how much of buf is written, and not hashed yet
	hash    hash.Hash // writing: where the bytes go, or nil to keep them
	hashed  int       // writing: how many went there
	err     error
}

// Reading reports whether fields are filled in.
func (w *Walker) Reading() bool { return w.reading }

// Err returns the first error, nil if there was none.
func (w *Walker) Err() error { return w.err }

// Fail ends the restore with err, unless it has failed before. To write a state that cannot be restored is a mistake in
// the program, so when w is not Reading it panics.
func (w *Walker) Fail(err error) {
	if !w.reading {
		panic(fmt.Errorf("state: a state that cannot be restored: %w", err))
	}
	if w.err == nil {
		w.err = err
	}
	w.buf = nil
}

func (w *Walker) corrupt(format string, args ...any) {
	w.Fail(fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...)))
}

// Tag writes a name, and on restore takes no other. A part begins with its own ("engine.Book.1") so that a snapshot of
// something else or of an older layout is refused where it differs.
func (w *Walker) Tag(name string) {
	got := name
	w.String(&got)
	if w.reading && w.err == nil && got != name {
		w.corrupt("found %.40q, want %q", got, name)
	}
}

// Uint64 walks v as a varint.
func (w *Walker) Uint64(v *uint64) {
	if !w.reading {
		w.put(*v)
		return
	}
	*v = w.uvarint()
}

// Int64 walks v as a varint; small numbers of both signs are short.
func (w *Walker) Int64(v *int64) {
	if !w.reading {
		w.put(uint64(*v)<<1 ^ uint64(*v>>63))
		return
	}
	u := w.uvarint()
	*v = int64(u>>1) ^ -int64(u&1)
}

// uvarint reads a number. One that could be written with fewer bytes is refused, so each has one spelling.
func (w *Walker) uvarint() uint64 {
	if w.err != nil {
		return 0
	}
	u, n := binary.Uvarint(w.buf)
	switch {
	case n == 0:
		w.corrupt("ends within a number")
		return 0
	case n < 0 || n > 1 && w.buf[n-1] == 0:
		w.corrupt("a number of more bytes than it needs")
		return 0
	}
	w.buf = w.buf[n:]
	return u
}

// put writes a number.
func (w *Walker) put(u uint64) {
	if len(w.buf)-w.n < binary.MaxVarintLen64 {
		w.makeRoom(binary.MaxVarintLen64)
	}
	i := w.n
	for ; u >= 0x80; u >>= 7 {
		w.buf[i] = byte(u) | 0x80
		i++
	}
	w.buf[i] = byte(u)
	w.n = i + 1
}

// putText writes bytes as they are.
func putText[T string | []byte](w *Walker, text T) {
	if len(w.buf)-w.n < len(text) {
		w.makeRoom(len(text))
	}
	w.n += copy(w.buf[w.n:], text)
}

// makeRoom makes room for so many bytes more: what was written goes into the hash, or into a larger buffer.
func (w *Walker) makeRoom(need int) {
	if w.hash != nil {
		w.hash.Write(w.buf[:w.n])
		w.hashed += w.n
		w.n = 0
	}
	if len(w.buf)-w.n < need {
		w.buf = append(w.buf, make([]byte, max(need, len(w.buf), 512))...)
		w.buf = w.buf[:cap(w.buf)]
	}
}

// written is how many bytes there are so far.
func (w *Walker) written() int { return w.hashed + w.n }

// Int walks v as Int64 does.
func (w *Walker) Int(v *int) { Integer(w, v) }

// Int32 walks v as Int64 does.
func (w *Walker) Int32(v *int32) { Integer(w, v) }

// Uint32 walks v as Uint64 does.
func (w *Walker) Uint32(v *uint32) { Integer(w, v) }

// Uint8 walks v as one byte.
func (w *Walker) Uint8(v *uint8) {
	if !w.reading {
		if w.n == len(w.buf) {
			w.makeRoom(1)
		}
		w.buf[w.n] = *v
		w.n++
		return
	}
	*v = 0
	if b := w.take(1); b != nil {
		*v = b[0]
	}
}

// Bool walks v as one byte, 0 or 1.
func (w *Walker) Bool(v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	w.Uint8(&b)
	if b > 1 {
		w.corrupt("a yes or no that is %d", b)
	}
	*v = b == 1
}

// String walks v: its length, then its bytes as they are.
func (w *Walker) String(v *string) {
	n := len(*v)
	w.Len(&n)
	if !w.reading {
		putText(w, *v)
		return
	}
	*v = string(w.take(n))
}

// Bytes walks v: its length, then its bytes. An empty one comes back as nil.
func (w *Walker) Bytes(v *[]byte) {
	n := len(*v)
	w.Len(&n)
	if !w.reading {
		putText(w, *v)
		return
	}
	*v = append([]byte(nil), w.take(n)...)
}

// Len walks the number of elements that follow, for containers that Slice does not suit. Each element must take at
// least one byte: a larger number than bytes are left is refused, so it can be used to size an allocation within reason.
func (w *Walker) Len(n *int) {
	u := uint64(*n)
	w.Uint64(&u)
	if w.reading {
		if u > uint64(len(w.buf)) {
			w.corrupt("%d elements where %d bytes are left", u, len(w.buf))
			u = 0
		}
		*n = int(u)
	}
}

// take returns the next n bytes, nil if there are fewer.
func (w *Walker) take(n int) []byte {
	if w.err != nil {
		return nil
	}
	if n > len(w.buf) {
		w.corrupt("ends early")
		return nil
	}
	b := w.buf[:n]
	w.buf = w.buf[n:]
	return b
}

// Integer walks a number of any integer type as a varint. On restore one that does not fit the type is refused.
func Integer[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](w *Walker, v *T) {
	var zero T
	if zero-1 < zero { // a signed type
		i := int64(*v)
		w.Int64(&i)
		if w.reading {
			if *v = T(i); int64(*v) != i {
				w.corrupt("%d does not fit its field", i)
				*v = 0
			}
		}
		return
	}
	u := uint64(*v)
	w.Uint64(&u)
	if w.reading {
		if *v = T(u); uint64(*v) != u {
			w.corrupt("%d does not fit its field", u)
			*v = 0
		}
	}
}

// Slice walks the elements of s, each by a call that must walk at least one byte. On restore s is emptied and refilled;
// its array is used again.
func Slice[S ~[]T, T any](w *Walker, s *S, each func(w *Walker, elem *T)) {
	n := len(*s)
	w.Len(&n)
	if !w.reading {
		before := w.written()
		for i := range *s {
			each(w, &(*s)[i])
		}
		if w.written()-before < n {
			w.Fail(errors.New("elements of a slice without a byte of their own"))
		}
		return
	}
	clear(*s)
	*s = (*s)[:0]
	for range n {
		// The slice grows with what was read, not by the length that the snapshot claims: elements may be far larger than
		// the one byte that Len asks for.
		var zero T
		*s = append(*s, zero)
		each(w, &(*s)[len(*s)-1])
		if w.err != nil {
			return
		}
	}
}

// Optional walks what p points at, if it points at something.
func Optional[T any](w *Walker, p **T, each func(w *Walker, elem *T)) {
	set := *p != nil
	w.Bool(&set)
	if w.reading {
		*p = nil
		if set && w.err == nil {
			*p = new(T)
		}
	}
	if *p != nil {
		each(w, *p)
	}
}
