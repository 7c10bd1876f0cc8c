package bybit

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// ErrOutcomeUnknown is what an [*UnknownError] is.
var ErrOutcomeUnknown = errors.New("outcome unknown")

// OrderRef finds again what a request was about: an order as a rule.
type OrderRef struct {
	Category Category
	Symbol   string
	OrderID  string // the exchange's
	LinkID   string // the user's; of what is no order its transferId, requestId, reqLinkId, rfqLinkId or quoteLinkId
}

// UnknownError says that a request that changes something may or may not have done so: a
// byte of it was handed to the network and no reply tells more, or the reply leaves it
// open. It was not repeated and must not be, before it is known what became of it.
//
// It is never an [*Error], also if Err is one: that would read as a refusal. It may be
// [context.Canceled] or [context.DeadlineExceeded], if that is why no reply came: who
// passes over those has to ask for [ErrOutcomeUnknown] first.
type UnknownError struct {
	Ref    OrderRef // as far as the request names what it is about
	Op     string   // method and path
	SentAt time.Time
	Err    error // why it is not known
}

// Error says so, and why.
func (e *UnknownError) Error() string {
	reason := strings.TrimPrefix(e.Err.Error(), e.Op+": ")
	return fmt.Sprintf("%s: outcome unknown: %s", e.Op, reason)
}

// Is reports whether the target is ErrOutcomeUnknown.
func (e *UnknownError) Is(target error) bool { return target == ErrOutcomeUnknown }

// Unwrap returns Err unless that is a refusal.
func (e *UnknownError) Unwrap() error {
	if _, ok := errors.AsType[*Error](e.Err); ok {
		return nil
	}
	return e.Err
}

// unknown returns the error of a request that failed: an [*UnknownError] if it may have
// changed something, else err.
func (r *request) unknown(s *sent, err error) error {
	if r.read {
		return err
	}
	refused, ok := errors.AsType[*Error](err)
	switch {
	case !ok && !s.any(): // not sent
		return err
	case ok && !r.leavesOpen(refused):
		return err
	}
	return r.unsure(s.at, err)
}

// unread returns the error of a request whose reply says success, and whose result cannot be
// read: what a write has done is not known in full.
func (r *request) unread(rep *reply, err error) error {
	if r.read {
		return err
	}
	return r.unsure(rep.sentAt, err)
}

// unsure returns the error of a write that was sent at that time.
func (r *request) unsure(at time.Time, err error) error {
	ref, _ := r.refs()
	return &UnknownError{Ref: ref, Op: r.op(), SentAt: at, Err: err}
}

// leavesOpen reports whether the refusal of a write does not say that nothing has happened.
// For every write it is this that decides: what the reply says itself, or its code, if it is known; else
// the status of HTTP, of which only 400 to 499 says that the request was turned away. So a
// code that is new leaves it open.
func (e *endpoint) leavesOpen(refused *Error) bool {
	switch {
	case refused.says != saysNothing:
		return refused.says == saysOpen
	case e.status && reasonOf(botRefusals, refused.Code) != "", reasonOf(notTaken, refused.Code) != "",
		reasonOf(refusals, refused.Code) != "", reasonOf(seen, refused.Code) != "", refused.lacksMoney():
		return false
	case reasonOf(openCodes, refused.Code) != "":
		return true
	}
	return refused.Status < 400 || refused.Status >= 500 || refused.Status == http.StatusRequestTimeout
}

// refs returns what a request is about, and for a batch each of its orders.
func (r *request) refs() (whole OrderRef, orders []OrderRef) {
	c := wire.NewCursor(r.body)
	var o wire.Object
	for c.NextKey(&o) {
		if !r.batch || string(o.Key) != "request" {
			whole.read(&c, &o, r.body)
			continue
		}
		var a wire.Array
		for c.NextElement(&a) {
			var order OrderRef
			var inner wire.Object
			for c.NextKey(&inner) {
				order.read(&c, &inner, r.body)
			}
			orders = append(orders, order)
		}
	}
	for i := range orders {
		orders[i].Category = whole.Category
	}
	return whole, orders
}

// read reads a member of a request.
func (o *OrderRef) read(c *wire.Cursor, member *wire.Object, body []byte) {
	name := string(member.Key)
	value := lenientText(skipped(c, member, body))
	switch name {
	case "category":
		o.Category = Category(value)
	case "symbol":
		o.Symbol = value
	case "orderId":
		o.OrderID = value
	case "orderLinkId", "transferId", "requestId", "reqLinkId", "rfqLinkId", "quoteLinkId":
		o.LinkID = value
	}
}
