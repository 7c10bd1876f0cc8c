package bybit

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// DecodeError is what Decode returns for a frame that is no valid message of
// its topic: damaged JSON, a number that is none, a key twice, an array where
// an object belongs.
type DecodeError struct {
	Topic  string // as far as it was read, may be ""
	Offset int    // in Frame, where reading stopped
	Frame  []byte // a copy of the whole frame
	Err    error  // what is wrong, with the offset
}

// Error names the topic, the reason, the offset and the bytes at the offset.
func (e *DecodeError) Error() string {
	from := max(0, min(e.Offset, len(e.Frame)))
	to := min(len(e.Frame), from+24)
	name := e.Topic
	if name == "" {
		name = "message"
	}
	return fmt.Sprintf("decode %s: %v: %q", name, e.Err, e.Frame[from:to])
}

// Unwrap returns the reason.
func (e *DecodeError) Unwrap() error { return e.Err }

// newDecodeError copies the frame, which the caller may reuse.
func newDecodeError(topic, frame []byte, err *wire.SyntaxError) error {
	return &DecodeError{Topic: string(topic), Offset: err.Offset, Frame: bytes.Clone(frame), Err: err}
}

// The keys of an envelope; each is a bit of envelope.seen and envelope.want.
const (
	keyTopic = iota
	keyID
	keyType
	keyTime
	keyMatchTime // cts
	keySeq       // cs
	keyCreated   // creationTime, in place of ts on rfq
	keyData
	keyFree // the first that a message can use for keys of its own
)

// envelope is what stands around the data of a message. It is read twice over:
// by scan from a compact frame, in any order of keys but without white space
// and unknown keys; and by field with everything that JSON allows.
type envelope struct {
	topic, id, kind []byte
	time, matchTime int64 // milliseconds, -1 is absent
	seq             int64
	want            uint16 // keys that this message has; others are unknown keys
	seen            uint16
}

const (
	wantCommon = 1<<keyTopic | 1<<keyType | 1<<keyTime | 1<<keyData
	wantTrades = wantCommon | 1<<keyID
	wantBook   = wantCommon | 1<<keyID | 1<<keyMatchTime
	wantTicker = wantCommon | 1<<keyID | 1<<keySeq
	wantNoType = 1<<keyTopic | 1<<keyTime | 1<<keyData
	wantRFQ    = 1<<keyTopic | 1<<keyID | 1<<keyCreated | 1<<keyData
	wantOffers = 1<<keyTopic | 1<<keyData
)

func newEnvelope(want uint16) envelope {
	return envelope{time: -1, matchTime: -1, want: want}
}

// scan reads keys from i, which stands at the brace that opens the message or
// behind a value. It stops in front of the value of data, or behind the closing
// brace, and returns -1 for what it does not know.
func (e *envelope) scan(f []byte, i int) (next int, data bool) {
	for i >= 0 && i+3 < len(f) {
		if i == 0 && f[i] != '{' || i > 0 && f[i] != ',' {
			break
		}
		i++
		key := keyTopic
		switch f[i+1] {
		case 't':
			j := -1
			switch f[i+2] {
			case 's':
				if j = wire.Literal(f, i, `"ts":`); j > 0 {
					key = keyTime
					e.time, i = wire.ScanInt(f, j)
				}
			case 'y':
				if j = wire.Literal(f, i, `"type":"`); j > 0 {
					key = keyType
					e.kind, i = scanString(f, j)
				}
			case 'o':
				if j = wire.Literal(f, i, `"topic":"`); j > 0 {
					e.topic, i = scanString(f, j)
				}
			}
			if j < 0 {
				return -1, false
			}
		case 'd':
			key = keyData
			i = wire.Literal(f, i, `"data":`)
		case 'c':
			if j := wire.Literal(f, i, `"cts":`); j > 0 {
				key = keyMatchTime
				e.matchTime, i = wire.ScanInt(f, j)
			} else if j := wire.Literal(f, i, `"cs":`); j > 0 {
				key = keySeq
				e.seq, i = wire.ScanInt(f, j)
			} else {
				return -1, false
			}
		case 'i':
			j := wire.Literal(f, i, `"id":"`)
			if j < 0 {
				return -1, false
			}
			key = keyID
			e.id, i = scanString(f, j)
		default:
			return -1, false
		}
		bit := uint16(1) << key
		if i < 0 || e.want&^e.seen&bit == 0 {
			return -1, false
		}
		e.seen |= bit
		if key == keyData {
			return i, true
		}
	}
	if i > 0 && i < len(f) && f[i] == '}' {
		return i + 1, false
	}
	return -1, false
}

// scanRest reads what follows the data and reports whether the frame ends there.
func (e *envelope) scanRest(f []byte, i int) bool {
	if i < 0 {
		return false
	}
	end, data := e.scan(f, i)
	return !data && end == len(f)
}

// scanString returns the text of the string that begins behind the quote at
// i-1, and the index behind its closing quote.
func scanString(f []byte, i int) ([]byte, int) {
	end := wire.ScanText(f, i)
	if end < 0 {
		return nil, -1
	}
	return f[i:end], end + 1
}

