package bybit

import (
	"strings"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// header is what AppendJSON writes around the data of a message.
type header struct {
	topic, id       string
	kind            MessageType
	time, matchTime time.Time
	seq             int64
}

// The orders in which the venue's gateways write the envelope. Each letter is
// a key: t topic, i id, k type, s ts, m cts, q cs, c creationTime, D data. A key
// that the message does not have is left out; one that the channel does not
// have, such as an id on linear, is still written if the message has it.
const (
	orderTypeTime   = "itksqDm" // linear, inverse
	orderTimeType   = "itskqDm" // spot, spread
	orderOption     = "tskiqDm" // option since 2024
	orderOption2023 = "itsqDkm" // option in 2023, option tickers
	orderTicker     = "itkDqs"  // linear and inverse tickers
	orderKline      = "tDsk"
	orderPriceLimit = "tDs"
	orderTimeOnly   = "tsD"
	orderRFQ        = "itcD"
	orderOffers     = "tD"
)

// before appends what stands in front of the data's value.
func (h *header) before(dst []byte, order string) []byte {
	dst = append(dst, '{')
	data := strings.IndexByte(order, 'D')
	for i := range data {
		n := len(dst)
		if dst = h.key(dst, order[i]); len(dst) > n {
			dst = append(dst, ',')
		}
	}
	return append(dst, `"data":`...)
}

// after appends what stands behind the data's value.
func (h *header) after(dst []byte, order string) []byte {
	for i := strings.IndexByte(order, 'D') + 1; i < len(order); i++ {
		n := len(dst)
		dst = h.key(append(dst, ','), order[i])
		if len(dst) == n+1 {
			dst = dst[:n]
		}
	}
	return append(dst, '}')
}

// key appends one key with its value, nothing if the message does not have it.
func (h *header) key(dst []byte, key byte) []byte {
	switch key {
	case 't':
		return wire.AppendString(append(dst, `"topic":`...), h.topic)
	case 'i':
		if h.id != "" {
			return wire.AppendString(append(dst, `"id":`...), h.id)
		}
	case 'k':
		if h.kind != "" {
			return wire.AppendString(append(dst, `"type":`...), string(h.kind))
		}
	case 's':
		return appendTime(dst, `"ts":`, h.time)
	case 'c':
		return appendTime(dst, `"creationTime":`, h.time)
	case 'm':
		return appendTime(dst, `"cts":`, h.matchTime)
	case 'q':
		if h.seq != 0 {
			return wire.AppendInt(append(dst, `"cs":`...), h.seq)
		}
	}
	return dst
}

// appendTime appends a key with a time, nothing if it is the zero time.
func appendTime(dst []byte, key string, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return wire.AppendMillis(append(dst, key...), t)
}

// appendList appends an array; item appends one element.
func appendList[T any](dst []byte, list []T, item func([]byte, *T) []byte) []byte {
	dst = append(dst, '[')
	for i := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = item(dst, &list[i])
	}
	return append(dst, ']')
}

// orDefault is the type to encode: today's where the message names none.
func (t MessageType) orDefault(today MessageType) MessageType {
	if t == "" {
		return today
	}
	return t
}

// appendMillisOrNull appends a time as a number, null if it is the zero time.
func appendMillisOrNull(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	return wire.AppendMillis(dst, t)
}
