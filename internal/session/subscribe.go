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
			chars += len(name) + argOverhead
		}
	}
	if err := m.fits(count, chars); err != nil && len(added) > 0 {
		m.do(Done{Call: ev.Call, Err: err})
		return
	}
	c := &call{id: ev.Call}
	for _, name := range added {
		t := &topic{name: name}
		m.topics[name] = t
		m.order = append(m.order, t)
		m.chars += len(name) + argOverhead
	}
	for _, name := range ev.Topics {
		t := m.topics[name]
		if t.phase == live || slices.Contains(t.calls, c) {
			if t.phase == live {
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
	c := &call{id: ev.Call}
	var told []*topic
	for _, name := range ev.Topics {
		t := m.topics[name]
		if t == nil {
			continue
		}
		m.drop(t)
		m.resolve(t, &Rejection{Topic: name, Message: "unsubscribed before it was answered"})
		if t.phase != pending {
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
func (m *Machine) drop(t *topic) {
	t.gone = true
	delete(m.topics, t.name)
	m.chars -= len(t.name) + argOverhead
	if i := slices.Index(m.order, t); i >= 0 {
		m.order = slices.Delete(m.order, i, i+1)
	}
}

// flush sends what is pending, as far as requests may be in flight.
func (m *Machine) flush(now time.Time) {
	var batch []*topic
	for _, t := range m.order {
		if t.phase != pending {
			continue
		}
		if len(m.flight) >= maxInFlight {
			break
		}
		batch = append(batch, t)
		if len(batch) == m.cfg.MaxArgs {
			m.send(now, "subscribe", batch, nil)
			batch = nil
		}
	}
	if len(batch) > 0 && len(m.flight) < maxInFlight {
		m.send(now, "subscribe", batch, nil)
	}
}

func (m *Machine) sendPacked(now time.Time, op string, topics []*topic, c *call) {
	for part := range slices.Chunk(topics, m.cfg.MaxArgs) {
		m.send(now, op, slices.Clone(part), c)
	}
}

func (m *Machine) send(now time.Time, op string, topics []*topic, c *call) {
	r := &request{id: m.reqID(), op: op, topics: topics, call: c, sentAt: now}
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.name
		if op == "subscribe" {
			t.phase, t.asked = sent, r
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
		return slices.IndexFunc(m.flight, func(r *request) bool { return r.id == a.ReqID })
	}
	if len(a.Failed)+len(a.Succeeded) > 0 {
		return slices.IndexFunc(m.flight, func(r *request) bool {
			return (a.Op == "" || a.Op == r.op) && slices.ContainsFunc(r.topics, func(t *topic) bool {
				return slices.Contains(a.Failed, t.name) || slices.Contains(a.Succeeded, t.name)
			})
		})
	}
	return slices.IndexFunc(m.flight, func(r *request) bool { return a.Op == "" || a.Op == r.op })
}

func (m *Machine) ack(now time.Time, a *Ack) {
	i := m.match(a)
	if m.state != Open || i < 0 {
		return
	}
	r := m.flight[i]
	m.flight = slices.Delete(m.flight, i, i+1)
	if r.op == "subscribe" {
		r.topics = slices.DeleteFunc(r.topics, func(t *topic) bool { return t.gone || t.asked != r })
	}
	switch {
	case r.op == "unsubscribe":
		// Refused or not, the topic is not wanted and its frames are dropped.
		if r.call != nil {
			m.answer(r.call)
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
func (m *Machine) refuseAll(now time.Time, r *request, a *Ack) {
	topics := r.topics
	if len(topics) == 0 {
		return
	}
	named := namedTopic(a.Message)
	if i := slices.IndexFunc(topics, func(t *topic) bool { return t.name == named }); i >= 0 {
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
func namedTopic(message string) string {
	if i := strings.LastIndex(message, "topic:"); i >= 0 {
		return strings.TrimSpace(message[i+len("topic:"):])
	}
	_, list, _ := strings.Cut(message, ":[")
	first, _, _ := strings.Cut(strings.TrimSuffix(list, "]"), ",")
	return strings.TrimSpace(first)
}

func (m *Machine) accept(t *topic) {
	t.phase = live
	t.delivered = true
	m.resolve(t, nil)
}

// refuse ends a topic, unless the reply says that it is subscribed already.
func (m *Machine) refuse(now time.Time, t *topic, a *Ack) {
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
	if t := m.topics[name]; t != nil && m.state == Open && t.phase == sent {
		m.accept(t)
	}
}

// resolve tells every call that waits for the topic.
func (m *Machine) resolve(t *topic, rej *Rejection) {
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

func (m *Machine) answer(c *call) {
	if c.left--; c.left == 0 {
		m.finish(c)
	}
}

func (m *Machine) finish(c *call) {
	m.do(Done{Call: c.id, Accepted: c.accepted, Rejected: c.rejected})
}

// endCalls ends every open call with err, in the order they were made.
func (m *Machine) endCalls(err error) {
	var open []*call
	for _, t := range m.order {
		open = append(open, t.calls...)
		t.calls = nil
	}
	for _, r := range m.flight {
		if r.call != nil {
			open = append(open, r.call)
		}
	}
	slices.SortFunc(open, func(a, b *call) int { return a.id - b.id })
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
		if r.call != nil {
			m.answer(r.call)
		}
		for _, t := range r.topics {
			if r.unproven(t) {
				m.accept(t)
			}
		}
	}
}

// unproven reports whether the topic hangs on the reply to this request.
func (r *request) unproven(t *topic) bool {
	return r.op == "subscribe" && !t.gone && t.asked == r && t.phase == sent
}

// resync marks a topic for the next round.
func (m *Machine) resync(now time.Time, name string) {
	t := m.topics[name]
	if t == nil || m.state != Open || t.phase == pending || t.resyncDue {
		return
	}
	if t.resyncWait == 0 || now.Sub(t.resyncAt) > resyncCalm {
		t.resyncWait = resyncMin
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
	var due []*topic
	for _, t := range m.order {
		if !t.resyncDue || t.phase != live || now.Before(t.resyncAt) {
			continue
		}
		t.resyncDue = false
		t.resyncAt = now.Add(t.resyncWait)
		t.resyncWait = min(2*t.resyncWait, resyncMax)
		due = append(due, t)
	}
	if len(due) == 0 {
		return
	}
	m.resyncAt = now.Add(resyncEvery)
	m.sendPacked(now, "unsubscribe", due, nil)
	for _, t := range due {
		t.phase, t.asked = pending, nil // flush subscribes it
	}
}
