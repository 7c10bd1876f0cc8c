package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shellWords splits a line as a shell does, as far as the page needs it.
func shellWords(line string) (words []string) {
	var word strings.Builder
	quote := false
	for _, r := range line {
		switch {
		case r == '\'':
			quote = !quote
		case r == ' ' && !quote:
			words = append(words, word.String())
			word.Reset()
		default:
			word.WriteRune(r)
		}
	}
	return append(words, word.String())
}

// The commands of docs/getting-started.md are accepted, and its program is the example.
func TestGettingStartedWorks(t *testing.T) {
	text, err := os.ReadFile("../../docs/getting-started.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("../../examples/balance/main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(program), "package main\n")
	if !strings.Contains(string(text), "```go\npackage main\n"+code+"```") {
		t.Error("the program is not examples/balance/main.go")
	}
	setKey(t, "", "")
	t.Chdir(t.TempDir())
	for _, name := range []string{"testnet.json", "demo.json"} {
		if err := os.WriteFile(filepath.Join(".", name), []byte(`{"key":"`+testKey+`","secret":"`+testSecret+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	calls, others := 0, 0
	for _, line := range quotedLines(string(text)) {
		args, ok := strings.CutPrefix(line, "bywire ")
		if !ok {
			continue
		}
		words := shellWords(args)
		if words[0] == "call" {
			calls++
			bywire(t, append(words, "--dry-run")...).want(t, exitOK).quiet(t, nil)
			continue
		}
		others++
		bywire(t, append(words, "--help")...).want(t, exitOK)
	}
	if calls < 7 || others < 1 {
		t.Errorf("%d calls and %d other commands", calls, others)
	}
}
