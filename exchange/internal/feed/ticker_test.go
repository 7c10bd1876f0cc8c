package feed

import (
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/price"
	"github.com/bywire/bywire/internal/wire"
)

func fixedOf(t *testing.T, s string) fixed.F {
	t.Helper()
	v, ok := fixed.FromDecimal(decimal.MustParse(s))
	if !ok {
		t.Fatalf("%s does not fit", s)
	}
	return v
}

// A linear ticker begins with a snapshot; then only what changes is sent, and nothing if nothing does.
func TestLinearTickerSendsWhatChanges(t *testing.T) {
	v := newVenue(t, "linear:BTCUSDT")
	in := v.find(bybit.Linear, "BTCUSDT")
	v.bars.open = map[catalog.ID]int64{in.ID: 880_000}
	v.feed = New(v.cat, v, v.board, v.bars, v, testStart)
	v.feed.markets[in.ID].interest.base = 246_184_860
	v.board.set(v, in.ID, func(q *quote) {
		q.mark, q.index = fixedOf(t, "66666.6"), fixedOf(t, "66660.12")
		q.funding, q.nextFunding = fixedOf(t, "-0.00008055"), testStart+8*hour
	})
	var frames []string
	v.every = func(topic *Topic, frame []byte) {
		if topic.Kind == wire.KindTickers {
			frames = append(frames, string(frame))
		}
	}
	expect := func(want ...string) {
		t.Helper()
		if strings.Join(frames, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(frames, "\n"), strings.Join(want, "\n"))
		}
		frames = nil
	}
	v.wait(100 * time.Millisecond)
	expect(`{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","tickDirection":"PlusTick","price24hPcnt":"0","lastPrice":"88000.00",` +
		`"prevPrice24h":"88000.00","highPrice24h":"88000.00","lowPrice24h":"88000.00","prevPrice1h":"88000.00","markPrice":"66666.60","indexPrice":"66660.12",` +
		`"openInterest":"492369.72","openInterestValue":"32824615175.35","singleOpenInterest":"246184.86","singleOpenInterestValue":"16412307587.68",` +
		`"turnover24h":"0.0000","volume24h":"0.0000","fundingIntervalHour":"8","fundingCap":"0.00375","nextFundingTime":"1767254400000",` +
		`"fundingRate":"-0.00008055","bid1Price":"","bid1Size":"","ask1Price":"","ask1Size":"","preOpenPrice":"","preQty":"","curPreListingPhase":""},` +
		`"cs":1,"ts":1767225600100}`)
	v.wait(time.Second)
	expect()
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Buy, Price: 879_990, Qty: 1500})
	v.wait(100 * time.Millisecond)
	expect(`{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","bid1Price":"87999.00","bid1Size":"1.500"},"cs":2,"ts":1767225601200}`)
	v.place(in.ID, engine.Order{Account: 2, Side: engine.Sell, Market: true, Qty: 500})
	v.board.set(v, in.ID, func(q *quote) { q.mark = fixedOf(t, "66666.61") })
	v.wait(100 * time.Millisecond)
	expect(`{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","tickDirection":"MinusTick","price24hPcnt":"-0.000011","lastPrice":"87999.00",` +
		`"lowPrice24h":"87999.00","markPrice":"66666.61","openInterest":"492370.72","openInterestValue":"32824686765.66","singleOpenInterest":"246185.36",` +
		`"singleOpenInterestValue":"16412343382.83","turnover24h":"43999.5000","volume24h":"0.5000","bid1Size":"1.000"},"cs":3,"ts":1767225601300}`)
	v.do(in.ID, func(b *engine.Book) []engine.Event { return b.Cancel(1, engine.ByUser) })
	v.wait(100 * time.Millisecond)
	expect(`{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","bid1Price":"","bid1Size":""},"cs":4,"ts":1767225601400}`)
	// A change that does not show in the digits is none.
	v.board.set(v, in.ID, func(q *quote) { q.funding++ })
	v.wait(time.Second)
	expect()
}

// The deltas, merged, are the ticker that a new subscriber gets, and what REST shows.
func TestTickerDeltasAddUp(t *testing.T) {
	v := newMarkets(t)
	in := v.find(bybit.Inverse, "BTCUSD")
	tr := newTrader(v, in.ID, 5, 880_000, 40)
	early := v.join(v.topic(wire.Inverse, "tickers.BTCUSD"))
	var merged bybit.Ticker
	deltas := 0
	for range 300 {
		for range 5 {
			tr.step()
		}
		v.board.set(v, in.ID, func(q *quote) { q.mark, q.index = fixed.FromInt(88_000+tr.r.Int64N(9)), fixed.FromInt(88_001) })
		seen := len(early.frames)
		v.wait(100 * time.Millisecond)
		for _, frame := range early.frames[seen:] {
			var m bybit.TickerMessage
			if err := m.Decode(frame); err != nil {
				t.Fatal(err)
			}
			if m.Snapshot {
				merged = m.Ticker
			} else {
				merged.Merge(&m.Ticker)
				deltas++
			}
		}
		late := v.feed.Snapshot(early.topic, nil)
		var m bybit.TickerMessage
		if err := m.Decode(late[0]); err != nil || !m.Snapshot {
			t.Fatal(err, m.Snapshot)
		}
		if m.Ticker != merged {
			t.Fatalf("a new subscriber gets\n%+v\nthe deltas make\n%+v", m.Ticker, merged)
		}
	}
	if deltas < 100 {
		t.Errorf("only %d deltas", deltas)
	}
}

