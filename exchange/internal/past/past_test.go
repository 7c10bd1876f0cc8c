package past

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/price"
)

// Two starts: at the beginning of a month, and at no round time at all.
const (
	newYear = 1767225600_000000000
	oddTime = newYear + 17*day + 13*hour + 47*minute + 12_345678912
)

func find(t testing.TB, cat *catalog.Catalog, category bybit.Category, symbol string) *catalog.Instrument {
	t.Helper()
	in, ok := cat.Find(category, symbol)
	if !ok {
		t.Fatalf("no %s %s", category, symbol)
	}
	return in
}

func TestThePastEndsWhereTheMarketBegins(t *testing.T) {
	for _, start := range []int64{newYear, oddTime} {
		cat := catalog.Default(start)
		p := New(7, cat, start)
		for _, in := range cat.Live() {
			if in.Kind == catalog.Option || in.Kind == catalog.Spread {
				continue
			}
			a, _ := cat.Asset(in.Base)
			want := cat.StartPrice(in)
			switch in.Kind {
			case catalog.Perpetual:
				want += want.Mul(a.Funding)
			case catalog.Future:
				want += want.Mul(a.Carry.Mul(in.Years(start)))
			}
			for i := range Interval(Intervals) {
				bars := p.Bars(nil, in.ID, Trade, i, start-90*day, start, 1)
				if len(bars) != 1 {
					t.Fatalf("%s %s: %d bars, want 1", in.Symbol, i, len(bars))
				}
				if last := bars[0]; last.Close != in.TicksOf(want) {
					t.Errorf("%s %s: the last bar closes at %d, want %d", in.Symbol, i, last.Close, in.TicksOf(want))
				}
			}
		}
	}
}

// A future's price depends on the time to its delivery: of the start, not of the minute in which that is.
func TestThePriceAtTheEndIsThatOfTheStart(t *testing.T) {
	for k := range int64(150) {
		start := newYear + k*(7*hour+59*second) + 59*second
		cat, err := catalog.New(catalog.Config{Start: start, Only: []string{"linear:BTCUSDT-*"}})
		if err != nil {
			t.Fatal(err)
		}
		in, p := cat.Live()[0], New(7, cat, start)
		a, _ := cat.Asset(in.Base)
		want := cat.StartPrice(in)
		want += want.Mul(a.Carry.Mul(in.Years(start)))
		if got := p.history(in.ID).close(Trade); got != in.TicksOf(want) {
			t.Errorf("start %d: closes at %d, want %d", start, got, in.TicksOf(want))
		}
	}
}

// summed makes the bars of an interval out of shorter ones, in another way than the package does.
func summed(i Interval, parts []Bar) []Bar {
	byStart := make(map[int64]*Bar)
	var order []int64
	for _, p := range parts {
		start := i.Start(p.Start)
		b, ok := byStart[start]
		if !ok {
			p.Start = start
			byStart[start] = &p
			order = append(order, start)
			continue
		}
		b.High, b.Low, b.Close = max(b.High, p.High), min(b.Low, p.Low), p.Close
		b.Volume += p.Volume
		b.Trades += p.Trades
		b.Last = max(b.Last, p.Last)
		if b.Turnover.Lo+p.Turnover.Lo < b.Turnover.Lo {
			b.Turnover.Hi++
		}
		b.Turnover.Lo += p.Turnover.Lo
		b.Turnover.Hi += p.Turnover.Hi
	}
	bars := make([]Bar, 0, len(order))
	for _, start := range order {
		bars = append(bars, *byStart[start])
	}
	return bars
}

// some returns the instruments that stand for their kinds: by ticks, units and way to the price.
func some(t testing.TB, cat *catalog.Catalog) []*catalog.Instrument {
	t.Helper()
	found := []*catalog.Instrument{
		find(t, cat, bybit.Linear, "BTCUSDT"), find(t, cat, bybit.Inverse, "ETHUSD"), find(t, cat, bybit.Spot, "DOGEUSDT"),
		find(t, cat, bybit.Spot, "ETHUSDC"),
	}
	for _, in := range cat.Live() {
		if in.Kind == catalog.Future {
			found = append(found, in)
		}
	}
	return found
}

func eachSeries(in *catalog.Instrument, f func(Series)) {
	for s := range seriesCount {
		if exists(in.Kind, s) {
			f(s)
		}
	}
}

func sameBars(t *testing.T, what string, got, want []Bar) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d bars, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: bar %d of %d is\n%+v, want\n%+v", what, i, len(got), got[i], want[i])
			return
		}
	}
}

