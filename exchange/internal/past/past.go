package past

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/price"
)

// How far the past reaches back from the start.
const (
	minutesReach = 30 * day
	hoursReach   = 730 * day
	daysReach    = 1826 * day
)

// Past is what the market did before the start. It makes what is asked for and keeps some of it; what it answers depends on
// nothing but the seed, the catalogue and the start. It is not safe for concurrent use.
type Past struct {
	seed   uint64
	cat    *catalog.Catalog
	start  int64 // when the exchange starts
	end    int64 // the minute that the start is in: bars end here
	common *chance
	paths  map[string]*path
	of     []*history // by ID; nil: not asked for yet
}

// New returns the past of the instruments of a catalogue.
func New(seed uint64, cat *catalog.Catalog, start int64) *Past {
	return &Past{
		seed: seed, cat: cat, start: start, end: fixed.Floor(start, minute),
		common: newChance(seed, "market"), paths: make(map[string]*path),
	}
}

// Start returns when the exchange starts.
func (p *Past) Start() int64 { return p.start }

// path returns a coin's path; nil if the catalogue does not know the coin.
func (p *Past) path(coin string) *path {
	c, ok := p.paths[coin]
	if !ok {
		if a, known := p.cat.Asset(coin); known && a.Start > 0 {
			c = newPath(a, p.common, p.seed, p.end)
		}
		p.paths[coin] = c
	}
	return c
}

// history is the past of one instrument.
type history struct {
	p       *Past
	in      *catalog.Instrument
	base    *path
	quote   *path   // of the quote coin, if its price moves
	unit    fixed.F // price of the quote coin in US dollars, if it does not
	inverse fixed.F // 1/unit
	carry   fixed.F // what it is dearer than the index for a year until delivery
	basis   fixed.F // what it is dearer than the index anyway
	swing   fixed.F // how far the basis usually is from that

	bounce, drift, mood, size, open fixed.Noise
	openLots                        int64 // usually open at the start
	usual                           int64 // value of a trade in US dollars

	knots    [2]knot
	premiums [2]premium // the last that were computed: a bar begins where the one before ended
	prices   [seriesCount]struct{ at, v int64 }

	// Bars that were made, back from the end. One that was not has no Open.
	hours, days [seriesCount][]Bar
}

// premium is how much dearer an instrument is than the index at a time.
type premium struct {
	at int64
	v  fixed.F
}

// history returns the past of an instrument; nil if it has none. Choice: options have one of their mark price only, spreads
// have none, and neither has what is listed after the start or is of a coin whose price is not known.
func (p *Past) history(id catalog.ID) *history {
	for int(id) >= len(p.of) {
		p.of = append(p.of, nil)
	}
	if id < 0 {
		return nil
	}
	if x := p.of[id]; x != nil {
		return x
	}
	in := p.cat.At(id)
	if in == nil || in.Kind == catalog.Spread || in.Listed >= p.end {
		return nil
	}
	x := &history{p: p, in: in, base: p.path(in.Base), usual: usualTrade(in)}
	if x.base == nil {
		return nil
	}
	if usd, ok := p.cat.Stable(in.Quote); ok {
		x.unit, x.inverse = usd, fixed.One.Div(usd)
	} else if x.quote = p.path(in.Quote); x.quote == nil {
		return nil
	}
	switch a := x.base.asset; in.Kind {
	case catalog.Perpetual:
		x.basis, x.swing = a.Funding, fixed.Ratio(20, 1e5)
	case catalog.Future:
		x.carry, x.swing = a.Carry, fixed.Ratio(30, 1e5)
	default:
		x.swing = fixed.Ratio(2, 1e5)
	}
	name := string(in.Category) + " " + in.Symbol
	n := func(what string) fixed.Noise { return fixed.NewNoise(p.seed, "past", name, what) }
	x.bounce, x.drift, x.mood, x.size, x.open = n("bounce"), n("drift"), n("mood"), n("size"), n("interest")
	x.openLots = OpenLots(p.cat, in)
	p.of[id] = x
	return x
}

// OpenLots returns how many lots of an instrument are open on one side when the exchange starts.
func OpenLots(cat *catalog.Catalog, in *catalog.Instrument) int64 {
	a, ok := cat.Asset(in.Base)
	if !ok {
		return 0
	}
	return lotsWorth(in, in.OpenValue*1000, a.Start)
}

