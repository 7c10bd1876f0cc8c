//go:build unix

package wsclient

import (
	"net"
	"runtime"
	"syscall"
	"time"
)

// polledConn asks its socket again and again for a while before it lets the
// runtime park the reader. To be woken costs tens of microseconds, most of what
// a message takes on its way; to ask costs one, and a processor while it lasts.
type polledConn struct {
	net.Conn
	raw  syscall.RawConn
	poll time.Duration
}

// polled wraps a connection that has a socket, and returns any other as it is.
func polled(nc net.Conn, poll time.Duration) net.Conn {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nc
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nc // closed: its Read says so
	}
	return &polledConn{Conn: nc, raw: raw, poll: poll}
}

// Read returns what is there, within the time of polling, and waits after that.
// Everything but data is left to the connection's own Read: the end, errors,
// deadlines.
func (c *polledConn) Read(p []byte) (int, error) {
	began := time.Now()
	for {
		// The consumer of what was read before may be ready to run on this very processor, and the runtime does not
		// always let it go first.
		runtime.Gosched()
		var n int
		var err error
		closed := c.raw.Read(func(fd uintptr) bool {
			n, err = syscall.Read(int(fd), p)
			return true // do not park
		})
		switch {
		case closed == nil && n > 0:
			return n, nil
		case closed != nil || err != syscall.EAGAIN || time.Since(began) > c.poll:
			return c.Conn.Read(p)
		}
	}
}
