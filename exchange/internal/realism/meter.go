package realism

import (
	"math"
	"slices"
)

// Level is one price of a book: ticks, and the quantity in base coins (contracts on inverse).
type Level struct {
	Price int64
	Qty   float64
}

// Trade is one fill as the venue publishes it. The fills of one taker order share Order (its sequence number); 0 is
// unknown.
type Trade struct {
	At    int64 // ns
	Price float64
	Qty   float64
	Order uint64
}

// Figures is what was measured. A figure that the material does not hold is NaN.
type Figures struct {
	SpreadMedian, SpreadMean float64 // best ask less best bid, in ticks

	Levels   float64 // median of the levels on a side
	Reach    float64 // median distance of the last level on a side from its best, in ticks
	Occupied float64 // share of the first NearTicks ticks from the best of a side that hold a level

	TouchValue float64 // median value at the best level, in quote coins (USD on inverse)
	LevelValue float64 // median value of a level
	LevelTail  float64 // tail index of the sizes of levels (Hill, the largest tenth)

	Pushes  float64 // messages a second that changed the book
	Changes float64 // changed levels a second

	Trades     float64 // fills a second
	Orders     float64 // taker orders a second
	TradeValue float64 // median value of a fill
	TradeTail  float64 // tail index of the sizes of fills

	Volatility float64 // standard deviation of one-minute log returns, annualised
	Kurtosis   float64 // of one-minute log returns; 3 is a normal distribution
	Memory     []float64
}

// NearTicks is how far from the touch Occupied looks.
const NearTicks = 50

// lags are the lags in minutes of Figures.Memory, the autocorrelations of absolute one-minute returns.
var lags = []int{1, 5, 15, 60, 180}

// A Meter gathers one instrument. Books are those a client has after each message (Stream), or samples far apart (then
// nothing is said about updates).
type Meter struct {
	Tick    float64
	Stream  bool
	Inverse bool  // a quantity is its value in USD
	Every   int64 // sizes are taken from one book in this many nanoseconds; 0: from every book

	spreads        []float64
	levels, reach  []float64
	occupied       []float64
	touch, sizes   []float64
	values         []float64
	first, last    int64
	books, changes int
	pushes         int
	sampled        int64
	bids, asks     []Level

	trades  []Trade
	covered int64 // what the trades cover, where it is more than the first to the last; see Covers
}

// Book takes the state after a message, best first.
func (m *Meter) Book(at int64, bids, asks []Level) {
	if len(bids) == 0 || len(asks) == 0 {
		return
	}
	if m.books == 0 {
		m.first = at
	} else if m.Stream {
		if n := differences(m.bids, bids) + differences(m.asks, asks); n > 0 {
			m.changes += n
			m.pushes++
		}
	}
	m.last = at
	if m.Stream {
		m.bids, m.asks = append(m.bids[:0], bids...), append(m.asks[:0], asks...)
	}
	m.books++
	m.spreads = append(m.spreads, float64(asks[0].Price-bids[0].Price))
	if m.books > 1 && at-m.sampled < m.Every {
		return
	}
	m.sampled = at
	m.side(bids)
	m.side(asks)
}

func (m *Meter) side(s []Level) {
	m.levels = append(m.levels, float64(len(s)))
	m.reach = append(m.reach, float64(distance(s, len(s)-1)))
	near, reach := 0, min(NearTicks, distance(s, len(s)-1)+1)
	for i, l := range s {
		if distance(s, i) < NearTicks {
			near++
		}
		m.sizes = append(m.sizes, l.Qty)
		m.values = append(m.values, m.value(float64(l.Price)*m.Tick, l.Qty))
	}
	m.touch = append(m.touch, m.value(float64(s[0].Price)*m.Tick, s[0].Qty))
	m.occupied = append(m.occupied, float64(near)/float64(reach))
}

func (m *Meter) value(price, qty float64) float64 {
	if m.Inverse {
		return qty
	}
	return price * qty
}

func distance(s []Level, i int) int64 { return max(s[0].Price-s[i].Price, s[i].Price-s[0].Price) }

