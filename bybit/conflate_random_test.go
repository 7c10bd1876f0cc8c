package bybit_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// twin is the server's side of one symbol, as one would write it on a napkin: the
// book as two maps, the ticker as one, and what they were at every sequence number.
type twin struct {
	r      *rand.Rand
	symbol string
	u, seq int
	sides  [2]map[int]int // sizes by price
	ticker map[string]int

	books   map[int]string          // by seq
	tickers map[int]string          // by cs
	carried map[int]map[string]bool // by cs: the fields that the push carried
	whole   map[int]bool            // by cs: a snapshot
	sent    map[string]int          // messages by kind
}

func newTwin(symbol string, seed uint64) *twin {
	return &twin{
		r: rand.New(rand.NewPCG(seed, uint64(len(symbol))+uint64(symbol[0]))), symbol: symbol, seq: 1000,
		ticker: map[string]int{}, books: map[int]string{}, tickers: map[int]string{},
		carried: map[int]map[string]bool{}, whole: map[int]bool{}, sent: map[string]int{},
	}
}

// bookPush returns the next message of the book: mostly a delta, sometimes a
// restart, in either form.
func (w *twin) bookPush() string {
	w.u++
	w.seq++
	kind := "delta"
	if w.u == 1 || w.r.IntN(50) == 0 {
		kind, w.sides = "snapshot", [2]map[int]int{{}, {}}
		if w.u > 1 && w.r.IntN(3) > 0 {
			w.u = 1
			kind = []string{"snapshot", "delta"}[w.r.IntN(2)]
		}
	}
	var levels [2]map[int]int
	for side := range levels {
		levels[side] = map[int]int{}
		for range w.r.IntN(8) {
			price := 1000 - 1 - w.r.IntN(25)
			if side == 1 {
				price = 1000 + 1 + w.r.IntN(25)
			}
			size := w.r.IntN(4)
			if kind == "snapshot" || w.u == 1 {
				size++
			}
			levels[side][price] = size
		}
		for price, size := range levels[side] {
			if w.sides[side][price] = size; size == 0 {
				delete(w.sides[side], price)
			}
		}
	}
	w.books[w.seq] = fmt.Sprint(w.sides[0], w.sides[1])
	w.sent["book"]++
	return fmt.Sprintf(`{"topic":"orderbook.50.%s","type":"%s","ts":1767225600123,"data":{"s":"%s","b":[%s],"a":[%s],"u":%d,"seq":%d},"cts":%d}`,
		w.symbol, kind, w.symbol, pushed(levels[0], true), pushed(levels[1], false), w.u, w.seq, 1767225600000+w.seq)
}

// pushed writes the levels of one side, best first.
func pushed(levels map[int]int, falling bool) string {
	prices := slices.Sorted(maps.Keys(levels))
	if falling {
		slices.Reverse(prices)
	}
	var b strings.Builder
	for i, price := range prices {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `["%d","%d"]`, price, levels[price])
	}
	return b.String()
}

// tickerPush returns the next push of the ticker.
func (w *twin) tickerPush() string {
	w.seq++
	kind := "delta"
	if len(w.tickers) == 0 || w.r.IntN(40) == 0 {
		kind = "snapshot"
	}
	carried, text := map[string]bool{}, ""
	for _, name := range []string{"lastPrice", "markPrice", "indexPrice"} {
		if kind == "snapshot" || w.r.IntN(3) == 0 {
			w.ticker[name] = w.r.IntN(1000)
			carried[name] = true
			text += fmt.Sprintf(`,"%s":"%d"`, name, w.ticker[name])
		}
	}
	w.tickers[w.seq], w.carried[w.seq], w.whole[w.seq] = fmt.Sprint(w.ticker), carried, kind == "snapshot"
	w.sent["ticker"]++
	return fmt.Sprintf(`{"topic":"tickers.%s","type":"%s","data":{"symbol":"%s"%s},"cs":%d,"ts":1767225600123}`, w.symbol, kind, w.symbol, text, w.seq)
}

// checkBook compares a book that the stream yielded with the server's at that
// sequence.
func (w *twin) checkBook(t *testing.T, ev *bybit.BookEvent) {
	t.Helper()
	var sides [2]map[int]int
	for side := range sides {
		levels, err := ev.Book.AppendTop(nil, book.Side(side), 1000)
		if err != nil {
			t.Fatal(err)
		}
		sides[side] = map[int]int{}
		for _, l := range levels {
			price, _ := l.Price.Units(0)
			size, _ := l.Size.Units(0)
			sides[side][int(price)] = int(size)
		}
	}
	if got, want := fmt.Sprint(sides[0], sides[1]), w.books[int(ev.Seq)]; got != want {
		t.Fatalf("%s u=%d seq=%d, %d conflated:\n got %s\nwant %s", w.symbol, ev.ID, ev.Seq, ev.Conflated, got, want)
	}
}

