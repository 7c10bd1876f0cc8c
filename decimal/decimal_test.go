package decimal

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"unsafe"
)

func TestSize(t *testing.T) {
	if size := unsafe.Sizeof(Decimal{}); size != 16 {
		t.Errorf("a Decimal has %d bytes, want 16", size)
	}
}

func TestParse(t *testing.T) {
	nines := strings.Repeat("9", MaxDigits)
	zeros := strings.Repeat("0", MaxScale)
	tests := []struct {
		in    string
		want  string // plain text, "" where refused
		scale int
		err   error
	}{
		{in: "0", want: "0"},
		{in: "-0", want: "-0"},
		{in: "-0.00", want: "-0.00", scale: 2},
		{in: "0.10", want: "0.10", scale: 2},
		{in: "109378.80", want: "109378.80", scale: 2},
		{in: "-109378.80", want: "-109378.80", scale: 2},
		{in: "1000", want: "1000"},
		{in: "9999999999999999999", want: "9999999999999999999"},
		{in: "18446744073709551615", want: "18446744073709551615"},
		{in: "18446744073709551616", want: "18446744073709551616"},
		{in: "-1.8446744073709551616", want: "-1.8446744073709551616", scale: 19},
		{in: "184467440737.09551616", want: "184467440737.09551616", scale: 8},
		{in: "0.000000000000000001", want: "0.000000000000000001", scale: 18},
		{in: "1234567890.123456789012345678", want: "1234567890.123456789012345678", scale: 18},
		{in: nines, want: nines},
		{in: "0." + nines, want: "0." + nines, scale: 28},
		{in: "0." + zeros, want: "0." + zeros, scale: 28},

		{in: "1e0", want: "1"},
		{in: "1E5", want: "100000"},
		{in: "1.5e-7", want: "0.00000015", scale: 8},
		{in: "-1.50e+1", want: "-15.0", scale: 1},
		{in: "1.5e3", want: "1500"},
		{in: "1e27", want: "1" + strings.Repeat("0", 27)},
		{in: "1e-28", want: "0." + strings.Repeat("0", 27) + "1", scale: 28},
		{in: "0e5", want: "0"},
		{in: "0e99999999999999999999", want: "0"},
		{in: "0.00e1", want: "0.0", scale: 1},
		{in: "1e0000000000000000000000000000000000000002", want: "100"},

		{in: "", err: ErrSyntax},
		{in: "-", err: ErrSyntax},
		{in: "--1", err: ErrSyntax},
		{in: "+1", err: ErrSyntax},
		{in: ".5", err: ErrSyntax},
		{in: "-.5", err: ErrSyntax},
		{in: "5.", err: ErrSyntax},
		{in: "5.e1", err: ErrSyntax},
		{in: ".", err: ErrSyntax},
		{in: "007", err: ErrSyntax},
		{in: "00", err: ErrSyntax},
		{in: "-01.5", err: ErrSyntax},
		{in: "1.2.3", err: ErrSyntax},
		{in: "1,5", err: ErrSyntax},
		{in: "1_000", err: ErrSyntax},
		{in: " 1", err: ErrSyntax},
		{in: "1 ", err: ErrSyntax},
		{in: "1\n", err: ErrSyntax},
		{in: "NaN", err: ErrSyntax},
		{in: "Inf", err: ErrSyntax},
		{in: "0x10", err: ErrSyntax},
		{in: "1e", err: ErrSyntax},
		{in: "1e+", err: ErrSyntax},
		{in: "1e1.5", err: ErrSyntax},
		{in: "e5", err: ErrSyntax},
		{in: "\u0661", err: ErrSyntax},
		{in: nines + "9x", err: ErrSyntax},
		{in: strings.Repeat("9", 1000) + "e", err: ErrSyntax},

		{in: nines + "9", err: ErrRange},
		{in: "1e28", err: ErrRange},
		{in: "1e99999999999999999999", err: ErrRange},
		{in: "1e-29", err: ErrRange},
		{in: "0e-29", err: ErrRange},
		{in: "0." + zeros + "0", err: ErrRange},
		{in: "1." + nines, err: ErrRange},
		{in: strings.Repeat("9", 1000), err: ErrRange},
	}
	for _, tt := range tests {
		d, err := Parse(tt.in)
		if b, errBytes := Parse([]byte(tt.in)); b != d || (err == nil) != (errBytes == nil) {
			t.Errorf("Parse(%q) = %v, %v; of bytes %v, %v", tt.in, d, err, b, errBytes)
		}
		if tt.err != nil {
			var e *Error
			if !errors.Is(err, tt.err) || !errors.As(err, &e) || e.Op != "parse" || d != (Decimal{}) {
				t.Errorf("Parse(%q) = %v, %v; want %v", tt.in, d, err, tt.err)
			}
			continue
		}
		if err != nil || d.String() != tt.want || d.Scale() != tt.scale || !d.IsSet() {
			t.Errorf("Parse(%q) = %q scale %d, %v; want %q scale %d", tt.in, d, d.Scale(), err, tt.want, tt.scale)
		}
	}
}

