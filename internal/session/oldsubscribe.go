package session

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (m *Machine) subscribe(now time.Time, ev Subscribe) {
	var added []string
	count, chars := len(m.order), m.chars
	for _, name := range ev.Topics {
		if m.topics[name] == nil && !slices.Contains(added, name) {
			added = append(added, name)
			count++
			chars += len(name) + oldArgOverhead
		}
	}
	if err := m.fits(count, chars); err != nil && len(added) > 0 {
		m.do(Done{Call: ev.Call, Err: err})
		return
	}
	c := &oldCall{id: ev.Call}
	for _, name := range added {
		t := &oldTopic{name: name}
		m.topics[name] = t
		m.order = append(m.order, t)
		m.chars += len(name) + oldArgOverhead
	}
	for _, name := range ev.Topics {
		t := m.topics[name]
		if t.oldPhase == oldLive || slices.Contains(t.calls, c) {
			if t.oldPhase == oldLive {
				c.accepted++
			}
			continue
		}
		c.left++
		t.calls = append(t.calls, c)
	}
	if c.left == 0 {
		m.finish(c)
	}
}

// fits checks the venue's limits on one connection.
func (m *Machine) fits(count, chars int) error {
	if m.cfg.MaxTotal > 0 && count > m.cfg.MaxTotal {
		return fmt.Errorf("%d topics, one connection takes %d", count, m.cfg.MaxTotal)
	}
	if m.cfg.MaxChars > 0 && chars > m.cfg.MaxChars {
		return fmt.Errorf("%d topics are %d characters, one connection takes %d", count, chars, m.cfg.MaxChars)
	}
	return nil
}

func (m *Machine) unsubscribe(now time.Time, ev Unsubscribe) {
	c := &oldCall{id: ev.Call}
	var told []*oldTopic
	for _, name := range ev.Topics {
		t := m.topics[name]
		if t == nil {
			continue
		}
		m.drop(t)
		m.resolve(t, &Rejection{Topic: name, Message: "unsubscribed before it was answered"})
		if t.oldPhase != oldPending {
			told = append(told, t)
		}
		c.accepted++
	}
	if m.state == Open {
		m.sendPacked(now, "unsubscribe", told, c)
	}
	if c.left == 0 {
		m.finish(c)
	}
}

// drop forgets a topic. Requests in flight may still name it.
func (m *Machine) drop(t *oldTopic) {
	t.gone = true
	delete(m.topics, t.name)
	m.chars -= len(t.name) + oldArgOverhead
	if i := slices.Index(m.order, t); i >= 0 {
		m.order = slices.Delete(m.order, i, i+1)
	}
}

// flush sends what is pending, as far as requests may be in flight.
func (m *Machine) flush(now time.Time) {
	var batch []*oldTopic
	for _, t := range m.order {
		if t.oldPhase != oldPending {
			continue
		}
		if len(m.flight) >= oldMaxInFlight {
			break
		}
		batch = append(batch, t)
		if len(batch) == m.cfg.MaxArgs {
			m.send(now, "subscribe", batch, nil)
			batch = nil
		}
	}
	if len(batch) > 0 && len(m.flight) < oldMaxInFlight {
		m.send(now, "subscribe", batch, nil)
	}
}

func (m *Machine) sendPacked(now time.Time, op string, topics []*oldTopic, c *oldCall) {
	for part := range slices.Chunk(topics, m.cfg.MaxArgs) {
		m.send(now, op, slices.Clone(part), c)
	}
}

func (m *Machine) send(now time.Time, op string, topics []*oldTopic, c *oldCall) {
	r := &oldRequest{id: m.reqID(), op: op, topics: topics, oldCall: c, sentAt: now}
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.name
		if op == "subscribe" {
			t.oldPhase, t.asked = oldSent, r
		}
	}
	if c != nil {
		c.left++
	}
	m.flight = append(m.flight, r)
	m.do(Send{Op: op, ReqID: r.id, Topics: names})
}

