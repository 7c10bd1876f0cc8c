package feed

import (
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/internal/wire"
)

// tape collects the trades of a topic.
type tape struct {
	trades   []bybit.Trade
	messages [][]bybit.Trade
}

// record makes all topics wanted, and collects the trades of one.
func (v *venue) record(name string, ch wire.Channel) *tape {
	tp := &tape{}
	v.every = func(t *Topic, frame []byte) {
		if t.Name != name || t.Channel != ch {
			return
		}
		var m bybit.TradesMessage
		if err := m.Decode(frame); err != nil {
			v.t.Fatal(err)
		}
		tp.messages = append(tp.messages, m.Trades)
		tp.trades = append(tp.trades, m.Trades...)
	}
	return tp
}

// A ladder of asks is bought through: one message, prices up, the RPI order flagged, each trade with the taker's
// side.
func TestTradesOfACommand(t *testing.T) {
	v := newVenue(t, "linear:BTCUSDT")
	id := v.find(bybit.Linear, "BTCUSDT").ID
	tp := v.record("publicTrade.BTCUSDT", wire.Linear)
	for _, o := range []engine.Order{
		{Side: engine.Sell, Price: 880_001, Qty: 5},
		{Side: engine.Sell, Price: 880_001, Qty: 7, TIF: engine.RPI},
		{Side: engine.Sell, Price: 880_003, Qty: 1000},
		{Side: engine.Buy, Price: 880_000, Qty: 9},
	} {
		o.Account = 1
		v.place(id, o)
	}
	if len(tp.messages) != 0 {
		t.Fatal("trades without trades")
	}
	v.wait(7 * time.Millisecond)
	v.place(id, engine.Order{Account: 2, Side: engine.Buy, Market: true, Qty: 14, SeesRPI: true})
	v.place(id, engine.Order{Account: 2, Side: engine.Sell, Market: true, Qty: 3})
	v.place(id, engine.Order{Account: 2, Side: engine.Sell, Market: true, Qty: 4})
	if len(tp.messages) != 3 || len(tp.messages[0]) != 3 {
		t.Fatalf("%d messages, the first of %d trades", len(tp.messages), len(tp.messages[0]))
	}
	want := []struct {
		price, size string
		side        bybit.Side
		direction   bybit.TickDirection
		rpi         bool
	}{
		{"88000.10", "0.005", bybit.Buy, bybit.PlusTick, false},
		{"88000.10", "0.007", bybit.Buy, bybit.ZeroPlusTick, true},
		{"88000.30", "0.002", bybit.Buy, bybit.PlusTick, false},
		{"88000.00", "0.003", bybit.Sell, bybit.MinusTick, false},
		{"88000.00", "0.004", bybit.Sell, bybit.ZeroMinusTick, false},
	}
	for i, w := range want {
		got := tp.trades[i]
		if got.Price.String() != w.price || got.Size.String() != w.size || got.Side != w.side || got.TickDirection != w.direction || got.RPI != w.rpi {
			t.Errorf("trade %d is %+v, want %+v", i, got, w)
		}
		if got.Time != time.UnixMilli(testStart/1e6+7).UTC() || got.Seq != v.books[id].Seq()+1-int64(2-max(0, i-2)) {
			t.Errorf("trade %d: time %v, seq %d", i, got.Time, got.Seq)
		}
	}
}

// Tick directions: a price that repeats keeps the direction of the last change.
func TestTickDirections(t *testing.T) {
	d, last := direction(0), int64(0)
	for i, row := range []struct {
		price int64
		want  bybit.TickDirection
	}{
		{5, bybit.PlusTick}, {5, bybit.ZeroPlusTick}, {5, bybit.ZeroPlusTick}, {4, bybit.MinusTick}, {4, bybit.ZeroMinusTick},
		{4, bybit.ZeroMinusTick}, {3, bybit.MinusTick}, {7, bybit.PlusTick}, {7, bybit.ZeroPlusTick}, {-7, bybit.MinusTick},
	} {
		d, last = d.after(last, row.price), row.price
		if tickDirections[d] != row.want {
			t.Errorf("trade %d at %d: %s, want %s", i, row.price, tickDirections[d], row.want)
		}
	}
}

// A command of more than 1,024 trades takes several messages, all with its seq.
func TestMessagesHaveAtMost1024Trades(t *testing.T) {
	v := newVenue(t, "spot:BTCUSDT")
	id := v.find(bybit.Spot, "BTCUSDT").ID
	tp := v.record("publicTrade.BTCUSDT", wire.Spot)
	for range 2100 {
		v.place(id, engine.Order{Account: 1, Side: engine.Sell, Price: 880_001, Qty: 1})
	}
	v.place(id, engine.Order{Account: 2, Side: engine.Buy, Market: true, Qty: 2100})
	var sizes []int
	for _, m := range tp.messages {
		sizes = append(sizes, len(m))
		if m[0].Seq != v.books[id].Seq()+1 {
			t.Errorf("seq %d, want %d", m[0].Seq, v.books[id].Seq()+1)
		}
	}
	if len(sizes) != 3 || sizes[0] != 1024 || sizes[1] != 1024 || sizes[2] != 52 {
		t.Errorf("messages of %v trades", sizes)
	}
}

