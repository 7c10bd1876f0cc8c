package bybit

import (
	"bytes"
	"errors"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/internal/wire"
)

// consumer is what the goroutine in Recv owns: the batch that it works through,
// and the memory from which it makes events. Whoever keeps an event
// keeps the allocation that it was cut from.
type consumer struct {
	out  *batch
	next int // index in out.Items

	last     *BookEvent             // yielded last, nil if that was no book
	lastBook interface{ Release() } // nil if it had none

	// more says that the item before is not done with: pending, if set, comes after
	// a gap that was yielded, and then what the topic's lanes have held back.
	more    bool
	moreSub *subscription
	moreAt  time.Time // when the item was received
	pending *BookEvent

	books      [bookRing]BookEvent // used again and again
	book       int                 // next of books
	bids, asks []book.Level        // of the last BookEvent
	trades     slab[TradesEvent]
	trade      slab[Trade]
	ticker     slab[TickerEvent]
	frames     slab[byte]
	ids        idArena
	raw        bool // events carry their frame
}

// How many values one allocation holds: some 64 KiB of each.
const (
	tradesSlab = 384
	tradeSlab  = 300
	tickerSlab = 64
	frameSlab  = 64 << 10
)

// bookRing is how many book events there are. One would do; with more, an event
// that was kept by mistake still says that it is stale for a while.
const bookRing = 64

// decode makes the event of a frame.
func (c *consumer) decode(it *item) Event {
	var ev Event
	var err error
	switch it.sub.kind {
	case wire.KindOrderBook, wire.KindRPIOrderBook, wire.KindFullOrderBook:
		ev, err = c.decodeBook(it)
	case wire.KindTrades:
		ev, err = c.decodeTrades(it)
	case wire.KindTickers:
		ev, err = c.decodeTicker(it)
	case wire.KindUnknown:
		return &RawEvent{Topic: it.sub.topic, Received: it.received, Frame: bytes.Clone(it.frame)}
	default:
		ev, err = c.decodeOther(it)
	}
	if err == nil {
		return ev
	}
	damage, ok := errors.AsType[*DecodeError](err)
	if !ok {
		damage = &DecodeError{Err: err}
	}
	return &DecodeErrorEvent{Topic: it.sub.topic, Err: damage, Received: it.received}
}

func (c *consumer) decodeBook(it *item) (Event, error) {
	ev := &c.books[c.book%bookRing]
	c.book++
	ev.Topic, ev.Symbol, ev.Received, ev.Book = it.sub.topic, it.sub.symbol, it.received, book.View{}
	ev.Bids, ev.Asks = c.bids, c.asks
	err := ev.decodeWith(it.frame, &c.ids)
	c.bids, c.asks = ev.Bids, ev.Asks
	ev.Frame = c.copyFrame(it.frame)
	return ev, err
}

func (c *consumer) decodeTrades(it *item) (Event, error) {
	ev := c.trades.next(tradesSlab)
	ev.Topic, ev.Received = it.sub.topic, it.received
	ev.Trades = c.trade.room(8, tradeSlab)
	err := ev.decodeWith(it.frame, &c.ids)
	ev.Trades = c.trade.keep(ev.Trades)
	ev.Frame = c.copyFrame(it.frame)
	return ev, err
}

func (c *consumer) decodeTicker(it *item) (Event, error) {
	ev := c.ticker.next(tickerSlab)
	ev.Topic, ev.Received = it.sub.topic, it.received
	err := ev.decodeWith(it.frame, &c.ids)
	ev.Frame = c.copyFrame(it.frame)
	return ev, err
}

// decodeOther decodes the topics that are pushed rarely.
func (c *consumer) decodeOther(it *item) (Event, error) {
	frame, received := it.frame, it.received
	raw := c.copyFrame(frame)
	var ev Event
	var err error
	switch it.sub.kind {
	case wire.KindKlines:
		e := &KlineEvent{Received: received, Frame: raw}
		e.Topic = it.sub.topic
		ev, err = e, e.Decode(frame)
	case wire.KindLiquidations:
		e := &LiquidationsEvent{Received: received, Frame: raw}
		e.Topic = it.sub.topic
		ev, err = e, e.Decode(frame)
	case wire.KindInsurance:
		e := &InsuranceEvent{Received: received, Frame: raw}
		ev, err = e, e.Decode(frame)
	case wire.KindADLAlerts:
		e := &ADLEvent{Received: received, Frame: raw}
		ev, err = e, e.Decode(frame)
	case wire.KindPriceLimits:
		e := &PriceLimitEvent{Received: received, Frame: raw}
		ev, err = e, e.Decode(frame)
	case wire.KindSystemStatus:
		e := &SystemStatusEvent{Received: received, Frame: raw}
		ev, err = e, e.Decode(frame)
	case wire.KindRFQTrades:
		e := &RFQTradesEvent{Received: received, Frame: raw}
		ev, err = e, e.Decode(frame)
	case wire.KindDualAssetOffers:
		e := &DualAssetEvent{Received: received, Frame: raw}
		ev, err = e, e.Decode(frame)
	case wire.KindSmartLeverageOffers:
		e := &SmartLeverageEvent{Received: received, Frame: raw}
		ev, err = e, e.Decode(frame)
	case wire.KindDoubleWinOffers:
		e := &DoubleWinEvent{Received: received, Frame: raw}
		ev, err = e, e.Decode(frame)
	case wire.KindDiscountBuyOffers:
		e := &DiscountBuyEvent{Received: received, Frame: raw}
		ev, err = e, e.Decode(frame)
	default:
		ev = &RawEvent{Topic: it.sub.topic, Received: received, Frame: bytes.Clone(frame)}
	}
	return ev, err
}

// copyFrame returns a copy of the frame if the user asked for it.
func (c *consumer) copyFrame(frame []byte) []byte {
	if !c.raw {
		return nil
	}
	return c.frames.keep(append(c.frames.room(len(frame), frameSlab), frame...))
}