func (m *Machine) reqID() string {
	m.nextID++
	return strconv.Itoa(m.nextID)
}

// match finds the request that a reply answers. Some families echo the id,
// some name the topics, and some do neither: they answer in order.
func (m *Machine) match(a *Ack) int {
	if a.ReqID != "" {
		return slices.IndexFunc(m.flight, func(r *oldRequest) bool { return r.id == a.ReqID })
	}
	if len(a.Failed)+len(a.Succeeded) > 0 {
		return slices.IndexFunc(m.flight, func(r *oldRequest) bool {
			return (a.Op == "" || a.Op == r.op) && slices.ContainsFunc(r.topics, func(t *oldTopic) bool {
				return slices.Contains(a.Failed, t.name) || slices.Contains(a.Succeeded, t.name)
			})
		})
	}
	return slices.IndexFunc(m.flight, func(r *oldRequest) bool { return a.Op == "" || a.Op == r.op })
}

func (m *Machine) ack(now time.Time, a *Ack) {
	i := m.match(a)
	if m.state != Open || i < 0 {
		return
	}
	r := m.flight[i]
	m.flight = slices.Delete(m.flight, i, i+1)
	if r.op == "subscribe" {
		r.topics = slices.DeleteFunc(r.topics, func(t *oldTopic) bool { return t.gone || t.asked != r })
	}
	switch {
	case r.op == "unsubscribe":
		// Refused or not, the topic is not wanted and its frames are dropped.
		if r.oldCall != nil {
			m.answer(r.oldCall)
		}
	case a.Success || len(a.Failed)+len(a.Succeeded) > 0:
		for _, t := range r.topics {
			switch {
			case slices.Contains(a.Failed, t.name):
				m.refuse(now, t, a)
			case a.Success || slices.Contains(a.Succeeded, t.name):
				m.accept(t)
			default:
				m.refuse(now, t, a)
			}
		}
	default:
		m.refuseAll(now, r, a)
	}
}

// refuseAll handles a request of which one bad topic rejected all: the topic
// that the text names is taken out, and without a name the request is halved
// until the bad topic stands alone. Topics that data has proved meanwhile are
// asked for again like the rest: the data may be left over from an earlier
// subscription, and to ask twice costs nothing.
func (m *Machine) refuseAll(now time.Time, r *oldRequest, a *Ack) {
	topics := r.topics
	if len(topics) == 0 {
		return
	}
	named := oldNamedTopic(a.Message)
	if i := slices.IndexFunc(topics, func(t *oldTopic) bool { return t.name == named }); i >= 0 {
		m.refuse(now, topics[i], a)
		topics = slices.Delete(topics, i, i+1)
		if len(topics) > 0 {
			m.send(now, "subscribe", topics, nil)
		}
		return
	}
	if len(topics) == 1 {
		m.refuse(now, topics[0], a)
		return
	}
	half := len(topics) / 2
	m.send(now, "subscribe", slices.Clone(topics[:half]), nil)
	m.send(now, "subscribe", slices.Clone(topics[half:]), nil)
}

// namedTopic returns X of "error:handler not found,topic:X" and of spot's
// "Invalid symbol :[X]", the first if there are several.
func oldNamedTopic(message string) string {
	if i := strings.LastIndex(message, "topic:"); i >= 0 {
		return strings.TrimSpace(message[i+len("topic:"):])
	}
	_, list, _ := strings.Cut(message, ":[")
	first, _, _ := strings.Cut(strings.TrimSuffix(list, "]"), ",")
	return strings.TrimSpace(first)
}

func (m *Machine) accept(t *oldTopic) {
	t.oldPhase = oldLive
	t.delivered = true
	m.resolve(t, nil)
}

