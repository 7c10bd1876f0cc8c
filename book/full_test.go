package book_test

import (
	"testing"
	"time"

	"github.com/bywire/bywire/book"
)

// at returns the time of a test, ms after its start.
func at(ms int64) time.Time { return time.UnixMilli(1_784_103_477_000 + ms) }

// fullDelta is a delta of orderbook.full with its cross sequence.
func fullDelta(t *testing.T, id, seq int64, text string) *book.Update {
	u := change(t, id, text)
	u.Seq = seq
	return u
}

// fullReply is a REST snapshot with its cross sequence.
func fullReply(t *testing.T, id, seq int64, text string) *book.Update {
	u := ladder(t, id, text)
	u.Seq = seq
	return u
}

// expect compares a step with what the rules say; of the error only its
// presence.
func expect(t *testing.T, got, want book.FullStep) {
	t.Helper()
	failed, shouldFail := got.Err != nil, want.Err != nil
	err := got.Err
	got.Err, want.Err = nil, nil
	if got != want || failed != shouldFail {
		t.Fatalf("step %+v, error %v, want %+v", got, err, want)
	}
}

var anyError = errTimeout

const fullTouch = `
	ask 0.4763 10
	bid 0.4758 20`

// liveFull returns a Full that is live at update 5, sequence 50, at 100 ms.
func liveFull(t *testing.T) *book.Full {
	t.Helper()
	f := book.NewFull(nil)
	expect(t, f.Delta(fullDelta(t, 5, 50, "bid 0.4758 20"), at(0)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 50})
	expect(t, f.Snapshot(fullReply(t, 5, 50, fullTouch), at(100)), book.FullStep{State: book.FullLive, Synced: true})
	return f
}

func TestFullAlignsWithBufferedDelta(t *testing.T) {
	f := book.NewFull(nil)
	expect(t, f.Tick(at(0)), book.FullStep{State: book.FullWaiting})
	refuseReads(t, f.View(), book.ErrNoBook)
	expect(t, f.Delta(fullDelta(t, 5, 50, "bid 0.4758 20"), at(0)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 50})
	expect(t, f.Delta(fullDelta(t, 6, 53, "bid 0.4757 7"), at(200)), book.FullStep{State: book.FullSyncing})
	expect(t, f.Delta(fullDelta(t, 7, 58, "bid 0.4758 0"), at(400)), book.FullStep{State: book.FullSyncing})
	refuseReads(t, f.View(), book.ErrNoBook)
	// The reply is the book after update 6: 5 and 6 are in it, 7 is not.
	expect(t, f.Snapshot(fullReply(t, 6, 53, fullTouch+"\nbid 0.4757 7"), at(450)),
		book.FullStep{State: book.FullLive, Synced: true, Applied: 1})
	if got, want := show(t, f.View()), "ask 0.4763 10\nbid 0.4757 7\n"; got != want {
		t.Errorf("book is %q, want %q", got, want)
	}
	expect(t, f.Delta(fullDelta(t, 8, 60, "ask 0.4762 1"), at(600)), book.FullStep{State: book.FullLive, Applied: 1})
	if got, want := show(t, f.View()), "ask 0.4763 10\nask 0.4762 1\nbid 0.4757 7\n"; got != want {
		t.Errorf("book is %q, want %q", got, want)
	}
}

func TestFullReplyAheadOfStream(t *testing.T) {
	f := book.NewFull(nil)
	expect(t, f.Delta(fullDelta(t, 5, 50, ""), at(0)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 50})
	expect(t, f.Snapshot(fullReply(t, 7, 58, fullTouch), at(50)), book.FullStep{State: book.FullSyncing})
	refuseReads(t, f.View(), book.ErrNoBook)
	expect(t, f.Delta(fullDelta(t, 6, 53, "bid 0.1 1"), at(200)), book.FullStep{State: book.FullSyncing})
	expect(t, f.Delta(fullDelta(t, 7, 58, "bid 0.1 0"), at(400)), book.FullStep{State: book.FullLive, Synced: true})
	if got := show(t, f.View()); got != clean(fullTouch) {
		t.Errorf("book is %q", got)
	}
}

