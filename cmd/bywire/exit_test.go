package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/bywire/bywire/bybit"
)

// A terminal is told nothing by what a server says.
func TestControlCharactersAreShown(t *testing.T) {
	for text, want := range map[string]string{
		"plain, wide: 東京 é":         "plain, wide: 東京 é",
		"\x1b[31mred\x1b]0;title\a": `\x1b[31mred\x1b]0;title\a`,
		"a\nb\tc":                   "a\nb\tc",
		"a\rb\x7f\u009b1m":          `a\rb\x7f\u009b1m`,
		"broken \xff":               "broken \xff",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	var stderr strings.Builder
	a := newApp(strings.NewReader(""), io.Discard, &stderr)
	a.say("refused: %s", "\x1b[2J")
	if want := "bywire: refused: \\x1b[2J\n"; stderr.String() != want {
		t.Errorf("say writes %q, want %q", stderr.String(), want)
	}
}

func TestExitCodes(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, tc := range []struct {
		err  error
		want int
	}{
		{errors.New("something"), exitOther},
		{usageError("--count 0"), exitUsage},
		{damageError("1 gap"), exitDamage},
		{context.Canceled, exitInterrupted},
		{&bybit.RejectedError{}, exitRefused},
		{refused, exitNetwork},
		{fmt.Errorf("linear: %w", refused), exitNetwork},
		{&net.DNSError{Err: "no such host", Name: "x"}, exitNetwork},
		{fmt.Errorf("GET /v5/market/time: no reply within 20s: %w", os.ErrDeadlineExceeded), exitNetwork},
		// An errno has the methods of a network error, and is none by itself.
		{&outputError{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}}, exitOther},
		{&fs.PathError{Op: "mkdir", Path: "rec", Err: syscall.EROFS}, exitOther},
		{os.NewSyscallError("fsync", syscall.EIO), exitOther},
		{&diskError{refused}, exitOther},
	} {
		if got := exitCode(tc.err); got != tc.want {
			t.Errorf("%v: code %d, want %d", tc.err, got, tc.want)
		}
	}
}
