package main

import (
	"regexp"
	"strings"
	"unicode"
)

// The texts of spec/ name fields and values as the wire does, which is right for the command.
// In comments they have the names that a reader of Go sees beside them.

// naming is how fields are called in Go, by their names on the wire. One that has several
// names in Go has none here: "".
type naming map[string]string

func (n naming) add(rows []*Row) {
	for _, r := range rows {
		if r.Name == "" {
			continue
		}
		if known, ok := n[r.Name]; ok && known != r.Go {
			n[r.Name] = ""
			continue
		}
		n[r.Name] = r.Go
	}
}

// scope is where a text stands: which fields and which enum it may speak of.
type scope struct {
	names []naming         // nearest first
	near  naming           // the fields beside the text; of a method's text, those of its parameters
	enum  *Enum            // of the text's own field
	of    map[string]*Enum // of the fields around it, by their names on the wire
}

// scopeOf is the scope of the texts of a unit, or those of the file if u is nil.
func (g *generator) scopeOf(u *unit) *scope {
	s := &scope{of: make(map[string]*Enum)}
	if u != nil {
		near := make(naming)
		for _, rows := range u.rows() {
			near.add(rows)
			for _, r := range rows {
				if r.Type.Kind == Basic && g.p.enum(r.Type.Name) != nil {
					s.of[r.Name] = g.p.enum(r.Type.Name)
				}
			}
		}
		s.names = append(s.names, near)
		if u.params != nil {
			s.near = make(naming)
			s.near.add(u.params.Rows)
		}
	}
	file, all := make(naming), make(naming)
	for f, units := range g.p.units {
		for _, u := range units {
			for _, rows := range u.rows() {
				all.add(rows)
				if f == g.f {
					file.add(rows)
				}
			}
		}
	}
	s.names = append(s.names, file, all)
	return s
}

// rows are the fields of the unit's structs.
func (u *unit) rows() [][]*Row {
	var all [][]*Row
	for _, s := range []*Struct{u.params, u.result} {
		if s != nil {
			all = append(all, s.Rows)
		}
	}
	for _, d := range u.structs {
		all = append(all, d.Rows)
	}
	return all
}

// within is the scope of one struct's texts.
func (s *scope) within(rows []*Row) *scope {
	own := make(naming)
	own.add(rows)
	return &scope{names: append([]naming{own}, s.names...), near: own, of: s.of}
}

// at is the scope of one row's text.
func (s *scope) at(e *Enum) *scope { return &scope{names: s.names, near: s.near, enum: e, of: s.of} }

// plain are names of the wire that are no words of English, though they look like some.
var plain = map[string]bool{"qty": true, "uta": true, "uid": true, "mmp": true, "ips": true}

// name returns how a word of a text is called in Go, "" for a word.
func (s *scope) name(word string) string {
	if !plain[word] && !strings.Contains(word, "_") && strings.ToLower(word) == word || !unicode.IsLower(rune(word[0])) {
		return ""
	}
	for _, n := range s.names {
		if name, ok := n[word]; ok && name != "" {
			return name
		}
	}
	return ""
}

// own is how a word is called in Go even if it looks like one of English.
func (s *scope) own(word string) string {
	for _, n := range s.names {
		if name := n[word]; name != "" {
			return name
		}
	}
	return word
}

// constant returns the constant for a value.
func constant(e *Enum, value string) string {
	if e == nil {
		return ""
	}
	for _, v := range e.Values {
		if v.Wire == value {
			return v.Name
		}
	}
	return ""
}

var (
	term      = regexp.MustCompile(`[A-Za-z0-9_]+(/[A-Za-z0-9_/-]+)?`)
	defaultIs = regexp.MustCompile(`(Default|Today): $`)
	digits    = regexp.MustCompile(`^\d+$`)
	noValue   = regexp.MustCompile(`\bnull\b`)
	beside    = regexp.MustCompile(`(?:[,;]|\b(?:or|else|need|needs|Default:)) (\w+)`)
	pointing  = regexp.MustCompile(`\b([Nn]eeds?|[Ww]ithout|[Tt]his or|instead of|precedence over|[Ss]ee|Give|multiple of|language of|plus|less) $`)
	pair      = regexp.MustCompile(`\bwith $`)
	inRow     = regexp.MustCompile(`^(,|,? and|,? or) $`)
	clause    = regexp.MustCompile(`([.;:]| to) $`)
	partner   = regexp.MustCompile(`^ and (\w+)`)
	ended     = regexp.MustCompile(`^([.,;:)]|$| (or|and|if|unless|is|are|counts|less)\b)`)
	midst     = regexp.MustCompile(`\b([A-Za-z]+) $`)
	given     = regexp.MustCompile(`^ (?:is )?(\w+)`)
	list      = regexp.MustCompile(`\w+(, \w+)*,? or \w+`)
	camel     = regexp.MustCompile(`\b([A-Z]\w*\.[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*|[A-Z]{2,}[a-z]\w*)\b`)
)