func TestErrorText(t *testing.T) {
	_, syntax := Parse("1.2.3")
	_, long := Parse(strings.Repeat("7", 100))
	_, div := FromInt(1).Quo(Decimal{}, 2, ToZero)
	tests := []struct {
		err  error
		want string
	}{
		{syntax, `decimal.parse "1.2.3": not a decimal number`},
		{long, `decimal.parse "` + strings.Repeat("7", 64) + `...": out of range`},
		{div, "decimal.quo: division by zero"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("error text %s, want %s", got, tt.want)
		}
	}
	// The input is a copy: the caller's buffer is reused for the next frame.
	frame := []byte("nonsense")
	_, err := Parse(frame)
	copy(frame, "XXXXXXXX")
	if got, want := err.Error(), `decimal.parse "nonsense": not a decimal number`; got != want {
		t.Errorf("error text after the buffer changed: %s, want %s", got, want)
	}
}

func TestNew(t *testing.T) {
	tests := []struct {
		d    Decimal
		want string
	}{
		{New(10937880, 2), "109378.80"},
		{New(-5, 3), "-0.005"},
		{New(0, 2), "0.00"},
		{New(1, 28), "0.0000000000000000000000000001"},
		{New(math.MinInt64, 0), "-9223372036854775808"},
		{FromInt(math.MaxInt64), "9223372036854775807"},
		{FromUnits(10937880, 1), "1093788.0"},
	}
	for _, tt := range tests {
		if got := tt.d.String(); got != tt.want || tt.d != MustParse(tt.want) {
			t.Errorf("got %s (%#v), want %s", got, tt.d, tt.want)
		}
	}
	for name, f := range map[string]func(){
		"New above":       func() { New(1, 29) },
		"New below":       func() { New(1, -1) },
		"FromUnits above": func() { FromUnits(1, 29) },
		"MustParse":       func() { MustParse("x") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", name)
				}
			}()
			f()
		}()
	}
}

// TestAbsent states what the zero value does everywhere.
func TestAbsent(t *testing.T) {
	var absent Decimal
	one, zero := FromInt(1), FromInt(0)
	if absent.IsSet() || !absent.IsZero() || absent.Sign() != 0 || absent.Scale() != 0 || absent.Float64() != 0 {
		t.Error("absent is not an unset 0")
	}
	if !zero.IsSet() || zero == absent {
		t.Error("a set zero looks absent")
	}
	if absent.String() != "" || string(absent.AppendTo([]byte("p"))) != "p" {
		t.Error("absent has text")
	}
	if !absent.Equal(zero) || absent.Cmp(one) != -1 || absent.Cmp(one.Neg()) != +1 || absent.Cmp(absent) != 0 {
		t.Error("absent does not compare as 0")
	}
	if absent.Neg() != absent || absent.Abs() != absent || absent.Round(0, Ceil) != absent {
		t.Error("a function of absent alone is not absent")
	}
	for name, f := range map[string]func() (Decimal, error){
		"absent+absent":    func() (Decimal, error) { return absent.Add(absent) },
		"absent-absent":    func() (Decimal, error) { return absent.Sub(absent) },
		"absent*1":         func() (Decimal, error) { return absent.Mul(one) },
		"absent/1":         func() (Decimal, error) { return absent.Quo(one, 0, ToZero) },
		"quantised absent": func() (Decimal, error) { return absent.Quantize(one, ToZero) },
	} {
		if d, err := f(); err != nil || d != zero {
			t.Errorf("%s = %#v, %v; want a set 0", name, d, err)
		}
	}
	if d, err := absent.Sub(one); err != nil || d != FromInt(-1) {
		t.Errorf("absent-1 = %#v, %v", d, err)
	}
	if d, err := one.Add(absent); err != nil || d != one {
		t.Errorf("1+absent = %#v, %v", d, err)
	}
	if units, ok := absent.Units(8); units != 0 || !ok {
		t.Errorf("absent.Units = %d, %v", units, ok)
	}
	if !absent.IsMultipleOf(one) || one.IsMultipleOf(absent) {
		t.Error("absent as multiple or tick")
	}
}

