package session

import "time"

const (
	watchEvery   = 5 * time.Second  // between two looks at who is silent
	cadenceTimes = 3                // a topic may be silent for this many of its cadences
	cadenceMin   = 10 * time.Second // and at least this long
	adaptTimes   = 8                // without a cadence: this many of its longest silence so far
	adaptMin     = time.Minute      // and at least this long
	watchMax     = time.Hour        // what both end at
)

// scheduleWatch starts and ends the looks.
func (s *Session) scheduleWatch() {
	switch {
	case s.cfg.Heard == nil || s.live == 0:
		s.checkAt = time.Time{}
	case s.checkAt.IsZero():
		s.checkAt = s.now.Add(watchEvery)
	}
}

// watchTopics looks at every live topic.
func (s *Session) watchTopics() {
	if s.checkAt.IsZero() || s.now.Before(s.checkAt) {
		return
	}
	s.checkAt = s.now.Add(watchEvery)
	for _, t := range s.order {
		if t.wanted && t.live > 0 {
			s.watchTopic(t)
		}
	}
}

// watchTopic resynchronises a topic that is silent for too long.
func (s *Session) watchTopic(t *topic) {
	w := &t.watch
	heard := s.cfg.Heard(t.name)
	if heard.After(w.heard) {
		// The silence of the last look has ended.
		w.longest = max(w.longest, w.silence)
		w.heard = heard
		w.doubled = 0
	}
	since := later(heard, w.since)
	var inbound time.Time
	for _, e := range t.sides {
		if e.phase == live {
			// While nobody read, on purpose, nothing could be heard.
			since = later(since, e.link.heldAt)
			inbound = later(inbound, e.link.inbound)
		}
	}
	w.silence = s.now.Sub(since)
	allowed := s.allowed(t)
	if w.silence <= allowed {
		return
	}
	if inbound.Before(since.Add(allowed)) {
		// Nothing at all came since it was time. That is for the heartbeat to
		// judge; whatever comes next makes it the topic's silence.
		for _, e := range t.sides {
			if e.phase == live && e.link.state == Open && e.link.pingedAt.IsZero() {
				s.ping(e.link)
			}
		}
		return
	}
	w.doubled++
	s.do(Silent{Topic: t.name, Since: since, Allowed: allowed, Promised: s.promised(t) > 0})
	s.resync(t)
}

// promised returns the longest silence that the venue documents, 0 if none.
func (s *Session) promised(t *topic) time.Duration {
	if s.cfg.Cadence == nil {
		return 0
	}
	return s.cfg.Cadence(t.name)
}

// allowed returns how long a topic may be silent. Where nothing is promised it is
// at most an hour, whatever the topic's habit: one that is subscribed and brings
// nothing for days looks the same.
func (s *Session) allowed(t *topic) time.Duration {
	base := s.promised(t)
	if base > 0 {
		base = max(cadenceMin, cadenceTimes*base)
	} else {
		base = min(max(adaptMin, adaptTimes*t.watch.longest), watchMax)
	}
	return min(base<<min(t.watch.doubled, 12), max(base, watchMax))
}
