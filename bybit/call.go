package bybit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bywire/bywire/internal/wire"
)

// Call makes a request to any endpoint, whether this package has a method for it or
// not: method is http.MethodGet or http.MethodPost, path begins with a slash. It is
// signed if the endpoint wants that, and if it is unknown and the client has
// credentials. Each method of a service is one Call.
//
// What is sent are the params: nothing for nil; a params type of this module;
// url.Values; JSON as a json.RawMessage or []byte; a *[Body] of another kind; or whatever
// encoding/json makes an object of, such as a map or a struct. A GET sends the object's members
// as its query, in their order; a member that is null is left out, one that is an object or an
// array is an error, since there is no form for it. A member that is called cursor is sent as it
// came: the exchange hands cursors out escaped.
//
// The reply's result goes to result: nowhere for nil; a result type of this module;
// *json.RawMessage; *[Reply] for all of the reply; or whatever encoding/json can
// fill. A reply without a result leaves it as it is, if its documentation has none. What
// became of each order of a batch is told by the batch's own result type and by Reply.Items
// only.
//
// ctx bounds it all, waits for limits and repetitions included. The error is an
// [*Error] if the exchange refused; an [*UnknownError] if the call changes something and
// may have done so, or has done so and the reply does not say what; a [*LimitError] if it
// was not sent because a limit is used up and Options.Limits or Options.WriteWait says not to
// wait, or because the address is banned; an [*UnsupportedError] if the environment has no REST;
// [ErrNoCredentials]; a [*DecodeError] if what came is no reply of V5; or the network's.
func (c *Client) Call(ctx context.Context, method, path string, params, result any) error {
	e := endpointOf(method, path)
	if _, err := c.opts.Environment.URL(AbilityREST); err != nil {
		return named(e, err)
	}
	req, err := newRequest(e, params)
	if err != nil {
		return named(e, err)
	}
	r, err := c.rest.call(ctx, req)
	if err != nil {
		return err
	}
	if e.result && (len(r.result) == 0 || string(r.result) == "{}") {
		return named(e, req.unread(r, errors.New("it was taken, but the reply has no result")))
	}
	if err := req.give(r, result); err != nil {
		return named(e, req.unread(r, err))
	}
	return nil
}

// request is a request before it is signed.
type request struct {
	*endpoint
	query []byte // as it stands behind the question mark
	body  []byte // of other methods than GET

	contentType string // of the body; "" for JSON

	noRepeat bool // although it changes nothing: who makes it repeats it by itself
	urgent   bool // it goes first, as a cancel does
}

// trace returns what the trace is told about a request.
func (r *request) trace(attempt int) TraceCall {
	return TraceCall{Method: r.method, Path: r.path, Attempt: attempt}
}

// Types of this module that encode and decode themselves.
type (
	queryAppender interface {
		AppendQuery(dst []byte) ([]byte, error)
	}
	jsonAppender interface{ AppendJSON(dst []byte) []byte }
	jsonDecoder  interface{ Decode(json []byte) error }
	replyDecoder interface{ DecodeReply(body []byte) error }
	batchDecoder interface {
		decodeBatch(sent *sentBatch, body []byte) error
	}
)

// Body is what a request sends in place of JSON, such as a form with a file. It is signed
// as it stands.
type Body struct {
	ContentType string // such as multipart/form-data; boundary=...
	Content     []byte
}

