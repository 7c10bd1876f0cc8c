package bybit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
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
		client := v.client(&bybit.Options{Credentials: testCredentials(), Retries: -1, WriteWait: -1})
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
		if len(uses) != 1 || uses[0] != (bybit.LimitUse{Host: "localhost", Used: 300, Calls: 600, Per: 5 * time.Second}) {
			t.Errorf("uses %+v", uses)
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

// While requests wait for the address, no more of them gather than their account's limit lets
// leave at once.
func TestFailureClass20_NoBurstAfterAWait(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		l := &limited{t: t, calls: 2, made: map[string][]time.Time{}}
		d.inside = l.ServeHTTP
		client := v.client(&bybit.Options{
			Budget:      bybit.NewBudget(&bybit.BudgetOptions{Requests: 20, RequestsPer: 30 * time.Second}),
			Credentials: testCredentials(), Retries: -1, WriteWait: -1,
		})
		if err := get(t, client, "/v5/order/x"); err != nil { // the limit is learned, five samples are used
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 14 {
			if err := get(t, client, fmt.Sprintf("/v5/order/%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		for range 10 {
			wg.Go(func() {
				if err := get(t, client, "/v5/order/x"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, at := range l.made["/v5/order/x"] {
			if n := within(l.made["/v5/order/x"][:i+1], at.Add(-time.Second)); n > 2 {
				t.Errorf("%d of a limit of 2 within a second", n)
			}
		}
	})
}

// Nor while they wait for a connection.
func TestFailureClass20_NoBurstAfterADial(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		l := &limited{t: t, calls: 2, made: map[string][]time.Time{}}
		d.inside = l.ServeHTTP
		opened := time.Now()
		client, err := bybit.NewClient(&bybit.Options{
			Environment: v.env, Credentials: testCredentials(), Retries: -1,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				elapse(time.Until(opened))
				return v.ln.Dial(ctx, network, addr)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := get(t, client, "/v5/order/x"); err != nil {
			t.Fatal(err)
		}
		v.ln.CutAll()
		synctest.Wait()
		opened = time.Now().Add(10 * time.Second)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := get(t, client, "/v5/order/x"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

// What never left counts nowhere.
func TestUnsentRequestsDoNotCount(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		d.inside = (&limited{t: t, calls: 5, made: map[string][]time.Time{}}).ServeHTTP
		budget := bybit.NewBudget(nil)
		client := v.client(&bybit.Options{Credentials: testCredentials(), Retries: -1, Limits: bybit.LimitRefuse, Budget: budget})
		cancel := func() error { return client.Call(t.Context(), http.MethodPost, "/v5/order/cancel-x", nil, nil) }
		if err := cancel(); err != nil {
			t.Fatal(err)
		}
		elapse(10 * time.Second)
		v.ln.CutAll()
		v.ln.Refuse(errors.New("down"))
		for range 10 {
			if err := cancel(); err == nil || !strings.Contains(err.Error(), "down") {
				t.Fatal(err)
			}
		}
		for _, use := range budget.Limits() {
			if use.Used != 0 {
				t.Errorf("of requests that never left %+v is used", use)
			}
		}
		v.ln.Refuse(nil)
		if err := cancel(); err != nil {
			t.Error(err)
		}
	})
}

// Cancels and what they need of the clock go first, then other writes, then reads; an order that
// could only leave late is not sent at all.
func TestWritesGoBeforeReads(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		d.inside = func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"retCode":0,"retMsg":"OK","result":{"orderId":"1"}}`)
		}
		budget := bybit.NewBudget(&bybit.BudgetOptions{Requests: 1, RequestsPer: 100 * time.Millisecond})
		reader := v.client(&bybit.Options{Budget: budget})
		trader := v.client(&bybit.Options{Budget: budget, Credentials: testCredentials()})
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v5/market/tickers" { // not signed
				io.WriteString(w, plainReply)
				return
			}
			d.ServeHTTP(w, r)
		})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if err := get(t, reader, "/v5/market/tickers"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		begun := time.Now()
		for _, path := range []string{"/v5/order/create", "/v5/order/disconnected-cancel-all", "/v5/order/cancel-batch"} {
			wg.Go(func() {
				if err := trader.Call(t.Context(), http.MethodPost, path, nil, nil); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took > 5*time.Second {
					t.Errorf("%s took %v", path, took)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		var order []string
		for _, r := range v.requests() {
			if len(order) == 0 || order[len(order)-1] != r.path {
				order = append(order, r.path)
			}
		}
		want := []string{"/v5/market/tickers", "/v5/market/time", "/v5/order/cancel-batch", "/v5/order/disconnected-cancel-all", "/v5/order/create", "/v5/market/tickers"}
		if slices.Sort(order[2:4]); !slices.Equal(order, want) {
			t.Errorf("asked %q\nwant %q", order, want)
		}
	})
}

func TestLateWritesAreNotSent(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		client := v.client(&bybit.Options{Budget: bybit.NewBudget(&bybit.BudgetOptions{Requests: 2, RequestsPer: 4 * time.Second})})
		var wg sync.WaitGroup
		var mu sync.Mutex
		sent, late := 0, 0
		begun := time.Now()
		for range 10 {
			wg.Go(func() {
				err := client.Call(t.Context(), http.MethodPost, "/v5/order/x", nil, nil)
				full, ok := errors.AsType[*bybit.LimitError](err)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					sent++
				case ok && full.Scope == bybit.LimitAddress && full.Calls == 2 && full.RetryAfter > 5*time.Second && time.Since(begun) == 0:
					late++ // and known to be so at once
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begun); sent != 4 || late != 6 || took != 4*time.Second || len(v.requests()) != 4 {
			t.Errorf("%d were sent, %d late after %v, want 4 and 6 after 4 s", sent, late, took)
		}
		// Cancels are worth it whenever they leave; and a wait that is too long is none.
		client = v.client(&bybit.Options{WriteWait: time.Second, Budget: bybit.NewBudget(&bybit.BudgetOptions{Requests: 1, RequestsPer: 4 * time.Second})})
		if err := get(t, client, "/v5/x"); err != nil {
			t.Fatal(err)
		}
		begun = time.Now()
		err := client.Call(t.Context(), http.MethodPost, "/v5/order/x", nil, nil)
		if full, ok := errors.AsType[*bybit.LimitError](err); !ok || full.RetryAfter != 4*time.Second || time.Since(begun) != 0 {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		if err := client.Call(t.Context(), http.MethodPost, "/v5/order/cancel-x", nil, nil); err != nil || time.Since(begun) != 4*time.Second {
			t.Errorf("a cancel after %v: %v", time.Since(begun), err)
		}
	})
}

// Whoever is refused because others wait is told when there may be room: never now.
func TestRetryAfterIsNotNow(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		v.guarded()
		budget := bybit.NewBudget(&bybit.BudgetOptions{Requests: 20, RequestsPer: 4 * time.Second})
		rows := func(n int) json.RawMessage {
			return json.RawMessage(`{"category":"linear","request":[` + strings.TrimSuffix(strings.Repeat("{},", n), ",") + `]}`)
		}
		patient := v.client(&bybit.Options{Budget: budget, Credentials: testCredentials(), WriteWait: -1})
		batch := func(c *bybit.Client, n int) error {
			return c.Call(t.Context(), http.MethodPost, "/v5/order/cancel-batch", rows(n), nil)
		}
		if err := batch(patient, 7); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := batch(patient, 8); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		hasty := v.client(&bybit.Options{Budget: budget, Credentials: testCredentials(), Limits: bybit.LimitRefuse})
		if full, ok := errors.AsType[*bybit.LimitError](batch(hasty, 1)); !ok || full.RetryAfter != time.Second {
			t.Errorf("behind one that waits: %v", full)
		}
		wg.Wait()
	})
}

// Of a burst those that cannot leave within WriteWait, behind those before them, fail at once, and
// none that can. The exchange's limit is 10 a second, and a reply takes 50 ms.
func TestBurstsFailAtOnce(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		d.inside = func(w http.ResponseWriter, r *http.Request) {
			elapse(50 * time.Millisecond)
			io.WriteString(w, plainReply)
		}
		client := v.client(&bybit.Options{Credentials: testCredentials(), WriteWait: 4500 * time.Millisecond})
		if _, err := client.SyncTime(t.Context()); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		var wg sync.WaitGroup
		var mu sync.Mutex
		sent, refused := 0, 0
		for range 100 {
			wg.Go(func() {
				err := client.Call(t.Context(), http.MethodPost, "/v5/order/create", json.RawMessage(`{"category":"linear"}`), nil)
				full, limited := errors.AsType[*bybit.LimitError](err)
				mu.Lock()
				defer mu.Unlock()
				switch took := time.Since(begun); {
				case err == nil || !limited && errors.Is(err, bybit.ErrOutcomeUnknown):
					sent++
				case limited && took == 0 && full.RetryAfter >= 4500*time.Millisecond:
					refused++
				default:
					t.Errorf("after %v: %v", took, err)
				}
			})
		}
		wg.Wait()
		if sent != 50 || refused != 50 || len(pathsOf(v.requests())) != 50 {
			t.Errorf("%d were sent and %d refused at once, want 50 and 50", sent, refused)
		}
	})
}
