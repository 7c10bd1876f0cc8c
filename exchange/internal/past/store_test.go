package past

import (
	"bytes"
	"slices"
	"testing"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// smallCatalog has two instruments with a past, and one without.
func smallCatalog(t testing.TB, start int64) *catalog.Catalog {
	t.Helper()
	cat, err := catalog.New(catalog.Config{Start: start, Only: []string{"linear:BTCUSDT", "inverse:BTCUSD", "option:BTC-*"}})
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// trades lets a store see random trades and prices until an end, some far apart.
func trades(s *Store, r *fixed.Rand, ids []catalog.ID, from, to, apart int64) {
	price := fixed.FromInt(88000)
	for at := from; at < to; at += 1 + fixed.MulDiv(int64(r.Exponential()), apart, int64(fixed.One)) {
		price += price.Mul(r.Gauss()) / 2000
		for _, id := range ids {
			in := s.cat.At(id)
			if in.Kind == catalog.Option || r.Bool(fixed.Half) {
				s.Trade(at, id, max(1, in.TicksOf(price)+r.IntN(9)-4), 1+r.IntN(5000))
			}
			s.Value(at, id, Mark, price)
			s.Value(at, id, Index, price-fixed.One)
			s.Value(at, id, Premium, r.Gauss()/1000)
			s.Interest(at, id, 1000+r.IntN(1000))
		}
	}
}

func FuzzRestore(f *testing.F) {
	const start = newYear + 5*minute
	cat := smallCatalog(f, start)
	past := New(7, cat, start)
	s := NewStore(past)
	f.Add(state.Bytes(s))
	trades(s, fixed.NewRand(1), []catalog.ID{0, 3}, start, start+3*hour, 7*minute)
	f.Add(state.Bytes(s))
	var dst []Bar
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewStore(past)
		if err := state.Restore(s, b); err != nil {
			return
		}
		if again := state.Bytes(s); !bytes.Equal(again, b) {
			t.Errorf("restored from % x, written as % x", b, again)
		}
		// What was taken can be read.
		for id := range catalog.ID(cat.Len()) {
			for of := range seriesCount {
				for _, i := range []Interval{M1, M15, H1, D1} {
					dst = s.Bars(dst[:0], id, of, i, start, s.now, 100)
					s.Current(id, of, i)
					s.Closed(id, of, i)
				}
			}
		}
	})
}

// watched is a store that is told what happens and keeps it as well: the trades, and each closed bar as a stream sees it.
type watched struct {
	*Store
	start  int64
	values map[catalog.ID]map[Series][]value
	pushed map[catalog.ID]map[Series]*[Intervals][]Bar
}

type value struct{ at, price, lots int64 }

func watch(t testing.TB, start int64) *watched {
	cat := smallCatalog(t, start)
	return &watched{NewStore(New(7, cat, start)), start, make(map[catalog.ID]map[Series][]value), make(map[catalog.ID]map[Series]*[Intervals][]Bar)}
}

// put hands a value to the store.
func (w *watched) put(id catalog.ID, of Series, v value) {
	if w.values[id] == nil {
		w.values[id] = make(map[Series][]value)
		w.pushed[id] = make(map[Series]*[Intervals][]Bar)
	}
	if w.pushed[id][of] == nil {
		w.pushed[id][of] = &[Intervals][]Bar{}
	}
	w.values[id][of] = append(w.values[id][of], v)
	switch of {
	case Trade:
		w.Trade(v.at, id, v.price, v.lots)
	case Interest:
		w.Interest(v.at, id, v.price)
	default:
		w.Value(v.at, id, of, fixed.Ratio(v.price, fixed.Pow10(w.cat.At(id).MarkScale)))
	}
}

// minute closes the bars and collects those that a stream would push as confirmed.
func (w *watched) minute(now int64) {
	w.Minute(now)
	for id, of := range w.pushed {
		for s, pushed := range of {
			for i := range Interval(Intervals) {
				b, ok := w.Closed(id, s, i)
				if n := len(pushed[i]); ok && (n == 0 || pushed[i][n-1].Start != b.Start) {
					pushed[i] = append(pushed[i], b)
				}
			}
		}
	}
}

// run lets a market be for a while: a store of minutes in which some things happen, at random.
func (w *watched) run(r *fixed.Rand, ids []catalog.ID, to, apart int64) {
	price := fixed.FromInt(88000)
	next := func(at int64) int64 { return at + 1 + fixed.MulDiv(int64(r.Exponential()), apart, int64(fixed.One)) }
	at := next(max(w.now, w.start))
	for w.now+minute <= to {
		end := w.now + minute
		for ; at < end; at = next(at) {
			price += price.Mul(r.Gauss()) / 3000
			in := w.cat.At(ids[r.IntN(int64(len(ids)))])
			w.put(in.ID, Trade, value{at, max(1, in.TicksOf(price)), 1 + r.IntN(5000)})
			w.put(in.ID, Mark, value{at, counted(in, Mark, price), 0})
			if in.Kind == catalog.Perpetual {
				w.put(in.ID, Interest, value{at, 1000 + r.IntN(1000), 0})
			}
		}
		w.minute(end)
	}
}

