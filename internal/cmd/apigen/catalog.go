package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// catalog writes what the command knows of the endpoints and their parameters: one
// table for each file of spec/, and the list of the tables.
func (g *generator) catalog() {
	var all []string
	for _, p := range g.spec.Packages {
		g.p = p
		for _, f := range p.Files {
			name := "of" + GoName(f.stem())
			all = append(all, name)
			var b strings.Builder
			comment(&b, "", name+" are the endpoints of "+f.Path+".")
			fmt.Fprintf(&b, "func %s() []Endpoint {\nreturn []Endpoint{\n", name)
			for _, u := range p.units[f] {
				if u.method != nil {
					g.entry(&b, f, u)
				}
			}
			b.WriteString("}\n}\n")
			g.emit("internal/endpoints/"+f.stem()+"_gen.go", f.Path, "", "endpoints", b.String())
		}
	}
	var b strings.Builder
	b.WriteString("// tables returns the endpoints of each file of spec/.\nfunc tables() [][]Endpoint {\nreturn [][]Endpoint{\n")
	for _, name := range all {
		b.WriteString(name + "(),\n")
	}
	b.WriteString("}\n}\n")
	g.emit("internal/endpoints/tables_gen.go", "spec", "", "endpoints", b.String())
}

func (g *generator) entry(b *strings.Builder, f *File, u *unit) {
	m := u.method
	home := "bybit.Client." + f.Service
	if f.Package != "" {
		home = f.Package + ".Service"
	}
	fmt.Fprintf(b, "{Method: %q, Path: %q, Group: %q, Auth: %q, Read: %v, Page: %q, Go: %q,\nText: %q,\n",
		m.HTTP, m.Path, f.group(), m.Auth, m.HTTP == "GET" || m.Read, m.Pages[0], home+"."+m.Name, strings.Join(m.Doc, " "))
	if u.params != nil {
		b.WriteString("Params: []Param{\n")
		g.paramRows(b, "", u.params.Rows, 0)
		b.WriteString("},\n")
	}
	if m.ByHand && m.Params != nil {
		// What is written by hand is a form whose only part is a file.
		for _, r := range m.Params.Rows {
			fmt.Fprintf(b, "Params: []Param{{Name: \"file\", Type: \"file\", Required: true, Text: %q}},\n", r.Text)
		}
	}
	b.WriteString("},\n")
}

// requiredText begins the text of a parameter that a request needs although Go can leave
// it unset, since its zero means something.
const requiredText = "Required. "

// paramRows writes parameters and, behind each, its own fields.
func (g *generator) paramRows(b *strings.Builder, prefix string, rows []*Row, depth int) {
	if depth > 4 {
		return // a type that holds itself
	}
	for _, r := range rows {
		name := prefix + r.Name
		suffix, t := "", &r.Type
		for t.Kind == List {
			suffix, t = suffix+"[]", t.Elem
		}
		fmt.Fprintf(b, "{Name: %q, Type: %q", name, g.typeText(&r.Type))
		text, required := strings.CutPrefix(r.Text, requiredText)
		if required || !r.Opt {
			b.WriteString(", Required: true")
		}
		if values := g.values(t, r.Text); len(values) > 0 {
			fmt.Fprintf(b, ", Values: %#v", values)
		}
		fmt.Fprintf(b, ", Text: %q},\n", text)
		if s := g.p.Structs[t.Name]; t.Kind == Object && s != nil {
			g.paramRows(b, name+suffix+".", s.Rows, depth+1)
		}
	}
}

// values are those that are known of a parameter's type. Of a type whose constants are shared
// with others the parameter's text says which.
func (g *generator) values(t *Type, text string) []string {
	e := g.p.enum(t.Name)
	if t.Kind != Basic || e == nil {
		return nil
	}
	var values []string
	for _, v := range e.Values {
		values = append(values, v.Wire)
	}
	if hand := g.spec.Known[t.Name]; len(values) == 0 && hand != nil {
		values = slices.Clone(hand.values)
		if hand.shared {
			words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,.:;()", r) })
			values = slices.DeleteFunc(values, func(v string) bool { return !slices.Contains(words, v) })
		}
	}
	return values
}

// constants are the values of a type that is written by hand.
type constants struct {
	values []string
	shared bool // untyped, of all types of their file
}

// KnownValues reads the constants of the string types that are written by hand in the
// package in dir.
func KnownValues(dir string) (map[string]*constants, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	known := make(map[string]*constants)
	for _, name := range files {
		if strings.HasSuffix(name, "_gen.go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		var types, untyped []string
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if of, ok := s.Type.(*ast.Ident); ok && of.Name == "string" {
						types = append(types, s.Name.Name)
					}
				case *ast.ValueSpec:
					values := literals(g.Tok, s)
					of, typed := s.Type.(*ast.Ident)
					switch {
					case len(values) == 0:
					case !typed:
						untyped = append(untyped, values...)
					case known[of.Name] == nil:
						known[of.Name] = &constants{values: values}
					default:
						known[of.Name].values = append(known[of.Name].values, values...)
					}
				}
			}
		}
		for _, t := range types {
			if known[t] == nil && len(untyped) > 0 {
				known[t] = &constants{values: untyped, shared: true}
			}
		}
	}
	return known, nil
}

// literals are the values of exported string constants.
func literals(tok token.Token, s *ast.ValueSpec) (values []string) {
	for i, v := range s.Values {
		lit, ok := v.(*ast.BasicLit)
		if tok != token.CONST || !ok || lit.Kind != token.STRING || !s.Names[i].IsExported() {
			continue
		}
		if text, err := strconv.Unquote(lit.Value); err == nil { // it is Go that was parsed
			values = append(values, text)
		}
	}
	return values
}

// typeText names the JSON that a parameter takes.
func (g *generator) typeText(t *Type) string {
	switch t.Kind {
	case List:
		return "[]" + g.typeText(t.Elem)
	case Map:
		return "map of " + g.typeText(t.Elem)
	case Object, Tuple:
		return "object"
	}
	name := t.Name
	if e := g.p.enum(name); e != nil {
		name = "string"
		if e.Int && t.Form != AsString {
			name = "int"
		}
		return name
	}
	switch {
	case name == "text":
		name = "decimal"
	case name == "raw":
		name = "JSON"
	case t.Unit == rfc3339 || t.Unit == percent:
		return "string"
	case name == "string" && t.Form == AsNumber:
		return "int"
	case name == "int64":
		name = "int"
	case t.Unit == digit:
		name = "bool digit"
	case name == "time":
		name = map[string]string{"": "ms", "seconds": "s", "micros": "us", "nanos": "ns"}[t.Unit]
		if t.Form == AsNumber {
			return name + " number"
		}
		return name
	}
	switch t.Form {
	case AsNumber:
		name += " number"
	case AsString:
		name += " string"
	}
	return name
}
