package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallCapture is two sealed segments and an open one of few records each.
func smallCapture(tb testing.TB, perSegment uint64) (dir string, total uint64) {
	tb.Helper()
	dir = tb.TempDir()
	for k := range uint64(3) {
		last := k == 2
		w := openWriter(tb, dir, &WriterOptions{BlockBytes: 1 << 10, noSeal: last})
		writeRange(tb, w, k*perSegment, (k+1)*perSegment)
		closeWriter(tb, w)
	}
	return dir, 3 * perSegment
}

// reading is what came of reading a capture that may be damaged.
type reading struct {
	records  uint64
	lost     int64 // as reported in band; -1 if some place could not say
	damages  int
	reported bool // in band or as a notice
}

// readDamaged fails the test if any record is not, byte for byte, the record
// that was written under its number, or if the order is broken.
func readDamaged(tb testing.TB, dir string) reading {
	tb.Helper()
	r, err := OpenReader(dir)
	if err != nil {
		tb.Fatal(err)
	}
	var got reading
	last := uint64(0)
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if d := AsDamage(err); d != nil {
			got.damages++
			if d.Records < 0 || got.lost < 0 {
				got.lost = -1
			} else {
				got.lost += d.Records
			}
			continue
		}
		if err != nil {
			tb.Fatal(err)
		}
		if rec.Seq <= last {
			tb.Fatalf("record %d after %d", rec.Seq, last)
		}
		last = rec.Seq
		if rec.Kind == Gap && strings.HasPrefix(string(rec.Data), "recording ended") {
			continue
		}
		if err := same(&rec, rec.Seq-1); err != nil {
			tb.Fatal(err)
		}
		got.records++
	}
	got.reported = got.damages > 0 || len(r.Notices()) > 0
	return got
}

// files returns the segments' paths.
func files(tb testing.TB, dir string) []string {
	tb.Helper()
	list, err := listSegments(dir)
	if err != nil {
		tb.Fatal(err)
	}
	var paths []string
	for _, e := range list {
		if e.sealed {
			paths = append(paths, segmentPath(dir, e.number, sealedExt))
		}
		if e.open {
			paths = append(paths, segmentPath(dir, e.number, openExt))
		}
	}
	return paths
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func writeFile(tb testing.TB, path string, b []byte) {
	tb.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		tb.Fatal(err)
	}
}

