package bybit

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// restTimeout bounds one request with its connect and its reply. The
	// largest public reply, a full order book, is half a megabyte.
	restTimeout = 20 * time.Second

	// maxReply bounds a reply after decompression, so that no server fills
	// the memory: some fifteen times the largest documented one.
	maxReply = 8 << 20

	// maxHeader bounds the head of a reply.
	maxHeader = 64 << 10

	// idleConns is how many connections are kept for the next requests.
	idleConns = 16

	// idleTimeout is how long. Servers close idle connections too, after a minute or more
	// as a rule, and a request that meets that may or may not have arrived: ours are to
	// be closed before.
	idleTimeout = 45 * time.Second
)

// errReplyTooLong is what a reply beyond maxReply is.
var errReplyTooLong = fmt.Errorf("the reply is longer than %d bytes", maxReply)

// errNoReply is why a request ended that got no reply: a [net.Error] with Timeout.
var errNoReply = fmt.Errorf("no reply within %s: %w", restTimeout, os.ErrDeadlineExceeded)

// rest makes requests of one client. It is safe for concurrent use.
type rest struct {
	base    *url.URL // nil if the environment has no REST
	http    *http.Transport
	signer  *signer // nil without credentials
	account string  // stands for the key where limits are counted; "" without credentials
	opts    *Options
	clock   *clock

	life context.Context // bounds dials, which outlive the request that they were for, and calls
	end  context.CancelFunc

	mu     sync.Mutex // guards closed, and that no call begins once it is set
	closed bool
	calls  sync.WaitGroup
}

// newREST makes the transport of a client. Its choices:
//
//   - Connections are kept open and used again, since a handshake takes longer than an
//     order may. Package net/http would repeat a request by itself if a connection turns out
//     to be closed. It does so only with a body that it can read again, so no
//     request has one: see newHTTP. What is repeated is decided in retry.go alone.
//   - HTTP/1.1. A connection serves one request at a time, which is what tells whether
//     anything of a request was handed to the socket; and one loss delays one request.
//   - The transport alone, without the http.Client around it: that follows redirects and keeps
//     cookies, of which the API has neither.
//   - No proxy: what the environment's variables say is the business of the caller's
//     DialContext.
func newREST(opts *Options, signer *signer) (*rest, error) {
	r := &rest{opts: opts, signer: signer}
	if r.signer != nil {
		r.account = accountName(r.signer.key)
	}
	if opts.Environment.RESTURL != "" {
		base, err := url.Parse(strings.TrimSuffix(opts.Environment.RESTURL, "/"))
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.RawQuery != "" {
			return nil, fmt.Errorf("RESTURL %q is no base of URLs, such as https://host", opts.Environment.RESTURL)
		}
		if r.signer != nil && base.Scheme == "http" && !isLoopback(base.Hostname()) {
			return nil, fmt.Errorf("RESTURL %q: credentials go over http to this machine alone; use https", opts.Environment.RESTURL)
		}
		r.base = base
	}
	if opts.RecvWindow < time.Millisecond {
		return nil, fmt.Errorf("RecvWindow is %s, less than the exchange can count", opts.RecvWindow)
	}
	if strings.ContainsFunc(opts.Referer, func(c rune) bool { return c < ' ' || c >= 0x7f }) {
		return nil, fmt.Errorf("the Referer %q has a character that no header has", opts.Referer)
	}
	r.clock = &clock{measure: r.measureClock, begin: r.begin}
	r.life, r.end = context.WithCancel(context.Background())
	r.http = &http.Transport{
		DialContext:            r.dialer(opts),
		TLSHandshakeTimeout:    opts.DialTimeout,
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              new(http.Protocols),
	}
	r.http.Protocols.SetHTTP1(true)
	if opts.TLS != nil {
		r.http.TLSClientConfig = opts.TLS.Clone()
		r.http.TLSClientConfig.NextProtos = nil // HTTP/1.1 is what this transport speaks
	}
	return r, nil
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// dialer returns the transport's DialContext: the caller's, bounded by DialTimeout
// and by the client's life.
func (r *rest) dialer(opts *Options) func(ctx context.Context, network, addr string) (net.Conn, error) {
	dial := opts.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, opts.DialTimeout)
		defer cancel()
		defer context.AfterFunc(r.life, cancel)()
		conn, err := dial(ctx, network, addr)
		switch {
		case err != nil:
			return nil, err
		case r.life.Err() != nil:
			conn.Close()
			return nil, closedError{}
		}
		return &countedConn{Conn: conn}, nil
	}
}

// countedConn counts what is handed to the socket.
type countedConn struct {
	net.Conn
	written atomic.Int64
}

// Write counts before it writes, since while it waits nobody knows how much has left, and
// takes back what the socket did not take.
func (c *countedConn) Write(p []byte) (int, error) {
	c.written.Add(int64(len(p)))
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n - len(p)))
	return n, err
}

