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

// TestEverydayParametersHaveValues wants values for what is typed in nearly every call, also
// where their type is written by hand; of category those that the text names.
func TestEverydayParametersHaveValues(t *testing.T) {
	named := make(map[string]int)
	for _, e := range endpoints.All() {
		for _, p := range e.Params {
			name := p.Name[strings.LastIndex(p.Name, ".")+1:]
			if (name != "category" && name != "side" && name != "interval") || p.Type != "string" {
				continue
			}
			named[name]++
			if len(p.Values) == 0 {
				t.Errorf("%s %s: %s has no values: %s", e.Method, e.Path, p.Name, p.Text)
			}
			for _, v := range p.Values {
				if strings.HasPrefix(p.Text, "Category: ") && !strings.Contains(p.Text, v) {
					t.Errorf("%s %s: %s has the value %s: %s", e.Method, e.Path, p.Name, v, p.Text)
				}
			}
		}
	}
	if named["category"] < 60 || named["side"] < 6 || named["interval"] < 4 {
		t.Errorf("only %v", named)
	}
	for _, tc := range []struct{ path, name, want string }{
		{"/v5/market/kline", "category", "spot linear inverse"},
		{"/v5/market/kline", "interval", "1 3 5 15 30 60 120 240 360 720 D W M"},
	} {
		e, _ := endpoints.Find("GET", tc.path)
		for _, p := range e.Params {
			if p.Name == tc.name && strings.Join(p.Values, " ") != tc.want {
				t.Errorf("%s: %s has the values %q, want %q", tc.path, tc.name, p.Values, tc.want)
			}
		}
	}
}
