// Package memnet is a network that exists in memory: a [Listener] that servers
// accept from, and a Dial that clients connect with.
//
//	ln := memnet.Listen("venue")
//	go server.Serve(ln)
//	conn, err := ln.Dial(ctx, "tcp", "any.host:443")
//
// It exists for tests. Its connections behave like TCP on a fast machine:
// each direction is a buffer, so a write returns as soon as its bytes fit and
// blocks while the peer does not read; a closed connection gives the peer what
// was written before, then io.EOF; deadlines interrupt a blocked call with
// os.ErrDeadlineExceeded.
//
// Everything that blocks waits on a condition variable, and deadlines are
// ordinary timers. Inside a testing/synctest bubble that makes a waiting
// goroutine durably blocked, so that fake time passes and a test of a day of
// heartbeats takes seconds. net.Pipe is no substitute: without buffers a
// writer and a reader move in lock step, and a peer that stopped reading blocks
// the writer at the first byte.
//
// A connection can be cut: [Conn.Cut] ends both directions with an error and
// loses what is in flight, as a dead link does, and [Listener.CutAll] does it to
// every connection. [Listener.Refuse] makes dials fail.
package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// BufferSize is how many bytes one direction of a connection holds before
// its writer blocks.
const BufferSize = 256 << 10

// backlog is how many dialled connections may wait for Accept; a dial beyond
// it waits.
const backlog = 128

// ErrRefused is what Dial returns while the listener is closed.
var ErrRefused = errors.New("connection refused")

// Addr is the name of an end of a connection.
type Addr string

// Network returns "mem".
func (Addr) Network() string { return "mem" }

// String returns the name.
func (a Addr) String() string { return string(a) }

// Listener accepts the connections that Dial makes. It is safe for
// concurrent use.
type Listener struct {
	addr   Addr
	queue  chan *Conn
	closed chan struct{}
	once   sync.Once

	mu      sync.Mutex // guards what follows
	refusal error
	conns   map[*Conn]struct{} // dialling ends that are open
}

// Listen returns a listener of that name. The name is for messages only.
func Listen(name string) *Listener {
	return &Listener{
		addr:   Addr(name),
		queue:  make(chan *Conn, backlog),
		closed: make(chan struct{}),
		conns:  make(map[*Conn]struct{}),
	}
}

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "mem", Addr: l.addr, Err: net.ErrClosed}
	default:
	}
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "mem", Addr: l.addr, Err: net.ErrClosed}
	}
}

// Close stops accepting. Connections stay open.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns the listener's name.
func (l *Listener) Addr() net.Addr { return l.addr }

// Dial connects to the listener, whatever the address. It has the shape of
// net.Dialer.DialContext; ctx bounds the wait for room in the backlog.
func (l *Listener) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: Addr(addr), Err: err}
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	l.mu.Lock()
	refusal := l.refusal
	l.mu.Unlock()
	if refusal != nil {
		return fail(refusal)
	}
	select {
	case <-l.closed:
		return fail(ErrRefused)
	default:
	}
	client, server := Pipe(Addr("client"), l.addr)
	select {
	case l.queue <- server:
	case <-l.closed:
		return fail(ErrRefused)
	case <-ctx.Done():
		return fail(ctx.Err())
	}
	l.mu.Lock()
	l.conns[client] = struct{}{}
	l.mu.Unlock()
	client.forget = func() {
		l.mu.Lock()
		delete(l.conns, client)
		l.mu.Unlock()
	}
	return client, nil
}

// Refuse makes every dial fail with err until it is called with nil.
func (l *Listener) Refuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusal = err
}

