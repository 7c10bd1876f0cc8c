package capture

import (
	"encoding/binary"
	"errors"
	"time"
)

// A block's payload has two parts: the heads of all entries, then the data of
// all entries. Kept apart, the data of neighbouring frames touch, which the
// compressor rewards with some 3 % (measured on order-book deltas).
//
//	payload := varint(base time) uvarint(len(heads)) heads data
//	head    := uvarint(kind<<1 | direction) varint(time delta) uvarint(connection) uvarint(len(data))
//
// Kind 0 defines a connection of this block: its data is
// uvarint(id) uvarint(len) channel uvarint(len) url, and later heads name it by
// the order of definition, from 1; 0 is "no connection". A block thus stands
// alone: losing one costs its own records only, and a seek needs nothing
// before it.
const (
	kindDefine  = 0
	maxWireKind = 127 // so that kind and direction stay one byte
)

// connKey is what a record says about its connection.
type connKey struct {
	ID           uint64
	Channel, URL string
}

// blockBuilder gathers records. It is owned by one goroutine at a time.
type blockBuilder struct {
	heads, data []byte
	count       uint32
	frames      uint32
	seq         uint64 // of the first record
	prev        int64  // receive time of the last entry
	base        int64  // receive time of the first record
	first, last int64
	lastConn    connKey
	lastIndex   uint64
	conns       map[uint64]uint64 // connection id -> place in defined, from 1
	defined     []connKey
}

// reset empties the builder and keeps its memory.
func (b *blockBuilder) reset() {
	clear(b.conns)
	clear(b.defined)
	*b = blockBuilder{heads: b.heads[:0], data: b.data[:0], conns: b.conns, defined: b.defined[:0]}
}

func (b *blockBuilder) size() int { return len(b.heads) + len(b.data) }

// add appends one record, whose kind and data have been checked. ns is its
// receive time.
func (b *blockBuilder) add(r *Record, ns int64, seq uint64, redact bool) {
	if b.count == 0 {
		b.seq, b.prev, b.base, b.first, b.last = seq, ns, ns, ns, ns
	}
	b.first, b.last = min(b.first, ns), max(b.last, ns)
	conn := uint64(0)
	if r.Conn != 0 {
		if conn = b.lastIndex; conn == 0 || r.Conn != b.lastConn.ID || r.Channel != b.lastConn.Channel || r.URL != b.lastConn.URL {
			conn = b.conn(connKey{r.Conn, r.Channel, r.URL}, redact)
		}
	}
	start := len(b.data)
	if redact {
		b.data = appendRedacted(b.data, r)
	} else {
		b.data = append(b.data, r.Data...)
	}
	b.head(uint64(r.Kind)<<1|uint64(r.Direction), ns, conn, len(b.data)-start)
	b.count++
	if r.Kind == Frame {
		b.frames++
	}
}

func (b *blockBuilder) head(tag uint64, ns int64, conn uint64, n int) {
	b.heads = binary.AppendUvarint(b.heads, tag)
	b.heads = binary.AppendVarint(b.heads, ns-b.prev)
	b.heads = binary.AppendUvarint(b.heads, conn)
	b.heads = binary.AppendUvarint(b.heads, uint64(n))
	b.prev = ns
}

// conn returns the block's number for a connection and defines it first if
// the block has not met it.
func (b *blockBuilder) conn(k connKey, redact bool) uint64 {
	i, ok := b.conns[k.ID]
	if !ok || b.defined[i-1] != k {
		if b.conns == nil {
			b.conns = make(map[uint64]uint64)
		}
		b.defined = append(b.defined, k)
		i = uint64(len(b.defined))
		b.conns[k.ID] = i
		start := len(b.data)
		b.data = binary.AppendUvarint(b.data, k.ID)
		b.data = binary.AppendUvarint(b.data, uint64(len(k.Channel)))
		b.data = append(b.data, k.Channel...)
		url := k.URL
		if redact {
			url = RedactURL(url)
		}
		b.data = binary.AppendUvarint(b.data, uint64(len(url)))
		b.data = append(b.data, url...)
		b.head(kindDefine<<1, b.prev, 0, len(b.data)-start)
	}
	b.lastConn, b.lastIndex = k, i
	return i
}

// payload appends the block's payload to dst.
func (b *blockBuilder) payload(dst []byte) []byte {
	dst = binary.AppendVarint(dst, b.base)
	dst = binary.AppendUvarint(dst, uint64(len(b.heads)))
	dst = append(dst, b.heads...)
	return append(dst, b.data...)
}

