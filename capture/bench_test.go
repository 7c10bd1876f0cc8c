package capture

import (
	"testing"
	"time"
)

// benchRecords are frames of about 285 bytes, made before the clock starts.
func benchRecords(n int) (records []Record, bytes int) {
	for i := range uint64(n) {
		r := testRecord(i)
		if r.Kind != Frame {
			r = testRecord(i + 1)
			r.Kind, r.Direction, r.Conn, r.Channel, r.URL, r.Data = Frame, In, 1, "linear", "wss://stream.example.com/v5/public/linear", testFrame(i)
		}
		records = append(records, r)
		bytes += len(r.Data)
	}
	return records, bytes / n
}

// BenchmarkWrite is the whole path of an open segment: encode, pack, write and
// sync once per million records.
func BenchmarkWrite(b *testing.B) {
	records, size := benchRecords(10_000)
	w := openWriter(b, b.TempDir(), &WriterOptions{SegmentBytes: 1 << 40, noSeal: true})
	b.SetBytes(int64(size))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := w.Write(&records[i%len(records)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	if err := w.Sync(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
	closeWriter(b, w)
}

// BenchmarkEncode is what the caller of Write pays.
func BenchmarkEncode(b *testing.B) {
	records, size := benchRecords(10_000)
	var build blockBuilder
	b.SetBytes(int64(size))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r := &records[i%len(records)]
		build.add(r, r.Received.UnixNano(), uint64(i), addLive)
		if build.size() > 256<<10 {
			build.reset()
		}
		i++
	}
}

func benchmarkRead(b *testing.B, sealed bool) {
	records, size := benchRecords(100_000)
	dir := b.TempDir()
	w := openWriter(b, dir, &WriterOptions{noSeal: !sealed})
	for i := range records {
		if err := w.Write(&records[i]); err != nil {
			b.Fatal(err)
		}
	}
	closeWriter(b, w)
	r := openReader(b, dir)
	info, err := r.Info()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		for rec, err := range r.Records(time.Time{}, time.Time{}) {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n >= b.N {
				break
			}
			_ = rec
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
	b.ReportMetric(info.Total.Ratio(), "ratio")
}

func BenchmarkReadOpen(b *testing.B)   { benchmarkRead(b, false) }
func BenchmarkReadSealed(b *testing.B) { benchmarkRead(b, true) }

func benchmarkSeal(b *testing.B, hurry bool) {
	const n = 60_000
	open := b.TempDir()
	w := openWriter(b, open, &WriterOptions{noSeal: true})
	writeRange(b, w, 0, n)
	closeWriter(b, w)
	before, err := openReader(b, open).Info()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(before.Total.RawBytes)
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		copyDir(b, open, dir)
		b.StartTimer()
		if err := sealSegment(dir, 1, hurry); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		after, err := openReader(b, dir).Info()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(after.Total.Ratio(), "ratio")
		b.StartTimer()
	}
}

func BenchmarkSeal(b *testing.B)        { benchmarkSeal(b, false) }
func BenchmarkSealHurried(b *testing.B) { benchmarkSeal(b, true) }
