package session

import "time"

func (m *Machine) dial() {
	m.state = Dialing
	m.do(Dial{Attempt: m.attempts})
}

func (m *Machine) dialed(now time.Time) {
	if m.state != Dialing {
		return
	}
	m.state = Open
	m.opened = true
	m.openedAt = now
	m.pingAt = now.Add(m.cfg.PingEvery)
	m.pingedAt = time.Time{}
	m.hangErr = nil
}

func (m *Machine) dialFailed(now time.Time, err error) {
	if m.state != Dialing {
		return
	}
	if !m.opened {
		m.state = Closed
		m.endCalls(err)
		m.do(Failed{Err: err})
		return
	}
	m.backOff(now)
}

// backOff waits a random part of a bound that doubles with each failure.
func (m *Machine) backOff(now time.Time) {
	bound := m.cfg.BackoffMax
	if m.attempts < 30 && m.cfg.BackoffMin<<m.attempts < bound {
		bound = m.cfg.BackoffMin << m.attempts
	}
	m.attempts++
	m.retryAt = now.Add(time.Duration(m.cfg.Rand(int64(bound) + 1)))
	m.state = Waiting
}

func (m *Machine) hangUp(err error) {
	m.state = Hanging
	m.hangErr = err
	m.do(HangUp{Err: err})
}

func (m *Machine) lost(now time.Time, err error) {
	if m.state != Open && m.state != Hanging {
		return
	}
	if m.hangErr != nil {
		err = m.hangErr
	}
	var missed []string
	for _, t := range m.order {
		if t.delivered {
			missed = append(missed, t.name)
		}
		t.delivered = false
		t.oldPhase = oldPending
		t.asked = nil
		t.resyncDue = false
	}
	if len(missed) > 0 {
		m.do(Gap{Topics: missed, Err: err})
	}
	// A topic whose unsubscribe was not answered is gone with the connection.
	for _, r := range m.flight {
		if r.oldCall != nil {
			m.answer(r.oldCall)
		}
	}
	m.flight = m.flight[:0]
	if now.Sub(m.openedAt) >= m.cfg.StableAfter {
		m.attempts = 0
	}
	m.backOff(now)
}

func (m *Machine) tick(now time.Time, ev *Tick) {
	switch m.state {
	case Waiting:
		if !now.Before(m.retryAt) {
			m.dial()
		}
	case Open:
		if ev.Held {
			m.pingedAt = time.Time{}
			for _, r := range m.flight {
				r.sentAt = now
			}
		}
		if !m.pingedAt.IsZero() {
			switch {
			case !ev.Inbound.Before(m.pingedAt): // a coarse clock gives both one time
				m.pingedAt = time.Time{}
			case now.Sub(m.pingedAt) >= m.cfg.PongTimeout:
				m.hangUp(ErrDeadPeer)
				return
			}
		}
		if !now.Before(m.pingAt) {
			m.do(Send{Op: "ping", ReqID: m.reqID()})
			m.pingAt = now.Add(m.cfg.PingEvery)
			// A ping that is still open keeps its older, stricter time.
			if m.pingedAt.IsZero() {
				m.pingedAt = now
			}
		}
		m.expire(now)
	}
}

func (m *Machine) close() {
	if m.state == Open {
		m.do(HangUp{})
	}
	m.state = Closed
	m.endCalls(ErrClosed)
}

// afterClose answers what comes in when everything is over.
func (m *Machine) afterClose(ev Event) {
	switch ev := ev.(type) {
	case Subscribe:
		m.do(Done{Call: ev.Call, Err: ErrClosed})
	case Unsubscribe:
		m.do(Done{Call: ev.Call, Err: ErrClosed})
	case Dialed:
		m.do(HangUp{})
	}
}
