package sim

import (
	"hash/maphash"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// level is a price in ticks of 0.01 with sizes in thousandths.
type level struct{ price, size, rpi int64 }

// ladder is one instrument's orders, more of them than any topic shows. Bids
// fall, asks rise.
type ladder struct {
	mid        int64 // bids are below it, asks at it or above
	bids, asks []level
}

// record is what the server showed under one cross sequence.
type record struct {
	u     int64
	hash  uint64
	match int64 // cts in milliseconds
	epoch int
}

// feed is a topic of the market: the truth, and when it is pushed.
type feed struct {
	name, symbol string
	kind         wire.Kind
	depth        int
	snapshots    bool // pushes carry everything: depth 1, spot tickers
	every        time.Duration
	due          time.Time

	key int64 // of the newest message: seq of a book or a trade, cs of a ticker

	ladder     ladder
	bids, asks []level // as shown last
	u          int64
	epoch      int              // counts restarts
	books      map[int64]record // by seq
	restart    bool             // the next push has update id 1
	skip       bool             // the next push skips an update id
	swell      bool             // the next push is huge

	fields  [tickerFields]int64
	tickers map[int64][tickerFields]int64 // by cs

	old   []byte // of orderbook.full: a snapshot of a while ago
	oldAt time.Time
}

// message is one push of a feed. Frames are made for each way that a connection
// may want it.
type message struct {
	f        *feed
	key      int64
	u        int64
	epoch    int
	snapshot bool
	body     []byte // of books and trades: the frame
	changed  uint   // of tickers: which fields
	swell    bool   // the frame carries 600 KB that nobody knows
}

const tickerFields = 8

func tickerField(i int) string {
	names := [tickerFields]string{"lastPrice", "markPrice", "indexPrice", "bid1Price", "bid1Size", "ask1Price", "ask1Size", "fundingRate"}
	return names[i]
}

// pushes are the intervals that a feed may have.
func pushes(r *rand.Rand) time.Duration {
	return time.Duration(4+r.IntN(16)) * step
}

func newFeed(r *rand.Rand, ch wire.Channel, t wire.Topic, now time.Time) *feed {
	f := &feed{
		name: t.String(), symbol: t.Symbol, kind: t.Kind, depth: t.Depth,
		every: pushes(r), due: now, key: 1000 + r.Int64N(1000),
	}
	switch t.Kind {
	case wire.KindRPIOrderBook, wire.KindFullOrderBook:
		f.depth = 50
		fallthrough
	case wire.KindOrderBook:
		f.snapshots = f.depth == 1
		f.books = make(map[int64]record)
		f.u = 10 + r.Int64N(1000)
		f.ladder.mid = 10_000 + r.Int64N(1_000_000)
		for range 3 * f.depth {
			f.ladder.move(r, f)
		}
		f.ladder.fill(r, f)
		f.bids, f.asks = f.ladder.show(f.shown())
	case wire.KindTickers:
		f.snapshots = ch == wire.Spot
		f.tickers = make(map[int64][tickerFields]int64)
		for i := range f.fields {
			f.fields[i] = r.Int64N(1_000_000)
		}
	}
	return f
}

// full reports whether the topic shows all there is, and its snapshots come over REST.
func (f *feed) full() bool { return f.kind == wire.KindFullOrderBook }

// shown is how many levels of a side the topic shows.
func (f *feed) shown() int {
	if f.full() {
		return math.MaxInt
	}
	return f.depth
}

// move changes the ladder in one place.
func (l *ladder) move(r *rand.Rand, f *feed) {
	side, sign := &l.bids, int64(-1)
	if r.IntN(2) == 0 {
		side, sign = &l.asks, 1
	}
	switch n := r.IntN(10); {
	case n == 0: // the market moves through a level
		l.mid += int64(r.IntN(3)) - 1
		l.bids = slices.DeleteFunc(l.bids, func(v level) bool { return v.price >= l.mid })
		l.asks = slices.DeleteFunc(l.asks, func(v level) bool { return v.price < l.mid })
	case n <= 2 && len(*side) > 0:
		i := r.IntN(len(*side))
		*side = slices.Delete(*side, i, i+1)
	case n <= 6 && len(*side) > 0:
		v := &(*side)[r.IntN(len(*side))]
		v.size, v.rpi = amount(r, f)
	default:
		price := l.mid + sign*r.Int64N(int64(2*f.depth+4))
		if sign < 0 {
			price--
		}
		i, found := slices.BinarySearchFunc(*side, price, func(v level, p int64) int { return int(sign * (v.price - p)) })
		if !found && len(*side) < f.depth+10 {
			*side = slices.Insert(*side, i, level{price: price})
			v := &(*side)[i]
			v.size, v.rpi = amount(r, f)
		}
	}
}

// fill sees to it that no side is empty.
func (l *ladder) fill(r *rand.Rand, f *feed) {
	if len(l.bids) == 0 {
		l.bids = append(l.bids, level{price: l.mid - 1})
		l.bids[0].size, l.bids[0].rpi = amount(r, f)
	}
	if len(l.asks) == 0 {
		l.asks = append(l.asks, level{price: l.mid})
		l.asks[0].size, l.asks[0].rpi = amount(r, f)
	}
}

// amount draws a size, and on an rpi book what of RPI orders stands beside it:
// one of the two may be nothing.
func amount(r *rand.Rand, f *feed) (size, rpi int64) {
	size = 1 + r.Int64N(5_000_000)
	if f.kind != wire.KindRPIOrderBook {
		return size, 0
	}
	switch r.IntN(3) {
	case 0:
		return size, 1 + r.Int64N(5_000_000)
	case 1:
		return 0, size
	}
	return size, 0
}

// show returns copies of the best levels.
func (l *ladder) show(depth int) (bids, asks []level) {
	return slices.Clone(l.bids[:min(depth, len(l.bids))]), slices.Clone(l.asks[:min(depth, len(l.asks))])
}

// next makes the feed's next message.
func (f *feed) next(r *rand.Rand, now time.Time, seed maphash.Seed) message {
	f.key += 1 + r.Int64N(5)
	m := message{f: f, key: f.key, snapshot: f.snapshots, swell: f.swell}
	f.swell = false
	switch f.kind {
	case wire.KindTrades:
		m.snapshot = true
		m.body = f.appendTrades(nil, r, now)
	case wire.KindTickers:
		for i := range f.fields {
			if r.IntN(3) == 0 {
				f.fields[i] = r.Int64N(1_000_000)
				m.changed |= 1 << i
			}
		}
		f.tickers[f.key] = f.fields
	default:
		for range 1 + r.IntN(6) {
			f.ladder.move(r, f)
		}
		f.ladder.fill(r, f)
		bids, asks := f.ladder.show(f.shown())
		f.u++
		switch {
		case f.restart && f.u > 20:
			f.u, f.epoch, m.snapshot = 1, f.epoch+1, !f.full()
		case f.skip:
			f.u++
		}
		f.restart, f.skip = false, false
		var db, da []level
		if !m.snapshot {
			db, da = diff(f.bids, bids, -1), diff(f.asks, asks, 1)
		}
		f.bids, f.asks = bids, asks
		f.note(now, seed)
		if m.snapshot {
			m.body = f.appendBook(nil, now, true, f.bids, f.asks)
		} else {
			m.body = f.appendBook(nil, now, false, db, da)
		}
		m.u, m.epoch = f.u, f.epoch
	}
	return m
}

// note remembers the book as it is shown now.
func (f *feed) note(now time.Time, seed maphash.Seed) {
	f.books[f.key] = record{u: f.u, hash: f.fingerprint(seed), match: now.UnixMilli(), epoch: f.epoch}
}

// current makes the message that a new subscriber gets.
func (f *feed) current(now time.Time) message {
	m := message{f: f, key: f.key, u: f.u, epoch: f.epoch, snapshot: true, changed: 1<<tickerFields - 1}
	if f.books != nil {
		m.body = f.appendBook(nil, now, true, f.bids, f.asks)
	}
	return m
}

// diff returns what makes the levels of one side those of another.
func diff(from, to []level, sign int64) []level {
	var out []level
	for i, k := 0, 0; i < len(from) || k < len(to); {
		switch {
		case k == len(to) || i < len(from) && sign*from[i].price < sign*to[k].price:
			out = append(out, level{price: from[i].price})
			i++
		case i == len(from) || sign*to[k].price < sign*from[i].price:
			out = append(out, to[k])
			k++
		default:
			if from[i] != to[k] {
				out = append(out, to[k])
			}
			i, k = i+1, k+1
		}
	}
	return out
}

// fingerprint is a hash of the levels as text: what the judge makes of a
// client's book as well.
func (f *feed) fingerprint(seed maphash.Seed) uint64 {
	var text []byte
	for _, side := range [][]level{f.bids, f.asks} {
		for _, v := range side {
			text = appendFixed(text, v.price, 2)
			text = append(appendFixed(append(text, ' '), v.size, 3), ' ')
			if f.kind == wire.KindRPIOrderBook {
				text = appendFixed(text, v.rpi, 3)
			}
			text = append(text, '\n')
		}
		text = append(text, '|')
	}
	return maphash.Bytes(seed, text)
}

func (f *feed) appendBook(dst []byte, now time.Time, snapshot bool, bids, asks []level) []byte {
	kind := "delta"
	if snapshot {
		kind = "snapshot"
	}
	dst = append(dst, `{"topic":"`+f.name+`","type":"`+kind+`","ts":`...)
	dst = strconv.AppendInt(dst, now.UnixMilli(), 10)
	dst = append(dst, `,"data":{"s":"`+f.symbol+`","b":`...)
	dst = f.appendLevels(dst, bids)
	dst = append(dst, `,"a":`...)
	dst = f.appendLevels(dst, asks)
	dst = strconv.AppendInt(append(dst, `,"u":`...), f.u, 10)
	dst = strconv.AppendInt(append(dst, `,"seq":`...), f.key, 10)
	dst = strconv.AppendInt(append(dst, `},"cts":`...), f.books[f.key].match, 10)
	return append(dst, '}')
}

func (f *feed) appendLevels(dst []byte, levels []level) []byte {
	dst = append(dst, '[')
	for i, v := range levels {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendFixed(append(dst, `["`...), v.price, 2)
		dst = appendFixed(append(dst, `","`...), v.size, 3)
		if f.kind == wire.KindRPIOrderBook {
			dst = appendFixed(append(dst, `","`...), v.rpi, 3)
		}
		dst = append(dst, `"]`...)
	}
	return append(dst, ']')
}

// appendTrades writes one to three trades of the feed's newest sequence.
func (f *feed) appendTrades(dst []byte, r *rand.Rand, now time.Time) []byte {
	dst = append(dst, `{"topic":"`+f.name+`","type":"snapshot","ts":`...)
	dst = strconv.AppendInt(dst, now.UnixMilli(), 10)
	dst = append(dst, `,"data":[`...)
	for i := range 1 + r.IntN(3) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `{"T":`...), now.UnixMilli()-1, 10)
		dst = append(dst, `,"s":"`+f.symbol+`","S":"Buy","v":"`...)
		dst = appendFixed(dst, 1+r.Int64N(10_000), 3)
		dst = appendFixed(append(dst, `","p":"`...), 10_000+r.Int64N(10_000), 2)
		id := strconv.FormatInt(f.key*10+int64(i), 10)
		dst = append(dst, `","L":"PlusTick","i":"00000000-0000-0000-0000-`+"000000000000"[len(id):]+id...)
		dst = strconv.AppendInt(append(dst, `","BT":false,"seq":`...), f.key, 10)
		dst = append(dst, '}')
	}
	return append(dst, `]}`...)
}

// appendTicker writes the fields that are set in mask.
func (f *feed) appendTicker(dst []byte, now time.Time, snapshot bool, mask uint) []byte {
	kind := "delta"
	if snapshot {
		kind = "snapshot"
	}
	dst = append(dst, `{"topic":"`+f.name+`","type":"`+kind+`","data":{"symbol":"`+f.symbol+`"`...)
	for i, v := range f.fields {
		if mask&(1<<i) != 0 {
			dst = append(dst, `,"`+tickerField(i)+`":"`...)
			dst = append(appendFixed(dst, v, 3), '"')
		}
	}
	dst = strconv.AppendInt(append(dst, `},"cs":`...), f.key, 10)
	dst = strconv.AppendInt(append(dst, `,"ts":`...), now.UnixMilli(), 10)
	return append(dst, '}')
}

// appendFixed writes v as a decimal with digits after the point.
func appendFixed(dst []byte, v int64, digits int) []byte {
	if v == 0 {
		return append(dst, '0') // as a deletion is written
	}
	text := strconv.FormatInt(v, 10)
	for len(text) <= digits {
		text = "0" + text
	}
	dst = append(dst, text[:len(text)-digits]...)
	return append(append(dst, '.'), text[len(text)-digits:]...)
}
