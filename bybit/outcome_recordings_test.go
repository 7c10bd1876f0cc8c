//go:build recordings

package bybit

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/recordings"
)

// Every code that the documentation has for trading has a row, and every row is such a code.
func TestOutcomesCoverTheDocumentedCodes(t *testing.T) {
	text, err := os.ReadFile(recordings.Path(t, "spec/errors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Codes []struct {
			Code         int
			Msg, Section string
		}
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		t.Fatal(err)
	}
	documented := make(map[int]string)
	for _, c := range spec.Codes {
		trades := slices.Contains([]string{"UTA", "Spot Trade", "HTTP Code"}, c.Section) || strings.HasPrefix(c.Section, "WS ")
		if trades && c.Code != 0 {
			documented[c.Code] = c.Msg
		}
	}
	if len(documented) < 300 {
		t.Fatalf("%d codes for trading, want some 300", len(documented))
	}
	for _, row := range outcomes {
		if _, ok := documented[row.code]; !ok {
			t.Errorf("%d is in the table, but not in the documentation", row.code)
		}
		delete(documented, row.code)
	}
	for code, msg := range documented {
		t.Errorf("%d is not in the table: %s", code, msg)
	}
}
