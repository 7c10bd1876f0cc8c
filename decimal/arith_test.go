package decimal

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// checkResult compares a result with the wanted text, or the wanted error.
func checkResult(t *testing.T, what string, got Decimal, err error, want string, wantErr error) {
	t.Helper()
	if !errors.Is(err, wantErr) || got.String() != want {
		t.Errorf("%s = %q, %v; want %q, %v", what, got, err, want, wantErr)
	}
	if wantErr == nil && got != MustParse(want) {
		t.Errorf("%s = %#v, not what %q parses to", what, got, want)
	}
}

func TestAddSubMul(t *testing.T) {
	nines := strings.Repeat("9", MaxDigits)
	tests := []struct {
		a, op, b string
		want     string
		err      error
	}{
		{a: "109378.80", op: "+", b: "0.1", want: "109378.90"},
		{a: "1.5", op: "+", b: "-1.50", want: "0.00"},
		{a: "-1.5", op: "+", b: "1.5", want: "0.0"},
		{a: "-0.0", op: "+", b: "-0.00", want: "0.00"},
		{a: "-1", op: "+", b: "-2.5", want: "-3.5"},
		{a: "2", op: "+", b: "-3", want: "-1"},
		{a: "18446744073709551615", op: "+", b: "1", want: "18446744073709551616"},
		{a: "-18446744073709551615", op: "+", b: "-18446744073709551615", want: "-36893488147419103230"},
		{a: nines, op: "+", b: "1", err: ErrRange},
		{a: nines, op: "+", b: "0.0", want: nines},
		{a: nines, op: "+", b: "0.1", err: ErrRange},
		{a: nines[:27] + ".9", op: "+", b: "0.10", want: "1" + strings.Repeat("0", 27)},
		{a: "100", op: "-", b: "0.001", want: "99.999"},
		{a: "0.001", op: "-", b: "100", want: "-99.999"},
		{a: "5", op: "-", b: "5", want: "0"},
		{a: "-" + nines, op: "-", b: "1", err: ErrRange},
		{a: "18446744073709551616", op: "-", b: "1", want: "18446744073709551615"},
		{a: "1.50", op: "*", b: "-2.0", want: "-3.000"},
		{a: "-1.50", op: "*", b: "-2.0", want: "3.000"},
		{a: "-1.50", op: "*", b: "0", want: "0.00"},
		{a: "0." + strings.Repeat("0", 28), op: "*", b: "-0.0", want: "0." + strings.Repeat("0", 28)},
		{a: "18446744073709551615", op: "*", b: "500000000", want: "9223372036854775807500000000"},
		{a: "1.00000000000000000000", op: "*", b: "3.00000000000000000000", want: "3." + strings.Repeat("0", 27)},
		{a: "1e-20", op: "*", b: "1e-20", err: ErrRange},
		{a: "1e-20", op: "*", b: "50e-9", want: "0.0000000000000000000000000005"},
		{a: nines, op: "*", b: "1.00", want: nines},
		{a: nines, op: "*", b: "10", err: ErrRange},
		{a: nines, op: "*", b: nines, err: ErrRange},
		{a: nines, op: "*", b: "0.0000000000000000000000000001", want: "0." + nines},
	}
	for _, tt := range tests {
		a, b := MustParse(tt.a), MustParse(tt.b)
		var got Decimal
		var err error
		switch tt.op {
		case "+":
			got, err = a.Add(b)
		case "-":
			got, err = a.Sub(b)
		case "*":
			got, err = a.Mul(b)
		}
		checkResult(t, tt.a+" "+tt.op+" "+tt.b, got, err, tt.want, tt.err)
	}
}

