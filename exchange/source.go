package exchange

import (
	"context"
	"strconv"

	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// source answers the server half's questions on the loop's goroutine, between two commands: a client gets the state as
// it was pushed last, and then what is pushed next.
type source struct{ x *Exchange }

// Subscribe implements wsserver.Source.
func (s source) Subscribe(q *wsserver.Subscription) {
	// The session's reader waits for the answer, and a session has no context of its own: it ends with the exchange.
	if err := s.x.do(context.Background(), func(c *core.Core) { s.x.answer(c, q) }); err != nil {
		q.Answer(nil)
	}
}

// Unsubscribe implements wsserver.Source.
func (s source) Unsubscribe(session *wsserver.Session, topics []string) {
	// When the loop has come by, nothing of the topics is being published. After Close nothing is at all.
	_ = s.x.do(context.Background(), func(*core.Core) { s.x.faults.leave(session, topics) })
}

// Closed implements wsserver.Source.
func (s source) Closed(session *wsserver.Session) { s.x.faults.leave(session, nil) }

// answer accepts the topics that the market has.
func (x *Exchange) answer(c *core.Core, q *wsserver.Subscription) {
	channel := q.Session.Channel()
	errs := make([]error, len(q.Topics))
	var initial [][]byte
	refused := x.faults.refused(q.Session, q.Topics, c.Now())
	for i, name := range q.Topics {
		t, ok := c.Feed().Topic(channel, name)
		if !ok || len(refused) > 0 && refused[i] {
			errs[i] = wsserver.ErrNoTopic
			continue
		}
		if t.N >= len(x.topics) || x.topics[t.N] == nil {
			x.publishes(t.N, x.ws.Topic(channel, name))
		}
		initial = c.Feed().Snapshot(t, initial)
	}
	x.faults.joins(q.Session, q.Answer(errs, initial...), c.Now())
}

// topicName names a topic: channels have topics of the same name.
type topicName struct {
	channel wire.Channel
	name    string
}

// sink hands what the feed publishes to the sessions.
type sink struct{ x *Exchange }

// Wanted implements feed.Sink.
func (s sink) Wanted(t *feed.Topic) bool {
	x := s.x
	if t.N < len(x.topics) && x.topics[t.N] != nil {
		return x.topics[t.N].Wanted()
	}
	lost, ok := x.lost[topicName{t.Channel, t.Name}]
	if ok {
		x.publishes(t.N, lost) // it is listed again
	}
	return ok && lost.Wanted()
}

// Publish implements feed.Sink.
func (s sink) Publish(t *feed.Topic, frame []byte, replacing bool) {
	if !s.Wanted(t) {
		return
	}
	kind := wsserver.Following
	if replacing {
		kind = wsserver.Replacing
	}
	s.x.faults.publish(s.x.ctx, s.x.core.Now(), s.x.topics[t.N], frame, kind)
}

// opIdle is an operation of our own: the client has dealt with all that it got so far, or with as many messages as the
// first argument says. From the first one on, a Step and a Max clock wait for the client.
const opIdle = "bywire.idle"

// operation deals with operations of our own. It is called on the session's reader.
func (x *Exchange) operation(s *wsserver.Session, r *wire.Request) bool {
	if r.Op != opIdle {
		return false
	}
	n := int64(-1)
	if len(r.Args) > 0 {
		var err error
		if n, err = strconv.ParseInt(r.Args[0], 10, 64); err != nil || n < 0 || len(r.Args) > 1 {
			s.Reply(wire.Reply{Op: r.Op, ReqID: r.ReqID, Code: wire.CodeParamError, Message: wire.MessageParams})
			return true
		}
	}
	x.steady.Store(true)
	s.Idle(n)
	return true
}
