package session

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	t0      = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	errLink = errors.New("link down")
)

// half answers every question for a random number with half the bound.
func half(n int64) int64 { return n / 2 }

// script drives a session and writes its actions as lines.
type script struct {
	t   *testing.T
	m   *Session
	now time.Time
}

func newScript(t *testing.T, cfg Config) *script {
	if cfg.Rand == nil {
		cfg.Rand = half
	}
	return &script{t: t, m: New(cfg), now: t0}
}

// describe writes an action as a line. Link 1 goes without saying.
func describe(a Action) string {
	on := func(link int) string {
		if link == 1 {
			return ""
		}
		return fmt.Sprintf("%d:", link)
	}
	switch a := a.(type) {
	case Dial:
		lane := ""
		if a.Lane > 0 {
			lane = fmt.Sprintf(" on lane %d", a.Lane)
		}
		return fmt.Sprintf("%sdial %d%s", on(a.Link), a.Attempt, lane)
	case HangUp:
		return fmt.Sprintf("%shangup %v", on(a.Link), a.Err)
	case Send:
		return on(a.Link) + strings.TrimSpace(fmt.Sprintf("%s#%s %s", a.Op, a.ReqID, strings.Join(a.Topics, ",")))
	case Gap:
		return fmt.Sprintf("gap %s: %v", strings.Join(a.Topics, ","), a.Err)
	case Doubt:
		return fmt.Sprintf("doubt %s: %v", strings.Join(a.Topics, ","), a.Err)
	case Reject:
		return fmt.Sprintf("reject %s: %s", a.Topic, a.Message)
	case Done:
		return fmt.Sprintf("done %d: %d accepted, %d rejected, %v", a.Call, a.Accepted, len(a.Rejected), a.Err)
	case Failed:
		return fmt.Sprintf("failed %v", a.Err)
	case Revived:
		return fmt.Sprintf("revived %s", a.Topic)
	case Lanes:
		return fmt.Sprintf("lanes %04b %s", a.Mask, strings.Join(a.Topics, ","))
	case Silent:
		return fmt.Sprintf("silent %s for more than %v since %v", a.Topic, a.Allowed, a.Since.Sub(t0))
	case Handover:
		return fmt.Sprintf("handover %d to %d", a.From, a.To)
	case Forget:
		return fmt.Sprintf("forget %d", a.Link)
	}
	return "unknown"
}

// beat is a tick of one link.
func beat(inbound time.Time) Tick { return Tick{Links: []LinkTick{{Link: 1, Inbound: inbound}}} }

// want feeds an event and compares what comes out.
func (s *script) want(ev Event, lines ...string) {
	s.t.Helper()
	var got []string
	for _, a := range s.m.Next(s.now, ev) {
		got = append(got, describe(a))
	}
	if !slices.Equal(got, lines) {
		s.t.Fatalf("%T%+v:\n got %q\nwant %q", ev, ev, got, lines)
	}
}

// pass lets time pass.
func (s *script) pass(d time.Duration) { s.now = s.now.Add(d) }

// open connects and subscribes a, b and c, acknowledged.
func (s *script) open() {
	s.t.Helper()
	s.want(Start{}, "dial 0")
	s.want(Subscribe{Call: 1, Topics: []string{"a", "b", "c"}})
	s.want(Dialed{Link: 1}, "subscribe#1 a,b,c")
	s.want(Ack{Link: 1, ReqID: "1", Success: true}, "done 1: 3 accepted, 0 rejected, <nil>")
}

func TestFirstDialFailureEndsTheSession(t *testing.T) {
	s := newScript(t, Config{})
	s.want(Start{}, "dial 0")
	s.want(Subscribe{Call: 1, Topics: []string{"a"}})
	s.want(DialFailed{Link: 1, Err: errLink}, "done 1: 0 accepted, 0 rejected, link down", "failed link down")
	s.want(Subscribe{Call: 2, Topics: []string{"a"}}, "done 2: 0 accepted, 0 rejected, session closed")
}

