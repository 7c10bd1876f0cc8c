package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
)

// What a read is repeated for, and how often.
func TestReadsAreRepeated(t *testing.T) {
	status := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, text)
		}
	}
	for _, c := range []struct {
		name string
		bad  http.HandlerFunc
		made int // requests, if it goes on
		err  string
	}{
		{"502", status(502, "<html>"), 4, "HTTP 502: <html>"},
		{"503 without a body", status(503, ""), 4, "HTTP 503 Service Unavailable"},
		{"429", status(429, ""), 4, "HTTP 429 Too Many Requests"},
		{"busy", status(200, `{"retCode":429,"retMsg":"busy"}`), 4, "busy (429)"},
		{"too many visits", status(200, `{"retCode":10006,"retMsg":"Too many visits!"}`), 4, "Too many visits! (10006)"},
		{"too many of the address", status(200, `{"retCode":10018,"retMsg":"Exceeded the IP Rate Limit."}`), 4, "Exceeded the IP Rate Limit. (10018)"},
		{"too many of all", status(200, `{"retCode":10429,"retMsg":"system frequency"}`), 4, "system frequency (10429)"},
		{"a server error", status(200, `{"retCode":10016,"retMsg":"Server error"}`), 4, "Server error (10016)"},
		{"a server timeout", status(200, `{"retCode":10000,"retMsg":"Server Timeout"}`), 4, "Server Timeout (10000)"},
		{"cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 4, "EOF"},
		{"a refusal", status(200, `{"retCode":10001,"retMsg":"no"}`), 1, "no (10001)"},
		{"no JSON", status(200, "hello"), 1, "decode message"},
		{"404", status(404, ""), 1, "HTTP 404 Not Found"},
		{"no reply", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 4, "no reply within 20s"},
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			var waits []time.Duration
			client := v.client(&bybit.Options{Trace: &bybit.Trace{
				CallRetry: func(call bybit.TraceCall, wait time.Duration, err error) {
					if call.Path != "/v5/x" || call.Attempt != len(waits)+1 || err == nil {
						t.Errorf("%s: told of %+v, %v", c.name, call, err)
					}
					waits = append(waits, wait)
				},
			}})
			v.serve(c.bad)
			err := get(t, client, "/v5/x")
			if err == nil || !strings.HasPrefix(err.Error(), "GET /v5/x: ") || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %s", c.name, err, c.err)
			}
			if timeout, ok := errors.AsType[net.Error](err); c.name == "no reply" && (!ok || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded)) {
				t.Errorf("%s: %v is no timeout", c.name, err)
			}
			if got := len(v.requests()); got != c.made || len(waits) != c.made-1 {
				t.Errorf("%s: %d requests, %d waits, want %d", c.name, got, len(waits), c.made)
			}
			for i, wait := range waits {
				if most := 250 * time.Millisecond << i; wait <= 0 || wait > most {
					t.Errorf("%s: wait %d is %v, want up to %v", c.name, i, wait, most)
				}
			}
			if c.made == 1 {
				return
			}
			waits = nil
			// The third time it works.
			var n atomic.Int64
			v.serve(func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) < 3 {
					c.bad(w, r)
					return
				}
				io.WriteString(w, plainReply)
			})
			if err := get(t, client, "/v5/x"); err != nil || len(v.requests()) != 3 {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
}

func TestRetriesAreAnOption(t *testing.T) {
	for retries, made := range map[int]int{-1: 1, 0: 4, 1: 2} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			v.serve(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
			if err := get(t, v.client(&bybit.Options{Retries: retries}), "/v5/x"); err == nil || len(v.requests()) != made {
				t.Errorf("Retries %d: %v, want %d requests", retries, err, made)
			}
		})
	}
}

