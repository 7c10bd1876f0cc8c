package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// ADLMessage is a push of adlAlert.{group}, once a second. V5 page:
// [websocket/public/adl-alert].
//
// [websocket/public/adl-alert]: https://bybit-exchange.github.io/docs/v5/websocket/public/adl-alert
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

// adlKeys are the keys of ADLAlert. It is never written.
var adlKeys = []string{"c", "s", "b", "mb", "i_pr", "pr", "adl_tt", "adl_sr"}

// Decode reads a frame of the topic, into the memory of m.Alerts.
func (m *ADLMessage) Decode(frame []byte) error {
	*m = ADLMessage{Topic: m.Topic, Alerts: m.Alerts[:0]}
	e := newEnvelope(wantCommon)
	err := decodeTolerant(&e, frame, func(c *wire.Cursor) {
		m.Alerts = readList(c, m.Alerts, readADLAlert)
	}, "adlAlert.")
	if err != nil {
		return err
	}
	keepTopic(&m.Topic, e.topic)
	m.Type = messageType(e.kind)
	m.Time = millis(e.time)
	return nil
}

// readADLAlert reads one element of data.
func readADLAlert(c *wire.Cursor) (v ADLAlert) {
	readFields(c, adlKeys, func(key int) {
		switch adlKeys[key] {
		case "c":
			v.Coin = string(c.Text())
		case "s":
			v.Symbol = string(c.Text())
		case "b":
			v.Balance = c.Decimal()
		case "mb":
			v.MaxBalance = c.Decimal()
		case "i_pr":
			v.InsurancePnL = c.Decimal()
		case "pr":
			v.PnLRatio = c.Decimal()
		case "adl_tt":
			v.TriggerThreshold = c.Decimal()
		case "adl_sr":
			v.StopRatio = c.Decimal()
		}
	})
	return v
}

// AppendJSON appends the message as the venue writes it, on every channel
// alike. Numbers that are unset are null.
func (m *ADLMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name, kind: m.Type.orDefault(TypeSnapshot), time: m.Time}
	dst = appendList(h.before(dst, orderTypeTime), m.Alerts, appendADLAlert)
	return h.after(dst, orderTypeTime)
}

// appendADLAlert appends one element of data.
func appendADLAlert(dst []byte, v *ADLAlert) []byte {
	dst = wire.AppendString(append(dst, `{"c":`...), v.Coin)
	dst = wire.AppendString(append(dst, `,"s":`...), v.Symbol)
	dst = wire.AppendNumber(append(dst, `,"b":`...), v.Balance)
	dst = append(dst, `,"mb":`...)
	if v.MaxBalance.IsSet() {
		dst = wire.AppendNumber(dst, v.MaxBalance)
	} else {
		dst = append(dst, `""`...)
	}
	dst = wire.AppendNumber(append(dst, `,"i_pr":`...), v.InsurancePnL)
	dst = wire.AppendNumber(append(dst, `,"pr":`...), v.PnLRatio)
	dst = wire.AppendNumber(append(dst, `,"adl_tt":`...), v.TriggerThreshold)
	dst = wire.AppendNumber(append(dst, `,"adl_sr":`...), v.StopRatio)
	return append(dst, '}')
}
