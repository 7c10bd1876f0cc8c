package bybit

import "github.com/bywire/bywire/internal/session"

// push appends to the batch, or discards the batch if it is full. The queue is
// locked.
func (s *Stream) push(b *batch, it item) {
	b.Items = append(b.Items, it)
	if size := len(it.frame) + itemBytes; s.queue.Fits(size) {
		b.Bytes += size
		return
	}
	s.overflow(b)
}

// overflow discards the data in the batch and leaves one gap per topic in its
// place. Notices stay, but gaps of one topic become one.
func (s *Stream) overflow(b *batch) {
	s.count.overflows.Add(1)
	at := b.Items[len(b.Items)-1].received
	kept := b.Items[:0]
	var affected []*subscription
	for _, it := range b.Items {
		switch ev := it.ev.(type) {
		case *RejectedEvent, *SilentEvent, *lanesNotice:
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
	if told := s.client.opts.Trace.Overflow; told != nil {
		s.mail.put(letter{tell: func() { told(lost, len(affected)) }})
	}
	clear(b.Items[len(kept):])
	b.Items = kept
	b.Bytes = itemBytes * len(kept)
	b.Arena.Reset()
}
