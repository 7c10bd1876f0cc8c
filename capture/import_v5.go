package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// maxEarly bounds the frames that wait for the first one that has a time: those
// of a file's beginning, not of a whole file of pongs.
const maxEarly = 10_000

var errNoTime = errors.New("no frame up to here has a time")

// v5Items reads V5 frames, one a line, bare or with what a recorder put around
// them.
func (s *source) v5Items() iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		check := newFrameCheck()
		var last time.Time
		var early []item // acknowledgements before the first frame that has a time
		var broken error
		for row, err := range s.lines() {
			if err != nil {
				broken = err
				break
			}
			s.report.Rows++
			it, err := s.v5Item(row, check, last)
			if err != nil {
				s.report.refuse(row.place, err)
				continue
			}
			if last = it.Received; last.IsZero() {
				if len(early) == maxEarly {
					s.report.refuse(row.place, errNoTime)
					continue
				}
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
			s.report.refuse(e.place, errNoTime)
		}
		if broken != nil {
			yield(item{}, broken)
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
	it := item{place: row.place, Record: Record{Kind: Frame, Channel: string(channel), Received: received, Data: frame}}
	m, sent, err := check.frame(frame, &it)
	if err != nil {
		return item{}, err
	}
	if _, ok := m.(*bybit.BookMessage); !ok && s.opts.Format == FormatBybitBooks {
		return item{}, errors.New("no message of an order book")
	}
	switch {
	case !received.IsZero():
		s.report.timed(timesFromRecv)
	case !sent.IsZero():
		s.report.timed(timesFromTS)
		it.Received = sent
	default:
		it.Received = last
	}
	return it, checkTime(it.Received)
}

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
		return t.UTC(), cmp.Or(err, checkTime(t))
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
	t := time.Unix(0, ns).UTC()
	return t, checkTime(t)
}

// checkTime refuses a time that a capture cannot hold; the zero time is none. A
// typing error in one row must not become the time of those that follow.
func checkTime(t time.Time) error {
	if year := t.Year(); !t.IsZero() && (year < 1970 || year > 2261) {
		return fmt.Errorf("time %s is out of range", t.Format(time.RFC3339))
	}
	return nil
}

// frameCheck decodes frames to see that they are what their topic says. It
// keeps one message per topic so that decoding does not allocate.
type frameCheck struct {
	messages map[string]bybit.Message
}

func newFrameCheck() *frameCheck { return &frameCheck{messages: make(map[string]bybit.Message)} }

// frame says what a frame is and returns the time that it states, or why it is
// no frame of V5. A topic that bywire has no type for is taken as it is if it
// is JSON; its message is nil.
func (c *frameCheck) frame(frame []byte, it *item) (bybit.Message, time.Time, error) {
	if wire.IsControl(frame) {
		var err error
		it.Direction, err = direction(frame)
		return nil, time.Time{}, err
	}
	it.data = true
	name, ok := bybit.FrameTopic(frame)
	if !ok {
		return nil, time.Time{}, errors.New("no topic")
	}
	m, ok := c.messages[string(name)]
	if !ok {
		var err error
		if m, err = newMessage(string(name)); err != nil {
			return nil, time.Time{}, err
		}
		c.messages[string(name)] = m
	}
	if m == nil {
		sent, err := genericTime(frame)
		return nil, sent, err
	}
	if err := m.Decode(frame); err != nil {
		return nil, time.Time{}, err
	}
	sent := messageTime(m)
	if sent.IsZero() {
		var err error
		if sent, err = genericTime(frame); err != nil {
			return nil, time.Time{}, err
		}
	}
	return m, sent, nil
}

// genericTime returns the time of a message of any topic, which the venue
// writes as "ts" in milliseconds; the zero time if the message has none.
func genericTime(frame []byte) (time.Time, error) {
	var m struct {
		TS json.RawMessage `json:"ts"`
	}
	if err := json.Unmarshal(frame, &m); err != nil {
		return time.Time{}, err
	}
	ms, err := strconv.ParseInt(string(m.TS), 10, 64)
	if err != nil || ms <= 0 {
		return time.Time{}, nil //nolint:nilerr // a topic of its own may write its time in its own way
	}
	return time.UnixMilli(ms).UTC(), nil
}

// newMessage returns the message of a topic, or nil for a topic of V5 that
// bywire does not know. A topic of V2 is an error that says so.
func newMessage(name string) (bybit.Message, error) {
	m := messageOfTopic(name)
	if m == nil {
		if topic, _, ok := wire.Translate(name); ok {
			return nil, fmt.Errorf("%s is a topic of V2, %s today; import it as %s", name, topic, FormatV2Log)
		}
	}
	return m, nil
}

// messageOfTopic returns the message of a topic, nil if bywire has no type for
// it.
func messageOfTopic(name string) bybit.Message {
	// V5 had a liquidation topic under V2's name until 2025.
	if strings.HasPrefix(name, "liquidation.") {
		return new(bybit.LiquidationsMessage)
	}
	topic, err := bybit.ParseTopic(name)
	if err != nil {
		return nil
	}
	m, _ := bybit.NewMessage(topic)
	return m
}

// direction tells what a client sends from what the venue answers. Both have an
// op; only answers have a verdict or name the connection. JSON that is neither
// is no frame of V5.
func direction(frame []byte) (Direction, error) {
	var f map[string]json.RawMessage
	if err := json.Unmarshal(frame, &f); err != nil {
		return 0, err
	}
	for _, name := range []string{"success", "ret_msg", "retCode", "retMsg", "conn_id", "connId"} {
		if _, ok := f[name]; ok {
			return In, nil
		}
	}
	switch op := string(f["op"]); op {
	case `"` + wire.OpPong + `"`:
		return In, nil
	case "", "null", `""`:
		return 0, errors.New("neither a message nor a request or its answer")
	}
	return Out, nil
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