// lotsWorth returns how many lots of an instrument thousandths of a US dollar buy when its base coin costs so many dollars.
func lotsWorth(in *catalog.Instrument, thousandths int64, price fixed.F) int64 {
	lot, ok := in.Lot.Coefficient()
	if !ok || lot < 1 || price <= 0 {
		return 0
	}
	whole := fixed.Pow10(in.LotScale) // a lot is lot/whole
	switch {
	case in.Inverse: // contracts of a dollar, whatever the price
		return fixed.MulDiv(thousandths, whole, lot*1000)
	case lot >= whole: // each order of the factors keeps the digits that its lots need
		return fixed.MulDiv(thousandths/1000, int64(fixed.One), fixed.MulDiv(int64(price), lot, whole))
	}
	return fixed.MulDiv(thousandths, fixed.MulDiv(int64(fixed.One), whole, lot*1000), int64(price))
}

// has reports whether a series exists of what the instrument is.
func (x *history) has(s Series) bool {
	return exists(x.in.Kind, s) && (s == Mark || x.in.Kind != catalog.Option)
}

// exists reports whether an instrument of a kind has a series.
func exists(k catalog.Kind, s Series) bool {
	switch s {
	case Trade:
		return true
	case Mark:
		return k == catalog.Perpetual || k == catalog.Future || k == catalog.Option
	case Index, Interest:
		return k == catalog.Perpetual || k == catalog.Future
	case Premium:
		return k == catalog.Perpetual
	}
	return false
}

// begin returns where the bars of a level begin.
func (x *history) begin(l level) int64 {
	reach := [levels]int64{minutesReach, hoursReach, daysReach}[l]
	if l == minutes && x.in.Kind == catalog.Option {
		reach = keepOptionMinutes
	}
	return max(fixed.Floor(x.p.end-reach, day), l.base().Start(x.in.Listed))
}

// each calls emit for the bars of a level that begin in [from, to), oldest first.
func (x *history) each(s Series, l level, from, to int64, emit func(*Bar)) {
	if !x.has(s) {
		return
	}
	step := lengths[l.base()]
	from, to = max(ceil(from, step), x.begin(l)), min(to, x.p.end)
	switch l {
	case minutes:
		x.eachMinute(s, from, to, emit)
	case hours:
		var b Bar
		for at := from; at < to; at += hour {
			b = x.hour(s, at)
			emit(&b)
		}
	case days:
		var b Bar
		for at := from; at < to; at += day {
			b = x.day(s, at)
			emit(&b)
		}
	}
}

func (x *history) eachMinute(s Series, from, to int64, emit func(*Bar)) {
	var b Bar
	for at := from; at < to; {
		h := fixed.Floor(at, hour)
		base := x.base.hourPath(h / hour)
		var quote *hourPath
		if x.quote != nil {
			quote = x.quote.hourPath(h / hour)
		}
		for ; at < min(h+hour, to); at += minute {
			m := (at - h) / minute
			sp := base.spans[m]
			if quote != nil {
				sp.over(&quote.spans[m])
			}
			b = x.bar(s, at, at+minute, &sp)
			emit(&b)
		}
	}
}

// hour returns an hour: of minutes where they reach, else from the path.
func (x *history) hour(s Series, at int64) Bar {
	if at+hour <= x.begin(minutes) {
		sp := x.base.hour(at / hour)
		if x.quote != nil {
			quote := x.quote.hour(at / hour)
			sp.over(&quote)
		}
		return x.bar(s, at, at+hour, &sp)
	}
	b := kept(&x.hours[s], (x.p.end-at)/hour, (minutesReach+day)/hour+2)
	if b.Open == 0 {
		x.eachMinute(s, max(at, x.begin(minutes)), min(at+hour, x.p.end), b.gather(at))
	}
	return *b
}

// kept returns the bar with an index among those that are kept.
func kept(bars *[]Bar, i, of int64) *Bar {
	if *bars == nil {
		*bars = make([]Bar, of)
	}
	return &(*bars)[i]
}

// day returns a day: of hours where they reach, else from the path.
func (x *history) day(s Series, at int64) Bar {
	b := kept(&x.days[s], (x.p.end-at)/day, daysReach/day+2)
	switch {
	case b.Open != 0:
	case at+day <= x.begin(hours):
		sp := x.base.day(at / day)
		if x.quote != nil {
			quote := x.quote.day(at / day)
			sp.over(&quote)
		}
		*b = x.bar(s, at, at+day, &sp)
	default:
		x.each(s, hours, at, at+day, b.gather(at))
	}
	return *b
}

// gather returns what sums bars into b, which begins at start.
func (b *Bar) gather(start int64) func(*Bar) {
	first := true
	return func(part *Bar) {
		if first {
			*b, first = *part, false
			b.Start = start
			return
		}
		b.add(part)
	}
}

// over makes s the price in a coin whose own price moved by q meanwhile.
func (s *span) over(q *span) {
	s.open, s.close = s.open.Div(q.open), s.close.Div(q.close)
	mid := (q.open + q.close) / 2
	s.high = max(s.high.Div(mid), s.open, s.close)
	s.low = min(s.low.Div(mid), s.open, s.close)
}

