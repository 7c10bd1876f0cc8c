package feed

import (
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// A figure is one number that a ticker is made of, in whole units: ticks, lots, ns, or the raw value of a fixed.F.
// All that a ticker shows follows from its figures, so comparing two of them says whether there can be something to
// push.
type figure uint8

const (
	figLast figure = iota
	figDir
	figPrev24 // last price 24 h ago
	figPrev1
	figHigh
	figLow
	figVolume
	figTurnoverHi // a past.Amount
	figTurnoverLo
	figBid
	figBidLots // 0: no bid
	figAsk
	figAskLots
	figOpen // lots open on one side
	figMark
	figIndex
	figFunding
	figNextFunding
	figPredicted // delivery price; 0 until 30 minutes before
	figUnderlying
	figMarkIV
	figDelta
	figGamma
	figVega
	figTheta
	figTotalVolume
	figTotalTurnoverHi
	figTotalTurnoverLo
	figBasis
	figBasisRate
	figBasisYear
	figUSD // index price in US dollars, spot
	figureCount
)

type figures [figureCount]int64

// amount is the sum whose words begin at f.
func (v *figures) amount(f figure) past.Amount {
	return past.Amount{Hi: uint64(v[f]), Lo: uint64(v[f+1])}
}

func (v *figures) setAmount(f figure, a past.Amount) { v[f], v[f+1] = int64(a.Hi), int64(a.Lo) }

// tickerState is the ticker as pushed last.
type tickerState struct {
	topic  *Topic
	shown  figures
	pushed int64 // ts; 0 before the first push
	seq    int64
}

func (s *tickerState) walk(w *state.Walker) {
	for i := range s.shown {
		w.Int64(&s.shown[i])
	}
	w.Int64(&s.pushed)
	w.Int64(&s.seq)
}

// pushTickers pushes the tickers that may have changed: of spot, or of all others, which have another interval.
// What the price board says changes with its updates.
func (f *Feed) pushTickers(spot bool) {
	last := &f.tickersAt[0]
	if !spot {
		last = &f.tickersAt[1]
	}
	if at := f.board.Now(); at != *last {
		*last = at
		for _, m := range f.markets {
			if m != nil && (m.ch == wire.Spot) == spot {
				f.pushTicker(m)
			}
		}
		return
	}
	kind := dirtyTicker
	if spot {
		kind = dirtySpotTicker
	}
	for id := range f.dirty[kind].drain() {
		f.pushTicker(f.markets[id])
	}
}

// pushTicker sends what has changed since the last push: on linear and inverse the fields that did, elsewhere all.
func (f *Feed) pushTicker(m *market) {
	s := &m.ticker
	now := f.figures(m)
	if s.pushed != 0 && now == s.shown {
		return
	}
	first, old := s.pushed == 0, s.shown
	s.shown, s.pushed, s.seq = now, f.now, m.crossSeq()
	if !f.sink.Wanted(s.topic) {
		return
	}
	f.headTicker(m)
	if first || m.ch != wire.Linear && m.ch != wire.Inverse {
		f.publish(s.topic, &f.ticker, true)
		return
	}
	f.before = f.render(m, &old)
	if delta, some := changes(&f.ticker.Ticker, &f.before); some {
		f.ticker.Ticker, f.ticker.Snapshot = delta, false
		f.publish(s.topic, &f.ticker, false)
	}
}

// headTicker fills f.ticker with the ticker as pushed last.
func (f *Feed) headTicker(m *market) {
	s := &m.ticker
	f.ticker.Topic, f.ticker.Time, f.ticker.Snapshot = s.topic.msg, clock(s.pushed), true
	f.ticker.Ticker = f.render(m, &s.shown)
	f.ticker.MessageID, f.ticker.Seq = "", s.seq
	switch m.ch {
	case wire.Option:
		f.ticker.Seq = 0
		f.ticker.MessageID = messageID(s.topic, s.seq, millis(s.pushed))
	case wire.Spread:
		f.ticker.Seq = 0
	}
}

// figures gathers what a ticker is made of.
func (f *Feed) figures(m *market) (v figures) {
	v[figLast], v[figDir] = m.last, int64(m.dir)
	v[figBid], v[figBidLots], _ = m.book.Best(engine.Buy)
	v[figAsk], v[figAskLots], _ = m.book.Best(engine.Sell)
	d := f.bars.Day(m.inst.ID)
	v[figPrev24], v[figPrev1], v[figHigh], v[figLow], v[figVolume] = d.Open, d.Hour, d.High, d.Low, d.Volume
	v.setAmount(figTurnoverHi, d.Turnover)
	if m.interest != nil {
		v[figOpen] = m.interest.single()
	}
	f.boardFigures(m, &v)
	return v
}

// boardFigures gathers what the price board says.
func (f *Feed) boardFigures(m *market, v *figures) {
	id := m.inst.ID
	switch m.ch {
	case wire.Spread:
		return
	case wire.Spot:
		v[figUSD] = int64(f.usdIndex(m))
		return
	}
	v[figMark], v[figIndex] = int64(f.board.Mark(id)), int64(f.board.IndexOf(id))
	if p, ok := f.board.Predicted(id); ok {
		v[figPredicted] = int64(p)
	}
	switch m.inst.Kind {
	case catalog.Perpetual:
		rate, next := f.board.Funding(id)
		v[figFunding], v[figNextFunding] = int64(rate), next
	case catalog.Future:
		if b, ok := f.board.Basis(id); ok {
			v[figBasis], v[figBasisRate], v[figBasisYear] = int64(b.Basis), int64(b.Rate), int64(b.Year)
		}
	case catalog.Option:
		if o, ok := f.board.Option(id); ok {
			v[figUnderlying], v[figMarkIV] = int64(o.Underlying), int64(o.Vol)
			v[figDelta], v[figGamma], v[figVega], v[figTheta] = int64(o.Delta), int64(o.Gamma), int64(o.Vega), int64(o.Theta)
		}
		v[figTotalVolume] = m.totalLots
		v.setAmount(figTotalTurnoverHi, m.totalValue)
	}
}

// usdIndex is the index price of a spot pair's base coin in US dollars.
func (f *Feed) usdIndex(m *market) fixed.F {
	if usd, ok := f.board.Index(m.inst.Base, "USD"); ok {
		return usd
	}
	// No contract is in dollars: by way of the quote coin.
	usd, ok := f.cat.Stable(m.inst.Quote)
	if !ok {
		return 0
	}
	return f.board.IndexOf(m.inst.ID).Mul(usd)
}

// render is the ticker that figures make.
func (f *Feed) render(m *market, v *figures) bybit.Ticker {
	in := m.inst
	t := bybit.Ticker{
		Symbol: in.Symbol, LastPrice: in.Price(v[figLast]),
		HighPrice24h: in.Price(v[figHigh]), LowPrice24h: in.Price(v[figLow]),
	}
	if m.ch != wire.Spot { // which has the topics of the book for them
		m.renderBest(&t, v)
	}
	switch m.ch {
	case wire.Spot:
		m.renderSpot(&t, v)
	case wire.Option:
		f.renderOption(m, &t, v)
	case wire.Spread:
		t.PrevPrice24h, t.Volume24h = in.Price(v[figPrev24]), in.Qty(v[figVolume])
		t.Mark(bybit.TickerBidPrice, bybit.TickerBidSize, bybit.TickerAskPrice, bybit.TickerAskSize)
	default:
		m.renderFutures(&t, v)
	}
	return t
}

// renderBest fills in the best bid and ask, as far as there are some.
func (m *market) renderBest(t *bybit.Ticker, v *figures) {
	if v[figBidLots] != 0 {
		t.BidPrice, t.BidSize = m.inst.Price(v[figBid]), m.inst.Qty(v[figBidLots])
	}
	if v[figAskLots] != 0 {
		t.AskPrice, t.AskSize = m.inst.Price(v[figAsk]), m.inst.Qty(v[figAskLots])
	}
}

func (m *market) renderSpot(t *bybit.Ticker, v *figures) {
	in := m.inst
	t.PrevPrice24h, t.Volume24h = in.Price(v[figPrev24]), in.Qty(v[figVolume])
	t.Turnover24h = trimmed(v.amount(figTurnoverHi).Value(in).Round(8, decimal.HalfEven))
	t.Price24hPcnt = change(v[figLast], v[figPrev24], 4, decimal.HalfEven)
	if in.Quote == "USDT" || in.Quote == "USDC" { // V5 page market/tickers: no other pair has it
		t.USDIndexPrice = number(v[figUSD], 8)
	}
	t.Mark(bybit.TickerUSDIndexPrice)
}

func (m *market) renderFutures(t *bybit.Ticker, v *figures) {
	in := m.inst
	t.TickDirection = tickDirections[v[figDir]]
	t.PrevPrice24h, t.PrevPrice1h = in.Price(v[figPrev24]), in.Price(v[figPrev1])
	t.Price24hPcnt = change(v[figLast], v[figPrev24], 6, decimal.ToZero)
	t.MarkPrice, t.IndexPrice = padded(v[figMark], in.MarkScale), padded(v[figIndex], in.MarkScale)
	t.SingleOpenInterest = trimmedQty(in, v[figOpen])
	t.OpenInterest = trimmedQty(in, 2*v[figOpen])
	t.SingleOpenInterestValue, t.OpenInterestValue = m.worth(v[figOpen], v[figMark]), m.worth(2*v[figOpen], v[figMark])
	t.Turnover24h = padTo(v.amount(figTurnoverHi).Value(in), 4)
	t.Volume24h = volume(in, v[figVolume])
	t.Mark(bybit.TickerBidPrice, bybit.TickerBidSize, bybit.TickerAskPrice, bybit.TickerAskSize,
		bybit.TickerNextFundingTime, bybit.TickerFundingRate)
	if in.Kind == catalog.Perpetual {
		t.FundingRate, t.NextFundingTime = number(v[figFunding], 8), clock(v[figNextFunding])
		t.FundingCap, t.FundingIntervalHour = number(int64(in.FundingCap), 8), wholeNumber(in.FundingEvery/hour)
		t.Mark(bybit.TickerPreOpenPrice, bybit.TickerPreQty, bybit.TickerCurPreListingPhase)
		return
	}
	t.DeliveryTime = time.Unix(0, in.Delivery).UTC()
	t.DeliveryFeeRate = in.Info.DeliveryFeeRate
	t.PredictedDeliveryPrice = padded(v[figPredicted], in.MarkScale)
	t.Basis = padded(v[figBasis], in.MarkScale)
	t.BasisRate, t.BasisRateYear = padded(v[figBasisRate], 8), padded(v[figBasisYear], 8)
}

func (f *Feed) renderOption(m *market, t *bybit.Ticker, v *figures) {
	in := m.inst
	for _, p := range []struct{ price, size *decimal.Decimal }{{&t.BidPrice, &t.BidSize}, {&t.AskPrice, &t.AskSize}} {
		if !p.price.IsSet() {
			*p.price, *p.size = noSize, noSize
		}
	}
	// What volatility a price means is not among the figures: it is dear to compute, and follows the mark price.
	t.BidIV, t.AskIV = f.volatility(in, v[figBid], v[figBidLots]), f.volatility(in, v[figAsk], v[figAskLots])
	t.MarkPrice, t.IndexPrice, t.MarkPriceIV = number(v[figMark], 8), number(v[figIndex], 2), number(v[figMarkIV], 4)
	t.UnderlyingPrice, t.PredictedDeliveryPrice = number(v[figUnderlying], 8), number(v[figPredicted], 8)
	t.OpenInterest = trimmedQty(in, v[figOpen])
	t.Turnover24h, t.Volume24h = trimmed(v.amount(figTurnoverHi).Value(in).Round(8, decimal.HalfEven)), in.Qty(v[figVolume])
	t.TotalVolume = wholeNumber(in.QtyOf(v[figTotalVolume]).Round())
	t.TotalTurnover = padTo(v.amount(figTotalTurnoverHi).Value(in), 0)
	t.Delta, t.Gamma = number(v[figDelta], 8), number(v[figGamma], 8)
	t.Vega, t.Theta = number(v[figVega], 8), number(v[figTheta], 8)
	t.Change24h = change(v[figLast], v[figPrev24], 8, decimal.Floor)
}

// volatility is the volatility that a price of an option means, 0 if there is nothing at it.
func (f *Feed) volatility(in *catalog.Instrument, ticks, lots int64) decimal.Decimal {
	if lots == 0 {
		return noSize
	}
	return number(int64(f.board.ImpliedVol(in.ID, ticks)), 4)
}
