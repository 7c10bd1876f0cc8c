package feed

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/price"
	"github.com/bywire/bywire/internal/wire"
)

// testStart is 2026-01-01 00:00 UTC.
const testStart = int64(1767225600e9)

// venue is a feed with books and nothing else: commands and pushes are the test's.
type venue struct {
	t     testing.TB
	cat   *catalog.Catalog
	books map[catalog.ID]*engine.Book
	board *fixedBoard
	bars  *listBars
	feed  *Feed
	now   int64
	order uint64
	lots  map[catalog.ID]int64 // that have traded, by the engine's events

	clients []*client
	every   func(t *Topic, frame []byte) // sees all frames; makes all topics wanted
	pushed  func(every int64)            // called after each Push

	atMinute func(now int64) // called at each full minute, before the pushes
}

func (v *venue) Book(id catalog.ID) *engine.Book { return v.books[id] }

// newVenue is a venue of the instruments that the patterns name, see catalog.Config.Only.
func newVenue(t testing.TB, only ...string) *venue {
	t.Helper()
	cat, err := catalog.New(catalog.Config{Start: testStart, Only: only})
	if err != nil {
		t.Fatal(err)
	}
	v := &venue{t: t, cat: cat, books: make(map[catalog.ID]*engine.Book), lots: make(map[catalog.ID]int64), now: testStart}
	for _, in := range cat.Live() {
		v.books[in.ID] = engine.New(engine.Config{})
	}
	v.board = &fixedBoard{quotes: make(map[catalog.ID]quote)}
	v.bars = &listBars{v: v, trades: make(map[catalog.ID][]listTrade)}
	v.feed = New(cat, v, v.board, v.bars, v, testStart)
	return v
}

// find returns an instrument.
func (v *venue) find(category bybit.Category, symbol string) *catalog.Instrument {
	v.t.Helper()
	in, ok := v.cat.Find(category, symbol)
	if !ok {
		v.t.Fatalf("no %s %s", category, symbol)
	}
	return in
}

// topic returns a topic that is there.
func (v *venue) topic(ch wire.Channel, name string) *Topic {
	v.t.Helper()
	t, ok := v.feed.Topic(ch, name)
	if !ok {
		v.t.Fatalf("%s has no topic %s", ch, name)
	}
	return t
}

func (v *venue) Wanted(t *Topic) bool {
	return v.every != nil || slices.ContainsFunc(v.clients, func(c *client) bool { return c.topic == t })
}

func (v *venue) Publish(t *Topic, frame []byte, replacing bool) {
	if v.every != nil {
		v.every(t, frame)
	}
	for _, c := range v.clients {
		if c.topic == t {
			c.take(frame)
		}
	}
}

// do runs one command.
func (v *venue) do(id catalog.ID, command func(b *engine.Book) []engine.Event) []engine.Event {
	events := slices.Clone(command(v.books[id]))
	for i := range events {
		if events[i].Kind == engine.Traded {
			v.lots[id] += events[i].Qty
		}
		v.feed.Event(v.now, id, &events[i])
	}
	v.feed.EndCommand(v.now, id)
	return events
}

// place places an order, which gets an id.
func (v *venue) place(id catalog.ID, o engine.Order) []engine.Event {
	v.order++
	o.ID = v.order
	return v.do(id, func(b *engine.Book) []engine.Event { return b.Place(&o) })
}

// block does a block trade.
func (v *venue) block(strategy string, legs []BlockLeg) {
	v.t.Helper()
	if err := v.feed.Block(v.now, strategy, legs); err != nil {
		v.t.Fatal(err)
	}
}

// maintain announces a maintenance and returns its id.
func (v *venue) maintain(n Notice) string {
	v.t.Helper()
	id, err := v.feed.Maintain(v.now, n)
	if err != nil {
		v.t.Fatal(err)
	}
	return id
}

