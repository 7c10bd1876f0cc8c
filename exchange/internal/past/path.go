package past

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// path is the price of a coin in US dollars before the start, in logarithms. It is made from coarse to fine: the closes
// of days, going back from the start; within a day those of its hours, bent so that they end where the day does; within an
// hour those of its minutes. Each step draws from a noise by the number of the day, hour or minute, so any hour can
// be made without its neighbours.
type path struct {
	asset  *catalog.Asset
	common *chance // of all coins
	own    *chance
	rest   fixed.F // what is not common: sqrt(1 - Corr^2)
	sigma  fixed.F // usual volatility of a day
	end    int64   // the last minute ended here; the price is Asset.Start then
	today  int64   // number of the day in which that is
	shift  fixed.F // what brings the logarithm there to 0
	walks  [2]walk // of the volatility, common and own, going back

	closes []fixed.F   // closes[k] ends day today-k
	vols   []fixed.F   // logarithm of the volatility of that day over the usual
	days   []*dayPath  // days[k] is day today-k; nil: not made yet
	hours  []*hourPath // hours[k] is the hour k before the one in which the end is
}

// chance is the noise of a coin, or of all together, by what it decides.
type chance struct{ dayMove, dayVol, dayVolume, hourMove, hourVol, minuteMove, minuteVol, flicker, reach fixed.Noise }

func newChance(seed uint64, of string) *chance {
	n := func(what string) fixed.Noise { return fixed.NewNoise(seed, "past", of, what) }
	return &chance{n("day"), n("day volatility"), n("day volume"), n("hour"), n("hour volatility"), n("minute"), n("minute volatility"), n("flicker"), n("reach")}
}

// walk is a volatility's memory from day to day: it keeps 0.94 of what it was and has a variance of 1.
type walk struct{ at fixed.F }

func (w *walk) step(z fixed.F) fixed.F {
	w.at = w.at.Mul(fixed.Ratio(94, 100)) + z.Mul(fixed.Ratio(341174, 1e6)) // sqrt(1 - 0.94^2)
	return w.at
}

func newPath(a *catalog.Asset, common *chance, seed uint64, end int64) *path {
	c := &path{
		asset: a, common: common, own: newChance(seed, a.Coin), rest: (fixed.One - a.Corr.Mul(a.Corr)).Sqrt(),
		sigma: a.Vol.Div(fixed.FromInt(365).Sqrt()), end: end, today: fixed.Floor(end, day) / day,
		days: make([]*dayPath, hoursReach/day+2), hours: make([]*hourPath, (minutesReach+day)/hour+2),
	}
	var logs [61]fixed.F
	c.minuteLogs(fixed.Floor(end, hour)/hour, &logs, nil)
	c.shift = -logs[(end-fixed.Floor(end, hour))/minute]
	return c
}

// mixed returns a normal number that is correlated with those of the other coins.
func (c *path) mixed(common, own fixed.F) fixed.F { return c.asset.Corr.Mul(common) + c.rest.Mul(own) }

// usd returns the price at a logarithm.
func (c *path) usd(log fixed.F) fixed.F { return c.asset.Start.Mul((log + c.shift).Exp()) }

// pull draws the price back to where it starts, a little each day, so that five years do not lead to nothing or to the
// moon.
var pull = fixed.Ratio(8, 10000)

// Variances of the logarithms of volatility: of days, hours and minutes.
var (
	dayCommon, dayOwn    = fixed.Ratio(35, 100), fixed.Ratio(25, 100)
	dayVariance          = fixed.Ratio(185, 1000)
	hourSpread           = fixed.Ratio(15, 100) // of each of four hours that a cluster lasts, times 2 their root
	hourVariance         = fixed.Ratio(9, 100)
	minuteSpread         = fixed.Ratio(124, 1000) // of each of eight minutes
	minuteOwn            = fixed.Ratio(20, 100)
	minuteVariance       = fixed.Ratio(163, 1000)
	volumeOfDay          = fixed.Ratio(60, 100)
	volumeOfDayOwn       = fixed.Ratio(20, 100)
	volumeOfDayVariance  = fixed.Ratio(54, 1000) // half of it
	volumeOfHour         = fixed.Ratio(90, 100)
	volumeOfHourVariance = fixed.Ratio(36, 1000) // half of it
	volumeOfMinute       = fixed.Ratio(90, 100)
	volumeOfMinuteMean   = fixed.Ratio(146, 1000) // half its variance, 0.066, and as much as ranges of bent minutes are too wide
	oneOf24, oneOf60     = fixed.Ratio(1, 24), fixed.Ratio(1, 60)
	rootOf24th, root60th = fixed.Ratio(1, 24).Sqrt(), fixed.Ratio(1, 60).Sqrt()
)

