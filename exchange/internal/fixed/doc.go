// Package fixed has the numbers that are not money: rates, volatilities, logarithms of prices, probabilities, and the
// chance that the generated market is made of. They are the same, bit for bit, on every machine, which floating point
// does not promise: compilers fuse multiplications, libraries round curves differently.
//
//	F, a signed number of 64 bits:
//
//	 63           32 31            0
//	┌───────────────┬───────────────┐     One        1 << 32
//	│  whole part   │   fraction    │     range      -2,147,483,648 ... 2,147,483,647.9999999998
//	└───────────────┴───────────────┘     one unit   2^-32, about 2.3e-10
//
// F values are added, subtracted and compared with Go's operators; what could overflow has a method that saturates: at Max
// and Min the result stays, it never comes back with the other sign. Results are rounded to the nearest unit, halves
// away from zero, so that the negative of an argument gives the negative of the result where mathematics says so.
//
// How far results may be off, in units of 2^-32 (tested against math/big, also where saturation begins):
//
//	Mul Div Sqrt Ratio   0.5   the nearest number there is
//	Log                  0.6   for each x > 0
//	Exp                  0.6   for x < 19, 2 up to the largest result
//	NormPDF              1
//	NormCDF              1
//	NormQuantile         16    for 0.001 < p < 0.999, relative error below 2e-9 outside
//
// Money does not belong here: prices are int64 ticks, quantities int64 lots, MulDiv multiplies and divides them in 128
// bits.
//
// Chance comes in two forms. A Rand is a stream: each call takes the next number, its state can be written down (Walk).
// A Noise is a table without end: the number at an index is always the same, whoever asks for it and in whatever order;
// that is how the past is made only where somebody looks. Both are named: two names give two independent sources, so
// that a new consumer does not shift the numbers of the others.
//
// What it does not do: cryptography, and uniform numbers of more than 32 bits after the point.
package fixed
