package bybit_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
)

// After a ban nothing is sent for ten minutes, and calls say so at once.
func TestFailureClass20_BanIsCooledDown(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		budget := bybit.NewBudget(nil)
		client, other := v.client(&bybit.Options{Budget: budget}), v.client(&bybit.Options{Budget: budget})
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "<html>access too frequent</html>")
		})
		err := get(t, client, "/v5/x")
		if e, ok := errors.AsType[*bybit.Error](err); !ok || e.Status != http.StatusForbidden {
			t.Fatalf("the ban gives %v", err)
		}
		v.replies(plainReply)
		time.Sleep(9 * time.Minute)
		err = get(t, other, "/v5/y")
		if e, ok := errors.AsType[*bybit.LimitError](err); !ok || e.Scope != bybit.LimitBan || e.RetryAfter != time.Minute {
			t.Errorf("nine minutes later: %v", err)
		} else if want := "GET /v5/y: not sent: the exchange has banned this address (HTTP 403), for another 1m0s perhaps"; err.Error() != want {
			t.Errorf("the error is %v\nwant %s", err, want)
		}
		if n := len(v.requests()); n != 1 {
			t.Errorf("%d requests, want only the one that was banned", n)
		}
		time.Sleep(time.Minute)
		if err := get(t, client, "/v5/x"); err != nil {
			t.Errorf("ten minutes later: %v", err)
		}
		// Of a page about the country, waiting is no cure.
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "<html>"+strings.Repeat(" ", 1000)+"configured to block access from your country</html>")
		})
		for range 2 {
			if _, ok := errors.AsType[*bybit.Error](get(t, client, "/v5/x")); !ok {
				t.Error("the second is not asked")
			}
		}
	})
}

// An HTTP 403 that is no ban keeps nobody from cancelling, nor does a cancel without a reply keep
// the next.
func TestFailureClass20_DoubtIsNoBan(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		client := v.client(&bybit.Options{Retries: -1})
		begun := time.Now()
		var mu sync.Mutex // guards asked: five handlers run at once
		var asked []string
		forbidden := true
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			asked = append(asked, fmt.Sprint(r.URL.Path, " ", time.Since(begun)))
			mu.Unlock()
			if forbidden {
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, "<html>Request blocked</html>")
				return
			}
			elapse(50 * time.Millisecond)
			io.WriteString(w, plainReply)
		})
		for range 5 { // 0, 1, 3, 7, 15 s
			if e, ok := errors.AsType[*bybit.Error](get(t, client, "/v5/odd")); !ok || e.Status != http.StatusForbidden {
				t.Fatal(e)
			}
		}
		if want := []string{"/v5/odd 0s", "/v5/odd 1s", "/v5/odd 3s", "/v5/odd 7s", "/v5/odd 15s"}; !slices.Equal(asked, want) {
			t.Errorf("asked %q\nwant %q", asked, want)
		}
		refused := client.Call(t.Context(), http.MethodPost, "/v5/order/x", nil, nil)
		if full, ok := errors.AsType[*bybit.LimitError](refused); !ok || full.Scope != bybit.LimitDoubt || full.RetryAfter != 8*time.Second {
			t.Errorf("an order gives %v", refused)
		} else if want := "POST /v5/order/x: not sent: the exchange turns this address away (HTTP 403), for another 8s perhaps"; refused.Error() != want {
			t.Errorf("the error is %v\nwant %s", refused, want)
		}
		forbidden, asked = false, nil
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				if err := get(t, client, fmt.Sprintf("/v5/waits/%d", i)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		for i := range 5 {
			wg.Go(func() {
				if err := client.Call(t.Context(), http.MethodPost, fmt.Sprintf("/v5/order/cancel/%d", i), nil, nil); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		slices.Sort(asked)
		want := []string{ // three cancels at once, and no others; the rest when one has got through
			"/v5/order/cancel/0 15s", "/v5/order/cancel/1 15s", "/v5/order/cancel/2 15s",
			"/v5/order/cancel/3 15.05s", "/v5/order/cancel/4 15.05s", "/v5/waits/0 15.05s", "/v5/waits/1 15.05s", "/v5/waits/2 15.05s",
		}
		if !slices.Equal(asked, want) {
			t.Errorf("asked %q\nwant %q", asked, want)
		}
	})
}

// Which replies say that the address is banned.
func TestFailureClass20_BansByTheirWords(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		scope  bybit.LimitScope // of the next call
		none   bool
	}{
		{403, "403, access too frequent", bybit.LimitBan, false},
		{403, "<html>Access Too Frequent</html>", bybit.LimitBan, false},
		{403, "<html>access too frequent. region: us-east</html>", bybit.LimitBan, false},
		{200, `{"retCode":403,"retMsg":"access too frequent"}`, bybit.LimitBan, false},
		{403, `{"retCode":403,"retMsg":"access too frequent"}`, bybit.LimitBan, false},
		// Two of the three causes that the V5 page error has for 403 are no ban, services have a 403
		// of their own, and 10006 is an account's limit at one endpoint.
		{403, `{"retCode":403,"retMsg":"Forbidden request"}`, bybit.LimitDoubt, false},
		{403, `{"retCode":10006,"retMsg":"Too many visits!"}`, bybit.LimitDoubt, false},
		{200, `{"retCode":403,"retMsg":"permission denied"}`, 0, true},
		{403, `{"retCode":10018,"retMsg":"Exceeded the IP Rate Limit."}`, bybit.LimitBan, false},
		{200, `{"retCode":10018,"retMsg":"Exceeded the IP Rate Limit."}`, bybit.LimitAddress, false},
		{403, "", bybit.LimitDoubt, false},
		{403, "<html>Request blocked</html>", bybit.LimitDoubt, false},
		{403, "not available in your region", 0, true},
		{403, `{"retCode":403,"retMsg":"not available in your country"}`, 0, true},
		{403, `{"retCode":10010,"retMsg":"Unmatched IP"}`, 0, true},
		{401, "access too frequent", 0, true},
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			client := v.client(&bybit.Options{Retries: -1, Limits: bybit.LimitRefuse})
			v.serve(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			if _, ok := errors.AsType[*bybit.Error](get(t, client, "/v5/x")); !ok {
				t.Errorf("%d %s: not refused", c.status, c.body)
			}
			full, ok := errors.AsType[*bybit.LimitError](get(t, client, "/v5/y"))
			if ok == c.none || ok && full.Scope != c.scope {
				t.Errorf("%d %s: then %v", c.status, c.body, full)
			}
		})
	}
}

