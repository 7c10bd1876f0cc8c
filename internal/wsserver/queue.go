package wsserver

import (
	"slices"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
)

// gather is how many bytes the writer collects for one write. More gains nothing: at 64 KiB the call itself is a
// fraction of the copying.
const gather = 64 << 10

// outbox is the sending half of a session: a queue of frames and who is writing it. Session.mu guards it.
type outbox struct {
	phase   phase
	writing bool // a goroutine or the timer of a held frame has the duty to write the queue

	queue []*frame // queue[head:] waits
	head  int

	published int // bytes of published frames, queued or being written; bounded by Options.QueueBytes
	replies   int // bytes of everything else, queued or being written

	room chan struct{} // closed when published has fallen to half the bound, or the session closes; nil: nobody waits
	calm chan struct{} // closed when replies is within the bound, or the session closes; nil: the reader does not wait

	rate int // bytes a second that may be written; 0: any number

	readerDone bool
	finished   bool  // both goroutines are through
	lastData   int64 // when stream data was last written, in Unix nanoseconds
}

// batch is what one write needs. Batches are shared by all sessions through a pool, so that idle ones have none.
type batch struct {
	frames    []*frame
	buf       []byte
	published int
	replies   int
}

// offer queues a published frame, or applies the policy for slow sessions. Under Pause it returns a channel when there
// is no room: it is closed when trying again makes sense.
func (s *Session) offer(f *frame) (room <-chan struct{}) {
	s.mu.Lock()
	if s.phase != open {
		s.mu.Unlock()
		return nil
	}
	if limit := s.srv.opts.QueueBytes; s.published+len(f.bytes) > limit && s.published > 0 {
		switch s.srv.opts.Slow {
		case Pause:
			if s.room == nil {
				s.room = make(chan struct{})
			}
			room = s.room
			s.mu.Unlock()
			return room
		case Conflate:
			s.conflate(f)
			if s.published > limit/4*3 || s.published+len(f.bytes) > limit {
				s.cut()
				return nil
			}
		default:
			s.cut()
			return nil
		}
	}
	s.published += len(f.bytes)
	s.push(f)
	return nil
}

// cut ends a slow session. It is called with the lock held and releases it.
func (s *Session) cut() {
	s.mu.Unlock()
	s.shut(ws.StatusPolicyViolation, ReasonSlow, dropQueue)
}

// push appends a frame and sees to it that somebody writes. It is called with the lock held and releases it.
func (s *Session) push(f *frame) {
	s.queue = append(s.queue, f)
	s.pace.queued += int64(len(f.bytes))
	s.pace.frames += int64(f.text)
	start := !s.writing
	s.writing = true
	s.mu.Unlock()
	if start {
		go s.write()
	}
}

// conflate removes published frames that a later Replacing frame of their topic supersedes, next among them.
func (s *Session) conflate(next *frame) {
	replaced := map[*Topic]bool{}
	if next.kind == Replacing {
		replaced[next.topic] = true
	}
	waiting := s.queue[s.head:]
	kept := len(waiting) // waiting[kept:] stays, in order
	for i := len(waiting) - 1; i >= 0; i-- {
		f := waiting[i]
		if f.topic != nil && replaced[f.topic] {
			s.published -= len(f.bytes)
			continue
		}
		if f.kind == Replacing {
			replaced[f.topic] = true
		}
		kept--
		waiting[kept] = f
	}
	clear(waiting[:kept])
	s.head += kept
}

// send queues a frame that is not published: a pong, a reply.
func (s *Session) send(f *frame) {
	s.mu.Lock()
	if s.phase != open {
		s.mu.Unlock()
		return
	}
	s.replies += len(f.bytes)
	s.push(f)
}

// reply queues the answer to a request.
func (s *Session) reply(r *wire.Reply) {
	s.send(s.encodeReply(r))
}

func (s *Session) encodeReply(r *wire.Reply) *frame {
	return encode(nil, Following, ws.OpText, wire.AppendReply(nil, s.Family(), r))
}

// acknowledge queues an answer that is held for a moment, and frames right behind it. It reports false for a session
// that takes no more.
func (s *Session) acknowledge(r *wire.Reply, behind [][]byte) bool {
	ack := s.encodeReply(r)
	if d := s.srv.opts.AckDelay; d > 0 {
		ack.due = time.Now().Add(d).UnixNano()
	}
	frames := make([]*frame, 0, len(behind))
	size := len(ack.bytes)
	for _, payload := range behind {
		f := encode(nil, Following, ws.OpText, payload)
		frames = append(frames, f)
		size += len(f.bytes)
	}
	s.mu.Lock()
	if s.phase != open {
		s.mu.Unlock()
		return false
	}
	s.replies += size
	s.pace.queued += int64(size)
	s.pace.frames += int64(1 + len(frames))
	s.queue = slices.Concat(s.queue[s.head:], []*frame{ack}, frames)
	s.head = 0
	start := !s.writing
	s.writing = true
	s.mu.Unlock()
	if start {
		go s.write()
	}
	return true
}

// waitCalm blocks the reader while a client that does not read its replies keeps asking.
func (s *Session) waitCalm() {
	for {
		s.mu.Lock()
		if s.phase != open || s.replies <= s.srv.opts.QueueBytes {
			s.mu.Unlock()
			return
		}
		s.calm = make(chan struct{})
		calm := s.calm
		s.mu.Unlock()
		<-calm
	}
}

