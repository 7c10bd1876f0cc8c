package bybit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

const (
	// Before the first repetition of a call it waits up to retryFirst, before each further
	// one up to twice as long, and never longer than retryMost.
	retryFirst = 250 * time.Millisecond
	retryMost  = 8 * time.Second
)

// call makes a request, again where that is allowed, and returns what came. The error
// begins with the operation.
//
// What is repeated:
//   - a request that was refused because of its timestamp or its signature, once,
//     after the clock was measured: it was refused, so nothing has happened;
//   - a request of which no byte was handed to a connection that had been idle, once;
//   - one that changes nothing, after a failure that may pass.
//
// Never anything else: who repeats an order has two.
func (r *rest) call(ctx context.Context, req *request) (*reply, error) {
	rep, err := r.callUnnamed(ctx, req)
	if err != nil {
		return nil, named(req.endpoint, err)
	}
	return rep, nil
}

func (r *rest) callUnnamed(ctx context.Context, req *request) (*reply, error) {
	ctx, end, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	signed, err := r.signs(req.endpoint)
	if err != nil {
		return nil, err
	}
	if signed {
		r.clock.start(ctx)
	}
	resigned, resent := false, false
	failures := 0
	var failure error // the last
	for attempt := 1; ; attempt++ {
		var now time.Time
		version := 0
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		permit, err := r.admit(ctx, req, signed, attempt)
		switch _, limited := errors.AsType[*LimitError](err); {
		case limited && failure != nil:
			return nil, failure // which says why
		case err != nil:
			return nil, err
		}
		if signed {
			now, version = r.clock.now()
		}
		var s sent
		header, rep, err := r.traced(ctx, req, now, &s, attempt)
		permit.done(header, err, r.clock.state().Offset)
		if err == nil {
			return rep, nil
		}
		failure = r.explain(req, &s, err)
		refused, _ := errors.AsType[*Error](err)
		switch {
		case refused != nil && signed && !resigned && r.clock.again(ctx, refused, version):
			resigned = true
			continue
		case header == nil && !s.any() && s.reused && !resent && ctx.Err() == nil:
			resent = true
			continue
		case failures < req.retries(r.opts.Retries) && passes(err) && ctx.Err() == nil:
			failures++
			if wait := backoff(failures); !r.pause(ctx, req, attempt, wait, err) {
				break
			}
			continue
		}
		return nil, failure
	}
}

// signs reports whether an endpoint is to be signed.
func (r *rest) signs(e *endpoint) (bool, error) {
	switch e.auth {
	case authPublic:
		return false, nil
	case authOptional:
		return r.signer != nil, nil
	}
	if r.signer == nil {
		return false, ErrNoCredentials
	}
	return true, nil
}

// retries returns how often a request may be repeated.
func (r *request) retries(most int) int {
	if !r.read || r.noRepeat {
		return 0
	}
	return most
}

// passes reports whether a failure may pass by itself.
func passes(err error) bool {
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused.Status >= 500 || refused.Status == http.StatusTooManyRequests ||
			refused.Code == codeBusy || refused.Code == codeTooMany
	}
	if _, ok := errors.AsType[*DecodeError](err); ok || errors.Is(err, errReplyTooLong) || errors.Is(err, errSign) {
		return false
	}
	return true // the network's
}

// backoff returns how long to wait before a repetition, the n-th: anything up to a
// bound that doubles, so that those who failed together do not come back together.
func backoff(n int) time.Duration {
	most := retryMost
	if n < 10 { // later ones would shift beyond what a duration holds
		most = min(retryFirst<<(n-1), retryMost)
	}
	return 1 + rand.N(most)
}

// pause waits before a repetition. It reports whether there is time for one.
func (r *rest) pause(ctx context.Context, req *request, attempt int, wait time.Duration, err error) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return false // the failure says more than ctx's end would
	}
	if f := r.opts.Trace.CallRetry; f != nil {
		f(req.trace(attempt), wait, err)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// admit waits for the limits.
func (r *rest) admit(ctx context.Context, req *request, signed bool, attempt int) (*permit, error) {
	account := ""
	if signed {
		account = r.account
	}
	return r.opts.Budget.admit(ctx, r.base.Host, account, req, r.opts.Limits, func(scope LimitScope, wait time.Duration) {
		if f := r.opts.Trace.CallLimited; f != nil {
			f(req.trace(attempt), scope, wait)
		}
	})
}

// traced is do between two calls of the trace.
func (r *rest) traced(ctx context.Context, req *request, now time.Time, s *sent, attempt int) (http.Header, *reply, error) {
	if f := r.opts.Trace.CallBegun; f != nil {
		f(req.trace(attempt))
	}
	header, rep, err := r.do(ctx, req, now, s)
	withoutSecrets(req.path, err)
	if f := r.opts.Trace.CallEnded; f != nil {
		f(req.trace(attempt), time.Since(s.at), err)
	}
	return header, rep, err
}

// unsigned makes a request without a signature, once, as a part of a call. It also
// returns when it was sent.
func (r *rest) unsigned(ctx context.Context, req *request) (*reply, time.Time, error) {
	permit, err := r.admit(ctx, req, false, 1)
	if err != nil {
		return nil, time.Time{}, err
	}
	var s sent
	header, rep, err := r.traced(ctx, req, time.Time{}, &s, 1)
	permit.done(header, err, 0)
	return rep, s.at, err
}

// explain adds to a final failure what is known besides: the skew, or that the outcome of a
// write is unknown.
func (r *rest) explain(req *request, s *sent, err error) error {
	refused, _ := errors.AsType[*Error](err)
	if refused != nil && (refused.Code == codeTimestamp || refused.Code == codeSignature) {
		refused.Skew = r.clock.state().Offset
	}
	return req.unknown(s, err)
}

// withoutSecrets takes the reply out of an error if it may hold a new key's secret.
func withoutSecrets(path string, err error) {
	if garbled, ok := errors.AsType[*DecodeError](err); ok && strings.HasPrefix(path, "/v5/user/") {
		garbled.Frame = nil
	}
}

// named puts the operation in front of an error that does not have it.
func named(e *endpoint, err error) error {
	withoutSecrets(e.path, err)
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if _, ok := errors.AsType[*LimitError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*UnknownError](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", e.op(), err)
}