// "Fetch until snapshot.seq >= first buffered seq", and at most every 2 s.
func TestFullReplyTooOld(t *testing.T) {
	f := book.NewFull(nil)
	expect(t, f.Delta(fullDelta(t, 5, 50, ""), at(0)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 50})
	expect(t, f.Snapshot(fullReply(t, 4, 49, fullTouch), at(100)),
		book.FullStep{State: book.FullSyncing, At: at(2000), Err: anyError})
	expect(t, f.Delta(fullDelta(t, 6, 52, ""), at(200)), book.FullStep{State: book.FullSyncing, At: at(2000)})
	expect(t, f.Tick(at(1999)), book.FullStep{State: book.FullSyncing, At: at(2000)})
	expect(t, f.Tick(at(2000)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 50})
	expect(t, f.Tick(at(9000)), book.FullStep{State: book.FullSyncing})
	expect(t, f.Snapshot(fullReply(t, 6, 52, fullTouch), at(9100)), book.FullStep{State: book.FullLive, Synced: true})
}

// The same sequence with another update id is another life of the topic.
func TestFullReplyOfAnotherLife(t *testing.T) {
	for name, reply := range map[string][2]int64{"update id differs": {9, 52}, "sequence between deltas": {6, 51}} {
		f := book.NewFull(nil)
		expect(t, f.Delta(fullDelta(t, 5, 50, ""), at(0)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 50})
		expect(t, f.Delta(fullDelta(t, 6, 52, ""), at(1)), book.FullStep{State: book.FullSyncing})
		step := f.Snapshot(fullReply(t, reply[0], reply[1], fullTouch), at(2))
		if e, ok := step.Err.(*book.Error); !ok || e.Kind != book.Misaligned || step.At != at(2000) {
			t.Errorf("%s: %+v", name, step)
		}
	}
	f := book.NewFull(nil)
	f.Delta(fullDelta(t, 5, 50, ""), at(0))
	f.Snapshot(fullReply(t, 7, 58, fullTouch), at(50)) // waits for (7, 58), which never comes
	expect(t, f.Delta(fullDelta(t, 8, 59, ""), at(200)), book.FullStep{State: book.FullSyncing, At: at(2000), Err: anyError})
}

// Class 8: a gap, or update id 1, ends the live book; reads say why until the
// book is live again.
func TestFailureClass08_FullGapAndRestart(t *testing.T) {
	tests := []struct {
		name  string
		delta *book.Update
		kind  book.Kind
	}{
		{"gap", fullDelta(t, 7, 70, "bid 0.3 1"), book.Gap},
		{"restart", fullDelta(t, 1, 70, "bid 0.3 1"), book.Restart},
		{"crossed", fullDelta(t, 6, 70, "bid 0.5 1"), book.Crossed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := liveFull(t)
			step := f.Delta(tt.delta, at(5000))
			e, ok := step.Err.(*book.Error)
			if !ok || e.Kind != tt.kind || !step.Fetch || step.State != book.FullSyncing {
				t.Fatalf("step %+v, want a fetch and kind %v", step, tt.kind)
			}
			refuseReads(t, f.View(), e)
			expect(t, f.Snapshot(fullReply(t, tt.delta.ID, 70, fullTouch), at(5100)), book.FullStep{State: book.FullLive, Synced: true})
			refuseReads(t, f.View(), nil)
		})
	}
}

