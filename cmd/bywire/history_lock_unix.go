//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"errors"
	"os"
	"syscall"
)

// lockHistory keeps other runs from the file. The kernel ends the lock with the process, so
// that no crash leaves a file locked.
func lockHistory(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHistoryLocked
		default:
			return err
		}
	}
}

// remove takes the file away while it is locked, so that nobody gets hold of it in between.
func (h *historyFile) remove() error {
	return errors.Join(os.Remove(h.name), h.f.Close())
}
