package past

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/price"
)

// Funding is the rate that was settled at a time.
type Funding struct {
	At   int64
	Rate fixed.F
}

// Funding returns what a perpetual settled in [from, to], at or before the start, the newest limit of them (0: all), oldest
// first. Later ones are the price board's. The rate follows from the mean premium of the interval by the venue's rule.
func (p *Past) Funding(id catalog.ID, from, to int64, limit int) []Funding {
	x := p.history(id)
	if x == nil || x.in.FundingEvery <= 0 {
		return nil
	}
	every, begin := x.in.FundingEvery, x.begin(hours)+1
	if to < begin {
		return nil
	}
	first, last := ceil(max(from, begin), every), fixed.Floor(min(to, p.start), every)
	if limit > 0 {
		first = max(first, last-int64(limit-1)*every)
	}
	var found []Funding
	for at := first; at <= last; at += every {
		found = append(found, Funding{at, x.rate(at, every)})
	}
	return found
}

// rate returns the funding rate of the interval that ends at a time.
func (x *history) rate(at, every int64) fixed.F {
	const samples = 16
	sum := fixed.F(0)
	for k := range int64(samples) {
		sum += x.premium(at - every + (2*k+1)*every/(2*samples))
	}
	return price.FundingRate(sum/samples, price.Interest(every), x.in.FundingFloor, x.in.FundingCap)
}

// Ratio returns the share of accounts that are long in a contract at a time before the start; Half if nothing is known.
// Choice: it moves slowly around 52 %, and against the price, because most buy what has fallen.
func (p *Past) Ratio(id catalog.ID, at int64) fixed.F {
	x := p.history(id)
	if x == nil || !x.has(Interest) {
		return fixed.Half
	}
	if at = min(at, p.end); at < x.begin(days) {
		return fixed.Half
	}
	slow := x.between(at, day, func(h int64) fixed.F {
		d, rest := fixed.Floor(h, 24), h-fixed.Floor(h, 24)
		a, b := x.open.Gauss(uint64(d)<<8+2), x.open.Gauss(uint64(d+24)<<8+2)
		return a + (b - a).Mul(fixed.Ratio(rest, 24))
	})
	share := fixed.Ratio(52, 100) + slow.Mul(fixed.Ratio(2, 100))
	bars := p.Bars(nil, id, Index, H1, fixed.Floor(at, hour)-day, fixed.Floor(at, hour)-hour, 0)
	if len(bars) > 0 && bars[0].Open > 0 {
		moved := fixed.Ratio(bars[len(bars)-1].Close-bars[0].Open, bars[0].Open)
		share -= min(max(moved, -fixed.Ratio(1, 5)), fixed.Ratio(1, 5)).Mul(fixed.Half)
	}
	return min(max(share, fixed.Ratio(5, 100)), fixed.Ratio(95, 100))
}

// Delivery returns the price at which a contract on a coin was delivered at a time before the start, in a quote coin: the mean
// of the index over the half hour before where there are minutes, else the index then. It is false if the past does
// not reach there.
func (p *Past) Delivery(base, quote string, at int64) (fixed.F, bool) {
	c := p.path(base)
	unit, ok := p.cat.Stable(quote)
	if c == nil || !ok || at > p.end || at < fixed.Floor(p.end-hoursReach, day)+hour {
		return 0, false
	}
	if at-hour < fixed.Floor(p.end-minutesReach, day) {
		return c.hour(fixed.Floor(at-1, hour) / hour).close.Div(unit), true
	}
	const span = 30
	sum := int64(0) // of whole prices: it fits, where the sum of fixed ones might not
	first := fixed.F(0)
	for k := range int64(span) {
		m := fixed.Floor(at-1, minute) - k*minute
		s := c.hourPath(fixed.Floor(m, hour) / hour).spans[m%hour/minute]
		mid := s.open/2 + s.close/2
		if k == 0 {
			first = mid
		}
		sum += int64(mid - first)
	}
	return (first + fixed.F(sum/span)).Div(unit), true
}

// squares are the sums of squared hourly returns of an index, scaled by 2^20: sums[k] is of the first k hours since begin.
type squares struct {
	begin int64
	sums  []fixed.F
}

// Volatility returns the volatility of a year of an index over the days before at, from hourly returns: the root of their
// mean square times the hours of a year. It is 0 if not all of the hours are known. The index is that of a perpetual
// or a future. The first call reads two years of hours; others are cheap.
func (s *Store) Volatility(id catalog.ID, over int, at int64) fixed.F {
	t := s.track(id, Index)
	if t == nil || over < 1 || over > int(keepHours/day) {
		return 0
	}
	// What was summed before and is not kept any more does not count: the answer is the same after a restore.
	begin := max(s.first(t, id, Index, hours), ceil(s.horizon(id, hours), hour))
	q := &t.squares
	if q.sums == nil {
		q.begin = begin
		q.sums = append(q.sums, 0)
	}
	if next := q.begin + int64(len(q.sums)-1)*hour; next+hour <= s.now {
		for _, b := range s.Bars(nil, id, Index, H1, next, s.now-hour, 0) {
			q.add(&b)
		}
	}
	if at = min(at, s.now); at < begin {
		return 0
	}
	last := (fixed.Floor(at, hour) - q.begin) / hour
	first := last - int64(over)*24
	if first < (begin-q.begin)/hour || last >= int64(len(q.sums)) {
		return 0
	}
	return (q.sums[last] - q.sums[first]).Div(fixed.FromInt(int64(over)*24)).Mul(fixed.FromInt(365*24)).Sqrt() / squareScale
}

const squareScale = 1 << 10

// add takes the next hour.
func (q *squares) add(b *Bar) {
	r := fixed.F(0)
	if b.Open > 0 && b.Close > 0 {
		r = fixed.Ratio(b.Close, b.Open).Log() * squareScale
	}
	q.sums = append(q.sums, q.sums[len(q.sums)-1]+r.Mul(r))
}