// Update id 1 with empty sides and an empty reply: there is no book. Nothing is
// asked until levels arrive.
func TestFullNoBook(t *testing.T) {
	f := liveFull(t)
	expect(t, f.Delta(fullDelta(t, 1, 70, ""), at(3000)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 70, Err: anyError})
	expect(t, f.Snapshot(fullReply(t, 1, 0, ""), at(3100)), book.FullStep{State: book.FullNoBook})
	refuseReads(t, f.View(), book.ErrNoBook)
	expect(t, f.Tick(at(60_000)), book.FullStep{State: book.FullNoBook})
	expect(t, f.Delta(fullDelta(t, 1, 71, ""), at(70_000)), book.FullStep{State: book.FullNoBook})
	expect(t, f.Delta(fullDelta(t, 2, 72, ""), at(80_000)), book.FullStep{State: book.FullNoBook})
	// The auction ends.
	expect(t, f.Delta(fullDelta(t, 1, 80, "bid 0.4758 20\nask 0.4763 10"), at(90_000)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 80})
	expect(t, f.Snapshot(fullReply(t, 1, 80, fullTouch), at(90_100)), book.FullStep{State: book.FullLive, Synced: true})
	expect(t, f.Delta(fullDelta(t, 2, 81, "bid 0.4758 21"), at(90_200)), book.FullStep{State: book.FullLive, Applied: 1})
}

// An empty reply while the stream has levels is a reply too early.
func TestFullEmptyReplyWhileStreamHasLevels(t *testing.T) {
	f := book.NewFull(nil)
	expect(t, f.Delta(fullDelta(t, 1, 10, ""), at(0)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 10})
	expect(t, f.Delta(fullDelta(t, 2, 11, "bid 1 1"), at(100)), book.FullStep{State: book.FullSyncing})
	expect(t, f.Snapshot(&book.Update{}, at(200)), book.FullStep{State: book.FullSyncing, At: at(2000), Err: anyError})
}

// A message that comes twice, or late, is no gap, whether the book is live or not. It is
// the cross sequence that tells it from one of a new count whose beginning was missed.
func TestFullIgnoresWhatIsOld(t *testing.T) {
	f := book.NewFull(nil)
	expect(t, f.Delta(fullDelta(t, 5, 50, "bid 0.4758 20"), at(0)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 50})
	expect(t, f.Delta(fullDelta(t, 6, 53, "bid 0.4757 7"), at(200)), book.FullStep{State: book.FullSyncing})
	expect(t, f.Delta(fullDelta(t, 5, 50, "bid 0.4758 20"), at(210)), book.FullStep{State: book.FullSyncing})
	expect(t, f.Delta(fullDelta(t, 6, 53, "bid 0.4757 7"), at(220)), book.FullStep{State: book.FullSyncing})
	if n := f.Buffered(); n != 2 {
		t.Errorf("%d deltas buffered, want 2", n)
	}
	expect(t, f.Snapshot(fullReply(t, 5, 50, fullTouch), at(300)), book.FullStep{State: book.FullLive, Synced: true, Applied: 1})
	want := show(t, f.View())
	for _, d := range []*book.Update{
		fullDelta(t, 6, 53, "bid 0.4757 9"),
		fullDelta(t, 4, 48, "bid 0.1 9"),
		fullDelta(t, 7, 49, "bid 0.1 9"), // of the count before: fits by its update id alone
	} {
		expect(t, f.Delta(d, at(400)), book.FullStep{State: book.FullLive})
		if got := show(t, f.View()); got != want {
			t.Errorf("after update %d, sequence %d, the book is %q, want %q", d.ID, d.Seq, got, want)
		}
	}
	step := f.Delta(fullDelta(t, 4, 60, "bid 0.1 9"), at(500))
	if e, ok := step.Err.(*book.Error); !ok || e.Kind != book.Gap || step.State != book.FullSyncing {
		t.Errorf("an older update id with a newer sequence gives %+v, want a gap", step)
	}
}

