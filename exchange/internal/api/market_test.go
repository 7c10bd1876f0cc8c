package api

import (
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/price"
)

const start = 1767225600_123_456_789 // 2026-01-01T00:00:00.123456789Z

// rig is a market whose orders are the test's: the real catalogue, books, price board and feed, with prices that stay
// where they began.
type rig struct {
	t       testing.TB
	now     int64
	catalog *catalog.Catalog
	books   map[catalog.ID]*engine.Book
	board   *price.Board
	feed    *feed.Feed
	past    *past.Past
	bars    *past.Store
	orders  uint64
}

func newRig(t testing.TB) *rig {
	t.Helper()
	m := &rig{t: t, now: start, catalog: catalog.Default(start), books: make(map[catalog.ID]*engine.Book)}
	for _, in := range m.catalog.Live() {
		m.books[in.ID] = engine.New(engine.Config{})
	}
	m.board = price.New(m.catalog, start)
	m.past = past.New(7, m.catalog, start)
	m.bars = past.NewStore(m.past)
	m.feed = feed.New(m.catalog, m, m.board, noPast{m}, nil, start)
	m.advance(2 * time.Second)
	return m
}

func (m *rig) Now() int64                            { return m.now }
func (m *rig) Catalog() *catalog.Catalog             { return m.catalog }
func (m *rig) Board() *price.Board                   { return m.board }
func (m *rig) Feed() *feed.Feed                      { return m.feed }
func (m *rig) Bars() *past.Store                     { return m.bars }
func (m *rig) Past() *past.Past                      { return m.past }
func (m *rig) Book(id catalog.ID) *engine.Book       { return m.books[id] }
func (m *rig) Vol(string) fixed.F                    { return 0 }
func (m *rig) Quote(*catalog.Instrument) price.Quote { return price.Quote{} }

// Index is the price of a coin.
func (m *rig) Index(coin string) fixed.F {
	if a, ok := m.catalog.Asset(coin); ok {
		return a.Start
	}
	return fixed.One
}

// find returns an instrument.
func (m *rig) find(category bybit.Category, symbol string) *catalog.Instrument {
	m.t.Helper()
	in, ok := m.catalog.Find(category, symbol)
	if !ok {
		m.t.Fatalf("no %s %s", category, symbol)
	}
	return in
}

// place places a limit order in ticks and lots.
func (m *rig) place(in *catalog.Instrument, side engine.Side, tif engine.TimeInForce, ticks, lots int64) {
	m.orders++
	o := &engine.Order{ID: m.orders, Account: 1000 + uint32(m.orders), Side: side, TIF: tif, Price: ticks, Qty: lots, SeesRPI: true}
	for _, ev := range m.books[in.ID].Place(o) {
		m.feed.Event(m.now, in.ID, &ev)
	}
	m.feed.EndCommand(m.now, in.ID)
}

// advance lets time go by, with what is due in it.
func (m *rig) advance(d time.Duration) {
	const step = 10 * int64(time.Millisecond)
	for end := m.now + int64(d); ; {
		next := (m.now/step + 1) * step
		if next > end {
			m.now = end
			return
		}
		if m.now = next; m.now%int64(time.Minute) == 0 {
			m.bars.Minute(m.now)
		}
		if m.now%int64(time.Second) == 0 {
			m.board.Update(m.now, m)
			m.computed()
		}
		for _, every := range feed.Classes() {
			if m.now%every == 0 {
				m.feed.Push(m.now, every)
			}
		}
	}
}

// computed puts the computed prices of perpetuals and futures into the bars.
func (m *rig) computed() {
	for _, in := range m.catalog.Live() {
		if in.Kind == catalog.Perpetual || in.Kind == catalog.Future {
			m.bars.Value(m.now, in.ID, past.Mark, m.board.Mark(in.ID))
			m.bars.Value(m.now, in.ID, past.Index, m.board.IndexOf(in.ID))
			m.bars.Value(m.now, in.ID, past.Premium, m.board.Premium(in.ID))
		}
	}
}

// roll jumps to the next time that contracts are delivered and listed, and does that. It returns what was delivered.
func (m *rig) roll() []catalog.ID {
	at := m.catalog.NextRoll(m.now)
	m.now = at - int64(time.Second)
	m.board.Update(m.now, m)
	m.now = at
	delivered, listed := m.catalog.Roll(at, m.Index)
	for _, id := range delivered {
		m.board.Delivered(id)
		m.feed.Delivered(at, id)
	}
	for _, id := range listed {
		m.books[id] = engine.New(engine.Config{})
		m.board.Listed(id, at)
		m.feed.Listed(id)
	}
	m.advance(time.Second)
	return delivered
}

// noPast keeps no bars: the last 24 hours are one price.
type noPast struct{ m *rig }

func (p noPast) Trade(at int64, id catalog.ID, ticks, lots int64) {
	p.m.bars.Trade(at, id, ticks, lots)
}
func (noPast) Interest(int64, catalog.ID, int64) {}
func (noPast) Current(catalog.ID, past.Series, past.Interval) (past.Bar, bool) {
	return past.Bar{}, false
}
func (noPast) Closed(catalog.ID, past.Series, past.Interval) (past.Bar, bool) {
	return past.Bar{}, false
}

func (p noPast) Day(id catalog.ID) past.Day {
	in := p.m.catalog.At(id)
	if in == nil || in.Kind == catalog.Spread {
		return past.Day{}
	}
	at := in.TicksOf(p.m.catalog.StartPrice(in))
	return past.Day{Last: at, Open: at, Hour: at, High: at, Low: at}
}
