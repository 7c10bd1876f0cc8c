package capture

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"slices"
	"sync"
	"time"
)

// ErrNoCapture means that a directory holds no segment.
var ErrNoCapture = errors.New("no capture in this directory")

// Reader reads a capture, also one that is being written. It holds no file
// open between calls and may be used by several goroutines.
type Reader struct {
	dir string

	// mu guards the fields below.
	mu      sync.Mutex
	loaded  map[uint32]*segment // tables of contents of sealed segments; they never change
	notices []Notice
}

// OpenReader opens the capture in a directory. The error is ErrNoCapture where
// there is none, ErrVersion for a later format, or one of reading.
func OpenReader(dir string) (*Reader, error) {
	r := &Reader{dir: dir, loaded: make(map[uint32]*segment)}
	list, err := listSegments(dir)
	if err != nil {
		return nil, fmt.Errorf("capture.open: %w", err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("capture.open %s: %w", dir, ErrNoCapture)
	}
	return r, nil
}

// Notices returns what has been noticed so far, in order of discovery: torn
// tails, damage, rebuilt indexes. Each place is named once, however often it
// was read. It is complete after a whole pass over Records.
func (r *Reader) Notices() []Notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.notices)
}

// notice keeps a notice unless the same place was noticed before.
func (r *Reader) notice(n Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, o := range r.notices {
		if o.Kind == n.Kind && o.Segment == n.Segment && o.Offset == n.Offset {
			r.notices[i] = n
			return
		}
	}
	r.notices = append(r.notices, n)
}

// noticeSegment takes over what a segment's table of contents shows.
func (r *Reader) noticeSegment(s *segment) {
	for _, n := range s.notices {
		r.notice(n)
	}
	for i := range s.items {
		if d := s.items[i].damage; d != nil {
			r.noticeDamage(d)
		}
	}
}

func (r *Reader) noticeDamage(d *DamageError) {
	r.notice(Notice{Kind: NoticeDamage, Segment: d.Segment, Offset: d.Offset, Bytes: d.Bytes, Err: d})
}

// Records yields the records with from <= Received < to, in the order they were
// written; a zero time leaves that end open. What exists when the iteration
// starts is read; call Records again for what came later.
//
// A yielded Record is valid until the next step: its Data is used again. Where
// bytes are damaged, a *DamageError is yielded in place of the lost records
// and the iteration goes on; any other error is the last thing yielded.
func (r *Reader) Records(from, to time.Time) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		p := pass{r: r, yield: yield, from: math.MinInt64, to: math.MaxInt64}
		if !from.IsZero() {
			p.from = from.UnixNano()
		}
		if !to.IsZero() {
			p.to = to.UnixNano()
		}
		list, err := listSegments(r.dir)
		if err != nil {
			yield(Record{}, fmt.Errorf("capture.read: %w", err))
			return
		}
		if len(list) > 0 && list[0].number == 1 {
			p.expect = 1 // else the oldest segments were taken away, which is no damage
		}
		for _, e := range list {
			if ok, err := p.segment(e); err != nil {
				yield(Record{}, fmt.Errorf("capture.read segment %d: %w", e.number, err))
				return
			} else if !ok {
				return
			}
		}
	}
}

// pass is one iteration over a capture.
type pass struct {
	r        *Reader
	yield    func(Record, error) bool
	from, to int64
	expect   uint64 // next record number; 0 before the first
	cursor   blockCursor
	stored   []byte
	raw      []byte
}

// segment yields one segment's records; false if the caller broke off.
func (p *pass) segment(e entry) (bool, error) {
	f, s, err := p.r.open(e)
	if err != nil {
		return false, err
	}
	if f == nil {
		return true, nil
	}
	defer f.Close()
	return p.read(f, s)
}

