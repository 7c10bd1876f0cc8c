package bybit

import (
	"context"
	"crypto/tls"
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
//     after the clock was measured: nobody has looked at it, see notTaken;
//   - a request of which no byte was handed to a connection that had been idle, once;
//   - one that changes nothing, after a failure that may pass.
//
// Never anything else: who repeats an order has two.
func (r *rest) call(ctx context.Context, req *request) (*reply, error) {
	ctx, end, err := r.begin(ctx)
	if err != nil {
		return nil, named(req.endpoint, err)
	}
	defer end()
	rep, err := r.attempts(ctx, req)
	if err != nil {
		return nil, named(req.endpoint, err)
	}
	return rep, nil
}

func (r *rest) attempts(ctx context.Context, req *request) (*reply, error) {
	signed, err := r.signs(req.endpoint)
	if err != nil {
		return nil, err
	}
	var until time.Time // when the request has to leave
	if req.class() == writes && r.opts.WriteWait > 0 {
		until = time.Now().Add(r.opts.WriteWait)
	}
	if signed {
		r.clock.start(ctx, until)
	}
	resigned, resent, failures := false, false, 0
	var failure error // the last
	for number := 1; ; number++ {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		a, err := r.attempt(ctx, req, signed, until, number)
		if _, limited := errors.AsType[*LimitError](err); limited && failure != nil {
			return nil, failure // which says why
		}
		if err != nil {
			return nil, err
		}
		if a.err == nil {
			return a.reply, nil
		}
		failure = r.explain(req, a)
		refused, _ := errors.AsType[*Error](a.err)
		switch {
		case signed && !resigned && refused != nil && reasonOf(notTaken, refused.Code) != "" && r.clock.resync(ctx, refused, a.version):
			if resigned = true; !until.IsZero() && time.Now().After(until) {
				return nil, failure
			}
		case a.header == nil && !a.any() && a.reused && !resent && ctx.Err() == nil:
			resent = true
		case failures < req.retries(r.opts.Retries) && passes(a.err) && r.pause(ctx, req, number, backoff(failures+1), a.err):
			failures++
		default:
			return nil, failure
		}
	}
}

// attempt waits for the limits and makes a request once. The error says why it was not made.
func (r *rest) attempt(ctx context.Context, req *request, signed bool, until time.Time, number int) (*attempt, error) {
	account := ""
	if signed {
		account = r.account
	}
	permit, err := r.opts.Budget.admit(ctx, r.base.Host, account, req, patience{r.opts.Limits, until, r.opts.Trace, number})
	if err != nil {
		return nil, err
	}
	a := &attempt{permit: permit}
	defer func() { permit.done(a.header != nil || a.any()) }()
	if f := r.opts.Trace.CallBegun; f != nil {
		f(req.trace(number))
	}
	a.at = time.Now()
	r.send(ctx, req, signed, a)
	if a.header != nil {
		permit.learn(a.header, a.err, r.clock.state().Offset)
	}
	withoutSecrets(req.path, a.err)
	if f := r.opts.Trace.CallEnded; f != nil {
		f(req.trace(number), time.Since(a.at), a.err)
	}
	return a, nil
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

// codeServerTimeout is a refusal by what is behind the exchange's door. V5 page: error.
const codeServerTimeout = 10000

// passes reports whether a failure may pass by itself.
func passes(err error) bool {
	if refused, ok := errors.AsType[*Error](err); ok {
		switch refused.Code {
		case codeBusy, codeTooMany, codeTooManyAddress, codeTooManyAll, codeServerTimeout, codeServerError:
			return true
		}
		return refused.Status >= 500 || refused.Status == http.StatusTooManyRequests
	}
	if _, ok := errors.AsType[*DecodeError](err); ok || errors.Is(err, errReplyTooLong) || errors.Is(err, errSign) {
		return false
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
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
func (r *rest) pause(ctx context.Context, req *request, number int, wait time.Duration, err error) bool {
	if deadline, ok := ctx.Deadline(); ctx.Err() != nil || ok && time.Until(deadline) <= wait {
		return false // the failure says more than ctx's end would
	}
	if f := r.opts.Trace.CallRetry; f != nil {
		f(req.trace(number), wait, err)
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

// explain adds to a final failure what is known besides: the skew, or that the outcome of a
// write is unknown.
func (r *rest) explain(req *request, a *attempt) error {
	refused, _ := errors.AsType[*Error](a.err)
	if refused != nil && (refused.Code == codeTimestamp || refused.Code == codeSignature) {
		refused.Skew = r.clock.state().Offset
	}
	return req.unknown(&a.sent, a.err)
}

// withoutSecrets takes the reply out of an error if it may hold a new key's secret.
func withoutSecrets(path string, err error) {
	if garbled, ok := errors.AsType[*DecodeError](err); ok && showsKeys(path) {
		garbled.Frame = nil
	}
}

// showsKeys reports whether the replies of a path have keys in them, of which some are new.
func showsKeys(path string) bool { return strings.HasPrefix(path, "/v5/user/") }

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
