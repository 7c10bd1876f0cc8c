package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/endpoints"
)

// isNested reports whether a parameter of the registry is a field of another.
func isNested(name string) bool { return strings.Contains(name, ".") }

// arguments are those of one endpoint while they are checked.
type arguments struct {
	*endpoints.Endpoint
	doubts []string // what is hardly meant, and not refused
}

func (a *arguments) doubt(format string, args ...any) {
	a.doubts = append(a.doubts, fmt.Sprintf("call: "+format, args...))
}

// encodeParams makes the request's JSON of NAME=VALUE arguments, in their order; nil if
// there are none. A GET makes its query of it. What is hardly meant is said beside it.
func encodeParams(e *endpoints.Endpoint, args []string) (params json.RawMessage, doubts []string, err error) {
	a := &arguments{Endpoint: e}
	params, err = a.encode(args)
	return params, a.doubts, err
}

func (a *arguments) encode(args []string) (json.RawMessage, error) {
	e, seen := a.Endpoint, make(map[string]bool)
	var body []byte
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, usageError("call: %s: a parameter is NAME=VALUE, like %s=...", arg, exampleName(e))
		}
		p, err := paramOf(e, name)
		if err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, usageError("call: %s is given twice", name)
		}
		seen[name] = true
		text, err := a.encodeParam(p, value)
		if err != nil {
			return nil, err
		}
		body = append(body, "{,"[min(len(body), 1)])
		body = append(body, quoted(name)...)
		body = append(body, ':')
		body = append(body, text...)
	}
	var missing []string
	for _, p := range e.Params {
		if p.Required && !isNested(p.Name) && !seen[p.Name] {
			missing = append(missing, p.Name)
		}
	}
	if len(missing) > 0 {
		return nil, usageError("call: %s needs %s", opOf(e), strings.Join(missing, ", "))
	}
	if body == nil {
		return nil, nil
	}
	return append(body, '}'), nil
}

// exampleName is the name of some parameter.
func exampleName(e *endpoints.Endpoint) string {
	if len(e.Params) == 0 {
		return "symbol"
	}
	return e.Params[0].Name
}

// paramOf finds a parameter that an argument names.
func paramOf(e *endpoints.Endpoint, name string) (*endpoints.Param, error) {
	var names []string
	for i, p := range e.Params {
		if p.Name == name && !isNested(name) {
			return &e.Params[i], nil
		}
		if !isNested(p.Name) {
			names = append(names, p.Name)
		}
	}
	outer, _, nested := strings.Cut(strings.ReplaceAll(name, "[]", ""), ".")
	switch near := nearestName(name, names); {
	case len(names) == 0:
		return nil, usageError("call: %s takes no parameters", opOf(e))
	case nested && slices.Contains(names, outer):
		return nil, usageError("call: %s: fields of %s are given as its JSON: %s='...'", name, outer, outer)
	case near != "":
		return nil, usageError("call: %s: no such parameter of %s; meant %s?", name, opOf(e), near)
	}
	return nil, usageError("call: %s: no such parameter of %s; there are %s", name, opOf(e), strings.Join(names, ", "))
}

// encodeParam makes the JSON of one value by its type.
func (a *arguments) encodeParam(p *endpoints.Param, value string) (string, error) {
	element, list := strings.CutPrefix(p.Type, "[]")
	if value == "null" && p.Type != "string" {
		return value, nil // absent; a query leaves it out
	}
	if !list && p.Type != "object" {
		return a.encodeScalar(p, p.Type, value)
	}
	if list && element != "object" && !strings.HasPrefix(value, "[") {
		// As people write lists.
		parts := strings.Split(value, ",")
		for i, part := range parts {
			text, err := a.encodeScalar(p, element, part)
			if err != nil {
				return "", err
			}
			parts[i] = text
		}
		value = "[" + strings.Join(parts, ",") + "]"
	}
	if !json.Valid([]byte(value)) {
		form := "'{...}'"
		if list {
			form = "'[...]'"
		}
		return "", usageError("call: %s is no JSON (quote it for the shell); write %s=%s", p.Name, p.Name, form)
	}
	if err := a.checkJSON(p.Name, p.Type, p.Values, []byte(value)); err != nil {
		return "", err
	}
	if a.Method != http.MethodGet {
		return value, nil
	}
	// In a query a list is its elements with commas.
	var parts []json.RawMessage
	if json.Unmarshal([]byte(value), &parts) != nil {
		return quoted(value), nil
	}
	plain := make([]string, len(parts))
	for i, part := range parts {
		plain[i] = string(part)
		var s string
		if json.Unmarshal(part, &s) == nil {
			plain[i] = s
		}
	}
	return quoted(strings.Join(plain, ",")), nil
}

