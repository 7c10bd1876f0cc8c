package wire
import ("github.com/bywire/bywire/decimal";"testing";"math/rand/v2";"fmt")
func BenchmarkZZDec(b *testing.B) {
	r := rand.New(rand.NewPCG(1,2))
	var f []byte
	var at []int
	for range 20000 {
		at = append(at, len(f))
		f = fmt.Appendf(f, `%d.%d0"`, 100000+r.IntN(20000), r.IntN(10))
		at = append(at, len(f))
		switch r.IntN(3) {
		case 0: f = append(f, `0"`...)
		case 1: f = fmt.Appendf(f, `%d.%03d"`, r.IntN(3), r.IntN(1000))
		default: f = fmt.Appendf(f, `%d.%03d"`, r.IntN(300), r.IntN(1000))
		}
	}
	f = append(f, make([]byte, 32)...)
	for _, c := range []struct{n string; fn func([]byte,int)(d decimalD, n int)}{{"swar", ScanDecimal},{"digits", scanDecimalDigits}} {
		b.Run(c.n, func(b *testing.B) {
			k := 0
			for b.Loop() {
				_, n := c.fn(f, at[k])
				if n < 0 { b.Fatal() }
				if k++; k == len(at) { k = 0 }
			}
		})
	}
}
type decimalD = decimal.Decimal
