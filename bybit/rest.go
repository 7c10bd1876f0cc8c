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

// call makes a request and returns what came. ctx bounds it besides restTimeout. The
// error is an [*Error] if the exchange refused, a [*DecodeError] if what came is no
// reply of V5, or the network's; it begins with the operation.
func (r *rest) call(ctx context.Context, req *request) (*reply, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, restTimeout, fmt.Errorf("no reply within %s", restTimeout))
	defer cancel()
	rep, err := r.do(ctx, req)
	if err == nil {
		return rep, nil
	}
	if _, ok := errors.AsType[*Error](err); !ok && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return nil, named(req.endpoint, err)
}

// named puts the operation in front of an error that does not have it.
func named(e *endpoint, err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", e.op(), err)
}

func (r *rest) do(ctx context.Context, req *request) (*reply, error) {
	h, err := r.newHTTP(ctx, req)
	if err != nil {
		return nil, err
	}
	resp, err := r.http.Do(h)
	if err != nil {
		// The URL that *url.Error repeats is in the operation already.
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
	return parseReply(req.endpoint, resp, body)
}

// newHTTP makes the request of package http.
func (r *rest) newHTTP(ctx context.Context, req *request) (*http.Request, error) {
	target := r.base + req.path
	if len(req.query) > 0 {
		target += "?" + string(req.query)
	}
	var body io.Reader
	if req.method != http.MethodGet {
		body = bytes.NewReader(req.body)
	}
	h, err := http.NewRequestWithContext(ctx, req.method, target, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		h.Header.Set("Content-Type", "application/json")
	}
	return h, nil
}