// openFile opens a file to be damaged in place, which is many times faster than
// writing it anew for each byte.
func openFile(tb testing.TB, path string) *os.File {
	tb.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

func putByte(tb testing.TB, f *os.File, at int, b byte) {
	tb.Helper()
	if _, err := f.WriteAt([]byte{b}, int64(at)); err != nil {
		tb.Fatal(err)
	}
}

// Every byte of every file is changed in turn. No record may come out other
// than it went in, the change must be reported, and what is missing must add
// up to what was reported missing.
func TestEachByteFlipped(t *testing.T) {
	t.Parallel()
	dir, total := smallCapture(t, 6)
	for _, path := range files(t, dir) {
		whole := readFile(t, path)
		f := openFile(t, path)
		for i := range whole {
			putByte(t, f, i, whole[i]^byte(1)<<(i%8))
			got := readDamaged(t, dir)
			putByte(t, f, i, whole[i])
			switch {
			case !got.reported:
				t.Fatalf("%s: byte %d of %d flipped: nothing reported, %d of %d records", path, i, len(whole), got.records, total)
			case got.records < total && got.damages == 0 && !strings.HasSuffix(path, openExt):
				t.Fatalf("%s: byte %d flipped: %d of %d records, nothing in band", path, i, got.records, total)
			case got.lost >= 0 && got.damages > 0 && int64(total-got.records) != got.lost:
				t.Fatalf("%s: byte %d flipped: %d of %d records, %d reported lost", path, i, got.records, total, got.lost)
			}
		}
	}
	if got := readDamaged(t, dir); got.records != total || got.reported {
		t.Fatalf("restored: %+v", got)
	}
}

// Every file is cut at every length.
func TestEachTruncation(t *testing.T) {
	t.Parallel()
	dir, total := smallCapture(t, 6)
	paths := files(t, dir)
	for k, path := range paths {
		whole := readFile(t, path)
		boundaries := blockEnds(t, path)
		f := openFile(t, path)
		for n := len(whole) - 1; n >= 0; n-- {
			if err := f.Truncate(int64(n)); err != nil {
				t.Fatal(err)
			}
			got := readDamaged(t, dir)
			// The last open segment may end after any block: that is how it
			// looks while it grows.
			growing := k == len(paths)-1 && (n == 0 || slices.Contains(boundaries, int64(n)))
			if !got.reported && !growing {
				t.Fatalf("%s cut to %d of %d: nothing reported, %d of %d records", path, n, len(whole), got.records, total)
			}
			if got.records < total && k < len(paths)-1 && got.damages == 0 {
				t.Fatalf("%s cut to %d: %d of %d records, nothing in band", path, n, got.records, total)
			}
		}
		writeFile(t, path, whole)
	}
}

// blockEnds returns the header's end and each block's.
func blockEnds(tb testing.TB, path string) []int64 {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	number, ext, _ := parseSegmentName(filepath.Base(path))
	s, err := loadFile(f, number, ext == sealedExt)
	if err != nil {
		tb.Fatal(err)
	}
	ends := []int64{fileHeaderSize}
	for _, it := range s.items {
		ends = append(ends, it.Offset+blockHeaderSize+int64(it.Stored))
	}
	return ends
}

// A writer that resumes a damaged capture keeps what can be read, and goes on
// with numbers that were not used.
func TestResumeDamaged(t *testing.T) {
	t.Parallel()
	dir, total := smallCapture(t, 6)
	for _, path := range files(t, dir) {
		whole := readFile(t, path)
		for i := 0; i < len(whole); i += 97 {
			for _, cut := range []bool{false, true} {
				work := t.TempDir()
				copyDir(t, dir, work)
				bad := slices.Clone(whole)
				if bad[i] ^= 0x10; cut {
					bad = bad[:i]
				}
				writeFile(t, strings.Replace(path, dir, work, 1), bad)
				before := readDamaged(t, work)
				w := openWriter(t, work, nil)
				from := w.Stats().Records
				writeRange(t, w, from, from+3)
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				after := readDamaged(t, work)
				if after.records != before.records+3 {
					t.Fatalf("%s, byte %d, cut %t: %d of %d records before, %d after three more", path, i, cut, before.records, total, after.records)
				}
			}
		}
	}
}

// A missing segment is a hole that readers are told about; missing oldest
// segments are a capture that was pruned.
func TestMissingSegment(t *testing.T) {
	dir, _ := smallCapture(t, 6)
	paths := files(t, dir)
	if err := os.Rename(paths[1], paths[1]+".away"); err != nil {
		t.Fatal(err)
	}
	if got := readDamaged(t, dir); got.records != 12 || got.damages != 1 || got.lost != 6 {
		t.Errorf("second of three missing: %+v", got)
	}
	if err := os.Remove(paths[0]); err != nil {
		t.Fatal(err)
	}
	if got := readDamaged(t, dir); got.records != 6 || got.damages != 0 {
		t.Errorf("first two missing: %+v", got)
	}
}

// A segment under another's name is not read as that one.
func TestRenamedSegment(t *testing.T) {
	dir, _ := smallCapture(t, 6)
	paths := files(t, dir)
	writeFile(t, paths[1], readFile(t, paths[0]))
	got := readDamaged(t, dir)
	if got.records != 12 || got.damages == 0 {
		t.Errorf("%+v", got)
	}
}

// A frame that contains a block of this very format is a frame.
func TestBlockInsideAFrame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := openWriter(t, dir, &WriterOptions{BlockBytes: 1 << 10, noSeal: true})
	var build blockBuilder
	lie := testRecord(500)
	build.add(&lie, 1, 2, addLive)
	head := fileHeader{Segment: 1, Salt: w.head.Salt ^ 1}
	h := build.header(&head)
	payload := build.payload(nil)
	h.Stored, h.Raw, h.Sum = uint32(len(payload)), uint32(len(payload)), checksum(payload)
	block := make([]byte, blockHeaderSize)
	h.put(block)
	block = append(block, payload...)
	for i := range 3 {
		r := Record{Kind: Frame, Conn: 1, Received: start.Add(time.Duration(i)), Data: block}
		if err := w.Write(&r); err != nil {
			t.Fatal(err)
		}
		if err := w.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	closeWriter(t, w)
	path := files(t, dir)[0]
	whole := readFile(t, path)
	f := openFile(t, path)
	for i := range whole {
		putByte(t, f, i, whole[i]^0x80)
		for rec, err := range openReader(t, dir).Records(time.Time{}, time.Time{}) {
			if err == nil && string(rec.Data) != string(block) {
				t.Fatalf("byte %d flipped: record %d is %q", i, rec.Seq, rec.Data)
			}
		}
		putByte(t, f, i, whole[i])
	}
}

func TestLaterVersion(t *testing.T) {
	dir, _ := smallCapture(t, 6)
	path := files(t, dir)[0]
	b := readFile(t, path)
	h, err := parseFileHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	later := h.append(nil)
	later[8] = formatVersion + 1
	later = binary.LittleEndian.AppendUint32(later[:60], checksum(later[:60]))
	writeFile(t, path, append(later, b[fileHeaderSize:]...))
	var last error
	for _, err := range openReader(t, dir).Records(time.Time{}, time.Time{}) {
		last = err
	}
	if !errors.Is(last, ErrVersion) {
		t.Errorf("reading: %v", last)
	}
	if _, err := OpenWriter(dir, nil); !errors.Is(err, ErrVersion) {
		t.Errorf("resuming: %v", err)
	}
}

// Records of kinds that a later version may bring are passed over, and survive
// sealing.
func TestUnknownKinds(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, &WriterOptions{noSeal: true})
	writeRange(t, w, 0, 3)
	w.mu.Lock()
	odd := Record{Kind: 100, Direction: Out, Conn: 2, Data: []byte("from the future")}
	w.seq++
	w.cur.add(&odd, start.UnixNano(), w.seq, addLive)
	w.mu.Unlock()
	writeRange(t, w, 4, 8)
	closeWriter(t, w)
	for _, sealed := range []bool{false, true} {
		if sealed {
			if err := sealSegment(dir, 1, true); err != nil {
				t.Fatal(err)
			}
		}
		if got := readDamaged(t, dir); got.records != 7 || got.reported {
			t.Errorf("sealed %t: %+v", sealed, got)
		}
		info, err := openReader(t, dir).Info()
		if err != nil || info.Total.Records != 8 {
			t.Errorf("sealed %t: %d records, %v", sealed, info.Total.Records, err)
		}
	}
}

