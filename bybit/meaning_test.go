package bybit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// meaningDiff decodes two frames with encoding/json and says where they differ
// in meaning; "" if they do not. A number means the same with and without
// quotes, and what is null, "", 0, false or an empty list means the same as
// what is absent. A type that the frame leaves out is filled in when it is
// encoded.
func meaningDiff(got, want []byte) string {
	g, err := decodeAny(got)
	if err != nil {
		return fmt.Sprintf("encoded frame %s: %v", got, err)
	}
	w, err := decodeAny(want)
	if err != nil {
		return fmt.Sprintf("frame %s: %v", want, err)
	}
	if to, ok := g.(map[string]any); ok {
		if from, ok := w.(map[string]any); ok && isNothing(from["type"]) {
			delete(to, "type")
		}
	}
	return diffAny("", g, w)
}

func decodeAny(frame []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(frame))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func diffAny(path string, got, want any) string {
	if isNothing(got) && isNothing(want) {
		return ""
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: %v, want an object", path, got)
		}
		for key := range w {
			if diff := diffAny(path+"."+key, g[key], w[key]); diff != "" {
				return diff
			}
		}
		for key := range g {
			if _, ok := w[key]; !ok && !isNothing(g[key]) {
				return fmt.Sprintf("%s.%s: %v, want nothing", path, key, g[key])
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s: %v, want %v", path, got, want)
		}
		for i := range w {
			if diff := diffAny(fmt.Sprintf("%s[%d]", path, i), g[i], w[i]); diff != "" {
				return diff
			}
		}
		return ""
	}
	if a, b := fmt.Sprint(got), fmt.Sprint(want); a != b && !sameNumber(a, b) && !sameTime(a, b) {
		return fmt.Sprintf("%s: %v, want %v", path, got, want)
	}
	return ""
}

// isNothing reports whether a value counts as absent.
func isNothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case map[string]any:
		for key := range v {
			if !isNothing(v[key]) {
				return false
			}
		}
		return true
	case string:
		return v == "" || sameNumber(v, "0") || strings.HasPrefix(v, "0001-01-01T00:00:00")
	case json.Number:
		return sameNumber(string(v), "0")
	}
	return false
}

// sameNumber compares the numbers that two texts spell.
func sameNumber(a, b string) bool {
	if len(a) > 100 || len(b) > 100 || hugeExponent(a) || hugeExponent(b) {
		return false
	}
	x, ok := new(big.Rat).SetString(a)
	if !ok {
		return false
	}
	y, ok := new(big.Rat).SetString(b)
	return ok && x.Cmp(y) == 0
}

// hugeExponent keeps big.Rat from numbers like 1e999999999.
func hugeExponent(s string) bool {
	i := strings.IndexAny(s, "eEpP")
	return i >= 0 && len(s)-i > 5
}

// sameTime compares deliveryTime, which has two spellings.
func sameTime(a, b string) bool {
	return canonicalTime(a) != "" && canonicalTime(a) == canonicalTime(b)
}

func canonicalTime(s string) string {
	t, ok := parseTime([]byte(s))
	if !ok {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}
