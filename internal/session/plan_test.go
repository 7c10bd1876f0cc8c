package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFailureClass11_PlannerPacksAndOpensLinks(t *testing.T) {
	tests := []struct {
		name   string
		cfg    Config
		topics []string
		links  []int // topics on each
		frames int   // subscribe requests
	}{
		{"no limits", Config{}, topicsNamed("t", 1000), []int{1000}, 5},
		{"by args of a request", Config{MaxArgs: 10}, topicsNamed("t", 95), []int{95}, 10},
		{"by count", Config{MaxTotal: 400}, topicsNamed("t", 1000), []int{400, 400, 200}, 5},
		{"by characters", Config{MaxChars: 100}, []string{
			strings.Repeat("a", 47), strings.Repeat("b", 47), // 100 with quotes and commas
			strings.Repeat("c", 50), strings.Repeat("d", 40), "e",
		}, []int{2, 3}, 2},
		{"the first that has room", Config{MaxChars: 100}, []string{
			strings.Repeat("a", 60), strings.Repeat("b", 60), strings.Repeat("c", 20), strings.Repeat("d", 20),
		}, []int{2, 2}, 2},
		{"one that fits exactly", Config{MaxChars: 100}, []string{strings.Repeat("a", 97), "b"}, []int{1, 1}, 2},
		{"the last one's quotes and comma do not", Config{MaxChars: 100}, []string{strings.Repeat("a", 47), strings.Repeat("b", 48)}, []int{1, 1}, 2},
		{"on two lanes", Config{MaxTotal: 3, Lanes: 2}, topicsNamed("t", 5), []int{3, 3, 2, 2}, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 1, tt.cfg, names)
			start(w)
			w.frames = 0
			w.subscribe(tt.topics...)
			w.answerAll()
			var got []int
			for _, l := range w.s.Links() {
				if l.State != Open || l.Live != l.Topics {
					t.Errorf("link %d has %d of %d topics in state %v", l.Link, l.Live, l.Topics, l.State)
				}
				got = append(got, l.Live)
			}
			if !slices.Equal(got, tt.links) {
				t.Errorf("links have %v topics, want %v", got, tt.links)
			}
			if w.frames != tt.frames {
				t.Errorf("%d requests, want %d", w.frames, tt.frames)
			}
			w.rest()
		})
	}
}

func TestOnlyTheFirstDialMayFail(t *testing.T) {
	s := newScript(t, Config{MaxTotal: 1, Lanes: 2})
	s.want(Start{}, "dial 0")
	s.want(Subscribe{Call: 1, Topics: []string{"a", "b"}})
	s.want(Dialed{Link: 1}, "2:dial 0 on lane 1", "3:dial 0", "4:dial 0 on lane 1", "subscribe#1 a")
	if state := s.m.State(); state != Dialing {
		t.Errorf("the state is %v while a topic has no link, want dialing", state)
	}
	for range 50 {
		for link := 2; link <= 4; link++ {
			s.m.Next(s.now, DialFailed{Link: link, Err: errLink})
		}
		s.pass(time.Minute)
		for _, a := range s.m.Next(s.now, beat(s.now)) {
			if d, ok := a.(Dial); ok && d.Link == 1 {
				t.Fatal("a link that is open is dialed")
			}
		}
	}
	if infos := s.m.Links(); infos[2].Failures != 50 || infos[2].State != Dialing {
		t.Errorf("link 3 has failed %d times and is %v, want 50 and dialing", infos[2].Failures, infos[2].State)
	}

	s = newScript(t, Config{MaxTotal: 1})
	s.want(Start{}, "dial 0")
	s.want(Subscribe{Call: 1, Topics: []string{"a", "b"}})
	s.want(DialFailed{Link: 1, Err: errLink}, "done 1: 0 accepted, 0 rejected, link down", "failed link down")
}