// encodeScalar makes the JSON of a value that is no list and no object.
func (a *arguments) encodeScalar(p *endpoints.Param, kind, value string) (string, error) {
	base, form, _ := strings.Cut(kind, " ")
	switch plain := isPlain(base, form); {
	case value == "" && base == "string":
		if p.Required {
			a.checkKnown(p.Name, p.Values, value)
		}
		return quoted(""), nil // absent, as the API has it
	case value == `""` && base != "string" && !plain:
		return value, nil // an empty number, said in so many letters
	case value == "" && !plain:
		return "", usageError(`call: %s=: no value; leave it out, or write %s='""' to send it empty`, p.Name, p.Name)
	}
	switch base {
	case "ms", "s":
		if t, err := parseMoment(p.Name, value, time.Time{}); err == nil && !allDigits(value) && !strings.HasPrefix(value, "+") {
			unix := t.UnixMilli()
			if base == "s" {
				unix = t.Unix()
			}
			value = strconv.FormatInt(unix, 10)
		}
	case "bool":
		if spelling := spellings(form); value == "1" || value == "true" {
			value = spelling[0]
		} else if value == "0" || value == "false" {
			value = spelling[1]
		}
	}
	if err := a.checkScalar(p.Name, kind, p.Values, value); err != nil {
		return "", err
	}
	if isPlain(base, form) {
		return value, nil
	}
	return quoted(value), nil
}

// spellings are how JSON has yes and no.
func spellings(form string) [2]string {
	if strings.HasPrefix(form, "digit") {
		return [2]string{"1", "0"}
	}
	return [2]string{"true", "false"}
}

// isPlain reports whether JSON has a type without quotes.
func isPlain(base, form string) bool {
	return form == "number" || (base == "int" || base == "bool") && !strings.HasSuffix(form, "string")
}

// checkScalar checks the plain text of a value.
func (a *arguments) checkScalar(name, kind string, known []string, value string) error {
	base, form, _ := strings.Cut(kind, " ")
	switch base {
	case "int":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return usageError("call: %s=%s: no whole number", name, value)
		}
	case "decimal":
		if _, err := decimal.ParseText(value); err != nil || !json.Valid([]byte(value)) {
			return usageError("call: %s=%s: no number; one looks like 0.001", name, value)
		}
	case "bool":
		spelling := spellings(form)
		switch {
		case value == spelling[0] || value == spelling[1]:
		case strings.ContainsAny(name, ".["):
			return usageError("call: %s=%s: write %s or %s", name, value, spelling[0], spelling[1])
		default:
			return usageError("call: %s=%s: write true or false, or 1 or 0", name, value)
		}
	case "ms":
		if len(value) == len("1700000000") && allDigits(value) {
			return usageError("call: %s=%s: seconds, and it takes milliseconds: %s000", name, value, value)
		}
		if !allDigits(value) {
			return usageError("call: %s=%s: no time; write Unix milliseconds, or 2026-01-31T12:00 in UTC", name, value)
		}
	case "s":
		if len(value) == len("1700000000000") && allDigits(value) {
			return usageError("call: %s=%s: milliseconds, and it takes seconds: %s", name, value, value[:10])
		}
		if !allDigits(value) {
			return usageError("call: %s=%s: no time; write Unix seconds, or 2026-01-31T12:00 in UTC", name, value)
		}
	case "string":
		if up := strings.ToUpper(value); up != value && name[strings.LastIndex(name, ".")+1:] == "symbol" {
			a.doubt("%s=%s: symbols are written in capitals: %s", name, value, up)
		}
	}
	a.checkKnown(name, known, value)
	return nil
}

