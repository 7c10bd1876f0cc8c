package bybit_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

// market is what a venue has of one symbol: the times of its rows. It answers by the rules of
// the V5 pages: both bounds count, the newest of the span come, newest first, and
// never more than limit.
type market struct {
	times []int64 // Unix ms, ascending
	most  int     // rows of a page at most, whatever is asked for
	row   func(ms int64) string
	from  string // names of the bounds
	to    string

	exclusive bool // a row at the end of the span is not in it
}

func (m *market) answer(q url.Values, upTo int64) string {
	limit, err := strconv.Atoi(cmp.Or(q.Get("limit"), "50"))
	if err != nil || limit < 1 {
		return `{"retCode":10001,"retMsg":"limit"}`
	}
	limit = min(limit, m.most)
	first, _ := strconv.ParseInt(cmp.Or(q.Get(m.from), "0"), 10, 64)
	last, _ := strconv.ParseInt(cmp.Or(q.Get(m.to), "9000000000000000"), 10, 64)
	if m.exclusive {
		last--
	}
	var rows []string
	for _, ms := range slices.Backward(m.times) {
		if ms >= first && ms <= last && ms <= upTo && len(rows) < limit {
			rows = append(rows, m.row(ms))
		}
	}
	return fmt.Sprintf(`{"retCode":0,"retMsg":"OK","result":{"category":"linear","symbol":"BTCUSDT","list":[%s]},"time":%d}`, strings.Join(rows, ","), upTo)
}

// serves answers with the market as of now.
func (v *restVenue) serves(m *market) {
	v.serve(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, m.answer(r.URL.Query(), time.Now().UnixMilli()))
	})
}

func candleRow(ms int64) string { return fmt.Sprintf(`["%d","1","2","0.5","%d","3","4"]`, ms, ms%1000) }

func fundingRow(ms int64) string {
	return fmt.Sprintf(`{"symbol":"BTCUSDT","fundingRate":"0.0001","fundingRateTimestamp":"%d"}`, ms)
}

func openInterestRow(ms int64) string {
	return fmt.Sprintf(`{"openInterest":"5","singleOpenInterest":"2.5","timestamp":"%d"}`, ms)
}

// timesOf drains an iterator.
func timesOf[T any](seq iter.Seq2[T, error], at func(T) time.Time) (times []int64, err error) {
	for row, e := range seq {
		if err != nil {
			return times, errors.New("something follows the error")
		}
		if err = e; e == nil {
			times = append(times, at(row).UnixMilli())
		}
	}
	return times, err
}

func startOf(c bybit.Candle) time.Time            { return c.StartTime }
func paidAt(r bybit.FundingRate) time.Time        { return r.Time }
func takenAt(p bybit.OpenInterestPoint) time.Time { return p.Timestamp }

// between are the times in a span, both ends included.
func between(times []int64, from, to int64) []int64 {
	var in []int64
	for _, ms := range times {
		if ms >= from && ms <= to {
			in = append(in, ms)
		}
	}
	return in
}

// holed are times on a grid with holes: single ones, and a long one in the beginning
// as before a listing.
func holed(rnd *rand.Rand, first int64, n int, apart int64) []int64 {
	var times []int64
	listed := rnd.IntN(n)
	if rnd.IntN(2) == 0 {
		listed = 0
	}
	hole := 0
	for i := listed; i < n; i++ {
		if rnd.IntN(40) == 0 {
			hole = 1 + rnd.IntN(60)
		}
		if hole--; hole < 0 {
			times = append(times, first+int64(i)*apart)
		}
	}
	return times
}

// settles is how long after its end a candle is taken.
const settles = 2 * time.Second

