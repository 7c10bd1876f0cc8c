package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"
)

// A block's payload is the heads of all entries, then their data in groups.
// Heads and data apart, the data of neighbouring frames touch; in a sealed block
// each topic is a group of its own, so that a frame follows the one it resembles
// most. Together that makes sealed segments a tenth smaller (measured on
// order-book deltas of eight symbols) and costs a reader nothing.
//
//	payload := varint(base time) uvarint(len(heads)) heads
//	           uvarint(groups) { uvarint(len(group)) } { group }
//	head    := uvarint(kind<<1 | direction) varint(time delta) uvarint(connection)
//	           uvarint(group) uvarint(len(data))
//
// An entry's data is the next len(data) bytes of its group, groups counted from
// 0. Kind 0 defines a connection of this block: its data is
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

// maxGroups bounds the groups of a block; further topics share group 0.
const maxGroups = 1024

// maxTopic is how far the end of a topic is looked for.
const maxTopic = 80

// blockBuilder gathers records. It is owned by one goroutine at a time.
type blockBuilder struct {
	heads       []byte
	groups      [][]byte // data by group; at least group 0 once there is a record
	bytes       int      // of all groups
	topics      map[string]int
	count       uint32
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
	clear(b.topics)
	*b = blockBuilder{heads: b.heads[:0], groups: b.groups[:0], topics: b.topics, conns: b.conns, defined: b.defined[:0]}
}

func (b *blockBuilder) size() int { return len(b.heads) + b.bytes }

// group makes the next group, with the memory it had in an earlier block.
func (b *blockBuilder) group() int {
	n := len(b.groups)
	if n < cap(b.groups) {
		b.groups = b.groups[:n+1]
		b.groups[n] = b.groups[n][:0]
	} else {
		b.groups = append(b.groups, nil)
	}
	return n
}

// groupOf returns the group for frames like this one: those of its topic.
func (b *blockBuilder) groupOf(data []byte) int {
	const head = `{"topic":"`
	if len(data) <= len(head) || string(data[:len(head)]) != head {
		return 0
	}
	n := bytes.IndexByte(data[len(head):min(len(data), len(head)+maxTopic)], '"')
	if n < 0 {
		return 0
	}
	topic := data[len(head):][:n]
	g, ok := b.topics[string(topic)]
	switch {
	case ok:
		return g
	case len(b.groups) >= maxGroups:
		return 0
	case b.topics == nil:
		b.topics = make(map[string]int)
	}
	g = b.group()
	b.topics[string(topic)] = g
	return g
}

// addMode says what add does besides adding.
type addMode uint8

const (
	addLive   addMode = iota // into an open segment: redact, and spend no time on groups
	addSealed                // into a sealed one: a group for each topic
)

// add appends one record, whose kind and data have been checked. ns is its
// receive time.
func (b *blockBuilder) add(r *Record, ns int64, seq uint64, mode addMode) {
	if b.count == 0 {
		b.seq, b.prev, b.base, b.first, b.last = seq, ns, ns, ns, ns
		if len(b.groups) == 0 {
			b.group()
		}
	}
	b.first, b.last = min(b.first, ns), max(b.last, ns)
	conn := uint64(0)
	if r.Conn != 0 {
		if conn = b.lastIndex; conn == 0 || r.Conn != b.lastConn.ID || r.Channel != b.lastConn.Channel || r.URL != b.lastConn.URL {
			conn = b.conn(connKey{r.Conn, r.Channel, r.URL}, mode)
		}
	}
	g := 0
	if mode == addSealed {
		g = b.groupOf(r.Data)
	}
	data := &b.groups[g]
	start := len(*data)
	if mode == addLive {
		*data = appendRedacted(*data, r)
	} else {
		*data = append(*data, r.Data...)
	}
	b.head(uint64(r.Kind)<<1|uint64(r.Direction), ns, conn, g, len(*data)-start)
	b.count++
}

func (b *blockBuilder) head(tag uint64, ns int64, conn uint64, group, n int) {
	b.heads = binary.AppendUvarint(b.heads, tag)
	b.heads = binary.AppendVarint(b.heads, ns-b.prev)
	b.heads = binary.AppendUvarint(b.heads, conn)
	b.heads = binary.AppendUvarint(b.heads, uint64(group))
	b.heads = binary.AppendUvarint(b.heads, uint64(n))
	b.prev = ns
	b.bytes += n
}

