package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, a *API, path string) (Response, map[string]any) {
	t.Helper()
	return request(t, a, http.MethodGet, path)
}

func request(t *testing.T, a *API, method, target string) (Response, map[string]any) {
	t.Helper()
	path, query, _ := strings.Cut(target, "?")
	r := a.Serve(&Request{Method: method, Path: path, Query: query})
	var envelope map[string]any
	if err := json.Unmarshal(r.Body, &envelope); err != nil {
		t.Fatalf("%s %s: %v in %s", method, target, err, r.Body)
	}
	return r, envelope
}

func TestServerTimeIsTheMarkets(t *testing.T) {
	m := newRig(t)
	m.now = start
	a := New(m, Options{})
	for _, path := range []string{"/v5/market/time", "/v3/public/time"} {
		r, _ := get(t, a, path)
		want := `{"retCode":0,"retMsg":"OK","result":{"timeSecond":"1767225600","timeNano":"1767225600123456789"},"retExtInfo":{},"time":1767225600123}`
		if r.Status != http.StatusOK || string(r.Body) != want {
			t.Errorf("%s: %d %s, want %s", path, r.Status, r.Body, want)
		}
		if got := r.Header.Get("Timenow"); got != "1767225600123" {
			t.Errorf("%s: Timenow %q", path, got)
		}
		if got := r.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
			t.Errorf("%s: Content-Type %q", path, got)
		}
	}
}

func TestTraceIDsDiffer(t *testing.T) {
	a := newAPI(t)
	var seen []string
	for range 100 {
		r, _ := get(t, a, "/v5/market/time")
		id := r.Header["Traceid"][0]
		if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || slices.Contains(seen, id) {
			t.Fatalf("%q after %q", id, seen)
		}
		seen = append(seen, id)
	}
}

func TestWhatIsNotServedSaysSo(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		method, path string
		status, code int
		message      string
	}{
		{"GET", "/v5/order/realtime?category=linear", 404, 10017, "bywire does not simulate GET /v5/order/realtime"},
		{"POST", "/v5/order/create", 404, 10017, "bywire does not simulate POST /v5/order/create"},
		{"POST", "/v5/market/time", 404, 10017, "Route not found."},
		{"GET", "/v5/order/create", 404, 10017, "Route not found."},
		{"GET", "/v5/market/time/", 404, 10017, "Route not found."},
		{"GET", "/v5/market/trades", 404, 10017, "Route not found."},
		{"GET", "/", 404, 10017, "Route not found."},
		{"GET", "", 404, 10017, "Route not found."},
		{"GET", "/v5/\"\\\x00\xff", 404, 10017, "Route not found."},
		{"get", "/v5/market/time", 400, 400, "Bad request. Need to send the request with GET / POST (must be capitalized)"},
		{"DELETE", "/v5/market/time", 400, 400, "Bad request. Need to send the request with GET / POST (must be capitalized)"},
		{"GET", "/v5/market/time?x=" + strings.Repeat("a", maxQuery), 414, 10001, "Request parameter error."},
	} {
		r, e := request(t, a, c.method, c.path)
		if r.Status != c.status || e["retCode"] != float64(c.code) || e["retMsg"] != c.message {
			t.Errorf("%s %.40s: %d %s, want %d %d %s", c.method, c.path, r.Status, r.Body, c.status, c.code, c.message)
		}
		if got := r.Header["Ret_code"][0]; got != strconv.Itoa(c.code) {
			t.Errorf("%s %.40s: Ret_code %s, want %d", c.method, c.path, got, c.code)
		}
	}
}

// admit asks as an address.
func admit(a *API, ip string) *Response {
	return a.Admit(httptest.NewRequest(http.MethodGet, "/v5/market/time", http.NoBody), ip)
}

