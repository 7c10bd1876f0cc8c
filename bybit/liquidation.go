package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
)

// LiquidationsMessage is a push of allLiquidation, twice a second at most. The
// retired topic liquidation.{symbol} of before 2025, whose data is one object,
// decodes and encodes too. V5 page: websocket/public/all-liquidation.
type LiquidationsMessage struct {
	Topic        Topic       // allLiquidation.{symbol}
	Type         MessageType // "snapshot"; encoded as that if empty
	Time         time.Time   // ts: when the frame was made
	Liquidations []Liquidation
}

// Liquidation is one position that the venue closed.
type Liquidation struct {
	Time   time.Time       // T
	Symbol string          // s
	Side   Side            // S: side of the position that was liquidated
	Size   decimal.Decimal // v: in base coin; contracts of one US dollar on inverse
	Price  decimal.Decimal // p: bankruptcy price
}
