package main

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// printer writes events to stdout in one format.
type printer interface {
	print(bybit.Event) error
	flush() error
	end() error // also after an error of print
}

func (a *app) printer(format string, sel selection) printer {
	switch format {
	case formatTable:
		return newTablePrinter(a, sel)
	case formatRaw:
		return &rawPrinter{a: a}
	}
	return &jsonPrinter{a: a, channel: sel.channel, array: format == formatJSON}
}

// rawPrinter prints frames as they were received.
type rawPrinter struct{ a *app }

func (p *rawPrinter) print(ev bybit.Event) error {
	if raw, ok := ev.(*bybit.RawEvent); ok {
		_, _ = p.a.out.Write(raw.Frame)
		if err := p.a.out.WriteByte('\n'); err != nil {
			return &outputError{err}
		}
		return nil
	}
	p.a.say("%s", noticeOf(ev))
	return nil
}

func (p *rawPrinter) flush() error { return p.a.flush() }
func (p *rawPrinter) end() error   { return p.a.flush() }

// jsonPrinter prints an object per event: one a line, or in one array.
type jsonPrinter struct {
	a       *app
	channel bybit.Channel
	array   bool
	printed bool
	buf     []byte
	merged  []byte // scratch for the ticker's state
}

func (p *jsonPrinter) print(ev bybit.Event) error {
	b := p.buf[:0]
	if p.array {
		if !p.printed {
			b = append(b, '[', '\n')
		} else {
			b = append(b, ',', '\n')
		}
	}
	p.printed = true
	b = p.appendEvent(b, ev)
	if !p.array {
		b = append(b, '\n')
	}
	p.buf = b
	if _, err := p.a.out.Write(b); err != nil {
		return &outputError{err}
	}
	return nil
}

func (p *jsonPrinter) flush() error { return p.a.flush() }

func (p *jsonPrinter) end() error {
	if p.array {
		if !p.printed {
			_ = p.a.out.WriteByte('[') // the error sticks
		}
		_, _ = p.a.out.WriteString("\n]\n")
	}
	return p.a.flush()
}

// head is what every event has.
type head struct {
	kind     string
	topic    bybit.Topic
	received time.Time
	time     time.Time
	frame    []byte
}

func headOf(ev bybit.Event) head {
	switch e := ev.(type) {
	case *bybit.BookEvent:
		return head{"book", e.Topic, e.Received, e.Time, e.Frame}
	case *bybit.TradesEvent:
		return head{"trades", e.Topic, e.Received, e.Time, e.Frame}
	case *bybit.TickerEvent:
		return head{"ticker", e.Topic, e.Received, e.Time, e.Frame}
	case *bybit.KlineEvent:
		return head{"kline", e.Topic, e.Received, e.Time, e.Frame}
	case *bybit.LiquidationsEvent:
		return head{"liquidations", e.Topic, e.Received, e.Time, e.Frame}
	case *bybit.InsuranceEvent:
		return head{"insurance", e.Topic, e.Received, e.Time, e.Frame}
	case *bybit.ADLEvent:
		return head{"adl", e.Topic, e.Received, e.Time, e.Frame}
	case *bybit.PriceLimitEvent:
		return head{"priceLimit", e.Topic, e.Received, e.Time, e.Frame}
	case *bybit.SystemStatusEvent:
		return head{"systemStatus", e.Topic, e.Received, e.Time, e.Frame}
	case *bybit.RFQTradesEvent:
		return head{"rfqTrades", e.Topic, e.Received, e.Time, e.Frame}
	case *bybit.DualAssetEvent:
		return head{"dualAssetOffers", e.Topic, e.Received, time.Time{}, e.Frame}
	case *bybit.SmartLeverageEvent:
		return head{"smartLeverageOffers", e.Topic, e.Received, time.Time{}, e.Frame}
	case *bybit.DoubleWinEvent:
		return head{"doubleWinOffers", e.Topic, e.Received, time.Time{}, e.Frame}
	case *bybit.DiscountBuyEvent:
		return head{"discountBuyOffers", e.Topic, e.Received, time.Time{}, e.Frame}
	case *bybit.RawEvent:
		return head{"raw", e.Topic, e.Received, time.Time{}, e.Frame}
	case *bybit.GapEvent:
		return head{"gap", e.Topic, e.Time, time.Time{}, nil}
	case *bybit.RejectedEvent:
		return head{"rejected", e.Topic, e.Time, time.Time{}, nil}
	case *bybit.DecodeErrorEvent:
		return head{"decodeError", e.Topic, e.Received, time.Time{}, nil}
	case *bybit.SilentEvent:
		return head{"silent", e.Topic, e.Time, time.Time{}, nil}
	}
	return head{kind: "unknown"}
}

