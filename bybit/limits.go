package bybit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// The venue's bound on requests of one IP address, and for how long it bans an address
// that exceeds it. V5 page: rate-limit.
const (
	defaultRequests    = 600
	defaultRequestsPer = 5 * time.Second
	banned             = 10 * time.Minute
)

// LimitPolicy is what a call does when a limit is used up.
type LimitPolicy uint8

const (
	// LimitWait waits until there is room, for ctx at most. Cancels go before all
	// others.
	LimitWait LimitPolicy = iota

	// LimitRefuse fails at once with a [*LimitError].
	LimitRefuse
)

// LimitScope says whose limit is used up.
type LimitScope uint8

// The scopes.
const (
	LimitAccount LimitScope = iota // of an account at one endpoint
	LimitAddress                   // of all requests of this IP address
	LimitBan                       // none: the exchange has banned the address for a while
)

// LimitError says that a request was not sent because it would have exceeded a limit, or
// because the exchange has banned the address: see [Budget].
type LimitError struct {
	Op         string // method and path
	Scope      LimitScope
	Calls      int           // the limit is so many; 0 for a ban
	Per        time.Duration // within that span
	RetryAfter time.Duration // when there is room, if nobody else takes it
}

// Error says which limit it is, and for how long.
func (e *LimitError) Error() string {
	after := e.RetryAfter.Round(time.Millisecond)
	switch e.Scope {
	case LimitBan:
		return fmt.Sprintf("%s: not sent: the exchange has banned this address (HTTP 403), for another %s perhaps", e.Op, after)
	case LimitAddress:
		return fmt.Sprintf("%s: not sent: the limit of %d requests in %s of this address is used up for %s", e.Op, e.Calls, e.Per, after)
	}
	return fmt.Sprintf("%s: not sent: the account's limit of %d in %s is used up for %s", e.Op, e.Calls, e.Per, after)
}

// LimitUse is what has been used of one limit of REST, as a [Budget] knows it.
type LimitUse struct {
	Host     string
	Account  string   // an abbreviation that stands for the key; "" for the limit of the address
	Op       string   // method and path; "" for the limit of the address
	Category Category // "" unless categories have limits of their own
	Used     int
	Calls    int // of so many; 0 while it is unknown
	Per      time.Duration
	Waiting  int // requests
}

// limitKey says which limit a request counts against.
type limitKey struct {
	host, account, method, path string
	category                    Category
}

// permit is what a request takes of the limits while it is under way.
type permit struct {
	budget  *Budget
	key     limitKey
	address *gate
	account *gate // nil for requests without a signature
	places  [2]*place
}

// Limits returns what has been used of the limits of REST.
func (b *Budget) Limits() []LimitUse {
	b.mu.Lock()
	defer b.mu.Unlock()
	uses := make([]LimitUse, 0, len(b.gates))
	for key, g := range b.gates {
		use := LimitUse{Host: key.host, Account: key.account, Category: key.category}
		if key.path != "" {
			use.Op = key.method + " " + key.path
		}
		use.Used, use.Calls, use.Waiting, use.Per = g.state()
		uses = append(uses, use)
	}
	slices.SortFunc(uses, func(x, y LimitUse) int {
		return cmp.Or(cmp.Compare(x.Host, y.Host), cmp.Compare(x.Account, y.Account), cmp.Compare(x.Op, y.Op), cmp.Compare(x.Category, y.Category))
	})
	return uses
}

// gate returns the gate of a key.
func (b *Budget) gate(key limitKey, size int, per time.Duration) *gate {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.gates[key]
	if g == nil {
		g = &gate{size: size, per: per}
		b.gates[key] = g
	}
	return g
}

// banOf returns until when a host does not want to hear from this address.
func (b *Budget) banOf(host string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(b.bans[host])
}

// admit waits until a request may begin, or refuses it. account is "" for one without a
// signature. waiting is told, once for each limit that it has to wait for.
func (b *Budget) admit(ctx context.Context, host, account string, req *request, policy LimitPolicy, waiting func(LimitScope, time.Duration)) (*permit, error) {
	if left := b.banOf(host); left > 0 {
		return nil, &LimitError{Op: req.op(), Scope: LimitBan, RetryAfter: left}
	}
	p := &permit{budget: b, key: limitKey{host: host}}
	p.address = b.gate(p.key, b.requests, b.requestsPer)
	class := ordinary
	if req.isCancel() {
		class = urgent
	}
	blocked := func(scope LimitScope, g *gate) func(time.Duration) error {
		return func(wait time.Duration) error {
			if policy == LimitRefuse {
				_, calls, _, per := g.state()
				return &LimitError{Op: req.op(), Scope: scope, Calls: calls, Per: per, RetryAfter: wait}
			}
			waiting(scope, wait)
			return nil
		}
	}
	var err error
	if account != "" {
		l, n := req.limit()
		p.key = limitKey{host, account, req.method, req.path, l.category}
		p.account = b.gate(p.key, l.calls, l.per)
		if p.places[0], err = p.account.take(ctx, n, class, blocked(LimitAccount, p.account)); err != nil {
			return nil, err
		}
	}
	if p.places[1], err = p.address.take(ctx, 1, class, blocked(LimitAddress, p.address)); err != nil {
		if p.account != nil {
			p.account.unused(p.places[0])
		}
		return nil, err
	}
	if left := b.banOf(host); left > 0 { // meanwhile
		p.unused()
		return nil, &LimitError{Op: req.op(), Scope: LimitBan, RetryAfter: left}
	}
	return p, nil
}

