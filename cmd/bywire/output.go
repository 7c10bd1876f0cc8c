package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"unicode"

	"golang.org/x/term"

	"github.com/bywire/bywire/capture"
)

// app is one run of the command: where it reads and writes.
type app struct {
	stdin  io.Reader
	out    *bufio.Writer // stdout; an error of it sticks and shows at the next Flush
	stderr io.Writer     // for any goroutine

	asks        bool // stdin and stderr are terminals: a question can be answered
	terminal    bool // stdout is one
	wordsOnTerm bool // stderr is one
	colour      bool // stdout may have colour
	size        func() (width, height int)

	// The files of record and of exchange --journal; tests put a disk of their own there.
	openWriter    func(dir string, opts *capture.WriterOptions) (captureWriter, error)
	createJournal func(name string) (io.WriteCloser, error)
}

// outputBytes is the buffer of stdout: what a burst of events is gathered in.
const outputBytes = 64 << 10

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{stdin: stdin, out: bufio.NewWriterSize(stdout, outputBytes), stderr: &lockedWriter{w: stderr}}
	a.size = func() (int, int) { return 80, 24 }
	a.openWriter, a.createJournal = openWriter, createFile
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		a.terminal = true
		a.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		a.size = func() (int, int) {
			if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
				return w, h
			}
			return 80, 24
		}
	}
	if f, ok := stderr.(*os.File); ok {
		a.wordsOnTerm = term.IsTerminal(int(f.Fd()))
	}
	if f, ok := stdin.(*os.File); ok {
		a.asks = a.wordsOnTerm && term.IsTerminal(int(f.Fd()))
	}
	return a
}

// lockedWriter lets several goroutines write lines: the metrics, a capture's
// notices and commands of --exec have things to say while others do.
type lockedWriter struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// say writes one line of words to stderr.
func (a *app) say(format string, args ...any) {
	fmt.Fprintln(a.stderr, "bywire: "+printable(fmt.Sprintf(format, args...)))
}

// printable shows the control characters of a text as they are written in Go.
// What a server says may hold some, and a terminal would obey them. Line breaks
// and tabs stay.
func printable(s string) string {
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if control(r) {
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// flush hands what was printed to the reader of stdout.
func (a *app) flush() error {
	if err := a.out.Flush(); err != nil {
		return &outputError{err}
	}
	return nil
}

// The formats of -o.
const (
	formatTable  = "table"
	formatText   = "text"
	formatJSON   = "json"
	formatNDJSON = "ndjson"
	formatRaw    = "raw"
)

// checkFormat refuses a value of -o that the command does not have.
func checkFormat(value string, have ...string) error {
	if slices.Contains(have, value) {
		return nil
	}
	return usageError("-o %s: no such format; there are %s", value, strings.Join(have, ", "))
}

// columns returns a writer that aligns cells separated by tabs. Its Flush
// writes to stdout.
func (a *app) columns() *tabwriter.Writer { return tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0) }

// printJSON prints a value as one indented JSON document.
func (a *app) printJSON(v any) error {
	text, err := marshalIndent(v)
	if err != nil {
		return err
	}
	_, _ = a.out.Write(text) // the error sticks
	return a.flush()
}
