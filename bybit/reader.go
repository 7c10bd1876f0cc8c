package bybit

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"sync/atomic"
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

	// maxLanes is how many connections may carry a topic at once, one that takes
	// over from another included.
	maxLanes = 4
)

// reader is what the goroutine knows that reads one connection.
type reader struct {
	s      *Stream
	conn   *wsclient.Conn
	link   int   // of the session
	lane   uint8 // of the link
	number int   // of the connection, from 1

	subs     map[string]*subscription // of the burst
	received time.Time                // of the burst
	heard    int64                    // the same, in nanoseconds since the stream began

	// Written here once per burst, read by Stats.
	frames, bytes atomic.Int64
	// holds counts how often the reader began or ended to wait for the consumer,
	// as OverflowWait says: odd while it waits.
	holds atomic.Int64
}

// lastHeard is until when what the peer sent has been read: an end in order comes
// after all of it, any other may have swallowed what came behind the last bytes.
func (r *reader) lastHeard(err error) time.Time {
	if _, ok := errors.AsType[*CloseError](err); ok || errors.Is(err, io.EOF) {
		return time.Now()
	}
	return r.conn.Inbound()
}

// run is the reader's goroutine: it ends with the connection.
func (r *reader) run() {
	s := r.s
	for {
		frame, err := r.conn.Next()
		if err != nil {
			r.conn.Wait()
			s.mail.put(letter{event: session.Lost{Link: r.link, Err: err, Inbound: r.lastHeard(err)}})
			return
		}
		// What is in the buffer was sent after what is in the table: a topic
		// is entered before it is asked for.
		r.subs = *s.table.Load()
		at := r.conn.ReadAt()
		r.received, r.heard = wallClock(at), int64(at.Sub(s.began))
		var frames, size int64
		b := s.queue.Lock()
		for more := true; more; {
			frames++
			size += int64(len(frame))
			r.take(b, frame)
			if frames == maxBurst {
				break
			}
			frame, more = r.conn.Buffered()
		}
		r.frames.Add(frames)
		r.bytes.Add(size)
		s.count.frames.Add(frames)
		s.count.bytes.Add(size)
		queued := s.queue.Unlock()
		if queued > courtesy {
			runtime.Gosched()
			r.awaitRoom()
		}
	}
}

// awaitRoom holds the reader until the consumer has caught up, if the user chose
// that. Only Close ends it early.
func (r *reader) awaitRoom() {
	if r.s.opts.Overflow != OverflowWait {
		return
	}
	room := r.s.queue.Room()
	if room == nil {
		return
	}
	r.holds.Add(1)
	select {
	case <-room:
	case <-r.s.closing:
	}
	r.holds.Add(1)
}

// take queues a data frame, or tells the runner what another one says. The queue
// is locked.
//
// The frame is copied, not decoded: the reader's buffer is used again, and what
// is decoded would be written by one processor and read by another, twice as
// many bytes as the frame has.
func (r *reader) take(b *batch, frame []byte) {
	s := r.s
	name, ok := wire.FrameTopic(frame)
	if !ok {
		r.takeControl(b, frame)
		return
	}
	sub := r.subs[string(name)]
	if sub == nil {
		s.count.unwanted.Add(1)
		return
	}
	if sub.seen[r.lane] != r.number {
		sub.seen[r.lane] = r.number
		s.mail.put(letter{event: session.Arrived{Link: r.link, Topic: sub.topic.name}})
	}
	// To store costs more than to look, and a burst has one time.
	if sub.heard.Load() != r.heard {
		sub.heard.Store(r.heard)
	}
	s.push(b, item{sub: sub, frame: b.Arena.keep(frame), received: r.received, lane: r.lane})
}

// takeControl handles a reply on the spot: control frames are never queued.
func (r *reader) takeControl(b *batch, frame []byte) {
	s := r.s
	reply, err := wire.ParseReply(frame)
	if err != nil {
		s.count.undecoded.Add(1)
		ev := &DecodeErrorEvent{Err: &DecodeError{Frame: bytes.Clone(frame), Err: err}, Received: r.received}
		s.push(b, item{ev: ev, received: ev.Received})
		return
	}
	ack := session.Ack{
		Link: r.link,
		Op:   reply.Op, ReqID: reply.ReqID, Success: reply.Success, Code: reply.Code, Message: reply.Message,
		Failed: reply.Failed, Succeeded: reply.Succeeded,
	}
	switch reply.Op {
	case wire.OpPong:
		// Arriving was all it was for.
		if s.client.opts.Trace.Reply != nil {
			s.mail.put(letter{pong: &ack})
		}
		return
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
