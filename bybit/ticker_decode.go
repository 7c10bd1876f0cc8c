package bybit

import (
	"time"

	"github.com/bywire/bywire/internal/wire"
)

const tickerFamily = "tickers."

// Decode reads a frame of a tickers topic. A message whose type is neither
// snapshot nor delta is an error: nothing is known about the fields it lacks.
func (m *TickerMessage) Decode(frame []byte) error { return m.decodeWith(frame, nil) }

// decodeWith is Decode with the memory for ids given, for callers that decode
// each frame into a new message; nil is the message's own.
func (m *TickerMessage) decodeWith(frame []byte, ids *idArena) error {
	e := newEnvelope(wantTicker)
	if m.decodeCompact(&e, frame) && m.finish(&e, ids) {
		return nil
	}
	e = newEnvelope(wantTicker)
	c := wire.NewCursor(frame)
	var o wire.Object
	for c.NextKey(&o) {
		if e.field(&c, &o) {
			m.readTicker(&c)
		}
	}
	if err := e.end(&c, frame, tickerFamily); err != nil {
		return err
	}
	if !m.finish(&e, ids) {
		return newDecodeError(e.topic, frame, &wire.SyntaxError{Reason: "the type is neither snapshot nor delta"})
	}
	return nil
}

// finish moves the envelope into the message; false if it is not one of a
// ticker.
func (m *TickerMessage) finish(e *envelope, ids *idArena) bool {
	if !hasPrefix(e.topic, tickerFamily) {
		return false
	}
	switch string(e.kind) {
	case string(TypeSnapshot):
		m.Snapshot = true
	case string(TypeDelta):
		m.Snapshot = false
	default:
		return false
	}
	keepTopic(&m.Topic, e.topic)
	m.MessageID = ""
	if len(e.id) > 0 {
		if ids == nil {
			ids = idsOf(&m.ids, m)
		}
		m.MessageID = ids.text(e.id)
	}
	m.Time = millis(e.time)
	m.Seq = e.seq
	return true
}

// decodeCompact reads a frame without white space, the keys in any order:
// deltas carry any subset of them.
func (m *TickerMessage) decodeCompact(e *envelope, f []byte) bool {
	i, data := e.scan(f, 0)
	if !data || i+1 >= len(f) || f[i] != '{' || f[i+1] != '"' {
		return false
	}
	last := lastTexts(&m.Ticker)
	m.Ticker = Ticker{}
	var seen uint64
	for {
		i++
		if i >= len(f) || f[i] != '"' {
			return false
		}
		key, j := scanString(f, i+1)
		if j < 0 || j+1 >= len(f) || f[j] != ':' || f[j+1] != '"' {
			return false
		}
		k := tickerKey(key)
		if k == tickerKeyCount || seen&(1<<k) != 0 {
			return false
		}
		seen |= 1 << k
		field := k.field()
		if number := m.number(field); number != nil {
			if *number, i = wire.ScanDecimal(f, j+2); i < 0 {
				return false
			}
		} else {
			var text []byte
			if text, i = scanString(f, j+2); i < 0 || !m.setText(field, text, &last, m.Topic.name) {
				return false
			}
		}
		m.fields |= 1 << field
		if i >= len(f) {
			return false
		}
		if f[i] == '}' {
			return e.scanRest(f, i+1)
		}
		if f[i] != ',' {
			return false
		}
	}
}

// tickerTexts are the strings of a ticker that are likely to come again.
type tickerTexts struct{ symbol, phase string }

func lastTexts(t *Ticker) tickerTexts { return tickerTexts{t.Symbol, t.CurPreListingPhase} }

// setText sets a field that is no number; false if the text is no time.
func (t *Ticker) setText(f TickerField, text []byte, last *tickerTexts, topic string) (ok bool) {
	switch f {
	case TickerSymbol:
		t.Symbol = keepSymbol(last.symbol, topic, text)
	case TickerTickDirection:
		t.TickDirection = tickDirection(text)
	case TickerCurPreListingPhase:
		t.CurPreListingPhase = keepText(last.phase, text)
	case TickerNextFundingTime:
		t.NextFundingTime, ok = parseTime(text)
		return ok
	case TickerDeliveryTime:
		t.DeliveryTime, ok = parseTime(text)
		return ok
	}
	return true
}

