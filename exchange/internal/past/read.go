package past

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Current returns the bar that is open. It is false as long as nothing is known: of an instrument without a past, until
// its first trade.
func (s *Store) Current(id catalog.ID, of Series, i Interval) (Bar, bool) {
	t := s.track(id, of)
	if t == nil {
		return Bar{}, false
	}
	b := t.open[i]
	if i != M1 {
		b.add(&t.open[M1])
	}
	return s.joined(t, id, of, i, b), true
}

// Closed returns the bar that ended last; false if none has since the start.
func (s *Store) Closed(id catalog.ID, of Series, i Interval) (Bar, bool) {
	t := s.track(id, of)
	if t == nil || t.closed[i].Start == 0 {
		return Bar{}, false
	}
	return s.joined(t, id, of, i, t.closed[i]), true
}

// joined puts what was before the start in front of a bar that began then.
func (s *Store) joined(t *track, id catalog.ID, of Series, i Interval, b Bar) Bar {
	if b.Start >= s.past.end {
		return b
	}
	j := &t.joints[i]
	if !j.made {
		j.made = true
		var one [1]Bar
		if found := s.past.Bars(one[:0], id, of, i, b.Start, s.past.end-1, 1); len(found) == 1 && found[0].Start == b.Start {
			j.bar, j.some = found[0], true
		}
	}
	if !j.some {
		return b
	}
	whole := j.bar
	whole.add(&b)
	return whole
}

// Bars appends to dst the bars that begin in [from, to], the newest limit of them (0: all), oldest first. The last one is
// open if to reaches that far.
func (s *Store) Bars(dst []Bar, id catalog.ID, of Series, i Interval, from, to int64, limit int) []Bar {
	t := s.track(id, of)
	if t == nil {
		return dst
	}
	l := i.of()
	begin := s.first(t, id, of, l)
	first := max(ceilTo(i, max(from, s.horizon(id, l))), i.Start(begin))
	last := min(i.Start(max(to, 0)), i.Start(s.now))
	first = latest(i, first, last, limit)
	if first > last {
		return dst
	}
	g := gathering{interval: i, dst: dst, fresh: len(dst)}
	s.each(t, id, of, l, first, i.End(last), g.add)
	return g.dst
}

// first returns where the bars of a level begin, kept or not.
func (s *Store) first(t *track, id catalog.ID, of Series, l level) int64 {
	if x := s.past.history(id); x != nil && x.has(of) {
		return x.begin(l)
	}
	switch {
	case l == days && len(t.days) > 0:
		return t.days[0].Start
	case l != days && len(t.logs[l].chunks) > 0:
		return t.logs[l].chunks[0].start
	}
	return t.open[l.base()].Start
}

// each calls emit for the bars of a level that begin in [from, to), oldest first. The one in which the start is comes in two
// parts.
func (s *Store) each(t *track, id catalog.ID, of Series, l level, from, to int64, emit func(*Bar)) {
	if from < s.past.end {
		if x := s.past.history(id); x != nil {
			x.each(of, l, from, to, emit)
		}
	}
	if l == days {
		for k := range t.days {
			if b := &t.days[k]; b.Start >= from && b.Start < to {
				emit(b)
			}
		}
	} else {
		t.logs[l].each(lengths[l.base()], from, to, emit)
	}
	if b := t.open[l.base()]; b.Start >= from && b.Start < to {
		if l != minutes {
			b.add(&t.open[M1])
		}
		emit(&b)
	}
}

// Day is what an instrument did in the last 24 hours: in 1,439 minutes and the one that is open. Where less is known, the
// prices of 24 hours and of one hour ago are the first there is.
type Day struct {
	Last      int64 // price
	Open      int64 // price 24 hours ago
	Hour      int64 // price an hour ago
	High, Low int64
	Volume    int64
	Turnover  Amount
}

// window is the closed part of a Day, made once a minute.
type window struct {
	at   int64 // the minute for which it was made; 0: none
	bar  Bar
	some bool  // there are closed minutes
	hour int64 // price an hour ago
}

// Day returns what trades of an instrument did in the last 24 hours; zeros if none is known.
func (s *Store) Day(id catalog.ID) Day {
	t := s.track(id, Trade)
	if t == nil {
		return Day{}
	}
	w := &t.window
	if w.at != s.now {
		s.look(t, id, w)
	}
	b := t.open[M1]
	if w.some {
		whole := w.bar
		whole.add(&b)
		b = whole
	}
	return Day{Last: b.Close, Open: b.Open, Hour: w.hour, High: b.High, Low: b.Low, Volume: b.Volume, Turnover: b.Turnover}
}

// look makes a window: minutes at both ends, hours between them.
func (s *Store) look(t *track, id catalog.ID, w *window) {
	*w = window{at: s.now, hour: t.open[M1].Open}
	from := s.now - day + minute
	add := func(b *Bar) {
		if !w.some {
			w.bar, w.some = *b, true
			return
		}
		w.bar.add(b)
	}
	full, last := ceil(from, hour), fixed.Floor(s.now, hour)
	s.each(t, id, Trade, minutes, from, min(full, s.now), add)
	s.each(t, id, Trade, hours, full, last, add)
	s.each(t, id, Trade, minutes, max(last, full), s.now, add)
	first := true
	s.each(t, id, Trade, minutes, s.now-hour+minute, s.now, func(b *Bar) {
		if first {
			w.hour, first = b.Open, false
		}
	})
}