// CutAll cuts every connection that was dialled and is still open, and
// returns how many there were.
func (l *Listener) CutAll() int {
	l.mu.Lock()
	conns := make([]*Conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	clear(l.conns)
	l.mu.Unlock()
	for _, c := range conns {
		c.Cut()
	}
	return len(conns)
}

// Conn is one end of a connection. It is safe for concurrent use, as every
// net.Conn is.
type Conn struct {
	local, remote Addr
	in, out       *half
	forget        func() // tells the listener, on the dialling end only
	once          sync.Once
}

// Pipe returns the two ends of a new connection.
func Pipe(a, b Addr) (*Conn, *Conn) {
	ab, ba := newHalf(), newHalf()
	return &Conn{local: a, remote: b, in: ba, out: ab}, &Conn{local: b, remote: a, in: ab, out: ba}
}

// Read takes what has arrived and waits only while there is nothing.
func (c *Conn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write returns when all bytes are in the buffer.
func (c *Conn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close ends both directions. The peer still reads what was written.
func (c *Conn) Close() error {
	c.once.Do(func() {
		if c.forget != nil {
			c.forget()
		}
	})
	c.out.finish(io.EOF, io.ErrClosedPipe)
	c.in.abandon(net.ErrClosed)
	return nil
}

// Cut ends the connection for both peers at once, as a dead link does: what
// is in flight is lost and every call returns a "connection reset" error.
func (c *Conn) Cut() {
	c.out.abandon(errReset)
	c.in.abandon(errReset)
}

var errReset = &net.OpError{Op: "read", Net: "mem", Err: errors.New("connection reset by peer")}

// LocalAddr returns this end's name.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the peer's name.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines; the zero time removes them.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readLimit, t)
	c.out.setDeadline(&c.out.writeLimit, t)
	return nil
}

// SetReadDeadline sets when Read gives up.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readLimit, t)
	return nil
}

// SetWriteDeadline sets when Write gives up.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeLimit, t)
	return nil
}

// half is one direction: a buffer with a reader and a writer.
type half struct {
	mu         sync.Mutex // guards all of the half
	changed    sync.Cond  // broadcast on every change a waiter may care for
	buf        []byte     // unread bytes are buf[start:]
	start      int
	readErr    error // what Read returns once the buffer is empty
	writeErr   error // what Write returns
	readLimit  limit
	writeLimit limit
}

// limit is a deadline. gen tells a timer that fires late that the deadline it
// was set for has been replaced.
type limit struct {
	passed bool
	gen    int
	timer  *time.Timer
}

func newHalf() *half {
	h := &half{}
	h.changed.L = &h.mu
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		if h.readLimit.passed {
			return 0, os.ErrDeadlineExceeded
		}
		if h.start < len(h.buf) {
			n := copy(p, h.buf[h.start:])
			h.start += n
			if h.start == len(h.buf) {
				h.buf, h.start = h.buf[:0], 0
			}
			h.changed.Broadcast()
			return n, nil
		}
		if h.readErr != nil {
			return 0, h.readErr
		}
		if len(p) == 0 {
			return 0, nil
		}
		h.changed.Wait()
	}
}

func (h *half) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	written := 0
	for {
		if h.writeErr != nil {
			return written, h.writeErr
		}
		if h.writeLimit.passed {
			return written, os.ErrDeadlineExceeded
		}
		if room := BufferSize - (len(h.buf) - h.start); room > 0 {
			if h.start > 0 && len(h.buf)+min(room, len(p)) > cap(h.buf) {
				h.buf, h.start = append(h.buf[:0], h.buf[h.start:]...), 0
			}
			n := min(room, len(p))
			h.buf = append(h.buf, p[:n]...)
			p, written = p[n:], written+n
			h.changed.Broadcast()
		}
		if len(p) == 0 {
			return written, nil
		}
		h.changed.Wait()
	}
}

// finish ends the direction after what is buffered.
func (h *half) finish(readErr, writeErr error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readErr == nil {
		h.readErr = readErr
	}
	if h.writeErr == nil {
		h.writeErr = writeErr
	}
	h.stopTimers()
	h.changed.Broadcast()
}

// abandon ends the direction and drops what is buffered.
func (h *half) abandon(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.buf, h.start = nil, 0
	if h.readErr == nil {
		h.readErr = err
	}
	if h.writeErr == nil {
		h.writeErr = err
	}
	h.stopTimers()
	h.changed.Broadcast()
}

// stopTimers lets a closed connection leave nothing behind that would keep
// fake time running.
func (h *half) stopTimers() {
	for _, l := range []*limit{&h.readLimit, &h.writeLimit} {
		if l.timer != nil {
			l.timer.Stop()
		}
	}
}

func (h *half) setDeadline(l *limit, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	l.gen++
	l.passed = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		l.passed = true
		h.changed.Broadcast()
		return
	}
	gen := l.gen
	l.timer = time.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if l.gen == gen {
			l.passed = true
			h.changed.Broadcast()
		}
	})
}
