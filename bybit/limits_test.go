package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
)

// limited is an exchange with limits, as the documentation has them: so many calls a
// second for each path, in any second, and so many requests in 5 s for the
// address. It fails the test if a ban would follow.
type limited struct {
	t     *testing.T
	calls int

	mu   sync.Mutex // guards what follows
	made map[string][]time.Time
	all  []time.Time
}

// within counts the times after a moment.
func within(times []time.Time, after time.Time) int {
	n := 0
	for _, at := range times {
		if at.After(after) {
			n++
		}
	}
	return n
}

func (l *limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.all = append(l.all, now); within(l.all, now.Add(-5*time.Second)) > 600 {
		l.t.Errorf("the %d-th request is more than 600 in 5 s", len(l.all))
	}
	path := r.URL.Path
	used := within(l.made[path], now.Add(-time.Second))
	h := w.Header()
	h.Set("X-Bapi-Limit", strconv.Itoa(l.calls))
	if used >= l.calls {
		h.Set("X-Bapi-Limit-Status", "0")
		h.Set("X-Bapi-Limit-Reset-Timestamp", strconv.FormatInt(now.Add(time.Second).UnixMilli(), 10))
		io.WriteString(w, `{"retCode":10006,"retMsg":"Too many visits!"}`)
		return
	}
	l.made[path] = append(l.made[path], now)
	h.Set("X-Bapi-Limit-Status", strconv.Itoa(l.calls-used-1))
	h.Set("X-Bapi-Limit-Reset-Timestamp", strconv.FormatInt(now.UnixMilli(), 10))
	io.WriteString(w, plainReply)
}

// An account's limit is learned from the replies; a thousand calls then take as long as they
// must, and none is refused.
func TestFailureClass20_LimitsAreLearned(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		d.inside = (&limited{t: t, calls: 10, made: map[string][]time.Time{}}).ServeHTTP
		client := v.client(&bybit.Options{Credentials: testCredentials(), Retries: -1})
		post := func() {
			if err := client.Call(t.Context(), http.MethodPost, "/v5/order/x", nil, nil); err != nil {
				t.Error(err)
			}
		}
		post()
		begun := time.Now()
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(post)
		}
		wg.Wait()
		if took := time.Since(begun); took < 19*time.Second || took > 22*time.Second {
			t.Errorf("200 calls at 10 a second took %v", took)
		}
	})
}

// What another program uses of the same account counts too.
func TestFailureClass20_OthersAreCounted(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		l := &limited{t: t, calls: 10, made: map[string][]time.Time{}}
		d.inside = l.ServeHTTP
		client := v.client(&bybit.Options{Credentials: testCredentials(), Retries: -1, Limits: bybit.LimitRefuse})
		if err := get(t, client, "/v5/order/x"); err != nil {
			t.Fatal(err)
		}
		l.mu.Lock()
		for range 7 {
			l.made["/v5/order/x"] = append(l.made["/v5/order/x"], time.Now())
		}
		l.mu.Unlock()
		if err := get(t, client, "/v5/order/x"); err != nil {
			t.Fatal(err)
		}
		// Ten less the two and the seven.
		if err := get(t, client, "/v5/order/x"); err != nil {
			t.Error(err)
		}
		err := get(t, client, "/v5/order/x")
		full, ok := errors.AsType[*bybit.LimitError](err)
		if !ok || *full != (bybit.LimitError{Op: "GET /v5/order/x", Scope: bybit.LimitAccount, Calls: 10, Per: time.Second, RetryAfter: time.Second}) {
			t.Errorf("the eleventh gives %+v (%v)", full, err)
		}
		if err := get(t, client, "/v5/order/y"); err != nil {
			t.Errorf("another endpoint: %v", err)
		}
		time.Sleep(full.RetryAfter)
		if err := get(t, client, "/v5/order/x"); err != nil {
			t.Errorf("after RetryAfter: %v", err)
		}
	})
}

