//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package capture

import (
	"errors"
	"io/fs"
	"os"
)

// lockFile creates a file that must not be there. On these systems the
// standard library has no lock that ends with its process: after a crash the
// file "lock" has to be removed by hand.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, ErrLocked
	}
	return f, err
}

// unlockFile gives the lock back.
func unlockFile(f *os.File) error {
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// syncDir makes renames and new names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}