// differences counts the levels of a side that a message had to name: new, gone, or of another size. What left only
// because the side is cut at its depth counts as well, as it does on the wire.
func differences(old, now []Level) int {
	n, i, j := 0, 0, 0
	rising := len(now) > 1 && now[1].Price > now[0].Price || len(old) > 1 && old[1].Price > old[0].Price
	for i < len(old) || j < len(now) {
		switch {
		case j == len(now), i < len(old) && old[i].Price != now[j].Price && (old[i].Price < now[j].Price) == rising:
			n++
			i++
		case i == len(old) || old[i].Price != now[j].Price:
			n++
			j++
		default:
			if old[i].Qty != now[j].Qty {
				n++
			}
			i++
			j++
		}
	}
	return n
}

// Trade takes a fill; they come in the order of time.
func (m *Meter) Trade(t Trade) { m.trades = append(m.trades, t) }

// Covers says what time the trades were gathered in, if that is not the time from the first to the last.
func (m *Meter) Covers(ns int64) { m.covered = ns }

// Figures computes what can be said.
func (m *Meter) Figures() Figures {
	f := Figures{
		SpreadMedian: median(m.spreads), SpreadMean: mean(m.spreads),
		Levels: median(m.levels), Reach: median(m.reach), Occupied: mean(m.occupied),
		TouchValue: median(m.touch), LevelValue: median(m.values), LevelTail: hill(m.sizes),
		Pushes: math.NaN(), Changes: math.NaN(), Trades: math.NaN(), Orders: math.NaN(), TradeValue: math.NaN(), TradeTail: math.NaN(),
		Volatility: math.NaN(), Kurtosis: math.NaN(),
	}
	if m.Stream && m.last > m.first {
		seconds := float64(m.last-m.first) / 1e9
		f.Pushes, f.Changes = float64(m.pushes)/seconds, float64(m.changes)/seconds
	}
	if len(m.trades) > 1 {
		m.ofTrades(&f)
	}
	return f
}

func (m *Meter) ofTrades(f *Figures) {
	span := m.covered
	if span == 0 {
		span = m.trades[len(m.trades)-1].At - m.trades[0].At
	}
	var sizes, values []float64
	orders := 0
	for i, t := range m.trades {
		sizes, values = append(sizes, t.Qty), append(values, m.value(t.Price, t.Qty))
		if i == 0 || t.Order == 0 || t.Order != m.trades[i-1].Order {
			orders++
		}
	}
	seconds := float64(span) / 1e9
	f.Trades, f.TradeValue, f.TradeTail = float64(len(m.trades))/seconds, median(values), hill(sizes)
	if m.trades[0].Order != 0 {
		f.Orders = float64(orders) / seconds
	}
	if r := m.minuteReturns(); len(r) >= 4*60 {
		f.Volatility = math.Sqrt(variance(r) * 365 * 24 * 60)
		f.Kurtosis = kurtosis(r)
		for i, x := range r {
			r[i] = math.Abs(x)
		}
		for _, lag := range lags {
			c := math.NaN()
			if len(r) >= 4*lag {
				c = autocorrelation(r, lag)
			}
			f.Memory = append(f.Memory, c)
		}
	}
}

// minuteReturns are the log returns of the last trade of each minute; a minute without trades repeats the last.
func (m *Meter) minuteReturns() []float64 {
	const minute = 60_000_000_000
	var r []float64
	now, price, before := m.trades[0].At/minute, m.trades[0].Price, 0.0
	for _, t := range m.trades {
		for ; now < t.At/minute; now++ {
			if before > 0 {
				r = append(r, math.Log(price/before))
			}
			before = price
		}
		price = t.Price
	}
	return r
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func mean(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func variance(x []float64) float64 {
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(x))
}

func kurtosis(x []float64) float64 {
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += math.Pow(v-m, 4)
	}
	v := variance(x)
	return sum / float64(len(x)) / (v * v)
}

func autocorrelation(x []float64, lag int) float64 {
	m, sum := mean(x), 0.0
	for i := lag; i < len(x); i++ {
		sum += (x[i] - m) * (x[i-lag] - m)
	}
	return sum / float64(len(x)) / variance(x)
}

// hill estimates the tail index of the largest tenth: P(X > x) falls as x to the power of minus the index. A small
// index is a heavy tail; below 2 the variance has no bound.
func hill(x []float64) float64 {
	k := len(x) / 10
	if k < 20 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(x))
	slices.Reverse(s)
	sum := 0.0
	for _, v := range s[:k] {
		sum += math.Log(v / s[k])
	}
	return float64(k) / sum
}
