package price

import (
	"math"
	"testing"
	"time"

	"github.com/bywire/bywire/exchange/internal/fixed"
)

// valued is black76 of the textbook's arguments.
func valued(forward, strike, vol, years fixed.F, call bool) Greeks {
	return black76(forward, strike, forward.Log()-strike.Log(), vol, years.Sqrt(), years, call)
}

// floatBlack76 is the textbook in floating point, to judge black76 by: F. Black, "The pricing of commodity contracts", 1976,
// with interest 0.
func floatBlack76(f, k, vol, years float64, call bool) (price, delta, gamma, vega, theta float64) {
	cdf := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	sd := vol * math.Sqrt(years)
	d1 := math.Log(f/k)/sd + sd/2
	density := math.Exp(-d1*d1/2) / math.Sqrt(2*math.Pi)
	price, delta = f*cdf(d1)-k*cdf(d1-sd), cdf(d1)
	if !call {
		price, delta = price-f+k, delta-1
	}
	return price, delta, density / (f * sd), f * density * math.Sqrt(years) / 100, -f * density * vol / (2 * math.Sqrt(years)) / 365
}

func TestBlack76AgainstFloats(t *testing.T) {
	var worst struct{ price, delta, gamma, vega, theta float64 }
	for _, f := range []float64{0.5, 20, 100, 3000, 88000, 1000000} {
		for _, m := range []float64{0.3, 0.8, 0.95, 1, 1.01, 1.2, 2.5} {
			for _, vol := range []float64{0.05, 0.46, 1.2, 4} {
				for _, days := range []float64{1, 2, 7, 30, 180, 400} {
					for _, call := range []bool{true, false} {
						k, years := f*m, days/365
						g := valued(toFixed(f), toFixed(k), toFixed(vol), toFixed(years), call)
						price, delta, gamma, vega, theta := floatBlack76(f, k, vol, years, call)
						// Relative to the size of the underlying for sums of large numbers, absolute for shares.
						worst.price = max(worst.price, math.Abs(g.Price.Decimal(12).Float64()-price)/f)
						worst.delta = max(worst.delta, math.Abs(g.Delta.Decimal(12).Float64()-delta))
						worst.gamma = max(worst.gamma, math.Abs(g.Gamma.Decimal(12).Float64()-gamma)*f)
						worst.vega = max(worst.vega, math.Abs(g.Vega.Decimal(12).Float64()-vega)/f)
						worst.theta = max(worst.theta, math.Abs(g.Theta.Decimal(12).Float64()-theta)/f)
					}
				}
			}
		}
	}
	// Shares are good to 8 digits, as they are shown; a price of 88,000 to a hundredth of a cent.
	if worst.price > 3e-9 || worst.delta > 2e-8 || worst.gamma > 2e-4 || worst.vega > 2e-9 || worst.theta > 3e-9 {
		t.Errorf("off by %+v", worst)
	}
	t.Logf("off by at most %+v", worst)
}

func toFixed(f float64) fixed.F { return fixed.F(math.Round(f * (1 << 32))) }

// A table by hand: F = K = 100, 20 %, a year. sd = 0.2, d1 = 0.1, d2 = -0.1, N(d1) = 0.539828, n(d1) = 0.396953:
// price 100 * (0.539828 - 0.460172) = 7.9656, gamma 0.396953/20, vega 100*0.396953/100, theta -100*0.396953*0.2/2/365.
func TestBlack76ByHand(t *testing.T) {
	for _, tt := range []struct {
		call                             bool
		price, delta, gamma, vega, theta string
	}{
		{true, "7.9656", "0.5398", "0.0198", "0.3970", "-0.0109"},
		{false, "7.9656", "-0.4602", "0.0198", "0.3970", "-0.0109"},
	} {
		g := valued(num("100"), num("100"), num("0.2"), num("1"), tt.call)
		for _, v := range []struct {
			name string
			got  fixed.F
			want string
		}{{"price", g.Price, tt.price}, {"delta", g.Delta, tt.delta}, {"gamma", g.Gamma, tt.gamma}, {"vega", g.Vega, tt.vega}, {"theta", g.Theta, tt.theta}} {
			if got := v.got.Decimal(4).String(); got != v.want {
				t.Errorf("call %t: %s %s, want %s", tt.call, v.name, got, v.want)
			}
		}
	}
}

// Tickers of options as the venue sent them: V5 page websocket/public/ticker (first), and recorded frames of Deribit-like
// names from testnet and mainnet, 2023 and 2024. They show the units, and what happens in the last day. The frame's
// time is up to a few seconds after the one that its numbers were made for.
func TestRealTickers(t *testing.T) {
	for _, tt := range []struct {
		symbol                           string
		at, delivery                     string
		forward, strike, vol             string
		call                             bool
		price, delta, gamma, vega, theta float64
		within                           float64
	}{
		{"BTC-6JAN23-17500-C", "2023-01-05T11:18:31Z", "2023-01-06T08:00:00Z", "16815.1", "17500", "0.4896", true, 7.86976724, 0.047831, 0.00021453, 0.81351067, -19.9115368, 1.5e-3},
		{"BTC-28JUN24-60000-P", "2024-05-15T03:15:49Z", "2024-06-28T08:00:00Z", "62588.50709846", "60000", "0.5513", false, 3502.0715721, -0.37596534, 0.00003161, 82.65324199, -51.54651685, 3e-4},
		{"BTC-28APR23-30000-C", "2023-04-23T10:50:12Z", "2023-04-28T08:00:00Z", "27546.96", "30000", "0.4617", true, 35.85848319, 0.058091, 0.00007897, 3.69996245, -17.49538621, 5e-4},
		{"SOL-28APR23-24-C", "2023-04-05T00:00:10Z", "2023-04-28T08:00:00Z", "20.93", "24", "1.4674", true, 1.99054639, 0.42723543, 0.0505193, 0.02075941, -0.06527514, 3e-4},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		delivery, err := time.Parse(time.RFC3339, tt.delivery)
		if err != nil {
			t.Fatal(err)
		}
		years := fixed.Ratio(int64(delivery.Sub(at)/time.Millisecond), 365*24*3600*1000)
		g := valued(num(tt.forward), num(tt.strike), num(tt.vol), years, tt.call)
		for _, v := range []struct {
			name string
			got  fixed.F
			want float64
		}{{"price", g.Price, tt.price}, {"delta", g.Delta, tt.delta}, {"gamma", g.Gamma, tt.gamma}, {"vega", g.Vega, tt.vega}, {"theta", g.Theta, tt.theta}} {
			if got := v.got.Decimal(10).Float64(); math.Abs(got/v.want-1) > tt.within {
				t.Errorf("%s: %s %v, the venue showed %v", tt.symbol, v.name, got, v.want)
			}
		}
	}
}

