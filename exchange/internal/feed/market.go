package feed

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// market is the state of one instrument.
type market struct {
	inst *catalog.Instrument
	ch   wire.Channel
	book *engine.Book

	seq     int64 // the engine's after the last command
	matched int64 // when a command last changed the book or traded
	traded  int64 // trades so far
	last    int64 // price of the last one; before the first, what the past ended with
	dir     direction
	recent  ring

	mirrors  [2]mirror // by engine.Side
	depths   []*depth
	top      *depth // the one of one level; nil on option and spread
	wide     *depth // the one that /v5/market/orderbook shows
	rpi      *depth
	full     *depth
	trades   *Topic
	ticker   tickerState
	candles  []*candle
	limits   *limitState
	interest *interest // nil on spot and spread
	losses   *liquidationState

	pnl     int64 // what the insurance pool has gained from the contract, in 10^-8 coin
	pnlHigh window

	totalLots  int64 // of an option since it was listed (choice: since the exchange was started)
	totalValue past.Amount
}

// coin is what the options on one base coin share.
type coin struct {
	name   string
	trades *Topic
	recent ring
}

// channelOf is where an instrument's topics are.
func channelOf(c bybit.Category) wire.Channel { return wire.Channel(c) }

// newMarket makes the state and the topics of an instrument.
func (f *Feed) newMarket(inst *catalog.Instrument) *market {
	m := &market{inst: inst, ch: channelOf(inst.Category), book: f.books.Book(inst.ID)}
	m.seq = m.book.Seq()
	m.mirrors[0].stale, m.mirrors[1].stale = true, true
	m.last, m.matched = f.bars.Day(inst.ID).Last, f.now
	s := inst.Symbol
	for _, d := range wire.Depths(m.ch) {
		if d.State != wire.DepthCurrent {
			continue
		}
		v := f.addDepth(m, wire.KindOrderBook, bybit.OrderBook(d.Levels, s), d.Levels, int64(d.Push))
		switch d.Levels {
		case 1:
			m.top = v
		case 25, 1000:
			m.wide = v
		}
	}
	m.ticker.topic = f.addTopic(m.ch, wire.KindTickers, bybit.Tickers(s), inst.ID)
	if m.ch == wire.Option {
		m.trades = f.ofCoin(m).trades
	} else {
		m.trades = f.addTopic(m.ch, wire.KindTrades, bybit.Trades(s), inst.ID)
	}
	switch m.ch {
	case wire.Option:
		m.interest = f.newInterest(inst)
		return m
	case wire.Spread:
		return m
	}
	m.full = f.addDepth(m, wire.KindFullOrderBook, bybit.FullOrderBook(s), 0, class200)
	m.rpi = f.addDepth(m, wire.KindRPIOrderBook, bybit.RPIOrderBook(s), 50, class100)
	m.rpi.rpi = true
	f.addCandles(m)
	f.addLimits(m)
	if m.ch != wire.Spot {
		m.interest = f.newInterest(inst)
		f.addLiquidations(m)
		f.addPool(m)
	}
	return m
}

// addDepth makes one order book topic.
func (f *Feed) addDepth(m *market, kind wire.Kind, name bybit.Topic, levels int, every int64) *depth {
	d := &depth{topic: f.addTopic(m.ch, kind, name, m.inst.ID), levels: levels, every: every}
	d.topic.depth = d
	m.depths = append(m.depths, d)
	return d
}

// endMarket ends what newMarket has begun.
func (f *Feed) endMarket(m *market) {
	if m.full != nil && f.sink.Wanted(m.full.topic) {
		m.full.restart()
		m.full.u, m.full.seq, m.full.matched, m.full.pushed = 1, m.crossSeq(), m.matched, f.now
		f.headBook(m, m.full, false)
		f.book.Bids, f.book.Asks = f.book.Bids[:0], f.book.Asks[:0]
		f.publish(m.full.topic, &f.book, false)
	}
	for _, d := range m.depths {
		f.dropTopic(d.topic)
	}
	for _, c := range m.candles {
		f.dropTopic(c.topic)
	}
	f.dropTopic(m.ticker.topic)
	if m.ch != wire.Option {
		f.dropTopic(m.trades)
	}
	if m.limits != nil {
		f.dropTopic(m.limits.topic)
	}
	if m.losses != nil {
		f.dropTopic(m.losses.topic)
		f.dropPool(m)
	}
}

// crossSeq is the cross sequence that messages have now: the engine's Seq, and one more (choice). The first
// messages come before anything has happened, and a seq of 0 would be none.
func (m *market) crossSeq() int64 { return m.book.Seq() + 1 }

// ofCoin returns what the options on an instrument's base coin share.
func (f *Feed) ofCoin(m *market) *coin {
	for _, c := range f.coins {
		if c.name == m.inst.Base {
			return c
		}
	}
	return f.coinNamed(m.inst.Base)
}

// coinNamed adds a coin.
func (f *Feed) coinNamed(name string) *coin {
	c := &coin{name: name}
	c.trades = f.addTopic(wire.Option, wire.KindTrades, bybit.Trades(name), catalog.None)
	f.coins = append(f.coins, c)
	return c
}

// walk goes through the state.
func (m *market) walk(w *state.Walker) {
	w.Int64(&m.seq)
	w.Int64(&m.matched)
	w.Int64(&m.traded)
	w.Int64(&m.last)
	state.Integer(w, &m.dir)
	if w.Reading() && m.dir > zeroMinusTick {
		w.Fail(errState)
		m.dir = 0
	}
	m.recent.walk(w)
	for _, d := range m.depths {
		d.walk(w)
	}
	m.ticker.walk(w)
	for _, c := range m.candles {
		c.walk(w)
	}
	if m.limits != nil {
		m.limits.walk(w)
	}
	if m.interest != nil {
		m.interest.walk(w)
	}
	if m.losses != nil {
		m.losses.walk(w)
	}
	w.Int64(&m.pnl)
	m.pnlHigh.walk(w)
	w.Int64(&m.totalLots)
	w.Uint64(&m.totalValue.Hi)
	w.Uint64(&m.totalValue.Lo)
}
