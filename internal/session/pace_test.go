package session

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestTenThousandFlips subscribes and unsubscribes ten thousand times in a minute.
// The runner that is played here asks for a snapshot of every topic that was
// revived, as one of order books does.
func TestTenThousandFlips(t *testing.T) {
	const flips = 10_000
	name := func(prefix string, i int) string { return fmt.Sprintf("%s%d", prefix, i) }
	patterns := []struct {
		name string
		flip func(w *world, i int)
		left int // topics that are wanted in the end, besides the one that stays
	}{
		{"one topic", func(w *world, i int) {
			if i%2 == 0 {
				w.subscribe("t")
			} else {
				w.unsubscribe("t")
			}
		}, 0},
		{"one topic that stays", func(w *world, i int) {
			if i%2 == 1 || i == flips-2 {
				w.subscribe("t")
			} else {
				w.unsubscribe("t")
			}
		}, 1},
		{"distinct topics", func(w *world, i int) {
			if i%2 == 0 {
				w.subscribe(name("t", i/2))
			} else {
				w.unsubscribe(name("t", i/2))
			}
		}, 0},
		{"a window of thirty", func(w *world, i int) {
			if i%2 == 0 {
				w.subscribe(name("t", i/2))
			} else if i/2 >= 30 {
				w.unsubscribe(name("t", i/2-30))
			}
		}, 30},
		{"a ring of ninety", func(w *world, i int) {
			if i/90%2 == 0 {
				w.subscribe(name("t", i%90))
			} else {
				w.unsubscribe(name("t", i%90))
			}
		}, 80}, // 10,000 is 111 rounds of 90 and 10 more
		{"random among twenty", func(w *world, i int) {
			if topic := name("t", w.rng.IntN(20)); w.wanted[topic] {
				w.unsubscribe(topic)
			} else {
				w.subscribe(topic)
			}
		}, -1},
		{"many at a time", func(w *world, i int) {
			if i%10 != 0 {
				return
			}
			list := topicsNamed(name("t", i/20%4), 10)
			if i/10%2 == 0 {
				w.subscribe(list...)
			} else {
				w.unsubscribe(list...)
			}
		}, 0},
	}
	for _, p := range patterns {
		for _, args := range []int{10, 200} {
			for _, slow := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %d args, slow answers %v", p.name, args, slow), func(t *testing.T) {
					w := newWorld(t, 1, Config{MaxArgs: args}, names)
					w.quiet = true
					start(w)
					w.subscribe("stays")
					w.answerAll()
					w.until(w.now.Add(time.Minute)) // all turns are there
					begin := w.now
					w.frames = 0
					for i := range flips {
						w.until(begin.Add(time.Duration(i) * time.Minute / flips))
						p.flip(w, i)
						for _, a := range w.acts {
							if r, ok := a.(Revived); ok {
								w.feed(Resync(r))
							}
						}
						if !slow || i%50 == 0 {
							w.answerAll()
						}
					}
					w.until(begin.Add(time.Minute))
					if w.frames > 60 {
						t.Errorf("%d frames in a minute, want at most 60", w.frames)
					}
					if w.frames < 20 {
						t.Errorf("only %d frames: is anything sent?", w.frames)
					}
					w.rest()
					if p.left >= 0 && len(w.wanted) != p.left+1 {
						t.Errorf("%d topics are wanted in the end, want %d", len(w.wanted), p.left+1)
					}
				})
			}
		}
	}
}

// What is taken off and on again takes turns, however fast: in a second no more than the
// burst, besides the first subscribe and the first unsubscribe, which are free.
func TestFlipsTakeTurns(t *testing.T) {
	w := newWorld(t, 1, Config{}, names)
	w.quiet = true
	start(w)
	w.subscribe("stays")
	w.answerAll()
	w.until(w.now.Add(time.Minute))
	begin := w.now
	w.frames = 0
	for i := range 1000 {
		w.until(begin.Add(time.Duration(i) * time.Millisecond))
		if i%2 == 0 {
			w.subscribe("t")
		} else {
			w.unsubscribe("t")
		}
		w.answerAll()
	}
	if w.frames != 12 {
		t.Errorf("%d requests in a second of flips, want 12", w.frames)
	}
	w.rest()
}

