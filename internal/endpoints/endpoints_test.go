package endpoints_test

import (
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/endpoints"
)

// TestGroupsAreOfGo wants the service or the package of each method as its group.
func TestGroupsAreOfGo(t *testing.T) {
	seen := make(map[string]bool)
	for _, e := range endpoints.All() {
		home := strings.Split(strings.TrimPrefix(e.Go, "bybit.Client."), ".")[0]
		if e.Group != strings.ToLower(home) {
			t.Errorf("%s %s is of group %q, its method is %s", e.Method, e.Path, e.Group, e.Go)
		}
		seen[e.Group] = true
	}
	if len(seen) != 14+13 {
		t.Errorf("%d groups, want those of 14 services and 13 packages", len(seen))
	}
}