// Two links carry the topics: one that is lost is no gap, and a topic that one
// refuses stays on the other.
func TestLanes(t *testing.T) {
	s := newScript(t, Config{Lanes: 2})
	s.want(Start{}, "dial 0")
	s.want(Subscribe{Call: 1, Topics: []string{"a", "b"}})
	s.want(Dialed{Link: 1}, "2:dial 0 on lane 1", "subscribe#1 a,b")
	s.want(Ack{Link: 1, ReqID: "1", Success: true}, "done 1: 2 accepted, 0 rejected, <nil>", "lanes 0001 a,b")
	s.want(Dialed{Link: 2}, "2:subscribe#2 a,b")
	s.want(Ack{Link: 1, ReqID: "2", Success: true}) // another link's answer
	s.want(Ack{Link: 2, ReqID: "2", Message: "error:handler not found,topic:b"}, "2:subscribe#3 a")
	s.want(Ack{Link: 2, ReqID: "3", Success: true}, "lanes 0011 a")
	s.want(Lost{Link: 1, Err: errLink}, "gap b: link down", "2:subscribe#4 b", "lanes 0000 b", "lanes 0010 a")
	s.want(Ack{Link: 2, ReqID: "4", Success: true}, "lanes 0010 b")
	s.now = s.m.Wake()
	s.want(Tick{}, "dial 1")
	s.want(Dialed{Link: 1}, "subscribe#5 a,b")
	s.want(Ack{Link: 1, ReqID: "5", Success: true}, "lanes 0011 a,b")
	s.want(Lost{Link: 2, Err: errLink}, "lanes 0001 a,b")

	// What all links refuse is rejected, once.
	s = newScript(t, Config{Lanes: 2})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1}, "2:dial 0 on lane 1")
	s.want(Dialed{Link: 2})
	s.want(Subscribe{Call: 1, Topics: []string{"bad"}}, "subscribe#1 bad", "2:subscribe#2 bad")
	s.want(Ack{Link: 1, ReqID: "1", Code: 7, Message: "no"})
	s.want(Ack{Link: 2, ReqID: "2", Code: 7, Message: "no"}, "reject bad: no", "done 1: 0 accepted, 1 rejected, <nil>")
	if wanted, _ := s.m.Counts(); wanted != 0 {
		t.Errorf("%d topics are wanted", wanted)
	}
}

// A resynchronisation goes to all links that have the topic.
func TestResyncOnLanes(t *testing.T) {
	s := newScript(t, Config{Lanes: 2})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1}, "2:dial 0 on lane 1")
	s.want(Dialed{Link: 2})
	s.want(Subscribe{Call: 1, Topics: []string{"a"}}, "subscribe#1 a", "2:subscribe#2 a")
	s.want(Arrived{Link: 2, Topic: "a"}, "done 1: 1 accepted, 0 rejected, <nil>", "lanes 0010 a")
	s.want(Ack{Link: 1, ReqID: "1", Success: true}, "lanes 0011 a")
	s.want(Resync{Topic: "a"}, "unsubscribe#3 a", "subscribe#4 a", "2:unsubscribe#5 a", "2:subscribe#6 a", "lanes 0000 a")
	s.want(Ack{Link: 1, ReqID: "4", Success: true}, "lanes 0001 a")
	// It is still subscribed on the other: a loss here is no gap.
	s.want(Lost{Link: 1, Err: errLink}, "lanes 0000 a")
	s.want(Lost{Link: 2, Err: errLink}, "gap a: link down")
}

func TestFailureClass10_RejectedTopicIsNotAskedAgain(t *testing.T) {
	for d := range dialects {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			w := newWorld(t, 1, Config{MaxArgs: 50}, d)
			start(w)
			w.subscribe(append(topicsNamed("t", 97), "bad1", "bad2", "bad3")...)
			w.answerAll()
			if w.rejected != 3 || len(w.open) != 0 {
				t.Fatalf("%d topics are rejected, want 3; %d calls are open", w.rejected, len(w.open))
			}
			for range 3 {
				w.lost(1)
				w.now = w.s.Wake()
				w.tick()
				w.dialed(1)
				for _, send := range w.lines[1].unread {
					if i := slices.IndexFunc(send.Topics, func(s string) bool { return bad(1, s) }); i >= 0 {
						t.Fatalf("%s is asked for again", send.Topics[i])
					}
				}
				w.answerAll()
			}
			w.subscribe("bad2")
			w.answerAll()
			if w.rejected != 4 {
				t.Errorf("%d rejections, want 4: the user asked again", w.rejected)
			}
			w.rest()
		})
	}
}

