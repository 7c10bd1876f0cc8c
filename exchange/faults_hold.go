package exchange

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bywire/bywire/internal/wsserver"
)

// lane is what one connection gets of one topic, while something of it is held back.
type lane struct {
	waiting int     // delayed messages
	last    int64   // when the last of them is due
	swapped *parcel // waits for the next message; nil: none does
	dead    bool    // nobody listens any more
}

// parcel is a message for one connection, and what is to happen to it.
type parcel struct {
	message wsserver.Message
	copies  int
	delay   time.Duration
}

type laneKey struct {
	session *wsserver.Session
	topic   *wsserver.Topic
}

// held is a message that is sent later.
type held struct {
	due     int64
	n       uint64 // in the order of publication
	session *wsserver.Session
	lane    *lane
	key     laneKey
	message wsserver.Message
}

// faults stand between the feed and the connections.
type faults struct {
	on atomic.Bool // there are rules, or messages are held back

	mu    sync.Mutex // guards the fields below
	rules []*rule
	ids   int
	lanes map[laneKey]*lane
	queue heldQueue
	n     uint64
}

// heldQueue is a heap by time.
type heldQueue []held

func (q heldQueue) Len() int { return len(q) }
func (q heldQueue) Less(i, j int) bool {
	return q[i].due < q[j].due || q[i].due == q[j].due && q[i].n < q[j].n
}
func (q heldQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *heldQueue) Push(v any) { *q = append(*q, v.(held)) }

// Pop implements heap.Interface.
func (q *heldQueue) Pop() any {
	last := (*q)[len(*q)-1]
	(*q)[len(*q)-1] = held{}
	*q = (*q)[:len(*q)-1]
	return last
}