func TestFailureClass01_ReconnectsForEver(t *testing.T) {
	var bounds []int64
	s := newScript(t, Config{Rand: func(n int64) int64 { bounds = append(bounds, n-1); return n / 2 }})
	s.open()
	s.want(Lost{Link: 1, Err: errLink}, "gap a,b,c: link down")
	for attempt := range 1000 {
		wake := s.m.Wake()
		if wake.IsZero() || s.m.State() != Waiting {
			t.Fatalf("attempt %d: no retry is due in state %v", attempt, s.m.State())
		}
		s.now = wake.Add(-1)
		s.want(Tick{})
		s.now = wake
		s.want(Tick{}, fmt.Sprintf("dial %d", attempt+1))
		s.want(DialFailed{Link: 1, Err: errLink})
	}
	for i, want := range []time.Duration{500, 1000, 2000, 4000, 8000, 16000, 30000, 30000} {
		if got := time.Duration(bounds[i]); got != want*time.Millisecond {
			t.Errorf("bound of delay %d is %v, want %v ms", i, got, int64(want))
		}
	}
	s.now = s.m.Wake()
	s.want(Tick{}, "dial 1001")
	s.want(Dialed{Link: 1}, "subscribe#2 a,b,c")
	s.want(Ack{Link: 1, ReqID: "2", Success: true})
	// Short connections do not end the series of failures, long ones do.
	s.pass(time.Second)
	s.want(Lost{Link: 1, Err: errLink}, "gap a,b,c: link down")
	s.now = s.m.Wake()
	s.want(Tick{}, "dial 1002")
	s.want(Dialed{Link: 1}, "subscribe#3 a,b,c")
	s.pass(time.Minute)
	s.want(Lost{Link: 1, Err: errLink}) // nothing was delivered since: no second gap
	if got := time.Duration(bounds[len(bounds)-1]); got != 500*time.Millisecond {
		t.Errorf("bound after a stable connection is %v, want 500ms", got)
	}
}

func TestFailureClass09_RejectedTopicsLeaveTheRest(t *testing.T) {
	tests := []struct {
		name  string
		acks  []Ack
		steps [][]string
	}{
		{"named in the text", []Ack{
			{ReqID: "1", Message: "error:handler not found,topic:b"},
			{ReqID: "2", Success: true},
		}, [][]string{
			{"reject b: error:handler not found,topic:b", "subscribe#2 a,c"},
			{"done 1: 2 accepted, 1 rejected, <nil>"},
		}},
		{"named as spot does", []Ack{
			{ReqID: "1", Message: "Invalid symbol :[c]"},
			{ReqID: "2", Success: true},
		}, [][]string{
			{"reject c: Invalid symbol :[c]", "subscribe#2 a,b"},
			{"done 1: 2 accepted, 1 rejected, <nil>"},
		}},
		{"not named", []Ack{
			{ReqID: "1", Message: "bad"},
			{ReqID: "2", Success: true},
			{ReqID: "3", Message: "bad"},
			{ReqID: "4", Message: "bad"},
			{ReqID: "5", Success: true},
		}, [][]string{
			{"subscribe#2 a", "subscribe#3 b,c"},
			nil,
			{"subscribe#4 b", "subscribe#5 c"},
			{"reject b: bad"},
			{"done 1: 2 accepted, 1 rejected, <nil>"},
		}},
		{"already subscribed is success", []Ack{
			{ReqID: "1", Message: "error:already subscribed,topic:b"},
			{ReqID: "2", Success: true},
		}, [][]string{
			{"subscribe#2 a,c"},
			{"done 1: 3 accepted, 0 rejected, <nil>"},
		}},
		{"answered by topic, without an id", []Ack{
			{Success: true, Failed: []string{"b"}, Succeeded: []string{"a", "c"}},
		}, [][]string{
			{"reject b: refused without a reason", "done 1: 2 accepted, 1 rejected, <nil>"},
		}},
		{"all refused", []Ack{
			{Failed: []string{"a", "b", "c"}},
		}, [][]string{
			{"reject a: refused without a reason", "reject b: refused without a reason", "reject c: refused without a reason",
				"done 1: 0 accepted, 3 rejected, <nil>"},
		}},
		{"empty id is matched in order", []Ack{
			{Op: "subscribe", Success: true},
		}, [][]string{
			{"done 1: 3 accepted, 0 rejected, <nil>"},
		}},
		{"a stranger's id is nobody's", []Ack{
			{ReqID: "77", Success: true},
			{ReqID: "1", Success: true},
		}, [][]string{nil, {"done 1: 3 accepted, 0 rejected, <nil>"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Config{})
			s.want(Start{}, "dial 0")
			s.want(Dialed{Link: 1})
			s.want(Subscribe{Call: 1, Topics: []string{"a", "b", "c"}}, "subscribe#1 a,b,c")
			for i, a := range tt.acks {
				a.Link = 1
				s.want(a, tt.steps[i]...)
			}
			if _, inFlight := s.m.Counts(); s.m.State() != Open || inFlight == 0 && len(tt.acks) > 1 {
				t.Errorf("the connection did not survive: %v", s.m.State())
			}
		})
	}
}

