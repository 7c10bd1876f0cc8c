package capture

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func segmentLock(dir string) string { return filepath.Join(dir, lockName) }

// recover puts a capture in order that may have ended in a crash, before the
// first record is taken. It returns the number of the next segment and sets
// the record and connection numbers to go on from. A segment left open is cut
// to its whole blocks and queued for sealing; where anything was cut, the
// capture says so itself with a Gap record.
func (w *Writer) recover() (next uint32, err error) {
	if err := w.removeTemps(); err != nil {
		return 0, err
	}
	list, err := listSegments(w.dir)
	if err != nil {
		return 0, err
	}
	r := &Reader{dir: w.dir, loaded: make(map[uint32]*segment)}
	for _, e := range list {
		next = max(next, e.number)
		if e.open && e.sealed {
			if e.open, err = w.dropLeftover(e.number); err != nil {
				return 0, err
			}
		}
		if e.open {
			if err := w.recoverOpen(e.number); err != nil {
				return 0, err
			}
		}
		if err := w.resume(r, e); err != nil {
			return 0, err
		}
	}
	return next + 1, nil
}

// removeTemps removes sealings that did not finish.
func (w *Writer) removeTemps() error {
	files, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		number, ext, ok := parseSegmentName(f.Name())
		if !ok || ext != tempExt {
			continue
		}
		if err := os.Remove(filepath.Join(w.dir, f.Name())); err != nil {
			return err
		}
		w.notice(Notice{Kind: NoticeLeftover, Segment: number})
	}
	return nil
}

// dropLeftover removes the open file of a segment whose sealed file is whole.
// It reports whether the open file is still there: where the sealed one is not
// whole, both stay.
func (w *Writer) dropLeftover(number uint32) (open bool, err error) {
	ok, err := isSealed(w.dir, number)
	if err != nil || !ok {
		return true, err
	}
	w.notice(Notice{Kind: NoticeLeftover, Segment: number})
	return false, os.Remove(segmentPath(w.dir, number, openExt))
}

// recoverOpen cuts an open segment to its whole blocks and queues it.
func (w *Writer) recoverOpen(number uint32) error {
	path := segmentPath(w.dir, number, openExt)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := loadFile(f, number, false)
	if err != nil {
		return err
	}
	for _, n := range s.notices {
		w.notice(n)
	}
	if s.torn > 0 {
		w.lost = append(w.lost, fmt.Sprintf("recording ended without a close; %d bytes of an unfinished block were cut from segment %d", s.torn, number))
	}
	if len(s.items) == 0 { // not a single block: nothing was ever on disk
		f.Close()
		return os.Remove(path)
	}
	if s.torn > 0 {
		if err := errors.Join(f.Truncate(s.end), f.Sync()); err != nil {
			return fmt.Errorf("cut the torn tail: %w", err)
		}
	}
	if s.whole() {
		w.pending = append(w.pending, number)
	}
	return nil
}

// resume learns the numbers to go on from. The last record's number comes from
// the last segment; connection numbers from every index, or, where there is
// none, from the blocks.
func (w *Writer) resume(r *Reader, e entry) error {
	f, s, err := r.open(e)
	if err != nil || f == nil {
		return err
	}
	defer f.Close()
	for i := range s.items {
		if b := &s.items[i].blockRef; s.items[i].damage == nil {
			w.seq = max(w.seq, b.Seq+uint64(b.Count)-1)
		}
	}
	if s.headOK {
		w.seq = max(w.seq, s.head.Seq+s.head.Records-1)
	}
	if s.tally != nil {
		for i := range s.tally.PerConn {
			w.conns = max(w.conns, s.tally.PerConn[i].ID)
		}
		return nil
	}
	t, _, err := countSegment(f, s)
	if err != nil {
		return err
	}
	for i := range t.PerConn {
		w.conns = max(w.conns, t.PerConn[i].ID)
	}
	return nil
}

// reportLost records what a crash cost, first thing in the new segment.
func (w *Writer) reportLost() error {
	for _, text := range w.lost {
		if err := w.Write(&Record{Kind: Gap, Received: time.Now(), Data: []byte(text)}); err != nil {
			return err
		}
	}
	if len(w.lost) > 0 {
		// At once: who is killed again before the clock comes round would leave a
		// capture that has lost its tail and does not say so.
		w.flush()
	}
	w.lost = nil
	return w.failure()
}
