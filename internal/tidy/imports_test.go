package tidy

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	websocketLibrary = "github.com/gobwas/ws"
	zstdLibrary      = "github.com/klauspost/compress/zstd"
)

// mayImport is the table of ARCHITECTURE.md: what the code of a package may
// import beside the standard library. Folders of the module stand as they
// are, outside packages with their full path; a trailing /... takes what is
// below as well. A package without a row is an error: whoever adds one
// decides here what it may know.
var mayImport = []struct {
	dir     string
	imports []string
}{
	{"decimal", nil},
	{"book", []string{"decimal"}},
	{"book/internal/naive", []string{"book", "decimal"}},
	{"internal/wire", []string{"decimal"}},
	{"internal/wire/wiretest", []string{"internal/wire"}},
	{"internal/session", nil},
	{"internal/queue", nil},
	{"internal/pages", nil},
	{"internal/memnet", nil},
	{"internal/guard", nil},
	{"internal/recordings", nil},
	{"internal/endpoints", nil},
	{"internal/codecs", append([]string{"bybit"}, businessLines...)},
	{"internal/cmd/apigen", nil},
	{"internal/tidy", nil},
	{"internal/live", []string{"bybit", "internal/wire"}},
	{"internal/wsframe", []string{websocketLibrary}},
	{"internal/wsclient", []string{"internal/wire", "internal/wsframe", websocketLibrary}},
	{"internal/wsserver", []string{"internal/wire", "internal/wsframe", websocketLibrary}},
	{"internal/sim", []string{"bybit", "book", "internal/memnet", "internal/wire", "internal/wsframe", websocketLibrary}},
	{"bybit", []string{"decimal", "book", "internal/wire", "internal/wsclient", "internal/session", "internal/queue", "internal/pages"}},
	{"capture", []string{"bybit", "book", "decimal", "internal/wire", "internal/wsserver", zstdLibrary}},
	{"exchange", []string{"bybit", "book", "decimal", "internal/wire", "internal/wsserver", "exchange/internal/api", "exchange/internal/catalog", "exchange/internal/core", "exchange/internal/engine", "exchange/internal/feed", "exchange/internal/fixed", "exchange/internal/flow", "internal/guard"}},
	{"bybittest", []string{"bybit", "exchange", "internal/memnet"}},
	{"exchange/internal/state", nil},
	{"exchange/internal/fixed", []string{"decimal", "exchange/internal/state"}},
	{"exchange/internal/engine", []string{"exchange/internal/state"}},
	{"exchange/internal/engine/naive", []string{"exchange/internal/engine"}},
	{"exchange/internal/core", []string{"bybit", "decimal", "exchange/internal/catalog", "exchange/internal/engine", "exchange/internal/feed", "exchange/internal/fixed", "exchange/internal/flow", "exchange/internal/past", "exchange/internal/price", "exchange/internal/state"}},
	{"exchange/internal/catalog", []string{"bybit", "decimal", "internal/wire", "exchange/internal/fixed", "exchange/internal/state"}},
	{"exchange/internal/feed", []string{"bybit", "book", "decimal", "internal/wire", "exchange/internal/catalog", "exchange/internal/engine", "exchange/internal/fixed", "exchange/internal/past", "exchange/internal/price", "exchange/internal/state"}},
	{"exchange/internal/price", []string{"bybit", "decimal", "exchange/internal/catalog", "exchange/internal/engine", "exchange/internal/fixed", "exchange/internal/state"}},
	{"exchange/internal/past", []string{"bybit", "decimal", "exchange/internal/catalog", "exchange/internal/fixed", "exchange/internal/price", "exchange/internal/state"}},
	{"exchange/internal/flow", []string{"bybit", "exchange/internal/catalog", "exchange/internal/engine", "exchange/internal/fixed", "exchange/internal/state"}},
	{"exchange/internal/flow/flowtest", []string{"exchange/internal/catalog", "exchange/internal/engine", "exchange/internal/fixed", "exchange/internal/flow", "exchange/internal/state"}},
	{"exchange/internal/cmd/market", []string{"exchange/internal/realism"}},
	{"exchange/internal/realism", []string{"bybit", "book", "decimal", "exchange/internal/catalog", "exchange/internal/engine", "exchange/internal/flow/flowtest"}},
	{"exchange/internal/api", []string{"bybit", "decimal", "exchange/internal/catalog", "exchange/internal/engine", "exchange/internal/feed", "exchange/internal/fixed", "exchange/internal/past", "exchange/internal/price", "internal/endpoints", "internal/wire"}},
	{"cmd/bywire", []string{"..."}},
	{"examples/booksandtrades", []string{"bybit"}},
	{"examples/manysymbols", []string{"bybit"}},
	{"examples/twochannels", []string{"bybit", "decimal"}},
	{"examples/alert", []string{"bybit", "decimal"}},
	{"examples/balance", []string{"bybit"}},
	{"examples/internal/exampletest", []string{"bybit", "capture", "internal/memnet"}},
}

