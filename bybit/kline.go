package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
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
// just closed. V5 page: [websocket/public/kline].
//
// [websocket/public/kline]: https://bybit-exchange.github.io/docs/v5/websocket/public/kline
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

const klineFamily = "kline."

// The keys of a candle, as bits for Cursor.Once.
const (
	keyKlineStart = iota
	keyKlineEnd
	keyKlineInterval
	keyKlineOpen
	keyKlineClose
	keyKlineHigh
	keyKlineLow
	keyKlineVolume
	keyKlineTurnover
	keyKlineConfirm
	keyKlineTime
)

// Decode reads a frame of a kline topic, into the memory of m.Klines.
func (m *KlineMessage) Decode(frame []byte) error {
	e := newEnvelope(wantCommon)
	if m.decodeCompact(&e, frame) && hasPrefix(e.topic, klineFamily) {
		m.finish(&e)
		return nil
	}
	e = newEnvelope(wantCommon)
	c := wire.NewCursor(frame)
	var o wire.Object
	for c.NextKey(&o) {
		if e.field(&c, &o) {
			m.readKlines(&c)
		}
	}
	if err := e.end(&c, frame, klineFamily); err != nil {
		return err
	}
	m.finish(&e)
	return nil
}

// finish moves the envelope into the message.
func (m *KlineMessage) finish(e *envelope) {
	keepTopic(&m.Topic, e.topic)
	m.Type = messageType(e.kind)
	m.Time = millis(e.time)
}

// addKline returns klines with one more candle, empty but for the interval that
// was in its place.
func addKline(klines []Kline) []Kline {
	var interval Interval
	if n := len(klines); n < cap(klines) {
		interval = klines[:n+1][n].Interval
	}
	return append(klines, Kline{Interval: interval})
}

// decodeCompact reads a frame without white space, the keys of a candle in the
// venue's order.
func (m *KlineMessage) decodeCompact(e *envelope, f []byte) bool {
	i, data := e.scan(f, 0)
	if !data || i+1 >= len(f) || f[i] != '[' {
		return false
	}
	m.Klines = m.Klines[:0]
	if f[i+1] == ']' {
		return e.scanRest(f, i+2)
	}
	for i++; ; i++ {
		m.Klines = addKline(m.Klines)
		if i = scanKline(f, i, &m.Klines[len(m.Klines)-1]); i < 0 || i >= len(f) {
			return false
		}
		if f[i] == ']' {
			return e.scanRest(f, i+1)
		}
		if f[i] != ',' {
			return false
		}
	}
}

// scanKline reads one candle.
func scanKline(f []byte, i int, k *Kline) int {
	if i, k.Start = scanKeyMillis(f, i, `{"start":`); i < 0 {
		return -1
	}
	if i, k.End = scanKeyMillis(f, i, `,"end":`); i < 0 {
		return -1
	}
	if i = wire.Literal(f, i, `,"interval":"`); i < 0 {
		return -1
	}
	interval, i := scanString(f, i)
	if i < 0 {
		return -1
	}
	k.Interval = keepInterval(k.Interval, interval)
	if i, k.Open = scanKeyDecimal(f, i, `,"open":"`); i < 0 {
		return -1
	}
	if i, k.Close = scanKeyDecimal(f, i, `,"close":"`); i < 0 {
		return -1
	}
	if i, k.High = scanKeyDecimal(f, i, `,"high":"`); i < 0 {
		return -1
	}
	if i, k.Low = scanKeyDecimal(f, i, `,"low":"`); i < 0 {
		return -1
	}
	if i, k.Volume = scanKeyDecimal(f, i, `,"volume":"`); i < 0 {
		return -1
	}
	if i, k.Turnover = scanKeyDecimal(f, i, `,"turnover":"`); i < 0 {
		return -1
	}
	if i = wire.Literal(f, i, `,"confirm":`); i < 0 {
		return -1
	}
	if k.Confirm, i = scanBool(f, i); i < 0 {
		return -1
	}
	if i, k.Time = scanKeyMillis(f, i, `,"timestamp":`); i < 0 || i >= len(f) || f[i] != '}' {
		return -1
	}
	return i + 1
}

// scanKeyMillis reads a key with a time.
func scanKeyMillis(f []byte, i int, key string) (int, time.Time) {
	if i = wire.Literal(f, i, key); i < 0 {
		return -1, time.Time{}
	}
	ms, i := wire.ScanInt(f, i)
	return i, millis(ms)
}

