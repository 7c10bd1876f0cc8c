package session

import (
	"fmt"
	"testing"
	"time"
)

// ear is what was heard, and what may be expected.
type ear struct {
	heard   map[string]time.Time
	cadence map[string]time.Duration
}

func (e *ear) config() Config {
	e.heard = map[string]time.Time{}
	return Config{
		Heard:   func(topic string) time.Time { return e.heard[topic] },
		Cadence: func(topic string) time.Duration { return e.cadence[topic] },
	}
}

// listen lets time pass in the session's own steps, answers what is asked and
// returns what was found silent, by when.
func (s *script) listen(d time.Duration, tick func() LinkTick) (found []string) {
	for end := s.now.Add(d); ; {
		if wake := s.m.Wake(); wake.After(end) {
			s.now = end
			return found
		} else if wake.After(s.now) {
			s.now = wake
		}
		acts := append([]Action(nil), s.m.Next(s.now, Tick{Links: []LinkTick{tick()}})...)
		for _, a := range acts {
			switch a := a.(type) {
			case Silent:
				found = append(found, fmt.Sprintf("%v %s", s.now.Sub(t0), a.Topic))
			case Send:
				if a.Op != "ping" {
					s.m.Next(s.now, Ack{Link: a.Link, ReqID: a.ReqID, Success: true})
				}
			}
		}
	}
}

func TestFailureClass18_SilenceByCadence(t *testing.T) {
	e := &ear{cadence: map[string]time.Duration{"a": 100 * time.Millisecond, "b": 20 * time.Second, "c": time.Second}}
	s := newScript(t, e.config())
	s.open()
	alive := func() LinkTick {
		e.heard["c"] = s.now.Add(-9 * time.Second) // slow, but at least every ten seconds
		return LinkTick{Link: 1, Inbound: s.now}
	}
	// a: 10 s at least, and twice as long each time; b: three times its cadence.
	got := s.listen(3*time.Minute, alive)
	want := "[15s a 40s a 1m5s b 1m25s a 2m50s a]"
	if fmt.Sprint(got) != want {
		t.Errorf("silent were %v, want %s", got, want)
	}
	// What is heard again counts anew.
	e.heard["a"], e.heard["b"] = s.now, s.now
	if got := s.listen(16*time.Second, alive); fmt.Sprint(got) != "[3m15s a]" {
		t.Errorf("silent were %v, want a after 3m15s", got)
	}
}

func TestFailureClass18_SilenceByHabit(t *testing.T) {
	e := &ear{}
	s := newScript(t, e.config())
	s.open()
	// a comes all the time, so that a minute is too long; b never comes. c comes
	// each minute and a half, which is too long until that is known; then it may
	// be silent for eight times as long.
	stopped := false
	all := func() LinkTick {
		if !stopped {
			e.heard["a"] = s.now
			e.heard["c"] = t0.Add(s.now.Sub(t0) / (90 * time.Second) * 90 * time.Second)
		}
		return LinkTick{Link: 1, Inbound: s.now}
	}
	got := s.listen(9*time.Minute, all)
	if want := "[1m5s b 1m5s c 3m10s b 7m15s b]"; fmt.Sprint(got) != want {
		t.Errorf("silent were %v, want %s", got, want)
	}
	stopped = true
	got = s.listen(13*time.Minute, all)
	if want := "[10m5s a 12m10s a 15m20s b 16m15s a 20m25s c]"; fmt.Sprint(got) != want {
		t.Errorf("silent were %v, want %s", got, want)
	}
}

// The allowance ends at an hour, and never below what the topic showed.
func TestSilenceIsBounded(t *testing.T) {
	e := &ear{}
	s := newScript(t, e.config())
	s.open()
	found := s.listen(24*time.Hour, func() LinkTick { return LinkTick{Link: 1, Inbound: s.now} })
	n := 0
	for _, line := range found {
		if line[len(line)-1] == 'a' {
			n++
		}
	}
	// 1, 2, 4 ... 32 minutes, then one an hour.
	if n < 28 || n > 30 {
		t.Errorf("a was silent %d times in a day, want about 29: %v", n, found)
	}
}

// A link from which nothing comes is for the heartbeat to judge, and one that
// nobody reads for nobody.
func TestSilenceOfTheWholeLink(t *testing.T) {
	e := &ear{cadence: map[string]time.Duration{"a": time.Second, "b": time.Second, "c": time.Second}}
	s := newScript(t, e.config())
	s.open()
	if got := s.listen(14*time.Second, func() LinkTick { return LinkTick{Link: 1, Inbound: t0} }); len(got) > 0 {
		t.Errorf("silent were %v, want none", got)
	}
	s.pass(time.Second)
	s.want(beat(t0), "ping#2") // earlier than its time, as something is wrong
	s.pass(10 * time.Second)
	s.want(beat(t0), "hangup no frame arrived after a ping")

	s = newScript(t, e.config())
	s.open()
	held := func() LinkTick { return LinkTick{Link: 1, Inbound: t0, Held: true} }
	if got := s.listen(time.Hour, held); len(got) > 0 {
		t.Errorf("silent were %v while nobody read, want none", got)
	}
	alive := func() LinkTick { return LinkTick{Link: 1, Inbound: s.now} }
	if got := s.listen(9*time.Second, alive); len(got) > 0 {
		t.Errorf("silent were %v as soon as somebody read, want none", got)
	}
	if got := s.listen(7*time.Second, alive); len(got) != 3 {
		t.Errorf("silent were %v, want all three", got)
	}
}

// A topic that is silent is resynchronised, and said to be silent before.
func TestSilentTopicIsSubscribedAnew(t *testing.T) {
	e := &ear{cadence: map[string]time.Duration{"a": time.Second}}
	s := newScript(t, e.config())
	s.open()
	for range 2 {
		s.now = s.m.Wake()
		s.want(beat(s.now))
	}
	s.now = s.m.Wake()
	s.want(beat(s.now), "silent a for more than 10s since 0s", "unsubscribe#2 a", "subscribe#3 a")
}
