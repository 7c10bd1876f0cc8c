package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/past"
)

// starts are the times of candles.
func starts[T any](list []T, at func(*T) time.Time) []int64 {
	var times []int64
	for i := range list {
		times = append(times, at(&list[i]).UnixNano())
	}
	return times
}

func startOf(c *bybit.Candle) time.Time           { return c.StartTime }
func startOfPrice(c *bybit.PriceCandle) time.Time { return c.StartTime }

// TestCandlesOfASpan asks each kind of candle by all ways to name a span.
func TestCandlesOfASpan(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	kinds := map[string]func(query string) []int64{
		"kline": func(query string) []int64 {
			return starts(ask[bybit.KlineResult](t, a, "/v5/market/kline?category=linear&symbol=BTCUSDT"+query).List, startOf)
		},
		"spot": func(query string) []int64 {
			return starts(ask[bybit.KlineResult](t, a, "/v5/market/kline?category=spot&symbol=ETHUSDT"+query).List, startOf)
		},
		"mark": func(query string) []int64 {
			return starts(ask[bybit.MarkPriceKlineResult](t, a, "/v5/market/mark-price-kline?category=inverse&symbol=BTCUSD"+query).List, startOfPrice)
		},
		"index": func(query string) []int64 {
			return starts(ask[bybit.IndexPriceKlineResult](t, a, "/v5/market/index-price-kline?symbol=SOLUSDT"+query).List, startOfPrice)
		},
		"premium": func(query string) []int64 {
			return starts(ask[bybit.PremiumIndexKlineResult](t, a, "/v5/market/premium-index-price-kline?symbol=BTCUSDT"+query).List, startOfPrice)
		},
	}
	for kind, list := range kinds {
		for _, name := range []string{"1", "5", "60", "240", "D", "W", "M"} {
			interval, ok := past.ParseInterval(name)
			if !ok {
				t.Fatalf("%s is no interval", name)
			}
			now := interval.Start(m.now)
			back := func(n int) int64 { // the start of the nth candle before the open one
				at := now
				for range n {
					at = interval.Start(at - 1)
				}
				return at
			}
			want := func(from, to int) (times []int64) { // newest first
				for i := to; i <= from; i++ {
					times = append(times, back(i))
				}
				return times
			}
			ms := func(at int64) string { return fmt.Sprint(at / 1e6) }
			for query, times := range map[string][]int64{
				"&limit=1":                          want(0, 0),
				"&limit=3":                          want(2, 0),
				"&limit=2&end=" + ms(back(4)):       want(5, 4),
				"&limit=2&end=" + ms(back(4)-1e6):   want(6, 5),
				"&limit=2&start=" + ms(back(9)):     want(9, 8),
				"&limit=2&start=" + ms(back(9)+1e6): want(8, 7),
				"&limit=1000&start=" + ms(back(9)) + "&end=" + ms(back(4)):         want(9, 4),
				"&limit=3&start=" + ms(back(9)) + "&end=" + ms(back(4)):            want(6, 4),
				"&limit=1000&start=" + ms(back(2)+1e6) + "&end=" + ms(back(1)-1e6): nil,
				"&start=" + ms(m.now+int64(400*24*time.Hour)):                      nil,
				"&end=1000": nil,
				"&limit=2&end=" + ms(m.now+int64(400*24*time.Hour)): want(1, 0),
				"&limit=1000&start=" + ms(back(1)):                  want(1, 0),
			} {
				if got := list("&interval=" + name + query); !slices.Equal(got, times) {
					t.Errorf("%s of %s%s: %d, want %d", kind, name, query, got, times)
				}
			}
		}
	}
	if n := len(kinds["kline"]("&interval=1")); n != 200 {
		t.Errorf("%d candles without a limit, want 200", n)
	}
	if n := len(kinds["kline"]("&interval=1&limit=5000")); n != 1000 {
		t.Errorf("%d candles at most, want 1000", n)
	}
}

