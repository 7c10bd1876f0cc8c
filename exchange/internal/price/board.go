package price

import (
	"errors"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Quote is what the board needs to know of a book, in ticks; 0 is no such price.
type Quote struct {
	Bid, Ask             int64 // best prices without RPI orders
	Last                 int64 // last trade
	ImpactBid, ImpactAsk int64 // see Impact; not needed of spot
}

// Inputs is what the board reads when it is updated.
type Inputs interface {
	Index(coin string) fixed.F          // price of a coin in US dollars, more than 0
	Vol(coin string) fixed.F            // its volatility of a year as it is now; 0: not known
	Quote(in *catalog.Instrument) Quote // of spot, perpetuals and futures
}

// Board keeps the prices of all instruments of a catalogue. It is not safe for concurrent use.
type Board struct {
	cat *catalog.Catalog
	now int64 // of the last Update; 0 before the first

	pairs     []pair     // indices
	rows      []*row     // by catalog.ID: spot, perpetuals and futures; nil for others
	options   []*option  // by catalog.ID; nil for others
	delivered []Delivery // oldest first

	// Derived.
	pairOf  []int32 // by catalog.ID: its pair; -1 without one
	settled []catalog.ID
}

// pair is the index of a coin in a quote coin.
type pair struct {
	base, quote string
	index       fixed.F
	vol         fixed.F           // of the base coin: its mean of about an hour
	averages    []deliveryAverage // of the deliveries in the next 30 minutes
}

// deliveryAverage is the mean of an index before a delivery.
type deliveryAverage struct {
	delivery int64
	average
}

// row is what the board keeps of a spot pair, a perpetual or a future.
type row struct {
	quote   Quote
	mark    fixed.F
	premium fixed.F // premium index
	limits  Limits

	toMiddle window // middle - index: 5 minutes on perpetuals, 2 on spot
	toMark   window // middle - mark, 30 seconds: perpetuals and futures
	basis    window // (impact middle - index) / index, 10 minutes: futures

	weighted    Weighted // perpetuals: premium of the interval under way
	minute      int64    // the last minute that is in weighted
	rate        fixed.F  // funding rate if it were settled now
	lastRate    fixed.F  // settled last
	nextFunding int64
	fundings    []Funding // settled, oldest first
}

// option is what the board keeps of an option.
type option struct {
	log fixed.F // derived: of the strike
	OptionMark
}

// Samples of the averages, in seconds.
const (
	perpetualSamples = 300
	spotSamples      = 120
	limitSamples     = 30
	basisSamples     = 600
)

// deliveryWindow is how long before a delivery its price is averaged ("Futures deliver at the mean index of 07:30-08:00 UTC",
// contract rules, testnet.bybit.com; "Index Price (Inverse Futures)", 2022-06-02: per second).
const deliveryWindow = 30 * catalog.Minute

// keepFundings is how many settled fundings of a contract are kept: two years of 8 hours, 100 days of hours.
const keepFundings = 2400

// keepDelivered is how long a delivery is remembered.
const keepDelivered = 31 * catalog.Day

// errState is a snapshot that does not fit the catalogue.
var errState = errors.New("price: a snapshot that does not fit the catalogue")

// New returns a board for the live instruments of a catalogue. Prices are 0 until the first Update.
func New(cat *catalog.Catalog, now int64) *Board {
	b := &Board{cat: cat}
	b.grow()
	for _, in := range cat.Live() {
		b.list(in, now)
	}
	return b
}

// Listed tells the board of an instrument that was listed after New. It has prices at once, those of an empty book.
func (b *Board) Listed(id catalog.ID, now int64) {
	b.grow()
	in := b.cat.At(id)
	if in == nil || in.Kind == catalog.Spread {
		return
	}
	b.list(in, now)
	p := &b.pairs[b.pairOf[id]]
	switch {
	case p.index == 0:
	case in.Kind == catalog.Option:
		e := b.expiry(now, in, p)
		b.options[id].value(in, &e)
	default:
		b.rows[id].update(now, in, p.index, b.forward(now, in, p.index), Quote{})
	}
}

// grow makes room for all instruments.
func (b *Board) grow() {
	for len(b.rows) < b.cat.Len() {
		b.rows = append(b.rows, nil)
		b.options = append(b.options, nil)
		b.pairOf = append(b.pairOf, -1)
	}
}

func (b *Board) list(in *catalog.Instrument, now int64) {
	if in.Kind == catalog.Spread {
		return
	}
	b.pairOf[in.ID] = b.pair(in.Base, in.Quote)
	if in.Kind == catalog.Option {
		b.options[in.ID] = &option{log: in.Strike.Log()}
		return
	}
	r := newRow(in)
	if in.Kind == catalog.Perpetual {
		r.nextFunding = NextFunding(now, in.FundingEvery)
		r.minute = now / catalog.Minute
		r.rate = FundingRate(0, Interest(in.FundingEvery), in.FundingFloor, in.FundingCap)
		r.lastRate = r.rate
	}
	b.rows[in.ID] = r
}

// newRow returns a row with the windows of its kind.
func newRow(in *catalog.Instrument) *row {
	r := new(row)
	switch in.Kind {
	case catalog.Spot:
		r.toMiddle.size = spotSamples
	case catalog.Perpetual:
		r.toMiddle.size, r.toMark.size = perpetualSamples, limitSamples
	case catalog.Future:
		r.basis.size, r.toMark.size = basisSamples, limitSamples
	}
	return r
}

// pair returns the number of a pair, new if need be.
func (b *Board) pair(base, quote string) int32 {
	for i := range b.pairs {
		if b.pairs[i].base == base && b.pairs[i].quote == quote {
			return int32(i)
		}
	}
	b.pairs = append(b.pairs, pair{base: base, quote: quote})
	return int32(len(b.pairs) - 1)
}

// Begin sets the rate that was settled last before the exchange started, of a perpetual: the mark price depends on it.
func (b *Board) Begin(id catalog.ID, rate fixed.F) {
	if r := b.row(id); r != nil {
		r.lastRate = rate
	}
}

// Update computes all prices anew. It is to be called at each full second, before or after a Roll of the catalogue that is due
// then.
func (b *Board) Update(now int64, in Inputs) {
	b.now = now
	b.settled = b.settled[:0]
	for i := range b.pairs {
		p := &b.pairs[i]
		if index, ok := b.cat.InQuote(p.base, p.quote, in.Index); ok {
			p.index = index
		}
		p.follow(b.usual(p.base), in.Vol(p.base))
	}
	b.average(now)
	for _, x := range b.cat.Live() {
		if r := b.rows[x.ID]; r != nil {
			index := b.pairs[b.pairOf[x.ID]].index
			r.update(now, x, index, b.forward(now, x, index), in.Quote(x))
			if x.Kind == catalog.Perpetual && b.fund(now, x, r) {
				b.settled = append(b.settled, x.ID)
			}
		}
	}
	b.updateOptions(now)
}

// volSeconds is how quickly the surface of volatilities follows the market's: the time constant of an exponential mean. Choice:
// the generated market's volatility doubles and halves within minutes, which no option of months follows.
const volSeconds = 3600

// follow takes the volatility of a second; 0 says nothing. It begins at the coin's usual one.
func (p *pair) follow(usual, now fixed.F) {
	if p.vol == 0 {
		p.vol = usual
	}
	if now > 0 {
		p.vol += fixed.F(fixed.MulDivRound(int64(min(now, maxVol)-p.vol), 1, volSeconds))
	}
}

// usual is the usual volatility of a coin.
func (b *Board) usual(coin string) fixed.F {
	if a, ok := b.cat.Asset(coin); ok {
		return a.Vol
	}
	return fixed.One
}

// forward is what a future is worth before its book says so: the index and the coin's carry until the delivery.
func (b *Board) forward(now int64, in *catalog.Instrument, index fixed.F) fixed.F {
	a, ok := b.cat.Asset(in.Base)
	if !ok || in.Delivery == 0 {
		return index
	}
	return Forward(a, index, in.Years(now))
}

// update computes the prices of a spot pair, a perpetual or a future; forward is a future's price without samples of its book
// (choice: the page says the last trade, of which a new one has none).
func (r *row) update(now int64, in *catalog.Instrument, index, forward fixed.F, q Quote) {
	r.quote = q
	middle := fixed.F(0)
	if q.Bid > 0 && q.Ask > 0 {
		middle = (in.PriceOf(q.Bid) + in.PriceOf(q.Ask)) / 2
	}
	if in.Kind == catalog.Spot {
		if middle > 0 {
			r.toMiddle.add(middle - index)
		}
		premium, _ := r.toMiddle.mean()
		sell, buy := SpotLimits(index, premium, in.LimitX, in.LimitY)
		r.mark, r.limits = index, within(in, sell, buy)
		return
	}
	bid, ask := in.PriceOf(q.ImpactBid), in.PriceOf(q.ImpactAsk)
	r.premium = Premium(index, bid, ask)
	if in.Kind == catalog.Perpetual {
		r.mark = r.perpetualMark(now, in, index, middle)
	} else {
		if bid > 0 && ask > 0 {
			r.basis.add(((bid+ask)/2 - index).Div(index))
		}
		basis, ok := r.basis.mean()
		switch {
		case ok:
			r.mark = FutureMark(index, basis)
		case q.Last > 0:
			r.mark = in.PriceOf(q.Last)
		default:
			r.mark = forward
		}
	}
	r.mark = roundTo(r.mark, in.MarkScale)
	if middle > 0 {
		r.toMark.add(middle - r.mark)
	}
	premium, _ := r.toMark.mean()
	sell, buy := FutureLimits(r.mark, index, premium, in.LimitX, in.LimitY)
	r.limits = within(in, sell, buy)
}

// perpetualMark is PerpetualMark where all of it is known. Without samples the page falls back on the last trade; without one
// the mark is P2 or P1 (choice).
func (r *row) perpetualMark(now int64, in *catalog.Instrument, index, middle fixed.F) fixed.F {
	if middle > 0 {
		r.toMiddle.add(middle - index)
	}
	left, interval := fixed.Ratio(r.nextFunding-now, catalog.Hour), fixed.Ratio(in.FundingEvery, catalog.Hour)
	premium, ok := r.toMiddle.mean()
	switch last := in.PriceOf(r.quote.Last); {
	case ok && last > 0:
		return PerpetualMark(index, r.lastRate, max(0, left), interval, premium, last)
	case ok:
		return index + premium
	case last > 0:
		return last
	}
	return index
}

// fund takes the premium of a minute that ended, renews the rate, and settles it when it is time, which it reports.
func (b *Board) fund(now int64, in *catalog.Instrument, r *row) bool {
	if minute := now / catalog.Minute; minute != r.minute {
		r.minute = minute
		begin := r.nextFunding - in.FundingEvery
		if n := (now - begin) / catalog.Minute; n > 0 && now <= r.nextFunding {
			r.weighted.Add(n, r.premium)
		}
		r.rate = FundingRate(r.weighted.Mean(), Interest(in.FundingEvery), in.FundingFloor, in.FundingCap)
		r.rate = roundTo(r.rate, rateScale)
	}
	if now < r.nextFunding {
		return false
	}
	r.lastRate = r.rate
	r.fundings = append(r.fundings, Funding{At: r.nextFunding, Rate: r.rate})
	if len(r.fundings) > keepFundings {
		r.fundings = append(r.fundings[:0], r.fundings[len(r.fundings)-keepFundings:]...)
	}
	r.weighted = Weighted{}
	r.nextFunding = NextFunding(now, in.FundingEvery)
	return true
}

// rateScale is how many digits after the point a funding rate has.
const rateScale = 8

// roundTo returns f as it is shown with scale digits after the point, so that who computes with it gets what others see.
func roundTo(f fixed.F, scale int) fixed.F {
	units := int64(1)
	for range min(scale, 9) {
		units *= 10
	}
	return fixed.F(fixed.MulDivRound(fixed.MulDivRound(int64(f), units, int64(fixed.One)), int64(fixed.One), units))
}

// row returns the row of an instrument, nil if it has none.
func (b *Board) row(id catalog.ID) *row {
	if id < 0 || int(id) >= len(b.rows) {
		return nil
	}
	return b.rows[id]
}
