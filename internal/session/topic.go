package session

import (
	"slices"
	"time"
)

// topic is one that is wanted, or that was until the peer is told otherwise.
type topic struct {
	name   string
	seq    int // by subscription
	index  int // in Session.order
	shard  *shard
	sides  []*side // one on each link of the shard
	wanted bool
	live   int // sides that are live

	calls     []*call // of Subscribe that wait for it
	lastCall  *call   // that named it: a call may do so twice
	delivered bool    // was live since its last gap: a loss must be told

	mask    uint8 // lanes that the user was told
	untold  bool  // whatever mask says, the user does not know
	changed bool  // in Session.changed

	watch watch
}

// phase is how far a topic has come on a link.
type phase uint8

const (
	pending phase = iota // to be asked for, if it is wanted
	sent                 // in a request without a reply
	live                 // accepted
	refused              // by this connection
)

// has reports whether the peer has the topic, once it has read what was sent.
func (p phase) has() bool { return p == sent || p == live }

// side is a topic on a link.
type side struct {
	topic *topic
	link  *link
	index int // in link.sides
	phase phase

	// carried says that the topic was live on this connection. While it is
	// resynchronised it is not live, and carried all the same. since is from when on
	// nothing is missing: when it became live last, or before that, if a link that
	// was lost since had it until then.
	carried bool
	since   time.Time

	// asked is the last subscribe request that names the topic. A reply to an
	// older one says nothing about it any more.
	asked *request

	grown   bool    // subscribed when the link had never had so many
	leaving []*call // of Unsubscribe that wait until it is told to the peer, and answered

	need   need
	queued [needs]bool // where the side stands in a queue, if only as a blank

	resync resyncState
}

func (t *topic) side(l *link) *side {
	for _, e := range t.sides {
		if e.link == l {
			return e
		}
	}
	return nil
}

// addTopic enters a topic, on all links of its shard.
func (s *Session) addTopic(name string) *topic {
	s.lastTopic++
	t := &topic{name: name, seq: s.lastTopic, index: len(s.order), shard: s.place(name), wanted: true}
	s.topics[name] = t
	s.order = append(s.order, t)
	s.wanted++
	t.shard.add(t)
	s.addSides(t)
	return t
}

func (s *Session) addSides(t *topic) {
	for _, l := range t.shard.links {
		if !l.retired && t.side(l) == nil {
			s.addSide(t, l)
		}
	}
}

func (s *Session) addSide(t *topic, l *link) {
	e := &side{topic: t, link: l, index: len(l.sides)}
	l.sides = append(l.sides, e)
	t.sides = append(t.sides, e)
	s.mark(e)
}

// want changes whether a topic is wanted.
func (s *Session) want(t *topic, wanted bool) {
	if t.wanted == wanted {
		return
	}
	d := 1
	if !wanted {
		d = -1
	}
	t.wanted = wanted
	s.wanted += d
	t.shard.wanted += d
	if t.live > 0 {
		s.live += d
	}
	for _, e := range t.sides {
		if e.phase == live {
			e.link.live += d
		}
	}
	t.delivered = wanted && t.carried()
	for _, e := range slices.Clone(t.sides) {
		s.mark(e)
	}
}

// turn moves a side to another phase and keeps all counts.
func (s *Session) turn(e *side, p phase) {
	was, t, l := e.phase, e.topic, e.link
	if was == p {
		return
	}
	e.phase = p
	switch {
	case p.has() && !was.has():
		l.carries++
	case was.has() && !p.has():
		l.carries--
	}
	if was == live || p == live {
		d := 1
		if was == live {
			d = -1
		}
		before := t.live
		t.live += d
		if t.wanted {
			l.live += d
			if (before == 0) != (t.live == 0) {
				s.live += d
			}
		}
		if !t.changed {
			t.changed = true
			s.changed = append(s.changed, t)
		}
	}
	s.mark(e)
}

