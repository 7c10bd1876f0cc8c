package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// v2Items reads a log of the V2 stream. Book and trade messages become V5
// messages; what a client sent and the venue's acknowledgements stay as they
// are. V2 books had no update id: the converter numbers the messages of a topic
// from 1, so a gap in the log cannot be seen in `u`. A message that the
// converter itself refuses has a number all the same: there `u` shows the gap.
func (s *source) v2Items() iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		log := &v2Log{source: s, urls: make(map[bybit.Channel]string), books: make(map[topicKey]*v2Book)}
		for row, err := range s.lines() {
			if err != nil {
				yield(item{}, err)
				return
			}
			s.report.Rows++
			it, err := log.item(row)
			if err != nil {
				s.report.refuse(row.place, err)
				continue
			}
			if !yield(it, nil) {
				return
			}
		}
	}
}

// v2Log is the state of a log while it is read.
type v2Log struct {
	*source
	urls  map[bybit.Channel]string // what was dialled last for each channel
	books map[topicKey]*v2Book
	last  time.Time // of the line before
	buf   []byte
}

// v2Book is what is known of a book. Its connection's end makes it unknown.
type v2Book struct {
	id    int64 // the update id given last
	valid bool  // there was a snapshot since the connection was made
}

// item makes a record of one line of the log.
func (l *v2Log) item(row line) (item, error) {
	if row.err != nil {
		return item{}, row.err
	}
	it, err := l.record(row)
	if err != nil {
		return item{}, err
	}
	it.place = row.place
	if it.Received.IsZero() {
		if l.last.IsZero() {
			return item{}, errNoTime
		}
		it.Received = l.last
	}
	if err := checkTime(it.Received); err != nil {
		return item{}, err
	}
	l.last = it.Received
	return it, nil
}

func (l *v2Log) record(row line) (item, error) {
	if row.text[0] == '{' {
		frame, received, category, err := unwrap(row.text)
		if err != nil {
			return item{}, err
		}
		return l.received(frame, received, category)
	}
	text := string(row.text)
	if strings.HasPrefix(text, "wss://") || strings.HasPrefix(text, "ws://") {
		return l.connection(text)
	}
	stamp, frame, ok := strings.Cut(text, ": ")
	if !ok {
		return item{}, errV2Line
	}
	received, err := parseTime(stamp)
	if err != nil {
		return item{}, errV2Line
	}
	return l.received([]byte(frame), received, "")
}

var errV2Line = errors.New("neither a connection nor a message of the log")

// connection reads "URL <-> TIME" and "URL <- TIME: FRAME".
func (l *v2Log) connection(text string) (item, error) {
	url, rest, _ := strings.Cut(text, " ")
	arrow, rest, _ := strings.Cut(rest, " ")
	stamp, frame, sent := strings.Cut(rest, ": ")
	received, err := parseTime(stamp)
	if err != nil {
		return item{}, err
	}
	channel, err := l.channel(v2Category(url))
	if err != nil {
		return item{}, err
	}
	rec := Record{Kind: Connect, Channel: string(channel), URL: url, Received: received}
	switch {
	case arrow == "<->" && !sent:
		l.urls[channel] = url
		for key, b := range l.books {
			b.valid = b.valid && key.channel != string(channel)
		}
	case arrow == "<-" && sent && json.Valid([]byte(frame)):
		rec.Kind, rec.Direction, rec.Data = Frame, Out, []byte(frame)
	default:
		return item{}, errV2Line
	}
	return item{Record: rec}, nil
}

// v2Category returns the category that the path of a V2 URL served.
func v2Category(url string) string {
	switch {
	case strings.HasSuffix(url, "/realtime_public"):
		return bybit.Linear
	case strings.HasSuffix(url, "/realtime"):
		return bybit.Inverse
	}
	return ""
}

// v2Frame is the envelope of a V2 message, in the spelling of the inverse and
// USDT streams and in that of the USDC stream.
type v2Frame struct {
	Topic       string          `json:"topic"`
	Type        string          `json:"type"`
	Data        json.RawMessage `json:"data"`
	CrossSeq    decimal.Decimal `json:"cross_seq"`
	CrossSeqC   decimal.Decimal `json:"crossSeq"`
	TimestampE6 decimal.Decimal `json:"timestamp_e6"`
	TimestampC  decimal.Decimal `json:"timestampE6"`
	Success     *bool           `json:"success"`
}

