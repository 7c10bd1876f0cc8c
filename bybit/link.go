package bybit

import (
	"context"
	"net/url"
	"time"

	"github.com/bywire/bywire/internal/session"
	"github.com/bywire/bywire/internal/wsclient"
)

// link is a place for a connection, as the session has it: a connection that is
// lost is replaced by another in the same place. The runner owns it.
type link struct {
	number int // of the session
	lane   int
	read   *reader // of the connection; nil while there is none
	made   int     // the number of the last connection, 0 before the first
	since  time.Time
	holds  int64 // of the reader, as of the last tick

	// ended says that the replay on the other end is over: there is nothing to dial
	// for any more. The session is not told, so that it does not.
	ended bool
}

// tick is what is known of a link that has a connection. A reader that was held
// back since the last tick, if only for a part of it, may not have come to what
// has arrived.
func (l *link) tick() session.LinkTick {
	if l.ended {
		return session.LinkTick{Link: l.number, Inbound: time.Now(), Held: true}
	}
	holds := l.read.holds.Load()
	held := holds != l.holds || holds%2 == 1
	l.holds = holds
	return session.LinkTick{Link: l.number, Inbound: l.read.conn.Inbound(), Held: held}
}

// dialed is how a dial ended.
type dialed struct {
	link int
	conn *wsclient.Conn
	err  error
	took time.Duration
}

// dial begins an attempt.
func (r *runner) dial(a session.Dial) {
	l := r.links[a.Link]
	if l == nil {
		l = &link{number: a.Link, lane: a.Lane}
		r.links[a.Link] = l
	}
	r.busy++
	go r.s.dial(r.life, r.s.traceLink(l), a.Attempt)
}

// dial is one attempt. It runs on its own goroutine and reports to the runner. The
// wait for the budget does not count against DialTimeout.
func (s *Stream) dial(life context.Context, link TraceLink, attempt int) {
	trace := s.client.opts.Trace
	d := &dialed{link: link.Link}
	d.err = s.client.opts.Budget.take(life, hostOf(s.url), func() {
		s.log.Warn("connect budget used up", "url", s.url)
		if trace.BudgetFull != nil {
			s.mail.put(letter{tell: func() { trace.BudgetFull(link) }})
		}
	})
	if d.err == nil {
		if trace.Dialing != nil {
			s.mail.put(letter{tell: func() { trace.Dialing(link, attempt) }})
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(life, s.client.opts.DialTimeout)
		d.conn, d.err = wsclient.Dial(ctx, &wsclient.Config{
			URL:         s.url,
			DialContext: s.client.opts.DialContext,
			TLS:         s.client.opts.TLS,
			BusyPoll:    s.opts.BusyPoll,
		})
		cancel()
		d.took = time.Since(began)
	}
	if d.err != nil {
		s.log.Info("dial", "url", s.url, "attempt", attempt, "error", d.err)
	}
	s.mail.put(letter{dialed: d})
}

// hostOf returns the host of a URL that could be dialled, with its port.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw // the dial will say what is wrong
	}
	return u.Host
}

// dialed takes a dial's end in, and starts the reader of a new connection. If the
// stream was closed in the meantime, or the link given up, nobody has read from the
// connection and nobody will.
func (r *runner) dialed(d *dialed) {
	r.busy--
	l := r.links[d.link]
	switch {
	case d.err != nil:
		if told := r.s.client.opts.Trace.DialFailed; told != nil && l != nil {
			told(r.s.traceLink(l), d.err)
		}
		r.next(session.DialFailed{Link: d.link, Err: d.err})
		return
	case l == nil || r.session.State() == session.Closed:
		d.conn.Abort(ErrClosed)
		d.conn.Wait()
		return
	}
	s := r.s
	r.number++
	if l.made > 0 {
		s.count.reconnects.Add(1)
	}
	l.made, l.since, l.holds = r.number, time.Now(), 0
	l.read = &reader{s: s, conn: d.conn, link: l.number, lane: uint8(l.lane), number: r.number}
	r.busy++
	s.count.connects.Store(int64(r.number))
	if r.number == 1 {
		close(s.up)
	}
	s.log.Info("connected", "url", s.url, "connection", r.number)
	if told := s.client.opts.Trace.Connected; told != nil {
		told(s.traceLink(l), d.took)
	}
	go l.read.run()
	r.next(session.Dialed{Link: l.number})
}

// hangUp ends a connection.
func (r *runner) hangUp(a session.HangUp) {
	l := r.links[a.Link]
	switch {
	case l == nil || l.read == nil || l.ended:
	case a.Err == nil && !r.abort:
		l.read.conn.Close()
	case a.Err == nil:
		l.read.conn.Abort(ErrClosed)
	default:
		l.read.conn.Abort(a.Err)
	}
}

// lost takes in that the reader of a connection has ended.
func (r *runner) lost(ev session.Lost) {
	r.busy--
	s := r.s
	l := r.links[ev.Link]
	if l == nil {
		return
	}
	if told := s.client.opts.Trace.Disconnected; told != nil {
		told(s.traceLink(l), time.Since(l.since), ev.Err)
	}
	if endOfCapture(ev.Err) && r.session.State() != session.Closed {
		l.ended = true
		for _, other := range r.links {
			if !other.ended {
				return // its replay goes on
			}
		}
		s.cancel()
		r.final = ErrEndOfCapture
		r.next(session.Close{})
		return
	}
	l.read = nil
	r.next(ev)
}

// handedOver tells of a connection that was replaced while it was open.
func (r *runner) handedOver(a session.Handover) {
	s := r.s
	s.count.handovers.Add(1)
	from, to := r.links[a.From], r.links[a.To]
	if from == nil || to == nil {
		return
	}
	s.log.Info("connection replaced", "url", s.url, "from", from.made, "to", to.made)
	if told := s.client.opts.Trace.HandedOver; told != nil {
		told(s.traceLink(from), s.traceLink(to))
	}
}

// traceLink describes a link to the user.
func (s *Stream) traceLink(l *link) TraceLink {
	t := TraceLink{Channel: s.ch, URL: s.url, Link: l.number, Lane: l.lane}
	if l.read != nil {
		t.Connection = l.made
	}
	return t
}

// traceReply tells of a control frame that came.
func (r *runner) traceReply(a *session.Ack) {
	told := r.s.client.opts.Trace.Reply
	l := r.links[a.Link]
	if told == nil || l == nil {
		return
	}
	told(r.s.traceLink(l), TraceReply{
		Op: a.Op, ReqID: a.ReqID, Success: a.Success, Code: a.Code, Message: a.Message,
		Failed: a.Failed, Succeeded: a.Succeeded,
	})
}
