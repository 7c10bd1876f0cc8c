package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxRaw is how many fields may hold any JSON.
const maxRaw = 20

// A Spec is all files of spec/, checked.
type Spec struct {
	Packages []*Package            // bybit first, then by name
	Known    map[string]*constants // of the types written by hand
	Raw      []string              // where raw fields are, with their reasons
}

// A Package is a Go package that is generated, or bybit with its services.
type Package struct {
	Name    string
	Files   []*File
	Enums   map[string]*Enum
	Structs map[string]*Struct
	Hand    map[string]bool // types written by hand
	Imports map[string]*Enum
	units   map[*File][]*unit
}

// A unit is a shared struct, or a method with its types: what stays together in a file.
type unit struct {
	name    string
	method  *Method
	structs []*declared
	params  *Struct
	result  *Struct
	item    *Struct // of a batch
}

// declared is a struct with where it comes from.
type declared struct {
	*Struct
	owner string // field that it is the type of, such as "KlineResult.List"
	many  bool   // an element of the field
	role  role
}

type role int

const (
	shared role = iota
	nested
	params
	result
	item
)

// checker finds what is wrong with a spec.
type checker struct {
	spec  *Spec
	errs  Errors
	pkg   *Package
	file  *File
	later []func() // what needs all types of the package
}

// basics are the types that need no declaration.
var basics = []string{"string", "bool", "int", "int64", "decimal", "text", "time", "raw"}

// Check puts the files together and looks for what is wrong with them.
func Check(files []*File, hand map[string]bool) (*Spec, Errors) {
	c := &checker{spec: &Spec{}}
	byName := map[string]*Package{"bybit": newPackage("bybit")}
	byName["bybit"].Hand = hand
	for _, f := range files {
		name := cmp.Or(f.Package, "bybit")
		if byName[name] == nil {
			byName[name] = newPackage(name)
		}
		byName[name].Files = append(byName[name].Files, f)
	}
	for _, p := range byName {
		c.spec.Packages = append(c.spec.Packages, p)
	}
	slices.SortFunc(c.spec.Packages, func(a, b *Package) int {
		return cmp.Or(boolFirst(a.Name == "bybit", b.Name == "bybit"), cmp.Compare(a.Name, b.Name))
	})
	for _, p := range c.spec.Packages {
		c.pkg = p
		for _, f := range p.Files {
			c.file = f
			c.declareTypes()
		}
	}
	bybit := c.spec.Packages[0]
	for _, p := range c.spec.Packages {
		c.pkg = p
		for _, f := range p.Files {
			c.file = f
			c.imports(bybit)
		}
	}
	paths := make(map[string]string)
	for _, p := range c.spec.Packages {
		c.pkg = p
		names := make(map[string]bool)
		for _, f := range p.Files {
			c.file = f
			for _, m := range f.Methods {
				if at := paths[m.HTTP+" "+m.Path]; at != "" {
					c.fail(m.line, "%s %s has a method already, at %s", m.HTTP, m.Path, at)
				}
				paths[m.HTTP+" "+m.Path] = fmt.Sprintf("%s:%d", f.Path, m.line)
				key := f.Service + "." + m.Name
				if names[key] {
					c.fail(m.line, "there is a method %s already", m.Name)
				}
				names[key] = true
				c.method(m)
			}
		}
	}
	for _, f := range c.later {
		f()
	}
	c.orders()
	for _, p := range c.spec.Packages {
		for _, f := range p.Files {
			c.pkg, c.file = p, f
			c.example()
		}
	}
	if n := len(c.spec.Raw); n > maxRaw {
		c.errs = append(c.errs, fmt.Errorf("%d raw fields, at most %d:\n%s", n, maxRaw, strings.Join(c.spec.Raw, "\n")))
	}
	return c.spec, c.errs
}

func boolFirst(a, b bool) int {
	switch {
	case a && !b:
		return -1
	case b && !a:
		return 1
	}
	return 0
}

func newPackage(name string) *Package {
	return &Package{
		Name: name, Enums: make(map[string]*Enum), Structs: make(map[string]*Struct),
		Imports: make(map[string]*Enum), units: make(map[*File][]*unit),
	}
}

func (c *checker) fail(line int, format string, args ...any) {
	c.errs.add(c.file.Path, line, format, args...)
}

// declareName notes a name of the package's.
func (c *checker) declareName(line int, name string) bool {
	switch {
	case !exported(name):
		c.fail(line, "%q is no exported Go name", name)
	case c.pkg.Enums[name] != nil || c.pkg.Structs[name] != nil:
		c.fail(line, "there is a type %s already", name)
	case c.pkg.Hand[name]:
		c.fail(line, "package bybit has a type or constant %s that is written by hand: import it", name)
	default:
		return true
	}
	return false
}

