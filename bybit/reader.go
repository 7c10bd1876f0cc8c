package bybit

import (
	"bytes"
	"errors"
	"runtime"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/internal/queue"
	"github.com/bywire/bywire/internal/session"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsclient"
)

type batch = queue.Batch[item, *arena]

const (
	// maxBurst is how many frames are decoded before the consumer gets them.
	// Waking a goroutine on another processor costs as much as decoding ten
	// messages, so that a read buffer (some 200 messages) is one burst; of
	// small messages it is a few.
	maxBurst = 256

	// courtesy is how many queued bytes make the reader offer its processor
	// to others. It does not wait for the consumer, but on a machine with one
	// processor it would otherwise keep it for ten milliseconds at a time.
	courtesy = 512 << 10
)

// How many values one allocation holds: some 64 KiB of each.
const (
	tradesSlab = 384
	tradeSlab  = 300
	tickerSlab = 64
	frameSlab  = 64 << 10
)

// What an item counts against the queue's bound besides what it points at.
const (
	noticeBytes = 256
	bookBytes   = 400
	levelBytes  = 48
	tradesBytes = 240
	tradeBytes  = 224
	tickerBytes = 1000
	otherBytes  = 512
)

// reader is the memory from which the reader makes events. Events that a user
// keeps keep the allocation that they were cut from.
type reader struct {
	trades slab[TradesEvent]
	trade  slab[Trade]
	ticker slab[TickerEvent]
	frames slab[byte]
	ids    idArena

	subs     map[string]*subscription // of the burst
	number   int                      // of the connection
	received time.Time                // of the burst
}

// readFrom is the reader's goroutine: it ends with the connection.
func (s *Stream) readFrom(conn *wsclient.Conn, number int) {
	r := &s.read
	r.number = number
	for {
		frame, err := conn.Next()
		if err != nil {
			conn.Wait()
			s.mail.put(letter{event: session.Lost{Err: err}})
			return
		}
		// What is in the buffer was sent after what is in the table: a topic
		// is entered before it is asked for.
		r.subs = *s.table.Load()
		r.received = wallClock(conn.ReadAt())
		var frames, size int64
		b := s.queue.Lock()
		for more := true; more; {
			frames++
			size += int64(len(frame))
			s.takeFrame(b, frame)
			if frames == maxBurst {
				break
			}
			frame, more = conn.Buffered()
		}
		s.count.frames.Add(frames)
		s.count.bytes.Add(size)
		if s.queue.Unlock() > courtesy {
			runtime.Gosched()
			s.awaitRoom()
		}
	}
}

// awaitRoom holds the reader until the consumer has caught up, if the user chose
// that. Only Close ends it early.
func (s *Stream) awaitRoom() {
	if s.opts.Overflow != OverflowWait {
		return
	}
	room := s.queue.Room()
	if room == nil {
		return
	}
	s.held.Store(true)
	select {
	case <-room:
	case <-s.closing:
	}
	s.held.Store(false)
}

// takeFrame decodes a frame into the batch, or tells the runner what it says.
// The queue is locked.
func (s *Stream) takeFrame(b *batch, frame []byte) {
	r := &s.read
	name, ok := wire.FrameTopic(frame)
	if !ok {
		s.takeControl(b, frame)
		return
	}
	sub := r.subs[string(name)]
	if sub == nil {
		s.count.unwanted.Add(1)
		return
	}
	if sub.seen != r.number {
		sub.seen = r.number
		s.mail.put(letter{event: session.Arrived{Topic: sub.topic.name}})
	}
	switch sub.kind {
	case wire.KindOrderBook, wire.KindRPIOrderBook, wire.KindFullOrderBook:
		s.takeBook(b, sub, frame)
	case wire.KindTrades:
		s.takeTrades(b, sub, frame)
	case wire.KindTickers:
		s.takeTicker(b, sub, frame)
	case wire.KindUnknown:
		ev := &RawEvent{Topic: sub.topic, Received: r.received, Frame: bytes.Clone(frame)}
		s.push(b, sub, ev, otherBytes+len(frame))
	default:
		s.takeOther(b, sub, frame)
	}
}

// takeControl handles a reply on the spot: control frames are never queued.
func (s *Stream) takeControl(b *batch, frame []byte) {
	reply, err := wire.ParseReply(frame)
	if err != nil {
		s.takeDamaged(b, nil, &DecodeError{Frame: bytes.Clone(frame), Err: err})
		return
	}
	ack := session.Ack{
		Op: reply.Op, ReqID: reply.ReqID, Success: reply.Success, Code: reply.Code, Message: reply.Message,
		Failed: reply.Failed, Succeeded: reply.Succeeded,
	}
	switch reply.Op {
	case wire.OpPong:
		return // arriving was all it was for
	case wire.OpCommand:
		ack.Op = ""
	}
	s.mail.put(letter{event: ack})
}

func (s *Stream) takeDamaged(b *batch, sub *subscription, err error) {
	s.count.undecoded.Add(1)
	decode, ok := errors.AsType[*DecodeError](err)
	if !ok {
		decode = &DecodeError{Err: err}
	}
	ev := &DecodeErrorEvent{Err: decode, Received: s.read.received}
	if sub != nil {
		ev.Topic = sub.topic
	}
	s.push(b, sub, ev, otherBytes+len(decode.Frame))
}

