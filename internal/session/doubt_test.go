package session

import (
	"testing"
	"time"
)

// A link that is lost may have brought nothing since before the other one was
// subscribed. What was sent in between is then on neither, and is told.
func TestDoubtWhereLinksDoNotOverlap(t *testing.T) {
	tests := []struct {
		name    string
		inbound time.Duration // before the loss; the other link has a for 20 s and b for 5 s
		want    []string
	}{
		{"heard just now", 0, []string{"lanes 0010 a,b"}},
		{"heard before b was on the other", 6 * time.Second, []string{"doubt b: link down", "lanes 0010 a,b"}},
		{"heard before both were", time.Minute, []string{"doubt a,b: link down", "lanes 0010 a,b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Config{Lanes: 2, PingEvery: time.Hour})
			s.want(Start{}, "dial 0")
			s.want(Subscribe{Call: 1, Topics: []string{"a", "b"}})
			s.want(Dialed{Link: 1}, "2:dial 0 on lane 1", "subscribe#1 a,b")
			s.want(Ack{Link: 1, ReqID: "1", Success: true}, "done 1: 2 accepted, 0 rejected, <nil>", "lanes 0001 a,b")
			s.pass(time.Hour - 20*time.Second)
			s.want(Dialed{Link: 2}, "2:subscribe#2 a,b")
			s.want(Arrived{Link: 2, Topic: "a"}, "lanes 0011 a")
			s.pass(15 * time.Second)
			s.want(Arrived{Link: 2, Topic: "b"}, "lanes 0011 b")
			s.pass(5 * time.Second)
			s.want(Lost{Link: 1, Err: errLink, Inbound: s.now.Add(-tt.inbound)}, tt.want...)
			// The topics are still live: losing the other link is a gap.
			s.want(Lost{Link: 2, Err: errLink, Inbound: s.now}, "gap a,b: link down", "lanes 0000 a,b")
		})
	}
}

// A link that took over from another goes on from what that one had brought: the loss of
// a third that was there all along leaves nothing out, if what came last on it is older
// than the successor.
func TestNoDoubtAcrossAHandover(t *testing.T) {
	tests := []struct {
		name    string
		until   time.Duration // the old link is read until so long after the successor is subscribed
		inbound time.Duration // the last that came on the third, before that
		want    []string
	}{
		{"without a break", time.Second, time.Second, []string{"lanes 0100 a"}},
		{"with a break", -time.Second, 2 * time.Second, []string{"doubt a: link down", "lanes 0100 a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Config{Lanes: 2, RollAfter: time.Hour, PingEvery: 10 * time.Hour})
			s.want(Start{}, "dial 0")
			s.want(Subscribe{Call: 1, Topics: []string{"a"}})
			s.want(Dialed{Link: 1}, "2:dial 0 on lane 1", "subscribe#1 a")
			s.want(Ack{Link: 1, ReqID: "1", Success: true}, "done 1: 1 accepted, 0 rejected, <nil>", "lanes 0001 a")
			s.pass(time.Minute)
			s.want(Dialed{Link: 2}, "2:subscribe#2 a")
			s.want(Arrived{Link: 2, Topic: "a"}, "lanes 0011 a")
			s.pass(time.Hour - time.Minute)
			s.want(Tick{}, "3:dial 0 on lane 2")
			s.pass(30 * time.Second)
			s.want(Dialed{Link: 3}, "3:subscribe#3 a")
			s.want(Arrived{Link: 3, Topic: "a"}, "handover 1 to 3", "hangup <nil>", "lanes 0111 a")
			at := s.now
			s.pass(5 * time.Second)
			s.want(Lost{Link: 1, Err: errLink, Inbound: at.Add(tt.until)}, "forget 1", "lanes 0110 a")
			s.want(Lost{Link: 2, Err: errLink, Inbound: at.Add(-tt.inbound)}, tt.want...)
		})
	}
}
