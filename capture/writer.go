package capture

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Errors of a Writer.
var (
	// ErrLocked means that another writer has the capture open.
	ErrLocked = errors.New("another writer has this capture open")
	// ErrClosed is returned by a Writer after Close.
	ErrClosed = errors.New("capture writer is closed")
)

// WriterOptions are the settings of a Writer. The zero value is useful.
type WriterOptions struct {
	// SegmentBytes is how much unpacked data a segment takes before it is
	// sealed. Default 64 MiB.
	SegmentBytes int64
	// SegmentAge is how long a segment takes records before it is sealed.
	// Default one hour.
	SegmentAge time.Duration
	// BlockBytes is how much unpacked data makes a block that is written
	// without waiting for the clock, at most 4 MiB. Default 256 KiB.
	BlockBytes int
	// AtRisk is how long a record may wait before it is on disk: blocks are
	// written and synced every half of it, the other half is for the disk.
	// Default one second.
	AtRisk time.Duration
	// Notice is called for what the writer notices: a torn tail cut when a
	// capture is resumed, a segment that could not be sealed. It runs on the
	// writer's goroutines (or in OpenWriter), one call at a time, and must not call
	// the Writer. Default: notices are kept for Notices only.
	Notice func(Notice)

	create func(path string) (segmentFile, error) // tests put a full disk here
	noSeal bool                                   // tests leave the capture as a crash would
}

// segmentFile is what the writer needs of an open segment's file.
type segmentFile interface {
	io.Writer
	Truncate(size int64) error
	Sync() error
	Close() error
}

// queueBlocks is how many full blocks may wait for the disk. A Write beyond
// that waits: a recorder that cannot keep up must say so upstream (its own
// queue is bounded and reports a gap) and not grow without end.
const queueBlocks = 8

// WriteError says that the disk refused and that the Writer has stopped. The
// records up to Saved are on disk and will be read back; later ones are not.
type WriteError struct {
	Segment uint32
	Saved   uint64 // number of the last record known to be on disk; 0 for none
	Err     error
}

// Error names the segment, what is safe and the cause.
func (e *WriteError) Error() string {
	return fmt.Sprintf("capture.write segment %d: %v; records up to %d are saved, later ones are not", e.Segment, e.Err, e.Saved)
}

// Unwrap returns the cause, such as syscall.ENOSPC.
func (e *WriteError) Unwrap() error { return e.Err }

// Writer appends records to a capture. Its methods may be called from several
// goroutines; records are numbered in the order in which Write takes them.
//
// Write only encodes into memory. One goroutine owns the open segment: it
// takes over full blocks, and every half AtRisk what has gathered, packs,
// writes and syncs. A second one seals full segments.
type Writer struct {
	dir  string
	opts WriterOptions
	lock *os.File

	// mu guards what Write and the writing goroutine hand to each other.
	mu     sync.Mutex
	room   *sync.Cond      // a builder became free, or the writer stopped
	cur    *blockBuilder   // being filled; nil when all builders are away
	full   []*blockBuilder // to be written, oldest first
	free   []*blockBuilder
	seq    uint64 // of the last record taken
	data   int64  // bytes of Data taken
	conns  uint64 // highest connection number seen
	err    error  // why the writer stopped; ErrClosed after Close
	closed bool
	stats  WriterStats // what the writing goroutine last told; Records and Data are not

	wake chan struct{}   // one token: full is not empty
	sync chan chan error // Sync requests
	quit chan struct{}   // closed by Close
	done chan struct{}   // closed when both goroutines ended

	noteMu  sync.Mutex // guards notices, and that Notice is called once at a time
	notices []Notice

	// What follows is owned by the writing goroutine, after OpenWriter.
	file    segmentFile
	head    fileHeader
	size    int64 // of the file, whole blocks only
	raw     int64 // unpacked bytes in the segment
	begun   time.Time
	saved   uint64 // last record known to be on disk
	written uint64 // last record written
	out     int64  // bytes written, to all segments
	pack    *packer
	turn    []*blockBuilder
	payload []byte
	block   []byte
	lost    []string // what recovery has to say in the capture itself
	pending []uint32 // full segments that wait for the sealer
	seal    chan sealJob
}

