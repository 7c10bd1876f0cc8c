package main

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/endpoints"
	"github.com/bywire/bywire/internal/memnet"
)

// Where the key was likely made is said by the environment that does not know it.
func TestRefusedKeyNamesTheEnvironment(t *testing.T) {
	for name, want := range map[string]string{
		"mainnet": "this is mainnet: for one of demo trading, which the same site makes, add --env demo, of testnet --env testnet, of a regional site its --env; or it is mistyped, or was deleted",
		"testnet": "this is testnet: for one of mainnet add --env mainnet, of demo trading --env demo",
		"demo":    "this is demo trading: for one of mainnet, which the same site makes, add --env mainnet, of testnet --env testnet",
		"tr":      "this is https://api.bybit.tr: see whether --env or --rest is where this one was made",
	} {
		env, err := bybit.EnvironmentNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := refusalAdvice(10003, &env); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A key without its secret does not stop what needs none.
func TestHalfAKey(t *testing.T) {
	setKey(t, testKey, "")
	v := newSignedVenue(t, http.StatusOK, success)
	const lacks = "credentials: neither BYBIT_API_SECRET nor BYBIT_PRIVATE_KEY_PATH is set"
	const warned = "bywire: " + lacks + "; going on without a key\n"
	for _, tc := range []struct {
		args string
		code int
		want string
	}{
		{"call GET /v5/market/tickers category=spot", exitOK, warned},
		{"call GET /v5/account/info --dry-run", exitOK, warned},
		{"call GET /v5/account/info", exitAuth, "bywire: " + lacks + "\n"},
		{"keys", exitAuth, "bywire: " + lacks + "\n"},
	} {
		if o := bywire(t, append(strings.Fields(tc.args), "--rest", v.URL)...).want(t, tc.code).quiet(t, v); o.stderr != tc.want {
			t.Errorf("%s says %s", tc.args, o.stderr)
		}
	}
	if seen := v.requests(); len(seen) != 1 {
		t.Errorf("sent %q", seen)
	}
	o := bywire(t, "doctor", "--ws", "ws://127.0.0.1:1", "--rest", v.URL, "--category", "linear", "--for", "50ms").quiet(t, v)
	if want := "warn  key        API key: " + lacks + "; what needs a key does not work so\n"; !strings.Contains(o.stdout, want) {
		t.Errorf("doctor says\n%s%s", o.stdout, o.stderr)
	}
}

// Who waits for a read that fails is told of each repetition.
func TestRepetitionsAreSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var words strings.Builder
		a := newApp(strings.NewReader(""), io.Discard, &words)
		ln := memnet.Listen("rest")
		answers := 0
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if answers++; answers < 3 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			fmt.Fprint(w, success)
		})}
		var served sync.WaitGroup
		served.Go(func() { _ = srv.Serve(ln) })
		opts := a.restOptions(bybit.CustomEnvironment("", "http://localhost"), nil)
		opts.DialContext = ln.Dial
		client, err := bybit.NewClient(opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Call(t.Context(), "GET", "/v5/market/tickers", nil, nil); err != nil {
			t.Error(err)
		}
		client.Close()
		_ = srv.Close()
		ln.Close()
		served.Wait()
		want := regexp.MustCompile(`^bywire: GET /v5/market/tickers: HTTP 502 Bad Gateway; again in \S+s, attempt 2\nbywire: GET /v5/market/tickers: HTTP 502 Bad Gateway; again in \S+s, attempt 3\n$`)
		if !want.MatchString(words.String()) {
			t.Errorf("says %s", words.String())
		}
	})
}

// What looks a write up is a read, and takes what it is given.
func TestReadersAreEndpoints(t *testing.T) {
	for _, r := range readers() {
		e, ok := endpoints.Find("GET", r.path)
		if !ok || r.id != "" && !slices.ContainsFunc(e.Params, func(p endpoints.Param) bool { return p.Name == r.id }) {
			t.Errorf("%+v is none", r)
		}
	}
}