// TestDigitsOfCandles: trades and mark prices are written without trailing zeros, index prices with all of their digits, and
// premiums with six.
func TestDigitsOfCandles(t *testing.T) {
	a := newAPI(t)
	trailing := func(d decimal.Decimal) bool {
		text := d.String()
		return strings.Contains(text, ".") && strings.HasSuffix(text, "0")
	}
	for _, c := range ask[bybit.KlineResult](t, a, "/v5/market/kline?symbol=ETHUSDT&interval=1&limit=100").List {
		for _, d := range []decimal.Decimal{c.OpenPrice, c.HighPrice, c.LowPrice, c.ClosePrice, c.Volume, c.Turnover} {
			if trailing(d) || d.Scale() > 8 {
				t.Errorf("%s in %+v", d, c)
			}
		}
	}
	for _, c := range ask[bybit.MarkPriceKlineResult](t, a, "/v5/market/mark-price-kline?symbol=ETHUSDT&interval=1&limit=100").List {
		if trailing(c.OpenPrice) || trailing(c.HighPrice) || trailing(c.LowPrice) || trailing(c.ClosePrice) {
			t.Errorf("%+v", c)
		}
	}
	for _, c := range ask[bybit.IndexPriceKlineResult](t, a, "/v5/market/index-price-kline?symbol=ETHUSDT&interval=1&limit=100").List {
		if c.OpenPrice.Scale() != 2 || c.ClosePrice.Scale() != 2 {
			t.Errorf("%+v", c)
		}
	}
	for _, c := range ask[bybit.PremiumIndexKlineResult](t, a, "/v5/market/premium-index-price-kline?symbol=ETHUSDT&interval=1&limit=100").List {
		if c.OpenPrice.Scale() != 6 || c.ClosePrice.Scale() != 6 {
			t.Errorf("%+v", c)
		}
	}
}

// TestTheOpenCandleHasTheTradesOfThisMoment: the candle, the trades and the ticker tell of the same.
func TestTheOpenCandleHasTheTradesOfThisMoment(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	in := m.find(bybit.Inverse, "BTCUSD")
	before := ask[bybit.KlineResult](t, a, "/v5/market/kline?category=inverse&symbol=BTCUSD&interval=60&limit=1").List[0]
	m.place(in, engine.Sell, engine.GTC, 880_000, 70)
	m.place(in, engine.Buy, engine.IOC, 880_000, 40)
	for _, interval := range []string{"1", "60", "D", "M"} {
		c := ask[bybit.KlineResult](t, a, "/v5/market/kline?category=inverse&symbol=BTCUSD&limit=1&interval="+interval).List[0]
		if !c.ClosePrice.Equal(in.Price(880_000)) || c.HighPrice.Cmp(c.LowPrice) < 0 || c.Volume.Sign() <= 0 {
			t.Errorf("%s: %+v", interval, c)
		}
		if interval != "60" {
			continue
		}
		more, err := c.Volume.Sub(before.Volume)
		worth, err2 := c.Turnover.Sub(before.Turnover)
		if err != nil || err2 != nil || !more.Equal(in.Qty(40)) || !worth.Equal(in.Value(880_000, 40)) {
			t.Errorf("volume rose by %s, turnover by %s", more, worth)
		}
	}
}

func TestFundingHistory(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	const path = "/v5/market/funding/history?category=linear&symbol=BTCUSDT"
	all := ask[bybit.FundingHistoryResult](t, a, path)
	if len(all.List) != 200 {
		t.Fatalf("%d rates, want 200", len(all.List))
	}
	in := m.find(bybit.Linear, "BTCUSDT")
	for i, f := range all.List {
		if want := m.now/in.FundingEvery*in.FundingEvery - int64(i)*in.FundingEvery; f.Time.UnixNano() != want || f.Symbol != "BTCUSDT" || !f.Rate.IsSet() {
			t.Fatalf("rate %d: %+v, want the time %s", i, f, time.Unix(0, want).UTC())
		}
		if f.Rate.Abs().Cmp(in.FundingCap.Decimal(8)) > 0 {
			t.Errorf("a rate of %s, at most %s", f.Rate, in.FundingCap)
		}
	}
	ms := func(i int) string { return fmt.Sprint(all.List[i].Time.UnixMilli()) }
	for query, want := range map[string][]bybit.FundingRate{
		"&limit=2":                                               all.List[:2],
		"&endTime=" + ms(7) + "&limit=2":                         all.List[7:9],
		"&startTime=" + ms(9) + "&endTime=" + ms(7):              all.List[7:10],
		"&startTime=" + ms(9) + "&endTime=" + ms(7) + "&limit=1": all.List[7:8],
	} {
		if got := ask[bybit.FundingHistoryResult](t, a, path+query).List; !slices.EqualFunc(got, want, func(a, b bybit.FundingRate) bool { return a.Time.Equal(b.Time) && a.Rate.Equal(b.Rate) }) {
			t.Errorf("%s: %+v, want %+v", query, got, want)
		}
	}
	// What is settled now comes in front of it.
	_, next := m.board.Funding(in.ID)
	m.now = next - int64(time.Second)
	m.advance(2 * time.Second)
	later := ask[bybit.FundingHistoryResult](t, a, path)
	live := m.board.Fundings(in.ID)
	if len(live) != 1 || later.List[0].Time.UnixNano() != live[0].At || !later.List[0].Rate.Equal(shown(live[0].Rate, 8)) || !later.List[1].Time.Equal(all.List[0].Time) {
		t.Errorf("%+v before %+v, want %+v", later.List[0], later.List[1], live)
	}
}