// minutes are the bars of all minutes from the first value on, or from the start of those with a past, made without the
// package: the last is the open one.
func (w *watched) minutes(id catalog.ID, of Series) []Bar {
	in := w.cat.At(id)
	values := w.values[id][of]
	past := w.past.Bars(nil, id, of, M1, 0, w.start, 0)
	first, price := values[0].at, values[0].price
	if len(past) > 0 {
		first, price = w.start, past[len(past)-1].Close
	}
	for at := first - first%minute; at <= w.now; at += minute {
		b := Bar{Start: at, Open: price, High: price, Low: price, Close: price}
		for len(values) > 0 && values[0].at < at+minute {
			v := values[0]
			values = values[1:]
			b.High, b.Low, b.Close = max(b.High, v.price), min(b.Low, v.price), v.price
			price = v.price
			if of == Trade {
				b.Volume += v.lots
				b.Trades++
				b.Last = v.at
				worth, ok := in.Value(v.price, v.lots).Units(8)
				if !in.Inverse {
					worth, ok = v.price*v.lots, true
				}
				if !ok {
					panic("a value that does not fit")
				}
				b.Turnover.Lo += uint64(worth)
			}
		}
		past = append(past, b)
	}
	return past
}

// withoutLast are bars as logs keep them.
func withoutLast(bars []Bar) []Bar {
	found := append([]Bar(nil), bars...)
	for i := range found {
		found[i].Last = 0
	}
	return found
}

func TestLiveBarsGoOnWhereThePastEnds(t *testing.T) {
	for _, start := range []int64{newYear, oddTime} {
		w := watch(t, start)
		option := catalog.None
		for _, in := range w.cat.Live() {
			if in.Kind == catalog.Option {
				option = in.ID
				break
			}
		}
		linear, inverse := find(t, w.cat, "linear", "BTCUSDT").ID, find(t, w.cat, "inverse", "BTCUSD").ID
		r := fixed.NewRand(uint64(start), "live")
		w.run(r, []catalog.ID{linear, inverse}, start+90*minute, 20*second)
		w.run(r, []catalog.ID{linear, option}, start+9*hour, 9*minute)
		w.run(r, []catalog.ID{linear, inverse, option}, start+15*day, 3*hour) // a month ends, and two weeks
		w.run(r, []catalog.ID{linear, inverse, option}, w.now+2*hour, 40*second)
		for k, id := range []catalog.ID{linear, inverse, option} { // in the minute that is open
			w.put(id, Trade, value{w.now + int64(k), 870000, 5})
			w.put(id, Trade, value{w.now + int64(k) + 1, 890000, 5})
		}
		for _, id := range []catalog.ID{linear, inverse, option} {
			for _, of := range []Series{Trade, Mark, Interest} {
				if w.values[id][of] == nil {
					continue
				}
				what := w.cat.At(id).Symbol
				all := w.minutes(id, of)
				hoursBack := w.past.Bars(nil, id, of, H1, 0, start-minute, 0)
				daysBack := w.past.Bars(nil, id, of, D1, 0, start-minute, 0)
				var live []Bar
				for _, b := range all {
					if b.Start >= w.past.end {
						live = append(live, b)
					}
				}
				base := [levels][]Bar{all, summed(H1, append(hoursBack, live...)), summed(D1, append(daysBack, live...))}
				for i := range Interval(Intervals) {
					if of != Trade && i != M3 && i != H4 && i != MN1 {
						continue
					}
					want := summed(i, base[i.of()])
					for len(want) > 0 && want[0].Start < w.horizon(id, i.of()) {
						want = want[1:]
					}
					got := w.Bars(nil, id, of, i, 0, w.now, 0)
					sameBars(t, what+" "+i.String(), withoutLast(got), withoutLast(want))
					if len(got) == 0 {
						t.Fatalf("%s %s: no bars", what, i)
					}
					// The open bar is the last one, with the time of its last trade.
					open, ok := w.Current(id, of, i)
					if last := want[len(want)-1]; !ok || open != last && (open.Last != 0 || last.Last != 0) {
						t.Errorf("%s %s: open is %+v, want %+v", what, i, open, last)
					}
					// What a stream confirmed is what a request answers.
					pushed := w.pushed[id][of][i]
					for len(pushed) > 0 && pushed[0].Start < got[0].Start {
						pushed = pushed[1:]
					}
					if from := len(got) - 1 - len(pushed); from < 0 || len(pushed) == 0 && i < D1 {
						t.Errorf("%s %s: %d bars were confirmed, %d are known", what, i, len(pushed), len(got))
					} else {
						sameBars(t, what+" confirmed "+i.String(), withoutLast(pushed), withoutLast(got[from:len(got)-1]))
					}
					// A part is a part.
					if n := len(got); n > 3 {
						part := w.Bars(nil, id, of, i, got[n/3].Start, got[n/2].Start+minute-1, 7)
						sameBars(t, what+" part of "+i.String(), part, got[max(n/3, n/2-6):n/2+1])
					}
				}
			}
			checkDay(t, w, id)
		}
	}
}

