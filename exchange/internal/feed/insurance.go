package feed

import (
	"slices"
	"strings"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// coinScale is the digits after the point of a pool's balance, which is counted in units of the last one.
const coinScale = 8

// The venue's numbers of auto-deleveraging, V5 page market/adl-alert: a loss of 30 % of the pool's highest balance
// of 8 hours starts it, one of less than 25 % ends it, above a balance of 10,000. They are never written.
var (
	adlStart     = decimal.New(-3, 1)
	adlStop      = decimal.New(-25, 2)
	adlThreshold = decimal.FromInt(10_000)
)

// group is the pools whose topics share a name: insurance.USDT and adlAlert.USDT.
type group struct {
	name      string // "USDT", "USDC", "inverse"
	insurance []*Topic
	adl       []*Topic // on linear and inverse alike
	pools     []*pool
	alert     bool // something that alerts show has changed since the last push
}

// pool is an insurance pool. Choice: the perpetuals and futures on BTC and ETH share one by settlement coin, as the
// large ones do on the venue; each other contract has its own. A pool begins with 1 % of the usual open interest of
// its contracts.
type pool struct {
	coin    string
	members []catalog.ID
	symbols string // joined with commas
	shared  bool

	balance int64 // in 10^-8 coin
	changed bool  // since the last push
	at      int64 // when it changed last

	// What REST shows: a shared pool as of midnight UTC, another as of the last minute.
	shown   int64
	shownAt int64

	highest window // of the balance
}

// window knows the highest value of the last 8 hours, by half hours (choice).
type window struct {
	best [17]int64
	slot int64 // the half hour that best[0] is of
}

const windowSlot = 30 * minute

// see notes a value.
func (v *window) see(now, value int64) {
	slot := now / windowSlot
	if v.slot == 0 {
		for i := range v.best {
			v.best[i] = value
		}
	} else {
		for n := min(slot-v.slot, int64(len(v.best))); n > 0; n-- {
			last := v.best[0]
			copy(v.best[1:], v.best[:])
			v.best[0] = last
		}
	}
	v.slot = slot
	v.best[0] = max(v.best[0], value)
}

// highest is the highest value of the window.
func (v *window) highest() int64 { return slices.Max(v.best[:]) }

func (v *window) walk(w *state.Walker) {
	for i := range v.best {
		w.Int64(&v.best[i])
	}
	w.Int64(&v.slot)
}

// addGroups makes the topics of the pools: each group on linear and on inverse.
func (f *Feed) addGroups() {
	for i, name := range [...]string{"USDT", "USDC", "inverse"} {
		g := &f.groups[i]
		g.name = name
		for _, ch := range [...]wire.Channel{wire.Linear, wire.Inverse} {
			g.insurance = append(g.insurance, f.addTopic(ch, wire.KindInsurance, bybit.Insurance(name), catalog.None))
			g.adl = append(g.adl, f.addTopic(ch, wire.KindADLAlerts, bybit.ADLAlerts(name), catalog.None))
		}
		for _, t := range slices.Concat(g.insurance, g.adl) {
			t.pools = g
		}
	}
}

// groupOf is the group that a contract belongs to.
func (f *Feed) groupOf(in *catalog.Instrument) *group {
	switch {
	case in.Inverse:
		return &f.groups[2]
	case in.Settle == "USDC":
		return &f.groups[1]
	}
	return &f.groups[0]
}

// addPool makes a contract's pool, or puts the contract into the shared one.
func (f *Feed) addPool(m *market) {
	in := m.inst
	g := f.groupOf(in)
	shared := in.Base == "BTC" || in.Base == "ETH"
	share := f.poolShare(in)
	if shared {
		for _, p := range g.pools {
			if p.shared && p.coin == in.Settle {
				p.join(in)
				if !f.started {
					p.balance += share
					p.shown = p.balance
				}
				return
			}
		}
	}
	p := &pool{coin: in.Settle, shared: shared, balance: share, shown: share, at: f.now, shownAt: f.now}
	p.join(in)
	g.pools = append(g.pools, p)
	g.alert = true
}

// poolShare is what a pool begins with for one contract, in 10^-8 coin.
func (f *Feed) poolShare(in *catalog.Instrument) int64 {
	const coins = 1e8
	usd := in.OpenValue / 100
	if !in.Inverse {
		return usd * coins
	}
	return fixed.MulDiv(usd, coins*int64(fixed.One), max(1, int64(f.cat.StartPrice(in))))
}

// join adds a contract.
func (p *pool) join(in *catalog.Instrument) {
	p.members = append(p.members, in.ID)
	if p.symbols != "" {
		p.symbols += ","
	}
	p.symbols += in.Symbol
}

// dropPool takes a contract out of its pool; a pool without contracts ceases.
func (f *Feed) dropPool(m *market) {
	g := f.groupOf(m.inst)
	for i, p := range g.pools {
		j := slices.Index(p.members, m.inst.ID)
		if j < 0 {
			continue
		}
		p.members = slices.Delete(p.members, j, j+1)
		names := strings.Split(p.symbols, ",")
		p.symbols = strings.Join(slices.Delete(names, j, j+1), ",")
		if len(p.members) == 0 {
			g.pools = slices.Delete(g.pools, i, i+1)
		}
		return
	}
}

// poolOf returns the pool of a contract.
func (f *Feed) poolOf(m *market) *pool {
	for _, p := range f.groupOf(m.inst).pools {
		if slices.Contains(p.members, m.inst.ID) {
			return p
		}
	}
	return nil
}

// insure gives a pool what lies between the bankruptcy price of a position and the price at which it was closed, or
// takes it.
func (f *Feed) insure(m *market, closing engine.Side, at, bankrupt, lots int64) {
	p := f.poolOf(m)
	if p == nil {
		return
	}
	gain := m.coinValue(at, lots) - m.coinValue(bankrupt, lots)
	// A sale above the bankruptcy price is a gain; on inverse, whose value in coin falls as the price rises, it is
	// the other way about.
	if (closing == engine.Buy) != m.inst.Inverse {
		gain = -gain
	}
	if gain == 0 {
		return
	}
	p.balance += gain
	p.at, p.changed = f.now, true
	m.pnl += gain
	m.pnlHigh.see(f.now, m.pnl)
	f.groupOf(m.inst).alert = true
}

// coinValue is what lots are worth at a price, in 10^-8 of the settlement coin.
func (m *market) coinValue(ticks, lots int64) int64 {
	units, ok := m.inst.Value(ticks, lots).Round(coinScale, decimal.HalfEven).Units(coinScale)
	if !ok {
		return 0
	}
	return units
}

// pushPools pushes, each second, the pools whose balance has changed, and the alerts of the groups in which
// something has (choice: the venue does not say whether it repeats what is as it was).
func (f *Feed) pushPools() {
	for i := range f.groups {
		g := &f.groups[i]
		f.refreshPools(g)
		if !g.alert {
			continue
		}
		g.alert = false
		for _, t := range g.adl {
			if f.sink.Wanted(t) {
				f.fillADL(g, t)
				f.publish(t, &f.adl, true)
			}
		}
		if !slices.ContainsFunc(g.pools, func(p *pool) bool { return p.changed && !p.shared }) {
			continue
		}
		for _, t := range g.insurance {
			if f.sink.Wanted(t) {
				f.fillInsurance(g, t, false)
				f.publish(t, &f.insurance, false)
			}
		}
		for _, p := range g.pools {
			p.changed = false
		}
	}
}

// refreshPools keeps the highest balances and what REST shows.
func (f *Feed) refreshPools(g *group) {
	for _, p := range g.pools {
		p.highest.see(f.now, p.balance)
		every := minute
		if p.shared {
			every = day
		}
		if f.now/every != p.shownAt/every {
			p.shown, p.shownAt = p.balance, f.now-f.now%every
		}
	}
}

// fillInsurance makes f.insurance a group's message: all pools, or those that have changed. Shared pools are not
// pushed.
func (f *Feed) fillInsurance(g *group, t *Topic, all bool) {
	msg := &f.insurance
	msg.Topic, msg.Time, msg.Type, msg.Pools = t.msg, clock(f.now), bybit.TypeDelta, msg.Pools[:0]
	if all {
		msg.Type = bybit.TypeSnapshot
	}
	for _, p := range g.pools {
		if !p.shared && (all || p.changed) {
			msg.Pools = append(msg.Pools, bybit.InsurancePool{
				Coin: p.coin, Symbols: p.symbols, Balance: catalog.Trimmed(p.balance, coinScale), UpdateTime: clock(p.at),
			})
		}
	}
}

// fillADL makes f.adl a group's message.
func (f *Feed) fillADL(g *group, t *Topic) {
	msg := &f.adl
	msg.Topic, msg.Time, msg.Alerts = t.msg, clock(f.now), msg.Alerts[:0]
	for _, p := range g.pools {
		for _, id := range p.members {
			if m := f.market(id); m != nil {
				msg.Alerts = append(msg.Alerts, f.alert(m, p))
			}
		}
	}
}

// alert says how near a contract is to auto-deleveraging.
func (f *Feed) alert(m *market, p *pool) bybit.ADLAlert {
	balance := p.balance
	if p.shared {
		balance = p.shown
	}
	return bybit.ADLAlert{
		Coin: p.coin, Symbol: m.inst.Symbol, Balance: catalog.Trimmed(balance, coinScale),
		InsurancePnL: adlStart, PnLRatio: m.pnlRatio(p), TriggerThreshold: adlThreshold, StopRatio: adlStop,
	}
}

// pnlRatio is how far a contract's profit is below its highest of 8 hours, as a part of the pool's highest balance.
func (m *market) pnlRatio(p *pool) decimal.Decimal {
	best := p.highest.highest()
	if best <= 0 {
		return noSize
	}
	fall := m.pnl - max(m.pnl, m.pnlHigh.highest())
	return catalog.Trimmed(fixed.MulDivRound(fall, 1e6, best), 6)
}

func (p *pool) walk(w *state.Walker) {
	w.Int64(&p.balance)
	w.Bool(&p.changed)
	w.Int64(&p.at)
	w.Int64(&p.shown)
	w.Int64(&p.shownAt)
	p.highest.walk(w)
}

// walk goes through a group's pools. On restore they are made anew: which contracts share a pool depends on what
// was listed when.
func (g *group) walk(w *state.Walker, f *Feed) {
	w.Bool(&g.alert)
	state.Slice(w, &g.pools, func(w *state.Walker, p **pool) {
		if w.Reading() {
			*p = &pool{}
		}
		v := *p
		w.Bool(&v.shared)
		state.Slice(w, &v.members, func(w *state.Walker, id *catalog.ID) { state.Integer(w, id) })
		v.walk(w)
	})
	if !w.Reading() {
		return
	}
	for _, p := range g.pools {
		members := p.members
		p.members = nil
		for _, id := range members {
			m := f.market(id)
			if m == nil || m.losses == nil || f.groupOf(m.inst) != g || f.poolOf(m) != nil {
				w.Fail(errState)
				continue
			}
			p.coin = m.inst.Settle
			p.join(m.inst)
		}
		if len(p.members) == 0 {
			w.Fail(errState)
		}
	}
	for _, m := range f.markets {
		if m != nil && m.losses != nil && f.groupOf(m.inst) == g && f.poolOf(m) == nil {
			w.Fail(errState)
		}
	}
}
