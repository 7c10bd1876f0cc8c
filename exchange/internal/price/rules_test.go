package price

import (
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// near reports whether two numbers are the same to a few units of the last place: the wanted ones are decimal.
func near(a, b fixed.F) bool { return (a - b).Abs() <= 64 }

func TestPerpetualMark(t *testing.T) {
	// "Mark Price (Perpetual)", testnet.bybit.com, 2024-10-16: median of P1, P2 and the last price.
	for _, tt := range []struct{ index, funding, left, interval, premium, last, want string }{
		// P1 = 10000 * (1 + 0.0001 * 4/8) = 10000.5; P2 = 10000 + 12 = 10012.
		{"10000", "0.0001", "4", "8", "12", "10005", "10005"},
		{"10000", "0.0001", "4", "8", "12", "10100", "10012"},
		{"10000", "0.0001", "4", "8", "12", "9000", "10000.5"},
		// At a negative rate just after a funding: P1 = 10000 * (1 - 0.001) = 9990, P2 = 9980.
		{"10000", "-0.001", "8", "8", "-20", "9985", "9985"},
		{"10000", "-0.001", "8", "8", "-20", "10000", "9990"},
		// A contract of one hour, half an hour left: P1 = 2000 * (1 + 0.002 * 0.5) = 2002.
		{"2000", "0.002", "0.5", "1", "10", "2003", "2003"},
		{"2000", "0.002", "0.5", "1", "10", "2001", "2002"},
	} {
		got := PerpetualMark(num(tt.index), num(tt.funding), num(tt.left), num(tt.interval), num(tt.premium), num(tt.last))
		if (got - num(tt.want)).Abs() > 1<<16 { // 0.0000153: the rate has 32 binary digits
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestFutureMark(t *testing.T) {
	// "Mark Price (Futures)", bybit.nl, 2023-12-04: 50000 * (1 + 0.002).
	if got := FutureMark(num("50000"), num("0.002")).Decimal(3).String(); got != "50100.000" {
		t.Errorf("mark %s", got)
	}
}

func TestPremium(t *testing.T) {
	// [max(0, impact bid - index) - max(0, index - impact ask)] / index, bybit.com/en/announcement-info/fund-rate.
	for _, tt := range []struct{ index, bid, ask, want string }{
		{"100", "100.5", "100.6", "0.005"}, // all bids above the index
		{"100", "99", "99.4", "-0.006"},    // all asks below it
		{"100", "99.9", "100.1", "0"},      // the index between them
		{"100", "0", "99", "-0.01"},        // no bids deep enough
		{"100", "101", "0", "0.01"},
		{"100", "0", "0", "0"},
	} {
		if got := Premium(num(tt.index), num(tt.bid), num(tt.ask)); !near(got, num(tt.want)) {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestFundingRate(t *testing.T) {
	// "Introduction to Funding Rate", testnet.bytick.com: F = P + clamp(I - P, 0.05%, -0.05%), then the bounds.
	for _, tt := range []struct{ premium, interest, want string }{
		{"0.0002", "0.0001", "0.0001"},    // within the dampener the rate is the interest
		{"-0.0004", "0.0001", "0.0001"},   // I - P is exactly 0.05 %
		{"-0.0005", "0.0001", "0"},        // one step beyond: -0.0005 + 0.0005
		{"0.001", "0.0001", "0.0005"},     // 0.001 - 0.0005
		{"-0.001", "0.0001", "-0.0005"},   // -0.001 + 0.0005
		{"0.01", "0.0001", "0.00375"},     // upperFundingRate
		{"-0.01", "0.0001", "-0.00375"},   // lowerFundingRate
		{"0.00056", "0.00005", "0.00006"}, // 4 hours
	} {
		if got := FundingRate(num(tt.premium), num(tt.interest), num("-0.00375"), num("0.00375")); !near(got, num(tt.want)) {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	// 0.03 % a day: a third for 8 hours, a sixth for 4.
	for _, tt := range []struct {
		hours int64
		want  string
	}{{8, "0.0001"}, {4, "0.00005"}, {1, "0.0000125"}} {
		if got := Interest(tt.hours * catalog.Hour); !near(got, num(tt.want)) {
			t.Errorf("%d hours: interest %v", tt.hours, got)
		}
	}
}

func TestWeightedPremium(t *testing.T) {
	// (P1*1 + P2*2 + P3*3) / (1+2+3), as "Introduction to Funding Rate" writes it for 480: (0.0001 + 0.0004 + 0.0012) / 6.
	var a Weighted
	if a.Mean() != 0 {
		t.Errorf("the mean of nothing is %v", a.Mean())
	}
	for n, p := range []string{"0.0001", "0.0002", "0.0004"} {
		a.Add(int64(n+1), num(p))
	}
	if got := a.Mean(); !near(got, num("0.000283333333")) {
		t.Errorf("the mean is %v", got)
	}
	// Eight hours, a premium of 0.1 % in the second half only: 86,520 of 115,440 parts.
	a = Weighted{}
	for n := int64(1); n <= 480; n++ {
		p := fixed.F(0)
		if n > 240 {
			p = num("0.001")
		}
		a.Add(n, p)
	}
	if got := a.Mean().Decimal(8).String(); got != "0.00074948" {
		t.Errorf("the mean of eight hours is %s", got)
	}
}

func TestNextFunding(t *testing.T) {
	for _, tt := range []struct{ after, every, want int64 }{ // hours since midnight
		{0, 8, 8}, {7, 8, 8}, {8, 8, 16}, {23, 8, 24}, {5, 4, 8}, {5, 1, 6},
	} {
		if got := NextFunding(start+tt.after*catalog.Hour, tt.every*catalog.Hour); got != start+tt.want*catalog.Hour {
			t.Errorf("%+v: %d", tt, (got-start)/catalog.Hour)
		}
	}
	if got := NextFunding(start+8*catalog.Hour-1, 8*catalog.Hour); got != start+8*catalog.Hour {
		t.Errorf("just before 8:00: %d", got)
	}
}

func TestFutureLimits(t *testing.T) {
	// V5 page account/set-price-limit, rule of 2026-05-26, with X = 1 % and Y = 2 % of BTCUSDT.
	for _, tt := range []struct{ mark, index, premium, sell, buy string }{
		{"100000", "100100", "0", "99000", "101000"},
		{"100000", "100100", "300", "99000", "101300"},  // a premium lifts the highest buy
		{"100000", "100100", "-300", "98700", "101000"}, // a discount lowers the lowest sell
		{"100000", "100100", "5000", "99000", "102000"}, // never beyond Y
		{"100000", "100100", "-5000", "98000", "101000"},
		{"100000", "101500", "0", "99000", "101500"}, // up to the index
		{"100000", "103000", "0", "99000", "102000"},
		{"100000", "98500", "0", "98500", "101000"},
		{"100000", "97000", "0", "98000", "101000"},
	} {
		sell, buy := FutureLimits(num(tt.mark), num(tt.index), num(tt.premium), num("0.01"), num("0.02"))
		if sell.Decimal(3).Cmp(num(tt.sell).Decimal(3)) != 0 || buy.Decimal(3).Cmp(num(tt.buy).Decimal(3)) != 0 {
			t.Errorf("%+v: %v to %v", tt, sell, buy)
		}
	}
}

func TestSpotLimits(t *testing.T) {
	// "Spot Trading Rules", bybit.eu, 2025-06-17, with X = 0.5 % and Y = 1 % of BTCUSDT.
	for _, tt := range []struct{ premium, sell, buy string }{
		{"0", "49750", "50250"},
		{"100", "49850", "50350"},
		{"400", "50000", "50500"},  // the highest buy at Y, the lowest sell at the index
		{"-300", "49500", "50000"}, // mirrored: 49450 is beyond Y, 49950 below the index
	} {
		sell, buy := SpotLimits(num("50000"), num(tt.premium), num("0.005"), num("0.01"))
		if sell.Decimal(3).Cmp(num(tt.sell).Decimal(3)) != 0 || buy.Decimal(3).Cmp(num(tt.buy).Decimal(3)) != 0 {
			t.Errorf("%+v: %v to %v", tt, sell, buy)
		}
	}
}

func TestLimitsInTicks(t *testing.T) {
	c := catalog.Default(start)
	in := c.At(id(t, c, bybit.Linear, "BTCUSDT"))
	for _, tt := range []struct {
		sell, buy string
		want      Limits
	}{
		{"99000", "101000", Limits{990000, 1010000}},
		{"99000.01", "101000.09", Limits{990001, 1010000}}, // never beyond
		{"-5", "9000000", Limits{1, 19999998}},             // within the instrument's range
	} {
		if got := within(in, num(tt.sell), num(tt.buy)); got != tt.want {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
}

func TestImpactPrices(t *testing.T) {
	c := catalog.Default(start)
	linear, inverse := c.At(id(t, c, bybit.Linear, "BTCUSDT")), c.At(id(t, c, bybit.Inverse, "BTCUSD"))
	for _, tt := range []struct {
		name   string
		in     *catalog.Instrument
		value  int64
		levels []engine.Level
		want   int64
		ok     bool
	}{
		// 5,000 USDT at 100,000 are 0.05, the other 5,000 at 99,990 are 0.050005: 10000 / 0.100005 = 99,995.0.
		{"linear", linear, 10000, []engine.Level{{Price: 1000000, Qty: 50}, {Price: 999900, Qty: 1000}}, 999950, true},
		{"one level", linear, 5000, []engine.Level{{Price: 1000000, Qty: 50}}, 1000000, true},
		{"not deep enough", linear, 5001, []engine.Level{{Price: 1000000, Qty: 50}}, 0, false},
		{"RPI does not count", linear, 100, []engine.Level{{Price: 1000000, RPI: 50}}, 0, false},
		{"empty", linear, 10000, nil, 0, false},
		// 5,000 contracts at 50,000 are 0.1 BTC, 5,000 at 49,000 are 0.10204082: 10000 / 0.20204082 = 49,494.9.
		{"inverse", inverse, 10000, []engine.Level{{Price: 500000, Qty: 5000}, {Price: 490000, Qty: 9000}}, 494949, true},
	} {
		got, ok := ImpactOf(tt.in, tt.levels, tt.value)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: %d, %t, want %d", tt.name, got, ok, tt.want)
		}
	}
	if got, ok := Impact(linear, []engine.Level{{Price: 880000, Qty: 2000}}); ok {
		t.Errorf("176,000 USDT fill an impact value of %d at %d", linear.ImpactValue, got)
	}
}

func TestWindow(t *testing.T) {
	w := window{size: 3}
	if _, ok := w.mean(); ok {
		t.Error("a mean of nothing")
	}
	for _, tt := range []struct{ add, want string }{{"1", "1"}, {"2", "1.5"}, {"6", "3"}, {"10", "6"}, {"-1", "5"}, {"0", "3"}, {"-5", "-2"}} {
		w.add(num(tt.add))
		if got, ok := w.mean(); !ok || !near(got, num(tt.want)) {
			t.Errorf("after %s: %v, want %s", tt.add, got, tt.want)
		}
	}
	full := window{size: basisSamples}
	for range 2 * basisSamples {
		full.add(fixed.Max)
	}
	if got, _ := full.mean(); got != sampleBound {
		t.Errorf("the mean of the largest is %v", got)
	}
}

func TestAverage(t *testing.T) {
	var a average
	if _, ok := a.mean(); ok {
		t.Error("a mean of nothing")
	}
	for range 1800 {
		a.add(fixed.Max)
		a.add(fixed.Max - 2)
	}
	if got, ok := a.mean(); !ok || got != fixed.Max-1 {
		t.Errorf("the mean is %d short of the largest", fixed.Max-got)
	}
}
