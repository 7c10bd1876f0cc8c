package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

// What a write returns for each thing that may happen to it; it is made once, whatever
// that is.
func TestFailureClass03_WritesAreRefusedOrUnknown(t *testing.T) {
	const order = "/v5/order/create"
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, text) }
	}
	status := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, text)
		}
	}
	for _, c := range []struct {
		name    string
		path    string
		inside  http.HandlerFunc
		unknown bool
		text    string
	}{
		{"refused", order, body(`{"retCode":110007,"retMsg":"no money"}`), false, "POST /v5/order/create: no money (110007)"},
		{"an open code", order, body(`{"retCode":10016,"retMsg":"Server error."}`), true, "POST /v5/order/create: outcome unknown: Server error. (10016)"},
		{"a new code", order, body(`{"retCode":119999,"retMsg":"?"}`), true, "POST /v5/order/create: outcome unknown: ? (119999)"},
		{"a new code of no order", "/v5/asset/transfer/x", body(`{"retCode":131999,"retMsg":"?"}`), true, "POST /v5/asset/transfer/x: outcome unknown: ? (131999)"},
		{"a transfer without money", "/v5/asset/transfer/x", body(`{"retCode":131212,"retMsg":"?"}`), false, "POST /v5/asset/transfer/x: ? (131212)"},
		{"a busy bank", "/v5/asset/withdraw/create", body(`{"retCode":131230,"retMsg":"busy"}`), true, "POST /v5/asset/withdraw/create: outcome unknown: busy (131230)"},
		{"a transfer that timed out", "/v5/asset/transfer/x", body(`{"retCode":10000,"retMsg":"Server Timeout"}`), true, "POST /v5/asset/transfer/x: outcome unknown: Server Timeout (10000)"},
		{"a loan asked for twice", "/v5/crypto-loan-fixed/x", body(`{"retCode":20006,"retMsg":"duplicate"}`), true, "POST /v5/crypto-loan-fixed/x: outcome unknown: duplicate (20006)"},
		{"too often", order, status(429, ""), false, "POST /v5/order/create: HTTP 429 Too Many Requests"},
		{"a gateway", order, status(502, "<html>"), true, "POST /v5/order/create: outcome unknown: HTTP 502: <html>"},
		{"a refusal with 5xx", "/v5/asset/transfer/x", status(500, `{"retCode":1,"retMsg":"?"}`), true, "POST /v5/asset/transfer/x: outcome unknown: ? (1)"},
		{"no JSON", order, body("hello"), true, "outcome unknown: decode message"},
		{"success without a result that can be read", order, body(`{"retCode":0,"result":"x"}`), true, "outcome unknown: result: json"},
		{"cut", order, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true, "outcome unknown: EOF"},
		{"no reply", order, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, true, "outcome unknown: context deadline exceeded"},
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			v.guarded().inside = c.inside
			client := v.client(&bybit.Options{Credentials: testCredentials()})
			if _, err := client.SyncTime(t.Context()); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			id := "orderLinkId"
			if c.path != order {
				id = "transferId"
			}
			params := map[string]any{"category": "linear", "symbol": "BTCUSDT", id: "mine", "qty": "1"}
			var result struct{ OrderID string }
			err := client.Call(ctx, http.MethodPost, c.path, params, &result)
			if err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s: %v\nwant %s", c.name, err, c.text)
			}
			if got := pathsOf(v.requests()); !slices.Equal(got, []string{c.path}) {
				t.Errorf("%s: asked %q", c.name, got)
			}
			unknown, ok := errors.AsType[*bybit.UnknownError](err)
			if _, refused := errors.AsType[*bybit.Error](err); ok != c.unknown || ok != errors.Is(err, bybit.ErrOutcomeUnknown) || ok && refused {
				t.Errorf("%s: unknown is %v, refused %v: %v", c.name, ok, refused, err)
			}
			if !ok {
				return
			}
			want := bybit.OrderRef{Category: bybit.Linear, Symbol: "BTCUSDT", LinkID: "mine"}
			if unknown.Ref != want || unknown.Op != "POST "+c.path || !unknown.SentAt.Equal(begun) {
				t.Errorf("%s: %+v", c.name, unknown)
			}
			if c.name == "no reply" && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v hides ctx's error", c.name, err)
			}
		})
	}
}