func TestBarsSumToOneAnother(t *testing.T) {
	for _, start := range []int64{newYear, oddTime} {
		cat := catalog.Default(start)
		p := New(7, cat, start)
		of := some(t, cat)
		if start == newYear {
			of = of[:1]
		}
		for _, in := range of {
			eachSeries(in, func(s Series) {
				if s != Trade && in.Symbol != "BTCUSDT" {
					return // the series differ in how a bar is filled, not in how bars are summed
				}
				var base [levels][]Bar
				for l := range level(levels) {
					base[l] = p.Bars(nil, in.ID, s, l.base(), 0, start, 0)
				}
				for i := range Interval(Intervals) {
					if s != Trade && i != M5 && i != H2 && i != W1 {
						continue
					}
					want := summed(i, base[i.of()])
					sameBars(t, in.Symbol+" "+i.String(), p.Bars(nil, in.ID, s, i, 0, start, 0), want)
				}
				// Where minutes and hours reach, they make up the hours and the days.
				if of := summed(H1, base[minutes]); len(of) > 0 {
					sameBars(t, in.Symbol+" hours of minutes", base[hours][len(base[hours])-len(of):], of)
				}
				if of := summed(D1, base[hours]); len(of) > 0 {
					sameBars(t, in.Symbol+" days of hours", base[days][len(base[days])-len(of):], of)
				}
			})
		}
	}
}

func TestEachBarIsABar(t *testing.T) {
	cat := catalog.Default(oddTime)
	p := New(7, cat, oddTime)
	for _, in := range some(t, cat) {
		eachSeries(in, func(s Series) {
			for _, i := range []Interval{M1, H1, D1} {
				bars := p.Bars(nil, in.ID, s, i, 0, oddTime, 0)
				if len(bars) == 0 {
					t.Fatalf("%s %d %s: no bars", in.Symbol, s, i)
				}
				if end := i.End(bars[len(bars)-1].Start); end < p.end {
					t.Errorf("%s %d %s: the last bar ends %d minutes before the start", in.Symbol, s, i, (p.end-end)/minute)
				}
				for k, b := range bars {
					if k > 0 && (b.Start != i.End(bars[k-1].Start) || b.Open != bars[k-1].Close) {
						t.Fatalf("%s %d %s: %+v follows %+v", in.Symbol, s, i, b, bars[k-1])
					}
					if b.High < max(b.Open, b.Close) || b.Low > min(b.Open, b.Close) || s != Premium && b.Low < 1 {
						t.Fatalf("%s %d %s: %+v", in.Symbol, s, i, b)
					}
					if (s == Trade) != (b.Volume > 0) || (s == Trade) != (b.Trades > 0) || b.Trades > b.Volume {
						t.Fatalf("%s %d %s: %+v", in.Symbol, s, i, b)
					}
					if s == Trade && !between(in, &b) {
						t.Fatalf("%s %s: a turnover of %v for %+v", in.Symbol, i, b.Turnover.Value(in), b)
					}
				}
			}
		})
	}
}

// between reports whether a bar's turnover is one that trades between its low and its high can have.
func between(in *catalog.Instrument, b *Bar) bool {
	low, high := in.Value(b.Low, b.Volume), in.Value(b.High, b.Volume)
	if in.Inverse {
		low, high = high, low
		// Each minute is rounded to 10^-8.
		return b.Turnover.Value(in).Float64() >= low.Float64()-1e-3 && b.Turnover.Value(in).Float64() <= high.Float64()+1e-3
	}
	v := b.Turnover.Value(in)
	return v.Cmp(low) >= 0 && v.Cmp(high) <= 0
}

func TestAPartIsAPartOfTheWhole(t *testing.T) {
	for _, start := range []int64{newYear, oddTime} {
		cat := catalog.Default(start)
		all := New(7, cat, start)
		r := fixed.NewRand(uint64(start), "windows")
		for _, in := range some(t, cat) {
			for _, i := range []Interval{M1, M5, H1, H6, D1, W1, MN1} {
				whole := all.Bars(nil, in.ID, Trade, i, 0, start, 0)
				for n := range 12 {
					p := all
					if n < 2 {
						p = New(7, cat, start) // nobody has asked it anything
					}
					from := whole[r.IntN(int64(len(whole)))].Start - r.IntN(2)*r.IntN(day)
					to := from + r.IntN(40*max(lengths[i], day))
					limit := int(r.IntN(50))
					var want []Bar
					for _, b := range whole {
						if b.Start >= from && b.Start <= to {
							want = append(want, b)
						}
					}
					if limit > 0 && len(want) > limit {
						want = want[len(want)-limit:]
					}
					sameBars(t, in.Symbol+" "+i.String(), p.Bars(nil, in.ID, Trade, i, from, to, limit), want)
				}
			}
		}
	}
}

func TestThePastFollowsFromTheSeed(t *testing.T) {
	hash := func(seed uint64, start int64) string {
		cat := catalog.Default(start)
		p := New(seed, cat, start)
		h := sha256.New()
		for _, in := range some(t, cat) {
			eachSeries(in, func(s Series) {
				for _, i := range []Interval{D1, M15} { // not from coarse to fine
					for _, b := range p.Bars(nil, in.ID, s, i, start-60*day, start, 300) {
						h.Write(appendBar(nil, &b, b.Start))
					}
				}
			})
			for _, f := range p.Funding(in.ID, 0, start, 0) {
				h.Write(strconv.AppendInt(nil, int64(f.Rate), 10))
			}
		}
		return hex.EncodeToString(h.Sum(nil)[:8])
	}
	first := hash(7, newYear)
	if again := hash(7, newYear); again != first {
		t.Errorf("one seed gave %s and %s", first, again)
	}
	if other := hash(8, newYear); other == first {
		t.Error("two seeds gave the same past")
	}
	// It must be the same on each machine, and after each change that does not mean to change it.
	const golden = "8e6ce95268b622ea"
	if first != golden {
		t.Errorf("the past of seed 7 has the hash %s, want %s", first, golden)
	}
}

