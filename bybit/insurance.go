package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// InsuranceMessage is a push of insurance.{group}, once a second: the pools
// whose balance changed. Pools shared by several symbols are not pushed. V5
// page: [websocket/public/insurance-pool].
//
// [websocket/public/insurance-pool]: https://bybit-exchange.github.io/docs/v5/websocket/public/insurance-pool
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

// insuranceKeys are the keys of InsurancePool. It is never written.
var insuranceKeys = []string{"coin", "symbols", "balance", "updateTime"}

// Decode reads a frame of the topic, into the memory of m.Pools.
func (m *InsuranceMessage) Decode(frame []byte) error {
	*m = InsuranceMessage{Topic: m.Topic, Pools: m.Pools[:0]}
	e := newEnvelope(wantCommon)
	err := decodeTolerant(&e, frame, func(c *wire.Cursor) {
		m.Pools = readList(c, m.Pools, readInsurancePool)
	}, "insurance.")
	if err != nil {
		return err
	}
	keepTopic(&m.Topic, e.topic)
	m.Type = messageType(e.kind)
	m.Time = millis(e.time)
	return nil
}

// readInsurancePool reads one element of data.
func readInsurancePool(c *wire.Cursor) (v InsurancePool) {
	readFields(c, insuranceKeys, func(key int) {
		switch insuranceKeys[key] {
		case "coin":
			v.Coin = string(c.Text())
		case "symbols":
			v.Symbols = string(c.Text())
		case "balance":
			v.Balance = c.Decimal()
		case "updateTime":
			v.UpdateTime = c.Millis()
		}
	})
	return v
}

// AppendJSON appends the message as the venue writes it, on every channel
// alike.
func (m *InsuranceMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name, kind: m.Type.orDefault(TypeDelta), time: m.Time}
	dst = appendList(h.before(dst, orderTypeTime), m.Pools, appendInsurancePool)
	return h.after(dst, orderTypeTime)
}

// appendInsurancePool appends one element of data.
func appendInsurancePool(dst []byte, v *InsurancePool) []byte {
	dst = wire.AppendString(append(dst, `{"coin":`...), v.Coin)
	dst = wire.AppendString(append(dst, `,"symbols":`...), v.Symbols)
	dst = wire.AppendDecimal(append(dst, `,"balance":`...), v.Balance)
	dst = wire.AppendMillisString(append(dst, `,"updateTime":`...), v.UpdateTime)
	return append(dst, '}')
}