// TestHistoryIsWhole walks random spans of random markets with random pages, stops in the
// middle and goes on: what comes is what the venue has, in order, each row once, whether the end of a
// span counts as part of it or not; and of candles also where the venue's pages are shorter than what is
// asked for.
func TestHistoryIsWhole(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		elapse(90 * 24 * time.Hour)
		c := v.client(nil)
		for seed := range uint64(150) {
			rnd := rand.New(rand.NewPCG(seed, 4))
			kind := rnd.IntN(3)
			apart := time.Minute
			interval := bybit.Interval1m
			if kind == 0 && rnd.IntN(2) == 0 {
				apart, interval = 4*time.Hour, bybit.Interval4h
			}
			if kind == 2 {
				apart = 5 * time.Minute
			}
			if kind == 1 {
				apart = time.Duration(1<<rnd.IntN(4)) * time.Hour
				if rnd.IntN(3) == 0 { // as no venue has them, so that rows lie on both sides of each bound
					apart = time.Millisecond
				}
			}
			n := 1 + rnd.IntN(600)
			// Candles begin on their grid; the newest is open, or closed long ago.
			last := time.Now().Truncate(apart).Add(-time.Duration(rnd.IntN(2)*rnd.IntN(300)) * apart)
			first := last.Add(-time.Duration(n-1) * apart)
			m := &market{times: holed(rnd, first.UnixMilli(), n, apart.Milliseconds()), most: 1000, row: candleRow, from: "start", to: "end"}
			limit := bybit.Some(1 + rnd.IntN(60))
			from := first.Add(time.Duration(rnd.Int64N(int64(time.Duration(n)*apart))) - 10*apart).Truncate(time.Millisecond)
			to := from.Add(time.Duration(rnd.Int64N(int64(time.Duration(n) * apart)))).Truncate(time.Millisecond)
			end := bybit.Some(to)
			if rnd.IntN(3) == 0 {
				end, to = bybit.Opt[time.Time]{}, time.Now()
			}
			want := between(m.times, from.UnixMilli(), to.UnixMilli())
			if m.exclusive = rnd.IntN(2) == 0 && apart > time.Millisecond; m.exclusive && end.IsSet() {
				want = between(want, 0, to.UnixMilli()-1)
			}
			var walk func(from time.Time) ([]int64, error)
			switch kind {
			case 0:
				if rnd.IntN(2) == 0 {
					m.most = 1 + rnd.IntN(60) // shorter than what is asked for, perhaps
				}
				for len(want) > 0 && time.UnixMilli(want[len(want)-1]).Add(apart+settles).After(time.Now()) {
					want = want[:len(want)-1] // open
				}
				walk = func(from time.Time) ([]int64, error) {
					p := &bybit.KlineParams{Symbol: "BTCUSDT", Interval: interval, Start: bybit.Some(from), End: end, Limit: limit}
					return timesOf(c.Market.AllKlines(t.Context(), p), startOf)
				}
			case 1:
				m.most, m.row, m.from, m.to = 200, fundingRow, "startTime", "endTime"
				walk = func(from time.Time) ([]int64, error) {
					p := &bybit.FundingHistoryParams{Category: bybit.Linear, Symbol: "BTCUSDT", StartTime: bybit.Some(from), EndTime: end, Limit: limit}
					return timesOf(c.Market.AllFundingHistory(t.Context(), p), paidAt)
				}
			case 2:
				m.most, m.row, m.from, m.to = 200, openInterestRow, "startTime", "endTime"
				walk = func(from time.Time) ([]int64, error) {
					p := &bybit.OpenInterestParams{Category: bybit.Linear, Symbol: "BTCUSDT", IntervalTime: bybit.Period5m, StartTime: bybit.Some(from), EndTime: end, Limit: limit}
					return timesOf(c.Market.AllOpenInterest(t.Context(), p), takenAt)
				}
			}
			v.serves(m)
			got, err := walk(from)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("seed %d, kind %d, exclusive %t, limit %d: error %v, %d rows, want %d\n got %v\nwant %v", seed, kind, m.exclusive, limit.Or(0), err, len(got), len(want), got, want)
			}
			if len(want) > 0 { // and from the middle on
				cut := rnd.IntN(len(want))
				if want[cut] == to.UnixMilli() {
					continue // there is no span behind it
				}
				rest, err := walk(time.UnixMilli(want[cut] + 1))
				if err != nil || !slices.Equal(rest, want[cut+1:]) {
					t.Fatalf("seed %d: going on behind row %d yields %d rows and %v, want %d", seed, cut, len(rest), err, len(want)-cut-1)
				}
			}
			v.requests()
			elapse(time.Minute) // the limits of the client fill up again
		}
	})
}

