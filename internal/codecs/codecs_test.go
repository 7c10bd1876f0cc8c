package codecs_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/bywire/bywire/internal/codecs"
)

// TestEmptyTypesSurvive encodes the zero value of every type, which is JSON that decodes to
// the same again.
func TestEmptyTypesSurvive(t *testing.T) {
	for _, e := range codecs.All() {
		for _, empty := range []func() codecs.Codec{e.Params, e.Result} {
			if empty == nil {
				continue
			}
			v := empty()
			if err := v.Decode([]byte(`{}`)); err != nil {
				if err := v.Decode([]byte(`[]`)); err != nil {
					t.Errorf("%s %s: %T decodes neither {} nor []: %v", e.Method, e.Path, v, err)
				}
			}
			once := v.AppendJSON(nil)
			if !json.Valid(once) {
				t.Errorf("%s %s: %T encodes as %s", e.Method, e.Path, v, once)
			}
			again := empty()
			if err := again.Decode(once); err != nil {
				t.Errorf("%s %s: %T does not decode %s: %v", e.Method, e.Path, v, once, err)
			}
			if twice := again.AppendJSON(nil); !bytes.Equal(once, twice) {
				t.Errorf("%s %s: %T encodes as %s, then as %s", e.Method, e.Path, v, once, twice)
			}
		}
	}
}

// TestQueriesAreOfReads: what a GET takes stands in a query.
func TestQueriesAreOfReads(t *testing.T) {
	seen := make(map[string]bool)
	for _, e := range codecs.All() {
		if seen[e.Method+e.Path] {
			t.Errorf("%s %s stands twice", e.Method, e.Path)
		}
		seen[e.Method+e.Path] = true
		if e.Params == nil || e.Method != http.MethodGet {
			continue
		}
		if _, ok := e.Params().(codecs.Query); !ok {
			t.Errorf("%s: %T has no AppendQuery", e.Path, e.Params())
		}
	}
	if len(seen) == 0 {
		t.Error("no endpoint")
	}
}

// FuzzCodecs: what a type decodes is JSON and encodes to what decodes to the same.
func FuzzCodecs(f *testing.F) {
	all := codecs.All()
	f.Add(uint16(0), false, []byte(`{"list":[{"symbol":"BTCUSDT"}],"nextPageCursor":""}`))
	f.Add(uint16(9), true, []byte(`{"category":"linear","limit":"1"}`))
	for i, e := range all {
		if e.Result != nil {
			f.Add(uint16(i), false, e.Result().AppendJSON(nil))
		}
		if e.Params != nil {
			f.Add(uint16(i), true, e.Params().AppendJSON(nil))
		}
	}
	f.Fuzz(func(t *testing.T, n uint16, params bool, in []byte) {
		e := all[int(n)%len(all)]
		empty := e.Result
		if params {
			empty = e.Params
		}
		if empty == nil {
			return
		}
		v := empty()
		if v.Decode(in) != nil {
			return
		}
		if !json.Valid(in) {
			t.Fatalf("%T decodes what is no JSON: %q", v, in)
		}
		once := v.AppendJSON(nil)
		again := empty()
		if err := again.Decode(once); err != nil {
			t.Fatalf("%T does not decode what it encodes: %v in %q", v, err, once)
		}
		if twice := again.AppendJSON(nil); !bytes.Equal(once, twice) {
			t.Fatalf("%T encodes as\n%s, then as\n%s", v, once, twice)
		}
	})
}
