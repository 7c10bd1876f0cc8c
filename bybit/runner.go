package bybit

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/bywire/bywire/internal/session"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsclient"
)

// letter is what others tell the runner. One field is set, but for open and
// abort, which come with another.
type letter struct {
	event       session.Event // from a reader, a dialer, the consumer
	dialed      *dialed
	subscribe   *waiter
	unsubscribe *waiter
	held        *subscription // the consumer holds messages back, from now on
	fetch       *fullFetch    // a full book needs a snapshot
	fetched     *fullFetch    // its answer is queued
	tick        *fullTick     // a full book wants to be told the time
	pong        *session.Ack  // for the Trace alone
	tell        func()        // a hook of the Trace
	open, close bool
	abort       bool
}

// mailbox takes letters without ever blocking the sender. What is in it is
// bounded by what sends: a letter per waiting call, per request in flight, per
// topic and connection, and with a Trace per thing that it is told. After close
// letters go nowhere: nobody reads them any more.
type mailbox struct {
	wake chan struct{}

	mu      sync.Mutex // guards what follows
	letters []letter
	closed  bool
}

func (m *mailbox) close() {
	m.mu.Lock()
	m.letters, m.closed = nil, true
	m.mu.Unlock()
}

func (m *mailbox) put(l letter) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return
	}
	m.letters = append(m.letters, l)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default: // the runner has a wake-up to come
	}
}

func (m *mailbox) take(spare []letter) []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := m.letters
	m.letters = spare[:0]
	return taken
}

// runner owns the session of a stream and performs what it decides.
type runner struct {
	s       *Stream
	life    context.Context // ends with the stream: bounds dials
	session *session.Session
	timer   *time.Timer
	more    []session.Event // that the actions under way lead to

	subs     map[string]*subscription
	waiting  map[int]*waiter
	nextCall int
	overdue  []overdue                         // by time
	fetches  map[*fullFetch]context.CancelFunc // of snapshots that are on their way

	links   map[int]*link
	number  int // of connections that were made
	busy    int // dialers, readers and fetches that have not reported their end
	abort   bool
	failure error // of the first dial; read after done is closed
	final   error // what the stream ends with
}

// overdue is a notice that the consumer gets when its time has come: that a topic's
// lanes have waited long enough for a message, or that a full book may ask again.
type overdue struct {
	sub *subscription
	at  time.Time
	ev  Event
}

// later notes what is to become overdue.
func (r *runner) later(o overdue) {
	i := len(r.overdue)
	for i > 0 && r.overdue[i-1].at.After(o.at) {
		i--
	}
	r.overdue = slices.Insert(r.overdue, i, o)
}

func newRunner(life context.Context, s *Stream) *runner {
	r := &runner{
		s:       s,
		life:    life,
		subs:    make(map[string]*subscription),
		waiting: make(map[int]*waiter),
		links:   make(map[int]*link),
		fetches: make(map[*fullFetch]context.CancelFunc),
		final:   ErrClosed,
	}
	limits := wire.Channel(s.ch).Limits()
	watch := r.heard
	if s.opts.Overflow == OverflowWait {
		watch = nil // a replay is as quiet as what was recorded, and as the consumer is slow
	}
	r.session = session.New(session.Config{
		MaxArgs:   limits.ArgsPerRequest,
		MaxChars:  limits.ArgsChars,
		MaxTotal:  limits.ArgsPerConnection,
		AssumeAck: s.ch == RFQ || s.ch == Status || s.ch == Finance || wire.Channel(s.ch).IsCustom(),
		PingEvery: wire.PingInterval,
		Lanes:     s.opts.Duplicates,
		RollAfter: s.opts.RollAfter,
		Heard:     watch,
		Cadence:   r.cadence,
		Rand:      rand.Int64N,
	})
	return r
}

