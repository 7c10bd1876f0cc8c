package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/endpoints"
)

// isNested reports whether a parameter of the registry is a field of another.
func isNested(name string) bool { return strings.Contains(name, ".") }

// encodeParams makes the request's JSON of NAME=VALUE arguments, in their order; nil if
// there are none. A GET makes its query of it.
func encodeParams(e *endpoints.Endpoint, args []string) (json.RawMessage, error) {
	seen := make(map[string]bool)
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
		text, err := encodeParam(e, p, value)
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
func encodeParam(e *endpoints.Endpoint, p *endpoints.Param, value string) (string, error) {
	element, list := strings.CutPrefix(p.Type, "[]")
	if value == "null" && p.Type != "string" {
		return value, nil // absent; a query leaves it out
	}
	if !list && p.Type != "object" {
		return encodeScalar(p, p.Type, value)
	}
	if list && element != "object" && !strings.HasPrefix(value, "[") {
		// As people write lists.
		parts := strings.Split(value, ",")
		for i, part := range parts {
			text, err := encodeScalar(p, element, part)
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
	if err := checkJSON(e, p.Name, p.Type, p.Values, []byte(value)); err != nil {
		return "", err
	}
	if e.Method != http.MethodGet {
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
func encodeScalar(p *endpoints.Param, kind, value string) (string, error) {
	base, form, _ := strings.Cut(kind, " ")
	if base == "ms" || base == "s" {
		if t, err := parseMoment(p.Name, value, time.Time{}); err == nil && !allDigits(value) && !strings.HasPrefix(value, "+") {
			unix := t.UnixMilli()
			if base == "s" {
				unix = t.Unix()
			}
			value = strconv.FormatInt(unix, 10)
		}
	}
	if value == "" && !isPlain(base, form) {
		return quoted(""), nil // absent, as the API has it
	}
	if err := checkScalar(p.Name, base, p.Values, value); err != nil {
		return "", err
	}
	if isPlain(base, form) {
		return value, nil
	}
	return quoted(value), nil
}

// isPlain reports whether JSON has a type without quotes.
func isPlain(base, form string) bool {
	return form == "number" || (base == "int" || base == "bool") && form != "string"
}

// checkScalar checks the plain text of a value.
func checkScalar(name, base string, known []string, value string) error {
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
		if value != "true" && value != "false" {
			return usageError("call: %s=%s: write true or false", name, value)
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
		// There may be values that are not known yet. One that differs from a known one in
		// capitals is none of them.
		if !slices.Contains(known, value) {
			for _, k := range known {
				if strings.EqualFold(k, value) {
					return usageError("call: %s=%s: no such value; meant %s?", name, value, k)
				}
			}
		}
	}
	return nil
}

func allDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// checkJSON checks a value that was given as JSON, and what is inside it.
func checkJSON(e *endpoints.Endpoint, name, kind string, known []string, value []byte) error {
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
			if err := checkJSON(e, name+"[]", element, known, v); err != nil {
				return err
			}
		}
		return nil
	}
	if kind == "object" {
		return checkObject(e, name, value)
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
	return checkScalar(name, base, known, text)
}

// checkObject checks the fields of an object.
func checkObject(e *endpoints.Endpoint, name string, value []byte) error {
	var fields map[string]json.RawMessage
	if value[0] != '{' || json.Unmarshal(value, &fields) != nil {
		return usageError("call: %s is an object: write {...}", name)
	}
	rows := make(map[string]*endpoints.Param)
	var names []string
	for i := range e.Params {
		if field, ok := strings.CutPrefix(e.Params[i].Name, name+"."); ok && !isNested(field) {
			rows[field] = &e.Params[i]
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
		if err := checkJSON(e, row.Name, row.Type, row.Values, fields[field]); err != nil {
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
