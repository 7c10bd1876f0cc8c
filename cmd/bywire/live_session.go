package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bywire/bywire/internal/live"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsclient"
)

// errListened ends a conversation in time.
var errListened = errors.New("listened long enough")

// answerWait is how long replies to the last requests may take, at most as long as
// was listened.
const answerWait = 3 * time.Second

// liveSession is the conversation with one channel. It belongs to the goroutine
// that reads; timers only send.
type liveSession struct {
	run     *liveRun
	ch      wire.Channel
	conn    *wsclient.Conn
	check   *live.Check
	waiting []*liveRequest // in the order of sending
	heard   bool           // at least one frame came
}

// liveRequest is a request whose reply has not come.
type liveRequest struct {
	id, op string
	topic  string
	listen *liveTopic // of the requests that subscribe what is to be heard
	again  bool       // asks for a topic that is subscribed
	absent bool       // asks for a topic that does not exist
	ended  bool       // one of those at the end
}

func (q *liveRequest) frame() []byte {
	r := wire.Request{Op: q.op, ReqID: q.id}
	if q.topic != "" {
		r.Args = []string{q.topic}
	}
	return wire.AppendRequest(nil, &r)
}

// plan is what will be asked: each topic in a request of its own, so that a
// refusal concerns that one, and at the end what the documentation does not tell:
// how a second subscription and an unknown topic are refused, and how an
// unsubscribe is acknowledged.
func (s *liveSession) plan() {
	for i, t := range s.run.Topics {
		s.waiting = append(s.waiting, &liveRequest{id: fmt.Sprintf("live-%d", i+1), op: wire.OpSubscribe, topic: t.Topic, listen: t})
	}
	if len(s.run.Topics) == 0 {
		return
	}
	first := s.run.Topics[0].Topic
	s.waiting = append(s.waiting,
		&liveRequest{id: "live-again", op: wire.OpSubscribe, topic: first, again: true, ended: true},
		&liveRequest{id: "live-absent", op: wire.OpSubscribe, topic: "nonsense.BTCUSDT", absent: true, ended: true},
		&liveRequest{id: "live-leave", op: wire.OpUnsubscribe, topic: first, ended: true},
	)
}

// converse asks and listens until the time is over.
func (s *liveSession) converse(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { s.conn.Abort(ctx.Err()) })()
	s.plan()
	var last [][]byte
	for _, q := range s.waiting {
		if q.ended {
			last = append(last, q.frame())
		} else if err := s.conn.Send(q.frame()); err != nil {
			return err
		}
	}
	ping := (&liveRequest{id: "live-ping", op: wire.OpPing}).frame()
	pinging := make(chan struct{})
	defer close(pinging)
	go func() {
		pings, over, end := time.NewTicker(wire.PingInterval), time.After(s.run.length), time.After(s.run.length+min(answerWait, s.run.length))
		defer pings.Stop()
		_ = s.conn.Send(ping) // what fails to be sent ends the reading too
		for {
			select {
			case <-pings.C:
				_ = s.conn.Send(ping)
			case <-over:
				for _, frame := range last {
					_ = s.conn.Send(frame)
				}
			case <-end:
				s.conn.Abort(errListened)
			case <-pinging:
				return
			}
		}
	}()
	for {
		frame, err := s.conn.Next()
		if err != nil {
			return err
		}
		s.heard = true
		if wire.IsControl(frame) {
			s.reply(bytes.Clone(frame))
		} else {
			s.check.Frame(frame)
		}
		if len(s.waiting) == 0 {
			return errListened // everything was said
		}
	}
}

// reply finds the request of a control frame, and checks both.
func (s *liveSession) reply(frame []byte) {
	r, err := wire.ParseReply(frame)
	if err != nil || r.Op == wire.OpPong {
		s.check.Reply(frame, "")
		return
	}
	i := s.requestOf(&r)
	if i < 0 {
		s.check.Reply(frame, r.Message)
		return
	}
	q := s.waiting[i]
	s.waiting = slices.Delete(s.waiting, i, i+1)
	refused := r.Message
	if refused == "" {
		refused = "without a text"
	}
	want := ""
	switch {
	case q.absent:
		want = wire.MessageNoTopic(s.ch, q.topic)
	case q.again:
		want = wire.MessageAlreadySubscribed(q.topic)
		if why := s.run.Topics[0].Refused; why != "" {
			want = r.Message // of a topic that was never subscribed
		}
	case q.listen != nil && !accepted(&r):
		q.listen.Refused = string(live.Scrub([]byte(refused), r.ConnID))
	}
	s.check.Reply(frame, want)
}

// requestOf finds the request that a reply answers: by its id, by the topic that
// it names, or else the oldest of its operation.
func (s *liveSession) requestOf(r *wire.Reply) int {
	if r.ReqID != "" {
		return slices.IndexFunc(s.waiting, func(q *liveRequest) bool { return q.id == r.ReqID })
	}
	if named := slices.Concat(r.Failed, r.Succeeded); len(named) > 0 {
		return slices.IndexFunc(s.waiting, func(q *liveRequest) bool { return slices.Contains(named, q.topic) })
	}
	return slices.IndexFunc(s.waiting, func(q *liveRequest) bool { return r.Op == q.op || r.Op == wire.OpCommand })
}

// unanswered notes the requests that got no reply.
func (s *liveSession) unanswered() {
	if !s.heard {
		return // the channel does not work, which the run says
	}
	for _, q := range s.waiting {
		s.check.Unanswered(q.op, q.frame())
	}
}
