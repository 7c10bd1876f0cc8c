package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

// klineVenue is both ends of a market of minutes: what closed over REST, what happens as a
// stream.
type klineVenue struct {
	rest   *restVenue
	stream *venue
	market *market
}

func inKlineBubble(t *testing.T, f func(t *testing.T, v *klineVenue, c *bybit.Client)) {
	inRESTBubble(t, func(t *testing.T, rest *restVenue) {
		elapse(24 * time.Hour)
		v := &klineVenue{rest: rest, stream: newVenue(t), market: &market{most: 1000, row: candleRow, from: "start", to: "end"}}
		defer v.stream.stop()
		rest.serves(v.market)
		c, err := bybit.NewClient(&bybit.Options{
			Environment: bybit.CustomEnvironment("ws://venue", "http://rest"),
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if strings.HasPrefix(addr, "rest") {
					return rest.ln.Dial(ctx, network, addr)
				}
				return v.stream.ln.Dial(ctx, network, addr)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		f(t, v, c)
	})
}

// push sends a state of the candle to who is connected.
func (v *klineVenue) push(start time.Time, confirm bool) {
	if v.stream.connects() == 0 {
		return
	}
	v.stream.last().send(klineFrame(start, confirm))
}

func klineFrame(start time.Time, confirm bool) string {
	return fmt.Sprintf(`{"topic":"kline.1.BTCUSDT","data":[{"start":%d,"end":%d,"interval":"1","open":"1","close":"%d","high":"2","low":"0.5","volume":"3","turnover":"4","confirm":%t,"timestamp":%[5]d}],"ts":%[5]d,"type":"snapshot"}`,
		start.UnixMilli(), start.Add(time.Minute).UnixMilli()-1, start.UnixMilli()%1000, confirm, time.Now().UnixMilli())
}

// TestKlinesThenLiveIsWhole lets random markets go on for hours with connections that are lost,
// confirmations that never come or come twice, and REST that fails: each candle comes once, in order.
func TestKlinesThenLiveIsWhole(t *testing.T) {
	for seed := range uint64(12) {
		inKlineBubble(t, func(t *testing.T, v *klineVenue, c *bybit.Client) {
			rnd := rand.New(rand.NewPCG(seed, 9))
			const past, live = 100, 150
			begin := time.Now().Truncate(time.Minute)
			v.market.times = holed(rnd, begin.Add(-past*time.Minute).UnixMilli(), past+live+1, 60_000)
			has := func(at time.Time) bool { return slices.Contains(v.market.times, at.UnixMilli()) }
			var mu sync.Mutex // guards down
			down := false
			v.rest.serve(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if down {
					w.WriteHeader(http.StatusBadGateway)
					return
				}
				io.WriteString(w, v.market.answer(r.URL.Query(), time.Now().UnixMilli()))
			})
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				defer cancel()
				elapse(time.Duration(rnd.IntN(60)) * time.Second)
				for i := range live {
					start := begin.Add(time.Duration(i) * time.Minute)
					for range rnd.IntN(4) {
						elapse(10 * time.Second)
						if has(start) && time.Now().Before(start.Add(time.Minute)) {
							v.push(start, false)
						}
					}
					switch rnd.IntN(12) {
					case 0:
						if v.stream.connects() > 0 {
							v.stream.last().cut()
						}
					case 1:
						mu.Lock()
						down = i < live-30 && !down
						mu.Unlock()
					}
					elapse(time.Until(start.Add(time.Minute + 30*time.Millisecond)))
					if has(start) && rnd.IntN(6) > 0 {
						v.push(start, true)
						if rnd.IntN(6) == 0 {
							v.push(start, true)
						}
					}
				}
				mu.Lock()
				down = false
				mu.Unlock()
				elapse(11 * time.Minute) // longer than the longest wait for REST
			})
			defer wg.Wait()
			defer cancel()
			var got []int64
			open := int64(0)
			for k, err := range c.Market.KlinesThenLive(ctx, &bybit.KlinesThenLiveParams{Category: bybit.Linear, Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: begin.Add(-past * time.Minute), Open: true}) {
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Errorf("seed %d: %v", seed, err)
					}
					continue
				}
				at := k.Start.UnixMilli()
				switch {
				case k.Confirm:
					got = append(got, at)
				case len(got) > 0 && at <= got[len(got)-1]:
					t.Errorf("seed %d: the candle of %s is open again", seed, k.Start)
				default:
					open++
				}
			}
			if want := between(v.market.times, 0, begin.Add(live*time.Minute).UnixMilli()); !slices.Equal(got, want) {
				t.Errorf("seed %d: %d candles, want %d\n got %v\nwant %v", seed, len(got), len(want), got, want)
			}
			if open == 0 {
				t.Errorf("seed %d: no open candle came", seed)
			}
		})
	}
}