// Clients that share a budget share the limits of the address, whatever they ask for,
// and those of the account if it is the same.
func TestFailureClass20_BudgetIsShared(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		l := &limited{t: t, calls: 1 << 20, made: map[string][]time.Time{}}
		v.serve(l.ServeHTTP)
		budget := bybit.NewBudget(nil)
		clients := []*bybit.Client{v.client(&bybit.Options{Budget: budget}), v.client(&bybit.Options{Budget: budget})}
		begun := time.Now()
		var wg sync.WaitGroup
		for i := range 1500 {
			wg.Go(func() {
				if err := get(t, clients[i%2], fmt.Sprintf("/v5/%d", i%7)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begun); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("1500 requests took %v, want 10 s", took)
		}
		uses := budget.Limits()
		if len(uses) != 1 || uses[0] != (bybit.LimitUse{Host: "rest", Used: 300, Calls: 600, Per: 5 * time.Second}) {
			t.Errorf("uses %+v", uses)
		}
	})
}

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

// Waiting calls go in their order, cancels before all others; ctx ends a wait.
func TestCancelsGoFirst(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		budget := bybit.NewBudget(&bybit.BudgetOptions{Requests: 2, RequestsPer: time.Second})
		waited := 0
		client := v.client(&bybit.Options{Budget: budget, Trace: &bybit.Trace{
			CallLimited: func(_ bybit.TraceCall, scope bybit.LimitScope, wait time.Duration) {
				if waited++; scope != bybit.LimitAddress || wait <= 0 {
					t.Errorf("told of scope %v, %v", scope, wait)
				}
			},
		}})
		var wg sync.WaitGroup
		call := func(method, path string) {
			wg.Go(func() {
				if err := client.Call(t.Context(), method, path, nil, nil); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		for i := range 6 {
			call(http.MethodPost, fmt.Sprintf("/v5/place/%d", i))
		}
		for i := range 3 {
			call(http.MethodPost, fmt.Sprintf("/v5/cancel/%d", i))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := client.Call(ctx, http.MethodGet, "/v5/late", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a wait without time gives %v", err)
		}
		wg.Wait()
		want := []string{"/v5/place/0", "/v5/place/1", "/v5/cancel/0", "/v5/cancel/1", "/v5/cancel/2", "/v5/place/2", "/v5/place/3", "/v5/place/4", "/v5/place/5"}
		got := pathsOf(v.requests())
		for i := 0; i+1 < len(got); i += 2 { // two go at the same moment
			slices.SortFunc(got[i:i+2], func(a, b string) int { return slices.Index(want, a) - slices.Index(want, b) })
		}
		if !slices.Equal(got, want) {
			t.Errorf("asked %q\nwant %q", got, want)
		}
		if waited != 8 {
			t.Errorf("%d waits were traced, want 8", waited)
		}
	})
}

// A refused call says when to come again.
func TestLimitRefuse(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		client := v.client(&bybit.Options{
			Budget: bybit.NewBudget(&bybit.BudgetOptions{Requests: 2, RequestsPer: 4 * time.Second}), Limits: bybit.LimitRefuse,
		})
		for range 2 {
			if err := get(t, client, "/v5/x"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		err := get(t, client, "/v5/x")
		if want := "GET /v5/x: not sent: the limit of 2 requests in 4s of this address is used up for 2s"; err == nil || err.Error() != want {
			t.Errorf("the error is %v\nwant %s", err, want)
		}
		time.Sleep(2 * time.Second)
		if err := get(t, client, "/v5/x"); err != nil {
			t.Error(err)
		}
	})
}

// 10006 closes an endpoint until the moment that its header names, in the exchange's time.
func TestTooManyVisits(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		const ahead = time.Hour
		d := v.guarded()
		d.ahead = func() time.Duration { return ahead }
		n := 0
		d.inside = func(w http.ResponseWriter, r *http.Request) {
			if n++; n > 1 {
				io.WriteString(w, plainReply)
				return
			}
			w.Header().Set("X-Bapi-Limit-Reset-Timestamp", strconv.FormatInt(time.Now().Add(ahead+7*time.Second).UnixMilli(), 10))
			io.WriteString(w, `{"retCode":10006,"retMsg":"Too many visits!"}`)
		}
		client := v.client(&bybit.Options{Credentials: testCredentials()})
		begun := time.Now()
		if err := get(t, client, "/v5/order/x"); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took != 7*time.Second {
			t.Errorf("it took %v, want 7 s", took)
		}
		if got := pathsOf(v.requests()); len(got) != 2 {
			t.Errorf("asked %q", got)
		}
	})
}
