//go:build unix

package client

import (
	"syscall"
	"time"
)

// processTime returns what the process has spent on all processors so far,
// in its own code and in the kernel's.
func processTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // cannot happen: both arguments are right
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
