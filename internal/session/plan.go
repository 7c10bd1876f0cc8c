package session

import (
	"fmt"
	"slices"
	"time"
)

// emptyAfter is how long a shard without topics is kept: who unsubscribes all
// may be about to subscribe others.
const emptyAfter = 30 * time.Second

// shard is a set of topics that fits on one connection, and the links that
// carry it.
type shard struct {
	num     int
	links   []*link
	count   int // topics, with those a peer has that are not wanted any more
	chars   int
	wanted  int
	emptyAt time.Time
}

func (sh *shard) add(t *topic) {
	sh.count++
	sh.wanted++
	sh.chars += len(t.name) + argOverhead
}

func (sh *shard) remove(t *topic, now time.Time) {
	sh.chars -= len(t.name) + argOverhead
	if sh.count--; sh.count == 0 {
		sh.emptyAt = now
	}
}

// state is the best of its links'.
func (sh *shard) state() State {
	rank := [...]int{Idle: 0, Waiting: 1, Hanging: 2, Dialing: 3, Open: 4, Closed: 0}
	best := Idle
	for _, l := range sh.links {
		if rank[l.state] > rank[best] {
			best = l.state
		}
	}
	return best
}

// refuseTooLong checks that a topic fits on a connection at all.
func (s *Session) refuseTooLong(name string) error {
	if n := len(name) + argOverhead; s.cfg.MaxChars > 0 && n > s.cfg.MaxChars {
		return fmt.Errorf("topic %.50s...: %d characters, one connection takes %d", name, n, s.cfg.MaxChars)
	}
	return nil
}

// place finds the first shard that has room for a topic, or makes one.
func (s *Session) place(name string) *shard {
	for _, sh := range s.shards {
		if (s.cfg.MaxTotal <= 0 || sh.count < s.cfg.MaxTotal) &&
			(s.cfg.MaxChars <= 0 || sh.chars+len(name)+argOverhead <= s.cfg.MaxChars) {
			return sh
		}
	}
	return s.addShard()
}

func (s *Session) addShard() *shard {
	s.lastShard++
	sh := &shard{num: s.lastShard, emptyAt: s.now}
	s.shards = append(s.shards, sh)
	for lane := range s.cfg.Lanes {
		s.newLink(sh, lane)
	}
	return sh
}

// closeEmpty closes shards that have had no topic for a while. One stays: a
// stream without topics is still connected.
func (s *Session) closeEmpty() {
	for i := 0; i < len(s.shards); {
		sh := s.shards[i]
		if sh.count > 0 || len(s.shards) == 1 || s.now.Before(sh.emptyAt.Add(emptyAfter)) {
			i++
			continue
		}
		s.shards = append(s.shards[:i:i], s.shards[i+1:]...)
		links := append([]*link(nil), sh.links...)
		for _, l := range links {
			l.replaces, l.successor = nil, nil
			if !l.retired {
				s.retire(l)
			}
		}
	}
}

// parting is a topic that was taken off a shard whose connections may still bring it:
// an unsubscribe is not answered yet, or a connection has not ended. Were it subscribed on
// another shard now, both would bring it, and nobody could tell which message comes first.
type parting struct {
	shard *shard
	links int // that it is still on
}

// part notes that a topic may still come on a link of the shard.
func (s *Session) part(name string, from *shard) {
	p := s.partings[name]
	if p == nil {
		p = &parting{shard: from}
		s.partings[name] = p
	}
	p.links++
}

// parted notes that the topics come on a link no more.
func (s *Session) parted(names *[]string) {
	list := *names
	*names = nil
	for _, name := range list {
		p := s.partings[name]
		if p.links--; p.links > 0 {
			continue
		}
		delete(s.partings, name)
		if t := s.topics[name]; t != nil {
			for _, e := range slices.Clone(t.sides) {
				s.mark(e)
			}
		}
	}
}

// parting reports whether a topic may still come from another shard than its own.
func (s *Session) parting(t *topic) bool {
	p := s.partings[t.name]
	return p != nil && p.shard != t.shard
}
