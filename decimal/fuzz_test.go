package decimal

import (
	"errors"
	"math/big"
	"strings"
	"testing"
)

// The oracle of both targets is math/big.

var (
	bigTen   = big.NewInt(10)
	bigLimit = new(big.Int).Exp(bigTen, big.NewInt(MaxDigits), nil)
)

func bigPow10(n int) *big.Int { return new(big.Int).Exp(bigTen, big.NewInt(int64(n)), nil) }

// bigCoef returns the coefficient of d with its sign.
func bigCoef(d Decimal) *big.Int {
	b := new(big.Int).SetUint64(uint64(d.hi))
	b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(d.lo))
	if d.flags&flagNeg != 0 {
		b.Neg(b)
	}
	return b
}

func bigRat(d Decimal) *big.Rat {
	return new(big.Rat).SetFrac(bigCoef(d), bigPow10(d.Scale()))
}

// bigRound rounds x to a whole number.
func bigRound(x *big.Rat, r Rounding) *big.Int {
	q, m := new(big.Int).DivMod(x.Num(), x.Denom(), new(big.Int)) // floor, the denominator is positive
	if m.Sign() == 0 {
		return q
	}
	up := new(big.Int).Add(q, big.NewInt(1))
	half := new(big.Int).Lsh(m, 1).Cmp(x.Denom())
	switch r {
	case Floor:
		return q
	case Ceil:
		return up
	case AwayFromZero:
		if x.Sign() < 0 {
			return q
		}
		return up
	case HalfEven:
		if half > 0 || half == 0 && q.Bit(0) == 1 {
			return up
		}
		return q
	case HalfAwayFromZero:
		if half > 0 || half == 0 && x.Sign() > 0 {
			return up
		}
		return q
	}
	if x.Sign() < 0 {
		return up
	}
	return q
}

// fitsAt reports whether x is a whole coefficient within bounds at the scale.
func fitsAt(x *big.Rat, scale int) bool {
	y := new(big.Rat).Mul(x, new(big.Rat).SetInt(bigPow10(scale)))
	return y.IsInt() && new(big.Int).Abs(y.Num()).Cmp(bigLimit) < 0
}

// largestScale returns the largest scale not above limit at which x fits, or -1.
func largestScale(x *big.Rat, limit int) int {
	for s := min(limit, MaxScale); s >= 0; s-- {
		if fitsAt(x, s) {
			return s
		}
	}
	return -1
}

// checkValid fails unless d is a set number within bounds.
func checkValid(t *testing.T, d Decimal) {
	t.Helper()
	if !d.IsSet() || d.Scale() > MaxScale || new(big.Int).Abs(bigCoef(d)).Cmp(bigLimit) >= 0 {
		t.Fatalf("out of bounds: %#v", d)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"0", "0e1", "-0.00", "109378.80", "1.5e-7", "1E+5", "-1e28", "0e-28", "007", "+1", ".5", "5.", "NaN", "", "-", "1e", "1e-",
		"9999999999999999999", "18446744073709551615", "18446744073709551616", "9999999999999999999999999999",
		"10000000000000000000000000000", "0.0000000000000000000000000001", "0.00000000000000000000000000001",
		"-0.00100006728685180109293673123005419256514869630336761474609375", "1\x00", " 1", "1.2.3",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Parse(s)
		b, errBytes := Parse([]byte(s))
		if d != b || (err == nil) != (errBytes == nil) {
			t.Fatalf("Parse(%q): string %v, %v; bytes %v, %v", s, d, err, b, errBytes)
		}
		text, errText := ParseText(s)
		if err != nil {
			if d.IsSet() {
				t.Fatalf("Parse(%q): a number and an error", s)
			}
			if errors.Is(err, ErrSyntax) != errors.Is(errText, ErrSyntax) {
				t.Fatalf("Parse(%q): %v, ParseText: %v", s, err, errText)
			}
			return
		}
		checkValid(t, d)
		plain := d.String()
		if !strings.ContainsAny(s, "eE") && plain != s {
			t.Fatalf("Parse(%q) encodes as %q", s, plain)
		}
		if again, err := Parse(plain); err != nil || again != d {
			t.Fatalf("Parse(%q) = %v, %v; want %v", plain, again, err, d)
		}
		// A zero with a huge exponent would take math/big for ever.
		if want, ok := new(big.Rat).SetString(plain); !ok || want.Cmp(bigRat(d)) != 0 {
			t.Fatalf("Parse(%q) = %v, big.Rat %v", s, bigRat(d), want)
		}
		if !d.IsZero() {
			if want, ok := new(big.Rat).SetString(s); !ok || want.Cmp(bigRat(d)) != 0 {
				t.Fatalf("Parse(%q) = %v, big.Rat %v", s, bigRat(d), want)
			}
		}
		if errText == nil && text.Cmp(Text(plain)) != 0 {
			t.Fatalf("Text(%q).Cmp(%q) != 0", s, plain)
		}
		var e Decimal
		if json, err := d.MarshalJSON(); err != nil || e.UnmarshalJSON(json) != nil || e != d {
			t.Fatalf("%q: JSON %s, %v gives %v", s, json, err, e)
		}
	})
}

