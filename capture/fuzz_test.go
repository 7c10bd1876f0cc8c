package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

// shortRecord keeps seeds small: the fuzzer spends its time in proportion to
// their length.
func shortRecord(i uint64) Record {
	r := testRecord(i)
	r.URL = "wss://h"
	r.Data = r.Data[:min(len(r.Data), 12)]
	return r
}

// fuzzSeeds are small segments, open and sealed.
func fuzzSeeds(f *testing.F) [][]byte {
	dir := f.TempDir()
	var seeds [][]byte
	for _, open := range []bool{false, true} {
		w := openWriter(f, dir, &WriterOptions{noSeal: open})
		for i := range uint64(6) {
			r := shortRecord(i)
			if err := w.Write(&r); err != nil {
				f.Fatal(err)
			}
			if i == 3 {
				if err := w.Sync(); err != nil {
					f.Fatal(err)
				}
			}
		}
		closeWriter(f, w)
	}
	for _, path := range files(f, dir) {
		seeds = append(seeds, readFile(f, path))
	}
	return seeds
}

// mend makes the sums of a segment right, so that mutations get behind them.
func mend(b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) < fileHeaderSize {
		return b
	}
	copy(b, fileMagic)
	b[8] = formatVersion
	binary.LittleEndian.PutUint32(b[60:], checksum(b[:60]))
	for at := 0; ; at++ {
		i := bytes.Index(b[at:], []byte(blockMagic))
		if i < 0 || len(b)-at-i < blockHeaderSize {
			break
		}
		at += i
		h := b[at : at+blockHeaderSize]
		if n := int(binary.LittleEndian.Uint32(h[48:])); n <= len(b)-at-blockHeaderSize {
			binary.LittleEndian.PutUint32(h[56:], checksum(b[at+blockHeaderSize:][:n]))
		}
		binary.LittleEndian.PutUint32(h[60:], checksum(h[:60]))
	}
	if n := len(b) - trailerSize; n > fileHeaderSize {
		off, length := binary.LittleEndian.Uint64(b[n:]), binary.LittleEndian.Uint32(b[n+8:])
		if off <= uint64(n) && uint64(length) <= uint64(n)-off {
			x := b[off:][:length]
			if len(x) >= fileHeaderSize {
				copy(x, b[:fileHeaderSize])
			}
			binary.LittleEndian.PutUint32(b[n+12:], checksum(x))
		}
		binary.LittleEndian.PutUint32(b[n+20:], checksum(b[n:n+20]))
	}
	return b
}

// FuzzReader reads arbitrary bytes as a segment: no panic, no memory beyond
// what a block may take, records numbered upwards.
func FuzzReader(f *testing.F) {
	for _, b := range fuzzSeeds(f) {
		f.Add(b, false)
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, mended bool) {
		if mended {
			b = mend(b)
		}
		sealed := len(b) > 9 && b[9] == 1
		number := uint32(1)
		if len(b) > 16 {
			number = binary.LittleEndian.Uint32(b[12:])
		}
		s, err := loadSegment(bytes.NewReader(b), int64(len(b)), number, sealed)
		if errors.Is(err, ErrVersion) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		last := uint64(0)
		p := pass{r: &Reader{}, from: math.MinInt64, to: math.MaxInt64, yield: func(r Record, err error) bool {
			if err != nil {
				if AsDamage(err) == nil {
					t.Fatal(err)
				}
				return true
			}
			if r.Seq <= last {
				t.Fatalf("record %d after %d", r.Seq, last)
			}
			last = r.Seq
			return true
		}}
		if _, err := p.read(bytes.NewReader(b), s); err != nil {
			t.Fatal(err)
		}
		if cap(p.stored) > 2*maxBlock || cap(p.raw) > 2*maxBlock || len(s.items) > len(b) {
			t.Fatalf("memory: %d, %d, %d items", cap(p.stored), cap(p.raw), len(s.items))
		}
	})
}

// FuzzBlock walks arbitrary bytes as a block's payload; what reads as a whole
// block is built again and reads the same.
func FuzzBlock(f *testing.F) {
	var build blockBuilder
	for i := range uint64(100) {
		r := shortRecord(i)
		build.add(&r, r.Received.UnixNano(), i+1, addSealed)
		if i%10 == 9 {
			f.Add(build.payload(nil), build.count)
			build.reset()
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte, count uint32) {
		records := fuzzBlock(payload, count)
		if records == nil {
			return
		}
		var build blockBuilder
		for i := range records {
			build.add(&records[i].Record, records[i].ns, records[i].Seq, addSealed)
		}
		again := fuzzBlock(build.payload(nil), count)
		if len(again) != len(records) {
			t.Fatalf("%d records became %d", len(records), len(again))
		}
		for i := range again {
			a, b := again[i], records[i]
			if a.ns != b.ns || a.Conn != b.Conn || a.Channel != b.Channel || a.URL != b.URL ||
				a.Kind != b.Kind || a.Direction != b.Direction || !bytes.Equal(a.Data, b.Data) {
				t.Fatalf("record %d: %+v became %+v", i, b, a)
			}
		}
	})
}

type timedRecord struct {
	Record
	ns int64
}

// fuzzBlock returns a payload's records, nil if it is not a whole block.
func fuzzBlock(payload []byte, count uint32) []timedRecord {
	var c blockCursor
	if c.open(&blockHeader{Seq: 1, Count: count}, payload) != nil {
		return nil
	}
	var out []timedRecord
	for {
		var r Record
		ok, err := c.next(&r)
		if err != nil {
			return nil
		}
		if !ok {
			return out
		}
		out = append(out, timedRecord{r, c.now})
	}
}

// FuzzIndex reads arbitrary bytes as an index; what reads is written back to
// the same meaning.
func FuzzIndex(f *testing.F) {
	for _, b := range fuzzSeeds(f) {
		if t, ok := parseTrailer(b[len(b)-trailerSize:]); ok {
			f.Add(b[t.Offset:][:t.Length])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, ok := parseIndex(b)
		if !ok {
			return
		}
		again, ok := parseIndex(x.append(nil))
		if !ok || len(again.blocks) != len(x.blocks) || len(again.tally.PerConn) != len(x.tally.PerConn) || again.head != x.head {
			t.Fatalf("%+v became %+v", x, again)
		}
	})
}
