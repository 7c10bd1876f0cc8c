package catalog

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

func at(s string) int64 {
	t, err := time.Parse("2006-01-02T15:04", s)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

var start = at("2026-01-01T00:00")

func find(t *testing.T, c *Catalog, category bybit.Category, symbol string) *Instrument {
	t.Helper()
	in, ok := c.Find(category, symbol)
	if !ok {
		t.Fatalf("%s %s is not listed", category, symbol)
	}
	return in
}

func symbols(list []*Instrument) []string {
	var s []string
	for _, in := range list {
		s = append(s, in.Symbol)
	}
	return s
}

func TestDefaultInstruments(t *testing.T) {
	c := Default(start)
	for _, tt := range []struct {
		category bybit.Category
		want     string
	}{
		{bybit.Spot, "BTCUSDT ETHUSDT SOLUSDT XRPUSDT DOGEUSDT BTCUSDC ETHUSDC"},
		{bybit.Linear, "BTCUSDT ETHUSDT SOLUSDT XRPUSDT DOGEUSDT BTCPERP BTCUSDT-27MAR26 BTCUSDT-26JUN26"},
		{bybit.Inverse, "BTCUSD ETHUSD BTCUSDH26"},
		{bybit.Spread, "BTCUSDT_BTC/USDT ETHUSDT_ETH/USDT SOLUSDT_SOL/USDT BTCUSDT-27MAR26_BTC/USDT BTCUSDT-27MAR26_BTCUSDT BTCUSDT-26JUN26_BTCUSDT-27MAR26"},
	} {
		if got := strings.Join(symbols(c.All(tt.category)), " "); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.category, got, tt.want)
		}
	}
	// 1 January 2026 is a Thursday: its 08:00 is the first daily; the weeklies are those of Thursday a week before.
	var expiries []string
	for _, in := range c.All(bybit.Option) {
		if date := strings.Split(in.Symbol, "-")[1]; in.Base == "BTC" && !slices.Contains(expiries, date) {
			expiries = append(expiries, date)
		}
	}
	if got, want := strings.Join(expiries, " "), "1JAN26 2JAN26 3JAN26 9JAN26 30JAN26 27MAR26 26JUN26"; got != want {
		t.Errorf("BTC options expire on %s, want %s", got, want)
	}
	for i := range c.Len() {
		if in := c.At(ID(i)); in == nil || in.ID != ID(i) {
			t.Fatalf("At(%d) is %+v", i, in)
		}
	}
	if c.At(None) != nil || c.At(ID(c.Len())) != nil {
		t.Error("a number outside of the catalogue has an instrument")
	}
}

