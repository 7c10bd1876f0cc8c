//go:build unix

package server

import (
	"syscall"
	"time"
)

// sleepUntil sleeps to within some fifty microseconds. The runtime's timers may
// be a millisecond late, which would make pairs of messages of a rate of 2,000.
func sleepUntil(t time.Time) {
	for {
		left := time.Until(t)
		if left <= 0 {
			return
		}
		spec := syscall.NsecToTimespec(int64(left))
		// Interrupted by a signal it sleeps the rest in the next turn.
		_ = syscall.Nanosleep(&spec, nil)
	}
}
