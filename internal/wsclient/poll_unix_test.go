//go:build unix

package wsclient

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// waits counts the reads that may have parked the reader.
type waits struct {
	*net.TCPConn
	n int
}

func (c *waits) Read(p []byte) (int, error) {
	c.n++
	return c.TCPConn.Read(p)
}

// socketPair returns the polled end of a loopback connection, what counts its
// waits, and the peer.
func socketPair(t *testing.T, poll time.Duration) (net.Conn, *waits, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); peer.Close() })
	counted := &waits{TCPConn: nc.(*net.TCPConn)}
	return polled(counted, poll), counted, peer
}

func TestPolledReadDoesNotWait(t *testing.T) {
	c, counted, peer := socketPair(t, time.Minute)
	buf := make([]byte, 16)
	for range 100 {
		go peer.Write([]byte("frame"))
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != "frame" {
			t.Fatalf("Read = %q, %v, want a frame", buf[:n], err)
		}
	}
	if counted.n != 0 {
		t.Errorf("the reader waited %d times within the time of polling", counted.n)
	}
	peer.Close()
	if n, err := c.Read(buf); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("Read after the peer's end = %d, %v, want io.EOF", n, err)
	}
}

func TestPolledReadWaitsAfterItsTime(t *testing.T) {
	c, counted, peer := socketPair(t, time.Nanosecond)
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	buf := make([]byte, 16)
	if _, err := c.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Read of silence = %v, want the deadline", err)
	}
	if counted.n != 1 {
		t.Errorf("the reader waited %d times, want once", counted.n)
	}
	c.SetReadDeadline(time.Time{})
	go peer.Write([]byte("late"))
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != "late" {
		t.Errorf("Read = %q, %v, want what came late", buf[:n], err)
	}
}

func TestPolledReadEndsWithItsConnection(t *testing.T) {
	for _, end := range []struct {
		name string
		end  func(net.Conn) error
		want error
	}{
		{"closed", net.Conn.Close, net.ErrClosed},
		{"past its deadline", func(c net.Conn) error { return c.SetReadDeadline(time.Now()) }, os.ErrDeadlineExceeded},
	} {
		t.Run(end.name, func(t *testing.T) {
			c, _, _ := socketPair(t, time.Hour)
			failed := make(chan error)
			go func() {
				_, err := c.Read(make([]byte, 1))
				failed <- err
			}()
			if err := end.end(c); err != nil {
				t.Fatal(err)
			}
			if err := <-failed; !errors.Is(err, end.want) {
				t.Errorf("Read = %v, want %v", err, end.want)
			}
		})
	}
}

func TestPolledLeavesOtherConnectionsAlone(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if got := polled(a, time.Second); got != a {
		t.Errorf("polled = %T, want the connection as it was", got)
	}
}
