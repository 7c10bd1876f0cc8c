package capture

import (
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// Subscribe hands a request to the publishing goroutine and waits until it is
// answered. After the end nothing is published any more, so it is answered
// here.
func (p *Replay) Subscribe(q *wsserver.Subscription) {
	answered := make(chan struct{})
	request := func() {
		p.answer(q)
		close(answered)
	}
	select {
	case p.requests <- request:
		<-answered
	case <-p.done:
		q.Answer(nil)
	}
}

// answer accepts the topics that the capture has, with snapshots where they
// have begun. The publishing goroutine runs it.
func (p *Replay) answer(q *wsserver.Subscription) {
	channel := q.Session.Channel()
	errs := make([]error, len(q.Topics))
	var initial [][]byte
	for i, name := range q.Topics {
		key := topicKey{string(channel), name}
		if p.complete && !p.known[key] {
			errs[i] = wsserver.ErrNoTopic
			continue
		}
		if state, ok := p.player.states[key]; ok {
			if snapshot := state.snapshot(); snapshot != nil {
				initial = append(initial, snapshot)
			}
		}
	}
	if joined := q.Answer(errs, initial...); len(joined) > 0 {
		p.player.started = true
	}
}

// Unsubscribe waits for the publishing goroutine, so that no frame of the
// topics follows the acknowledgement.
func (p *Replay) Unsubscribe(*wsserver.Session, []string) {
	passed := make(chan struct{})
	select {
	case p.requests <- func() { close(passed) }:
		<-passed
	case <-p.done:
	}
}

// Closed needs nothing: the server has taken the session out of its topics.
func (p *Replay) Closed(*wsserver.Session) {}

// player is the state of the publishing goroutine.
type player struct {
	*Replay
	states  map[topicKey]*topicState
	started bool
	clock   clock
	timer   *time.Timer
}

func newPlayer(p *Replay) *player {
	p.player = &player{Replay: p, started: p.opts.StartNow, timer: time.NewTimer(0)}
	return p.player
}

// pass plays the capture once. Every topic begins anew, as after the venue's
// own restart.
func (p *player) pass() error {
	p.states = make(map[topicKey]*topicState)
	p.clock = clock{}
	for rec, err := range p.reader.Records(time.Time{}, p.opts.To) {
		if AsDamage(err) != nil {
			continue
		}
		if err != nil {
			return err
		}
		name, ok := served(&rec)
		if !ok {
			continue
		}
		state := p.state(rec.Channel, name)
		if rec.Received.Before(p.opts.From) {
			state.observe(rec.Data)
			continue
		}
		if err := p.wait(rec.Received); err != nil {
			return err
		}
		if err := state.topic.Publish(p.ctx, rec.Data, wsserver.Following); err != nil {
			return err
		}
		state.observe(rec.Data)
	}
	return p.ctx.Err()
}

func (p *player) state(channel string, name []byte) *topicState {
	if s, ok := p.states[topicKey{channel, string(name)}]; ok {
		return s
	}
	s := newTopicState(channel, string(name))
	s.topic = p.server.Topic(wire.Channel(channel), string(name))
	p.states[topicKey{channel, string(name)}] = s
	return s
}

// wait returns when the frame is due, and answers requests until then. The
// first frame is due when somebody has subscribed.
func (p *player) wait(received time.Time) error {
	for !p.started {
		select {
		case request := <-p.requests:
			request()
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
	if p.opts.Max {
		select {
		case request := <-p.requests:
			request()
		case <-p.ctx.Done():
			return p.ctx.Err()
		default:
		}
		return nil
	}
	due := p.clock.due(received, p.opts.Speed)
	for {
		left := time.Until(due)
		if left <= 0 {
			return p.ctx.Err()
		}
		p.timer.Reset(left)
		select {
		case request := <-p.requests:
			request()
		case <-p.timer.C:
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
}

// clock maps recorded times to the wall clock.
type clock struct {
	wall, recorded time.Time // of the first frame
}

// due returns when a frame is to go out. One that was recorded before its
// predecessor goes out at once.
func (c *clock) due(received time.Time, speed float64) time.Time {
	if c.wall.IsZero() {
		c.wall, c.recorded = time.Now(), received
	}
	return c.wall.Add(time.Duration(float64(received.Sub(c.recorded)) / speed))
}

// topicState is what one topic has come to: enough to tell it to a subscriber
// who was not there.
type topicState struct {
	channel bybit.Channel
	topic   *wsserver.Topic
	message bybit.Message
	book    *book.Book           // of an order book topic
	last    bybit.BookMessage    // its envelope
	ticker  *bybit.TickerMessage // of a ticker topic: all that is known
}

func newTopicState(channel, name string) *topicState {
	s := &topicState{channel: bybit.Channel(channel)}
	parts, err := wire.ParseTopic(name)
	if err != nil {
		return s
	}
	depth, isBook := bookDepth(parts)
	if !isBook && parts.Kind != wire.KindTickers {
		return s
	}
	if topic, err := bybit.ParseTopic(name); err == nil {
		s.message, _ = bybit.NewMessage(topic)
	}
	if isBook {
		s.book = book.New(depth)
	}
	return s
}

// observe takes a frame into the state. A frame that cannot be decoded makes
// the state unknown, until the topic sends a snapshot.
func (s *topicState) observe(frame []byte) {
	if s.message == nil {
		return
	}
	err := s.message.Decode(frame)
	switch m := s.message.(type) {
	case *bybit.BookMessage:
		if err != nil {
			s.book.Invalidate(err)
			return
		}
		// An invalid book has no snapshot to give: that is all its error means
		// here.
		_ = s.book.Apply(&m.Update)
		s.last.MessageID, s.last.Topic, s.last.Time, s.last.Symbol = m.MessageID, m.Topic, m.Time, m.Symbol
	case *bybit.TickerMessage:
		switch {
		case err != nil:
			s.ticker = nil
		case m.Snapshot || s.ticker != nil:
			s.merge(m)
		}
	}
}

// merge keeps the state of a ticker.
func (s *topicState) merge(m *bybit.TickerMessage) {
	if m.Snapshot || s.ticker == nil {
		s.ticker = &bybit.TickerMessage{}
	}
	state := s.ticker.Ticker
	state.Merge(&m.Ticker)
	*s.ticker = bybit.TickerMessage{
		MessageID: m.MessageID, Topic: m.Topic, Time: m.Time, Snapshot: true, Seq: m.Seq, Ticker: state,
	}
}

// snapshot returns the frame that tells the topic's state, or nil if it has
// none or it is not known.
func (s *topicState) snapshot() []byte {
	switch {
	case s.book != nil:
		m := s.last
		if s.book.View().AppendSnapshot(&m.Update) != nil {
			return nil
		}
		return m.AppendJSON(nil, s.channel)
	case s.ticker != nil:
		return s.ticker.AppendJSON(nil, s.channel)
	}
	return nil
}