// knot is how far the basis is from the usual at an hour: what the mood of the days makes of it, and a little of its own.
type knot struct {
	hour int64
	z    fixed.F
}

func (x *history) knot(h int64) fixed.F {
	k := &x.knots[h&1]
	if k.hour != h {
		d, rest := fixed.Floor(h, 24), h-fixed.Floor(h, 24)
		a, b := light(x.mood.Uint64(uint64(d))), light(x.mood.Uint64(uint64(d+24)))
		*k = knot{h, 3*(a+(b-a).Mul(fixed.Ratio(rest, 24))) + light(x.drift.Uint64(uint64(h)))}
	}
	return k.z
}

// premium returns how much dearer the instrument is than the index at a time. Before the start it goes to what is usual,
// which is where the generated market takes over.
func (x *history) premium(at int64) fixed.F {
	kept := &x.premiums[at/minute&1]
	if kept.at == at {
		return kept.v
	}
	years := x.in.Years(at)
	if at == x.p.end {
		years = x.in.Years(x.p.start)
	}
	*kept = premium{at, x.basis + x.carry.Mul(years) + x.swing.Mul(x.between(at, 6*hour, x.knot))}
	return kept.v
}

// between interpolates hourly numbers and lets them fade to 0 in the time before the end.
func (x *history) between(at, fade int64, knot func(h int64) fixed.F) fixed.F {
	h := fixed.Floor(at, hour) / hour
	a := knot(h)
	if rest := at - h*hour; rest > 0 {
		a += (knot(h+1) - a).Mul(fixed.Ratio(rest/1e6, hour/1e6))
	}
	if left := x.p.end - at; left < fade {
		a = a.Mul(fixed.Ratio(left/1e6, fade/1e6))
	}
	return a
}

// index returns a price of the path in the quote coin.
func (x *history) index(price fixed.F) fixed.F {
	if x.quote != nil {
		return price // span.over has done it
	}
	return price.Div(x.unit)
}

// price returns the value of a price series at a time at which the path is at a price. The last trade is at the best bid or
// the best ask, which are one tick apart; at the end it is at the fair price.
func (x *history) price(s Series, at int64, path fixed.F) int64 {
	kept := &x.prices[s]
	if kept.at == at {
		return kept.v
	}
	v, least := x.index(path), int64(1)
	switch {
	case x.in.Kind == catalog.Option:
		v, least = x.worth(v, at), 0
	case s != Index:
		v += v.Mul(x.premium(at))
	}
	n := counted(x.in, s, v)
	if s == Trade && at != x.p.end {
		n += int64(x.bounce.Uint64(uint64(at/minute)) & 1)
	}
	kept.at, kept.v = at, max(n, least)
	return kept.v
}

// worth returns the mark price of an option when the index is at a price. Choice: its volatility was always the usual one.
func (x *history) worth(index fixed.F, at int64) fixed.F {
	if at == x.p.end {
		at = x.p.start
	}
	return price.UsualMark(x.base.asset, x.in, index, at)
}

// wobble is how far impact prices pull the premium off the basis from one second to the next, over how far the basis swings.
var wobble = fixed.Ratio(3, 10)

// level returns the value of the other series at a time.
func (x *history) level(s Series, at int64) int64 {
	if s == Premium {
		v := x.premium(at)
		if at != x.p.end {
			v += x.swing.Mul(light(x.bounce.Uint64(uint64(at / minute)))).Mul(wobble)
		}
		return counted(x.in, s, v)
	}
	slow := x.between(at, day, func(h int64) fixed.F {
		d, rest := fixed.Floor(h, 24), h-fixed.Floor(h, 24)
		a, b := x.open.Gauss(uint64(d)<<8), x.open.Gauss(uint64(d+24)<<8)
		return a + (b - a).Mul(fixed.Ratio(rest, 24)) + x.open.Gauss(uint64(h)<<8+1)/12
	})
	lots := fixed.MulDiv(x.openLots, int64((slow.Mul(fixed.Ratio(6, 100))).Exp()), int64(fixed.One))
	return max(lots, 0)
}

// bar makes a bar of a span.
func (x *history) bar(s Series, from, to int64, sp *span) Bar {
	b := Bar{Start: from}
	if s == Premium || s == Interest {
		b.Open, b.Close = x.level(s, from), x.level(s, to)
		b.High, b.Low = max(b.Open, b.Close), min(b.Open, b.Close)
		if s == Premium {
			r := x.bounce.Rand(uint64(from / minute))
			b.High += counted(x.in, s, x.swing.Mul(wobble).Mul(r.Exponential()))
			b.Low -= counted(x.in, s, x.swing.Mul(wobble).Mul(r.Exponential()))
		}
		return b
	}
	b.Open, b.Close = x.price(s, from, sp.open), x.price(s, to, sp.close)
	high, low := sp.high, sp.low
	if x.quote == nil {
		high, low = high.Mul(x.inverse), low.Mul(x.inverse)
	}
	least := int64(1)
	switch {
	case x.in.Kind == catalog.Option:
		high, low, least = x.worth(high, from), x.worth(low, from), 0
		if !x.in.Call {
			high, low = low, high
		}
	case s != Index:
		premium := x.premium(from)
		high, low = high+high.Mul(premium), low+low.Mul(premium)
	}
	b.High, b.Low = max(b.Open, b.Close, counted(x.in, s, high)), max(least, min(b.Open, b.Close, counted(x.in, s, low)))
	if s == Trade {
		x.trade(&b, sp)
	}
	return b
}