// checkTickerState compares a ticker with the server's at that sequence.
func (w *twin) checkTickerState(t *testing.T, ev *bybit.TickerEvent) {
	t.Helper()
	got := map[string]int{}
	for name, value := range map[string]decimal.Decimal{"lastPrice": ev.LastPrice, "markPrice": ev.MarkPrice, "indexPrice": ev.IndexPrice} {
		n, _ := value.Units(0)
		got[name] = int(n)
	}
	if want := w.tickers[int(ev.Seq)]; fmt.Sprint(got) != want || !ev.Complete {
		t.Fatalf("%s cs=%d, %d conflated: %v, want %s", w.symbol, ev.Seq, ev.Conflated, got, want)
	}
}

// checkTicker is checkTickerState, and compares what arrived with what the
// pushes since the one before, of seq from, have carried.
func (w *twin) checkTicker(t *testing.T, ev *bybit.TickerEvent, from int) {
	t.Helper()
	w.checkTickerState(t, ev)
	arrived := map[string]bool{}
	for name, f := range map[string]bybit.TickerField{"lastPrice": bybit.TickerLastPrice, "markPrice": bybit.TickerMarkPrice, "indexPrice": bybit.TickerIndexPrice} {
		if ev.Arrived(f) {
			arrived[name] = true
		}
	}
	carried, pushes := map[string]bool{}, 0
	for seq := from + 1; seq <= int(ev.Seq); seq++ {
		if w.carried[seq] == nil {
			continue
		}
		if pushes++; w.whole[seq] {
			clear(carried)
		}
		maps.Copy(carried, w.carried[seq])
	}
	if !maps.Equal(arrived, carried) || pushes != 1+ev.Conflated {
		t.Fatalf("%s cs=%d, %d conflated: %v arrived\nwant %v, %d conflated", w.symbol, ev.Seq, ev.Conflated, arrived, carried, pushes-1)
	}
}

// TestConflatedIsExact lets a consumer sleep at random behind a small queue. Every
// book and every ticker that it sees is the server's at that message, neither has a
// gap, all messages are accounted for, and the queue stays within its bound.
func TestConflatedIsExact(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) { playConflated(t, v, seed) })
		})
	}
}

func playConflated(t *testing.T, v *venue, seed uint64) {
	const queueBytes = 256 << 10
	symbols := []string{"BTCUSDT", "ETHUSDT", "SOLUSDT"}
	twins := map[string]*twin{}
	var topics []bybit.Topic
	for _, symbol := range symbols {
		twins[symbol] = newTwin(symbol, seed)
		topics = append(topics, bybit.OrderBook(50, symbol), bybit.Tickers(symbol), bybit.Trades(symbol))
	}
	var mu sync.Mutex // guards the twins
	s := v.stream(&bybit.StreamOptions{QueueBytes: queueBytes, Overflow: bybit.OverflowConflate}, topics...)
	const seconds = 60
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := rand.New(rand.NewPCG(seed, 7))
		for range seconds * 20 {
			time.Sleep(50 * time.Millisecond)
			var frames []string
			mu.Lock()
			for range r.IntN(20) {
				w := twins[symbols[r.IntN(len(symbols))]]
				switch r.IntN(4) {
				case 0:
					frames = append(frames, w.tickerPush())
				case 1:
					w.sent["trades"]++
					frames = append(frames, tradeFrame(w.symbol, w.sent["trades"]))
				default:
					frames = append(frames, w.bookPush())
				}
			}
			mu.Unlock()
			v.last().send(frames...)
		}
	}()
	r := rand.New(rand.NewPCG(seed, 8))
	got, tickerAt := map[string]int{}, map[string]int{}
	for over := false; ; {
		ev, ok, err := s.TryRecv()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			if over {
				break
			}
			select {
			case <-s.Ready():
				// Of what the server holds nothing is read while it writes.
				pass(time.Duration(r.IntN(30_000))*time.Millisecond + time.Microsecond)
			case <-done:
				over = true
				synctest.Wait()
			}
			if queued := s.Stats().QueueBytes; queued > queueBytes/2 {
				t.Fatalf("%d bytes are queued, more than half of %d", queued, queueBytes)
			}
			continue
		}
		mu.Lock()
		switch ev := ev.(type) {
		case *bybit.BookEvent:
			twins[ev.Symbol].checkBook(t, ev)
			got["book "+ev.Symbol] += 1 + ev.Conflated
		case *bybit.TickerEvent:
			symbol := ev.Topic.Symbol()
			twins[symbol].checkTicker(t, ev, tickerAt[symbol])
			tickerAt[symbol] = int(ev.Seq)
			got["ticker "+symbol] += 1 + ev.Conflated
		case *bybit.TradesEvent:
			symbol := ev.Topic.Symbol()
			if got["trades "+symbol]++; int(ev.Trades[0].Seq) != got["trades "+symbol] {
				t.Fatalf("trades %d of %s, want %d: a loss without a gap", ev.Trades[0].Seq, symbol, got["trades "+symbol])
			}
		case *bybit.GapEvent:
			if !strings.HasPrefix(ev.Topic.String(), "publicTrade.") || ev.Reason != bybit.GapOverflow {
				t.Fatalf("a gap: %+v", ev)
			}
			got["trades "+ev.Topic.Symbol()] += ev.Dropped
			got["gaps"]++
		}
		mu.Unlock()
	}
	for _, symbol := range symbols {
		for kind, sent := range twins[symbol].sent {
			if got[kind+" "+symbol] != sent {
				t.Errorf("%s %s: %d messages are accounted for, want %d", kind, symbol, got[kind+" "+symbol], sent)
			}
		}
	}
	stats := s.Stats()
	if stats.Overflows == 0 || stats.Conflated == 0 || got["gaps"] == 0 || v.connects() != 1 {
		t.Errorf("%d overflows, %d conflated, %d gaps of trades, %d connections: want the queue to have been full",
			stats.Overflows, stats.Conflated, got["gaps"], v.connects())
	}
	s.Close()
}

