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

// OrderRef finds an order again.
type OrderRef struct {
	Category Category
	Symbol   string
	OrderID  string // the exchange's
	LinkID   string // the user's
}

// UnknownError says that a request that changes something may or may not have done so: a
// byte of it was handed to the network and no reply tells more, or the reply leaves it
// open. It was not repeated and must not be, before it is known what became of it.
//
// It is never an [*Error], also if Err is one: that would read as a refusal.
type UnknownError struct {
	Ref    OrderRef // as far as the request names one order
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
	return &UnknownError{Ref: r.order(), Op: r.op(), SentAt: s.at, Err: err}
}

// unread returns the error of a request whose reply says success, and whose result cannot be
// read: what a write has done is not known in full.
func (r *request) unread(rep *reply, err error) error {
	if r.read {
		return err
	}
	return &UnknownError{Ref: r.order(), Op: r.op(), SentAt: rep.sentAt, Err: err}
}

// leavesOpen reports whether a refusal does not say that nothing has happened: a reply
// without a code from whatever stands before the exchange, a code that leaves any write
// open, and for orders each code that the table of outcomes has as unknown, or does not
// have.
func (r *request) leavesOpen(refused *Error) bool {
	switch {
	case refused.Code == 0:
		return refused.Status < 400 || refused.Status >= 500 || refused.Status == http.StatusRequestTimeout
	case r.tradesOrders():
		return outcomeOf(refused.Code) == outcomeUnknown
	}
	return refused.Status >= 500 || opensAnyWrite(refused.Code)
}

// tradesOrders reports whether a request places, changes or cancels orders.
func (r *request) tradesOrders() bool {
	return !r.read && (strings.HasPrefix(r.path, "/v5/order/") || strings.HasPrefix(r.path, "/v5/spread/order/"))
}

// order returns the order that a request is about.
func (r *request) order() OrderRef {
	var ref OrderRef
	if !r.tradesOrders() {
		return ref
	}
	c := wire.NewCursor(r.body)
	var o wire.Object
	for c.NextKey(&o) {
		switch string(o.Key) {
		case "category":
			ref.Category = Category(c.Text())
		case "symbol":
			ref.Symbol = string(c.Text())
		case "orderId":
			ref.OrderID = string(c.Text())
		case "orderLinkId":
			ref.LinkID = string(c.Text())
		default:
			c.Skip(&o)
		}
	}
	return ref
}
