package flow

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// latentStep is how often the latent prices move.
const latentStep = 100 * millisecond

// stepsPerYear is the number of latent steps in 365 days.
const stepsPerYear = 365 * 24 * 60 * 60 * 10

// Volatility of a coin is its usual one times exp(slow + fast + own - normal): two processes that all coins share and one
// of its own, each returning to 0. Their spread and memory make the clustering: a process with deviation s and time
// constant T adds s^2 exp(-t/T) to the covariance of log volatility at distance t. The slow one carries it over hours.
var (
	slowSpread, slowMemory = fixed.Ratio(45, 100), 8 * hour
	fastSpread, fastMemory = fixed.Ratio(40, 100), 15 * minute
	ownSpread, ownMemory   = fixed.Ratio(30, 100), 40 * minute
	// normal makes the mean of the squared factor one, so that Asset.Vol is what a long run shows: the sum of the squares.
	normal = slowSpread.Mul(slowSpread) + fastSpread.Mul(fastSpread) + ownSpread.Mul(ownSpread)
)

// Jumps: so many a day, at least so many standard deviations of a minute's return, with a Pareto tail, bounded.
const (
	marketJumpsPerDay = 5
	ownJumpsPerDay    = 4
	jumpTail          = 3
	jumpFloor         = 2
	jumpCap           = 16
)

// farthest bounds log prices, so that a virtual century stays within what instruments can show: a factor of 12. A weak pull
// to where a coin began, home of its distance in each minute (0.0008 a day, as before the start), keeps them from
// resting at the bound.
var (
	farthest = fixed.Ratio(25, 10)
	home     = fixed.Ratio(8, 10_000*24*60)
)

// coin is the latent price of a base coin.
type coin struct {
	asset *catalog.Asset

	log   fixed.F // log of price / asset.Start
	own   fixed.F // its own log volatility
	trend fixed.F // log return of the last minute or so, decaying: what liquidations look at

	price  fixed.F // derived from log
	factor fixed.F // volatility now over the usual one, moods aside; derived from the log volatilities
}

// ramp moves a log price evenly over a time. What is left of it is applied in the last step, so the sum is exact.
type ramp struct {
	coin        int
	from, until int64
	left        fixed.F
}

// latent is what the fair prices come from.
type latent struct {
	at         int64
	slow, fast fixed.F
	coins      []coin
	ramps      []ramp
	rand       *fixed.Rand
	steps      int64
}

func newLatent(cat *catalog.Catalog, seed uint64, start int64) latent {
	l := latent{at: start, rand: fixed.NewRand(seed, "flow", "latent")}
	assets := cat.Assets()
	// Volatility begins as it is at any time, not at its median: else each exchange would begin with calm hours.
	l.slow, l.fast = slowSpread.Mul(l.rand.Gauss()), fastSpread.Mul(l.rand.Gauss())
	for i := range assets {
		l.coins = append(l.coins, coin{asset: &assets[i], own: ownSpread.Mul(l.rand.Gauss())})
	}
	l.derive()
	return l
}

func (l *latent) find(name string) int {
	for i := range l.coins {
		if l.coins[i].asset.Coin == name {
			return i
		}
	}
	return -1
}

// derive computes prices and factors from the state.
func (l *latent) derive() {
	for i := range l.coins {
		c := &l.coins[i]
		c.price = c.asset.Start.Mul(c.log.Exp())
		c.factor = l.factor(c)
	}
}

func (l *latent) factor(c *coin) fixed.F { return (l.slow + l.fast + c.own - normal).Exp() }

// revert moves a process that returns to 0: one step of a time constant, with the deviation it has in the long run.
func revert(x, spread fixed.F, memory, step int64, rand *fixed.Rand) fixed.F {
	k := fixed.Ratio(step, memory)
	return x - x.Mul(k) + spread.Mul((2 * k).Sqrt()).Mul(rand.Gauss())
}

