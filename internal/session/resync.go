package session

import (
	"slices"
	"time"
)

const (
	resyncEvery = time.Second     // between two rounds of a link
	resyncMin   = time.Second     // from a topic's first to its second
	resyncMax   = time.Minute     // between any two of a topic
	resyncCalm  = 5 * time.Minute // after this long without one a topic starts anew
)

// resyncState is a topic's, on a link.
type resyncState struct {
	due     bool          // waits in renewal.due
	round   bool          // waits in renewal.round
	flipped bool          // the topic was unsubscribed in between: a turn is needed
	at      time.Time     // earliest time of the next one
	wait    time.Duration // from the next one to the one after
}

// renewal is what a link has to resynchronise.
type renewal struct {
	due   []*side   // marked
	round []*side   // whose time has come
	at    time.Time // earliest time of the next round
}

// resync marks a topic for the next round, on each link that has it.
func (s *Session) resync(t *topic) {
	if t == nil || !t.wanted {
		return
	}
	for _, e := range t.sides {
		r := &e.resync
		if e.link.state != Open || !e.phase.has() || r.due || r.round {
			continue
		}
		if r.wait == 0 || s.now.Sub(r.at) > resyncCalm {
			r.wait = resyncMin
			r.at = s.now
		}
		r.due = true
		e.link.renewal.due = append(e.link.renewal.due, e)
	}
}

// gatherRenewals begins a round with all marked topics whose time has come.
func (s *Session) gatherRenewals(l *link) {
	n := &l.renewal
	n.round = slices.DeleteFunc(n.round, func(e *side) bool {
		gone := !e.resync.round || !e.topic.wanted || e.phase != live
		if gone {
			e.resync.round = false
		}
		return gone
	})
	if len(n.due) == 0 || s.now.Before(n.at) {
		return
	}
	before := len(n.round)
	n.due = slices.DeleteFunc(n.due, func(e *side) bool {
		switch r := &e.resync; {
		case !r.due || !e.topic.wanted || !e.phase.has():
			r.due = false
		case e.phase != live || s.now.Before(r.at):
			return false
		default:
			r.due, r.round = false, true
			r.at = s.now.Add(r.wait)
			r.wait = min(2*r.wait, resyncMax)
			n.round = append(n.round, e)
		}
		return true
	})
	if len(n.round) > before {
		n.at = s.now.Add(resyncEvery)
	}
}

// fullRenewal returns a full request's worth of topics that need no turn, or
// nil.
func (s *Session) fullRenewal(l *link) []*side {
	if len(l.renewal.round) < s.cfg.MaxArgs {
		return nil
	}
	batch := l.renewal.round[:s.cfg.MaxArgs]
	if slices.ContainsFunc(batch, func(e *side) bool { return e.resync.flipped }) {
		return nil
	}
	return batch
}

// renew unsubscribes and subscribes the first topics of the round. The
// subscribe need not wait for the reply to the unsubscribe: the peer handles
// requests in order.
func (s *Session) renew(l *link, batch []*side) {
	batch = slices.Clone(batch)
	l.renewal.round = l.renewal.round[len(batch):]
	for _, e := range batch {
		e.resync.round, e.resync.flipped = false, false
	}
	s.ask(l, opUnsubscribe, batch)
	s.ask(l, opSubscribe, batch)
}

// wakeRenewals says when the next round can begin.
func (s *Session) wakeRenewals(l *link, earlier func(time.Time)) {
	for _, e := range l.renewal.due {
		if e.resync.due && e.topic.wanted && e.phase == live {
			earlier(later(e.resync.at, l.renewal.at))
			if !e.resync.at.After(l.renewal.at) {
				return // none is earlier
			}
		}
	}
}
