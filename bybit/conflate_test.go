package bybit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/decimal"
)

// conflated queues what the lines say, conflates it, and returns the events of it.
// Lines are of the topics of one symbol, in one batch:
//
//	s 5 100:1 99:2    snapshot of orderbook.50, update id 5, two bids
//	d 6 100:0         delta
//	1 7 100:3         snapshot of orderbook.1
//	T last=1 mark=2   snapshot of the ticker
//	t last=3          delta
//	x                 a push of the ticker that is damaged
//	p 8               trades
//	gap, tgap         a lost connection of the book, of the ticker
//	take              what follows is another batch
type conflated struct {
	t    *testing.T
	s    *Stream
	subs map[string]*subscription
	at   int64
}

func newConflated(t *testing.T, bytes int, books Books) *conflated {
	client, err := NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	opts := &StreamOptions{QueueBytes: bytes, Overflow: OverflowConflate, Books: books, RawFrames: true}
	c := &conflated{t: t, s: newStream(client, Linear, "", opts.withDefaults()), subs: map[string]*subscription{}}
	for k, topic := range map[string]Topic{"book": OrderBook(50, "BTCUSDT"), "top": OrderBook(1, "BTCUSDT"), "ticker": Tickers("BTCUSDT"), "trades": Trades("BTCUSDT")} {
		c.subs[k] = newSubscription(topic, Linear, opts)
	}
	return c
}

// levels reads 100:1 99:2 as JSON.
func levels(fields []string) string {
	var b strings.Builder
	for i, f := range fields {
		price, size, _ := strings.Cut(f, ":")
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `["%s","%s"]`, price, size)
	}
	return b.String()
}

func (c *conflated) push(b *batch, line string) {
	f := strings.Fields(line)
	c.at++
	it := item{received: millis(c.at)}
	text := ""
	kinds := map[string]string{"s": "snapshot", "d": "delta", "1": "snapshot", "T": "snapshot", "t": "delta"}
	switch f[0] {
	case "s", "d", "1":
		it.sub = c.subs["book"]
		if f[0] == "1" {
			it.sub = c.subs["top"]
		}
		text = fmt.Sprintf(`{"topic":"%s","type":"%s","ts":%d,"data":{"s":"BTCUSDT","b":[%s],"a":[],"u":%s,"seq":%d},"cts":%d}`,
			it.sub.topic, kinds[f[0]], 1000+c.at, levels(f[2:]), f[1], c.at, 500+c.at)
	case "T", "t":
		it.sub = c.subs["ticker"]
		for _, field := range f[1:] {
			name, value, _ := strings.Cut(field, "=")
			text += fmt.Sprintf(`,"%sPrice":"%s"`, name, value)
		}
		text = fmt.Sprintf(`{"topic":"tickers.BTCUSDT","type":"%s","data":{"symbol":"BTCUSDT"%s},"cs":%d,"ts":%d}`, kinds[f[0]], text, c.at, 1000+c.at)
	case "x":
		it.sub, text = c.subs["ticker"], `{"topic":"tickers.BTCUSDT","type":"delta","data":[`
	case "p":
		it.sub = c.subs["trades"]
		text = fmt.Sprintf(`{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[{"T":1,"s":"BTCUSDT","S":"Buy","v":"1","p":"1","L":"PlusTick","i":"1","BT":false,"seq":%s}]}`, f[1])
	case "gap", "tgap":
		it.sub = c.subs[map[string]string{"gap": "book", "tgap": "ticker"}[f[0]]]
		it.ev = &GapEvent{Topic: it.sub.topic, Reason: GapDisconnected, Time: it.received}
	default:
		c.t.Fatalf("line %q", line)
	}
	if text != "" {
		it.frame = b.Arena.keep([]byte(text))
	}
	c.s.push(b, it)
}

// take receives all that is queued, as lines.
func (c *conflated) take() (lines []string) {
	c.t.Helper()
	last := time.Time{}
	for {
		ev, ok, err := c.s.TryRecv()
		if err != nil {
			c.t.Fatal(err)
		}
		if !ok {
			return lines
		}
		lines = append(lines, c.line(ev, &last))
	}
}