// OpenWriter opens the capture in dir for appending, and makes the directory
// if there is none. A capture that was not closed (a crash) is recovered first:
// the torn tail is cut with a notice and its segment sealed. The error is
// ErrLocked while another writer has the capture.
func OpenWriter(dir string, opts *WriterOptions) (*Writer, error) {
	w := &Writer{
		dir: dir, wake: make(chan struct{}, 1), sync: make(chan chan error),
		quit: make(chan struct{}), done: make(chan struct{}), seal: make(chan sealJob),
	}
	if opts != nil {
		w.opts = *opts
	}
	w.opts.defaults()
	w.room = sync.NewCond(&w.mu)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("capture.open: %w", err)
	}
	var err error
	if w.lock, err = lockFile(segmentLock(dir)); err != nil {
		return nil, fmt.Errorf("capture.open %s: %w", dir, err)
	}
	if err := w.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("capture.open %s: %w", dir, err), unlockFile(w.lock))
	}
	go w.run()
	return w, nil
}

func (o *WriterOptions) defaults() {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 64 << 20
	}
	if o.SegmentAge <= 0 {
		o.SegmentAge = time.Hour
	}
	if o.BlockBytes <= 0 {
		o.BlockBytes = 256 << 10
	}
	o.BlockBytes = min(o.BlockBytes, 4<<20)
	if o.AtRisk <= 0 {
		o.AtRisk = time.Second
	}
	if o.create == nil {
		o.create = func(path string) (segmentFile, error) {
			return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		}
	}
}

// start recovers what is there and makes the first open segment.
func (w *Writer) start() error {
	next, err := w.recover()
	if err != nil {
		return err
	}
	if w.pack, err = newPacker(zstd.SpeedFastest, nil); err != nil {
		return err
	}
	for range queueBlocks {
		w.free = append(w.free, new(blockBuilder))
	}
	w.written, w.saved = w.seq, w.seq
	if err := w.newSegment(next); err != nil {
		return err
	}
	return w.reportLost()
}

// Write takes one record. It keeps nothing of r: data is copied, and auth
// arguments are left out of the copy. It returns before the record is on disk (see Sync) and waits only
// while queueBlocks full blocks are on their way there. The error is about the
// record, or a *WriteError, or ErrClosed.
func (w *Writer) Write(r *Record) error {
	if err := r.check(); err != nil {
		return err
	}
	ns := r.Received.UnixNano()
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil && w.cur == nil {
		if n := len(w.free); n > 0 {
			w.cur, w.free = w.free[n-1], w.free[:n-1]
			break
		}
		w.room.Wait()
	}
	if w.err != nil {
		return w.err
	}
	w.seq++
	w.data += int64(len(r.Data))
	w.conns = max(w.conns, r.Conn)
	w.cur.add(r, ns, w.seq, addLive)
	if w.cur.size() >= w.opts.BlockBytes {
		w.full = append(w.full, w.cur)
		w.cur = nil
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// NextConn returns a connection number that no record of this capture has.
func (w *Writer) NextConn() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns++
	return w.conns
}

// WriterStats is what a Writer has done.
type WriterStats struct {
	Records uint64 // number of the last record taken, those of earlier writers included
	Saved   uint64 // number of the last record known to be on disk
	Segment uint32 // number of the segment that is open
	Data    int64  // bytes of Data that this writer took
	Written int64  // bytes that this writer wrote to open segments
	Synced  int64  // of these, bytes known to be on disk
}

// Stats returns what the writer has done so far.
func (w *Writer) Stats() WriterStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	stats := w.stats
	stats.Records, stats.Data = w.seq, w.data
	return stats
}

