package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
)

// ladder places n bids and n asks around a price, one lot more on each level, and an RPI order on the best ones.
func (m *rig) ladder(in *catalog.Instrument, middle int64, n int) {
	for i := range int64(n) {
		m.place(in, engine.Buy, engine.GTC, middle-1-i, 1+i)
		m.place(in, engine.Sell, engine.GTC, middle+1+i, 1+i)
	}
	if in.Category != bybit.Option && in.Category != bybit.Spread {
		m.place(in, engine.Buy, engine.RPI, middle-1, 7)
		m.place(in, engine.Sell, engine.RPI, middle+1, 7)
	}
	m.advance(time.Second)
}

func shownLevels(levels []bybit.PriceLevel) []string {
	var list []string
	for _, l := range levels {
		list = append(list, l.Price.String()+" x "+l.Size.String())
	}
	return list
}

func TestOrderBooks(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	for _, c := range []struct {
		category bybit.Category
		symbol   string
		defaults int
		most     int
	}{
		{bybit.Spot, "BTCUSDT", 1, 1000},
		{bybit.Linear, "ETHUSDT", 25, 1000},
		{bybit.Inverse, "BTCUSD", 25, 1000},
		{bybit.Option, "", 1, 25},
	} {
		if c.symbol == "" {
			c.symbol = m.catalog.All(bybit.Option)[0].Symbol
		}
		in := m.find(c.category, c.symbol)
		m.ladder(in, 20_000, 30)
		path := fmt.Sprintf("/v5/market/orderbook?category=%s&symbol=%s", c.category, c.symbol)
		for limit, want := range map[string]int{"": c.defaults, "&limit=1": 1, "&limit=7": 7, "&limit=100000": min(30, c.most)} {
			r := ask[bybit.OrderBookResult](t, a, path+limit)
			if len(r.Bids) != want || len(r.Asks) != want {
				t.Errorf("%s%s: %d bids, %d asks, want %d", path, limit, len(r.Bids), len(r.Asks), want)
				continue
			}
			for i := range r.Bids {
				bid, ask := in.Price(20_000-1-int64(i)), in.Price(20_000+1+int64(i))
				if !r.Bids[i].Price.Equal(bid) || !r.Asks[i].Price.Equal(ask) || !r.Bids[i].Size.Equal(in.Qty(1+int64(i))) || !r.Asks[i].Size.Equal(in.Qty(1+int64(i))) {
					t.Errorf("%s%s: level %d is %s and %s", path, limit, i, shownLevels(r.Bids[i:i+1]), shownLevels(r.Asks[i:i+1]))
				}
			}
			if b, ok := m.feed.Book(in.ID); !ok || r.UpdateID != b.U || r.Seq != b.Seq || r.Time.UnixMilli() != b.Time/1e6 || r.MatchTime.UnixMilli() != b.Matched/1e6 {
				t.Errorf("%s%s: u %d, seq %d, ts %s, want those of the topic, %+v", path, limit, r.UpdateID, r.Seq, r.Time, b)
			}
		}
		if c.category == bybit.Option {
			continue
		}
		full := ask[bybit.FullOrderBookResult](t, a, fmt.Sprintf("/v5/market/full_orderbook?category=%s&symbol=%s", c.category, c.symbol))
		if b, ok := m.feed.Full(in.ID); !ok || len(full.Bids) != 30 || len(full.Asks) != 30 || full.UpdateID != b.U || full.Seq != b.Seq {
			t.Errorf("%s: the full book has %d and %d levels, u %d", c.symbol, len(full.Bids), len(full.Asks), full.UpdateID)
		}
		rpi := ask[bybit.RPIOrderBookResult](t, a, fmt.Sprintf("/v5/market/rpi_orderbook?category=%s&symbol=%s&limit=2", c.category, c.symbol))
		if len(rpi.Bids) != 2 || len(rpi.Asks) != 2 || !rpi.Bids[0].Size.Equal(in.Qty(1)) || !rpi.Bids[0].RPISize.Equal(in.Qty(7)) || !rpi.Asks[1].RPISize.Equal(in.Qty(0)) {
			t.Errorf("%s: RPI %+v", c.symbol, rpi)
		}
	}
	// A book that was never pushed to is empty, not refused.
	empty := ask[bybit.OrderBookResult](t, a, "/v5/market/orderbook?category=linear&symbol=XRPUSDT")
	if len(empty.Bids)+len(empty.Asks) != 0 || empty.Time.IsZero() {
		t.Errorf("an empty book: %+v", empty)
	}
}

