package main

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// width is how long a line of a comment may be, its tabs counted as four.
const width = 100

// comment writes paragraphs as a comment, each line behind the indentation.
func comment(b *strings.Builder, indent string, paragraphs ...string) {
	room := width - 4*len(indent) - len("// ")
	first := true
	for _, p := range paragraphs {
		if p == "" {
			continue
		}
		if !first {
			b.WriteString(indent + "//\n")
		}
		first = false
		for _, line := range wrap(p, room) {
			b.WriteString(indent + "// " + line + "\n")
		}
	}
}

// wrap breaks a text into lines.
func wrap(text string, room int) []string {
	var lines []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > room {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(lines, line)
}

// remark is a text as it stands behind a line of code, without its full stop and its
// capital. Several sentences stand above the line: there is no remark.
func remark(text string) string {
	body := strings.TrimSuffix(text, ".")
	if strings.Contains(body, ". ") {
		return ""
	}
	return lowerFirst(body)
}

// also adds a word or two to a text: to its sentence if there is one, behind several.
func also(text, more string) string {
	if body := strings.TrimSuffix(text, "."); !strings.Contains(body, ". ") {
		return body + "; " + more + "."
	}
	return text + " " + strings.ToUpper(more[:1]) + more[1:] + "."
}

// sayEnum is what the comment of an enum begins with.
func sayEnum(name, text string) string {
	first, _, _ := strings.Cut(text, " ")
	switch first {
	case "How", "Which", "What", "Who", "Whose", "Whether", "Why", "Where", "When", "That", "From", "In", "On":
		return name + " says " + lowerFirst(text)
	case "A", "An", "The", "One", "Yes":
		return name + " is " + lowerFirst(text)
	}
	return name + ": " + lowerFirst(text)
}

// deprecated begins the paragraph that tools look for.
const deprecated = "Deprecated: "

// outOfUse are the beginnings of the sentences that say so.
var outOfUse = regexp.MustCompile(`(^|\. )(Use|Out of use|Always|Without meaning|Wrong since|Absent now)\b`)

// fieldDoc is the comment of a field, in paragraphs.
func (g *generator) fieldDoc(r *Row, scope *scope) []string {
	text := r.Text
	if r.Type.Name != "raw" {
		text = scope.at(g.p.enum(r.Type.Name)).speak(text)
	}
	if r.Hidden {
		text = also(text, "undocumented")
	}
	if r.Opt && r.Type.Kind == Basic && r.Type.Name != "raw" && !g.p.opt(r) && !saysWhenAbsent.MatchString(text) {
		text = also(text, "optional")
	}
	if r.pointer() && !r.Opt {
		text = orNil(text)
	}
	if !r.Deprecated {
		return []string{text}
	}
	if at := outOfUse.FindStringIndex(text); len(at) > 0 && at[0] > 0 {
		return []string{text[:at[0]+1], deprecated + lowerFirst(text[at[0]+2:])}
	}
	return []string{"", deprecated + lowerFirst(text)}
}

// saysWhenAbsent matches a text that says what it is to leave the field out.
var saysWhenAbsent = regexp.MustCompile(`Default|Required|Absent|Optional|Without`)

// orNil says of a pointer when it is nil, which a text tells as absent.
func orNil(text string) string {
	if strings.Contains(text, "bsent") {
		return strings.NewReplacer("absent", "nil", "Absent", "Nil").Replace(text)
	}
	return also(text, "nil if absent")
}

// pageURL is where a page of the documentation is. The pages of p2p stand beside those of V5.
func pageURL(page string) string {
	if strings.HasPrefix(page, "p2p/") {
		return "https://bybit-exchange.github.io/docs/" + page
	}
	return "https://bybit-exchange.github.io/docs/v5/" + page
}

// sayStruct is what the comment of a struct begins with.
func sayStruct(d *declared, text, method string) string {
	switch d.role {
	case params:
		return d.Name + " are the parameters of " + method + "."
	case result:
		return d.Name + " is what " + method + " returns."
	case item:
		return d.Name + " is the reply to one item of " + method + "."
	case nested:
		if d.many {
			return d.Name + sayElement(text, "["+d.owner+"]")
		}
		text, _, _ = strings.Cut(text, "; ")
		text, _, _ = strings.Cut(text, ". ")
		return d.Name + " is what [" + d.owner + "] holds: " + lowerFirst(strings.TrimSuffix(text, ".")) + "."
	}
	return sayEnum(d.Name, text)
}

var (
	onePer = regexp.MustCompile(`(?i)\bone( row)?( for)? (per|each|a|for each) ([^.;]*)`)
	found  = regexp.MustCompile(` (that were found|found|of (this|the) page)$`)
	plural = regexp.MustCompile(`^[a-z]+[a-rt-z]s$`)
)

// sayElement says what one element of a list is, of which the text tells what all are.
func sayElement(text, list string) string {
	if m := onePer.FindStringSubmatch(text); m != nil {
		return " is an element of " + list + ", one for each " + m[4] + "."
	}
	things := strings.TrimSuffix(lowerFirst(text), ".")
	for _, article := range []string{"the ", "its ", "all "} {
		things = strings.TrimPrefix(things, article)
	}
	for _, end := range []string{". ", "; ", ", ", ": "} {
		things, _, _ = strings.Cut(things, end)
	}
	things = found.ReplaceAllString(things, "")
	switch first, _, several := strings.Cut(things, " "); {
	case plural.MatchString(first) && several:
		return " is one of the " + things + " (" + list + ")."
	case plural.MatchString(first):
		return " is one of the " + things + " in " + list + "."
	}
	return " is an element of " + list + ": " + lowerFirst(text)
}

// verbs are the words that method texts begin with and that are no nouns.
func isVerb(word string) bool {
	return strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && !strings.HasSuffix(word, "ous")
}

// sayMethod is what the comment of a method begins with.
func sayMethod(name, text string, reads bool) string {
	first, rest, _ := strings.Cut(text, " ")
	switch {
	case first == "Returns" || first == "Says" || first == "Checks" || first == "Calculates" || first == "Estimates" || first == "Quotes" || first == "Lists":
		return name + " " + strings.ToLower(first) + " " + rest
	case reads:
		switch first {
		case "Whether", "How", "Which", "What", "Who", "Where", "When", "Why":
			return name + " says " + lowerFirst(text)
		}
		return name + " returns " + lowerFirst(text)
	case isVerb(first):
		return name + " " + lowerFirst(text)
	}
	return name + ": " + lowerFirst(text)
}

// hides reports whether the package has fields that only examples show.
func (p *Package) hides() bool {
	for _, units := range p.units {
		for _, u := range units {
			for _, rows := range u.rows() {
				if slices.ContainsFunc(rows, func(r *Row) bool { return r.Hidden }) {
					return true
				}
			}
		}
	}
	return false
}
