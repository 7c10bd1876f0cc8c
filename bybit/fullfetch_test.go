package bybit

import (
	"errors"
	"testing"

	"github.com/bywire/bywire/book"
)

// Who joins while a request is under way takes its reply only if it is a book that is
// not older than what they have.
func TestReplyReaches(t *testing.T) {
	reply := func(seq int64, levels int) fullReply {
		return fullReply{snapshot: &fullSnapshot{Update: book.Update{Seq: seq, Bids: make([]book.Level, levels)}}}
	}
	tests := []struct {
		name  string
		reply fullReply
		from  int64
		want  bool
	}{
		{"newer", reply(51, 1), 50, true},
		{"the same", reply(50, 1), 50, true},
		{"older", reply(49, 1), 50, false},
		{"for who has nothing yet", reply(50, 1), 0, false},
		{"no book", reply(51, 0), 50, false},
		{"no reply", fullReply{err: errors.New("refused")}, 50, false},
	}
	for _, tt := range tests {
		if got := tt.reply.reaches(tt.from); got != tt.want {
			t.Errorf("%s: reaches = %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A consumer may have had its answer, and have asked again, before the runner hears that the
// first request has ended: the end of one is not the end of the other.
func TestFetchesOfOneTopic(t *testing.T) {
	client, err := NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	busy := &turn{token: make(chan struct{}, 1)}
	busy.token <- struct{}{} // whoever asks waits
	client.snapshots.turns["linear BTCUSDT"] = busy

	s := newStream(client, Linear, "", StreamOptions{})
	r := newRunner(t.Context(), s)
	topic := FullOrderBook("BTCUSDT")
	sub := newSubscription(topic, Linear, &s.opts)
	r.subs[topic.name] = sub
	first, second := &fullFetch{sub: sub}, &fullFetch{sub: sub}
	r.fetch(first)
	r.fetch(second)

	r.fetched(first)
	ended := func() *fullFetch { // the next that ends
		<-s.mail.wake
		letters := s.mail.take(nil)
		if len(letters) != 1 {
			t.Fatalf("%d letters, want 1", len(letters))
		}
		return letters[0].fetched
	}
	if got := ended(); got != first {
		t.Fatal("the end of the first request cancelled the second")
	}
	r.forget(topic.name)
	if got := ended(); got != second {
		t.Fatal("the second request did not end with its topic")
	}
	r.fetched(second)
	if r.busy != 0 || len(r.fetches) != 0 {
		t.Errorf("%d requests under way, %d to cancel, want none", r.busy, len(r.fetches))
	}
}