// received makes a record of what the venue sent.
func (l *v2Log) received(text []byte, received time.Time, category string) (item, error) {
	if !received.IsZero() {
		l.report.timed(timesFromRecv)
	}
	it := item{Record: Record{Kind: Frame, Received: received}}
	var f v2Frame
	broken := json.Unmarshal(text, &f)
	if broken != nil {
		// What is left of the line may still say whose message is lost.
		name, _ := bybit.FrameTopic(text)
		f.Topic = string(name)
	}
	if f.Topic == "" {
		switch {
		case broken != nil:
			return item{}, broken
		case f.Success == nil:
			return item{}, errors.New("neither a message nor an acknowledgement")
		}
		channel, err := l.channelOf(category, "")
		if err != nil {
			return item{}, err
		}
		it.Channel, it.URL, it.Data = string(channel), l.urls[channel], bytes.Clone(text)
		return it, nil
	}
	name, guess, ok := wire.Translate(f.Topic)
	if !ok {
		return item{}, fmt.Errorf("topic %s has no successor in V5", f.Topic)
	}
	channel, err := l.channelOf(category, guess)
	if err != nil {
		return item{}, err
	}
	topic, err := bybit.ParseTopic(name)
	if err != nil {
		return item{}, err
	}
	it.Channel, it.URL, it.data = string(channel), l.urls[channel], true
	switch {
	case strings.HasPrefix(name, "orderbook."):
		known := l.known(channel, name)
		if err = broken; err == nil {
			err = l.book(&f, topic, channel, known, &it)
		}
		if err != nil && known.valid {
			known.id++
		}
	case broken != nil:
		err = broken
	case strings.HasPrefix(name, "publicTrade."):
		err = l.trades(&f, topic, channel, &it)
	default:
		err = fmt.Errorf("topic %s is not converted", f.Topic)
	}
	return it, err
}

// channelOf returns the channel of a received line, which names no URL: what
// stands beside the frame, or the only one dialled, or the import's own, or what
// the topic's symbol tells. Where several were dialled only the symbol can tell.
func (l *v2Log) channelOf(category string, guess wire.Channel) (bybit.Channel, error) {
	if category == "" && len(l.urls) > 1 {
		if _, ok := l.urls[bybit.Channel(guess)]; !ok {
			return "", errors.New("several connections are open, and nothing tells which one received this")
		}
		return bybit.Channel(guess), nil
	}
	for channel := range l.urls {
		category = cmp.Or(category, string(channel))
	}
	return l.channel(cmp.Or(category, string(l.opts.Category), string(guess)))
}

func (l *v2Log) known(channel bybit.Channel, topic string) *v2Book {
	key := topicKey{string(channel), topic}
	b, ok := l.books[key]
	if !ok {
		b = new(v2Book)
		l.books[key] = b
	}
	return b
}

// v2Level is one level of a V2 book message; deletes carry no size.
type v2Level struct {
	Price  decimal.Decimal `json:"price"`
	Symbol string          `json:"symbol"`
	Side   bybit.Side      `json:"side"`
	Size   decimal.Decimal `json:"size"`
}

// v2Delta is the data of a V2 book delta.
type v2Delta struct {
	Delete []v2Level `json:"delete"`
	Update []v2Level `json:"update"`
	Insert []v2Level `json:"insert"`
}

