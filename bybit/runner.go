package bybit

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/bywire/bywire/internal/session"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsclient"
)

// letter is what others tell the runner. One field is set, but for open and
// abort, which come with another.
type letter struct {
	event       session.Event  // from the reader, the dialer, the consumer
	conn        *wsclient.Conn // with Dialed
	subscribe   *waiter
	unsubscribe *waiter
	open, close bool
	abort       bool
}

// mailbox takes letters without ever blocking the sender. What is in it is
// bounded by what sends: a letter per waiting call, per request in flight, per
// topic and connection.
type mailbox struct {
	wake chan struct{}

	mu      sync.Mutex // guards letters
	letters []letter
}

func (m *mailbox) put(l letter) {
	m.mu.Lock()
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

// runner owns the session machine of a stream and performs what it decides.
type runner struct {
	s       *Stream
	life    context.Context // ends with the stream: bounds dials
	machine *session.Machine
	timer   *time.Timer

	subs     map[string]*subscription
	waiting  map[int]*waiter
	nextCall int

	conn    *wsclient.Conn // open, or nil
	dialing bool
	reading bool  // the reader of conn has not reported its end
	number  int   // of the connection
	holds   int64 // of the reader, as of the last tick
	abort   bool
	failure error // of the first dial; read after done is closed
	final   error // what the stream ends with
}

func newRunner(life context.Context, s *Stream) *runner {
	limits := wire.Channel(s.ch).Limits()
	return &runner{
		s:    s,
		life: life,
		machine: session.NewMachine(session.Config{
			MaxArgs:   limits.ArgsPerRequest,
			MaxChars:  limits.ArgsChars,
			MaxTotal:  limits.ArgsPerConnection,
			AssumeAck: s.ch == RFQ || s.ch == Status || s.ch == Finance || wire.Channel(s.ch).IsCustom(),
			PingEvery: wire.PingInterval,
			Rand:      rand.Int64N,
		}),
		subs:    make(map[string]*subscription),
		waiting: make(map[int]*waiter),
		final:   ErrClosed,
	}
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
		if r.machine.State() == session.Closed && !r.dialing && !r.reading {
			return
		}
		r.arm()
	}
}

// tick tells the machine that time has passed. A reader that was held back since
// the last tick, if only for a part of it, may not have come to what has arrived.
func (r *runner) tick() {
	ev := session.Tick{Inbound: time.Now()}
	if r.conn != nil {
		ev.Inbound = r.conn.Inbound()
	}
	holds := r.s.holds.Load()
	ev.Held = holds != r.holds || holds%2 == 1
	r.holds = holds
	r.next(ev)
}

// arm sets the timer to when the machine wants to be woken.
func (r *runner) arm() {
	wait := time.Hour
	if wake := r.machine.Wake(); !wake.IsZero() {
		wait = max(0, time.Until(wake))
	}
	r.timer.Reset(wait)
}

// end answers whoever still waits and lets the consumer end after what is
// queued.
func (r *runner) end() {
	r.s.cancel()
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
			r.removeSubscriptions(added...) // the machine refused the call
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
	case l.conn != nil:
		r.dialing = false
		r.connected(l.conn)
	case l.event != nil:
		switch l.event.(type) {
		case session.DialFailed:
			r.dialing = false
		case session.Lost:
			r.reading = false
			r.conn = nil
			if endOfCapture(l.event.(session.Lost).Err) {
				r.s.cancel()
				r.final = ErrEndOfCapture
				r.next(session.Close{})
				return
			}
		}
		r.next(l.event)
	}
}

// call gives a waiter its number.
func (r *runner) call(w *waiter) int {
	r.nextCall++
	r.waiting[r.nextCall] = w
	return r.nextCall
}

// next feeds the machine and performs what it says.
func (r *runner) next(ev session.Event) {
	now := time.Now()
	for _, a := range r.machine.Next(now, ev) {
		r.perform(now, a)
	}
	r.s.count.session(r.machine)
}

func (r *runner) perform(now time.Time, a session.Action) {
	s := r.s
	switch a := a.(type) {
	case session.Dial:
		r.dialing = true
		go s.dial(r.life, a.Attempt)
	case session.HangUp:
		switch {
		case r.conn == nil:
		case a.Err == nil && !r.abort:
			r.conn.Close()
		case a.Err == nil:
			r.conn.Abort(ErrClosed)
		default:
			r.conn.Abort(a.Err)
		}
	case session.Send:
		r.send(a)
	case session.Gap:
		s.log.Warn("connection lost", "url", s.url, "topics", len(a.Topics), "error", a.Err)
		for _, name := range a.Topics {
			if sub := r.subs[name]; sub != nil {
				s.notify(sub, &GapEvent{Topic: sub.topic, Reason: GapDisconnected, Err: a.Err, Time: wallClock(now)})
			}
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
		close(w.answered)
	case session.Failed:
		r.failure = a.Err
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

// dial is one attempt. It runs on its own goroutine and reports to the runner.
func (s *Stream) dial(life context.Context, attempt int) {
	ctx, cancel := context.WithTimeout(life, s.client.opts.DialTimeout)
	defer cancel()
	conn, err := wsclient.Dial(ctx, &wsclient.Config{
		URL:         s.url,
		DialContext: s.client.opts.DialContext,
		TLS:         s.client.opts.TLS,
	})
	if err != nil {
		s.log.Info("dial", "url", s.url, "attempt", attempt, "error", err)
		s.mail.put(letter{event: session.DialFailed{Err: err}})
		return
	}
	s.mail.put(letter{conn: conn})
}

// connected starts the reader of a new connection. If the stream was closed in
// the meantime, nobody has read from the connection and nobody will.
func (r *runner) connected(conn *wsclient.Conn) {
	if r.machine.State() == session.Closed {
		conn.Abort(ErrClosed)
		conn.Wait()
		return
	}
	r.number++
	r.conn = conn
	r.reading = true
	r.s.count.connects.Store(int64(r.number))
	if r.number == 1 {
		close(r.s.up)
	}
	r.s.log.Info("connected", "url", r.s.url, "connection", r.number)
	go r.s.readFrom(conn, r.number)
	r.next(session.Dialed{})
}

func (r *runner) send(a session.Send) {
	if r.conn == nil {
		return // Lost is on its way and starts over
	}
	frame := wire.AppendRequest(nil, &wire.Request{Op: a.Op, ReqID: a.ReqID, Args: a.Topics})
	if err := r.conn.Send(frame); err != nil && !errors.Is(err, wsclient.ErrClosed) {
		r.conn.Abort(err) // the reader reports it
	}
}

func (r *runner) addSubscriptions(topics []Topic) (added []string) {
	table := maps.Clone(*r.s.table.Load())
	for _, t := range topics {
		if r.subs[t.name] == nil {
			sub := newSubscription(t, r.s.opts.Books)
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

// forget takes topics out of the registry: the reader knows them no more.
func (r *runner) forget(names ...string) {
	table := maps.Clone(*r.s.table.Load())
	for _, name := range names {
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
	r.s.notify(sub, &RejectedEvent{Topic: sub.topic, Err: err, Time: wallClock(now)})
}

// wallClock takes the monotonic reading off a time.
func wallClock(t time.Time) time.Time { return t.Round(0).UTC() }
