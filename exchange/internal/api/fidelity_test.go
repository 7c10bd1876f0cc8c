package api

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of docs/fidelity.md")

const (
	tableBegins = "<!-- made by: go test ./exchange/internal/api -run TestFidelityPage -update -->\n"
	tableEnds   = "<!-- end -->\n"
)

// TestFidelityPage holds the page's table to the code.
func TestFidelityPage(t *testing.T) {
	page := filepath.Join("..", "..", "..", "docs", "fidelity.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), tableBegins)
	_, tail, ended := strings.Cut(rest, tableEnds)
	if !ok || !ended {
		t.Fatalf("%s has no table between %q and %q", page, tableBegins, tableEnds)
	}
	want := head + tableBegins + Fidelity() + tableEnds + tail
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s is stale: run go test ./exchange/internal/api -run TestFidelityPage -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o666); err != nil {
		t.Fatal(err)
	}
}
