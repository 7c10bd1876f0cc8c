// Package wsclient is one client socket: it dials, reads frames in place and
// writes through one goroutine.
//
//	Dial ──▶ Conn ──Next──▶ frames, for the one goroutine that reads
//	           ▲
//	           └─Send── from anywhere: queued, masked and written by the writer
//
// A [Conn] has exactly one reader, the goroutine that calls Next, and exactly
// one writer, a goroutine of its own, so that two writes can never mix. Send copies the
// frame into a bounded queue and returns; what has gathered goes out in one
// write. Pings of the peer are answered and its close is acknowledged inside
// Next: a caller sees data only, then an error.
//
// Reading copies nothing. The reader's buffer is 64 KiB, so that one read
// brings many messages; the clock is read once per read of the socket, and
// [Conn.ReadAt] is the time for every frame that the read completed.
//
// What it does not do: reconnect, send the venue's own JSON pings or decide that a
// peer is dead. [Conn.Inbound] says when bytes last came; package session decides.
package wsclient

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/wsframe"
)

const (
	readBuffer   = 64 << 10
	maxQueued    = 1 << 20          // bytes that wait to be written
	writeTimeout = 10 * time.Second // for one write; a peer that takes none is dead
	closeTimeout = time.Second      // for the peer's answer to our close
)

var (
	// ErrClosed is what Send returns after Close.
	ErrClosed = errors.New("connection closed")

	// ErrQueueFull is what Send returns while a megabyte waits to be written.
	ErrQueueFull = errors.New("write queue is full")
)

// CloseError is the close frame that the peer sent. Code is 1005 if it sent
// none.
type CloseError struct {
	Code   int
	Reason string
}

// Error names the code and the reason.
func (e *CloseError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("closed by the peer (%d)", e.Code)
	}
	return fmt.Sprintf("closed by the peer: %s (%d)", e.Reason, e.Code)
}

// Conn is one connection. Next, Buffered and ReadAt belong to one goroutine; the
// other methods are safe for concurrent use.
type Conn struct {
	nc      net.Conn
	frames  *wsframe.Reader
	readAt  time.Time    // owned by the reader
	failure error        // owned by the reader: what Next returns from now on
	began   time.Time    // of the connection: inbound counts from here
	latest  atomic.Int64 // nanoseconds from began to the last bytes read

	mu      sync.Mutex // guards what follows
	queue   []byte     // framed and masked, to be written
	spare   []byte     // the other buffer of the writer
	closing bool       // a close frame is queued; nothing may follow it
	err     error      // why the connection ended
	work    chan struct{}
	done    chan struct{} // closed when the socket is
	wrote   chan struct{} // closed when the writer has ended
	once    sync.Once
}

func newConn(nc net.Conn, buffered []byte, maxFrame int) *Conn {
	c := &Conn{
		nc:    nc,
		began: time.Now(),
		work:  make(chan struct{}, 1),
		done:  make(chan struct{}),
		wrote: make(chan struct{}),
	}
	c.readAt = c.began
	c.frames = wsframe.NewReader((*stamped)(c), readBuffer, maxFrame, false)
	if len(buffered) > 0 {
		c.frames.Preload(buffered)
	}
	go c.write()
	return c
}

// stamped reads from the socket and notes when bytes came.
type stamped Conn

func (s *stamped) Read(p []byte) (int, error) {
	n, err := s.nc.Read(p)
	if n > 0 {
		s.readAt = time.Now()
		s.latest.Store(int64(s.readAt.Sub(s.began)))
	}
	return n, err
}

// Next returns the next data frame, which is valid until the next call of Next
// or Buffered, and waits for it. The error is a *CloseError if the peer closed
// in order. After an error the socket is closed.
func (c *Conn) Next() ([]byte, error) {
	for c.failure == nil {
		op, payload, err := c.frames.Next()
		if err == nil && c.handle(op, payload) {
			return payload, nil
		}
		if err != nil {
			if code := wsframe.CloseCode(err); code != 0 {
				c.sendClose(code, "")
				c.awaitWriter()
			}
			c.failure = err
		}
	}
	if _, ok := errors.AsType[*CloseError](c.failure); ok {
		c.awaitWriter()
	}
	return nil, c.fail(c.failure)
}

