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

// line is one line of text without its end. The text is valid until the next.
type line struct {
	number int
	text   []byte
	err    error // the line is there, but not to be had
}

// lines yields the lines of the file that hold something, unpacked where it is
// a gzip file or a zip archive, whose members follow one another. The error is
// last: the file could not be read on.
func (s *source) lines() iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		file, err := os.Open(s.path)
		if err != nil {
			yield(line{}, err)
			return
		}
		defer file.Close() // only read from: a failing close loses nothing
		number := 0
		for text, err := range s.texts(file) {
			if err != nil {
				yield(line{}, err)
				return
			}
			if !readLines(text, &number, yield) {
				return
			}
		}
	}
}

// texts yields the unpacked content: of the file, or of each member of a zip.
func (s *source) texts(file *os.File) iter.Seq2[io.Reader, error] {
	return func(yield func(io.Reader, error) bool) {
		var magic [4]byte
		n, err := file.ReadAt(magic[:], 0)
		if err != nil && !errors.Is(err, io.EOF) {
			yield(nil, err)
			return
		}
		packed := metered{file, s.meter}
		switch head := magic[:n]; {
		case bytes.HasPrefix(head, []byte("\x1f\x8b")):
			unzipped, err := gzip.NewReader(bufio.NewReaderSize(packed, 256<<10))
			if err != nil {
				yield(nil, err)
				return
			}
			yield(s.bounded(unzipped, file), nil)
		case bytes.HasPrefix(head, []byte("PK\x03\x04")):
			s.members(file, yield)
		default:
			yield(packed, nil)
		}
	}
}

// members yields the content of each file in a zip archive.
func (s *source) members(file *os.File, yield func(io.Reader, error) bool) {
	size, err := fileSize(file)
	if err != nil {
		yield(nil, err)
		return
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		yield(nil, err)
		return
	}
	for _, member := range archive.File {
		if member.FileInfo().IsDir() {
			continue
		}
		content, err := member.Open()
		if err != nil {
			yield(nil, fmt.Errorf("%s: %w", member.Name, err))
			return
		}
		more := yield(s.bounded(content, file), nil)
		content.Close() // only read from: a failing close loses nothing
		s.meter.add(int(member.CompressedSize64))
		if !more {
			return
		}
	}
}

// bounded limits what a packed file may unpack to, in bytes and as a multiple
// of its size, so that a crafted archive cannot fill memory or disk.
func (s *source) bounded(r io.Reader, file *os.File) io.Reader {
	b := &bound{r: r, left: s.opts.MaxBytes, ratio: s.opts.MaxRatio}
	if b.left <= 0 {
		b.left = defaultMaxBytes
	}
	if b.ratio <= 0 {
		b.ratio = defaultMaxRatio
	}
	if size, err := fileSize(file); err == nil {
		b.packed = size
	}
	return b
}

// bound ends reading with an error where an archive unpacks to too much.
type bound struct {
	r      io.Reader
	read   int64
	left   int64
	packed int64
	ratio  int64
}

func (b *bound) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.read += int64(n)
	b.left -= int64(n)
	switch {
	case b.left < 0:
		return 0, fmt.Errorf("archive unpacks to more than %d bytes", b.read+b.left)
	case b.read > ratioGrace && b.read/b.ratio > b.packed:
		return 0, fmt.Errorf("archive unpacks to more than %d times its size", b.ratio)
	}
	return n, err
}

func fileSize(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// readLines yields the lines of one text that hold something and reports
// whether more are wanted.
func readLines(r io.Reader, number *int, yield func(line, error) bool) bool {
	in := bufio.NewReaderSize(r, 1<<20)
	var long []byte // a line that did not fit in's buffer
	for {
		text, err := in.ReadSlice('\n')
		if len(text) > 0 || err == nil {
			*number++
		}
		current := line{number: *number, text: text}
		if errors.Is(err, bufio.ErrBufferFull) {
			long, err = readLong(in, append(long[:0], text...))
			current.text = long
			if errors.Is(err, errLineTooLong) {
				current.err, err = errLineTooLong, nil
			}
		}
		current.text = bytes.TrimSpace(current.text)
		if *number == 1 {
			current.text = bytes.TrimPrefix(current.text, []byte("\ufeff"))
		}
		if (len(current.text) > 0 || current.err != nil) && !yield(current, nil) {
			return false
		}
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			yield(line{}, fmt.Errorf("line %d: %w", *number, err))
			return false
		}
	}
}

// readLong reads on to the end of a line that did not fit the buffer. A line
// beyond maxLine is read past and not kept.
func readLong(in *bufio.Reader, sofar []byte) ([]byte, error) {
	tooLong := false
	for {
		part, err := in.ReadSlice('\n')
		if tooLong = tooLong || len(sofar)+len(part) > maxLine; !tooLong {
			sofar = append(sofar, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if tooLong && err == nil {
			return nil, errLineTooLong
		}
		return sofar, err
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
	for _, r := range symbol {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return "", false
		}
	}
	return symbol, symbol != ""
}

func isYear(s string) bool {
	return (strings.HasPrefix(s, "20") || strings.HasPrefix(s, "19")) && strings.Trim(s, "0123456789") == ""
}