func TestOpenInterestComesInPages(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	const path = "/v5/market/open-interest?category=inverse&symbol=BTCUSD&intervalTime=1h"
	all := ask[bybit.OpenInterestResult](t, a, path+"&limit=200").List
	if len(all) != 200 {
		t.Fatalf("%d values", len(all))
	}
	var got []bybit.OpenInterestPoint
	for cursor := ""; len(got) < 200; {
		r := ask[bybit.OpenInterestResult](t, a, path+"&limit=30&cursor="+cursor)
		if got = append(got, r.List...); r.NextPageCursor == "" {
			break
		}
		cursor = r.NextPageCursor
	}
	if len(got) < 200 {
		t.Fatalf("%d values in pages", len(got))
	}
	for i, v := range all {
		double, err := v.SingleOpenInterest.Add(v.SingleOpenInterest)
		if err != nil || !v.OpenInterest.Equal(double) || v.OpenInterest.Scale() != 8 || v.OpenInterest.Sign() <= 0 {
			t.Errorf("%+v", v)
		}
		if want := m.now/hour*hour - int64(i)*hour; v.Timestamp.UnixNano() != want || !got[i].Timestamp.Equal(v.Timestamp) || !got[i].OpenInterest.Equal(v.OpenInterest) {
			t.Fatalf("value %d is %+v, in pages %+v", i, v, got[i])
		}
	}
}

func TestLongShortRatioComesInPages(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	const path = "/v5/market/account-ratio?category=linear&symbol=BTCUSDT&period=1d"
	all := ask[bybit.LongShortRatioResult](t, a, path+"&limit=100").List
	if len(all) != 100 {
		t.Fatalf("%d values", len(all))
	}
	one := decimal.FromInt(1)
	different := false
	for i, v := range all {
		sum, err := v.BuyRatio.Add(v.SellRatio)
		if want := (m.now/(24*hour) - int64(i)) * 24 * hour; err != nil || !sum.Equal(one) || v.Timestamp.UnixNano() != want || v.BuyRatio.Sign() <= 0 || v.SellRatio.Sign() <= 0 {
			t.Errorf("value %d: %+v", i, v)
		}
		different = different || !v.BuyRatio.Equal(all[0].BuyRatio)
	}
	if !different {
		t.Error("the same at all times")
	}
	first := ask[bybit.LongShortRatioResult](t, a, path+"&limit=40")
	second := ask[bybit.LongShortRatioResult](t, a, path+"&limit=40&cursor="+first.NextPageCursor)
	if got := append(first.List, second.List...); len(got) != 80 || !got[79].Timestamp.Equal(all[79].Timestamp) {
		t.Errorf("%d values in two pages", len(got))
	}
	span := ask[bybit.LongShortRatioResult](t, a, fmt.Sprintf("%s&startTime=%d&endTime=%d", path, all[9].Timestamp.UnixMilli(), all[7].Timestamp.UnixMilli())).List
	if len(span) != 3 || !span[0].Timestamp.Equal(all[7].Timestamp) {
		t.Errorf("a span of three has %d", len(span))
	}
}

