package past

import (
	"encoding/binary"
	"errors"

	"github.com/bywire/bywire/exchange/internal/state"
)

// barLog keeps closed bars of one length that follow one another without a hole, in few bytes: a bar in which nothing
// happened takes one, a busy minute about twenty. They lie in chunks that begin at round times, so that old ones can be
// dropped and a few be read without the others. It does not keep Last.
type barLog struct {
	chunks []chunk
	next   int64 // where the next bar begins, as soon as there is one
	price  int64 // close of the last bar
}

// chunk is a piece of a log.
type chunk struct {
	start int64 // of its first bar
	bytes []byte
}

// add appends a bar. A bar at a multiple of length begins a new chunk.
func (l *barLog) add(b *Bar, step, length int64) {
	if len(l.chunks) == 0 || b.Start%length == 0 {
		l.chunks = append(l.chunks, chunk{start: b.Start})
		l.price = 0
	}
	c := &l.chunks[len(l.chunks)-1]
	c.bytes = appendBar(c.bytes, b, l.price)
	l.next, l.price = b.Start+step, b.Close
}

// drop forgets the chunks that end at or before a time.
func (l *barLog) drop(before int64) {
	n := 0
	for n+1 < len(l.chunks) && l.chunks[n+1].start <= before {
		n++
	}
	if n > 0 {
		l.chunks = append(l.chunks[:0:0], l.chunks[n:]...)
	}
}

// endsAt reports whether the log is empty or its last bar ends at a time.
func (l *barLog) endsAt(at int64) bool { return len(l.chunks) == 0 || l.next == at }

// each calls emit for the bars that begin in [from, to).
func (l *barLog) each(step, from, to int64, emit func(*Bar)) {
	lo, hi := 0, len(l.chunks) // the last chunk that begins at or before from
	for lo+1 < hi {
		if mid := (lo + hi) / 2; l.chunks[mid].start <= from {
			lo = mid
		} else {
			hi = mid
		}
	}
	var b Bar
	for ; lo < len(l.chunks) && l.chunks[lo].start < to; lo++ {
		at, price := l.chunks[lo].start, int64(0)
		for rest := l.chunks[lo].bytes; len(rest) > 0 && at < to; at += step {
			var err error
			if rest, err = readBar(rest, &b, price); err != nil {
				return // Walk has seen that all can be read
			}
			b.Start, price = at, b.Close
			if at >= from {
				emit(&b)
			}
		}
	}
}

// What a bar's first byte says.
const (
	isFlat  = iota // it stays at the close of the one before
	isQuiet        // it moves, but nothing traded
	isTrade
)

// appendBar appends a bar that follows one that closed at price.
func appendBar(dst []byte, b *Bar, price int64) []byte {
	kind := uint64(isFlat)
	switch {
	case b.Trades > 0 || b.Volume > 0:
		kind = isTrade
	case b.Open != price || b.High != price || b.Low != price || b.Close != price:
		kind = isQuiet
	}
	dst = append(dst, byte(kind))
	if kind == isFlat {
		return dst
	}
	dst = binary.AppendVarint(dst, b.Open-price)
	dst = binary.AppendVarint(dst, b.Close-b.Open)
	dst = binary.AppendUvarint(dst, uint64(b.High-max(b.Open, b.Close)))
	dst = binary.AppendUvarint(dst, uint64(min(b.Open, b.Close)-b.Low))
	if kind == isTrade {
		dst = binary.AppendUvarint(dst, uint64(b.Volume))
		dst = binary.AppendUvarint(dst, b.Turnover.Hi)
		dst = binary.AppendUvarint(dst, b.Turnover.Lo)
		dst = binary.AppendUvarint(dst, uint64(b.Trades))
	}
	return dst
}

var errLog = errors.New("bars that cannot be read")

// readBar reads what appendBar wrote.
func readBar(src []byte, b *Bar, price int64) ([]byte, error) {
	bad := len(src) == 0 || src[0] > isTrade
	if bad {
		return nil, errLog
	}
	kind := src[0]
	src = src[1:]
	*b = flat(0, price)
	if kind == isFlat {
		return src, nil
	}
	uvarint := func() uint64 {
		u, n := binary.Uvarint(src)
		if n <= 0 {
			bad = true
			return 0
		}
		src = src[n:]
		return u
	}
	varint := func() int64 {
		u := uvarint()
		return int64(u>>1) ^ -int64(u&1)
	}
	b.Open = price + varint()
	b.Close = b.Open + varint()
	b.High = max(b.Open, b.Close) + int64(uvarint())
	b.Low = min(b.Open, b.Close) - int64(uvarint())
	if kind == isTrade {
		b.Volume = int64(uvarint())
		b.Turnover.Hi, b.Turnover.Lo = uvarint(), uvarint()
		b.Trades = int64(uvarint())
	}
	if bad || b.High < max(b.Open, b.Close) || b.Low > min(b.Open, b.Close) || b.Volume < 0 || b.Trades < 0 {
		return nil, errLog
	}
	return src, nil
}

// walk goes through the log and, on restore, reads each bar once.
func (l *barLog) walk(w *state.Walker, step, length int64) {
	w.Int64(&l.next)
	w.Int64(&l.price)
	state.Slice(w, &l.chunks, func(w *state.Walker, c *chunk) {
		w.Int64(&c.start)
		w.Bytes(&c.bytes)
	})
	if !w.Reading() {
		return
	}
	at, price := int64(0), int64(0)
	for i, c := range l.chunks {
		if i > 0 && (at != c.start || c.start%length != 0) || len(c.bytes) == 0 || c.start%step != 0 {
			w.Fail(errLog)
			return
		}
		at, price = c.start, 0
		for rest := c.bytes; len(rest) > 0; at += step {
			var b Bar
			var err error
			if rest, err = readBar(rest, &b, price); err != nil {
				w.Fail(err)
				return
			}
			price = b.Close
		}
	}
	if len(l.chunks) > 0 && (at != l.next || price != l.price) {
		w.Fail(errLog)
	}
}
