package capture

import (
	"errors"
	"os"
	"syscall"
)

// errSharing is ERROR_SHARING_VIOLATION: somebody else has the file open.
const errSharing syscall.Errno = 32

// lockFile takes the directory's lock by opening a file that nobody else may
// open meanwhile. The system closes it when the process ends, however it ends.
func lockFile(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharing) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// unlockFile gives the lock back. The file stays: removing it could take away
// the lock of somebody who has just opened it.
func unlockFile(f *os.File) error { return f.Close() }

// syncDir does nothing: Windows offers no way to sync a directory, and its
// file system journals names by itself.
func syncDir(string) error { return nil }