// refuse ends a topic, unless the reply says that it is subscribed already.
func (m *Machine) refuse(now time.Time, t *oldTopic, a *Ack) {
	if strings.Contains(a.Message, "already subscribed") {
		m.accept(t)
		return
	}
	rej := Rejection{Topic: t.name, Code: a.Code, Message: a.Message}
	if rej.Message == "" {
		rej.Message = "refused without a reason"
	}
	m.drop(t)
	m.do(Reject{rej})
	m.resolve(t, &rej)
}

func (m *Machine) arrived(name string) {
	if t := m.topics[name]; t != nil && m.state == Open && t.oldPhase == oldSent {
		m.accept(t)
	}
}

// resolve tells every call that waits for the topic.
func (m *Machine) resolve(t *oldTopic, rej *Rejection) {
	calls := t.calls
	t.calls = nil
	for _, c := range calls {
		if rej != nil {
			c.rejected = append(c.rejected, *rej)
		} else {
			c.accepted++
		}
		m.answer(c)
	}
}

func (m *Machine) answer(c *oldCall) {
	if c.left--; c.left == 0 {
		m.finish(c)
	}
}

func (m *Machine) finish(c *oldCall) {
	m.do(Done{Call: c.id, Accepted: c.accepted, Rejected: c.rejected})
}

// endCalls ends every open call with err, in the order they were made.
func (m *Machine) endCalls(err error) {
	var open []*oldCall
	for _, t := range m.order {
		open = append(open, t.calls...)
		t.calls = nil
	}
	for _, r := range m.flight {
		if r.oldCall != nil {
			open = append(open, r.oldCall)
		}
	}
	slices.SortFunc(open, func(a, b *oldCall) int { return a.id - b.id })
	for _, c := range slices.Compact(open) {
		m.do(Done{Call: c.id, Accepted: c.accepted, Rejected: c.rejected, Err: err})
	}
}

// expire handles requests that were not answered in time. One whose topics
// have all been answered by their data needs no reply.
func (m *Machine) expire(now time.Time) {
	for len(m.flight) > 0 && now.Sub(m.flight[0].sentAt) >= m.cfg.AckTimeout {
		r := m.flight[0]
		if !m.cfg.AssumeAck && slices.ContainsFunc(r.topics, r.unproven) {
			m.hangUp(ErrNoReply)
			return
		}
		m.flight = slices.Delete(m.flight, 0, 1)
		if r.oldCall != nil {
			m.answer(r.oldCall)
		}
		for _, t := range r.topics {
			if r.unproven(t) {
				m.accept(t)
			}
		}
	}
}

// unproven reports whether the topic hangs on the reply to this request.
func (r *oldRequest) unproven(t *oldTopic) bool {
	return r.op == "subscribe" && !t.gone && t.asked == r && t.oldPhase == oldSent
}

// resync marks a topic for the next round.
func (m *Machine) resync(now time.Time, name string) {
	t := m.topics[name]
	if t == nil || m.state != Open || t.oldPhase == oldPending || t.resyncDue {
		return
	}
	if t.resyncWait == 0 || now.Sub(t.resyncAt) > oldResyncCalm {
		t.resyncWait = oldResyncMin
		t.resyncAt = now
	}
	t.resyncDue = true
}

// resyncRound unsubscribes and subscribes the marked topics whose time has
// come, all in one round. The subscribe need not wait for the reply to the
// unsubscribe: the peer handles requests in order.
func (m *Machine) resyncRound(now time.Time) {
	if now.Before(m.resyncAt) {
		return
	}
	var due []*oldTopic
	for _, t := range m.order {
		if !t.resyncDue || t.oldPhase != oldLive || now.Before(t.resyncAt) {
			continue
		}
		t.resyncDue = false
		t.resyncAt = now.Add(t.resyncWait)
		t.resyncWait = min(2*t.resyncWait, oldResyncMax)
		due = append(due, t)
	}
	if len(due) == 0 {
		return
	}
	m.resyncAt = now.Add(oldResyncEvery)
	m.sendPacked(now, "unsubscribe", due, nil)
	for _, t := range due {
		t.oldPhase, t.asked = oldPending, nil // flush subscribes it
	}
}