// advance goes on to a time, with all pushes on the way.
func (v *venue) advance(to int64) {
	for v.now < to {
		next := to
		for _, every := range Classes() {
			next = min(next, v.now-v.now%every+every)
		}
		v.now = next
		if v.now%minute == 0 && v.atMinute != nil {
			v.atMinute(v.now)
		}
		for _, every := range Classes() {
			if v.now%every == 0 {
				v.feed.Push(v.now, every)
				if v.pushed != nil {
					v.pushed(every)
				}
			}
		}
	}
}

// wait goes on for a while.
func (v *venue) wait(d time.Duration) { v.advance(v.now + int64(d)) }

// client is a subscriber: it decodes with package bybit, and keeps a book with package book, strictly.
type client struct {
	v      *venue
	topic  *Topic
	book   *book.Book
	msg    bybit.Message
	frames [][]byte
	u      int64
}

// join subscribes.
func (v *venue) join(t *Topic) *client {
	v.t.Helper()
	c := &client{v: v, topic: t}
	c.msg, _ = bybit.NewMessage(t.msg)
	if t.Kind == wire.KindOrderBook || t.Kind == wire.KindRPIOrderBook {
		c.book = book.New(t.depth.levels)
	}
	for _, frame := range v.feed.Snapshot(t, nil) {
		c.take(frame)
	}
	v.clients = append(v.clients, c)
	return c
}

// leave ends the subscription.
func (c *client) leave() {
	c.v.clients = slices.DeleteFunc(c.v.clients, func(other *client) bool { return other == c })
}

// take takes a frame.
func (c *client) take(frame []byte) {
	c.v.t.Helper()
	c.frames = append(c.frames, slices.Clone(frame))
	if err := c.msg.Decode(frame); err != nil {
		c.v.t.Fatalf("%s: %v\n%s", c.topic.Name, err, frame)
	}
	if again := string(c.msg.AppendJSON(nil, bybit.Channel(c.topic.Channel))); again != string(frame) {
		c.v.t.Fatalf("%s decodes to another message:\n%s\n%s", c.topic.Name, frame, again)
	}
	if m, ok := c.msg.(*bybit.BookMessage); ok && c.book != nil {
		if m.Snapshot && m.ID == c.u && c.topic.depth.levels == 1 {
			return // a repeat
		}
		if err := c.book.Apply(&m.Update); err != nil {
			c.v.t.Fatalf("%s: %v\n%s", c.topic.Name, err, frame)
		}
		c.u = m.ID
	}
}

// check compares a client's book with the engine's, which must be as it was at the last push.
func (c *client) check() {
	c.v.t.Helper()
	m := c.v.feed.markets[c.topic.ID]
	d := c.topic.depth
	view := c.book.View()
	for s := engine.Buy; s <= engine.Sell; s++ {
		got, err := view.AppendTop(nil, book.Side(s), d.levels+1)
		if err != nil {
			c.v.t.Fatalf("%s: %v", c.topic.Name, err)
		}
		want := m.book.Levels(nil, s, d.levels, d.rpi)
		if len(got) != len(want) {
			c.v.t.Fatalf("%s %v u %d: %d levels, want %d\n%v\n%v", c.topic.Name, s, c.u, len(got), len(want), got, want)
		}
		for i := range want {
			w := m.level(&rung{want[i].Price, want[i].Qty, want[i].RPI}, d.rpi)
			if !got[i].Price.Equal(w.Price) || !got[i].Size.Equal(w.Size) || d.rpi && !got[i].RPI.Equal(w.RPI) {
				c.v.t.Fatalf("%s %v u %d level %d: %v, want %v", c.topic.Name, s, c.u, i, got[i], w)
			}
		}
	}
	if d.published() != c.u {
		c.v.t.Fatalf("%s: the client is at u %d, the feed at %d", c.topic.Name, c.u, d.published())
	}
}

