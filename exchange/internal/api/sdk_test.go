package api_test

import (
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybittest"
	"github.com/bywire/bywire/exchange"
)

// walked returns what an iterator yields, and ends the test at an error.
func walked[T any](t *testing.T, all iter.Seq2[T, error]) []T {
	t.Helper()
	var list []T
	for v, err := range all {
		if err != nil {
			t.Fatalf("after %d: %v", len(list), err)
		}
		list = append(list, v)
	}
	return list
}

// TestTheSDKWalksThroughHistory lets the SDK's iterators, which were written for the venue, go through spans of many pages: they
// end, and nothing is twice or missing.
func TestTheSDKWalksThroughHistory(t *testing.T) {
	x := bybittest.NewExchange(t, &exchange.Config{Quiet: true})
	market := x.Client().Market
	ctx := t.Context()
	now := x.Now()
	from, to := now.Add(-72*time.Hour), now

	steps := func(what string, times []time.Time, first, last time.Time, step time.Duration) {
		t.Helper()
		if want := int(last.Sub(first)/step) + 1; len(times) != want {
			t.Errorf("%s: %d rows, want %d", what, len(times), want)
			return
		}
		for i, at := range times {
			forward, backward := first.Add(time.Duration(i)*step), last.Add(-time.Duration(i)*step)
			if !at.Equal(forward) && !at.Equal(backward) || i > 0 && at.Equal(times[i-1]) {
				t.Fatalf("%s: row %d is of %s", what, i, at)
			}
		}
	}
	var times []time.Time
	for _, c := range walked(t, market.AllKlines(ctx, &bybit.KlineParams{Category: bybit.Spot, Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: bybit.Some(from), End: bybit.Some(to)})) {
		times = append(times, c.StartTime)
	}
	steps("klines", times, from, to.Add(-2*time.Minute), time.Minute) // the SDK yields candles that ended 2 s ago
	times = nil
	for _, c := range walked(t, market.AllMarkPriceKlines(ctx, &bybit.MarkPriceKlineParams{Category: bybit.Inverse, Symbol: "BTCUSD", Interval: bybit.Interval5m, Start: bybit.Some(from.Add(-240 * time.Hour)), End: bybit.Some(to)})) {
		times = append(times, c.StartTime)
	}
	steps("mark prices", times, from.Add(-240*time.Hour), to.Add(-10*time.Minute), 5*time.Minute)
	times = nil
	for _, f := range walked(t, market.AllFundingHistory(ctx, &bybit.FundingHistoryParams{Category: bybit.Linear, Symbol: "BTCUSDT", StartTime: bybit.Some(now.Add(-365 * 24 * time.Hour)), EndTime: bybit.Some(to)})) {
		times = append(times, f.Time)
	}
	steps("fundings", times, now.Add(-365*24*time.Hour), to, 8*time.Hour)
	times = nil
	for _, v := range walked(t, market.AllOpenInterest(ctx, &bybit.OpenInterestParams{Category: bybit.Linear, Symbol: "ETHUSDT", IntervalTime: bybit.Period5m, StartTime: bybit.Some(from), EndTime: bybit.Some(to)})) {
		times = append(times, v.Timestamp)
	}
	steps("open interest", times, from, to, 5*time.Minute)
	times = nil
	for _, v := range walked(t, market.AllLongShortRatio(ctx, &bybit.LongShortRatioParams{Category: bybit.Linear, Symbol: "ETHUSDT", Period: bybit.Period15m, StartTime: bybit.Some(from), EndTime: bybit.Some(to)})) {
		times = append(times, v.Timestamp)
	}
	steps("long/short ratios", times, from, to, 15*time.Minute)

	for _, category := range []bybit.Category{bybit.Spot, bybit.Linear, bybit.Inverse, bybit.Option} {
		seen := make(map[string]bool)
		for _, in := range walked(t, market.AllInstruments(ctx, &bybit.InstrumentsParams{Category: category, Limit: bybit.Some(3)})) {
			if seen[in.Symbol] {
				t.Errorf("%s: %s twice", category, in.Symbol)
			}
			seen[in.Symbol] = true
		}
		if len(seen) < 2 {
			t.Errorf("%s: %d instruments", category, len(seen))
		}
	}
	if list := walked(t, market.AllRiskLimits(ctx, &bybit.RiskLimitsParams{Category: bybit.Linear})); len(list) < 20 {
		t.Errorf("%d risk limits", len(list))
	}
	if list := walked(t, x.Client().Spread.AllInstruments(ctx, &bybit.SpreadInstrumentsParams{Limit: bybit.Some(1)})); len(list) < 3 {
		t.Errorf("%d spreads", len(list))
	}
	if list := walked(t, x.Client().Platform.AllAnnouncements(ctx, &bybit.PlatformAnnouncementsParams{Locale: bybit.LocaleEN, Limit: bybit.Some(4)})); len(list) < 5 {
		t.Errorf("%d announcements", len(list))
	}
}

// TestTheSDKUnderstandsRefusals: what the exchange refuses is an error of the venue's kind.
func TestTheSDKUnderstandsRefusals(t *testing.T) {
	x := bybittest.NewExchange(t, &exchange.Config{Quiet: true})
	client := x.Client()
	for what, call := range map[string]struct {
		err    func() error
		status int
		code   int
	}{
		"an unknown symbol": {func() error {
			_, err := client.Market.OrderBook(t.Context(), &bybit.OrderBookParams{Category: bybit.Linear, Symbol: "NOSUCH"})
			return err
		}, 200, 10001},
		"what is not simulated": {func() error {
			return client.Call(t.Context(), "GET", "/v5/lt/info", nil, nil)
		}, 404, 10017},
		"an unknown path": {func() error {
			return client.Call(t.Context(), "GET", "/v5/market/nothing", nil, nil)
		}, 404, 10017},
	} {
		refused, ok := errors.AsType[*bybit.Error](call.err())
		if !ok || refused.Status != call.status || refused.Code != call.code || refused.TraceID == "" {
			t.Errorf("%s: %v (%+v)", what, call.err(), refused)
		}
	}
	server, err := client.Market.ServerTime(t.Context())
	if err != nil || !server.TimeNano.Equal(x.Now()) {
		t.Errorf("the time is %v (%v), want %s", server, err, x.Now())
	}
}