// While others flip, a topic that is subscribed, one that is unsubscribed and one
// that is resynchronised get their turn.
func TestNothingStarves(t *testing.T) {
	w := newWorld(t, 1, Config{MaxArgs: 10}, names)
	w.quiet = true
	start(w)
	w.subscribe("kept", "left")
	w.answerAll()
	begin := w.now
	flip := 0
	run := func(d time.Duration, done func() bool) {
		t.Helper()
		for end := w.now.Add(d); !done(); {
			if w.now.After(end) {
				t.Fatalf("after %v of flips it is not done", d)
			}
			w.until(w.now.Add(6 * time.Millisecond))
			flip++
			topic := fmt.Sprintf("t%d", flip/2%50)
			if flip%2 == 0 {
				w.subscribe(topic)
			} else {
				w.unsubscribe(topic)
			}
			w.answerAll()
		}
	}
	run(30*time.Second, func() bool { return w.now.Sub(begin) > 20*time.Second })
	// Three kinds of requests, the dearest of two turns, at one in 1.5 s.
	const most = 6500 * time.Millisecond
	w.subscribe("new")
	run(most, func() bool { return w.lines[1].has["new"] })
	w.unsubscribe("left")
	run(most, func() bool { return !w.lines[1].has["left"] })
	asked := w.lines[1].asked["kept"]
	w.feed(Resync{Topic: "kept"})
	run(most, func() bool { return w.lines[1].asked["kept"] != asked && w.lines[1].has["kept"] })
}

// What many ask for at once is sent at once, also after a reconnect: none of it
// is a flip.
func TestManyTopicsGoAtOnce(t *testing.T) {
	w := newWorld(t, 1, Config{MaxArgs: 10}, names)
	start(w)
	topics := topicsNamed("t", 505)
	w.subscribe(topics...)
	w.answerAll()
	if _, liveNow := w.s.Counts(); liveNow != 505 {
		t.Errorf("%d of 505 topics are live at once", liveNow)
	}
	w.lost(1)
	w.until(w.s.Wake())
	if _, liveNow := w.s.Counts(); liveNow != 505 {
		t.Errorf("%d of 505 topics are live as soon as the link is back", liveNow)
	}
	// An overflow that takes all of them is mended at once as well, as far as
	// requests are full.
	w.until(w.now.Add(time.Minute))
	w.frames = 0
	for _, name := range topics {
		w.feed(Resync{Topic: name})
	}
	w.until(w.now.Add(time.Second)) // when the second round is
	if w.frames < 104 || w.frames > 105 {
		t.Errorf("%d frames to resynchronise 1 and 504 topics, want 104 and at most a ping", w.frames)
	}
	w.rest()
}

// Calls in opposite directions that were not sent leave nothing to be sent, and
// are answered.
func TestOppositeCallsCancel(t *testing.T) {
	s := newScript(t, Config{PaceBurst: 2, PaceFree: -1, PingEvery: time.Hour})
	s.open() // takes one turn of two
	s.want(Unsubscribe{Call: 2, Topics: []string{"c"}}, "unsubscribe#2 c")
	s.want(Ack{Link: 1, ReqID: "2", Success: true}, "done 2: 1 accepted, 0 rejected, <nil>")
	s.want(Subscribe{Call: 3, Topics: []string{"d"}})
	s.want(Unsubscribe{Call: 4, Topics: []string{"d", "a"}}, "done 3: 0 accepted, 1 rejected, <nil>")
	s.want(Subscribe{Call: 5, Topics: []string{"a", "e"}}, "done 4: 2 accepted, 0 rejected, <nil>", "revived a")
	if wanted, liveNow := s.m.Counts(); wanted != 3 || liveNow != 2 {
		t.Errorf("%d topics are wanted and %d live, want 3 and 2", wanted, liveNow)
	}
	s.now = s.m.Wake()
	if passed := s.now.Sub(t0); passed != 1500*time.Millisecond {
		t.Errorf("the next turn is after %v, want 1.5s", passed)
	}
	s.want(beat(s.now), "subscribe#3 e")
	s.want(Ack{Link: 1, ReqID: "3", Success: true}, "done 5: 2 accepted, 0 rejected, <nil>")
	if wake := s.m.Wake(); wake.Sub(t0) != time.Hour {
		t.Errorf("something is still to be done at %v", wake.Sub(t0))
	}
	// A gap of the revived topic is told like any other.
	s.want(Lost{Link: 1, Err: errLink}, "gap a,b,e: link down")
}

