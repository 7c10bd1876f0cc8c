package feed

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/internal/wire"
)

// A candle is pushed when it changes, each second at most, and with confirm when it ends; one without trades only
// then.
func TestKlines(t *testing.T) {
	v := newVenue(t, "linear:BTCUSDT")
	in := v.find(bybit.Linear, "BTCUSDT")
	frames := v.framesOf(wire.Linear, "kline.1.BTCUSDT")
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Sell, Price: 880_000, Qty: 10})
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Sell, Price: 880_010, Qty: 1000})
	buy := func(lots int64) { v.place(in.ID, engine.Order{Account: 2, Side: engine.Buy, Market: true, Qty: lots}) }
	v.wait(1500 * time.Millisecond)
	if len(*frames) != 0 {
		t.Errorf("a candle without any trade: %s", *frames)
	}
	buy(5)
	buy(1)
	v.wait(3 * time.Second)
	buy(24)
	v.wait(3 * time.Minute)
	frame := func(start int, prices, volume string, confirm bool, last, ts int) string {
		at := 1767225600000 + start*1000
		return fmt.Sprintf(`{"topic":"kline.1.BTCUSDT","data":[{"start":%d,"end":%d,"interval":"1",%s,%s,"confirm":%t,"timestamp":%d}],"ts":%d,"type":"snapshot"}`,
			at, at+59_999, prices, volume, confirm, 1767225600000+last, 1767225600000+ts)
	}
	const first, both, flat = `"open":"88000","close":"88000","high":"88000","low":"88000"`, `"open":"88000","close":"88001","high":"88001","low":"88000"`,
		`"open":"88001","close":"88001","high":"88001","low":"88001"`
	want := []string{
		frame(0, first, `"volume":"0.006","turnover":"528"`, false, 1500, 2000),
		frame(0, both, `"volume":"0.03","turnover":"2640.02"`, false, 4500, 5000),
		frame(0, both, `"volume":"0.03","turnover":"2640.02"`, true, 4500, 60_000),
		frame(60, flat, `"volume":"0","turnover":"0"`, true, 60_000, 120_000),
		frame(120, flat, `"volume":"0","turnover":"0"`, true, 120_000, 180_000),
	}
	if !slices.Equal(*frames, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(*frames, "\n"), strings.Join(want, "\n"))
	}
	// Who joins gets the candle that is open.
	joined := v.feed.Snapshot(v.topic(wire.Linear, "kline.1.BTCUSDT"), nil)
	if want := frame(180, flat, `"volume":"0","turnover":"0"`, false, 180_000, 184_500); len(joined) != 1 || string(joined[0]) != want {
		t.Errorf("got %s, want %s", joined, want)
	}
}

// With the store of candles that REST reads: each candle that has ended on the stream is the store's, to the digit,
// and the ticker's last 24 hours go on from the past.
func TestCandlesOfStreamAndStoreAreTheSame(t *testing.T) {
	v := newMarkets(t)
	store := past.NewStore(past.New(7, v.cat, testStart))
	v.feed = New(v.cat, v, v.board, store, v, testStart)
	in := v.find(bybit.Linear, "BTCUSDT")
	before := store.Day(in.ID)
	if before.Volume == 0 || before.Last != v.feed.LastPrice(in.ID) {
		t.Fatalf("the past ends with %+v, the feed begins with %d", before, v.feed.LastPrice(in.ID))
	}
	ended := make(map[string]map[int64]bybit.Kline)
	v.every = func(topic *Topic, frame []byte) {
		if topic.Kind != wire.KindKlines || topic.ID != in.ID {
			return
		}
		var m bybit.KlineMessage
		if err := m.Decode(frame); err != nil {
			t.Fatal(err)
		}
		if k := m.Klines[0]; k.Confirm {
			if ended[topic.Name] == nil {
				ended[topic.Name] = make(map[int64]bybit.Kline)
			}
			ended[topic.Name][k.Start.UnixNano()] = k
		}
	}
	tr := newTrader(v, in.ID, 2, before.Last, 50)
	v.atMinute = store.Minute
	for range 1000 {
		tr.step()
		tr.step()
		v.wait(time.Duration(tr.r.IntN(4000)) * time.Millisecond)
	}
	v.wait(time.Minute)
	bars := 0
	for name, list := range ended {
		i, _ := past.ParseInterval(strings.Split(name, ".")[1])
		for _, bar := range store.Bars(nil, in.ID, past.Trade, i, testStart-day, v.now, 0) {
			k, ok := list[bar.Start]
			if bar.Start < i.Start(testStart) || i.End(bar.Start) > v.now-second {
				continue
			}
			bars++
			want := bybit.Kline{
				Start: k.Start, End: k.End, Interval: k.Interval, Confirm: true, Time: k.Time,
				Open: trimmedPrice(in, bar.Open), Close: trimmedPrice(in, bar.Close), High: trimmedPrice(in, bar.High), Low: trimmedPrice(in, bar.Low),
				Volume: trimmedQty(in, bar.Volume), Turnover: trimmed(bar.Turnover.Value(in)),
			}
			if !ok || k != want {
				t.Errorf("%s at %d: pushed %+v (%t), the store has %+v", name, bar.Start, k, ok, want)
			}
		}
	}
	if bars < 50 || len(ended) < 5 {
		t.Errorf("%d candles of %d lengths have ended", bars, len(ended))
	}
	after, _ := v.feed.Ticker(in.ID)
	if gone := before.Volume + v.lots[in.ID]; after.Volume24h.Cmp(in.Qty(gone)) > 0 || after.Volume24h.Cmp(in.Qty(gone*9/10)) < 0 {
		t.Errorf("volume of 24 hours %s; it was %s and %s have traded", after.Volume24h, in.Qty(before.Volume), in.Qty(v.lots[in.ID]))
	}
}