// Old messages and nothing else are no accident: the venue has begun both of its counts
// anew, and the message that said so was lost.
func TestFullDoesNotIgnoreForEver(t *testing.T) {
	f := liveFull(t) // at update 5, sequence 50
	for id := int64(2); ; id++ {
		step := f.Delta(fullDelta(t, id, id, "bid 0.1 1"), at(5000))
		if step.State == book.FullLive && id < 30 {
			expect(t, step, book.FullStep{State: book.FullLive})
			continue
		}
		if e, ok := step.Err.(*book.Error); !ok || e.Kind != book.Gap || !step.Fetch || id != 18 {
			t.Fatalf("message %d: step %+v, want a gap at 18", id, step)
		}
		expect(t, f.Snapshot(fullReply(t, id, id, fullTouch), at(5100)), book.FullStep{State: book.FullLive, Synced: true})
		return
	}
}

// A snapshot of before both counts began anew is ahead of all deltas by its numbers, and
// behind them by its time: it is not waited for.
func TestFullSnapshotOfACountThatIsOver(t *testing.T) {
	matched := func(u *book.Update, ms int64) *book.Update {
		u.MatchTime = at(ms)
		return u
	}
	f := book.NewFull(nil)
	expect(t, f.Delta(matched(fullDelta(t, 1, 10, "bid 0.4758 20"), 1000), at(1000)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 10})
	// Made before that delta, and late.
	step := f.Snapshot(matched(fullReply(t, 900, 5000, fullTouch), 900), at(1100))
	if e, ok := step.Err.(*book.Error); !ok || e.Kind != book.Misaligned || step.At != at(3000) {
		t.Fatalf("step %+v, want a misaligned snapshot and another request", step)
	}
	expect(t, f.Tick(at(3000)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 10})
	expect(t, f.Snapshot(matched(fullReply(t, 1, 10, fullTouch), 1000), at(3100)), book.FullStep{State: book.FullLive, Synced: true})

	// The same, where the snapshot came first and was taken for one that is ahead.
	f = book.NewFull(nil)
	expect(t, f.Delta(matched(fullDelta(t, 890, 4990, "bid 0.4758 20"), 800), at(800)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 4990})
	expect(t, f.Snapshot(matched(fullReply(t, 900, 5000, fullTouch), 900), at(900)), book.FullStep{State: book.FullSyncing})
	expect(t, f.Delta(matched(fullDelta(t, 895, 4995, "bid 0.4758 20"), 850), at(950)), book.FullStep{State: book.FullSyncing})
	step = f.Delta(matched(fullDelta(t, 2, 11, "bid 0.4758 20"), 1100), at(1100))
	if e, ok := step.Err.(*book.Error); !ok || e.Kind != book.Misaligned || f.Buffered() != 1 {
		t.Fatalf("step %+v with %d deltas kept, want a misaligned snapshot, and the delta", step, f.Buffered())
	}
}

// A restart that comes late, or once more, is as old as any message: what follows does not
// follow it.
func TestFullRestartThatIsOld(t *testing.T) {
	f := book.NewFull(nil)
	expect(t, f.Delta(fullDelta(t, 1, 50, "bid 0.4758 20"), at(0)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 50})
	expect(t, f.Delta(fullDelta(t, 1, 60, ""), at(10)), book.FullStep{State: book.FullSyncing})
	expect(t, f.Delta(fullDelta(t, 1, 50, "bid 0.4758 20"), at(20)), book.FullStep{State: book.FullSyncing})
	expect(t, f.Delta(fullDelta(t, 2, 70, "bid 0.4757 7"), at(30)), book.FullStep{State: book.FullSyncing})
	expect(t, f.Snapshot(fullReply(t, 1, 50, fullTouch), at(40)), book.FullStep{State: book.FullSyncing, At: at(2000), Err: anyError})

	f = liveFull(t)
	expect(t, f.Delta(fullDelta(t, 1, 40, "bid 0.1 9"), at(400)), book.FullStep{State: book.FullLive})
	// Later by its time: both counts have begun anew.
	anew := fullDelta(t, 1, 45, "bid 0.1 9")
	f = book.NewFull(nil)
	first := fullDelta(t, 5, 50, "bid 0.4758 20")
	first.MatchTime, anew.MatchTime = at(100), at(500)
	reply := fullReply(t, 5, 50, fullTouch)
	reply.MatchTime = at(100)
	expect(t, f.Delta(first, at(100)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 50})
	expect(t, f.Snapshot(reply, at(150)), book.FullStep{State: book.FullLive, Synced: true})
	expect(t, f.Delta(anew, at(500)), book.FullStep{State: book.FullSyncing, At: at(2100), Err: anyError})
}

