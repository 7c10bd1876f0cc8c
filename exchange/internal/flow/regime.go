package flow

import (
	"errors"

	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

var errNoCoin = errors.New("flow: there is no such coin")

// Regime is how a coin's market behaves.
type Regime uint8

// The regimes. Gap, FlashCrash and Cascade are scripts: they end by themselves and Normal follows.
const (
	Normal Regime = iota
	Calm
	TrendUp
	TrendDown
	Volatile
	Thin
	Gap        // makers withdraw, the price jumps, and they return where it is
	FlashCrash // a fall within half a minute into an emptied book, and most of it back within minutes
	Cascade    // liquidations that push the price to further liquidations, for a minute
	numRegimes
)

var regimeNames = [numRegimes]string{"normal", "calm", "trend-up", "trend-down", "volatile", "thin", "gap", "flash-crash", "cascade"}

func (r Regime) String() string {
	if r < numRegimes {
		return regimeNames[r]
	}
	return "unknown"
}

// ParseRegime is the inverse of String.
func ParseRegime(s string) (Regime, bool) {
	for r, name := range regimeNames {
		if s == name {
			return Regime(r), true
		}
	}
	return 0, false
}

// Regimes lists all of them.
func Regimes() []Regime {
	all := make([]Regime, numRegimes)
	for i := range all {
		all[i] = Regime(i)
	}
	return all
}

// effect is what a regime does to what everybody does.
type effect struct {
	vol    fixed.F // factor on volatility
	rate   fixed.F // factor on how often takers come
	depth  fixed.F // factor on sizes of makers, and share of the crowd's places that are taken when below one
	spread fixed.F // what makers keep between them and the fair price, in basis points
	pulled bool    // makers do not quote
}

func tenths(vol, rate, depth, spread int64) effect {
	return effect{vol: fixed.Ratio(vol, 10), rate: fixed.Ratio(rate, 10), depth: fixed.Ratio(depth, 10), spread: fixed.Ratio(spread, 10)}
}

var effects = [numRegimes]effect{
	Normal:     tenths(10, 10, 10, 0),
	Calm:       tenths(4, 6, 12, 0),
	TrendUp:    tenths(10, 13, 10, 0),
	TrendDown:  tenths(10, 13, 10, 0),
	Volatile:   tenths(40, 25, 6, 6),
	Thin:       tenths(13, 5, 2, 15),
	Gap:        tenths(10, 3, 10, 0),
	FlashCrash: tenths(25, 40, 2, 15),
	Cascade:    tenths(25, 30, 4, 6),
}

// What the scripts do, and when.
const (
	gapPulled  = 3 * second // how long makers stay away
	crashFall  = 25 * second
	crashTurn  = 30 * second
	crashEnd   = 3 * minute
	cascadeRun = minute
	cascadeEnd = 3 * minute
)

var (
	gapSize      = fixed.Ratio(15, 1000) // a gap is 1.5 % to 3 %
	crashSize    = fixed.Ratio(60, 1000) // a crash is 6 % to 9 %
	crashBack    = fixed.Ratio(70, 100)  // of the fall
	cascadeBack  = fixed.Ratio(30, 100)  // of what the liquidations moved
	trendOfHour  = fixed.Ratio(35, 10)   // drift of a trend in an hour, in deviations of an hour's return
	hourSigma    = fixed.Ratio(1, 8760).Sqrt()
	trendTakers  = fixed.Ratio(15, 100)  // by so much more of the takers go with the trend
	cascadeLimit = fixed.Ratio(60, 1000) // a cascade moves the price by no more
)

// mood is the regime of a coin.
type mood struct {
	regime       Regime
	since, until int64   // until: 0 is for ever
	stage        uint8   // of a script
	size         fixed.F // of a script: log return so far, or to be

	effect effect  // derived
	bias   fixed.F // derived: how many more takers buy than sell, -1..1
	slope  fixed.F // derived: drift in one latent step
}

// SetRegime gives a coin, or all if it is empty, a regime for a time; over 0 is until the next, or the length of a
// script. It reports false if there is no such coin or regime.
func (f *Flow) SetRegime(coin string, r Regime, over int64) bool {
	if r >= numRegimes || over < 0 {
		return false
	}
	found := false
	for i := range f.moods {
		if coin == "" || f.latent.coins[i].asset.Coin == coin {
			f.moods[i].set(f, i, r, over)
			found = true
		}
	}
	return found
}

// Regime returns the regime of a coin.
func (f *Flow) Regime(coin string) (Regime, bool) {
	if i := f.latent.find(coin); i >= 0 {
		return f.moods[i].regime, true
	}
	return 0, false
}

func (m *mood) set(f *Flow, coin int, r Regime, over int64) {
	*m = mood{regime: r, since: f.now}
	if over > 0 {
		m.until = f.now + over
	}
	var length int64
	switch r {
	case Gap:
		m.size = gapSize + gapSize.Mul(f.latent.rand.F())
		if f.latent.rand.Bool(fixed.Half) {
			m.size = -m.size
		}
		length = gapPulled
	case FlashCrash:
		m.size = -crashSize - fixed.Ratio(30, 1000).Mul(f.latent.rand.F())
		f.latent.push(coin, m.size, f.now, crashFall)
		length = crashEnd
	case Cascade:
		length = cascadeEnd
	}
	if length > 0 && m.until == 0 {
		m.until = f.now + length
	}
	m.derive(&f.latent.coins[coin])
	for _, d := range f.desks {
		if d != nil && d.coin == coin {
			d.restless = true
		}
	}
}

// derive computes what the agents read.
func (m *mood) derive(c *coin) {
	m.effect, m.bias, m.slope = effects[m.regime], 0, 0
	switch m.regime {
	case TrendUp, TrendDown:
		m.bias = trendTakers
		m.slope = trendOfHour.Mul(hourSigma).Mul(c.asset.Vol) / fixed.F(hour/latentStep)
		if m.regime == TrendDown {
			m.bias, m.slope = -m.bias, -m.slope
		}
	case Gap:
		m.effect.pulled = true
	case FlashCrash:
		if m.stage == 0 {
			m.bias = -fixed.Ratio(7, 10)
		} else {
			m.effect, m.bias = tenths(20, 20, 4, 6), fixed.Ratio(2, 10)
		}
	case Cascade:
		if m.stage > 0 {
			m.effect = tenths(15, 15, 6, 3)
		} else {
			m.bias = -fixed.Ratio(3, 10)
		}
	}
}

// advance runs the script, once in each latent step.
func (m *mood) advance(f *Flow, coin int, now int64) {
	if m.regime == Normal {
		return
	}
	if m.until > 0 && now >= m.until {
		m.set(f, coin, Normal, 0)
		return
	}
	was := m.stage
	switch m.regime {
	case Gap:
		if m.stage == 0 { // makers have had a second to leave
			if now >= m.since+second {
				f.latent.push(coin, m.size, now, 0)
				m.stage = 1
			}
		}
	case FlashCrash:
		if m.stage == 0 && now >= m.since+crashTurn {
			f.latent.push(coin, -m.size.Mul(crashBack), now, crashEnd-crashTurn-20*second)
			m.stage = 1
		}
	case Cascade:
		if m.stage == 0 && now >= m.since+cascadeRun {
			f.latent.push(coin, -m.size.Mul(cascadeBack), now, cascadeEnd-cascadeRun-20*second)
			m.stage = 1
		}
	}
	if m.stage != was {
		m.derive(&f.latent.coins[coin])
	}
}

// walk describes the state; effect, bias and slope follow from it.
func (m *mood) walk(w *state.Walker, c *coin) {
	state.Integer(w, &m.regime)
	w.Int64(&m.since)
	w.Int64(&m.until)
	w.Uint8(&m.stage)
	state.Integer(w, &m.size)
	if w.Reading() {
		if m.regime >= numRegimes {
			w.Fail(errors.New("flow: there is no such regime"))
			return
		}
		m.derive(c)
	}
}
