package bybit

import (
	"unsafe"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/internal/session"
)

// push appends to the batch, and makes room in the batch if it is full. The queue is
// locked.
func (s *Stream) push(b *batch, it item) {
	b.Items = append(b.Items, it)
	if size := it.weight(); s.queue.Fits(size) {
		b.Bytes += size
		return
	}
	s.count.overflows.Add(1)
	if s.opts.Overflow == OverflowConflate {
		s.conflate(b)
		return
	}
	s.overflow(b, true)
}

// weight is what the item counts against the queue's bound.
func (it *item) weight() int {
	switch ev := it.ev.(type) {
	case *BookEvent:
		return itemBytes + int(unsafe.Sizeof(*ev)) + (len(ev.Bids)+len(ev.Asks))*int(unsafe.Sizeof(book.Level{}))
	case *TickerEvent:
		return itemBytes + int(unsafe.Sizeof(*ev))
	}
	return itemBytes + len(it.frame)
}

// overflow discards the data in the batch and leaves one gap per topic in its
// place. Notices stay, but gaps of one topic become one. Unless all is to go, the
// topics that were conflated stay as they are.
func (s *Stream) overflow(b *batch, all bool) {
	at := b.Items[len(b.Items)-1].received
	kept := b.Items[:0]
	var affected, noticed []*subscription
	for _, it := range b.Items {
		if !all && it.sub != nil && it.sub.conflatable() {
			kept = append(kept, it)
			continue
		}
		switch ev := it.ev.(type) {
		case *RejectedEvent, *fullNotice: // of each there are few
			kept = append(kept, it)
			continue
		case *SilentEvent, *lanesNotice, *quietNotice:
			n := &it.sub.kept
			if *n == (keptNotices{}) {
				noticed = append(noticed, it.sub)
			}
			place := n.place(ev)
			if *place == 0 {
				kept = append(kept, it)
				*place = len(kept)
			} else {
				kept[*place-1].ev = ev
			}
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
		n := it.messages()
		s.count.dropped.Add(int64(n))
		if it.sub == nil {
			continue // a frame without a topic that could not be decoded is counted there
		}
		if it.sub.lost == 0 && it.sub.gap == nil {
			affected = append(affected, it.sub)
		}
		it.sub.lost += n
	}
	lost := 0
	for _, sub := range affected {
		lost += sub.lost
		if sub.lost > 0 {
			if sub.gap == nil {
				sub.gap = &GapEvent{Topic: sub.topic, Time: at}
				kept = append(kept, item{sub: sub, ev: sub.gap, received: sub.gap.Time})
			}
			sub.gap.Reason = GapOverflow
			sub.gap.Dropped += sub.lost
			if sub.snapshots(s.ch) {
				s.mail.put(letter{event: session.Resync{Topic: sub.topic.name}})
			}
		}
		sub.lost, sub.gap = 0, nil
	}
	for _, sub := range noticed {
		sub.kept = keptNotices{}
	}
	if told := s.client.opts.Trace.Overflow; told != nil {
		s.mail.put(letter{tell: func() { told(lost, len(affected)) }})
	}
	s.settle(b, kept)
	if all {
		// Nothing but a few notices for each topic is left. They do not count: a
		// queue that they fill would be looked through for every frame.
		b.Bytes = 0
	}
}

// keptNotices are where an overflow has put the notices of a topic of which one is
// enough, counted from 1: only the last says something, with nothing between them.
type keptNotices struct{ silent, quiet, lanes, overdue int }

// place returns where the place of such a notice is noted.
func (k *keptNotices) place(ev Event) *int {
	switch ev := ev.(type) {
	case *SilentEvent:
		return &k.silent
	case *quietNotice:
		return &k.quiet
	case *lanesNotice:
		if !ev.overdue {
			return &k.lanes
		}
	}
	return &k.overdue
}

// settle makes the items that were kept, in the batch's own memory, what the batch
// holds.
func (s *Stream) settle(b *batch, kept []item) {
	clear(b.Items[len(kept):])
	b.Items = kept
	b.Bytes = 0
	var fresh *arena
	for i := range kept {
		it := &kept[i]
		b.Bytes += it.weight()
		if it.frame != nil {
			if fresh == nil {
				fresh = newArena()
			}
			it.frame = fresh.keep(it.frame)
		}
	}
	if fresh == nil {
		b.Arena.Reset()
		return
	}
	b.Arena = fresh
}
