package bybit

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// The venue's bound on new connections: 500 in 5 minutes to one host. V5 page:
// ws/connect, "Connection limits".
const (
	defaultConnects    = 500
	defaultConnectsPer = 5 * time.Minute
)

// BudgetOptions are what a [Budget] is made with. Nil means the defaults.
type BudgetOptions struct {
	// Connects is how many connections may be begun within Per. Default: 500,
	// the venue's limit.
	Connects int

	// Per is the span that Connects counts in, at any moment the last one.
	// Default: 5 minutes.
	Per time.Duration

	// Requests is how many requests of REST may be made within RequestsPer.
	// Default: 600, the venue's limit for one IP address.
	Requests int

	// RequestsPer is the span that Requests counts in. Default: 5 s.
	RequestsPer time.Duration
}

// Budget bounds what one IP address asks of one host, so that it is not banned.
//
// It bounds how many WebSocket connections are begun in a span of time, also when many
// streams lose theirs at once. A dial that would exceed it waits; those that
// wait go first come, first served. Dials that fail count as well.
//
// It bounds requests of REST: all of them together, and those of each account at each
// endpoint. The latter limits come from the documentation and are corrected by the headers
// of replies, so that raised limits are used and what others send for the account is counted.
// Each order of a batch counts, except on option. A place is taken until the span has
// passed since the reply. A call that would exceed a limit waits, cancels before all
// others and writes before reads, or fails with a [*LimitError], as [Options].Limits and
// [Options].WriteWait say.
//
// When the exchange says that it has banned the address (HTTP 403), calls to that host fail
// for ten minutes. A 403 that says nothing may come from a proxy or a firewall, for one request:
// calls to that host wait for a second, after further ones for up to 8 s, and then go one at a
// time until one gets through. Cancels go at once, up to three at a time. One that speaks of
// the country of the address is the call's error and nothing else.
//
// A client has a budget of its own unless [Options].Budget gives it one. Clients
// behind one IP address share one:
//
//	budget := bybit.NewBudget(nil)
//	a, err := bybit.NewClient(&bybit.Options{Budget: budget})
//	b, err := bybit.NewClient(&bybit.Options{Budget: budget})
//
// It is safe for concurrent use. V5 pages: [ws/connect], [rate-limit].
//
// [ws/connect]: https://bybit-exchange.github.io/docs/v5/ws/connect
// [rate-limit]: https://bybit-exchange.github.io/docs/v5/rate-limit
type Budget struct {
	connects    int
	per         time.Duration
	requests    int
	requestsPer time.Duration

	mu    sync.Mutex // guards what follows
	hosts map[string]*hostBudget
	gates map[limitKey]*gate
}

// hostBudget is the budget of one host.
type hostBudget struct {
	// turn holds one token: who has put it in is the next to dial.
	turn chan struct{}

	mu      sync.Mutex  // guards what follows
	begun   []time.Time // of the connects within the last span, oldest first
	waiting int
}

// BudgetUse is what one host has taken of a [Budget].
type BudgetUse struct {
	Host     string // with the port, if the URL has one
	Begun    int    // connections begun within the last span
	Connects int    // of so many
	Per      time.Duration
	Waiting  int // dials that wait for room
}

// NewBudget returns a budget of which nothing is used.
func NewBudget(opts *BudgetOptions) *Budget {
	b := &Budget{
		connects: defaultConnects, per: defaultConnectsPer, requests: defaultRequests, requestsPer: defaultRequestsPer,
		hosts: make(map[string]*hostBudget), gates: make(map[limitKey]*gate),
	}
	if opts != nil && opts.Connects > 0 {
		b.connects = opts.Connects
	}
	if opts != nil && opts.Per > 0 {
		b.per = opts.Per
	}
	if opts != nil && opts.Requests > 0 {
		b.requests = opts.Requests
	}
	if opts != nil && opts.RequestsPer > 0 {
		b.requestsPer = opts.RequestsPer
	}
	return b
}

// Uses returns what has been used, by host.
func (b *Budget) Uses() []BudgetUse {
	b.mu.Lock()
	defer b.mu.Unlock()
	uses := make([]BudgetUse, 0, len(b.hosts))
	for host, h := range b.hosts {
		h.mu.Lock()
		h.expire(time.Now().Add(-b.per))
		uses = append(uses, BudgetUse{Host: host, Begun: len(h.begun), Connects: b.connects, Per: b.per, Waiting: h.waiting})
		h.mu.Unlock()
	}
	slices.SortFunc(uses, func(x, y BudgetUse) int { return cmp.Compare(x.Host, y.Host) })
	return uses
}

func (b *Budget) host(name string) *hostBudget {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.hosts[name]
	if h == nil {
		h = &hostBudget{turn: make(chan struct{}, 1)}
		b.hosts[name] = h
	}
	return h
}

// take waits until a connection to the host may begin, and counts it. The error
// is ctx's; then nothing is counted. full is called, once, if it has to wait.
func (b *Budget) take(ctx context.Context, host string, full func()) error {
	h := b.host(host)
	if h.tryBegin(b.connects, b.per) {
		return nil
	}
	defer h.await(-1)
	full()
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.turn }()
	for {
		wait := h.begin(b.connects, b.per)
		if wait <= 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// tryBegin counts a connection if there is room that nobody waits for; otherwise
// the caller waits from now on.
func (h *hostBudget) tryBegin(connects int, per time.Duration) bool {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expire(now.Add(-per))
	if h.waiting > 0 || len(h.begun) >= connects {
		h.waiting++
		return false
	}
	h.begun = append(h.begun, now)
	return true
}

func (h *hostBudget) await(n int) {
	h.mu.Lock()
	h.waiting += n
	h.mu.Unlock()
}

// begin counts a connection if there is room for it, else it returns how long
// there will be none.
func (h *hostBudget) begin(connects int, per time.Duration) time.Duration {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expire(now.Add(-per))
	if len(h.begun) < connects {
		h.begun = append(h.begun, now)
		return 0
	}
	return h.begun[0].Add(per).Sub(now)
}

// expire forgets the connects up to a time. The caller has the lock.
func (h *hostBudget) expire(until time.Time) {
	n := 0
	for n < len(h.begun) && !h.begun[n].After(until) {
		n++
	}
	h.begun = slices.Delete(h.begun, 0, n)
}