func TestFailureClass17_HeartbeatAndDeadPeer(t *testing.T) {
	s := newScript(t, Config{})
	s.open()
	s.pass(20 * time.Second)
	if s.m.Wake() != s.now {
		t.Fatalf("the ping is due at %v, want %v", s.m.Wake(), s.now)
	}
	s.want(beat(t0), "ping#2")
	s.pass(10 * time.Second)
	// Any inbound frame answers, not only a pong.
	s.want(beat(s.now.Add(-time.Second)))
	s.pass(10 * time.Second)
	s.want(beat(s.now.Add(-10*time.Second)), "ping#3")
	s.pass(10*time.Second - 1)
	s.want(beat(t0))
	s.pass(1)
	if s.m.Wake() != s.now {
		t.Fatalf("the peer is dead at %v, want %v", s.m.Wake(), s.now)
	}
	s.want(beat(t0), "hangup no frame arrived after a ping")
	s.want(Lost{Link: 1, Err: errLink}, "gap a,b,c: no frame arrived after a ping")
}

func TestRequestsArePacked(t *testing.T) {
	s := newScript(t, Config{MaxArgs: 10, MaxTotal: 500, MaxChars: 5000})
	topics := make([]string, 401)
	for i := range topics {
		topics[i] = fmt.Sprintf("t%03d", i)
	}
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1})
	sent := 0
	answer := func(acts []Action) (ids []string) {
		for _, a := range acts {
			if send, ok := a.(Send); ok {
				if len(send.Topics) > 10 {
					t.Fatalf("a request of %d topics", len(send.Topics))
				}
				sent += len(send.Topics)
				ids = append(ids, send.ReqID)
			}
		}
		return ids
	}
	ids := answer(s.m.Next(s.now, Subscribe{Call: 1, Topics: topics}))
	if len(ids) != maxInFlight {
		t.Fatalf("%d requests in flight, want %d", len(ids), maxInFlight)
	}
	for len(ids) > 0 {
		ids = append(ids[1:], answer(s.m.Next(s.now, Ack{Link: 1, ReqID: ids[0], Success: true}))...)
	}
	if wanted, liveNow := s.m.Counts(); sent != 401 || wanted != 401 || liveNow != 401 {
		t.Errorf("sent %d, wanted %d, live %d, want 401 each", sent, wanted, liveNow)
	}
	s.want(Subscribe{Call: 2, Topics: []string{"fits", strings.Repeat("x", 5000)}},
		"done 2: 0 accepted, 0 rejected, topic "+strings.Repeat("x", 50)+"...: 5003 characters, one connection takes 5000")
	if wanted, _ := s.m.Counts(); wanted != 401 {
		t.Errorf("a refused call left topics: %d", wanted)
	}
}

