package memnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/internal/memnet"
)

func TestBytesArriveInOrderThenEOF(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := memnet.Listen("x")
		want := bytes.Repeat([]byte("0123456789"), 100_000) // several buffers long
		var got []byte
		var wg sync.WaitGroup
		wg.Go(func() {
			c, err := ln.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			got, err = io.ReadAll(c)
			if err != nil {
				t.Error(err)
			}
		})
		c, err := ln.Dial(t.Context(), "tcp", "a:1")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.Write(want); n != len(want) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
		c.Close()
		wg.Wait()
		if !bytes.Equal(got, want) {
			t.Fatalf("read %d bytes, want %d", len(got), len(want))
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read after Close = %v, want net.ErrClosed", err)
		}
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe("a", "b")
		defer a.Close()
		defer b.Close()
		start := time.Now()
		a.SetReadDeadline(start.Add(3 * time.Second))
		_, err := a.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Fatalf("Read = %v after %v, want a timeout after 3s", err, time.Since(start))
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v is no timeout", err)
		}
		a.SetReadDeadline(time.Time{})
		if _, err := b.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Fatalf("Read after the deadline was removed = %d, %v", n, err)
		}
		a.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := a.Write(make([]byte, 2*memnet.BufferSize))
		if n != memnet.BufferSize || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Write to a peer that does not read = %d, %v", n, err)
		}
		// A deadline that is moved on does not fire at its old time.
		a.SetReadDeadline(time.Now().Add(time.Second))
		a.SetReadDeadline(time.Now().Add(time.Minute))
		start = time.Now()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Fatalf("Read = %v after %v, want a timeout after 1m", err, time.Since(start))
		}
	})
}

func TestCutEndsBothPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := memnet.Listen("x")
		c, err := ln.Dial(t.Context(), "tcp", "a:1")
		if err != nil {
			t.Fatal(err)
		}
		s, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		s.Write([]byte("in flight"))
		if n := ln.CutAll(); n != 1 {
			t.Fatalf("CutAll = %d, want 1", n)
		}
		for _, end := range []net.Conn{c, s} {
			if _, err := end.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
				t.Errorf("Read after Cut = %v, want a reset", err)
			}
			if _, err := end.Write([]byte("x")); err == nil {
				t.Error("Write after Cut succeeded")
			}
		}
	})
}

func TestDialFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := memnet.Listen("x")
		down := errors.New("network is down")
		ln.Refuse(down)
		if _, err := ln.Dial(t.Context(), "tcp", "a:1"); !errors.Is(err, down) {
			t.Errorf("Dial = %v, want the refusal", err)
		}
		ln.Refuse(nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		for err == nil { // until the backlog is full and the dial waits
			_, err = ln.Dial(ctx, "tcp", "a:1")
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial with a full backlog = %v, want the deadline", err)
		}
		ln.Close()
		if _, err := ln.Dial(t.Context(), "tcp", "a:1"); !errors.Is(err, memnet.ErrRefused) {
			t.Errorf("Dial after Close = %v, want ErrRefused", err)
		}
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close = %v, want net.ErrClosed", err)
		}
	})
}
