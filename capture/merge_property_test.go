package capture

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// venueMessage is a message of a topic as the venue made it.
type venueMessage struct {
	at      time.Time
	u       int64               // of a book
	frame   func(ms int) []byte // sent so many milliseconds after it was made
	whole   bool                // a snapshot: a connection that begins behind it gets the same message
	restate func() []byte       // what a connection gets that begins behind it; nil for nothing
}

type venueTopic struct {
	name     string
	chained  bool
	messages []venueMessage
}

// bookTopic is an order book of n updates that begins anew with u = 1 at the
// updates named.
func bookTopic(rnd *rand.Rand, depth, n int, restarts ...int) venueTopic {
	t := venueTopic{name: fmt.Sprintf("orderbook.%d.BTCUSDT", depth), chained: depth != 1}
	at, u, seq := start, int64(1000*depth), int64(5_000_000)
	sizes := make(map[int]int)
	for i := range n {
		step := time.Duration(20+rnd.IntN(200)) * time.Millisecond
		again := depth == 1 && rnd.IntN(8) == 0 && i > 0
		if again {
			step = 3 * time.Second
		}
		at = at.Add(step)
		snapshot := i == 0 || depth == 1
		if slices.Contains(restarts, i) {
			u, snapshot = 0, true
			clear(sizes)
		}
		made := at
		if again {
			m := t.messages[i-1]
			made, m.at = at, at
			behind, frame := int(step.Milliseconds()), m.frame
			m.frame = func(ms int) []byte { return frame(behind + ms) }
			t.messages = append(t.messages, m)
			continue
		}
		u++
		seq += 1 + rnd.Int64N(50)
		sizes[i%20] = i + 1
		if depth == 1 {
			clear(sizes)
			sizes[0] = i + 1
		}
		levels := func(side byte, all bool) string {
			var list []string
			for k := range 20 {
				price := 200 + k
				if side == 'b' {
					price = 119 - k
				}
				key := k
				if side == 'b' {
					key = 19 - k
				}
				if depth == 1 {
					key, price = 0, 100*(1+int('b'-side))
					if side == 'b' {
						price = 100
					}
					if k > 0 {
						break
					}
				}
				if size := sizes[key]; size > 0 && (all || key == i%20) {
					list = append(list, fmt.Sprintf(`["%d.0","%d"]`, price, size))
				}
			}
			return "[" + strings.Join(list, ",") + "]"
		}
		body := func(kind, b, a string) func(ms int) []byte {
			u, seq := u, seq
			return func(ms int) []byte {
				return fmt.Appendf(nil, `{"topic":"%s","type":"%s","ts":%d,"data":{"s":"BTCUSDT","b":%s,"a":%s,"u":%d,"seq":%d},"cts":%d}`,
					t.name, kind, made.UnixMilli()+int64(ms), b, a, u, seq, made.UnixMilli()-4)
			}
		}
		m := venueMessage{at: at, u: u, whole: snapshot}
		full := body("snapshot", levels('b', true), levels('a', true))
		if snapshot {
			m.frame = full
		} else {
			m.frame = body("delta", levels('b', false), levels('a', false))
		}
		if t.chained {
			m.restate = func() []byte { return full(7) }
		}
		t.messages = append(t.messages, m)
	}
	return t
}

// plainTopic is a topic of n messages without update ids.
func plainTopic(rnd *rand.Rand, name string, n int, frame func(i int, ms int64) string, restate func(i int, ms int64) string) venueTopic {
	t := venueTopic{name: name}
	at := start
	for i := range n {
		at = at.Add(time.Duration(100+rnd.IntN(900)) * time.Millisecond)
		made := at.UnixMilli()
		m := venueMessage{at: at, frame: func(ms int) []byte { return []byte(frame(i, made+int64(ms))) }}
		if restate != nil {
			m.restate = func() []byte { return []byte(restate(i, made+7)) }
		}
		t.messages = append(t.messages, m)
	}
	return t
}

