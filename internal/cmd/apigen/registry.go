package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// pairs writes the table of the types that endpoints take and return.
func (g *generator) pairs() {
	var all []string
	for _, p := range g.spec.Packages {
		g.p = p
		var b strings.Builder
		name := "of" + GoName(p.Name)
		fmt.Fprintf(&b, "// %s are the endpoints of package %s.\nfunc %s() []Endpoint {\nreturn []Endpoint{\n", name, p.Name, name)
		n := 0
		for _, f := range p.Files {
			for _, u := range p.units[f] {
				if u.method != nil {
					g.pair(&b, u)
					n++
				}
			}
		}
		b.WriteString("}\n}\n")
		if n > 0 {
			all = append(all, name)
			g.emit("internal/codecs/"+p.Name+"_gen.go", "spec", "", "codecs", b.String())
		}
	}
	var b strings.Builder
	b.WriteString("// tables returns the endpoints of each package.\nfunc tables() [][]Endpoint {\nreturn [][]Endpoint{\n")
	for _, name := range all {
		b.WriteString(name + "(),\n")
	}
	b.WriteString("}\n}\n")
	g.emit("internal/codecs/tables_gen.go", "spec", "", "codecs", b.String())
}

func (g *generator) pair(b *strings.Builder, u *unit) {
	fmt.Fprintf(b, "{Method: %q, Path: %q", u.method.HTTP, u.method.Path)
	if u.params != nil {
		fmt.Fprintf(b, ", Params: func() Codec { return new(%s) }", g.name(u.params.Name))
	}
	if u.result != nil {
		fmt.Fprintf(b, ", Result: func() Codec { return new(%s) }", g.name(u.result.Name))
	}
	if u.method.Batch || u.method.Envelope == "envelope" || u.method.Envelope == "bare" {
		b.WriteString(", Whole: true")
	}
	b.WriteString("},\n")
}

// registry writes the table of endpoints that Client.Call looks at.
func (g *generator) registry() {
	type row struct{ key, code string }
	var rows []row
	for _, p := range g.spec.Packages {
		for _, f := range p.Files {
			for _, m := range f.Methods {
				rows = append(rows, row{m.Path + " " + m.HTTP, registryRow(f, m)})
			}
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.key, b.key) })
	var b strings.Builder
	b.WriteString("// endpoints is what the client knows of each endpoint, sorted by path and method.\nvar endpoints = [...]endpoint{\n")
	for _, r := range rows {
		b.WriteString(r.code + "\n")
	}
	b.WriteString("}\n")
	g.emit("bybit/endpoints_gen.go", "spec", "", "bybit", b.String())
}

// group is the service or the package that has the file's methods, in one word.
func (f *File) group() string { return strings.ToLower(f.Service + f.Package) }

func registryRow(f *File, m *Method) string {
	var b strings.Builder
	fmt.Fprintf(&b, "{method: %q, path: %q", m.HTTP, m.Path)
	switch m.Auth {
	case "public":
		b.WriteString(", auth: authPublic")
	case "optional":
		b.WriteString(", auth: authOptional")
	}
	if m.HTTP == "GET" || m.Read {
		b.WriteString(", read: true")
	}
	if m.Envelope == "bare" {
		b.WriteString(", bare: true")
	}
	if m.Query {
		b.WriteString(", query: true")
	}
	if m.Batch {
		b.WriteString(", batch: true")
	}
	if m.Result != nil && m.HTTP != "GET" && !m.Read && !m.Batch && (m.Envelope == "" || m.Envelope == "ret_code") {
		b.WriteString(", result: true")
	}
	if f.Outcome != "" {
		b.WriteString(", status: true")
	}
	if len(m.Failures) > 0 {
		b.WriteString(", failures: []failure{")
		for i, f := range m.Failures {
			if i > 0 {
				b.WriteString(", ")
			}
			says := "saysFailed"
			if f.Open {
				says = "saysOpen"
			}
			fmt.Fprintf(&b, "{%q, %q, %s}", f.Field, f.Value, says)
		}
		b.WriteString("}")
	}
	if len(m.Limits) > 0 {
		b.WriteString(", limits: []limit{")
		for i, l := range m.Limits {
			if i > 0 {
				b.WriteString(", ")
			}
			per := map[string]string{"s": "time.Second", "min": "time.Minute"}[l.Per]
			fmt.Fprintf(&b, "{%q, %d, %s}", l.Category, l.Calls, per)
		}
		b.WriteString("}")
	}
	b.WriteString("},")
	return b.String()
}

// services writes how a client comes by its services.
func (g *generator) services() {
	var names []string
	for _, f := range g.spec.Packages[0].Files {
		names = append(names, f.Service)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("// bind makes the services of the client.\nfunc (c *Client) bind() {\n")
	for _, n := range slices.Compact(names) {
		fmt.Fprintf(&b, "c.%s = &%sService{c}\n", n, n)
	}
	b.WriteString("}\n")
	g.emit("bybit/services_gen.go", "spec", "", "bybit", b.String())
}
