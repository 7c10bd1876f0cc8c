package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/bywire/bywire/bybit"
)

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
