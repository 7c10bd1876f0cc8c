package flow

import (
	"errors"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// agent is one trader of one instrument. Its account is its place in desk.agents plus one.
type agent interface {
	wake(d *desk, now int64) (next int64) // acts; must return a time after now
	filled(d *desk, ev *engine.Event)     // a resting order of its own has traded
	gone(side engine.Side, id uint64)     // an order of its own was cancelled
	join(account uint32)                  // told once which account it has
	Walk(w *state.Walker)
}

// trader is what all agents have in common: an account.
type trader struct{ account uint32 }

func (t *trader) join(account uint32) { t.account = account }

// taker is an agent whose orders never rest.
type taker struct{ trader }

func (*taker) filled(*desk, *engine.Event) {}
func (*taker) gone(engine.Side, uint64)    {}

// Walk implements state.Walkable: a taker has no state.
func (*taker) Walk(*state.Walker) {}

// desk is the market of one instrument: what its agents share.
type desk struct {
	f    *Flow
	id   catalog.ID
	in   *catalog.Instrument
	coin int // index of the base coin in latent.coins
	prof profile

	perUnit, units int64   // ticks of one quote coin: perUnit / units
	quoteUSD       fixed.F // of a stable quote coin
	quoteCoin      int     // of another quote coin, or -1

	basis    fixed.F // state: part of the basis that moves, over the usual one
	carry    fixed.F // state: carry of a year, over the usual one
	restless bool    // state: a regime began, or the price jumped; the crowd rearranges itself
	settled  int64   // state: when restlessness ends
	rand     *fixed.Rand
	agents   []agent

	fair   fixed.F // state: in ticks, with a fraction
	lotUSD fixed.F // state: value of a lot
	order  engine.Order
}

// mostTicks is the highest first price in ticks: a sixteenth of what a fixed-point number holds, for a coin may rise to twelve
// times its first price.
const mostTicks = 1 << 31 / 16

// mostFair is where fair prices end, in ticks: what is added to them is less than what is left.
var mostFair = fixed.FromInt(1 << 30 / 4 * 7)

// newDesk returns the market of an instrument, or nil if flow cannot price it.
func newDesk(f *Flow, in *catalog.Instrument) *desk {
	if in == nil || f.latent.find(in.Base) < 0 {
		return nil
	}
	d := &desk{f: f, id: in.ID, in: in, coin: f.latent.find(in.Base), quoteCoin: -1, rand: fixed.NewRand(f.seed, "flow", string(in.Category), in.Symbol)}
	units, ok := in.Tick.Units(in.PriceScale)
	if !ok || units <= 0 {
		return nil
	}
	d.units, d.perUnit = units, 1
	for range in.PriceScale {
		d.perUnit *= 10
	}
	if price := f.cat.StartPrice(in); price <= 0 || fixed.MulDiv(int64(price), d.perUnit, d.units*int64(fixed.One)) > mostTicks {
		return nil
	}
	if usd, ok := f.cat.Stable(in.Quote); ok {
		d.quoteUSD = usd
	} else if d.quoteCoin = f.latent.find(in.Quote); d.quoteCoin < 0 {
		return nil
	}
	switch in.Kind {
	case catalog.Option:
		d.join(&optionMaker{}, &visitor{mean: 5 * minute, most: 50})
		return d
	case catalog.Spread:
		d.join(&spreadMaker{}, &visitor{mean: 20 * second, most: d.small()})
		return d
	}
	var quote *coin
	if d.quoteCoin >= 0 {
		quote = &f.latent.coins[d.quoteCoin]
	}
	d.prof = profileOf(in, &f.latent.coins[d.coin], quote, f.cfg.Activity)
	for i := range d.prof.makers {
		d.join(newMaker(i))
	}
	d.join(newCrowd(d), &arbitrage{}, &noise{}, &momentum{}, &iceberg{}, &retail{})
	if in.Kind != catalog.Spot {
		d.join(&liquidator{})
	}
	return d
}

// join adds agents, and gives them their accounts.
func (d *desk) join(agents ...agent) {
	for _, a := range agents {
		d.agents = append(d.agents, a)
		a.join(uint32(len(d.agents)))
	}
}

func (d *desk) agent(account uint32) agent {
	if account == 0 || int(account) > len(d.agents) {
		return nil
	}
	return d.agents[account-1]
}

// mood is the mood of the instrument's coin.
func (d *desk) mood() *mood { return &d.f.moods[d.coin] }

// base is the instrument's coin.
func (d *desk) base() *coin { return &d.f.latent.coins[d.coin] }

// factor is how much more volatile the coin is than usual, the mood included.
func (d *desk) factor() fixed.F { return d.base().factor.Mul(d.mood().effect.vol) }

// activity is how much more often takers come than usual: more when prices move more.
func (d *desk) activity() fixed.F {
	return d.factor().Sqrt().Mul(d.mood().effect.rate).Div(usualActivity)
}

// usualActivity is the mean of the root of coin.factor: it is lognormal, and its logarithm has the mean -normal and the
// variance normal, so the half of it has the mean -normal/2 and the variance normal/4.
var usualActivity = (-normal * 3 / 8).Exp()

// jumpBps is how far the fair price moves in a step for everybody to look anew.
var jumpBps = fixed.FromInt(20)

// reprice computes the fair price at a latent step.
func (d *desk) reprice(now int64) {
	if d.in.Kind == catalog.Option || d.in.Kind == catalog.Spread {
		return
	}
	if d.restless && d.settled == 0 {
		d.settled = now + 3*second // from the step on which it began
	} else if d.settled > 0 && now >= d.settled {
		d.restless, d.settled = false, 0
	}
	if now > d.f.start && d.f.latent.steps%10 == 0 {
		d.stepBasis()
	}
	price := d.base().price
	if d.quoteCoin >= 0 {
		price = price.Div(d.f.latent.coins[d.quoteCoin].price)
	} else {
		price = price.Div(d.quoteUSD)
	}
	price = price.Mul(max(fixed.One+d.basisNow(now), fixed.One/10))
	before := d.fair
	d.fair = min(fixed.F(fixed.MulDiv(int64(price), d.perUnit, d.units)), mostFair)
	if before > 0 && (d.fair-before).Abs() > d.bps(jumpBps) {
		d.restless, d.settled = true, now+3*second
	}
	if d.in.Inverse {
		d.lotUSD = d.in.QtyOf(1)
	} else {
		d.lotUSD = fixed.F(fixed.MulDivRound(int64(d.base().price), int64(d.in.QtyOf(1<<20)), int64(fixed.One)<<20))
	}
}

// at returns the tick at or below a price in ticks.
func at(p fixed.F) int64 { return p.Int() }

// bps returns basis points of the fair price in ticks.
func (d *desk) bps(bp fixed.F) fixed.F {
	return fixed.F(fixed.MulDivRound(int64(d.fair), int64(bp), 10_000*int64(fixed.One)))
}

// lots returns an order's size of a value in US dollars, within what the instrument allows.
func (d *desk) lots(usd fixed.F) int64 {
	return d.clamp(fixed.MulDiv(int64(usd), 1, max(int64(d.lotUSD), 1)))
}

func (d *desk) clamp(lots int64) int64 {
	least := max(d.in.MinQty, 1)
	if d.in.MinNotional > 0 {
		least = max(least, d.in.MinNotional/max(at(d.fair), 1)+1)
	}
	most := d.in.MaxQty
	if d.in.MaxPostOnlyQty > 0 {
		most = min(most, d.in.MaxPostOnlyQty)
	}
	if most > 0 {
		lots = min(lots, most)
	}
	return max(lots, least)
}

func (d *desk) book() *engine.Book { return d.f.world.Book(d.id) }

// touch returns the best visible prices. Where a side is empty, it stands where the fair price puts it.
func (d *desk) touch() (bid, ask int64) {
	b := d.book()
	bid, _, ok := b.Best(engine.Buy)
	ask, _, ok2 := b.Best(engine.Sell)
	if !ok {
		if bid = at(d.fair); ok2 {
			bid = min(bid, ask-1)
		}
	}
	if !ok2 {
		ask = max(at(d.fair), bid) + 1
	}
	return bid, ask
}

// after returns a time at exponential distance from now, on average mean away.
func (d *desk) after(now int64, mean int64) int64 {
	wait := fixed.MulDiv(int64(min(d.rand.Exponential(), 8*fixed.One)), mean, int64(fixed.One))
	return now + max(wait, millisecond)
}

// quote is a resting order of an agent.
type quote struct {
	id    uint64 // 0: none
	price int64
	left  int64 // lots
	done  int64 // lots that have traded
	at    int64 // when it was placed or last changed
}

// Walk implements state.Walkable.
func (q *quote) Walk(w *state.Walker) {
	w.Uint64(&q.id)
	w.Int64(&q.price)
	w.Int64(&q.left)
	w.Int64(&q.done)
	w.Int64(&q.at)
}

// fill takes a trade of the quote.
func (q *quote) fill(ev *engine.Event) {
	q.left = ev.MakerLeft
	q.done += ev.Qty
	if q.left == 0 {
		*q = quote{}
	}
}

// allows reports whether the instrument has a price.
func (d *desk) allows(price int64) bool {
	least := d.in.MinPrice
	if d.in.Kind != catalog.Spread {
		least = max(least, 1)
	}
	return price >= least && (d.in.MaxPrice <= 0 || price <= d.in.MaxPrice)
}

// post places a resting order, if the instrument has its price.
func (d *desk) post(q *quote, account uint32, side engine.Side, tif engine.TimeInForce, price, lots int64) {
	if !d.allows(price) {
		return
	}
	d.order = engine.Order{Account: account, Side: side, TIF: tif, Price: price, Qty: lots}
	for _, ev := range d.f.world.Place(d.id, &d.order) {
		if ev.Kind == engine.Rested && ev.ID == d.order.ID {
			*q = quote{id: ev.ID, price: ev.Price, left: ev.Left, at: d.f.now}
		}
	}
}

// move gives a quote a price and what is left of it. If the instrument has no such price, or the book refuses, the quote stays
// as it is.
func (d *desk) move(q *quote, price, lots int64) {
	if q.price == price && q.left == lots {
		q.at = d.f.now
		return
	}
	if !d.allows(price) {
		return
	}
	evs := d.f.world.Amend(d.id, q.id, price, lots+q.done)
	if len(evs) > 0 && evs[0].Kind == engine.Amended && q.id != 0 {
		q.price, q.left, q.at = price, lots, d.f.now
	}
}

// pull cancels a quote.
func (d *desk) pull(q *quote) {
	if q.id != 0 {
		d.f.world.Cancel(d.id, q.id)
		*q = quote{}
	}
}

// swap reports whether the instrument is a perpetual.
func (d *desk) swap() bool { return d.in.Kind == catalog.Perpetual }

// take sends an order that trades at once or not at all, down to worst.
func (d *desk) take(account uint32, side engine.Side, lots, worst int64, rpi bool, tag engine.Tag) {
	if lots <= 0 {
		return
	}
	d.order = engine.Order{Account: account, Side: side, TIF: engine.IOC, Price: worst, Qty: lots, SeesRPI: rpi, Tag: tag, Reprice: true}
	d.f.world.Place(d.id, &d.order)
}

// Walk describes the state.
func (d *desk) Walk(w *state.Walker) {
	state.Integer(w, &d.basis)
	state.Integer(w, &d.carry)
	w.Bool(&d.restless)
	w.Int64(&d.settled)
	d.rand.Walk(w)
	state.Integer(w, &d.fair)
	state.Integer(w, &d.lotUSD)
	if w.Reading() && w.Err() == nil && d.fair < 0 {
		w.Fail(errors.New("flow: a negative fair price"))
	}
	for _, a := range d.agents {
		a.Walk(w)
	}
}
