package session

import (
	"testing"
	"time"
)

// Data that comes after an unsubscribe and a subscribe of one topic may be older
// than both. It answers the call, but does not hide that the request was refused
// because of another topic.
func TestOldDataDoesNotHideARefusal(t *testing.T) {
	s := newScript(t, Config{})
	s.open()
	s.want(Unsubscribe{Call: 2, Topics: []string{"a"}}, "unsubscribe#2 a")
	s.want(Subscribe{Call: 3, Topics: []string{"a", "bad"}}, "subscribe#3 a,bad")
	s.want(Arrived{Link: 1, Topic: "a"})
	s.want(Ack{Link: 1, ReqID: "2", Success: true}, "done 2: 1 accepted, 0 rejected, <nil>")
	s.want(Ack{Link: 1, ReqID: "3", Message: "error:handler not found,topic:bad"},
		"reject bad: error:handler not found,topic:bad", "done 3: 1 accepted, 1 rejected, <nil>", "subscribe#4 a")
	s.want(Ack{Link: 1, ReqID: "4", Message: "error:already subscribed,topic:a"})
	if wanted, liveNow := s.m.Counts(); wanted != 3 || liveNow != 3 {
		t.Errorf("%d topics are wanted and %d live, want 3 each", wanted, liveNow)
	}
}

// A reply to a request of before a resynchronisation says nothing about the one
// that is under way.
func TestReplyToAnOlderRequest(t *testing.T) {
	s := newScript(t, Config{})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1})
	s.want(Subscribe{Call: 1, Topics: []string{"a", "b"}}, "subscribe#1 a,b")
	s.want(Arrived{Link: 1, Topic: "a"})
	s.want(Resync{"a"}, "unsubscribe#2 a", "subscribe#3 a")
	s.want(Ack{Link: 1, ReqID: "1", Message: "error:handler not found,topic:b"},
		"reject b: error:handler not found,topic:b", "done 1: 1 accepted, 1 rejected, <nil>")
	s.want(Ack{Link: 1, ReqID: "2", Success: true})
	if _, liveNow := s.m.Counts(); liveNow != 0 {
		t.Error("a is live before its own request was answered")
	}
	s.want(Ack{Link: 1, ReqID: "3", Success: true})
	if _, liveNow := s.m.Counts(); liveNow != 1 {
		t.Error("a is not live")
	}
}

// The snapshot may come before the reply to its subscribe, and be lost at once.
func TestResyncWhileOneIsUnderWay(t *testing.T) {
	s := newScript(t, Config{PingEvery: time.Hour})
	s.open()
	s.want(Resync{"b"}, "unsubscribe#2 b", "subscribe#3 b")
	s.want(Resync{"b"})
	s.want(Ack{Link: 1, ReqID: "2", Success: true})
	if wake := s.m.Wake(); !wake.After(s.now) {
		t.Fatalf("a tick is due at %v, which is now, and nothing can be done yet", wake)
	}
	s.want(Ack{Link: 1, ReqID: "3", Success: true})
	s.now = s.m.Wake()
	if passed := s.now.Sub(t0); passed != time.Second {
		t.Errorf("the second one is due after %v, want 1s", passed)
	}
	s.want(beat(s.now), "unsubscribe#4 b", "subscribe#5 b")
}

// While nobody reads, on purpose, neither silence nor a reply that has not been
// seen says anything.
func TestHeldConnectionIsNotJudged(t *testing.T) {
	s := newScript(t, Config{})
	s.open()
	s.want(Subscribe{Call: 2, Topics: []string{"d"}}, "subscribe#2 d")
	pings := 0
	for s.now.Sub(t0) < time.Hour {
		s.now = s.m.Wake()
		for _, a := range s.m.Next(s.now, Tick{Links: []LinkTick{{Link: 1, Inbound: t0, Held: true}}}) {
			if send, ok := a.(Send); !ok || send.Op != "ping" {
				t.Fatalf("after %v: %s", s.now.Sub(t0), describe(a))
			}
			pings++
		}
	}
	if pings != 180 {
		t.Errorf("%d pings in an hour, want one each 20 s", pings)
	}
	s.pass(10*time.Second - 1)
	s.want(beat(s.now))
	s.pass(1)
	s.want(beat(s.now), "hangup a subscribe request was not answered")
}

// A refusal that names nothing is about all that was asked for, also what has
// been unsubscribed since.
func TestRefusalOfATopicThatIsGone(t *testing.T) {
	s := newScript(t, Config{})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1})
	s.want(Subscribe{Call: 1, Topics: []string{"a", "bad"}}, "subscribe#1 a,bad")
	s.want(Unsubscribe{Call: 2, Topics: []string{"bad"}}, "unsubscribe#2 bad")
	s.want(Ack{Link: 1, ReqID: "1", Message: "no"}, "subscribe#3 a")
	s.want(Ack{Link: 1, ReqID: "3", Success: true}, "done 1: 1 accepted, 1 rejected, <nil>")

	s = newScript(t, Config{})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1})
	s.want(Subscribe{Call: 1, Topics: []string{"a", "b", "bad"}}, "subscribe#1 a,b,bad")
	s.want(Unsubscribe{Call: 2, Topics: []string{"bad"}}, "unsubscribe#2 bad")
	s.want(Ack{Link: 1, ReqID: "1", Message: "error:handler not found,topic:bad"}, "subscribe#3 a,b")
}

// After a reconnect topics are asked for in the order of their subscription,
// whatever was taken off in between.
func TestReconnectKeepsTheOrder(t *testing.T) {
	s := newScript(t, Config{})
	s.open()
	s.want(Subscribe{Call: 2, Topics: []string{"d", "e"}}, "subscribe#2 d,e")
	s.want(Unsubscribe{Call: 3, Topics: []string{"a"}}, "unsubscribe#3 a")
	s.want(Lost{Link: 1, Err: errLink}, "gap b,c: link down", "done 3: 1 accepted, 0 rejected, <nil>")
	s.now = s.m.Wake()
	s.want(Tick{}, "dial 1")
	s.want(Dialed{Link: 1}, "subscribe#4 b,c,d,e")
}
