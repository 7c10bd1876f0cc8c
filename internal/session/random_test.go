package session

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestRandomEvents plays random events, among them late and doubled answers and
// events of links that do not exist, against a peer that does what it is told.
func TestRandomEvents(t *testing.T) {
	configs := []Config{
		{},
		{MaxArgs: 3, MaxTotal: 7, PaceBurst: 2},
		{MaxArgs: 2, MaxChars: 40, Lanes: 2},
		{MaxArgs: 4, MaxTotal: 6, RollAfter: 3 * time.Minute},
		{MaxArgs: 3, MaxTotal: 5, RollAfter: 2 * time.Minute, Lanes: 3},
	}
	var totals world
	for i, cfg := range configs {
		for d := range dialects {
			for seed := range uint64(12) {
				ok := t.Run(fmt.Sprintf("config %d, %v, seed %d", i, d, seed), func(t *testing.T) {
					w := newWorld(t, seed, cfg, d)
					if seed%2 == 1 {
						w.s.cfg.Heard = func(topic string) time.Time {
							if topic == "c" {
								return time.Time{}
							}
							return w.now
						}
					}
					w.randomEvents(1000)
					w.rest()
					totals.gaps += w.gaps
					totals.rejected += w.rejected
					totals.revived += w.revived
					totals.handovers += w.handovers
					totals.silent += w.silent
				})
				if !ok {
					return
				}
			}
		}
	}
	t.Logf("%d gaps, %d rejections, %d revivals, %d hand-overs, %d silences", totals.gaps, totals.rejected, totals.revived, totals.handovers, totals.silent)
	for what, n := range map[string]int{"gap": totals.gaps, "rejection": totals.rejected, "revival": totals.revived, "hand-over": totals.handovers, "silence": totals.silent} {
		if n < 20 {
			t.Errorf("only %d of %s", n, what)
		}
	}
}

// TestRandomFlipsBetweenShards moves topics from shard to shard, in less time than answers
// take: no topic is ever on two shards at once, see checkAlone.
func TestRandomFlipsBetweenShards(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed, Config{MaxTotal: 2, PaceBurst: 1000, PaceFree: 1000, Lanes: 1 + int(seed%2)}, dialect(seed/2%2))
		start(w)
		for range 1000 {
			name := string(rune('a' + w.rng.IntN(6)))
			switch num := 1 + w.rng.IntN(w.s.lastLink); w.rng.IntN(8) {
			case 0, 1:
				w.subscribe(name)
			case 2, 3:
				w.unsubscribe(name)
			case 4:
				if l := w.lines[num]; w.rng.IntN(20) == 0 && l != nil && l.state == Open {
					w.lost(num)
				}
			default:
				if l := w.lines[num]; l != nil && l.state == Open && len(l.unread) > 0 {
					w.answer(num)
				}
			}
			w.now = w.now.Add(10 * time.Millisecond)
			w.tick()
			for _, num := range w.nums() {
				if w.lines[num].state == Dialing {
					w.dialed(num)
				}
			}
		}
		w.rest()
	}
}

// answerLate answers what is about to be given up, where answers have no id:
// one that came even later would be taken for another's.
func (w *world) answerLate() {
	w.t.Helper()
	if w.dialect != byTopic && w.dialect != inOrder {
		return
	}
	for _, num := range w.nums() {
		l := w.lines[num]
		for l.state == Open && len(l.unread) > 0 && w.now.Sub(l.sentAt[0]) >= w.cfg.AckTimeout {
			w.answer(num)
		}
	}
}

func (w *world) randomEvents(n int) {
	w.t.Helper()
	topics := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "bad1", "bad2", "odd1", "odd2"}
	some := func() []string {
		list := make([]string, 1+w.rng.IntN(4))
		for i := range list {
			list[i] = topics[w.rng.IntN(len(topics))]
		}
		return list
	}
	start(w)
	var answered []Ack
	for range n {
		num := 1 + w.rng.IntN(w.s.lastLink+2)
		l := cmp.Or(w.lines[num], &line{state: Idle})
		switch w.rng.IntN(20) {
		case 0, 1, 2:
			w.subscribe(some()...)
		case 3, 4:
			w.unsubscribe(some()...)
		case 5:
			w.feed(Resync{Topic: topics[w.rng.IntN(len(topics))]})
		case 6, 7, 8, 9:
			if l.state == Open && len(l.unread) > 0 {
				req := l.unread[0]
				w.answer(num)
				answered = append(answered, Ack{Link: num, Op: req.Op, ReqID: req.ReqID, Success: w.rng.IntN(2) == 0})
			}
		case 10:
			switch l.state {
			case Dialing:
				w.dialed(num)
			case Idle:
				w.feed(Dialed{Link: num}) // nobody dialed
			}
		case 11:
			switch l.state {
			case Dialing:
				delete(w.lines, num)
				w.feed(DialFailed{Link: num, Err: errLink})
			default:
				w.feed(DialFailed{Link: num, Err: errLink}) // nobody dialed
			}
		case 12:
			switch l.state {
			case Open, Hanging:
				if w.rng.IntN(3) == 0 {
					w.lost(num)
				}
			default:
				w.feed(Lost{Link: num, Err: errLink}) // nothing was there
			}
		case 13: // an answer again, or another's
			if len(answered) > 0 {
				a := answered[w.rng.IntN(len(answered))]
				w.feed(a)
			}
			w.feed(Ack{Link: 99, Success: true})
		case 14:
			// Data proves a topic that the peer was asked for and will accept.
			if l.state == Open && len(l.unread) > 0 && l.unread[0].Op == opSubscribe {
				name := l.unread[0].Topics[0]
				good := !slices.ContainsFunc(l.unread[0].Topics, func(t string) bool { return bad(num, t) })
				if good && l.asked[name] == l.unread[0].ReqID {
					w.carry(l, name)
					w.feed(Arrived{Link: num, Topic: name})
				}
			}
			w.feed(Arrived{Link: num, Topic: "nobody"})
		case 15:
			// Long enough for anything.
			w.now = w.now.Add(time.Duration(w.rng.Int64N(int64(30 * time.Second))))
			w.answerLate()
			w.tick()
		case 16, 17:
			if wake := w.s.Wake(); wake.After(w.now) {
				w.now = wake
			}
			w.answerLate()
			w.tick()
		default:
			w.now = w.now.Add(time.Duration(w.rng.Int64N(int64(time.Second))))
			if l.state == Open {
				l.inbound = w.now
			}
		}
	}
}
