package decimal

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
)

// long has 62 digits after the point, as the longest the documentation shows.
const long = "-0.00012345678901234567890123456789012345678901234567890123456789"

func TestParseText(t *testing.T) {
	tests := []struct {
		in  string
		err error
	}{
		{long, nil},
		{"0", nil},
		{"-0.00", nil},
		{"1.5e-7", nil},
		{"1e999999", nil},
		{strings.Repeat("9", MaxTextLen), nil},
		{strings.Repeat("9", MaxTextLen+1), ErrRange},
		{"1e1000000", ErrRange},
		{"1e-1000000", ErrRange},
		{"1e99999999999999999999999", ErrRange},
		{"", ErrSyntax},
		{"007", ErrSyntax},
		{"+1", ErrSyntax},
		{"1.", ErrSyntax},
		{"NaN", ErrSyntax},
		{strings.Repeat("9", MaxTextLen) + "x", ErrSyntax},
	}
	for _, tt := range tests {
		x, err := ParseText([]byte(tt.in))
		want := tt.in
		if tt.err != nil {
			want = ""
		}
		if !errors.Is(err, tt.err) || string(x) != want || x.IsSet() != (err == nil) {
			t.Errorf("ParseText(%q) = %q, %v; want error %v", tt.in, x, err, tt.err)
		}
	}
}

func TestTextCmp(t *testing.T) {
	tests := []struct {
		a, b Text
		want int
	}{
		{long, long, 0},
		{long, long + "1", +1},
		{long + "000", long, 0},
		{Text(long[1:]), Text(long[1:] + "1"), -1},
		{"", "0", 0},
		{"", "-1", +1},
		{"0e1", "0.000", 0},
		{"1e3", "1000.0", 0},
		{"1e3", "999.9999999999999999999999999999999999", +1},
		{"123e-5", "0.00123", 0},
		{"1e999999", "9e999998", +1},
		{"-1e999999", "-9e999998", -1},
		{"12.5", "1.25e1", 0},
		{"12.5", "12.50000000000000000000000000000000001", -1},
		{"malformed", "0", 0},
		{"1.2.3", "-1", +1},
	}
	for _, tt := range tests {
		if got, back := tt.a.Cmp(tt.b), tt.b.Cmp(tt.a); got != tt.want || back != -tt.want {
			t.Errorf("%q.Cmp(%q) = %d and %d, want %d", tt.a, tt.b, got, back, tt.want)
		}
	}
}

func TestTextDecimal(t *testing.T) {
	tests := []struct {
		in   Text
		want Decimal
		err  error
	}{
		{"109378.80", New(10937880, 2), nil},
		{"", Decimal{}, nil},
		{long, Decimal{}, ErrRange},
		{"malformed", Decimal{}, ErrSyntax},
	}
	for _, tt := range tests {
		if got, err := tt.in.Decimal(); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("Text(%q).Decimal() = %v, %v; want %v, %v", tt.in, got, err, tt.want, tt.err)
		}
	}
}

func TestTextEncoding(t *testing.T) {
	in := []Text{long, "", "1.50"}
	out, err := json.Marshal(in)
	if want := `["` + long + `","","1.50"]`; err != nil || string(out) != want {
		t.Fatalf("%s, %v; want %s", out, err, want)
	}
	var back []Text
	if err := json.Unmarshal(out, &back); err != nil || len(back) != 3 || back[0] != long || back[1].IsSet() || back[2] != "1.50" {
		t.Errorf("%q, %v", back, err)
	}
	// What was never validated must not get out.
	for _, bad := range []Text{"x", `1","injected":"`, "1."} {
		if out, err := bad.MarshalText(); !errors.Is(err, ErrSyntax) {
			t.Errorf("MarshalText of %q: %s, %v", bad, out, err)
		}
		if out, err := bad.MarshalJSON(); !errors.Is(err, ErrSyntax) {
			t.Errorf("MarshalJSON of %q: %s, %v", bad, out, err)
		}
	}
	x := Text("7")
	if err := x.UnmarshalText([]byte("x")); !errors.Is(err, ErrSyntax) || x != "7" {
		t.Errorf("UnmarshalText of x: %q, %v", x, err)
	}
	if err := x.UnmarshalText(nil); err != nil || x.IsSet() {
		t.Errorf("UnmarshalText of nothing: %q, %v", x, err)
	}
}

func FuzzText(f *testing.F) {
	f.Add(long, "1e3")
	f.Add("1000.0", "0.1e4")
	f.Add("-12.5e-3", "")
	f.Add("0e5", "-0.0")
	f.Fuzz(func(t *testing.T, s, u string) {
		a, errA := ParseText(s)
		b, errB := ParseText(u)
		for _, x := range []Text{Text(s), Text(u)} {
			if out, err := x.MarshalJSON(); err == nil && !json.Valid(out) {
				t.Fatalf("%q encodes as %s", x, out)
			}
		}
		got := Text(s).Cmp(Text(u))
		if back := Text(u).Cmp(Text(s)); back != -got {
			t.Fatalf("%q.Cmp(%q) = %d and back %d", s, u, got, back)
		}
		if errA != nil || errB != nil {
			return
		}
		if string(a) != s || string(b) != u {
			t.Fatalf("%q, %q changed to %q, %q", s, u, a, b)
		}
		// Larger exponents take math/big for ever.
		if a.outline().exp > 1000 || a.outline().exp < -1000 || b.outline().exp > 1000 || b.outline().exp < -1000 {
			return
		}
		x, okA := new(big.Rat).SetString(s)
		y, okB := new(big.Rat).SetString(u)
		if !okA || !okB || x.Cmp(y) != got {
			t.Fatalf("%q.Cmp(%q) = %d, big.Rat %v, %v", s, u, got, x, y)
		}
	})
}