// Ids are unique, the same in each run, and of the form that the venue gives them.
func TestTradeIDs(t *testing.T) {
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	digits := regexp.MustCompile(`^2[0-9]{18}$`)
	seen := make(map[string]bool)
	for id := range catalog.ID(40) {
		for n := range int64(500) {
			tr := trade{id: id, n: n + 1}
			for _, spot := range []bool{false, true} {
				got := string(execID(nil, &tr, spot))
				form := uuid
				if spot {
					form = digits
				}
				if seen[got] || !form.MatchString(got) {
					t.Fatalf("trade %d of %d: %q", n, id, got)
				}
				seen[got] = true
			}
		}
	}
}

// What traded is the same everywhere: in the engine's events, the trades, the candles of each length, the ticker,
// and what REST shows.
func TestVolumesAgree(t *testing.T) {
	for _, row := range markets[:3] {
		v := newMarkets(t)
		in := v.find(row.category, row.symbol)
		ch := channelOf(row.category)
		tp := v.record("publicTrade."+row.symbol, ch)
		trades := v.every
		klines := make(map[string]map[int64]bybit.Kline)
		var last bybit.Ticker
		v.every = func(topic *Topic, frame []byte) {
			trades(topic, frame)
			if topic.ID != in.ID {
				return
			}
			switch topic.Kind {
			case wire.KindKlines:
				var m bybit.KlineMessage
				if err := m.Decode(frame); err != nil {
					t.Fatal(err)
				}
				if klines[topic.Name] == nil {
					klines[topic.Name] = make(map[int64]bybit.Kline)
				}
				k := m.Klines[0]
				if old, ok := klines[topic.Name][k.Start.UnixMilli()]; ok && old.Confirm {
					t.Fatalf("%s: a candle that had ended is pushed again: %s", topic.Name, frame)
				}
				klines[topic.Name][k.Start.UnixMilli()] = k
			case wire.KindTickers:
				var m bybit.TickerMessage
				if err := m.Decode(frame); err != nil {
					t.Fatal(err)
				}
				if m.Snapshot {
					last = m.Ticker
				} else {
					last.Merge(&m.Ticker)
				}
			}
		}
		tr := newTrader(v, in.ID, 3, row.mid, 60)
		r := rand.New(rand.NewPCG(3, 3))
		for range 4000 {
			tr.step()
			v.wait(time.Duration(r.IntN(150)) * time.Millisecond)
		}
		v.wait(2 * time.Minute)
		lots := v.lots[in.ID]
		want := in.Qty(lots)
		sum, value := decimal.FromInt(0), decimal.FromInt(0)
		for _, tr := range tp.trades {
			sum = plus(t, sum, tr.Size)
			ticks, _ := in.Ticks(tr.Price)
			n, _ := in.Lots(tr.Size)
			value = plus(t, value, in.Value(ticks, n))
		}
		if !sum.Equal(want) || len(tp.trades) < 500 {
			t.Errorf("%s: %d trades of %s in all, want %s", row.category, len(tp.trades), sum, want)
		}
		if len(klines) != 13 {
			t.Fatalf("candles of %d lengths", len(klines))
		}
		for name, bars := range klines {
			sum, turnover, confirmed := decimal.FromInt(0), decimal.FromInt(0), 0
			for _, k := range bars {
				sum = plus(t, sum, k.Volume)
				turnover = plus(t, turnover, k.Turnover)
				if k.Confirm {
					confirmed++
				}
			}
			if !sum.Equal(want) || !turnover.Equal(value) {
				t.Errorf("%s %s: volume %s and turnover %s, want %s and %s", row.category, name, sum, turnover, want, value)
			}
			if open := len(bars) - confirmed; open > 1 || name == "kline.1."+row.symbol && confirmed < 6 {
				t.Errorf("%s: %d candles, %d of them ended", name, len(bars), confirmed)
			}
		}
		if !last.Volume24h.Equal(want) {
			t.Errorf("%s: the ticker has %s, want %s", row.category, last.Volume24h, want)
		}
		now, _ := v.feed.Ticker(in.ID)
		if now.Turnover24h != last.Turnover24h || now.LastPrice != last.LastPrice || now.OpenInterest != last.OpenInterest {
			t.Errorf("REST's ticker is %+v, the stream's %+v", now, last)
		}
		rest := v.feed.Trades(nil, in.ID, 300)
		if len(rest) != 300 {
			t.Fatalf("REST has %d trades", len(rest))
		}
		for i, tr := range rest {
			if pushed := tp.trades[len(tp.trades)-1-i]; tr.ID != pushed.ID || tr.Price != pushed.Price || tr.Time != pushed.Time {
				t.Fatalf("REST's trade %d is %+v, pushed was %+v", i, tr, pushed)
			}
		}
	}
}

func plus(t *testing.T, a, b decimal.Decimal) decimal.Decimal {
	t.Helper()
	sum, err := a.Add(b)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// The ring keeps the newest trades, and forgets the oldest.
func TestRecentTradesAreTheNewest(t *testing.T) {
	var r ring
	for n := range int64(2*keptTrades + 7) {
		r.add(&trade{n: n})
		for i := range 5 {
			got := r.newest(i)
			if want := n - int64(i); want >= 0 != (got != nil) || got != nil && got.n != want {
				t.Fatalf("after %d: newest %d is %v", n, i, got)
			}
		}
	}
	if got := r.newest(keptTrades - 1); got == nil || got.n != keptTrades+7 || r.newest(keptTrades) != nil {
		t.Errorf("the oldest is %v", got)
	}
}
