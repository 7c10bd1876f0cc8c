package bybit_test

import (
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/memnet"
)

// restVenue is the REST half of an exchange over the in-memory network. It answers as it is
// told, and writes down what was asked.
type restVenue struct {
	tb  testing.TB
	ln  *memnet.Listener
	env bybit.Environment

	mu      sync.Mutex // guards what follows
	handler http.HandlerFunc
	log     []restRequest
	clients []*bybit.Client
}

// restRequest is a request that came.
type restRequest struct {
	method, path, query, body string
	header                    http.Header
}

// line is the request in one line.
func (r restRequest) line() string {
	line := r.method + " " + r.path
	if r.query != "" {
		line += "?" + r.query
	}
	if r.body != "" {
		line += " " + r.body
	}
	return line
}

const plainReply = `{"retCode":0,"retMsg":"OK","result":{},"retExtInfo":{},"time":1700000000000}`

// inRESTBubble runs a test with an exchange in fake time.
func inRESTBubble(t *testing.T, f func(t *testing.T, v *restVenue)) {
	synctest.Test(t, func(t *testing.T) {
		v := &restVenue{tb: t, ln: memnet.Listen("rest"), env: bybit.CustomEnvironment("", "http://localhost")}
		srv := &http.Server{Handler: v, ErrorLog: log.New(io.Discard, "", 0)}
		var wg sync.WaitGroup
		wg.Go(func() { srv.Serve(v.ln) })
		defer func() {
			for _, c := range v.clients {
				c.Close()
			}
			srv.Close()
			v.ln.Close()
			v.ln.CutAll()
			wg.Wait()
		}()
		f(t, v)
	})
}

func (v *restVenue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	v.mu.Lock()
	v.log = append(v.log, restRequest{r.Method, r.URL.Path, r.URL.RawQuery, string(body), r.Header})
	h := v.handler
	v.mu.Unlock()
	if h == nil {
		io.WriteString(w, plainReply)
		return
	}
	h(w, r)
}

// serve says how requests are answered.
func (v *restVenue) serve(h http.HandlerFunc) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.handler = h
}

// replies answers every request alike.
func (v *restVenue) replies(body string) {
	v.serve(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
}

// requests returns what has been asked since it was called last.
func (v *restVenue) requests() []restRequest {
	v.mu.Lock()
	defer v.mu.Unlock()
	log := v.log
	v.log = nil
	return log
}

// asked is requests as lines.
func (v *restVenue) asked() []string {
	var lines []string
	for _, r := range v.requests() {
		lines = append(lines, r.line())
	}
	return lines
}

// wantAsked compares asked with what is wanted.
func (v *restVenue) wantAsked(want ...string) {
	v.tb.Helper()
	if got := v.asked(); !slices.Equal(got, want) {
		v.tb.Errorf("asked\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// client returns a client of the venue; nil options are the defaults.
func (v *restVenue) client(opts *bybit.Options) *bybit.Client {
	v.tb.Helper()
	o := bybit.Options{}
	if opts != nil {
		o = *opts
	}
	o.Environment, o.DialContext = v.env, v.ln.Dial
	c, err := bybit.NewClient(&o)
	if err != nil {
		v.tb.Fatal(err)
	}
	v.clients = append(v.clients, c)
	return c
}

// elapse lets fake time pass, inside inRESTBubble.
func elapse(d time.Duration) { time.Sleep(d) }