// businessLines are the packages beside bybit. All of their code is generated, and each
// may import the same.
var businessLines = []string{
	"bybit/alpha", "bybit/bot", "bybit/broker", "bybit/card", "bybit/convert", "bybit/earn", "bybit/institution", "bybit/loan",
	"bybit/lt", "bybit/otc", "bybit/p2p", "bybit/pwm", "bybit/rwa",
}

// ofBusinessLines is the row of each of them.
var ofBusinessLines = []string{"bybit", "decimal", "internal/wire", "internal/pages"}

// pureDirs are the packages that take values and return values. What they
// compute must be the same on every machine and in every run.
var pureDirs = []string{
	"decimal", "book", "internal/wire", "internal/session",
	"exchange/internal/state",
	"exchange/internal/fixed",
	"exchange/internal/engine", "exchange/internal/engine/naive",
	"exchange/internal/catalog",
	"exchange/internal/core",
	"exchange/internal/feed",
	"exchange/internal/price",
	"exchange/internal/past",
	"exchange/internal/flow", "exchange/internal/flow/flowtest",
}

// impure is what a pure package may not import from the standard library:
// the world outside, chance, and what writes to somebody's log. The clock is
// finer: package time is fine, time.Now is not (see purity_test.go).
var impure = []string{"crypto/rand", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http", "os", "runtime", "sync", "syscall", "testing"}

// wrongImports checks the imports of code against mayImport and impure. Test
// files may import what they need, but never a command.
func wrongImports(t *tree) []string {
	var found []string
	for _, p := range t.pkgs {
		if slices.Contains(businessLines, p.dir) {
			found = append(found, t.importsOf(p, ofBusinessLines)...)
			continue
		}
		row := slices.IndexFunc(mayImport, func(r struct {
			dir     string
			imports []string
		}) bool {
			return r.dir == p.dir
		})
		if row < 0 {
			found = append(found, fmt.Sprintf("%s: has no row in the table of imports (internal/tidy)", p.dir))
			continue
		}
		found = append(found, t.importsOf(p, mayImport[row].imports)...)
	}
	return found
}

// importsOf finds the imports of a package that are not allowed.
func (t *tree) importsOf(p *pkg, allowed []string) []string {
	var found []string
	for _, f := range p.files {
		for _, spec := range f.ast.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				name = spec.Path.Value
			}
			if why := wrongImport(p.dir, allowed, f.isTest(), name); why != "" {
				found = append(found, fmt.Sprintf("%s: imports %q: %s", t.at(spec.Pos()), name, why))
			}
		}
	}
	return found
}

// wrongImport says why the import of name breaks the table, or "".
func wrongImport(dir string, allowed []string, test bool, name string) string {
	local, ours := strings.CutPrefix(name, module+"/")
	if ours && strings.HasPrefix(local, "cmd/") {
		return "nothing imports a command"
	}
	if test || slices.Contains(allowed, "...") {
		return ""
	}
	if !ours && !strings.Contains(strings.SplitN(name, "/", 2)[0], ".") {
		if slices.Contains(pureDirs, dir) && slices.Contains(impure, name) {
			return dir + " is pure: values in, values out"
		}
		return ""
	}
	if !ours {
		local = name
	}
	if slices.Contains(allowed, local) {
		return ""
	}
	return fmt.Sprintf("%s may import %q beside the standard library", dir, allowed)
}

