//go:build !race

package core

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// Under the race detector this would take long and find nothing: the core has no second goroutine.

// Bytes that are nearly a snapshot are refused, or are the state of a run that can go on; a refusal changes nothing.
func TestHostileSnapshots(t *testing.T) {
	cfg := Config{Seed: 5, Only: []string{"linear:BTCUSDT", "spot:BTCUSDT", "option:BTC-2JAN26-88*"}}
	c := mustNew(t, cfg)
	script(c, 3, 60, second/8)
	snapshot, hash := c.Snapshot(), c.Hash()
	r := rand.New(rand.NewPCG(8, 1))
	taken := 0
	for i := range 200 {
		bad := slices.Clone(snapshot)
		at := r.IntN(len(bad))
		switch i % 4 {
		case 0:
			bad = bad[:at]
		case 1:
			bad[at] ^= 1 << r.IntN(8)
		case 2:
			bad = slices.Replace(bad, at, at+1, binary.AppendUvarint(nil, r.Uint64()>>r.IntN(64))...)
		case 3:
			bad = slices.Delete(bad, at, min(at+1+r.IntN(9), len(bad)))
		}
		if err := c.Restore(bad); err != nil {
			if c.Hash() != hash {
				t.Fatalf("%d: refused, and the state is another", i)
			}
			continue
		}
		taken++
		c.Advance(c.Now() + second/4)
		if err := c.Restore(snapshot); err != nil {
			t.Fatal(err)
		}
	}
	if taken == 0 || taken > 150 {
		t.Errorf("%d of 200 were taken", taken)
	}
}
