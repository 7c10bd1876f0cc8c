package capture

import (
	"slices"
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
	order   []*topicState // of their first frames
	started bool
	begun   time.Time // of the pass
	clock   clock
	timer   *time.Timer
}

// shortestPass is how long a pass at recorded speed takes at least, so that a
// capture of one moment is no flood when it is looped.
const shortestPass = 100 * time.Millisecond

// pass plays the capture once. Every topic begins anew, as after the venue's
// own restart.
func (p *player) pass() error {
	p.states, p.order = make(map[topicKey]*topicState), nil
	p.clock = clock{}
	p.begun = time.Now()
	from := p.opts.From
	n := 0
	for rec, err := range p.reader.Records(time.Time{}, time.Time{}) {
		if n++; n%1024 == 0 && p.ctx.Err() != nil {
			return p.ctx.Err()
		}
		if AsDamage(err) != nil {
			continue
		}
		if err != nil {
			return err
		}
		early := rec.Received.Before(from)
		if !early && p.over(&rec) {
			break
		}
		channel, name, ok := served(&rec)
		if !ok {
			continue
		}
		state := p.state(channel, name)
		if early {
			state.observe(&rec)
			continue
		}
		if !from.IsZero() {
			from = time.Time{} // all that follows is served, whatever the clock says
			if err := p.refresh(); err != nil {
				return err
			}
		}
		if err := p.wait(rec.Received); err != nil {
			return err
		}
		if repeat := state.observe(&rec); repeat {
			continue
		}
		if err := state.topic.Publish(p.ctx, rec.Data, wsserver.Following); err != nil {
			return err
		}
		p.published.Add(1)
	}
	return p.ctx.Err()
}

func (p *player) state(channel wire.Channel, name []byte) *topicState {
	if s, ok := p.states[topicKey{string(channel), string(name)}]; ok {
		return s
	}
	s := newTopicState(string(channel), string(name))
	s.topic = p.server.Topic(channel, string(name))
	p.states[topicKey{string(channel), string(name)}] = s
	p.order = append(p.order, s)
	return s
}

// refresh tells whoever is subscribed already, from the pass before, what the
// topics are where this one begins.
func (p *player) refresh() error {
	for _, s := range p.order {
		if snapshot := s.snapshot(); snapshot != nil {
			if err := s.topic.Publish(p.ctx, snapshot, wsserver.Following); err != nil {
				return err
			}
		}
	}
	return nil
}

// rewind waits until the next pass may begin.
func (p *player) rewind() error {
	if !p.opts.Max {
		return p.answerUntil(p.begun.Add(shortestPass))
	}
	// Nobody sets the pace: the capture would go round and round for nothing.
	p.started = slices.ContainsFunc(p.order, func(s *topicState) bool { return s.topic.Subscribers() > 0 })
	return p.ctx.Err()
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
		return p.answerWaiting()
	}
	return p.answerUntil(p.clock.due(received, p.opts.Speed))
}

// answerWaiting answers the requests that wait already. A replay that is late
// with every frame must answer too.
func (p *player) answerWaiting() error {
	for {
		select {
		case request := <-p.requests:
			request()
		case <-p.ctx.Done():
			return p.ctx.Err()
		default:
			return nil
		}
	}
}

// answerUntil answers requests until a time has come.
func (p *player) answerUntil(due time.Time) error {
	for {
		left := time.Until(due)
		if left <= 0 {
			return p.answerWaiting()
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
	wall, recorded time.Time // of one moment
	latest         time.Time // recorded time that was mapped
}

const (
	// stepBack is how far recorded times may go back without the recorder's
	// clock having been set: frames of several connections are not in the order
	// of their times to the last millisecond.
	stepBack = time.Second
	// longestWait is as good as for ever and does not overflow.
	longestWait = 100 * 365 * 24 * time.Hour
)

// due returns when a frame is to go out. One that was recorded a little before
// its predecessor goes out at once. Where the recorder's clock was set back, time
// goes on from there; else everything would be late from then on.
func (c *clock) due(received time.Time, speed float64) time.Time {
	switch {
	case c.wall.IsZero():
		c.wall, c.recorded, c.latest = time.Now(), received, received
	case received.Before(c.latest.Add(-stepBack)):
		c.wall, c.recorded, c.latest = c.at(c.latest, speed), received, received
	case received.After(c.latest):
		c.latest = received
	}
	return c.at(received, speed)
}

func (c *clock) at(received time.Time, speed float64) time.Time {
	after := float64(received.Sub(c.recorded)) / speed
	return c.wall.Add(time.Duration(min(after, float64(longestWait))))
}

// topicState is what one topic has come to: enough to tell it to a subscriber
// who was not there.
type topicState struct {
	channel bybit.Channel
	topic   *wsserver.Topic
	message bybit.Message
	book    *book.Book           // of an order book topic
	last    bybit.BookMessage    // its envelope, and the update id
	conn    uint64               // that the last message came on
	ticker  *bybit.TickerMessage // of a ticker topic: all that is known
}

func newTopicState(channel, name string) *topicState {
	s := &topicState{channel: bybit.Channel(channel)}
	switch message := messageOfTopic(name).(type) {
	case *bybit.BookMessage:
		parts, _ := wire.ParseTopic(name) // a topic with a message parses
		if depth, ok := bookDepth(parts); ok {
			s.message, s.book = message, book.New(depth)
		}
	case *bybit.TickerMessage:
		s.message = message
	}
	return s
}

// observe takes a frame into the state, and reports whether it repeats what
// another connection brought before. A frame that cannot be decoded makes the
// state unknown, until the topic sends a snapshot.
func (s *topicState) observe(rec *Record) (repeat bool) {
	if s.message == nil {
		return false
	}
	err := s.message.Decode(rec.Data)
	switch m := s.message.(type) {
	case *bybit.BookMessage:
		if err != nil {
			s.book.Invalidate(err)
			return false
		}
		if rec.Conn != s.conn && !m.Snapshot && m.ID != 1 && m.ID <= s.last.ID && !m.Time.After(s.last.Time) {
			return true
		}
		// An invalid book has no snapshot to give: that is all its error means
		// here.
		_ = s.book.Apply(&m.Update)
		s.conn, s.last.ID = rec.Conn, m.ID
		s.last.MessageID, s.last.Topic, s.last.Time, s.last.Symbol = m.MessageID, m.Topic, m.Time, m.Symbol
	case *bybit.TickerMessage:
		switch {
		case err != nil:
			s.ticker = nil
		case m.Snapshot || s.ticker != nil:
			s.merge(m)
		}
	}
	return false
}

// merge keeps the state of a ticker.
func (s *topicState) merge(m *bybit.TickerMessage) {
	if s.ticker == nil {
		s.ticker = &bybit.TickerMessage{Snapshot: true}
	}
	if m.Snapshot {
		s.ticker.Ticker = bybit.Ticker{}
	}
	s.ticker.Merge(&m.Ticker)
	s.ticker.MessageID, s.ticker.Topic, s.ticker.Time, s.ticker.Seq = m.MessageID, m.Topic, m.Time, m.Seq
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