// shownValues is how many values an error lists.
const shownValues = 15

// checkKnown doubts a value that the documentation does not have. There may be new ones: so
// it is sent all the same.
func (a *arguments) checkKnown(name string, known []string, value string) {
	isKnown := func(v string) bool { return slices.Contains(known, v) }
	if len(known) == 0 || isKnown(value) {
		return
	}
	if parts := strings.Split(value, ","); len(parts) > 1 && !slices.ContainsFunc(parts, func(v string) bool { return !isKnown(v) }) {
		return // a text may be a list
	}
	const none = "%s=%s: the documentation has no such value"
	switch near := nearestName(value, known); {
	case near != "" && !unicode.IsDigit(rune(value[0])): // a number is near to none
		a.doubt(none+"; meant %s?", name, value, near)
	case len(known) <= shownValues:
		a.doubt(none+"; it has %s", name, value, strings.Join(known, ", "))
	default:
		a.doubt(none, name, value)
	}
}

func allDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// checkJSON checks a value that was given as JSON, and what is inside it.
func (a *arguments) checkJSON(name, kind string, known []string, value []byte) error {
	value = bytes.TrimSpace(value)
	if string(value) == "null" {
		return nil // absent
	}
	if element, ok := strings.CutPrefix(kind, "[]"); ok {
		var list []json.RawMessage
		if value[0] != '[' || json.Unmarshal(value, &list) != nil {
			return usageError("call: %s is a list: write [...]", name)
		}
		for _, v := range list {
			if err := a.checkJSON(name+"[]", element, known, v); err != nil {
				return err
			}
		}
		return nil
	}
	if kind == "object" {
		return a.checkObject(name, value)
	}
	base, form, _ := strings.Cut(kind, " ")
	text, isString := string(value), false
	var s string
	if json.Unmarshal(value, &s) == nil && value[0] == '"' {
		text, isString = s, true
	}
	plain := isPlain(base, form)
	switch {
	case plain && isString:
		return usageError(`call: %s is written without quotes in JSON: %s`, name, text)
	case !plain && !isString:
		return usageError(`call: %s is written in quotes in JSON: %s`, name, quoted(text))
	case isString && text == "":
		return nil // absent, as the API has it
	}
	return a.checkScalar(name, kind, known, text)
}

// checkObject checks the fields of an object.
func (a *arguments) checkObject(name string, value []byte) error {
	var fields map[string]json.RawMessage
	if value[0] != '{' || json.Unmarshal(value, &fields) != nil {
		return usageError("call: %s is an object: write {...}", name)
	}
	rows := make(map[string]*endpoints.Param)
	var names []string
	for i := range a.Params {
		if field, ok := strings.CutPrefix(a.Params[i].Name, name+"."); ok && !isNested(field) {
			rows[field] = &a.Params[i]
			names = append(names, field)
		}
	}
	if len(names) == 0 {
		return nil // its fields are not documented
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		row := rows[field]
		if row == nil {
			if near := nearestName(field, names); near != "" {
				return usageError("call: %s.%s: no such field; meant %s?", name, field, near)
			}
			return usageError("call: %s.%s: no such field; there are %s", name, field, strings.Join(names, ", "))
		}
		if err := a.checkJSON(row.Name, row.Type, row.Values, fields[field]); err != nil {
			return err
		}
	}
	var missing []string
	for _, field := range names {
		row := rows[field]
		_, given := fields[field]
		// A list that is left out is an empty one.
		if row.Required && !given && !strings.HasPrefix(row.Type, "[]") {
			missing = append(missing, field)
		}
	}
	if len(missing) > 0 {
		return usageError("call: %s needs %s", name, strings.Join(missing, ", "))
	}
	return nil
}
