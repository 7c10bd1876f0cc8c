package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
)

// RFQTradesMessage is a push of rfq.open.public.trades: block trades that were
// agreed by request for quote. V5 page: rfq/websocket/public/public-transaction.
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