// Sync returns when every record written before the call is on disk.
func (w *Writer) Sync() error {
	answer := make(chan error, 1)
	select {
	case w.sync <- answer:
		return <-answer
	case <-w.done:
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.err
	}
}

// Notices returns what the writer has noticed so far.
func (w *Writer) Notices() []Notice {
	w.noteMu.Lock()
	defer w.noteMu.Unlock()
	return append([]Notice(nil), w.notices...)
}

func (w *Writer) notice(n Notice) {
	w.noteMu.Lock()
	defer w.noteMu.Unlock()
	w.notices = append(w.notices, n)
	if w.opts.Notice != nil {
		w.opts.Notice(n)
	}
}

// Close writes and syncs what was taken, seals the segment and gives the
// directory free. It returns why the writer stopped, if it had. A second
// Close returns ErrClosed.
func (w *Writer) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return fmt.Errorf("capture.close: %w", ErrClosed)
	}
	w.closed = true
	w.mu.Unlock()
	close(w.quit)
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	if errors.Is(err, ErrClosed) {
		err = nil
	}
	if e := unlockFile(w.lock); err == nil && e != nil {
		err = fmt.Errorf("capture.close: %w", e)
	}
	return err
}

// run is the writing goroutine.
func (w *Writer) run() {
	defer close(w.done)
	sealed := make(chan struct{})
	go w.sealing(sealed)
	defer func() {
		close(w.seal)
		<-sealed
	}()
	tick := time.NewTicker(w.opts.AtRisk / 2)
	defer tick.Stop()
	for {
		var seal chan sealJob
		var job sealJob
		if len(w.pending) > 0 {
			seal, job = w.seal, w.nextSeal()
		}
		select {
		case <-w.wake:
			w.drain(false)
		case <-tick.C:
			w.flush()
		case answer := <-w.sync:
			w.flush()
			answer <- w.failure()
		case seal <- job:
			w.pending = w.pending[1:]
		case <-w.quit:
			w.finish()
			return
		}
	}
}

// finish empties the queue, closes the segment and has all segments sealed.
func (w *Writer) finish() {
	w.mu.Lock()
	stopped := w.err
	if stopped == nil {
		w.err = fmt.Errorf("capture.write: %w", ErrClosed) // no more Write from here on
		w.room.Broadcast()
	}
	w.mu.Unlock()
	if stopped == nil {
		w.flush()
		w.closeSegment()
	}
	for ; len(w.pending) > 0; w.pending = w.pending[1:] {
		w.seal <- w.nextSeal()
	}
}

// sealJob is one segment for the sealing goroutine.
type sealJob struct {
	number uint32
	hurry  bool
}

func (w *Writer) nextSeal() sealJob {
	return sealJob{w.pending[0], len(w.pending) >= hurriedBehind}
}

// failure returns why the writer stopped, nil while it works.
func (w *Writer) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// sealing is the second goroutine. A segment that cannot be sealed stays open
// and readable; the next writer tries again.
func (w *Writer) sealing(ended chan<- struct{}) {
	defer close(ended)
	for job := range w.seal {
		if w.opts.noSeal {
			continue
		}
		if err := sealSegment(w.dir, job.number, job.hurry); err != nil {
			w.notice(Notice{Kind: NoticeUnsealed, Segment: job.number, Err: err})
		}
	}
}

// flush brings everything taken so far to the disk.
func (w *Writer) flush() {
	w.drain(true)
	if w.file == nil || w.saved == w.written {
		return
	}
	if err := w.file.Sync(); err != nil {
		w.fail(err)
		return
	}
	w.saved = w.written
	if time.Since(w.begun) >= w.opts.SegmentAge {
		w.roll()
	}
	w.tell()
}

// tell publishes what Stats returns.
func (w *Writer) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Saved, w.stats.Segment = w.saved, w.head.Segment
	w.stats.Written = w.out
	if w.saved == w.written {
		w.stats.Synced = w.out
	}
}