func venueTopics(rnd *rand.Rand) []venueTopic {
	return []venueTopic{
		bookTopic(rnd, 1, 300),
		bookTopic(rnd, 50, 900, 300, 301, 640),
		bookTopic(rnd, 200, 500, 250),
		plainTopic(rnd, "publicTrade.BTCUSDT", 200, func(i int, ms int64) string {
			return fmt.Sprintf(`{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":%d,"data":[{"T":16723044868,"s":"BTCUSDT","S":"Buy","v":"1","p":"150","L":"PlusTick","i":"a-%d","BT":false,"seq":%[2]d},{"T":16723044868,"s":"BTCUSDT","S":"Sell","v":"2","p":"151","L":"PlusTick","i":"b-%[2]d","BT":false,"seq":%[2]d}]}`, ms, i+1)
		}, nil),
		plainTopic(rnd, "tickers.BTCUSDT", 200, func(i int, ms int64) string {
			return fmt.Sprintf(`{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","lastPrice":"%d"},"cs":%d,"ts":%d}`, 100+i%3, 1000+i, ms)
		}, func(i int, ms int64) string {
			return fmt.Sprintf(`{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","lastPrice":"%d","bid1Price":"1"},"cs":%d,"ts":%d}`, 100+i%3, 1000+i, ms)
		}),
		plainTopic(rnd, "kline.1.BTCUSDT", 150, func(i int, ms int64) string {
			return fmt.Sprintf(`{"topic":"kline.1.BTCUSDT","data":[{"start":1672324800000,"end":1672324859999,"interval":"1","open":"1","close":"%d","high":"2","low":"1","volume":"%d","turnover":"1","confirm":false,"timestamp":%d}],"ts":%d,"type":"snapshot"}`, i, i, i, ms)
		}, nil),
	}
}

// outage is a time in which a recorder hears nothing. It notices in the middle.
type outage struct{ from, to time.Time }

// copyOf is what one recorder made of the topics.
type copyOf struct {
	records []Record
	had     [][]bool       // by topic and message
	known   map[string]int // the message's number of each frame; restated ones count from restated
}

const restated = 1_000_000

func recordOf(rnd *rand.Rand, topics []venueTopic, outages []outage, offset time.Duration) copyOf {
	type event struct {
		at   time.Time
		n    int
		kind Kind
		data []byte
	}
	c := copyOf{known: make(map[string]int)}
	var events []event
	for _, t := range topics {
		had := make([]bool, len(t.messages))
		for i := range t.messages {
			m := &t.messages[i]
			if slices.ContainsFunc(outages, func(o outage) bool { return !m.at.Before(o.from) && m.at.Before(o.to) }) {
				continue
			}
			had[i] = true
			frame := m.frame(rnd.IntN(4))
			c.known[string(frame)] = i
			events = append(events, event{m.at, len(events), Frame, frame})
		}
		c.had = append(c.had, had)
		for _, o := range outages {
			text := t.name + ": disconnected: connection reset, 3 messages dropped"
			events = append(events, event{o.from.Add(o.to.Sub(o.from) / 2), len(events), Gap, []byte(text)})
			behind := -1
			for i := range t.messages {
				if t.messages[i].at.Before(o.to) {
					behind = i
				}
			}
			if behind >= 0 && t.messages[behind].restate != nil {
				frame := t.messages[behind].restate()
				if c.known[string(frame)] = restated + behind; t.messages[behind].whole {
					c.known[string(frame)], had[behind] = behind, true
				}
				events = append(events, event{o.to.Add(-1), len(events), Frame, frame})
			}
		}
	}
	slices.SortFunc(events, func(a, b event) int {
		if d := a.at.Compare(b.at); d != 0 {
			return d
		}
		return a.n - b.n
	})
	last := start.Add(offset)
	conn := uint64(1)
	add := func(kind Kind, at time.Time, data []byte) {
		c.records = append(c.records, Record{Kind: kind, Conn: conn, Channel: "linear", URL: "wss://stream.example.com/v5/public/linear", Received: at, Data: data})
	}
	add(Connect, last, nil)
	for i, e := range events {
		at := e.at.Add(offset + time.Duration(rnd.IntN(150))*time.Millisecond)
		if at.Before(last) {
			at = last
		}
		last = at
		add(e.kind, at, e.data)
		if e.kind == Gap && i+1 < len(events) && events[i+1].kind != Gap {
			add(Disconnect, at, []byte("connection reset"))
			conn++
			add(Connect, at, nil)
		}
	}
	return c
}

// outagesOf returns some outages that begin after the first seconds and end
// before the last ones.
func outagesOf(rnd *rand.Rand, n int) []outage {
	var list []outage
	at := start.Add(10 * time.Second)
	for range n {
		at = at.Add(time.Duration(500+rnd.IntN(6000)) * time.Millisecond)
		end := at.Add(time.Duration(200+rnd.IntN(5000)) * time.Millisecond)
		list = append(list, outage{at, end})
		at = end
	}
	return list
}

