package bybit

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/bywire/bywire/book"
)

func TestRESTReplies(t *testing.T) {
	const op = "GET /v5/x"
	e := &endpoint{method: "GET", path: "/v5/x"}
	for _, c := range []struct {
		name   string
		status int
		body   string
		result string
		err    string // "" is none
	}{
		{"success", 200, `{"retCode":0,"retMsg":"OK","result":{"a":[1]},"retExtInfo":{},"time":1}`, `{"a":[1]}`, ""},
		{"keys in another order, with white space", 200, "{ \"time\":1 ,\"result\" : [ 1 ] ,\n\"retCode\":0}", `[ 1 ]`, ""},
		{"a code in quotes", 200, `{"retCode":"0","result":"x"}`, `"x"`, ""},
		{"no result", 200, `{"retCode":0,"retMsg":""}`, ``, ""},
		{"no message that is one", 200, `{"retCode":0,"retMsg":{"a":1},"result":1,"time":"x"}`, `1`, ""},
		{"null for what is none", 200, `{"retCode":0,"retMsg":null,"result":null,"retExtInfo":null,"time":null}`, ``, ""},
		{"fields of tomorrow", 200, `{"retCode":0,"new":[{"a":{}}],"result":{"b":null},"newer":1.5e3}`, `{"b":null}`, ""},
		{"an array", 200, `{"retCode":0,"result":[{"a":1}]}`, `[{"a":1}]`, ""},
		{"the older envelope", 200, `{"ret_code":0,"ret_msg":"SUCCESS","result":{},"ext_code":"","ext_info":null,"time_now":"1683616205.123"}`, `{}`, ""},
		{"a refusal in the older envelope", 200, `{"ret_code":912000007,"ret_msg":"no","result":null,"ext_code":"","ext_info":{},"time_now":"1683616205"}`, ``, "GET /v5/x: no (912000007)"},
		{"both envelopes", 200, `{"retCode":0,"ret_code":0,"time":1,"time_now":"1"}`, ``, ""},
		{"a refusal", 200, `{"retCode":10006,"retMsg":"Too many visits.","result":{}}`, ``, "GET /v5/x: Too many visits. (10006)"},
		{"a refusal with a status", 403, `{"retCode":10006,"retMsg":"Too many visits."}`, ``, "GET /v5/x: Too many visits. (10006)"},
		{"a status alone", 502, "", ``, "GET /v5/x: HTTP 502 Bad Gateway"},
		{"a page", 403, "<html>\n  <b>access   too frequent</b>", ``, "GET /v5/x: HTTP 403: <html> <b>access too frequent</b>"},
		{"a long page", 404, strings.Repeat("é", 500), ``, "GET /v5/x: HTTP 404: " + strings.Repeat("é", 60) + "..."},
		{"a redirect", 302, "", ``, "GET /v5/x: HTTP 302 Found"},
		{"success of another status", 500, `{"retCode":0,"retMsg":"OK","result":{}}`, ``, "GET /v5/x: HTTP 500: OK"},
		{"no envelope", 200, `{"result":{}}`, ``, `decode message: no retCode in the reply at offset 0: "{\"result\":{}}"`},
		{"no JSON", 200, `hello`, ``, `decode message: an object expected at offset 0: "hello"`},
		{"nothing", 200, ``, ``, `decode message: the message ends early: an object expected at offset 0: ""`},
		{"a code that is no number", 200, `{"retCode":"OK"}`, ``, `decode message: retCode is no number at offset 11: "\"OK\"}"`},
		{"two results", 200, `{"retCode":0,"result":1,"result":2}`, ``, `decode message: the key "result" stands twice at offset 24: "\"result\":2}"`},
		{"more than one reply", 200, `{"retCode":0}{}`, ``, `decode message: more bytes after the message at offset 13: "{}"`},
	} {
		r, err := parseReply(e, c.status, http.Header{"Traceid": {"t-1"}}, []byte(c.body))
		if r == nil {
			r = &reply{}
		}
		if got := errorText(err); got != c.err || string(r.result) != c.result {
			t.Errorf("%s: result %q, error %q\nwant %q, %q", c.name, r.result, got, c.result, c.err)
		}
		if refused, ok := errors.AsType[*Error](err); ok && (refused.TraceID != "t-1" || refused.Op != op || refused.Status != c.status) {
			t.Errorf("%s: %+v, want the trace id, the operation and the status", c.name, refused)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// The transport takes the caller's certificate authorities, understands gzip, and
// bounds what comes out of it.
func TestRESTTransport(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "gzip" {
			t.Errorf("Accept-Encoding is %q, want gzip", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		if r.URL.Path == "/v5/bomb" {
			for zeros := make([]byte, 1<<20); ; {
				if _, err := z.Write(zeros); err != nil {
					return
				}
			}
		}
		fmt.Fprintf(z, `{"retCode":0,"result":"%s"}`, r.URL.RawQuery)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the client that does not trust it
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	ask := func(ctx context.Context, tlsConfig *tls.Config, path string) (string, error) {
		opts := (&Options{Environment: CustomEnvironment("", server.URL+"/"), TLS: tlsConfig, Retries: -1}).withDefaults()
		r, err := newREST(&opts, nil)
		if err != nil {
			return "", err
		}
		defer r.close()
		rep, err := r.call(ctx, &request{endpoint: endpointOf("GET", path), query: []byte("category=spot&symbol=A%2FB")})
		if err != nil {
			return "", err
		}
		return string(rep.result), nil
	}
	own := &tls.Config{RootCAs: roots}
	if got, err := ask(t.Context(), own, "/v5/x"); got != `"category=spot&symbol=A%2FB"` || err != nil {
		t.Errorf("the result is %s, %v", got, err)
	}
	if _, err := ask(t.Context(), own, "/v5/bomb"); !errors.Is(err, errReplyTooLong) {
		t.Errorf("an endless reply gives %v, want %v", err, errReplyTooLong)
	}
	if _, err := ask(t.Context(), nil, "/v5/x"); !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("a server of an unknown authority gives %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ask(ended, own, "/v5/x"); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended gives %v", err)
	}
}

func TestDecodeFullSnapshot(t *testing.T) {
	const all = `{"s":"X","a":[["2.50","1"]],"b":[["2","0.10"],["1","3"]],"ts":1700000000352,"u":439,"seq":2164,"cts":1700000000350}`
	s := &fullSnapshot{symbol: "X"}
	if err := s.decode([]byte(all)); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(s.ID, s.Seq, s.time.UnixMilli(), s.MatchTime.UnixMilli(), s.Bids, s.Asks)
	if want := "439 2164 1700000000352 1700000000350 [{2 0.10 } {1 3 }] [{2.50 1 }]"; got != want {
		t.Errorf("decodes to %s\nwant %s", got, want)
	}
	for _, empty := range []string{
		``, `null`, `{}`, `{"s":"X"}`, `{"s":"X","b":[],"a":[],"ts":1,"u":1,"seq":0,"cts":1}`, `{"s":"","b":null,"a":null,"u":null}`,
	} {
		s := &fullSnapshot{symbol: "X"}
		if err := s.decode([]byte(empty)); err != nil || len(s.Bids)+len(s.Asks) > 0 {
			t.Errorf("%s: %v, levels %v %v, want an empty book", empty, err, s.Bids, s.Asks)
		}
	}
	for _, bad := range []string{
		`[]`, `{"s":"Y"}`, all + "}", all[:len(all)-1],
		strings.Replace(all, `"X"`, `""`, 1),
		strings.Replace(all, `"u":439,`, ``, 1),
		strings.Replace(all, `"u":439`, `"u":-439`, 1),
		strings.Replace(all, `"seq":2164,`, ``, 1),
		strings.Replace(all, `"u"`, `"seq"`, 1),
		strings.Replace(all, `"0.10"`, `"0.1x"`, 1),
		strings.Replace(all, `"0.10"`, `""`, 1),
		strings.Replace(all, `,"0.10"`, ``, 1),
		strings.Replace(all, `1700000000352`, `-1`, 1),
	} {
		if err := (&fullSnapshot{symbol: "X"}).decode([]byte(bad)); !errors.As(err, new(*DecodeError)) {
			t.Errorf("%s: %v, want a *DecodeError", bad, err)
		}
	}
}

// FuzzFullReply wants no panic of any reply, and that a snapshot which decodes says the
// same when it is written again.
func FuzzFullReply(f *testing.F) {
	f.Add(200, []byte(`{"retCode":0,"retMsg":"OK","result":{"s":"X","a":[["2.50","1"]],"b":[["2","0.10"]],"ts":17,"u":439,"seq":2164,"cts":16},"retExtInfo":{},"time":18}`))
	f.Add(200, []byte(`{"retCode":0,"retMsg":"OK","result":{"s":"X","a":[],"b":[]}}`))
	f.Add(200, []byte(`{"retCode":0,"result":{"s":"X","b":[[1e2,2,"3"]],"u":"1","seq":"2"}}`))
	f.Add(403, []byte(`<html>`))
	f.Add(200, []byte(`{"retCode":10006,"retMsg":"Too many visits."}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		r, err := parseReply(&endpoint{method: "GET", path: "/v5/x"}, status, http.Header{}, body)
		if err != nil {
			if err.Error() == "" || r != nil {
				t.Fatalf("reply %+v beside the error %q", r, err)
			}
			return
		}
		s := &fullSnapshot{symbol: "X"}
		if err := s.decode(r.result); err != nil {
			return
		}
		var again bytes.Buffer
		fmt.Fprintf(&again, `{"s":"X","b":%s,"a":%s,"u":%d,"seq":%d`, appendLevels(nil, s.Bids), appendLevels(nil, s.Asks), s.ID, s.Seq)
		if !s.time.IsZero() {
			fmt.Fprintf(&again, `,"ts":%d`, s.time.UnixMilli())
		}
		if !s.MatchTime.IsZero() {
			fmt.Fprintf(&again, `,"cts":%d`, s.MatchTime.UnixMilli())
		}
		again.WriteByte('}')
		back := &fullSnapshot{symbol: "X"}
		if err := back.decode(again.Bytes()); err != nil {
			t.Fatalf("%s: %v", again.Bytes(), err)
		}
		for _, u := range []*fullSnapshot{s, back} { // the second time there is a list where there was none
			if len(u.Bids) == 0 {
				u.Bids = []book.Level{}
			}
			if len(u.Asks) == 0 {
				u.Asks = []book.Level{}
			}
		}
		if !reflect.DeepEqual(s, back) {
			t.Fatalf("%s\nfirst  %+v\nsecond %+v", body, s, back)
		}
	})
}