const second = 1_000_000_000

// checkDay compares the figures of a day with the minutes of that day.
func checkDay(t *testing.T, w *watched, id catalog.ID) {
	t.Helper()
	all := w.minutes(id, Trade)
	day := all[max(0, len(all)-1440):]
	want := Day{Open: day[0].Open, Last: day[len(day)-1].Close, Hour: all[max(0, len(all)-60)].Open, High: day[0].High, Low: day[0].Low}
	for _, b := range day {
		want.High, want.Low = max(want.High, b.High), min(want.Low, b.Low)
		want.Volume += b.Volume
		want.Turnover.add(b.Turnover)
	}
	if got := w.Day(id); got != want {
		t.Errorf("%s: the day is\n%+v, want\n%+v", w.cat.At(id).Symbol, got, want)
	}
}

func TestTheDayRolls(t *testing.T) {
	w := watch(t, oddTime)
	id := find(t, w.cat, "inverse", "BTCUSD").ID
	r := fixed.NewRand(5)
	w.put(id, Trade, value{oddTime, 870001, 1})
	for range 30 {
		checkDay(t, w, id)
		w.run(r, []catalog.ID{id}, w.now+(1+r.IntN(90))*minute, 3*minute)
		at := w.now + r.IntN(minute)
		w.put(id, Trade, value{at, 860000 + r.IntN(20000), 1 + r.IntN(1000)})
	}
}

func TestNothingTraded(t *testing.T) {
	w := watch(t, oddTime)
	id := find(t, w.cat, "linear", "BTCUSDT").ID
	past := w.past.Bars(nil, id, Trade, M1, 0, oddTime, 1)[0]
	w.Minute(oddTime + 3*hour)
	for _, b := range w.Bars(nil, id, Trade, M1, oddTime, oddTime+3*hour, 0) {
		if b != flat(b.Start, past.Close) {
			t.Fatalf("a bar without trades is %+v", b)
		}
	}
	for _, in := range w.cat.Live() {
		if in.Kind != catalog.Option {
			continue
		}
		_, open := w.Current(in.ID, Trade, M1)
		_, closed := w.Closed(in.ID, Trade, M1)
		if bars := w.Bars(nil, in.ID, Trade, D1, 0, w.now, 0); open || closed || len(bars) != 0 || w.Day(in.ID) != (Day{}) {
			t.Fatalf("%s never traded, and has %d days", in.Symbol, len(bars))
		}
		// The first trade opens the first bar.
		w.Trade(w.now+5, in.ID, 77, 3)
		b, ok := w.Current(in.ID, Trade, M1)
		if want := (Bar{w.now, 77, 77, 77, 77, 3, Amount{0, 231}, 1, w.now + 5}); !ok || b != want {
			t.Errorf("the first bar is %+v, want %+v", b, want)
		}
		return
	}
}

func TestATradeEndsTheMinutesBeforeIt(t *testing.T) {
	w := watch(t, newYear)
	id := find(t, w.cat, "linear", "BTCUSDT").ID
	w.Trade(newYear+minute-1, id, 880001, 1)
	w.Trade(newYear+minute, id, 880002, 2) // of the next minute, and nobody has called Minute
	w.Trade(newYear+4*minute, id, 880003, 4)
	var volumes []int64
	for _, b := range w.Bars(nil, id, Trade, M1, newYear, newYear+day, 0) {
		volumes = append(volumes, b.Volume)
	}
	if want := []int64{1, 2, 0, 0, 4}; !slices.Equal(volumes, want) {
		t.Errorf("volumes %v, want %v", volumes, want)
	}
}