// fuzzDecimal makes a Decimal of any coefficient, scale and sign; absent where
// the coefficient is 0 and the scale too large.
func fuzzDecimal(hi uint32, lo uint64, scale uint8, neg bool) Decimal {
	if !fits(uint64(hi), lo) {
		hi >>= 3
	}
	d := Decimal{lo: lo, hi: hi, scale: scale % (MaxScale + 1), flags: flagSet}
	if neg {
		d.flags |= flagNeg
	}
	if d.IsZero() && scale > MaxScale {
		return Decimal{}
	}
	return d
}

func FuzzArithmetic(f *testing.F) {
	f.Add(uint32(0), uint64(10937880), uint8(2), false, uint32(0), uint64(5), uint8(1), true, uint8(2), uint8(4))
	f.Add(uint32(1<<29), uint64(1<<63), uint8(28), true, uint32(1<<28), uint64(3), uint8(0), false, uint8(28), uint8(5))
	f.Add(uint32(0), uint64(1), uint8(0), false, uint32(0), uint64(3), uint8(0), false, uint8(28), uint8(1))
	f.Add(uint32(limitHi), uint64(limitLo-1), uint8(0), false, uint32(limitHi), uint64(limitLo-1), uint8(28), false, uint8(0), uint8(2))
	f.Add(uint32(7), uint64(1)<<60, uint8(3), true, uint32(3), uint64(1)<<63, uint8(20), true, uint8(9), uint8(3))
	f.Add(uint32(0), uint64(0), uint8(99), false, uint32(0), uint64(0), uint8(4), true, uint8(9), uint8(0))
	f.Fuzz(func(t *testing.T, dh uint32, dl uint64, ds uint8, dn bool, eh uint32, el uint64, es uint8, en bool, at, rounding uint8) {
		d, e := fuzzDecimal(dh, dl, ds, dn), fuzzDecimal(eh, el, es, en)
		r := Rounding(rounding % 6)
		scale := int(at % (MaxScale + 1))
		x, y := bigRat(d), bigRat(e)

		if got, want := d.Cmp(e), x.Cmp(y); got != want || e.Cmp(d) != -want || d.Equal(e) != (want == 0) {
			t.Fatalf("%v.Cmp(%v) = %d, want %d", d, e, got, want)
		}
		// exact checks a result that has the largest scale up to limit that fits.
		exact := func(op string, got Decimal, err error, want *big.Rat, limit int) {
			t.Helper()
			s := largestScale(want, limit)
			switch {
			case s < 0 && !errors.Is(err, ErrRange):
				t.Fatalf("%v %s %v at %d %v = %v, %v; want ErrRange", d, op, e, scale, r, got, err)
			case s >= 0 && (err != nil || got.Scale() != s || bigRat(got).Cmp(want) != 0):
				t.Fatalf("%v %s %v at %d %v = %v, %v; want %s", d, op, e, scale, r, got, err, want.FloatString(s))
			case s >= 0:
				checkValid(t, got)
				if got.IsZero() && got.flags != flagSet {
					t.Fatalf("%v %s %v: zero with flags %b", d, op, e, got.flags)
				}
			}
		}
		// fixed is exact for a result that must have that very scale.
		fixed := func(op string, got Decimal, err error, want *big.Rat, s int) {
			t.Helper()
			if !fitsAt(want, s) {
				if !errors.Is(err, ErrRange) {
					t.Fatalf("%v %s %v at %d %v = %v, %v; want ErrRange", d, op, e, s, r, got, err)
				}
				return
			}
			exact(op, got, err, want, s)
		}

		got, err := d.Add(e)
		exact("+", got, err, new(big.Rat).Add(x, y), max(d.Scale(), e.Scale()))
		got, err = d.Sub(e)
		exact("-", got, err, new(big.Rat).Sub(x, y), max(d.Scale(), e.Scale()))
		got, err = d.Mul(e)
		exact("*", got, err, new(big.Rat).Mul(x, y), d.Scale()+e.Scale())

		got, err = d.Quo(e, scale, r)
		if e.IsZero() {
			if !errors.Is(err, ErrDivisionByZero) {
				t.Fatalf("%v / %v = %v, %v; want ErrDivisionByZero", d, e, got, err)
			}
			if _, err := d.Quantize(e, r); !errors.Is(err, ErrDivisionByZero) || d.IsMultipleOf(e) {
				t.Fatalf("%v.Quantize(%v): %v; want ErrDivisionByZero", d, e, err)
			}
		} else {
			ratio := new(big.Rat).Quo(x, y)
			scaled := new(big.Rat).Mul(ratio, new(big.Rat).SetInt(bigPow10(scale)))
			fixed("/", got, err, new(big.Rat).SetFrac(bigRound(scaled, r), bigPow10(scale)), scale)

			tick := new(big.Rat).Abs(y)
			n := bigRound(new(big.Rat).Quo(x, tick), r)
			got, err = d.Quantize(e, r)
			fixed("quantize", got, err, new(big.Rat).Mul(tick, new(big.Rat).SetInt(n)), e.Scale())
			if got := d.IsMultipleOf(e); got != ratio.IsInt() {
				t.Fatalf("%v.IsMultipleOf(%v) = %v", d, e, got)
			}
		}

		scaled := new(big.Rat).Mul(x, new(big.Rat).SetInt(bigPow10(scale)))
		if got := d.Round(scale, r); scale >= d.Scale() {
			if got != d {
				t.Fatalf("%v.Round(%d) = %v", d, scale, got)
			}
		} else {
			fixed("round", got, nil, new(big.Rat).SetFrac(bigRound(scaled, r), bigPow10(scale)), scale)
		}

		units, ok := d.Units(scale)
		if want := scaled.IsInt() && scaled.Num().IsInt64(); ok != want {
			t.Fatalf("%v.Units(%d) = %d, %v; want %v", d, scale, units, ok, want)
		} else if ok && (units != scaled.Num().Int64() || !FromUnits(units, scale).Equal(d)) {
			t.Fatalf("%v.Units(%d) = %d, want %v", d, scale, units, scaled)
		}

		if got, want := d.Neg(), new(big.Rat).Neg(x); bigRat(got).Cmp(want) != 0 || got.IsSet() != d.IsSet() {
			t.Fatalf("%v.Neg() = %v", d, got)
		}
		if got, want := d.Abs(), new(big.Rat).Abs(x); bigRat(got).Cmp(want) != 0 || got.IsSet() != d.IsSet() {
			t.Fatalf("%v.Abs() = %v", d, got)
		}
		if got, want := d.Float64(), float64Of(x); got != want {
			t.Fatalf("%v.Float64() = %v, want %v", d, got, want)
		}
		if d.IsSet() && e.IsSet() && Text(d.String()).Cmp(Text(e.String())) != d.Cmp(e) {
			t.Fatalf("Text(%v).Cmp(%v) differs from Decimal's", d, e)
		}
	})
}

func float64Of(x *big.Rat) float64 {
	f, _ := x.Float64()
	return f
}
