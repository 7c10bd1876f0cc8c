package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// part is one thing in a segment, in the file's order: a block, or damage.
type part struct {
	blockRef
	damage *DamageError
}

// segment is a segment's table of contents.
type segment struct {
	number  uint32
	sealed  bool
	size    int64
	head    fileHeader
	headOK  bool
	dict    []byte // unpacked; nil if there is none or it is lost
	items   []part
	tally   *tally // from a sealed segment's index
	notices []Notice
	end     int64 // where whole blocks end
	torn    int64 // open segments: bytes of an unfinished block after end
}

// loadSegment makes the table of contents of one file: from the index of a
// sealed segment, by reading the block headers of any other. Its errors are
// those of reading, and ErrVersion; damage is part of the result.
func loadSegment(f io.ReaderAt, size int64, number uint32, sealed bool) (*segment, error) {
	s := &segment{number: number, sealed: sealed, size: size}
	head, err := readAt(f, 0, fileHeaderSize, size)
	if err != nil {
		return nil, err
	}
	s.head, err = parseFileHeader(head)
	if errors.Is(err, ErrVersion) {
		return nil, fmt.Errorf("capture segment %d: %w", number, err)
	}
	s.headOK = err == nil
	if s.headOK && (s.head.Segment != number || s.head.Sealed != sealed) {
		s.damaged(0, size, -1, fmt.Sprintf("the file is segment %d under another name", s.head.Segment))
		return s, nil
	}
	if sealed {
		done, err := s.loadIndex(f)
		if err != nil || done {
			return s, err
		}
	}
	return s, s.scan(f)
}

// readAt reads up to n bytes at off, fewer where the file ends.
func readAt(f io.ReaderAt, off int64, n int, size int64) ([]byte, error) {
	b := make([]byte, max(0, min(int64(n), size-off)))
	m, err := f.ReadAt(b, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:m], nil
}

func (s *segment) notice(kind NoticeKind, off, n int64, err error) {
	s.notices = append(s.notices, Notice{Kind: kind, Segment: s.number, Offset: off, Bytes: n, Err: err})
}

func (s *segment) damaged(off, n, records int64, reason string) {
	s.items = append(s.items, part{damage: &DamageError{Segment: s.number, Offset: off, Bytes: n, Records: records, Reason: reason}})
}

// loadIndex reads a sealed segment's index; false if there is none to trust.
func (s *segment) loadIndex(f io.ReaderAt) (bool, error) {
	if s.size < fileHeaderSize+trailerSize {
		return false, nil
	}
	b, err := readAt(f, s.size-trailerSize, trailerSize, s.size)
	if err != nil {
		return false, err
	}
	t, ok := parseTrailer(b)
	if !ok || t.Segment != s.number || t.Offset < fileHeaderSize || t.Offset+int64(t.Length)+trailerSize != s.size {
		return false, nil
	}
	if b, err = readAt(f, t.Offset, int(t.Length), s.size); err != nil {
		return false, err
	}
	if len(b) != int(t.Length) || checksum(b) != t.Sum {
		return false, nil
	}
	x, ok := parseIndex(b)
	if !ok || x.head.Segment != s.number || !x.head.Sealed || (s.headOK && s.head != x.head) {
		return false, nil
	}
	if !s.headOK {
		s.notice(NoticeIndex, 0, fileHeaderSize, errInvalid)
		s.head, s.headOK = x.head, true
	}
	if err := s.loadDict(f, x.dict); err != nil {
		return false, err
	}
	for _, b := range x.blocks {
		s.items = append(s.items, part{blockRef: b})
	}
	s.tally = &x.tally
	s.end = t.Offset
	return true, nil
}

// loadDict takes the dictionary from the start of the file, else from spare.
func (s *segment) loadDict(f io.ReaderAt, spare []byte) error {
	if s.head.DictLen == 0 {
		return nil
	}
	b, err := readAt(f, fileHeaderSize, int(min(s.head.DictLen, dictLimit)), s.size)
	if err != nil {
		return err
	}
	if s.dict = unpackDict(&s.head, b); s.dict == nil {
		s.notice(NoticeIndex, fileHeaderSize, int64(s.head.DictLen), errNoDict)
		s.dict = unpackDict(&s.head, spare)
	}
	return nil
}

