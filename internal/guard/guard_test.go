package guard_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/guard"
)

// ask returns the status of a request, and the path that the handler behind the guard saw.
func ask(opts guard.Options, r *http.Request) (int, string, http.Header) {
	var path string
	h := guard.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
	}), opts)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, path, w.Header()
}

func request(host string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v5/market/time", nil)
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestHosts(t *testing.T) {
	opts := guard.Options{Hosts: []string{"box.lan", "192.168.1.7"}}
	for host, want := range map[string]int{
		"127.0.0.1:8787":             200,
		"127.9.9.9":                  200,
		"localhost:8787":             200,
		"LOCALHOST":                  200,
		"localhost.:8787":            200,
		"bot.localhost:8787":         200,
		"[::1]:8787":                 200,
		"[::1]":                      200,
		"[::ffff:127.0.0.1]:8787":    200,
		"box.lan:8787":               200,
		"Box.Lan":                    200,
		"192.168.1.7:8787":           200,
		"192.168.1.8:8787":           421,
		"evil.example:8787":          421,
		"localhost.evil.example":     421,
		"127.0.0.1.nip.example:8787": 421,
		"evillocalhost":              421,
		"":                           421,
		"0.0.0.0:8787":               421,
		"[::]:8787":                  421,
	} {
		if got, _, _ := ask(opts, request(host)); got != want {
			t.Errorf("Host %q: %d, want %d", host, got, want)
		}
	}
}

func TestWebPages(t *testing.T) {
	opts := guard.Options{Origins: []string{"http://localhost:3000"}}
	for _, test := range []struct {
		name   string
		header []string
		want   int
	}{
		{"a bot", nil, 200},
		{"a page elsewhere", []string{"Origin", "https://evil.example"}, 403},
		{"a page in a sandbox", []string{"Origin", "null"}, 403},
		{"a page of another local server", []string{"Origin", "http://localhost:9999"}, 403},
		{"the same name with another port", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"a page of ours", []string{"Origin", "http://127.0.0.1:8787", "Sec-Fetch-Site", "same-origin"}, 200},
		{"an allowed page", []string{"Origin", "http://localhost:3000", "Sec-Fetch-Site", "same-site"}, 200},
		{"an allowed page and another", []string{"Origin", "http://localhost:3000", "Origin", "https://evil.example"}, 403},
		{"an image in a page elsewhere", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"an image in a page of another local server", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"typed into a browser", []string{"Sec-Fetch-Site", "none"}, 200},
		{"a handshake of a page elsewhere", []string{"Connection", "Upgrade", "Upgrade", "websocket", "Origin", "https://evil.example"}, 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _, header := ask(opts, request("127.0.0.1:8787", test.header...))
			if got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
			for name := range header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("sends %s", name)
				}
			}
		})
	}
}

func TestToken(t *testing.T) {
	opts := guard.Options{Token: "s3cret"}
	for _, test := range []struct {
		path, authorization string
		want                int
		inner               string
	}{
		{"/v5/market/time", "", 401, ""},
		{"/v5/market/time", "Bearer s3cret", 200, "/v5/market/time"},
		{"/v5/market/time", "Bearer s3cre", 401, ""},
		{"/v5/market/time", "s3cret", 401, ""},
		{"/token/s3cret/v5/market/time", "", 200, "/v5/market/time"},
		{"/token/s3cret", "", 200, "/"},
		{"/token/wrong/v5/market/time", "", 401, ""},
		{"/token//v5/market/time", "", 401, ""},
		{"/token/s3cret/v5/market/time", "Bearer wrong", 401, ""},
	} {
		r := httptest.NewRequest(http.MethodGet, test.path, nil)
		r.Host = "localhost"
		if test.authorization != "" {
			r.Header.Set("Authorization", test.authorization)
		}
		got, inner, _ := ask(opts, r)
		if got != test.want || inner != test.inner {
			t.Errorf("%s with %q: %d and path %q, want %d and %q", test.path, test.authorization, got, inner, test.want, test.inner)
		}
	}
}

// The bound on bodies holds whether or not a length was announced.
func TestBodies(t *testing.T) {
	for size, fits := range map[int]bool{guard.MaxBody: true, guard.MaxBody + 1: false} {
		var err error
		h := guard.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, err = io.Copy(io.Discard, r.Body)
		}), guard.Options{})
		r := httptest.NewRequest(http.MethodPost, "/v5/order/create", io.MultiReader(strings.NewReader(strings.Repeat("x", size))))
		r.Host = "localhost"
		h.ServeHTTP(httptest.NewRecorder(), r)
		var tooLarge *http.MaxBytesError
		if got := !errors.As(err, &tooLarge); got != fits {
			t.Errorf("a body of %d bytes fits: %t (%v), want %t", size, got, err, fits)
		}
	}
}

// An origin that no browser would send lets nobody in, and is refused when it is given.
func TestOrigins(t *testing.T) {
	for origin, want := range map[string]string{
		"http://localhost:3000":      "",
		"https://bot.example":        "",
		"http://[::1]:3000":          "",
		"foo":                        `origin "foo": one looks like http://localhost:3000`,
		"":                           `origin "": one looks like http://localhost:3000`,
		"*":                          `origin "*": one looks like http://localhost:3000`,
		"null":                       `origin "null": one looks like http://localhost:3000`,
		"localhost:3000":             `origin "localhost:3000": one looks like http://localhost:3000`,
		"ws://localhost:3000":        `origin "ws://localhost:3000": one looks like http://localhost:3000`,
		"http://:3000":               `origin "http://:3000": one looks like http://localhost:3000`,
		"http://local host":          `origin "http://local host": one looks like http://localhost:3000`,
		"http://localhost:3000/":     `origin "http://localhost:3000/": browsers send http://localhost:3000`,
		"http://localhost:3000/page": `origin "http://localhost:3000/page": browsers send http://localhost:3000`,
		"http://localhost:3000?":     `origin "http://localhost:3000?": browsers send http://localhost:3000`,
		"http://me@localhost:3000":   `origin "http://me@localhost:3000": browsers send http://localhost:3000`,
		"http://LOCALHOST:3000":      `origin "http://LOCALHOST:3000": browsers send http://localhost:3000`,
		"HTTP://localhost":           `origin "HTTP://localhost": browsers send http://localhost`,
		"http://localhost:":          `origin "http://localhost:": browsers send http://localhost`,
		"http://localhost:80":        `origin "http://localhost:80": browsers send http://localhost`,
		"https://bot.example:443":    `origin "https://bot.example:443": browsers send https://bot.example`,
	} {
		got := ""
		if err := guard.CheckOrigin(origin); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", origin, got, want)
		}
		if status, _, _ := ask(guard.Options{Origins: []string{origin}}, request("127.0.0.1", "Origin", origin)); want == "" && status != 200 {
			t.Errorf("%q is allowed and gets %d", origin, status)
		}
	}
}

// A request may have MaxHeaders bytes before its body, and not one more.
func TestHeaders(t *testing.T) {
	const line, rest = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", "\r\n\r\n"
	for size, want := range map[int]int{guard.MaxHeaders: http.StatusOK, guard.MaxHeaders + 1: http.StatusRequestHeaderFieldsTooLarge} {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		guard.Limit(srv.Config)
		srv.Start()
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, line+strings.Repeat("x", size-len(line)-len(rest))+rest); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%d bytes: status %d, want %d", size, resp.StatusCode, want)
		}
		conn.Close()
		srv.Close()
	}
}
