package bybit

import (
	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/internal/wire"
)

// conflater makes one item of a topic's messages in a batch, for every topic
// that is a state of which the newest counts. It lives for one overflow; the queue
// is locked.
//
// A run is messages of one topic, from one lane, that follow one another: what
// several lanes bring of a topic is made one sequence by the consumer, as ever. A run
// becomes one item, in the place of its last message, so that times of receipt do not go
// back. It ends where something has to show: a notice of the topic, a message that does
// not follow the one before, a message with a fault. The message after that begins the next
// run. What is no run of two stays the frame that it was.
type conflater struct {
	items  []item
	next   []int32 // of each item, the topic's next; 0 at its end
	groups []group

	// The run at hand.
	last  int   // its last item
	count int   // how many items
	stood int   // how many messages
	first int64 // of a book's, the first update id; 0: the run is empty

	fold   book.Fold
	book   BookMessage // decoded last
	stamp  BookMessage // of the run's last message, without levels
	push   TickerMessage
	ticker TickerEvent // of the run
	merged int64       // messages that became part of others
}

// group is the items of one topic.
type group struct {
	sub         *subscription
	first, last int32
	lanes       [maxLanes]bool // that have messages
}

// conflatable reports whether messages of the topic may become one.
func (sub *subscription) conflatable() bool {
	switch sub.kind {
	case wire.KindOrderBook, wire.KindRPIOrderBook, wire.KindTickers:
		return true
	}
	return false
}

// messages returns how many messages an item stands for, if it is data.
func (it *item) messages() int {
	switch ev := it.ev.(type) {
	case *BookEvent:
		return 1 + ev.Conflated
	case *TickerEvent:
		return 1 + ev.Conflated
	}
	return 1
}

// conflate makes room in a full batch. If half of it is still full afterwards,
// so that this would soon be needed again, what cannot be conflated is discarded, and
// then everything.
func (s *Stream) conflate(b *batch) {
	c := conflater{items: b.Items}
	c.gather()
	for i := range c.groups {
		g := &c.groups[i]
		g.sub.group = 0
		s.count.dropped.Add(int64(c.joinGaps(g)))
		for lane, busy := range g.lanes {
			switch {
			case !busy:
			case g.sub.kind == wire.KindTickers:
				c.tickers(g, uint8(lane))
			default:
				c.books(g, uint8(lane))
			}
		}
	}
	s.count.conflated.Add(c.merged)
	kept := b.Items[:0]
	b.Bytes = 0
	for _, it := range b.Items {
		if it.sub != nil || it.ev != nil {
			kept = append(kept, it)
			b.Bytes += it.weight()
		}
	}
	clear(b.Items[len(kept):])
	b.Items = kept
	// Twice as much has to be within the bound.
	if s.queue.Fits(b.Bytes) {
		s.settle(b, kept)
		return
	}
	if s.overflow(b, false); !s.queue.Fits(b.Bytes) {
		s.overflow(b, true)
	}
}

// gather makes a list of items for each topic. Those of topics that are
// unsubscribed go.
func (c *conflater) gather() {
	c.next = make([]int32, len(c.items))
	for i := range c.items {
		sub := c.items[i].sub
		switch {
		case sub == nil || !sub.conflatable():
			continue
		case sub.group == 0 && sub.gone.Load():
			if _, ok := c.items[i].ev.(*RejectedEvent); !ok {
				c.items[i] = item{}
			}
			continue
		case sub.group == 0:
			c.groups = append(c.groups, group{sub: sub, first: int32(i), last: int32(i)})
			sub.group = len(c.groups)
		}
		g := &c.groups[sub.group-1]
		if int32(i) != g.first {
			c.next[g.last] = int32(i)
			g.last = int32(i)
		}
		if c.items[i].isData() {
			g.lanes[c.items[i].lane] = true
		}
	}
}

// isData reports whether the item is a message, not a notice.
func (it *item) isData() bool {
	switch it.ev.(type) {
	case nil, *BookEvent, *TickerEvent:
		return true
	}
	return false
}

// after returns the topic's item after i, -1 at the end.
func (c *conflater) after(i int) int {
	if c.next[i] == 0 {
		return -1
	}
	return int(c.next[i])
}

