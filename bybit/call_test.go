package bybit_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

// ownParams encodes itself, as the params of this module do.
type ownParams struct{ symbol string }

func (p *ownParams) AppendQuery(dst []byte) ([]byte, error) {
	return append(dst, "symbol="+p.symbol...), nil
}
func (p *ownParams) AppendJSON(dst []byte) []byte {
	return append(dst, `{"symbol":"`+p.symbol+`"}`...)
}

func TestCallSendsParams(t *testing.T) {
	type tagged struct {
		Symbol string            `json:"symbol"`
		Limit  bybit.Opt[int]    `json:"limit,omitzero"`
		Note   bybit.Opt[string] `json:"note,omitzero"`
	}
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		c := v.client(nil)
		for _, x := range []struct {
			name   string
			params any
			get    string
			post   string
		}{
			{"nothing", nil, "GET /v5/x", "POST /v5/x {}"},
			{"a nil pointer", (*ownParams)(nil), "GET /v5/x", "POST /v5/x {}"},
			{"a type of its own", &ownParams{"X"}, "GET /v5/x?symbol=X", `POST /v5/x {"symbol":"X"}`},
			{"url.Values", url.Values{"b": {"x y"}, "a": {"1,2"}}, "GET /v5/x?a=1%2C2&b=x%20y", `POST /v5/x {"a":"1,2","b":"x y"}`},
			{"a map", map[string]any{"a": 1.5, "b": true, "c": "<&>", "d": nil}, "GET /v5/x?a=1.5&b=true&c=%3C%26%3E", `POST /v5/x {"a":1.5,"b":true,"c":"<&>","d":null}`},
			{"a struct", tagged{Symbol: "é", Limit: bybit.Some(0)}, "GET /v5/x?symbol=%C3%A9&limit=0", `POST /v5/x {"symbol":"é","limit":0}`},
			{"JSON as it is", json.RawMessage(`{ "b" : 1, "a":"\u0041" }`), "GET /v5/x?b=1&a=A", `POST /v5/x { "b" : 1, "a":"\u0041" }`},
		} {
			for method, want := range map[string]string{http.MethodGet: x.get, http.MethodPost: x.post} {
				if err := c.Call(t.Context(), method, "/v5/x", x.params, nil); err != nil {
					t.Errorf("%s of %s: %v", method, x.name, err)
				}
				v.wantAsked(want)
			}
		}
	})
}

func TestCallRefusesLocally(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		c := v.client(nil)
		for _, x := range []struct {
			method, path string
			params       any
			want         string
		}{
			{"GET", "/v5/x", map[string]any{"a": []int{1}}, `GET /v5/x: params: "a" is an object or an array, which a query has no form for`},
			{"GET", "/v5/x", []byte(`[1]`), "GET /v5/x: params: an object expected at offset 0"},
			{"POST", "/v5/x", []byte(`{"a":`), "POST /v5/x: params: not JSON"},
			{"POST", "/v5/x", url.Values{"a": {"1", "2"}}, `POST /v5/x: params: "a" has 2 values`},
			{"POST", "/v5/x", map[string]any{"a": math.Inf(1)}, "POST /v5/x: params: json: unsupported value: +Inf"},
			{"PUT", "/v5/x", nil, "PUT /v5/x: the API knows the methods GET and POST"},
			{"GET", "v5/x", nil, `GET v5/x: a path begins with a slash and has no query, got "v5/x"`},
			{"GET", "/v5/x?a=1", nil, `GET /v5/x?a=1: a path begins with a slash and has no query, got "/v5/x?a=1"`},
		} {
			if err := c.Call(t.Context(), x.method, x.path, x.params, nil); err == nil || err.Error() != x.want {
				t.Errorf("the error is %v\nwant %s", err, x.want)
			}
		}
		v.wantAsked()
	})
}

// ownResult decodes a result itself, wholeResult a whole reply.
type (
	ownResult   struct{ text string }
	wholeResult struct{ text string }
)

func (r *ownResult) Decode(text []byte) error        { r.text = string(text); return nil }
func (r *wholeResult) DecodeReply(text []byte) error { r.text = string(text); return nil }

func TestCallFillsResults(t *testing.T) {
	const body = `{"retCode":0,"retMsg":"OK","result":{"a":1},"retExtInfo":{"list":[]},"time":1700000000123}`
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		v.replies(body)
		c := v.client(nil)
		get := func(result any) {
			t.Helper()
			if err := c.Call(t.Context(), http.MethodGet, "/v5/x", nil, result); err != nil {
				t.Error(err)
			}
		}
		var own ownResult
		var whole wholeResult
		var raw json.RawMessage
		var parsed struct{ A int }
		var reply bybit.Reply
		for _, result := range []any{nil, &own, &whole, &raw, &parsed, &reply} {
			get(result)
		}
		if own.text != `{"a":1}` || whole.text != body || string(raw) != `{"a":1}` || parsed.A != 1 {
			t.Errorf("results %q, %q, %q, %+v", own.text, whole.text, raw, parsed)
		}
		want := time.UnixMilli(1700000000123).UTC()
		if string(reply.Result) != `{"a":1}` || string(reply.ExtInfo) != `{"list":[]}` || reply.Message != "OK" || reply.Time != want || string(reply.Body) != body {
			t.Errorf("reply %+v", reply)
		}
		for _, none := range []string{`{"retCode":0}`, `{"retCode":0,"result":null}`} {
			v.replies(none)
			get(&own)
			get(&parsed)
		}
		if own.text != `{"a":1}` || parsed.A != 1 {
			t.Errorf("a reply without a result leaves %q, %+v", own.text, parsed)
		}
		v.replies(`{"retCode":0,"result":{"a":"x"}}`)
		err := c.Call(t.Context(), http.MethodGet, "/v5/x", nil, &parsed)
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok {
			t.Errorf("a result of another type gives %v", err)
		}
	})
}
