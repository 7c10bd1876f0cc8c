package past

import (
	"math"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

func TestFunding(t *testing.T) {
	for _, start := range []int64{newYear, oddTime} {
		cat := catalog.Default(start)
		p := New(7, cat, start)
		in := find(t, cat, bybit.Linear, "BTCUSDT")
		all := p.Funding(in.ID, 0, start+day, 0)
		last := fixed.Floor(start, 8*hour)
		if len(all) < 2180 || all[len(all)-1].At != last {
			t.Fatalf("%d fundings, the last at %d, want it at %d", len(all), all[len(all)-1].At, last)
		}
		rates := make(map[fixed.F]int)
		for i, f := range all {
			if f.At%(8*hour) != 0 || i > 0 && f.At != all[i-1].At+8*hour {
				t.Fatalf("a funding at %d", f.At)
			}
			if f.Rate < in.FundingFloor || f.Rate > in.FundingCap {
				t.Fatalf("a rate of %v", f.Rate)
			}
			rates[f.Rate]++
		}
		// Mostly the interest rate, 0.01 %, which is what a small premium gives; but not only.
		usual := float64(rates[fixed.Ratio(1, 10000)]) / float64(len(all))
		if usual < 0.4 || usual > 0.9 || len(rates) < 200 {
			t.Errorf("%d of %d rates differ; 0.01 %% in %v", len(rates), len(all), usual)
		}
		part := p.Funding(in.ID, all[100].At+1, all[300].At, 50)
		if len(part) != 50 || part[0] != all[251] || part[49] != all[300] {
			t.Errorf("a part of %d fundings, from %d to %d", len(part), part[0].At, part[len(part)-1].At)
		}
		if spot := p.Funding(find(t, cat, bybit.Spot, "BTCUSDT").ID, 0, start, 0); spot != nil {
			t.Errorf("spot has %d fundings", len(spot))
		}
	}
}

func TestOpenInterestAndRatio(t *testing.T) {
	cat := catalog.Default(oddTime)
	p := New(7, cat, oddTime)
	in := find(t, cat, bybit.Linear, "BTCUSDT")
	if got, want := float64(OpenLots(cat, in)), 4300e6/88000.*1000; math.Abs(got-want) > 2 {
		t.Errorf("%v lots are open, want %v", got, want) // 4.3 billion dollars
	}
	if inverse := find(t, cat, bybit.Inverse, "BTCUSD"); OpenLots(cat, inverse) != 240e6 {
		t.Errorf("%d contracts are open, want 240 million", OpenLots(cat, inverse))
	}
	bars := p.Bars(nil, in.ID, Interest, M5, 0, oddTime, 0)
	if last := bars[len(bars)-1].Close; last != OpenLots(cat, in) {
		t.Errorf("the last is %d, want what is open at the start, %d", last, OpenLots(cat, in))
	}
	moved := 0
	for _, b := range bars {
		if r := float64(b.Open) / float64(OpenLots(cat, in)); r < 0.7 || r > 1.4 {
			t.Fatalf("%v of the usual is open", r)
		}
		if b.Open != b.Close {
			moved++
		}
	}
	if moved < len(bars)/2 {
		t.Errorf("open interest moved in %d of %d bars", moved, len(bars))
	}

	low, high := fixed.One, fixed.F(0)
	for at := oddTime - 300*hour; at <= oddTime; at += hour {
		share := p.Ratio(in.ID, at)
		low, high = min(low, share), max(high, share)
	}
	if low < fixed.Ratio(40, 100) || high > fixed.Ratio(64, 100) || high-low < fixed.Ratio(2, 100) {
		t.Errorf("%v to %v are long", low, high)
	}
	if got := p.Ratio(find(t, cat, bybit.Spot, "BTCUSDT").ID, oddTime); got != fixed.Half {
		t.Errorf("%v are long on spot", got)
	}
}

func TestDelivery(t *testing.T) {
	cat := catalog.Default(oddTime)
	p := New(7, cat, oddTime)
	in := find(t, cat, bybit.Linear, "BTCUSDT")
	for _, back := range []int64{1, 20, 100, 700} {
		at := fixed.Floor(oddTime, day) - back*day + 8*hour
		got, ok := p.Delivery("BTC", "USDT", at)
		bars := p.Bars(nil, in.ID, Index, H1, at-hour, at-hour, 0)
		if !ok || len(bars) != 1 {
			t.Fatalf("%d days ago: %v, %d bars", back, ok, len(bars))
		}
		low, high := Shown(in, Index, bars[0].Low).Float64(), Shown(in, Index, bars[0].High).Float64()
		if price := got.Decimal(8).Float64(); price < low-0.01 || price > high+0.01 {
			t.Errorf("%d days ago: delivered at %v, the index was between %v and %v", back, price, low, high)
		}
	}
	at := fixed.Floor(oddTime, day) - 3*day + 8*hour
	sum := 0.
	for _, b := range p.Bars(nil, in.ID, Index, M1, at-30*minute, at-minute, 0) {
		sum += (Shown(in, Index, b.Open).Float64() + Shown(in, Index, b.Close).Float64()) / 60
	}
	if got, _ := p.Delivery("BTC", "USDT", at); math.Abs(got.Decimal(8).Float64()-sum) > 0.01 {
		t.Errorf("delivered at %v, the mean of 30 minutes is %v", got, sum)
	}
	for name, ok := range map[string]bool{
		"another coin":   known(p.Delivery("LUNA", "USDT", at)),
		"another quote":  known(p.Delivery("BTC", "EUR", at)),
		"the future":     known(p.Delivery("BTC", "USDT", oddTime)),
		"too long ago":   known(p.Delivery("BTC", "USDT", oddTime-800*day)),
		"the first hour": known(p.Delivery("BTC", "USDT", fixed.Floor(oddTime-hoursReach, day))),
	} {
		if ok {
			t.Errorf("%s has a delivery price", name)
		}
	}
}

func known[T any](_ T, ok bool) bool { return ok }

func TestVolatilityIsThatOfTheHours(t *testing.T) {
	cat := smallCatalog(t, oddTime)
	s := NewStore(New(7, cat, oddTime))
	in := find(t, cat, bybit.Linear, "BTCUSDT")
	check := func(over int, at int64) {
		t.Helper()
		to := fixed.Floor(at, hour)
		bars := s.Bars(nil, in.ID, Index, H1, to-int64(over)*day, to-hour, 0)
		sum := 0.
		for _, r := range returns(bars) {
			sum += r * r
		}
		want := math.Sqrt(sum / float64(over*24) * 365 * 24)
		if got := s.Volatility(in.ID, over, at).Decimal(9).Float64(); len(bars) != over*24 || math.Abs(got-want) > 1e-5 {
			t.Errorf("%d days, %d bars: %v, want %v", over, len(bars), got, want)
		}
	}
	check(7, oddTime)
	check(270, oddTime)
	check(30, oddTime-400*day)
	trades(s, fixed.NewRand(3), []catalog.ID{in.ID}, oddTime, oddTime+50*hour, 20*minute)
	check(1, s.now)
	check(7, s.now)
	for name, got := range map[string]fixed.F{
		"of spot":         s.Volatility(100000, 7, oddTime),
		"of no days":      s.Volatility(in.ID, 0, oddTime),
		"beyond the past": s.Volatility(in.ID, 30, oddTime-710*day),
		"of three years":  s.Volatility(in.ID, 1000, oddTime),
	} {
		if got != 0 {
			t.Errorf("volatility %s is %v", name, got)
		}
	}
}

// No time and no span is too far: there is nothing, and it is told at once.
func TestFarAwayTimes(t *testing.T) {
	cat := smallCatalog(t, oddTime)
	p := New(3, cat, oddTime)
	s := NewStore(p)
	in := find(t, cat, bybit.Linear, "BTCUSDT")
	for _, at := range []int64{math.MinInt64, math.MinInt64 + 1, math.MinInt64 + day, -1, 0, 1} {
		if got := p.Funding(in.ID, math.MinInt64, at, 10); len(got) != 0 {
			t.Errorf("fundings up to %d: %v", at, got)
		}
		if got := p.Ratio(in.ID, at); got != fixed.Half {
			t.Errorf("ratio at %d: %v", at, got)
		}
		if got, ok := p.Delivery("BTC", "USDT", at); ok {
			t.Errorf("delivery at %d: %v", at, got)
		}
		if got := s.Volatility(in.ID, 7, at); got != 0 {
			t.Errorf("volatility at %d: %v", at, got)
		}
		for i := range Interval(Intervals) {
			if got := p.Bars(nil, in.ID, Trade, i, math.MinInt64, at, 10); len(got) != 0 {
				t.Errorf("interval %v, bars of the past up to %d: %v", i, at, got)
			}
			if got := s.Bars(nil, in.ID, Trade, i, math.MinInt64, at, 10); len(got) != 0 {
				t.Errorf("interval %v, bars up to %d: %v", i, at, got)
			}
			if got := s.Bars(nil, in.ID, Trade, i, at, math.MaxInt64, 10); len(got) != 10 {
				t.Errorf("interval %v, newest bars from %d: %d", i, at, len(got))
			}
		}
	}
	if got := p.Funding(in.ID, math.MinInt64, math.MaxInt64, 10); len(got) != 10 || got[9].At != fixed.Floor(oddTime, 8*hour) {
		t.Errorf("the last ten fundings: %v", got)
	}
	for _, over := range []int{math.MaxInt, 10000, -1, 0} {
		if got := s.Volatility(in.ID, over, oddTime); got != 0 {
			t.Errorf("volatility over %d days: %v", over, got)
		}
	}
}

// Volatility does not depend on who asked before: of hours that are dropped meanwhile nothing is known any more.
func TestVolatilityIsTheSameAfterARestore(t *testing.T) {
	cat := smallCatalog(t, newYear)
	s, in := NewStore(New(3, cat, newYear)), find(t, cat, bybit.Linear, "BTCUSDT")
	if s.Volatility(in.ID, 730, newYear) == 0 {
		t.Error("at the start the volatility of two years is not known")
	}
	s.Minute(newYear + 4*day)
	restored := NewStore(New(3, cat, newYear))
	if err := state.Restore(restored, state.Bytes(s)); err != nil {
		t.Fatal(err)
	}
	for over := 1; over < 732; over += 73 {
		for at := int64(newYear); at <= newYear+4*day; at += 7 * hour {
			if got, want := restored.Volatility(in.ID, over, at), s.Volatility(in.ID, over, at); got != want {
				t.Errorf("%d days, %d h after the start: %v, not %v", over, (at-newYear)/hour, got, want)
			}
		}
	}
}