// newRequest encodes the params.
func newRequest(e *endpoint, params any) (*request, error) {
	if !strings.HasPrefix(e.path, "/") || strings.ContainsAny(e.path, "?#") {
		return nil, fmt.Errorf("a path begins with a slash and has no query, got %q", e.path)
	}
	if v := reflect.ValueOf(params); v.Kind() == reflect.Pointer && v.IsNil() {
		params = nil
	}
	r := &request{endpoint: e}
	var err error
	body, other := params.(*Body)
	switch {
	case other && (e.method != http.MethodPost || e.query || body.ContentType == ""):
		err = errors.New("params: a Body is for a POST, and has a content type")
	case other:
		r.body, r.contentType = body.Content, body.ContentType
	case e.method == http.MethodGet || e.query:
		r.query, err = encodeQuery(params)
	case e.method == http.MethodPost:
		r.body, err = encodeBody(params)
	default:
		err = errors.New("the API knows the methods GET and POST")
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// encodeBody makes the JSON of a request. One without params is an empty object.
func encodeBody(params any) ([]byte, error) {
	var text []byte
	switch p := params.(type) {
	case nil:
		return []byte("{}"), nil
	case jsonAppender:
		if m, ok := params.(json.Marshaler); ok {
			text, err := m.MarshalJSON()
			return text, inParams(err)
		}
		return p.AppendJSON(nil), nil
	case json.RawMessage:
		text = p
	case []byte:
		text = p
	case url.Values:
		members := make(map[string]string, len(p))
		for name, values := range p {
			if len(values) != 1 {
				return nil, fmt.Errorf("params: %q has %d values", name, len(values))
			}
			members[name] = values[0]
		}
		return marshal(members)
	default:
		return marshal(p)
	}
	if !json.Valid(text) || !utf8.Valid(text) {
		return nil, errors.New("params: not JSON")
	}
	return text, nil
}

// inParams says where an error is.
func inParams(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("params: %w", err)
}

// marshal is json.Marshal without the escapes for HTML, which would only make what
// is sent differ from what is meant.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("params: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// encodeQuery makes the query of a request.
func encodeQuery(params any) ([]byte, error) {
	switch p := params.(type) {
	case nil:
		return nil, nil
	case queryAppender:
		query, err := p.AppendQuery(nil)
		return query, inParams(err)
	case url.Values:
		var query []byte
		for _, name := range slices.Sorted(maps.Keys(p)) {
			for _, value := range p[name] {
				query = appendMember(query, name, value)
			}
		}
		return query, nil
	}
	text, err := encodeBody(params)
	if err != nil {
		return nil, err
	}
	var query []byte
	c := wire.NewCursor(text)
	var o wire.Object
	for c.NextKey(&o) {
		name := string(o.Key)
		value, null, err := queryValue(&c, &o, text)
		if err != nil {
			return nil, fmt.Errorf("params: %q is %w", name, err)
		}
		if null {
			continue
		}
		query = appendMember(query, name, value)
	}
	c.End()
	if err := c.Err(); err != nil {
		return nil, fmt.Errorf("params: %w", err)
	}
	return query, nil
}

// appendMember appends a name and its value. A cursor comes ready for a URL, and goes back so.
func appendMember(query []byte, name, value string) []byte {
	if len(query) > 0 {
		query = append(query, '&')
	}
	query = append(append(query, escape(name)...), '=')
	if name == "cursor" {
		return wire.AppendToken(query, value)
	}
	return append(query, escape(value)...)
}

// queryValue reads a member's value as it stands in a query.
func queryValue(c *wire.Cursor, o *wire.Object, text []byte) (value string, null bool, err error) {
	raw := skipped(c, o, text)
	if c.Err() != nil || len(raw) == 0 {
		return "", true, nil
	}
	switch raw[0] {
	case '{', '[':
		return "", false, errors.New("an object or an array, which a query has no form for")
	case '"':
		s := wire.NewCursor(raw)
		return string(s.Text()), false, nil
	}
	return string(raw), false, nil
}

// escape is url.QueryEscape with %20 for a space, which means the same in every part of a
// URL.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// give gives the result to whoever called.
func (r *request) give(rep *reply, result any) error {
	sent := sentBatch{endpoint: r.endpoint, at: rep.sentAt}
	if r.batch {
		_, sent.orders = r.refs()
	}
	switch p := result.(type) {
	case nil:
		return nil
	case *Reply:
		*p = Reply{Result: rep.result, ExtInfo: rep.ext, Message: rep.message, Time: rep.time, Body: rep.body}
		if !r.batch {
			return nil
		}
		var err error
		p.Items, err = sent.verdicts(rep.body)
		return err
	case batchDecoder:
		return p.decodeBatch(&sent, rep.body)
	case replyDecoder:
		return p.DecodeReply(rep.body)
	}
	if len(rep.result) == 0 {
		return nil
	}
	switch p := result.(type) {
	case *json.RawMessage:
		*p = rep.result
		return nil
	case jsonDecoder:
		return p.Decode(rep.result)
	}
	if err := json.Unmarshal(rep.result, result); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	return nil
}