// main is the file whose doc the comment of the package begins with.
func (p *Package) main() *File {
	for _, f := range p.Files {
		if strings.HasPrefix(at(f.Doc, 0), "Package "+p.Name+" ") {
			return f
		}
	}
	return nil
}

// declareTypes declares the enums and shared structs of the file.
func (c *checker) declareTypes() {
	switch f := c.file; {
	case f.Service != "" && !strings.HasPrefix(at(f.Doc, 0), f.Service+"Service "):
		c.fail(f.line, "no doc that begins with %sService", f.Service)
	case f.Package != "" && f == c.pkg.Files[0] && c.pkg.main() == nil:
		c.fail(f.line, "no doc that begins with Package %s", f.Package)
	}
	for _, e := range c.file.Enums {
		if c.declareName(e.line, e.Name) {
			c.pkg.Enums[e.Name] = e
		}
		c.text(e.line, e.Name, e.Text)
		seen := make(map[string]bool)
		for _, v := range e.Values {
			if seen[v.Wire] {
				c.fail(v.line, "%s has the value %q twice", e.Name, v.Wire)
			}
			seen[v.Wire] = true
			if c.declareName(v.line, v.Name) {
				c.pkg.Hand = put(c.pkg.Hand, v.Name)
			}
			c.text(v.line, v.Name, v.Text)
		}
	}
	for _, s := range c.file.Structs {
		if c.declareName(s.line, s.Name) {
			c.pkg.Structs[s.Name] = s
		}
		c.text(s.line, s.Name, s.Text)
	}
}

func put(m map[string]bool, name string) map[string]bool {
	if m == nil {
		m = make(map[string]bool)
	}
	m[name] = true
	return m
}

// text checks that there is one.
func (c *checker) text(line int, name, text string) {
	switch n := len(strings.Fields(text)); {
	case n < 1:
		c.fail(line, "%s has no text", name)
	case !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, `."`) && !strings.HasSuffix(text, ".)"):
		c.fail(line, "the text of %s ends without a full stop", name)
	case strings.ContainsRune(text, '\u2014'):
		c.fail(line, "the text of %s has an em dash", name)
	}
}

// imports finds the types that the file takes from bybit.
func (c *checker) imports(bybit *Package) {
	for _, i := range c.file.Imports {
		switch {
		case bybit.Enums[i.Name] != nil:
			c.pkg.Imports[i.Name] = bybit.Enums[i.Name]
		case bybit.Structs[i.Name] != nil && c.pkg == bybit:
		case bybit.Hand[i.Name]:
			c.pkg.Imports[i.Name] = &Enum{Name: i.Name, Int: i.Int}
		default:
			c.fail(i.line, "bybit has no type %s", i.Name)
		}
	}
	for _, s := range c.file.Structs {
		u := &unit{name: s.Name}
		c.pkg.units[c.file] = append(c.pkg.units[c.file], u)
		u.structs = append(u.structs, &declared{Struct: s})
		c.rows(u, s.Name, s.Rows)
	}
}

// prefix is what the types of the file's methods begin with: the service, so that the same
// verb may stand in several. Market's types have none: they are what most programs use.
func (f *File) prefix() string {
	if f.Service == "Market" {
		return ""
	}
	return f.Service
}

