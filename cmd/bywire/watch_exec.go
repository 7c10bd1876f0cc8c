package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// The bounds of --exec: how many commands run at a time, and how many firings
// wait for one of them.
const (
	execAtOnce  = 4
	execWaiting = 64
)

// hooks runs a command per firing, beside the watching: whoever offers a firing
// never waits. A command that fails is reported and changes nothing else.
type hooks struct {
	argv    []string
	timeout time.Duration
	say     func(format string, args ...any)
	output  io.Writer // what commands print goes here

	queue chan *firing
	done  sync.WaitGroup
}

// startHooks starts the workers. They end after close, and when ctx ends, which
// kills what is running.
func startHooks(ctx context.Context, a *app, argv []string, timeout time.Duration) *hooks {
	h := &hooks{argv: argv, timeout: timeout, say: a.say, output: a.stderr, queue: make(chan *firing, execWaiting)}
	for range execAtOnce {
		h.done.Go(func() {
			for f := range h.queue {
				h.run(ctx, f)
			}
		})
	}
	return h
}

// offer hands over a firing; false if too many wait already.
func (h *hooks) offer(f *firing) bool {
	select {
	case h.queue <- f:
		return true
	default:
		return false
	}
}

// close waits until every firing has had its command.
func (h *hooks) close() {
	close(h.queue)
	h.done.Wait()
}

// run runs one command.
func (h *hooks) run(ctx context.Context, f *firing) {
	if ctx.Err() != nil {
		return
	}
	limited, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	cmd := exec.CommandContext(limited, h.argv[0], h.argv[1:]...)
	killWhole(cmd)
	cmd.WaitDelay = time.Second // for a grandchild that keeps the output open
	cmd.Env = append(os.Environ(), f.environment()...)
	cmd.Stdin = bytes.NewReader(f.json())
	cmd.Stdout, cmd.Stderr = h.output, h.output
	err := cmd.Run()
	switch {
	case ctx.Err() != nil || err == nil:
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		h.say("--exec %s: killed after %s (%s)", h.argv[0], h.timeout, f.Symbol)
	default:
		h.say("--exec %s: %s (%s)", h.argv[0], oneLine(err.Error()), f.Symbol)
	}
}

// splitCommand splits the text of --exec into words, as a shell would at its
// plainest: at spaces, with '...' and "..." around what has some. A backslash
// stands for itself, except before a quote or a backslash in "...". Nothing is
// expanded.
func splitCommand(text string) ([]string, error) {
	var argv []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n':
			if inWord {
				argv = append(argv, word.String())
				word.Reset()
				inWord = false
			}
		case c == '\'' || c == '"':
			inWord = true
			end, ok := quotedPart(&word, text, i)
			if !ok {
				return nil, usageError("--exec %s: a quote is not closed", quoted(text))
			}
			i = end
		default:
			inWord = true
			word.WriteByte(c)
		}
	}
	if inWord {
		argv = append(argv, word.String())
	}
	if len(argv) == 0 {
		return nil, usageError("--exec: names no command, like: --exec 'notify-send bywire'")
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return nil, usageError("--exec %s: no such program; a line for the shell is written --exec 'sh -c \"...\"'", argv[0])
	}
	return argv, nil
}

// quotedPart appends what stands between the quote at i and its partner, whose
// index it returns.
func quotedPart(word *strings.Builder, text string, i int) (end int, ok bool) {
	quote := text[i]
	for i++; i < len(text); i++ {
		c := text[i]
		if c == quote {
			return i, true
		}
		if c == '\\' && quote == '"' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\') {
			i++
			c = text[i]
		}
		word.WriteByte(c)
	}
	return i, false
}
