package session

import "slices"

// call is a Subscribe or Unsubscribe whose Done is owed.
type call struct {
	id       int
	index    int // in Session.calls
	left     int // answers it waits for, and one while it is taken in
	accepted int
	rejected []Rejection
}

func (s *Session) newCall(id int) *call {
	c := &call{id: id, index: len(s.calls), left: 1}
	s.calls = append(s.calls, c)
	return c
}

// answer is one answer to a call. The last one ends it.
func (s *Session) answer(c *call) {
	if c.left--; c.left > 0 {
		return
	}
	last := s.calls[len(s.calls)-1]
	last.index = c.index
	s.calls[c.index] = last
	s.calls = s.calls[:len(s.calls)-1]
	s.do(Done{Call: c.id, Accepted: c.accepted, Rejected: c.rejected})
}

func (s *Session) answerAll(calls *[]*call) {
	list := *calls
	*calls = nil
	for _, c := range list {
		s.answer(c)
	}
}

// endCalls ends every open call with err, in the order they were made.
func (s *Session) endCalls(err error) {
	slices.SortFunc(s.calls, func(a, b *call) int { return a.id - b.id })
	for _, c := range s.calls {
		s.do(Done{Call: c.id, Accepted: c.accepted, Rejected: c.rejected, Err: err})
	}
	s.calls = nil
}

func (s *Session) subscribe(ev *Subscribe) {
	for _, name := range ev.Topics {
		if err := s.refuseTooLong(name); err != nil {
			s.do(Done{Call: ev.Call, Err: err})
			return
		}
	}
	c := s.newCall(ev.Call)
	for _, name := range ev.Topics {
		t := s.topics[name]
		switch {
		case t == nil:
			t = s.addTopic(name)
		case !t.wanted:
			s.revive(t)
		}
		if t.lastCall == c {
			continue
		}
		t.lastCall = c
		if t.live > 0 {
			c.accepted++
			continue
		}
		c.left++
		t.calls = append(t.calls, c)
	}
	s.answer(c)
}

// revive wants a topic again that a peer has still: no unsubscribe of it was
// sent. Calls that waited for one are answered, as the topic did end for them.
func (s *Session) revive(t *topic) {
	for _, e := range t.sides {
		s.answerAll(&e.leaving)
		e.resync.flipped = true
	}
	s.want(t, true)
	s.addSides(t)
	t.untold = true
	if !t.changed {
		t.changed = true
		s.changed = append(s.changed, t)
	}
	t.watch = watch{since: s.now}
	s.do(Revived{Topic: t.name})
}

func (s *Session) unsubscribe(ev *Unsubscribe) {
	c := s.newCall(ev.Call)
	for _, name := range ev.Topics {
		t := s.topics[name]
		if t == nil || !t.wanted {
			continue
		}
		c.accepted++
		for _, e := range t.sides {
			if e.phase.has() && e.link.state == Open {
				e.leaving = append(e.leaving, c)
				c.left++
			}
		}
		s.resolve(t, &Rejection{Topic: name, Message: "unsubscribed before it was answered"})
		s.want(t, false)
	}
	s.answer(c)
}

// resolve tells every call that waits for the topic.
func (s *Session) resolve(t *topic, rej *Rejection) {
	calls := t.calls
	t.calls = nil
	for _, c := range calls {
		if rej != nil {
			c.rejected = append(c.rejected, *rej)
		} else {
			c.accepted++
		}
		s.answer(c)
	}
}
