package bybit

import (
	"bytes"

	"github.com/bywire/bywire/internal/wire"
)

// decoded makes a decoder's error a [*DecodeError], with a copy of what was decoded.
func decoded(json []byte, err *wire.FieldError) error {
	if err == nil {
		return nil
	}
	return &DecodeError{Offset: err.Err.Offset, Frame: bytes.Clone(json), Err: err}
}

// batchReply is the reply to a batch: what became of each item stands in retExtInfo.list, at
// the place that the item has in result.list.
type batchReply[T any] struct {
	items []T
	codes []batchCode
	item  func(*T, *wire.Fields)
}

// batchCode says what became of one item; code 0 is success.
type batchCode struct {
	code    int64
	message string
}

func (b *batchReply[T]) fields(f *wire.Fields) {
	wire.Struct(f, "result", b, (*batchReply[T]).result)
	wire.Struct(f, "retExtInfo", b, (*batchReply[T]).extInfo)
}

func (b *batchReply[T]) result(f *wire.Fields) { wire.Structs(f, "list", &b.items, b.item) }

func (b *batchReply[T]) extInfo(f *wire.Fields) {
	wire.Structs(f, "list", &b.codes, (*batchCode).fields)
}

func (c *batchCode) fields(f *wire.Fields) {
	f.Int("code", &c.code)
	f.Text("msg", &c.message)
}

// decodeBatch reads a reply to a batch and gives each item that was refused its error. An
// item that only one of the two lists has is there as well; silence is no success: an item
// without a code has an error without a code, whose outcome is unknown.
func decodeBatch[T any](op string, json []byte, fields func(*T, *wire.Fields), refusal func(*T) **Error) ([]T, error) {
	b := batchReply[T]{item: fields}
	if err := wire.Decode(json, &b, (*batchReply[T]).fields); err != nil {
		return nil, decoded(json, err)
	}
	for i, c := range b.codes {
		if i == len(b.items) {
			b.items = append(b.items, *new(T))
		}
		if c.code != 0 {
			*refusal(&b.items[i]) = &Error{Op: op, Status: 200, Code: int(c.code), Message: c.message}
		}
	}
	for i := len(b.codes); i < len(b.items); i++ {
		*refusal(&b.items[i]) = &Error{Op: op, Status: 200, Message: "the reply does not say what became of it"}
	}
	return b.items, nil
}

// appendBatch appends result and retExtInfo of a reply to a batch.
func appendBatch[T any](dst []byte, items []T, fields func(*T, *wire.Fields), refusal func(*T) **Error) []byte {
	b := batchReply[T]{items: items, item: fields, codes: make([]batchCode, len(items))}
	for i := range items {
		b.codes[i].message = "OK"
		if err := *refusal(&items[i]); err != nil {
			b.codes[i] = batchCode{int64(err.Code), err.Message}
		}
	}
	return wire.Append(dst, &b, (*batchReply[T]).fields)
}
