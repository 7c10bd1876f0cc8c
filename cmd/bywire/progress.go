package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress tells on stderr how far long work is: over and over in one line on a
// terminal, a line every few seconds elsewhere, nothing for what is quick.
type progress struct {
	w        io.Writer
	terminal bool
	what     string // "import", "verify"
	amount   func(int64) string
	begun    time.Time
	next     time.Time
	width    int // of the line that stands on the terminal
}

const (
	progressOnTerminal = 200 * time.Millisecond
	progressElsewhere  = 5 * time.Second
)

func (a *app) progress(what string, amount func(int64) string) *progress {
	p := &progress{w: a.stderr, terminal: a.wordsOnTerm, what: what, amount: amount, begun: time.Now()}
	p.next = p.begun.Add(p.interval())
	return p
}

func (p *progress) interval() time.Duration {
	if p.terminal {
		return progressOnTerminal
	}
	return progressElsewhere
}

// tell is called with what is done and the total; a total of 0 is not known.
func (p *progress) tell(done, total int64) {
	now := time.Now()
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(p.interval())
	line := progressLine(p.what, p.amount, done, total, now.Sub(p.begun))
	if !p.terminal {
		fmt.Fprintf(p.w, "bywire: %s\n", line)
		return
	}
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(0, p.width-len(line))))
	p.width = len(line)
}

// end clears the line from the terminal.
func (p *progress) end() {
	if p.terminal && p.width > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.width))
	}
}

// progressLine is "verify: 1,200,000 of 4,000,000 records, 30 %, 240,000 records/s, 12s left".
func progressLine(what string, amount func(int64) string, done, total int64, took time.Duration) string {
	ms := max(took.Milliseconds(), 1)
	perSecond := int64(0)
	if done < (1<<63-1)/1000 {
		perSecond = done * 1000 / ms
	}
	if total <= 0 {
		return fmt.Sprintf("%s: %s, %s/s", what, amount(done), amount(perSecond))
	}
	done = min(done, total)
	left := "-"
	if perSecond > 0 {
		left = (time.Duration((total-done)/perSecond) * time.Second).String()
	}
	return fmt.Sprintf("%s: %s of %s, %d %%, %s/s, %s left", what, amount(done), amount(total), percent(done, total), amount(perSecond), left)
}

// percent is part of total as a whole number, rounded down.
func percent(part, total int64) int64 {
	if total > 1<<50 {
		return part / (total / 100)
	}
	return part * 100 / max(total, 1)
}

// byteCount is a number of bytes for people: 999 B, 1.5 KB, 12.0 GB.
func byteCount(n int64) string {
	const units = "KMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	i := 0
	for n >= 1_000_000-50 && i < len(units)-1 {
		n = (n + 500) / 1000
		i++
	}
	tenths := (n + 50) / 100
	return fmt.Sprintf("%d.%d %cB", tenths/10, tenths%10, units[i])
}

// recordCount is a number of records.
func recordCount(n int64) string { return grouped(n) + " records" }

// grouped is a whole number with commas between thousands.
func grouped(n int64) string {
	s := fmt.Sprintf("%d", n)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