// A link that has no topics is closed after a while, but not the last one.
func TestEmptyLinksAreClosed(t *testing.T) {
	s := newScript(t, Config{MaxTotal: 2, PingEvery: time.Hour})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1})
	s.want(Subscribe{Call: 1, Topics: []string{"a", "b", "c"}}, "2:dial 0", "subscribe#1 a,b")
	s.want(Dialed{Link: 2}, "2:subscribe#2 c")
	s.want(Ack{Link: 1, ReqID: "1", Success: true})
	s.want(Ack{Link: 2, ReqID: "2", Success: true}, "done 1: 3 accepted, 0 rejected, <nil>")
	s.want(Unsubscribe{Call: 2, Topics: []string{"a", "b"}}, "unsubscribe#3 a,b")
	s.want(Ack{Link: 1, ReqID: "3", Success: true}, "done 2: 2 accepted, 0 rejected, <nil>")
	s.pass(29 * time.Second)
	s.want(Tick{})
	s.want(Subscribe{Call: 3, Topics: []string{"d"}}, "subscribe#4 d")
	s.want(Unsubscribe{Call: 4, Topics: []string{"d"}}, "done 3: 0 accepted, 1 rejected, <nil>", "unsubscribe#5 d")
	s.want(Ack{Link: 1, ReqID: "4", Success: true})
	s.want(Ack{Link: 1, ReqID: "5", Success: true}, "done 4: 1 accepted, 0 rejected, <nil>")
	s.pass(29 * time.Second)
	s.want(Tick{})
	s.pass(time.Second)
	if wake := s.m.Wake(); wake != s.now {
		t.Errorf("the empty link is closed at %v, want %v", wake, s.now)
	}
	s.want(Tick{}, "hangup <nil>")
	s.want(Subscribe{Call: 5, Topics: []string{"a", "b"}}, "3:dial 0", "2:subscribe#6 a")
	s.want(Lost{Link: 1}, "forget 1")
	s.want(Dialed{Link: 3}, "3:subscribe#7 b")
	s.want(Unsubscribe{Call: 6, Topics: []string{"a", "b", "c"}},
		"done 5: 0 accepted, 2 rejected, <nil>", "2:unsubscribe#8 a,c", "3:unsubscribe#9 b")
	s.pass(time.Hour / 2)
	s.m.Next(s.now, Tick{Links: []LinkTick{{Link: 2, Held: true}, {Link: 3, Held: true}}})
	if infos := s.m.Links(); len(infos) != 2 || infos[0].State != Hanging || infos[1].State != Open {
		t.Errorf("links are %+v, want one that hangs up and one open", infos)
	}
}

// A link that carried a topic may be refused it when it is resynchronised. As
// long as another may get it that is a gap; then it is a rejection.
func TestRefusedWhereItWas(t *testing.T) {
	s := newScript(t, Config{Lanes: 2})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1}, "2:dial 0 on lane 1")
	s.want(Subscribe{Call: 1, Topics: []string{"a"}}, "subscribe#1 a")
	s.want(Ack{Link: 1, ReqID: "1", Success: true}, "done 1: 1 accepted, 0 rejected, <nil>", "lanes 0001 a")
	s.want(Dialed{Link: 2}, "2:subscribe#2 a")
	s.want(Resync{Topic: "a"}, "unsubscribe#3 a", "subscribe#4 a", "lanes 0000 a")
	s.want(Ack{Link: 1, ReqID: "4", Message: "no"}, "gap a: topic refused: no")
	s.want(Ack{Link: 2, ReqID: "2", Message: "no"}, "reject a: no")
}

// Who revives a topic has a new subscription, which does not know its lanes.
func TestLanesOfARevivedTopic(t *testing.T) {
	s := newScript(t, Config{RollAfter: 100 * time.Hour, PaceBurst: 2, PaceFree: -1})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1})
	s.want(Subscribe{Call: 1, Topics: []string{"a"}}, "subscribe#1 a")
	s.want(Ack{Link: 1, ReqID: "1", Success: true}, "done 1: 1 accepted, 0 rejected, <nil>", "lanes 0001 a")
	s.want(Subscribe{Call: 2, Topics: []string{"b"}}, "subscribe#2 b")
	s.want(Unsubscribe{Call: 3, Topics: []string{"a"}})
	s.want(Subscribe{Call: 4, Topics: []string{"a"}},
		"done 3: 1 accepted, 0 rejected, <nil>", "revived a", "done 4: 1 accepted, 0 rejected, <nil>", "lanes 0001 a")
}

