package wsserver

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
)

// The reasons in close frames that the server sends on its own account (choice: the venue documents none).
const (
	ReasonSlow = "too slow" // with 1008
	ReasonIdle = "idle"     // with 1008
)

// phase is how far a session has come.
type phase uint8

const (
	open    phase = iota
	closing       // the close frame is the last of the queue
	dead          // the connection has failed or is finished; nothing is queued
)

// queuePolicy says what becomes of the queue of a session that is being closed.
type queuePolicy bool

const (
	keepQueue queuePolicy = false // it is written before the close frame
	dropQueue queuePolicy = true  // only the close frame is still sent
)

// Session is one connection. It belongs to two goroutines: the reader, which lives as long as the connection, and the
// writer, which exists while something is queued.
type Session struct {
	srv     *Server
	conn    net.Conn
	channel wire.Channel
	id      string
	remote  string        // the address of the client, without the port
	ended   chan struct{} // closed when both goroutines are through and the connection is closed
	over    atomic.Bool   // the session has left all topics for good

	// The reader's alone.
	reader *wsframe.Reader
	topics map[string]struct{} // subscribed now
	chars  int                 // the length of all of them
	authed bool
	joined chan []string // a source's answer, from the goroutine that gave it

	mu sync.Mutex // guards the fields below, which are described in queue.go and pace.go
	outbox
	pace pace
}

func newSession(v *Server, conn net.Conn, ch wire.Channel, early []byte) *Session {
	s := &Session{srv: v, conn: conn, channel: ch, id: v.opts.ConnID(ch), ended: make(chan struct{})}
	s.reader = wsframe.NewReader(conn, readBuffer, v.opts.MaxMessage, true)
	s.reader.Preload(early)
	return s
}

// ID is the connection's name, conn_id on the wire.
func (s *Session) ID() string { return s.id }

// Channel is the path that the client connected to.
func (s *Session) Channel() wire.Channel { return s.channel }

// Remote is the address of the client, without the port.
func (s *Session) Remote() string { return s.remote }

// Family is the shape of the control frames on this session.
func (s *Session) Family() wire.Family { return s.channel.Family() }

// Close ends the session: what is queued is written, then a close frame with the code and reason. It does not wait;
// a client that reads nothing is given up at the latest when it counts as idle.
func (s *Session) Close(code ws.StatusCode, reason string) { s.shut(code, reason, keepQueue) }

// run is the reader goroutine.
func (s *Session) run() {
	if s.read() {
		s.drain()
	}
	s.over.Store(true)
	for name := range s.topics {
		s.srv.Topic(s.channel, name).forget()
	}
	s.srv.src.Closed(s)
	s.srv.mu.Lock()
	delete(s.srv.sessions, s)
	s.srv.mu.Unlock()
	s.srv.release(s.remote, s.channel)
	s.readerEnds()
}

// read takes frames until the connection ends. It reports whether there may be more bytes to come that nobody wants.
func (s *Session) read() (drain bool) {
	for {
		s.armIdle()
		op, payload, err := s.reader.Next()
		if errors.Is(err, os.ErrDeadlineExceeded) && s.stillAlive() {
			continue
		}
		if err != nil {
			code := wsframe.CloseCode(err)
			s.shut(code, reasonOf(code), dropQueue)
			return code != 0
		}
		s.hear()
		switch op {
		case ws.OpClose:
			s.shut(echo(payload), "", dropQueue)
			return false
		case ws.OpPing:
			if !s.deaf(wire.OpPing) {
				s.send(encode(nil, Following, ws.OpPong, payload))
			}
		case ws.OpText, ws.OpBinary: // choice: a request in a binary frame is answered too
			if s.isOpen() {
				s.handle(payload)
			}
		}
	}
}

// reasonOf is the text beside the code of a reader's error.
func reasonOf(code ws.StatusCode) string {
	switch code {
	case ws.StatusMessageTooBig:
		return "message too long"
	case ws.StatusProtocolError:
		return "protocol error"
	}
	return ""
}

// echo is the code to answer a peer's close frame with.
func echo(payload []byte) ws.StatusCode {
	code, _, err := wsframe.ParseClose(payload)
	if err != nil {
		return ws.StatusProtocolError
	}
	return code
}

// drain reads what the peer had sent before it could see the close frame. A connection that is closed with bytes unread
// is reset, and a reset makes the peer lose the close frame.
func (s *Session) drain() {
	buf := make([]byte, 512)
	for {
		if _, err := s.conn.Read(buf); err != nil {
			return
		}
	}
}

// armIdle starts the wait for the client's next frame. A read deadline costs no timer or goroutine of our own.
func (s *Session) armIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == open {
		s.conn.SetReadDeadline(time.Now().Add(s.srv.opts.IdleTimeout))
	}
}

// stillAlive judges a read deadline that has passed: a session with stream data since then goes on, an idle one
// is told so and goes on until its close frame was answered.
func (s *Session) stillAlive() bool {
	s.mu.Lock()
	state, last := s.phase, s.lastData
	s.mu.Unlock()
	if state != open {
		return false
	}
	if time.Since(time.Unix(0, last)) >= s.srv.opts.IdleTimeout {
		s.shut(ws.StatusPolicyViolation, ReasonIdle, dropQueue)
	}
	return true
}

func (s *Session) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == open
}
