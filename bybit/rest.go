package bybit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bywire/bywire/internal/wire"
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
)

// errReplyTooLong is what a reply beyond maxReply is.
var errReplyTooLong = fmt.Errorf("the reply is longer than %d bytes", maxReply)

// Error is the exchange's refusal of a REST request.
type Error struct {
	Op      string // method and path: "GET /v5/market/full_orderbook"
	Status  int    // of HTTP: 200 if only Code says that it failed, 403 from an address that asked too often
	Code    int    // retCode, such as 10006 for too many requests; 0 if the reply had none
	Message string // retMsg, or the beginning of a reply that has none
	TraceID string // to show the exchange's support, if there was one
}

// Error returns one line, such as
// "GET /v5/market/full_orderbook: too many visits (10006)".
func (e *Error) Error() string {
	switch {
	case e.Code != 0:
		return fmt.Sprintf("%s: %s (%d)", e.Op, e.Message, e.Code)
	case e.Message == "":
		return fmt.Sprintf("%s: HTTP %d %s", e.Op, e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("%s: HTTP %d: %s", e.Op, e.Status, e.Message)
}

// rest makes requests of one client. It is safe for concurrent use.
type rest struct {
	base string // without a path; "" if the environment has no REST
	http *http.Client
	life context.Context // bounds dials, which outlive the request that they were for
	end  context.CancelFunc
}

func newREST(opts *Options) *rest {
	r := &rest{base: strings.TrimSuffix(opts.Environment.RESTURL, "/")}
	r.life, r.end = context.WithCancel(context.Background())
	t := &http.Transport{
		// No Proxy: what the environment's variables say is the business of
		// the caller's DialContext.
		DialContext:         r.dialer(opts),
		TLSHandshakeTimeout: opts.DialTimeout,
		// On a connection that was used before, net/http repeats a request that
		// seems to have met a closing one. That would break the pace of
		// requests, so each has a connection of its own.
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHeader,
	}
	if opts.TLS != nil {
		t.TLSClientConfig = opts.TLS.Clone()
		t.TLSClientConfig.NextProtos = nil // HTTP/1.1 is what this transport speaks
	}
	r.http = &http.Client{
		Transport: t,
		// The API does not redirect; a page that does is not the API.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r
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
		if err == nil && r.life.Err() != nil {
			conn.Close()
			return nil, ErrClosed
		}
		return conn, err
	}
}

// close ends what dials are under way. There are no requests any more: they ended
// with their contexts.
func (r *rest) close() {
	r.end()
	r.http.CloseIdleConnections()
}

// get makes a request without a signature and returns the reply's result. ctx
// bounds it besides restTimeout. The error is an [*Error] if the exchange
// refused, a [*DecodeError] if what came is no reply of V5, or the network's.
func (r *rest) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	op := http.MethodGet + " " + path
	ctx, cancel := context.WithTimeoutCause(ctx, restTimeout, fmt.Errorf("no reply within %s", restTimeout))
	defer cancel()
	result, err := r.do(ctx, op, path, query)
	if refused, ok := errors.AsType[*Error](err); ok {
		return nil, refused // it has the operation already
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return result, nil
}

func (r *rest) do(ctx context.Context, op, path string, query url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := r.http.Do(req)
	if err != nil {
		// The URL that *url.Error repeats is in op already.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxReply:
		return nil, errReplyTooLong
	}
	return resultOf(op, resp, body)
}

// The keys of a reply, as bits for Cursor.Once.
const (
	keyRetCode = iota
	keyRetMsg
	keyResult
)

// resultOf takes the result out of a reply's envelope. A reply with an HTTP
// status other than 200 is an error also if its envelope says success.
func resultOf(op string, resp *http.Response, body []byte) ([]byte, error) {
	refusal := &Error{Op: op, Status: resp.StatusCode, TraceID: resp.Header.Get("Traceid")}
	c := wire.NewCursor(body)
	var o wire.Object
	var result []byte
	var code int64
	hasCode := false
	for c.NextKey(&o) {
		switch string(o.Key) {
		case "retCode":
			c.Once(&o, keyRetCode)
			code, hasCode = c.Integer()
		case "retMsg":
			c.Once(&o, keyRetMsg)
			refusal.Message = string(c.Text())
		case "result":
			c.Once(&o, keyResult)
			from := c.Offset()
			c.Skip(&o)
			result = bytes.TrimSpace(body[from:c.Offset()])
		default:
			c.Skip(&o)
		}
	}
	c.End()
	bad := c.Err()
	refusal.Code = int(code)
	switch {
	case bad == nil && hasCode && code != 0:
		return nil, refusal
	case resp.StatusCode != http.StatusOK:
		if bad != nil || !hasCode {
			refusal.Code, refusal.Message = 0, beginning(body)
		}
		return nil, refusal
	case bad != nil:
		return nil, newDecodeError(nil, body, bad)
	case !hasCode:
		return nil, newDecodeError(nil, body, &wire.SyntaxError{Reason: "no retCode in the reply"})
	}
	return result, nil
}

// beginning returns what a person needs of a page that is no reply of the API.
func beginning(body []byte) string {
	const enough = 120
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), 4*enough)]), "?")), " ")
	if len(text) > enough {
		text = strings.ToValidUTF8(text[:enough], "") + "..."
	}
	return text
}
