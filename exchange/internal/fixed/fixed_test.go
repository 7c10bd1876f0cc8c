package fixed

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/bywire/bywire/decimal"
)

// clamp returns what want becomes as a result: whole numbers beyond an int64 saturate.
func clamp(want *big.Int) int64 {
	switch {
	case want.IsInt64():
		return want.Int64()
	case want.Sign() < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

// bigQuotient returns a/b rounded: down, or to the nearest with halves away from zero.
func bigQuotient(a, b *big.Int, r rounding) *big.Int {
	if b.Sign() < 0 {
		a, b = new(big.Int).Neg(a), new(big.Int).Neg(b)
	}
	if r == down {
		return new(big.Int).Div(a, b) // Euclidean, which is floor for b > 0
	}
	u := new(big.Int).Abs(a)
	u.Div(u.Add(u.Lsh(u, 1), b), new(big.Int).Lsh(b, 1))
	if a.Sign() < 0 {
		u.Neg(u)
	}
	return u
}

// checkMulDiv compares everything that is a product or a quotient with math/big.
func checkMulDiv(t *testing.T, a, b, c int64) {
	t.Helper()
	A, B, C := big.NewInt(a), big.NewInt(b), big.NewInt(c)
	product := new(big.Int).Mul(A, B)
	if c == 0 {
		want := int64(math.MaxInt64)
		switch product.Sign() {
		case 0:
			want = 0
		case -1:
			want = math.MinInt64
		}
		if got, near := MulDiv(a, b, c), MulDivRound(a, b, c); got != want || near != want {
			t.Errorf("%d*%d/0 = %d and %d, want %d", a, b, got, near, want)
		}
	} else {
		if got, want := MulDiv(a, b, c), clamp(bigQuotient(product, C, down)); got != want {
			t.Errorf("MulDiv(%d, %d, %d) = %d, want %d", a, b, c, got, want)
		}
		if got, want := MulDivRound(a, b, c), clamp(bigQuotient(product, C, nearest)); got != want {
			t.Errorf("MulDivRound(%d, %d, %d) = %d, want %d", a, b, c, got, want)
		}
		if got, want := F(a).Div(F(c)), clamp(bigQuotient(new(big.Int).Lsh(A, 32), C, nearest)); got != F(want) {
			t.Errorf("%d Div %d = %d, want %d", a, c, got, want)
		}
	}
	for _, is := range []struct {
		name string
		got  F
		want *big.Int
	}{
		{"Mul", F(a).Mul(F(b)), bigQuotient(product, big.NewInt(1<<32), nearest)},
		{"MulInt", F(a).MulInt(b), product},
		{"Add", F(a).Add(F(b)), new(big.Int).Add(A, B)},
		{"Sub", F(a).Sub(F(b)), new(big.Int).Sub(A, B)},
		{"Abs", F(a).Abs(), new(big.Int).Abs(A)},
		{"FromInt", FromInt(a), new(big.Int).Lsh(A, 32)},
		{"Round", F(F(a).Round()), bigQuotient(A, big.NewInt(1<<32), nearest)},
		{"Int", F(F(a).Int()), bigQuotient(A, big.NewInt(1<<32), down)},
	} {
		if is.got != F(clamp(is.want)) {
			t.Errorf("%s of %d and %d = %d, want %d", is.name, a, b, is.got, is.want)
		}
	}
}

func TestArithmetic(t *testing.T) {
	ends := []int64{0, 1, -1, 2, 3, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 1 << 32, -1 << 32, 1 << 31, 1<<31 - 1, math.MaxInt32, math.MinInt32, 1 << 62}
	for _, a := range ends {
		for _, b := range ends {
			for _, c := range ends {
				checkMulDiv(t, a, b, c)
			}
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	some := func() int64 { return int64(r.Uint64()) >> r.IntN(64) }
	for range 50_000 {
		checkMulDiv(t, some(), some(), some())
	}
}

func FuzzMulDiv(f *testing.F) {
	f.Add(int64(1), int64(1<<62), int64(3))
	f.Add(int64(math.MinInt64), int64(math.MinInt64), int64(math.MinInt64))
	f.Fuzz(checkMulDiv)
}

// checkCurves compares the functions of one number with math/big.
func checkCurves(t *testing.T, x F) {
	t.Helper()
	off := func(name string, got F, want *big.Float, limit float64) {
		t.Helper()
		if d := offBy(got, want); d > limit {
			t.Errorf("%s(%v) = %v is off by %v units", name, x, got, d)
		}
	}
	if x > 0 {
		off("log", x.Log(), bigLog(bigF(x)), 0.6)
		off("sqrt", x.Sqrt(), bigNew().Sqrt(bigF(x)), 0.5)
	}
	if want := bigExp(bigF(min(max(x, FromInt(-50)), FromInt(50)))); inRange(want) {
		off("exp", x.Exp(), want, 2)
	} else if x.Exp() != Max {
		t.Errorf("exp(%v) = %v", x, x.Exp())
	}
	if x.Abs() < FromInt(9) {
		off("pdf", x.NormPDF(), bigPDF(bigF(x)), 1)
		off("cdf", x.NormCDF(), bigCDF(bigF(x)), 1)
	}
	d := x.Decimal(10)
	if back, ok := FromDecimal(d); !ok || back != x {
		t.Errorf("%d as a decimal is %v, and that %d, %v", int64(x), d, int64(back), ok)
	}
}

func FuzzCurves(f *testing.F) {
	f.Add(int64(1))
	f.Add(int64(One))
	f.Add(int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, x int64) { checkCurves(t, F(x)) })
}

func TestDecimal(t *testing.T) {
	for _, tt := range []struct {
		f     F
		scale int
		want  string
	}{
		{0, 0, "0"}, {0, 2, "0.00"}, {One, 4, "1.0000"}, {-One, 0, "-1"},
		{Half, 0, "0"}, {One + Half, 0, "2"}, {-Half, 0, "0"}, {-One - Half, 0, "-2"}, // half to even
		{One / 4, 1, "0.2"}, {3 * One / 4, 1, "0.8"}, {One / 8, 2, "0.12"}, {3 * One / 8, 2, "0.38"},
		{1, 10, "0.0000000002"}, {1, 18, "0.000000000232830644"}, {One - 1, 9, "1.000000000"}, {One - 1, 0, "1"},
		{Max, 0, "2147483648"}, {Max, 18, "2147483647.999999999767169356"},
		{Min, 3, "-2147483648.000"}, {Min, 18, "-2147483648.000000000000000000"},
		{Ratio(1, 3), 6, "0.333333"}, {Ratio(-2, 3), 3, "-0.667"},
		{One, -1, "1"}, {One, 19, "1.000000000000000000"},
	} {
		if got := tt.f.Decimal(tt.scale).String(); got != tt.want {
			t.Errorf("%d with %d digits is %s, want %s", int64(tt.f), tt.scale, got, tt.want)
		}
	}
	if got := Ratio(-1, 3).String(); got != "-0.333333333" {
		t.Errorf("String = %s", got)
	}
}

func TestFromDecimal(t *testing.T) {
	for _, tt := range []struct {
		text string
		want F
		ok   bool
	}{
		{"0", 0, true}, {"-0.0", 0, true}, {"1", One, true}, {"-1.5", -One - Half, true}, {"90000.10", Ratio(900001, 10), true},
		{"0.0000000001", 0, true}, {"0.0000000002", 1, true},
		{"2147483647", FromInt(math.MaxInt32), true}, {"2147483648", Max, false}, {"2147483647.999999999767169356", Max, true},
		{"-2147483648", Min, true}, {"-2147483648.000000000000000001", Min, false}, {"-2147483649", Min, false},
		{"9999999999999999999999999999", Max, false}, {"-9999999999999999999999999999", Min, false},
		{"1234567890.123456789012345678", 5302428712771968311, true},
	} {
		d, err := decimal.Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := FromDecimal(d); got != tt.want || ok != tt.ok {
			t.Errorf("FromDecimal(%s) = %d, %v, want %d, %v", tt.text, int64(got), ok, int64(tt.want), tt.ok)
		}
	}
	if got, ok := FromDecimal(decimal.Decimal{}); got != 0 || ok {
		t.Errorf("FromDecimal of absent = %v, %v", got, ok)
	}
	for _, x := range numbers(5000) {
		if back, ok := FromDecimal(x.Decimal(10)); !ok || back != x {
			t.Errorf("%d comes back from its decimal as %d, %v", int64(x), int64(back), ok)
		}
	}
}

// What whole numbers are rounded, scaled and mixed with.
func TestWholeNumbers(t *testing.T) {
	for _, tt := range []struct{ v, step, want int64 }{
		{0, 10, 0}, {9, 10, 0}, {10, 10, 10}, {-1, 10, -10}, {-10, 10, -10}, {-11, 10, -20}, {math.MaxInt64, 1, math.MaxInt64},
	} {
		if got := Floor(tt.v, tt.step); got != tt.want {
			t.Errorf("Floor(%d, %d) = %d, want %d", tt.v, tt.step, got, tt.want)
		}
	}
	if Pow10(0) != 1 || Pow10(3) != 1000 || Pow10(18) != 1e18 {
		t.Errorf("powers of ten: %d, %d, %d", Pow10(0), Pow10(3), Pow10(18))
	}
	// The first outputs of SplitMix64 with seed 0 (Vigna's splitmix64.c).
	const step = 0x9e3779b97f4a7c15
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := Mix(uint64(i+1) * step); got != want {
			t.Errorf("Mix(%d) = %x, want %x", i+1, got, want)
		}
	}
}
