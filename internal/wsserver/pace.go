package wsserver

import (
	"context"
	"time"
)

// A server whose time is its own can wait for its clients: until what was published is on their sockets, and until they
// have dealt with it. Waiting is for a goroutine that has the time; publishing goes on meanwhile.

// pace is what a server knows of how far one client has come. Session.mu guards it.
type pace struct {
	queued int64 // bytes ever queued
	frames int64 // text frames ever queued
	idle   int64 // of frames, how many the client says that it has dealt with
	steady bool  // the client has said so at least once: it wants to be waited for
	heard  int64 // when the client last sent a frame, in Unix nanoseconds
	sent   int64 // when something was last written to it, in Unix nanoseconds

	// A session that has held up a wait to its end is not waited for again until it has caught up.
	unread bool // it did not take what was sent
	absent bool // it did not say that it has dealt with it

	moved chan struct{} // closed when something of the above changes; nil: nobody waits
}

// move wakes who waits for progress. It is called with the lock held.
func (p *pace) move() {
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

// wait returns a channel that is closed at the next change. It is called with the lock held.
func (p *pace) wait() <-chan struct{} {
	if p.moved == nil {
		p.moved = make(chan struct{})
	}
	return p.moved
}

// hear notes a sign of life.
func (s *Session) hear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pace.heard = time.Now().UnixNano()
	s.pace.absent = false
	s.pace.move()
}

// Idle notes that the client has dealt with the first n text frames that it was sent, acknowledgements and pongs
// included; n below zero is all that has been queued so far. From then on it is steady: WaitIdle waits for it.
func (s *Session) Idle(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n > s.pace.frames {
		n = s.pace.frames
	}
	s.pace.idle = max(s.pace.idle, n)
	s.pace.steady = true
	s.pace.move()
}

// unsent is how many bytes are queued or being written. It is called with the lock held.
func (s *Session) unsent() int { return s.published + s.replies }

// Behind reports whether a session has more than size bytes of published frames that are not written yet, beside those
// that WaitSent has given up for now.
func (v *Server) Behind(size int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for s := range v.sessions {
		s.mu.Lock()
		behind := s.phase == open && s.published > size && !s.pace.unread
		s.mu.Unlock()
		if behind {
			return true
		}
	}
	return false
}

// snapshot lists the sessions of now.
func (v *Server) snapshot() []*Session {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := make([]*Session, 0, len(v.sessions))
	for s := range v.sessions {
		all = append(all, s)
	}
	return all
}

// WaitSent waits until of what was queued when it was called all but size bytes is written, for every session that is
// not being closed. When ctx ends first, it returns the sessions that are not so far. Later calls return those
// at once, until they have taken all that there is for them.
func (v *Server) WaitSent(ctx context.Context, size int) (late []*Session) {
	sessions := v.snapshot()
	marks := make([]int64, len(sessions))
	for i, s := range sessions {
		s.mu.Lock()
		marks[i] = s.pace.queued - int64(size)
		s.mu.Unlock()
	}
	for i, s := range sessions {
		if !s.await(ctx, nil, &s.pace.unread, func(time.Time) (bool, time.Duration) {
			return s.phase != open || s.pace.queued-int64(s.unsent()) >= marks[i], 0
		}) {
			late = append(late, s)
		}
	}
	return late
}

// WaitIdle waits until every session has dealt with what was queued for it when WaitIdle was called: it has said so (see
// Session.Idle), or it was silent for the span since it last got or sent something. A span of 0 waits for steady
// sessions only, and for what they say. When ctx ends first, it returns the sessions that it still waited for. Later calls
// return those at once, until they send something.
func (v *Server) WaitIdle(ctx context.Context, silence time.Duration) (late []*Session) {
	sessions := v.snapshot()
	marks := make([]int64, len(sessions))
	for i, s := range sessions {
		s.mu.Lock()
		marks[i] = s.pace.frames
		s.mu.Unlock()
	}
	var timer *time.Timer
	if silence > 0 {
		timer = time.NewTimer(silence)
		defer timer.Stop()
	}
	for i, s := range sessions {
		if !s.await(ctx, timer, &s.pace.absent, func(now time.Time) (bool, time.Duration) {
			if s.phase != open || s.pace.idle >= marks[i] || silence <= 0 && !s.pace.steady {
				return true, 0
			}
			if silence <= 0 {
				return false, 0
			}
			left := silence - now.Sub(time.Unix(0, max(s.pace.heard, s.pace.sent)))
			return left <= 0 && s.unsent() == 0, max(left, 0)
		}) {
			late = append(late, s)
		}
	}
	return late
}

// await waits until done reports true, which is asked with the lock held after each change and, when done says after
// how long, then. It reports false when ctx has ended first, and sets the mark that makes it report false at once.
func (s *Session) await(ctx context.Context, timer *time.Timer, late *bool, done func(now time.Time) (bool, time.Duration)) bool {
	for {
		s.mu.Lock()
		ok, again := done(time.Now())
		if ok {
			s.mu.Unlock()
			return true
		}
		if *late {
			s.mu.Unlock()
			return false
		}
		moved := s.pace.wait()
		s.mu.Unlock()
		var due <-chan time.Time
		if again > 0 {
			timer.Reset(again)
			due = timer.C
		}
		select {
		case <-moved:
		case <-due:
		case <-ctx.Done():
			s.mu.Lock()
			*late = true
			s.mu.Unlock()
			return false
		}
	}
}