// scanKeyDecimal reads a key, which ends in the quote of its value.
func scanKeyDecimal(f []byte, i int, key string) (int, decimal.Decimal) {
	if i = wire.Literal(f, i, key); i < 0 {
		return -1, decimal.Decimal{}
	}
	d, i := wire.ScanDecimal(f, i)
	return i, d
}

// keepInterval is keepText for intervals; those of the documentation are
// constants.
func keepInterval(last Interval, text []byte) Interval {
	if string(last) == string(text) {
		return last
	}
	switch string(text) {
	case string(Interval1m):
		return Interval1m
	case string(Interval3m):
		return Interval3m
	case string(Interval5m):
		return Interval5m
	case string(Interval15m):
		return Interval15m
	case string(Interval30m):
		return Interval30m
	case string(Interval1h):
		return Interval1h
	case string(Interval2h):
		return Interval2h
	case string(Interval4h):
		return Interval4h
	case string(Interval6h):
		return Interval6h
	case string(Interval12h):
		return Interval12h
	case string(Interval1d):
		return Interval1d
	case string(Interval1w):
		return Interval1w
	case string(Interval1M):
		return Interval1M
	}
	return Interval(text)
}

// readKlines reads the array in data with everything that JSON allows.
func (m *KlineMessage) readKlines(c *wire.Cursor) {
	m.Klines = m.Klines[:0]
	var a wire.Array
	for c.NextElement(&a) {
		m.Klines = addKline(m.Klines)
		k := &m.Klines[len(m.Klines)-1]
		last := k.Interval
		k.Interval = ""
		var o wire.Object
		for c.NextKey(&o) {
			switch string(o.Key) {
			case "start":
				c.Once(&o, keyKlineStart)
				k.Start = c.Millis()
			case "end":
				c.Once(&o, keyKlineEnd)
				k.End = c.Millis()
			case "interval":
				c.Once(&o, keyKlineInterval)
				k.Interval = keepInterval(last, c.Text())
			case "open":
				c.Once(&o, keyKlineOpen)
				k.Open = c.Decimal()
			case "close":
				c.Once(&o, keyKlineClose)
				k.Close = c.Decimal()
			case "high":
				c.Once(&o, keyKlineHigh)
				k.High = c.Decimal()
			case "low":
				c.Once(&o, keyKlineLow)
				k.Low = c.Decimal()
			case "volume":
				c.Once(&o, keyKlineVolume)
				k.Volume = c.Decimal()
			case "turnover":
				c.Once(&o, keyKlineTurnover)
				k.Turnover = c.Decimal()
			case "confirm":
				c.Once(&o, keyKlineConfirm)
				k.Confirm = c.Bool()
			case "timestamp":
				c.Once(&o, keyKlineTime)
				k.Time = c.Millis()
			default:
				c.Skip(&o)
			}
		}
	}
}

// AppendJSON appends the message as every channel writes it, data first. Times
// that are zero are null; other fields are written even if they are unset.
func (m *KlineMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name, kind: m.Type.orDefault(TypeSnapshot), time: m.Time}
	dst = appendList(h.before(dst, orderKline), m.Klines, appendKline)
	return h.after(dst, orderKline)
}

// appendKline appends one candle.
func appendKline(dst []byte, k *Kline) []byte {
	dst = appendMillisOrNull(append(dst, `{"start":`...), k.Start)
	dst = appendMillisOrNull(append(dst, `,"end":`...), k.End)
	dst = wire.AppendString(append(dst, `,"interval":`...), string(k.Interval))
	dst = wire.AppendDecimal(append(dst, `,"open":`...), k.Open)
	dst = wire.AppendDecimal(append(dst, `,"close":`...), k.Close)
	dst = wire.AppendDecimal(append(dst, `,"high":`...), k.High)
	dst = wire.AppendDecimal(append(dst, `,"low":`...), k.Low)
	dst = wire.AppendDecimal(append(dst, `,"volume":`...), k.Volume)
	dst = wire.AppendDecimal(append(dst, `,"turnover":`...), k.Turnover)
	dst = wire.AppendBool(append(dst, `,"confirm":`...), k.Confirm)
	dst = appendMillisOrNull(append(dst, `,"timestamp":`...), k.Time)
	return append(dst, '}')
}
