package feed

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// keptBlocks is how many block trades REST can show.
const keptBlocks = 1000

// BlockLeg is one leg of a block trade, in the instrument's ticks and lots.
type BlockLeg struct {
	ID          catalog.ID
	Side        engine.Side
	Price, Lots int64
}

// block is a block trade.
type block struct {
	id       string
	strategy string
	at       int64
	legs     []blockLeg
}

type blockLeg struct {
	BlockLeg
	mark fixed.F
}

// The bounds of a block trade. The example of V5 page rfq/trade/rfq-config has a maxLegs of 25.
const (
	maxLegs     = 25
	maxStrategy = 100 // bytes of its name (choice)
)

// ErrBlock is in the error of a block trade that is none.
var ErrBlock = errors.New("no block trade")

// checkBlock says what is wrong with a block trade. Choice: prices and quantities are what an order may have.
func (f *Feed) checkBlock(strategy string, legs []BlockLeg) error {
	switch {
	case strategy == "" || len(strategy) > maxStrategy || !utf8.ValidString(strategy):
		return fmt.Errorf("%w: a strategy's name has 1 to %d bytes of UTF-8", ErrBlock, maxStrategy)
	case len(legs) == 0 || len(legs) > maxLegs:
		return fmt.Errorf("%w: %d legs, of 1 to %d", ErrBlock, len(legs), maxLegs)
	}
	for i, l := range legs {
		m := f.market(l.ID)
		switch {
		case m == nil:
			return fmt.Errorf("%w: leg %d: no such instrument", ErrBlock, i+1)
		case m.inst.Kind == catalog.Spread:
			return fmt.Errorf("%w: leg %d: %s is a combination itself", ErrBlock, i+1, m.inst.Symbol)
		case l.Side > engine.Sell:
			return fmt.Errorf("%w: leg %d: no side", ErrBlock, i+1)
		case l.Price < m.inst.MinPrice || l.Price > m.inst.MaxPrice:
			return fmt.Errorf("%w: leg %d: the price is not within %v and %v", ErrBlock, i+1,
				m.inst.Price(m.inst.MinPrice), m.inst.Price(m.inst.MaxPrice))
		case l.Lots < m.inst.MinQty || l.Lots > m.inst.MaxQty:
			return fmt.Errorf("%w: leg %d: the quantity is not within %v and %v", ErrBlock, i+1,
				m.inst.Qty(m.inst.MinQty), m.inst.Qty(m.inst.MaxQty))
		}
	}
	return nil
}

// Block takes a block trade: two parties agreed by request for quote, and no book saw it. It is pushed with all its
// legs, and each leg as a public trade with BT set. An error says that nothing has happened. Choice: block trades move
// no last price, no candle and no open interest.
func (f *Feed) Block(now int64, strategy string, legs []BlockLeg) error {
	f.now = now
	if err := f.checkBlock(strategy, legs); err != nil {
		return err
	}
	f.rfqs++
	b := block{strategy: strategy, at: now}
	// The venue's ids begin with the time in ms.
	b.id = string(appendDigits(strconv.AppendInt(nil, millis(now), 10), fixed.Mix(uint64(f.rfqs)), 15))
	for _, l := range legs {
		b.legs = append(b.legs, blockLeg{l, f.legMark(f.market(l.ID))})
	}
	f.blocks = append(f.blocks, b)
	if len(f.blocks) > keptBlocks {
		f.blocks = slices.Delete(f.blocks, 0, 1)
	}
	if f.sink.Wanted(f.rfq) {
		f.publish(f.rfq, &bybit.RFQTradesMessage{
			Topic: f.rfq.msg, Time: clock(now), Trades: []bybit.RFQTrade{f.blockMessage(&b)},
		}, false)
	}
	for _, l := range legs {
		m := f.market(l.ID)
		f.settle(m, []trade{{at: now, seq: m.crossSeq(), price: l.Price, lots: l.Lots, id: l.ID, side: l.Side, block: true}})
	}
	return nil
}

// legMark is the price that a leg shows as its mark price: on spot the index price, of an option the price of the
// underlying. V5 page rfq/websocket/public/public-transaction.
func (f *Feed) legMark(m *market) fixed.F {
	switch m.inst.Kind {
	case catalog.Spot:
		return f.board.IndexOf(m.inst.ID)
	case catalog.Option:
		o, _ := f.board.Option(m.inst.ID)
		return o.Underlying
	}
	return f.board.Mark(m.inst.ID)
}

// blockMessage is a block trade as it is pushed.
func (f *Feed) blockMessage(b *block) bybit.RFQTrade {
	v := bybit.RFQTrade{RFQID: b.id, StrategyType: b.strategy, CreatedTime: clock(b.at), UpdatedTime: clock(b.at)}
	for i := range b.legs {
		l := &b.legs[i]
		in := f.cat.At(l.ID)
		v.Legs = append(v.Legs, bybit.RFQLeg{
			Category: in.Category, Symbol: in.Symbol, Side: sideNames[l.Side],
			Price: in.Price(l.Price), Qty: in.Qty(l.Lots), MarkPrice: number(int64(l.mark), in.MarkScale),
		})
	}
	return v
}

func (b *block) walk(w *state.Walker) {
	w.String(&b.id)
	w.String(&b.strategy)
	w.Int64(&b.at)
	state.Slice(w, &b.legs, func(w *state.Walker, l *blockLeg) {
		state.Integer(w, &l.ID)
		state.Integer(w, &l.Side)
		w.Int64(&l.Price)
		w.Int64(&l.Lots)
		state.Integer(w, &l.mark)
	})
}
