package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// Side is the side of the taker or of an order: Buy or Sell. Unknown values
// survive.
type Side string

// The sides.
const (
	Buy  Side = "Buy"
	Sell Side = "Sell"
)

// TickDirection says how a price compares with the one before it. Unknown
// values survive.
type TickDirection string

// The tick directions. The zero ticks repeat a price and keep the direction
// of the last change.
const (
	PlusTick      TickDirection = "PlusTick"
	ZeroPlusTick  TickDirection = "ZeroPlusTick"
	MinusTick     TickDirection = "MinusTick"
	ZeroMinusTick TickDirection = "ZeroMinusTick"
)

// MessageType is the type of a data message: a full state or a change.
// Unknown values survive.
type MessageType string

// The message types.
const (
	TypeSnapshot MessageType = "snapshot"
	TypeDelta    MessageType = "delta"
)

// TradesMessage is a push of publicTrade: at most 1,024 trades, oldest first.
// One cross sequence may span several messages.
//
// Trade ids are parts of chunks of 4 KiB that hold about 110 ids: keeping one
// id keeps its chunk. Who keeps few of many trades clones their ids.
//
// V5 page: [websocket/public/trade].
//
// [websocket/public/trade]: https://bybit-exchange.github.io/docs/v5/websocket/public/trade
type TradesMessage struct {
	MessageID string      // id of the push; only on option
	Topic     Topic       // publicTrade.{symbol}, on option publicTrade.{baseCoin}
	Type      MessageType // always "snapshot" today; encoded as that if empty
	Time      time.Time   // ts: when the frame was made
	Trades    []Trade

	ids *idArena
}

// Trade is one public match. Which fields a frame carries depends on the
// channel and on when it was recorded; Has tells.
type Trade struct {
	Time          time.Time       // T: when it was matched
	Symbol        string          // s
	Side          Side            // S: side of the taker
	Size          decimal.Decimal // v: in base coin; contracts of one US dollar on inverse
	Price         decimal.Decimal // p
	TickDirection TickDirection   // L: only linear, inverse and spread
	ID            string          // i: unique per symbol
	Block         bool            // BT: a block trade
	RPI           bool            // RPI: matched a retail-price-improvement order
	Seq           int64           // seq: cross sequence
	MarkPrice     decimal.Decimal // mP: only option
	IndexPrice    decimal.Decimal // iP: only option
	MarkIV        decimal.Decimal // mIv: mark implied volatility, 0.5 is 50 %; only option
	IV            decimal.Decimal // iv: implied volatility of the trade; only option

	fields uint16
}

// TradeField names a field of a Trade for Has and Mark.
type TradeField uint8

// The fields of a Trade, in the order of the struct.
const (
	TradeTime TradeField = iota
	TradeSymbol
	TradeSide
	TradeSize
	TradePrice
	TradeTickDirection
	TradeID
	TradeBlock
	TradeRPI
	TradeSeq
	TradeMarkPrice
	TradeIndexPrice
	TradeMarkIV
	TradeIV
	tradeFieldCount
)

// Has reports whether the frame carried the field, or Mark named it.
func (t *Trade) Has(f TradeField) bool { return f < tradeFieldCount && t.fields&(1<<f) != 0 }

// Mark makes AppendJSON write the fields even where their value is zero, as
// the venue does with BT and RPI. Fields that are not zero are written anyway.
func (t *Trade) Mark(fields ...TradeField) {
	for _, f := range fields {
		if f < tradeFieldCount {
			t.fields |= 1 << f
		}
	}
}

const tradesFamily = "publicTrade."

// Decode reads a frame of a publicTrade topic. The trades are stored in the
// memory of m.Trades, whose capacity grows where it does not suffice; the
// strings in them stay valid.
func (m *TradesMessage) Decode(frame []byte) error { return m.decodeWith(frame, idsOf(&m.ids, m)) }

// decodeWith is Decode with the memory for ids given, for callers that decode
// each frame into a new message.
func (m *TradesMessage) decodeWith(frame []byte, ids *idArena) error {
	e := newEnvelope(wantTrades)
	if m.decodeCompact(&e, frame, ids) && hasPrefix(e.topic, tradesFamily) {
		m.finish(&e, ids)
		return nil
	}
	e = newEnvelope(wantTrades)
	c := wire.NewCursor(frame)
	var o wire.Object
	for c.NextKey(&o) {
		if e.field(&c, &o) {
			m.readTrades(&c, ids)
		}
	}
	if err := e.end(&c, frame, tradesFamily); err != nil {
		return err
	}
	m.finish(&e, ids)
	return nil
}

