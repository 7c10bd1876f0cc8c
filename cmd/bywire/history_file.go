package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

var errHistoryLocked = errors.New("another bywire history writes to it")

// rowText writes rows as lines of CSV or NDJSON, and reads them again.
type rowText struct {
	csv    bool
	header []string
	about  []string
	at     int // of the column time
}

func newRowText(format string, q *historyQuery) *rowText {
	header := q.kind.header()
	return &rowText{csv: format == formatCSV, header: header, about: q.about(), at: slices.Index(header, "time")}
}

// head appends what stands before the first row.
func (t *rowText) head(dst []byte) []byte {
	if !t.csv {
		return dst
	}
	return append(append(dst, strings.Join(t.header, ",")...), '\n')
}

// append appends a row. None of the venue's values needs quoting in CSV.
func (t *rowText) append(dst []byte, row *historyRow) []byte {
	if t.csv {
		dst = append(dst, strings.Join(t.about, ",")...)
		for _, v := range row.values {
			dst = append(append(dst, ','), csvCell(v)...)
		}
		return append(dst, '\n')
	}
	for i, name := range t.header {
		if i == 0 {
			dst = append(dst, '{')
		} else {
			dst = append(dst, ',')
		}
		dst = append(wire.AppendString(dst, name), ':')
		if i < len(t.about) {
			dst = wire.AppendString(dst, t.about[i])
		} else {
			dst = wire.AppendString(dst, row.values[i-len(t.about)])
		}
	}
	return append(dst, "}\n"...)
}

// begin is what each line begins with; of the first one if that is asked for.
func (t *rowText) begin(first bool) []byte {
	switch {
	case first && t.csv:
		return t.head(nil)
	case t.csv:
		return []byte(strings.Join(t.about, ",") + ",")
	}
	return []byte(`{"` + t.header[0] + `":"` + t.about[0])
}

// csvCell is a value as it stands in CSV.
func csvCell(v string) string {
	if !strings.ContainsAny(v, "\",\r\n") {
		return v
	}
	return `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
}

var errRow = errors.New("not a row of what was asked for: another symbol, interval or kind, or another format")

// parse reads a line that append has written, of the same query.
func (t *rowText) parse(line []byte) (*historyRow, error) {
	values := make([]string, 0, len(t.header))
	if t.csv {
		cells, err := csv.NewReader(bytes.NewReader(line)).Read()
		if err != nil || len(cells) != len(t.header) {
			return nil, errRow
		}
		values = cells
	} else {
		var members map[string]string
		if err := json.Unmarshal(line, &members); err != nil || len(members) != len(t.header) {
			return nil, errRow
		}
		for _, name := range t.header {
			v, ok := members[name]
			if !ok {
				return nil, errRow
			}
			values = append(values, v)
		}
	}
	if !slices.Equal(values[:len(t.about)], t.about) {
		return nil, errRow
	}
	at, err := time.Parse(time.RFC3339Nano, values[t.at])
	if err != nil {
		return nil, errRow
	}
	return &historyRow{at, values[len(t.about):]}, nil
}

// historyFile is a file that rows are added to.
type historyFile struct {
	name string
	text *rowText
	f    *os.File
	w    *bufio.Writer
	buf  []byte
	next time.Time // of a flush

	first, last *historyRow // of those that are there already; nil if there are none

	parquet *historyQuery // set if the rows are made a parquet file in the end
}

// flushEvery bounds what is lost when the process is killed: it is fetched again.
const flushEvery = time.Second

// openHistory opens a file to add rows to, and locks it. What a killed process left of a row
// is cut off.
func openHistory(file, format string, q *historyQuery) (*historyFile, error) {
	h := &historyFile{name: file, text: newRowText(format, q)}
	if format == formatParquet {
		if _, err := os.Stat(file); err == nil {
			return nil, usageError("%s: is complete; a parquet file cannot be continued, name another", file)
		}
		h.name, h.parquet = file+".part", q
	}
	f, err := os.OpenFile(h.name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fileError(h.name, err)
	}
	h.f, h.w = f, bufio.NewWriterSize(f, 1<<20)
	if err := lockHistory(f); err != nil {
		f.Close()
		if errors.Is(err, errHistoryLocked) {
			return nil, usageError("%s: %w", h.name, err)
		}
		return nil, fileError(h.name, err)
	}
	if err := h.resume(q); err != nil {
		f.Close()
		return nil, err
	}
	return h, nil
}

// resume finds the last row and goes behind it.
func (h *historyFile) resume(q *historyQuery) error {
	lines := bufio.NewReaderSize(h.f, 1<<20)
	var size int64
	var first, last []byte
	head := h.text.head(nil)
	for {
		text, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if size > 0 { // a system that lost its power leaves zeros of what was not on the disk yet
				text = bytes.TrimRight(text, "\x00")
			}
			if begin := h.text.begin(size == 0); !bytes.HasPrefix(text, begin) && !bytes.HasPrefix(begin, text) {
				return usageError("%s: ends with %w; name another file", h.name, errRow)
			}
			break // a line without an end is torn
		}
		if err != nil {
			return fileError(h.name, err)
		}
		if size == 0 && len(head) > 0 {
			if !bytes.Equal(text, head) {
				return usageError("%s: begins otherwise than a file of history %s would: %w", h.name, q.kind.name, errRow)
			}
		} else {
			if first == nil {
				first = text
			}
			last = text
		}
		size += int64(len(text))
	}
	if last != nil {
		var err error
		if h.first, err = h.text.parse(first); err != nil {
			return usageError("%s: its first row is %w; name another file", h.name, err)
		}
		if h.last, err = h.text.parse(last); err != nil {
			return usageError("%s: its last line is %w; name another file", h.name, err)
		}
		if h.last.at.Before(q.from) {
			return usageError("%s: ends at %s, before --from: there would be a hole; name another file", h.name, stamp(h.last.at))
		}
	}
	if err := h.f.Truncate(size); err != nil {
		return fileError(h.name, err)
	}
	if _, err := h.f.Seek(size, io.SeekStart); err != nil {
		return fileError(h.name, err)
	}
	if size == 0 {
		_, _ = h.w.Write(head) // the error sticks
	}
	return nil
}

// write adds a row.
func (h *historyFile) write(row *historyRow) error {
	h.buf = h.text.append(h.buf[:0], row)
	if _, err := h.w.Write(h.buf); err != nil {
		return &diskError{err}
	}
	if now := time.Now(); now.After(h.next) {
		h.next = now.Add(flushEvery)
		if err := h.w.Flush(); err != nil {
			return &diskError{err}
		}
	}
	return nil
}

// flush hands what was added to the system.
func (h *historyFile) flush() error {
	if err := h.w.Flush(); err != nil {
		return err
	}
	return h.f.Sync()
}

// finish makes a parquet file of the rows if that was asked for.
func (h *historyFile) finish(file string) error {
	if h.parquet == nil {
		return nil
	}
	if _, err := h.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := writeParquet(file, h.text, h.parquet.kind, h.f); err != nil {
		return err
	}
	return h.remove()
}

func (h *historyFile) close() { h.f.Close() }
