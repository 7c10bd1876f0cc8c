package bybit

import (
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

// The venue's bound on requests of one IP address. V5 page: rate-limit.
const (
	defaultRequests    = 600
	defaultRequestsPer = 5 * time.Second
)

// LimitPolicy is what a call does when a limit is used up.
type LimitPolicy uint8

const (
	// LimitWait waits until there is room: a cancel or a read for as long as ctx lasts, another
	// write for [Options].WriteWait at most. Cancels go before all others, and
	// writes before reads.
	LimitWait LimitPolicy = iota

	// LimitRefuse fails at once with a [*LimitError].
	LimitRefuse
)

// LimitScope says why a request was not sent.
type LimitScope uint8

// The scopes.
const (
	LimitAccount LimitScope = iota // the limit of an account at one endpoint is used up
	LimitAddress                   // the limit of all requests of this IP address is
	LimitBan                       // the exchange has banned the address for a while
	LimitDoubt                     // the exchange has turned the address away without saying that it is a ban
)

// LimitError says that a request was not sent because it would have exceeded a limit, or
// because the exchange turns the address away: see [Budget].
type LimitError struct {
	Op         string // method and path
	Scope      LimitScope
	Calls      int           // the limit is so many; 0 if none is used up
	Per        time.Duration // within that span
	RetryAfter time.Duration // when there may be room, if nobody else takes it
}

// Error says which limit it is, and for how long.
func (e *LimitError) Error() string {
	after := e.RetryAfter.Round(time.Millisecond)
	switch e.Scope {
	case LimitBan:
		return fmt.Sprintf("%s: not sent: the exchange has banned this address (HTTP 403), for another %s perhaps", e.Op, after)
	case LimitDoubt:
		return fmt.Sprintf("%s: not sent: the exchange turns this address away (HTTP 403), for another %s perhaps", e.Op, after)
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
	account *place // nil for requests without a signature
	address *place
}

// patience is how long a request may wait for its permit.
type patience struct {
	policy LimitPolicy
	until  time.Time // zero: as long as ctx lasts
	trace  *Trace    // is told of each wait
	number int       // of the attempt
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
		use.Used, use.Calls, use.Waiting = g.state()
		use.Per = g.per
		uses = append(uses, use)
	}
	slices.SortFunc(uses, func(x, y LimitUse) int {
		return cmp.Or(cmp.Compare(x.Host, y.Host), cmp.Compare(x.Account, y.Account), cmp.Compare(x.Op, y.Op), cmp.Compare(x.Category, y.Category))
	})
	return uses
}

// gate returns the gate of a key, whose limit is that of the documentation to begin with.
func (b *Budget) gate(key limitKey, scope LimitScope, size int, per time.Duration) *gate {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.gates[key]
	if g == nil {
		g = &gate{scope: scope, size: size, per: per}
		b.gates[key] = g
	}
	return g
}

// admit waits until a request may leave, or refuses it. account is "" for one without a
// signature. The account's place is taken first, and held while the request waits for the
// address.
func (b *Budget) admit(ctx context.Context, host, account string, req *request, pat patience) (*permit, error) {
	p := &permit{}
	address := b.gate(limitKey{host: host}, LimitAddress, b.requests, b.requestsPer)
	if account != "" {
		if err := address.refusal(); err != nil {
			err.Op = req.op()
			return nil, err
		}
		l, n := req.limit()
		g := b.gate(limitKey{host, account, req.method, req.path, l.category}, LimitAccount, l.calls, l.per)
		var err error
		if p.account, err = pat.enter(ctx, g, n, req); err != nil {
			return nil, err
		}
	}
	var err error
	if p.address, err = pat.enter(ctx, address, 1, req); err != nil {
		p.done(false)
		return nil, err
	}
	return p, nil
}

// enter waits for a place.
func (pat patience) enter(ctx context.Context, g *gate, n int, req *request) (*place, error) {
	p, q, full := g.enter(n, req.class())
	if p != nil {
		return p, nil
	}
	if q != nil && (pat.policy == LimitRefuse || pat.over(full.RetryAfter)) {
		_ = g.leave(q) // full says why
	} else if q != nil {
		if f := pat.trace.CallLimited; f != nil {
			f(req.trace(pat.number), full.Scope, full.RetryAfter)
		}
		var over <-chan time.Time
		if !pat.until.IsZero() {
			timer := time.NewTimer(time.Until(pat.until))
			defer timer.Stop()
			over = timer.C
		}
		select {
		case <-q.ready:
			if q.place != nil {
				return q.place, nil
			}
			full = g.leave(q)
		case <-over:
			full = g.leave(q)
		case <-ctx.Done():
			_ = g.leave(q) // that ctx ended is why
			return nil, context.Cause(ctx)
		}
	}
	full.Op = req.op()
	return nil, full
}

// over reports whether patience ends within a wait.
func (pat patience) over(wait time.Duration) bool {
	return !pat.until.IsZero() && time.Until(pat.until) <= wait
}

// left says that the request is on its way.
func (p *permit) left() {
	if p.account != nil {
		p.account.left()
	}
	p.address.left()
}

// done says that the request has ended. If nothing of it was sent, it counts nowhere.
func (p *permit) done(sent bool) {
	if p.account != nil {
		p.account.done(sent)
	}
	if p.address != nil {
		p.address.done(sent)
	}
}

// learn takes in what a reply says about limits. offset is that of the exchange's clock.
func (p *permit) learn(header http.Header, err error, offset time.Duration) {
	if p.account != nil {
		p.account.gate.learn(int(headerNumber(header, "X-Bapi-Limit")), int(headerNumber(header, "X-Bapi-Limit-Status")))
	}
	address := p.address.gate
	refused, _ := errors.AsType[*Error](err)
	switch {
	case refused == nil:
		p.address.welcome()
	case refused.forbidden == wire.ForbiddenBan:
		address.ban()
	case refused.forbidden == wire.ForbiddenUnsaid:
		address.doubt()
	case refused.forbidden == wire.ForbiddenCountry:
		// Turned away, and waiting is no cure.
	case refused.Code == codeTooMany && p.account != nil:
		p.account.gate.close(resetTime(header, offset))
		p.address.welcome()
	case refused.Code == codeTooManyAddress, refused.Code == codeTooMany:
		address.close(time.Now().Add(time.Second))
	default:
		p.address.welcome()
	}
}

// resetTime returns when an account's limit that was exceeded has room again. The header has
// it in the exchange's time; what is long past or far off is none.
func resetTime(header http.Header, offset time.Duration) time.Time {
	now := time.Now()
	if ms := headerNumber(header, "X-Bapi-Limit-Reset-Timestamp"); ms > 0 {
		if reset := time.UnixMilli(ms).Add(-offset); reset.After(now) && reset.Before(now.Add(time.Minute)) {
			return reset
		}
	}
	return now.Add(time.Second)
}

// Refusals that have to do with limits. V5 page: error.
const (
	codeTooMany        = 10006
	codeTooManyAddress = 10018
	codeTooManyAll     = 10429 // of the whole system
	codeBusy           = 429   // also an HTTP status
	codeForbidden      = 403   // also an HTTP status
)

// forbiddenBy returns why a reply turns the request away at the door, with HTTP 403 or that
// code. One with a code of its own is about the request, and not about the address; nor is
// the code 403 without words where HTTP says that the exchange has answered.
func forbiddenBy(e *Error, body []byte) wire.Forbidden {
	if e.Status != http.StatusForbidden && e.Code != codeForbidden {
		return wire.NotForbidden
	}
	why := wire.WhyForbidden(string(body))
	switch e.Code {
	case 0, codeTooMany:
		return why
	case codeForbidden:
		if why == wire.ForbiddenUnsaid && e.Status != http.StatusForbidden {
			return wire.NotForbidden
		}
		return why
	case codeTooManyAddress:
		return wire.ForbiddenBan
	}
	return wire.NotForbidden
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

// class says who a request goes before when it has to wait. Whatever is called cancel goes
// first, the switch that cancels all orders when a connection is lost included.
func (r *request) class() class {
	switch {
	case r.urgent, !r.read && strings.Contains(r.path, "cancel"):
		return cancels
	case r.read:
		return reads
	}
	return writes
}

// limit returns the limit that a request counts against, and how often it counts. If there
// is one for each category and the request names none, it has one of its own, as small as the
// smallest.
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
	smallest := slices.MinFunc(rows, func(a, b limit) int { return cmp.Compare(a.calls, b.calls) })
	smallest.category = ""
	return smallest, n
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
