package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bywire/bywire/bybit"
)

// Format names what a file to import holds.
type Format string

// The formats that Import reads. Each may lie in a gzip file or a zip archive.
const (
	// FormatV5JSONL is one V5 frame a line, or {"recv":TIME,"frame":FRAME}
	// around it with an optional "category". TIME is RFC 3339 or a Unix time in
	// seconds, milliseconds, microseconds or nanoseconds. Frames are kept as
	// they are, byte for byte.
	FormatV5JSONL Format = "v5-jsonl"
	// FormatV2Log is a log of the retired V2 stream as cryptofeed wrote it:
	// "URL <-> TIME" for a connect, "URL <- TIME: FRAME" for what was sent and
	// "TIME: FRAME" for what came. orderBookL2_25, orderBook_200 and trade
	// become V5 messages.
	FormatV2Log Format = "v2-log"
	// FormatBybitBooks is the venue's own history of order books
	// (*_ob500.data, *_ob200.data): V5 frames without a receive time.
	FormatBybitBooks Format = "bybit-ob"
	// FormatBybitTrades is the venue's own history of trades as CSV, with the
	// columns of derivatives or of spot, oldest or newest row first.
	FormatBybitTrades Format = "bybit-trades"
)

// Formats returns the formats that Import reads.
func Formats() []Format {
	return []Format{FormatV5JSONL, FormatV2Log, FormatBybitBooks, FormatBybitTrades}
}

// ImportOptions says how to read what is imported.
type ImportOptions struct {
	// Format of all files. No default.
	Format Format
	// Category of what the files do not name a category for. Default: none,
	// and rows that need one are refused. A V2 log names it by its URLs.
	Category bybit.Category
	// MaxBytes bounds what one file may unpack to. Default: 64 GiB.
	MaxBytes int64
	// MaxRatio bounds how many bytes one packed byte may unpack to, judged
	// after the first megabyte. Default: 500.
	MaxRatio int64
	// Progress is called about every 4 MB of input with the bytes read so far
	// of all files and their total. Default: none.
	Progress func(read, total int64)
}

// ImportReport says what became of one file.
type ImportReport struct {
	File     string
	Rows     int // lines or CSV rows that hold something, headers left out
	Frames   int // frames written, of all kinds
	Data     int // of these, data messages
	Control  int // of these, acknowledgements, pongs and what clients sent
	Connects int // connects written
	Trades   int // trades in the data messages that were made from rows
	Refused  int // rows that were not taken over
	Refusals []Refusal
	First    time.Time // receive time of the first and last frame
	Last     time.Time
	// TimesFrom is "recv" if the receive times are those of a recorder, and
	// "ts" if some are the venue's time of the message, for want of another.
	TimesFrom string
}

// maxRefusals is how many refusals a report names; Refused counts all.
const maxRefusals = 1000

// Refusal names a row that was not taken over.
type Refusal struct {
	Line   int    // from 1, in each member of an archive anew
	Reason string // begins with the member's name where an archive has several
}

// String returns the refusal as "line 12: reason".
func (r Refusal) String() string { return fmt.Sprintf("line %d: %s", r.Line, r.Reason) }

func (r *ImportReport) refuse(at place, reason error) {
	r.Refused++
	if len(r.Refusals) >= maxRefusals {
		return
	}
	text := reason.Error()
	if at.member != "" {
		text = at.member + ": " + text
	}
	r.Refusals = append(r.Refusals, Refusal{Line: at.number, Reason: text})
}

// timed notes where a receive time came from. One that had to be taken from a
// message is worth knowing, however many were recorded.
func (r *ImportReport) timed(from string) {
	if r.TimesFrom != timesFromTS {
		r.TimesFrom = from
	}
}

// Where the receive times of an import come from.
const (
	timesFromRecv = "recv"
	timesFromTS   = "ts"
)

// ErrNotEmpty says that the capture to import into holds records already.
// Import merges its files by time, which it cannot do with what is written.
var ErrNotEmpty = errors.New("capture: import needs an empty capture: name all files in one import")

// Import writes what the files hold into the capture, merged by receive time;
// rows of one file keep their order (trades listed newest first are sorted). A
// row that is not what the format promises is refused, counted and named by its
// line; it is never mended. The reports are one per file, in the order given.
// The error is that of the first file that cannot be read on, of the writer, or
// ctx's; what was read until then is in the capture.
func Import(ctx context.Context, w *Writer, opts *ImportOptions, files ...string) ([]*ImportReport, error) {
	if opts == nil || !slices.Contains(Formats(), opts.Format) {
		return nil, fmt.Errorf("capture: import: no format named; there are %v", Formats())
	}
	if w.Stats().Records > 0 {
		return nil, ErrNotEmpty
	}
	meter, err := newMeter(files, opts.Progress)
	if err != nil {
		return nil, err
	}
	reports := make([]*ImportReport, len(files))
	lanes := make([]*lane, 0, len(files))
	defer func() {
		for _, l := range lanes {
			l.stop()
		}
	}()
	for i, file := range files {
		reports[i] = &ImportReport{File: file}
		src := &source{ctx: ctx, path: file, opts: opts, meter: meter, report: reports[i]}
		next, stop := iter.Pull2(src.items())
		l := &lane{order: i, next: next, stop: stop, report: reports[i]}
		lanes = append(lanes, l)
		if err := l.advance(); err != nil {
			return reports, err
		}
	}
	return reports, merge(w, slices.Clone(lanes))
}

