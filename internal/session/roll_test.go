package session

import (
	"testing"
	"time"
)

// rolling is a session whose link 1 has a and b and is as old as it may get.
func rolling(t *testing.T) *script {
	t.Helper()
	s := newScript(t, Config{RollAfter: 10 * time.Hour, PingEvery: 100 * time.Hour})
	s.want(Start{}, "dial 0")
	s.want(Subscribe{Call: 1, Topics: []string{"a", "b"}})
	s.want(Dialed{Link: 1}, "subscribe#1 a,b")
	s.want(Ack{Link: 1, ReqID: "1", Success: true}, "done 1: 2 accepted, 0 rejected, <nil>", "lanes 0001 a,b")
	s.now = s.m.Wake()
	if age := s.now.Sub(t0); age != 10*time.Hour {
		t.Fatalf("the link is rolled after %v, want 10h", age) // half is the middle of the spread
	}
	return s
}

func TestFailureClass18_RollWithoutGap(t *testing.T) {
	s := rolling(t)
	s.want(Tick{}, "2:dial 0 on lane 1")
	s.want(Tick{}) // once
	s.want(Dialed{Link: 2}, "2:subscribe#2 a,b")
	s.want(Subscribe{Call: 2, Topics: []string{"c"}}, "subscribe#3 c", "2:subscribe#4 c")
	s.want(Ack{Link: 1, ReqID: "3", Success: true}, "done 2: 1 accepted, 0 rejected, <nil>", "lanes 0001 c")
	s.want(Arrived{Link: 2, Topic: "a"}, "lanes 0011 a")
	s.want(Ack{Link: 2, ReqID: "4", Success: true}, "lanes 0011 c")
	if infos := s.m.Links(); len(infos) != 2 || infos[1].Replaces != 1 || infos[1].Live != 2 || infos[1].Lane != 1 {
		t.Errorf("links are %+v", infos)
	}
	s.want(Ack{Link: 2, ReqID: "2", Success: true}, "handover 1 to 2", "hangup <nil>", "lanes 0011 b")
	s.want(Unsubscribe{Call: 3, Topics: []string{"c"}}, "2:unsubscribe#5 c")
	s.want(Ack{Link: 2, ReqID: "5", Success: true}, "done 3: 1 accepted, 0 rejected, <nil>")
	s.want(Lost{Link: 1, Err: errLink}, "forget 1", "lanes 0010 a,b")
	s.want(Lost{Link: 1, Err: errLink})
	// The next is rolled onto the lane that is free again.
	s.now = s.m.Wake()
	s.want(Tick{}, "3:dial 0")
	s.want(Dialed{Link: 3}, "3:subscribe#6 a,b")
	s.want(Ack{Link: 3, ReqID: "6", Success: true}, "handover 2 to 3", "2:hangup <nil>", "lanes 0011 a,b")
}

func TestFailureClass18_FailedRollKeepsTheLink(t *testing.T) {
	fail := map[string]func(s *script){
		"no dial": func(s *script) { s.want(DialFailed{Link: 2, Err: errLink}, "forget 2") },
		"lost early": func(s *script) {
			s.want(Dialed{Link: 2}, "2:subscribe#2 a,b")
			s.want(Arrived{Link: 2, Topic: "a"}, "lanes 0011 a")
			s.want(Lost{Link: 2, Err: errLink}, "forget 2", "lanes 0001 a")
		},
		"refused a topic": func(s *script) {
			s.want(Dialed{Link: 2}, "2:subscribe#2 a,b")
			s.want(Ack{Link: 2, ReqID: "2", Success: true, Failed: []string{"b"}}, "2:hangup <nil>", "lanes 0011 a")
			s.want(Lost{Link: 2, Err: errLink}, "forget 2", "lanes 0001 a")
		},
		"too late": func(s *script) {
			s.want(Dialed{Link: 2}, "2:subscribe#2 a,b")
			for i := range 15 {
				s.pass(8 * time.Second)
				var want []string
				if i == 14 { // after two minutes
					want = []string{"2:hangup <nil>"}
				}
				s.want(Tick{Links: []LinkTick{{Link: 1, Held: true}, {Link: 2, Held: true}}}, want...)
			}
			s.want(Lost{Link: 2, Err: errLink}, "forget 2")
		},
	}
	for _, name := range []string{"no dial", "lost early", "refused a topic", "too late"} {
		t.Run(name, func(t *testing.T) {
			s := rolling(t)
			s.want(Tick{}, "2:dial 0 on lane 1")
			fail[name](s)
			if infos := s.m.Links(); len(infos) != 1 || infos[0].State != Open || infos[0].Live != 2 {
				t.Errorf("links are %+v, want link 1 as it was", infos)
			}
			ended := s.now
			s.now = s.m.Wake()
			if wait := s.now.Sub(ended); wait != time.Minute {
				t.Errorf("the next attempt is after %v, want a minute", wait)
			}
			s.want(Tick{}, "3:dial 0 on lane 1")
			s.want(DialFailed{Link: 3, Err: errLink}, "forget 3")
			if wait := s.m.Wake().Sub(s.now); wait != 2*time.Minute {
				t.Errorf("the one after that is after %v, want two minutes", wait)
			}
		})
	}
}