// Failed requests are repeated ever more slowly, to a limit.
func TestFullFailedRequests(t *testing.T) {
	f := book.NewFull(nil)
	now := at(0)
	step := f.Delta(fullDelta(t, 5, 50, ""), now)
	for _, wait := range []time.Duration{2, 4, 8, 16, 32, 32, 32} {
		if !step.Fetch {
			t.Fatalf("no fetch at %v: %+v", now, step)
		}
		expect(t, f.SnapshotFailed(errTimeout, now), book.FullStep{State: book.FullSyncing, At: now.Add(wait * time.Second), Err: errTimeout})
		now = now.Add(wait * time.Second)
		step = f.Tick(now)
	}
	expect(t, f.Snapshot(fullReply(t, 5, 50, fullTouch), now), book.FullStep{State: book.FullLive, Synced: true})
}

// What is buffered is bounded in messages and in levels; the oldest go, and a
// reply from before them is too old then.
func TestFullBufferIsBounded(t *testing.T) {
	f := book.NewFull(&book.FullOptions{MaxUpdates: 3, MaxLevels: 4})
	for i := range int64(10) {
		f.Delta(fullDelta(t, 5+i, 50+i, "bid 1 1"), at(i))
	}
	if n := f.Buffered(); n != 3 {
		t.Errorf("%d deltas buffered, want 3", n)
	}
	f.Delta(fullDelta(t, 15, 60, "bid 1 1\nbid 2 1\nbid 3 1"), at(11))
	if n := f.Buffered(); n != 2 {
		t.Errorf("%d deltas buffered, want 2 with 4 levels", n)
	}
	expect(t, f.Snapshot(fullReply(t, 13, 58, fullTouch), at(20)), book.FullStep{State: book.FullSyncing, At: at(2000), Err: anyError})
}

// A lost connection: what was known is worthless, but a request that is out is
// not repeated.
func TestFullReset(t *testing.T) {
	f := liveFull(t)
	expect(t, f.Reset(errTimeout, at(300)), book.FullStep{State: book.FullWaiting})
	refuseReads(t, f.View(), errTimeout)
	expect(t, f.Delta(fullDelta(t, 9, 90, ""), at(400)), book.FullStep{State: book.FullSyncing, At: at(2000)})
	expect(t, f.Tick(at(2000)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 90})
	f.Reset(nil, at(2100))
	expect(t, f.Delta(fullDelta(t, 20, 200, ""), at(6000)), book.FullStep{State: book.FullSyncing})
	// The answer to the request of before is too old, and says so.
	expect(t, f.Snapshot(fullReply(t, 10, 95, fullTouch), at(6100)), book.FullStep{State: book.FullSyncing, Fetch: true, From: 200, Err: anyError})
}

func TestFullFollowsWithoutAllocation(t *testing.T) {
	b := newDepth(10_000)
	s := newShuttle(t, b, true, 200)
	var snapshot book.Update
	if err := b.View().AppendSnapshot(&snapshot); err != nil {
		t.Fatal(err)
	}
	f := book.NewFull(nil)
	f.Delta(&book.Update{ID: snapshot.ID, Seq: snapshot.Seq}, at(0))
	f.Snapshot(&snapshot, at(0))
	follow := func() {
		if step := f.Delta(s.next(), at(0)); step.Applied != 1 {
			t.Fatalf("step %+v", step)
		}
	}
	for range 2 * len(s.deltas) {
		follow()
	}
	if n := testing.AllocsPerRun(500, follow); n != 0 {
		t.Errorf("%v allocations per delta", n)
	}
}