// When ctx has no time for the wait, the failure is returned, which says more than that the time
// is up.
func TestRetriesHonourTheContext(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		v.serve(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
		client := v.client(&bybit.Options{Retries: 1000})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		err := client.Call(ctx, http.MethodGet, "/v5/x", nil, nil)
		if e, ok := errors.AsType[*bybit.Error](err); !ok || e.Status != 500 {
			t.Errorf("the error is %v", err)
		}
		if took := time.Since(begun); took >= time.Minute || took < 40*time.Second {
			t.Errorf("it took %v of a minute", took)
		}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, stop)
		if err := client.Call(ctx, http.MethodGet, "/v5/x", nil, nil); err == nil || ctx.Err() == nil {
			t.Errorf("a call that was stopped = %v", err)
		}
		time.AfterFunc(10*time.Second, func() { client.Close() })
		if err := get(t, client, "/v5/x"); err == nil {
			t.Error("a closed client goes on")
		}
	})
}

// Connections are used again, by calls one after the other and by calls at the same time.
func TestConnectionsAreKept(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		v.guarded()
		var dials atomic.Int64
		client, err := bybit.NewClient(&bybit.Options{
			Environment: v.env, Credentials: testCredentials(),
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				dials.Add(1)
				return v.ln.Dial(ctx, network, addr)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		for range 5 {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				if err := client.Call(t.Context(), method, "/v5/order/x", nil, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := dials.Load(); got != 1 {
			t.Errorf("%d connections for ten calls, want one", got)
		}
		time.Sleep(time.Minute)
		if err := get(t, client, "/v5/order/x"); err != nil || dials.Load() != 2 {
			t.Errorf("after a minute: %v, %d connections, want a new one", err, dials.Load())
		}
	})
}

// A connection that the server has closed meanwhile: no request is made twice by package net/http, a
// write of which nothing has left goes over a new connection, and one that may have
// arrived is not repeated.
func TestStaleConnectionsDoNotRepeat(t *testing.T) {
	for _, c := range []struct {
		name   string
		settle bool // the client has seen the end of the connection
		after  bool // the server reads the request and closes
		write  bool
	}{
		{"closed, seen, write", true, false, true},
		{"closed, unseen, write", false, false, true},
		{"closed after reading, write", false, true, true},
		{"closed after reading, read", false, true, false},
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			var begun []bybit.TraceCall
			client := v.client(&bybit.Options{Retries: -1, Trace: &bybit.Trace{CallBegun: func(c bybit.TraceCall) { begun = append(begun, c) }}})
			if err := get(t, client, "/v5/x"); err != nil {
				t.Fatal(err)
			}
			v.requests()
			begun = nil
			if c.after {
				v.serve(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			} else {
				v.ln.CutAll()
			}
			if c.settle {
				synctest.Wait()
			}
			method := http.MethodGet
			if c.write {
				method = http.MethodPost
			}
			err := client.Call(t.Context(), method, "/v5/order/x", nil, nil)
			requests := v.requests()
			switch {
			case len(requests) != 1:
				t.Errorf("%s: %d requests, want one", c.name, len(requests))
			case !c.after && err != nil:
				t.Errorf("%s: %v", c.name, err)
			case c.after && (err == nil || errors.Is(err, bybit.ErrOutcomeUnknown) != c.write):
				t.Errorf("%s: %v", c.name, err)
			}
			if c.after && len(begun) != 1 {
				t.Errorf("%s: begun %v", c.name, begun)
			}
		})
	}
}

// The trace is told in order of what happens.
func TestTraceOfCalls(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		var told []string
		tell := func(format string, x ...any) { told = append(told, fmt.Sprintf(format, x...)) }
		client := v.client(&bybit.Options{Trace: &bybit.Trace{
			CallBegun: func(c bybit.TraceCall) { tell("begun %s %s %d", c.Method, c.Path, c.Attempt) },
			CallEnded: func(c bybit.TraceCall, took time.Duration, err error) { tell("ended %d %v %v", c.Attempt, took, err) },
			CallRetry: func(c bybit.TraceCall, wait time.Duration, err error) { tell("retry %d", c.Attempt) },
		}})
		var n atomic.Int64
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(3 * time.Millisecond)
			if n.Add(1) == 1 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			io.WriteString(w, plainReply)
		})
		if err := get(t, client, "/v5/x"); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"begun GET /v5/x 1", "ended 1 3ms GET /v5/x: HTTP 500 Internal Server Error", "retry 1",
			"begun GET /v5/x 2", "ended 2 3ms <nil>",
		}
		if !slices.Equal(told, want) {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
	})
}
