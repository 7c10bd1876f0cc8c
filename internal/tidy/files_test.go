package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxLines is the length of a hand-written file.
const maxLines = 600

// nameless are file names that say nothing about their subject, or only that
// the file before was full. (A protocol's version, as in v2.go, is a subject.)
var nameless = regexp.MustCompile(`^(util|utils|common|types|helper|helpers|misc)(_test)?\.go$|[a-z]{2,}2(_test)?\.go$`)

// goFiles calls check for each Go file of the tree, other modules included.
func goFiles(t *tree, check func(name, src string)) {
	for _, name := range sortedNames(t.files) {
		if strings.HasSuffix(name, ".go") {
			check(name, t.files[name])
		}
	}
}

func isGenerated(name string) bool { return strings.HasSuffix(name, "_gen.go") }

// longFiles finds hand-written files that want to be split by subject.
func longFiles(t *tree) []string {
	var found []string
	goFiles(t, func(name, src string) {
		if n := strings.Count(src, "\n"); n > maxLines && !isGenerated(name) {
			found = append(found, fmt.Sprintf("%s: has %d lines, at most %d", name, n, maxLines))
		}
	})
	return found
}

// namelessFiles finds files named after nothing.
func namelessFiles(t *tree) []string {
	var found []string
	goFiles(t, func(name, _ string) {
		if nameless.MatchString(path.Base(name)) {
			found = append(found, name+": is named after no subject")
		}
	})
	return found
}

// unformatted finds files that gofmt would change.
func unformatted(t *tree) []string {
	var found []string
	goFiles(t, func(name, src string) {
		if out, err := format.Source([]byte(src)); err != nil {
			found = append(found, fmt.Sprintf("%s: %v", name, err))
		} else if !bytes.Equal(out, []byte(src)) {
			found = append(found, name+": gofmt would change it")
		}
	})
	return found
}

var generatedHeader = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// misnamedGenerated finds generated code outside *_gen.go, and *_gen.go that
// nobody generated.
func misnamedGenerated(t *tree) []string {
	var found []string
	goFiles(t, func(name, src string) {
		// The header stands before the package clause.
		head, _, _ := strings.Cut("\n"+src, "\npackage ")
		generated := generatedHeader.MatchString(head)
		switch {
		case generated && !isGenerated(name):
			found = append(found, name+": is generated, but not named *_gen.go")
		case !generated && isGenerated(name):
			found = append(found, name+": is named *_gen.go, but has no header of generated code")
		}
	})
	return found
}

// wrongPackageComments finds packages without a comment, with two, or with
// one too short to tell a newcomer what the package is, guarantees and does
// not do: at least 10 lines where users look, 3 elsewhere.
func wrongPackageComments(t *tree) []string {
	var found []string
	for _, p := range t.pkgs {
		var docs []*ast.CommentGroup
		files := p.code()
		for _, f := range files {
			if f.ast.Doc != nil && strings.TrimSpace(f.ast.Doc.Text()) != "" {
				docs = append(docs, f.ast.Doc)
			}
		}
		least := 10
		if strings.Contains(p.dir+"/", "internal/") || strings.HasPrefix(p.dir, "examples/") {
			least = 3
		}
		switch {
		case len(files) == 0:
		case len(docs) != 1:
			found = append(found, fmt.Sprintf("%s: has %d package comments, want one", p.dir, len(docs)))
		case strings.Count(docs[0].Text(), "\n") < least:
			found = append(found, fmt.Sprintf("%s: package comment has %d lines, want %d or more", t.at(docs[0].Pos()), strings.Count(docs[0].Text(), "\n"), least))
		}
	}
	return found
}

// machinePaths are folders of one machine. The pattern is put together here,
// so that it does not find itself.
var machinePaths = regexp.MustCompile(`(^|[^A-Za-z0-9_.-])/(` + strings.Join([]string{"work", "farm", "root", "home/[a-z]+", "Users/[A-Za-z]+", "tmp/[A-Za-z0-9_.-]+"}, "|") + `)(/|$)`)

// pathsOfOneMachine finds them in text files.
func pathsOfOneMachine(t *tree) []string {
	var found []string
	for _, name := range sortedNames(t.files) {
		src := t.files[name]
		if !utf8.ValidString(src) || strings.ContainsRune(src, 0) {
			continue
		}
		for i, line := range strings.Split(src, "\n") {
			if m := machinePaths.FindString(line); m != "" {
				found = append(found, fmt.Sprintf("%s:%d: names a folder of one machine: %q", name, i+1, m))
			}
		}
	}
	return found
}

// leftMarks are words for what is not done; see machinePaths for the form.
var leftMarks = regexp.MustCompile(`\b(` + strings.Join([]string{"TO" + "DO", "FIX" + "ME", "XX" + "X"}, "|") + `)\b`)

// unfinished finds notes to oneself.
func unfinished(t *tree) []string {
	var found []string
	goFiles(t, func(name, src string) {
		for i, line := range strings.Split(src, "\n") {
			if m := leftMarks.FindString(line); m != "" {
				found = append(found, fmt.Sprintf("%s:%d: says %s", name, i+1, m))
			}
		}
	})
	return found
}