// read yields the records of one segment whose table of contents is known.
func (p *pass) read(f io.ReaderAt, s *segment) (bool, error) {
	p.r.noticeSegment(s)
	if p.expect == 0 && s.headOK {
		p.expect = s.head.Seq
	}
	unpack, err := newUnpacker(s.dict)
	if err != nil {
		return false, err
	}
	defer unpack.dec.Close()
	for i := range s.items {
		it := &s.items[i]
		var ok bool
		switch {
		case it.damage != nil:
			ok = p.damage(it.damage)
			if it.damage.Records >= 0 {
				p.expect += uint64(it.damage.Records)
			} else {
				p.expect = 0
			}
		default:
			ok, err = p.block(f, s, &it.blockRef, unpack)
		}
		if !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// damage reports lost bytes in place and in the notices.
func (p *pass) damage(d *DamageError) bool {
	p.r.noticeDamage(d)
	return p.yield(Record{}, d)
}

// block yields the records of one block that lie in the wanted time.
func (p *pass) block(f io.ReaderAt, s *segment, b *blockRef, unpack *unpacker) (bool, error) {
	if p.expect != 0 && b.Seq != p.expect {
		d := &DamageError{Segment: s.number, Offset: b.Offset, Records: int64(b.Seq - p.expect), Reason: "records are missing before this block"}
		if b.Seq < p.expect {
			d.Records, d.Bytes, d.Reason = 0, blockHeaderSize+int64(b.Stored), "the block repeats records"
			return p.damage(d), nil
		}
		if !p.damage(d) {
			return false, nil
		}
	}
	p.expect = b.Seq + uint64(b.Count)
	if b.Last < p.from || b.First >= p.to {
		return true, nil
	}
	if reason, err := p.load(f, b, unpack); err != nil {
		return false, err
	} else if reason != "" {
		return p.damage(blockDamage(s.number, b, int64(b.Count), reason)), nil
	}
	whole := b.First >= p.from && b.Last < p.to
	var rec Record
	for {
		ok, err := p.cursor.next(&rec)
		if err != nil {
			return p.damage(blockDamage(s.number, b, int64(p.cursor.left), err.Error())), nil
		}
		if !ok {
			return true, nil
		}
		if rec.Kind > maxKind {
			continue
		}
		if !whole {
			if ns := p.cursor.now; ns < p.from || ns >= p.to {
				continue
			}
		}
		if !p.yield(rec, nil) {
			return false, nil
		}
	}
}

// load reads and unpacks a block and sets the cursor on it. A reason means
// that the block is damaged.
func (p *pass) load(f io.ReaderAt, b *blockRef, unpack *unpacker) (reason string, err error) {
	payload, reason, err := readBlock(f, b, unpack, &p.stored, &p.raw)
	if reason != "" || err != nil {
		return reason, err
	}
	if err := p.cursor.open(&b.blockHeader, payload); err != nil {
		return err.Error(), nil
	}
	return "", nil
}

// readBlock returns a block's payload, which lies in one of the two buffers.
func readBlock(f io.ReaderAt, b *blockRef, unpack *unpacker, stored, raw *[]byte) (payload []byte, reason string, err error) {
	n := blockHeaderSize + int(b.Stored)
	if cap(*stored) < n {
		*stored = make([]byte, n+n/8)
	}
	buf := (*stored)[:n]
	if _, err := f.ReadAt(buf, b.Offset); errors.Is(err, io.EOF) {
		return nil, "the file ends inside the block", nil
	} else if err != nil {
		return nil, "", err
	}
	h, ok := parseBlockHeader(buf)
	if !ok || h != b.blockHeader {
		return nil, "the block's header is not what the index says", nil
	}
	if checksum(buf[blockHeaderSize:]) != h.Sum {
		return nil, "the block's checksum is wrong", nil
	}
	payload, *raw, err = unpack.unpack(&h, buf[blockHeaderSize:], *raw)
	if err != nil {
		return nil, err.Error(), nil
	}
	return payload, "", nil
}

// entry is one segment as the directory shows it.
type entry struct {
	number       uint32
	open, sealed bool // which files there are
}

// listSegments returns a capture's segments in order.
func listSegments(dir string) ([]entry, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []entry
	for _, f := range files { // ReadDir sorts, and names sort as numbers do
		number, ext, ok := parseSegmentName(f.Name())
		if !ok || ext == tempExt {
			continue
		}
		if n := len(list); n == 0 || list[n-1].number != number {
			list = append(list, entry{number: number})
		}
		e := &list[len(list)-1]
		e.open = e.open || ext == openExt
		e.sealed = e.sealed || ext == sealedExt
	}
	return list, nil
}

// open returns a segment's file and table of contents. The sealed file comes
// first; the open one serves where sealing has not finished, or where the
// sealed file is damaged and the open one is still there. A nil file means that
// the segment was there and is gone.
func (r *Reader) open(e entry) (*os.File, *segment, error) {
	for range 3 { // the writer may rename between our look and our open
		f, s, err := r.openSealed(e.number)
		if err == nil && !s.whole() && e.open {
			if fo, so, err := r.openOpen(e.number); err == nil {
				f.Close()
				return fo, so, nil
			}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return f, s, err
		}
		if f, s, err = r.openOpen(e.number); !errors.Is(err, fs.ErrNotExist) {
			return f, s, err
		}
	}
	return nil, nil, nil
}

func (r *Reader) openSealed(number uint32) (*os.File, *segment, error) {
	f, err := os.Open(segmentPath(r.dir, number, sealedExt))
	if err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	s := r.loaded[number]
	r.mu.Unlock()
	if s != nil {
		return f, s, nil
	}
	if s, err = loadFile(f, number, true); err != nil {
		f.Close()
		return nil, nil, err
	}
	r.mu.Lock()
	r.loaded[number] = s
	r.mu.Unlock()
	return f, s, nil
}

func (r *Reader) openOpen(number uint32) (*os.File, *segment, error) {
	f, err := os.Open(segmentPath(r.dir, number, openExt))
	if err != nil {
		return nil, nil, err
	}
	s, err := loadFile(f, number, false)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, s, nil
}

func loadFile(f *os.File, number uint32, sealed bool) (*segment, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return loadSegment(f, st.Size(), number, sealed)
}

// whole reports that a segment's table of contents shows no loss.
func (s *segment) whole() bool {
	return s.headOK && s.end > 0 && !slices.ContainsFunc(s.items, func(it part) bool { return it.damage != nil })
}
