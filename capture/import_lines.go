package capture

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxLine bounds one line of an imported file; the venue's largest frames,
// full books of 10,000 levels a side, are under 1 MiB.
const maxLine = MaxData

// Bounds of what an archive may unpack to, unless ImportOptions says
// otherwise. The venue's own archives unpack to about ten times their size.
const (
	defaultMaxBytes = 64 << 30
	defaultMaxRatio = 500
	ratioGrace      = 1 << 20 // bytes unpacked before the ratio is judged
)

// errLineTooLong refuses a line without reading it into memory.
var errLineTooLong = fmt.Errorf("line is longer than %d bytes", maxLine)

// place is where a row stands.
type place struct {
	member string // of an archive that has several; else empty
	number int    // of the line, from 1
}

// line is one line of text without its end. The text is valid until the next.
type line struct {
	place
	text []byte
	in   *document
	err  error // the line is there, but not to be had
}

// document is one text: a file, what a gzip file holds, or a member of a zip
// archive.
type document struct {
	content io.Reader
	member  string   // see place
	names   []string // base names that may say what the text is about, the nearest first
}

// lines yields the lines of the file that hold something, unpacked where it is
// a gzip file or a zip archive, whose members follow one another. The error is
// last: the file could not be read on, or the import was cancelled. A line that
// such an error cuts off is not yielded, for what is left may look whole.
func (s *source) lines() iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		file, err := os.Open(s.path)
		if err != nil {
			yield(line{}, err)
			return
		}
		defer file.Close() // only read from: a failing close loses nothing
		for doc, err := range s.documents(file) {
			if err != nil {
				yield(line{}, err)
				return
			}
			if !s.readLines(doc, yield) {
				return
			}
		}
	}
}

// documents yields the unpacked content: of the file, or of each member of a zip.
func (s *source) documents(file *os.File) iter.Seq2[*document, error] {
	return func(yield func(*document, error) bool) {
		info, err := file.Stat()
		if err != nil {
			yield(nil, err)
			return
		}
		var magic [4]byte
		n, err := file.ReadAt(magic[:], 0)
		if err != nil && !errors.Is(err, io.EOF) {
			yield(nil, err)
			return
		}
		whole := &document{names: []string{filepath.Base(s.path)}}
		packed := metered{file, s.meter}
		limit := s.limit(info.Size())
		switch head := magic[:n]; {
		case bytes.HasPrefix(head, []byte(gzipMagic)):
			unzipped, err := gzip.NewReader(bufio.NewReaderSize(packed, 256<<10))
			if err != nil {
				yield(nil, err)
				return
			}
			whole.content = bounded{unzipped, limit}
			yield(whole, nil)
		case bytes.HasPrefix(head, []byte(zipMagic)), bytes.HasPrefix(head, []byte(emptyZipMagic)):
			archive, err := zip.NewReader(packed, info.Size())
			if err != nil {
				yield(nil, err)
				return
			}
			members(archive, whole, limit, yield)
		default:
			whole.content = packed
			yield(whole, nil)
		}
	}
}

// How packed files begin.
const (
	gzipMagic     = "\x1f\x8b"
	zipMagic      = "PK\x03\x04"
	emptyZipMagic = "PK\x05\x06"
)

// members yields the content of each file in a zip archive. whole is the
// document that the archive itself would be.
func members(archive *zip.Reader, whole *document, limit *limit, yield func(*document, error) bool) {
	// One kind of computer adds a shadow of each file, which holds none of it.
	files := slices.DeleteFunc(archive.File, func(m *zip.File) bool {
		return m.FileInfo().IsDir() || strings.HasPrefix(m.Name, "__MACOSX/")
	})
	for _, file := range files {
		doc := &document{names: []string{path.Base(file.Name)}}
		if len(files) > 1 {
			doc.member = file.Name
		} else {
			doc.names = append(doc.names, whole.names...)
		}
		content, err := openMember(file)
		if err != nil {
			yield(nil, fmt.Errorf("%s: %w", file.Name, err))
			return
		}
		packed := bufio.NewReaderSize(bounded{content, limit}, 64<<10)
		doc.content = packed
		var more bool
		// A member too short for the question is no archive.
		if head, _ := packed.Peek(len(zipMagic)); bytes.HasPrefix(head, []byte(gzipMagic)) || string(head) == zipMagic {
			more = yield(nil, fmt.Errorf("%s is packed once more: unpack the archive first", file.Name))
		} else {
			more = yield(doc, nil)
		}
		content.Close() // only read from: a failing close loses nothing
		if !more {
			return
		}
	}
}