// A write of which nothing left this machine is an ordinary failure.
func TestWritesThatWereNotSent(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		v.guarded()
		client := v.client(&bybit.Options{Credentials: testCredentials()})
		if _, err := client.SyncTime(t.Context()); err != nil {
			t.Fatal(err)
		}
		v.requests()
		post := func(ctx context.Context) error {
			return client.Call(ctx, http.MethodPost, "/v5/order/create", nil, nil)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		down := errors.New("down")
		if err := post(ended); !errors.Is(err, context.Canceled) || errors.Is(err, bybit.ErrOutcomeUnknown) {
			t.Errorf("a context that has ended gives %v", err)
		}
		v.ln.CutAll()
		v.ln.Refuse(down)
		if err := post(t.Context()); !errors.Is(err, down) || errors.Is(err, bybit.ErrOutcomeUnknown) {
			t.Errorf("no connection gives %v", err)
		}
		client.Close()
		if err := post(t.Context()); !errors.Is(err, bybit.ErrClosed) || errors.Is(err, bybit.ErrOutcomeUnknown) {
			t.Errorf("a closed client gives %v", err)
		}
		v.wantAsked()
	})
}

// A trace is not given a reply that may hold a new key's secret.
func TestTraceHasNoSecret(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		v.guarded().inside = func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "{\"retCode\":0,\"result\":{\"secret\":\"topsecret\x01\"}}")
		}
		var told []error
		look := func(err error) {
			garbled, ok := errors.AsType[*bybit.DecodeError](err)
			if err != nil && strings.Contains(fmt.Sprintf("%+v", err), "topsecret") || ok && garbled.Frame != nil {
				t.Errorf("told %+v", err)
			}
		}
		trace := &bybit.Trace{CallEnded: func(_ bybit.TraceCall, _ time.Duration, err error) {
			look(err) // at once: the error is the caller's later
			told = append(told, err)
		}}
		client := v.client(&bybit.Options{Credentials: testCredentials(), Trace: trace})
		err := client.Call(t.Context(), http.MethodPost, "/v5/user/create-sub-api", map[string]any{"readOnly": 1}, nil)
		look(err)
		if _, ok := errors.AsType[*bybit.UnknownError](err); !ok || len(told) == 0 || told[len(told)-1] == nil {
			t.Errorf("%v, told %v", err, told)
		}
	})
}

// Success without the result that says what was made is none: nobody could name the order.
func TestSuccessWithoutItsResult(t *testing.T) {
	const order, leverage = "/v5/order/create", "/v5/position/set-leverage"
	for _, c := range []struct {
		path, reply string
		unknown     bool
	}{
		{order, `{"retCode":0,"retMsg":"OK"}`, true},
		{order, `{"retCode":0,"retMsg":"OK","result":null}`, true},
		{order, `{"retCode":0,"retMsg":"OK","result":{}}`, true},
		{order, `{"retCode":0,"retMsg":"OK","result":{"orderId":"1"}}`, false},
		{leverage, `{"retCode":0,"retMsg":"OK","result":{}}`, false},
		{leverage, `{"retCode":0,"retMsg":"OK"}`, false},
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			v.guarded().inside = func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, c.reply) }
			client := v.client(&bybit.Options{Credentials: testCredentials()})
			for _, result := range []any{new(bybit.OrderAck), new(bybit.Reply), nil} {
				err := client.Call(t.Context(), http.MethodPost, c.path, map[string]string{"orderLinkId": "mine"}, result)
				unknown, ok := errors.AsType[*bybit.UnknownError](err)
				if ok != c.unknown || err != nil && !ok || ok && unknown.Ref.LinkID != "mine" {
					t.Errorf("%s into a %T of %s: %v", c.reply, result, c.path, err)
				}
			}
		})
	}
}