// item is one thing to write: a record of the capture, and whether it is a
// data message.
type item struct {
	Record
	place
	data   bool
	trades int
}

// lane is one file on its way into the merge.
type lane struct {
	order  int
	next   func() (item, error, bool)
	stop   func()
	head   item
	done   bool
	conns  connections
	report *ImportReport
}

// advance makes the next item that a capture can hold the head.
func (l *lane) advance() error {
	for {
		it, err, ok := l.next()
		if !ok {
			l.done = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("capture: import %s: %w", filepath.Base(l.report.File), err)
		}
		it.Conn = 1 // any will do for the check; write gives it its own
		if err := it.check(); err != nil {
			l.report.refuse(it.place, err)
			continue
		}
		l.head = it
		return nil
	}
}

func (l *lane) compare(o *lane) int {
	return cmp.Or(l.head.Received.Compare(o.head.Received), cmp.Compare(l.order, o.order))
}

// merge writes the heads of the lanes, always the one received first. It keeps
// the lanes sorted: mostly the files of an import are days or symbols, so that
// the next item is of the same file or of one close by.
func merge(w *Writer, lanes []*lane) error {
	lanes = slices.DeleteFunc(lanes, func(l *lane) bool { return l.done })
	slices.SortFunc(lanes, (*lane).compare)
	for len(lanes) > 0 {
		first := lanes[0]
		if err := first.write(w); err != nil {
			return err
		}
		if err := first.advance(); err != nil {
			return err
		}
		if first.done {
			lanes = lanes[1:]
			continue
		}
		n := 1
		for n < len(lanes) && first.compare(lanes[n]) > 0 {
			lanes[n-1] = lanes[n]
			n++
		}
		lanes[n-1] = first
	}
	return nil
}

// write hands the head to the writer and counts it.
func (l *lane) write(w *Writer) error {
	r := l.report
	rec := &l.head.Record
	if err := l.conns.announce(w, rec, r); err != nil {
		return err
	}
	if err := w.Write(rec); err != nil {
		return err
	}
	if rec.Kind == Connect {
		r.Connects++
		return nil
	}
	r.Frames++
	r.Trades += l.head.trades
	if l.head.data {
		r.Data++
	} else {
		r.Control++
	}
	if r.First.IsZero() {
		r.First = rec.Received
	}
	r.Last = rec.Received
	return nil
}

// source reads one file as items.
type source struct {
	ctx    context.Context // ends the reading of lines
	path   string
	opts   *ImportOptions
	meter  *meter
	report *ImportReport
}

// items returns the rows of the file as records, in the file's order.
func (s *source) items() iter.Seq2[item, error] {
	switch s.opts.Format {
	case FormatV2Log:
		return s.v2Items()
	case FormatBybitTrades:
		return s.tradeItems()
	}
	return s.v5Items() // bybit-ob is such frames too
}

// channel returns the channel of a category, or of the import's own where the
// row names none.
func (s *source) channel(category string) (bybit.Channel, error) {
	if category == "" {
		category = string(s.opts.Category)
	}
	switch category {
	case bybit.Spot, bybit.Linear, bybit.Inverse, bybit.Option, bybit.Spread, bybit.RFQ, bybit.Status, bybit.Finance:
		return bybit.Channel(category), nil
	case "":
		return "", errors.New("no category: the row names none, and none was given for the import")
	}
	return "", fmt.Errorf("unknown category %q", category)
}

// meter counts the bytes read of all files for the progress report.
type meter struct {
	read, total, told int64
	progress          func(read, total int64)
}

func newMeter(files []string, progress func(read, total int64)) (*meter, error) {
	m := &meter{progress: progress}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("capture: import: %w", err)
		}
		if info.IsDir() {
			return nil, fmt.Errorf("capture: import: %s is a folder, not a file", file)
		}
		m.total += info.Size()
	}
	return m, nil
}

func (m *meter) add(n int) {
	m.read = min(m.read+int64(n), m.total) // the list of a zip is read twice
	if m.progress != nil && m.read-m.told >= 4<<20 {
		m.told = m.read
		m.progress(m.read, m.total)
	}
}

// metered counts what is read of a file.
type metered struct {
	file *os.File
	m    *meter
}

func (r metered) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	r.m.add(n)
	return n, err
}

// ReadAt is for zip archives, whose list is at the end.
func (r metered) ReadAt(p []byte, offset int64) (int, error) {
	n, err := r.file.ReadAt(p, offset)
	r.m.add(n)
	return n, err
}

// connections gives each channel and URL of a file a connection of the capture.
type connections map[dialled]uint64

type dialled struct{ channel, url string }

// announce sets the record's connection. A connect opens a new one; a frame
// without one opens it with the frame's own time, because the file does not say
// when it was made.
func (c *connections) announce(w *Writer, rec *Record, report *ImportReport) error {
	if *c == nil {
		*c = make(connections)
	}
	key := dialled{rec.Channel, rec.URL}
	if conn, ok := (*c)[key]; ok && rec.Kind != Connect {
		rec.Conn = conn
		return nil
	}
	rec.Conn = w.NextConn()
	(*c)[key] = rec.Conn
	if rec.Kind == Connect {
		return nil
	}
	report.Connects++
	return w.Write(&Record{Kind: Connect, Conn: rec.Conn, Channel: rec.Channel, URL: rec.URL, Received: rec.Received})
}
