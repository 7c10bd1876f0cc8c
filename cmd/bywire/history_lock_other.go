//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

import (
	"errors"
	"os"
)

// lockHistory does nothing: these systems have no lock in the standard library that is on an
// open file and ends with its process.
func lockHistory(*os.File) error { return nil }

// remove takes the file away. Here it has to be closed for that.
func (h *historyFile) remove() error {
	return errors.Join(h.f.Close(), os.Remove(h.name))
}