func (p *jsonPrinter) appendEvent(b []byte, ev bybit.Event) []byte {
	h := headOf(ev)
	b = append(b, `{"type":"`...)
	b = append(b, h.kind...)
	b = wire.AppendString(append(b, `","topic":`...), h.topic.String())
	b = wire.AppendString(append(b, `,"channel":`...), string(p.channel))
	b = appendTime(append(b, `,"received":`...), h.received)
	switch e := ev.(type) {
	case *bybit.GapEvent:
		b = wire.AppendString(append(b, `,"reason":`...), string(e.Reason))
		b = wire.AppendInt(append(b, `,"dropped":`...), int64(e.Dropped))
		return append(wire.AppendString(append(b, `,"error":`...), errorText(e.Err)), '}')
	case *bybit.SilentEvent:
		b = appendTime(append(b, `,"since":`...), e.Since)
		b = wire.AppendInt(append(b, `,"expectedMs":`...), e.Expected.Milliseconds())
		return append(b, '}')
	case *bybit.RejectedEvent:
		return append(wire.AppendString(append(b, `,"message":`...), e.Err.Message), '}')
	case *bybit.DecodeErrorEvent:
		b = wire.AppendString(append(b, `,"error":`...), e.Err.Error())
		return append(wire.AppendString(append(b, `,"frame":`...), string(e.Err.Frame)), '}')
	case *bybit.BookEvent:
		b = appendTime(append(b, `,"time":`...), h.time)
		b = appendBest(append(b, `,"bestBid":`...), e.Book.BestBid)
		b = appendBest(append(b, `,"bestAsk":`...), e.Book.BestAsk)
	case *bybit.TickerEvent:
		b = appendTime(append(b, `,"time":`...), h.time)
		b = append(b, `,"ticker":`...)
		b = p.appendTicker(b, e)
	default:
		b = appendTime(append(b, `,"time":`...), h.time)
	}
	b = append(b, `,"data":`...)
	return append(appendData(b, h.frame), '}')
}

// appendTicker appends the state of a ticker in the venue's own keys; null
// before the first snapshot.
func (p *jsonPrinter) appendTicker(b []byte, e *bybit.TickerEvent) []byte {
	if !e.Complete {
		return append(b, "null"...)
	}
	if e.Snapshot {
		return appendData(b, e.Frame)
	}
	m := bybit.TickerMessage{Topic: e.Topic, Time: e.Time, Snapshot: true, Ticker: e.Ticker}
	p.merged = m.AppendJSON(p.merged[:0], p.channel)
	return appendData(b, p.merged)
}

// appendBest appends [price, size], or null if there is no such level.
func appendBest(b []byte, best func() (book.Level, error)) []byte {
	lv, err := best()
	if err != nil {
		return append(b, "null"...)
	}
	b = append(b, '[', '"')
	b = lv.Price.AppendTo(b)
	b = append(b, '"', ',', '"')
	b = lv.Size.AppendTo(b)
	return append(b, '"', ']')
}

// appendData appends the data of a frame as it stands there, on one line. A
// frame without data, as custom channels may send, is appended whole.
func appendData(b, frame []byte) []byte {
	data := frame
	c := wire.NewCursor(frame)
	var o wire.Object
	for c.NextKey(&o) {
		isData := string(o.Key) == "data"
		from := c.Offset()
		c.Skip(&o)
		if isData && c.Err() == nil {
			data = frame[from:c.Offset()]
			break
		}
	}
	if bytes.IndexByte(data, '\n') < 0 && c.Err() == nil {
		return append(b, bytes.TrimSpace(data)...)
	}
	var line bytes.Buffer
	if json.Compact(&line, data) != nil {
		return wire.AppendString(b, string(frame))
	}
	return append(b, line.Bytes()...)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return oneLine(err.Error())
}

// noticeOf says an event that is no message in words.
func noticeOf(ev bybit.Event) string {
	switch e := ev.(type) {
	case *bybit.GapEvent:
		s := e.Topic.String() + ": gap: " + string(e.Reason)
		if e.Err != nil {
			s += ": " + errorText(e.Err)
		}
		if e.Dropped > 0 {
			s += ", " + counted(e.Dropped, "message") + " dropped"
		}
		return s
	case *bybit.RejectedEvent:
		return e.Topic.String() + ": refused by the exchange: " + e.Err.Message
	case *bybit.DecodeErrorEvent:
		return "frame not decoded: " + errorText(e.Err)
	case *bybit.SilentEvent:
		return e.Topic.String() + ": silent since " + stamp(e.Since) + ", expected something within " + e.Expected.String() + "; subscribed anew"
	}
	return headOf(ev).kind
}