// finish moves the envelope into the message.
func (m *TradesMessage) finish(e *envelope, ids *idArena) {
	keepTopic(&m.Topic, e.topic)
	m.MessageID = ids.text(e.id)
	m.Type = messageType(e.kind)
	m.Time = millis(e.time)
}

// addTrade returns trades with one more trade, which is empty but for the
// symbol: likely it is the one of the trade before it.
func addTrade(trades []Trade) []Trade {
	n := len(trades)
	if n == cap(trades) {
		trades = append(trades, Trade{})
	}
	trades = trades[:n+1]
	symbol := trades[n].Symbol
	if n > 0 {
		symbol = trades[n-1].Symbol
	}
	trades[n] = Trade{}
	trades[n].Symbol = symbol
	return trades
}

// decodeCompact reads a frame without white space and unknown keys, with the
// keys in any order: the channels do not agree on one.
func (m *TradesMessage) decodeCompact(e *envelope, f []byte, ids *idArena) bool {
	i, data := e.scan(f, 0)
	if !data || i+1 >= len(f) || f[i] != '[' {
		return false
	}
	trades := m.Trades[:0]
	if f[i+1] == ']' {
		m.Trades = trades
		return e.scanRest(f, i+2)
	}
	topic := m.Topic.name
	for i++; ; i++ {
		trades = addTrade(trades)
		if i = scanTrade(f, i, &trades[len(trades)-1], topic, ids); i < 0 || i >= len(f) {
			break
		}
		if f[i] == ']' {
			m.Trades = trades
			return e.scanRest(f, i+1)
		}
		if f[i] != ',' {
			break
		}
	}
	m.Trades = trades
	return false
}

// scanTrade reads one trade, from the brace that opens it.
func scanTrade(f []byte, i int, t *Trade, topic string, ids *idArena) int {
	if i >= len(f) || f[i] != '{' {
		return -1
	}
	symbol := t.Symbol
	t.Symbol = ""
	for {
		i++
		if i+6 > len(f) || f[i] != '"' {
			return -1
		}
		var field TradeField
		var text []byte
		if f[i+2] == '"' && f[i+3] == ':' {
			quoted := f[i+4] == '"'
			key := f[i+1]
			if quoted == (key == 'T') {
				return -1
			}
			switch key {
			case 'T':
				field = TradeTime
				var ms int64
				if ms, i = wire.ScanInt(f, i+4); i > 0 {
					t.Time = millis(ms)
				}
			case 's':
				field = TradeSymbol
				if text, i = scanString(f, i+5); i > 0 {
					t.Symbol = keepSymbol(symbol, topic, text)
				}
			case 'S':
				field = TradeSide
				t.Side, i = scanSide(f, i+5)
			case 'v':
				field = TradeSize
				t.Size, i = wire.ScanDecimal(f, i+5)
			case 'p':
				field = TradePrice
				t.Price, i = wire.ScanDecimal(f, i+5)
			case 'L':
				field = TradeTickDirection
				t.TickDirection, i = scanTickDirection(f, i+5)
			case 'i':
				field = TradeID
				if text, i = scanString(f, i+5); i > 0 {
					t.ID = ids.text(text)
				}
			default:
				return -1
			}
		} else {
			field, i = scanTradeLong(f, i, t)
		}
		if i < 0 || i >= len(f) || t.fields&(1<<field) != 0 {
			return -1
		}
		t.fields |= 1 << field
		if f[i] == '}' {
			return i + 1
		}
		if f[i] != ',' {
			return -1
		}
	}
}

// scanTradeLong reads a key of more than one letter with its value.
func scanTradeLong(f []byte, i int, t *Trade) (field TradeField, next int) {
	var number *decimal.Decimal
	switch f[i+1] {
	case 'B':
		if j := wire.Literal(f, i, `"BT":`); j > 0 {
			t.Block, i = scanBool(f, j)
			return TradeBlock, i
		}
	case 'R':
		if j := wire.Literal(f, i, `"RPI":`); j > 0 {
			t.RPI, i = scanBool(f, j)
			return TradeRPI, i
		}
	case 's':
		if j := wire.Literal(f, i, `"seq":`); j > 0 {
			t.Seq, i = wire.ScanInt(f, j)
			return TradeSeq, i
		}
	case 'm':
		field, number = TradeMarkPrice, &t.MarkPrice
		j := wire.Literal(f, i, `"mP":"`)
		if j < 0 {
			field, number = TradeMarkIV, &t.MarkIV
			j = wire.Literal(f, i, `"mIv":"`)
		}
		i = j
	case 'i':
		field, number = TradeIndexPrice, &t.IndexPrice
		j := wire.Literal(f, i, `"iP":"`)
		if j < 0 {
			field, number = TradeIV, &t.IV
			j = wire.Literal(f, i, `"iv":"`)
		}
		i = j
	}
	if number == nil || i < 0 {
		return field, -1
	}
	*number, i = wire.ScanDecimal(f, i)
	return field, i
}

