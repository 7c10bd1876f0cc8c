package bybit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/pages"
)

// What is null, empty, missing or new in a reply breaks no call, and what is no reply is an
// error with the bytes.
func TestFailureClass14_RepliesAreReadTolerantly(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		client := v.client(&bybit.Options{Retries: -1})
		for _, body := range []string{
			`{"retCode":0,"retMsg":"OK","result":{"a":"1"},"retExtInfo":{},"time":1700000000000}`,
			`{"retCode":0,"retMsg":null,"result":{"a":"1"},"retExtInfo":null,"time":null}`,
			`{"retCode":0,"result":{"a":"1"}}`,
			`{"result":{"a":"1","new":{"x":[null]}},"tomorrow":[{}],"retCode":0,"time":"soon","retMsg":{}}`,
			`{"ret_code":0,"ret_msg":"SUCCESS","result":{"a":"1"},"ext_code":"","ext_info":null,"time_now":"1683616205.12"}`,
			" {\n \"retCode\" : \"0\" , \"result\" : {\"a\":\"1\"} } \n",
		} {
			v.replies(body)
			var result struct{ A string }
			if err := client.Call(t.Context(), http.MethodGet, "/v5/x", nil, &result); err != nil || result.A != "1" {
				t.Errorf("%s: %+v, %v", body, result, err)
			}
		}
		for _, body := range []string{``, `hello`, `[]`, `{}`, `null`, `{"retCode":0`, `{"retCode":0}}`, `{"retCode":null}`} {
			v.replies(body)
			err := get(t, client, "/v5/x")
			if e, ok := errors.AsType[*bybit.DecodeError](err); !ok || string(e.Frame) != body || !strings.HasPrefix(err.Error(), "GET /v5/x: ") {
				t.Errorf("%q gives %v", body, err)
			}
		}
	})
}

// pageParams and pageResult are as generated ones are.
type (
	pageParams struct {
		Symbol string `json:"symbol"`
		Cursor string `json:"cursor,omitempty"`
	}
	pageResult struct {
		List           []int  `json:"list"`
		NextPageCursor string `json:"nextPageCursor"`
	}
)

// Cursors go back as they came, also those that are percent-encoded already, and the
// signature is of what is sent: page two is verified like page one.
func TestFailureClass21_SecondPageIsSigned(t *testing.T) {
	cursors := []string{
		"", "a%3A1%2Cb%3A2", "page_token%3D39380%26", "eyJtaW5JRCI6MX0=", "173341:1672197760", "a+b/c d&e=f%", "é",
	}
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		d.inside = func(w http.ResponseWriter, r *http.Request) {
			// The venue finds in a query what it escaped for it.
			n := slices.IndexFunc(cursors, func(c string) bool {
				plain, err := url.PathUnescape(c)
				if err != nil {
					plain = c
				}
				return plain == r.URL.Query().Get("cursor")
			})
			if n < 0 || r.URL.Query().Get("symbol") != "BTCUSDT" {
				t.Errorf("asked for %s", r.URL.RawQuery)
			}
			next := ""
			if n+1 < len(cursors) {
				next = cursors[n+1]
			}
			text, err := json.Marshal(pageResult{[]int{n}, next})
			if err != nil {
				t.Error(err)
			}
			fmt.Fprintf(w, `{"retCode":0,"result":%s}`, text)
		}
		client := v.client(&bybit.Options{Credentials: testCredentials()})
		list := func(ctx context.Context, p *pageParams) (*pageResult, error) {
			r := new(pageResult)
			if err := client.Call(ctx, http.MethodGet, "/v5/order/pages", p, r); err != nil {
				return nil, err
			}
			return r, nil
		}
		params := &pageParams{Symbol: "BTCUSDT"}
		var rows []int
		for row, err := range pages.ByCursor(t.Context(), params, list,
			func(p *pageParams, cursor string) { p.Cursor = cursor },
			func(r *pageResult) ([]int, string) { return r.List, r.NextPageCursor }) {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
		if !slices.Equal(rows, []int{0, 1, 2, 3, 4, 5, 6}) || params.Cursor != "" {
			t.Errorf("rows %v, the caller's cursor is %q", rows, params.Cursor)
		}
	})
}

// What an environment does not have fails before anything is sent, and says what it has.
func TestFailureClass22_CallsWithoutREST(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		v.env.RESTURL, v.env.PublicURL = "", "ws://rest"
		client := v.client(nil)
		_, synced := client.SyncTime(t.Context())
		for _, err := range []error{get(t, client, "/v5/x"), synced} {
			e, ok := errors.AsType[*bybit.UnsupportedError](err)
			if !ok || e.Ability != bybit.AbilityREST || e.Environment != "custom" {
				t.Errorf("without REST: %v", err)
			}
		}
		v.wantAsked()
	})
}

// Each environment's calls go to its own host, and a base with a path keeps it.
func TestFailureClass23_CallsGoToTheirHost(t *testing.T) {
	environments := map[string]bybit.Environment{
		"proxy:8080/bybit/v5/market/time": bybit.CustomEnvironment("", "http://proxy:8080/bybit/"),
	}
	for name, host := range map[string]string{
		"mainnet": "api.bybit.com", "testnet": "api-testnet.bybit.com", "demo": "api-demo.bybit.com", "tr": "api.bybit.tr",
		"jp": "api.manepa.jp", "nl": "api.bybit.nl", "hk": "api.byhkbit.com",
	} {
		env, err := bybit.EnvironmentNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		env.RESTURL = strings.Replace(env.RESTURL, "https://", "http://", 1) // the venue speaks no TLS
		environments[host+"/v5/market/time"] = env
	}
	for want, env := range environments {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			got := ""
			v.serve(func(w http.ResponseWriter, r *http.Request) {
				got = r.Host + r.URL.Path
				io.WriteString(w, plainReply)
			})
			v.env = env
			if err := get(t, v.client(nil), "/v5/market/time"); err != nil || got != want {
				t.Errorf("asked %s, %v, want %s", got, err, want)
			}
		})
	}
}
