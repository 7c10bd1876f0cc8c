package past

import (
	"math"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

func TestAmounts(t *testing.T) {
	cat := catalog.Default(newYear)
	linear, inverse := find(t, cat, bybit.Linear, "BTCUSDT"), find(t, cat, bybit.Inverse, "BTCUSD")
	for _, tt := range []struct {
		in          *catalog.Instrument
		ticks, lots int64
		times       int
		want        string
	}{
		{linear, 880001, 1500, 1, "132000.15000"}, // 88000.10 x 1.5
		{linear, 880001, 1500, 3, "396000.45000"},
		{linear, 0, 1500, 1, "0.00000"},
		{linear, math.MaxInt64, math.MaxInt64, 1, ""},                  // more than 28 digits
		{linear, 1 << 40, 1 << 50, 4, "495176015714152109959649.6896"}, // 2^92 units of 0.0001
		{linear, 1 << 40, 1 << 24, 1 << 1, "3689348814741910.32320"},   // 2^65: carries into the upper word
		{inverse, 880000, 88000, 1, "1.00000000"},                      // 88,000 dollars at 88,000.00
		{inverse, 880001, 1, 1000, "0.01136000"},                       // each rounded to 0.00001136
		{inverse, 0, 1, 1, "0.00000000"},                               // no price
		{inverse, -5, 1, 1, "0.00000000"},
	} {
		var a Amount
		for range tt.times {
			a.add(worth(tt.in, tt.ticks, tt.lots))
		}
		got := a.Value(tt.in)
		if got.String() != tt.want {
			t.Errorf("%d times %d lots at %d of %s are %s, want %s", tt.times, tt.lots, tt.ticks, tt.in.Symbol, got, tt.want)
		}
	}
	if spread := cat.All("spread")[0]; worth(spread, 5, 7) != (Amount{}) {
		t.Error("a spread has a turnover")
	}
}

func TestUnits(t *testing.T) {
	cat := catalog.Default(newYear)
	in := find(t, cat, bybit.Linear, "BTCUSDT")
	for _, tt := range []struct {
		of    Series
		v     fixed.F
		units int64
		shown string
	}{
		{Trade, fixed.Ratio(8800014, 100), 880001, "88000.10"},
		{Mark, fixed.Ratio(8800014, 100), 8800014, "88000.14"},
		{Index, fixed.Ratio(88000146, 1000), 8800015, "88000.15"},
		{Premium, fixed.Ratio(-587, 1000000), -58700, "-0.00058700"},
		{Interest, fixed.Ratio(15, 10), 1500, "1.500"},
	} {
		got := counted(in, tt.of, tt.v)
		if got != tt.units || Shown(in, tt.of, got).String() != tt.shown {
			t.Errorf("%v in series %d is %d, shown as %s, want %d and %s", tt.v, tt.of, got, Shown(in, tt.of, got), tt.units, tt.shown)
		}
	}
}