// parseTime reads milliseconds, or RFC 3339 text as in deliveryTime; "" is the
// zero time.
func parseTime(text []byte) (time.Time, bool) {
	if len(text) == 0 {
		return time.Time{}, true
	}
	if ms, end := wire.ScanInt(text, 0); end == len(text) {
		return millis(ms), true
	}
	var t time.Time
	if err := t.UnmarshalText(text); err != nil {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// readTicker reads the object in data with everything that JSON allows.
func (m *TickerMessage) readTicker(c *wire.Cursor) {
	last := lastTexts(&m.Ticker)
	m.Ticker = Ticker{}
	var o wire.Object
	for c.NextKey(&o) {
		k := tickerKey(o.Key)
		if k == tickerKeyCount {
			c.Skip(&o)
			continue
		}
		c.Once(&o, uint(k))
		field := k.field()
		m.fields |= 1 << field
		if number := m.number(field); number != nil {
			*number = c.Decimal()
			continue
		}
		at := c.Offset()
		var text []byte
		if field == TickerNextFundingTime || field == TickerDeliveryTime {
			text = c.TextOrNumber()
		} else {
			text = c.Text()
		}
		if !m.setText(field, text, &last, m.Topic.name) {
			c.Fail(at, "not a time")
		}
	}
}

// tickerKeyIndex numbers the keys of a ticker on the wire: the fields, and the
// other spelling of best bid and ask.
type tickerKeyIndex uint8

const (
	keyBidPrice = tickerKeyIndex(tickerFieldCount) + iota
	keyBidSize
	keyAskPrice
	keyAskSize
	tickerKeyCount
)

// field returns the field that the key fills.
func (k tickerKeyIndex) field() TickerField {
	if k >= keyBidPrice {
		return TickerBidPrice + TickerField(k-keyBidPrice)
	}
	return TickerField(k)
}

// tickerKey returns the number of a key, tickerKeyCount if it is unknown.
func tickerKey(key []byte) tickerKeyIndex {
	switch string(key) {
	case "symbol":
		return tickerKeyIndex(TickerSymbol)
	case "tickDirection":
		return tickerKeyIndex(TickerTickDirection)
	case "lastPrice":
		return tickerKeyIndex(TickerLastPrice)
	case "prevPrice24h":
		return tickerKeyIndex(TickerPrevPrice24h)
	case "prevPrice1h":
		return tickerKeyIndex(TickerPrevPrice1h)
	case "highPrice24h":
		return tickerKeyIndex(TickerHighPrice24h)
	case "lowPrice24h":
		return tickerKeyIndex(TickerLowPrice24h)
	case "price24hPcnt":
		return tickerKeyIndex(TickerPrice24hPcnt)
	case "change24h":
		return tickerKeyIndex(TickerChange24h)
	case "markPrice":
		return tickerKeyIndex(TickerMarkPrice)
	case "indexPrice":
		return tickerKeyIndex(TickerIndexPrice)
	case "usdIndexPrice":
		return tickerKeyIndex(TickerUSDIndexPrice)
	case "volume24h":
		return tickerKeyIndex(TickerVolume24h)
	case "turnover24h":
		return tickerKeyIndex(TickerTurnover24h)
	case "totalVolume":
		return tickerKeyIndex(TickerTotalVolume)
	case "totalTurnover":
		return tickerKeyIndex(TickerTotalTurnover)
	case "openInterest":
		return tickerKeyIndex(TickerOpenInterest)
	case "openInterestValue":
		return tickerKeyIndex(TickerOpenInterestValue)
	case "singleOpenInterest":
		return tickerKeyIndex(TickerSingleOpenInterest)
	case "singleOpenInterestValue":
		return tickerKeyIndex(TickerSingleOpenInterestValue)
	case "bid1Price":
		return tickerKeyIndex(TickerBidPrice)
	case "bid1Size":
		return tickerKeyIndex(TickerBidSize)
	case "ask1Price":
		return tickerKeyIndex(TickerAskPrice)
	case "ask1Size":
		return tickerKeyIndex(TickerAskSize)
	case "bidIv":
		return tickerKeyIndex(TickerBidIV)
	case "askIv":
		return tickerKeyIndex(TickerAskIV)
	case "fundingRate":
		return tickerKeyIndex(TickerFundingRate)
	case "fundingCap":
		return tickerKeyIndex(TickerFundingCap)
	case "fundingIntervalHour":
		return tickerKeyIndex(TickerFundingIntervalHour)
	case "nextFundingTime":
		return tickerKeyIndex(TickerNextFundingTime)
	case "deliveryTime":
		return tickerKeyIndex(TickerDeliveryTime)
	case "deliveryFeeRate":
		return tickerKeyIndex(TickerDeliveryFeeRate)
	case "predictedDeliveryPrice":
		return tickerKeyIndex(TickerPredictedDeliveryPrice)
	case "basis":
		return tickerKeyIndex(TickerBasis)
	case "basisRate":
		return tickerKeyIndex(TickerBasisRate)
	case "basisRateYear":
		return tickerKeyIndex(TickerBasisRateYear)
	case "preOpenPrice":
		return tickerKeyIndex(TickerPreOpenPrice)
	case "preQty":
		return tickerKeyIndex(TickerPreQty)
	case "curPreListingPhase":
		return tickerKeyIndex(TickerCurPreListingPhase)
	case "markPriceIv":
		return tickerKeyIndex(TickerMarkPriceIV)
	case "underlyingPrice":
		return tickerKeyIndex(TickerUnderlyingPrice)
	case "delta":
		return tickerKeyIndex(TickerDelta)
	case "gamma":
		return tickerKeyIndex(TickerGamma)
	case "vega":
		return tickerKeyIndex(TickerVega)
	case "theta":
		return tickerKeyIndex(TickerTheta)
	case "bidPrice":
		return keyBidPrice
	case "bidSize":
		return keyBidSize
	case "askPrice":
		return keyAskPrice
	case "askSize":
		return keyAskSize
	}
	return tickerKeyCount
}