func TestASeriesThatDoesNotExistIsIgnored(t *testing.T) {
	w := watch(t, oddTime)
	before := state.Hash(w.Store)
	id := find(t, w.cat, "linear", "BTCUSDT").ID
	for _, in := range w.cat.Live() {
		if in.Kind == catalog.Option {
			id = in.ID
		}
	}
	w.Value(oddTime, id, Premium, fixed.One)
	w.Value(oddTime, id, Trade, fixed.One)
	w.Interest(oddTime, id, 1)
	w.Trade(oddTime, catalog.ID(w.cat.Len()), 1, 1)
	w.Trade(oddTime, -1, 1, 1)
	if state.Hash(w.Store) != before {
		t.Error("it was not")
	}
}

func TestARestoredStoreGoesOn(t *testing.T) {
	w := watch(t, oddTime)
	linear, inverse := find(t, w.cat, "linear", "BTCUSDT").ID, find(t, w.cat, "inverse", "BTCUSD").ID
	r := fixed.NewRand(6)
	w.run(r, []catalog.ID{linear, inverse}, oddTime+30*hour, 4*minute)
	snapshot := state.Bytes(w.Store)

	// Reading is not part of the state.
	for i := range Interval(Intervals) {
		w.Bars(nil, linear, Trade, i, 0, w.now, 0)
		w.Current(linear, Mark, i)
		w.Closed(linear, Mark, i)
	}
	w.Day(linear)
	w.Volatility(linear, 7, w.now)
	if !bytes.Equal(state.Bytes(w.Store), snapshot) {
		t.Fatal("reading has changed the state")
	}

	restored := NewStore(New(7, smallCatalog(t, oddTime), oddTime))
	if err := state.Restore(restored, snapshot); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Store{w.Store, restored} {
		trades(s, fixed.NewRand(8), []catalog.ID{linear, inverse}, s.now, s.now+26*hour, 4*minute)
	}
	if state.Hash(w.Store) != state.Hash(restored) {
		t.Error("the restored store went another way")
	}
	for i := range Interval(Intervals) {
		sameBars(t, i.String(), restored.Bars(nil, inverse, Trade, i, 0, w.now, 300), w.Bars(nil, inverse, Trade, i, 0, w.now, 300))
	}
	if a, b := w.Day(linear), restored.Day(linear); a != b {
		t.Errorf("days of %+v and %+v", a, b)
	}

	w.Delivered(inverse)
	if _, ok := w.Current(inverse, Trade, M1); ok || len(w.Bars(nil, inverse, Trade, M1, 0, w.now, 0)) > 0 {
		t.Error("a delivered contract has bars")
	}
}

func TestOldBarsAreDropped(t *testing.T) {
	w := watch(t, oddTime)
	linear, option := find(t, w.cat, "linear", "BTCUSDT").ID, catalog.None
	for _, in := range w.cat.Live() {
		if in.Kind == catalog.Option {
			option = in.ID
		}
	}
	end := oddTime + 45*day
	r := fixed.NewRand(9)
	for at := oddTime; at < end; at += r.IntN(3 * minute) {
		w.Trade(at, linear, 880000+r.IntN(2000)-1000, 1+r.IntN(100000))
		w.Value(at, option, Mark, fixed.FromInt(100+r.IntN(10)))
	}
	w.Minute(end)
	for _, tt := range []struct {
		id   catalog.ID
		of   Series
		i    Interval
		days int64
	}{{linear, Trade, M1, 31}, {linear, Trade, M30, 31}, {linear, Trade, H1, 731}, {linear, Trade, D1, 1826 + 46}, {option, Mark, M1, 2}, {option, Mark, H1, (end - w.cat.At(option).Listed + day/2) / day}} {
		bars := w.Bars(nil, tt.id, tt.of, tt.i, 0, end, 0)
		if reach := (w.now - bars[0].Start + day/2) / day; reach != tt.days {
			t.Errorf("%s of %d reach back %d days, want %d", tt.i, tt.id, reach, tt.days)
		}
		for k := 1; k < len(bars); k++ {
			if bars[k].Start != tt.i.End(bars[k-1].Start) || bars[k].Open != bars[k-1].Close {
				t.Fatalf("%s of %d: %+v follows %+v", tt.i, tt.id, bars[k], bars[k-1])
			}
		}
	}
	size := func(id catalog.ID, of Series) (n int) {
		for _, l := range w.rows[id].tracks[of].logs {
			for _, c := range l.chunks {
				n += len(c.bytes)
			}
		}
		return n
	}
	minutes := 31 * 24 * 60
	if n := size(linear, Trade); n > minutes*24 {
		t.Errorf("%d bytes for %d minutes", n, minutes)
	} else {
		t.Logf("%.1f bytes a minute", float64(n)/float64(minutes))
	}
	if n := size(option, Mark); n > 50*1024 {
		t.Errorf("an option's mark prices take %d bytes", n)
	}
}