// method checks a method and declares its types.
func (c *checker) method(m *Method) {
	if !exported(m.Name) {
		c.fail(m.line, "%q is no exported Go name", m.Name)
	}
	if m.HTTP != "GET" && m.HTTP != "POST" {
		c.fail(m.line, "%s is neither GET nor POST", m.HTTP)
	}
	if !slices.Contains([]string{"public", "signed", "optional"}, m.Auth) {
		c.fail(m.line, "%q is none of public, signed, optional", m.Auth)
	}
	if len(m.Pages) == 0 {
		c.fail(m.line, "%s has no page", m.Name)
	}
	if len(m.Doc) == 0 {
		c.fail(m.line, "%s has no doc", m.Name)
	}
	u := &unit{name: m.Name, method: m}
	c.pkg.units[c.file] = append(c.pkg.units[c.file], u)
	base := c.file.prefix() + m.Name
	if m.Query && m.HTTP != "POST" {
		c.fail(m.line, "%s has the attribute query and is no POST", m.Name)
	}
	if b := m.Params; b != nil && !m.ByHand && (b.Name != "" || len(b.Rows) > 0) {
		u.params = c.body(u, b, base+"Params", params)
	}
	b := m.Result
	for _, f := range m.Failures {
		if b == nil || !slices.ContainsFunc(b.Rows, func(r *Row) bool { return r.Name == f.Field }) {
			c.fail(m.line, "%s: the result has no field %s", m.Name, f.Field)
		}
	}
	switch {
	case b == nil || b.Name == "" && len(b.Rows) == 0:
	case m.Batch:
		it := &Struct{Name: base + "Item", Rows: b.Rows, line: b.line}
		u.result = &Struct{Name: base + "Result", line: b.line}
		u.item = it
		if c.declareName(b.line, it.Name) && c.declareName(b.line, u.result.Name) {
			c.pkg.Structs[it.Name], c.pkg.Structs[u.result.Name] = it, u.result
		}
		u.structs = append(u.structs, &declared{Struct: it, role: item})
		c.rows(u, it.Name, it.Rows)
	case b.List:
		name := cmp.Or(b.Name, base+"Row")
		row := &Row{Go: "List", Type: Type{Kind: List, Elem: &Type{Kind: Object, Name: name, Inline: len(b.Rows) > 0}}, Text: "In the order of the reply.", Rows: b.Rows, line: b.line}
		if slices.Contains(basics, b.Name) {
			row.Type.Elem = &Type{Name: b.Name}
		}
		u.result = &Struct{Name: base + "Result", Rows: []*Row{row}, line: b.line}
		if c.declareName(b.line, u.result.Name) {
			c.pkg.Structs[u.result.Name] = u.result
		}
		u.structs = append(u.structs, &declared{Struct: u.result, role: result})
		c.rows(u, u.result.Name, u.result.Rows)
	default:
		u.result = c.body(u, b, base+"Result", result)
	}
	c.walk(u)
}

// body declares the struct of params or of a result.
func (c *checker) body(u *unit, b *Body, name string, r role) *Struct {
	if len(b.Rows) == 0 {
		s := c.pkg.Structs[b.Name]
		if s == nil {
			c.fail(b.line, "there is no struct %s", b.Name)
			return &Struct{Name: b.Name}
		}
		s.whole = true
		return s
	}
	s := &Struct{Name: cmp.Or(b.Name, name), Rows: b.Rows, line: b.line}
	if c.declareName(b.line, s.Name) {
		c.pkg.Structs[s.Name] = s
	}
	u.structs = append(u.structs, &declared{Struct: s, role: r})
	c.rows(u, s.Name, s.Rows)
	return s
}

// rows checks fields and declares the structs among them.
func (c *checker) rows(u *unit, owner string, rows []*Row) {
	wire, goNames := make(map[string]bool), make(map[string]string)
	if len(rows) > 250 {
		c.fail(rows[0].line, "%s has more than 250 fields", owner)
	}
	for _, r := range rows {
		if r.Name != "" && wire[r.Name] {
			c.fail(r.line, "%s has %s twice", owner, r.Name)
		}
		wire[r.Name] = true
		if !exported(r.Go) {
			c.fail(r.line, "%s.%s: %q is no exported Go name; {as Name} gives it one", owner, r.Name, r.Go)
		}
		if other, twice := goNames[r.Go]; twice {
			c.fail(r.line, "%s: %s and %s are both %s in Go; {as Name} gives another name", owner, other, r.Name, r.Go)
		}
		goNames[r.Go] = r.Name
		c.text(r.line, owner+"."+r.Name, r.Text)
		c.rowType(u, owner, r, &r.Type, false)
		switch {
		case r.Zero && (!r.Type.hasZero() || r.Opt):
			c.fail(r.line, "%s.%s has the mark zero and is no time that is always there, nor an id as a number", owner, r.Name)
		case r.Zero && (r.Omit || r.Null):
			c.fail(r.line, "%s.%s has two marks for when it is absent", owner, r.Name)
		}
	}
}

// hasZero reports whether 0 can stand for an absent value.
func (t *Type) hasZero() bool {
	return t.Kind == Basic && (t.Name == "time" || t.Name == "string" && t.Form == AsNumber)
}