func openMember(file *zip.File) (io.ReadCloser, error) {
	const encrypted = 1 // the flag's bit
	if file.Flags&encrypted != 0 {
		return nil, errors.New("encrypted: unpack the archive first")
	}
	return file.Open()
}

// limit is how much one file may still unpack to, in bytes and as a multiple of
// its size, so that a crafted archive cannot fill memory or disk.
type limit struct {
	read   int64
	max    int64
	packed int64
	ratio  int64
}

func (s *source) limit(packed int64) *limit {
	l := &limit{max: s.opts.MaxBytes, ratio: s.opts.MaxRatio, packed: packed}
	if l.max <= 0 {
		l.max = defaultMaxBytes
	}
	if l.ratio <= 0 {
		l.ratio = defaultMaxRatio
	}
	return l
}

// bounded ends reading with an error where an archive unpacks to too much.
type bounded struct {
	r io.Reader
	*limit
}

func (b bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.read += int64(n)
	switch {
	case b.read > b.max:
		return 0, fmt.Errorf("archive unpacks to more than %d bytes", b.max)
	case b.read > ratioGrace && b.read/b.ratio > b.packed:
		return 0, fmt.Errorf("archive unpacks to more than %d times its size", b.ratio)
	}
	return n, err
}

// readLines yields the lines of one document that hold something and reports
// whether more are wanted.
func (s *source) readLines(doc *document, yield func(line, error) bool) bool {
	in := bufio.NewReaderSize(doc.content, 256<<10)
	var long []byte // a line that did not fit in's buffer
	for number := 1; ; number++ {
		current := line{place: place{doc.member, number}, in: doc}
		text, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			var whole bool
			if long, whole, err = readLong(in, append(long[:0], text...)); !whole {
				current.err = errLineTooLong
			}
			text = long
		}
		if number%1024 == 1 && s.ctx.Err() != nil {
			err = s.ctx.Err()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			if doc.member != "" {
				err = fmt.Errorf("%s: %w", doc.member, err)
			}
			yield(line{}, fmt.Errorf("line %d: %w", number, err))
			return false
		}
		if number == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		current.text = bytes.TrimSpace(text)
		if (len(current.text) > 0 || current.err != nil) && !yield(current, nil) {
			return false
		}
		if err != nil {
			return true
		}
	}
}

// readLong reads on to the end of a line that did not fit the buffer. A line
// beyond maxLine is read past and not kept whole.
func readLong(in *bufio.Reader, sofar []byte) (text []byte, whole bool, err error) {
	whole = true
	for {
		part, err := in.ReadSlice('\n')
		if whole = whole && len(sofar)+len(part) <= maxLine; whole {
			sofar = append(sofar, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return sofar, whole, err
		}
	}
}

// symbolOfFile returns the symbol that a history file of the venue is named
// after: "BTCUSDT_2024-11-08.csv.gz", "BTCUSDT-2024-11.csv.gz" or
// "BTCUSDT2019-10-01.csv.gz".
func symbolOfFile(name string) (string, bool) {
	end := strings.IndexFunc(name, func(r rune) bool { return r == '_' || r == '-' || r == '.' })
	if end < 0 {
		end = len(name)
	}
	symbol := name[:end]
	if len(symbol) > 4 && isYear(symbol[len(symbol)-4:]) {
		symbol = symbol[:len(symbol)-4]
	}
	letters := 0
	for _, r := range symbol {
		switch {
		case r >= 'A' && r <= 'Z':
			letters++
		case r < '0' || r > '9':
			return "", false
		}
	}
	return symbol, letters > 0
}

func isYear(s string) bool {
	return (strings.HasPrefix(s, "20") || strings.HasPrefix(s, "19")) && strings.Trim(s, "0123456789") == ""
}
