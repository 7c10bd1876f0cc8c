package bybit_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

// held is a key that a device holds: a crypto.Signer and nothing else.
type held struct{ key *rsa.PrivateKey }

func (h held) Public() crypto.PublicKey { return h.key.Public() }
func (h held) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return h.key.Sign(random, digest, opts)
}

// Every form of params is verified as it arrives, signed in each of the three ways.
func TestSignaturesAreOfWhatIsSent(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		credentials *bybit.Credentials
		public      *rsa.PublicKey
	}{
		{"HMAC", testCredentials(), nil},
		{"RSA", &bybit.Credentials{Key: testKey, Signer: key}, &key.PublicKey},
		{"a crypto.Signer", &bybit.Credentials{Key: testKey, Signer: held{key}}, &key.PublicKey},
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			v.guarded().public = c.public
			client := v.client(&bybit.Options{Credentials: c.credentials, Referer: "broker1", RecvWindow: 7 * time.Second})
			for _, params := range []any{
				nil,
				&ownParams{"BTCUSDT"},
				url.Values{"a": {"x y+z/é&=%"}, "cursor": {"a%3A1%2Cb"}},
				map[string]any{"text": "<é&\u2028>", "n": 1.50},
				json.RawMessage("{ \"spaced\" : \"\\u0041\" }"),
			} {
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					if err := client.Call(t.Context(), method, "/v5/order/x", params, nil); err != nil {
						t.Errorf("%s %s of %v: %v", c.name, method, params, err)
					}
				}
			}
			for _, r := range v.requests() {
				want := "broker1"
				if r.path == "/v5/market/time" {
					want = ""
				}
				if got := r.header.Get("Referer"); got != want {
					t.Errorf("%s: %s has the referer %q, want %q", c.name, r.line(), got, want)
				}
				if r.path != "/v5/market/time" && r.header.Get("X-BAPI-RECV-WINDOW") != "7000" {
					t.Errorf("%s: headers %v", c.name, r.header)
				}
			}
		})
	}
}

func TestPublicCallsAreNotSigned(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		client := v.client(&bybit.Options{Credentials: testCredentials()})
		if err := client.Call(t.Context(), http.MethodGet, "/v5/market/time", nil, nil); err != nil {
			t.Fatal(err)
		}
		requests := v.requests()
		if len(requests) != 1 {
			t.Fatalf("%d requests, want one: a public call does not measure the clock", len(requests))
		}
		for name := range requests[0].header {
			if strings.HasPrefix(name, "X-Bapi") {
				t.Errorf("a public call has the header %s", name)
			}
		}
	})
}

func TestCredentialsAreChecked(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	custom := bybit.CustomEnvironment("", "http://localhost")
	for _, c := range []struct {
		name string
		opts bybit.Options
		want string // "" is none
	}{
		{"none", bybit.Options{}, ""},
		{"good", bybit.Options{Environment: custom, Credentials: testCredentials()}, ""},
		{"mainnet by name", bybit.Options{Environment: bybit.Mainnet(), Credentials: testCredentials()}, ""},
		{"no environment", bybit.Options{Credentials: testCredentials()}, "explicit Environment"},
		{"no key", bybit.Options{Environment: custom, Credentials: &bybit.Credentials{Secret: testSecret}}, "no key"},
		{"no secret", bybit.Options{Environment: custom, Credentials: &bybit.Credentials{Key: testKey}}, "neither a secret nor a signer"},
		{"both", bybit.Options{Environment: custom, Credentials: &bybit.Credentials{Key: testKey, Secret: testSecret, Signer: key}}, "both"},
		{"a line's end in the key", bybit.Options{Environment: custom, Credentials: &bybit.Credentials{Key: testKey + "\n", Secret: testSecret}}, "character"},
		{"a line's end in the secret", bybit.Options{Environment: custom, Credentials: &bybit.Credentials{Key: testKey, Secret: testSecret + "\n"}}, "white space"},
		{"a URL that is none", bybit.Options{Environment: bybit.CustomEnvironment("", "rest:80")}, "RESTURL"},
	} {
		client, err := bybit.NewClient(&c.opts)
		switch {
		case err == nil && c.want == "":
			client.Close()
		case err == nil || c.want == "" || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		case strings.Contains(err.Error(), testSecret) || strings.Contains(err.Error(), testKey):
			t.Errorf("%s: the error shows a secret: %v", c.name, err)
		}
	}
}