// The figures of the documentation's example of an option, and of recorded ones.
func TestOptionTicker(t *testing.T) {
	const symbol = "BTC-2JAN26-88000-C-USDT"
	v := newVenue(t, "option:"+symbol)
	in := v.find(bybit.Option, symbol)
	v.board.iv = fixedOf(t, "0.514")
	v.board.set(v, in.ID, func(q *quote) {
		q.mark, q.index = fixedOf(t, "7.86976724"), fixedOf(t, "16823.73")
		q.option = price.OptionMark{
			Greeks: price.Greeks{Delta: fixedOf(t, "0.047831"), Gamma: fixedOf(t, "0.00021453"), Vega: fixedOf(t, "0.81351067"), Theta: fixedOf(t, "-19.9115368")},
			Vol:    fixedOf(t, "0.4896"), Underlying: fixedOf(t, "16815.1"),
		}
	})
	base := v.feed.markets[in.ID].interest
	base.base = 4985
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Sell, Price: 3, Qty: 510})
	v.place(in.ID, engine.Order{Account: 2, Side: engine.Buy, Market: true, Qty: 10})
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Sell, Price: 2, Qty: 10})
	v.place(in.ID, engine.Order{Account: 2, Side: engine.Buy, Market: true, Qty: 10})
	c := v.join(v.topic(wire.Option, "tickers."+symbol))
	v.wait(100 * time.Millisecond)
	want := `{"id":"tickers.BTC-2JAN26-88000-C-USDT-5-1767225600100","topic":"tickers.BTC-2JAN26-88000-C-USDT","ts":1767225600100,"data":{"symbol":"BTC-2JAN26-88000-C-USDT",` +
		`"bidPrice":"0","bidSize":"0","bidIv":"0","askPrice":"15","askSize":"5","askIv":"0.514","lastPrice":"10","highPrice24h":"15","lowPrice24h":"10",` +
		`"markPrice":"7.86976724","indexPrice":"16823.73","markPriceIv":"0.4896","underlyingPrice":"16815.1","openInterest":"50.05","turnover24h":"2.5","volume24h":"0.2",` +
		`"totalVolume":"0","totalTurnover":"2","delta":"0.047831","gamma":"0.00021453","vega":"0.81351067","theta":"-19.9115368","predictedDeliveryPrice":"0",` +
		`"change24h":"-0.33333334"},"type":"snapshot"}`
	if len(c.frames) != 1 || string(c.frames[0]) != want {
		t.Errorf("got\n%s\nwant\n%s", c.frames, want)
	}
}

// A spot ticker has its own interval, digits and no best prices; REST's has them.
func TestSpotTicker(t *testing.T) {
	v := newVenue(t, "spot:BTCUSDT")
	in := v.find(bybit.Spot, "BTCUSDT")
	v.board.usd = fixedOf(t, "21120.2400136")
	c := v.join(v.topic(wire.Spot, "tickers.BTCUSDT"))
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Sell, Price: 211_090, Qty: 1_500_000})
	v.place(in.ID, engine.Order{Account: 2, Side: engine.Buy, Market: true, Qty: 20})
	v.wait(50 * time.Millisecond)
	want := `{"topic":"tickers.BTCUSDT","ts":1767225600050,"type":"snapshot","cs":3,"data":{"symbol":"BTCUSDT","lastPrice":"21109","highPrice24h":"21109",` +
		`"lowPrice24h":"21109","prevPrice24h":"21109","volume24h":"0.00002","turnover24h":"0.42218","price24hPcnt":"0","usdIndexPrice":"21120.2400136"}}`
	if len(c.frames) != 1 || string(c.frames[0]) != want {
		t.Errorf("got\n%s\nwant\n%s", c.frames, want)
	}
	if rest, ok := v.feed.Ticker(in.ID); !ok || rest.AskPrice.String() != "21109" || rest.AskSize.String() != "1.49998" || rest.BidPrice.IsSet() {
		t.Errorf("REST shows %+v", rest)
	}
}