// trader makes random commands around a price.
type trader struct {
	v      *venue
	r      *rand.Rand
	id     catalog.ID
	mid    int64
	spread int64 // how far from mid orders go
	orders []uint64
}

func newTrader(v *venue, id catalog.ID, seed uint64, mid, spread int64) *trader {
	return &trader{v: v, r: rand.New(rand.NewPCG(seed, uint64(id))), id: id, mid: mid, spread: spread}
}

// fill places orders at n prices of each side.
func (tr *trader) fill(n int64) {
	for i := range n {
		for _, o := range []engine.Order{{Side: engine.Buy, Price: tr.mid - 1 - i*3}, {Side: engine.Sell, Price: tr.mid + 1 + i*3}} {
			o.Account, o.Qty = 1, 1+tr.r.Int64N(50)
			if ev := tr.v.place(tr.id, o); ev[0].Kind == engine.Rested {
				tr.orders = append(tr.orders, ev[0].ID)
			}
		}
	}
}

// step makes one command.
func (tr *trader) step() {
	r := tr.r
	switch n := r.IntN(100); {
	case n < 55:
		o := engine.Order{Account: 1 + uint32(r.IntN(5)), Side: engine.Side(r.IntN(2)), Qty: 1 + r.Int64N(50)}
		// Few orders are far from the best, so that levels come and go at each depth's end.
		off := int64(r.ExpFloat64() * float64(tr.spread) / 8)
		if o.Side == engine.Buy {
			off = -off
		}
		o.Price = tr.mid + off
		o.TIF = []engine.TimeInForce{engine.GTC, engine.GTC, engine.GTC, engine.PostOnly, engine.RPI}[r.IntN(5)]
		for _, ev := range tr.v.place(tr.id, o) {
			if ev.Kind == engine.Rested {
				tr.orders = append(tr.orders, ev.ID)
			}
		}
	case n < 65:
		tr.v.place(tr.id, engine.Order{
			Account: 6 + uint32(r.IntN(3)), Side: engine.Side(r.IntN(2)), Market: true, Qty: 1 + r.Int64N(120), SeesRPI: r.IntN(2) == 0,
			Tag: engine.Tag(r.IntN(8) / 7),
		})
	case len(tr.orders) == 0:
	case n < 92:
		i := r.IntN(len(tr.orders))
		id := tr.orders[i]
		tr.orders = slices.Delete(tr.orders, i, i+1)
		tr.v.do(tr.id, func(b *engine.Book) []engine.Event { return b.Cancel(id, engine.ByUser) })
	default:
		id := tr.orders[r.IntN(len(tr.orders))]
		o, ok := tr.v.books[tr.id].Order(id)
		if !ok {
			return
		}
		price := o.Price
		if r.IntN(2) == 0 {
			price += r.Int64N(5) - 2
		}
		qty := 1 + r.Int64N(60)
		tr.v.do(tr.id, func(b *engine.Book) []engine.Event { return b.Amend(id, price, qty) })
	}
	if r.IntN(20) == 0 {
		tr.mid += r.Int64N(3) - 1
	}
}

// fixedBoard says what the test has set.
type fixedBoard struct {
	now    int64
	quotes map[catalog.ID]quote
	usd    fixed.F
	iv     fixed.F
}

type quote struct {
	mark, index, funding, predicted fixed.F
	nextFunding                     int64
	basis                           price.Basis
	option                          price.OptionMark
	limits                          price.Limits
}

// set changes what the board says of an instrument, as an update would.
func (b *fixedBoard) set(v *venue, id catalog.ID, change func(q *quote)) {
	q := b.quotes[id]
	change(&q)
	b.quotes[id] = q
	b.now = v.now
}

