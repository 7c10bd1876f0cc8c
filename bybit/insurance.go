package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
)

// InsuranceMessage is a push of insurance.{group}, once a second: the pools
// whose balance changed. Pools shared by several symbols are not pushed.
// V5 page: websocket/public/insurance-pool.
type InsuranceMessage struct {
	Topic Topic       // insurance.{group}
	Type  MessageType // "snapshot" or "delta"; encoded as delta if empty
	Time  time.Time   // ts: when the frame was made
	Pools []InsurancePool
}

// InsurancePool is the balance of one insurance pool.
type InsurancePool struct {
	Coin       string
	Symbols    string          // the symbols that the pool insures
	Balance    decimal.Decimal // in Coin
	UpdateTime time.Time
}