// TestHistoryCostsFewRequests pins what a walk asks for: full pages where there are rows,
// and few of the years before the listing; and that no span is longer than a year or ends more
// than a day from now.
func TestHistoryCostsFewRequests(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		elapse(10*24*time.Hour + settles)
		c := v.client(nil)
		m := &market{most: 1000, row: candleRow, from: "start", to: "end"}
		first := time.Now().Truncate(time.Minute).Add(-5000 * time.Minute)
		for i := range 5000 {
			m.times = append(m.times, first.Add(time.Duration(i)*time.Minute).UnixMilli())
		}
		v.serves(m)
		for _, tc := range []struct {
			from time.Time
			most int
		}{{first, 6}, {first.AddDate(-6, 0, 0), 60}} {
			p := &bybit.KlineParams{Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: bybit.Some(tc.from)}
			got, err := timesOf(c.Market.AllKlines(t.Context(), p), startOf)
			requests := v.requests()
			if asked := len(requests); err != nil || len(got) != 5000 || asked > tc.most {
				t.Errorf("from %s: %d candles, error %v, %d requests, want 5000 in at most %d", tc.from, len(got), err, asked, tc.most)
			}
			for _, r := range requests {
				q, _ := url.ParseQuery(r.query)
				from, _ := strconv.ParseInt(q.Get("start"), 10, 64)
				to, _ := strconv.ParseInt(q.Get("end"), 10, 64)
				if ahead := time.Until(time.UnixMilli(to)); ahead > 24*time.Hour || time.Duration(to-from)*time.Millisecond > 366*24*time.Hour {
					t.Errorf("asked for %s", r.line())
				}
			}
		}
	})
}

// TestHistoryOfLongCandles: weeks begin on Monday, months on the first, and the open one is left out.
func TestHistoryOfLongCandles(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		elapse(400*24*time.Hour + settles) // from 2000-01-01 to 2001-02-04, a Sunday
		c := v.client(nil)
		day := func(year, month, day int) int64 {
			return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).UnixMilli()
		}
		for _, tc := range []struct {
			interval bybit.Interval
			has      []int64
			want     int
		}{
			{bybit.Interval1w, []int64{day(2001, 1, 15), day(2001, 1, 22), day(2001, 1, 29)}, 2},
			{bybit.Interval1M, []int64{day(2000, 12, 1), day(2001, 1, 1), day(2001, 2, 1)}, 2},
			{bybit.Interval1d, []int64{day(2001, 2, 2), day(2001, 2, 3), day(2001, 2, 4)}, 2},
		} {
			v.serves(&market{times: tc.has, most: 1000, row: candleRow, from: "start", to: "end"})
			p := &bybit.KlineParams{Symbol: "BTCUSDT", Interval: tc.interval, Start: bybit.Some(time.UnixMilli(day(2000, 1, 1)))}
			got, err := timesOf(c.Market.AllKlines(t.Context(), p), startOf)
			if err != nil || !slices.Equal(got, tc.has[:tc.want]) {
				t.Errorf("%s at %s: %v, error %v, want %v", tc.interval, time.Now(), got, err, tc.has[:tc.want])
			}
		}
	})
}