func TestWhatHasNoPast(t *testing.T) {
	cat := catalog.Default(newYear)
	p := New(7, cat, newYear)
	for _, in := range cat.Live() {
		if in.Kind == catalog.Option || in.Kind == catalog.Spread {
			if bars := p.Bars(nil, in.ID, Trade, D1, 0, newYear, 0); bars != nil {
				t.Fatalf("%s has %d days", in.Symbol, len(bars))
			}
			if bars := p.Bars(nil, in.ID, Index, D1, 0, newYear, 0); bars != nil {
				t.Fatalf("%s has %d days of an index", in.Symbol, len(bars))
			}
		}
		if in.Kind == catalog.Future {
			bars := p.Bars(nil, in.ID, Trade, D1, 0, newYear, 0)
			if bars[0].Start != D1.Start(in.Listed) {
				t.Errorf("%s was listed at %d, its first day is %d", in.Symbol, in.Listed, bars[0].Start)
			}
		}
	}
	in := find(t, cat, bybit.Spot, "BTCUSDT")
	for name, bars := range map[string][]Bar{
		"no such number":      p.Bars(nil, catalog.ID(cat.Len()), Trade, D1, 0, newYear, 0),
		"a negative number":   p.Bars(nil, -1, Trade, D1, 0, newYear, 0),
		"mark price of spot":  p.Bars(nil, in.ID, Mark, D1, 0, newYear, 0),
		"after the start":     p.Bars(nil, in.ID, Trade, D1, newYear, newYear+day, 0),
		"an end before":       p.Bars(nil, in.ID, Trade, D1, newYear-day, newYear-2*day, 0),
		"before five years":   p.Bars(nil, in.ID, Trade, D1, 0, newYear-1900*day, 0),
		"minutes of last May": p.Bars(nil, in.ID, Trade, M1, 0, newYear-200*day, 0),
	} {
		if len(bars) != 0 {
			t.Errorf("%s: %d bars", name, len(bars))
		}
	}
}

func TestOptionsWereWorthWhatTheirCoinWas(t *testing.T) {
	cat := catalog.Default(oddTime)
	p := New(7, cat, oddTime)
	coin := find(t, cat, bybit.Linear, "BTCUSDT")
	seen := 0
	for k, in := range cat.All(bybit.Option) {
		if in.Base != "BTC" || in.Listed >= p.end-3*day || k%7 > 0 {
			continue
		}
		seen++
		a, _ := cat.Asset(in.Base)
		bars := p.Bars(nil, in.ID, Mark, M1, 0, oddTime, 300)
		now := price.UsualMark(a, in, cat.StartPrice(in), oddTime)
		if last := bars[len(bars)-1].Close; len(bars) != 300 || last != counted(in, Mark, now) {
			t.Errorf("%s: %d minutes, the last closes at %d, want %v", in.Symbol, len(bars), last, now)
		}
		index := p.Bars(nil, coin.ID, Index, M1, 0, oddTime, 300)
		for k, b := range bars {
			if k > 0 && b.Open != bars[k-1].Close || b.High < max(b.Open, b.Close) || b.Low > min(b.Open, b.Close) || b.Low < 0 {
				t.Fatalf("%s: %+v after %+v", in.Symbol, b, bars[max(k, 1)-1])
			}
			// A call gains when the index does, a put loses, but for what a minute costs.
			up, gain := index[k].Close-index[k].Open, b.Close-b.Open
			if !in.Call {
				gain = -gain
			}
			if up > 3000 && gain < 0 || up < -3000 && gain > 0 { // 30 dollars
				t.Errorf("%s: the index moved by %d, the mark from %d to %d", in.Symbol, up, b.Open, b.Close)
			}
		}
		var base [levels][]Bar
		for l := range level(levels) {
			base[l] = p.Bars(nil, in.ID, Mark, l.base(), 0, oddTime, 0)
		}
		sameBars(t, in.Symbol+" half hours", p.Bars(nil, in.ID, Mark, M30, 0, oddTime, 0), summed(M30, base[minutes]))
		of := summed(D1, base[hours])
		sameBars(t, in.Symbol+" days", base[days], of)
		if first := base[days][0].Start; first != D1.Start(in.Listed) {
			t.Errorf("%s: listed at %d, the first day is %d", in.Symbol, in.Listed, first)
		}
	}
	if seen < 4 {
		t.Errorf("only %d options have a past", seen)
	}
}
