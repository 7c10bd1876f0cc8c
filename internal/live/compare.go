package live

import (
	"bytes"
	"encoding/json"
	"slices"
)

// node is a JSON value that remembers the order of its keys.
type node struct {
	raw   []byte
	keys  []string // of an object
	items []node   // of an object or an array
	kind  byte     // '{', '[', or 's' for all else
}

// parse reads a value whose text is known to be JSON.
func parse(raw []byte) node {
	raw = bytes.TrimSpace(raw)
	n := node{raw: raw, kind: 's'}
	if len(raw) == 0 || raw[0] != '{' && raw[0] != '[' {
		return n
	}
	n.kind = raw[0]
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return n
	}
	for dec.More() {
		if n.kind == '{' {
			key, err := dec.Token()
			name, ok := key.(string)
			if err != nil || !ok {
				return n
			}
			n.keys = append(n.keys, name)
		}
		var item json.RawMessage
		if dec.Decode(&item) != nil {
			n.keys = n.keys[:min(len(n.keys), len(n.items))]
			return n
		}
		n.items = append(n.items, parse(item))
	}
	return n
}

// differences compares a frame with what we would have written. There is at
// least one, since the two are not equal.
func differences(frame, ours []byte) []Deviation {
	var found []Deviation
	compare("", parse(frame), parse(ours), &found)
	if len(found) == 0 {
		found = append(found, Deviation{Kind: Value, Want: cut(string(ours), 300), Got: "the same values in other text: white space, escapes or digits"})
	}
	return found
}

// compare walks over two values at the same place.
func compare(path string, got, want node, found *[]Deviation) {
	switch {
	case got.kind != want.kind:
		*found = append(*found, Deviation{Kind: Value, Path: path, Want: cut(string(want.raw), 100), Got: cut(string(got.raw), 100)})
	case got.kind == 's':
		if !bytes.Equal(got.raw, want.raw) {
			*found = append(*found, Deviation{Kind: Value, Path: path, Want: cut(string(want.raw), 100), Got: cut(string(got.raw), 100)})
		}
	case got.kind == '[':
		compareLists(path, got, want, found)
	default:
		compareObjects(path, got, want, found)
	}
}

func compareLists(path string, got, want node, found *[]Deviation) {
	if len(got.items) != len(want.items) {
		*found = append(*found, Deviation{Kind: Value, Path: path + "[]", Want: cut(string(want.raw), 100), Got: cut(string(got.raw), 100)})
		return
	}
	for i := range got.items {
		compare(path+"[]", got.items[i], want.items[i], found)
	}
}

func compareObjects(path string, got, want node, found *[]Deviation) {
	under := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	var gotOrder, wantOrder []string // of the keys that both have
	for i, key := range got.keys {
		j := slices.Index(want.keys, key)
		if j < 0 {
			*found = append(*found, Deviation{Kind: UnknownField, Path: under(key), Got: cut(string(got.items[i].raw), 100)})
			continue
		}
		gotOrder = append(gotOrder, key)
		compare(under(key), got.items[i], want.items[j], found)
	}
	for j, key := range want.keys {
		if !slices.Contains(got.keys, key) {
			*found = append(*found, Deviation{Kind: AbsentField, Path: under(key), Want: cut(string(want.items[j].raw), 100)})
			continue
		}
		wantOrder = append(wantOrder, key)
	}
	// One pair says it, and stays the same where many subsets of the keys come.
	for i := range min(len(gotOrder), len(wantOrder)) {
		if a, b := gotOrder[i], wantOrder[i]; a != b {
			*found = append(*found, Deviation{Kind: KeyOrder, Path: path, Want: b + " before " + a, Got: a + " before " + b})
			return
		}
	}
}
