package feed

import (
	"errors"
	"math/bits"
	"slices"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/internal/wire"
)

// Units of virtual time.
const (
	millisecond = int64(1e6)
	second      = catalog.Second
	minute      = catalog.Minute
	hour        = catalog.Hour
	day         = catalog.Day
)

// The classes of pushes: what is pushed at one interval.
const (
	class10   = 10 * millisecond
	class20   = 20 * millisecond
	class50   = 50 * millisecond
	class100  = 100 * millisecond
	class200  = 200 * millisecond
	class300  = 300 * millisecond
	class500  = 500 * millisecond
	class1000 = second
)

// Classes returns the intervals at which Push is to be called, shortest first, in ns.
func Classes() []int64 {
	return []int64{class10, class20, class50, class100, class200, class300, class500, class1000}
}

// Books gives the engine's book of an instrument that is listed.
type Books interface {
	Book(id catalog.ID) *engine.Book
}

// Feed turns what the engine does into pushes, and keeps what REST shows. It is not safe for concurrent use.
type Feed struct {
	cat   *catalog.Catalog
	books Books
	board Board
	bars  Bars
	sink  Sink

	now     int64
	index   map[topicKey]*Topic
	numbers int // of topics so far

	markets []*market // by catalog.ID; nil: not listed, or delivered
	tops    []*market // those with a book of one level
	priced  []*market // those with price limits
	coins   []*coin   // options' base coins
	groups  [3]group  // pools
	notices []Notice
	noticed int64 // how many there have been
	status  *Topic
	blocks  []block
	rfq     *Topic
	rfqs    int64 // how many block trades there have been

	dirty      [dirtyKinds]set
	nextRepeat int64    // no book of one level has been silent for 3 s before that
	tickersAt  [2]int64 // the board's Now at the last push of tickers: of spot, and of all others
	klinesAt   int64
	started    bool // what New lists is listed

	// What is of one call and is used again.
	trading       []trade // of the command under way
	liquidated    []engine.Event
	levels        []engine.Level
	rungs         [2][]rung
	shown         [2][]engine.Level
	frame, ids    []byte
	book          bybit.BookMessage
	tradesMessage bybit.TradesMessage
	ticker        bybit.TickerMessage
	before        bybit.Ticker
	klines        bybit.KlineMessage
	liquidations  bybit.LiquidationsMessage
	insurance     bybit.InsuranceMessage
	adl           bybit.ADLMessage
	limits        bybit.PriceLimitMessage
}

// The kinds of pushes that look only at instruments with something new.
const (
	dirty10  = iota // books of one level
	dirty20         // of 25 levels on option and spread, else of 50
	dirty100        // of 100 levels on option, else of 200, and RPI books
	dirty200        // of 1,000 levels, and full ones
	dirtySpotTicker
	dirtyTicker
	dirtyKline
	dirtyLiquidation
	dirtyKinds
)

// errState is why a state cannot be restored.
var errState = errors.New("feed: a state that no run has led to")

// New returns a feed for the instruments that are listed, with their books empty or not, at the time before the
// first push. The sink may be nil until SetSink.
func New(cat *catalog.Catalog, books Books, board Board, bars Bars, sink Sink, now int64) *Feed {
	f := &Feed{cat: cat, books: books, board: board, bars: bars, sink: sink, now: now, index: make(map[topicKey]*Topic)}
	if f.sink == nil {
		f.sink = nobody{}
	}
	f.status = f.addTopic(wire.Status, wire.KindSystemStatus, bybit.SystemStatus(), catalog.None)
	f.rfq = f.addTopic(wire.RFQ, wire.KindRFQTrades, bybit.RFQTrades(), catalog.None)
	f.addGroups()
	for _, in := range cat.Live() {
		f.Listed(in.ID)
	}
	f.started = true
	return f
}

// SetSink says where pushes go from now on; nil is nowhere.
func (f *Feed) SetSink(sink Sink) {
	if f.sink = sink; sink == nil {
		f.sink = nobody{}
	}
}

// nobody wants nothing.
type nobody struct{}

// Wanted implements Sink.
func (nobody) Wanted(*Topic) bool { return false }

// Publish implements Sink.
func (nobody) Publish(*Topic, []byte, bool) {}

// Listed makes the topics of an instrument. Its book must be there.
func (f *Feed) Listed(id catalog.ID) {
	for len(f.markets) <= int(id) {
		f.markets = append(f.markets, nil)
	}
	if f.markets[id] != nil {
		return
	}
	m := f.newMarket(f.cat.At(id))
	f.markets[id] = m
	if m.top != nil {
		f.tops = append(f.tops, m)
	}
	f.touch(m)
}

// Delivered ends the topics of an instrument and forgets its state. The full book says farewell with u = 1 and no
// levels. V5 page websocket/public/full-ob.
func (f *Feed) Delivered(now int64, id catalog.ID) {
	f.now = now
	m := f.market(id)
	if m == nil {
		return
	}
	f.endMarket(m)
	f.markets[id] = nil
	f.tops, f.priced = without(f.tops, m), without(f.priced, m)
	for i := range f.dirty {
		f.dirty[i].take(id)
	}
}