func TestUnitsOfPricesAndQuantities(t *testing.T) {
	c := Default(start)
	for _, tt := range []struct {
		category     bybit.Category
		symbol       string
		ticks, lots  int64
		price, qty   string
		value        string
		outside      string // a price that is no multiple of the tick, or out of range
		notional     int64  // smallest value in ticks times lots
		minQty, mark int64
	}{
		// 0.10 a tick: 880,005 ticks are 88,000.50; 1,234 lots of 0.001; 5 USDT are 50,000 times 0.10 * 0.001.
		{bybit.Linear, "BTCUSDT", 880005, 1230, "88000.50", "1.230", "108240.61500", "88000.55", 50000, 1, 2},
		// Spot drops zeros: frames of August 2026 have 78715 and 0.001 at a tick of 0.1.
		{bybit.Spot, "BTCUSDT", 787150, 1000, "78715", "0.001", "78.7150000", "78715.05", 50000000, 11, 1},
		// 10,000 contracts at 80,000.00 are 0.125 BTC.
		{bybit.Inverse, "BTCUSD", 800000, 10000, "80000.00", "10000", "0.12500000", "2000000.00", 0, 1, 2},
		// 2 contracts at 30,000.00 are 0.0000666..., the last digit rounded.
		{bybit.Inverse, "BTCUSD", 300000, 2, "30000.00", "2", "0.00006667", "0.00", 0, 1, 2},
		{bybit.Option, "BTC-27MAR26-90000-C-USDT", 695, 501, "3475", "5.01", "17409.75", "3476", 0, 1, 8},
		{bybit.Spread, "SOLUSDT_SOL/USDT", -30000, 17, "-3", "1.7", "-5.10000", "2000", 0, 1, 4},
	} {
		in := find(t, c, tt.category, tt.symbol)
		if got := in.Price(tt.ticks).String(); got != tt.price {
			t.Errorf("%s: Price(%d) = %s, want %s", tt.symbol, tt.ticks, got, tt.price)
		}
		if got, ok := in.Ticks(decimal.MustParse(tt.price)); got != tt.ticks || !ok {
			t.Errorf("%s: Ticks(%s) = %d, %t, want %d", tt.symbol, tt.price, got, ok, tt.ticks)
		}
		if got, ok := in.Ticks(decimal.MustParse(tt.outside)); ok {
			t.Errorf("%s: Ticks(%s) = %d is taken", tt.symbol, tt.outside, got)
		}
		if got := in.Qty(tt.lots).String(); got != tt.qty {
			t.Errorf("%s: Qty(%d) = %s, want %s", tt.symbol, tt.lots, got, tt.qty)
		}
		if got, ok := in.Lots(decimal.MustParse(tt.qty)); got != tt.lots || !ok {
			t.Errorf("%s: Lots(%s) = %d, %t, want %d", tt.symbol, tt.qty, got, ok, tt.lots)
		}
		for _, bad := range []string{"0", "-1", "0.0000001"} {
			if _, ok := in.Lots(decimal.MustParse(bad)); ok {
				t.Errorf("%s: a quantity of %s is taken", tt.symbol, bad)
			}
		}
		if got := in.Value(tt.ticks, tt.lots).String(); got != tt.value {
			t.Errorf("%s: Value(%d, %d) = %s, want %s", tt.symbol, tt.ticks, tt.lots, got, tt.value)
		}
		p, _ := fixed.FromDecimal(decimal.MustParse(tt.price))
		if got := in.TicksOf(p); got != tt.ticks {
			t.Errorf("%s: TicksOf(%s) = %d, want %d", tt.symbol, tt.price, got, tt.ticks)
		}
		if got := in.PriceOf(tt.ticks); got != p {
			t.Errorf("%s: PriceOf(%d) = %v, want %v", tt.symbol, tt.ticks, got, p)
		}
		if in.MinNotional != tt.notional || in.MinQty != tt.minQty || int64(in.MarkScale) != tt.mark {
			t.Errorf("%s: smallest value %d, quantity %d, mark scale %d, want %d, %d, %d",
				tt.symbol, in.MinNotional, in.MinQty, in.MarkScale, tt.notional, tt.minQty, tt.mark)
		}
	}
}

// Whenever an exchange starts, what is listed then is there then, also what a file says was launched later.
func TestAllIsThereAtTheStart(t *testing.T) {
	for _, s := range []string{"2000-01-01T00:00", "2021-06-01T12:34", "2026-01-01T00:00"} {
		c := Default(at(s))
		if skipped, err := c.Load([]byte(`{"instruments":[{"category":"linear","like":"BTCUSDT","symbol":"X","launchTime":"1790000000000"}]}`)); err != nil || len(skipped) != 0 {
			t.Fatal(skipped, err)
		}
		if n := len(c.Live()); n < 100 {
			t.Fatalf("%s: %d instruments", s, n)
		}
		for _, in := range c.Live() {
			if !in.Live(c.Start()) || in.Spread == nil && in.Kind != Spot && nanos(in.Info.LaunchTime) != in.Listed {
				t.Errorf("%s: %s %s is listed on %s, shown as %s", s, in.Category, in.Symbol, moment(in.Listed), in.Info.LaunchTime)
			}
		}
		if in := find(t, c, bybit.Linear, "BTCUSDT"); s[:4] == "2026" && in.Info.LaunchTime != day("2020-03-30") {
			t.Errorf("BTCUSDT was launched on %s", in.Info.LaunchTime)
		}
	}
}
