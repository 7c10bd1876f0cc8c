package bybit_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/memnet"
)

// localPast is an exchange in memory, at a time of its own, with candles and funding rates of
// the two months before. A stream of candles brings the frame.
func localPast(now time.Time, frame string) (*bybit.Options, func()) {
	grid := func(apart time.Duration) (times []int64) {
		for at := now.AddDate(0, -2, 0).Truncate(apart); !at.After(now); at = at.Add(apart) {
			times = append(times, at.UnixMilli())
		}
		return times
	}
	candle := func(ms int64) string {
		at := time.UnixMilli(ms).UTC()
		return fmt.Sprintf(`["%d","87000","%d","86000","87000.5","1.25","108750"]`, ms, 88000+100*at.Day()+at.Hour())
	}
	funding := &market{times: grid(8 * time.Hour), most: 200, row: fundingRow, from: "startTime", to: "endTime"}
	candles := map[string]*market{
		"1":  {times: grid(time.Minute), most: 1000, row: candle, from: "start", to: "end"},
		"60": {times: grid(time.Hour), most: 1000, row: candle, from: "start", to: "end"},
	}
	ln := memnet.Listen("rest")
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := funding
		if r.URL.Path == "/v5/market/kline" {
			m = candles[r.URL.Query().Get("interval")]
		}
		io.WriteString(w, m.answer(r.URL.Query(), now.UnixMilli()))
	})}
	go srv.Serve(ln)
	options, stop := localVenue(map[string][]string{"kline.1.BTCUSDT": {frame}}, "")
	stream := options.DialContext
	options.Environment = bybit.CustomEnvironment("ws://venue", "http://rest")
	options.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "rest") {
			return ln.Dial(ctx, network, addr)
		}
		return stream(ctx, network, addr)
	}
	return options, func() { srv.Close(); stop() }
}

// The candles of a month, however many pages that takes, one after the other.
func ExampleMarketService_AllKlines() {
	options, stop := localPast(time.Date(2026, 2, 15, 12, 0, 0, 0, time.UTC), "")
	defer stop()
	ctx := context.Background()
	client, err := bybit.NewClient(options) // nil for the exchange itself
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	january := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	params := &bybit.KlineParams{
		Symbol: "BTCUSDT", Interval: bybit.Interval1h, // of the perpetual, unless Category says otherwise
		Start: bybit.Some(january), End: bybit.Some(january.AddDate(0, 1, 0).Add(-time.Millisecond)),
	}
	n := 0
	var highest bybit.Candle
	for candle, err := range client.Market.AllKlines(ctx, params) {
		if err != nil {
			log.Fatal(err) // what came before it is good: go on behind it
		}
		n++
		if n == 1 || candle.HighPrice.Cmp(highest.HighPrice) > 0 {
			highest = candle
		}
	}
	fmt.Println(n, "candles, the highest price is", highest.HighPrice, "on", highest.StartTime.Format("2 January 15:04"))
	// Output: 744 candles, the highest price is 91123 on 31 January 23:00
}

// What a long position paid for funding in a month, as a share of its value.
func ExampleMarketService_AllFundingHistory() {
	options, stop := localPast(time.Date(2026, 2, 15, 12, 0, 0, 0, time.UTC), "")
	defer stop()
	ctx := context.Background()
	client, err := bybit.NewClient(options)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	params := &bybit.FundingHistoryParams{
		Category: bybit.Linear, Symbol: "BTCUSDT",
		StartTime: bybit.Some(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		EndTime:   bybit.Some(time.Date(2026, 1, 31, 23, 59, 0, 0, time.UTC)),
	}
	n, paid := 0, decimal.FromInt(0)
	for funding, err := range client.Market.AllFundingHistory(ctx, params) {
		if err != nil {
			log.Fatal(err)
		}
		n++
		if paid, err = paid.Add(funding.Rate); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(n, "times, together", paid)
	// Output: 93 times, together 0.0093
}

// The last candles, and then each one as it closes: a program that starts, or starts again,
// misses none in between.
func ExampleMarketService_KlinesThenLive() {
	now := time.Date(2026, 2, 15, 12, 3, 30, 0, time.UTC)
	closes := fmt.Sprintf(`{"topic":"kline.1.BTCUSDT","type":"snapshot","ts":1771157040000,"data":[{"start":%d,"end":%d,"interval":"1","open":"87000","close":"87432.1","high":"87500","low":"86990","volume":"1","turnover":"87100","confirm":true,"timestamp":1771157039998}]}`,
		now.Truncate(time.Minute).UnixMilli(), now.Truncate(time.Minute).Add(time.Minute).UnixMilli()-1)
	options, stop := localPast(now, closes)
	defer stop()
	ctx := context.Background()
	client, err := bybit.NewClient(options)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	params := &bybit.KlinesThenLiveParams{
		Category: bybit.Linear, Symbol: "BTCUSDT", Interval: bybit.Interval1m,
		Start: time.Date(2026, 2, 15, 12, 0, 0, 0, time.UTC), // behind the last one that you have
	}
	for candle, err := range client.Market.KlinesThenLive(ctx, params) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(candle.Start.Format("15:04"), candle.Close)
		if candle.Start.Minute() == 3 {
			break // it would go on for ever
		}
	}
	// Output:
	// 12:00 87000.5
	// 12:01 87000.5
	// 12:02 87000.5
	// 12:03 87432.1
}