func mergeDir(t testing.TB, records []Record) *Reader {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "rec")
	w, err := OpenWriter(dir, &WriterOptions{noSeal: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if err := w.Write(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if len(records) == 0 { // a recording in which nothing came
		if err := w.Write(&Record{Kind: Note, Received: start, Data: []byte("recorded")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return openReader(t, dir)
}

// mergeOf merges into a new folder.
func mergeOf(t testing.TB, a, b *Reader, opts *MergeOptions) (*Ledger, *Reader) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "merged")
	l, err := Merge(t.Context(), to, a, b, opts)
	if err != nil {
		t.Fatal(err)
	}
	return l, openReader(t, to)
}

// checkMerged compares a merged capture with what the venue sent and what the
// copies had of it.
func checkMerged(t *testing.T, topics []venueTopic, r *Reader, l *Ledger, copies ...copyOf) {
	t.Helper()
	known := make(map[string]int)
	for _, c := range copies {
		for f, i := range c.known {
			known[f] = i
		}
	}
	got := make(map[string][]int)
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind != Frame {
			continue
		}
		i, ok := known[string(rec.Data)]
		if !ok {
			t.Fatalf("a frame that nobody had: %s", rec.Data)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(string(rec.Data), `{"topic":"`), `"`)
		got[name] = append(got[name], i)
	}
	for k := range topics {
		topic := &topics[k]
		var want []int
		var missing [][2]int64 // of update ids
		lost := -1             // first message of a run that nobody had
		snapshots := make(map[int]bool)
		for _, c := range copies {
			for f, i := range c.known {
				if i >= restated && strings.HasPrefix(f, `{"topic":"`+topic.name+`"`) {
					snapshots[i-restated] = true
				}
			}
		}
		end := func(next int) { // the run ends before the message next
			if lost > 0 && len(want) > 0 {
				m := topic.messages
				gap := [2]int64{m[lost-1].u + 1, m[next].u - 1}
				if m[next].u <= m[lost-1].u || m[next].u == 1 {
					gap[1] = 0 // a restart shows in what comes behind it, if at all
				}
				missing = append(missing, gap)
			}
			lost = -1
		}
		for i := range topic.messages {
			had := slices.ContainsFunc(copies, func(c copyOf) bool { return c.had[k][i] })
			switch {
			case had:
				end(i)
				want = append(want, i)
			case lost < 0:
				lost = i
			}
			if snapshots[i] {
				if !had && lost >= 0 {
					m := topic.messages
					gap := [2]int64{m[lost-1].u + 1, m[i].u}
					if m[i].u <= m[lost-1].u {
						gap[1] = 0
					}
					missing, lost = append(missing, gap), -1
				}
				want = append(want, restated+i)
			}
		}
		have := got[topic.name]
		if !slices.Equal(have, want) {
			n := 0
			for n < min(len(have), len(want)) && have[n] == want[n] {
				n++
			}
			t.Fatalf("%s: %d messages, want %d; from the %dth on %v, want %v", topic.name, len(have), len(want), n, have[n:min(n+12, len(have))], want[n:min(n+12, len(want))])
		}
		i := slices.IndexFunc(l.Topics, func(r TopicLedger) bool { return r.Topic == topic.name })
		r := &l.Topics[i]
		if n := r.OnlyA + r.OnlyB + r.Both; n != int64(len(want)) || r.Late != 0 || r.ConflictCount != 0 || r.Partly != 0 || r.Contained != 0 {
			t.Errorf("%s: ledger says %+v, want %d messages and nothing odd", topic.name, r, len(want))
		}
		if topic.chained {
			var said [][2]int64
			for _, m := range r.Missing {
				if m.FromU == 0 && m.To == nil {
					continue // both were away when the recordings ended
				}
				said = append(said, [2]int64{m.FromU, m.ToU})
			}
			if !slices.Equal(said, missing) {
				t.Errorf("%s: ledger says that %v is missing, want %v", topic.name, said, missing)
			}
		}
	}
	v, err := Verify(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.Gaps != l.Missing {
		t.Errorf("%d gap records, want %d", v.Gaps, l.Missing)
	}
	for i := range v.Topics {
		if !v.Topics[i].Clean() {
			t.Errorf("a book is broken: %+v", v.Topics[i])
		}
	}
}

// TestMergeRestoresWhatEitherHad generates the venue's messages and two or three
// recordings of it with holes, clocks that differ, and snapshots where they
// reconnected.
func TestMergeRestoresWhatEitherHad(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 11))
			topics := venueTopics(rnd)
			a := recordOf(rnd, topics, outagesOf(rnd, rnd.IntN(8)), 0)
			b := recordOf(rnd, topics, outagesOf(rnd, rnd.IntN(8)), time.Duration(rnd.IntN(10_000)-5000)*time.Millisecond)
			ra, rb := mergeDir(t, a.records), mergeDir(t, b.records)
			l, merged := mergeOf(t, ra, rb, nil)
			checkMerged(t, topics, merged, l, a, b)
			if seed%4 == 0 {
				c := recordOf(rnd, topics, outagesOf(rnd, 8), time.Second)
				l, merged = mergeOf(t, merged, mergeDir(t, c.records), nil)
				checkMerged(t, topics, merged, l, a, b, c)
			}
		})
	}
}