// heard is when a topic's last message came.
func (r *runner) heard(topic string) time.Time {
	sub := r.subs[topic]
	if sub == nil {
		return time.Time{}
	}
	ns := sub.heard.Load()
	if ns == 0 {
		return time.Time{}
	}
	return r.s.began.Add(time.Duration(ns))
}

// cadence is the longest silence of a topic that the exchange documents.
func (r *runner) cadence(topic string) time.Duration {
	if sub := r.subs[topic]; sub != nil {
		return sub.repeats
	}
	return 0
}

// endOfCapture reports whether a connection ended because the replay behind it
// was over.
func endOfCapture(err error) bool {
	closed, ok := errors.AsType[*CloseError](err)
	return ok && closed.Code == 1000 && closed.Reason == ErrEndOfCapture.Error()
}

// run is the runner's goroutine.
func (r *runner) run() {
	defer r.end()
	r.timer = time.NewTimer(time.Hour)
	defer r.timer.Stop()
	var letters []letter
	for {
		select {
		case <-r.s.mail.wake:
			letters = r.s.mail.take(letters)
			for i := range letters {
				r.open(&letters[i])
			}
			clear(letters)
		case <-r.timer.C:
			r.tick()
		}
		r.s.count.session(r)
		if r.session.State() == session.Closed && r.busy == 0 {
			return
		}
		r.arm()
	}
}

// tick tells the session that time has passed, and topics that have held
// messages back for long enough.
func (r *runner) tick() {
	now := time.Now()
	for len(r.overdue) > 0 && !r.overdue[0].at.After(now) {
		due := r.overdue[0]
		r.overdue = slices.Delete(r.overdue, 0, 1)
		r.s.notify(due.sub, due.ev)
	}
	var ev session.Tick
	for _, number := range slices.Sorted(maps.Keys(r.links)) {
		if l := r.links[number]; l.read != nil {
			ev.Links = append(ev.Links, l.tick())
		}
	}
	r.next(ev)
}

// arm sets the timer to when the session wants to be woken, or a topic.
func (r *runner) arm() {
	wait := time.Hour
	if wake := r.session.Wake(); !wake.IsZero() {
		wait = time.Until(wake)
	}
	if len(r.overdue) > 0 {
		wait = min(wait, time.Until(r.overdue[0].at))
	}
	r.timer.Reset(max(0, wait))
}

// end answers whoever still waits and lets the consumer end after what is
// queued.
func (r *runner) end() {
	r.s.cancel()
	r.s.mail.close()
	r.s.final = r.final
	r.s.queue.Close()
	r.s.client.forget(r.s)
	close(r.s.done)
}

// open handles one letter.
func (r *runner) open(l *letter) {
	if l.open {
		r.next(session.Start{})
	}
	switch {
	case l.subscribe != nil:
		w := l.subscribe
		added := r.addSubscriptions(w.topics)
		call := r.call(w)
		r.next(session.Subscribe{Call: call, Topics: w.names()})
		if r.waiting[call] == nil && w.result.Err != nil {
			r.removeSubscriptions(added...) // the session refused the call
		}
	case l.unsubscribe != nil:
		names := l.unsubscribe.names()
		r.removeSubscriptions(names...)
		r.next(session.Unsubscribe{Call: r.call(l.unsubscribe), Topics: names})
	case l.close:
		r.abort = l.abort
		r.s.cancel()
		close(r.s.closing)
		r.next(session.Close{})
	case l.dialed != nil:
		r.dialed(l.dialed)
	case l.held != nil:
		r.later(overdue{l.held, time.Now().Add(laneWait), &lanesNotice{overdue: true}})
	case l.fetch != nil:
		r.fetch(l.fetch)
	case l.fetched != nil:
		r.fetched(l.fetched)
	case l.tick != nil:
		r.later(overdue{l.tick.sub, l.tick.at, &fullNotice{tick: true}})
	case l.pong != nil:
		r.traceReply(l.pong)
	case l.tell != nil:
		l.tell()
	case l.event != nil:
		switch ev := l.event.(type) {
		case session.Lost:
			r.lost(ev)
			return
		case session.Ack:
			r.traceReply(&ev)
		case session.Resync:
			r.resync(ev.Topic)
			return
		}
		r.next(l.event)
	}
}