// without takes a market out of a list.
func without(list []*market, m *market) []*market {
	if i := slices.Index(list, m); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// market returns the state of an instrument, nil if it is not listed.
func (f *Feed) market(id catalog.ID) *market {
	if id < 0 || int(id) >= len(f.markets) {
		return nil
	}
	return f.markets[id]
}

// Event takes one event of a command, in order. EndCommand is to follow after the last.
func (f *Feed) Event(now int64, id catalog.ID, ev *engine.Event) {
	f.now = now
	m := f.market(id)
	if m == nil {
		return
	}
	m.touches(ev)
	switch ev.Kind {
	case engine.Traded:
		f.took(m, ev)
		if m.interest != nil {
			m.interest.trade(ev)
		}
		if ev.Tag == engine.TagLiquidation {
			f.liquidated = append(f.liquidated, *ev)
		}
	case engine.Restarted:
		f.restart(m)
	}
}

// EndCommand ends a command: its trades are published, and what it changed is looked at when its push is due.
func (f *Feed) EndCommand(now int64, id catalog.ID) {
	f.now = now
	m := f.market(id)
	if m == nil {
		f.trading, f.liquidated = f.trading[:0], f.liquidated[:0]
		return
	}
	if seq := m.book.Seq(); seq != m.seq {
		m.seq, m.matched = seq, now
		f.touch(m)
	}
	if len(f.trading) > 0 {
		for i := range f.trading {
			t := &f.trading[i]
			f.bars.Trade(now, id, t.price, t.lots)
		}
		f.settle(m, f.trading)
		f.trading = f.trading[:0]
		if m.interest != nil {
			f.bars.Interest(now, id, m.interest.single())
		}
		f.dirty[dirtyKline].add(id)
	}
	if len(f.liquidated) > 0 {
		f.liquidate(m, f.liquidated)
		f.liquidated = f.liquidated[:0]
	}
}

// touch says that an instrument's book has changed.
func (f *Feed) touch(m *market) {
	id := m.inst.ID
	for kind := dirty10; kind <= dirty200; kind++ {
		f.dirty[kind].add(id)
	}
	if m.ch == wire.Spot {
		f.dirty[dirtySpotTicker].add(id)
	} else {
		f.dirty[dirtyTicker].add(id)
	}
}

// Restart pushes each of an instrument's books anew, all of it and with u = 1.
func (f *Feed) Restart(now int64, id catalog.ID) {
	f.now = now
	if m := f.market(id); m != nil {
		f.restart(m)
	}
}

func (f *Feed) restart(m *market) {
	for _, d := range m.depths {
		d.restart()
		f.pushDepth(m, d) // at once: there is no moment without a book
	}
}

// Push does what is due at one of the intervals of Classes. Of those due at the same time the shorter come first.
func (f *Feed) Push(now, every int64) {
	f.now = now
	switch every {
	case class10:
		f.pushBooks(dirty10, class10)
		f.repeatTops()
	case class20:
		f.pushBooks(dirty20, class20)
	case class50:
		f.pushTickers(true)
	case class100:
		f.pushBooks(dirty100, class100)
		f.pushTickers(false)
	case class200:
		f.pushBooks(dirty200, class200)
	case class300:
		f.pushLimits()
	case class500:
		f.pushLiquidations()
	case class1000:
		f.pushKlines()
		f.pushPools()
	}
}

// pushBooks pushes the books of one class.
func (f *Feed) pushBooks(kind int, every int64) {
	for id := range f.dirty[kind].drain() {
		m := f.markets[id]
		for _, d := range m.depths {
			if d.every == every {
				f.pushDepth(m, d)
			}
		}
	}
}

// set is a set of instruments.
type set struct{ words []uint64 }

func (s *set) add(id catalog.ID) {
	for int(id>>6) >= len(s.words) {
		s.words = append(s.words, 0)
	}
	s.words[id>>6] |= 1 << (id & 63)
}

func (s *set) take(id catalog.ID) {
	if int(id>>6) < len(s.words) {
		s.words[id>>6] &^= 1 << (id & 63)
	}
}

// drain empties the set and yields what was in it, by number.
func (s *set) drain() func(yield func(catalog.ID) bool) {
	return func(yield func(catalog.ID) bool) {
		for i, word := range s.words {
			s.words[i] = 0
			for ; word != 0; word &= word - 1 {
				if !yield(catalog.ID(i<<6 + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

// clear empties the set.
func (s *set) clear() { clear(s.words) }

// clock is a virtual time as messages have it.
func clock(at int64) time.Time { return time.UnixMilli(millis(at)).UTC() }

// millis is a virtual time in ms, rounded down.
func millis(at int64) int64 { return at / millisecond }

// noSize deletes a level.
var noSize = decimal.New(0, 0)
