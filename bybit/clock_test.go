package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

// get makes a signed call without params.
func get(t *testing.T, c *bybit.Client, path string) error {
	return c.Call(t.Context(), http.MethodGet, path, nil, nil)
}

// The first signed call measures the clock; however wrong this machine's is, the call
// succeeds at once.
func TestFailureClass07_ClockIsMeasured(t *testing.T) {
	for _, ahead := range []time.Duration{0, 3 * time.Hour, -3 * time.Hour, 1500 * time.Millisecond, -7 * time.Second} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			v.guarded().ahead = func() time.Duration { return ahead }
			var measured []bybit.ClockSync
			c := v.client(&bybit.Options{Credentials: testCredentials(), Trace: &bybit.Trace{
				ClockMeasured: func(m bybit.ClockSync) { measured = append(measured, m) },
			}})
			if c.Clock() != (bybit.ClockSync{}) {
				t.Errorf("the clock of a new client is %+v", c.Clock())
			}
			for range 3 {
				if err := get(t, c, "/v5/order/x"); err != nil {
					t.Errorf("%v ahead: %v", ahead, err)
				}
			}
			requests := v.requests()
			if len(requests) != 8 || len(pathsOf(requests)) != 3 {
				t.Errorf("%v ahead: %d requests, want five for the time and three", ahead, len(requests))
			}
			if got := c.Clock(); len(measured) != 1 || got != measured[0] || got.Offset != ahead || got.Samples != 4 || got.Measured.IsZero() {
				t.Errorf("%v ahead: measured %+v, told %+v", ahead, got, measured)
			}
		})
	}
}

// A clock that is set while the program runs makes the exchange refuse once. The call is
// signed anew, once, also if it is a write: it was refused.
func TestFailureClass07_OneSecondSignature(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		var mu sync.Mutex
		ahead := time.Duration(0)
		set := func(d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			ahead = d
		}
		v.guarded().ahead = func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return ahead
		}
		c := v.client(&bybit.Options{Credentials: testCredentials()})
		if m, err := c.SyncTime(t.Context()); err != nil || m.Offset != 0 {
			t.Fatalf("SyncTime = %+v, %v", m, err)
		}
		v.requests()
		elapse(2 * time.Second)
		set(time.Minute)
		if err := c.Call(t.Context(), http.MethodPost, "/v5/order/x", nil, nil); err != nil {
			t.Error(err)
		}
		if got := pathsOf(v.requests()); !slices.Equal(got, []string{"/v5/order/x", "/v5/order/x"}) || c.Clock().Offset != time.Minute {
			t.Errorf("asked %q, offset %v", got, c.Clock().Offset)
		}
		// Many calls at once share one measurement.
		elapse(2 * time.Second)
		set(2 * time.Minute)
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if err := get(t, c, fmt.Sprintf("/v5/order/%d", i)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if requests := v.requests(); len(requests)-len(pathsOf(requests)) != 5 || len(pathsOf(requests)) > 20 {
			t.Errorf("%d requests, %d of them not for the time, want five for the time", len(requests), len(pathsOf(requests)))
		}
	})
}