// resync asks for a new snapshot of a topic.
func (r *runner) resync(topic string) {
	if sub := r.subs[topic]; sub != nil {
		r.s.count.resyncs.Add(1)
		if told := r.s.client.opts.Trace.Resync; told != nil {
			told(sub.topic)
		}
	}
	r.next(session.Resync{Topic: topic})
}

// call gives a waiter its number.
func (r *runner) call(w *waiter) int {
	r.nextCall++
	r.waiting[r.nextCall] = w
	return r.nextCall
}

// next feeds the session and performs what it says.
func (r *runner) next(ev session.Event) {
	now := time.Now()
	for _, a := range r.session.Next(now, ev) {
		r.perform(now, a)
	}
	for len(r.more) > 0 {
		ev := r.more[0]
		r.more = slices.Delete(r.more, 0, 1)
		r.next(ev)
	}
}

func (r *runner) perform(now time.Time, a session.Action) {
	s := r.s
	switch a := a.(type) {
	case session.Dial:
		r.dial(a)
	case session.HangUp:
		r.hangUp(a)
	case session.Forget:
		delete(r.links, a.Link)
	case session.Handover:
		r.handedOver(a)
	case session.Send:
		r.send(a)
	case session.Gap:
		r.gap(now, a)
	case session.Doubt:
		r.doubt(now, a)
	case session.Lanes:
		for _, name := range a.Topics {
			if sub := r.subs[name]; sub != nil && sub.merge != nil {
				s.notify(sub, &lanesNotice{mask: a.Mask})
			}
		}
	case session.Silent:
		r.silent(now, a)
	case session.Revived:
		// The exchange still pushes the topic and knows of no new subscription.
		if sub := r.subs[a.Topic]; sub != nil && sub.snapshots(s.ch) {
			r.more = append(r.more, session.Resync(a))
		}
	case session.Reject:
		r.reject(now, a.Rejection)
	case session.Done:
		w := r.waiting[a.Call]
		delete(r.waiting, a.Call)
		if errors.Is(a.Err, session.ErrClosed) {
			a.Err = r.final
		}
		w.result = a
		for _, rej := range a.Rejected {
			w.refused = append(w.refused, RejectedError{Topic: topicNamed(w.topics, rej.Topic), Code: rej.Code, Message: rej.Message})
		}
		s.count.session(r) // who was answered finds it in Stats
		close(w.answered)
	case session.Failed:
		r.failure = a.Err
	}
}

func (r *runner) gap(now time.Time, a session.Gap) {
	s := r.s
	s.log.Warn("connection lost", "url", s.url, "topics", len(a.Topics), "error", a.Err)
	for _, name := range a.Topics {
		if sub := r.subs[name]; sub != nil {
			if told := s.client.opts.Trace.Gap; told != nil {
				told(sub.topic, GapDisconnected, a.Err)
			}
			s.notify(sub, &GapEvent{Topic: sub.topic, Reason: GapDisconnected, Err: a.Err, Time: wallClock(now)})
		}
	}
}

// silent handles a topic that is subscribed anew because it brought nothing. Where
// the exchange promises something, the user is told at once. Elsewhere that is for
// the next message to decide: thousands of options are quiet for a night, and that
// is no news.
func (r *runner) silent(now time.Time, a session.Silent) {
	s, sub := r.s, r.subs[a.Topic]
	if sub == nil {
		return
	}
	s.count.resyncs.Add(1)
	if told := s.client.opts.Trace.Silent; told != nil {
		told(sub.topic, wallClock(a.Since), a.Allowed)
	}
	ev := &SilentEvent{Topic: sub.topic, Since: wallClock(a.Since), Expected: a.Allowed, Time: wallClock(now)}
	if a.Promised {
		s.log.Warn("topic silent", "topic", a.Topic, "since", a.Since, "expected", a.Allowed)
		s.notify(sub, ev)
		return
	}
	s.log.Debug("topic silent", "topic", a.Topic, "since", a.Since, "expected", a.Allowed)
	s.notify(sub, &quietNotice{ev})
}