func TestAddressIsBannedForTenMinutes(t *testing.T) {
	now := time.Unix(1_767_225_600, 0)
	a := New(newRig(t), Options{Now: func() time.Time { return now }})
	first := now
	for i := range limitCalls {
		now = first.Add(time.Duration(i) * limitSpan / limitCalls)
		if r := admit(a, "192.0.2.1"); r != nil {
			t.Fatalf("request %d: %s", i+1, r.Body)
		}
	}
	now = first.Add(limitSpan)
	if r := admit(a, "192.0.2.1"); r != nil {
		t.Fatalf("the first request was 5 s ago: %s", r.Body)
	}
	r := admit(a, "192.0.2.1")
	if r == nil || r.Status != http.StatusForbidden || !strings.Contains(string(r.Body), "access too frequent") {
		t.Fatalf("601 requests in 5 s: %+v", r)
	}
	if r := admit(a, "192.0.2.2"); r != nil {
		t.Errorf("another address: %s", r.Body)
	}
	now = now.Add(limitBan - time.Millisecond)
	if admit(a, "192.0.2.1") == nil {
		t.Error("the ban ended before ten minutes")
	}
	now = now.Add(time.Millisecond)
	if r := admit(a, "192.0.2.1"); r != nil {
		t.Errorf("the ban did not end after ten minutes: %s", r.Body)
	}
}

// The limit is held by whichever clock has gone further, and a refusal says the exchange's time.
func TestLimitIsOfEitherClock(t *testing.T) {
	wall, virtual := time.Unix(1_800_000_000, 0), int64(1_767_225_600_123)*int64(time.Millisecond)
	a := New(newRig(t), Options{Now: func() time.Time { return wall }, Time: func() int64 { return virtual }})
	spend := func(what string, pass func()) {
		t.Helper()
		for i := range 3 * limitCalls {
			if r := admit(a, "192.0.2.1"); r != nil {
				t.Fatalf("%s, request %d: %s", what, i+1, r.Body)
			}
			pass()
		}
	}
	const apart = limitSpan/limitCalls + 1
	spend("paced by the exchange's time", func() { virtual += int64(apart) })
	spend("paced by the wall clock", func() { wall = wall.Add(apart) })
	var refused *Response
	for i := 0; refused == nil; i++ {
		if i > limitCalls {
			t.Fatal("no clock moved, and nothing was refused")
		}
		refused = admit(a, "192.0.2.1")
	}
	ms := strconv.FormatInt(virtual/int64(time.Millisecond), 10)
	if !strings.Contains(string(refused.Body), `"time":`+ms) || refused.Header.Get("Timenow") != ms {
		t.Errorf("%s with Timenow %s, want the exchange's %s", refused.Body, refused.Header.Get("Timenow"), ms)
	}
	virtual -= int64(time.Hour) // a snapshot is restored
	if admit(a, "192.0.2.1") == nil {
		t.Error("the ban ended when the time went back")
	}
	virtual += int64(limitBan)
	if r := admit(a, "192.0.2.1"); r != nil {
		t.Errorf("ten minutes later by the exchange's time: %s", r.Body)
	}
	refused = a.Admit(httptest.NewRequest(http.MethodGet, "/v5/market/time", strings.NewReader("{}")), "192.0.2.1")
	if want := `"time":` + strconv.FormatInt(virtual/int64(time.Millisecond), 10); !strings.Contains(string(refused.Body), want) {
		t.Errorf("a GET with a body: %s, want %s", refused.Body, want)
	}
}

func TestAddressesWithoutLimit(t *testing.T) {
	a := New(newRig(t), Options{Unlimited: true})
	for range 2 * limitCalls {
		if r := admit(a, "192.0.2.1"); r != nil {
			t.Fatalf("%s", r.Body)
		}
	}
}

func TestAddressesThatAreCountedAreBounded(t *testing.T) {
	now := time.Unix(1_767_225_600, 0)
	l := newLimiter(func() time.Time { return now }, func() int64 { return 0 })
	for range limitCalls + 1 {
		l.allow("banned")
	}
	for i := range 2 * maxAddresses {
		now = now.Add(time.Millisecond)
		l.allow(strconv.Itoa(i))
	}
	if len(l.seen) > maxAddresses {
		t.Errorf("%d addresses, at most %d", len(l.seen), maxAddresses)
	}
	if l.allow("banned") {
		t.Error("a ban was forgotten")
	}
}

func TestGETWithBodyIsForbidden(t *testing.T) {
	a := newAPI(t)
	r := httptest.NewRequest(http.MethodGet, "/v5/market/time", strings.NewReader("{}"))
	if got := a.Admit(r, "192.0.2.1"); got == nil || got.Status != http.StatusForbidden || strings.Contains(string(got.Body), "frequent") {
		t.Errorf("%+v, want HTTP 403 that is no ban", got)
	}
}