func TestQuo(t *testing.T) {
	nines := strings.Repeat("9", MaxDigits)
	tests := []struct {
		a, b  string
		scale int
		r     Rounding
		want  string
		err   error
	}{
		{"1", "3", 4, HalfEven, "0.3333", nil},
		{"2", "3", 4, HalfEven, "0.6667", nil},
		{"2", "3", 4, ToZero, "0.6666", nil},
		{"-2", "3", 4, Floor, "-0.6667", nil},
		{"1", "4", 1, HalfEven, "0.2", nil},
		{"1", "4", 1, HalfAwayFromZero, "0.3", nil},
		{"-1", "4", 1, HalfAwayFromZero, "-0.3", nil},
		{"-1", "1000", 2, ToZero, "0.00", nil},
		{"1", "1000", 2, Ceil, "0.01", nil},
		{"6", "2", 3, ToZero, "3.000", nil},
		{"1.000000", "2", 0, AwayFromZero, "1", nil},
		{"0", "-7", 2, Floor, "0.00", nil},
		{"1", "3", 28, ToZero, "0." + strings.Repeat("3", 28), nil},
		{nines, nines, 27, ToZero, "1." + strings.Repeat("0", 27), nil},
		{nines, nines, 28, ToZero, "", ErrRange},
		{"0.0000000000000000000000000001", nines, 28, Ceil, "0.0000000000000000000000000001", nil},
		{nines, "0.0000000000000000000000000001", 28, ToZero, "", ErrRange},
		{"0", "0.0000000000000000000000000001", 28, ToZero, "0." + strings.Repeat("0", 28), nil},
		// Quotients that round up to 2^64, which is two words.
		{"36893488147419103231", "2", 0, HalfAwayFromZero, "18446744073709551616", nil},
		{"12912720851596686131", "7", 1, HalfEven, "1844674407370955161.6", nil},
		{"5", "7", 19, HalfEven, "0.7142857142857142857", nil},
		{"1", "0", 2, ToZero, "", ErrDivisionByZero},
		{"0", "0.00", 2, ToZero, "", ErrDivisionByZero},
		{"1", "3", 29, ToZero, "", ErrRange},
		{"1", "3", -1, ToZero, "", ErrRange},
	}
	for _, tt := range tests {
		got, err := MustParse(tt.a).Quo(MustParse(tt.b), tt.scale, tt.r)
		checkResult(t, tt.a+" / "+tt.b+" "+tt.r.String(), got, err, tt.want, tt.err)
	}
}

// TestRoundings is the table of the constants' documentation, and more: each
// number rounded to a whole one in each way.
func TestRoundings(t *testing.T) {
	order := []Rounding{ToZero, AwayFromZero, Floor, Ceil, HalfEven, HalfAwayFromZero}
	tests := []struct {
		in   string
		want [6]string
	}{
		{"1.5", [6]string{"1", "2", "1", "2", "2", "2"}},
		{"2.5", [6]string{"2", "3", "2", "3", "2", "3"}},
		{"-1.5", [6]string{"-1", "-2", "-2", "-1", "-2", "-2"}},
		{"-2.5", [6]string{"-2", "-3", "-3", "-2", "-2", "-3"}},
		{"2.49", [6]string{"2", "3", "2", "3", "2", "2"}},
		{"2.51", [6]string{"2", "3", "2", "3", "3", "3"}},
		{"-0.4", [6]string{"0", "-1", "-1", "0", "0", "0"}},
		{"3.00", [6]string{"3", "3", "3", "3", "3", "3"}},
		{"0.0000000000000000000000000001", [6]string{"0", "1", "0", "1", "0", "0"}},
		{"999999999999999999999999999.5", [6]string{
			"999999999999999999999999999", "1000000000000000000000000000",
			"999999999999999999999999999", "1000000000000000000000000000",
			"1000000000000000000000000000", "1000000000000000000000000000",
		}},
	}
	for _, tt := range tests {
		for i, r := range order {
			d := MustParse(tt.in)
			checkResult(t, tt.in+".Round "+r.String(), d.Round(0, r), nil, tt.want[i], nil)
			got, err := d.Quantize(FromInt(1), r)
			checkResult(t, tt.in+".Quantize(1) "+r.String(), got, err, tt.want[i], nil)
		}
	}
	if got := Rounding(6).String(); got != "Rounding(?)" {
		t.Errorf("an unknown rounding is called %s", got)
	}
}

func TestRound(t *testing.T) {
	tests := []struct {
		in    string
		scale int
		want  string
	}{
		{"109378.876", 2, "109378.88"},
		{"109378.8", 2, "109378.8"},
		{"-0.00", 2, "-0.00"},
		{"-0.004", 2, "0.00"},
		{"15", -1, "15"},
		{"15.5", -1, "16"},
		{"15.5", 99, "15.5"},
	}
	for _, tt := range tests {
		checkResult(t, tt.in, MustParse(tt.in).Round(tt.scale, HalfEven), nil, tt.want, nil)
	}
}