func TestImportsFollowTheTable(t *testing.T) {
	holds(t, wrongImports)
	finds(t, wrongImports, []breach{
		{
			"a leaf that knows the SDK",
			map[string]string{"decimal/a.go": "package decimal\nimport _ \"github.com/bywire/bywire/bybit\"\n"},
			[]string{"decimal/a.go:2"},
		},
		{
			"another WebSocket library",
			map[string]string{"internal/wsserver/a.go": "package wsserver\nimport _ \"github.com/gorilla/websocket\"\n"},
			[]string{"gorilla"},
		},
		{
			"the SDK needs the compressor",
			map[string]string{"bybit/a.go": "package bybit\nimport _ \"github.com/klauspost/compress/zstd\"\n"},
			[]string{"klauspost"},
		},
		{
			"the server half in the SDK, but only in a test",
			map[string]string{"bybit/a_test.go": "package bybit\nimport _ \"github.com/bywire/bywire/internal/wsserver\"\n"},
			nil,
		},
		{
			"a test that imports a command",
			map[string]string{"bybit/a_test.go": "package bybit\nimport _ \"github.com/bywire/bywire/cmd/bywire\"\n"},
			[]string{"nothing imports a command"},
		},
		{
			"a package nobody thought about",
			map[string]string{"internal/stuff/a.go": "package stuff\n"},
			[]string{"internal/stuff: has no row"},
		},
		{
			"a pure package with a log and a lock",
			map[string]string{"book/a.go": "package book\nimport (\n\t\"fmt\"\n\t\"log/slog\"\n\t\"sync\"\n)\nvar _ = fmt.Sprint\nvar _ slog.Level\nvar _ sync.Mutex\n"},
			[]string{"log/slog", "\"sync\""},
		},
		{
			"what the table allows",
			map[string]string{"book/a.go": "package book\nimport _ \"github.com/bywire/bywire/decimal\"\nimport _ \"math/bits\"\n"},
			nil,
		},
	})
}

// allowedWithBybit are the outside modules that a program importing only
// bybit may pull in: the WebSocket library and what it needs itself.
var allowedWithBybit = []string{"github.com/gobwas/ws", "github.com/gobwas/httphead", "github.com/gobwas/pool"}

// outsiders returns the packages of deps that are neither of the standard
// library (which has no dot in the first element), nor ours, nor allowed.
func outsiders(deps []string) []string {
	var found []string
	for _, name := range deps {
		first, _, _ := strings.Cut(name, "/")
		below := func(m string) bool { return name == m || strings.HasPrefix(name, m+"/") }
		if strings.Contains(first, ".") && !below(module) && !slices.ContainsFunc(allowedWithBybit, below) {
			found = append(found, name)
		}
	}
	return found
}

func TestUsersOfBybitNeedOnlyTheWebSocketLibrary(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+"/bybit").Output()
	if err != nil {
		t.Fatalf("go list -deps: %v", err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, module+"/bybit") {
		t.Fatalf("go list -deps says %q: bybit itself is missing", deps)
	}
	for _, name := range outsiders(deps) {
		t.Errorf("a program that imports bybit also gets %s", name)
	}
	for _, name := range deps {
		if strings.HasPrefix(name, module+"/internal/wsserver") || strings.HasPrefix(name, module+"/capture") {
			t.Errorf("a program that imports bybit also gets %s", name)
		}
	}

	got := outsiders([]string{"fmt", module + "/book", "github.com/gobwas/ws/wsutil", "github.com/gobwas/wsx", "github.com/spf13/cobra", "golang.org/x/term"})
	if want := []string{"github.com/gobwas/wsx", "github.com/spf13/cobra", "golang.org/x/term"}; !slices.Equal(got, want) {
		t.Errorf("outsiders found %q, want %q", got, want)
	}
}