// restlessness is how much each hour of the day, UTC, moves and trades beside the mean, in thousandths: quiet before Europe
// wakes, busiest when New York opens.
var restlessness = [24]int64{
	1010, 900, 860, 790, 700, 660, 680, 790, 920, 930, 890, 900,
	1030, 1380, 1640, 1560, 1380, 1210, 1080, 1020, 990, 920, 830, 930,
}

// back makes the days up to the kth before today.
func (c *path) back(k int64) {
	if len(c.closes) == 0 {
		c.closes = append(c.closes, 0)
		c.walks = [2]walk{{c.common.dayVol.Gauss(uint64(c.today + 1))}, {c.own.dayVol.Gauss(uint64(c.today + 1))}}
	}
	for int64(len(c.vols)) <= k {
		last := len(c.vols)
		i := uint64(c.today - int64(last))
		v := dayCommon.Mul(c.walks[0].step(c.common.dayVol.Gauss(i))) + dayOwn.Mul(c.walks[1].step(c.own.dayVol.Gauss(i)))
		c.vols = append(c.vols, v)
		move := c.sigma.Mul((v - dayVariance).Exp()).Mul(c.mixed(c.common.dayMove.Gauss(i), c.own.dayMove.Gauss(i)))
		c.closes = append(c.closes, c.closes[last]-c.closes[last].Mul(pull)-move)
	}
}

// span is one bar of the path: what it did, in US dollars, and how much of a usual day's turnover went by.
type span struct {
	open, high, low, close fixed.F
	usd                    fixed.F // the close, also where over makes the others prices in another coin
	share                  fixed.F
}

func newSpan(from, to fixed.F) span { return span{open: from, close: to, usd: to} }

// day returns what the path did in a day.
func (c *path) day(d int64) span {
	k := c.today - d
	c.back(k)
	s := newSpan(c.usd(c.closes[k+1]), c.usd(c.closes[k]))
	sigma := c.sigma.Mul((c.vols[k] - dayVariance).Exp())
	r := c.own.reach.Rand(uint64(d * day / minute))
	s.stretch(c.closes[k]-c.closes[k+1], sigma, &r)
	s.share = c.busyDay(d).Mul(s.activity(sigma))
	return s
}

// busyDay returns how much of a usual day's turnover a day has.
func (c *path) busyDay(d int64) fixed.F {
	v := volumeOfDay.Mul(c.vols[c.today-d]) + volumeOfDayOwn.Mul(c.own.dayVolume.Gauss(uint64(d)))
	return (v - volumeOfDayVariance).Exp()
}

// stretch sets the high and low of a span that moves by d, a random walk with volatility sigma pinned at both ends: the
// chance that it gets beyond h is exp(-2 h (h-d) / sigma^2).
func (s *span) stretch(d, sigma fixed.F, r *fixed.Rand) {
	const scale = 1 << 10 // squares of such small numbers would lose their digits
	d, sigma = d*scale, sigma*scale
	square, twice := d.Mul(d), 2*sigma.Mul(sigma)
	up := (d + (square + twice.Mul(r.Exponential())).Sqrt()) / (2 * scale)
	down := (d - (square + twice.Mul(r.Exponential())).Sqrt()) / (2 * scale)
	s.high = max(s.open, s.close, s.open+s.open.Mul(up+up.Mul(up)/2))
	s.low = min(s.open, s.close, s.open+s.open.Mul(down+down.Mul(down)/2))
}

// activity returns about 1, more if the span's range is wider than the 1.6 sigma that is usual.
func (s *span) activity(sigma fixed.F) fixed.F {
	wide := (s.high - s.low).Div(s.open).Div(sigma.Mul(fixed.Ratio(16, 10)))
	return fixed.Ratio(35, 100) + min(wide, 8*fixed.One).Mul(fixed.Ratio(65, 100))
}

// dayPath is a day by hours.
type dayPath struct {
	logs  [25]fixed.F // at the hours' ends
	sigma [24]fixed.F // volatility of each hour
	share [24]fixed.F // of the turnover of a usual day that is to be expected
}