func (c *conflated) line(ev Event, last *time.Time) string {
	c.t.Helper()
	line := ""
	at, stamp, more := time.Time{}, time.Time{}, 0
	var frame []byte
	switch ev := ev.(type) {
	case *BookEvent:
		line = fmt.Sprintf("book u=%d", ev.ID)
		bids, err := ev.Book.AppendTop(nil, book.Bid, 100)
		if errors.Is(err, book.ErrNoBook) {
			bids, line = ev.Bids, fmt.Sprintf("message u=%d", ev.ID)
		} else if err != nil {
			c.t.Fatal(err)
		}
		for _, l := range bids {
			line += fmt.Sprintf(" %v:%v", l.Price, l.Size)
		}
		at, stamp, more, frame = ev.Received, ev.Time, ev.Conflated, ev.Frame
		if seq := ev.Received.UnixMilli(); ev.Seq != seq || ev.MatchTime.UnixMilli() != 500+seq || ev.Symbol != "BTCUSDT" || ev.Topic.Symbol() != "BTCUSDT" {
			c.t.Errorf("%s: seq %d, match time %v, symbol %q, want those of the newest", line, ev.Seq, ev.MatchTime, ev.Symbol)
		}
	case *TickerEvent:
		line = "ticker"
		for _, f := range []struct {
			name  string
			field TickerField
			value any
		}{{"last", TickerLastPrice, ev.LastPrice}, {"mark", TickerMarkPrice, ev.MarkPrice}, {"index", TickerIndexPrice, ev.IndexPrice}} {
			if ev.Has(f.field) {
				line += fmt.Sprintf(" %s=%v", f.name, f.value)
			}
			if ev.Arrived(f.field) {
				line += "*"
			}
		}
		if !ev.Complete {
			line += " incomplete"
		}
		at, stamp, more, frame = ev.Received, ev.Time, ev.Conflated, ev.Frame
		if seq := ev.Received.UnixMilli(); ev.Seq != seq || ev.Topic.Symbol() != "BTCUSDT" {
			c.t.Errorf("%s: seq %d of %s, want %d", line, ev.Seq, ev.Topic, seq)
		}
	case *TradesEvent:
		return fmt.Sprintf("trades %d", ev.Trades[0].Seq)
	case *GapEvent:
		return fmt.Sprintf("gap %s %s dropped %d", ev.Topic, ev.Reason, ev.Dropped)
	case *DecodeErrorEvent:
		return "damaged"
	}
	if more > 0 {
		line += fmt.Sprintf(" +%d", more)
	}
	if stamp.UnixMilli() != 1000+at.UnixMilli() || at.Before(*last) || (frame == nil) != (more > 0) {
		c.t.Errorf("%s: received %v after %v, time %v, frame %q", line, at, *last, stamp, frame)
	}
	*last = at
	return line
}