func TestRecentTradesAreNewestFirst(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	for _, c := range []struct {
		category bybit.Category
		symbol   string
		trades   int
		defaults int
		most     int
	}{
		{bybit.Spot, "BTCUSDT", 100, 60, 60},
		{bybit.Linear, "BTCUSDT", 1100, 500, 1000},
	} {
		in := m.find(c.category, c.symbol)
		for i := range int64(c.trades) {
			m.place(in, engine.Sell, engine.GTC, 20_000+i, 5)
			m.place(in, engine.Buy, engine.IOC, 20_000+i, 5)
			m.advance(time.Millisecond)
		}
		path := fmt.Sprintf("/v5/market/recent-trade?category=%s&symbol=%s", c.category, c.symbol)
		r := ask[bybit.TradesResult](t, a, path)
		if len(r.List) != c.defaults {
			t.Fatalf("%s: %d trades, want %d", path, len(r.List), c.defaults)
		}
		ids := make(map[string]bool)
		for i, trade := range r.List {
			if want := in.Price(20_000 + int64(c.trades-1-i)); !trade.Price.Equal(want) || trade.Side != bybit.Buy || !trade.Size.Equal(in.Qty(5)) || trade.Symbol != c.symbol {
				t.Fatalf("%s: trade %d is %+v, want %s", path, i, trade, want)
			}
			ids[trade.ExecID] = true
		}
		if len(ids) != c.defaults {
			t.Errorf("%s: %d different ids of %d trades", path, len(ids), c.defaults)
		}
		if r := ask[bybit.TradesResult](t, a, path+"&limit=100000"); len(r.List) != c.most {
			t.Errorf("%s&limit=100000: %d trades, want %d", path, len(r.List), c.most)
		}
		if r := ask[bybit.TradesResult](t, a, path+"&limit=3"); len(r.List) != 3 {
			t.Errorf("%s&limit=3: %d trades", path, len(r.List))
		}
	}
	var call, put *catalog.Instrument
	for _, in := range m.catalog.All(bybit.Option) {
		if in.Base == "ETH" && in.Call {
			call = in
		} else if in.Base == "ETH" {
			put = in
		}
	}
	for _, in := range []*catalog.Instrument{call, put, call} {
		m.place(in, engine.Sell, engine.GTC, 100, 1)
		m.place(in, engine.Buy, engine.IOC, 100, 1)
	}
	for query, want := range map[string][]string{
		"&baseCoin=ETH":                {call.Symbol, put.Symbol, call.Symbol},
		"&baseCoin=ETH&optionType=Put": {put.Symbol},
		"&baseCoin=ETH&limit=1":        {call.Symbol},
		"&symbol=" + call.Symbol:       {call.Symbol, call.Symbol},
		"":                             nil, // BTC
	} {
		var got []string
		for _, trade := range ask[bybit.TradesResult](t, a, "/v5/market/recent-trade?category=option"+query).List {
			got = append(got, trade.Symbol)
			if !trade.MarkPrice.IsSet() || !trade.IV.IsSet() {
				t.Errorf("option%s: %+v without mark price or volatility", query, trade)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("option%s: %q, want %q", query, got, want)
		}
	}
}

func TestTickersAreOfTheirCategory(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	linear := m.find(bybit.Linear, "BTCUSDT")
	m.ladder(linear, 880_000, 3)
	one := ask[bybit.TickersResult](t, a, "/v5/market/tickers?category=linear&symbol=BTCUSDT")
	if len(one.List) != 1 {
		t.Fatalf("%d tickers", len(one.List))
	}
	if v := one.List[0]; !v.Bid1Price.Equal(linear.Price(879_999)) || !v.Ask1Price.Equal(linear.Price(880_001)) || !v.MarkPrice.IsSet() || !v.IndexPrice.IsSet() ||
		v.FundingIntervalHour != 8 || v.NextFundingTime.IsZero() || !v.FundingRate.IsSet() {
		t.Errorf("%+v", v)
	}
	r, _ := get(t, a, "/v5/market/tickers?category=linear&symbol=BTCUSDT-27MAR26")
	future := ask[bybit.TickersResult](t, a, "/v5/market/tickers?category=linear&symbol=BTCUSDT-27MAR26").List[0]
	if !strings.Contains(string(r.Body), `"predictedDeliveryPrice":""`) || future.DeliveryTime.UnixNano() != m.find(bybit.Linear, "BTCUSDT-27MAR26").Delivery ||
		!future.Basis.IsSet() || !future.DeliveryFeeRate.IsSet() || future.FundingRate.IsSet() {
		t.Errorf("a future months before its delivery: %s", r.Body)
	}
	for _, category := range []bybit.Category{bybit.Spot, bybit.Linear, bybit.Inverse} {
		r := ask[bybit.TickersResult](t, a, "/v5/market/tickers?category="+string(category))
		if len(r.List) != len(m.catalog.All(category)) {
			t.Errorf("%s: %d tickers of %d instruments", category, len(r.List), len(m.catalog.All(category)))
		}
	}
	option := m.catalog.All(bybit.Option)[0]
	m.place(option, engine.Sell, engine.GTC, option.TicksOf(m.board.Mark(option.ID))+20, 3)
	v := ask[bybit.TickersResult](t, a, "/v5/market/tickers?category=option&symbol="+option.Symbol).List[0]
	if v.Bid1Price.String() != "0" || v.Bid1Size.String() != "0" || v.Bid1IV.String() != "0" || !v.Ask1Size.Equal(option.Qty(3)) || v.Ask1IV.Sign() <= 0 ||
		!v.MarkIV.IsSet() || !v.UnderlyingPrice.IsSet() || v.PredictedDeliveryPrice.String() != "0" {
		t.Errorf("an option without bids: %+v", v)
	}
	for query, keep := range map[string]func(in *catalog.Instrument) bool{
		"&baseCoin=BTC":                 func(in *catalog.Instrument) bool { return in.Base == "BTC" },
		"&baseCoin=ETH&expDate=27MAR26": func(in *catalog.Instrument) bool { return in.Base == "ETH" && expiryOf(in) == "27MAR26" },
	} {
		var want, got []string
		for _, in := range m.catalog.All(bybit.Option) {
			if keep(in) {
				want = append(want, in.Symbol)
			}
		}
		for _, v := range ask[bybit.TickersResult](t, a, "/v5/market/tickers?category=option"+query).List {
			got = append(got, v.Symbol)
		}
		if !slices.Equal(got, want) || len(want) < 10 {
			t.Errorf("option%s: %d tickers, want %d", query, len(got), len(want))
		}
	}
}

func TestPriceLimits(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	in := m.find(bybit.Linear, "BTCUSDT")
	r := ask[bybit.PriceLimitResult](t, a, "/v5/market/price-limit?symbol=BTCUSDT")
	l, ok := m.board.Limits(in.ID)
	if !ok || !r.BuyLimit.Equal(in.Price(l.HighestBuy)) || !r.SellLimit.Equal(in.Price(l.LowestSell)) || r.BuyLimit.Cmp(r.SellLimit) <= 0 {
		t.Errorf("%+v, want %+v", r, l)
	}
	if _, e := get(t, a, "/v5/market/price-limit?symbol=BTCUSDT"); e["retMsg"] != "" {
		t.Errorf("retMsg %q, the example has none", e["retMsg"])
	}
}

func TestPoolsAndAlerts(t *testing.T) {
	m := newRig(t)
	m.advance(time.Minute)
	a := New(m, Options{})
	all := ask[bybit.InsuranceResult](t, a, "/v5/market/insurance")
	if len(all.List) < 2 || all.UpdatedTime.IsZero() {
		t.Fatalf("pools: %+v", all)
	}
	for _, f := range all.List {
		if f.Balance.Sign() <= 0 || !f.Value.IsSet() {
			t.Errorf("%+v", f)
		}
	}
	for _, f := range ask[bybit.InsuranceResult](t, a, "/v5/market/insurance?coin=BTC").List {
		if f.Coin != "BTC" || f.Value.Cmp(f.Balance) <= 0 {
			t.Errorf("coin=BTC: %+v", f)
		}
	}
	alerts := ask[bybit.ADLAlertsResult](t, a, "/v5/market/adlAlert")
	one := ask[bybit.ADLAlertsResult](t, a, "/v5/market/adlAlert?symbol=BTCUSD")
	if len(alerts.List) < 2 || len(one.List) != 1 || one.List[0].Symbol != "BTCUSD" || one.List[0].Coin != "BTC" || one.UpdatedTime.UnixMilli()%60_000 != 0 {
		t.Errorf("alerts: %d, of BTCUSD %+v", len(alerts.List), one)
	}
}

func TestSystemStatusHasWhatWasAnnounced(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	if r := ask[bybit.PlatformSystemStatusResult](t, a, "/v5/system/status"); len(r.List) != 0 {
		t.Fatalf("%+v", r)
	}
	id, err := m.feed.Maintain(m.now, feed.Notice{Title: "upgrade", State: "scheduled", Begin: m.now, End: m.now + int64(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	m.advance(time.Second)
	r := ask[bybit.PlatformSystemStatusResult](t, a, "/v5/system/status?id="+id)
	if len(r.List) != 1 || r.List[0].Title != "upgrade" {
		t.Fatalf("%+v", r)
	}
	if r := ask[bybit.PlatformSystemStatusResult](t, a, "/v5/system/status?state="+string(r.List[0].State)); len(r.List) != 1 {
		t.Errorf("%+v", r)
	}
	if r := ask[bybit.PlatformSystemStatusResult](t, a, "/v5/system/status?state=canceled"); len(r.List) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestIndexComponents(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	for _, name := range []string{"BTCUSDT", "ETHUSD", "BTCUSDC"} {
		r := ask[bybit.IndexComponentsResult](t, a, "/v5/market/index-price-components?indexName="+name)
		if r.IndexName != name || r.LastPrice.Sign() <= 0 || len(r.Components) != 1 || !r.Components[0].Price.Equal(r.LastPrice) || r.UpdateTime.IsZero() {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestSpreads(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	const symbol = "BTCUSDT_BTC/USDT"
	in := m.find(bybit.Spread, symbol)
	m.ladder(in, -50, 3)
	b := ask[bybit.SpreadOrderBookResult](t, a, "/v5/spread/orderbook?symbol="+symbol)
	if len(b.Bids) != 1 || len(b.Asks) != 1 || !b.Bids[0].Price.Equal(in.Price(-51)) || b.Bids[0].Price.Sign() >= 0 {
		t.Errorf("%+v", b)
	}
	m.place(in, engine.Sell, engine.IOC, -51, 1)
	r := ask[bybit.SpreadTradesResult](t, a, "/v5/spread/recent-trade?symbol="+symbol)
	if len(r.List) != 1 || r.List[0].Side != bybit.Sell || !r.List[0].Price.Equal(in.Price(-51)) {
		t.Errorf("%+v", r)
	}
	v := ask[bybit.SpreadTickersResult](t, a, "/v5/spread/tickers?symbol="+symbol)
	if len(v.List) != 1 || !v.List[0].AskPrice.Equal(in.Price(-49)) || !v.List[0].LastPrice.Equal(in.Price(-51)) {
		t.Errorf("%+v", v)
	}
	if _, e := get(t, a, "/v5/spread/tickers?symbol="+symbol); e["retMsg"] != "Success" {
		t.Errorf("retMsg %q", e["retMsg"])
	}
}
