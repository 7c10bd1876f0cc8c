package price

import (
	"testing"

	"github.com/bywire/bywire/exchange/internal/fixed"
)

// The level of an expiry: usual 50 %, now 90 %, which goes back with k = 12.
func TestSurfaceLevel(t *testing.T) {
	for _, tt := range []struct{ years, want string }{
		// 1.03 * sqrt(0.25 + 0.56 * (1 - e^-x)/x), x = 12 T
		{"0.000000001", "0.9268"},  // the surface of an hour: x = 0.00137, (1 - e^-x)/x = 0.99932
		{"0.0833333333", "0.8005"}, // a month: x = 1, 0.63212
		{"0.25", "0.6733"},         // a quarter: x = 3, 0.31674
		{"1", "0.5610"},            // x = 12, 0.083333
	} {
		e := newExpiry(num("88000"), num("0.5"), num("0.9"), num(tt.years))
		if got := e.level.Decimal(4).String(); got != tt.want {
			t.Errorf("%s years: level %s, want %s", tt.years, got, tt.want)
		}
	}
}

// At a month, x = ln(K/F) / (0.515 * 0.288675): one x is a factor of 1.1602874; skew(T) = -0.02 - 0.02 * 0.25/0.333333 = -0.035.
func TestSurfaceSmile(t *testing.T) {
	e := newExpiry(num("100"), num("0.5"), num("0.5"), num("0.0833333333"))
	for _, tt := range []struct{ strike, want string }{
		{"100", "0.515"},          // the level
		{"116.02874", "0.509774"}, // x = 1: 0.515 * (1 - 0.035 + 0.06 * 0.4142136)
		{"86.18554", "0.545824"},  // x = -1: 0.515 * (1 + 0.035 + 0.06 * 0.4142136)
		{"74.27947", "0.589246"},  // x = -2: 0.515 * (1 + 0.07 + 0.06 * 1.2360680)
		{"1", "0.974891"},         // cut at x = -10: 0.515 * (1 + 0.35 + 0.06 * 9.0498756)
	} {
		if got := e.vol(num(tt.strike).Log()); (got - num(tt.want)).Abs() > num("0.000002") {
			t.Errorf("strike %s: %s, want %s", tt.strike, got, tt.want)
		}
	}
}

// No strike may be dearer than its neighbours allow, or who buys the two beside it and sells it twice is paid for nothing:
// put prices rise with the strike and are convex in it. And a longer option is worth no less than a shorter one of the same
// forward.
func TestSurfaceGivesNothingAway(t *testing.T) {
	for _, usual := range []string{"0.3", "0.46", "0.9"} {
		for _, now := range []string{"0.15", "0.46", "1.5", "4"} {
			var before []fixed.F
			for _, days := range []int64{1, 2, 7, 14, 30, 60, 90, 180, 365} {
				e := newExpiry(num("1000"), num(usual), num(now), fixed.Ratio(days, 365))
				var puts []fixed.F
				for k := int64(500); k <= 2000; k += 50 {
					strike := fixed.FromInt(k)
					vol := e.vol(strike.Log())
					puts = append(puts, black76(e.forward, strike, e.logForward-strike.Log(), vol, e.root, e.years, false).Price)
				}
				const slack = 1 << 12 // a millionth of a dollar: the last digits of the arithmetic
				for i := 1; i < len(puts); i++ {
					if puts[i] < puts[i-1]-slack {
						t.Fatalf("usual %s, now %s, %d days: puts %v fall at %d", usual, now, days, puts, i)
					}
					if i > 1 && puts[i]-2*puts[i-1]+puts[i-2] < -slack {
						t.Fatalf("usual %s, now %s, %d days: puts are not convex at %d: %v", usual, now, days, 450+50*i, puts)
					}
				}
				for i := range before {
					if puts[i] < before[i]-slack {
						t.Fatalf("usual %s, now %s: the put of %d is worth %v for %d days and %v before", usual, now, 500+50*i, puts[i], days, before[i])
					}
				}
				before = puts
			}
		}
	}
}
