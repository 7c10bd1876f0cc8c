//go:build recordings

package codecs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/codecs"
	"github.com/bywire/bywire/internal/endpoints"
	"github.com/bywire/bywire/internal/recordings"
)

// documented is one page of the documentation about an endpoint.
type documented struct {
	Group, Method, Path, Doc string
	ResponseRoot             string            `json:"response_root"`
	Envelope                 string            `json:"envelope"`
	Params, Response         []json.RawMessage // rows
	Request                  json.RawMessage   `json:"example_request"`
	Requests                 []struct{ Value json.RawMessage }
	MoreRequests             []struct{ Value json.RawMessage } `json:"example_requests"`
	Reply                    json.RawMessage                   `json:"example_response"`
	MoreReplies              []json.RawMessage                 `json:"example_responses"`
}

// op names the endpoint.
func (d *documented) op() string { return d.Method + " " + d.Path }

// requests returns the different examples of requests.
func (d *documented) requests() []json.RawMessage {
	all := []json.RawMessage{d.Request}
	for _, m := range d.MoreRequests {
		all = append(all, m.Value)
	}
	return different(all)
}

// replies returns the different examples of replies.
func (d *documented) replies() []json.RawMessage {
	all := []json.RawMessage{d.Reply}
	for _, m := range d.MoreReplies {
		var labelled struct {
			Label string
			Value json.RawMessage
		}
		if json.Unmarshal(m, &labelled) == nil && labelled.Value != nil {
			m = labelled.Value
		}
		all = append(all, m)
	}
	return different(all)
}

func different(all []json.RawMessage) []json.RawMessage {
	var found []json.RawMessage
	seen := make(map[string]bool)
	for _, m := range all {
		if len(m) > 0 && string(m) != "null" && !seen[string(m)] {
			seen[string(m)] = true
			found = append(found, m)
		}
	}
	return found
}