// scanSide reads the text of a side and its closing quote.
func scanSide(f []byte, i int) (Side, int) {
	if j := wire.Literal(f, i, `Buy"`); j > 0 {
		return Buy, j
	}
	if j := wire.Literal(f, i, `Sell"`); j > 0 {
		return Sell, j
	}
	text, i := scanString(f, i)
	return Side(text), i
}

// scanTickDirection reads the text of a tick direction and its closing quote.
func scanTickDirection(f []byte, i int) (TickDirection, int) {
	if j := wire.Literal(f, i, `ZeroPlusTick"`); j > 0 {
		return ZeroPlusTick, j
	}
	if j := wire.Literal(f, i, `ZeroMinusTick"`); j > 0 {
		return ZeroMinusTick, j
	}
	if j := wire.Literal(f, i, `PlusTick"`); j > 0 {
		return PlusTick, j
	}
	if j := wire.Literal(f, i, `MinusTick"`); j > 0 {
		return MinusTick, j
	}
	text, i := scanString(f, i)
	return TickDirection(text), i
}

// scanBool reads true or false.
func scanBool(f []byte, i int) (v bool, next int) {
	if j := wire.Literal(f, i, "false"); j > 0 {
		return false, j
	}
	return true, wire.Literal(f, i, "true")
}

// readTrades reads the array in data with everything that JSON allows.
func (m *TradesMessage) readTrades(c *wire.Cursor, ids *idArena) {
	topic := m.Topic.name
	m.Trades = m.Trades[:0]
	var a wire.Array
	for c.NextElement(&a) {
		m.Trades = addTrade(m.Trades)
		t := &m.Trades[len(m.Trades)-1]
		symbol := t.Symbol
		t.Symbol = ""
		var o wire.Object
		for c.NextKey(&o) {
			field := tradeField(o.Key)
			if field == tradeFieldCount {
				c.Skip(&o)
				continue
			}
			c.Once(&o, uint(field))
			t.fields |= 1 << field
			switch field {
			case TradeTime:
				t.Time = c.Millis()
			case TradeSymbol:
				t.Symbol = keepSymbol(symbol, topic, c.Text())
			case TradeSide:
				t.Side = side(c.Text())
			case TradeTickDirection:
				t.TickDirection = tickDirection(c.Text())
			case TradeID:
				t.ID = ids.text(c.TextOrNumber())
			case TradeBlock:
				t.Block = c.Bool()
			case TradeRPI:
				t.RPI = c.Bool()
			case TradeSeq:
				t.Seq, _ = c.Integer()
			default:
				*t.number(field) = c.Decimal()
			}
		}
	}
}

// tradeField returns the field of a key, tradeFieldCount if there is none.
func tradeField(key []byte) TradeField {
	switch string(key) {
	case "T":
		return TradeTime
	case "s":
		return TradeSymbol
	case "S":
		return TradeSide
	case "v":
		return TradeSize
	case "p":
		return TradePrice
	case "L":
		return TradeTickDirection
	case "i":
		return TradeID
	case "BT":
		return TradeBlock
	case "RPI":
		return TradeRPI
	case "seq":
		return TradeSeq
	case "mP":
		return TradeMarkPrice
	case "iP":
		return TradeIndexPrice
	case "mIv":
		return TradeMarkIV
	case "iv":
		return TradeIV
	}
	return tradeFieldCount
}

// tradeKeys holds the keys of the fields. It is never written.
var tradeKeys = [tradeFieldCount]string{
	TradeTime: "T", TradeSymbol: "s", TradeSide: "S", TradeSize: "v", TradePrice: "p",
	TradeTickDirection: "L", TradeID: "i", TradeBlock: "BT", TradeRPI: "RPI", TradeSeq: "seq",
	TradeMarkPrice: "mP", TradeIndexPrice: "iP", TradeMarkIV: "mIv", TradeIV: "iv",
}

