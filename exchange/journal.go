package exchange

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
)

// A journal is lines of JSON: a header, which says what run it is, and an entry for each command. After a restore it goes
// on with another header, which holds the state. Its end may be torn: a line without its newline does not count.

// journalVersion changes when a journal of before would lead elsewhere.
const journalVersion = 1

// header is the first line of a journal.
type header struct {
	Journal     string   `json:"journal"` // "bywire exchange"
	Version     int      `json:"version"`
	Seed        uint64   `json:"seed"`
	Start       int64    `json:"start"`
	Quiet       bool     `json:"quiet,omitempty"`
	Symbols     []string `json:"symbols,omitempty"`
	Instruments []byte   `json:"instruments,omitempty"`
	State       []byte   `json:"state,omitempty"` // a snapshot to go on from
}

const journalName = "bywire exchange"

// config is what a core is made of.
func (h *header) config() core.Config {
	return core.Config{Seed: h.Seed, Start: h.Start, Quiet: h.Quiet, Only: h.Symbols, Instruments: h.Instruments}
}

// header describes this run.
func (x *Exchange) header() header {
	return header{
		Journal: journalName, Version: journalVersion, Seed: x.cfg.Seed, Start: x.cfg.Start.UnixNano(), Quiet: x.cfg.Quiet,
		Symbols: x.cfg.Symbols, Instruments: x.cfg.Catalog,
	}
}

// journal writes entries until the first error.
type journal struct {
	w    io.Writer
	log  *slog.Logger
	line bytes.Buffer
	err  error
}

// encode makes the line of an entry; without a journal there is none. It may be called from anywhere.
func (j *journal) encode(v any) ([]byte, error) {
	if j.w == nil {
		return nil, nil
	}
	line, err := json.Marshal(v)
	return append(line, '\n'), err
}

// append writes a line.
func (j *journal) append(line []byte) {
	if j.w == nil || j.err != nil {
		return
	}
	_, err := j.w.Write(line)
	j.fails(err)
}

func (j *journal) write(v any) {
	if j.w == nil || j.err != nil {
		return
	}
	j.line.Reset()
	if err := json.NewEncoder(&j.line).Encode(v); err != nil { // Encode ends with a newline
		j.fails(err)
		return
	}
	j.append(j.line.Bytes())
}

// fails ends the journal, and says so once.
func (j *journal) fails(err error) {
	if err != nil {
		j.log.Error("the journal has ended", "error", err)
		j.err = fmt.Errorf("exchange: journal: %w", err)
	}
}

// Replayed is where a journal leads to.
type Replayed struct {
	Hash     [32]byte  // of the state
	Time     time.Time // of the last entry, or of the time given
	Commands uint64
}

// ReplayJournal does what a journal says and returns where it led to, at the time of its last command or at until if
// that is later, which is from 2000 to 2200. A torn last line is left out.
func ReplayJournal(r io.Reader, until time.Time) (*Replayed, error) {
	if err := within("until", until); err != nil {
		return nil, err
	}
	var c *core.Core
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("exchange: replay: %w", err)
		}
		if c, err = replayLine(c, line); err != nil {
			return nil, fmt.Errorf("exchange: replay: line %d: %w", n, err)
		}
	}
	if c == nil {
		return nil, errors.New("exchange: replay: the journal has no header")
	}
	if !until.IsZero() {
		c.Advance(until.UnixNano())
	}
	return &Replayed{Hash: c.Hash(), Time: time.Unix(0, c.Now()).UTC(), Commands: c.Commands()}, nil
}

// replayLine does one line. The first must be a header; a header with a state goes on from there.
func replayLine(c *core.Core, line []byte) (*core.Core, error) {
	var h header
	if err := json.Unmarshal(line, &h); err == nil && h.Journal == journalName {
		if h.Version != journalVersion {
			return nil, fmt.Errorf("version %d, and this program reads %d", h.Version, journalVersion)
		}
		fresh, err := core.New(h.config())
		if err == nil && len(h.State) > 0 {
			err = fresh.Restore(h.State)
		}
		return fresh, err
	}
	if c == nil {
		return nil, errors.New("not the header of a journal")
	}
	var e core.Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return nil, err
	}
	if e.N != c.Commands()+1 || e.At < c.Now() {
		return nil, fmt.Errorf("command %d at %d follows command %d at %d", e.N, e.At, c.Commands(), c.Now())
	}
	c.Advance(e.At)
	// A command that was refused is refused again.
	_, _ = c.Do(e.Command)
	return c, nil
}
