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
	said   int64 // when the client last said that it has dealt with more, in Unix nanoseconds
	sent   int64 // when something was last written to it, in Unix nanoseconds

	// A session that has held up a wait to its end is not waited for again until it gives a sign.
	unread bool // it took nothing; until it takes something
	absent bool // it did not say that it has dealt with what it took; until it says so

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
	if n > s.pace.idle {
		s.pace.idle, s.pace.said = n, time.Now().UnixNano()
	}
	s.pace.steady, s.pace.absent = true, false
	s.pace.move()
}

// progress notes that the connection has taken something. It is called with the lock held.
func (s *Session) progress() {
	s.pace.sent = time.Now().UnixNano()
	// A throttled session takes what it is let have, which says nothing of its client.
	if s.rate == 0 || s.unsent() == 0 {
		s.pace.unread = false
	}
	s.pace.move()
}

// taken is how many bytes are written. It is called with the lock held.
func (s *Session) taken() int64 { return s.pace.queued - int64(s.unsent()) }

// since is when the session last took something, if that was after begun. It is called with the lock held.
func (s *Session) since(begun time.Time) time.Time {
	if s.rate == 0 {
		return later(begun, s.pace.sent)
	}
	return begun
}

// later is the later of two times, one in Unix nanoseconds.
func later(a time.Time, b int64) time.Time {
	if b > a.UnixNano() {
		return time.Unix(0, b)
	}
	return a
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
// not being closed. However long that takes: a session that reads slowly sets the pace. One that takes nothing for the span
// of patience is returned, and later calls return it at once until it takes something. Over TCP that is seen in lumps: a
// receiver that was full makes room by 100 KiB and more at a time, and a sender as Options.SocketBytes says. One that is
// throttled is given that span in all. When ctx ends the wait does, for all.
func (v *Server) WaitSent(ctx context.Context, size int, patience time.Duration) (late []*Session) {
	sessions := v.snapshot()
	marks := make([]int64, len(sessions))
	for i, s := range sessions {
		s.mu.Lock()
		marks[i] = s.pace.queued - int64(size)
		s.mu.Unlock()
	}
	w := newWait(ctx)
	defer w.timer.Stop()
	for i, s := range sessions {
		if w.await(s, func(now time.Time) (verdict, time.Duration) {
			if s.phase != open || s.taken() >= marks[i] {
				return ready, 0
			}
			left := patience - now.Sub(s.since(w.begun))
			if s.pace.unread || left <= 0 {
				s.pace.unread = true
				return givenUp, 0
			}
			return waiting, left
		}) == givenUp {
			late = append(late, s)
		}
	}
	return late
}

// WaitIdle waits until every session has dealt with what was queued for it when WaitIdle was called: it has said so (see
// Session.Idle), or it was silent for the span since it last got or sent something. A span of 0 waits for steady
// sessions only, and for what they say. A session that was not so far for the span of patience since it last took
// something of that, or said that it has dealt with something, is returned, and later calls return it at once until it says
// so, or is found silent. When ctx ends the wait does, for all.
func (v *Server) WaitIdle(ctx context.Context, silence, patience time.Duration) (late []*Session) {
	sessions := v.snapshot()
	type mark struct{ frames, bytes int64 }
	marks := make([]mark, len(sessions))
	for i, s := range sessions {
		s.mu.Lock()
		marks[i] = mark{s.pace.frames, s.pace.queued}
		s.mu.Unlock()
	}
	w := newWait(ctx)
	defer w.timer.Stop()
	for i, s := range sessions {
		from, taken := w.begun, false
		if w.await(s, func(now time.Time) (verdict, time.Duration) {
			calm := silence
			if silence > 0 {
				calm -= now.Sub(time.Unix(0, max(s.pace.heard, s.pace.sent)))
			}
			if s.phase != open || s.pace.idle >= marks[i].frames || silence <= 0 && !s.pace.steady ||
				silence > 0 && calm <= 0 && s.unsent() == 0 {
				s.pace.absent = false
				return ready, 0
			}
			if !taken { // what is written after it, such as pongs, is no progress
				from, taken = s.since(from), s.taken() >= marks[i].bytes
			}
			from = later(from, s.pace.said)
			left := patience - now.Sub(from)
			if s.pace.absent || left <= 0 {
				s.pace.absent = true
				return givenUp, 0
			}
			if calm > 0 {
				left = min(left, calm)
			}
			return waiting, left
		}) == givenUp {
			late = append(late, s)
		}
	}
	return late
}

// verdict is what is to be done about a session that is waited for.
type verdict uint8

const (
	waiting verdict = iota
	ready
	givenUp
)

// wait is one wait for sessions, one after the other.
type wait struct {
	ctx   context.Context
	begun time.Time
	timer *time.Timer
}

func newWait(ctx context.Context) *wait {
	w := &wait{ctx: ctx, begun: time.Now(), timer: time.NewTimer(0)}
	w.timer.Stop()
	return w
}

// await waits for a session until judge says that it need not. judge is asked with the lock held, after each change and
// after the time that it gives. A wait that ctx has ended is over for the sessions that follow as well.
func (w *wait) await(s *Session, judge func(now time.Time) (verdict, time.Duration)) verdict {
	for {
		s.mu.Lock()
		v, again := judge(time.Now())
		if v != waiting {
			s.mu.Unlock()
			return v
		}
		moved := s.pace.wait()
		s.mu.Unlock()
		w.timer.Reset(again)
		select {
		case <-moved:
		case <-w.timer.C:
		case <-w.ctx.Done():
			return waiting
		}
	}
}
