package bybit

import (
	"bytes"
	"encoding/json"
)

// Opt is an optional field of a request: unset, or a value. Unset is not the same as
// zero: a value is sent even if it is zero, and what is unset is not sent.
// The zero Opt is unset. Fields that have a value which means nothing are no Opt, they are
// left out without one: a Category, a Side and the like when "", lists, maps and pointers
// when nil.
//
// Some takes the type of its argument: an Opt[int] is set by Some(50), an Opt[int64] by
// Some(int64(id)).
//
// In POST /v5/position/trading-stop a take profit of "0" deletes the one that is there,
// and leaving it out keeps it:
//
//	TakeProfit: bybit.Some(decimal.New(0, 0)) // sends "takeProfit":"0": delete it
//	TakeProfit: bybit.Opt[decimal.Decimal]{}  // sends nothing: leave it as it is
type Opt[T any] struct {
	value T
	set   bool
}

// Some returns an Opt that is set to v.
func Some[T any](v T) Opt[T] { return Opt[T]{value: v, set: true} }

// Set sets the value.
func (o *Opt[T]) Set(v T) { *o = Some(v) }

// Get returns the value, and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.value, o.set }

// IsSet reports whether there is a value.
func (o Opt[T]) IsSet() bool { return o.set }

// Or returns the value, or def if there is none.
func (o Opt[T]) Or(def T) T {
	if o.set {
		return o.value
	}
	return def
}

// MarshalJSON returns the value's JSON, or null. A struct's field with the option
// omitzero is left out when it is unset.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.set {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON sets the value; null unsets it.
func (o *Opt[T]) UnmarshalJSON(text []byte) error {
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) {
		*o = Opt[T]{}
		return nil
	}
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}