// TestKlinesThenLiveTakesTheStream: where nothing is lost each candle comes when the stream brings
// it, and REST is asked for the past only.
func TestKlinesThenLiveTakesTheStream(t *testing.T) {
	inKlineBubble(t, func(t *testing.T, v *klineVenue, c *bybit.Client) {
		begin := time.Now().Truncate(time.Minute)
		elapse(30 * time.Second)
		for i := range 20 {
			v.market.times = append(v.market.times, begin.Add(time.Duration(i-5)*time.Minute).UnixMilli())
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 10 {
				start := begin.Add(time.Duration(i) * time.Minute)
				elapse(time.Until(start.Add(time.Minute)))
				v.push(start, true)
			}
		})
		defer wg.Wait()
		n := 0
		for k, err := range c.Market.KlinesThenLive(t.Context(), &bybit.KlinesThenLiveParams{Category: bybit.Linear, Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: begin.Add(-5 * time.Minute)}) {
			if err != nil {
				t.Fatal(err)
			}
			if late := time.Since(k.End); n >= 5 && late > time.Second {
				t.Errorf("the candle of %s came %s after its end", k.Start, late)
			}
			if n++; n == 15 {
				break
			}
		}
		if asked := v.rest.asked(); len(asked) != 1 {
			t.Errorf("REST was asked\n%s", strings.Join(asked, "\n"))
		}
	})
}

// TestKlinesThenLiveOverAFlappingConnection: losses within a candle do not put off the question
// for it, nor does one right at its end.
func TestKlinesThenLiveOverAFlappingConnection(t *testing.T) {
	inKlineBubble(t, func(t *testing.T, v *klineVenue, c *bybit.Client) {
		begin := time.Now().Truncate(time.Hour)
		end := begin.Add(time.Hour)
		v.market.times = []int64{begin.UnixMilli(), end.UnixMilli()}
		elapse(55 * time.Minute)
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 6 {
				elapse(40 * time.Second)
				v.stream.last().cut()
			}
			elapse(time.Until(end.Add(-time.Second)))
			v.stream.last().cut()
		})
		defer wg.Wait()
		for k, err := range c.Market.KlinesThenLive(t.Context(), &bybit.KlinesThenLiveParams{Category: bybit.Linear, Symbol: "BTCUSDT", Interval: bybit.Interval1h, Start: begin}) {
			if late := time.Since(end); err != nil || !k.Start.Equal(begin) || late > 10*time.Second {
				t.Errorf("the candle of %s came %s after its end, error %v", k.Start, late, err)
			}
			break
		}
	})
}

// TestKlinesThenLiveWaitsOutFailuresOfThePast: REST that fails in the middle of the past is asked
// again.
func TestKlinesThenLiveWaitsOutFailuresOfThePast(t *testing.T) {
	for _, failure := range []func(http.ResponseWriter){
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) },
		func(w http.ResponseWriter) {
			io.WriteString(w, `{"retCode":10018,"retMsg":"Exceeded the IP Rate Limit."}`)
		},
		func(w http.ResponseWriter) { io.WriteString(w, `{"retCode":10016,"retMsg":"Server error"}`) },
	} {
		klinesWaitOut(t, failure)
	}
}

func klinesWaitOut(t *testing.T, failure func(http.ResponseWriter)) {
	inKlineBubble(t, func(t *testing.T, v *klineVenue, c *bybit.Client) {
		elapse(24*time.Hour + 30*time.Second)
		first := time.Now().Truncate(time.Minute).Add(-2500 * time.Minute)
		for i := range 2500 {
			v.market.times = append(v.market.times, first.Add(time.Duration(i)*time.Minute).UnixMilli())
		}
		asked := 0
		var down time.Time
		v.rest.serve(func(w http.ResponseWriter, r *http.Request) {
			if asked++; asked == 3 {
				down = time.Now().Add(time.Minute)
			}
			if time.Now().Before(down) {
				failure(w)
				return
			}
			io.WriteString(w, v.market.answer(r.URL.Query(), time.Now().UnixMilli()))
		})
		var got []int64
		for k, err := range c.Market.KlinesThenLive(t.Context(), &bybit.KlinesThenLiveParams{Category: bybit.Linear, Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: first}) {
			if err != nil {
				t.Fatalf("%d candles, then %v", len(got), err)
			}
			if got = append(got, k.Start.UnixMilli()); len(got) == 2500 {
				break
			}
		}
		if !slices.Equal(got, v.market.times) {
			t.Errorf("%d candles, not those of the market", len(got))
		}
	})
}

func TestKlinesThenLiveEndsWithWhatCannotPass(t *testing.T) {
	inKlineBubble(t, func(t *testing.T, v *klineVenue, c *bybit.Client) {
		v.rest.replies(`{"retCode":10001,"retMsg":"no such symbol"}`)
		p := &bybit.KlinesThenLiveParams{Category: bybit.Linear, Symbol: "BTCUSDT", Interval: bybit.Interval1m, Start: time.Now()}
		errs := 0
		for _, err := range c.Market.KlinesThenLive(t.Context(), p) {
			if refused, ok := errors.AsType[*bybit.Error](err); !ok || refused.Code != 10001 {
				t.Errorf("error %v", err)
			}
			errs++
		}
		if errs != 1 {
			t.Errorf("%d errors", errs)
		}
		for _, wrong := range []*bybit.KlinesThenLiveParams{nil, {Interval: bybit.Interval1m}, {Interval: "x", Start: time.Now()}} {
			for _, err := range c.Market.KlinesThenLive(t.Context(), wrong) {
				if err == nil {
					t.Errorf("%+v yields a candle", wrong)
				}
			}
		}
	})
}
