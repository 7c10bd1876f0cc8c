package feed

import (
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/past"
)

// busy is one symbol in steady state: 2,000 levels a side, and commands that keep it there.
type busy struct {
	v      *venue
	feed   *Feed
	id     catalog.ID
	book   *engine.Book
	now    int64
	order  uint64
	near   []uint64
	n      int64
	frames int
	bytes  int
	wanted bool
}

// constantBars has one bar for all: the store is measured by itself.
type constantBars struct{ *listBars }

func (constantBars) Trade(int64, catalog.ID, int64, int64) {}
func (constantBars) Current(catalog.ID, past.Series, past.Interval) (past.Bar, bool) {
	return past.Bar{Start: testStart, Open: 1, High: 1, Low: 1, Close: 1}, true
}
func (constantBars) Day(catalog.ID) past.Day {
	return past.Day{Open: 880_000, Hour: 880_000, High: 880_000, Low: 880_000, Last: 880_000}
}

func newBusy(t testing.TB, wanted bool) *busy {
	v := newVenue(t, "linear:BTCUSDT")
	in := v.find(bybit.Linear, "BTCUSDT")
	b := &busy{v: v, id: in.ID, book: v.books[in.ID], now: testStart, wanted: wanted}
	b.feed = New(v.cat, v, v.board, constantBars{v.bars}, b, testStart)
	for i := range int64(2000) {
		b.place(engine.Order{Account: 1, Side: engine.Buy, Price: 879_999 - i, Qty: 100})
		b.place(engine.Order{Account: 1, Side: engine.Sell, Price: 880_001 + i, Qty: 100})
	}
	return b
}

func (b *busy) Wanted(*Topic) bool { return b.wanted }

func (b *busy) Publish(_ *Topic, frame []byte, _ bool) {
	b.frames++
	b.bytes += len(frame)
}

func (b *busy) place(o engine.Order) {
	b.order++
	o.ID = b.order
	b.take(b.book.Place(&o))
}

func (b *busy) take(events []engine.Event) {
	for i := range events {
		b.feed.Event(b.now, b.id, &events[i])
	}
	b.feed.EndCommand(b.now, b.id)
}

// command is one of a thousand a second: orders come and go within 60 ticks of the best, one in ten trades.
func (b *busy) command() {
	b.n++
	side := engine.Side(b.n & 1)
	away := b.n * 7919 % 60
	price := 879_999 - away
	if side == engine.Sell {
		price = 880_001 + away
	}
	switch {
	case b.n%10 == 9:
		b.place(engine.Order{Account: 2, Side: side, Market: true, Qty: 3})
		b.place(engine.Order{Account: 1, Side: side.Opposite(), Price: [2]int64{880_001, 879_999}[side], Qty: 3}) // what was taken comes back
	case len(b.near) < 100:
		b.place(engine.Order{Account: 1, Side: side, Price: price, Qty: 1 + away})
		b.near = append(b.near, b.order)
	default:
		id := b.near[0]
		copy(b.near, b.near[1:])
		b.near = b.near[:len(b.near)-1]
		b.take(b.book.Cancel(id, engine.ByUser))
	}
}

// second is a second of virtual time: a thousand commands, and all pushes.
func (b *busy) second() {
	for range 1000 {
		b.now += millisecond
		b.command()
		for _, every := range Classes() {
			if b.now%every == 0 {
				b.feed.Push(b.now, every)
			}
		}
	}
}

// In steady state nothing is allocated, but the ids of trades where somebody reads them.
func TestPushesAllocateNothing(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		b := newBusy(t, wanted)
		for range 5 {
			b.second()
		}
		// Without listeners the books of the engine may still grow now and then; with them each message of trades
		// has one string of ids.
		limit := 5.0
		if wanted {
			limit = 110
		}
		if got := testing.AllocsPerRun(3, b.second); got > limit {
			t.Errorf("wanted %t: %.0f allocations in a second, want at most %.0f", wanted, got, limit)
		}
	}
}

// BenchmarkBusySecond is the cost of a virtual second of one symbol with 1,000 commands and 2,000 levels a side,
// the engine's own time included: without subscribers, with all topics wanted, and the commands alone.
func BenchmarkBusySecond(bench *testing.B) {
	for _, row := range []struct {
		name   string
		wanted bool
	}{{"nobody", false}, {"everything", true}} {
		bench.Run(row.name, func(bench *testing.B) {
			b := newBusy(bench, row.wanted)
			b.second()
			b.frames, b.bytes = 0, 0
			bench.ReportAllocs()
			for bench.Loop() {
				b.second()
			}
			bench.ReportMetric(float64(b.frames)/float64(bench.N), "frames/s")
			bench.ReportMetric(float64(b.bytes)/float64(bench.N), "bytes/s")
		})
	}
	bench.Run("engine", func(bench *testing.B) {
		b := newBusy(bench, false)
		b.feed = New(b.v.cat, b.v, b.v.board, constantBars{b.v.bars}, nil, testStart)
		for bench.Loop() {
			for range 1000 {
				b.now += millisecond
				b.command()
			}
		}
	})
}

// BenchmarkQuiet is the cost of a virtual second of the default catalogue in which nothing happens but an update of
// the board.
func BenchmarkQuiet(bench *testing.B) {
	v := newVenue(bench)
	v.wait(time.Second)
	for bench.Loop() {
		v.board.now = v.now
		v.wait(time.Second)
	}
}
