package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// v5Items reads V5 frames, one a line, bare or with what a recorder put around
// them.
func (s *source) v5Items() iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		check := newFrameCheck()
		var last time.Time
		var early []item // acknowledgements before the first frame that has a time
		for row, err := range s.lines() {
			if err != nil {
				yield(item{}, err)
				return
			}
			s.report.Rows++
			it, err := s.v5Item(row, check, last)
			if err != nil {
				s.report.refuse(row.number, err)
				continue
			}
			if last = it.Received; last.IsZero() {
				it.Data = bytes.Clone(it.Data)
				early = append(early, it)
				continue
			}
			for _, e := range early {
				if e.Received = last; !yield(e, nil) {
					return
				}
			}
			early = nil
			if !yield(it, nil) {
				return
			}
		}
		for _, e := range early {
			s.report.refuse(e.line, errors.New("no frame of the file has a time"))
		}
	}
}

// v5Item makes a record of one line. last is the receive time of the line
// before it, which a frame without a time of its own takes over.
func (s *source) v5Item(row line, check *frameCheck, last time.Time) (item, error) {
	if row.err != nil {
		return item{}, row.err
	}
	frame, received, category, err := unwrap(row.text)
	if err != nil {
		return item{}, err
	}
	channel, err := s.channel(category)
	if err != nil {
		return item{}, err
	}
	it := item{line: row.number, Record: Record{Kind: Frame, Channel: string(channel), Received: received, Data: frame}}
	sent, err := check.frame(frame, &it)
	if err != nil {
		return item{}, err
	}
	if s.report.TimesFrom == "" {
		s.report.TimesFrom = timesFromTS
		if !received.IsZero() {
			s.report.TimesFrom = timesFromRecv
		}
	}
	if it.Received.IsZero() {
		it.Received = sent
	}
	if it.Received.IsZero() {
		it.Received = last
	}
	return it, nil
}

// Where the receive times of an import come from.
const (
	timesFromRecv = "recv"
	timesFromTS   = "ts"
)

// wrapper is what recorders put around a frame.
type wrapper struct {
	Recv     json.RawMessage `json:"recv"`
	Category string          `json:"category"`
	Frame    json.RawMessage `json:"frame"`
}

// unwrap returns the frame of a line with the receive time and the category
// that stand beside it, if any do. A frame given as a JSON string is its text.
func unwrap(text []byte) (frame []byte, received time.Time, category string, err error) {
	if text[0] != '{' {
		return nil, time.Time{}, "", errors.New("no JSON object")
	}
	if !bytes.Contains(text, []byte(`"frame"`)) {
		return text, time.Time{}, "", nil
	}
	var w wrapper
	if err := json.Unmarshal(text, &w); err != nil {
		return nil, time.Time{}, "", err
	}
	if len(w.Frame) == 0 {
		return text, time.Time{}, "", nil
	}
	if w.Frame[0] == '"' {
		var inner string
		if err := json.Unmarshal(w.Frame, &inner); err != nil {
			return nil, time.Time{}, "", err
		}
		w.Frame = []byte(inner)
	}
	if len(w.Recv) > 0 && string(w.Recv) != "null" {
		if received, err = parseTime(string(bytes.Trim(w.Recv, `"`))); err != nil {
			return nil, time.Time{}, "", fmt.Errorf("recv: %w", err)
		}
	}
	return w.Frame, received, w.Category, nil
}

// parseTime reads RFC 3339, or a Unix time whose unit follows from its size:
// seconds before the year 5138, then milliseconds, microseconds, nanoseconds.
func parseTime(text string) (time.Time, error) {
	if len(text) > 10 && text[4] == '-' {
		t, err := time.Parse(time.RFC3339Nano, text)
		return t.UTC(), err
	}
	number, err := decimal.Parse(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("time %q: %w", text, err)
	}
	whole := number.Round(0, decimal.ToZero)
	digits := len(whole.Abs().AppendTo(nil))
	scale := 9
	switch {
	case digits > 17:
		scale = 0
	case digits > 14:
		scale = 3
	case digits > 11:
		scale = 6
	}
	ns, ok := number.Round(scale, decimal.ToZero).Units(scale)
	if !ok || number.Sign() < 0 {
		return time.Time{}, fmt.Errorf("time %q is out of range", text)
	}
	return time.Unix(0, ns).UTC(), nil
}

// frameCheck decodes frames to see that they are what their topic says. It
// keeps one message per topic so that decoding does not allocate.
type frameCheck struct {
	messages map[string]bybit.Message
}

func newFrameCheck() *frameCheck { return &frameCheck{messages: make(map[string]bybit.Message)} }

// frame says whether it is a data message and returns its time, or why it is
// no frame of V5. A topic that bywire has no type for is taken as it is if it
// is JSON.
func (c *frameCheck) frame(frame []byte, it *item) (time.Time, error) {
	if wire.IsControl(frame) {
		if !json.Valid(frame) {
			return time.Time{}, errors.New("no JSON")
		}
		it.Direction = direction(frame)
		return time.Time{}, nil
	}
	it.data = true
	name, ok := bybit.FrameTopic(frame)
	if !ok {
		return time.Time{}, errors.New("no topic")
	}
	m, ok := c.messages[string(name)]
	if !ok {
		var err error
		if m, err = newMessage(string(name)); err != nil {
			return time.Time{}, err
		}
		c.messages[string(name)] = m
	}
	if m == nil {
		if !json.Valid(frame) {
			return time.Time{}, errors.New("no JSON")
		}
		return time.Time{}, nil
	}
	if err := m.Decode(frame); err != nil {
		return time.Time{}, err
	}
	return messageTime(m), nil
}

// newMessage returns the message of a topic, or nil for a topic of V5 that
// bywire does not know. A topic of V2 is an error that says so.
func newMessage(name string) (bybit.Message, error) {
	if topic, err := bybit.ParseTopic(name); err == nil {
		m, _ := bybit.NewMessage(topic)
		return m, nil
	}
	// V5 had a liquidation topic under V2's name until 2025.
	if topic, _, ok := wire.Translate(name); ok && !strings.HasPrefix(name, "liquidation.") {
		return nil, fmt.Errorf("%s is a topic of V2, %s today; import it as %s", name, topic, FormatV2Log)
	}
	return nil, nil
}

// direction tells what a client sends from what the venue answers: requests
// have an op and arguments or nothing else, and never a result.
func direction(frame []byte) Direction {
	reply, err := wire.ParseReply(frame)
	if err == nil && (reply.Success || reply.ConnID != "" || reply.Message != "") {
		return In
	}
	if _, err := wire.ParseRequest(frame); err == nil {
		return Out
	}
	return In
}

// messageTime returns when the venue made the message; the zero time if the
// message does not say.
func messageTime(m bybit.Message) time.Time {
	switch m := m.(type) {
	case *bybit.BookMessage:
		return m.Time
	case *bybit.TradesMessage:
		return m.Time
	case *bybit.TickerMessage:
		return m.Time
	case *bybit.KlineMessage:
		return m.Time
	case *bybit.LiquidationsMessage:
		return m.Time
	case *bybit.InsuranceMessage:
		return m.Time
	case *bybit.ADLMessage:
		return m.Time
	case *bybit.PriceLimitMessage:
		return m.Time
	case *bybit.SystemStatusMessage:
		return m.Time
	case *bybit.RFQTradesMessage:
		return m.Time
	}
	return time.Time{}
}
