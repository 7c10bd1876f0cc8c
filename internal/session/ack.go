package session

import (
	"fmt"
	"slices"
	"strings"
)

// match finds the request that a reply answers. Some families echo the id,
// some name the topics, and some do neither: they answer in order.
func (l *link) match(a *Ack) int {
	if a.ReqID != "" {
		return slices.IndexFunc(l.flight, func(r *request) bool { return r.id == a.ReqID })
	}
	if len(a.Failed)+len(a.Succeeded) > 0 {
		failed, succeeded := setOf(a.Failed), setOf(a.Succeeded)
		return slices.IndexFunc(l.flight, func(r *request) bool {
			return (a.Op == "" || a.Op == r.op) && slices.ContainsFunc(r.names, func(name string) bool {
				return failed.has(name) || succeeded.has(name)
			})
		})
	}
	return slices.IndexFunc(l.flight, func(r *request) bool { return a.Op == "" || a.Op == r.op })
}

// nameSet is asked for each topic of a request: lists of both are long where a
// reply names its topics.
type nameSet map[string]struct{}

func setOf(names []string) nameSet {
	set := make(nameSet, len(names))
	for _, name := range names {
		set[name] = struct{}{}
	}
	return set
}

func (set nameSet) has(name string) bool {
	_, ok := set[name]
	return ok
}

func (s *Session) ack(l *link, a *Ack) {
	if l == nil || l.state != Open {
		return
	}
	i := l.match(a)
	if i < 0 {
		return
	}
	r := l.flight[i]
	l.flight = slices.Delete(l.flight, i, i+1)
	if r.op == opUnsubscribe {
		// Refused or not, the topic is not wanted and its frames are dropped.
		s.answerAll(&r.calls)
		s.parted(&r.parted)
		return
	}
	sides := slices.DeleteFunc(r.sides, func(e *side) bool { return e.asked != r })
	if !a.Success && len(a.Failed)+len(a.Succeeded) == 0 {
		s.refuseAll(l, r, sides, a)
		return
	}
	failed, succeeded := setOf(a.Failed), setOf(a.Succeeded)
	for _, e := range sides {
		name := e.topic.name
		if !failed.has(name) && (a.Success || succeeded.has(name)) {
			s.accept(e)
		} else {
			s.refuse(e, a)
		}
	}
}

// refuseAll handles a request of which one bad topic rejected all: the topic
// that the text names is taken out, and without a name the request is halved
// until the bad topic stands alone. Topics that data has proved meanwhile are
// asked for again like the rest: the data may be left over from an earlier
// subscription, and to ask twice costs nothing.
//
// sides are the topics that still hang on the request. The bad one may not be
// among them: only a request of one topic says something about that topic.
func (s *Session) refuseAll(l *link, r *request, sides []*side, a *Ack) {
	named := namedTopic(a.Message)
	i := slices.IndexFunc(sides, func(e *side) bool { return e.topic.name == named })
	switch {
	case i >= 0:
		s.refuse(sides[i], a)
		s.askAgain(l, slices.Delete(sides, i, i+1))
	case len(sides) == 1 && len(r.names) == 1:
		s.refuse(sides[0], a)
	case len(sides) == 1 || slices.Contains(r.names, named):
		s.askAgain(l, sides)
	default:
		half := len(sides) / 2
		s.askAgain(l, sides[:half])
		s.askAgain(l, sides[half:])
	}
}

// askAgain asks for what remains of a refused request. Topics that are not
// wanted any more fall out: the peer does not have them.
func (s *Session) askAgain(l *link, sides []*side) {
	var again []*side
	for _, e := range sides {
		if e.topic.wanted {
			again = append(again, e)
		} else {
			e.asked = nil
			s.turn(e, pending)
		}
	}
	if len(again) > 0 {
		s.ask(l, opSubscribe, again)
		l.bucket.spare(1)
	}
}

// namedTopic returns X of "error:handler not found,topic:X" and of spot's
// "Invalid symbol :[X]", the first if there are several.
func namedTopic(message string) string {
	if i := strings.LastIndex(message, "topic:"); i >= 0 {
		return strings.TrimSpace(message[i+len("topic:"):])
	}
	_, list, _ := strings.Cut(message, ":[")
	first, _, _ := strings.Cut(strings.TrimSuffix(list, "]"), ",")
	return strings.TrimSpace(first)
}

func (s *Session) accept(e *side) {
	t := e.topic
	e.carried, e.since = true, s.now
	t.watch.since = s.now
	s.turn(e, live)
	if t.wanted {
		t.delivered = true
		s.resolve(t, nil)
	}
}

// refuse ends a topic on a link, unless the reply says that it is subscribed
// already. It ends for the user if no other link has it or may still get it.
func (s *Session) refuse(e *side, a *Ack) {
	if strings.Contains(a.Message, "already subscribed") {
		s.accept(e)
		return
	}
	t := e.topic
	e.asked = nil
	e.carried = false
	if !t.wanted {
		s.turn(e, pending)
		return
	}
	s.turn(e, refused)
	e.link.refusals++
	rej := Rejection{Topic: t.name, Code: a.Code, Message: a.Message}
	if rej.Message == "" {
		rej.Message = "refused without a reason"
	}
	if t.hopeful() {
		if t.delivered && !t.carried() {
			t.delivered = false
			s.do(Gap{Topics: []string{t.name}, Err: fmt.Errorf("topic refused: %s", rej.Message)})
		}
		return
	}
	s.want(t, false)
	s.do(Reject{rej})
	s.resolve(t, &rej)
}

func (s *Session) arrived(l *link, name string) {
	t := s.topics[name]
	if t == nil || l == nil || l.state != Open {
		return
	}
	if e := t.side(l); e != nil && e.phase == sent {
		s.accept(e)
	}
}

// expire handles requests that were not answered in time. One whose topics
// have all been answered by their data needs no reply.
func (s *Session) expire(l *link) {
	for len(l.flight) > 0 && s.now.Sub(l.flight[0].at) >= s.cfg.AckTimeout {
		r := l.flight[0]
		unproven := slices.DeleteFunc(r.sides, func(e *side) bool { return e.asked != r || e.phase != sent })
		if !s.cfg.AssumeAck && len(unproven) > 0 {
			s.hangUp(l, ErrNoReply)
			return
		}
		l.flight = slices.Delete(l.flight, 0, 1)
		s.answerAll(&r.calls)
		s.parted(&r.parted)
		for _, e := range unproven {
			s.accept(e)
		}
	}
}
