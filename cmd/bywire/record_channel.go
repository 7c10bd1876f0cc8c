package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/capture"
)

// channelRecorder writes what one stream yields. It runs on a goroutine of its
// own, so that a category with much to decode does not hold up the others.
//
// The capture numbers connections, and a book in it is checked per connection. A
// stream does not say on which of its sockets a message came, but it says which
// topics a lost socket takes with it: those that are lost at once have been on one,
// and will be on the same next one. So all begin with one number, and whatever is
// lost together goes on with a new one.
type channelRecorder struct {
	r       *recorder
	channel bybit.Channel
	url     string
	stream  *bybit.Stream
	meter   *streamMeter // nil without --metrics

	first *recordedLink
	links map[string]*recordedLink // by topic
	lost  *recordedLink            // where the topics of the last loss go on
	since time.Time                // of that loss
	rec   capture.Record           // used again

	// Read by the status line and the summary.
	messages, bytes, gaps, undecoded, rejected atomic.Int64
}

// recordedLink is one connection number of the capture.
type recordedLink struct {
	conn   uint64
	topics int  // that are on it
	began  bool // something came on it
}

func newChannelRecorder(r *recorder, s *bybit.Stream, sel selection) *channelRecorder {
	c := &channelRecorder{
		r: r, channel: sel.channel, url: hostOf(&r.env, sel.channel) + sel.channel.Path(), stream: s,
		meter: r.meter.stream(sel, s),
		first: &recordedLink{conn: r.w.NextConn(), topics: len(sel.topics)},
		links: make(map[string]*recordedLink),
	}
	for _, t := range sel.topics {
		c.links[t.String()] = c.first
	}
	return c
}

// run records until the stream or life has ended, or the capture takes no more.
func (c *channelRecorder) run(life context.Context) {
	for {
		ev, err := c.stream.Recv(life)
		if err == nil {
			err = c.take(ev)
		} else if life.Err() == nil {
			err = c.end(err)
		}
		if err != nil {
			return
		}
	}
}

// errTaken ends a part after its last message.
var errTaken = errors.New("enough is recorded")

// take records one event. After an error nothing more is to be taken.
func (c *channelRecorder) take(ev bybit.Event) error {
	h := headOf(ev)
	c.meter.note(ev, &h)
	switch e := ev.(type) {
	case *bybit.GapEvent:
		c.gaps.Add(1)
		return c.gap(e)
	case *bybit.RejectedEvent:
		c.rejected.Add(1)
		return c.write(capture.Note, c.link(h.topic), h.received, []byte(noticeOf(ev)))
	case *bybit.SilentEvent:
		return c.write(capture.Note, c.link(h.topic), h.received, []byte(noticeOf(ev)))
	case *bybit.DecodeErrorEvent:
		c.undecoded.Add(1)
		h.frame = e.Err.Frame
	}
	if h.frame == nil {
		return nil // not a message
	}
	return c.message(&h)
}

// message records a message as it came.
func (c *channelRecorder) message(h *head) error {
	limit := c.r.opts.count
	n := int64(0)
	if limit > 0 {
		if n = c.r.taken.Add(1); n > limit {
			return errTaken
		}
	}
	link := c.link(h.topic)
	if !link.began {
		link.began = true
		if err := c.write(capture.Connect, link, h.received, nil); err != nil {
			return err
		}
	}
	if err := c.write(capture.Frame, link, h.received, h.frame); err != nil {
		return err
	}
	c.messages.Add(1)
	c.bytes.Add(int64(len(h.frame)))
	if limit > 0 && n == limit {
		c.r.enough()
		return errTaken
	}
	return nil
}

// link returns the connection that a topic is on.
func (c *channelRecorder) link(t bybit.Topic) *recordedLink {
	if link := c.links[t.String()]; link != nil {
		return link
	}
	return c.first // what could not be decoded may not even tell its topic
}

// write hands a record to the capture, which copies it. An error stops the
// recording.
func (c *channelRecorder) write(kind capture.Kind, link *recordedLink, at time.Time, data []byte) error {
	c.rec = capture.Record{Kind: kind, Conn: link.conn, Channel: string(c.channel), URL: c.url, Received: at, Data: data}
	err := c.r.w.Write(&c.rec)
	c.rec.Data = nil
	if err != nil {
		c.r.fail(err)
	}
	return err
}

// gap records that messages of a topic are missing. The text begins with the
// topic.
func (c *channelRecorder) gap(e *bybit.GapEvent) error {
	link := c.link(e.Topic)
	if err := c.write(capture.Gap, link, e.Time, gapText(e)); err != nil {
		return err
	}
	if e.Reason != bybit.GapDisconnected || link == c.lost && e.Time.Equal(c.since) {
		return nil
	}
	if !e.Time.Equal(c.since) {
		c.lost, c.since = &recordedLink{conn: c.r.w.NextConn()}, e.Time
	}
	c.links[e.Topic.String()] = c.lost
	c.lost.topics++
	if link.topics--; link.topics > 0 {
		return nil
	}
	reason := "connection lost"
	if e.Err != nil {
		reason = errorText(e.Err)
	}
	return c.write(capture.Disconnect, link, e.Time, []byte(reason))
}

// gapText says what is missing of which topic, why, and how much of it had
// arrived.
func gapText(e *bybit.GapEvent) []byte {
	text := e.Topic.String() + ": " + string(e.Reason)
	if e.Err != nil {
		text += ": " + errorText(e.Err)
	}
	if e.Dropped > 0 {
		text += ", " + counted(e.Dropped, "message") + " dropped"
	}
	return []byte(text)
}

// end records that the stream is over, on each of its connections, and returns
// the error that it ended with.
func (c *channelRecorder) end(cause error) error {
	now := time.Now().Round(0)
	ended := make(map[*recordedLink]bool)
	for _, link := range c.links {
		if ended[link] || !link.began {
			continue
		}
		ended[link] = true
		if err := c.write(capture.Disconnect, link, now, []byte(errorText(cause))); err != nil {
			return err
		}
	}
	return cause
}
