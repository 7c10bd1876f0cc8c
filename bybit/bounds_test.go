package bybit

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bywire/bywire/internal/session"
)

// The gaps of many topics do not fill a small queue, so that it would overflow anew
// with every frame.
func TestOverflowOfManyTopicsIsRare(t *testing.T) {
	client, err := NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	const topics, frames = 2000, 20_000
	s := newStream(client, Linear, "", (&StreamOptions{QueueBytes: 64 << 10}).withDefaults())
	read := &reader{s: s, number: 1, subs: map[string]*subscription{}}
	var names []string
	for i := range topics {
		topic := Trades(fmt.Sprint("C", i))
		names = append(names, topic.name)
		read.subs[topic.name] = newSubscription(topic, Linear, &s.opts)
	}
	b := s.queue.Lock()
	for i := range frames {
		read.take(b, fmt.Appendf(nil, `{"topic":"%s","type":"snapshot","ts":1,"data":[]}`, names[i%topics]))
	}
	s.queue.Unlock()
	// Half of the queue takes some 250 frames.
	if got := s.count.overflows.Load(); got < 10 || got > frames/100 {
		t.Errorf("%d overflows for %d frames, want about %d", got, frames, frames/250)
	}
	gaps := map[string]int{}
	for {
		ev, ok, err := s.TryRecv()
		if err != nil || !ok {
			break
		}
		if gap, ok := ev.(*GapEvent); ok {
			gaps[gap.Topic.name] += gap.Dropped
		}
	}
	dropped := 0
	for _, n := range gaps {
		dropped += n
	}
	if len(gaps) != topics || int64(dropped) != s.count.dropped.Load() {
		t.Errorf("%d topics have gaps of %d messages, want %d and %d", len(gaps), dropped, topics, s.count.dropped.Load())
	}
}

// A consumer that sleeps for days, while connections come and go, does not find a
// queue full of notices.
func TestNoticesDoNotGather(t *testing.T) {
	client, err := NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newStream(client, Linear, "", (&StreamOptions{QueueBytes: 64 << 10, Duplicates: 2}).withDefaults())
	sub := newSubscription(Trades("BTCUSDT"), Linear, &s.opts)
	for i := range 10_000 {
		s.notify(sub, &lanesNotice{mask: uint8(i % 3)})
		s.notify(sub, &quietNotice{&SilentEvent{Topic: sub.topic}})
		s.notify(sub, &GapEvent{Topic: sub.topic})
	}
	s.notify(sub, &lanesNotice{mask: 3})
	b := s.queue.Lock()
	if len(b.Items) > 1000 {
		t.Errorf("%d notices of one topic are queued", len(b.Items))
	}
	if last := b.Items[len(b.Items)-1].ev.(*lanesNotice); last.mask != 3 {
		t.Errorf("the last says that lanes %b carry the topic, want 11", last.mask)
	}
	s.queue.Unlock()
}

// What is asked of a stream that has ended is answered, and not kept.
func TestNothingGathersAfterTheEnd(t *testing.T) {
	var m mailbox
	m.wake = make(chan struct{}, 1)
	m.put(letter{event: session.Resync{}})
	m.close()
	for range 1000 {
		m.put(letter{event: session.Resync{}})
	}
	if got := len(m.take(nil)); got != 0 {
		t.Errorf("%d letters are kept that nobody will read", got)
	}
}

// Dials that begin at the same moment do not take one another for a full budget.
func TestBudgetIsNotFullBecauseOthersLook(t *testing.T) {
	b := NewBudget(&BudgetOptions{Connects: 1 << 20, Per: time.Hour})
	var full atomic.Int64
	done := make(chan error)
	const dials = 8
	for range dials {
		go func() {
			var err error
			for range 2000 {
				err = b.take(t.Context(), "venue", func() { full.Add(1) })
			}
			done <- err
		}()
	}
	for range dials {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := full.Load(); n != 0 {
		t.Errorf("%d times the budget was said to be full, want never", n)
	}
	if u := b.Uses()[0]; u.Begun != dials*2000 || u.Waiting != 0 {
		t.Errorf("%d are begun and %d wait, want %d and 0", u.Begun, u.Waiting, dials*2000)
	}
}
