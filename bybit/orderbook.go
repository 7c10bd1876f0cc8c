package bybit

import (
	"strings"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/internal/wire"
)

// BookMessage is a push of orderbook.{depth}, orderbook.rpi or orderbook.full:
// a snapshot that replaces the book, or a delta to it. Sizes are in base coin,
// or in contracts of one US dollar on inverse; a size of zero deletes the level.
//
// Update.ID is the venue's u: it rises by one with each message of a topic,
// and 1 means that the service restarted and the book is replaced. Update.Seq
// is the cross sequence, comparable across depths; 0 is absent. Update.MatchTime
// is cts; the zero time is absent, as in 2023.
//
// V5 pages: [websocket/public/orderbook], [websocket/public/orderbook-rpi],
// [websocket/public/full-ob].
//
// [websocket/public/orderbook]: https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
// [websocket/public/orderbook-rpi]: https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook-rpi
// [websocket/public/full-ob]: https://bybit-exchange.github.io/docs/v5/websocket/public/full-ob
type BookMessage struct {
	MessageID string    // id of the push; only on option
	Topic     Topic     // orderbook.{depth}.{symbol}
	Time      time.Time // ts: when the frame was made
	Symbol    string
	book.Update

	ids *idArena
}

const bookFamily = "orderbook."

// The keys of a book's data, as bits for Cursor.Once.
const (
	keyBookSymbol = iota
	keyBookBids
	keyBookAsks
	keyBookID
	keyBookSeq
)

// Decode reads a frame of an orderbook topic. The levels are stored in the
// memory of m.Bids and m.Asks; their capacity grows where it does not suffice.
// A message whose type is neither snapshot nor delta is an error: nothing is
// known about what it does to the book.
func (m *BookMessage) Decode(frame []byte) error { return m.decodeWith(frame, nil) }

// decodeWith is Decode with the memory for ids given, for callers that decode
// each frame into a new message; nil is the message's own.
func (m *BookMessage) decodeWith(frame []byte, ids *idArena) error {
	e := newEnvelope(wantBook)
	if m.decodeCompact(&e, frame) && m.finish(&e, ids) {
		return nil
	}
	e = newEnvelope(wantBook)
	return m.decodeTolerant(&e, frame, ids)
}

// finish moves the envelope into the message; false if it is not one of a book.
func (m *BookMessage) finish(e *envelope, ids *idArena) bool {
	if !hasPrefix(e.topic, bookFamily) {
		return false
	}
	switch string(e.kind) {
	case string(TypeSnapshot):
		m.Snapshot = true
	case string(TypeDelta):
		m.Snapshot = false
	default:
		return false
	}
	keepTopic(&m.Topic, e.topic)
	m.MessageID = ""
	if len(e.id) > 0 {
		if ids == nil {
			ids = idsOf(&m.ids, m)
		}
		m.MessageID = ids.text(e.id)
	}
	m.Time = millis(e.time)
	m.MatchTime = millis(e.matchTime)
	m.From = 0
	return true
}

// decodeCompact reads a frame as the venue writes it: no white space, and the
// data's keys in order.
func (m *BookMessage) decodeCompact(e *envelope, f []byte) bool {
	i, data := e.scan(f, 0)
	if !data {
		return false
	}
	if i = wire.Literal(f, i, `{"s":"`); i < 0 {
		return false
	}
	symbol, i := scanString(f, i)
	if i < 0 {
		return false
	}
	if m.Symbol != string(symbol) {
		m.Symbol = keepSymbol(m.Symbol, m.Topic.name, symbol)
	}
	if i = wire.Literal(f, i, `,"b":`); i < 0 {
		return false
	}
	if m.Bids, i = scanLevels(f, i, m.Bids[:0]); i < 0 {
		return false
	}
	if i = wire.Literal(f, i, `,"a":`); i < 0 {
		return false
	}
	if m.Asks, i = scanLevels(f, i, m.Asks[:0]); i < 0 {
		return false
	}
	if i = wire.Literal(f, i, `,"u":`); i < 0 {
		return false
	}
	if m.ID, i = wire.ScanInt(f, i); i < 0 {
		return false
	}
	m.Seq = 0
	if j := wire.Literal(f, i, `,"seq":`); j > 0 {
		if m.Seq, i = wire.ScanInt(f, j); i < 0 {
			return false
		}
	}
	if i >= len(f) || f[i] != '}' {
		return false
	}
	return e.scanRest(f, i+1)
}

// scanLevels reads [["price","size"],...], with RPI sizes if they are there.
func scanLevels(f []byte, i int, levels []book.Level) ([]book.Level, int) {
	if i+1 >= len(f) || f[i] != '[' {
		return levels, -1
	}
	if f[i+1] == ']' {
		return levels, i + 2
	}
	i++
	for {
		if i+1 >= len(f) || f[i] != '[' || f[i+1] != '"' {
			return levels, -1
		}
		// Numbers go straight to where they stay: a level that is put together
		// first and copied costs a tenth of the whole message.
		levels = addLevel(levels)
		l := &levels[len(levels)-1]
		if l.Price, i = wire.ScanDecimal(f, i+2); i < 0 || i+1 >= len(f) || f[i] != ',' || f[i+1] != '"' || !l.Price.IsSet() {
			return levels, -1
		}
		if l.Size, i = wire.ScanDecimal(f, i+2); i < 0 || i+1 >= len(f) || !l.Size.IsSet() {
			return levels, -1
		}
		if f[i] == ',' && f[i+1] == '"' {
			if l.RPI, i = wire.ScanDecimal(f, i+2); i < 0 || i+1 >= len(f) || !l.RPI.IsSet() {
				return levels, -1
			}
		}
		if f[i] != ']' {
			return levels, -1
		}
		switch f[i+1] {
		case ']':
			return levels, i + 2
		case ',':
			i += 2
		default:
			return levels, -1
		}
	}
}

