package engine_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/bywire/bywire/exchange/internal/engine"
)

// Each reason has words of its own, and those of the venue's that our definitions of its API know.
func TestReasonsHaveTheVenuesWords(t *testing.T) {
	api, err := os.ReadFile("../../../spec/order.api")
	if err != nil {
		t.Fatal(err)
	}
	known := regexp.MustCompile(`\b(EC_|Cancel(By|All))\w+`).FindAllString(string(api), -1)
	names := map[string]bool{"": true, "unknown": true}
	for r := engine.NoReason; r <= engine.Unchanged; r++ {
		if names[r.String()] {
			t.Errorf("reason %d is called %q", r, r)
		}
		names[r.String()] = true
		if word := r.RejectReason(); !slices.Contains(known, word) {
			t.Errorf("%v: the venue has no rejectReason %q", r, word)
		}
		if word := r.CancelType(); word != "" && !slices.Contains(known, word) {
			t.Errorf("%v: the venue has no cancelType %q", r, word)
		}
	}
	if r := engine.Unchanged + 1; r.String() != "unknown" {
		t.Errorf("the last reason is %v", r)
	}
}
