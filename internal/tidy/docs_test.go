package tidy

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A fence is a block of code in a document.
type fence struct {
	line     int    // of its first line of code
	language string // after the three ticks
	before   string // the line above it that is not empty
	code     string
}

// fences returns the code blocks of a document.
func fences(doc string) []fence {
	var (
		found  []fence
		open   *fence
		before string
	)
	for i, line := range strings.Split(doc, "\n") {
		language, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && open == nil:
			open = &fence{line: i + 2, language: language, before: before}
		case isFence:
			found = append(found, *open)
			open = nil
		case open != nil:
			open.code += line + "\n"
		}
		if line != "" {
			before = line
		}
	}
	return found
}

var exampleMark = regexp.MustCompile(`^<!-- ([^ ]+_test\.go) (Example\w*) -->$`)

// strayExamples finds Go code in README.md that is not the body of a compiled
// Example. The line above a block names it:
//
//	<!-- bybit/example_test.go Example -->
func strayExamples(t *tree) []string {
	var found []string
	for _, f := range fences(t.files["README.md"]) {
		if f.language != "go" {
			continue
		}
		at := fmt.Sprintf("README.md:%d", f.line)
		mark := exampleMark.FindStringSubmatch(f.before)
		if mark == nil {
			found = append(found, at+": the line above does not name the Example that this is")
			continue
		}
		body, ok := t.functionBody(mark[1], mark[2])
		switch {
		case !ok:
			found = append(found, fmt.Sprintf("%s: there is no %s in %s", at, mark[2], mark[1]))
		case strings.TrimSpace(body) != strings.TrimSpace(f.code):
			found = append(found, fmt.Sprintf("%s: differs from %s in %s, which is\n%s", at, mark[2], mark[1], body))
		}
	}
	return found
}

var outputComment = regexp.MustCompile(`(?s)\n\s*// (Unordered output|Output):.*$`)

// functionBody returns the statements of a function, one tab less indented
// and without the comment that states the output.
func (t *tree) functionBody(file, name string) (string, bool) {
	for _, p := range t.pkgs {
		for _, f := range p.files {
			if f.path != file {
				continue
			}
			for _, decl := range f.ast.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || fn.Name.Name != name || fn.Recv != nil {
					continue
				}
				body := f.src[t.fset.Position(fn.Body.Lbrace).Offset+1 : t.fset.Position(fn.Body.Rbrace).Offset]
				body = outputComment.ReplaceAllString(body, "")
				return strings.ReplaceAll("\n"+strings.Trim(body, "\n"), "\n\t", "\n"), true
			}
		}
	}
	return "", false
}

var fenced = regexp.MustCompile("(?ms)^```.*?\n```$")

var link = regexp.MustCompile(`\]\(([^)#\s]+)[^)]*\)`)

// deadLinks finds relative links of documents that lead nowhere.
func deadLinks(t *tree) []string {
	names := sortedNames(t.files)
	var found []string
	for _, name := range names {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(t.files[name], ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			target := path.Join(path.Dir(name), m[1])
			if !slices.ContainsFunc(names, func(n string) bool { return n == target || strings.HasPrefix(n, target+"/") }) {
				found = append(found, fmt.Sprintf("%s: links to %s, which is not there", name, m[1]))
			}
		}
	}
	return found
}

var (
	makeCommand = regexp.MustCompile("(?m)(?:^|`)make( [a-z][a-z-]*)+")
	makeTarget  = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
)

// missingTargets finds commands in documents that the Makefile does not have.
func missingTargets(t *tree) []string {
	var targets []string
	for _, m := range makeTarget.FindAllStringSubmatch(t.files["Makefile"], -1) {
		targets = append(targets, m[1])
	}
	var found []string
	for _, name := range sortedNames(t.files) {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, f := range makeCommand.FindAllString(t.files[name], -1) {
			for _, target := range strings.Fields(strings.TrimPrefix(f, "`"))[1:] {
				if !slices.Contains(targets, target) {
					found = append(found, fmt.Sprintf("%s: says make %s, which the Makefile does not have", name, target))
				}
			}
		}
	}
	return found
}

var failureClass = regexp.MustCompile(`TestFailureClass[0-9]{2}_\w+`)

// unlistedFailures compares the tests named after a failure class with those
// that docs/fidelity.md names, both ways.
func unlistedFailures(t *tree) []string {
	const list = "docs/fidelity.md"
	have := make(map[string]string)
	for _, p := range t.pkgs {
		if p.dir == "internal/tidy" {
			continue
		}
		for _, f := range p.files {
			for _, decl := range f.ast.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "TestFailureClass") {
					have[fn.Name.Name] = t.at(fn.Pos())
				}
			}
		}
	}
	listed := failureClass.FindAllString(t.files[list], -1)
	var found []string
	for _, name := range sortedNames(have) {
		if !slices.Contains(listed, name) {
			found = append(found, fmt.Sprintf("%s: %s is not in %s", have[name], name, list))
		}
	}
	for _, name := range listed {
		if _, ok := have[name]; !ok {
			found = append(found, fmt.Sprintf("%s: names %s, which is not there", list, name))
		}
	}
	return found
}

