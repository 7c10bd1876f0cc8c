package past

import (
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// On average a day of the past turns over what the catalogue calls usual, whatever its bars are made of: days, hours and
// minutes.
func TestTurnoverOfThePastIsTheUsual(t *testing.T) {
	const seeds = 24
	sums, days := make(map[string][levels]float64), make(map[string][levels]float64)
	for seed := range uint64(seeds) {
		cat := catalog.Default(newYear)
		p := New(seed, cat, newYear)
		for _, symbol := range []string{"BTCUSDT", "DOGEUSDT"} {
			in := find(t, cat, bybit.Linear, symbol)
			of, n := sums[symbol], days[symbol]
			for l, part := range [levels]struct {
				interval Interval
				from, to int64
			}{{M1, newYear - 20*day, newYear}, {H1, newYear - 400*day, newYear - 40*day}, {D1, newYear - 1600*day, newYear - hoursReach - day}} {
				for _, b := range p.Bars(nil, in.ID, Trade, part.interval, part.from, part.to-1, 0) {
					of[l] += in.Qty(b.Volume).Float64() * in.Price(b.Close).Float64() / float64(in.Turnover)
				}
				n[l] += float64((part.to - part.from) / day)
			}
			sums[symbol], days[symbol] = of, n
		}
	}
	for symbol, of := range sums {
		for l, name := range [levels]string{"minutes", "hours", "days"} {
			within(t, symbol+": turnover of a day over the usual, by "+name, of[l]/days[symbol][l], 0.85, 1.15)
		}
	}
}

// Turnover is known in dollars, and made lots at the price in dollars: also of a pair whose prices are in another coin, of
// large lots, and of small ones.
func TestVolumeIsTheTurnoverInLots(t *testing.T) {
	cat := catalog.Default(newYear)
	skipped, err := cat.Load([]byte(`{"instruments":[
		{"category":"spot","like":"BTCUSDT","symbol":"ETHBTC","baseCoin":"ETH","quoteCoin":"BTC","priceFilter":{"tickSize":"0.000001"}},
		{"category":"spot","like":"BTCUSDT","symbol":"DOGEBTC","baseCoin":"DOGE","quoteCoin":"BTC","priceFilter":{"tickSize":"0.000000001"},"lotSizeFilter":{"basePrecision":"1"}},
		{"category":"linear","like":"DOGEUSDT","symbol":"LARGE","lotSizeFilter":{"qtyStep":"700"}},
		{"category":"linear","like":"DOGEUSDT","symbol":"SMALL","lotSizeFilter":{"qtyStep":"0.0000007"}},
		{"category":"inverse","like":"BTCUSD","symbol":"TENS","lotSizeFilter":{"qtyStep":"10"}}]}`))
	if err != nil || len(skipped) != 0 {
		t.Fatal(skipped, err)
	}
	p := New(7, cat, newYear)
	for _, in := range cat.Live() {
		if in.Kind == catalog.Option || in.Kind == catalog.Spread || in.Kind == catalog.Future {
			continue
		}
		usd, lots := 0., 0.
		for _, b := range p.Bars(nil, in.ID, Trade, D1, newYear-300*day, newYear-1, 0) {
			price := 1.
			if !in.Inverse {
				price = p.path(in.Base).day(b.Start / day).close.Decimal(9).Float64()
			}
			usd += in.Qty(b.Volume).Float64() * price / 300
			lots += float64(b.Volume)
		}
		within(t, string(in.Category)+" "+in.Symbol+": turnover of a day over the usual", usd/float64(in.Turnover), 0.6, 1.6)
		if lots < 1e4 {
			t.Errorf("%s: %v lots in 300 days", in.Symbol, lots)
		}
	}
	// To the digit: 1,000,000 dollars at 0.123 buy 8,130,081.3 coins.
	for _, tt := range []struct {
		symbol string
		want   int64
	}{{"LARGE", 11614}, {"SMALL", 11614401858304}} {
		in := find(t, cat, bybit.Linear, tt.symbol)
		got := lotsWorth(in, 1e9, fixed.Ratio(123, 1000))
		if d := got - tt.want; d > tt.want/1e6 || d < -tt.want/1e6-1 {
			t.Errorf("a million dollars buy %d lots of %s, want %d", got, tt.symbol, tt.want)
		}
	}
	if got := lotsWorth(find(t, cat, bybit.Inverse, "TENS"), 1e9, fixed.One); got != 100000 {
		t.Errorf("a million dollars are %d contracts of ten", got)
	}
}
