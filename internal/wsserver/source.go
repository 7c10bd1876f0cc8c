package wsserver

import (
	"errors"

	"github.com/bywire/bywire/internal/wire"
)

// ErrNoTopic refuses a topic that does not exist.
var ErrNoTopic = errors.New("wsserver: no such topic")

// Source decides about subscriptions and publishes. Its methods are called on the sessions' reader goroutines, several
// at a time; while one waits, its session reads nothing further.
type Source interface {
	// Subscribe is asked about the topics of one request. It must lead to exactly one call of q.Answer, before or after
	// it returns, on the goroutine that publishes these topics.
	Subscribe(q *Subscription)
	// Unsubscribe tells that the session has left the topics. The acknowledgement is queued when it returns: a source
	// that waits here for its publishing goroutine makes sure that no frame of the topics follows it.
	Unsubscribe(s *Session, topics []string)
	// Closed tells that the session is over and has left all topics. It is the last call for the session.
	Closed(s *Session)
}

// Subscription is one subscribe request that awaits its source's decision.
type Subscription struct {
	Session *Session
	// Topics are those asked for, in the order of the request, as far as the server's own checks let them pass. They
	// are not in use on the session yet, and distinct.
	Topics []string

	request  *wire.Request
	places   []int  // where in the request's arguments each of Topics stands
	failed   []bool // per argument: refused; so far by the server's own checks, which is so on option and spread only
	answered bool
}

// Answer ends the request. errs holds one error or nil per topic, or is empty when all are accepted; the client is told of
// any error that the topic does not exist, in the words of the channel. On spot, linear, inverse and private one error
// refuses the whole request, on option and spread the topic alone.
//
// The topics joined are returned: for each of them initial holds what the client gets first, such as a snapshot. These
// frames follow the acknowledgement and precede whatever is published after Answer. They are copied. They do not count
// against the session's bound, but a session reads no further request while more than the bound is unsent.
// A refused request and a session that is closing join nothing and get no initial frames.
func (q *Subscription) Answer(errs []error, initial ...[]byte) []string {
	if q.answered {
		return nil
	}
	q.answered = true
	s := q.Session
	reply := &wire.Reply{Op: q.request.Op, ReqID: q.request.ReqID, ConnID: s.id}
	joined := q.decide(errs, reply)
	if len(joined) == 0 {
		initial = nil
	}
	// Joined before the acknowledgement can be seen: what is published once a client has read it reaches that client.
	for _, name := range joined {
		s.srv.Topic(s.channel, name).join(s)
	}
	if !s.acknowledge(reply, initial) {
		for _, name := range joined {
			s.srv.Topic(s.channel, name).leave(s)
		}
		joined = nil
	}
	s.joined <- joined
	return joined
}

// decide fills the reply and returns the topics to join.
func (q *Subscription) decide(errs []error, reply *wire.Reply) []string {
	for i, err := range errs[:min(len(errs), len(q.places))] {
		if err != nil {
			q.failed[q.places[i]] = true
		}
	}
	var accepted, refused []string
	for i, topic := range q.request.Args {
		if q.failed[i] {
			refused = append(refused, topic)
		} else {
			accepted = append(accepted, topic)
		}
	}
	if q.Session.Family() == wire.FamilyOption {
		// Choice: the request succeeded if one of its topics did.
		reply.Success, reply.Failed, reply.Succeeded = len(accepted) > 0, refused, accepted
		return accepted
	}
	if len(refused) > 0 {
		reply.Message = wire.MessageNoTopic(q.Session.channel, refused[0])
		return nil
	}
	reply.Success = true
	return accepted
}
