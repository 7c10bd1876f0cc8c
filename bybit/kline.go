package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
)

// Interval is the length of a candle: a number of minutes, or D, W, M.
// Unknown values survive.
type Interval string

// The intervals.
const (
	Interval1m  Interval = "1"
	Interval3m  Interval = "3"
	Interval5m  Interval = "5"
	Interval15m Interval = "15"
	Interval30m Interval = "30"
	Interval1h  Interval = "60"
	Interval2h  Interval = "120"
	Interval4h  Interval = "240"
	Interval6h  Interval = "360"
	Interval12h Interval = "720"
	Interval1d  Interval = "D"
	Interval1w  Interval = "W"
	Interval1M  Interval = "M"
)

// KlineMessage is a push of kline: the candle that is open, or one that has
// just closed. V5 page: websocket/public/kline.
type KlineMessage struct {
	Topic  Topic       // kline.{interval}.{symbol}
	Type   MessageType // always "snapshot" today; encoded as that if empty
	Time   time.Time   // ts: when the frame was made
	Klines []Kline
}

// Kline is one candle of trades.
type Kline struct {
	Start, End             time.Time // End is the last millisecond of the candle
	Interval               Interval
	Open, Close, High, Low decimal.Decimal
	Volume                 decimal.Decimal // in base coin; contracts of one US dollar on inverse
	Turnover               decimal.Decimal // in quote coin; base coin on inverse
	Confirm                bool            // the candle is closed
	Time                   time.Time       // timestamp: last trade in the candle
}
