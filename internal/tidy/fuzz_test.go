package tidy

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// decoders are the packages that read what others wrote, even where no name
// says so. A package with an exported function or method Parse..., Decode...
// or Unmarshal... counts without a line here.
var decoders = []string{"decimal", "bybit", "capture", "internal/wire", "internal/wsframe"}

// unfuzzed finds decoding packages without a fuzz target, and fuzz targets
// that go test does not take for one.
func unfuzzed(t *tree) []string {
	var found []string
	for _, p := range t.pkgs {
		if supportsTests(p) || slices.Contains(businessLines, p.dir) && allGenerated(p) {
			continue // FuzzCodecs of internal/codecs goes through the generated types
		}
		reason := ""
		if slices.Contains(decoders, p.dir) {
			reason = "is in the list of decoders"
		}
		targets := 0
		for _, f := range p.files {
			for _, decl := range f.ast.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok {
					continue
				}
				switch {
				case !f.isTest():
					if fn.Name.IsExported() && decodes(fn.Name.Name) && f.ast.Name.Name != "main" {
						reason = "has " + fn.Name.Name
					}
				case takesF(fn) && !isFuzzName(fn.Name.Name) && fn.Recv == nil && len(fn.Type.Params.List) == 1 && len(fn.Type.Params.List[0].Names) == 1 && fn.Type.Results == nil:
					if strings.Contains(strings.ToLower(fn.Name.Name), "fuzz") {
						found = append(found, fmt.Sprintf("%s: %s is no fuzz target by its name", t.at(fn.Pos()), fn.Name.Name))
					}
				case isFuzzName(fn.Name.Name):
					if !takesF(fn) || fn.Recv != nil {
						found = append(found, fmt.Sprintf("%s: %s does not take *testing.F", t.at(fn.Pos()), fn.Name.Name))
						continue
					}
					targets++
				}
			}
		}
		if reason != "" && targets == 0 && len(p.code()) > 0 {
			found = append(found, fmt.Sprintf("%s: has no fuzz target, but %s", p.dir, reason))
		}
	}
	return found
}

// allGenerated reports whether nobody wrote a file of the package's code.
func allGenerated(p *pkg) bool {
	return !slices.ContainsFunc(p.code(), func(f *goFile) bool { return !isGenerated(f.path) })
}

// supportsTests reports a package that exists for tests: its code imports
// testing.
func supportsTests(p *pkg) bool {
	return slices.ContainsFunc(p.code(), func(f *goFile) bool {
		return slices.ContainsFunc(f.ast.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"testing"` })
	})
}

func decodes(name string) bool {
	return strings.HasPrefix(name, "Parse") || strings.HasPrefix(name, "Decode") || strings.HasPrefix(name, "Unmarshal")
}

// isFuzzName says what go test says: Fuzz, and no small letter after it.
func isFuzzName(name string) bool {
	rest, ok := strings.CutPrefix(name, "Fuzz")
	return ok && (rest == "" || rest[0] < 'a' || rest[0] > 'z')
}

// takesF reports a first parameter of type *testing.F.
func takesF(fn *ast.FuncDecl) bool {
	if len(fn.Type.Params.List) == 0 {
		return false
	}
	star, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	sel, ok := star.X.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	home, ok := sel.X.(*ast.Ident)
	return ok && home.Name == "testing" && sel.Sel.Name == "F"
}

func TestDecodersAreFuzzed(t *testing.T) {
	holds(t, unfuzzed)
	finds(t, unfuzzed, []breach{
		{
			"a decoder by its name",
			map[string]string{"internal/wire/a.go": "package wire\nfunc ParseTopic() {}\n"},
			[]string{"internal/wire: has no fuzz target, but has ParseTopic"},
		},
		{
			"a decoder by the list",
			map[string]string{"capture/a.go": "package capture\n"},
			[]string{"capture: has no fuzz target, but is in the list"},
		},
		{
			"a method that decodes",
			map[string]string{"book/a.go": "package book\ntype T int\nfunc (*T) UnmarshalText([]byte) error { return nil }\n"},
			[]string{"has UnmarshalText"},
		},
		{
			"a reader of test files",
			map[string]string{"internal/wiretest/a.go": "package wiretest\nimport \"testing\"\nfunc Parse(tb testing.TB) {}\n"},
			nil,
		},
		{
			"targets that never run",
			map[string]string{
				"capture/a.go":      "package capture\n",
				"capture/a_test.go": "package capture\nimport \"testing\"\nfunc Fuzzread(f *testing.F) {}\nfunc FuzzB(t *testing.T) {}\n",
			},
			[]string{"Fuzzread is no fuzz target by its name", "FuzzB does not take *testing.F", "capture: has no fuzz target"},
		},
		{
			"generated types are fuzzed together, others of the same package are not",
			map[string]string{
				"bybit/lt/a_gen.go":  "package lt\nfunc (*T) Decode() {}\n",
				"bybit/otc/a_gen.go": "package otc\nfunc (*T) Decode() {}\n",
				"bybit/otc/b.go":     "package otc\n",
			},
			[]string{"bybit/otc: has no fuzz target"},
		},
		{
			"a fuzzed decoder, in an external test",
			map[string]string{
				"capture/a.go":      "package capture\nfunc ParseRecord() {}\n",
				"capture/a_test.go": "package capture_test\nimport \"testing\"\nfunc FuzzRecord(f *testing.F) { seed(f) }\nfunc seed(f *testing.F) {}\n",
			},
			nil,
		},
	})
}