// TestHistoryTakesCandlesThatSettled: a candle whose last trades still come is left out, as is
// the open one.
func TestHistoryTakesCandlesThatSettled(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		elapse(24 * time.Hour)
		c := v.client(nil)
		begin := time.Now().Truncate(time.Minute)
		end := begin.Add(time.Minute)
		volume := func() string {
			if time.Since(end) < time.Second {
				return "3"
			}
			return "4"
		}
		price := &market{most: 1000, from: "start", to: "end", times: []int64{begin.Add(-time.Minute).UnixMilli(), begin.UnixMilli()}}
		price.row = func(ms int64) string { return fmt.Sprintf(`["%d","1","2","0.5","1"]`, ms) }
		traded := *price
		traded.row = func(ms int64) string { return fmt.Sprintf(`["%d","1","2","0.5","1","%s","5"]`, ms, volume()) }
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			m := price
			if r.URL.Path == "/v5/market/kline" {
				m = &traded
			}
			io.WriteString(w, m.answer(r.URL.Query(), time.Now().UnixMilli()))
		})
		start := bybit.Some(begin.Add(-time.Minute))
		for _, tc := range []struct {
			after time.Duration
			want  int
		}{{-time.Second, 1}, {100 * time.Millisecond, 1}, {settles, 2}} {
			elapse(time.Until(end.Add(tc.after)))
			var last bybit.Candle
			n := 0
			for k, err := range c.Market.AllKlines(t.Context(), &bybit.KlineParams{Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: start}) {
				if err != nil {
					t.Fatal(err)
				}
				n, last = n+1, k
			}
			if n != tc.want || n == 2 && last.Volume.String() != "4" {
				t.Errorf("%s after the end: %d candles, want %d; the last one is %+v", tc.after, n, tc.want, last)
			}
			at := func(c bybit.PriceCandle) time.Time { return c.StartTime }
			for name, seq := range map[string]iter.Seq2[bybit.PriceCandle, error]{
				"mark":    c.Market.AllMarkPriceKlines(t.Context(), &bybit.MarkPriceKlineParams{Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: start}),
				"index":   c.Market.AllIndexPriceKlines(t.Context(), &bybit.IndexPriceKlineParams{Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: start}),
				"premium": c.Market.AllPremiumIndexKlines(t.Context(), &bybit.PremiumIndexKlineParams{Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: start}),
			} {
				if times, err := timesOf(seq, at); err != nil || len(times) != tc.want {
					t.Errorf("%s after the end: %d candles of the %s price, %v, want %d", tc.after, len(times), name, err, tc.want)
				}
			}
		}
	})
}

// TestHistoryByTheVenuesClock: a candle is open until the venue's clock says otherwise, even where
// replies do not tell the time and this machine is ahead.
func TestHistoryByTheVenuesClock(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		elapse(24 * time.Hour)
		c := v.client(nil)
		venueNow := func() time.Time { return time.Now().Add(-10 * time.Minute) }
		m := &market{most: 1000, row: candleRow, from: "start", to: "end"}
		first := venueNow().Truncate(time.Minute).Add(-5 * time.Minute)
		for i := range 6 {
			m.times = append(m.times, first.Add(time.Duration(i)*time.Minute).UnixMilli())
		}
		elapse(30 * time.Second)
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v5/market/time" {
				fmt.Fprintf(w, `{"retCode":0,"result":{"timeSecond":"%d","timeNano":"%d"},"time":%d}`, venueNow().Unix(), venueNow().UnixNano(), venueNow().UnixMilli())
				return
			}
			reply, _, _ := strings.Cut(m.answer(r.URL.Query(), venueNow().UnixMilli()), `,"time":`)
			io.WriteString(w, reply+"}")
		})
		p := &bybit.KlineParams{Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: bybit.Some(first)}
		got, err := timesOf(c.Market.AllKlines(t.Context(), p), startOf)
		if err != nil || !slices.Equal(got, m.times[:5]) {
			t.Errorf("candles %v, error %v, want %v", got, err, m.times[:5])
		}
	})
}