func TestSubscribeAndUnsubscribe(t *testing.T) {
	s := newScript(t, Config{})
	s.open()
	s.want(Subscribe{Call: 2, Topics: []string{"a", "d", "d"}}, "subscribe#2 d")
	s.want(Subscribe{Call: 3, Topics: []string{"d"}})
	s.want(Ack{Link: 1, ReqID: "2", Success: true}, "done 2: 2 accepted, 0 rejected, <nil>", "done 3: 1 accepted, 0 rejected, <nil>")
	s.want(Unsubscribe{Call: 4, Topics: []string{"b", "nobody"}}, "unsubscribe#3 b")
	// A reply to an unsubscribe is matched by its op even without an id.
	s.want(Ack{Link: 1, Op: "unsubscribe", Success: true}, "done 4: 1 accepted, 0 rejected, <nil>")
	s.want(Subscribe{Call: 5, Topics: []string{"b"}}, "subscribe#4 b")
	s.want(Unsubscribe{Call: 6, Topics: []string{"b"}}, "done 5: 0 accepted, 1 rejected, <nil>", "unsubscribe#5 b")
	s.want(Lost{Link: 1, Err: errLink}, "gap a,c,d: link down", "done 6: 1 accepted, 0 rejected, <nil>")
	s.want(Unsubscribe{Call: 7, Topics: []string{"a"}}, "done 7: 1 accepted, 0 rejected, <nil>")
	s.now = s.m.Wake()
	s.want(Tick{}, "dial 1")
	s.want(Dialed{Link: 1}, "subscribe#6 c,d")
}

func TestDataAcknowledges(t *testing.T) {
	s := newScript(t, Config{})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1})
	s.want(Subscribe{Call: 1, Topics: []string{"a", "b"}}, "subscribe#1 a,b")
	s.want(Arrived{Link: 1, Topic: "a"})
	s.want(Arrived{Link: 1, Topic: "b"}, "done 1: 2 accepted, 0 rejected, <nil>")
	s.pass(10 * time.Second)
	s.want(beat(s.now)) // no reply came and none is needed
}

func TestRequestWithoutReply(t *testing.T) {
	s := newScript(t, Config{})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1})
	s.want(Subscribe{Call: 1, Topics: []string{"a"}}, "subscribe#1 a")
	s.now = s.m.Wake()
	if s.now != t0.Add(10*time.Second) {
		t.Fatalf("the reply is due at %v", s.now)
	}
	s.want(beat(s.now), "hangup a subscribe request was not answered")
	s.want(Lost{Link: 1})

	s = newScript(t, Config{AssumeAck: true})
	s.want(Start{}, "dial 0")
	s.want(Dialed{Link: 1})
	s.want(Subscribe{Call: 1, Topics: []string{"a"}}, "subscribe#1 a")
	s.pass(10 * time.Second)
	s.want(beat(s.now), "done 1: 1 accepted, 0 rejected, <nil>")
}

func TestResyncAtAFallingRate(t *testing.T) {
	s := newScript(t, Config{PingEvery: 24 * time.Hour})
	s.open()
	var at []time.Duration
	for range 9 {
		acts := slices.Clone(s.m.Next(s.now, Resync{"b"}))
		if len(acts) == 0 {
			s.now = s.m.Wake()
			acts = slices.Clone(s.m.Next(s.now, beat(s.now)))
		}
		if len(acts) != 2 || !strings.HasPrefix(describe(acts[0]), "unsubscribe#") || !strings.HasPrefix(describe(acts[1]), "subscribe#") {
			t.Fatalf("resync is %v", acts)
		}
		at = append(at, s.now.Sub(t0)/time.Second)
		for _, a := range acts {
			s.m.Next(s.now, Ack{Link: 1, ReqID: a.(Send).ReqID, Success: true})
		}
		s.m.Next(s.now, Ack{Link: 1})
	}
	if want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 123, 183}; !reflect.DeepEqual(at, want) {
		t.Errorf("resynchronised at seconds %d, want %d", at, want)
	}
	// Topics that fail together are resynchronised in one round.
	s.pass(time.Hour)
	s.want(Resync{"a"}, "unsubscribe#20 a", "subscribe#21 a")
	s.want(Resync{"a"}) // under way: the snapshot that comes serves
	s.want(Resync{"b"})
	s.want(Resync{"c"})
	s.now = s.m.Wake()
	s.want(beat(s.now), "unsubscribe#22 b,c", "subscribe#23 b,c")
}

