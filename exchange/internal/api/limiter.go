package api

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// The limit of an address. V5 page: rate-limit.
const (
	limitCalls = 600
	limitSpan  = 5 * time.Second
	limitBan   = 10 * time.Minute
	// banned is the venue's message; the SDK knows a ban by these words.
	banned = "access too frequent"
	// maxQuery and maxHeader bound what a request may bring beside its body (choice; the venue documents nothing).
	maxQuery = 8 << 10
	// maxAddresses bounds the addresses that are counted: one that has been silent for longest is forgotten first.
	maxAddresses = 4096
)

// Admit says whether a request may go on to Serve: nil, or what to answer at once. It is called on the goroutine of
// the connection.
func (a *API) Admit(r *http.Request) *Response {
	if a.limiter != nil && !a.limiter.allow(address(r.RemoteAddr)) {
		return a.turnAway(&Refusal{Status: http.StatusForbidden, Code: http.StatusForbidden, Message: banned})
	}
	if r.Method == http.MethodGet && r.ContentLength != 0 {
		// V5 page: error. A GET with a body, even an empty JSON one, is an HTTP 403. The words are a choice.
		return a.turnAway(&Refusal{Status: http.StatusForbidden, Code: http.StatusForbidden, Message: "a GET has no body"})
	}
	return nil
}

// turnAway makes the reply to a request that does not reach the market: it is of the wall clock.
func (a *API) turnAway(refused *Refusal) *Response {
	now := time.Now().UnixNano()
	if a.limiter != nil {
		now = a.limiter.now().UnixNano()
	}
	return &Response{
		Status: refused.status(),
		Header: header(now, refused.Code, 1<<63|a.turned.Add(1)),
		Body:   refused.append(nil, now),
	}
}

// address is the IP of a remote address.
func address(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}

// limiter counts the requests of each address. The last requests stand in a ring, so that the limit holds for each
// span of 5 s and not only for those that begin at full seconds (choice; the documentation says "within 5 s").
type limiter struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[string]*caller
}

// caller is one address.
type caller struct {
	times  []time.Time // of its last requests: a ring once it is full
	next   int         // where the oldest is then
	last   time.Time
	banned time.Time // until when
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, seen: make(map[string]*caller)}
}

// allow counts a request. One that comes during a ban does not make it longer (choice; the documentation says that a
// ban is lifted by itself after at least 10 minutes).
func (l *limiter) allow(ip string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	c := l.seen[ip]
	if c == nil {
		if len(l.seen) >= maxAddresses {
			l.forget()
		}
		c = &caller{}
		l.seen[ip] = c
	}
	c.last = now
	if now.Before(c.banned) {
		return false
	}
	switch {
	case len(c.times) < limitCalls:
		c.times = append(c.times, now)
	case now.Sub(c.times[c.next]) < limitSpan:
		c.banned = now.Add(limitBan)
		c.times, c.next = nil, 0
		return false
	default:
		c.times[c.next] = now
		c.next = (c.next + 1) % limitCalls
	}
	return true
}

// forget drops the address that has been silent for longest and is not banned, or else the one silent for longest.
func (l *limiter) forget() {
	var victim string
	var found *caller
	now := l.now()
	for ip, c := range l.seen {
		if found != nil {
			held, heldFound := now.Before(c.banned), now.Before(found.banned)
			if held && !heldFound || held == heldFound && !c.last.Before(found.last) {
				continue
			}
		}
		victim, found = ip, c
	}
	delete(l.seen, victim)
}