// TestTheRatioSinceTheStartCountsHolders: who took a position since counts with those of before.
func TestTheRatioSinceTheStartCountsHolders(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	in := m.find(bybit.Linear, "BTCUSDT")
	for range 50 { // one buys from many: most holders are short
		m.place(in, engine.Sell, engine.GTC, 880_000, 1)
	}
	m.place(in, engine.Buy, engine.IOC, 880_000, 50)
	m.now += int64(10 * time.Minute)
	list := ask[bybit.LongShortRatioResult](t, a, "/v5/market/account-ratio?category=linear&symbol=BTCUSDT&period=5min&limit=4").List
	before := m.past.Ratio(in.ID, start)
	now := m.feed.LongShare(in.ID, before)
	if len(list) != 4 || !list[0].BuyRatio.Equal(shown(now, ratioScale)) || !list[2].BuyRatio.Equal(shown(m.past.Ratio(in.ID, list[2].Timestamp.UnixNano()), ratioScale)) {
		t.Errorf("%+v, want %s since the start", list, shown(now, ratioScale))
	}
	if now >= before {
		t.Errorf("%s are long after %s, and fifty went short", now, before)
	}
}

// TestMarkCandlesOfOptions: they begin with the run, and a page has 500 at most.
func TestMarkCandlesOfOptions(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	in := m.catalog.All(bybit.Option)[3]
	path := "/v5/market/mark-price-kline?category=option&interval=1&limit=1000&symbol=" + in.Symbol
	for range 600 {
		m.now += int64(time.Minute)
		m.bars.Minute(m.now / 60e9 * 60e9)
		m.bars.Value(m.now, in.ID, past.Mark, m.board.Mark(in.ID))
	}
	r := ask[bybit.MarkPriceKlineResult](t, a, path)
	if len(r.List) != 500 || !r.List[0].ClosePrice.Equal(trimmed(m.board.Mark(in.ID).Decimal(in.MarkScale))) {
		t.Errorf("%d candles of an option, the last %+v", len(r.List), r.List[0])
	}
}

func TestHistoricalVolatility(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	in := m.find(bybit.Linear, "ETHUSDT")
	values := func(query string) []bybit.Volatility {
		t.Helper()
		r, _ := get(t, a, "/v5/market/historical-volatility?category=option&baseCoin=ETH"+query)
		if !strings.HasPrefix(string(r.Body), `{"retCode":0,"retMsg":"SUCCESS","category":"option","result":[`) {
			t.Fatalf("%s: %.200s", query, r.Body)
		}
		var v bybit.HistoricalVolatilityResult
		if err := json.Unmarshal(r.Body, &v); err != nil {
			t.Fatal(err)
		}
		return v.List
	}
	last := m.now / hour * hour
	for _, days := range []int{7, 30, 270} {
		one := values(fmt.Sprintf("&period=%d", days))
		if len(one) != 1 || one[0].Time.UnixNano() != last || one[0].Period != int64(days) {
			t.Fatalf("%d days: %+v, want one of %s", days, one, time.Unix(0, last).UTC())
		}
		if v := one[0].Value; v.Cmp(decimal.MustParse("0.1")) < 0 || v.Cmp(decimal.MustParse("3")) > 0 {
			t.Errorf("%d days: a volatility of %s", days, v)
		}
		list := values(fmt.Sprintf("&period=%d&startTime=%d&endTime=%d", days, (last-720*hour)/1e6, last/1e6))
		if len(list) != 721 {
			t.Fatalf("%d days: %d hours, want 721", days, len(list))
		}
		for i, v := range list {
			if v.Time.UnixNano() != last-int64(i)*hour {
				t.Fatalf("%d days: hour %d is %s", days, i, v.Time)
			}
			if want := m.bars.Volatility(in.ID, days, v.Time.UnixNano()); want == 0 || !v.Value.Equal(shown(want, 8)) {
				t.Errorf("%d days before %s: %s, want %s", days, v.Time, v.Value, want)
			}
		}
	}
	// Two years ago there are hours, but not 270 days of them before.
	if list := values(fmt.Sprintf("&period=270&startTime=%d&endTime=%d", (last-720*24*hour)/1e6, (last-700*24*hour)/1e6)); len(list) != 0 {
		t.Errorf("%d values of which the past has not enough", len(list))
	}
	if list := values("&startTime=1&endTime=2"); len(list) != 0 {
		t.Errorf("of 1970: %+v", list)
	}
}