// number returns where a field that is a number is stored, nil for others.
func (t *Trade) number(f TradeField) *decimal.Decimal {
	switch f {
	case TradeSize:
		return &t.Size
	case TradePrice:
		return &t.Price
	case TradeMarkPrice:
		return &t.MarkPrice
	case TradeIndexPrice:
		return &t.IndexPrice
	case TradeMarkIV:
		return &t.MarkIV
	case TradeIV:
		return &t.IV
	}
	return nil
}

// The orders of a trade's keys by channel. They are never written.
var (
	tradeOrderFutures = []TradeField{
		TradeTime, TradeSymbol, TradeSide, TradeSize, TradePrice, TradeTickDirection, TradeID,
		TradeBlock, TradeRPI, TradeSeq, TradeMarkPrice, TradeIndexPrice, TradeMarkIV, TradeIV,
	}
	tradeOrderSpot = []TradeField{
		TradeID, TradeTime, TradePrice, TradeSize, TradeSide, TradeSeq, TradeSymbol, TradeTickDirection,
		TradeBlock, TradeRPI, TradeMarkPrice, TradeIndexPrice, TradeMarkIV, TradeIV,
	}
	tradeOrderOption2023 = []TradeField{
		TradePrice, TradeSize, TradeID, TradeTime, TradeBlock, TradeSymbol, TradeSide, TradeTickDirection,
		TradeRPI, TradeSeq, TradeMarkPrice, TradeIndexPrice, TradeMarkIV, TradeIV,
	}
)

// AppendJSON appends the message as the channel writes it. Linear, inverse and
// spread begin a trade with its time, spot and option with its id. Option put
// the id of the message first and the type last in 2023, when its trades had no
// seq. A field is written if it is set or marked.
func (m *TradesMessage) AppendJSON(dst []byte, ch Channel) []byte {
	h := header{topic: m.Topic.name, id: m.MessageID, kind: m.Type.orDefault(TypeSnapshot), time: m.Time}
	order, fields := orderTypeTime, tradeOrderFutures
	switch {
	case ch == Option && len(m.Trades) > 0 && m.Trades[0].Seq == 0 && !m.Trades[0].Has(TradeSeq):
		order, fields = orderOption2023, tradeOrderOption2023
	case ch == Option:
		order, fields = orderOption, tradeOrderSpot
	case ch == Spot:
		order, fields = orderTimeType, tradeOrderSpot
	case ch == Spread:
		order = orderTimeType
	}
	dst = append(h.before(dst, order), '[')
	for i := range m.Trades {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = m.Trades[i].appendJSON(dst, fields)
	}
	return h.after(append(dst, ']'), order)
}

// appendJSON appends one trade.
func (t *Trade) appendJSON(dst []byte, order []TradeField) []byte {
	dst = append(dst, '{')
	start := len(dst)
	for _, f := range order {
		if !t.Has(f) && !t.isSet(f) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, tradeKeys[f]...)
		dst = append(dst, '"', ':')
		switch f {
		case TradeTime:
			if t.Time.IsZero() {
				dst = append(dst, "null"...)
			} else {
				dst = wire.AppendMillis(dst, t.Time)
			}
		case TradeSymbol:
			dst = wire.AppendString(dst, t.Symbol)
		case TradeSide:
			dst = wire.AppendString(dst, string(t.Side))
		case TradeTickDirection:
			dst = wire.AppendString(dst, string(t.TickDirection))
		case TradeID:
			dst = wire.AppendString(dst, t.ID)
		case TradeBlock:
			dst = wire.AppendBool(dst, t.Block)
		case TradeRPI:
			dst = wire.AppendBool(dst, t.RPI)
		case TradeSeq:
			dst = wire.AppendInt(dst, t.Seq)
		default:
			dst = wire.AppendDecimal(dst, *t.number(f))
		}
	}
	return append(dst, '}')
}

// isSet reports whether the field's value is not the zero value.
func (t *Trade) isSet(f TradeField) bool {
	switch f {
	case TradeTime:
		return !t.Time.IsZero()
	case TradeSymbol:
		return t.Symbol != ""
	case TradeSide:
		return t.Side != ""
	case TradeTickDirection:
		return t.TickDirection != ""
	case TradeID:
		return t.ID != ""
	case TradeBlock:
		return t.Block
	case TradeRPI:
		return t.RPI
	case TradeSeq:
		return t.Seq != 0
	}
	return t.number(f).IsSet()
}
