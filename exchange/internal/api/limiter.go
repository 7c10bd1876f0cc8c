package api

import (
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
	// maxQuery bounds what a request may bring beside its body and its headers (choice; the venue documents nothing).
	maxQuery = 8 << 10
	// maxAddresses bounds the addresses that are counted: one that has been silent for longest is forgotten first.
	maxAddresses = 4096
)

// Admit says whether a request of an IP address may go on to Serve: nil, or what to answer at once. It is called on the
// goroutine of the connection.
func (a *API) Admit(r *http.Request, address string) *Response {
	if a.limiter != nil && !a.limiter.allow(address) {
		return a.turnAway(&Refusal{Status: http.StatusForbidden, Code: http.StatusForbidden, Message: banned})
	}
	if r.Method == http.MethodGet && r.ContentLength != 0 {
		// V5 page: error. A GET with a body, even an empty JSON one, is an HTTP 403. The words are a choice.
		return a.turnAway(&Refusal{Status: http.StatusForbidden, Code: http.StatusForbidden, Message: "a GET has no body"})
	}
	return nil
}

// turnAway makes the reply to a request that does not reach the market.
func (a *API) turnAway(refused *Refusal) *Response {
	now := a.time()
	return &Response{
		Status: refused.status(),
		Header: header(now, refused.Code, 1<<63|a.turned.Add(1)),
		Body:   refused.append(nil, now),
	}
}

// limiter counts the requests of each address. The last requests stand in a ring, so that the limit holds for each
// span of 5 s and not only for those that begin at full seconds (choice; the documentation says "within 5 s").
//
// Choice: a second has passed when one has passed by the wall clock or by the exchange's. A client that paces itself by
// either is not banned then, whatever the exchange's clock is, and neither waits ten minutes of the slower one.
type limiter struct {
	wall    func() time.Time
	virtual func() int64

	mu        sync.Mutex
	seen      map[string]*caller
	now       time.Duration // what has passed so far
	atWall    time.Time     // when it was looked at last
	atVirtual int64
}

// caller is one address.
type caller struct {
	times  []time.Duration // of its last requests: a ring once it is full
	next   int             // where the oldest is then
	last   time.Duration
	banned time.Duration // until when
}

func newLimiter(wall func() time.Time, virtual func() int64) *limiter {
	return &limiter{wall: wall, virtual: virtual, seen: make(map[string]*caller), atWall: wall(), atVirtual: virtual()}
}

// tick lets the time pass. The exchange's goes back when a snapshot is restored: then the wall clock alone counts.
func (l *limiter) tick() {
	wall, virtual := l.wall(), l.virtual()
	l.now += max(wall.Sub(l.atWall), time.Duration(virtual-l.atVirtual), 0)
	l.atWall, l.atVirtual = wall, virtual
}

// allow counts a request. One that comes during a ban does not make it longer (choice; the documentation says that a
// ban is lifted by itself after at least 10 minutes).
func (l *limiter) allow(ip string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick()
	c := l.seen[ip]
	if c == nil {
		if len(l.seen) >= maxAddresses {
			l.forget()
		}
		c = &caller{}
		l.seen[ip] = c
	}
	c.last = l.now
	if l.now < c.banned {
		return false
	}
	switch {
	case len(c.times) < limitCalls:
		c.times = append(c.times, l.now)
	case l.now-c.times[c.next] < limitSpan:
		c.banned = l.now + limitBan
		c.times, c.next = nil, 0
		return false
	default:
		c.times[c.next] = l.now
		c.next = (c.next + 1) % limitCalls
	}
	return true
}

// forget drops the address that has been silent for longest and is not banned, or else the one silent for longest.
func (l *limiter) forget() {
	var victim string
	var found *caller
	for ip, c := range l.seen {
		if found != nil {
			held, heldFound := l.now < c.banned, l.now < found.banned
			if held && !heldFound || held == heldFound && c.last >= found.last {
				continue
			}
		}
		victim, found = ip, c
	}
	delete(l.seen, victim)
}
