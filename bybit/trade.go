package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
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
// One cross sequence may span several messages. V5 page: websocket/public/trade.
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