// drain writes the blocks that are full now, and with all the one being filled
// too. What comes in meanwhile has its own turn, so that a fast producer cannot
// keep the clock from being heard.
func (w *Writer) drain(all bool) {
	w.mu.Lock()
	if all && w.cur != nil && w.cur.count > 0 {
		w.full, w.cur = append(w.full, w.cur), nil
	}
	turn := append(w.turn[:0], w.full...)
	w.full = w.full[:0]
	w.mu.Unlock()
	for _, b := range turn {
		if w.file != nil {
			w.writeBlock(b)
		}
		b.reset()
		w.mu.Lock()
		w.free = append(w.free, b)
		w.room.Signal()
		w.mu.Unlock()
	}
	w.turn = turn[:0]
}

// writeBlock appends one block to the segment, in one write.
func (w *Writer) writeBlock(b *blockBuilder) {
	w.payload = b.payload(w.payload[:0])
	h := b.header(&w.head)
	w.block = append(w.block[:0], make([]byte, blockHeaderSize)...)
	w.block, h.Codec = w.pack.pack(w.block, w.payload)
	body := w.block[blockHeaderSize:]
	h.Stored, h.Raw, h.Sum = uint32(len(body)), uint32(len(w.payload)), checksum(body)
	h.put(w.block)
	if _, err := w.file.Write(w.block); err != nil {
		w.fail(err)
		return
	}
	w.size += int64(len(w.block))
	w.out += int64(len(w.block))
	w.raw += int64(h.Raw)
	w.written = b.seq + uint64(b.count) - 1
	if w.raw >= w.opts.SegmentBytes {
		w.roll()
	}
}

// fail stops the writer: what is whole stays, the rest is cut off, and every
// later call gets the reason.
func (w *Writer) fail(err error) {
	if w.file.Truncate(w.size) == nil && w.file.Sync() == nil {
		w.saved = w.written
	}
	w.file.Close()
	w.file = nil
	w.tell()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = &WriteError{Segment: w.head.Segment, Saved: w.saved, Err: err}
	w.full, w.cur = nil, nil
	w.room.Broadcast()
}

// roll ends the segment and begins the next one.
func (w *Writer) roll() {
	number := w.head.Segment
	w.closeSegment()
	if w.failure() != nil && !errors.Is(w.failure(), ErrClosed) {
		return
	}
	if err := w.newSegment(number + 1); err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.err = &WriteError{Segment: number + 1, Saved: w.saved, Err: err}
		w.full, w.cur = nil, nil
		w.room.Broadcast()
	}
}

// closeSegment syncs and closes the open segment and hands it to the sealer.
func (w *Writer) closeSegment() {
	if w.file == nil {
		return
	}
	if err := w.file.Sync(); err != nil {
		w.fail(err)
		return
	}
	w.saved = w.written
	err := w.file.Close()
	w.file = nil
	if err == nil && w.size == fileHeaderSize {
		err = os.Remove(segmentPath(w.dir, w.head.Segment, openExt)) // nothing was recorded
		if err == nil {
			return
		}
	}
	if err != nil {
		w.notice(Notice{Kind: NoticeUnsealed, Segment: w.head.Segment, Err: err})
	}
	w.pending = append(w.pending, w.head.Segment)
}

// newSegment makes the open segment that takes the next records.
func (w *Writer) newSegment(number uint32) error {
	var salt [8]byte
	rand.Read(salt[:])
	now := time.Now()
	w.head = fileHeader{
		Segment: number, Salt: max(1, binary.LittleEndian.Uint64(salt[:])),
		Seq: w.written + 1, Created: now.UnixNano(),
	}
	path := segmentPath(w.dir, number, openExt)
	f, err := w.opts.create(path)
	if err != nil {
		return err
	}
	if _, err = f.Write(w.head.append(nil)); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = syncDir(w.dir)
	}
	if err != nil {
		return errors.Join(err, f.Close(), removeIfThere(path))
	}
	w.file, w.size, w.raw, w.begun = f, fileHeaderSize, 0, now
	w.tell()
	return nil
}
