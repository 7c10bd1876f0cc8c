package fixed

// A Noise gives each index its own random number, without a state: the same one always, independent of the others.
// The zero value is one of them.
type Noise struct{ hi, lo uint64 }

// NewNoise returns the noise of a seed and a name of any number of parts. Other names give independent noise.
func NewNoise(seed uint64, names ...string) Noise {
	hi, lo := source(seed, names)
	return Noise{hi, lo}
}

// Uint64 returns the 64 random bits of index i: i steps along a sequence and two rounds of a mixer that has each
// bit of the input change each bit of the output with probability one half.
func (n Noise) Uint64(i uint64) uint64 { return Mix(Mix(n.lo+i*0x9e3779b97f4a7c15) ^ n.hi) }

// Mix is a bijection whose outputs look unlike its inputs: the finalizer of SplitMix64 (variant 13 of D. Stafford). Numbers
// that are to look like no count are made of a count by it. Mix(0) is 0.
func Mix(u uint64) uint64 {
	u = (u ^ u>>30) * 0xbf58476d1ce4e5b9
	u = (u ^ u>>27) * 0x94d049bb133111eb
	return u ^ u>>31
}

// F returns the number of index i in [0, 1).
func (n Noise) F(i uint64) F { return uniform(n.Uint64(i)) }

// Gauss returns the number of index i of the standard normal distribution.
func (n Noise) Gauss(i uint64) F { return gauss(n.Uint64(i)) }

// Exponential returns the number of index i of the exponential distribution with mean 1.
func (n Noise) Exponential(i uint64) F { return exponential(n.Uint64(i)) }

// Pareto returns the number of index i of the Pareto distribution, as Rand.Pareto does.
func (n Noise) Pareto(i uint64, alpha F) F { return pareto(n.Uint64(i), alpha) }

// Rand returns a stream of its own for index i, where one number is not enough.
func (n Noise) Rand(i uint64) Rand { return Rand{n.Uint64(i), n.lo ^ i} }
