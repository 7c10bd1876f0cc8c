package session

import (
	"slices"
	"time"
)

// How a link is rolled: a successor is dialed on a free lane of the shard and
// subscribes every topic. When it has all that the old link carries, the old one
// is hung up in order; until then nothing is taken from it, so that a successor
// that fails, or that is refused a topic, costs nothing but another attempt.
// One link of a shard is rolled at a time.

const (
	rollPatience = 2 * time.Minute // for a successor to get there
	rollRetry    = time.Minute     // after one that did not; doubles, up to RollAfter
)

// rollTime is when a link that opens now is to be replaced.
func (s *Session) rollTime() time.Time {
	if s.cfg.RollAfter <= 0 {
		return time.Time{}
	}
	spread := int64(s.cfg.RollAfter / 5)
	return s.now.Add(s.cfg.RollAfter - s.cfg.RollAfter/10 + time.Duration(s.cfg.Rand(spread+1)))
}

// mayRoll reports whether nothing but its age speaks against replacing a link.
func (s *Session) mayRoll(l *link) bool {
	return s.cfg.RollAfter > 0 && l.state == Open && !l.retired && l.freeLane() >= 0 &&
		!slices.ContainsFunc(l.shard.links, func(o *link) bool { return o.replaces != nil })
}

// freeLane returns a lane that no link of the shard has, or -1.
func (l *link) freeLane() int {
	for lane := range maxLanes {
		if !slices.ContainsFunc(l.shard.links, func(o *link) bool { return o.lane == lane }) {
			return lane
		}
	}
	return -1
}

func (s *Session) startRoll(l *link) {
	if !s.mayRoll(l) || s.now.Before(l.rollAt) {
		return
	}
	next := s.newLink(l.shard, l.freeLane())
	next.replaces, l.successor = l, next
	next.rollBy = s.now.Add(rollPatience)
}

// advanceRolls hands over where the successor has everything.
func (s *Session) advanceRolls() {
	for i := 0; i < len(s.links); i++ {
		next := s.links[i]
		old := next.replaces
		if old == nil || next.state != Open || old.state != Open {
			continue // an old link that is ending leaves its place by itself
		}
		switch next.compare(old) {
		case pending:
		case refused:
			s.endRoll(next)
			s.retire(next)
		case live:
			next.replaces, old.successor = nil, nil
			s.do(Handover{From: old.num, To: next.num})
			s.retire(old)
		}
	}
}

// compare returns live if every topic that old carries is live here, refused if
// one never will be, and pending otherwise.
func (l *link) compare(old *link) phase {
	for _, e := range old.sides {
		if !e.topic.wanted || !e.carried {
			continue
		}
		switch o := e.topic.side(l); {
		case o == nil || o.phase == refused:
			return refused
		case o.phase != live:
			return pending
		}
	}
	return live
}

// endRoll ends a roll whose successor did not get there, and plans the next.
func (s *Session) endRoll(next *link) {
	old := next.replaces
	next.replaces, old.successor = nil, nil
	wait := s.cfg.RollAfter
	if old.rollFails < 16 {
		wait = min(wait, rollRetry<<old.rollFails)
	}
	old.rollFails++
	old.rollAt = s.now.Add(wait)
}

// lateRolls gives up on successors that take too long.
func (s *Session) lateRolls() {
	for _, l := range slices.Clone(s.links) {
		if l.replaces != nil && !s.now.Before(l.rollBy) {
			s.endRoll(l)
			s.retire(l)
		}
	}
}
