package fixed

import "testing"

func BenchmarkFunctions(b *testing.B) {
	noise := NewNoise(1, "bench")
	var args [256]F
	for i := range args {
		args[i] = noise.Gauss(uint64(i))
	}
	for _, bench := range []struct {
		name string
		f    func(x F) F
	}{
		{"Mul", func(x F) F { return x.Mul(args[7]) }},
		{"Div", func(x F) F { return args[7].Div(x) }},
		{"Exp", F.Exp},
		{"Log", func(x F) F { return x.Abs().Log() }},
		{"Sqrt", func(x F) F { return x.Abs().Sqrt() }},
		{"NormPDF", F.NormPDF},
		{"NormCDF", F.NormCDF},
		{"NormQuantile", func(x F) F { return (x & (One - 1)).NormQuantile() }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				bench.f(args[i&255])
				i++
			}
		})
	}
}

func BenchmarkChance(b *testing.B) {
	r := NewRand(1, "bench")
	noise := NewNoise(1, "bench")
	i := uint64(0)
	for _, bench := range []struct {
		name string
		f    func()
	}{
		{"Uint64", func() { r.Uint64() }},
		{"IntN", func() { r.IntN(1000) }},
		{"Gauss", func() { r.Gauss() }},
		{"Exponential", func() { r.Exponential() }},
		{"Pareto", func() { r.Pareto(2 * One) }},
		{"Poisson4", func() { r.Poisson(4 * One) }},
		{"Poisson400", func() { r.Poisson(400 * One) }},
		{"Noise.Gauss", func() { i++; noise.Gauss(i) }},
		{"NewRand", func() { NewRand(1, "flow", "BTC") }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				bench.f()
			}
		})
	}
}
