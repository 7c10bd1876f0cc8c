package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

func TestDeliveryPrices(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	ids := m.roll()
	var btc []*catalog.Instrument
	for _, id := range ids {
		if in := m.catalog.At(id); in.Base == "BTC" && in.Kind == catalog.Option {
			btc = append(btc, in)
		}
	}
	if len(btc) < 5 {
		t.Fatalf("%d options on BTC were delivered", len(btc))
	}
	one := ask[bybit.DeliveryPricesResult](t, a, "/v5/market/delivery-price?category=option&symbol="+btc[0].Symbol)
	price, _ := m.board.Index("BTC", btc[0].Quote)
	if len(one.List) != 1 || one.List[0].Price.String() != price.Decimal(9).String() || one.List[0].Time.UnixNano() != btc[0].Delivery {
		t.Errorf("%+v, want %s", one, price.Decimal(9))
	}
	if _, e := get(t, a, "/v5/market/delivery-price?category=option&symbol="+btc[0].Symbol); e["retMsg"] != "success" {
		t.Errorf("retMsg %q", e["retMsg"])
	}
	// All that are being delivered, in pages. Without settleCoin it is USDC, and these are settled in USDT.
	const all = "/v5/market/delivery-price?category=option&settleCoin=USDT&limit=3"
	var got []string
	for cursor := ""; ; {
		r := ask[bybit.DeliveryPricesResult](t, a, all+"&cursor="+cursor)
		for _, d := range r.List {
			got = append(got, d.Symbol)
		}
		if cursor = r.NextPageCursor; cursor == "" {
			break
		}
	}
	if len(got) != len(btc) || slices.ContainsFunc(btc, func(in *catalog.Instrument) bool { return !slices.Contains(got, in.Symbol) }) {
		t.Errorf("%d deliveries in pages, want %d", len(got), len(btc))
	}
	if r := ask[bybit.DeliveryPricesResult](t, a, "/v5/market/delivery-price?category=option"); len(r.List) != 0 {
		t.Errorf("settled in USDC: %+v", r.List)
	}
	daily := ask[bybit.OptionDeliveryPricesResult](t, a, "/v5/market/new-delivery-price?category=option&baseCoin=BTC")
	if slices.ContainsFunc(daily.List, func(d bybit.OptionDeliveryPrice) bool { return d.Time.UnixNano() == btc[0].Delivery }) {
		t.Error("shown within a minute")
	}
	m.now += int64(time.Minute)
	daily = ask[bybit.OptionDeliveryPricesResult](t, a, "/v5/market/new-delivery-price?category=option&baseCoin=BTC")
	if len(daily.List) == 0 || daily.List[0].Price.String() != shown(price, 8).String() || daily.List[0].Time.UnixNano() != btc[0].Delivery {
		t.Errorf("%+v", daily.List)
	}
	if len(daily.List) != optionDeliveries {
		t.Fatalf("%d deliveries, want %d: those of before the start as well", len(daily.List), optionDeliveries)
	}
	for i, d := range daily.List {
		if want := btc[0].Delivery - int64(i)*24*hour; d.Time.UnixNano() != want || d.Price.Sign() <= 0 {
			t.Errorf("delivery %d: %+v, want one of %s", i, d, time.Unix(0, want).UTC())
		}
	}
	if r := ask[bybit.OptionDeliveryPricesResult](t, a, "/v5/market/new-delivery-price?category=option&baseCoin=BTC&settleCoin=USDC"); len(r.List) != 0 {
		t.Errorf("settled in USDC: %+v", r.List)
	}
	m.now += deliveringFor
	if r := ask[bybit.DeliveryPricesResult](t, a, all); len(r.List) != 0 {
		t.Errorf("%d are being delivered four hours later", len(r.List))
	}
	if r := ask[bybit.DeliveryPricesResult](t, a, "/v5/market/delivery-price?category=option&symbol="+btc[0].Symbol); len(r.List) != 1 {
		t.Error("by its symbol it was forgotten four hours later")
	}
}

// BenchmarkServe measures the largest replies: while one is made, the market waits.
func BenchmarkServe(b *testing.B) {
	for name, target := range map[string]string{
		"time":        "/v5/market/time?",
		"instruments": "/v5/market/instruments-info?category=option&limit=1000",
		"tickers":     "/v5/market/tickers?category=option&baseCoin=BTC",
		"book1000":    "/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=1000",
		"announced":   "/v5/announcements/index?locale=en-US",
	} {
		b.Run(name, func(b *testing.B) {
			m := newRig(b)
			m.ladder(m.find(bybit.Linear, "BTCUSDT"), 880_000, 1000)
			a := New(m, Options{})
			path, query, _ := strings.Cut(target, "?")
			q := &Request{Method: http.MethodGet, Path: path, Query: query}
			b.ReportAllocs()
			for b.Loop() {
				if r := a.Serve(q); r.Status != http.StatusOK {
					b.Fatalf("%s", r.Body)
				}
			}
		})
	}
}