// Buffered returns the next data frame if it has been read from the socket
// already. It never waits; at the end of what is buffered, and at the end of
// the connection, it returns false.
func (c *Conn) Buffered() ([]byte, bool) {
	for c.failure == nil {
		op, payload, ok := c.frames.TryNext()
		if !ok {
			return nil, false
		}
		if op == ws.OpText || c.handle(op, payload) {
			return payload, true
		}
	}
	return nil, false
}

// handle answers control frames and reports whether the frame is data. A close
// sets failure, for Next to return.
func (c *Conn) handle(op ws.OpCode, payload []byte) bool {
	switch op {
	case ws.OpText, ws.OpBinary:
		return true
	case ws.OpPing:
		// A full queue means that the peer does not read; the write deadline
		// ends that.
		_ = c.enqueue(ws.OpPong, payload)
	case ws.OpClose:
		code, reason, err := wsframe.ParseClose(payload)
		if err != nil {
			code, reason = ws.StatusProtocolError, "malformed close frame"
		}
		c.sendClose(code, "")
		c.failure = &CloseError{Code: int(code), Reason: reason}
	}
	return false
}

// ReadAt is when the bytes of the last frame had come, with the monotonic
// clock. It belongs to the goroutine that calls Next.
func (c *Conn) ReadAt() time.Time { return c.readAt }

// Inbound is when bytes last came; before that, when the connection began.
func (c *Conn) Inbound() time.Time { return c.began.Add(time.Duration(c.latest.Load())) }

// Send queues a text frame.
func (c *Conn) Send(frame []byte) error { return c.enqueue(ws.OpText, frame) }

func (c *Conn) enqueue(op ws.OpCode, payload []byte) error {
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.err
	case c.closing:
		return ErrClosed
	case len(c.queue)+len(payload) > maxQueued:
		return ErrQueueFull
	}
	c.queue = wsframe.AppendMasked(c.queue, op, mask, payload)
	c.closing = op == ws.OpClose
	select {
	case c.work <- struct{}{}:
	default:
	}
	return nil
}

func (c *Conn) sendClose(code ws.StatusCode, reason string) {
	// An error means that the connection has ended or is closing already.
	_ = c.enqueue(ws.OpClose, wsframe.AppendClose(nil, code, reason))
}

// write is the writer: it swaps the queue for an empty one and writes it.
func (c *Conn) write() {
	defer close(c.wrote)
	for {
		select {
		case <-c.work:
		case <-c.done:
			return
		}
		c.mu.Lock()
		out := c.queue
		c.queue, c.spare = c.spare[:0], nil
		last := c.closing
		c.mu.Unlock()
		if len(out) > 0 {
			// A socket that refuses a deadline fails at the write itself.
			_ = c.nc.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := c.nc.Write(out); err != nil {
				_ = c.fail(err) // the reader returns it
				return
			}
		}
		if last {
			// The peer answers a close with its own, which ends the reader.
			_ = c.nc.SetReadDeadline(time.Now().Add(closeTimeout))
			return
		}
		c.mu.Lock()
		c.spare = out
		c.mu.Unlock()
	}
}

// awaitWriter lets our answer to the peer's close go out, for a moment.
func (c *Conn) awaitWriter() {
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-c.wrote:
	case <-timer.C:
	}
}

// fail ends the connection with err unless it has ended before, and returns
// the reason that counts.
func (c *Conn) fail(err error) error {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	err = c.err
	c.mu.Unlock()
	c.once.Do(func() {
		close(c.done)
		c.nc.Close()
	})
	return err
}

// Close ends the connection in order: a close frame with code 1000 goes out
// after what is queued, and Next returns an error when the peer has answered,
// after a second at most. It does not wait.
func (c *Conn) Close() {
	c.sendClose(ws.StatusNormalClosure, "")
	// A peer that takes nothing keeps the close frame in the queue. The writer
	// grants the answer another second once it is out.
	_ = c.nc.SetReadDeadline(time.Now().Add(closeTimeout))
}

// Abort ends the connection at once; Next returns err.
func (c *Conn) Abort(err error) { _ = c.fail(err) }

// Wait returns when the writer has ended, after Next has returned an error.
func (c *Conn) Wait() { <-c.wrote }
