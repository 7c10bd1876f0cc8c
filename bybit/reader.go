package bybit

import (
	"bytes"
	"runtime"
	"time"

	"github.com/bywire/bywire/internal/queue"
	"github.com/bywire/bywire/internal/session"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsclient"
)

type batch = queue.Batch[item, *arena]

const (
	// maxBurst is how many frames are queued before the consumer gets them.
	// Waking a goroutine on another processor costs as much as queueing a
	// hundred messages, so that a read buffer (some 200 messages) is one burst;
	// of small messages it is a few.
	maxBurst = 256

	// courtesy is how many queued bytes make the reader offer its processor
	// to others. It does not wait for the consumer, but on a machine with one
	// processor it would otherwise keep it for ten milliseconds at a time.
	courtesy = 256 << 10

	// itemBytes is what an item counts against the queue's bound besides its
	// frame.
	itemBytes = 80
)

// reader is what the reader's goroutine knows.
type reader struct {
	subs     map[string]*subscription // of the burst
	number   int                      // of the connection
	received time.Time                // of the burst
}

// readFrom is the reader's goroutine: it ends with the connection.
func (s *Stream) readFrom(conn *wsclient.Conn, number int) {
	r := &s.read
	r.number = number
	for {
		frame, err := conn.Next()
		if err != nil {
			conn.Wait()
			s.mail.put(letter{event: session.Lost{Err: err}})
			return
		}
		// What is in the buffer was sent after what is in the table: a topic
		// is entered before it is asked for.
		r.subs = *s.table.Load()
		r.received = wallClock(conn.ReadAt())
		var frames, size int64
		b := s.queue.Lock()
		for more := true; more; {
			frames++
			size += int64(len(frame))
			s.takeFrame(b, frame)
			if frames == maxBurst {
				break
			}
			frame, more = conn.Buffered()
		}
		s.count.frames.Add(frames)
		s.count.bytes.Add(size)
		if s.queue.Unlock() > courtesy {
			runtime.Gosched()
			s.awaitRoom()
		}
	}
}

// awaitRoom holds the reader until the consumer has caught up, if the user chose
// that. Only Close ends it early.
func (s *Stream) awaitRoom() {
	if s.opts.Overflow != OverflowWait {
		return
	}
	room := s.queue.Room()
	if room == nil {
		return
	}
	s.holds.Add(1)
	select {
	case <-room:
	case <-s.closing:
	}
	s.holds.Add(1)
}

// takeFrame queues a data frame, or tells the runner what another one says. The
// queue is locked.
//
// The frame is copied, not decoded: the reader's buffer is used again, and what
// is decoded would be written by one processor and read by another, twice as
// many bytes as the frame has.
func (s *Stream) takeFrame(b *batch, frame []byte) {
	r := &s.read
	name, ok := wire.FrameTopic(frame)
	if !ok {
		s.takeControl(b, frame)
		return
	}
	sub := r.subs[string(name)]
	if sub == nil {
		s.count.unwanted.Add(1)
		return
	}
	if sub.seen != r.number {
		sub.seen = r.number
		s.mail.put(letter{event: session.Arrived{Topic: sub.topic.name}})
	}
	s.push(b, item{sub: sub, frame: b.Arena.keep(frame), received: r.received})
}

// takeControl handles a reply on the spot: control frames are never queued.
func (s *Stream) takeControl(b *batch, frame []byte) {
	reply, err := wire.ParseReply(frame)
	if err != nil {
		s.count.undecoded.Add(1)
		ev := &DecodeErrorEvent{Err: &DecodeError{Frame: bytes.Clone(frame), Err: err}, Received: s.read.received}
		s.push(b, item{ev: ev, received: ev.Received})
		return
	}
	ack := session.Ack{
		Op: reply.Op, ReqID: reply.ReqID, Success: reply.Success, Code: reply.Code, Message: reply.Message,
		Failed: reply.Failed, Succeeded: reply.Succeeded,
	}
	switch reply.Op {
	case wire.OpPong:
		return // arriving was all it was for
	case wire.OpCommand:
		ack.Op = ""
	}
	// A complaint about a frame that was no request answers none of ours, and
	// where it comes without an id it must not be taken for the next answer.
	if why, _ := reply.Refused(); why == wire.RefusalMalformed || why == wire.RefusalOp {
		s.log.Warn("the server does not understand", "message", reply.Message, "op", reply.Op)
		return
	}
	s.mail.put(letter{event: ack})
}

// notify queues a notice of the runner's. By the time of a gap the reader of the
// lost connection has ended, so that the gap follows everything it read.
func (s *Stream) notify(sub *subscription, ev Event) {
	b := s.queue.Lock()
	s.push(b, item{sub: sub, ev: ev, received: wallClock(time.Now())})
	s.queue.Unlock()
}