// header returns the block's header, as far as the builder knows it.
func (b *blockBuilder) header(file *fileHeader) blockHeader {
	return blockHeader{
		Salt: file.Salt, Segment: file.Segment,
		Count: b.count, Seq: b.seq, First: b.first, Last: b.last,
	}
}

// errMalformed means that a payload whose sum is right breaks the grammar.
var errMalformed = errors.New("malformed block")

// blockCursor walks the records of one unpacked payload.
type blockCursor struct {
	heads, data []byte
	seq         uint64
	left        uint32
	now         int64
	conns       []connKey
	names       map[string]string // so that a channel or URL is one string for the whole reading
}

// maxNames bounds the memory of names; past it they are forgotten and learnt
// anew.
const maxNames = 4096

// open starts on a payload that h describes.
func (c *blockCursor) open(h *blockHeader, payload []byte) error {
	base, w := binary.Varint(payload)
	if w <= 0 {
		return errMalformed
	}
	payload = payload[w:]
	n, w := binary.Uvarint(payload)
	if w <= 0 || n > uint64(len(payload)-w) {
		return errMalformed
	}
	c.heads, c.data = payload[w:w+int(n)], payload[w+int(n):]
	c.seq, c.left, c.now = h.Seq, h.Count, base
	c.conns = c.conns[:0]
	return nil
}

// next reads one record of any kind, unknown ones included. At the end of the
// block it returns false and no error.
func (c *blockCursor) next(r *Record) (bool, error) {
	for len(c.heads) > 0 {
		tag, dt, conn, n, ok := c.head()
		if !ok || n > uint64(len(c.data)) {
			return false, errMalformed
		}
		data := c.data[:n:n]
		c.data = c.data[n:]
		c.now += dt
		if tag>>1 == kindDefine {
			if !c.define(data) {
				return false, errMalformed
			}
			continue
		}
		if conn > uint64(len(c.conns)) || c.left == 0 || tag>>1 > maxWireKind {
			return false, errMalformed
		}
		r.Seq = c.seq
		r.Kind = Kind(tag >> 1)
		r.Direction = Direction(tag & 1)
		r.Conn, r.Channel, r.URL = 0, "", ""
		if conn > 0 {
			k := &c.conns[conn-1]
			r.Conn, r.Channel, r.URL = k.ID, k.Channel, k.URL
		}
		r.Received = time.Unix(0, c.now).UTC()
		r.Data = data
		c.seq++
		c.left--
		return true, nil
	}
	if c.left != 0 || len(c.data) != 0 {
		return false, errMalformed
	}
	return false, nil
}

// head reads the four numbers of one head.
func (c *blockCursor) head() (tag uint64, dt int64, conn, n uint64, ok bool) {
	h := c.heads
	tag, w := binary.Uvarint(h)
	if w <= 0 {
		return 0, 0, 0, 0, false
	}
	h = h[w:]
	if dt, w = binary.Varint(h); w <= 0 {
		return 0, 0, 0, 0, false
	}
	h = h[w:]
	if conn, w = binary.Uvarint(h); w <= 0 {
		return 0, 0, 0, 0, false
	}
	h = h[w:]
	if n, w = binary.Uvarint(h); w <= 0 {
		return 0, 0, 0, 0, false
	}
	c.heads = h[w:]
	return tag, dt, conn, n, true
}

// define takes in the definition of a connection.
func (c *blockCursor) define(b []byte) bool {
	id, w := binary.Uvarint(b)
	if w <= 0 || id == 0 {
		return false
	}
	channel, b, ok := cutString(b[w:])
	if !ok {
		return false
	}
	url, _, ok := cutString(b) // what a later version appends is passed over
	if !ok {
		return false
	}
	c.conns = append(c.conns, connKey{id, c.name(channel), c.name(url)})
	return true
}

func (c *blockCursor) name(b []byte) string {
	if s, ok := c.names[string(b)]; ok {
		return s
	}
	if c.names == nil || len(c.names) >= maxNames {
		c.names = make(map[string]string)
	}
	s := string(b)
	c.names[s] = s
	return s
}

// cutString takes a length-prefixed string off b.
func cutString(b []byte) (s, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	return b[w : w+int(n)], b[w+int(n):], true
}
