package core

import (
	"os"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
)

// documented returns the file that the comment of catalog.Load shows.
func documented(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../catalog/load.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(source), `{"assets":`)
	text, _, ends := strings.Cut(rest, "}]}\n")
	if !found || !ends {
		t.Fatal("the comment of catalog.Load shows no file")
	}
	return strings.ReplaceAll(`{"assets":`+text+"}]}", "//", "")
}

// The file that is documented makes a market that trades: at prices near the index, on both sides, and for users.
func TestTheDocumentedInstrumentTrades(t *testing.T) {
	c := mustNew(t, Config{Seed: 1, Only: []string{"linear:PEPEUSDT"}, Instruments: []byte(documented(t))})
	in := mustFind(t, c, bybit.Linear, "PEPEUSDT")
	near := func(what string, price fixed.F) {
		t.Helper()
		if index := c.Board().IndexOf(in.ID); (price - index).Abs() > index/100 {
			t.Errorf("the %s is %s, the index %s", what, price.Decimal(9), index.Decimal(9))
		}
	}
	for k := range 6 {
		c.Advance(start + int64(k+1)*10*second)
		bid, _, _ := c.Book(in.ID).Best(engine.Buy)
		ask, _, _ := c.Book(in.ID).Best(engine.Sell)
		near("mark price", c.Board().Mark(in.ID))
		near("best bid", in.PriceOf(bid))
		near("best ask", in.PriceOf(ask))
		if limits, ok := c.Board().Limits(in.ID); !ok || limits.LowestSell >= bid || limits.HighestBuy <= ask {
			t.Errorf("price limits %+v, best bid %d, best ask %d", limits, bid, ask)
		}
	}
	if bar, ok := c.Bars().Current(in.ID, past.Trade, past.H1); !ok || bar.Trades < 10 {
		t.Errorf("%d trades in a minute", bar.Trades)
	}
	ask, _, _ := c.Book(in.ID).Best(engine.Sell)
	evs, err := c.Do(&Place{Instrument: in.ID, Order: engine.Order{Account: 1000, Side: engine.Buy, Price: ask + 5, Qty: 100, TIF: engine.IOC}})
	if err != nil || len(evs) == 0 || evs[0].Kind != engine.Traded {
		t.Errorf("a user's buy of 100 lots at %d: %+v, %v", ask+5, evs, err)
	}
}

// What is refused at load never trades at negative prices or without an ask; what is taken in can be restored.
func TestExtremeInstruments(t *testing.T) {
	for _, tt := range []struct{ name, members, skipped string }{
		{"a price of 8.8e9 ticks", `"priceFilter":{"tickSize":"0.00001"}`, "ticks in the price"},
		{"a price of 8.8e7 ticks", `"priceFilter":{"tickSize":"0.001"}`, ""},
		{"limits upside down", `"riskParameters":{"priceLimitRatioX":"-0.5","priceLimitRatioY":"-0.6"}`, "priceLimitRatioX"},
		{"large lots", `"lotSizeFilter":{"qtyStep":"636","minOrderQty":"636","maxOrderQty":"1000000000000000"}`, ""},
		{"lots that nobody trades", `"lotSizeFilter":{"qtyStep":"1000000","minOrderQty":"1000000","maxOrderQty":"1000000000000000"}`, "qtyStep"},
		{"a price of 11 ticks", `"priceFilter":{"tickSize":"8000"}`, ""},
	} {
		file := []byte(`{"instruments":[{"category":"linear","like":"BTCUSDT","symbol":"X",` + tt.members + `}]}`)
		c := mustNew(t, Config{Seed: 1, Only: []string{"linear:X", "linear:DOGEUSDT"}[min(len(tt.skipped), 1):], Instruments: file})
		if got := strings.Join(c.Skipped(), "\n"); tt.skipped == "" && got != "" || !strings.Contains(got, tt.skipped) {
			t.Errorf("%s: skipped %q, want %q", tt.name, got, tt.skipped)
		}
		if tt.skipped != "" {
			continue
		}
		in := mustFind(t, c, bybit.Linear, "X")
		c.Advance(start + 20*second)
		bid, _, okBid := c.Book(in.ID).Best(engine.Buy)
		ask, _, okAsk := c.Book(in.ID).Best(engine.Sell)
		if !okBid || !okAsk || bid < in.MinPrice || ask > in.MaxPrice {
			t.Errorf("%s: best bid %d (%v), best ask %d (%v)", tt.name, bid, okBid, ask, okAsk)
		}
		for _, l := range c.Book(in.ID).Levels(nil, engine.Buy, 5000, true) {
			if l.Price < in.MinPrice {
				t.Errorf("%s: a bid at %s", tt.name, in.Price(l.Price))
			}
		}
	}
}