// joinGaps makes one of a topic's gaps, the last, and discards what lies between
// them: a connection that is lost again and again would fill the queue with them. It
// returns how many messages were discarded.
func (c *conflater) joinGaps(g *group) int {
	first, last := -1, -1
	for i := int(g.first); i >= 0; i = c.after(i) {
		if _, ok := c.items[i].ev.(*GapEvent); ok {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first == last {
		return 0
	}
	lost := 0
	end := c.items[last].ev.(*GapEvent)
	for i := first; i != last; i = c.after(i) {
		it := &c.items[i]
		if ev, ok := it.ev.(*GapEvent); ok {
			end.Dropped += ev.Dropped
		} else if it.isData() {
			lost += it.messages()
		} else {
			continue // other notices stay
		}
		*it = item{}
	}
	end.Dropped += lost
	return lost
}

// books conflates the runs of an order book on one lane.
func (c *conflater) books(g *group, lane uint8) {
	single := isDepth1(g.sub.topic.name)
	for i := int(g.first); i >= 0; i = c.after(i) {
		it := &c.items[i]
		if it.sub == nil || it.isData() && it.lane != lane {
			continue // discarded between two gaps, or another's
		}
		m := c.bookOf(it)
		if m == nil {
			c.endBook()
			continue
		}
		if single && m.Snapshot {
			c.fold.Reset() // whatever its update id, it is all there is to know
		}
		if g.sub.merge != nil && m.First() == 1 && c.first != 1 {
			// Another lane may have brought the restart already, and only from there
			// on do update ids say what is new.
			c.endBook()
		}
		if !c.fold.Add(&m.Update) {
			c.endBook()
			if !c.fold.Add(&m.Update) {
				continue // a fault, for the book to find
			}
		}
		if c.count == 0 {
			c.first = m.First()
		}
		c.extend(i)
		c.stamp = BookMessage{MessageID: m.MessageID, Time: m.Time, Symbol: m.Symbol}
	}
	c.endBook()
}

// bookOf returns the message of an item, nil if it has none.
func (c *conflater) bookOf(it *item) *BookMessage {
	if ev, ok := it.ev.(*BookEvent); ok {
		return &ev.BookMessage
	}
	if it.ev != nil {
		return nil
	}
	c.book.Topic, c.book.Symbol = it.sub.topic, it.sub.symbol
	if c.book.Decode(it.frame) != nil {
		return nil
	}
	return &c.book
}

// extend makes the item the last one of the run.
func (c *conflater) extend(i int) {
	c.stood += c.items[i].messages()
	if c.count > 0 {
		c.items[c.last] = item{}
		c.merged++
	}
	c.count++
	c.last = i
}

// endBook ends a run.
func (c *conflater) endBook() {
	if c.count > 1 {
		it := &c.items[c.last]
		ev := &BookEvent{BookMessage: c.stamp, Conflated: c.stood - 1, Received: it.received}
		ev.Topic = it.sub.topic
		c.fold.Update(&ev.Update)
		it.ev, it.frame = ev, nil
	}
	c.fold.Reset()
	c.count, c.stood, c.first = 0, 0, 0
}

// tickers conflates the runs of a ticker on one lane.
func (c *conflater) tickers(g *group, lane uint8) {
	for i := int(g.first); i >= 0; i = c.after(i) {
		it := &c.items[i]
		if it.sub == nil || it.isData() && it.lane != lane {
			continue
		}
		m := c.tickerOf(it)
		if m == nil {
			c.endTicker()
			continue
		}
		run := &c.ticker.TickerMessage
		switch {
		case c.count == 0 || m.Snapshot:
			*run = *m
		default:
			run.Ticker.Merge(&m.Ticker)
			run.MessageID, run.Time, run.Seq = m.MessageID, m.Time, m.Seq
		}
		c.extend(i)
	}
	c.endTicker()
}

// tickerOf returns the push of an item, nil if it has none.
func (c *conflater) tickerOf(it *item) *TickerMessage {
	if ev, ok := it.ev.(*TickerEvent); ok {
		return &ev.TickerMessage
	}
	if it.ev != nil {
		return nil
	}
	c.push.Topic = it.sub.topic
	if c.push.Decode(it.frame) != nil {
		return nil
	}
	return &c.push
}

// endTicker ends a run.
func (c *conflater) endTicker() {
	if c.count > 1 {
		it := &c.items[c.last]
		ev := &TickerEvent{TickerMessage: c.ticker.TickerMessage, Conflated: c.stood - 1, Received: it.received}
		ev.Topic, ev.ids = it.sub.topic, nil
		it.ev, it.frame = ev, nil
	}
	c.count, c.stood = 0, 0
}