// The numbers of recorded dated futures: BTCUSDM23 of 2023-04-22.
func TestFutureTicker(t *testing.T) {
	v := newVenue(t, "BTCUSDH26")
	in := v.find(bybit.Inverse, "BTCUSDH26")
	v.bars.open = map[catalog.ID]int64{in.ID: 276_250}
	v.feed = New(v.cat, v, v.board, v.bars, v, testStart)
	v.feed.markets[in.ID].interest.base = 1_188_063 // both sides 2376126
	v.board.set(v, in.ID, func(q *quote) {
		q.mark, q.index = fixedOf(t, "27603.76"), fixedOf(t, "27309.94")
		q.basis = price.Basis{Basis: fixedOf(t, "315.06"), Rate: fixedOf(t, "0.01075872"), Year: fixedOf(t, "0.0469")}
	})
	c := v.join(v.topic(wire.Inverse, "tickers.BTCUSDH26"))
	v.wait(100 * time.Millisecond)
	for _, part := range []string{
		`"openInterest":"2376126","openInterestValue":"86.08"`, `"deliveryTime":"2026-03-27T08:00:00Z","basisRate":"0.01075872"`,
		`"predictedDeliveryPrice":"0.00","basis":"315.06","basisRateYear":"0.04690000","nextFundingTime":"","fundingRate":""`,
	} {
		if len(c.frames) != 1 || !strings.Contains(string(c.frames[0]), part) {
			t.Errorf("%s is not in %s", part, c.frames)
		}
	}
}

// How a change of price is rounded, by recorded frames: BTCUSDT linear of 2025-10-13 and 2023-04-05, BTCPERP and
// spot of 2023 and 2024, and options of 2023.
func TestChangesAreRoundedAsRecorded(t *testing.T) {
	for _, row := range []struct {
		now, then int64
		scale     int
		how       decimal.Rounding
		want      string
	}{
		{6666660, 7920620, 6, decimal.ToZero, "-0.158315"},
		{2855070, 2789970, 6, decimal.ToZero, "0.023333"},
		{6194570, 6199120, 6, decimal.ToZero, "-0.000733"},
		{2110977, 2070493, 4, decimal.HalfEven, "0.0196"},
		{2757999, 2900597, 4, decimal.HalfEven, "-0.0492"},
		{10, 15, 8, decimal.Floor, "-0.33333334"},
		{8, 9, 8, decimal.Floor, "-0.11111112"},
		{40, 520, 8, decimal.Floor, "-0.92307693"},
		{5, 5, 6, decimal.ToZero, "0"},
		{5, 0, 6, decimal.ToZero, "0"},
	} {
		if got := change(row.now, row.then, row.scale, row.how); got.String() != row.want {
			t.Errorf("from %d to %d: %s, want %s", row.then, row.now, got, row.want)
		}
	}
}

// Of every instrument, what has traded in 24 hours has an average price that lies between the lowest and the highest: volumes,
// turnovers and prices are in the units that belong together.
func TestTurnoverFitsVolume(t *testing.T) {
	v := newVenue(t)
	v.feed = New(v.cat, v, v.board, past.NewStore(past.New(7, v.cat, testStart)), v, testStart)
	checked := make(map[bybit.Category]int)
	for _, in := range v.cat.Live() {
		ticks := v.feed.LastPrice(in.ID)
		if ticks == 0 {
			ticks = 123
		}
		v.place(in.ID, engine.Order{Account: 1, Side: engine.Sell, Price: ticks, Qty: 1_000_000})
		v.place(in.ID, engine.Order{Account: 2, Side: engine.Buy, Market: true, Qty: 1_000_000})
		tk, ok := v.feed.Ticker(in.ID)
		if !ok || tk.Volume24h.Sign() <= 0 || tk.LowPrice24h.Cmp(tk.HighPrice24h) > 0 {
			t.Errorf("%s: %+v", in.Symbol, tk)
			continue
		}
		if in.Kind == catalog.Spread {
			continue // has no turnover
		}
		value, amount := tk.Turnover24h, tk.Volume24h
		if in.Inverse {
			value, amount = amount, value
		}
		average, err := value.Quo(amount, 12, decimal.HalfEven)
		// Turnover is rounded to the digits that tickers have; inverse to four.
		slack := decimal.MustParse("1.0001")
		low, _ := average.Mul(slack)
		high, _ := tk.HighPrice24h.Mul(slack)
		if err != nil || low.Cmp(tk.LowPrice24h) < 0 || average.Cmp(high) > 0 {
			t.Errorf("%s %s: volume %s, turnover %s: an average of %s, not between %s and %s", in.Category, in.Symbol, tk.Volume24h, tk.Turnover24h,
				average, tk.LowPrice24h, tk.HighPrice24h)
		}
		checked[in.Category]++
	}
	if checked[bybit.Spot] < 5 || checked[bybit.Linear] < 5 || checked[bybit.Inverse] < 3 || checked[bybit.Option] < 100 {
		t.Errorf("checked %v", checked)
	}
}