// A refusal that stays says how far the clocks are apart; it is no reason to ask again and
// again.
func TestFailureClass07_RefusalTellsTheSkew(t *testing.T) {
	for _, code := range []int{10002, 10004} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			d := v.guarded()
			d.ahead = func() time.Duration { return -3200 * time.Millisecond }
			d.inside = func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"retCode":%d,"retMsg":"no","result":{}}`, code)
			}
			c := v.client(&bybit.Options{Credentials: testCredentials()})
			err := get(t, c, "/v5/order/x")
			refused, ok := errors.AsType[*bybit.Error](err)
			if !ok || refused.Code != code || refused.Skew != -3200*time.Millisecond {
				t.Fatalf("%d: %v, skew %v", code, err, refused.Skew)
			}
			if want := fmt.Sprintf("GET /v5/order/x: no (%d); the exchange's clock is 3.2s behind this one", code); err.Error() != want {
				t.Errorf("the error is %v\nwant %s", err, want)
			}
			if got := pathsOf(v.requests()); len(got) != 2 {
				t.Errorf("%d: asked %q, want two", code, got)
			}
			// A wrong secret does not double every call.
			if err := get(t, c, "/v5/order/y"); err == nil {
				t.Error("no error")
			}
			requests := v.requests()
			if n := len(pathsOf(requests)); code == 10004 && len(requests) != 1 || code == 10002 && n != 2 {
				t.Errorf("%d: %d requests, %d of them not for the time", code, len(requests), n)
			}
		})
	}
}

// The median of the samples counts, without the slowest.
func TestClockDiscardsTheSlowest(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		there := []time.Duration{400, 10, 10, 30, 10} // milliseconds, on the way there
		back := []time.Duration{0, 10, 30, 10, 10}
		n := 0
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			i := n
			n++
			elapse(there[i] * time.Millisecond)
			now := time.Now().Add(time.Hour)
			elapse(back[i] * time.Millisecond)
			fmt.Fprintf(w, `{"retCode":0,"result":{"timeNano":"%d"},"time":%d}`, now.UnixNano(), now.UnixMilli())
		})
		m, err := v.client(nil).SyncTime(t.Context())
		if err != nil || m.Offset != time.Hour || m.Samples != 4 || m.RoundTrip != 40*time.Millisecond {
			t.Errorf("measured %+v, %v", m, err)
		}
	})
}

// An exchange that does not tell the time is no obstacle, and is not asked by every call.
func TestClockThatCannotBeMeasured(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v5/market/time" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			d.ServeHTTP(w, r)
		})
		c := v.client(&bybit.Options{Credentials: testCredentials()})
		for range 2 {
			if err := get(t, c, "/v5/order/x"); err != nil {
				t.Error(err)
			}
		}
		if requests := v.requests(); len(requests) != 7 {
			t.Errorf("%d requests, want five and two", len(requests))
		}
		if _, err := c.SyncTime(t.Context()); err == nil || !strings.Contains(err.Error(), "HTTP 404") {
			t.Errorf("SyncTime = %v", err)
		}
		v.serve(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"retCode":0,"time":1700000000000}`) })
		if m, err := c.SyncTime(t.Context()); err != nil || m.Samples != 4 {
			t.Errorf("the time of the envelope alone gives %+v, %v", m, err)
		}
		c.Close()
		if _, err := c.SyncTime(t.Context()); !errors.Is(err, bybit.ErrClosed) {
			t.Errorf("SyncTime of a closed client = %v", err)
		}
	})
}

// timeAsked counts the requests for the time.
func timeAsked(requests []restRequest) int { return len(requests) - len(pathsOf(requests)) }

