package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
)

// ADLMessage is a push of adlAlert.{group}, once a second.
// V5 page: websocket/public/adl-alert.
type ADLMessage struct {
	Topic  Topic       // adlAlert.{group}
	Type   MessageType // "snapshot"; encoded as that if empty
	Time   time.Time   // ts: when the frame was made
	Alerts []ADLAlert
}

// ADLAlert says how near the insurance pool of a symbol is to triggering
// auto-deleveraging. The venue sends the numbers as JSON numbers although its
// documentation says strings; AppendJSON writes numbers.
type ADLAlert struct {
	Coin             string          // c: coin of the insurance pool
	Symbol           string          // s
	Balance          decimal.Decimal // b: balance of the pool
	MaxBalance       decimal.Decimal // mb: its maximum in the last 8 hours; deprecated by the venue
	InsurancePnL     decimal.Decimal // i_pr: loss ratio of the pool that triggers, -0.3 is 30 %
	PnLRatio         decimal.Decimal // pr: loss ratio from the maximum, which triggers and stops
	TriggerThreshold decimal.Decimal // adl_tt: balance that triggers
	StopRatio        decimal.Decimal // adl_sr: loss ratio that stops
}