// publish sends a message to a topic's subscribers, but for what is to go wrong with it.
func (f *faults) publish(ctx context.Context, now int64, t *wsserver.Topic, payload []byte, kind wsserver.Kind) {
	if !f.on.Load() {
		_ = t.Publish(ctx, payload, kind) // without the policy Pause there is no error
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var about []*rule
	for _, r := range f.rules {
		if r.touches() && r.holds(now) && matches(r.Fault.Topic, t.Name()) {
			about = append(about, r)
		}
	}
	if len(about) == 0 && len(f.lanes) == 0 {
		_ = t.Publish(ctx, payload, kind)
		return
	}
	slices.SortStableFunc(about, func(a, b *rule) int { return cmp.Compare(a.rank(), b.rank()) })
	message := t.Message(payload, kind)
	hit := map[*rule]bool{} // once for a message, whoever gets it
	t.Each(func(s *wsserver.Session) { f.spoil(ctx, now, laneKey{s, t}, message, about, hit) })
	for _, r := range about {
		if hit[r] {
			r.hit()
		}
	}
	f.sweep(now)
}

// The order in which rules act on one message. Nothing happens to one that is not sent, and what happens to one that is sent
// happens to its copies.
func messageKinds() []FaultKind {
	return []FaultKind{FaultSilent, FaultSkip, FaultDuplicate, FaultReorder, FaultDelay}
}

// rank is the rule's place in that order.
func (r *rule) rank() int { return slices.Index(messageKinds(), r.Fault.Kind) }

// touches reports whether the rule is about messages.
func (r *rule) touches() bool { return r.rank() >= 0 }

// spoil does to a message for one connection what all rules say that are about it.
func (f *faults) spoil(ctx context.Context, now int64, key laneKey, m wsserver.Message, about []*rule, hit map[*rule]bool) {
	p := parcel{message: m, copies: 1}
	swap := false
	for _, r := range about {
		if !r.of(key.session) {
			continue
		}
		switch r.Fault.Kind {
		case FaultSilent, FaultSkip:
			hit[r] = true
			return
		case FaultDuplicate:
			p.copies++
		case FaultReorder:
			if l := f.lanes[key]; swap || l != nil && l.swapped != nil {
				continue // it goes behind the next one already, or is the next one of another
			}
			swap = true
		case FaultDelay:
			p.delay += r.Fault.Delay
		}
		hit[r] = true
	}
	if swap {
		f.lane(key).swapped = &p
		return
	}
	f.send(ctx, now, key, p)
}

// lane returns what is held back for a connection and a topic.
func (f *faults) lane(key laneKey) *lane {
	l := f.lanes[key]
	if l == nil {
		l = &lane{}
		if f.lanes == nil {
			f.lanes = map[laneKey]*lane{}
		}
		f.lanes[key] = l
	}
	return l
}

// send gives a message to a connection, behind those of its topic that are held back, and after it the one that waited
// for it to go first.
func (f *faults) send(ctx context.Context, now int64, key laneKey, p parcel) {
	for range p.copies {
		if l := f.lanes[key]; p.delay > 0 || l != nil && l.waiting > 0 {
			f.hold(ctx, key, p.message, now+int64(p.delay))
		} else {
			_ = key.session.Send(ctx, p.message) // see publish
		}
	}
	l := f.lanes[key]
	if l == nil {
		return
	}
	if swapped := l.swapped; swapped != nil {
		l.swapped = nil
		f.send(ctx, now, key, *swapped)
	}
	f.forgetIdle(key, l)
}

// hold keeps a message back until it is due, and until those before it were.
func (f *faults) hold(ctx context.Context, key laneKey, m wsserver.Message, due int64) {
	l := f.lane(key)
	if len(f.queue) >= maxHeld {
		_ = key.session.Send(ctx, m)
		return
	}
	if l.waiting > 0 {
		due = max(due, l.last)
	}
	l.waiting++
	l.last = due
	f.n++
	heap.Push(&f.queue, held{due: due, n: f.n, session: key.session, lane: l, key: key, message: m})
}

// forgetIdle drops a lane that holds nothing.
func (f *faults) forgetIdle(key laneKey, l *lane) {
	if l.waiting == 0 && l.swapped == nil && f.lanes[key] == l {
		delete(f.lanes, key)
	}
}

// release sends what is due, and ends what is over.
func (f *faults) release(ctx context.Context, now int64) {
	if !f.on.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.queue) > 0 && f.queue[0].due <= now {
		h := heap.Pop(&f.queue).(held)
		h.lane.waiting--
		if !h.lane.dead {
			_ = h.session.Send(ctx, h.message)
			f.forgetIdle(h.key, h.lane)
		}
	}
	f.sweep(now)
}

// next is when release has something to do.
func (f *faults) next() int64 {
	if !f.on.Load() {
		return never
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	next := int64(never)
	if len(f.queue) > 0 {
		next = f.queue[0].due
	}
	for _, r := range f.rules {
		next = min(next, r.until)
	}
	return next
}

// sweep takes out the rules that are over. It is called with the lock held.
func (f *faults) sweep(now int64) {
	f.rules = slices.DeleteFunc(f.rules, func(r *rule) bool {
		if r.holds(now) {
			return false
		}
		f.lift(r)
		return true
	})
	f.on.Store(len(f.rules) > 0 || len(f.queue) > 0 || len(f.lanes) > 0)
}

// leave forgets what is held back of topics that a session has left; without topics, of all.
func (f *faults) leave(s *wsserver.Session, topics []string) {
	if !f.on.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, l := range f.lanes {
		if key.session == s && (topics == nil || slices.Contains(topics, key.topic.Name())) {
			l.dead = true
			delete(f.lanes, key)
		}
	}
	if topics == nil { // it is over
		for _, r := range f.rules {
			r.throttled = slices.DeleteFunc(r.throttled, func(other *wsserver.Session) bool { return other == s })
		}
	}
}

// clear forgets all that is held back, and moves the ends of the rules with the time.
func (f *faults) clear(moved int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.lanes)
	f.queue = nil
	for _, r := range f.rules {
		if r.until != never {
			r.until += moved
			r.Until = time.Unix(0, r.until).UTC()
		}
	}
	f.on.Store(len(f.rules) > 0)
}