func readDocumentation(t *testing.T) []documented {
	t.Helper()
	text, err := os.ReadFile(recordings.Path(t, "spec/rest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Endpoints []documented }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Endpoints
}

func byOp() map[string]codecs.Endpoint {
	m := make(map[string]codecs.Endpoint)
	for _, e := range codecs.All() {
		m[e.Method+" "+e.Path] = e
	}
	return m
}

// TestEveryDocumentedEndpointHasAMethod also makes the coverage table of the README.
func TestEveryDocumentedEndpointHasAMethod(t *testing.T) {
	ours := byOp()
	type count struct {
		folders, ops   map[string]bool
		rows, examples int
	}
	parts := make(map[string]*count)
	documentedOps := make(map[string]bool)
	for _, d := range readDocumentation(t) {
		documentedOps[d.op()] = true
		if _, ok := ours[d.op()]; !ok {
			t.Errorf("%s (%s): no method", d.op(), d.Doc)
			continue
		}
		name := partOf(t, &d)
		if parts[name] == nil {
			parts[name] = &count{folders: make(map[string]bool), ops: make(map[string]bool)}
		}
		folder, _, _ := strings.Cut(d.Group, "/")
		p := parts[name]
		p.folders[folder] = true
		p.ops[d.op()] = true
		p.rows += len(d.Params) + len(d.Response)
		p.examples += len(d.requests()) + len(d.replies())
	}
	for op := range ours {
		if !documentedOps[op] {
			t.Errorf("%s has a method, but no page", op)
		}
	}
	var order []string // the client's services as it has them, then the packages
	for field := range reflect.TypeFor[bybit.Client]().Fields() {
		if parts["Client."+field.Name] != nil {
			order = append(order, "Client."+field.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	var table strings.Builder
	table.WriteString("| in Go | in the documentation | methods | documented fields | documented examples |\n|---|---|---|---|---|\n")
	methods, rows, examples := 0, 0, 0
	for _, name := range order {
		p := parts[name]
		fmt.Fprintf(&table, "| `%s` | %s | %d | %d | %d |\n", name, strings.Join(slices.Sorted(maps.Keys(p.folders)), ", "), len(p.ops), p.rows, p.examples)
		methods, rows, examples = methods+len(p.ops), rows+p.rows, examples+p.examples
	}
	fmt.Fprintf(&table, "| all | | %d | %d | %d |\n", methods, rows, examples)
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), table.String()) {
		t.Errorf("README.md does not have this table of what is covered:\n%s", &table)
	}
}

// partOf names the service or the package that has the method for a page: "Client.Market", "earn".
func partOf(t *testing.T, d *documented) string {
	t.Helper()
	e, ok := endpoints.Find(d.Method, d.Path)
	if !ok {
		t.Fatalf("%s: not in the list of endpoints", d.op())
	}
	name := strings.TrimPrefix(e.Go[:strings.LastIndex(e.Go, ".")], "bybit.")
	return strings.TrimSuffix(name, ".Service")
}

// TestDocumentedRequestsAreReproduced decodes each documented request and encodes it
// again: the same bytes.
func TestDocumentedRequestsAreReproduced(t *testing.T) {
	ours := byOp()
	used := make(map[string]bool)
	for _, d := range readDocumentation(t) {
		e, ok := ours[d.op()]
		if !ok {
			continue
		}
		for _, example := range d.requests() {
			want, got, err := reproduce(&d, e, example)
			if err == nil && want == got {
				continue
			}
			if requestExceptions[d.op()] != "" {
				used[d.op()] = true
				continue
			}
			t.Errorf("%s: %v\nwant %s\ngot  %s", d.op(), err, want, got)
		}
	}
	for op := range requestExceptions {
		if !used[op] {
			t.Errorf("%s is no exception any more", op)
		}
	}
}

func reproduce(d *documented, e codecs.Endpoint, example json.RawMessage) (want, got string, err error) {
	var query string
	isQuery := json.Unmarshal(example, &query) == nil
	if !isQuery {
		var b bytes.Buffer
		if err := json.Compact(&b, example); err != nil {
			return "", "", err
		}
		query = b.String()
	}
	if e.Params == nil {
		if query == "" || query == "{}" {
			return "", "", nil
		}
		return query, "", fmt.Errorf("takes no parameters")
	}
	p := e.Params()
	if !isQuery {
		err := p.Decode([]byte(query))
		return query, string(p.AppendJSON(nil)), err
	}
	query = strings.TrimPrefix(query, "?")
	q, ok := p.(codecs.Query)
	if !ok {
		return query, "", fmt.Errorf("a query, but the method takes a body")
	}
	if err := q.DecodeQuery(query); err != nil {
		return query, "", err
	}
	again, err := q.AppendQuery(nil)
	return query, string(again), err
}

// TestDocumentedRepliesSurvive decodes each documented reply and encodes it again: the
// same values. What the example lacks is written as absent.
func TestDocumentedRepliesSurvive(t *testing.T) {
	ours := byOp()
	used := make(map[string]bool)
	for _, d := range readDocumentation(t) {
		e, ok := ours[d.op()]
		if !ok {
			continue
		}
		for _, example := range d.replies() {
			for _, diff := range survive(e, example) {
				if path, _, _ := strings.Cut(diff, ": "); replyExceptions[d.op()+" "+withoutIndexes(path)] != "" {
					used[d.op()+" "+withoutIndexes(path)] = true
					continue
				}
				t.Errorf("%s %s", d.op(), diff)
			}
		}
	}
	known := readQuirks(t)
	for op := range replyExceptions {
		if !used[op] {
			t.Errorf("%s is no exception any more", op)
		}
		if !known[op] {
			t.Errorf("%s is not among the documentation's quirks", op)
		}
	}
}

// readQuirks returns the fields of replies in which the documentation contradicts itself.
func readQuirks(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(recordings.Path(t, "spec/quirks.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		REST []struct {
			Method, Path    string
			Type, Container map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, q := range file.REST {
		for _, fields := range []map[string]json.RawMessage{q.Type, q.Container} {
			for field := range fields {
				known[q.Method+" "+q.Path+" "+field] = true
			}
		}
	}
	return known
}

// withoutIndexes is a path as the table of exceptions has it: list[].price.
func withoutIndexes(path string) string {
	var b strings.Builder
	inside := false
	for _, r := range path {
		switch {
		case r == '[':
			inside = true
			b.WriteString("[]")
		case r == ']':
			inside = false
		case !inside:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func survive(e codecs.Endpoint, reply json.RawMessage) []string {
	body := reply
	if !e.Whole {
		var envelope struct{ Result json.RawMessage }
		if err := json.Unmarshal(reply, &envelope); err != nil {
			return []string{": " + err.Error()}
		}
		body = envelope.Result
	}
	if e.Result == nil {
		if s := strings.TrimSpace(string(body)); s != "" && s != "{}" && s != "null" && s != `""` && s != "[]" {
			return []string{"result: the method returns none, the example has " + s}
		}
		return nil
	}
	r := e.Result()
	if len(body) == 0 || string(body) == "null" {
		return nil
	}
	if err := r.Decode(body); err != nil {
		return []string{err.Error()}
	}
	again := r.AppendJSON(nil)
	var want, got any
	for _, p := range []struct {
		text []byte
		into *any
	}{{body, &want}, {again, &got}} {
		d := json.NewDecoder(bytes.NewReader(p.text))
		d.UseNumber()
		if err := d.Decode(p.into); err != nil {
			return []string{": " + err.Error() + " in " + string(p.text)}
		}
	}
	if w, ok := want.(map[string]any); ok && e.Whole {
		for _, key := range []string{"retCode", "retMsg", "retExtInfo", "time"} {
			if _, has := got.(map[string]any)[key]; !has {
				delete(w, key)
			}
		}
	}
	return compare("", want, got)
}

// compare returns where got differs from want.
func compare(path string, want, got any) []string {
	differ := func() []string { return []string{fmt.Sprintf("%s: want %v, got %v", path, show(want), show(got))} }
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return differ()
		}
		var diffs []string
		for _, key := range slices.Sorted(maps.Keys(w)) {
			v, has := g[key]
			if !has {
				diffs = append(diffs, fmt.Sprintf("%s: want %v, got nothing", join(path, key), show(w[key])))
				continue
			}
			diffs = append(diffs, compare(join(path, key), w[key], v)...)
		}
		for _, key := range slices.Sorted(maps.Keys(g)) {
			if _, has := w[key]; !has && !absent(g[key]) {
				diffs = append(diffs, fmt.Sprintf("%s: want nothing, got %v", join(path, key), show(g[key])))
			}
		}
		return diffs
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return differ()
		}
		var diffs []string
		for i := range w {
			diffs = append(diffs, compare(fmt.Sprintf("%s[%d]", path, i), w[i], g[i])...)
		}
		return diffs
	case json.Number:
		g, ok := got.(json.Number)
		if !ok {
			return differ()
		}
		a, errA := decimal.Parse(w.String())
		b, errB := decimal.Parse(g.String())
		if w != g && (errA != nil || errB != nil || !a.Equal(b)) {
			return differ()
		}
		return nil
	}
	if want != got {
		return differ()
	}
	return nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text[:min(len(text), 200)])
}

// absent reports whether a value says nothing.
func absent(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == "" || v == "0" || v == "false"
	case bool:
		return !v
	case json.Number:
		return v == "0"
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, x := range v {
			if !absent(x) {
				return false
			}
		}
		return true
	}
	return false
}
