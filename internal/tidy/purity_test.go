package tidy

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// clock is what reads or waits for the time of the machine.
var clock = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

// impureExceptions are the functions that may do what their package may not,
// as folder.function or folder.Type.method.
var impureExceptions = map[string]string{
	"decimal.Decimal.Float64": "for display: charts and printing want a float, and the name warns",
	"decimal.Decimal.float64": "what Float64 calls",
}

// impurities finds, in the pure packages: clocks, goroutines, channels,
// floats, and iteration in the order of a map.
func impurities(t *tree) []string {
	var found []string
	for _, p := range t.pkgs {
		if !slices.Contains(pureDirs, p.dir) || len(p.code()) == 0 {
			continue
		}
		_, info, err := t.check(p)
		if err != nil {
			found = append(found, fmt.Sprintf("%s: %v", p.dir, err))
			continue
		}
		for _, f := range p.code() {
			for _, decl := range f.ast.Decls {
				if _, ok := impureExceptions[p.dir+"."+declName(decl)]; ok {
					continue
				}
				found = append(found, t.impureNodes(decl, info)...)
			}
		}
	}
	return found
}

// impureNodes walks one declaration.
func (t *tree) impureNodes(decl ast.Decl, info *types.Info) []string {
	var found []string
	say := func(n ast.Node, format string, args ...any) {
		found = append(found, t.at(n.Pos())+": "+fmt.Sprintf(format, args...))
	}
	sorted := make(map[ast.Node]bool) // calls whose order is mended by a sort around them
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			say(n, "starts a goroutine")
		case *ast.SelectStmt:
			say(n, "selects")
		case *ast.ChanType:
			say(n, "has a channel")
		case *ast.CallExpr:
			if fn := callee(n, info); strings.HasPrefix(fn, "slices.Sorted") && len(n.Args) > 0 {
				sorted[n.Args[0]] = true
			}
			if fn := callee(n, info); (fn == "maps.All" || fn == "maps.Keys" || fn == "maps.Values") && !sorted[n] {
				say(n, "iterates in the order of a map (%s)", fn)
			}
		case *ast.RangeStmt:
			if of, ok := info.Types[n.X]; ok {
				if _, isMap := of.Type.Underlying().(*types.Map); isMap {
					say(n, "ranges over a map")
				}
			}
		case *ast.Ident:
			switch used := info.Uses[n].(type) {
			case *types.Func:
				if used.Pkg() != nil && used.Pkg().Path() == "time" && used.Signature().Recv() == nil && slices.Contains(clock, used.Name()) {
					say(n, "reads the clock (time.%s)", used.Name())
				}
			case *types.TypeName:
				if isFloat(used.Type()) {
					say(n, "uses %s", used.Name())
				}
			}
		}
		// An expression can be a float without the word in the source.
		if e, ok := n.(ast.Expr); ok {
			if tv, ok := info.Types[e]; ok && !tv.IsType() && isFloat(tv.Type) {
				if _, isCall := e.(*ast.CallExpr); isCall || isLiteral(e) {
					say(n, "has a value of type %s", tv.Type)
				}
			}
		}
		return true
	})
	return found
}

func isLiteral(e ast.Expr) bool {
	_, ok := e.(*ast.BasicLit)
	return ok
}

func isFloat(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && (basic.Kind() == types.Float32 || basic.Kind() == types.Float64)
}

// callee names the package function a call calls, as "slices.Sorted".
func callee(call *ast.CallExpr, info *types.Info) string {
	fun := ast.Unparen(call.Fun)
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	fn, ok := info.Uses[sel.Sel].(*types.Func)
	if !ok || fn.Pkg() == nil {
		return ""
	}
	return fn.Pkg().Path() + "." + fn.Name()
}

// declName names a function as "Func" or "Type.Method"; other declarations
// have no name.
func declName(decl ast.Decl) string {
	fn, ok := decl.(*ast.FuncDecl)
	if !ok {
		return ""
	}
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	recv := fn.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	if index, ok := recv.(*ast.IndexExpr); ok {
		recv = index.X
	}
	if name, ok := recv.(*ast.Ident); ok {
		return name.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

func TestPurePackagesArePure(t *testing.T) {
	holds(t, impurities)
	finds(t, impurities, []breach{
		{
			"clocks under another name, and as values",
			map[string]string{"internal/session/a.go": "package session\nimport t \"time\"\nfunc f() t.Duration { return t.Since(t.Time{}) }\nvar now = t.Now\n"},
			[]string{"a.go:3: reads the clock (time.Since)", "a.go:4: reads the clock (time.Now)"},
		},
		{
			"a timer",
			map[string]string{"book/a.go": "package book\nimport \"time\"\nfunc f() { time.AfterFunc(1, nil); <-time.After(1); _ = time.NewTimer(1) }\n"},
			[]string{"time.AfterFunc", "time.After)", "time.NewTimer"},
		},
		{
			"time as a value is no clock",
			map[string]string{"book/a.go": "package book\nimport \"time\"\nfunc f(t time.Time) bool { return t.After(time.UnixMilli(5)) }\n"},
			nil,
		},
		{
			"a goroutine over a channel",
			map[string]string{"internal/wire/a.go": "package wire\nfunc f(c chan int) { go f(c) }\n"},
			[]string{"has a channel", "starts a goroutine"},
		},
		{
			"floats, said and unsaid",
			map[string]string{"decimal/a.go": "package decimal\nimport \"math\"\ntype T float64\nfunc f(a int) int { return int(math.Sqrt(2) * 1.5) }\nvar g = 1.5\n"},
			[]string{"a.go:3: uses float64", "has a value of type float64", "has a value of type float64", "has a value of type float64", "a.go:5: has a value of type float64"},
		},
		{
			"the one float that is meant",
			map[string]string{"decimal/a.go": "package decimal\ntype Decimal struct{}\nfunc (Decimal) Float64() float64 { return 1.5 }\nfunc (Decimal) Other() float64 { return 0 }\n"},
			[]string{"a.go:4: uses float64", "a.go:4: has a value"},
		},
		{
			"a range over a map behind a name",
			map[string]string{"book/a.go": "package book\ntype m map[int]int\nfunc f(x struct{ levels m }) {\n\tfor range x.levels {\n\t}\n}\n"},
			[]string{"a.go:4: ranges over a map"},
		},
		{
			"the keys of a map, unsorted and sorted",
			map[string]string{"book/a.go": "package book\nimport (\n\t\"maps\"\n\t\"slices\"\n)\nfunc f(m map[int]int) {\n\tfor range maps.Keys(m) {\n\t}\n\tfor range slices.Sorted(maps.Keys(m)) {\n\t}\n}\n"},
			[]string{"a.go:7: iterates in the order of a map (maps.Keys)"},
		},
		{
			"another package may do all that",
			map[string]string{"internal/wsserver/a.go": "package wsserver\nimport \"time\"\nfunc f() { go f(); time.Sleep(1) }\n"},
			nil,
		},
	})
}
