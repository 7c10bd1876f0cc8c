package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/exchange"
)

// createFile makes a file that was not there. A journal is of one run: an older one is not written over.
func createFile(name string) (io.WriteCloser, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// journalFile is the file of --journal. A nil one is none.
type journalFile struct {
	io.WriteCloser
	name string
}

func (a *app) journalFile(name string) (*journalFile, error) {
	if name == "" {
		return nil, nil
	}
	f, err := a.createJournal(name)
	if err != nil {
		return nil, flagFileError("--journal", name, err)
	}
	return &journalFile{f, name}, nil
}

// remove takes the file away again: nothing has come of the run.
func (j *journalFile) remove() {
	if j == nil {
		return
	}
	_ = j.Close()
	_ = os.Remove(j.name) // what is in the way next time is said then
}

// end closes the file, and returns what has gone wrong with it: err, which is of a write, comes first.
func (j *journalFile) end(err error) error {
	if j == nil {
		return err
	}
	if e := j.Close(); err == nil {
		err = e
	}
	if err == nil {
		return nil
	}
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		err = file.Err
	}
	return &diskError{fmt.Errorf("--journal %s: %w; the run cannot be done again from it as a whole", j.name, err)}
}

// sayHandler writes what a logger gets as lines of words.
type sayHandler struct {
	say   func(format string, args ...any)
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (h *sayHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// Handle implements slog.Handler.
func (h *sayHandler) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	add := func(a slog.Attr) bool {
		if a.Key == "error" {
			line += ": " + oneLine(a.Value.String())
		} else {
			line += ", " + a.Key + " " + a.Value.String()
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	h.say("%s", line)
	return nil
}

// WithAttrs implements slog.Handler.
func (h *sayHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &sayHandler{h.say, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

// WithGroup implements slog.Handler; groups have no words.
func (h *sayHandler) WithGroup(string) slog.Handler { return h }

func (a *app) exchangeReplayCommand() *cobra.Command {
	var until string
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "do a run again from its journal, and print the hash of its state",
		Long: `Do again what bywire exchange --journal FILE wrote down: the same market from the same seed,
and the same commands at the same times. It goes as fast as the machine and prints one line:

  {"time":"2026-01-01T00:01:00Z","hash":"9f3c...","commands":3}

hash is that of GET /control/v1/state at that time: equal hashes are equal markets. It ends at
the last command, or at --until. Speeds, faults and connections are not in a journal, since
they do not change the market.`,
		Example: "  bywire exchange replay run.journal\n  bywire exchange replay run.journal --until 2026-01-01T01:00:00Z",
		Args:    oneArgument("file", "bywire exchange replay run.journal"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.replayJournal(cmd.Context(), args[0], until)
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "go on to this `TIME` after the last command, or +90s after the start")
	return cmd
}

// replayed is the line that a replay of a journal prints.
type replayed struct {
	Time     time.Time `json:"time"`
	Hash     string    `json:"hash"`
	Commands uint64    `json:"commands"`
}

// The years in which a replay can end, as exchange.ReplayJournal has them; the last is not one of them.
const firstYear, lastYear = 2000, 2200

func (a *app) replayJournal(ctx context.Context, name, until string) error {
	f, err := os.Open(name)
	if err != nil {
		return fileError(name, err)
	}
	defer f.Close()
	start, err := journalStart(f)
	if err != nil {
		return usageError("%s: no journal of an exchange; bywire exchange --journal FILE writes one", name)
	}
	if torn, err := isTorn(f); err != nil {
		return err
	} else if torn {
		a.say("%s: its last line is torn and left out", name)
	}
	end, err := parseMoment("until", until, start)
	if err != nil {
		return usageError("--until %s: no time; write %s, or +90s after the start", until, momentForms)
	}
	if year := end.Year(); !end.IsZero() && (year < firstYear || year >= lastYear) {
		return usageError("--until %s: a time from %d to %d", until, firstYear, lastYear)
	}
	type outcome struct {
		at  *exchange.Replayed
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		at, err := exchange.ReplayJournal(f, end)
		done <- outcome{at, err}
	}()
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		return ctx.Err() // the market is computed for nobody until the process ends, which is now
	}
	if o.err != nil {
		return damageError("%s: %s", name, journalWords(o.err))
	}
	if !end.IsZero() && o.at.Time.After(end) {
		a.say("--until %s: the last command came later", until)
	}
	line, err := json.Marshal(replayed{o.at.Time, hex.EncodeToString(o.at.Hash[:]), o.at.Commands})
	if err != nil {
		return err
	}
	_, _ = a.out.Write(append(line, '\n')) // the error sticks
	return a.flush()
}

// isTorn reports whether a file ends in the middle of a line, as one does whose writer was killed, and leaves the file at its
// beginning.
func isTorn(f io.ReadSeeker) (bool, error) {
	var last [1]byte
	_, err := f.Seek(-1, io.SeekEnd)
	if err == nil {
		_, err = io.ReadFull(f, last[:])
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	return last[0] != '\n', err
}

// maxHeader is more than the first line of a journal has, which holds the file of --instruments.
const maxHeader = 64 << 20

// journalStart reads when the run of a journal began.
func journalStart(f io.Reader) (time.Time, error) {
	line, err := bufio.NewReader(io.LimitReader(f, maxHeader)).ReadBytes('\n')
	if err != nil {
		return time.Time{}, err
	}
	var first struct {
		Journal string
		Start   int64
	}
	if err := json.Unmarshal(line, &first); err != nil {
		return time.Time{}, err
	}
	if first.Journal == "" {
		return time.Time{}, errors.New("no header")
	}
	return time.Unix(0, first.Start).UTC(), nil
}

// isJournal reports whether a file is the journal of an exchange.
func isJournal(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = journalStart(f)
	return err == nil
}

// journalWords leaves out of an error which package says it.
func journalWords(err error) string { return strings.TrimPrefix(err.Error(), "exchange: replay: ") }