// However often timestamps are refused, the clock is measured once a second at most, also if that
// fails.
func TestClockIsNotMeasuredAllTheTime(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		d.inside = func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"retCode":10002,"retMsg":"no"}`) }
		c := v.client(&bybit.Options{Credentials: testCredentials()})
		for range 20 {
			if e, ok := errors.AsType[*bybit.Error](get(t, c, "/v5/order/x")); !ok || e.Code != 10002 {
				t.Fatal(e)
			}
			elapse(100 * time.Millisecond)
		}
		if n := timeAsked(v.requests()); n != 10 {
			t.Errorf("asked %d times for the time in two seconds, want ten", n)
		}
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v5/market/time" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			io.WriteString(w, `{"retCode":10002,"retMsg":"no"}`)
		})
		elapse(2 * time.Second)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if e, ok := errors.AsType[*bybit.Error](get(t, c, "/v5/order/x")); !ok || e.Code != 10002 {
					t.Error(e)
				}
			})
		}
		wg.Wait()
		if n := timeAsked(v.requests()); n != 5 {
			t.Errorf("20 calls at once asked %d times for the time, want five", n)
		}
	})
}

// An order whose timestamp was refused does not leave long after it was called for, because the
// clock is slow to measure: then it stays refused. Nor does a slow sample count.
func TestClockThatIsSlowToMeasure(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		c := v.client(&bybit.Options{Credentials: testCredentials()})
		if _, err := c.SyncTime(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, slow := range []time.Duration{1900 * time.Millisecond, 19 * time.Second} {
			before := c.Clock()
			elapse(2 * time.Second)
			d.ahead = func() time.Duration { return time.Minute }
			v.requests()
			v.serve(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v5/market/time" {
					elapse(slow)
					w.WriteHeader(http.StatusNotFound)
					return
				}
				d.ServeHTTP(w, r)
			})
			begun := time.Now()
			err := c.Call(t.Context(), http.MethodPost, "/v5/order/x", nil, nil)
			if e, ok := errors.AsType[*bybit.Error](err); !ok || e.Code != 10002 {
				t.Errorf("the error is %v, want the refusal", err)
			}
			if took := time.Since(begun); took > 5*time.Second || c.Clock() != before {
				t.Errorf("it took %v, the clock is %+v", took, c.Clock())
			}
			if n := len(pathsOf(v.requests())); n != 1 {
				t.Errorf("sent %d times, want once", n)
			}
		}
		elapse(20 * time.Second) // until the venue has answered them all
		// One sample that took long says nothing about the clock.
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			elapse(2500 * time.Millisecond)
			d.ServeHTTP(w, r)
		})
		before := c.Clock()
		if m, err := c.SyncTime(t.Context()); err == nil || !strings.Contains(err.Error(), "too long") || c.Clock() != before {
			t.Errorf("slow samples give %+v, %v", m, err)
		}
	})
}

// A write that was refused after a slow measurement is not sent again past WriteWait, though the
// measurement has succeeded.
func TestResignedWritesAreNotLate(t *testing.T) {
	for wait, sent := range map[time.Duration]int{2 * time.Second: 1, 4 * time.Second: 2} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			d := v.guarded()
			c := v.client(&bybit.Options{Credentials: testCredentials(), WriteWait: wait})
			if _, err := c.SyncTime(t.Context()); err != nil {
				t.Fatal(err)
			}
			elapse(2 * time.Second)
			d.ahead = func() time.Duration { return time.Minute }
			v.serve(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v5/market/time" {
					elapse(600 * time.Millisecond)
				}
				d.ServeHTTP(w, r)
			})
			v.requests()
			err := c.Call(t.Context(), http.MethodPost, "/v5/order/x", nil, nil)
			if n := len(pathsOf(v.requests())); n != sent || (err == nil) != (sent == 2) || c.Clock().Offset < 50*time.Second {
				t.Errorf("WriteWait %v: sent %d times, want %d: %v", wait, n, sent, err)
			}
		})
	}
}

// hangs makes the venue's time hang, and answers all else at once.
func (v *restVenue) hangs() {
	v.serve(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v5/market/time" {
			<-r.Context().Done()
			return
		}
		io.WriteString(w, plainReply)
	})
}

// While the time cannot be had, cancels leave all the same: the first after a second or half of
// its time, the others at once, and one measurement is made for all.
func TestCancelsDoNotWaitForTheClock(t *testing.T) {
	for _, c := range []struct{ timeout, first time.Duration }{
		{3 * time.Second, time.Second}, {time.Second, 500 * time.Millisecond}, {time.Hour, time.Second},
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			client := v.client(&bybit.Options{Credentials: testCredentials()})
			v.hangs()
			for i := range 10 {
				begun, most := time.Now(), time.Duration(0)
				if i < 2 {
					most = c.first
				}
				ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
				if err := client.Call(ctx, http.MethodPost, "/v5/order/cancel-x", nil, nil); err != nil || time.Since(begun) > most {
					t.Errorf("%v: cancel %d took %v: %v", c.timeout, i, time.Since(begun), err)
				}
				cancel()
			}
			requests := v.requests()
			if n := timeAsked(requests); n != 1 || len(requests) != 11 {
				t.Errorf("%v: %d requests, %d of them for the time, want 11 and one", c.timeout, len(requests), n)
			}
			// It ends by itself, and what it was begun for is not needed for it.
			elapse(5 * time.Second)
			if err := get(t, client, "/v5/order/x"); err != nil || len(v.requests()) != 1 {
				t.Errorf("after the measurement: %v", err)
			}
		})
	}
}

// A measurement outlives the calls that wait for it, and is there for those that come.
func TestMeasurementsAreTheClients(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		v.serve(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v5/market/time" {
				elapse(300 * time.Millisecond)
			}
			d.ServeHTTP(w, r)
		})
		client := v.client(&bybit.Options{Credentials: testCredentials()})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.SyncTime(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("SyncTime = %v", err)
		}
		elapse(time.Second)
		if m := client.Clock(); m.Samples != 4 {
			t.Errorf("the clock is %+v", m)
		}
		// Close ends one, and waits for it.
		client = v.client(&bybit.Options{Credentials: testCredentials()})
		v.hangs()
		if err := get(t, client, "/v5/order/x"); err != nil {
			t.Error(err)
		}
		begun := time.Now()
		if client.Close(); time.Since(begun) != 0 {
			t.Errorf("Close took %v", time.Since(begun))
		}
	})
}

// The wait for the first measurement counts as every other: an order leaves within WriteWait.
func TestFirstWriteIsNotLate(t *testing.T) {
	for _, wait := range []time.Duration{200 * time.Millisecond, time.Second, 5 * time.Second} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			client := v.client(&bybit.Options{Credentials: testCredentials(), WriteWait: wait})
			v.hangs()
			begun := time.Now()
			if err := client.Call(t.Context(), http.MethodPost, "/v5/order/x", nil, nil); err != nil {
				t.Error(err)
			}
			if took := time.Since(begun); took >= wait {
				t.Errorf("WriteWait %v: it left after %v", wait, took)
			}
		})
	}
}
