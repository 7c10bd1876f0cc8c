package wsserver

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
)

// Kind says what a published frame is to the frames of its topic before it.
type Kind uint8

const (
	// Following frames have to be delivered in full: deltas, trades.
	Following Kind = iota
	// Replacing frames carry the whole state: a client that gets one needs no earlier frame of the topic.
	Replacing
)

// frame is one WebSocket frame as it goes over the wire. It is shared by queues and never changed.
type frame struct {
	bytes []byte
	topic *Topic // nil: a reply, or an initial frame
	kind  Kind
	text  int   // 1: a text frame, which the client sees as a message
	due   int64 // not before this time in Unix nanoseconds; 0 for most
}

func encode(topic *Topic, kind Kind, op ws.OpCode, payload []byte) *frame {
	b := make([]byte, 0, len(payload)+headerSize(len(payload)))
	f := &frame{bytes: wsframe.AppendFrame(b, op, payload), topic: topic, kind: kind}
	if op == ws.OpText {
		f.text = 1
	}
	return f
}

// headerSize is the length of an unmasked header.
func headerSize(payload int) int {
	return ws.HeaderSize(ws.Header{Length: int64(payload)})
}

// topicKey names a topic. Different channels have topics of the same name.
type topicKey struct {
	channel wire.Channel
	name    string
}

// Topic is one topic of one channel with its subscribers. Everything about one topic (Publish, and Subscription.Answer
// for it) is to be called from one goroutine at a time; different topics are independent of each other.
type Topic struct {
	srv     *Server
	channel wire.Channel
	name    string

	wanted atomic.Bool // subs is not empty

	mu sync.Mutex // guards the fields below
	// subs is replaced or appended to and never changed in place, so that Publish can walk the slice it found without
	// holding the lock. It may hold sessions that are over: they take nothing, and are swept out when they are many.
	subs []*Session
	over int // about how many of subs are over: never less than there are
}

// Topic returns the topic of that name, for publishing. Sources keep it: the registry keeps it for good as well.
func (v *Server) Topic(ch wire.Channel, name string) *Topic {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := topicKey{ch, name}
	t := v.topics[key]
	if t == nil {
		t = &Topic{srv: v, channel: ch, name: name}
		v.topics[key] = t
	}
	return t
}

// Channel is the channel of the topic.
func (t *Topic) Channel() wire.Channel { return t.channel }

// Name is the topic as subscribed, such as "orderbook.50.BTCUSDT".
func (t *Topic) Name() string { return t.name }

// Subscribers is the number of sessions that have joined.
func (t *Topic) Subscribers() int {
	t.mu.Lock()
	subs := t.subs
	t.mu.Unlock()
	n := 0
	for _, s := range subs {
		if !s.over.Load() {
			n++
		}
	}
	return n
}

// Wanted reports whether anybody is subscribed, so that a frame for nobody need not be made. Sessions that are over may
// count for a while.
func (t *Topic) Wanted() bool { return t.wanted.Load() }

// Publish queues one text frame for every subscriber. The payload is copied once. It waits only under the policy Pause,
// for sessions whose queue is full, until there is room, the session ends or ctx does; ctx's error is the only one, and
// then some sessions have the frame and some have not, so nothing more should be published to them.
func (t *Topic) Publish(ctx context.Context, payload []byte, kind Kind) error {
	t.mu.Lock()
	subs := t.subs
	t.mu.Unlock()
	if len(subs) == 0 {
		return nil
	}
	f := encode(t, kind, ws.OpText, payload)
	t.srv.published.Add(int64(len(subs)))
	t.srv.publishedBytes.Add(int64(len(subs)) * int64(len(payload)))
	for _, s := range subs {
		for room := s.offer(f); room != nil; room = s.offer(f) {
			select {
			case <-room:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

func (t *Topic) join(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subs = append(t.subs, s)
	t.wanted.Store(true)
}

// leave takes out a session that goes on.
func (t *Topic) leave(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.subs, s); i >= 0 {
		rest := make([]*Session, 0, len(t.subs))
		t.subs = append(append(rest, t.subs[:i]...), t.subs[i+1:]...)
		t.wanted.Store(len(t.subs) > 0)
	}
}

// forget counts a session that is over. Taking out each one by itself would make the end of a thousand
// sessions a million moves.
func (t *Topic) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over++ // too many when an earlier sweep has taken out this session already; that only sweeps early
	if 2*t.over < len(t.subs) {
		return
	}
	rest := make([]*Session, 0, len(t.subs)/2)
	for _, s := range t.subs {
		if !s.over.Load() {
			rest = append(rest, s)
		}
	}
	t.subs = rest
	t.over = 0
	t.wanted.Store(len(rest) > 0)
}
