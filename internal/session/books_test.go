package session

import "testing"

// checkBooks checks what the session counts against what there is.
func checkBooks(t *testing.T, s *Session) {
	t.Helper()
	if len(s.order) != len(s.topics) {
		t.Fatalf("%d topics in order, %d by name", len(s.order), len(s.topics))
	}
	if s.closed {
		return
	}
	var wanted, liveNow int
	counts, shardChars, shardWanted := map[*shard]int{}, map[*shard]int{}, map[*shard]int{}
	for i, tp := range s.order {
		if tp.index != i || s.topics[tp.name] != tp {
			t.Fatalf("topic %s is not where it should be", tp.name)
		}
		counts[tp.shard]++
		shardChars[tp.shard] += len(tp.name) + argOverhead
		n := 0
		for _, e := range tp.sides {
			if e.phase == live {
				n++
			}
			if e.link.sides[e.index] != e || s.byNum[e.link.num] != e.link {
				t.Fatalf("topic %s is not where it should be on link %d", tp.name, e.link.num)
			}
		}
		if n != tp.live || !tp.wanted && len(tp.sides) == 0 {
			t.Fatalf("topic %s is live on %d links and says %d, wanted %v, sides %d", tp.name, n, tp.live, tp.wanted, len(tp.sides))
		}
		if tp.wanted {
			wanted++
			shardWanted[tp.shard]++
			if n > 0 {
				liveNow++
			}
		} else if len(tp.calls) > 0 || tp.delivered {
			t.Fatalf("topic %s is not wanted, and %d calls wait for it, delivered %v", tp.name, len(tp.calls), tp.delivered)
		}
		if tp.delivered && !tp.carried() {
			t.Fatalf("topic %s was delivered, is not carried, and there was no gap", tp.name)
		}
	}
	if wanted != s.wanted || liveNow != s.live {
		t.Fatalf("%d topics are wanted and %d live, the session says %d and %d", wanted, liveNow, s.wanted, s.live)
	}
	for _, sh := range s.shards {
		if sh.count != counts[sh] || sh.wanted != shardWanted[sh] || sh.chars != shardChars[sh] {
			t.Fatalf("shard %d: %d topics, %d wanted, %d characters, it says %d, %d, %d",
				sh.num, counts[sh], shardWanted[sh], shardChars[sh], sh.count, sh.wanted, sh.chars)
		}
	}
	for _, l := range s.links {
		checkLink(t, l)
	}
}

func checkLink(t *testing.T, l *link) {
	t.Helper()
	var carries, liveNow int
	var queued [needs]int
	for _, e := range l.sides {
		if e.phase.has() {
			carries++
		}
		if e.phase == live && e.topic.wanted {
			liveNow++
		}
		queued[e.need]++
		if !e.topic.wanted && (l.state != Open || !e.phase.has()) && l.state != Hanging {
			t.Fatalf("link %d keeps %s in state %v", l.num, e.topic.name, l.state)
		}
		if e.carried && !e.phase.has() && e.phase != pending {
			t.Fatalf("link %d carries %s in phase %d", l.num, e.topic.name, e.phase)
		}
	}
	if carries != l.carries || liveNow != l.live {
		t.Fatalf("link %d has %d topics, %d of them live and wanted, it says %d and %d", l.num, carries, liveNow, l.carries, l.live)
	}
	for n := unsubscribing; int(n) < needs; n++ {
		blanks := 0
		for _, e := range l.queues[n].sides {
			if e.need != n {
				blanks++
			}
		}
		if q := &l.queues[n]; q.n != queued[n] || len(q.sides)-blanks != q.n {
			t.Fatalf("link %d needs %d for %d topics, the queue has %d of which %d are blanks, and says %d", l.num, n, queued[n], len(q.sides), blanks, q.n)
		}
	}
	for lane := range maxLanes {
		n := 0
		for _, o := range l.shard.links {
			if o.lane == lane {
				n++
			}
		}
		if n > 1 {
			t.Fatalf("shard %d has %d links on lane %d", l.shard.num, n, lane)
		}
	}
}
