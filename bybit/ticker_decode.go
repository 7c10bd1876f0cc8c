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
	for {
		i++
		if i >= len(f) || f[i] != '"' {
			return false
		}
		key, j := scanString(f, i+1)
		if j < 0 || j+1 >= len(f) || f[j] != ':' || f[j+1] != '"' {
			return false
		}
		field := tickerField(key)
		if field == tickerFieldCount || m.fields&(1<<field) != 0 {
			return false
		}
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
// zero time. Both spellings are for the same times: from 1970 on, as everywhere,
// and before the year 10000, where RFC 3339 ends.
func parseTime(text []byte) (t time.Time, ok bool) {
	if len(text) == 0 {
		return time.Time{}, true
	}
	if ms, end := wire.ScanInt(text, 0); end == len(text) {
		t = millis(ms)
	} else if t.UnmarshalText(text) != nil {
		return time.Time{}, false
	}
	t = t.UTC()
	return t, t.IsZero() || t.Unix() >= 0 && t.Year() <= 9999
}

// readTicker reads the object in data with everything that JSON allows.
func (m *TickerMessage) readTicker(c *wire.Cursor) {
	last := lastTexts(&m.Ticker)
	m.Ticker = Ticker{}
	var o wire.Object
	for c.NextKey(&o) {
		field := tickerField(o.Key)
		if field == tickerFieldCount {
			c.Skip(&o)
			continue
		}
		c.Once(&o, uint(field))
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

// tickerField returns the field of a key, tickerFieldCount if there is none. Best
// bid and ask have two spellings, of which a message may use one.
func tickerField(key []byte) TickerField {
	switch string(key) {
	case "symbol":
		return TickerSymbol
	case "tickDirection":
		return TickerTickDirection
	case "lastPrice":
		return TickerLastPrice
	case "prevPrice24h":
		return TickerPrevPrice24h
	case "prevPrice1h":
		return TickerPrevPrice1h
	case "highPrice24h":
		return TickerHighPrice24h
	case "lowPrice24h":
		return TickerLowPrice24h
	case "price24hPcnt":
		return TickerPrice24hPcnt
	case "change24h":
		return TickerChange24h
	case "markPrice":
		return TickerMarkPrice
	case "indexPrice":
		return TickerIndexPrice
	case "usdIndexPrice":
		return TickerUSDIndexPrice
	case "volume24h":
		return TickerVolume24h
	case "turnover24h":
		return TickerTurnover24h
	case "totalVolume":
		return TickerTotalVolume
	case "totalTurnover":
		return TickerTotalTurnover
	case "openInterest":
		return TickerOpenInterest
	case "openInterestValue":
		return TickerOpenInterestValue
	case "singleOpenInterest":
		return TickerSingleOpenInterest
	case "singleOpenInterestValue":
		return TickerSingleOpenInterestValue
	case "bid1Price", "bidPrice":
		return TickerBidPrice
	case "bid1Size", "bidSize":
		return TickerBidSize
	case "ask1Price", "askPrice":
		return TickerAskPrice
	case "ask1Size", "askSize":
		return TickerAskSize
	case "bidIv":
		return TickerBidIV
	case "askIv":
		return TickerAskIV
	case "fundingRate":
		return TickerFundingRate
	case "fundingCap":
		return TickerFundingCap
	case "fundingIntervalHour":
		return TickerFundingIntervalHour
	case "nextFundingTime":
		return TickerNextFundingTime
	case "deliveryTime":
		return TickerDeliveryTime
	case "deliveryFeeRate":
		return TickerDeliveryFeeRate
	case "predictedDeliveryPrice":
		return TickerPredictedDeliveryPrice
	case "basis":
		return TickerBasis
	case "basisRate":
		return TickerBasisRate
	case "basisRateYear":
		return TickerBasisRateYear
	case "preOpenPrice":
		return TickerPreOpenPrice
	case "preQty":
		return TickerPreQty
	case "curPreListingPhase":
		return TickerCurPreListingPhase
	case "markPriceIv":
		return TickerMarkPriceIV
	case "underlyingPrice":
		return TickerUnderlyingPrice
	case "delta":
		return TickerDelta
	case "gamma":
		return TickerGamma
	case "vega":
		return TickerVega
	case "theta":
		return TickerTheta
	}
	return tickerFieldCount
}
