package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// PriceLimitMessage is a push of priceLimit.{symbol}: the prices beyond which
// orders are refused. V5 page: [websocket/public/order-price-limit].
//
// [websocket/public/order-price-limit]: https://bybit-exchange.github.io/docs/v5/websocket/public/order-price-limit
type PriceLimitMessage struct {
	Topic     Topic     // priceLimit.{symbol}
	Time      time.Time // ts: when the frame was made
	Symbol    string
	BuyLimit  decimal.Decimal // buyLmt: highest price of a buy
	SellLimit decimal.Decimal // sellLmt: lowest price of a sell
}

// priceLimitKeys are the keys of the data. It is never written.
var priceLimitKeys = []string{"symbol", "buyLmt", "sellLmt"}

// Decode reads a frame of the topic.
func (m *PriceLimitMessage) Decode(frame []byte) error {
	*m = PriceLimitMessage{Topic: m.Topic}
	e := newEnvelope(wantNoType)
	err := decodeTolerant(&e, frame, func(c *wire.Cursor) {
		readFields(c, priceLimitKeys, func(key int) {
			switch priceLimitKeys[key] {
			case "symbol":
				m.Symbol = keepSymbol("", m.Topic.name, c.Text())
			case "buyLmt":
				m.BuyLimit = c.Decimal()
			case "sellLmt":
				m.SellLimit = c.Decimal()
			}
		})
	}, "priceLimit.")
	if err != nil {
		return err
	}
	keepTopic(&m.Topic, e.topic)
	m.Time = millis(e.time)
	return nil
}

// AppendJSON appends the message as the venue writes it, on every channel
// alike.
func (m *PriceLimitMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name, time: m.Time}
	dst = h.before(dst, orderPriceLimit)
	dst = wire.AppendString(append(dst, `{"symbol":`...), m.Symbol)
	dst = wire.AppendDecimal(append(dst, `,"buyLmt":`...), m.BuyLimit)
	dst = wire.AppendDecimal(append(dst, `,"sellLmt":`...), m.SellLimit)
	return h.after(append(dst, '}'), orderPriceLimit)
}
