package feed

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/internal/wire"
)

// A candle is pushed when it changes, each second at most, and with confirm when it ends; one without trades only then.
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
