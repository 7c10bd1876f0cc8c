package wsserver

import (
	"context"
	"time"

	"github.com/gobwas/ws"
)

// What a server that misbehaves on purpose needs. A server that does not never calls any of it.

// Each calls f for the sessions that have joined the topic, those that are over left out.
func (t *Topic) Each(f func(s *Session)) {
	t.mu.Lock()
	subs := t.subs
	t.mu.Unlock()
	for _, s := range subs {
		if !s.over.Load() {
			f(s)
		}
	}
}

// Each calls f for the sessions that are open.
func (v *Server) Each(f func(s *Session)) {
	for _, s := range v.snapshot() {
		f(s)
	}
}

// Message is a text frame made once, for sessions that are chosen one by one.
type Message struct{ f *frame }

// Message encodes a payload as one of the topic. The payload is copied.
func (t *Topic) Message(payload []byte, kind Kind) Message {
	return Message{encode(t, kind, ws.OpText, payload)}
}

// Send queues a message for one session, as Publish does for all.
func (s *Session) Send(ctx context.Context, m Message) error {
	s.srv.published.Add(1)
	s.srv.publishedBytes.Add(int64(len(m.f.bytes) - headerOf(m.f.bytes)))
	for room := s.offer(m.f); room != nil; room = s.offer(m.f) {
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// headerOf is the length of the header at the beginning of an unmasked frame.
func headerOf(frame []byte) int {
	switch frame[1] & 0x7f {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// Cut ends the connection without a close frame, as a broken line does. What is queued is lost.
func (s *Session) Cut() { s.fail() }

// Throttle lets the session write no more than so many bytes a second from now on; 0 lifts the bound. Its queue fills
// as that of a client that reads slowly does.
func (s *Session) Throttle(bytesPerSecond int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rate = max(bytesPerSecond, 0)
}

// portion is the part of a second in which a throttled session writes once.
const portion = 100 * time.Millisecond

// atOnce is how many bytes may be gathered for one write. It is called with the lock held.
func (s *Session) atOnce() int {
	most := gather
	if bound := s.srv.opts.SocketBytes; bound > 0 {
		most = min(most, bound/2) // a write is done when all of it is in the socket
	}
	if s.rate == 0 {
		return most
	}
	return min(int(int64(s.rate)*int64(portion)/int64(time.Second)), most)
}

// rest waits after a write of n bytes for as long as the session's rate demands. A session that is being closed waits no
// longer.
func (s *Session) rest(n int) {
	for due := time.Duration(0); ; {
		s.mu.Lock()
		rate, state := s.rate, s.phase
		s.mu.Unlock()
		if rate == 0 || state != open {
			return
		}
		left := time.Duration(n)*time.Second/time.Duration(rate) - due
		if left <= 0 {
			return
		}
		step := min(left, portion)
		time.Sleep(step)
		due += step
	}
}

// HasTopic reports whether the session has joined a topic whose name match accepts. It is for Options.Deaf and Options.Op: to be
// called on the session's reader.
func (s *Session) HasTopic(match func(name string) bool) bool {
	for name := range s.topics {
		if match(name) {
			return true
		}
	}
	return false
}

// deaf reports whether the server is not to notice a request. It is called on the session's reader.
func (s *Session) deaf(op string) bool {
	f := s.srv.opts.Deaf
	return f != nil && f(s, op)
}