// TestHistoryInTwoLoops: two loops over one iterator do not disturb each other.
func TestHistoryInTwoLoops(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		elapse(24 * time.Hour)
		c := v.client(nil)
		m := &market{most: 1000, row: candleRow, from: "start", to: "end"}
		first := time.Now().Truncate(time.Minute).Add(-400 * time.Minute)
		for i := range 300 {
			m.times = append(m.times, first.Add(time.Duration(i)*time.Minute).UnixMilli())
		}
		v.serves(m)
		p := &bybit.KlineParams{Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: bybit.Some(first), Limit: bybit.Some(10)}
		seq := c.Market.AllKlines(t.Context(), p)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if got, err := timesOf(seq, startOf); err != nil || !slices.Equal(got, m.times) {
					t.Errorf("%d candles, error %v, want %d", len(got), err, len(m.times))
				}
			})
		}
		wg.Wait()
	})
}

func TestHistoryRefusesSpans(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		c := v.client(nil)
		now := time.Now()
		for _, tc := range []struct {
			p    *bybit.KlineParams
			says string
		}{
			{nil, "no length"},
			{&bybit.KlineParams{Interval: bybit.Interval1m}, "no start"},
			{&bybit.KlineParams{Interval: bybit.Interval1m, Start: bybit.Some(now), End: bybit.Some(now.Add(-time.Second))}, "ends"},
			{&bybit.KlineParams{Interval: "7x", Start: bybit.Some(now)}, `"7x"`},
		} {
			rows, err := timesOf(c.Market.AllKlines(t.Context(), tc.p), startOf)
			if len(rows) > 0 || err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%+v: %d rows, error %v, want one with %q", tc.p, len(rows), err, tc.says)
			}
		}
		v.wantAsked()
	})
}

// TestHistoryErrorIsLast: the rows before a failure come, then the failure, then nothing.
func TestHistoryErrorIsLast(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		elapse(24 * time.Hour)
		c := v.client(nil)
		first := time.Now().Truncate(time.Minute).Add(-30 * time.Minute)
		m := &market{most: 1000, row: candleRow, from: "start", to: "end"}
		for i := range 30 {
			m.times = append(m.times, first.Add(time.Duration(i)*time.Minute).UnixMilli())
		}
		n := 0
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 3 {
				io.WriteString(w, `{"retCode":10001,"retMsg":"no"}`)
				return
			}
			io.WriteString(w, m.answer(r.URL.Query(), time.Now().UnixMilli()))
		})
		p := &bybit.KlineParams{Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: bybit.Some(first), Limit: bybit.Some(10)}
		got, err := timesOf(c.Market.AllKlines(t.Context(), p), startOf)
		refused, ok := errors.AsType[*bybit.Error](err)
		if !ok || refused.Code != 10001 || !slices.Equal(got, m.times[:len(got)]) || len(got) < 18 {
			t.Errorf("%d rows, error %v", len(got), err)
		}
	})
}

// A server that does not keep to the bounds is told, not asked for ever.
func TestHistoryOfAServerWithoutBounds(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		c := v.client(nil)
		v.replies(`{"retCode":0,"result":{"list":[` + candleRow(1) + `]}}`)
		p := &bybit.KlineParams{Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: bybit.Some(time.Now()), Limit: bybit.Some(1)}
		if _, err := timesOf(c.Market.AllKlines(t.Context(), p), startOf); err == nil || !strings.Contains(err.Error(), "outside") {
			t.Errorf("error %v", err)
		}
	})
}

func TestAllTradesOldestFirst(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		c := v.client(nil)
		v.replies(`{"retCode":0,"result":{"category":"spot","list":[{"execId":"b","time":"2000"},{"execId":"a","time":"1000"}]}}`)
		var ids []string
		for trade, err := range c.Market.AllTrades(t.Context(), &bybit.TradesParams{Category: bybit.Spot, Symbol: bybit.Some("BTCUSDT")}) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, trade.ExecID)
		}
		if !slices.Equal(ids, []string{"a", "b"}) {
			t.Errorf("trades %q", ids)
		}
		v.wantAsked("GET /v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=60")
	})
}