// conn returns the block's number for a connection and defines it first if
// the block has not met it.
func (b *blockBuilder) conn(k connKey, mode addMode) uint64 {
	i, ok := b.conns[k.ID]
	if !ok || b.defined[i-1] != k {
		if b.conns == nil {
			b.conns = make(map[uint64]uint64)
		}
		b.defined = append(b.defined, k)
		i = uint64(len(b.defined))
		b.conns[k.ID] = i
		url := k.URL
		if mode == addLive {
			url = RedactURL(url)
		}
		data := b.groups[0]
		start := len(data)
		data = binary.AppendUvarint(data, k.ID)
		data = appendString(data, k.Channel)
		data = appendString(data, url)
		b.groups[0] = data
		b.head(kindDefine<<1, b.prev, 0, 0, len(data)-start)
	}
	b.lastConn, b.lastIndex = k, i
	return i
}

// payload appends the block's payload to dst.
func (b *blockBuilder) payload(dst []byte) []byte {
	dst = binary.AppendVarint(dst, b.base)
	dst = binary.AppendUvarint(dst, uint64(len(b.heads)))
	dst = append(dst, b.heads...)
	dst = binary.AppendUvarint(dst, uint64(len(b.groups)))
	for _, g := range b.groups {
		dst = binary.AppendUvarint(dst, uint64(len(g)))
	}
	for _, g := range b.groups {
		dst = append(dst, g...)
	}
	return dst
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
	heads  []byte
	groups [][]byte // what is left of each
	seq    uint64
	left   uint32
	now    int64
	conns  []connKey
	names  map[string]string // so that a channel or URL is one string for the whole reading
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
	heads, b, ok := cutString(payload[w:])
	if !ok {
		return errMalformed
	}
	n, b, ok := cutUvarint(b)
	if !ok || n > uint64(len(b)) {
		return errMalformed
	}
	c.groups = c.groups[:0]
	lengths := b
	for range n { // first the lengths, which say where the data begins
		if _, b, ok = cutUvarint(b); !ok {
			return errMalformed
		}
	}
	for range n {
		var size uint64
		size, lengths, _ = cutUvarint(lengths)
		if size > uint64(len(b)) {
			return errMalformed
		}
		c.groups = append(c.groups, b[:size:size])
		b = b[size:]
	}
	if len(b) > 0 {
		return errMalformed
	}
	c.heads = heads
	c.seq, c.left, c.now = h.Seq, h.Count, base
	c.conns = c.conns[:0]
	return nil
}

// next reads one record of any kind, unknown ones included. At the end of the
// block it returns false and no error.
func (c *blockCursor) next(r *Record) (bool, error) {
	for len(c.heads) > 0 {
		h, ok := c.head()
		if !ok || h.group >= uint64(len(c.groups)) || h.size > uint64(len(c.groups[h.group])) {
			return false, errMalformed
		}
		group := c.groups[h.group]
		data := group[:h.size:h.size]
		c.groups[h.group] = group[h.size:]
		c.now += h.delta
		if h.tag>>1 == kindDefine {
			if !c.define(data) {
				return false, errMalformed
			}
			continue
		}
		if h.conn > uint64(len(c.conns)) || c.left == 0 || h.tag>>1 > maxWireKind {
			return false, errMalformed
		}
		r.Seq = c.seq
		r.Kind = Kind(h.tag >> 1)
		r.Direction = Direction(h.tag & 1)
		r.Conn, r.Channel, r.URL = 0, "", ""
		if h.conn > 0 {
			k := &c.conns[h.conn-1]
			r.Conn, r.Channel, r.URL = k.ID, k.Channel, k.URL
		}
		r.Received = time.Unix(0, c.now).UTC()
		r.Data = data
		c.seq++
		c.left--
		return true, nil
	}
	for _, g := range c.groups {
		if len(g) > 0 {
			return false, errMalformed
		}
	}
	if c.left != 0 {
		return false, errMalformed
	}
	return false, nil
}

// entryHead is the head of one entry.
type entryHead struct {
	tag, conn, group, size uint64
	delta                  int64
}

// head reads the five numbers of one head.
func (c *blockCursor) head() (h entryHead, ok bool) {
	b := c.heads
	var w int
	if h.tag, w = binary.Uvarint(b); w <= 0 {
		return h, false
	}
	b = b[w:]
	if h.delta, w = binary.Varint(b); w <= 0 {
		return h, false
	}
	b = b[w:]
	if h.conn, w = binary.Uvarint(b); w <= 0 {
		return h, false
	}
	b = b[w:]
	if h.group, w = binary.Uvarint(b); w <= 0 {
		return h, false
	}
	b = b[w:]
	if h.size, w = binary.Uvarint(b); w <= 0 {
		return h, false
	}
	c.heads = b[w:]
	return h, true
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