func (c *path) dayPath(d int64) *dayPath {
	k := c.today - d
	if c.days[k] != nil {
		return c.days[k]
	}
	c.back(k)
	p := &dayPath{}
	sigma := c.sigma.Mul((c.vols[k] - dayVariance).Exp())
	busy := c.busyDay(d)
	var cluster [27]fixed.F
	for i := range cluster {
		n := uint64(d*24 + int64(i) - 3)
		cluster[i] = c.mixed(light(c.common.hourVol.Uint64(n)), light(c.own.hourVol.Uint64(n))).Mul(hourSpread)
	}
	var weights [25]fixed.F
	for h := range 24 {
		n := uint64(d*24 + int64(h))
		u := cluster[h] + cluster[h+1] + cluster[h+2] + cluster[h+3]
		season := fixed.Ratio(restlessness[h], 1000)
		p.sigma[h] = sigma.Mul(rootOf24th).Mul(season.Sqrt()).Mul((u - hourVariance).Exp())
		weights[h+1] = weights[h] + season.Mul((2 * (u - hourVariance)).Exp())
		p.logs[h+1] = p.logs[h] + p.sigma[h].Mul(c.mixed(c.common.hourMove.Gauss(n), c.own.hourMove.Gauss(n)))
		p.share[h] = busy.Mul(oneOf24).Mul(season).Mul((volumeOfHour.Mul(u) - volumeOfHourVariance).Exp())
	}
	bend(p.logs[:], weights[:], c.closes[k+1], c.closes[k])
	c.days[k] = p
	return p
}

// bend moves a path that begins at 0 so that it begins and ends where it is to, each point by its share of the variance.
func bend(logs, weights []fixed.F, from, to fixed.F) {
	n := len(logs) - 1
	miss := to - from - logs[n]
	for i := range logs {
		logs[i] += from + miss.Mul(weights[i].Div(weights[n]))
	}
	logs[n] = to
}

// hour returns what the path did in an hour.
func (c *path) hour(h int64) span {
	d, i := fixed.Floor(h, 24)/24, h-fixed.Floor(h, 24)
	p := c.dayPath(d)
	s := newSpan(c.usd(p.logs[i]), c.usd(p.logs[i+1]))
	r := c.own.reach.Rand(uint64(h * 60))
	s.stretch(p.logs[i+1]-p.logs[i], p.sigma[i], &r)
	s.share = p.share[i].Mul(s.activity(p.sigma[i]))
	return s
}

// hourPath is an hour by minutes.
type hourPath struct{ spans [60]span }

func (c *path) hourPath(h int64) *hourPath {
	k := fixed.Floor(c.end, hour)/hour - h
	if c.hours[k] != nil {
		return c.hours[k]
	}
	p := &hourPath{}
	var logs [61]fixed.F
	var minutes [60]minuteVol
	c.minuteLogs(h, &logs, &minutes)
	share := c.dayPath(fixed.Floor(h, 24) / 24).share[h-fixed.Floor(h, 24)].Mul(oneOf60)
	price := c.usd(logs[0])
	for m := range 60 {
		s := newSpan(price, c.usd(logs[m+1]))
		r := c.own.reach.Rand(uint64(h*60+int64(m)) + 1<<40)
		s.stretch(logs[m+1]-logs[m], minutes[m].sigma, &r)
		s.share = share.Mul(minutes[m].busy).Mul(s.activity(minutes[m].sigma))
		price = s.close
		p.spans[m] = s
	}
	c.hours[k] = p
	return p
}

type minuteVol struct{ sigma, busy fixed.F }

// minuteLogs makes the logarithms at the ends of an hour's minutes, and what else is known of them if vols is not nil.
func (c *path) minuteLogs(h int64, logs *[61]fixed.F, vols *[60]minuteVol) {
	d, i := fixed.Floor(h, 24)/24, h-fixed.Floor(h, 24)
	p := c.dayPath(d)
	var cluster [67]fixed.F
	for m := range cluster {
		cluster[m] = light(c.own.minuteVol.Uint64(uint64(h*60 + int64(m) - 7))).Mul(minuteSpread)
	}
	sum := fixed.F(0)
	for m := range 7 {
		sum += cluster[m]
	}
	var weights [61]fixed.F
	base := p.sigma[i].Mul(root60th)
	for m := range 60 {
		n := uint64(h*60 + int64(m))
		sum += cluster[m+7]
		own := light(c.own.flicker.Uint64(n)).Mul(minuteOwn)
		e := (sum + own - minuteVariance).Exp()
		sigma := base.Mul(e)
		weights[m+1] = weights[m] + e.Mul(e)
		move := c.mixed(light(c.common.minuteMove.Uint64(n)), light(c.own.minuteMove.Uint64(n)))
		logs[m+1] = logs[m] + sigma.Mul(move)
		if vols != nil {
			vols[m] = minuteVol{sigma, (volumeOfMinute.Mul(sum+own) - volumeOfMinuteMean).Exp()}
		}
		sum -= cluster[m]
	}
	bend(logs[:], weights[:], p.logs[i], p.logs[i+1])
}

// light turns a random number into one that is nearly normal, the sum of four uniform ones. It is for the minutes, of
// which there are many, and whose tails come from their volatility.
func light(u uint64) fixed.F {
	sum := int64(u&0xffff+u>>16&0xffff+u>>32&0xffff+u>>48) - 2*0xffff
	return fixed.F(sum * 113512) // sqrt(3) * 2^32 / 2^16
}
