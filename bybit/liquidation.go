package bybit

import (
	"strings"
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// LiquidationsMessage is a push of allLiquidation, twice a second at most. The
// retired topic liquidation.{symbol} of before 2025, whose data is one object,
// decodes and encodes too. V5 page: [websocket/public/all-liquidation].
//
// [websocket/public/all-liquidation]: https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation
type LiquidationsMessage struct {
	Topic        Topic       // allLiquidation.{symbol}
	Type         MessageType // "snapshot"; encoded as that if empty
	Time         time.Time   // ts: when the frame was made
	Liquidations []Liquidation
}

const (
	liquidationFamily        = "allLiquidation."
	retiredLiquidationFamily = "liquidation."
)

// Liquidation is one position that the venue closed.
type Liquidation struct {
	Time   time.Time       // T
	Symbol string          // s
	Side   Side            // S: side of the position that was liquidated
	Size   decimal.Decimal // v: in base coin; contracts of one US dollar on inverse
	Price  decimal.Decimal // p: bankruptcy price
}

// liquidationKeys are the keys of Liquidation. It is never written.
var liquidationKeys = []string{"T", "s", "S", "v", "p"}

// Decode reads a frame of the topic, into the memory of m.Liquidations.
func (m *LiquidationsMessage) Decode(frame []byte) error {
	*m = LiquidationsMessage{Topic: m.Topic, Liquidations: m.Liquidations[:0]}
	e := newEnvelope(wantCommon)
	err := decodeTolerant(&e, frame, func(c *wire.Cursor) {
		if c.IsObject() {
			m.Liquidations = append(m.Liquidations, readRetiredLiquidation(c))
			return
		}
		m.Liquidations = readList(c, m.Liquidations, readLiquidation)
	}, liquidationFamily, retiredLiquidationFamily)
	if err != nil {
		return err
	}
	keepTopic(&m.Topic, e.topic)
	m.Type = messageType(e.kind)
	m.Time = millis(e.time)
	return nil
}

// readLiquidation reads one element of data.
func readLiquidation(c *wire.Cursor) (v Liquidation) {
	readFields(c, liquidationKeys, func(key int) {
		switch liquidationKeys[key] {
		case "T":
			v.Time = c.Millis()
		case "s":
			v.Symbol = string(c.Text())
		case "S":
			v.Side = side(c.Text())
		case "v":
			v.Size = c.Decimal()
		case "p":
			v.Price = c.Decimal()
		}
	})
	return v
}

// retiredLiquidationKeys are the keys of the retired topic's object. It is
// never written.
var retiredLiquidationKeys = []string{"updatedTime", "symbol", "side", "size", "price"}

// readRetiredLiquidation reads the object in data of liquidation.{symbol}.
func readRetiredLiquidation(c *wire.Cursor) (v Liquidation) {
	readFields(c, retiredLiquidationKeys, func(key int) {
		switch retiredLiquidationKeys[key] {
		case "updatedTime":
			v.Time = c.Millis()
		case "symbol":
			v.Symbol = string(c.Text())
		case "side":
			v.Side = side(c.Text())
		case "size":
			v.Size = c.Decimal()
		case "price":
			v.Price = c.Decimal()
		}
	})
	return v
}

// AppendJSON appends the message as the venue writes it, on every channel
// alike; with the retired topic's name and one liquidation, as that topic did.
func (m *LiquidationsMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name, kind: m.Type.orDefault(TypeSnapshot), time: m.Time}
	dst = h.before(dst, orderTypeTime)
	if strings.HasPrefix(m.Topic.name, retiredLiquidationFamily) && len(m.Liquidations) == 1 {
		dst = appendRetiredLiquidation(dst, &m.Liquidations[0])
	} else {
		dst = appendList(dst, m.Liquidations, appendLiquidation)
	}
	return h.after(dst, orderTypeTime)
}

// appendLiquidation appends one element of data.
func appendLiquidation(dst []byte, v *Liquidation) []byte {
	dst = appendMillisOrNull(append(dst, `{"T":`...), v.Time)
	dst = wire.AppendString(append(dst, `,"s":`...), v.Symbol)
	dst = wire.AppendString(append(dst, `,"S":`...), string(v.Side))
	dst = wire.AppendDecimal(append(dst, `,"v":`...), v.Size)
	dst = wire.AppendDecimal(append(dst, `,"p":`...), v.Price)
	return append(dst, '}')
}

// appendRetiredLiquidation appends the object in data of liquidation.{symbol}.
func appendRetiredLiquidation(dst []byte, v *Liquidation) []byte {
	dst = appendMillisOrNull(append(dst, `{"updatedTime":`...), v.Time)
	dst = wire.AppendString(append(dst, `,"symbol":`...), v.Symbol)
	dst = wire.AppendString(append(dst, `,"side":`...), string(v.Side))
	dst = wire.AppendDecimal(append(dst, `,"size":`...), v.Size)
	dst = wire.AppendDecimal(append(dst, `,"price":`...), v.Price)
	return append(dst, '}')
}