// field reads the value of the current key if it is one of the envelope's. It
// leaves data to the caller, and skips unknown keys.
func (e *envelope) field(c *wire.Cursor, o *wire.Object) (data bool) {
	key := keyFree
	switch string(o.Key) {
	case "topic":
		key = keyTopic
	case "id":
		key = keyID
	case "type":
		key = keyType
	case "ts":
		key = keyTime
	case "cts":
		key = keyMatchTime
	case "cs":
		key = keySeq
	case "creationTime":
		key = keyCreated
	case "data":
		key = keyData
	}
	if e.want&(1<<key) == 0 {
		c.Skip(o)
		return false
	}
	c.Once(o, uint(key))
	e.seen |= 1 << key
	switch key {
	case keyTopic:
		e.topic = c.Text()
	case keyID:
		e.id = c.Text()
	case keyType:
		e.kind = c.Text()
	case keyTime, keyCreated:
		e.time = readMillis(c)
	case keyMatchTime:
		e.matchTime = readMillis(c)
	case keySeq:
		e.seq, _ = c.Integer()
	case keyData:
		return true
	}
	return false
}

// readMillis is Cursor.Millis as a number: -1 is absent.
func readMillis(c *wire.Cursor) int64 {
	at := c.Offset()
	ms, present := c.Integer()
	if !present {
		return -1
	}
	if ms < 0 {
		c.Fail(at, "a time before 1970")
	}
	return ms
}

// end checks that the frame ends here, that it had data, and that its topic is
// of the family; the error is nil if all is well.
func (e *envelope) end(c *wire.Cursor, frame []byte, families ...string) error {
	c.End()
	if c.Err() == nil {
		switch {
		case e.seen&(1<<keyData) == 0:
			c.Fail(len(frame), "no data in the message")
		case !hasFamily(e.topic, families):
			c.Fail(0, "not a topic "+strings.Join(families, " or "))
		}
	}
	if err := c.Err(); err != nil {
		return newDecodeError(e.topic, frame, err)
	}
	return nil
}

// hasFamily reports whether the topic is one of the families, or begins with
// one that ends in a point.
func hasFamily(topic []byte, families []string) bool {
	for _, family := range families {
		if string(topic) == family || strings.HasSuffix(family, ".") && hasPrefix(topic, family) {
			return true
		}
	}
	return false
}

// hasPrefix reports whether the topic begins with the prefix.
func hasPrefix(topic []byte, prefix string) bool {
	return len(topic) >= len(prefix) && string(topic[:len(prefix)]) == prefix
}

// keepTopic sets the topic, and keeps its memory if it has not changed.
func keepTopic(t *Topic, name []byte) {
	if t.name != string(name) {
		t.name = string(name)
	}
	t.raw = false
}

// keepText returns last if it says what text says, and text as a new string
// otherwise.
func keepText(last string, text []byte) string {
	if last == string(text) {
		return last
	}
	return string(text)
}

// keepSymbol is keepText for the symbol of a message, which most topics end in.
func keepSymbol(last, topic string, symbol []byte) string {
	if last == string(symbol) {
		return last
	}
	if from := len(topic) - len(symbol); from >= 0 && topic[from:] == string(symbol) {
		return topic[from:]
	}
	return string(symbol)
}

// messageType returns the type without allocating for those that exist.
func messageType(text []byte) MessageType {
	switch string(text) {
	case string(TypeSnapshot):
		return TypeSnapshot
	case string(TypeDelta):
		return TypeDelta
	}
	return MessageType(text)
}

// side returns the side without allocating for those that exist.
func side(text []byte) Side {
	switch string(text) {
	case string(Buy):
		return Buy
	case string(Sell):
		return Sell
	}
	return Side(text)
}

// tickDirection returns the direction without allocating for those that exist.
func tickDirection(text []byte) TickDirection {
	switch string(text) {
	case string(PlusTick):
		return PlusTick
	case string(ZeroPlusTick):
		return ZeroPlusTick
	case string(MinusTick):
		return MinusTick
	case string(ZeroMinusTick):
		return ZeroMinusTick
	}
	return TickDirection(text)
}

// millis is the time of a number of milliseconds, the zero time if negative.
func millis(ms int64) time.Time {
	if ms < 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// decodeTolerant reads a whole frame; data reads the value of data. It is how
// the messages that come seldom are decoded.
func decodeTolerant(e *envelope, frame []byte, data func(*wire.Cursor), families ...string) error {
	c := wire.NewCursor(frame)
	var o wire.Object
	for c.NextKey(&o) {
		if e.field(&c, &o) {
			data(&c)
		}
	}
	return e.end(&c, frame, families...)
}

// readList reads an array into the memory of list; item reads one element.
func readList[T any](c *wire.Cursor, list []T, item func(*wire.Cursor) T) []T {
	list = list[:0]
	var a wire.Array
	for c.NextElement(&a) {
		list = append(list, item(c))
	}
	return list
}

// readFields reads one object whose keys are those given, in any order and
// each at most once; value reads the value of the key with that number.
func readFields(c *wire.Cursor, keys []string, value func(key int)) {
	var o wire.Object
next:
	for c.NextKey(&o) {
		for i, key := range keys {
			if string(o.Key) == key {
				c.Once(&o, uint(i))
				value(i)
				continue next
			}
		}
		c.Skip(&o)
	}
}