// addLevel returns levels with one more, which is empty.
func addLevel(levels []book.Level) []book.Level {
	if n := len(levels); n < cap(levels) {
		levels = levels[:n+1]
		levels[n] = book.Level{}
		return levels
	}
	return append(levels, book.Level{})
}

// decodeTolerant reads a frame with everything that JSON allows.
func (m *BookMessage) decodeTolerant(e *envelope, frame []byte, ids *idArena) error {
	c := wire.NewCursor(frame)
	var o wire.Object
	for c.NextKey(&o) {
		if e.field(&c, &o) {
			m.readData(&c)
		}
	}
	if err := e.end(&c, frame, bookFamily); err != nil {
		return err
	}
	if !m.finish(e, ids) {
		return newDecodeError(e.topic, frame, &wire.SyntaxError{Reason: "the type is neither snapshot nor delta"})
	}
	return nil
}

// readData reads the object in data.
func (m *BookMessage) readData(c *wire.Cursor) {
	m.Bids, m.Asks, m.Seq = m.Bids[:0], m.Asks[:0], 0
	var symbol []byte
	hasID := false
	var o wire.Object
	for c.NextKey(&o) {
		switch string(o.Key) {
		case "s":
			c.Once(&o, keyBookSymbol)
			symbol = c.Text()
		case "b":
			c.Once(&o, keyBookBids)
			m.Bids = readLevels(c, m.Bids)
		case "a":
			c.Once(&o, keyBookAsks)
			m.Asks = readLevels(c, m.Asks)
		case "u":
			c.Once(&o, keyBookID)
			if m.ID, hasID = c.Integer(); m.ID < 0 {
				c.Fail(c.Offset(), "an update id below 0")
			}
		case "seq":
			c.Once(&o, keyBookSeq)
			m.Seq, _ = c.Integer()
		default:
			c.Skip(&o)
		}
	}
	if !hasID {
		c.Fail(c.Offset(), "no update id u in the data")
	}
	m.Symbol = keepSymbol(m.Symbol, m.Topic.name, symbol)
}

// readLevels is scanLevels for everything that JSON allows.
func readLevels(c *wire.Cursor, levels []book.Level) []book.Level {
	var side wire.Array
	for c.NextElement(&side) {
		at := c.Offset()
		var l book.Level
		var tuple wire.Array
		n := 0
		for ; c.NextElement(&tuple); n++ {
			d := c.Decimal()
			if !d.IsSet() {
				c.Fail(at, "a level without a price or a size")
			}
			switch n {
			case 0:
				l.Price = d
			case 1:
				l.Size = d
			case 2:
				l.RPI = d
			}
		}
		if n < 2 || n > 3 {
			c.Fail(at, "a level is a price, a size and perhaps an RPI size")
		}
		levels = append(levels, l)
	}
	return levels
}

// AppendJSON appends the message as the channel writes it. Spot and spread put
// ts before type; so do linear and inverse at depth 1, which since 2025 pushes
// snapshots only, each with a cts. Option puts id and type before the data, and
// in 2023, before it had a cts, put the id first and the type last. A Seq of 0,
// a zero time and an empty id are left out; a level has three numbers if its
// RPI is set.
func (m *BookMessage) AppendJSON(dst []byte, ch Channel) []byte {
	h := header{topic: m.Topic.name, id: m.MessageID, kind: TypeDelta, time: m.Time, matchTime: m.MatchTime}
	if m.Snapshot {
		h.kind = TypeSnapshot
	}
	order := orderTypeTime
	switch {
	case ch == Option && m.MatchTime.IsZero():
		order = orderOption2023
	case ch == Option:
		order = orderOption
	case ch.spotOrder(), m.Snapshot && !m.MatchTime.IsZero() && isDepth1(m.Topic.name):
		order = orderTimeType
	}
	dst = h.before(dst, order)
	dst = append(dst, `{"s":`...)
	dst = wire.AppendString(dst, m.Symbol)
	dst = append(dst, `,"b":`...)
	dst = appendLevels(dst, m.Bids)
	dst = append(dst, `,"a":`...)
	dst = appendLevels(dst, m.Asks)
	dst = append(dst, `,"u":`...)
	dst = wire.AppendInt(dst, m.ID)
	if m.Seq != 0 {
		dst = append(dst, `,"seq":`...)
		dst = wire.AppendInt(dst, m.Seq)
	}
	dst = append(dst, '}')
	return h.after(dst, order)
}

// appendLevels appends one side.
func appendLevels(dst []byte, levels []book.Level) []byte {
	dst = append(dst, '[')
	for i := range levels {
		l := &levels[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `["`...)
		dst = l.Price.AppendTo(dst)
		dst = append(dst, `","`...)
		dst = l.Size.AppendTo(dst)
		if l.RPI.IsSet() {
			dst = append(dst, `","`...)
			dst = l.RPI.AppendTo(dst)
		}
		dst = append(dst, `"]`...)
	}
	return append(dst, ']')
}

// isDepth1 reports whether the topic is a book of one level.
func isDepth1(topic string) bool { return strings.HasPrefix(topic, "orderbook.1.") }