func (b *fixedBoard) Now() int64                               { return b.now }
func (b *fixedBoard) Mark(id catalog.ID) fixed.F               { return b.quotes[id].mark }
func (b *fixedBoard) IndexOf(id catalog.ID) fixed.F            { return b.quotes[id].index }
func (b *fixedBoard) Index(base, quote string) (fixed.F, bool) { return b.usd, b.usd != 0 }
func (b *fixedBoard) Funding(id catalog.ID) (fixed.F, int64) {
	return b.quotes[id].funding, b.quotes[id].nextFunding
}
func (b *fixedBoard) Basis(id catalog.ID) (price.Basis, bool) { return b.quotes[id].basis, true }
func (b *fixedBoard) ImpliedVol(catalog.ID, int64) fixed.F    { return b.iv }
func (b *fixedBoard) Predicted(id catalog.ID) (fixed.F, bool) {
	p := b.quotes[id].predicted
	return p, p != 0
}
func (b *fixedBoard) Option(id catalog.ID) (price.OptionMark, bool) {
	o := b.quotes[id].option
	return o, o.Vol != 0
}
func (b *fixedBoard) Limits(id catalog.ID) (price.Limits, bool) {
	l := b.quotes[id].limits
	return l, l != price.Limits{}
}

// listBars keeps every trade and computes each figure from the list: slow, and plainly right.
type listBars struct {
	v      *venue
	trades map[catalog.ID][]listTrade
	open   map[catalog.ID]int64
}

type listTrade struct{ at, price, lots int64 }

func (b *listBars) Trade(at int64, id catalog.ID, ticks, lots int64) {
	b.trades[id] = append(b.trades[id], listTrade{at, ticks, lots})
}

func (b *listBars) Interest(int64, catalog.ID, int64) {}

func (b *listBars) bar(id catalog.ID, start, end int64) (past.Bar, bool) {
	trades := b.trades[id]
	first, _ := slices.BinarySearchFunc(trades, start, func(t listTrade, at int64) int { return cmp.Compare(t.at, at) })
	bar := past.Bar{Start: start}
	if p, ok := b.open[id]; first > 0 || ok {
		if first > 0 {
			p = trades[first-1].price
		}
		bar.Open, bar.High, bar.Low, bar.Close = p, p, p, p
	} else if len(trades) == 0 || trades[0].at >= end {
		return past.Bar{}, false
	} else {
		p := trades[0].price
		bar.Open, bar.High, bar.Low, bar.Close = p, p, p, p
	}
	in := b.v.cat.At(id)
	for _, t := range trades[first:] {
		if t.at >= end {
			break
		}
		bar.High, bar.Low, bar.Close = max(bar.High, t.price), min(bar.Low, t.price), t.price
		bar.Volume += t.lots
		value := amount(t.price, t.lots)
		if in.Inverse {
			units, _ := in.Value(t.price, t.lots).Units(8)
			value = past.Amount{Lo: uint64(units)}
		}
		bar.Turnover = sum(bar.Turnover, value)
		bar.Trades++
		bar.Last = t.at
	}
	return bar, true
}

func (b *listBars) Current(id catalog.ID, _ past.Series, i past.Interval) (past.Bar, bool) {
	start := i.Start(b.v.now)
	return b.bar(id, start, i.End(start))
}

func (b *listBars) Closed(id catalog.ID, _ past.Series, i past.Interval) (past.Bar, bool) {
	end := i.Start(b.v.now)
	return b.bar(id, i.Start(end-1), end)
}

func (b *listBars) Day(id catalog.ID) past.Day {
	bar, ok := b.bar(id, b.v.now-day, b.v.now+1)
	if !ok {
		p := b.open[id]
		return past.Day{Open: p, Hour: p, High: p, Low: p, Last: p}
	}
	hourly, _ := b.bar(id, b.v.now-hour, b.v.now+1)
	return past.Day{Open: bar.Open, Hour: hourly.Open, High: bar.High, Low: bar.Low, Last: bar.Close, Volume: bar.Volume, Turnover: bar.Turnover}
}

// f is a number as a fixed.F.
func f(num, den int64) fixed.F { return fixed.Ratio(num, den) }