// write is the writer goroutine: it runs until nothing is left to write.
func (s *Session) write() {
	b := s.srv.frames.Get().(*batch)
	defer s.srv.frames.Put(b)
	for s.take(b) {
		var err error
		if len(b.frames) == 1 {
			_, err = s.conn.Write(b.frames[0].bytes)
		} else {
			b.buf = b.buf[:0]
			for _, f := range b.frames {
				b.buf = append(b.buf, f.bytes...)
			}
			_, err = s.conn.Write(b.buf)
		}
		s.wrote(b, err)
		s.rest(b.published + b.replies)
		clear(b.frames)
		b.frames = b.frames[:0]
	}
}

// take moves the next frames into the batch. It reports false when there is nothing to write now and the duty to
// write is over or with a timer.
func (s *Session) take(b *batch) bool {
	s.mu.Lock()
	b.published, b.replies = 0, 0
	size, most := 0, s.atOnce()
	for s.head < len(s.queue) {
		f := s.queue[s.head]
		if f.due != 0 {
			if hold := f.due - time.Now().UnixNano(); hold > 0 {
				if size == 0 {
					// Everything behind waits too: the order of a connection's frames is the order of the queue.
					time.AfterFunc(time.Duration(hold), s.write)
					s.mu.Unlock()
					return false
				}
				break
			}
		}
		if size > 0 && size+len(f.bytes) > most {
			break
		}
		size += len(f.bytes)
		if f.topic != nil {
			b.published += len(f.bytes)
		} else {
			b.replies += len(f.bytes)
		}
		b.frames = append(b.frames, f)
		s.queue[s.head] = nil
		s.head++
	}
	if size > 0 {
		if s.head >= len(s.queue)/2 && s.head > 0 {
			n := copy(s.queue, s.queue[s.head:])
			clear(s.queue[n:])
			s.queue, s.head = s.queue[:n], 0
		}
		s.mu.Unlock()
		return true
	}
	// An idle session keeps no queue.
	s.queue, s.head = nil, 0
	s.writing = false
	s.mu.Unlock()
	s.finish()
	return false
}

// wrote accounts for a batch and wakes who waits for it.
func (s *Session) wrote(b *batch, err error) {
	s.mu.Lock()
	s.published -= b.published
	s.replies -= b.replies
	s.progress()
	if b.published > 0 {
		s.lastData = s.pace.sent
	}
	limit := s.srv.opts.QueueBytes
	if s.room != nil && s.published <= limit/2 {
		close(s.room)
		s.room = nil
	}
	if s.calm != nil && s.replies <= limit {
		close(s.calm)
		s.calm = nil
	}
	if err == nil && s.phase == closing && s.head == len(s.queue) {
		// The close frame is out. The peer has so long to answer it.
		s.conn.SetReadDeadline(time.Now().Add(s.srv.opts.CloseWait))
	}
	s.mu.Unlock()
	if err != nil {
		s.fail()
	}
}

// shut queues a close frame as the last thing the session sends; code 0 sends none. With dropQueue nothing queued
// before it is sent any more, and the write has Options.CloseWait to succeed. Only the first call has an effect.
func (s *Session) shut(code ws.StatusCode, reason string, policy queuePolicy) {
	if code == 0 {
		s.fail()
		return
	}
	var body [ws.MaxControlFramePayloadSize]byte
	f := encode(nil, Following, ws.OpClose, wsframe.AppendClose(body[:0], code, reason))
	s.mu.Lock()
	if s.phase != open {
		s.mu.Unlock()
		return
	}
	s.phase = closing
	s.wakeAll()
	if policy == dropQueue {
		s.dropQueued()
		s.conn.SetDeadline(time.Now().Add(s.srv.opts.CloseWait))
	}
	s.replies += len(f.bytes)
	s.push(f)
}

// fail ends the session without a word: the connection is gone.
func (s *Session) fail() {
	s.mu.Lock()
	s.phase = dead
	s.wakeAll()
	s.dropQueued()
	s.mu.Unlock()
	s.conn.Close()
}

// wakeAll releases who waits for the queue. It is called with the lock held.
func (s *Session) wakeAll() {
	s.pace.move()
	for _, ch := range []*chan struct{}{&s.room, &s.calm} {
		if *ch != nil {
			close(*ch)
			*ch = nil
		}
	}
}

// dropQueued empties the queue; what is being written stays accounted for. It is called with the lock held.
func (s *Session) dropQueued() {
	for _, f := range s.queue[s.head:] {
		if f.topic != nil {
			s.published -= len(f.bytes)
		} else {
			s.replies -= len(f.bytes)
		}
	}
	s.queue, s.head = nil, 0
}

// readerEnds notes that the reader is through.
func (s *Session) readerEnds() {
	s.mu.Lock()
	s.readerDone = true
	s.mu.Unlock()
	s.finish()
}

// finish closes the connection when reader and writer are both through. Whoever is last finds it so.
func (s *Session) finish() {
	s.mu.Lock()
	last := s.readerDone && !s.writing && !s.finished
	if last {
		s.finished = true
		s.phase = dead
		s.pace.move()
	}
	s.mu.Unlock()
	if last {
		s.conn.Close()
		close(s.ended)
	}
}
