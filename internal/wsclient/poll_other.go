//go:build !unix

package wsclient

import (
	"net"
	"time"
)

// polled does nothing where a socket cannot be asked without waiting.
func polled(nc net.Conn, _ time.Duration) net.Conn { return nc }
