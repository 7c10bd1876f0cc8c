// Package bybit is the Bybit V5 API in Go: its endpoints as methods, its messages as
// types, and streams of them that heal themselves.
//
// # Calls
//
// The fields of a [Client] are its services: Market, Order, Position and so on. Each
// endpoint is a method of one, and [Client.Call] makes any call. A call is signed, counted against the
// limits that clients share in a [Budget], and repeated after failures that may pass if it changes
// nothing. One that changes something is never repeated; there are three answers to it:
//
//   - a result: the exchange has taken it;
//   - an [*Error], or anything but the following: it has not happened;
//   - an [*UnknownError]: it may have happened, look before you try again.
//
// An optional field of a request is an [Opt], which tells unset from zero.
//
// # Messages
//
// There is one type per topic family: [BookMessage], [TradesMessage],
// [TickerMessage], [KlineMessage] and so on. Each decodes the venue's frame and
// encodes it again in the venue's key order, so that client and server cannot
// disagree:
//
//	var m bybit.BookMessage
//	if err := m.Decode(frame); err != nil { ... }
//	frame = m.AppendJSON(nil, bybit.Linear)
//
// Numbers are exact ([decimal.Decimal]); one that the venue sent as "" or
// left out is the unset Decimal. Times are UTC; the zero time is absent.
// Enumerations are open strings: values of tomorrow survive a round trip.
// Unknown fields are ignored. What no exchange would send, such as a truncated
// frame, a number that is none or a key that stands twice, is a [*DecodeError]
// with the offset and the bytes.
//
// Decoding a book, a trade, a ticker or a candle allocates nothing once the
// receiver is warm: strings that repeat are kept, slices are reused. A receiver
// belongs to one goroutine.
package bybit