func TestConflate(t *testing.T) {
	for _, c := range []struct {
		name string
		in   string
		want string
		none bool // BooksNone
	}{
		{"deltas become one", "s 5 100:1; take; d 6 99:1; d 7 100:2; d 8 99:0 98:4", "book u=5 100:1; book u=8 100:2 98:4 +2", false},
		{"one alone stays a frame", "s 5 100:1; take; d 6 99:1; p 1; p 2", "book u=5 100:1; book u=6 100:1 99:1; trades 1; trades 2", false},
		{"a snapshot and deltas", "s 5 100:1 90:1; d 6 100:0", "book u=6 90:1 +1", false},
		{"twice", "s 5 100:1; take; d 6 99:1; d 7 98:1; again; d 8 97:1; d 9 99:0; again; p 3", "book u=5 100:1; book u=9 100:1 98:1 97:1 +3; trades 3", false},
		{"a restart", "s 5 100:1; take; d 6 99:1; s 1 50:1; d 2 51:1", "book u=5 100:1; book u=2 51:1 50:1 +2", false},
		{"a restart that is not a snapshot", "s 5 100:1; take; d 6 99:1; d 1 50:1 52:2; d 2 51:1", "book u=5 100:1; book u=2 52:2 51:1 50:1 +2", false},
		{"a skip between deltas", "s 5 100:1; take; d 6 99:1; d 7 98:1; d 9 97:1; d 10 96:1", "book u=5 100:1; book u=7 100:1 99:1 98:1 +1; gap orderbook.50.BTCUSDT book dropped 2", false},
		{"a skip before the batch", "s 5 100:1; take; d 7 99:1; d 8 98:1", "book u=5 100:1; gap orderbook.50.BTCUSDT book dropped 2", false},
		{"a skip, without books", "s 5 100:1; take; d 6 99:1; d 7 98:1; d 9 97:1", "message u=5 100:1; message u=7 99:1 98:1 +1; gap orderbook.50.BTCUSDT book dropped 0; message u=9 97:1", true},
		{"a skip before a restart", "s 5 100:1; take; d 7 99:1; s 1 50:1; d 2 51:1", "book u=5 100:1; gap orderbook.50.BTCUSDT book dropped 0; book u=2 51:1 50:1 +2", false},
		{"a skip before a snapshot", "s 5 100:1; take; d 7 99:1; s 8 10:1", "book u=5 100:1; gap orderbook.50.BTCUSDT book dropped 0; book u=8 10:1 +1", false},
		{"a snapshot that is ahead", "s 5 100:1; take; d 6 99:1; s 9 10:1", "book u=5 100:1; book u=6 100:1 99:1; gap orderbook.50.BTCUSDT book dropped 0; book u=9 10:1", false},
		{"deltas that never had a snapshot", "d 6 99:1; d 7 98:1; s 8 10:1; d 9 11:1", "book u=9 11:1 10:1 +3", false},
		{"a repeated delta", "s 5 100:1; take; d 6 99:1; d 6 98:1", "book u=5 100:1; book u=6 100:1 99:1; gap orderbook.50.BTCUSDT book dropped 1", false},
		{"a fault of the exchange", "s 5 100:1; take; d 6 99:1; d 7 98:1; d 8 98:-1; d 9 97:1", "book u=5 100:1; book u=7 100:1 99:1 98:1 +1; gap orderbook.50.BTCUSDT book dropped 1", false},
		{"a lost connection", "s 5 100:1; take; d 6 99:1; d 7 98:1; gap; s 20 10:1; d 21 11:1", "book u=5 100:1; book u=7 100:1 99:1 98:1 +1; gap orderbook.50.BTCUSDT disconnected dropped 0; book u=21 11:1 10:1 +1", false},
		{"two lost connections", "s 5 100:1; take; d 6 99:1; gap; s 20 10:1; d 21 11:1; gap; s 30 5:1", "book u=5 100:1; book u=6 100:1 99:1; gap orderbook.50.BTCUSDT disconnected dropped 2; book u=30 5:1", false},
		{"depth 1 takes the newest", "1 5 100:1; take; 1 9 101:1; 1 9 101:1; 1 30 99:1", "book u=5 100:1; book u=30 99:1 +2", false},
		{"ticker deltas", "T last=1 mark=1 index=1; take; t last=2; t mark=3; t last=4", "ticker last=1* mark=1* index=1*; ticker last=4* mark=3* index=1 +2", false},
		{"a ticker's snapshot", "t last=9; T last=1 mark=1; t mark=2", "ticker last=1* mark=2* +2", false},
		{"a ticker without snapshot", "t last=9; t mark=2", "ticker last=9* mark=2* incomplete +1", false},
		{"a ticker twice", "T last=1 mark=1; take; t last=2; t last=3; again; t mark=5", "ticker last=1* mark=1*; ticker last=3* mark=5* +2", false},
		{"a damaged ticker", "T last=1 mark=1; take; t last=2; t last=3; x; t mark=5; t mark=6", "ticker last=1* mark=1*; ticker last=3* mark=1 +1; damaged; ticker last=3 mark=6* incomplete +1", false},
		{"a gap of a ticker", "T last=1 mark=1; take; t last=2; t last=3; tgap; T last=7; t mark=6", "ticker last=1* mark=1*; ticker last=3* mark=1 +1; gap tickers.BTCUSDT disconnected dropped 0; ticker last=7* mark=6* +1", false},
		{"trades stay between", "s 5 100:1; p 1; d 6 99:1; T last=1; p 2; t last=2; p 3", "trades 1; book u=6 100:1 99:1 +1; trades 2; ticker last=2* +1; trades 3", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			books := BooksVerified
			if c.none {
				books = BooksNone
			}
			q := newConflated(t, 1<<20, books)
			var got []string
			b := q.s.queue.Lock()
			for line := range strings.SplitSeq(c.in+"; end", "; ") {
				switch line {
				case "again":
					q.s.conflate(b)
				case "take", "end":
					q.s.conflate(b)
					q.s.queue.Unlock()
					got = append(got, q.take()...)
					b = q.s.queue.Lock()
				default:
					q.push(b, line)
				}
			}
			q.s.queue.Unlock()
			if want := strings.Split(c.want, "; "); !slices.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), c.want)
			}
		})
	}
}