// counted returns the socket below a connection, or nil.
func counted(conn net.Conn) *countedConn {
	for {
		switch c := conn.(type) {
		case *countedConn:
			return c
		case interface{ NetConn() net.Conn }: // TLS
			conn = c.NetConn()
		default:
			return nil
		}
	}
}

// close ends the calls and the dials that are under way, and waits for the calls.
func (r *rest) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.end()
	r.calls.Wait()
	r.http.CloseIdleConnections()
}

// begin notes that a call begins, unless the client is closed. The context it returns ends
// with the client; end is to be called when the call has ended.
func (r *rest) begin(ctx context.Context) (bounded context.Context, end func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, nil, closedError{}
	}
	r.calls.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(r.life, func() { cancel(closedError{}) })
	return ctx, func() {
		stop()
		cancel(nil)
		r.calls.Done()
	}, nil
}

// closedError is ErrClosed of calls.
type closedError struct{}

func (closedError) Error() string { return "the client is closed" }

// Is reports whether the target is ErrClosed.
func (closedError) Is(target error) bool { return target == ErrClosed }

// sent says how far a request came.
type sent struct {
	at      time.Time // when it was begun
	gotConn bool
	reused  bool         // the connection, which may be closed
	conn    *countedConn // nil if what it is handed cannot be counted
	before  int64        // what it had been handed before
}

// any reports whether a byte of the request may have left.
func (s *sent) any() bool {
	return s.gotConn && (s.conn == nil || s.conn.written.Load() > s.before)
}

// attempt is one request of a call, and what came of it.
type attempt struct {
	sent
	permit  *permit
	version int         // of the clock that it was signed with
	header  http.Header // of the reply; nil if there is none
	reply   *reply      // nil if there is an error
	err     error       // the exchange's, or if there is no header the network's
}

// leaves notes that the request leaves now, over that connection.
func (a *attempt) leaves(info httptrace.GotConnInfo) {
	a.permit.left()
	a.gotConn, a.reused = true, info.Reused
	if a.conn = counted(info.Conn); a.conn != nil {
		a.before = a.conn.written.Load()
	}
}

// send signs a request, makes it and reads what comes.
func (r *rest) send(ctx context.Context, req *request, signed bool, a *attempt) {
	ctx, cancel := context.WithTimeoutCause(ctx, restTimeout, errNoReply)
	defer cancel()
	h := r.newHTTP(ctx, req, a)
	if signed {
		if a.err = r.sign(h, req, a); a.err != nil {
			return
		}
	}
	status, header, body, err := r.roundTrip(h)
	if err != nil {
		if a.err = err; ctx.Err() != nil {
			a.err = context.Cause(ctx)
		}
		return
	}
	a.header = header
	a.reply, a.err = parseReply(req.endpoint, status, header, body)
	if r.signer != nil && (a.err != nil || !showsKeys(req.path)) {
		if shown, hidden := r.signer.hide(body); hidden {
			a.reply, a.err = parseReply(req.endpoint, status, header, shown)
		}
	}
	if a.err == nil {
		a.reply.sentAt = a.at
	}
}

// sign adds to a request what makes it the user's.
func (r *rest) sign(h *http.Request, req *request, a *attempt) error {
	now, version := r.clock.now()
	a.version = version
	if r.opts.Referer != "" {
		h.Header[headerReferer] = []string{r.opts.Referer}
	}
	return r.signer.signRequest(h.Header, req, now, r.opts.RecvWindow)
}

func (r *rest) roundTrip(h *http.Request) (status int, header http.Header, body []byte, err error) {
	resp, err := r.http.RoundTrip(h)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err == nil && len(body) > maxReply {
		err = errReplyTooLong
	}
	return resp.StatusCode, resp.Header, body, err
}

// newHTTP makes the request of package http. The query and the body are sent as they are.
// Every request has a body that can be read once only, a GET an empty one that is not
// sent: so net/http cannot repeat it.
func (r *rest) newHTTP(ctx context.Context, req *request, a *attempt) *http.Request {
	target := *r.base
	target.Path += req.path
	target.RawQuery = string(req.query)
	h := &http.Request{
		Method: req.method, URL: &target, Host: target.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, 8), Body: io.NopCloser(bytes.NewReader(req.body)),
	}
	if req.method == http.MethodGet {
		// Else net/http reads the body ahead to see whether it is empty, and if that takes
		// long sends it in chunks. A GET with a body is an HTTP 403. V5 page: error.
		h.TransferEncoding = []string{"identity"}
	} else {
		h.ContentLength = int64(len(req.body))
		h.Header["Content-Type"] = []string{cmp.Or(req.contentType, "application/json")}
	}
	return h.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: a.leaves}))
}