// The old link may be lost while its successor is on the way, which then takes
// its place.
func TestLossDuringARoll(t *testing.T) {
	s := rolling(t)
	s.want(Tick{}, "2:dial 0 on lane 1")
	s.want(Lost{Link: 1, Err: errLink}, "gap a,b: link down", "forget 1", "lanes 0000 a,b")
	s.want(DialFailed{Link: 2, Err: errLink})
	s.now = s.m.Wake()
	s.want(Tick{}, "2:dial 1 on lane 1")
	s.want(Dialed{Link: 2}, "2:subscribe#2 a,b")
	s.want(Ack{Link: 2, ReqID: "2", Success: true}, "lanes 0010 a,b")

	s = rolling(t)
	s.want(Tick{}, "2:dial 0 on lane 1")
	s.want(Dialed{Link: 2}, "2:subscribe#2 a,b")
	s.want(Arrived{Link: 2, Topic: "a"}, "lanes 0011 a")
	s.want(Lost{Link: 1, Err: errLink}, "gap b: link down", "forget 1", "lanes 0000 b", "lanes 0010 a")
	s.want(Ack{Link: 2, ReqID: "2", Success: true}, "lanes 0010 b")
	s.want(Lost{Link: 2, Err: errLink}, "gap a,b: link down", "lanes 0000 a,b")
	if infos := s.m.Links(); len(infos) != 1 || infos[0].State != Waiting {
		t.Errorf("links are %+v, want link 2 to dial again", infos)
	}
}

// A day of rolls each half hour: no gap, one successor at a time, ages within a
// tenth of what was asked for.
func TestFailureClass18_DayOfRolls(t *testing.T) {
	for _, lanes := range []int{1, 2} {
		w := newWorld(t, 7, Config{RollAfter: 30 * time.Minute, Lanes: lanes, MaxTotal: 10}, names)
		w.quiet = true
		start(w)
		w.subscribe(topicsNamed("t", 25)...)
		w.until(t0.Add(24 * time.Hour))
		links := 3 * lanes
		if least, most := links*24*60/34, links*24*60/26; w.handovers < least || w.handovers > most {
			t.Errorf("%d lanes: %d hand-overs in a day, want %d to %d", lanes, w.handovers, least, most)
		}
		if w.gaps > 0 {
			t.Errorf("%d lanes: %d gaps", lanes, w.gaps)
		}
		if n := len(w.lines); n > links+3 {
			t.Errorf("%d lanes: %d links", lanes, n)
		}
		w.rest()
	}
}

// However often it fails, a roll is tried as often as it would be done.
func TestRollIsTriedAgain(t *testing.T) {
	s := newScript(t, Config{RollAfter: 3 * time.Minute, PingEvery: 100 * time.Hour})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1})
	for _, want := range []time.Duration{3 * time.Minute, time.Minute, 2 * time.Minute, 3 * time.Minute, 3 * time.Minute} {
		before := s.now
		s.now = s.m.Wake()
		if wait := s.now.Sub(before); wait != want {
			t.Errorf("it is tried after %v, want %v", wait, want)
		}
		s.m.Next(s.now, Tick{})
		s.m.Next(s.now, DialFailed{Link: s.m.lastLink, Err: errLink})
	}
}
