//go:build recordings

package decimal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/recordings"
)

// numeric is the test's own idea of a number, broader than the package's: what
// matches and is refused fails the test.
var numeric = regexp.MustCompile(`^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$`)

// TestSpecNumbers round-trips every numeric string of the documented examples,
// tables and defaults.
func TestSpecNumbers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recordings.Path(t, "spec"), "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var decimals, texts, whole, longest int
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		inFile := 0
		for _, s := range numbersIn(t, content) {
			inFile++
			longest = max(longest, len(s))
			x, err := ParseText(s)
			if err != nil || string(x) != s {
				t.Errorf("%s: Text of %q: %q, %v", filepath.Base(file), s, x, err)
			}
			d, err := Parse(s)
			switch {
			case errors.Is(err, ErrRange):
				texts++
				continue
			case err != nil:
				t.Errorf("%s: %v", filepath.Base(file), err)
				continue
			}
			decimals++
			if d.Scale() == 0 {
				whole++
			}
			// An exponent is the one thing that is written differently.
			if plain := d.String(); plain != s && !strings.ContainsAny(s, "eE") {
				t.Errorf("%s: %q encodes as %q", filepath.Base(file), s, plain)
			}
			if x.Cmp(Text(d.String())) != 0 {
				t.Errorf("%s: %q changed to %v", filepath.Base(file), s, d)
			}
		}
		t.Logf("%-16s %5d numeric strings", filepath.Base(file), inFile)
	}
	t.Logf("%d fit a Decimal (%d of them whole), %d need a Text; the longest has %d characters", decimals, whole, texts, longest)
	// What was counted when this was written, less some room for a spec that
	// changes: a test that read nothing must not pass.
	for _, c := range []struct {
		what       string
		got, floor int
	}{
		{"files", len(files), 6},
		{"numbers in a Decimal", decimals, 5000},
		{"numbers with a fraction", decimals - whole, 1500},
		{"numbers that need a Text", texts, 40},
		{"characters in the longest number", longest, 60},
	} {
		if c.got < c.floor {
			t.Errorf("%d %s, want at least %d", c.got, c.what, c.floor)
		}
	}
}

// numbersIn returns the numeric strings of a JSON text, keys of objects included.
func numbersIn(t *testing.T, content []byte) []string {
	t.Helper()
	var found []string
	dec := json.NewDecoder(bytes.NewReader(content))
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := token.(string); ok && numeric.MatchString(s) {
			found = append(found, s)
		}
	}
}
