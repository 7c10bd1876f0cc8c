package main

import (
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

// remark is a text as it stands behind a line of code: one sentence loses its full stop
// and its capital, several stay.
func remark(text string) string {
	body := strings.TrimSuffix(text, ".")
	if strings.Contains(body, ". ") || strings.Contains(body, "e.g") {
		return text
	}
	return lowerFirst(body)
}

// sayEnum is what the comment of an enum begins with.
func sayEnum(name, text string) string {
	first, _, _ := strings.Cut(text, " ")
	switch first {
	case "How", "Which", "What", "Who", "Whether", "Why", "Where", "When", "That":
		return name + " says " + lowerFirst(text)
	case "A", "An", "The", "One":
		return name + " is " + lowerFirst(text)
	}
	return name + ": " + lowerFirst(text)
}

// sayStruct is what the comment of a struct begins with.
func sayStruct(d *declared, method string) string {
	switch d.role {
	case params:
		return d.Name + " are the parameters of " + method + "."
	case result:
		return d.Name + " is what " + method + " returns."
	case item:
		return d.Name + " is the reply to one item of " + method + "."
	case nested:
		if d.many {
			return d.Name + " is an element of [" + d.owner + "]: " + lowerFirst(d.Text)
		}
		return d.Name + " is the type of [" + d.owner + "]: " + lowerFirst(d.Text)
	}
	return sayEnum(d.Name, d.Text)
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