func TestQuantize(t *testing.T) {
	nines := strings.Repeat("9", MaxDigits)
	tests := []struct {
		d, tick  string
		r        Rounding
		want     string
		multiple bool
		err      error
	}{
		{"109378.87", "0.10", Floor, "109378.80", false, nil},
		{"109378.87", "0.10", Ceil, "109378.90", false, nil},
		{"109378.80", "0.10", Floor, "109378.80", true, nil},
		{"109378.8", "0.10", Floor, "109378.80", true, nil},
		{"109378.8", "0.5", HalfEven, "109379.0", false, nil},
		{"-109378.87", "0.10", ToZero, "-109378.80", false, nil},
		{"-109378.87", "-0.10", Floor, "-109378.90", false, nil},
		{"-0.04", "0.1", ToZero, "0.0", false, nil},
		{"7", "2.5", HalfEven, "7.5", false, nil},
		{"6.25", "2.5", HalfEven, "5.0", false, nil},
		{"6.25", "2.5", HalfAwayFromZero, "7.5", false, nil},
		{"123456", "1000", Floor, "123000", false, nil},
		{"0", "0.01", Floor, "0.00", true, nil},
		{nines, "0.1", Floor, "", true, ErrRange},
		{nines, "3", Floor, nines, true, nil},
		{nines, "2", Ceil, "", false, ErrRange},
		{"1", "0.00", Floor, "", false, ErrDivisionByZero},
		{"0", "0", Floor, "", false, ErrDivisionByZero},
	}
	for _, tt := range tests {
		d, tick := MustParse(tt.d), MustParse(tt.tick)
		got, err := d.Quantize(tick, tt.r)
		checkResult(t, tt.d+" by "+tt.tick+" "+tt.r.String(), got, err, tt.want, tt.err)
		if got := d.IsMultipleOf(tick); got != tt.multiple {
			t.Errorf("%s.IsMultipleOf(%s) = %v", d, tick, got)
		}
	}
}

func TestCoefficient(t *testing.T) {
	for in, want := range map[string]int64{
		"109378.80": 10937880, "-1.5": -15, "0": 0, "-0.00": 0, "0.000001": 1, "9223372036854775807": math.MaxInt64,
	} {
		d := MustParse(in)
		units, _ := d.Units(d.Scale())
		if got, ok := d.Coefficient(); got != want || !ok || got != units {
			t.Errorf("%s.Coefficient() = %d, %v; want %d", in, got, ok, want)
		}
	}
	if got, ok := (Decimal{}).Coefficient(); got != 0 || !ok {
		t.Errorf("absent.Coefficient() = %d, %v", got, ok)
	}
	for _, in := range []string{"9223372036854775808", "-92233720368547758.08", "79228162514264337593543950.33"} {
		if got, ok := MustParse(in).Coefficient(); ok {
			t.Errorf("%s.Coefficient() = %d, want false", in, got)
		}
	}
}

func TestUnits(t *testing.T) {
	tests := []struct {
		in    string
		scale int
		want  int64
		ok    bool
	}{
		{"109378.80", 2, 10937880, true},
		{"109378.80", 1, 1093788, true},
		{"109378.80", 0, 0, false},
		{"109378.80", 4, 1093788000, true},
		{"-109378.80", 2, -10937880, true},
		{"-0.00", 0, 0, true},
		{"100.0000000000000000000000", 0, 100, true},
		{"100.0000000000000000000001", 0, 0, false},
		{"9223372036854775807", 0, math.MaxInt64, true},
		{"9223372036854775808", 0, 0, false},
		{"-9223372036854775808", 0, math.MinInt64, true},
		{"-922337203685477580.8", 1, math.MinInt64, true},
		{"-9223372036854775809", 0, 0, false},
		{"92233720368547758.07", 3, 0, false},
		{"9999999999999999999999999999", 28, 0, false},
		{"1", -1, 0, false},
		{"1", 29, 0, false},
	}
	for _, tt := range tests {
		got, ok := MustParse(tt.in).Units(tt.scale)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s.Units(%d) = %d, %v; want %d, %v", tt.in, tt.scale, got, ok, tt.want, tt.ok)
		}
	}
}
