package flow_test

import (
	"testing"

	"github.com/bywire/bywire/exchange/internal/flow"
	"github.com/bywire/bywire/exchange/internal/state"
)

func FuzzParseRegime(f *testing.F) {
	for _, r := range flow.Regimes() {
		f.Add(r.String())
	}
	f.Add("unknown")
	f.Fuzz(func(t *testing.T, s string) {
		if r, ok := flow.ParseRegime(s); ok != (r.String() == s) && s != flow.Normal.String() {
			t.Errorf("ParseRegime(%q) is %v, %v", s, r, ok)
		}
	})
}

// FuzzRestore: no bytes make Restore panic, and what it takes is what it writes.
func FuzzRestore(f *testing.F) {
	w := market(f, 5, "option:ETH-2JAN26-3000-C-USDT")
	w.Run(start + second)
	f.Add(state.Bytes(w.Flow))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := market(t, 5, "option:ETH-2JAN26-3000-C-USDT")
		if err := state.Restore(r.Flow, b); err != nil {
			return
		}
		if got := state.Bytes(r.Flow); string(got) != string(b) {
			t.Error("a restored market is written down in another way")
		}
	})
}
