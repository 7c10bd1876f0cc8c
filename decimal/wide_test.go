package decimal

import (
	"math/big"
	"testing"
)

func (a wide) big() *big.Int {
	b := new(big.Int).SetUint64(a.w2)
	b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(a.w1))
	return b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(a.w0))
}

// TestQuoRemCorners divides every number made of extreme words by every other:
// estimates of a quotient digit go wrong where words are nearly full or nearly
// empty, which random operands hardly ever are.
func TestQuoRemCorners(t *testing.T) {
	words := []uint64{0, 1, 1<<32 - 1, 1<<63 - 1, 1 << 63, 1<<63 + 1, 1<<64 - 1}
	var all []wide
	for _, w2 := range words {
		for _, w1 := range words {
			for _, w0 := range words {
				all = append(all, wide{w0, w1, w2})
			}
		}
	}
	wantQ, wantR := new(big.Int), new(big.Int)
	for _, a := range all {
		num := a.big()
		for _, b := range all {
			if b.isZero() {
				continue
			}
			q, r := a.quoRem(b)
			wantQ.QuoRem(num, b.big(), wantR)
			if q.big().Cmp(wantQ) != 0 || r.big().Cmp(wantR) != 0 {
				t.Fatalf("%v / %v = %v rest %v, want %v rest %v", a, b, q, r, wantQ, wantR)
			}
			if got := a.cmp(b); got != num.Cmp(b.big()) {
				t.Fatalf("%v.cmp(%v) = %d", a, b, got)
			}
		}
	}
}
