package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// sharedState finds init functions and mutable package variables in the
// packages that a program links in. Commands are left out: a command owns its
// process.
//
// A variable is taken for a constant of a type that Go has no constants of
// (an error, a table) if nobody outside can assign it and nothing inside
// assigns it or a part of it, directly or through a local pointer, or could
// change it by a method call. That is an approximation: a slice, a map or a
// pointer handed to another function is not followed.
func sharedState(t *tree) []string {
	var found []string
	for _, p := range t.pkgs {
		files := p.code()
		if len(files) == 0 || files[0].ast.Name.Name == "main" {
			continue
		}
		pack, info, err := t.check(p)
		if err != nil {
			found = append(found, fmt.Sprintf("%s: %v", p.dir, err))
			continue
		}
		for _, f := range files {
			for _, decl := range f.ast.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					found = append(found, t.at(fn.Pos())+": has an init function")
				}
			}
		}
		for _, f := range files {
			found = append(found, t.changes(f.ast, pack, info)...)
		}
		for _, name := range pack.Scope().Names() {
			v, ok := pack.Scope().Lookup(name).(*types.Var)
			if !ok {
				continue
			}
			if v.Exported() && !isError(v.Type()) {
				found = append(found, fmt.Sprintf("%s: var %s can be assigned by anybody", t.at(v.Pos()), name))
			}
			if home := stateful(v.Type()); home != "" {
				found = append(found, fmt.Sprintf("%s: var %s holds state (%s)", t.at(v.Pos()), name, home))
			}
		}
	}
	slices.Sort(found)
	return found
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

// stateful names the package whose types exist to be changed, if t is one.
func stateful(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if _, ok := t.Underlying().(*types.Chan); ok {
		return "chan"
	}
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	if home := named.Obj().Pkg().Path(); home == "sync" || home == "sync/atomic" {
		return home
	}
	return ""
}

// changes finds where a file assigns a package variable or hands out the
// right to.
func (t *tree) changes(file *ast.File, pack *types.Package, info *types.Info) []string {
	var found []string
	rows := pointers(file, pack, info)
	say := func(e ast.Expr, what string) {
		v := rootVar(e, info)
		if v == nil {
			return
		}
		if table := rows[v]; table != nil {
			if _, itself := e.(*ast.Ident); itself {
				return // the pointer now points elsewhere
			}
			v = table
		}
		if v.Parent() == pack.Scope() {
			found = append(found, fmt.Sprintf("%s: %s package variable %s", t.at(e.Pos()), what, v.Name()))
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				break
			}
			for _, e := range n.Lhs {
				say(e, "assigns")
			}
		case *ast.IncDecStmt:
			say(n.X, "assigns")
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				say(n.Key, "assigns")
				if n.Value != nil {
					say(n.Value, "assigns")
				}
			}
		case *ast.CallExpr:
			if id, ok := ast.Unparen(n.Fun).(*ast.Ident); ok && len(n.Args) > 0 {
				if b, ok := info.Uses[id].(*types.Builtin); ok && (b.Name() == "clear" || b.Name() == "delete" || b.Name() == "copy") {
					say(n.Args[0], "assigns")
				}
			}
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
				fn, ok := info.Uses[sel.Sel].(*types.Func)
				if ok && fn.Signature().Recv() != nil {
					_, pointer := fn.Signature().Recv().Type().(*types.Pointer)
					if _, already := info.Types[sel.X].Type.(*types.Pointer); pointer && !already {
						say(sel.X, "calls a method that may change")
					}
				}
			}
		}
		return true
	})
	return found
}

// pointers returns the local variables declared as row := &table[i], with the
// package variable that each one points into.
func pointers(file *ast.File, pack *types.Package, info *types.Info) map[*types.Var]*types.Var {
	rows := make(map[*types.Var]*types.Var)
	ast.Inspect(file, func(n ast.Node) bool {
		define, ok := n.(*ast.AssignStmt)
		if !ok || define.Tok != token.DEFINE || len(define.Lhs) != len(define.Rhs) {
			return true
		}
		for i, e := range define.Rhs {
			address, ok := e.(*ast.UnaryExpr)
			if !ok || address.Op != token.AND {
				continue
			}
			table := rootVar(address.X, info)
			name, ok := define.Lhs[i].(*ast.Ident)
			if !ok || table == nil || table.Parent() != pack.Scope() {
				continue
			}
			if row, ok := info.Defs[name].(*types.Var); ok {
				rows[row] = table
			}
		}
		return true
	})
	return rows
}

// rootVar returns the variable whose memory e names a part of: v in v, v.f,
// v[i], (*v).f.
func rootVar(e ast.Expr, info *types.Info) *types.Var {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			v, _ := info.Uses[x].(*types.Var)
			return v
		case *ast.SelectorExpr:
			if v, ok := info.Uses[x.Sel].(*types.Var); ok && !v.IsField() {
				return v
			}
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func TestPackagesShareNoMutableState(t *testing.T) {
	holds(t, sharedState)
	finds(t, sharedState, []breach{
		{
			"an init function",
			map[string]string{"bybit/a.go": "package bybit\nfunc init() {}\n"},
			[]string{"a.go:2: has an init function"},
		},
		{
			"a default that anybody may replace",
			map[string]string{"bybit/a.go": "package bybit\nvar DefaultHost = \"\"\n"},
			[]string{"a.go:2: var DefaultHost can be assigned"},
		},
		{
			"a cache, a counter, a registry",
			map[string]string{"bybit/a.go": "package bybit\nimport \"sync\"\nvar cache sync.Map\nvar count int\nvar names = map[string]int{}\nfunc f() { count++; names[\"a\"] = 1; cache.Clear() }\n"},
			[]string{"var cache holds state (sync)", "assigns package variable count", "assigns package variable names", "may change package variable cache"},
		},
		{
			"a row read and written through a pointer",
			map[string]string{"book/a.go": strings.Join([]string{
				"package book",
				"var table = [2]struct{ n int }{}",
				"func read(i int) int { row := &table[i]; return row.n }",
				"func write(i int) { row := &table[i]; row.n = 2 }",
				"func other(i int) { row := &table[i]; row = &table[0]; _ = row }",
			}, "\n")},
			[]string{"a.go:4: assigns package variable table"},
		},
		{
			"a deleted row",
			map[string]string{"book/a.go": "package book\nvar table = map[int]int{1: 2}\nfunc f() { delete(table, 1) }\n"},
			[]string{"assigns package variable table"},
		},
		{
			"a file for another system says the same again",
			map[string]string{
				"book/a.go":         "package book\nfunc f() {}\n",
				"book/b_plan9.go":   "package book\nfunc f() {}\n",
				"book/c_windows.go": "//go:build plan9\n\npackage book\nfunc f() {}\n",
			},
			nil,
		},
		{
			"errors, tables and assertions are constants",
			map[string]string{"bybit/a.go": strings.Join([]string{
				"package bybit",
				"import (\"errors\"; \"fmt\")",
				"var ErrGap = errors.New(\"gap\")",
				"var names = [...]string{\"a\", \"b\"}",
				"var _ fmt.Stringer = T(0)",
				"type T int",
				"func (t T) String() string { names := names; names[0] = \"c\"; return names[t] }",
			}, "\n")},
			nil,
		},
		{
			"a command owns its process",
			map[string]string{"cmd/bywire/a.go": "package main\nvar version = \"\"\nfunc main() { version = \"x\" }\n"},
			nil,
		},
	})
}
