package session

import (
	"fmt"
	"testing"
	"time"
)

// drive opens every link, subscribes n topics in one call and answers everything.
func drive(b *testing.B, cfg Config, n int, byTopic bool) *Session {
	cfg.Rand = half
	s := New(cfg)
	topics := make([]string, n)
	for i := range topics {
		topics[i] = fmt.Sprintf("orderbook.50.SYM%05dUSDT", i)
	}
	answer(s, t0, s.Next(t0, Start{}), byTopic)
	answer(s, t0, s.Next(t0, Subscribe{Call: 1, Topics: topics}), byTopic)
	if wanted, liveNow := s.Counts(); wanted != n || liveNow != n {
		b.Fatalf("%d topics are wanted and %d live, want %d", wanted, liveNow, n)
	}
	return s
}

// answer plays a peer and a runner that asks when to wake after each event.
func answer(s *Session, now time.Time, acts []Action, byTopic bool) {
	queue := append([]Action(nil), acts...)
	for len(queue) > 0 {
		var next []Action
		switch a := queue[0].(type) {
		case Dial:
			next = s.Next(now, Dialed{Link: a.Link})
		case HangUp:
			next = s.Next(now, Lost{Link: a.Link})
		case Send:
			ack := Ack{Link: a.Link, ReqID: a.ReqID, Success: true}
			if byTopic {
				ack = Ack{Link: a.Link, Success: true, Succeeded: a.Topics}
			}
			next = s.Next(now, ack)
		}
		queue = append(queue[1:], next...)
		s.Wake()
	}
}

func BenchmarkSubscribe20000(b *testing.B) {
	for _, bb := range []struct {
		name    string
		cfg     Config
		byTopic bool
	}{
		{"linear", Config{MaxChars: 21_000}, false},
		{"spot", Config{MaxArgs: 10, MaxChars: 21_000}, false},
		{"option", Config{MaxTotal: 2000, MaxChars: 21_000}, true},
		{"one link", Config{}, false},
		{"lanes and rolls", Config{MaxChars: 21_000, Lanes: 2, RollAfter: time.Hour}, false},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				drive(b, bb.cfg, 20_000, bb.byTopic)
			}
		})
	}
}

// BenchmarkReconnect20000 loses the one link that has all topics, and gets it
// back.
func BenchmarkReconnect20000(b *testing.B) {
	s := drive(b, Config{}, 20_000, false)
	now := t0
	for b.Loop() {
		s.Next(now, Lost{Link: 1, Err: errLink})
		now = s.Wake()
		answer(s, now, s.Next(now, Tick{}), false)
	}
	if _, liveNow := s.Counts(); liveNow != 20_000 {
		b.Fatalf("%d topics are live", liveNow)
	}
}

// BenchmarkUnsubscribe20000 subscribes all topics and takes them off again in one
// call.
func BenchmarkUnsubscribe20000(b *testing.B) {
	for b.Loop() {
		s := drive(b, Config{MaxChars: 21_000}, 20_000, false)
		names := make([]string, 0, 20_000)
		for _, t := range s.order {
			names = append(names, t.name)
		}
		answer(s, t0, s.Next(t0, Unsubscribe{Call: 2, Topics: names}), false)
	}
}

// BenchmarkResync20000 is an overflow that took all topics.
func BenchmarkResync20000(b *testing.B) {
	for b.Loop() {
		s := drive(b, Config{MaxChars: 21_000}, 20_000, false)
		for _, t := range s.order {
			answer(s, t0, s.Next(t0, Resync{Topic: t.name}), false)
		}
		answer(s, t0, s.Next(t0.Add(2*time.Second), Tick{}), false)
	}
}

// BenchmarkWatch20000 is one look at who is silent.
func BenchmarkWatch20000(b *testing.B) {
	now := t0
	s := drive(b, Config{MaxChars: 21_000, PingEvery: 1e6 * time.Hour, Heard: func(string) time.Time { return now }}, 20_000, false)
	for b.Loop() {
		now = s.Wake()
		s.Next(now, Tick{})
	}
}