// doubt tells of messages that may have come on no connection. Order books know
// it by their update ids.
func (r *runner) doubt(now time.Time, a session.Doubt) {
	var topics []string
	for _, name := range a.Topics {
		sub := r.subs[name]
		if sub == nil || sub.chained || sub.kind == wire.KindFullOrderBook {
			continue
		}
		topics = append(topics, name)
		if sub.snapshots(r.s.ch) {
			r.more = append(r.more, session.Resync{Topic: name}) // the gap ends the state that it would build on
		}
	}
	if len(topics) > 0 {
		r.gap(now, session.Gap{Topics: topics, Err: a.Err})
	}
}

// topicNamed returns the topic of a name, as the user made it.
func topicNamed(topics []Topic, name string) Topic {
	for _, t := range topics {
		if t.name == name {
			return t
		}
	}
	return RawTopic(name)
}

func (r *runner) send(a session.Send) {
	l := r.links[a.Link]
	if l == nil || l.read == nil {
		return // Lost is on its way and starts over
	}
	frame := wire.AppendRequest(nil, &wire.Request{Op: a.Op, ReqID: a.ReqID, Args: a.Topics})
	err := l.read.conn.Send(frame)
	switch {
	case err == nil:
		if told := r.s.client.opts.Trace.Request; told != nil {
			told(r.s.traceLink(l), TraceRequest{Op: a.Op, ReqID: a.ReqID, Topics: slices.Clone(a.Topics)})
		}
	case !errors.Is(err, wsclient.ErrClosed):
		l.read.conn.Abort(err) // the reader reports it
	}
}

func (r *runner) addSubscriptions(topics []Topic) (added []string) {
	table := maps.Clone(*r.s.table.Load())
	for _, t := range topics {
		if r.subs[t.name] == nil {
			sub := newSubscription(t, r.s.ch, &r.s.opts)
			r.subs[t.name] = sub
			table[t.name] = sub
			added = append(added, t.name)
		}
	}
	r.s.table.Store(&table)
	return added
}

// removeSubscriptions takes topics off, with what is queued of them.
func (r *runner) removeSubscriptions(names ...string) {
	for _, name := range names {
		if sub := r.subs[name]; sub != nil {
			sub.gone.Store(true)
		}
	}
	r.forget(names...)
}

// forget takes topics out of the registry: the readers know them no more.
func (r *runner) forget(names ...string) {
	table := maps.Clone(*r.s.table.Load())
	for _, name := range names {
		for wish, stop := range r.fetches {
			if wish.sub == r.subs[name] {
				stop()
			}
		}
		delete(r.subs, name)
		delete(table, name)
	}
	r.s.table.Store(&table)
}

func (r *runner) reject(now time.Time, rej session.Rejection) {
	sub := r.subs[rej.Topic]
	if sub == nil {
		return
	}
	// What the topic brought before is still queued, and stays: the rejection
	// follows it.
	r.forget(rej.Topic)
	err := &RejectedError{Topic: sub.topic, Code: rej.Code, Message: rej.Message}
	r.s.log.Warn("topic rejected", "error", err)
	r.s.count.rejected(*err)
	if told := r.s.client.opts.Trace.Rejected; told != nil {
		told(err)
	}
	r.s.notify(sub, &RejectedEvent{Topic: sub.topic, Err: err, Time: wallClock(now)})
}

// wallClock takes the monotonic reading off a time.
func wallClock(t time.Time) time.Time { return t.Round(0).UTC() }
