package guard

import (
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Bounds on what a client may send.
const (
	MaxBody     = 1 << 20
	MaxHeaders  = 16 << 10 // with the request line
	HeadersWait = 10 * time.Second
)

// slack is what net/http lets through beyond http.Server.MaxHeaderBytes.
const slack = 4 << 10

// tokenPath is how a client that can only be given a URL says the token: /token/SECRET/v5/...
const tokenPath = "/token/"

// Options say whom to let in.
type Options struct {
	// Hosts are the names under which the server may be asked, without port, beside localhost, names below it and
	// loopback addresses.
	Hosts []string
	// Origins are the web origins whose pages may connect, such as "http://localhost:3000".
	Origins []string
	// Token is demanded of every request as "Authorization: Bearer TOKEN" or at the beginning of the path as
	// /token/TOKEN; "" demands none.
	Token string
}

// CheckOrigin says what is wrong with an origin: it is compared with what browsers send, letter by letter, so anything else
// would let nobody in.
func CheckOrigin(origin string) error {
	u, err := url.Parse(origin)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return fmt.Errorf("origin %s: one looks like http://localhost:3000", quoted(origin))
	case origin != u.Scheme+"://"+u.Host || origin != strings.ToLower(origin) || strings.HasSuffix(u.Host, ":"):
		return fmt.Errorf("origin %s: browsers send %s://%s", quoted(origin), u.Scheme, strings.TrimSuffix(strings.ToLower(u.Host), ":"))
	case u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443":
		return fmt.Errorf("origin %s: browsers send %s", quoted(origin), strings.TrimSuffix(origin, ":"+u.Port()))
	}
	return nil
}

// New returns a handler that lets requests through to next as the options say.
func New(next http.Handler, opts Options) http.Handler {
	return &guard{next: next, opts: opts}
}

type guard struct {
	next http.Handler
	opts Options
}

// ServeHTTP implements http.Handler.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.serves(r.Host) {
		http.Error(w, "this server does not answer to the name "+quoted(r.Host), http.StatusMisdirectedRequest)
		return
	}
	if !g.mayAsk(r) {
		http.Error(w, "requests of web pages are refused, see --allow-origin", http.StatusForbidden)
		return
	}
	if g.opts.Token != "" {
		inner, ok := g.authorized(r)
		if !ok {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "this server demands its token", http.StatusUnauthorized)
			return
		}
		r = inner
	}
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	}
	g.next.ServeHTTP(w, r)
}

// serves reports whether host, with or without a port, names this server.
func (g *guard) serves(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	if ip, err := netip.ParseAddr(name); err == nil && ip.Unmap().IsLoopback() {
		return true
	}
	return slices.ContainsFunc(g.opts.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// mayAsk reports whether a request does not come from a web page, or from one that may.
func (g *guard) mayAsk(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	for _, origin := range origins {
		if !slices.Contains(g.opts.Origins, origin) && !sameOrigin(origin, r.Host) {
			return false
		}
	}
	if len(origins) > 0 {
		return true
	}
	// A page that loads an image or a script says no origin, but browsers say where it comes from.
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "none" || site == "same-origin"
}

// sameOrigin reports whether a page of origin was served under the host of the request.
func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// authorized looks for the token, and returns the request without the part of the path that said it.
func (g *guard) authorized(r *http.Request) (*http.Request, bool) {
	if said, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return r, g.isToken(said)
	}
	rest, ok := strings.CutPrefix(r.URL.Path, tokenPath)
	if !ok {
		return nil, false
	}
	said, rest, _ := strings.Cut(rest, "/")
	if !g.isToken(said) {
		return nil, false
	}
	inner := r.Clone(r.Context())
	inner.URL.Path, inner.URL.RawPath = "/"+rest, ""
	inner.RequestURI = inner.URL.RequestURI()
	return inner, true
}

func (g *guard) isToken(said string) bool {
	return subtle.ConstantTimeCompare([]byte(said), []byte(g.opts.Token)) == 1
}

// quoted shortens what a stranger sent to what fits a line.
func quoted(s string) string {
	const longest = 80
	if len(s) > longest {
		s = s[:longest] + "..."
	}
	return `"` + strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' {
			return '?'
		}
		return r
	}, s) + `"`
}

// Limit bounds the headers of a server's requests.
func Limit(srv *http.Server) {
	srv.MaxHeaderBytes = MaxHeaders - slack
	srv.ReadHeaderTimeout = HeadersWait
}