func (s *Stream) takeBook(b *batch, sub *subscription, frame []byte) {
	r := &s.read
	ev := b.Arena.books.next()
	ev.Topic, ev.Symbol, ev.Received, ev.Book = sub.topic, sub.symbol, r.received, book.View{}
	ev.Bids, ev.Asks = b.Arena.bids.room(), b.Arena.asks.room()
	err := ev.decodeWith(frame, &r.ids)
	if err != nil {
		s.takeDamaged(b, sub, err)
		return
	}
	ev.Bids, ev.Asks = b.Arena.bids.keep(ev.Bids), b.Arena.asks.keep(ev.Asks)
	ev.Frame = s.copyFrame(frame)
	s.push(b, sub, ev, bookBytes+levelBytes*(len(ev.Bids)+len(ev.Asks))+len(ev.Frame))
}

func (s *Stream) takeTrades(b *batch, sub *subscription, frame []byte) {
	r := &s.read
	ev := r.trades.next(tradesSlab)
	ev.Topic, ev.Received = sub.topic, r.received
	ev.Trades = r.trade.room(8, tradeSlab)
	if err := ev.decodeWith(frame, &r.ids); err != nil {
		s.takeDamaged(b, sub, err)
		return
	}
	ev.Trades = r.trade.keep(ev.Trades)
	ev.Frame = s.copyFrame(frame)
	s.push(b, sub, ev, tradesBytes+tradeBytes*len(ev.Trades)+len(ev.Frame))
}

func (s *Stream) takeTicker(b *batch, sub *subscription, frame []byte) {
	r := &s.read
	ev := r.ticker.next(tickerSlab)
	ev.Topic, ev.Received = sub.topic, r.received
	err := ev.decodeWith(frame, &r.ids)
	if err != nil {
		s.takeDamaged(b, sub, err)
		return
	}
	ev.Frame = s.copyFrame(frame)
	s.push(b, sub, ev, tickerBytes+len(ev.Frame))
}

// takeOther decodes the topics that are pushed rarely.
func (s *Stream) takeOther(b *batch, sub *subscription, frame []byte) {
	received, raw := s.read.received, s.copyFrame(frame)
	var ev Event
	var err error
	switch sub.kind {
	case wire.KindKlines:
		e := &KlineEvent{Received: received, Frame: raw}
		e.Topic = sub.topic
		ev, err = e, e.Decode(frame)
	case wire.KindLiquidations:
		e := &LiquidationsEvent{Received: received, Frame: raw}
		e.Topic = sub.topic
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
		ev = &RawEvent{Topic: sub.topic, Received: received, Frame: bytes.Clone(frame)}
	}
	if err != nil {
		s.takeDamaged(b, sub, err)
		return
	}
	s.push(b, sub, ev, otherBytes+2*len(frame)+len(raw))
}

// copyFrame returns a copy of the frame if the user asked for it.
func (s *Stream) copyFrame(frame []byte) []byte {
	if !s.opts.RawFrames {
		return nil
	}
	r := &s.read
	return r.frames.keep(append(r.frames.room(len(frame), frameSlab), frame...))
}

// notify queues a notice of the runner's. By the time of a gap the reader of the
// lost connection has ended, so that the gap follows everything it read.
func (s *Stream) notify(sub *subscription, ev Event) {
	b := s.queue.Lock()
	s.push(b, sub, ev, noticeBytes)
	s.queue.Unlock()
}

// push appends to the batch, or discards the batch if it is full. The queue is
// locked.
func (s *Stream) push(b *batch, sub *subscription, ev Event, size int) {
	b.Items = append(b.Items, item{sub, ev})
	if s.queue.Fits(size) {
		b.Bytes += size
		return
	}
	s.overflow(b)
}

// overflow discards the data in the batch and leaves one gap per topic in its
// place. Notices stay, but gaps of one topic become one.
func (s *Stream) overflow(b *batch) {
	s.count.overflows.Add(1)
	kept := b.Items[:0]
	var affected []*subscription
	for _, it := range b.Items {
		switch ev := it.ev.(type) {
		case *RejectedEvent:
			kept = append(kept, it)
			continue
		case *GapEvent:
			if it.sub.gap != nil {
				it.sub.lost += ev.Dropped
				continue
			}
			if it.sub.lost == 0 {
				affected = append(affected, it.sub)
			}
			it.sub.gap = ev
			kept = append(kept, it)
			continue
		}
		s.count.dropped.Add(1)
		if it.sub == nil {
			continue // a frame without a topic that could not be decoded is counted there
		}
		if it.sub.lost == 0 && it.sub.gap == nil {
			affected = append(affected, it.sub)
		}
		it.sub.lost++
	}
	for _, sub := range affected {
		if sub.lost > 0 {
			if sub.gap == nil {
				sub.gap = &GapEvent{Topic: sub.topic, Time: s.read.received}
				kept = append(kept, item{sub, sub.gap})
			}
			sub.gap.Reason = GapOverflow
			sub.gap.Dropped += sub.lost
			if sub.snapshots(s.ch) {
				s.mail.put(letter{event: session.Resync{Topic: sub.topic.name}})
			}
		}
		sub.lost, sub.gap = 0, nil
	}
	clear(b.Items[len(kept):])
	b.Items = kept
	b.Bytes = noticeBytes * len(kept)
	b.Arena.Reset()
}
