package capture

import (
	"encoding/binary"
	"slices"
)

// blockRef is what an index knows of one block.
type blockRef struct {
	Offset int64
	blockHeader
}

// tally is what a segment holds, counted while it was written or read.
type tally struct {
	Frames  uint64
	Data    uint64 // bytes of frames
	PerConn []connTally
	byID    map[uint64]int // connection id -> place in PerConn
}

// connTally is one connection's share.
type connTally struct {
	connKey
	Records, Frames uint64
}

// count takes in one record. The slice is in order of first appearance.
func (t *tally) count(r *Record) {
	frame := uint64(0)
	if r.Kind == Frame {
		frame = 1
		t.Frames++
		t.Data += uint64(len(r.Data))
	}
	if r.Conn == 0 {
		return
	}
	i, ok := t.byID[r.Conn]
	if !ok || t.PerConn[i].Channel != r.Channel || t.PerConn[i].URL != r.URL {
		if i = t.find(r); i < 0 {
			i = len(t.PerConn)
			t.PerConn = append(t.PerConn, connTally{connKey: connKey{r.Conn, r.Channel, r.URL}})
		}
		if t.byID == nil {
			t.byID = make(map[uint64]int)
		}
		t.byID[r.Conn] = i
	}
	t.PerConn[i].Records++
	t.PerConn[i].Frames += frame
}

// find looks for the record's connection the long way, for the case that one
// id changes its channel or URL.
func (t *tally) find(r *Record) int {
	if _, ok := t.byID[r.Conn]; !ok {
		return -1
	}
	return slices.IndexFunc(t.PerConn, func(c connTally) bool {
		return c.connKey == connKey{r.Conn, r.Channel, r.URL}
	})
}

// An index ends a sealed segment: a copy of the file header and of the
// dictionary (so that damage at the start of the file costs nothing), a row per
// block, the tally. A trailer of fixed size finds and vouches for it.
//
//	index   := fileHeader dictionary
//	           uvarint(blocks)      { uvarint(offset delta) blockHeader }
//	           uvarint(frames) uvarint(bytes of frames)
//	           uvarint(connections) { uvarint(id) string(channel) string(url) uvarint(records) uvarint(frames) }
//	trailer := u64(index offset) u32(index length) u32(sum of index) u32(segment) u32(sum of the above) magic
type index struct {
	head   fileHeader
	dict   []byte // as stored
	blocks []blockRef
	tally  tally
}

func (x *index) append(dst []byte) []byte {
	dst = x.head.append(dst)
	dst = append(dst, x.dict...)
	dst = binary.AppendUvarint(dst, uint64(len(x.blocks)))
	prev := int64(0)
	var head [blockHeaderSize]byte
	for i := range x.blocks {
		b := &x.blocks[i]
		dst = binary.AppendUvarint(dst, uint64(b.Offset-prev))
		prev = b.Offset
		b.put(head[:])
		dst = append(dst, head[:]...)
	}
	dst = binary.AppendUvarint(dst, x.tally.Frames)
	dst = binary.AppendUvarint(dst, x.tally.Data)
	dst = binary.AppendUvarint(dst, uint64(len(x.tally.PerConn)))
	for i := range x.tally.PerConn {
		c := &x.tally.PerConn[i]
		dst = binary.AppendUvarint(dst, c.ID)
		dst = appendString(dst, c.Channel)
		dst = appendString(dst, c.URL)
		dst = binary.AppendUvarint(dst, c.Records)
		dst = binary.AppendUvarint(dst, c.Frames)
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// parseIndex reads an index whose sum was right; false if it breaks the
// grammar all the same.
func parseIndex(b []byte) (*index, bool) {
	x := &index{}
	var err error
	if x.head, err = parseFileHeader(b); err != nil {
		return nil, false
	}
	b = b[fileHeaderSize:]
	if uint64(x.head.DictLen) > uint64(len(b)) {
		return nil, false
	}
	x.dict, b = b[:x.head.DictLen], b[x.head.DictLen:]
	n, b, ok := cutUvarint(b)
	if !ok || n > uint64(len(b)/blockHeaderSize) {
		return nil, false
	}
	x.blocks = make([]blockRef, 0, n)
	off := uint64(0)
	for range n {
		var delta uint64
		if delta, b, ok = cutUvarint(b); !ok || len(b) < blockHeaderSize || off+delta < off || off+delta > 1<<62 {
			return nil, false
		}
		off += delta
		h, ok := parseBlockHeader(b)
		if !ok {
			return nil, false
		}
		b = b[blockHeaderSize:]
		x.blocks = append(x.blocks, blockRef{int64(off), h})
	}
	if x.tally, ok = parseTally(b); !ok {
		return nil, false
	}
	return x, true
}

func parseTally(b []byte) (t tally, ok bool) {
	if t.Frames, b, ok = cutUvarint(b); !ok {
		return t, false
	}
	if t.Data, b, ok = cutUvarint(b); !ok {
		return t, false
	}
	n, b, ok := cutUvarint(b)
	if !ok || n > uint64(len(b)) {
		return t, false
	}
	for range n {
		var c connTally
		if c.ID, b, ok = cutUvarint(b); !ok {
			return t, false
		}
		var channel, url []byte
		if channel, b, ok = cutString(b); !ok {
			return t, false
		}
		if url, b, ok = cutString(b); !ok {
			return t, false
		}
		c.Channel, c.URL = string(channel), string(url)
		if c.Records, b, ok = cutUvarint(b); !ok {
			return t, false
		}
		if c.Frames, b, ok = cutUvarint(b); !ok {
			return t, false
		}
		t.PerConn = append(t.PerConn, c)
	}
	return t, true
}

func cutUvarint(b []byte) (uint64, []byte, bool) {
	v, w := binary.Uvarint(b)
	if w <= 0 {
		return 0, b, false
	}
	return v, b[w:], true
}

// trailer is the last thing in a sealed segment.
type trailer struct {
	Offset  int64 // of the index
	Length  uint32
	Sum     uint32
	Segment uint32
}

func (t *trailer) append(dst []byte) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(t.Offset))
	dst = binary.LittleEndian.AppendUint32(dst, t.Length)
	dst = binary.LittleEndian.AppendUint32(dst, t.Sum)
	dst = binary.LittleEndian.AppendUint32(dst, t.Segment)
	dst = binary.LittleEndian.AppendUint32(dst, checksum(dst[start:]))
	return append(dst, trailerMagic...)
}

// parseTrailer reads the last trailerSize bytes of a sealed segment.
func parseTrailer(b []byte) (trailer, bool) {
	var t trailer
	if len(b) != trailerSize || string(b[24:]) != trailerMagic || binary.LittleEndian.Uint32(b[20:]) != checksum(b[:20]) {
		return t, false
	}
	t.Offset = int64(binary.LittleEndian.Uint64(b))
	t.Length = binary.LittleEndian.Uint32(b[8:])
	t.Sum = binary.LittleEndian.Uint32(b[12:])
	t.Segment = binary.LittleEndian.Uint32(b[16:])
	return t, true
}