// usualTrade is the value of a trade in US dollars: what the live market comes to. Trades a minute grow with a power of the
// turnover, and the power differs: on spot more orders come, on contracts larger ones.
func usualTrade(in *catalog.Instrument) int64 {
	trades, power := fixed.FromInt(32), fixed.Ratio(27, 100)
	switch {
	case in.Category == bybit.Spot:
		trades, power = fixed.FromInt(20), fixed.Ratio(53, 100)
	case in.Inverse:
		trades, power = fixed.Ratio(22, 10), fixed.Ratio(53, 100)
	}
	millions := fixed.Ratio(max(in.Turnover, 1), 1e6)
	minutes := trades.Mul(power.Mul(millions.Log()).Exp()).MulInt(1440)
	return max(fixed.MulDiv(in.Turnover, int64(fixed.One), max(int64(minutes), 1)), 1)
}

// trade fills in what a bar traded: the instrument's usual turnover times the span's share of it. Choice: there is no past
// bar without a trade.
func (x *history) trade(b *Bar, sp *span) {
	r := x.size.Rand(uint64(b.Start / minute))
	spread := fixed.Ratio(30, 100)
	noise := (spread.Mul(light(r.Uint64())) - spread.Mul(spread)/2).Exp()
	usd := fixed.MulDiv(x.in.Turnover*1000, int64(sp.share.Mul(noise)), int64(fixed.One)) // in thousandths
	b.Volume = max(lotsWorth(x.in, usd, sp.usd), 1)
	each := max(x.usual*4/5, 1) + r.IntN(max(x.usual/2, 1))
	b.Trades = min(1+usd/1000/each, b.Volume)
	mean := min(max((b.Open+b.High+b.Low+b.Close)/4, b.Low), b.High)
	b.Turnover = worth(x.in, mean, b.Volume)
}

// close returns the last value of a series before the start.
func (x *history) close(s Series) int64 {
	if s == Premium || s == Interest {
		return x.level(s, x.p.end)
	}
	v := x.base.asset.Start
	if x.quote != nil {
		v = v.Div(x.quote.asset.Start)
	}
	return x.price(s, x.p.end, v)
}

// Bars appends to dst the bars of an instrument that begin in [from, to] before the start, the newest limit of them (0: all),
// oldest first. The last of them may go on after the start: Store.Bars has it whole.
func (p *Past) Bars(dst []Bar, id catalog.ID, s Series, i Interval, from, to int64, limit int) []Bar {
	x := p.history(id)
	if x == nil || !x.has(s) || x.begin(i.of()) >= p.end {
		return dst
	}
	begin := i.Start(x.begin(i.of()))
	if to < begin {
		return dst
	}
	first := ceilTo(i, max(from, begin))
	last := min(i.Start(to), i.Start(p.end-1))
	first = latest(i, first, last, limit)
	g := gathering{interval: i, dst: dst, fresh: len(dst)}
	if first <= last {
		x.each(s, i.of(), first, i.End(last), g.add)
	}
	return g.dst
}

// ceilTo returns the first start of a bar that is not before at.
func ceilTo(i Interval, at int64) int64 {
	if s := i.Start(at); s < at {
		return i.End(s)
	}
	return at
}

// latest returns the start of the first of the last limit bars of [first, last].
func latest(i Interval, first, last int64, limit int) int64 {
	if limit <= 0 {
		return first
	}
	if i != MN1 {
		return max(first, last-int64(limit-1)*lengths[i])
	}
	at := last
	for n := 1; n < limit && at > first; n++ {
		at = i.Start(at - 1)
	}
	return max(first, at)
}

// gathering sums the bars of a level into those of an interval.
type gathering struct {
	interval Interval
	dst      []Bar
	fresh    int // where its bars begin
	end      int64
}

func (g *gathering) add(b *Bar) {
	if n := len(g.dst); n > g.fresh && b.Start < g.end {
		g.dst[n-1].add(b)
		return
	}
	g.dst = append(g.dst, *b)
	last := &g.dst[len(g.dst)-1]
	last.Start = g.interval.Start(b.Start)
	g.end = g.interval.End(last.Start)
}