func TestSign(t *testing.T) {
	tests := []struct {
		in, neg, abs string
		sign         int
	}{
		{"1.50", "-1.50", "1.50", +1},
		{"-1.50", "1.50", "1.50", -1},
		{"0.00", "0.00", "0.00", 0},
		{"-0.00", "0.00", "0.00", 0},
	}
	for _, tt := range tests {
		d := MustParse(tt.in)
		if d.Sign() != tt.sign || d.Neg().String() != tt.neg || d.Abs().String() != tt.abs {
			t.Errorf("%s: sign %d, neg %s, abs %s", d, d.Sign(), d.Neg(), d.Abs())
		}
	}
}

func TestCmp(t *testing.T) {
	// In order; those in one row are equal.
	rows := [][]string{
		{"-9999999999999999999999999999"},
		{"-1.000000000000000000000000001"},
		{"-1", "-1.0", "-1.000000000000000000000000000"},
		{"-0.0000000000000000000000000001"},
		{"0", "-0", "0.00", "-0.0000000000000000000000000000"},
		{"0.5"},
		{"1.5", "1.50", "15e-1"},
		{"18446744073709551615", "18446744073709551615.00"},
		{"18446744073709551616"},
		{"999999999999999999999999999.9"},
		{"9999999999999999999999999999"},
	}
	for i, row := range rows {
		for j, other := range rows {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = +1
			}
			for _, a := range row {
				for _, b := range other {
					if got := MustParse(a).Cmp(MustParse(b)); got != want {
						t.Errorf("%s.Cmp(%s) = %d, want %d", a, b, got, want)
					}
					if got := Text(a).Cmp(Text(b)); got != want {
						t.Errorf("Text %s.Cmp(%s) = %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
}

func TestAppendTo(t *testing.T) {
	dst := append(make([]byte, 0, 64), `"price":`...)
	dst = MustParse("-7180203.788461284230524983").AppendTo(dst)
	if got, want := string(dst), `"price":-7180203.788461284230524983`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Every position of the point in a number of one and of two words.
	for _, digits := range []string{"1029384756", "1029384756574839201827465738"} {
		for scale := range MaxScale + 1 {
			s := digits
			if scale >= len(digits) {
				s = strings.Repeat("0", scale-len(digits)+1) + digits
			}
			if scale > 0 {
				s = s[:len(s)-scale] + "." + s[len(s)-scale:]
			}
			if got := MustParse(s).String(); got != s {
				t.Errorf("got %s, want %s", got, s)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	tests := []struct {
		in   string
		want string // the number's text, "-" where refused
	}{
		{`"1.50"`, "1.50"}, {`1.50`, "1.50"}, {`-2e3`, "-2000"}, {`0`, "0"},
		{`""`, ""}, {`null`, ""},
		{`"null"`, "-"}, {`"1.5`, "-"}, {`"`, "-"}, {`true`, "-"}, {`{}`, "-"}, {`"1" `, "1"}, {`" 1"`, "-"}, {`"\u0031"`, "-"},
	}
	for _, tt := range tests {
		d, x := FromInt(7), Text("7")
		err, errText := json.Unmarshal([]byte(tt.in), &d), json.Unmarshal([]byte(tt.in), &x)
		if tt.want == "-" {
			if err == nil || errText == nil || d != FromInt(7) || x != "7" {
				t.Errorf("%s: %v, %v; Text %q, %v; want errors and no change", tt.in, d, err, x, errText)
			}
			continue
		}
		if err != nil || d.String() != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.in, d, err, tt.want)
		}
		if want, _ := x.Decimal(); errText != nil || !want.Equal(d) || want.IsSet() != d.IsSet() {
			t.Errorf("%s: Text %q, %v", tt.in, x, errText)
		}
		out, err := json.Marshal(d)
		if want := `"` + tt.want + `"`; err != nil || string(out) != want {
			t.Errorf("%s: encoded as %s, %v; want %s", tt.in, out, err, want)
		}
	}
	for _, bad := range []string{"", `"`, `"1`, `1"`} {
		d := FromInt(7)
		if err := d.UnmarshalJSON([]byte(bad)); !errors.Is(err, ErrSyntax) || d != FromInt(7) {
			t.Errorf("UnmarshalJSON(%s) = %v, %v", bad, d, err)
		}
		x := Text("7")
		if err := x.UnmarshalJSON([]byte(bad)); !errors.Is(err, ErrSyntax) || x != "7" {
			t.Errorf("Text.UnmarshalJSON(%s) = %v, %v", bad, x, err)
		}
	}
	type row struct {
		Price  Decimal            `json:"price"`
		Size   Decimal            `json:"size"`
		Levels map[Decimal]string `json:"levels"`
	}
	in := row{Price: MustParse("109378.80"), Levels: map[Decimal]string{MustParse("1.50"): "x"}}
	out, err := json.Marshal(in)
	if want := `{"price":"109378.80","size":"","levels":{"1.50":"x"}}`; err != nil || string(out) != want {
		t.Fatalf("%s, %v; want %s", out, err, want)
	}
	var back row
	if err := json.Unmarshal(out, &back); err != nil || back.Price != in.Price || back.Size.IsSet() || back.Levels[MustParse("1.50")] != "x" {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestTextMethods(t *testing.T) {
	d := MustParse("1.50")
	if out, err := d.AppendText([]byte("x")); string(out) != "x1.50" || err != nil {
		t.Errorf("AppendText: %s, %v", out, err)
	}
	if out, err := d.MarshalText(); string(out) != "1.50" || err != nil {
		t.Errorf("MarshalText: %s, %v", out, err)
	}
	if err := d.UnmarshalText([]byte("x")); !errors.Is(err, ErrSyntax) || d != MustParse("1.50") {
		t.Errorf("UnmarshalText of x: %v, %v", d, err)
	}
	if err := d.UnmarshalText(nil); err != nil || d.IsSet() {
		t.Errorf("UnmarshalText of nothing: %#v, %v", d, err)
	}
}

func TestFloat64(t *testing.T) {
	for s, want := range map[string]float64{"0.1": 0.1, "-109378.80": -109378.8, "9999999999999999999999999999": 1e28, "0.0000000000000000000000000001": 1e-28} {
		if got := MustParse(s).Float64(); got != want {
			t.Errorf("%s: %v, want %v", s, got, want)
		}
	}
}

// TestAllocs holds the package to its promise, on every path.
func TestAllocs(t *testing.T) {
	short, long, exp := []byte("109378.80"), []byte("7180203.788461284230524983"), []byte("1.5e-7")
	d, e, tick := MustParse("109378.80"), MustParse("-0.0012"), MustParse("0.10")
	w, x := MustParse("7180203.788461284230524983"), MustParse("2345.12345678901234")
	text := Text("7252396.5385745423203887154762334543224115696")
	quoted := []byte(`"109378.80"`)
	buf := make([]byte, 0, 128)
	var ok bool
	var n int
	for name, f := range map[string]func(){
		"parse":          func() { d, _ = Parse(short) },
		"parse long":     func() { w, _ = Parse(long) },
		"parse exponent": func() { _, _ = Parse(exp) },
		"parse JSON":     func() { _ = d.UnmarshalJSON(quoted) },
		"append":         func() { buf = d.AppendTo(buf[:0]) },
		"append long":    func() { buf = w.AppendTo(buf[:0]) },
		"compare":        func() { n = d.Cmp(tick) + d.Cmp(e) },
		"compare long":   func() { n = w.Cmp(x) + w.Cmp(d) },
		"compare text":   func() { n = text.Cmp("1e6") },
		"add":            func() { _, _ = d.Add(e) },
		"add long":       func() { _, _ = w.Add(x) },
		"sub":            func() { _, _ = d.Sub(tick) },
		"mul":            func() { _, _ = d.Mul(e) },
		"mul long":       func() { _, _ = w.Mul(tick) },
		"quo":            func() { _, _ = d.Quo(e, 8, HalfEven) },
		"quo long":       func() { _, _ = w.Quo(x, 8, HalfEven) },
		"round":          func() { _ = w.Round(2, HalfEven) },
		"quantize":       func() { _, _ = d.Quantize(tick, Floor) },
		"quantize long":  func() { _, _ = w.Quantize(x, Floor) },
		"multiple":       func() { ok = d.IsMultipleOf(tick) != w.IsMultipleOf(x) },
		"units":          func() { _, ok = d.Units(4) },
	} {
		if allocs := testing.AllocsPerRun(100, f); allocs != 0 {
			t.Errorf("%s: %v allocations, want 0", name, allocs)
		}
	}
	_, _ = n, ok
}