// step moves everything to now, which is one step later.
func (l *latent) step(now int64, moods []mood) {
	l.at = now
	l.steps++
	if l.steps%10 == 0 { // volatility changes once a second
		l.slow = revert(l.slow, slowSpread, slowMemory, second, l.rand)
		l.fast = revert(l.fast, fastSpread, fastMemory, second, l.rand)
		for i := range l.coins {
			l.coins[i].own = revert(l.coins[i].own, ownSpread, ownMemory, second, l.rand)
			l.coins[i].factor = l.factor(&l.coins[i])
		}
	}
	market := l.rand.Gauss() + l.jump(marketJumpsPerDay)
	for i := range l.coins {
		c := &l.coins[i]
		corr := c.asset.Corr
		shock := corr.Mul(market) + (fixed.One - corr.Mul(corr)).Sqrt().Mul(l.rand.Gauss()+l.jump(ownJumpsPerDay))
		sigma := c.asset.Vol.Mul(stepSigma).Mul(c.factor).Mul(moods[i].effect.vol)
		l.move(c, sigma.Mul(shock)+moods[i].slope)
	}
	l.ramp(now)
	if l.steps%600 == 0 {
		for i := range l.coins {
			c := &l.coins[i]
			c.log -= c.log.Mul(home)
		}
	}
	for i := range l.coins {
		l.coins[i].price = l.coins[i].asset.Start.Mul(l.coins[i].log.Exp())
	}
}

// stepSigma is the share of a year's volatility in one step.
var stepSigma = fixed.One.Div(fixed.FromInt(stepsPerYear).Sqrt())

// jump is 0, or a jump in units of the deviation of one step.
func (l *latent) jump(perDay int64) fixed.F {
	if l.rand.IntN(24*60*60*10) >= perDay {
		return 0
	}
	size := min(l.rand.Pareto(jumpTail*fixed.One).MulInt(jumpFloor), jumpCap*fixed.One)
	size = size.Mul(minuteSteps) // a minute has 600 steps
	if l.rand.Bool(fixed.Half) {
		return -size
	}
	return size
}

var minuteSteps = fixed.FromInt(600).Sqrt()

// move changes a log price, and remembers the return for a while.
func (l *latent) move(c *coin, by fixed.F) {
	c.log = min(max(c.log+by, -farthest), farthest)
	c.trend += by - c.trend/600
}

// push adds a ramp.
func (l *latent) push(coin int, total fixed.F, now, over int64) {
	l.ramps = append(l.ramps, ramp{coin: coin, from: now, until: now + over, left: total})
}

// ramp applies this step's share of each ramp.
func (l *latent) ramp(now int64) {
	kept := l.ramps[:0]
	for _, r := range l.ramps {
		share := r.left
		if r.until > now {
			share = r.left.Mul(fixed.Ratio(latentStep, r.until-now+latentStep))
		}
		l.move(&l.coins[r.coin], share)
		if r.left -= share; r.until > now {
			kept = append(kept, r)
		}
	}
	l.ramps = kept
}

// LongestShock is how long a shock can take, in ns: two years. What is longer would move prices by less than they can show.
const LongestShock = 2 * 365 * 24 * hour

// Shock moves the latent price of a coin by percent (5 is up by 5 %), evenly over a time; 0 is at once. An empty coin is
// all of them. It reports false, and does nothing, if there is no such coin, if percent is -100 or less, if the time is negative
// or above LongestShock, or if a price would end, with what is still to come of earlier shocks, at more than 12 times or less
// than a 12th of where it began.
func (f *Flow) Shock(coin string, percent fixed.F, over int64) bool {
	factor := fixed.One + percent/100
	if factor <= 0 || over < 0 || over > LongestShock {
		return false
	}
	by, found := factor.Log(), false
	for i := range f.latent.coins {
		if coin == "" || f.latent.coins[i].asset.Coin == coin {
			if f.latent.ahead(i, by).Abs() > farthest {
				return false
			}
			found = true
		}
	}
	for i := range f.latent.coins {
		if coin == "" || f.latent.coins[i].asset.Coin == coin {
			f.latent.push(i, by, f.now, over)
		}
	}
	return found
}

// ahead is where a log price ends after all ramps under way and one more.
func (l *latent) ahead(coin int, by fixed.F) fixed.F {
	end := l.coins[coin].log + by
	for _, r := range l.ramps {
		if r.coin == coin {
			end += r.left
		}
	}
	return end
}

// Walk describes the state.
func (l *latent) Walk(w *state.Walker) {
	w.Int64(&l.at)
	w.Int64(&l.steps)
	state.Integer(w, &l.slow)
	state.Integer(w, &l.fast)
	for i := range l.coins {
		c := &l.coins[i]
		state.Integer(w, &c.log)
		state.Integer(w, &c.own)
		state.Integer(w, &c.trend)
	}
	state.Slice(w, &l.ramps, func(w *state.Walker, r *ramp) {
		w.Int(&r.coin)
		w.Int64(&r.from)
		w.Int64(&r.until)
		state.Integer(w, &r.left)
		if w.Reading() && (r.coin < 0 || r.coin >= len(l.coins)) {
			w.Fail(errNoCoin)
		}
	})
	l.rand.Walk(w)
	if w.Reading() {
		l.derive()
	}
}