// unused gives back what was taken: nothing was sent.
func (p *permit) unused() {
	if p.account != nil {
		p.account.unused(p.places[0])
	}
	p.address.unused(p.places[1])
}

// done says that the request has ended, and takes in what its reply says about limits.
// offset is that of the exchange's clock.
func (p *permit) done(header http.Header, err error, offset time.Duration) {
	if p.account != nil {
		p.account.learn(int(headerNumber(header, "X-Bapi-Limit")), int(headerNumber(header, "X-Bapi-Limit-Status")))
		p.account.done(p.places[0])
	}
	p.address.done(p.places[1])
	refused, ok := errors.AsType[*Error](err)
	if !ok {
		return
	}
	now := time.Now()
	switch {
	case refused.ban:
		p.budget.ban(p.key.host, now.Add(banned))
	case refused.Code == codeTooMany && p.account != nil:
		until := now.Add(time.Second)
		// The header has the moment in the exchange's time; what is long past or far
		// off is none.
		if ms := headerNumber(header, "X-Bapi-Limit-Reset-Timestamp"); ms > 0 {
			if reset := time.UnixMilli(ms).Add(-offset); reset.After(now) && reset.Before(now.Add(time.Minute)) {
				until = reset
			}
		}
		p.account.close(until)
	case refused.Code == codeTooManyAddress, refused.Code == codeTooMany:
		p.address.close(now.Add(time.Second))
	}
}

func (b *Budget) ban(host string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bans[host] = until
}

// Refusals that have to do with limits. V5 page: error.
const (
	codeTooMany        = 10006
	codeTooManyAddress = 10018
	codeBusy           = 429 // also an HTTP status
)

// isBan reports whether a reply says that the address asked too often: HTTP 403, without a code
// or with one of that meaning. A page that speaks of the country means something
// else, which lasts longer.
func isBan(e *Error, body []byte) bool {
	if e.Status != http.StatusForbidden || bytes.Contains(bytes.ToLower(body), []byte("country")) {
		return false
	}
	return e.Code == 0 || e.Code == codeTooMany || e.Code == codeTooManyAddress
}

// headerNumber reads a header; -1 if it is not there or no number.
func headerNumber(h http.Header, name string) int64 {
	text := h.Get(name)
	if text == "" {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// accountName stands for a key where limits are counted, and does not give it away.
func accountName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:6])
}

// isCancel reports whether a request takes orders off the book.
func (r *request) isCancel() bool {
	return !r.read && strings.Contains(r.path, "/cancel")
}

// limit returns the limit that a request counts against, and how often it counts. Of an
// endpoint with a limit for each category the smallest counts if the request names none.
func (r *request) limit() (limit, int) {
	rows := r.limits
	if len(rows) == 0 {
		return limit{per: time.Second}, 1
	}
	if len(rows) == 1 && !r.batch {
		return rows[0], 1
	}
	category, orders := r.scan()
	n := 1
	if r.batch && category != string(Option) {
		n = max(orders, 1)
	}
	for _, row := range rows {
		if string(row.category) == category {
			return row, n
		}
	}
	return slices.MinFunc(rows, func(a, b limit) int { return cmp.Compare(a.calls, b.calls) }), n
}

// scan reads what limits depend on from what is sent: the category, and the number of
// orders of a batch.
func (r *request) scan() (category string, orders int) {
	if r.method == http.MethodGet {
		for part := range strings.SplitSeq(string(r.query), "&") {
			if value, ok := strings.CutPrefix(part, "category="); ok {
				return value, 0
			}
		}
		return "", 0
	}
	c := wire.NewCursor(r.body)
	var o wire.Object
	for c.NextKey(&o) {
		switch string(o.Key) {
		case "category":
			category = string(c.Text())
		case "request":
			var a wire.Array
			for c.NextElement(&a) {
				var skipped wire.Object
				for c.NextKey(&skipped) {
					c.Skip(&skipped)
				}
				orders++
			}
		default:
			c.Skip(&o)
		}
	}
	return category, orders
}
