package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/capture"
	"github.com/bywire/bywire/internal/wire"
)

// The exit codes.
const (
	exitOK          = 0
	exitOther       = 1
	exitUsage       = 2
	exitAuth        = 3
	exitRefused     = 4
	exitRateLimited = 5
	exitNetwork     = 6
	exitUnknown     = 7
	exitDamage      = 8
	exitInterrupted = 130
)

// codeError is an error with the exit code that it deserves.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

// usageError says in one line what was asked for wrongly and what would be
// right.
func usageError(format string, args ...any) error {
	return &codeError{exitUsage, fmt.Errorf(format, args...)}
}

// damageError says in one line that data is missing or cannot be trusted.
func damageError(format string, args ...any) error {
	return &codeError{exitDamage, fmt.Errorf(format, args...)}
}

// outputError is a write to stdout that went wrong.
type outputError struct{ err error }

func (e *outputError) Error() string { return "stdout: " + e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// isBrokenPipe reports whether whoever read stdout has gone.
func isBrokenPipe(err error) bool {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return true
	}
	errno, ok := errors.AsType[syscall.Errno](err)
	// ERROR_BROKEN_PIPE and ERROR_NO_DATA, which have no name in package
	// syscall on other systems.
	return ok && runtime.GOOS == "windows" && (errno == 109 || errno == 232)
}

// exitCode classifies an error.
func exitCode(err error) int {
	if coded, ok := errors.AsType[*codeError](err); ok {
		return coded.code
	}
	if _, ok := errors.AsType[*diskError](err); ok {
		return exitOther
	}
	if _, ok := errors.AsType[*bybit.RejectedError](err); ok {
		return exitRefused
	}
	if _, ok := errors.AsType[*envKeyError](err); ok {
		return exitAuth
	}
	if code, ok := callCode(err); ok {
		return code
	}
	if isNetwork(err) {
		return exitNetwork
	}
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, wire.ErrTopic):
		return exitUsage
	case capture.AsDamage(err) != nil:
		return exitDamage
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return exitNetwork
	}
	return exitOther
}

// callCode classifies the errors that only calls over REST have.
func callCode(err error) (int, bool) {
	// First, since it may wrap an error of the network.
	if errors.Is(err, bybit.ErrOutcomeUnknown) {
		return exitUnknown, true
	}
	if errors.Is(err, bybit.ErrNoCredentials) {
		return exitAuth, true
	}
	if _, ok := errors.AsType[*bybit.LimitError](err); ok {
		return exitRateLimited, true
	}
	refused, ok := errors.AsType[*bybit.Error](err)
	if !ok {
		return 0, false
	}
	switch refused.Code {
	case 10003, 10004, 10005, 10007, 10010, 33004, -2015, http.StatusUnauthorized:
		return exitAuth, true
	case 10006, 10018, 10403, 10429, http.StatusTooManyRequests, http.StatusForbidden:
		return exitRateLimited, true
	case 0:
		switch {
		case refused.Status == http.StatusUnauthorized:
			return exitAuth, true
		case refused.Status == http.StatusTooManyRequests,
			refused.Status == http.StatusForbidden && wire.WhyForbidden(refused.Message) == wire.ForbiddenBan:
			return exitRateLimited, true
		case refused.Status >= http.StatusInternalServerError:
			return exitNetwork, true
		}
	}
	return exitRefused, true
}

// isNetwork reports whether a connection has failed. What the operating system
// says of files has the methods of a net.Error too: that counts only where a
// package of the network has wrapped it.
func isNetwork(err error) bool {
	wrapped, ok := errors.AsType[net.Error](err)
	if !ok {
		return false
	}
	_, bare := wrapped.(syscall.Errno)
	return !bare
}

// finish says what went wrong, in one line, and returns the exit code.
func (a *app) finish(ctx context.Context, err error) int {
	if out, ok := errors.AsType[*outputError](err); ok && isBrokenPipe(out) {
		return exitOK
	}
	// What is damaged or open is said whether or not somebody has interrupted us.
	_, disk := errors.AsType[*diskError](err)
	if ctx.Err() != nil && !disk && !errors.Is(err, bybit.ErrOutcomeUnknown) {
		return exitInterrupted
	}
	if err == nil {
		return exitOK
	}
	a.say("%s", oneLine(err.Error()))
	return exitCode(err)
}

// oneLine joins what is said in several lines, and leaves out the names of our
// own packages, which tell a person nothing.
func oneLine(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	s = printable(strings.Join(lines, "; "))
	for _, noise := range []string{"wire: ", "capture: ", "bybit: "} {
		s = strings.TrimPrefix(s, noise)
	}
	return s
}
