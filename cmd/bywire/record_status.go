package main

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// How often the status line is written.
const (
	statusOnTerminal = time.Second
	statusElsewhere  = time.Minute
)

// recordStatus tells how a recording goes: a line a minute, or one line that
// changes on a terminal.
type recordStatus struct {
	r        *recorder
	tick     *time.Ticker
	terminal bool
	last     time.Time // of the line before
	messages int64     // then
	width    int       // of the line that stands on the terminal
}

func (r *recorder) status() *recordStatus {
	s := &recordStatus{r: r, terminal: r.app.wordsOnTerm, last: r.begun}
	every := statusElsewhere
	if s.terminal {
		every = statusOnTerminal
	}
	s.tick = time.NewTicker(every)
	return s
}

// tell writes the line.
func (s *recordStatus) tell(now time.Time) {
	line := s.line(now)
	if !s.terminal {
		s.r.app.say("%s", line)
		return
	}
	fmt.Fprintf(s.r.app.stderr, "\r%s%s", line, strings.Repeat(" ", max(0, s.width-len(line))))
	s.width = len(line)
}

// line is "1,200,000 messages, 20,000/s, 45.2 MB in rec, 0 gaps, queue 1.2 MB".
func (s *recordStatus) line(now time.Time) string {
	sum := s.r.total()
	ms := max(now.Sub(s.last).Milliseconds(), 1)
	rate := (sum.messages - s.messages) * 1000 / ms
	s.last, s.messages = now, sum.messages
	var queue int64
	for _, c := range s.r.parts {
		queue += int64(c.stream.Stats().QueueBytes)
	}
	return fmt.Sprintf("%s, %s/s, %s in %s, %s, queue %s",
		counted(sum.messages, "message"), grouped(rate), byteCount(folderBytes(s.r.opts.to)), s.r.opts.to, counted(sum.gaps, "gap"), byteCount(queue))
}

// end clears the line from the terminal.
func (s *recordStatus) end() {
	s.tick.Stop()
	if s.terminal && s.width > 0 {
		fmt.Fprintf(s.r.app.stderr, "\r%s\r", strings.Repeat(" ", s.width))
	}
}

// total is what the parts have come to.
func (r *recorder) total() tally {
	var sum tally
	for _, c := range r.parts {
		sum.messages += c.messages.Load()
		sum.gaps += int(c.gaps.Load())
		sum.undecoded += int(c.undecoded.Load())
		sum.rejected += int(c.rejected.Load())
	}
	return sum
}

// summary says what a run has recorded.
func (r *recorder) summary(sum tally, now time.Time) string {
	var bytes, topics int64
	for _, c := range r.parts {
		bytes += c.bytes.Load()
		topics += int64(len(c.links))
	}
	return fmt.Sprintf("recorded %s of %s in %s: %s, %s; %s holds %s",
		counted(sum.messages, "message"), counted(topics, "topic"), now.Sub(r.begun).Round(time.Millisecond),
		byteCount(bytes), counted(sum.gaps, "gap"), r.opts.to, byteCount(folderBytes(r.opts.to)))
}

// folderBytes is what the files of a capture take. A file that is just being
// sealed may count for nothing, or twice.
func folderBytes(dir string) (size int64) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.Mode()&fs.ModeType == 0 {
			size += info.Size()
		}
	}
	return size
}
