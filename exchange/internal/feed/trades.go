package feed

import (
	"math/bits"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// maxTrades is how many trades one message has. V5 page websocket/public/trade.
const maxTrades = 1024

// keptTrades is how many trades of an instrument, and of the options on a coin together, REST can show.
const keptTrades = 1000

// trade is one public match.
type trade struct {
	at           int64
	n            int64 // its number among the trades of the instrument, from 1
	seq          int64
	price, lots  int64
	id           catalog.ID
	side         engine.Side // of the taker
	dir          direction
	rpi, block   bool
	mark, index  fixed.F // option
	markIV, ofIV fixed.F // option
}

// direction says how a price compares with the one before it.
type direction uint8

// The directions.
const (
	plusTick direction = iota
	zeroPlusTick
	minusTick
	zeroMinusTick
)

// tickDirections are their names. It is never written.
var tickDirections = [...]bybit.TickDirection{bybit.PlusTick, bybit.ZeroPlusTick, bybit.MinusTick, bybit.ZeroMinusTick}

// after returns the direction of a trade at price after one at last in direction d.
func (d direction) after(last, price int64) direction {
	switch {
	case price > last:
		return plusTick
	case price < last:
		return minusTick
	case d == plusTick || d == zeroPlusTick:
		return zeroPlusTick
	}
	return zeroMinusTick
}

// ring holds the newest trades, oldest first from next on once it is full.
type ring struct {
	trades []trade
	next   int
}

func (r *ring) add(t *trade) {
	if len(r.trades) < keptTrades {
		r.trades = append(r.trades, *t)
		return
	}
	r.trades[r.next] = *t
	if r.next++; r.next == keptTrades {
		r.next = 0
	}
}

// newest returns the i-th newest trade, nil if there are not so many.
func (r *ring) newest(i int) *trade {
	n := len(r.trades)
	if i >= n {
		return nil
	}
	return &r.trades[(r.next+2*n-1-i)%n]
}

func (r *ring) walk(w *state.Walker) {
	state.Slice(w, &r.trades, func(w *state.Walker, t *trade) { t.walk(w) })
	w.Int(&r.next)
	if w.Reading() && (r.next < 0 || r.next > 0 && r.next >= len(r.trades) || len(r.trades) > keptTrades) {
		w.Fail(errState)
		*r = ring{}
	}
}

func (t *trade) walk(w *state.Walker) {
	w.Int64(&t.at)
	w.Int64(&t.n)
	w.Int64(&t.seq)
	w.Int64(&t.price)
	w.Int64(&t.lots)
	state.Integer(w, &t.id)
	state.Integer(w, &t.side)
	state.Integer(w, &t.dir)
	w.Bool(&t.rpi)
	w.Bool(&t.block)
	state.Integer(w, &t.mark)
	state.Integer(w, &t.index)
	state.Integer(w, &t.markIV)
	state.Integer(w, &t.ofIV)
	if w.Reading() && (t.side > engine.Sell || t.dir > zeroMinusTick) {
		w.Fail(errState)
		*t = trade{}
	}
}

// execID is the id of a trade: on spot a number, elsewhere a UUID. Both are made of the instrument's number and the
// trade's, so they are the same in each run and unique.
func execID(dst []byte, t *trade, spot bool) []byte {
	if spot {
		// Choice: the venue's numbers begin with 2 and have 19 digits.
		return appendDigits(append(dst, '2'), uint64(t.id)*1e13+uint64(t.n), 18)
	}
	hi := fixed.Mix(uint64(t.id)<<40 ^ uint64(t.n))
	lo := fixed.Mix(hi ^ uint64(t.n))
	hi = hi&^0xf000 | 0x5000       // version 5, as the venue's
	lo = lo&^(0xc0<<56) | 0x80<<56 // variant
	dst = appendHex(dst, hi>>32, 8)
	dst = appendHex(append(dst, '-'), hi>>16, 4)
	dst = appendHex(append(dst, '-'), hi, 4)
	dst = appendHex(append(dst, '-'), lo>>48, 4)
	return appendHex(append(dst, '-'), lo, 12)
}

// appendHex appends the last n digits of x.
func appendHex(dst []byte, x uint64, n int) []byte {
	x = bits.RotateLeft64(x, 64-4*n)
	for range n {
		dst = append(dst, "0123456789abcdef"[x>>60])
		x <<= 4
	}
	return dst
}

// appendDigits appends the last n digits of x.
func appendDigits(dst []byte, x uint64, n int) []byte {
	from := len(dst)
	for range n {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= from; i-- {
		dst[i] = byte('0' + x%10)
		x /= 10
	}
	return dst
}

// took notes a trade of the command that is under way.
func (f *Feed) took(m *market, ev *engine.Event) {
	f.trading = append(f.trading, trade{
		at: f.now, seq: ev.Seq + 1, price: ev.Price, lots: ev.Qty, id: m.inst.ID, side: ev.Side, rpi: ev.RPI,
	})
}

// settle gives the trades of a command, or a block trade, their numbers, keeps and publishes them.
func (f *Feed) settle(m *market, trades []trade) {
	for i := range trades {
		t := &trades[i]
		m.traded++
		t.n = m.traded
		if !t.block {
			m.dir, m.last = m.dir.after(m.last, t.price), t.price
		}
		t.dir = m.dir
		if m.inst.Kind == catalog.Option {
			f.priceOption(m, t)
			f.ofCoin(m).recent.add(t)
			if !t.block { // no volume counts them
				m.totalLots += t.lots
				m.totalValue = sum(m.totalValue, amount(t.price, t.lots))
			}
		}
		m.recent.add(t)
	}
	topic := m.trades
	if topic == nil {
		return
	}
	if f.sink.Wanted(topic) {
		for ; len(trades) > maxTrades; trades = trades[maxTrades:] {
			f.publishTrades(m, topic, trades[:maxTrades])
		}
		f.publishTrades(m, topic, trades)
	}
}

// publishTrades sends one message.
func (f *Feed) publishTrades(m *market, topic *Topic, trades []trade) {
	msg := &f.tradesMessage
	msg.Topic, msg.Time, msg.MessageID = topic.msg, clock(f.now), ""
	if m.ch == wire.Option {
		msg.MessageID = messageID(topic, trades[len(trades)-1].seq, millis(f.now))
	}
	// All ids are one string: the message is encoded at once, and no trade has memory of its own.
	f.ids = f.ids[:0]
	for i := range trades {
		f.ids = execID(f.ids, &trades[i], m.ch == wire.Spot)
	}
	ids := string(f.ids)
	size := len(ids) / len(trades)
	msg.Trades = msg.Trades[:0]
	for i := range trades {
		msg.Trades = append(msg.Trades, public(m.inst, &trades[i]))
		msg.Trades[i].ID = ids[i*size : (i+1)*size]
	}
	f.publish(topic, msg, false)
}

// public is a trade as the wire shows it, but for its id.
func public(in *catalog.Instrument, t *trade) bybit.Trade {
	v := bybit.Trade{
		Time: clock(t.at), Symbol: in.Symbol, Side: sideNames[t.side], Seq: t.seq,
		Size: in.Qty(t.lots), Price: in.Price(t.price),
	}
	switch channelOf(in.Category) {
	case wire.Linear, wire.Inverse:
		v.TickDirection, v.Block, v.RPI = tickDirections[t.dir], t.block, t.rpi
		v.Mark(bybit.TradeBlock, bybit.TradeRPI)
	case wire.Spot:
		v.Block, v.RPI = t.block, t.rpi
		v.Mark(bybit.TradeBlock, bybit.TradeRPI)
	case wire.Option:
		v.Block = t.block
		v.Mark(bybit.TradeBlock)
		v.MarkPrice, v.IndexPrice = number(int64(t.mark), 8), number(int64(t.index), 2)
		v.MarkIV, v.IV = number(int64(t.markIV), 4), number(int64(t.ofIV), 4)
	case wire.Spread:
		v.TickDirection = tickDirections[t.dir]
	}
	return v
}

// sideNames are the names of the sides by engine.Side. It is never written.
var sideNames = [...]bybit.Side{bybit.Buy, bybit.Sell}

// priceOption notes what an option was thought to be worth when it traded.
func (f *Feed) priceOption(m *market, t *trade) {
	id := m.inst.ID
	t.mark, t.index = f.board.Mark(id), f.board.IndexOf(id)
	if o, ok := f.board.Option(id); ok {
		t.markIV, t.ofIV = o.Vol, f.board.ImpliedVol(id, t.price)
	}
}