// speak writes a text with the names of Go. What stands in quotes is left as it is.
func (s *scope) speak(text string) string {
	if s.enum != nil {
		for _, v := range s.enum.Values {
			if strings.Contains(v.Wire, " ") {
				text = strings.ReplaceAll(text, v.Wire, v.Name)
			}
		}
	}
	var b strings.Builder
	from := 0
	fields := s.fields(text)
	var before *Enum // of the field that was named last, if nothing but "is" stands between
	for _, at := range term.FindAllStringIndex(text, -1) {
		word, between := text[at[0]:at[1]], text[from:at[0]]
		b.WriteString(between)
		from = at[1]
		if between != " " {
			before = nil
		}
		named := before
		before = nil
		value := ""
		switch {
		case strings.Contains(word, "/") || strings.Count(text[:at[0]], `"`)%2 == 1:
			b.WriteString(word) // a page, a quotation
			continue
		case named != nil && word == "is":
			before = named
		case named != nil:
			value = constant(named, word)
		}
		if value == "" && s.isValue(text, at) {
			value = constant(s.enum, word)
		}
		if value == "" {
			value = s.beside(word, text[:at[0]])
		}
		switch name := s.name(word); {
		case value != "":
			b.WriteString(value)
		case name != "":
			before = s.of[word]
			b.WriteString(name)
		case fields[at[0]]:
			b.WriteString(s.near[word])
		case s.gives(word, text[from:]):
			before = s.of[word]
			b.WriteString(s.own(word))
		default:
			b.WriteString(word)
		}
	}
	b.WriteString(text[from:])
	return noValue.ReplaceAllString(b.String(), "absent")
}

// fields finds, by where they begin, the words of a text that are fields beside it and not
// the words of English that are written the same: "needs price" or "this or size", and
// what such a word stands in a row with.
func (s *scope) fields(text string) map[int]bool {
	found, known := make(map[int]bool), make(map[string]bool)
	end := -1 // of the field before
	for _, at := range term.FindAllStringIndex(text, -1) {
		word, before, after := text[at[0]:at[1]], text[:at[0]], text[at[1]:]
		if s.name(word) != "" {
			end = at[1]
			continue
		}
		if s.near[word] == "" || !unicode.IsLower(rune(word[0])) || !ended.MatchString(after) {
			continue
		}
		with := partner.FindStringSubmatch(after)
		switch {
		case pointing.MatchString(before), pair.MatchString(before) && with != nil && s.near[with[1]] != "",
			end >= 0 && inRow.MatchString(text[end:at[0]]), known[word] && clause.MatchString(before):
			found[at[0]], known[word] = true, true
			end = at[1]
		}
	}
	return found
}

// beside returns the constant for a word in the midst of a sentence that is a value of a
// field beside the text, as in "ignored for Market".
func (s *scope) beside(word, before string) string {
	m := midst.FindStringSubmatch(before)
	if m == nil && strings.ToUpper(word) != word || len(m) > 0 && (m[1] == "a" || m[1] == "an") || !unicode.IsUpper(rune(word[0])) {
		return ""
	}
	name := ""
	for _, e := range s.of {
		switch value := constant(e, word); {
		case value != "" && name != "" && name != value:
			return ""
		case value != "":
			name = value
		}
	}
	return name
}

// gives reports whether a word is a field and a value of it follows.
func (s *scope) gives(word, after string) bool {
	m := given.FindStringSubmatch(after)
	return len(m) > 0 && constant(s.of[word], m[1]) != ""
}

// isValue reports whether the word at a place in a text can be a value of the field, and no
// word of English that is written the same.
func (s *scope) isValue(text string, at []int) bool {
	word := text[at[0]:at[1]]
	before, after := text[:at[0]], text[at[1]:]
	switch {
	case defaultIs.MatchString(before):
		return true
	case digits.MatchString(word):
		return (before == "" || strings.HasSuffix(before, ", ") || strings.HasSuffix(before, "; ")) && (strings.HasPrefix(after, " for ") || strings.HasPrefix(after, " if "))
	case s.listed(text, at), strings.HasSuffix(before, "(") && strings.HasPrefix(after, ")"):
		return true
	case strings.ToLower(word) == word:
		return strings.ContainsAny(word, "_0123456789")
	case strings.ToLower(word[1:]) != word[1:]:
		return true
	case before != "" && !strings.HasSuffix(before, ". ") && !strings.HasSuffix(before, ": "), strings.HasPrefix(after, ": "):
		return true
	}
	for _, m := range beside.FindAllStringSubmatch(after, -1) {
		if constant(s.enum, m[1]) != "" {
			return true
		}
	}
	return false
}

// listed reports whether the word at a place is one of a list of nothing but values, such
// as "Limit, Market or UNKNOWN".
func (s *scope) listed(text string, at []int) bool {
	for _, l := range list.FindAllStringIndex(text, -1) {
		if l[0] > at[0] || at[1] > l[1] {
			continue
		}
		for _, word := range term.FindAllString(text[l[0]:l[1]], -1) {
			if word != "or" && constant(s.enum, word) == "" {
				return false
			}
		}
		return true
	}
	return false
}

// linked makes links of the methods of a service that a text names.
func (g *generator) linked(text, self string) string {
	return camel.ReplaceAllStringFunc(text, func(word string) string {
		service, method, of := strings.Cut(word, ".")
		if of {
			if g.spec.Packages[0].hasMethod(service, method) {
				return "[" + g.p.qualify(service+"Service."+method) + "]"
			}
			return word
		}
		if word == self || !g.p.hasMethod(g.f.Service, word) || g.p.Hand[word] || g.p.Enums[word] != nil || g.p.Structs[word] != nil {
			return word
		}
		return "[" + g.receiver() + "." + word + "]"
	})
}

// hasMethod reports whether a service of the package has the method.
func (p *Package) hasMethod(service, name string) bool {
	for _, f := range p.Files {
		for _, m := range f.Methods {
			if f.Service == service && m.Name == name {
				return true
			}
		}
	}
	return false
}
