package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"
)

// sealedBlock is how much raw payload a sealed block gathers. A seek by time
// unpacks one block; see docs/capture-format.md for what sizes cost.
const sealedBlock = 512 << 10

// A segment is sealed once, away from the path of recording, so room counts
// more than time: the best level packs some 20 MB a second on one core, more
// than any feed delivers. An import delivers more. When segments queue up the
// next level down takes over, three times as fast and a twelfth larger; with
// it, a dictionary makes blocks of this size larger (measured), so none is used.
const (
	sealLevel     = zstd.SpeedBestCompression
	hurriedLevel  = zstd.SpeedBetterCompression
	hurriedBehind = 2 // waiting segments from which on sealing hurries
)

// errDamagedSegment keeps a damaged segment from being sealed: its bytes are
// evidence, and a later program may save more of them.
var errDamagedSegment = errors.New("the segment is damaged and is kept as it is")

// sealer rewrites one open segment as a sealed one.
type sealer struct {
	src    *os.File
	seg    *segment
	hurry  bool
	unpack *unpacker
	pack   *packer
	check  *unpacker
	out    *bufio.Writer
	at     int64 // offset in the sealed file
	index  index
	build  blockBuilder
	cursor blockCursor

	stored, raw, payload, packed, proof []byte
}

// sealSegment rewrites dir's open segment of that number. The order makes a
// crash harmless: the sealed file is complete and on disk before it gets its
// name, the name is on disk before the open file goes. A reader prefers the
// sealed file; with both there, both hold the same records.
func sealSegment(dir string, number uint32, hurry bool) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("capture.seal segment %d: %w", number, err)
		}
	}()
	src, err := os.Open(segmentPath(dir, number, openExt))
	if err != nil {
		return err
	}
	defer src.Close()
	seg, err := loadFile(src, number, false)
	if err != nil {
		return err
	}
	if !seg.whole() {
		return errDamagedSegment
	}
	temp := segmentPath(dir, number, tempExt)
	if err := writeSealed(temp, src, seg, hurry); err != nil {
		return errors.Join(err, removeIfThere(temp))
	}
	if err := os.Rename(temp, segmentPath(dir, number, sealedExt)); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	src.Close() // or Windows would refuse to remove it
	return os.Remove(segmentPath(dir, number, openExt))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// writeSealed writes the sealed form of seg into a new file and syncs it.
func writeSealed(path string, src *os.File, seg *segment, hurry bool) error {
	dst, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer dst.Close()
	z := &sealer{src: src, seg: seg, hurry: hurry, out: bufio.NewWriterSize(dst, 256<<10)}
	if err := z.run(); err != nil {
		return err
	}
	if err := z.out.Flush(); err != nil {
		return err
	}
	if err := dst.Sync(); err != nil {
		return err
	}
	return dst.Close()
}

func (z *sealer) run() error {
	var err error
	if z.unpack, err = newUnpacker(nil); err != nil {
		return err
	}
	defer z.unpack.dec.Close()
	dict, err := z.dictionary()
	if err != nil {
		return err
	}
	if err := z.begin(dict); err != nil {
		return err
	}
	defer z.check.dec.Close()
	for i := range z.seg.items {
		if err := z.records(&z.seg.items[i].blockRef, z.take); err != nil {
			return err
		}
	}
	if err := z.flush(); err != nil {
		return err
	}
	return z.end()
}

// begin writes what stands before the blocks.
func (z *sealer) begin(dict []byte) error {
	stored, err := packDict(dict)
	if err != nil {
		return err
	}
	level := sealLevel
	if z.hurry {
		level = hurriedLevel
	}
	if z.pack, err = newPacker(level, dict); err != nil {
		return err
	}
	if z.check, err = newUnpacker(dict); err != nil {
		return err
	}
	h := z.seg.head
	h.Sealed = true
	for i := range z.seg.items {
		h.Records += uint64(z.seg.items[i].Count)
	}
	h.DictLen, h.DictRaw, h.DictSum = uint32(len(stored)), uint32(len(dict)), checksum(stored)
	z.index.head, z.index.dict = h, stored
	return z.write(append(h.append(nil), stored...))
}