// fullDisk refuses to grow past a limit, as a full disk does: part of the last
// write arrives.
type fullDisk struct {
	*os.File
	room *int64
}

func (f fullDisk) Write(b []byte) (int, error) {
	n := min(int64(len(b)), *f.room)
	*f.room -= n
	if n < int64(len(b)) {
		f.File.Write(b[:n])
		return int(n), &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return f.File.Write(b)
}

func TestDiskFull(t *testing.T) {
	for _, room := range []int64{200, 5000, 20_000, 70_000} {
		t.Run(fmt.Sprint(room), func(t *testing.T) {
			dir := t.TempDir()
			left := room
			w, err := OpenWriter(dir, &WriterOptions{
				BlockBytes: 4 << 10, SegmentBytes: 64 << 10,
				create: func(path string) (segmentFile, error) {
					f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
					return fullDisk{f, &left}, err
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			acknowledged := uint64(0)
			for i := uint64(0); err == nil; i++ {
				r := testRecord(i)
				if err = w.Write(&r); err == nil && i%10 == 9 {
					if err = w.Sync(); err == nil {
						acknowledged = i + 1
					}
				}
			}
			full, ok := errors.AsType[*WriteError](err)
			if !ok || !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("error %v", err)
			}
			if again := w.Sync(); again != err {
				t.Errorf("Sync after the disk was full: %v", again)
			}
			if end := w.Close(); end != err {
				t.Errorf("Close: %v", end)
			}
			if full.Saved < acknowledged {
				t.Errorf("%d saved, %d were acknowledged", full.Saved, acknowledged)
			}
			if full.Saved > 0 {
				readAll(t, openReader(t, dir), 0, full.Saved)
			}
			w = openWriter(t, dir, nil) // somebody made room
			writeRange(t, w, full.Saved, full.Saved+100)
			closeWriter(t, w)
			readAll(t, openReader(t, dir), 0, full.Saved+100)
		})
	}
}

// Sealing may be interrupted after any step; what is there then reads the same
// and is put in order by the next writer.
func TestSealingInterrupted(t *testing.T) {
	const n = 300
	open, sealed := t.TempDir(), t.TempDir()
	w := openWriter(t, open, &WriterOptions{noSeal: true})
	writeRange(t, w, 0, n)
	closeWriter(t, w)
	copyDir(t, open, sealed)
	if err := sealSegment(sealed, 1, false); err != nil {
		t.Fatal(err)
	}
	openFile, sealedFile := readFile(t, segmentPath(open, 1, openExt)), readFile(t, segmentPath(sealed, 1, sealedExt))
	for name, state := range map[string]map[string][]byte{
		"before":             {openExt: openFile},
		"part of the copy":   {openExt: openFile, tempExt: sealedFile[:len(sealedFile)/2]},
		"all of the copy":    {openExt: openFile, tempExt: sealedFile},
		"renamed":            {openExt: openFile, sealedExt: sealedFile},
		"done":               {sealedExt: sealedFile},
		"renamed, but empty": {openExt: openFile, sealedExt: nil},
		"renamed, but torn":  {openExt: openFile, sealedExt: sealedFile[:len(sealedFile)-9]},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for ext, b := range state {
				writeFile(t, segmentPath(dir, 1, ext), b)
			}
			readAll(t, openReader(t, dir), 0, n)
			w := openWriter(t, dir, nil)
			writeRange(t, w, n, n+50)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			readAll(t, openReader(t, dir), 0, n+50)
			if left := append(glob(t, dir, "*"+openExt), glob(t, dir, "*"+tempExt)...); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}