// mark notes what the link has to send for a side, and removes a side that
// nobody wants and the peer does not have, or will not once the connection ends.
func (s *Session) mark(e *side) {
	wanted, l := e.topic.wanted, e.link
	if !wanted && (!e.phase.has() || l.state != Open) {
		s.removeSide(e)
		return
	}
	n := none
	switch {
	case wanted && e.phase == pending && !s.parting(e.topic):
		n = subscribing
	case !wanted && e.phase.has():
		n = unsubscribing
	}
	l.queueFor(e, n)
}

// removeSide takes a topic off a link, and forgets the topic with its last one.
func (s *Session) removeSide(e *side) {
	t, l := e.topic, e.link
	if e.index < 0 {
		return
	}
	if l.state == Hanging && e.phase.has() {
		l.parted = append(l.parted, t.name)
		s.part(t.name, l.shard)
	}
	last := l.sides[len(l.sides)-1]
	last.index = e.index
	l.sides[e.index] = last
	l.sides = l.sides[:len(l.sides)-1]
	t.sides = slices.DeleteFunc(t.sides, func(o *side) bool { return o == e })
	e.index = -1
	e.asked = nil
	e.carried = false
	e.resync = resyncState{}
	s.turn(e, pending)
	l.queueFor(e, none)
	s.answerAll(&e.leaving)
	if len(t.sides) == 0 && !t.wanted {
		s.removeTopic(t)
	}
}

func (s *Session) removeTopic(t *topic) {
	if s.topics[t.name] != t {
		return
	}
	delete(s.topics, t.name)
	last := s.order[len(s.order)-1]
	last.index = t.index
	s.order[t.index] = last
	s.order = s.order[:len(s.order)-1]
	t.shard.remove(t, s.now)
}

// bySubscription sorts sides by when their topics were subscribed.
func bySubscription(sides []*side) []*side {
	sorted := slices.Clone(sides)
	slices.SortFunc(sorted, func(a, b *side) int { return a.topic.seq - b.topic.seq })
	return sorted
}

// tellLanes says which lanes carry a topic, where that has changed.
func (s *Session) tellLanes() {
	if len(s.changed) == 0 {
		return
	}
	var byMask [1 << maxLanes][]string
	for _, t := range s.changed {
		t.changed = false
		var mask uint8
		for _, e := range t.sides {
			if e.phase == live {
				mask |= 1 << e.link.lane
			}
		}
		if !t.wanted || mask == t.mask && !t.untold {
			continue
		}
		t.mask, t.untold = mask, false
		byMask[mask] = append(byMask[mask], t.name)
	}
	s.changed = s.changed[:0]
	if s.cfg.Lanes == 1 && s.cfg.RollAfter <= 0 {
		return
	}
	for mask, names := range byMask {
		if len(names) > 0 {
			s.do(Lanes{Topics: names, Mask: uint8(mask)})
		}
	}
}

// carried reports whether a link carries the topic.
func (t *topic) carried() bool {
	return slices.ContainsFunc(t.sides, func(e *side) bool { return e.carried })
}

// carriedSince reports whether a link carries the topic and did so at that time.
func (t *topic) carriedSince(at time.Time) bool {
	return slices.ContainsFunc(t.sides, func(e *side) bool { return e.carried && !e.since.After(at) })
}

// inherit makes the links that had the topic by the time until which a lost one brought
// it go on from there: what it brought, and what they bring, is all there was.
func (t *topic) inherit(lost *side, until time.Time) {
	for _, e := range t.sides {
		if e.carried && !e.since.After(until) && e.since.After(lost.since) {
			e.since = lost.since
		}
	}
}

// hopeful reports whether a link has the topic or is about to know whether it
// gets it.
func (t *topic) hopeful() bool {
	return slices.ContainsFunc(t.sides, func(e *side) bool {
		return e.phase.has() || e.phase == pending && e.link.state == Open
	})
}

// watch is what is known of a topic's silences.
type watch struct {
	since   time.Time     // when it was accepted last
	heard   time.Time     // its last frame, as of the last look
	silence time.Duration // as of the last look
	longest time.Duration // that ended
	doubled int           // how often it was too silent since it was heard
}