func TestCloseEndsCallsAndConnection(t *testing.T) {
	s := newScript(t, Config{})
	s.open()
	s.want(Subscribe{Call: 2, Topics: []string{"d"}}, "subscribe#2 d")
	s.want(Unsubscribe{Call: 3, Topics: []string{"a"}}, "unsubscribe#3 a")
	s.want(Close{}, "hangup <nil>", "done 2: 0 accepted, 0 rejected, session closed", "done 3: 1 accepted, 0 rejected, session closed")
	s.want(Lost{Link: 1})
	s.want(Tick{})
	s.want(Unsubscribe{Call: 4}, "done 4: 0 accepted, 0 rejected, session closed")
	if !s.m.Wake().IsZero() || s.m.State() != Closed {
		t.Errorf("a closed session wants to be woken at %v in state %v", s.m.Wake(), s.m.State())
	}
	// A dial that ends after Close is hung up.
	s = newScript(t, Config{})
	s.want(Start{}, "dial 0")
	s.want(Close{})
	s.want(Dialed{Link: 1}, "hangup <nil>")
}

// FuzzSession feeds any events in any order: nothing panics, every call is
// answered at most once, and a close answers the rest.
func FuzzSession(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := New(Config{Rand: half, MaxArgs: 2, MaxTotal: 3, Lanes: 1 + len(data)%2, RollAfter: time.Minute, Heard: func(string) time.Time { return t0 }})
		now := t0
		calls, done := 0, map[int]bool{}
		feed := func(ev Event) {
			for _, a := range m.Next(now, ev) {
				if d, ok := a.(Done); ok {
					if done[d.Call] {
						t.Fatalf("call %d is answered twice", d.Call)
					}
					done[d.Call] = true
				}
			}
			checkBooks(t, m)
		}
		feed(Start{})
		for i, b := range data {
			link := 1 + i%5
			names := []string{string(rune('a' + b>>4&3)), string(rune('a' + b>>6))}
			switch b & 15 {
			case 0, 1:
				feed(Dialed{Link: link})
			case 2:
				feed(DialFailed{Link: link, Err: errLink})
			case 3:
				feed(Lost{Link: link, Err: errLink})
			case 4, 5:
				calls++
				feed(Subscribe{Call: calls, Topics: names})
			case 6:
				calls++
				feed(Unsubscribe{Call: calls, Topics: names})
			case 7:
				feed(Resync{names[0]})
			case 8, 9:
				feed(Ack{Link: link, Success: true})
			case 10:
				feed(Ack{Link: link, Message: "error:handler not found,topic:" + names[0]})
			case 11:
				feed(Ack{Link: link, Failed: names[:1], Succeeded: names[1:]})
			case 12:
				feed(Arrived{Link: link, Topic: names[0]})
			default:
				now = now.Add(time.Duration(i) * time.Second)
				inbound := now.Add(-time.Duration(b) * time.Second)
				feed(Tick{Links: []LinkTick{{Link: 1, Inbound: inbound}, {Link: link, Inbound: inbound, Held: b&16 > 0}}})
			}
		}
		feed(Close{})
		for c := 1; c <= calls; c++ {
			if !done[c] {
				t.Fatalf("call %d was never answered", c)
			}
		}
	})
}
