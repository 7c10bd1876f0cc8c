package main

import (
	"bufio"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reader reads one file, line by line.
type reader struct {
	file   *File
	errs   Errors
	line   int
	block  string // what the line at the margin began
	method *Method
	part   string // of the method: params, result
	rows   []*[]*Row
	base   int // indentation of the rows
}

var gap = regexp.MustCompile(` {2,}`)

// Parse reads a file of spec/. It returns as much as it understood.
func Parse(path, text string) (*File, Errors) {
	p := &reader{file: &File{Path: path}}
	s := bufio.NewScanner(strings.NewReader(text))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		p.line++
		p.read(s.Text())
	}
	if p.file.Service == "" && p.file.Package == "" {
		p.fail("the first line names a service or a package")
	}
	return p.file, p.errs
}

func (p *reader) fail(format string, args ...any) {
	p.errs.add(p.file.Path, p.line, format, args...)
}

func (p *reader) read(line string) {
	text := strings.TrimSpace(line)
	if text == "" || text[0] == '#' {
		return
	}
	if strings.Contains(line, "\t") {
		p.fail("a tab; columns are separated by spaces")
		return
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	if indent%2 != 0 {
		p.fail("indented by %d, not by twos", indent)
		return
	}
	if indent == 0 {
		p.top(text)
		return
	}
	switch p.block {
	case "enum":
		p.enumValue(text)
	case "struct":
		p.row(indent, text)
	case "order":
		p.orderFields(text)
	case "method":
		if indent > 2 && p.part != "" {
			p.row(indent, text)
		} else {
			p.attribute(text)
		}
	default:
		p.fail("nothing to belong to: %s", text)
	}
}

// top reads a line at the margin.
func (p *reader) top(text string) {
	word, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	p.block, p.part = word, ""
	switch word {
	case "service", "package":
		if p.file.Service+p.file.Package != "" || rest == "" {
			p.fail("one service or package a file")
		}
		p.file.line = p.line
		if word == "service" {
			p.file.Service = rest
		} else {
			p.file.Package = rest
		}
	case "doc":
		p.file.Doc = paragraph(p.file.Doc, rest)
	case "outcome":
		if p.file.Outcome = rest; rest != "status_code" {
			p.fail("outcome status_code")
		}
	case "import":
		names := strings.Fields(rest)
		isInt := false
		for _, name := range names {
			if name == "int" {
				isInt = true
				continue
			}
			p.file.Imports = append(p.file.Imports, Import{Name: name, Int: isInt, line: p.line})
			isInt = false
		}
	case "enum":
		head, text := columns2(rest)
		name, kind, _ := strings.Cut(head, " ")
		if kind != "string" && kind != "int" {
			p.fail("enum %s is of string or of int", name)
		}
		p.file.Enums = append(p.file.Enums, &Enum{Name: name, Int: kind == "int", Text: text, line: p.line})
	case "example":
		code := strings.TrimPrefix(text, "example ")
		indented := len(code) - len(strings.TrimLeft(code, " "))
		p.file.Example = append(p.file.Example, strings.Repeat("\t", indented/2)+code[indented:])
	case "struct":
		name, text := columns2(rest)
		s := &Struct{Name: name, Text: text, line: p.line}
		p.file.Structs = append(p.file.Structs, s)
		p.base, p.rows = 2, []*[]*Row{&s.Rows}
	case "order":
		p.orderHead(rest)
	case "method":
		w := strings.Fields(rest)
		p.method = &Method{line: p.line}
		if len(w) != 4 {
			p.fail("a method has a name, an HTTP method, a path, and public, signed or optional")
			return
		}
		p.method.Name, p.method.HTTP, p.method.Path, p.method.Auth = w[0], w[1], w[2], w[3]
		p.file.Methods = append(p.file.Methods, p.method)
	default:
		p.fail("unknown line: %s", text)
	}
}

// columns2 splits at the first gap.
func columns2(s string) (string, string) {
	if at := gap.FindStringIndex(s); at != nil {
		return s[:at[0]], s[at[1]:]
	}
	return s, ""
}

// paragraph adds a doc line: an empty one begins a new paragraph.
func paragraph(doc []string, line string) []string {
	switch {
	case line == "":
		return append(doc, "")
	case len(doc) == 0:
		return []string{line}
	}
	last := &doc[len(doc)-1]
	*last = strings.TrimSpace(*last + " " + line)
	return doc
}

func (p *reader) enumValue(text string) {
	c := gap.Split(text, 3)
	if len(c) != 3 {
		p.fail("a value has three columns: on the wire, name, text")
		return
	}
	e := p.file.Enums[len(p.file.Enums)-1]
	if c[0] == `""` {
		c[0] = ""
	}
	e.Values = append(e.Values, EnumValue{Wire: c[0], Name: c[1], Text: c[2], line: p.line})
}

var (
	limitForm = regexp.MustCompile(`^(\d+)/(s|min)$`)
	walkForm  = regexp.MustCompile(`^(cursor|page) (\S+)(?: of ([1-9]\d*))?$`)
)

func (p *reader) attribute(text string) {
	word, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	m := p.method
	p.part = ""
	switch word {
	case "page":
		m.Pages = append(m.Pages, rest)
	case "doc":
		m.Doc = paragraph(m.Doc, rest)
	case "read":
		m.Read = true
	case "deprecated":
		m.Deprecated = rest
	case "query":
		m.Query = true
	case "by":
		if m.ByHand = rest == "hand"; !m.ByHand {
			p.fail("by hand")
		}
	case "failed", "open":
		w := strings.Fields(rest)
		if len(w) != 2 {
			p.fail("%s FIELD VALUE", word)
			return
		}
		m.Failures = append(m.Failures, Failure{Field: w[0], Value: w[1], Open: word == "open"})
	case "limit":
		category := ""
		for _, w := range strings.Fields(rest) {
			l := limitForm.FindStringSubmatch(w)
			if l == nil {
				category = w
				continue
			}
			calls, _ := strconv.Atoi(l[1])
			m.Limits = append(m.Limits, Limit{Category: category, Calls: calls, Per: l[2]})
		}
	case "pages":
		w := walkForm.FindStringSubmatch(rest)
		if w == nil {
			p.fail("pages cursor LIST, or pages page LIST, either with of and the length of a page behind it")
			return
		}
		m.Walk = &Walk{By: w[1], Rows: strings.TrimSuffix(w[2], "[]"), Of: w[3], Name: "All" + m.Name, line: p.line}
	case "all":
		if m.Walk == nil {
			p.fail("all stands below pages")
			return
		}
		m.Walk.Name = rest
	case "envelope":
		if rest != "bare" && rest != "ret_code" {
			p.fail("envelope bare, or envelope ret_code")
		}
		m.Envelope = rest
	case "params":
		m.Params = &Body{Name: rest, line: p.line}
		p.part, p.base, p.rows = word, 4, []*[]*Row{&m.Params.Rows}
	case "result", "batch":
		m.Result = &Body{line: p.line}
		p.part, p.base, p.rows = word, 4, []*[]*Row{&m.Result.Rows}
		m.Batch = word == "batch"
		if rest == "envelope" {
			m.Envelope = "envelope"
			return
		}
		if name, list := strings.CutPrefix(rest, "[]"); list {
			m.Result.List, rest = true, name
		}
		m.Result.Name = strings.Trim(strings.TrimSpace(rest), "{}")
	default:
		p.fail("unknown attribute %s", word)
	}
}

// row reads a field, which belongs to the last row that is indented less.
func (p *reader) row(indent int, text string) {
	depth := (indent - p.base) / 2
	if depth < 0 || depth >= len(p.rows) {
		p.fail("indented too deep")
		return
	}
	p.rows = p.rows[:depth+1]
	c := gap.Split(text, 3)
	if len(c) < 2 {
		p.fail("a row has three columns: name, type, text")
		return
	}
	r := &Row{Name: c[0], line: p.line}
	if len(c) == 3 {
		r.Text = c[2]
	}
	p.marks(r)
	if r.Go == "" {
		r.Go = GoName(r.Name)
	}
	typ := c[1]
	if kind, because, raw := strings.Cut(typ, " because "); raw {
		typ = kind
		if strings.HasSuffix(because, "?") {
			typ, because = typ+"?", strings.TrimSuffix(because, "?")
		}
		r.Type.Reason = because
	}
	typ, r.Opt = strings.CutSuffix(typ, "?")
	reason := r.Type.Reason
	t, err := parseType(typ)
	if err != nil {
		p.fail("%s: %v", r.Name, err)
	}
	r.Type = t
	r.Type.Reason = reason
	into := p.rows[depth]
	*into = append(*into, r)
	p.rows = append(p.rows, &r.Rows)
}

var braces = regexp.MustCompile(`\s*\{([^{}]*)\}$`)

// marks takes what stands in braces off the end of the text.
func (p *reader) marks(r *Row) {
	m := braces.FindStringSubmatch(r.Text)
	if m == nil {
		return
	}
	r.Text = strings.TrimSuffix(r.Text, m[0])
	for mark := range strings.FieldsFuncSeq(m[1], func(r rune) bool { return r == ';' || r == ',' }) {
		mark = strings.TrimSpace(mark)
		name, as := strings.CutPrefix(mark, "as ")
		switch {
		case as:
			r.Go = name
		case mark == "omit":
			r.Omit = true
		case mark == "lone":
			r.Lone = true
		case mark == "zero":
			r.Zero = true
		case mark == "null":
			r.Null = true
		case mark == "deprecated":
			r.Deprecated = true
		case mark == "undocumented":
			r.Hidden = true
		default:
			p.fail("%s: unknown mark {%s}", r.Name, mark)
		}
	}
}

// units are the words that a type takes for what stands in JSON.
var units = map[string][]string{
	"time":    {"seconds", "micros", "nanos", rfc3339},
	"bool":    {digit},
	"decimal": {percent},
}

// parseType reads the type column without its question mark.
func parseType(s string) (Type, error) {
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "[]"); ok {
		elem, err := parseType(rest)
		return Type{Kind: List, Elem: &elem}, err
	}
	if rest, ok := strings.CutPrefix(s, "map[string]"); ok {
		elem, err := parseType(rest)
		return Type{Kind: Map, Elem: &elem}, err
	}
	if rest, ok := strings.CutPrefix(s, "tuple "); ok {
		name := strings.Trim(rest, "{}")
		return Type{Kind: Tuple, Name: name, Inline: true}, nil
	}
	if rest, ok := strings.CutPrefix(s, "{"); ok {
		name, ok := strings.CutSuffix(rest, "}")
		if !ok {
			return Type{}, fmt.Errorf("no closing brace in %q", s)
		}
		return Type{Kind: Object, Name: name, Inline: true}, nil
	}
	words := strings.Fields(s)
	if len(words) == 0 {
		return Type{}, fmt.Errorf("no type")
	}
	t := Type{Name: words[0]}
	for _, w := range words[1:] {
		switch {
		case w == "number":
			t.Form = AsNumber
		case w == "string":
			t.Form = AsString
		case w == "either":
			t.Either = true
		case slices.Contains(units[t.Name], w):
			t.Unit = w
		default:
			return t, fmt.Errorf("unknown word %q in the type %q", w, s)
		}
	}
	return t, nil
}