// weakTests finds tests that can pass without having looked: by skipping, or
// by sleeping until something has surely happened. Inside testing/synctest a
// sleep is exact, so a file that uses it may.
func weakTests(t *tree) []string {
	var found []string
	for _, p := range t.pkgs {
		for _, f := range p.files {
			if !f.isTest() {
				continue
			}
			bubbled := slices.ContainsFunc(f.ast.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"testing/synctest"` })
			ast.Inspect(f.ast, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				recv, _ := sel.X.(*ast.Ident)
				if recv == nil {
					return true
				}
				switch name := sel.Sel.Name; {
				case (recv.Name == "t" || recv.Name == "tb" || recv.Name == "b") && (name == "Skip" || name == "Skipf" || name == "SkipNow"):
					found = append(found, t.at(call.Pos())+": a test does not pass by skipping")
				case recv.Name == "time" && name == "Sleep" && !bubbled:
					found = append(found, t.at(call.Pos())+": a test does not sleep outside testing/synctest")
				}
				return true
			})
		}
	}
	return found
}

func TestFilesAreShort(t *testing.T) {
	holds(t, longFiles)
	finds(t, longFiles, []breach{
		{"one line too many", map[string]string{"book/a.go": "package book\n" + strings.Repeat("\n", maxLines)}, []string{"has 601 lines"}},
		{"as long as may be", map[string]string{"book/a.go": "package book\n" + strings.Repeat("\n", maxLines-1)}, nil},
		{"generated", map[string]string{"book/a_gen.go": "package book\n" + strings.Repeat("\n", maxLines)}, nil},
	})
}

func TestFilesAreNamedAfterSubjects(t *testing.T) {
	holds(t, namelessFiles)
	finds(t, namelessFiles, []breach{
		{
			"four of them",
			map[string]string{"book/util.go": "package book\n", "bybit/types.go": "package bybit\n", "capture/helpers_test.go": "package capture\n", "capture/read2.go": "package capture\n"},
			[]string{"book/util.go", "bybit/types.go", "capture/helpers_test.go", "capture/read2.go"},
		},
		{"subjects", map[string]string{"book/level.go": "package book\n", "capture/v2.go": "package capture\n", "capture/import_v2.go": "package capture\n"}, nil},
	})
}

func TestFilesAreFormatted(t *testing.T) {
	holds(t, unformatted)
	finds(t, unformatted, []breach{
		{"a space too many", map[string]string{"bench/a.go": "package  main\n"}, []string{"bench/a.go: gofmt"}},
		{"as gofmt wants it", map[string]string{"bench/a.go": "package main\n"}, nil},
	})
}

func TestGeneratedFilesSaySo(t *testing.T) {
	holds(t, misnamedGenerated)
	header := "// Code generated by apigen; DO NOT EDIT.\n\n"
	finds(t, misnamedGenerated, []breach{
		{"header, wrong name", map[string]string{"bybit/a.go": header + "package bybit\n"}, []string{"bybit/a.go: is generated"}},
		{"name, no header", map[string]string{"bybit/a_gen.go": "package bybit\n"}, []string{"bybit/a_gen.go: is named"}},
		{"both, neither", map[string]string{"bybit/a_gen.go": header + "package bybit\n", "bybit/b.go": "package bybit\n\nconst s = `\n" + header + "`\n"}, nil},
	})
}

func TestPackagesHaveOneComment(t *testing.T) {
	holds(t, wrongPackageComments)
	finds(t, wrongPackageComments, []breach{
		{"none", map[string]string{"book/a.go": "package book\n"}, []string{"book: has 0 package comments"}},
		{"two", map[string]string{"book/a.go": "// Package book is.\npackage book\n", "book/b.go": "// Package book is too.\npackage book\n"}, []string{"book: has 2 package comments"}},
		{"too short for users", map[string]string{"book/a.go": "// Package book is.\n//\n// Nine.\npackage book\n"}, []string{"book/a.go:1: package comment has 3 lines, want 10"}},
		{"long enough inside", map[string]string{"internal/wire/a.go": "// Package wire is.\n//\n// Three.\npackage wire\n", "internal/wire/a_test.go": "package wire\n"}, nil},
	})
}

func TestFilesNameNoMachine(t *testing.T) {
	holds(t, pathsOfOneMachine)
	finds(t, pathsOfOneMachine, []breach{
		{
			"in code, scripts and documents",
			map[string]string{"a.go": "package a\n\nconst p = \"/wo" + "rk/x\"\n", "tools/b.sh": "cd /ho" + "me/me/src\n", "docs/c.md": "see `/ro" + "ot/go`\n"},
			[]string{"a.go:3", "docs/c.md:1", "tools/b.sh:1"},
		},
		{"relative paths and URLs", map[string]string{"a.md": "../" + "work/x, https://host/users/x, wss://h/v5/public/linear\n"}, nil},
	})
}

func TestNothingIsLeftUnfinished(t *testing.T) {
	holds(t, unfinished)
	finds(t, unfinished, []breach{
		{"a note to oneself", map[string]string{"bybit/a.go": "package bybit\n\n// TO" + "DO: the rest\n"}, []string{"bybit/a.go:3"}},
	})
}

func TestTestsLook(t *testing.T) {
	holds(t, weakTests)
	src := "package book\nimport (\"testing\"; \"time\")\nfunc TestA(t *testing.T) { time.Sleep(1); t.Skip() }\n"
	finds(t, weakTests, []breach{
		{"a sleep and a skip", map[string]string{"book/a_test.go": src}, []string{"does not sleep", "does not pass by skipping"}},
		{"the same outside a test", map[string]string{"book/a.go": src}, nil},
		{"a sleep in a bubble", map[string]string{"book/a_test.go": "package book\nimport (\"testing\"; \"testing/synctest\"; \"time\")\nfunc TestA(t *testing.T) { synctest.Test(t, func(t *testing.T) { time.Sleep(1) }) }\n"}, nil},
	})
}