// end writes what stands after them.
func (z *sealer) end() error {
	b := z.index.append(nil)
	t := trailer{Offset: z.at, Length: uint32(len(b)), Sum: checksum(b), Segment: z.seg.number}
	return z.write(t.append(b))
}

func (z *sealer) write(b []byte) error {
	n, err := z.out.Write(b)
	z.at += int64(n)
	return err
}

// dictionary gathers samples at even distances from the segment's frames.
func (z *sealer) dictionary() ([]byte, error) {
	total := int64(0)
	for i := range z.seg.items {
		total += int64(z.seg.items[i].Raw)
	}
	room := int(min(total/dictPart, maxDict))
	if z.hurry || room < 1<<10 { // it would cost more than it saves
		return nil, nil
	}
	dict := make([]byte, 0, room)
	for k := range dictSamples {
		b := &z.seg.items[k*len(z.seg.items)/dictSamples].blockRef
		limit := (k + 1) * room / dictSamples
		err := z.records(b, func(r *Record) error {
			if r.Kind == Frame && len(dict)+len(r.Data) <= limit {
				dict = append(dict, r.Data...)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return dict, nil
}

// records calls do for each record of a block of the open segment. A block
// that does not read back as it should ends the sealing: nothing is left out.
func (z *sealer) records(b *blockRef, do func(*Record) error) error {
	payload, reason, err := readBlock(z.src, b, z.unpack, &z.stored, &z.raw)
	if err != nil {
		return err
	}
	if reason != "" {
		return fmt.Errorf("offset %d: %s: %w", b.Offset, reason, errDamagedSegment)
	}
	if err := z.cursor.open(&b.blockHeader, payload); err != nil {
		return err
	}
	var r Record
	for {
		ok, err := z.cursor.next(&r)
		if err != nil || !ok {
			return err
		}
		if err := do(&r); err != nil {
			return err
		}
	}
}

// take puts one record into the sealed segment.
func (z *sealer) take(r *Record) error {
	if z.build.count > 0 && z.build.size()+len(r.Data) > sealedBlock {
		if err := z.flush(); err != nil {
			return err
		}
	}
	z.build.add(r, z.cursor.now, r.Seq, addSealed)
	z.index.tally.count(r)
	return nil
}

// flush writes the gathered block, after it has proved to unpack to what it
// was made of.
func (z *sealer) flush() error {
	if z.build.count == 0 {
		return nil
	}
	z.payload = z.build.payload(z.payload[:0])
	h := z.build.header(&z.index.head)
	z.packed = append(z.packed[:0], make([]byte, blockHeaderSize)...)
	z.packed, h.Codec = z.pack.pack(z.packed, z.payload)
	body := z.packed[blockHeaderSize:]
	h.Stored, h.Raw, h.Sum = uint32(len(body)), uint32(len(z.payload)), checksum(body)
	h.put(z.packed)
	var err error
	var back []byte
	if back, z.proof, err = z.check.unpack(&h, body, z.proof); err != nil || !bytes.Equal(back, z.payload) {
		return fmt.Errorf("a packed block does not unpack to itself: %w", errors.Join(err, errMalformed))
	}
	z.index.blocks = append(z.index.blocks, blockRef{z.at, h})
	z.build.reset()
	return z.write(z.packed)
}

// isSealed reports whether a segment's sealed file is there and complete, so
// that its open file can go.
func isSealed(dir string, number uint32) (bool, error) {
	f, err := os.Open(segmentPath(dir, number, sealedExt))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	s, err := loadFile(f, number, true)
	if err != nil || !s.whole() || s.tally == nil {
		return false, err
	}
	unpack, err := newUnpacker(s.dict)
	if err != nil {
		return false, err
	}
	defer unpack.dec.Close()
	var stored, raw []byte
	for i := range s.items {
		if _, reason, err := readBlock(f, &s.items[i].blockRef, unpack, &stored, &raw); err != nil || reason != "" {
			return false, err
		}
	}
	return true, nil
}
