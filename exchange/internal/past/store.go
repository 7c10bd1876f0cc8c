package past

import (
	"errors"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// How long bars of each level are kept; days are kept for ever. Choice: options, of which there are many, keep minutes for
// two days.
const (
	keepMinutes       = 31 * day
	keepOptionMinutes = 2 * day
	keepHours         = 731 * day
)

// Store has the bars of all instruments: those of the past, and those that are made of trades and prices since the start.
// It is the one place where bars are made, so all that show them agree. It is not safe for concurrent use; reading does
// not change its state.
type Store struct {
	past *Past
	cat  *catalog.Catalog
	now  int64            // the minute that is open
	ends [Intervals]int64 // when each interval's open bar ends
	rows []*row           // by ID
}

// row is what is kept of an instrument.
type row struct{ tracks [seriesCount]*track }

// track is one series of one instrument since the start. Bars that are open hold what happened up to the minute that is
// open; that minute is added when they are asked for.
type track struct {
	open   [Intervals]Bar
	closed [Intervals]Bar // the last ones; Start is 0: none yet
	logs   [2]barLog      // minutes and hours
	days   []Bar

	// What follows can be made again.
	joints  [Intervals]joint
	window  window
	squares squares
}

// joint is the part of a bar that is before the start.
type joint struct {
	bar  Bar
	made bool
	some bool
}

// NewStore returns a store that goes on where a past ends.
func NewStore(p *Past) *Store {
	s := &Store{past: p, cat: p.cat, now: p.end}
	s.setEnds()
	for id := range catalog.ID(p.cat.Len()) {
		x := p.history(id)
		if x == nil {
			continue
		}
		for of := range seriesCount {
			if x.has(of) {
				s.begin(id, of, x.close(of))
			}
		}
	}
	return s
}

func (s *Store) setEnds() {
	for i := range s.ends {
		s.ends[i] = Interval(i).End(Interval(i).Start(s.now))
	}
}

// begin starts a track at a price.
func (s *Store) begin(id catalog.ID, of Series, price int64) *track {
	t := &track{}
	for i := range t.open {
		t.open[i] = flat(Interval(i).Start(s.now), price)
	}
	for int(id) >= len(s.rows) {
		s.rows = append(s.rows, nil)
	}
	if s.rows[id] == nil {
		s.rows[id] = &row{}
	}
	s.rows[id].tracks[of] = t
	return t
}

// track returns a series of an instrument; nil if nothing is known of it.
func (s *Store) track(id catalog.ID, of Series) *track {
	if id < 0 || int(id) >= len(s.rows) || s.rows[id] == nil || of >= seriesCount {
		return nil
	}
	return s.rows[id].tracks[of]
}

// put moves a series to a value in the minute that is open.
func (s *Store) put(at int64, id catalog.ID, of Series, v int64) *Bar {
	if at >= s.ends[M1] {
		s.Minute(at)
	}
	t := s.track(id, of)
	if t == nil {
		t = s.begin(id, of, v)
	}
	b := &t.open[M1]
	b.High, b.Low, b.Close = max(b.High, v), min(b.Low, v), v
	return b
}

// Trade takes a trade: lots at a price in ticks.
func (s *Store) Trade(at int64, id catalog.ID, ticks, lots int64) {
	in := s.cat.At(id)
	if in == nil {
		return
	}
	b := s.put(at, id, Trade, ticks)
	b.Volume += lots
	b.Trades++
	b.Last = at
	b.Turnover.add(worth(in, ticks, lots))
}

// Value takes a price that was computed: mark, index or premium index, as a share of 1. Of a series that the instrument
// does not have it is ignored.
func (s *Store) Value(at int64, id catalog.ID, of Series, v fixed.F) {
	if in := s.cat.At(id); in != nil && of != Trade && of != Interest && exists(in.Kind, of) {
		s.put(at, id, of, counted(in, of, v))
	}
}

// Interest takes how many lots of a contract are open on one side.
func (s *Store) Interest(at int64, id catalog.ID, lots int64) {
	if in := s.cat.At(id); in != nil && exists(in.Kind, Interest) {
		s.put(at, id, Interest, lots)
	}
}

// Minute closes the bars that end at or before now. It is to be called at each full minute, before what trades then.
func (s *Store) Minute(now int64) {
	for s.ends[M1] <= now {
		next := s.ends[M1]
		for _, r := range s.rows {
			if r == nil {
				continue
			}
			for _, t := range r.tracks {
				if t != nil {
					t.close(&s.ends, next)
				}
			}
		}
		s.now = next
		s.setEnds()
		if next%hour == 0 {
			s.forget()
		}
	}
}

// close ends the minute that is open, and the bars that end with it.
func (t *track) close(ends *[Intervals]int64, next int64) {
	b := t.open[M1]
	for i := range t.open {
		open := &t.open[i]
		if i > 0 {
			open.add(&b)
		}
		if ends[i] > next {
			continue
		}
		t.closed[i] = *open
		switch Interval(i) {
		case M1:
			t.logs[minutes].add(open, minute, hour)
		case H1:
			t.logs[hours].add(open, hour, day)
		case D1:
			t.days = append(t.days, *open)
		}
		*open = flat(next, b.Close)
	}
}

// forget drops bars that are too old.
func (s *Store) forget() {
	for id, r := range s.rows {
		if r == nil {
			continue
		}
		for _, t := range r.tracks {
			if t != nil {
				t.logs[minutes].drop(s.horizon(catalog.ID(id), minutes))
				t.logs[hours].drop(s.horizon(catalog.ID(id), hours))
			}
		}
	}
}

// horizon returns the time before which bars of a level are not kept, nor shown where the past still had them.
func (s *Store) horizon(id catalog.ID, l level) int64 {
	switch l {
	case minutes:
		if in := s.cat.At(id); in != nil && in.Kind == catalog.Option {
			return s.now - keepOptionMinutes
		}
		return s.now - keepMinutes
	case hours:
		return s.now - keepHours
	}
	return 0
}

// Delivered forgets an instrument.
func (s *Store) Delivered(id catalog.ID) {
	if id >= 0 && int(id) < len(s.rows) {
		s.rows[id] = nil
	}
}

var errStore = errors.New("bars that do not fit the time or the catalogue")

// Walk goes through the state. The store to restore into is a new one of the same past.
func (s *Store) Walk(w *state.Walker) {
	w.Tag("past.Store.1")
	w.Int64(&s.now)
	if w.Reading() {
		if s.now%minute != 0 || s.now < s.past.end || s.now > catalog.Never-64*day {
			w.Fail(errStore)
			return
		}
		s.setEnds()
	}
	state.Slice(w, &s.rows, func(w *state.Walker, r **row) {
		state.Optional(w, r, func(w *state.Walker, r *row) {
			for i := range r.tracks {
				state.Optional(w, &r.tracks[i], func(w *state.Walker, t *track) { t.walk(w, s.now) })
			}
		})
	})
	if w.Reading() && len(s.rows) > s.cat.Len() {
		w.Fail(errStore)
	}
}

func (t *track) walk(w *state.Walker, now int64) {
	for i := range t.open {
		t.open[i].walk(w)
		t.closed[i].walk(w)
		if w.Reading() && w.Err() == nil && t.open[i].Start != Interval(i).Start(now) {
			w.Fail(errStore)
		}
	}
	t.logs[minutes].walk(w, minute, hour)
	t.logs[hours].walk(w, hour, day)
	if w.Reading() && (!t.logs[minutes].endsAt(t.open[M1].Start) || !t.logs[hours].endsAt(t.open[H1].Start)) {
		w.Fail(errStore)
	}
	state.Slice(w, &t.days, func(w *state.Walker, b *Bar) { b.walk(w) })
}
