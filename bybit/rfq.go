package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// RFQTradesMessage is a push of rfq.open.public.trades: block trades that were
// agreed by request for quote. V5 page:
// [rfq/websocket/public/public-transaction].
//
// [rfq/websocket/public/public-transaction]: https://bybit-exchange.github.io/docs/v5/rfq/websocket/public/public-transaction
type RFQTradesMessage struct {
	MessageID string    // id; documented, not seen
	Topic     Topic     // rfq.open.public.trades
	Time      time.Time // creationTime
	Trades    []RFQTrade
}

// RFQTrade is one block trade with its legs.
type RFQTrade struct {
	RFQID        string // rfqId
	StrategyType string
	Legs         []RFQLeg
	CreatedTime  time.Time // createdAt
	UpdatedTime  time.Time // updatedAt
}

// RFQLeg is one leg of a block trade.
type RFQLeg struct {
	Category  Category
	Symbol    string
	Side      Side // as sent: "Buy" or "buy"
	Price     decimal.Decimal
	Qty       decimal.Decimal
	MarkPrice decimal.Decimal
}

// rfqTradeKeys are the keys of RFQTrade. It is never written.
var rfqTradeKeys = []string{"rfqId", "strategyType", "legs", "createdAt", "updatedAt"}

// Decode reads a frame of the topic, into the memory of m.Trades.
func (m *RFQTradesMessage) Decode(frame []byte) error {
	*m = RFQTradesMessage{Topic: m.Topic, Trades: m.Trades[:0]}
	e := newEnvelope(wantRFQ)
	err := decodeTolerant(&e, frame, func(c *wire.Cursor) {
		m.Trades = readList(c, m.Trades, readRFQTrade)
	}, "rfq.open.public.trades")
	if err != nil {
		return err
	}
	keepTopic(&m.Topic, e.topic)
	m.MessageID = string(e.id)
	m.Time = millis(e.time)
	return nil
}

// readRFQTrade reads one element of data.
func readRFQTrade(c *wire.Cursor) (v RFQTrade) {
	readFields(c, rfqTradeKeys, func(key int) {
		switch rfqTradeKeys[key] {
		case "rfqId":
			v.RFQID = string(c.TextOrNumber())
		case "strategyType":
			v.StrategyType = string(c.Text())
		case "legs":
			v.Legs = readList(c, nil, readRFQLeg)
		case "createdAt":
			v.CreatedTime = c.Millis()
		case "updatedAt":
			v.UpdatedTime = c.Millis()
		}
	})
	return v
}

// rfqLegKeys are the keys of a leg. It is never written.
var rfqLegKeys = []string{"category", "symbol", "side", "price", "qty", "markPrice"}

// readRFQLeg reads one leg.
func readRFQLeg(c *wire.Cursor) (v RFQLeg) {
	readFields(c, rfqLegKeys, func(key int) {
		switch rfqLegKeys[key] {
		case "category":
			v.Category = Category(c.Text())
		case "symbol":
			v.Symbol = string(c.Text())
		case "side":
			v.Side = side(c.Text())
		case "price":
			v.Price = c.Decimal()
		case "qty":
			v.Qty = c.Decimal()
		case "markPrice":
			v.MarkPrice = c.Decimal()
		}
	})
	return v
}

// AppendJSON appends the message as the venue writes it.
func (m *RFQTradesMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name, id: m.MessageID, time: m.Time}
	dst = appendList(h.before(dst, orderRFQ), m.Trades, appendRFQTrade)
	return h.after(dst, orderRFQ)
}

// appendRFQTrade appends one element of data.
func appendRFQTrade(dst []byte, v *RFQTrade) []byte {
	dst = wire.AppendString(append(dst, `{"rfqId":`...), v.RFQID)
	dst = wire.AppendString(append(dst, `,"strategyType":`...), v.StrategyType)
	dst = appendList(append(dst, `,"legs":`...), v.Legs, appendRFQLeg)
	dst = wire.AppendMillisString(append(dst, `,"createdAt":`...), v.CreatedTime)
	dst = wire.AppendMillisString(append(dst, `,"updatedAt":`...), v.UpdatedTime)
	return append(dst, '}')
}

// appendRFQLeg appends one leg.
func appendRFQLeg(dst []byte, v *RFQLeg) []byte {
	dst = wire.AppendString(append(dst, `{"category":`...), string(v.Category))
	dst = wire.AppendString(append(dst, `,"symbol":`...), v.Symbol)
	dst = wire.AppendString(append(dst, `,"side":`...), string(v.Side))
	dst = wire.AppendDecimal(append(dst, `,"price":`...), v.Price)
	dst = wire.AppendDecimal(append(dst, `,"qty":`...), v.Qty)
	dst = wire.AppendDecimal(append(dst, `,"markPrice":`...), v.MarkPrice)
	return append(dst, '}')
}