// demandedFailures are the classes of known failures that this version can have.
var demandedFailures = []int{1, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25}

var failureRow = regexp.MustCompile(`(?m)^\| ([0-9]+(?:, [0-9]+)*) \|.*\|([^|]*)\|$`)

// untestedFailures finds demanded classes whose row in docs/fidelity.md names no
// test of that class.
func untestedFailures(t *tree) []string {
	tested := make(map[int]bool)
	for _, row := range failureRow.FindAllStringSubmatch(t.files["docs/fidelity.md"], -1) {
		if !failureClass.MatchString(row[2]) {
			continue
		}
		for text := range strings.SplitSeq(row[1], ", ") {
			if n, err := strconv.Atoi(text); err == nil {
				tested[n] = true
			}
		}
	}
	var found []string
	for _, n := range demandedFailures {
		if !tested[n] {
			found = append(found, fmt.Sprintf("docs/fidelity.md: failure class %d has no test", n))
		}
	}
	return found
}

func TestReadmeShowsCompiledExamples(t *testing.T) {
	holds(t, strayExamples)
	example := "package bybit_test\n\nfunc Example() {\n\ta := 1\n\tif a > 0 {\n\t\tprintln(a)\n\t}\n\t// Output:\n\t// 1\n}\n"
	readme := func(mark, code string) map[string]string {
		return map[string]string{"README.md": mark + "\n```go\n" + code + "```\n", "bybit/example_test.go": example}
	}
	const mark = "<!-- bybit/example_test.go Example -->"
	finds(t, strayExamples, []breach{
		{"the same code", readme(mark, "a := 1\nif a > 0 {\n\tprintln(a)\n}\n"), nil},
		{"other code", readme(mark, "a := 2\n"), []string{"README.md:3: differs from Example"}},
		{"no such example", readme("<!-- bybit/example_test.go Example_b -->", "a := 2\n"), []string{"there is no Example_b"}},
		{"from nowhere", readme("Look:", "a := 2\n"), []string{"does not name the Example"}},
	})
}

func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	holds(t, deadLinks)
	finds(t, deadLinks, []breach{
		{"files, folders and the web", map[string]string{"docs/a.md": "[r](../README.md) [d](adr) [w](https://a.b/c) [s](b.md#part)", "README.md": "", "docs/adr/1.md": "", "docs/b.md": ""}, nil},
		{"code is no text", map[string]string{"a.md": "```go\nf[T](err)\n```\n"}, nil},
		{"a file that moved", map[string]string{"docs/a.md": "[r](README.md)", "README.md": ""}, []string{"docs/a.md: links to README.md"}},
		{"a file that moved, beside code", map[string]string{"a.md": "```go\n```\n[r](b.md)\n```go\n```\n"}, []string{"a.md: links to b.md"}},
	})
}

func TestDocumentsNameRealTargets(t *testing.T) {
	holds(t, missingTargets)
	finds(t, missingTargets, []breach{
		{"real ones", map[string]string{"a.md": "    `make check check-recordings` and\nmake test\n", "Makefile": "check: lint\ncheck-recordings:\ntest:\n"}, nil},
		{"one that went", map[string]string{"a.md": "```\nmake tests\n```\n", "Makefile": "test:\n"}, []string{"make tests"}},
	})
}

func TestFailureClassesAreTested(t *testing.T) {
	holds(t, untestedFailures)
	var rows strings.Builder
	for _, n := range demandedFailures {
		fmt.Fprintf(&rows, "| %d | class | what | `TestFailureClass%02d_Holds` |\n", n, n)
	}
	finds(t, untestedFailures, []breach{
		{"each of them", map[string]string{"docs/fidelity.md": rows.String()}, nil},
		{
			"two in one row",
			map[string]string{"docs/fidelity.md": strings.Replace(strings.Replace(rows.String(), "| 10 |", "| 99 |", 1), "| 9 |", "| 9, 10 |", 1)},
			nil,
		},
		{
			"a row without one, and no row",
			map[string]string{"docs/fidelity.md": strings.Replace(strings.Replace(rows.String(), "`TestFailureClass13_Holds`", "", 1), "| 22 |", "| 99 |", 1)},
			[]string{"class 13", "class 22"},
		},
	})
}

func TestFailureClassesAreListed(t *testing.T) {
	holds(t, unlistedFailures)
	finds(t, unlistedFailures, []breach{
		{
			"each in one place only",
			map[string]string{"book/a_test.go": "package book\nfunc TestFailureClass08_Gap() {}\n", "docs/fidelity.md": "| 1 | `TestFailureClass01_Dies` |"},
			[]string{"TestFailureClass08_Gap is not in docs/fidelity.md", "names TestFailureClass01_Dies"},
		},
		{"both in both", map[string]string{"book/a_test.go": "package book\nfunc TestFailureClass08_Gap() {}\n", "docs/fidelity.md": "`TestFailureClass08_Gap`"}, nil},
	})
}