// rowType resolves the type of a row, or of its elements.
func (c *checker) rowType(u *unit, owner string, r *Row, t *Type, many bool) {
	switch t.Kind {
	case List, Map:
		t.Elem.Reason = t.Reason
		c.rowType(u, owner, r, t.Elem, true)
		return
	case Object, Tuple:
		if len(r.Rows) == 0 {
			file, pkg := c.file, c.pkg
			c.later = append(c.later, func() {
				s := pkg.Structs[t.Name]
				if s == nil {
					c.errs.add(file.Path, r.line, "%s.%s: %s has no rows and is no struct", owner, r.Name, t.Name)
					return
				}
				s.Tuple = s.Tuple || t.Kind == Tuple
			})
			return
		}
		s := &Struct{Name: t.Name, Text: r.Text, Rows: r.Rows, Tuple: t.Kind == Tuple, line: r.line}
		if c.declareName(r.line, t.Name) {
			c.pkg.Structs[t.Name] = s
		}
		u.structs = append(u.structs, &declared{Struct: s, owner: owner + "." + r.Go, many: many, role: nested})
		c.rows(u, t.Name, r.Rows)
		return
	}
	if len(r.Rows) > 0 {
		c.fail(r.line, "%s.%s is a %s and has rows; write {Name}", owner, r.Name, t.Name)
	}
	if t.Name == "raw" {
		if t.Reason == "" {
			c.fail(r.line, "%s.%s is raw without a reason: raw because ...", owner, r.Name)
		}
		c.spec.Raw = append(c.spec.Raw, fmt.Sprintf("%s.%s.%s: %s", c.pkg.Name, owner, r.Go, t.Reason))
	}
	if slices.Contains(basics, t.Name) {
		return
	}
	file, pkg := c.file, c.pkg
	c.later = append(c.later, func() {
		switch s := pkg.Structs[t.Name]; {
		case pkg.enum(t.Name) != nil:
		case s == nil:
			c.errs.add(file.Path, r.line, "%s.%s: unknown type %s", owner, r.Name, t.Name)
		case s.Tuple:
			t.Kind = Tuple
		default:
			t.Kind = Object
		}
	})
}

// enum finds an enum of the package or one that it imports.
func (p *Package) enum(name string) *Enum {
	if e := p.Enums[name]; e != nil {
		return e
	}
	return p.Imports[name]
}

// walk checks the iterator of a method.
func (c *checker) walk(u *unit) {
	w := u.method.Walk
	if w == nil {
		return
	}
	if u.params == nil || u.result == nil {
		c.fail(w.line, "%s has pages but no params or no result", u.method.Name)
		return
	}
	if find(u.result.Rows, w.Rows) == nil {
		c.fail(w.line, "%s has no %s in its result", u.method.Name, cmp.Or(w.Rows, "list"))
	}
	if needs := sizeRow(u.params.Rows) != nil; needs != (w.Of != "") {
		c.fail(w.line, "%s: of, with the most rows of a page, is for methods whose params must have a length of pages", u.method.Name)
	}
	if w.By == "page" {
		if pageRow(u.params.Rows) == nil {
			c.fail(w.line, "%s has no page in its params", u.method.Name)
		}
		return
	}
	if cursorRow(u.params.Rows) == nil || nextCursor(u.result.Rows) == nil {
		c.fail(w.line, "%s has no cursor in its params, or none in its result", u.method.Name)
	}
}

func find(rows []*Row, name string) *Row {
	for _, r := range rows {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// nextCursor finds the cursor of the next page in a result.
func nextCursor(rows []*Row) *Row {
	for _, r := range rows {
		if n := strings.ToLower(r.Name); strings.HasPrefix(n, "next") && strings.HasSuffix(n, "cursor") {
			return r
		}
	}
	return find(rows, "cursor")
}

// cursorRow finds the cursor in params.
func cursorRow(rows []*Row) *Row { return firstOf(rows, "cursor", "nextCursor") }

// pageRow finds the number of the page in params.
func pageRow(rows []*Row) *Row {
	if r := firstOf(rows, "page", "pageNo", "pageNum", "current", "currentPage", "pageIndex", "index"); r != nil {
		return r
	}
	if r := find(rows, "cursor"); r != nil && r.Type.Name == "int" {
		return r
	}
	return nil
}

// sizeRow finds the length of a page in params that have to have one.
func sizeRow(rows []*Row) *Row {
	if r := firstOf(rows, "limit", "size", "pageSize"); r != nil && !r.Opt {
		return r
	}
	return nil
}

// firstOf finds the row that has the first of several names.
func firstOf(rows []*Row, names ...string) *Row {
	for _, name := range names {
		if r := find(rows, name); r != nil {
			return r
		}
	}
	return nil
}

// HandWritten returns the exported names of the package in dir that are not generated.
func HandWritten(dir string) (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	for _, name := range files {
		base := path.Base(filepath.ToSlash(name))
		if strings.HasSuffix(base, "_gen.go") || strings.HasSuffix(base, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			for _, n := range declaredNames(d) {
				if token.IsExported(n) {
					names[n] = true
				}
			}
		}
	}
	return names, nil
}

// declaredNames are the names that a declaration brings into its package.
func declaredNames(d ast.Decl) []string {
	var names []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return names
}