func TestBlack76AtTheEnds(t *testing.T) {
	for _, tt := range []struct {
		forward, strike, vol, years string
		call                        bool
		price, delta                string
	}{
		{"100", "90", "0.5", "0", true, "10", "1"}, // delivered now
		{"100", "90", "0.5", "0", false, "0", "0"},
		{"80", "90", "0.5", "0", false, "10", "-1"},
		{"90", "90", "0.5", "0", true, "0", "0"},
		{"100", "90", "0", "1", true, "10", "1"}, // nothing moves
		{"88000", "10", "0.5", "0.00001", true, "87990", "1"},
		{"88000", "2000000", "0.5", "0.00001", true, "0", "0"},
		{"88000", "2000000", "0.5", "0.00001", false, "1912000", "-1"},
	} {
		g := valued(num(tt.forward), num(tt.strike), num(tt.vol), num(tt.years), tt.call)
		if (g.Price-num(tt.price)).Abs() > 1<<20 || (g.Delta-num(tt.delta)).Abs() > 4 || g.Theta > 0 || g.Gamma < 0 || g.Vega < 0 {
			t.Errorf("%+v: %+v", tt, g)
		}
	}
}

// A call less a put is the forward less the strike, and their greeks differ by one delta only.
func TestPutCallParity(t *testing.T) {
	r := fixed.NewRand(3, "parity")
	for range 2000 {
		forward := fixed.FromInt(10 + r.IntN(100000))
		strike := forward.Mul(num("0.5") + r.F())
		vol, years := num("0.05")+r.F().MulInt(2), r.F()+1
		c, p := valued(forward, strike, vol, years, true), valued(forward, strike, vol, years, false)
		if miss := (c.Price - p.Price - forward + strike).Abs(); miss > forward/1e8 {
			t.Fatalf("F %v, K %v, vol %v, T %v: call %v, put %v", forward, strike, vol, years, c.Price, p.Price)
		}
		if (c.Delta-p.Delta-fixed.One).Abs() > 4 || c.Gamma != p.Gamma || c.Vega != p.Vega || c.Theta != p.Theta {
			t.Fatalf("F %v, K %v: %+v and %+v", forward, strike, c, p)
		}
	}
}

func TestImpliedVolFindsTheVolatility(t *testing.T) {
	r := fixed.NewRand(4, "implied")
	for range 3000 {
		forward := fixed.FromInt(10 + r.IntN(100000))
		strike, vol, years := forward.Mul(num("0.6")+r.F().Mul(num("0.9"))), num("0.1")+r.F().MulInt(3), r.F()+num("0.002")
		call := r.Bool(fixed.Half)
		g := valued(forward, strike, vol, years, call)
		if g.Vega < forward/1e5 {
			continue // the price says nothing about the volatility
		}
		got := ImpliedVol(forward, strike, years, g.Price, call)
		if (got - vol).Abs() > num("0.0001") {
			t.Fatalf("F %v, K %v, T %v, call %t: volatility %v of price %v, want %v", forward, strike, years, call, got, g.Price, vol)
		}
	}
}

func TestImpliedVolBeyondItsRange(t *testing.T) {
	for _, tt := range []struct {
		price string
		call  bool
		want  string
	}{
		{"0", true, "0"},
		{"9", true, "0"},  // less than what exercising gives
		{"10", true, "0"}, // exactly that
		{"99.9", true, "5"},
		{"1000", true, "5"},
		{"0.0000000003", false, "0.0555"}, // a price of one unit, 2.3e-10
	} {
		if got := ImpliedVol(num("100"), num("90"), num("0.1"), num(tt.price), tt.call); got.Decimal(4).Cmp(num(tt.want).Decimal(4)) != 0 {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	if got := ImpliedVol(num("100"), num("90"), 0, num("11"), true); got != 0 {
		t.Errorf("of an option that is delivered now: %v", got)
	}
}

func BenchmarkBlack76(b *testing.B) {
	forward, strike, vol, years := num("88000"), num("90000"), num("0.46"), num("0.08")
	moneyness, root := forward.Log()-strike.Log(), years.Sqrt()
	for b.Loop() {
		black76(forward, strike, moneyness, vol, root, years, true)
	}
}

func BenchmarkImpliedVol(b *testing.B) {
	forward, strike, years := num("88000"), num("90000"), num("0.08")
	price := valued(forward, strike, num("0.46"), years, true).Price
	for b.Loop() {
		ImpliedVol(forward, strike, years, price, true)
	}
}
