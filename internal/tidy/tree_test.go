package tidy

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// module is the path of the module these tests look at.
const module = "github.com/bywire/bywire"

// A tree is a set of files: this repository, or one that a test wrote down.
type tree struct {
	files map[string]string // by path from the module's root, with slashes
	fset  *token.FileSet
	pkgs  []*pkg // sorted by folder
}

// A pkg is the Go files of one folder. Files of an external test package
// (package x_test) count as test files of the same pkg.
type pkg struct {
	dir   string // from the module's root; "." is the root
	files []*goFile
}

type goFile struct {
	path string
	src  string
	ast  *ast.File
}

func (f *goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// importPath returns what other packages write to import p.
func (p *pkg) importPath() string {
	if p.dir == "." {
		return module
	}
	return module + "/" + p.dir
}

// code returns the files of p that are compiled into programs.
func (p *pkg) code() []*goFile {
	var files []*goFile
	for _, f := range p.files {
		if !f.isTest() {
			files = append(files, f)
		}
	}
	return files
}

// newTree parses the Go files among files. The modules under bench/ and
// tools/ are no packages of this one.
func newTree(files map[string]string) (*tree, error) {
	t := &tree{files: files, fset: token.NewFileSet()}
	byDir := make(map[string]*pkg)
	for _, name := range sortedNames(files) {
		if !strings.HasSuffix(name, ".go") || otherModule(name) {
			continue
		}
		parsed, err := parser.ParseFile(t.fset, name, files[name], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		dir := path.Dir(name)
		p := byDir[dir]
		if p == nil {
			p = &pkg{dir: dir}
			byDir[dir] = p
			t.pkgs = append(t.pkgs, p)
		}
		p.files = append(p.files, &goFile{path: name, src: files[name], ast: parsed})
	}
	slices.SortFunc(t.pkgs, func(a, b *pkg) int { return strings.Compare(a.dir, b.dir) })
	return t, nil
}

func otherModule(name string) bool {
	return strings.HasPrefix(name, "bench/") || strings.HasPrefix(name, "tools/")
}

func sortedNames(files map[string]string) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// at names a place in the tree the way compilers do.
func (t *tree) at(pos token.Pos) string {
	p := t.fset.Position(pos)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// repository reads this repository once for all tests. Folders that hold
// builds, and what git itself keeps, are not part of it.
var repository = sync.OnceValues(func() (*tree, error) {
	root := filepath.Join("..", "..")
	files := make(map[string]string)
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			if rel == ".git" || rel == "bin" || rel == "dist" {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || rel == ".git" {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files[rel] = string(src)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return newTree(files)
})

func repositoryTree(tb testing.TB) *tree {
	tb.Helper()
	t, err := repository()
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// A rule returns the places of a tree that break it, one line each.
type rule func(*tree) []string

// holds fails the test for each place where the repository breaks the rule.
func holds(t *testing.T, r rule) {
	t.Helper()
	for _, found := range r(repositoryTree(t)) {
		t.Error(found)
	}
}

// A breach is a small tree and what the rule must say of it: want is one
// part of each line it returns, in their order; none means the tree is fine.
type breach struct {
	name  string
	files map[string]string
	want  []string
}

// finds checks that the rule sees the breaches, and nothing where there is
// none.
func finds(t *testing.T, r rule, breaches []breach) {
	t.Helper()
	for _, b := range breaches {
		t.Run(b.name, func(t *testing.T) {
			small, err := newTree(b.files)
			if err != nil {
				t.Fatal(err)
			}
			got := r(small)
			if len(got) != len(b.want) {
				t.Fatalf("found %d places, want %d:\n%s", len(got), len(b.want), strings.Join(got, "\n"))
			}
			for i := range got {
				if !strings.Contains(got[i], b.want[i]) {
					t.Errorf("line %d is %q, want it to contain %q", i, got[i], b.want[i])
				}
			}
		})
	}
}

// exports maps import paths to files with export data: every package of the
// module and all that they need, as the go command compiled them. A package
// that does not compile has none (-e), and whoever needs it says so.
var exports = sync.OnceValues(func() (map[string]string, error) {
	cmd := exec.Command("go", "list", "-e", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}",
		module+"/...", "maps", "math", "math/rand/v2", "sort", "sync/atomic", "time")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -export: %w", err)
	}
	found := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		found[name] = file
	}
	return found, nil
})

// check returns what the type checker knows of the code of p on this system,
// test files left out.
func (t *tree) check(p *pkg) (*types.Package, *types.Info, error) {
	found, err := exports()
	if err != nil {
		return nil, nil, err
	}
	lookup := func(name string) (io.ReadCloser, error) {
		file := found[name]
		if file == "" {
			return nil, fmt.Errorf("no export data of %s", name)
		}
		return os.Open(file)
	}
	info := &types.Info{
		Types: make(map[ast.Expr]types.TypeAndValue),
		Uses:  make(map[*ast.Ident]types.Object),
		Defs:  make(map[*ast.Ident]types.Object),
	}
	// Files for other systems would declare things twice.
	system := build.Default
	system.OpenFile = func(name string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(t.files[filepath.ToSlash(name)])), nil
	}
	var files []*ast.File
	for _, f := range p.code() {
		match, err := system.MatchFile(p.dir, path.Base(f.path))
		if err != nil {
			return nil, nil, err
		}
		if match {
			files = append(files, f.ast)
		}
	}
	config := &types.Config{Importer: importer.ForCompiler(t.fset, "gc", lookup)}
	checked, err := config.Check(p.importPath(), t.fset, files, info)
	return checked, info, err
}
