package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Order is how a struct is written for some categories: these fields, in this order. Read is whatever comes.
type Order struct {
	Categories []string
	Struct     string
	Fields     []OrderField
	line       int
}

// An OrderField is a field by its name on the wire. It is written also when it is absent, unless it has a question mark.
type OrderField struct {
	Name string
	Opt  bool
}

// orderHead reads what stands behind the word order: categories, and a struct.
func (p *reader) orderHead(rest string) {
	w := strings.Fields(rest)
	if len(w) < 2 {
		p.fail("order CATEGORY... STRUCT, and the fields below")
		w = []string{"", ""}
	}
	last := len(w) - 1
	p.file.Orders = append(p.file.Orders, &Order{Categories: w[:last], Struct: w[last], line: p.line})
}

// orderFields reads a line of fields.
func (p *reader) orderFields(text string) {
	o := p.file.Orders[len(p.file.Orders)-1]
	for name := range strings.FieldsSeq(text) {
		f := OrderField{Name: name}
		f.Name, f.Opt = strings.CutSuffix(name, "?")
		o.Fields = append(o.Fields, f)
	}
}

// orders hangs the orders of all files on their structs and checks them.
func (c *checker) orders() {
	for _, p := range c.spec.Packages {
		for _, f := range p.Files {
			c.file = f
			for _, o := range f.Orders {
				c.order(p, o)
			}
		}
	}
}

func (c *checker) order(p *Package, o *Order) {
	s := p.Structs[o.Struct]
	if s == nil {
		c.fail(o.line, "order of %s, which is no struct", o.Struct)
		return
	}
	if len(o.Fields) == 0 {
		c.fail(o.line, "order of %s without fields", o.Struct)
	}
	for _, other := range s.Orders {
		for _, category := range o.Categories {
			if slices.Contains(other.Categories, category) {
				c.fail(o.line, "%s has an order for %s already", o.Struct, category)
			}
		}
	}
	for i, f := range o.Fields {
		if find(s.Rows, f.Name) == nil {
			c.fail(o.line, "order of %s: there is no field %s", o.Struct, f.Name)
		}
		if slices.ContainsFunc(o.Fields[:i], func(g OrderField) bool { return g.Name == f.Name }) {
			c.fail(o.line, "order of %s: %s twice", o.Struct, f.Name)
		}
	}
	s.Orders = append(s.Orders, o)
}

// ordered reports whether rows are of structs that have orders, or have rows that are.
func (p *Package) ordered(rows []*Row, seen map[string]bool) bool {
	for _, r := range rows {
		t := &r.Type
		for t.Elem != nil {
			t = t.Elem
		}
		s := p.Structs[t.Name]
		if s == nil || seen[t.Name] {
			continue
		}
		seen[t.Name] = true
		if len(s.Orders) > 0 || p.ordered(s.Rows, seen) {
			return true
		}
	}
	return false
}

// orderLines are the lines of a fields method that stand before the fields in their usual order: a result says of which
// category it is, and a struct with orders looks at it.
func (g *generator) orderLines(d *declared) string {
	var b strings.Builder
	if d.role == result && find(d.Rows, "category") != nil && (len(d.Orders) > 0 || g.p.ordered(d.Rows, map[string]bool{})) {
		fmt.Fprintf(&b, "f.For(string(r.%s))\n", find(d.Rows, "category").Go)
	}
	if len(d.Orders) == 0 {
		return b.String()
	}
	b.WriteString("switch f.Category() {\n")
	for _, o := range d.Orders {
		var names []string
		for _, category := range o.Categories {
			names = append(names, strconv.Quote(category))
		}
		fmt.Fprintf(&b, "case %s:\n", strings.Join(names, ", "))
		for _, f := range o.Fields {
			b.WriteString(g.p.codec(find(d.Rows, f.Name), !f.Opt) + "\n")
		}
		b.WriteString("return\n")
	}
	b.WriteString("}\n")
	return b.String()
}
