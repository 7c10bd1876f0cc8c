//go:build recordings

package realism

import (
	"os"
	"testing"

	"github.com/bywire/bywire/internal/recordings"
)

// TestTheGeneratedMarketIsLikeTheRecordings holds each figure within Factor of the recording of the like instrument.
func TestTheGeneratedMarketIsLikeTheRecordings(t *testing.T) {
	pairs, returns, err := Compare(recordings.Path(t, "testdata/real"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		for _, r := range p.Rows {
			t.Logf("%s, %s: %.4g recorded, %.4g generated, held %v", p.Instrument, r.Name, r.Recorded, r.Generated, r.Held)
			if r.Held && !r.Within() {
				t.Errorf("%s, %s: %.4g recorded, %.4g generated: more than a factor of %g", p.Instrument, r.Name, r.Recorded, r.Generated, Factor)
			}
		}
	}
	kurtosis := median(returns.all(func(f *Figures) float64 { return f.Kurtosis }))
	if !(kurtosis >= LeastKurtosis && kurtosis <= MostKurtosis) {
		t.Errorf("the kurtosis of generated minute returns is %.1f, want %d to %d", kurtosis, LeastKurtosis, MostKurtosis)
	}
	for i, lag := range lags {
		memory := median(returns.all(func(f *Figures) float64 { return f.Memory[i] }))
		if lag <= 60 && !(memory > 0) {
			t.Errorf("generated absolute returns %d minutes apart have the correlation %.3f, want it above 0", lag, memory)
		}
	}
	written, err := os.ReadFile("../../../docs/market.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != Document(pairs, returns) {
		t.Error("docs/market.md is not what make market writes")
	}
}