// TestConflatedDuplicates is the same with two connections that bring every
// message, one of them now and then late: what is one message on the one may be several
// on the other.
func TestConflatedDuplicates(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) { playConflatedDuplicates(t, v, seed) })
		})
	}
}

func playConflatedDuplicates(t *testing.T, v *venue, seed uint64) {
	const queueBytes = 256 << 10
	symbols := []string{"BTCUSDT", "ETHUSDT"}
	twins := map[string]*twin{}
	var topics []bybit.Topic
	for _, symbol := range symbols {
		twins[symbol] = newTwin(symbol, seed)
		topics = append(topics, bybit.OrderBook(50, symbol), bybit.Tickers(symbol))
	}
	var mu sync.Mutex // guards the twins
	s := v.stream(&bybit.StreamOptions{QueueBytes: queueBytes, Overflow: bybit.OverflowConflate, Duplicates: 2}, topics...)
	pass(time.Minute) // both connections are there
	if n := v.connects(); n != 2 {
		t.Fatalf("%d connections, want 2", n)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := rand.New(rand.NewPCG(seed, 7))
		var late []string
		for range 60 * 20 {
			time.Sleep(50 * time.Millisecond)
			var frames []string
			mu.Lock()
			for range r.IntN(20) {
				w := twins[symbols[r.IntN(len(symbols))]]
				if r.IntN(4) == 0 {
					frames = append(frames, w.tickerPush())
				} else {
					frames = append(frames, w.bookPush())
				}
			}
			mu.Unlock()
			v.conns[0].send(frames...)
			n := len(late)
			if r.IntN(3) > 0 {
				n += len(frames)
			}
			late = append(late, frames...)
			v.conns[1].send(late[:n]...)
			late = slices.Clone(late[n:])
		}
		v.conns[1].send(late...)
	}()
	r := rand.New(rand.NewPCG(seed, 8))
	last := map[bybit.Topic]int64{}
	for over := false; ; {
		ev, ok, err := s.TryRecv()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			if over {
				break
			}
			select {
			case <-s.Ready():
				pass(time.Duration(r.IntN(20_000))*time.Millisecond + time.Microsecond)
			case <-done:
				over = true
				pass(time.Minute)
			}
			continue
		}
		mu.Lock()
		switch ev := ev.(type) {
		case *bybit.BookEvent:
			twins[ev.Symbol].checkBook(t, ev)
			last[ev.Topic] = ev.Seq
		case *bybit.TickerEvent:
			twins[ev.Topic.Symbol()].checkTickerState(t, ev)
			last[ev.Topic] = ev.Seq
		case *bybit.GapEvent:
			t.Fatalf("a gap: %+v: %v", ev, ev.Err)
		}
		mu.Unlock()
	}
	for topic, seq := range last {
		w := twins[topic.Symbol()]
		known := w.books[int(seq)] != ""
		for later := int(seq) + 1; later <= w.seq; later++ {
			if known && w.books[later] != "" || !known && w.tickers[later] != "" {
				t.Errorf("%s: the last message is %d, want %d or later", topic, seq, later)
			}
		}
	}
	if stats := s.Stats(); stats.Conflated == 0 || stats.Duplicates == 0 || len(last) != 4 {
		t.Errorf("stats %+v: want messages conflated and duplicates left out", stats)
	}
	s.Close()
}
