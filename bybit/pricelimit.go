package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
)

// PriceLimitMessage is a push of priceLimit.{symbol}: the prices beyond which
// orders are refused. V5 page: websocket/public/order-price-limit.
type PriceLimitMessage struct {
	Topic     Topic     // priceLimit.{symbol}
	Time      time.Time // ts: when the frame was made
	Symbol    string
	BuyLimit  decimal.Decimal // buyLmt: highest price of a buy
	SellLimit decimal.Decimal // sellLmt: lowest price of a sell
}
