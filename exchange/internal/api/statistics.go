package api

import (
	"slices"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
)

// fundingHistory answers funding/history: what was settled since the start, and before it what the past has. A contract
// without funding has an empty list (choice).
func fundingHistory(v *view) (result, *Refusal) {
	var p bybit.FundingHistoryParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	category, refused := marketRules.inCategory(p.Category, "", bybit.Linear, bybit.Inverse)
	if refused != nil {
		return nil, refused
	}
	in, refused := v.instrument(marketRules, category, p.Symbol)
	if refused != nil {
		return nil, refused
	}
	n, refused := inLimit(p.Limit, 200, 200)
	if refused != nil {
		return nil, refused
	}
	s, refused := inSpan(p.StartTime, p.EndTime)
	if refused == nil && p.StartTime.IsSet() && !p.EndTime.IsSet() {
		refused = refuse(wrongTime) // docs: startTime alone is an error; the text was seen
	}
	if refused != nil {
		return nil, refused
	}
	s.to = min(s.to, v.now)
	r := &bybit.FundingHistoryResult{Category: category, List: []bybit.FundingRate{}}
	add := func(at int64, rate fixed.F) {
		if at >= s.from && at <= s.to && len(r.List) < n {
			r.List = append(r.List, bybit.FundingRate{Symbol: in.Symbol, Rate: shown(rate, rateScale), Time: timeOf(at)})
		}
	}
	for _, f := range slices.Backward(v.Board().Fundings(in.ID)) {
		add(f.At, f.Rate)
	}
	before := v.Past().Funding(in.ID, max(s.from, 0), s.to, n)
	slices.SortFunc(before, func(a, b past.Funding) int { return int(min(1, max(-1, b.At-a.At))) })
	for _, f := range before {
		add(f.At, f.Rate)
	}
	return r, nil
}

// rateScale is how many digits after the point a funding rate has at most.
const rateScale = 8

// periods are the distances of statistics as intervals of bars.
var periods = map[bybit.Period]past.Interval{
	bybit.Period5m: past.M5, bybit.Period15m: past.M15, bybit.Period30m: past.M30, bybit.Period1h: past.H1, bybit.Period4h: past.H4, bybit.Period1d: past.D1,
}

// statistic is what statistics are asked with.
type statistic struct {
	category   bybit.Category
	symbol     string
	period     bybit.Period
	limit      bybit.Opt[int]
	start, end bybit.Opt[time.Time]
	cursor     bybit.Opt[string]

	most        int    // rows of a page
	wrongPeriod string // text of its refusal
}

// series is whose values are asked for, at which distance, in which span, and how many.
type series struct {
	*catalog.Instrument
	every past.Interval
	span
	n int
}

// statistic checks the parameters of statistics.
func (v *view) statistic(p *statistic) (*series, *Refusal) {
	category, refused := marketRules.inCategory(p.category, "", bybit.Linear, bybit.Inverse)
	if refused != nil {
		return nil, refused
	}
	in, refused := v.instrument(marketRules, category, p.symbol)
	if refused != nil {
		return nil, refused
	}
	every, ok := periods[p.period]
	if !ok {
		return nil, refuse(p.wrongPeriod)
	}
	n, refused := inLimit(p.limit, 50, p.most)
	if refused != nil {
		return nil, refused
	}
	s, refused := inSpan(p.start, p.end)
	if refused != nil {
		return nil, refused
	}
	end, refused := before(p.cursor)
	if refused != nil {
		return nil, refused
	}
	return &series{in, every, span{max(s.from, 0), min(s.to, end, v.now)}, n}, nil
}

// openInterest answers open-interest.
func openInterest(v *view) (result, *Refusal) {
	var p bybit.OpenInterestParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	s, refused := v.statistic(&statistic{p.Category, p.Symbol, p.IntervalTime, p.Limit, p.StartTime, p.EndTime, p.Cursor, 200, wrongInterval})
	if refused != nil {
		return nil, refused
	}
	r := &bybit.OpenInterestResult{Symbol: s.Symbol, Category: s.Category, List: []bybit.OpenInterestPoint{}}
	list := v.Bars().Bars(nil, s.ID, past.Interest, s.every, s.from, s.to, s.n)
	for _, b := range slices.Backward(list) {
		r.List = append(r.List, bybit.OpenInterestPoint{
			// The recorded and documented values have eight digits.
			OpenInterest:       padded(s.Qty(2*b.Open), interestScale),
			SingleOpenInterest: trimmed(s.Qty(b.Open)),
			Timestamp:          timeOf(b.Start),
		})
	}
	if len(list) == s.n {
		r.NextPageCursor = cursorOfTime(list[0].Start)
	}
	return r, nil
}

// interestScale is how many digits after the point openInterest has.
const interestScale = 8

// longShortRatio answers account-ratio.
func longShortRatio(v *view) (result, *Refusal) {
	var p bybit.LongShortRatioParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	s, refused := v.statistic(&statistic{p.Category, p.Symbol, p.Period, p.Limit, p.StartTime, p.EndTime, p.Cursor, 500, wrongPeriod})
	if refused != nil {
		return nil, refused
	}
	r := &bybit.LongShortRatioResult{List: []bybit.LongShortPoint{}}
	one := decimal.FromInt(1)
	for at := s.every.Start(s.to); at >= max(s.from, s.Listed, 1) && len(r.List) < s.n; at = s.every.Start(at - 1) {
		share := v.Past().Ratio(s.ID, at)
		if at > v.Past().Start() {
			share = v.Feed().LongShare(s.ID, share)
		}
		long := shown(share, ratioScale)
		short, err := one.Sub(long)
		if err != nil {
			continue // a share has few digits
		}
		r.List = append(r.List, bybit.LongShortPoint{Symbol: s.Symbol, BuyRatio: long, SellRatio: short, Timestamp: timeOf(at)})
	}
	if len(r.List) == s.n {
		r.NextPageCursor = cursorOfTime(r.List[s.n-1].Timestamp.UnixNano())
	}
	return r, nil
}

// ratioScale is how many digits after the point a share of accounts has.
const ratioScale = 4
