package bybit

import (
	"bytes"
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// decoded makes a decoder's error a [*DecodeError], with a copy of what was decoded.
func decoded(json []byte, err *wire.FieldError) error {
	if err == nil {
		return nil
	}
	return &DecodeError{Offset: err.Err.Offset, Frame: bytes.Clone(json), Err: err}
}

// sentBatch is a request of several orders, as far as its reply is read with it.
type sentBatch struct {
	*endpoint
	orders []OrderRef // empty: as many as the reply has
	at     time.Time
}

// batchReply is the reply to a batch: what became of each item stands in retExtInfo.list, at
// the place that the item has in result.list.
type batchReply[T any] struct {
	items []T
	codes []batchCode
	item  func(*T, *wire.Fields)
	code  func(*batchCode, *wire.Fields)
}

// batchCode says what became of one item; code "0" is success, and "" says nothing.
type batchCode struct{ code, message string }

func (b *batchReply[T]) fields(f *wire.Fields) {
	wire.Struct(f, "result", b, (*batchReply[T]).result)
	wire.Struct(f, "retExtInfo", b, (*batchReply[T]).extInfo)
}

func (b *batchReply[T]) result(f *wire.Fields) { wire.Slots(f, "list", &b.items, b.item) }

func (b *batchReply[T]) extInfo(f *wire.Fields) { wire.Slots(f, "list", &b.codes, b.code) }

func (c *batchCode) read(f *wire.Fields) {
	f.TextOrNumber("code", &c.code)
	f.Text("msg", &c.message)
}

func (c *batchCode) write(f *wire.Fields) {
	n, _ := strconv.ParseInt(c.code, 10, 64) // made by appendBatch
	f.Int("code", &n)
	f.Text("msg", &c.message)
}

// readBatch reads a reply to a batch: n items, as many as were sent, and as many rows and
// codes. A list of another length is left out, since nobody can say which of its elements
// belongs to which order.
func readBatch[T any](b *sentBatch, json []byte, item func(*T, *wire.Fields)) (*batchReply[T], error) {
	r := &batchReply[T]{item: item, code: (*batchCode).read}
	if err := wire.Decode(json, r, (*batchReply[T]).fields); err != nil {
		return nil, decoded(json, err)
	}
	n := len(b.orders)
	if n == 0 {
		n = max(len(r.items), len(r.codes))
	}
	if len(r.items) != n {
		r.items = make([]T, n)
	}
	if len(r.codes) != n {
		r.codes = make([]batchCode, n)
	}
	return r, nil
}

// verdicts returns for each order of a batch nil if it was taken, an [*Error] if it was refused,
// and an [*UnknownError] if neither is said.
func (b *sentBatch) verdicts(json []byte) ([]error, error) {
	r, err := readBatch(b, json, (*OrderAck).fields)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(r.items))
	for i, ack := range r.items {
		ref := OrderRef{}
		if len(b.orders) > 0 {
			ref = b.orders[i]
		}
		ref.OrderID, ref.LinkID = cmp.Or(ref.OrderID, ack.OrderID), cmp.Or(ref.LinkID, ack.LinkID)
		errs[i] = b.verdict(ref, r.codes[i])
	}
	return errs, nil
}

// tookSome reports whether the retExtInfo of a batch says of an order that it was taken.
func tookSome(ext []byte) bool {
	b := batchReply[OrderAck]{code: (*batchCode).read}
	if wire.Decode(ext, &b, (*batchReply[OrderAck]).extInfo) != nil {
		return false // of another shape: it says nothing
	}
	return slices.ContainsFunc(b.codes, func(c batchCode) bool { return c.code == "0" })
}

var (
	errSilent  = errors.New("the reply does not say what became of it")
	errUnnamed = errors.New("it was taken, and the reply has no id of it")
)

func (b *sentBatch) verdict(ref OrderRef, c batchCode) error {
	unknown := &UnknownError{Ref: ref, Op: b.op(), SentAt: b.at}
	code, err := strconv.Atoi(c.code)
	switch {
	case err != nil:
		unknown.Err = errSilent
	case code != 0:
		refused := &Error{Op: b.op(), Status: http.StatusOK, Code: code, Message: c.message}
		if !b.leavesOpen(refused) {
			return refused
		}
		unknown.Err = refused
	case ref.OrderID == "" && ref.LinkID == "":
		unknown.Err = errUnnamed
	default:
		return nil
	}
	return unknown
}

// decodeBatch reads a reply to a batch: one item for each order that was sent, with what
// became of it.
func decodeBatch[T any](b *sentBatch, json []byte, item func(*T, *wire.Fields), verdict func(*T) *error) ([]T, error) {
	errs, err := b.verdicts(json)
	if err != nil {
		return nil, err
	}
	r, err := readBatch(b, json, item)
	if err != nil {
		return nil, err
	}
	for i := range r.items {
		*verdict(&r.items[i]) = errs[i]
	}
	return r.items, nil
}

// appendBatch appends result and retExtInfo of a reply to a batch.
func appendBatch[T any](dst []byte, items []T, item func(*T, *wire.Fields), verdict func(*T) *error) []byte {
	b := batchReply[T]{items: items, item: item, codes: make([]batchCode, len(items)), code: (*batchCode).write}
	for i := range items {
		b.codes[i] = codeOf(*verdict(&items[i]))
	}
	return wire.Append(dst, &b, (*batchReply[T]).fields)
}

// codeServerError leaves it open what became of a request.
const codeServerError = 10016

// codeOf returns how a reply says what became of an item.
func codeOf(verdict error) batchCode {
	if verdict == nil {
		return batchCode{"0", "OK"}
	}
	if unknown, ok := errors.AsType[*UnknownError](verdict); ok {
		verdict = unknown.Err
	}
	if refused, ok := errors.AsType[*Error](verdict); ok {
		return batchCode{strconv.Itoa(refused.Code), refused.Message}
	}
	return batchCode{strconv.Itoa(codeServerError), verdict.Error()}
}