// scan finds the blocks one after the other, and where the chain breaks,
// searches for the next one.
func (s *segment) scan(f io.ReaderAt) error {
	off := int64(fileHeaderSize)
	if !s.sealed && s.size < fileHeaderSize { // its writer was stopped, or is about to go on
		if s.torn = s.size; s.torn > 0 {
			s.notice(NoticeTorn, 0, s.size, nil)
		}
		return nil
	}
	if !s.headOK {
		s.notice(NoticeIndex, 0, min(s.size, fileHeaderSize), errInvalid)
	} else if s.sealed {
		if err := s.loadDict(f, nil); err != nil {
			return err
		}
		off += int64(s.head.DictLen)
	}
	expect, found := s.head.Seq, uint64(0)
	for off < s.size {
		h, ok, err := s.blockAt(f, off, expect)
		if err != nil {
			return err
		}
		if !ok {
			next, err := s.search(f, off+1, expect)
			if err != nil {
				return err
			}
			if next < 0 {
				break
			}
			if h, _, err = s.blockAt(f, next, expect); err != nil {
				return err
			}
			lost := int64(-1)
			if expect > 0 {
				lost = int64(h.Seq - expect)
			}
			s.damaged(off, next-off, lost, "no block where one should start")
			off, expect = next, h.Seq
		}
		if expect > 0 && h.Seq > expect {
			s.damaged(off, 0, int64(h.Seq-expect), "records are missing before this block")
		}
		s.head.Salt = h.Salt
		s.items = append(s.items, part{blockRef: blockRef{off, h}})
		off += blockHeaderSize + int64(h.Stored)
		expect = h.Seq + uint64(h.Count)
		found += uint64(h.Count)
	}
	s.end = min(off, s.size)
	s.tail(expect, found)
	return nil
}

// tail judges the bytes after the last whole block.
func (s *segment) tail(expect, found uint64) {
	rest := s.size - s.end
	switch {
	case !s.sealed && rest > 0:
		s.torn = rest
		s.notice(NoticeTorn, s.end, rest, nil)
	case s.sealed && !s.headOK:
		s.damaged(s.end, rest, -1, "header and index are unreadable; the end of the segment may be missing")
	case s.sealed && expect < s.head.Seq+s.head.Records:
		s.damaged(s.end, rest, int64(s.head.Seq+s.head.Records-expect), "the end of the segment is missing")
	case s.sealed:
		s.notice(NoticeIndex, s.end, rest, errInvalid)
	}
}

// blockAt reads the header at off and reports whether a block of this segment
// lies there whole.
func (s *segment) blockAt(f io.ReaderAt, off int64, expect uint64) (blockHeader, bool, error) {
	var b [blockHeaderSize]byte
	if s.size-off < blockHeaderSize {
		return blockHeader{}, false, nil
	}
	if _, err := f.ReadAt(b[:], off); err != nil {
		if errors.Is(err, io.EOF) { // cut since its size was read
			return blockHeader{}, false, nil
		}
		return blockHeader{}, false, err
	}
	h, ok := parseBlockHeader(b[:])
	return h, ok && s.owns(&h, expect) && off+blockHeaderSize+int64(h.Stored) <= s.size, nil
}

// owns reports whether a block belongs to this segment, at or after a record.
func (s *segment) owns(h *blockHeader, expect uint64) bool {
	return h.Segment == s.number && (s.head.Salt == 0 || h.Salt == s.head.Salt) && h.Seq >= expect
}

// search returns the offset of the next whole block at or after off, or -1.
func (s *segment) search(f io.ReaderAt, off int64, expect uint64) (int64, error) {
	const chunk = 256 << 10
	buf := make([]byte, chunk)
	for off < s.size {
		n, err := f.ReadAt(buf[:min(chunk, s.size-off)], off)
		if err != nil && !errors.Is(err, io.EOF) {
			return -1, err
		}
		b := buf[:n]
		for at := 0; ; at++ {
			i := bytes.Index(b[at:], []byte(blockMagic))
			if i < 0 {
				break
			}
			at += i
			if _, ok, err := s.blockAt(f, off+int64(at), expect); err != nil || ok {
				return off + int64(at), err
			}
		}
		if n < len(blockMagic) {
			break
		}
		off += int64(n - len(blockMagic) + 1)
	}
	return -1, nil
}