// Unsubscribed topics leave nothing behind.
func TestConflateForgetsWhatIsGone(t *testing.T) {
	q := newConflated(t, 1<<20, BooksVerified)
	b := q.s.queue.Lock()
	for _, line := range []string{"s 5 100:1", "T last=1", "d 6 99:1", "t last=2", "gap"} {
		q.push(b, line)
	}
	q.subs["book"].gone.Store(true)
	q.s.conflate(b)
	if len(b.Items) != 1 || b.Bytes != b.Items[0].weight() {
		t.Errorf("%d items of %d bytes are left, want the ticker's", len(b.Items), b.Bytes)
	}
	q.s.queue.Unlock()
	if got := q.take(); !slices.Equal(got, []string{"ticker last=2* +1"}) {
		t.Errorf("got %q", got)
	}
}

// What does not fit even conflated is a gap: of the trades first, then of all.
func TestConflateWithinItsBound(t *testing.T) {
	q := newConflated(t, minQueueBytes, BooksVerified)
	send := func(lines ...string) {
		b := q.s.queue.Lock()
		for _, line := range lines {
			q.push(b, line)
			if b.Bytes > minQueueBytes/2 {
				t.Fatalf("%d bytes are queued, more than half of %d", b.Bytes, minQueueBytes)
			}
		}
		q.s.queue.Unlock()
	}
	send("s 5 100:1", "T last=1")
	q.take()
	for i := range 200 {
		send(fmt.Sprintf("d %d %d:1", 6+i, 99-i%10), fmt.Sprintf("t last=%d", 2+i), fmt.Sprintf("p %d", i))
	}
	got := q.take()
	if !strings.Contains(strings.Join(got, "; "), "gap publicTrade.BTCUSDT overflow dropped") {
		t.Errorf("got %q, want a gap of the trades", got)
	}
	for _, line := range got {
		if strings.HasPrefix(line, "gap") && !strings.HasPrefix(line, "gap publicTrade") {
			t.Errorf("%s: want no gap of a book or a ticker", line)
		}
	}
	// A book that moves away from itself: its deletes and levels do not fit.
	gaps := 0
	for i := range 3000 {
		send(fmt.Sprintf("d %d %d:1 %d:0", 206+i, 200+i, 199+i))
	}
	for _, line := range q.take() {
		if strings.HasPrefix(line, "gap orderbook.50.BTCUSDT overflow") {
			gaps++
		}
	}
	if stats := q.s.Stats(); gaps == 0 || stats.Dropped == 0 || stats.Conflated == 0 {
		t.Errorf("%d gaps, stats %+v, want the book to have one", gaps, stats)
	}
}

// BenchmarkConflate conflates 8 MiB of deltas of 20 books with seven levels each.
func BenchmarkConflate(b *testing.B) {
	client, err := NewClient(nil)
	if err != nil {
		b.Fatal(err)
	}
	opts := (&StreamOptions{Overflow: OverflowConflate, QueueBytes: 20 << 20}).withDefaults()
	s := newStream(client, Linear, "", opts)
	var subs []*subscription
	for i := range 20 {
		subs = append(subs, newSubscription(OrderBook(50, fmt.Sprintf("COIN%dUSDT", i)), Linear, &opts))
	}
	var frames [][]byte
	size := 0
	for i := 0; size < 8<<20; i++ {
		sub := subs[i%len(subs)]
		m := BookMessage{Topic: sub.topic, Symbol: sub.symbol, Time: millis(1758845431663)}
		m.MatchTime, m.ID, m.Seq = millis(1758845431662), int64(2+i/len(subs)), int64(i)
		for l := range 7 {
			price := 10914750 - int64(1+(i*7+l*l*31)%100)
			m.Bids = append(m.Bids, book.Level{Price: decimal.New(price, 2), Size: decimal.New(int64((i+l)%3*1000), 3)})
		}
		frame := m.AppendJSON(nil, Linear)
		frames = append(frames, frame)
		size += len(frame) + itemBytes
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		in := s.queue.Lock()
		for i, frame := range frames {
			s.push(in, item{sub: subs[i%len(subs)], frame: in.Arena.keep(frame), received: millis(1)})
		}
		b.StartTimer()
		s.conflate(in)
		b.StopTimer()
		if len(in.Items) != len(subs) {
			b.Fatalf("%d items are left, want %d", len(in.Items), len(subs))
		}
		s.queue.Unlock()
		full, err := s.queue.TryTake(s.local.out)
		if err != nil {
			b.Fatal(err)
		}
		s.local.out, s.local.next = full, len(full.Items)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(frames)), "ns/message")
}