// book converts a snapshot or delta: deletes become sizes of zero, cross_seq
// becomes seq, and timestamp_e6 the time of the message and of the match.
func (l *v2Log) book(f *v2Frame, topic bybit.Topic, channel bybit.Channel, known *v2Book, it *item) error {
	at, err := v2Time(f)
	if err != nil {
		return err
	}
	m := bybit.BookMessage{Topic: topic, Time: at, Symbol: topic.Symbol()}
	m.MatchTime = at
	if seq, ok := set(f.CrossSeq, f.CrossSeqC).Units(0); ok {
		m.Seq = seq
	}
	switch f.Type {
	case "snapshot":
		levels, err := v2Snapshot(f.Data)
		if err != nil {
			return err
		}
		m.Snapshot = true
		if err := addLevels(&m.Update, levels, m.Symbol); err != nil {
			return err
		}
		slices.SortFunc(m.Bids, func(a, b book.Level) int { return b.Price.Cmp(a.Price) })
		slices.SortFunc(m.Asks, func(a, b book.Level) int { return a.Price.Cmp(b.Price) })
	case "delta":
		if !known.valid {
			return fmt.Errorf("delta of %s before its first snapshot", f.Topic)
		}
		var d v2Delta
		if err := json.Unmarshal(f.Data, &d); err != nil {
			return err
		}
		for i := range d.Delete {
			d.Delete[i].Size = decimal.FromInt(0)
		}
		for _, levels := range [][]v2Level{d.Delete, d.Update, d.Insert} {
			if err := addLevels(&m.Update, levels, m.Symbol); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("type %q is neither snapshot nor delta", f.Type)
	}
	known.valid = true
	known.id++
	m.ID = known.id
	l.finish(&m, at, channel, it)
	return nil
}

// v2Snapshot reads the levels of a snapshot: an array, or an object with the
// array in "order_book" or "orderBook".
func v2Snapshot(data json.RawMessage) ([]v2Level, error) {
	var levels []v2Level
	if len(data) > 0 && data[0] == '[' {
		return levels, json.Unmarshal(data, &levels)
	}
	var object struct {
		Book  []v2Level `json:"order_book"`
		BookC []v2Level `json:"orderBook"`
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	if object.Book == nil && object.BookC == nil {
		return nil, errors.New("snapshot without levels")
	}
	return append(object.Book, object.BookC...), nil
}

// addLevels sorts levels into the sides of an update.
func addLevels(u *book.Update, levels []v2Level, symbol string) error {
	for _, lv := range levels {
		if lv.Symbol != symbol {
			return fmt.Errorf("level of %q in the book of %s", lv.Symbol, symbol)
		}
		if !lv.Price.IsSet() || !lv.Size.IsSet() {
			return errors.New("level without a price or a size")
		}
		if lv.Price.Sign() <= 0 || lv.Size.Sign() < 0 {
			return fmt.Errorf("level with price %s and size %s", lv.Price, lv.Size)
		}
		level := book.Level{Price: lv.Price, Size: lv.Size}
		switch lv.Side {
		case bybit.Buy:
			u.Bids = append(u.Bids, level)
		case bybit.Sell:
			u.Asks = append(u.Asks, level)
		default:
			return fmt.Errorf("level with side %q", lv.Side)
		}
	}
	return nil
}

// v2Trade is one trade of a V2 message, in both spellings. Before 2020 trades
// had no trade_time_ms; their timestamp is in whole seconds.
type v2Trade struct {
	Symbol         string              `json:"symbol"`
	TickDirection  bybit.TickDirection `json:"tick_direction"`
	TickDirectionC bybit.TickDirection `json:"tickDirection"`
	Price          decimal.Decimal     `json:"price"`
	Size           decimal.Decimal     `json:"size"`
	TimeMs         decimal.Decimal     `json:"trade_time_ms"`
	TimeMsC        decimal.Decimal     `json:"tradeTimeMs"`
	Timestamp      time.Time           `json:"timestamp"`
	Side           bybit.Side          `json:"side"`
	ID             string              `json:"trade_id"`
	IDC            string              `json:"tradeId"`
}

// time returns when the trade was matched; the zero time if the row does not
// say.
func (r *v2Trade) time() time.Time {
	if ms, ok := set(r.TimeMs, r.TimeMsC).Units(0); ok && ms > 0 {
		return time.UnixMilli(ms).UTC()
	}
	return r.Timestamp.UTC()
}

// trades converts a trade message. V2 gave it no time of its own: it gets that
// of its last trade.
func (l *v2Log) trades(f *v2Frame, topic bybit.Topic, channel bybit.Channel, it *item) error {
	var rows []v2Trade
	if err := json.Unmarshal(f.Data, &rows); err != nil {
		return err
	}
	if len(rows) == 0 {
		return errors.New("no trades")
	}
	m := bybit.TradesMessage{Topic: topic, Type: bybit.TypeSnapshot, Trades: make([]bybit.Trade, len(rows))}
	for i, r := range rows {
		at := r.time()
		switch {
		case at.IsZero():
			return errors.New("trade without a time")
		case r.Symbol != topic.Symbol():
			return fmt.Errorf("trade of %q in the topic of %s", r.Symbol, topic.Symbol())
		case !r.Price.IsSet() || !r.Size.IsSet():
			return errors.New("trade without a price or a size")
		case r.Price.Sign() <= 0 || r.Size.Sign() <= 0:
			return fmt.Errorf("trade with price %s and size %s", r.Price, r.Size)
		case r.Side != bybit.Buy && r.Side != bybit.Sell:
			return fmt.Errorf("trade with side %q", r.Side)
		}
		m.Trades[i] = bybit.Trade{
			Time: at, Symbol: r.Symbol, Side: r.Side, Size: r.Size, Price: r.Price,
			TickDirection: cmp.Or(r.TickDirection, r.TickDirectionC), ID: cmp.Or(r.ID, r.IDC),
		}
		m.Trades[i].Mark(bybit.TradeBlock)
		if at.After(m.Time) {
			m.Time = at
		}
	}
	it.trades = len(rows)
	l.finish(&m, m.Time, channel, it)
	return nil
}

// finish encodes the message into the item. A message that was logged without
// a receive time gets its own.
func (l *v2Log) finish(m bybit.Message, at time.Time, channel bybit.Channel, it *item) {
	l.buf = m.AppendJSON(l.buf[:0], channel)
	it.Data = l.buf
	if it.Received.IsZero() {
		it.Received = at
		l.report.timed(timesFromTS)
	}
}

// v2Time returns the time of a book message, which is to the microsecond.
func v2Time(f *v2Frame) (time.Time, error) {
	us, ok := set(f.TimestampE6, f.TimestampC).Units(0)
	if !ok || us <= 0 {
		return time.Time{}, errors.New("no timestamp_e6")
	}
	return time.UnixMicro(us).UTC(), nil
}

// set returns the first of two numbers that is there.
func set(a, b decimal.Decimal) decimal.Decimal {
	if a.IsSet() {
		return a
	}
	return b
}
