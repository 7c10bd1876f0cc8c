//go:build recordings

package bybit

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/recordings"
)

// Every code that the documentation has is decided, and every one that is decided is such a code.
// Bots have codes of their own.
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
		if !strings.HasPrefix(c.Section, "Bot/") && c.Code != 0 {
			documented[c.Code] = c.Msg
		}
	}
	if len(documented) < 700 {
		t.Fatalf("%d codes, want some 700", len(documented))
	}
	for _, groups := range [][]codeGroup{openCodes, notTaken, refusals} {
		for _, g := range groups {
			for _, code := range g.codes {
				if _, ok := documented[code]; !ok {
					t.Errorf("%d is decided (%s), but not in the documentation", code, g.reason)
				}
				delete(documented, code)
			}
		}
	}
	for code, msg := range documented {
		t.Errorf("%d is not decided: %s", code, msg)
	}
}
