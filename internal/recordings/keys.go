package recordings

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// Keys returns the keys of each object in a JSON text, in their order, by its path, such as "result.list[]"; of
// objects in an array those of the first. Of an array in an array, which is a tuple, it has the length.
func Keys(tb testing.TB, text []byte) map[string][]string {
	tb.Helper()
	keys := make(map[string][]string)
	d := json.NewDecoder(bytes.NewReader(text))
	next := func() json.Token {
		token, err := d.Token()
		if err != nil {
			tb.Fatalf("%v in %s", err, text)
		}
		return token
	}
	var walk func(path string)
	walk = func(path string) {
		switch next() {
		case json.Delim('{'):
			var list []string
			for d.More() {
				key, ok := next().(string)
				if !ok {
					tb.Fatalf("a key that is no string in %s", text)
				}
				list = append(list, key)
				if path != "" {
					key = path + "." + key
				}
				walk(key)
			}
			next()
			if _, has := keys[path]; !has {
				keys[path] = list
			}
		case json.Delim('['):
			n := 0
			for ; d.More(); n++ {
				walk(path + "[]")
			}
			next()
			if _, has := keys[path]; !has && strings.HasSuffix(path, "[]") {
				keys[path] = []string{strconv.Itoa(n)}
			}
		}
	}
	walk("")
	return keys
}
