package bybit

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slowReader is an empty body that takes its time to say so, as a process does that is
// not run for a while.
type slowReader struct{ wait time.Duration }

func (r slowReader) Read([]byte) (int, error) {
	time.Sleep(r.wait)
	return 0, io.EOF
}

// A GET is never sent in chunks, however long this process was held up.
func TestGetsAreNotChunked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := (&Options{Environment: CustomEnvironment("", "http://localhost")}).withDefaults()
		r, err := newREST(&opts, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		h := r.newHTTP(t.Context(), &request{endpoint: endpointOf("GET", "/v5/x"), query: []byte("a=b")}, &attempt{})
		h.Body = io.NopCloser(slowReader{time.Second})
		var sent bytes.Buffer
		if err := h.Write(&sent); err != nil {
			t.Fatal(err)
		}
		if want := "GET /v5/x?a=b HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Go-http-client/1.1\r\n\r\n"; sent.String() != want {
			t.Errorf("sent %q\nwant %q", sent.String(), want)
		}
	})
}

// A connection that bytes cannot be counted on may have taken some.
func TestBytesThatAreNotCountedMayHaveLeft(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	for _, c := range []struct {
		name string
		conn net.Conn
		any  bool
	}{
		{"a counted one", &countedConn{Conn: here}, false},
		{"TLS over a counted one", tls.Client(&countedConn{Conn: here}, &tls.Config{MinVersion: tls.VersionTLS12}), false},
		{"another", here, true},
	} {
		g := &gate{}
		p, _, _ := g.enter(1, reads)
		a := &attempt{permit: &permit{address: p}}
		if a.any() {
			t.Errorf("%s: something has left before there is a connection", c.name)
		}
		if a.leaves(httptrace.GotConnInfo{Conn: c.conn, Reused: true}); a.any() != c.any || !a.reused {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
}

// What a client cannot be made with, and why.
func TestTransportsThatAreRefused(t *testing.T) {
	credentials := &Credentials{Key: "k", Secret: "s"}
	for _, c := range []struct {
		url  string
		opts Options
		want string // "" is none
	}{
		{"https://api.example.com", Options{Credentials: credentials}, ""},
		{"http://localhost:8080", Options{Credentials: credentials}, ""},
		{"http://127.0.0.1:8080", Options{Credentials: credentials}, ""},
		{"http://[::1]:8080", Options{Credentials: credentials}, ""},
		{"http://api.example.com", Options{}, ""},
		{"http://api.example.com", Options{Credentials: credentials}, `client: RESTURL "http://api.example.com": credentials go over http to this machine alone; use https`},
		{"http://127.0.0.1.example.com", Options{Credentials: credentials}, "use https"},
		{"http://192.0.2.1", Options{Credentials: credentials}, "use https"},
		{"http://localhost", Options{RecvWindow: time.Microsecond}, "client: RecvWindow is 1µs, less than the exchange can count"},
		{"http://localhost", Options{RecvWindow: time.Millisecond}, ""},
		{"http://localhost", Options{Referer: "a\r\nb: c"}, `client: the Referer "a\r\nb: c" has a character that no header has`},
	} {
		c.opts.Environment = CustomEnvironment("", c.url)
		client, err := NewClient(&c.opts)
		if err == nil {
			client.Close()
		}
		if got := errorText(err); (got == "") != (c.want == "") || !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %v, want %q", c.url, err, c.want)
		}
	}
}

// A certificate that does not hold is the same the next time.
func TestCertificatesAreNotTriedAgain(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("dial: %w", &tls.CertificateVerificationError{Err: errors.New("expired")}), false},
		{fmt.Errorf("dial: %w", io.ErrUnexpectedEOF), true},
	} {
		if got := passes(c.err); got != c.want {
			t.Errorf("%v may pass: %v, want %v", c.err, got, c.want)
		}
	}
}

// A request that could not be signed has taken no time, and counts nowhere.
func TestUnsignedRequestsTakeNoTime(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the device is gone")
	took := time.Duration(-1)
	client, err := NewClient(&Options{
		Environment: CustomEnvironment("", "http://localhost"), Credentials: &Credentials{Key: "k", Signer: brokenSigner{key, broken}}, Retries: -1,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("down") },
		Trace: &Trace{CallEnded: func(c TraceCall, d time.Duration, err error) {
			if c.Path == "/v5/order/x" {
				took = d
			}
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Call(t.Context(), http.MethodGet, "/v5/order/x", nil, nil); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if took < 0 || took > time.Minute {
		t.Errorf("it took %v", took)
	}
	for _, use := range client.opts.Budget.Limits() {
		if use.Used != 0 {
			t.Errorf("used %+v", use)
		}
	}
}