// A signed call without credentials fails before anything is sent; one to an endpoint
// that nobody documents is sent as it is.
func TestCallsWithoutCredentials(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		client := v.client(nil)
		if err := client.Call(t.Context(), http.MethodGet, "/v5/order/undocumented", nil, nil); err != nil {
			t.Error(err)
		}
		if got := pathsOf(v.requests()); !slices.Equal(got, []string{"/v5/order/undocumented"}) {
			t.Errorf("asked %q", got)
		}
		for method, path := range map[string]string{http.MethodGet: "/v5/order/realtime", http.MethodPost: "/v5/order/create"} {
			err := client.Call(t.Context(), method, path, nil, nil)
			if want := method + " " + path + ": no credentials"; !errors.Is(err, bybit.ErrNoCredentials) || err.Error() != want {
				t.Errorf("the error is %v\nwant %s", err, want)
			}
		}
		v.wantAsked()
	})
}

// Nothing that prints what has credentials in it shows the secret or the whole key.
func TestCredentialsAreNotPrinted(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		var told strings.Builder
		tell := func(x ...any) { fmt.Fprintf(&told, "%+v\n", x) }
		opts := bybit.Options{
			Environment: v.env, DialContext: v.ln.Dial, Credentials: testCredentials(),
			Trace: &bybit.Trace{
				CallBegun:     func(c bybit.TraceCall) { tell(c) },
				CallEnded:     func(c bybit.TraceCall, took time.Duration, err error) { tell(c, took, err) },
				CallRetry:     func(c bybit.TraceCall, wait time.Duration, err error) { tell(c, wait, err) },
				ClockMeasured: func(m bybit.ClockSync) { tell(m) },
			},
		}
		client := v.client(&opts)
		d.secret = "another"
		refused := client.Call(t.Context(), http.MethodGet, "/v5/order/x", nil, nil)
		if e, ok := errors.AsType[*bybit.Error](refused); !ok || e.Code != 10004 {
			t.Fatalf("a wrong secret gives %v", refused)
		}
		v.serve(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
		garbled := client.Call(t.Context(), http.MethodGet, "/v5/order/x", nil, nil)
		// Wherever a reply repeats them.
		v.replies(`{"retCode":10001,"retMsg":"not ` + testSecret + `","result":{},"retExtInfo":{"of":"` + testKey + `"}}`)
		echoed := client.Call(t.Context(), http.MethodPost, "/v5/order/create", nil, nil)
		v.replies(testKey + " is no page")
		page := client.Call(t.Context(), http.MethodPost, "/v5/user/x", nil, nil)
		v.replies(`{"retCode":0,"retMsg":"","result":{"list":[{"orderId":""}]},"retExtInfo":{"list":[{"code":10004,"msg":"of ` + testKey + `"}]}}`)
		var batch bybit.Reply
		if err := client.Call(t.Context(), http.MethodPost, "/v5/order/create-batch", nil, &batch); err != nil {
			t.Error(err)
		}
		// The reply to a new key has its secret in it.
		v.replies(`{"retCode":0,"result":{"secret":"` + testSecret + `"}`)
		key := client.Call(t.Context(), http.MethodPost, "/v5/user/create-sub-api", nil, nil)
		if _, ok := errors.AsType[*bybit.DecodeError](key); !ok {
			t.Errorf("half a reply gives %v", key)
		}
		v.ln.CutAll()
		v.ln.Refuse(errors.New("down"))
		down := client.Call(t.Context(), http.MethodPost, "/v5/order/x", nil, nil)
		text, err := json.Marshal(struct{ C *bybit.Credentials }{opts.Credentials})
		if err != nil {
			t.Fatal(err)
		}
		told.Write(text)
		if e, ok := errors.AsType[*bybit.Error](echoed); ok {
			told.Write(e.ExtInfo)
		}
		told.Write(batch.Body)
		for _, x := range []any{*opts.Credentials, opts.Credentials, opts, &opts, client, *opts.Trace, refused, garbled, echoed, page, batch.Items, key, down} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				fmt.Fprintf(&told, verb+"\n", x)
			}
		}
		for _, secret := range []string{testSecret, testKey, fmt.Sprintf("%x", testSecret), fmt.Sprintf("%x", testKey), fmt.Sprint([]byte(testSecret))} {
			if i := strings.Index(told.String(), secret); i >= 0 {
				t.Errorf("printed: ...%s...", told.String()[max(0, i-200):i+len(secret)])
			}
		}
		if !strings.Contains(told.String(), testKey[:4]+"...") {
			t.Error("the key cannot be told from others")
		}
	})
}
