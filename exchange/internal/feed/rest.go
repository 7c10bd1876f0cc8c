package feed

import (
	"slices"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/internal/wire"
)

// BookView is an order book as its topic has pushed it. The slices are the feed's, and valid until the next
// call that gives a BookView.
type BookView struct {
	Bids, Asks []engine.Level // best first; RPI is set only by RPI
	U, Seq     int64
	Time       int64 // when it was pushed
	Matched    int64 // when the engine was in this state
}

// Book returns the book that /v5/market/orderbook and /v5/spread/orderbook show: that of the topic of 1,000 levels,
// or of 25 on option and spread. False: there is none, or it has not been pushed yet.
func (f *Feed) Book(id catalog.ID) (BookView, bool) {
	return f.view(id, func(m *market) *depth { return m.wide })
}

// Depth returns the book of one of an instrument's topics orderbook.{depth}.
func (f *Feed) Depth(id catalog.ID, levels int) (BookView, bool) {
	return f.view(id, func(m *market) *depth {
		i := slices.IndexFunc(m.depths, func(d *depth) bool { return d.levels == levels && d != m.rpi && d != m.full })
		if i < 0 {
			return nil
		}
		return m.depths[i]
	})
}

// RPI returns the book of an orderbook.rpi topic.
func (f *Feed) RPI(id catalog.ID) (BookView, bool) {
	return f.view(id, func(m *market) *depth { return m.rpi })
}

// Full returns the book of an orderbook.full topic, at most 10,000 levels a side.
func (f *Feed) Full(id catalog.ID) (BookView, bool) {
	v, ok := f.view(id, func(m *market) *depth { return m.full })
	v.Bids, v.Asks = v.Bids[:min(len(v.Bids), fullLevels)], v.Asks[:min(len(v.Asks), fullLevels)]
	return v, ok
}

func (f *Feed) view(id catalog.ID, which func(*market) *depth) (BookView, bool) {
	m := f.market(id)
	if m == nil {
		return BookView{}, false
	}
	d := which(m)
	if d == nil || d.u == 0 {
		return BookView{}, false
	}
	for side := range f.shown {
		f.shown[side] = f.shown[side][:0]
		for i := len(d.sides[side]) - 1; i >= 0; i-- {
			l := &d.sides[side][i]
			f.shown[side] = append(f.shown[side], engine.Level{Price: l.price, Qty: l.qty, RPI: l.rpi})
		}
	}
	return BookView{f.shown[engine.Buy], f.shown[engine.Sell], d.published(), d.seq, d.pushed, d.matched}, true
}

// Trades appends the newest n trades of an instrument, newest first; at most 1,000 are kept.
func (f *Feed) Trades(dst []bybit.Trade, id catalog.ID, n int) []bybit.Trade {
	m := f.market(id)
	if m == nil {
		return dst
	}
	return f.appendTrades(dst, &m.recent, n, nil)
}

// CoinTrades appends the newest n trades of the options on a base coin, newest first; keep says which count, nil
// all. At most 1,000 are kept of a coin.
func (f *Feed) CoinTrades(dst []bybit.Trade, base string, n int, keep func(*catalog.Instrument) bool) []bybit.Trade {
	for _, c := range f.coins {
		if c.name == base {
			dst = f.appendTrades(dst, &c.recent, n, keep)
		}
	}
	return dst
}

func (f *Feed) appendTrades(dst []bybit.Trade, r *ring, n int, keep func(*catalog.Instrument) bool) []bybit.Trade {
	for i := 0; n > 0; i++ {
		t := r.newest(i)
		if t == nil {
			break
		}
		in := f.cat.At(t.id)
		if in == nil || keep != nil && !keep(in) {
			continue
		}
		v := public(in, t)
		v.ID = string(execID(nil, t, in.Kind == catalog.Spot))
		dst = append(dst, v)
		n--
	}
	return dst
}

// Ticker returns an instrument's ticker as it is now, with best bid and ask also on spot, whose topic does not have
// them. False: it is not listed.
func (f *Feed) Ticker(id catalog.ID) (bybit.Ticker, bool) {
	m := f.market(id)
	if m == nil {
		return bybit.Ticker{}, false
	}
	v := f.figures(m)
	t := f.render(m, &v)
	if m.ch == wire.Spot {
		m.renderBest(&t, &v)
	}
	return t, true
}

// LastPrice returns the price of the last trade in ticks; before the first, what the past ended with.
func (f *Feed) LastPrice(id catalog.ID) int64 {
	if m := f.market(id); m != nil {
		return m.last
	}
	return 0
}

// OpenInterest returns the lots that are open on one side of a contract or an option.
func (f *Feed) OpenInterest(id catalog.ID) int64 {
	if m := f.market(id); m != nil && m.interest != nil {
		return m.interest.single()
	}
	return 0
}

// strangers is how many accounts are thought to hold what was open before the start, in the long/short ratio.
const strangers = 100

// LongShare returns which part of the accounts that hold a contract are long, given the part that it was before the
// start. Choice: those of before count as a hundred accounts that keep what they have.
func (f *Feed) LongShare(id catalog.ID, before fixed.F) fixed.F {
	m := f.market(id)
	if m == nil || m.interest == nil {
		return before
	}
	long := before.MulInt(strangers).Add(fixed.FromInt(m.interest.longs))
	return long.Div(fixed.FromInt(strangers + m.interest.longs + m.interest.shorts))
}

// Limits returns the price limits as pushed last, in ticks, and when that was. False: there are none.
func (f *Feed) Limits(id catalog.ID) (buy, sell, at int64, ok bool) {
	m := f.market(id)
	if m == nil || m.limits == nil || m.limits.pushed == 0 {
		return 0, 0, 0, false
	}
	return m.limits.buy, m.limits.sell, m.limits.pushed, true
}

// Fund is an insurance pool as REST shows it.
type Fund struct {
	Coin    string
	Symbols string // joined with commas
	Balance int64  // in 10^-8 coin
	At      int64  // a shared pool's is of midnight UTC, another's of the last minute
	Shared  bool
}

// Insurance returns the insurance pools.
func (f *Feed) Insurance() []Fund {
	var list []Fund
	for i := range f.groups {
		for _, p := range f.groups[i].pools {
			list = append(list, Fund{p.coin, p.symbols, p.shown, p.shownAt, p.shared})
		}
	}
	return list
}

// ADL returns how near contracts are to auto-deleveraging: one, or all of them for catalog.None.
func (f *Feed) ADL(id catalog.ID) []bybit.ADLAlert {
	var list []bybit.ADLAlert
	for i := range f.groups {
		for _, p := range f.groups[i].pools {
			for _, member := range p.members {
				if m := f.market(member); m != nil && (id == catalog.None || id == member) {
					list = append(list, f.alert(m, p))
				}
			}
		}
	}
	return list
}

// Maintenance returns the maintenances and incidents, newest first.
func (f *Feed) Maintenance() []bybit.MaintenanceNotice {
	var list []bybit.MaintenanceNotice
	for i := len(f.notices) - 1; i >= 0; i-- {
		list = append(list, f.notices[i].notice())
	}
	return list
}

// Blocks returns the newest n block trades, newest first.
func (f *Feed) Blocks(n int) []bybit.RFQTrade {
	var list []bybit.RFQTrade
	for i := len(f.blocks) - 1; i >= 0 && len(list) < n; i-- {
		list = append(list, f.blockMessage(&f.blocks[i]))
	}
	return list
}
