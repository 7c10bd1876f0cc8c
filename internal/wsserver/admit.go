package wsserver

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// Limits are what a server refuses connections beyond, with HTTP status 403.
type Limits struct {
	// Open is how many connections one address may have open on one channel; the venue says 1,000 for market data.
	// Default 0, any number.
	Open int
	// New is how many connections one address may open within NewSpan on all channels; the venue says 500 per
	// 5 minutes. Default 0, any number.
	New int
	// AnyArgs lifts the limits on the arguments of subscribe requests. Default false.
	AnyArgs bool
}

// NewSpan is the time over which Limits.New counts; see the V5 page ws/connect.
const NewSpan = 5 * time.Minute

// VenueLimits returns what the venue documents.
func VenueLimits() Limits { return Limits{Open: 1000, New: 500} }

// doorKey is what Limits.Open counts by.
type doorKey struct {
	remote  string
	channel wire.Channel
}

// admissions count the connections of addresses. Server.mu guards them.
type admissions struct {
	open   map[doorKey]int
	recent map[string]*span
	sweep  time.Time // when recent is next rid of addresses that have gone
}

// span is the last Limits.New connections of an address, as a ring of times.
type span struct {
	at   []time.Time
	next int
}

// admit counts a connection, or says why it is refused.
func (v *Server) admit(remote string, ch wire.Channel) (refusal string) {
	limits := v.opts.Limits
	v.mu.Lock()
	defer v.mu.Unlock()
	a := &v.admitted
	key := doorKey{remote, ch}
	if limits.Open > 0 && a.open[key] >= limits.Open {
		return "too many connections of this address on this channel"
	}
	if limits.New > 0 {
		if !a.note(remote, limits.New, time.Now()) {
			return "too many new connections of this address"
		}
	}
	if limits.Open > 0 {
		if a.open == nil {
			a.open = map[doorKey]int{}
		}
		a.open[key]++
	}
	return ""
}

// isHandshake reports whether a request is one that UpgradeHTTP accepts; see RFC 6455, 4.1. What is none opens no connection
// and does not count as one.
func isHandshake(r *http.Request) bool {
	h := r.Header
	upgrades := slices.ContainsFunc(strings.Split(h.Get("Connection"), ","), func(token string) bool {
		return strings.EqualFold(strings.TrimSpace(token), "upgrade")
	})
	return r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && r.Host != "" && upgrades &&
		strings.EqualFold(h.Get("Upgrade"), "websocket") && h.Get("Sec-WebSocket-Version") == "13" &&
		len(h.Get("Sec-WebSocket-Key")) == keySize
}

// keySize is the length of a Sec-WebSocket-Key: 16 bytes in base64.
const keySize = 24

// release takes out a connection that admit has counted.
func (v *Server) release(remote string, ch wire.Channel) {
	if v.opts.Limits.Open <= 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	key := doorKey{remote, ch}
	if v.admitted.open[key]--; v.admitted.open[key] <= 0 {
		delete(v.admitted.open, key)
	}
}

// note records a new connection, and reports false when the address has had its n within NewSpan. A refused one does
// not count (choice), so who keeps trying gets in when the oldest is old enough.
func (a *admissions) note(remote string, n int, now time.Time) bool {
	if a.recent == nil {
		a.recent = map[string]*span{}
	}
	if now.After(a.sweep) {
		for name, s := range a.recent {
			if now.Sub(s.at[(s.next+len(s.at)-1)%len(s.at)]) >= NewSpan {
				delete(a.recent, name)
			}
		}
		a.sweep = now.Add(NewSpan)
	}
	s := a.recent[remote]
	if s == nil {
		s = &span{}
		a.recent[remote] = s
	}
	if len(s.at) < n {
		s.at = append(s.at, now)
		s.next = 0
		return true
	}
	if now.Sub(s.at[s.next]) < NewSpan {
		return false
	}
	s.at[s.next] = now
	s.next = (s.next + 1) % n
	return true
}

// AddressOf is a host and port without the port: what connections and requests are counted by.
func AddressOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	return host
}