func TestBucket(t *testing.T) {
	b := bucket{tokens: 10, from: t0}
	at := func(d time.Duration, want int) {
		t.Helper()
		b.refill(t0.Add(d), 10, 1500*time.Millisecond)
		if b.tokens != want {
			t.Errorf("%d turns after %v, want %d", b.tokens, d, want)
		}
	}
	at(time.Hour, 10)
	b.tokens = 0
	at(time.Hour+1499*time.Millisecond, 0)
	at(time.Hour+1500*time.Millisecond, 1)
	at(time.Hour+4499*time.Millisecond, 2)
	at(time.Hour+4500*time.Millisecond, 3)
	var got []int
	for b.tokens = 3; len(got) < 4; b.spare(1) {
		got = append(got, b.tokens)
	}
	b.tokens = 0
	b.spare(1)
	if !slices.Equal(append(got, b.tokens), []int{3, 2, 1, 1, 0}) {
		t.Errorf("spare leaves %v and %d, want 3 2 1 1 and 0", got, b.tokens)
	}
}

// A resynchronisation is two requests, and waits until both may be sent: a topic
// that was unsubscribed only brings nothing.
func TestResyncTakesTwoTurns(t *testing.T) {
	s := newScript(t, Config{PaceBurst: 2, PaceFree: -1, PingEvery: time.Hour})
	s.open() // takes one turn of two
	s.want(Resync{Topic: "a"})
	s.pass(1500*time.Millisecond - 1)
	s.want(beat(s.now))
	s.now = s.m.Wake()
	if passed := s.now.Sub(t0); passed != 1500*time.Millisecond {
		t.Errorf("it can be sent after %v, want 1.5s", passed)
	}
	s.want(beat(s.now), "unsubscribe#2 a", "subscribe#3 a")
	s.want(Subscribe{Call: 2, Topics: []string{"d"}})
	s.now = s.m.Wake()
	if passed := s.now.Sub(t0); passed != 3*time.Second {
		t.Errorf("the next turn is after %v, want 3s", passed)
	}
	s.want(beat(s.now), "subscribe#4 d")
}

// Who subscribes many topics one after the other, and takes them off so, does not wait
// for turns; nor does who takes off many at once.
func TestHonestCallsDoNotWait(t *testing.T) {
	for _, d := range []dialect{names, inOrder} {
		w := newWorld(t, 1, Config{MaxArgs: 10}, d)
		w.quiet = true
		start(w)
		begin := w.now
		for i := range 40 {
			if i == 5 && d == names {
				w.subscribe("bad") // what is refused is no growth, and does not end it
			} else {
				w.subscribe(fmt.Sprint("t", i))
			}
			w.answerAll()
		}
		if w.now != begin || len(w.open) > 0 {
			t.Fatalf("%v: 40 topics one by one took %v, and %d are open", d, w.now.Sub(begin), len(w.open))
		}
		// More than that: the turns, then one in 1.5 s.
		for i := range 20 {
			w.subscribe(fmt.Sprint("more", i))
			for w.answerAll(); len(w.open) > 0; w.answerAll() {
				w.until(w.s.Wake())
			}
		}
		if took := w.now.Sub(begin); took > time.Minute+time.Second {
			t.Errorf("%v: 60 topics one by one took %v, want at most a minute", d, took)
		}
		w.until(w.now.Add(time.Minute))
		for i := range 20 {
			if i != 5 {
				w.unsubscribe(fmt.Sprint("t", i))
				w.answerAll()
			}
		}
		if len(w.open) > 0 {
			t.Errorf("%v: %d of 20 unsubscribes one by one are open at once", d, len(w.open))
		}
		w.rest()

		w = newWorld(t, 1, Config{MaxArgs: 10}, d)
		start(w)
		many := topicsNamed("many", 400)
		w.subscribe(many...)
		w.answerAll()
		w.answerAll() // of more than may be in flight
		w.unsubscribe(many...)
		w.answerAll()
		w.answerAll()
		if len(w.open) > 0 {
			t.Errorf("%v: 400 topics are not taken off at once", d)
		}
		w.rest()
	}
}

// In no minute are there more than sixty frames, besides full requests of growth,
// whatever is free.
func TestFreeRequestsAreBounded(t *testing.T) {
	w := newWorld(t, 1, Config{MaxArgs: 200}, names)
	w.quiet = true
	start(w)
	w.until(w.now.Add(time.Minute))
	for minute := range 5 {
		w.frames = 0
		for i := range 1000 {
			w.subscribe(fmt.Sprint("t", minute, "-", i%500))
			w.answerAll()
			w.unsubscribe(fmt.Sprint("t", minute, "-", (i+300)%500))
			w.answerAll()
			w.until(w.now.Add(60 * time.Millisecond))
		}
		if w.frames > 60 || w.frames < 40 {
			t.Errorf("%d frames in minute %d, want about 55 and at most 60", w.frames, minute)
		}
	}
	w.rest()
}
