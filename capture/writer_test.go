package capture

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What Write took is on disk a second later, without anybody asking.
func TestOneSecondAtRisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := openWriter(t, dir, nil)
		for n := uint64(0); n < 50; n += 10 {
			writeRange(t, w, n, n+10)
			time.Sleep(time.Second)
			synctest.Wait()
			s := w.Stats()
			if s.Saved != n+10 {
				t.Errorf("a second after record %d, %d are saved", n+10, s.Saved)
			}
			var data int64
			for i := range n + 10 {
				data += int64(len(testRecord(i).Data))
			}
			if s.Data != data || s.Synced != s.Written || s.Written <= 0 {
				t.Errorf("after %d records: %d bytes of data, want %d; %d written, %d synced", n+10, s.Data, data, s.Written, s.Synced)
			}
			readAll(t, openReader(t, dir), 0, n+10)
		}
		closeWriter(t, w)
	})
}

func TestSegmentAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := openWriter(t, dir, &WriterOptions{SegmentAge: time.Minute})
		for n := range uint64(150) {
			writeRange(t, w, n, n+1)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if got := w.Stats().Segment; got != 3 {
			t.Errorf("after 150 seconds segment %d is open, want 3", got)
		}
		closeWriter(t, w)
		readAll(t, openReader(t, dir), 0, 150)
		info, err := openReader(t, dir).Info()
		if err != nil || len(info.Segments) != 3 || !info.Total.Sealed {
			t.Errorf("%+v, %v", info, err)
		}
	})
}

// gated is a disk that writes when it is told to.
type gated struct {
	segmentFile
	gate <-chan struct{}
}

func (g gated) Write(b []byte) (int, error) {
	<-g.gate
	return g.segmentFile.Write(b)
}

// A disk that stands still stops Write after a bounded number of blocks, and
// nothing is lost when it goes on.
func TestSlowDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		gate := make(chan struct{}, 1)
		gate <- struct{}{} // for the segment's header
		w := openWriter(t, dir, &WriterOptions{
			BlockBytes: 4 << 10,
			create: func(path string) (segmentFile, error) {
				f, err := os.Create(path)
				return gated{f, gate}, err
			},
		})
		var done sync.WaitGroup
		done.Go(func() { writeRange(t, w, 0, 1000) })
		synctest.Wait()
		if n, most := w.Stats().Records, uint64(queueBlocks*(4<<10)/100); n == 0 || n > most {
			t.Errorf("%d records taken while the disk stands still, want at most %d", n, most)
		}
		close(gate)
		done.Wait()
		closeWriter(t, w)
		readAll(t, openReader(t, dir), 0, 1000)
	})
}

// Several goroutines may write; each one's records keep their order.
func TestConcurrentWriters(t *testing.T) {
	const writers, each = 4, 2000
	dir := t.TempDir()
	w := openWriter(t, dir, &WriterOptions{SegmentBytes: 200 << 10, BlockBytes: 8 << 10})
	var done sync.WaitGroup
	for k := range writers {
		conn := w.NextConn()
		done.Go(func() {
			for i := range each {
				r := Record{Kind: Frame, Conn: conn, Channel: "spot", Received: start, Data: fmt.Appendf(nil, "%d %d", k, i)}
				if err := w.Write(&r); err != nil {
					t.Error(err)
					return
				}
				if i%500 == 0 {
					if err := w.Sync(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	done.Wait()
	closeWriter(t, w)
	next := make([]int, writers)
	for rec, err := range openReader(t, dir).Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		var k, i int
		if _, err := fmt.Sscanf(string(rec.Data), "%d %d", &k, &i); err != nil {
			t.Fatal(err)
		}
		if i != next[k] || rec.Conn != uint64(k+1) {
			t.Fatalf("writer %d: %d on connection %d, want %d", k, i, rec.Conn, next[k])
		}
		next[k]++
	}
	for k, n := range next {
		if n != each {
			t.Errorf("writer %d: %d records", k, n)
		}
	}
}

// A capture can be read over and over while it is written, sealed and its open
// files are removed: always a prefix, never shorter than the one before.
func TestReadWhileWriting(t *testing.T) {
	const n = 8000
	dir := t.TempDir()
	w := openWriter(t, dir, &WriterOptions{SegmentBytes: 100 << 10, BlockBytes: 4 << 10})
	writeRange(t, w, 0, 1)
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() { writeRange(t, w, 1, n) })
	r := openReader(t, dir)
	for seen := uint64(0); seen < n; {
		i := uint64(0)
		for rec, err := range r.Records(time.Time{}, time.Time{}) {
			if err == nil {
				err = same(&rec, i)
			}
			if err != nil {
				t.Fatal(err)
			}
			i++
		}
		if i < seen {
			t.Fatalf("%d records, there had been %d", i, seen)
		}
		if seen = i; seen < n {
			if err := w.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	done.Wait()
	closeWriter(t, w)
}

// Reading costs no allocation per record, and writing none either.
func TestNoAllocations(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, &WriterOptions{noSeal: true})
	records, _ := benchRecords(2000)
	i := 0
	write := func() {
		if err := w.Write(&records[i%len(records)]); err != nil {
			t.Fatal(err)
		}
		i++
	}
	for range 20_000 {
		write()
	}
	if n := testing.AllocsPerRun(5000, write); n != 0 {
		t.Errorf("Write allocates %v times", n)
	}
	closeWriter(t, w)
	r := openReader(t, dir)
	pass := func() (n int) {
		for _, err := range r.Records(time.Time{}, time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	records20k := pass()
	if n := testing.AllocsPerRun(3, func() { pass() }); n > float64(records20k)/100 {
		t.Errorf("reading %d records allocates %v times", records20k, n)
	}
}
