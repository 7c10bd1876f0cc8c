package main

import (
	"fmt"
	"strconv"
	"strings"
)

// goType is the Go type of a row.
func (p *Package) goType(r *Row) string {
	t := p.typeName(&r.Type)
	switch {
	case r.pointer():
		return "*" + t
	case p.opt(r) && r.Type.Name == "int":
		return p.qualify("Opt[int]")
	case p.opt(r):
		return p.qualify("Opt[" + t + "]")
	}
	return t
}

// opt reports whether the row is a bybit.Opt. What has a value that stands for none is not: an
// enum of texts, none of which is "", and lists, maps and objects, which can be nil.
func (p *Package) opt(r *Row) bool {
	e := p.enum(r.Type.Name)
	return r.Opt && r.Type.Kind == Basic && r.Type.Name != "raw" && (e == nil || e.Int)
}

// pointer reports whether the row is an object that may be missing.
func (r *Row) pointer() bool { return r.Type.Kind == Object && (r.Opt || r.Omit || r.Null) }

// qualify puts the package in front of a name of bybit's.
func (p *Package) qualify(name string) string {
	if p.Name == "bybit" {
		return name
	}
	return "bybit." + name
}

func (p *Package) typeName(t *Type) string {
	switch t.Kind {
	case List:
		return "[]" + p.typeName(t.Elem)
	case Map:
		return "map[string]" + p.typeName(t.Elem)
	case Object, Tuple:
		return t.Name
	}
	switch t.Name {
	case "int", "int64":
		return "int64"
	case "decimal":
		return "decimal.Decimal"
	case "text":
		return "decimal.Text"
	case "time":
		return "time.Time"
	case "raw":
		return "json.RawMessage"
	case "string", "bool":
		return t.Name
	}
	if p.Enums[t.Name] == nil && p.Imports[t.Name] != nil {
		return p.qualify(t.Name)
	}
	return t.Name
}

// method is the method of wire.Fields for a basic type.
func (p *Package) method(t *Type) string {
	asString := t.Form == AsString
	switch t.Name {
	case "string":
		if t.Either {
			return "TextOrNumber"
		}
		if t.Form == AsNumber {
			return "Numeral"
		}
		return "Text"
	case "int", "int64":
		if asString {
			return "IntText"
		}
		return "Int"
	case "bool":
		name := "Bool"
		if t.Unit == digit {
			name = "Digit"
		}
		if asString {
			name += "Text"
		}
		return name
	case "decimal":
		if t.Unit == percent {
			return "Percent"
		}
		if t.Form == AsNumber {
			return "Number"
		}
		return "Decimal"
	case "text":
		return "Long"
	case "raw":
		return "Raw"
	case "time":
		name := map[string]string{"": "Millis", "seconds": "Seconds", "micros": "Micros", "nanos": "Nanos", rfc3339: "RFC3339"}[t.Unit]
		if t.Form == AsNumber {
			name += "Number"
		}
		return name
	}
	switch e := p.enum(t.Name); {
	case !e.Int && t.Either:
		return "TextOrNumber"
	case !e.Int:
		return "Text"
	case asString:
		return "IntText"
	}
	return "Int"
}

// value is the function of wire for one value of the type, as an argument.
func (p *Package) value(t *Type) string {
	switch t.Kind {
	case List, Map, Object, Tuple:
		return fmt.Sprintf("func(f *wire.Fields, name string, p *%s) { %s }", p.typeName(t), p.composite(t, "f", "name", "p"))
	}
	if e := p.enum(t.Name); e != nil {
		name := "Enum"
		if e.Int {
			name = "Code"
			if t.Form == AsString {
				name = "CodeText"
			}
		}
		return "wire." + name + "[" + p.typeName(t) + "]"
	}
	return "(*wire.Fields)." + p.method(t)
}

// composite is the call for a value that is no basic type.
func (p *Package) composite(t *Type, f, name, ptr string) string {
	switch t.Kind {
	case Object:
		return fmt.Sprintf("wire.Struct(%s, %s, %s, (*%s).fields)", f, name, ptr, t.Name)
	case Tuple:
		return fmt.Sprintf("wire.Tuple(%s, %s, %s, (*%s).fields)", f, name, ptr, t.Name)
	case Map:
		if t.Elem.Kind == Object {
			return fmt.Sprintf("wire.StructMap(%s, %s, %s, (*%s).fields)", f, name, ptr, t.Elem.Name)
		}
		return fmt.Sprintf("wire.Map(%s, %s, %s, %s)", f, name, ptr, p.value(t.Elem))
	}
	switch e := t.Elem; {
	case e.Kind == Object:
		return fmt.Sprintf("wire.Structs(%s, %s, %s, (*%s).fields)", f, name, ptr, e.Name)
	case e.Kind == Tuple:
		return fmt.Sprintf("wire.Tuples(%s, %s, %s, (*%s).fields)", f, name, ptr, e.Name)
	case e.Kind == List && e.Elem.Kind == Basic:
		return fmt.Sprintf("wire.Rows(%s, %s, %s, %s)", f, name, ptr, p.value(e.Elem))
	}
	return fmt.Sprintf("wire.Values(%s, %s, %s, %s)", f, name, ptr, p.value(t.Elem))
}

// urlToken reports whether the row is a text that comes ready for a URL: the cursor that
// one page gives for the next.
func (r *Row) urlToken() bool {
	return r.Name == "cursor" && r.Type.Kind == Basic && r.Type.Name == "string"
}

// codec is the line of a fields method. With always the field is written also when it is absent.
func (p *Package) codec(r *Row, always bool) string {
	f := "f"
	switch {
	case r.Lone:
		f = "f.Lone()"
	case r.Null:
		f = "f.Null()"
	case r.Zero:
		f = "f.Zero()"
	case !always && r.Omit, r.Opt && !p.opt(r):
		f = "f.Omit()"
	}
	if strings.HasPrefix(r.Text, requiredText) {
		f += fmt.Sprintf(".Needed(%q)", r.Go)
	}
	name := strconv.Quote(r.Name)
	ptr := "&r." + r.Go
	switch {
	case r.pointer():
		return fmt.Sprintf("wire.Pointer(%s, %s, %s, (*%s).fields)", f, name, ptr, r.Type.Name)
	case r.Type.Kind != Basic:
		return p.composite(&r.Type, f, name, ptr)
	case r.urlToken() && r.Opt:
		return fmt.Sprintf("wire.Opt(%s, %s, %s, (*wire.Fields).Token)", f, name, ptr)
	case r.urlToken():
		return fmt.Sprintf("%s.Token(%s, %s)", f, name, ptr)
	case p.opt(r) && r.Type.Name == "int":
		name := map[bool]string{false: "Code", true: "CodeText"}[r.Type.Form == AsString]
		return fmt.Sprintf("wire.Opt(%s, %q, %s, wire.%s[int])", f, r.Name, ptr, name)
	case p.opt(r):
		return fmt.Sprintf("wire.Opt(%s, %s, %s, %s)", f, name, ptr, p.value(&r.Type))
	case r.Type.Name == "raw":
		ptr = "(*[]byte)(" + ptr + ")"
	}
	if e := p.enum(r.Type.Name); e != nil {
		under := "string"
		if e.Int {
			under = "int64"
		}
		ptr = "(*" + under + ")(" + ptr + ")"
	}
	return fmt.Sprintf("%s.%s(%s, %s)", f, p.method(&r.Type), name, ptr)
}