// Some results say that the request failed, beside a retCode of success.
func TestResultsThatSayFailed(t *testing.T) {
	const cancel, move, withdrawal = "/v5/order/cancel-all", "/v5/asset/transfer/inter-transfer", "/v5/asset/withdraw/cancel"
	for _, c := range []struct{ path, result, want string }{
		{cancel, `{"list":[],"success":"1"}`, "taken"},
		{cancel, `{"list":[],"success":"0"}`, "unknown "},
		{move, `{"transferId":"t","status":"SUCCESS"}`, "taken"},
		{move, `{"transferId":"t","status":"PENDING"}`, "taken"},
		{move, `{"transferId":"t","status":"FAILED"}`, "refused 0"},
		{move, `{"transferId":"t","status":"STATUS_UNKNOWN"}`, "unknown "},
		{withdrawal, `{"status":1}`, "taken"},
		{withdrawal, `{"status":0}`, "refused 0"},
		{"/v5/account/repay", `{"resultStatus":"P"}`, "taken"},
		{"/v5/account/repay", `{"resultStatus":"FA"}`, "refused 0"},
		{"/v5/position/move-positions", `{"status":"Rejected"}`, "refused 0"},
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			v.guarded().inside = func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"retCode":0,"retMsg":"OK","result":%s}`, c.result)
			}
			client := v.client(&bybit.Options{Credentials: testCredentials()})
			err := client.Call(t.Context(), http.MethodPost, c.path, nil, nil)
			if got := verdicts([]error{err}); got != c.want {
				t.Errorf("%s of %s is %s (%v), want %s", c.result, c.path, got, err, c.want)
			}
			if refused, ok := errors.AsType[*bybit.Error](err); ok && string(refused.ExtInfo) != c.result {
				t.Errorf("%s: the error keeps %s", c.result, refused.ExtInfo)
			}
		})
	}
}

// What users of the API report and the documentation does not have; and a code that it has as
// an internal error, with words that speak of money.
func TestRefusalsThatAreNotDocumented(t *testing.T) {
	for _, c := range []struct{ reply, want string }{
		{`{"retCode":10032,"retMsg":"Demo trading are not supported."}`, "refused 10032"},
		{`{"retCode":912000014,"retMsg":"permission denied"}`, "refused 912000014"},
		{`{"retCode":131001,"retMsg":"Account available balance insufficient"}`, "refused 131001"},
		{`{"retCode":131001,"retMsg":"openapi svc error"}`, "unknown "},
		{`{"retCode":912000015,"retMsg":"insufficient"}`, "unknown "},
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			v.guarded().inside = func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, c.reply) }
			client := v.client(&bybit.Options{Credentials: testCredentials()})
			err := client.Call(t.Context(), http.MethodPost, "/v5/asset/withdraw/create", nil, nil)
			if got := verdicts([]error{err}); got != c.want {
				t.Errorf("%s is %s (%v), want %s", c.reply, got, err, c.want)
			}
		})
	}
}

// A bot's refusal stands in its result, beside a retCode of success.
func TestBotsAreRefusedByStatusCode(t *testing.T) {
	const create, dca, check = "/v5/fgridbot/create", "/v5/dca/create-bot", "/v5/fgridbot/validate"
	in := func(result string) string { return `{"retCode":0,"retMsg":"success","result":` + result + `}` }
	for _, c := range []struct{ path, reply, want string }{
		{create, in(`{"status_code":0,"bot_id":"1"}`), ""},
		{create, in(`{"status_code":200,"bot_id":"1"}`), ""},
		{create, in(`{"status_code":421,"debug_msg":"banned","bot_id":"0"}`), "refused: POST " + create + ": banned (421)"},
		{create, in(`{"status_code":421,"ban_reason_text":"because","debug_msg":"banned"}`), "refused: POST " + create + ": because (421)"},
		{create, in(`{"status_code":429}`), "refused: POST " + create + ": Too Many Requests (429)"},
		{create, in(`{"status_code":503,"debug_msg":"buying"}`), "refused: POST " + create + ": buying (503)"},
		{create, in(`{"status_code":500}`), "unknown: POST " + create + ": outcome unknown: Internal Server Error (500)"},
		{create, in(`{"status_code":777}`), "unknown: POST " + create + ": outcome unknown: refused (777)"},
		{create, in(`{"status_code":{}}`), "unknown: POST " + create + ": outcome unknown: decode message"},
		{create, `{"retCode":110007,"retMsg":"no money"}`, "refused: POST " + create + ": no money (110007)"},
		{dca, `{"status_code":200,"bot_id":1}`, ""},
		{dca, `{"status_code":400,"debug_msg":"twice"}`, "refused: POST " + dca + ": twice (400)"},
		{dca, `{"bot_id":1}`, "unknown: POST " + dca + ": outcome unknown: decode message"},
		{check, in(`{"status_code":200}`), ""},
		{check, in(`{"status_code":400,"debug_msg":"no"}`), "refused: POST " + check + ": no (400)"},
		{check, in(`{"status_code":500}`), "refused: POST " + check + ": Internal Server Error (500)"}, // it changes nothing
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			v.guarded().inside = func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, c.reply) }
			client := v.client(&bybit.Options{Credentials: testCredentials()})
			err := client.Call(t.Context(), http.MethodPost, c.path, nil, nil)
			got := ""
			if refused, ok := errors.AsType[*bybit.Error](err); ok {
				got = "refused: " + err.Error()
				if strings.Contains(c.reply, "status_code") && !strings.Contains(string(refused.ExtInfo), "status_code") {
					t.Errorf("%s: the error keeps %s", c.reply, refused.ExtInfo)
				}
			} else if errors.Is(err, bybit.ErrOutcomeUnknown) {
				got = "unknown: " + err.Error()
			}
			if (err == nil) != (got == "") || (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) {
				t.Errorf("%s of %s:\n got %v\nwant %s", c.reply, c.path, err, c.want)
			}
		})
	}
}