// Nor does a request that shows whether the doubt is over, if its reply does not come.
func TestFailureClass20_CancelsDoNotWaitForProbes(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		client := v.client(&bybit.Options{Retries: -1})
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/v5/odd":
				w.WriteHeader(http.StatusForbidden)
			case "/v5/slow", "/v5/order/cancel-slow":
				<-r.Context().Done()
			default:
				io.WriteString(w, plainReply)
			}
		})
		if err := get(t, client, "/v5/odd"); err == nil {
			t.Error("no 403")
		}
		elapse(time.Second)
		var wg sync.WaitGroup
		for method, path := range map[string]string{http.MethodGet: "/v5/slow", http.MethodPost: "/v5/order/cancel-slow"} {
			wg.Go(func() {
				if err := client.Call(t.Context(), method, path, nil, nil); err == nil {
					t.Error("a reply")
				}
			})
		}
		synctest.Wait()
		begun := time.Now()
		if err := client.Call(t.Context(), http.MethodPost, "/v5/order/cancel-x", nil, nil); err != nil || time.Since(begun) != 0 {
			t.Errorf("a cancel after %v: %v", time.Since(begun), err)
		}
		wg.Wait()
	})
}

// What ends a doubt: a request that left after the 403 and was let in, though perhaps refused inside.
func TestDoubtEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		reply  string
		early  bool // it left before the 403
		ends   bool
	}{
		{"let in", 200, plainReply, false, true},
		{"let in, and over the account's limit", 200, `{"retCode":10006,"retMsg":"Too many visits!"}`, false, true},
		{"a refusal", 200, `{"retCode":10001,"retMsg":"no"}`, false, true},
		{"the country", 403, "not available in your country", false, false},
		{"let in before", 200, plainReply, true, false},
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			client := v.client(&bybit.Options{Retries: -1, Limits: bybit.LimitRefuse, Credentials: testCredentials()})
			if err := get(t, client, "/v5/order/x"); err != nil {
				t.Fatal(err)
			}
			v.serve(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v5/odd" {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				elapse(100 * time.Millisecond)
				w.WriteHeader(c.status)
				io.WriteString(w, c.reply)
			})
			var wg sync.WaitGroup
			cancel := func() {
				wg.Go(func() { _ = client.Call(t.Context(), http.MethodPost, "/v5/order/cancel-x", nil, nil) })
				synctest.Wait()
			}
			if c.early {
				cancel()
			}
			if err := get(t, client, "/v5/odd"); err == nil {
				t.Error("no 403")
			}
			if !c.early {
				cancel()
			}
			wg.Wait()
			full, doubt := errors.AsType[*bybit.LimitError](get(t, client, "/v5/order/y"))
			if doubt == c.ends || doubt && full.Scope != bybit.LimitDoubt {
				t.Errorf("%s: then %v", c.name, full)
			}
		})
	}
}

// That a doubt is over does not open what the limit of the address has closed.
func TestDoubtsAreNotTheLimit(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		client := v.client(&bybit.Options{Retries: -1, Limits: bybit.LimitRefuse})
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/v5/odd":
				w.WriteHeader(http.StatusForbidden)
			case "/v5/cancel-slow":
				elapse(100 * time.Millisecond)
				io.WriteString(w, plainReply)
			default:
				io.WriteString(w, `{"retCode":10018,"retMsg":"Exceeded the IP Rate Limit."}`)
			}
		})
		if err := get(t, client, "/v5/odd"); err == nil {
			t.Error("no 403")
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := client.Call(t.Context(), http.MethodPost, "/v5/cancel-slow", nil, nil); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if err := client.Call(t.Context(), http.MethodPost, "/v5/cancel-x", nil, nil); err == nil {
			t.Error("no 10018")
		}
		wg.Wait()
		if full, ok := errors.AsType[*bybit.LimitError](get(t, client, "/v5/y")); !ok || full.Scope != bybit.LimitAddress || full.RetryAfter != 900*time.Millisecond {
			t.Errorf("then %v", full)
		}
	})
}

// Nor does a request that is on its way when the 403 comes, however long its reply takes.
func TestFailureClass20_CancelsDoNotWaitForOthers(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		client := v.client(&bybit.Options{Retries: -1})
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/v5/slow":
				elapse(15 * time.Second)
			case "/v5/odd":
				w.WriteHeader(http.StatusForbidden)
				return
			}
			io.WriteString(w, plainReply)
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := get(t, client, "/v5/slow"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if err := get(t, client, "/v5/odd"); err == nil {
			t.Error("no 403")
		}
		begun := time.Now()
		if err := client.Call(t.Context(), http.MethodPost, "/v5/order/cancel-x", nil, nil); err != nil || time.Since(begun) != 0 {
			t.Errorf("a cancel after %v: %v", time.Since(begun), err)
		}
		wg.Wait()
	})
}