// A topic that comes back on another shard is subscribed there only when it has left the
// connection that had it: what both bring could not be put in order.
func TestATopicLeavesItsShardFirst(t *testing.T) {
	for _, tt := range []struct {
		name string
		gone func(s *script) // b leaves the connection
	}{
		{"answered", func(s *script) {
			s.want(Ack{Link: 2, ReqID: "4", Success: true}, "done 4: 1 accepted, 0 rejected, <nil>", "subscribe#5 b")
		}},
		{"lost", func(s *script) {
			s.want(Lost{Link: 2, Err: errLink}, "done 4: 1 accepted, 0 rejected, <nil>", "subscribe#5 b")
		}},
		{"not answered", func(s *script) {
			s.pass(10*time.Second - 1)
			s.want(Tick{})
			s.pass(1)
			s.want(Tick{}, "done 4: 1 accepted, 0 rejected, <nil>", "subscribe#5 b")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Config{MaxTotal: 1})
			s.want(Start{}, "dial 0")
			s.want(Subscribe{Call: 1, Topics: []string{"a", "b"}})
			s.want(Dialed{Link: 1}, "2:dial 0", "subscribe#1 a")
			s.want(Dialed{Link: 2}, "2:subscribe#2 b")
			s.want(Ack{Link: 1, ReqID: "1", Success: true})
			s.want(Ack{Link: 2, ReqID: "2", Success: true}, "done 1: 2 accepted, 0 rejected, <nil>")
			s.want(Unsubscribe{Call: 3, Topics: []string{"a"}}, "unsubscribe#3 a")
			s.want(Unsubscribe{Call: 4, Topics: []string{"b"}}, "2:unsubscribe#4 b")
			s.want(Subscribe{Call: 5, Topics: []string{"b"}}) // on the first, which has room
			// A change of mind, and back again, makes no difference.
			s.want(Unsubscribe{Call: 6, Topics: []string{"b"}}, "done 5: 0 accepted, 1 rejected, <nil>", "done 6: 1 accepted, 0 rejected, <nil>")
			s.want(Subscribe{Call: 7, Topics: []string{"b"}})
			s.want(Ack{Link: 1, ReqID: "3", Success: true}, "done 3: 1 accepted, 0 rejected, <nil>")
			tt.gone(s)
			s.want(Ack{Link: 1, ReqID: "5", Success: true}, "done 7: 1 accepted, 0 rejected, <nil>")
			if n := len(s.m.partings); n != 0 {
				t.Errorf("%d topics are still parting", n)
			}
		})
	}
}

// The same for a connection that is about to end: until it has, it may bring the topic.
func TestATopicLeavesAnEndingLinkFirst(t *testing.T) {
	s := newScript(t, Config{MaxTotal: 1, PingEvery: 20 * time.Second, PongTimeout: 10 * time.Second})
	s.want(Start{}, "dial 0")
	s.want(Subscribe{Call: 1, Topics: []string{"a", "b"}})
	s.want(Dialed{Link: 1}, "2:dial 0", "subscribe#1 a")
	s.want(Dialed{Link: 2}, "2:subscribe#2 b")
	s.want(Ack{Link: 1, ReqID: "1", Success: true})
	s.want(Ack{Link: 2, ReqID: "2", Success: true}, "done 1: 2 accepted, 0 rejected, <nil>")
	s.pass(20 * time.Second)
	s.want(beat(s.now), "ping#3", "2:ping#4")
	s.want(Unsubscribe{Call: 2, Topics: []string{"a"}}, "unsubscribe#5 a")
	s.want(Ack{Link: 1, ReqID: "5", Success: true}, "done 2: 1 accepted, 0 rejected, <nil>")
	s.pass(10 * time.Second)
	s.want(beat(s.now), "2:hangup no frame arrived after a ping")
	s.want(Unsubscribe{Call: 3, Topics: []string{"b"}}, "done 3: 1 accepted, 0 rejected, <nil>")
	s.want(Subscribe{Call: 4, Topics: []string{"b"}})
	s.want(Lost{Link: 2, Err: errLink}, "subscribe#6 b")
	s.want(Ack{Link: 1, ReqID: "6", Success: true}, "done 4: 1 accepted, 0 rejected, <nil>")
}
