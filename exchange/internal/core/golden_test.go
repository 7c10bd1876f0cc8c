//go:build !race

package core

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/golden.txt anew")

// The same run leads to the same state and streams on every machine: the file is written with -update when the market is
// to be another one.
func TestGoldenHash(t *testing.T) {
	const file = "testdata/golden.txt"
	sink := &recorder{}
	c := goldenRun(t, sink)
	name := "90s"
	if *hour {
		name = "1h"
	}
	line := fmt.Sprintf("%s state %x streams %s", name, c.Hash(), sink.digest())
	text, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+" ") })
	if *update {
		if i < 0 {
			i, lines = len(lines), append(lines, "")
		}
		lines[i] = line
		if err := os.WriteFile(file, []byte(strings.TrimSpace(strings.Join(lines, "\n"))+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if i < 0 || lines[i] != line {
		t.Errorf("got  %s\nwant one of\n%s\n(-update if the market is meant to be another one)", line, text)
	}
}
