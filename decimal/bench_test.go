package decimal

import "testing"

// Benchmarks take their operands from tables, so that a branch predictor does
// not learn one number by heart and the compiler cannot fold it.

var benchTexts = [...]string{
	"109378.80", "0.001", "109378.70", "12.345", "0.00045678", "3391.25", "1", "250000",
	"0.5", "109379.90", "7.1", "21.004", "68014.10", "0", "1500.25", "0.0001",
}

func benchBytes() (out [len(benchTexts)][]byte) {
	for i, s := range benchTexts {
		out[i] = []byte(s)
	}
	return out
}

func benchDecimals() (out [len(benchTexts)]Decimal) {
	for i, s := range benchTexts {
		out[i] = MustParse(s)
	}
	return out
}

func BenchmarkParse(b *testing.B) {
	for _, s := range []string{"109378.80", "0.001", "1234567.123456789012", "7180203.788461284230524983", "1.5e-7"} {
		text := []byte(s)
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("mixed", func(b *testing.B) {
		texts := benchBytes()
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if _, err := Parse(texts[i%len(texts)]); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
}

func BenchmarkAppendTo(b *testing.B) {
	for _, s := range []string{"109378.80", "0.001", "1234567.123456789012", "7180203.788461284230524983"} {
		d := MustParse(s)
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]byte, 0, 64)
			for b.Loop() {
				dst = d.AppendTo(dst[:0])
			}
		})
	}
	b.Run("mixed", func(b *testing.B) {
		ds := benchDecimals()
		b.ReportAllocs()
		dst := make([]byte, 0, 64)
		i := 0
		for b.Loop() {
			dst = ds[i%len(ds)].AppendTo(dst[:0])
			i++
		}
	})
}

// operands are pairs by the path they take. The loops below are written out: a
// function value would cost as much as what it measures.
var operands = []struct{ name, d, e string }{
	{"same scale", "109378.80", "109378.70"},
	{"other scale", "109378.80", "0.0012"},
	{"wide", "7180203.788461284230524983", "2345.12345678901234"},
}

var (
	sinkInt     int
	sinkInt64   int64
	sinkBool    bool
	sinkDecimal Decimal
)

func BenchmarkCmp(b *testing.B) {
	for _, p := range operands {
		d, e := MustParse(p.d), MustParse(p.e)
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkInt = d.Cmp(e)
			}
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, p := range operands {
		d, e := MustParse(p.d), MustParse(p.e)
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkDecimal, _ = d.Add(e)
			}
		})
	}
}

func BenchmarkSub(b *testing.B) {
	for _, p := range operands {
		d, e := MustParse(p.d), MustParse(p.e)
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkDecimal, _ = d.Sub(e)
			}
		})
	}
}

func BenchmarkMul(b *testing.B) {
	for _, p := range []struct{ name, d, e string }{
		{"one word", "109378.80", "0.0012"},
		{"two words", "7180203.7884612842", "2345.1234"},
		{"wide", "7180203.788461284230524", "2.5"},
	} {
		d, e := MustParse(p.d), MustParse(p.e)
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkDecimal, _ = d.Mul(e)
			}
		})
	}
}

func BenchmarkQuo(b *testing.B) {
	for _, p := range operands {
		d, e := MustParse(p.d), MustParse(p.e)
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkDecimal, _ = d.Quo(e, 8, HalfEven)
			}
		})
	}
}

func BenchmarkQuantize(b *testing.B) {
	for _, p := range []struct{ name, d, e string }{
		{"same scale", "109378.87", "0.10"},
		{"other scale", "109378.8712", "0.5"},
		{"wide", "7180203.788461284230524983", "0.000000000001"},
	} {
		d, e := MustParse(p.d), MustParse(p.e)
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkDecimal, _ = d.Quantize(e, Floor)
			}
		})
	}
}

func BenchmarkIsMultipleOf(b *testing.B) {
	d, tick := MustParse("109378.80"), MustParse("0.10")
	b.ReportAllocs()
	for b.Loop() {
		sinkBool = d.IsMultipleOf(tick)
	}
}

func BenchmarkRound(b *testing.B) {
	d := MustParse("109378.87654")
	b.ReportAllocs()
	for b.Loop() {
		sinkDecimal = d.Round(2, HalfEven)
	}
}

func BenchmarkUnits(b *testing.B) {
	for _, p := range []struct {
		name  string
		scale int
	}{{"same scale", 2}, {"larger scale", 4}, {"smaller scale", 1}} {
		d := MustParse("109378.80")
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() {
				sinkInt64, sinkBool = d.Units(p.scale)
			}
		})
	}
}

func BenchmarkTextCmp(b *testing.B) {
	t, u := Text("7252396.5385745423203887154762334543224115696"), Text("7252396.5385745423203887154762334543224115695")
	b.ReportAllocs()
	for b.Loop() {
		sinkInt = t.Cmp(u)
	}
}
