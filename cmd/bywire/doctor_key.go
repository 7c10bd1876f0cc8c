package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bywire/bywire/bybit"
)

// keyPath is what a key is asked about itself with: any key may.
const keyPath = "/v5/user/query-api"

// expiryWarn is how many days before a key expires it is worth a word.
const expiryWarn = 14

// checkKey asks the exchange about the key, and what the reply says of limits.
func (d *doctor) checkKey(ctx context.Context) {
	f := &finding{Check: "key", Target: "API key", State: stateSkip}
	limits := &finding{Check: "limits", Target: "GET " + keyPath, State: stateSkip, Detail: "not known without a key"}
	switch {
	case d.half != nil:
		f.State, f.Detail, f.Advice = stateWarn, d.half.Error(), "what needs a key does not work so"
	case d.keys == nil:
		f.Detail, f.Advice = "none given", "to check one add --creds FILE, or set BYBIT_API_KEY and BYBIT_API_SECRET"
	case d.env.RESTURL == "":
		f.Detail = "not checked without REST"
	case d.unreachable(d.env.RESTURL):
		f.Detail = "not tried: the host cannot be reached, see above"
	default:
		d.askKey(ctx, f, limits)
	}
	d.report(f)
	if d.keys != nil {
		d.report(limits)
	}
}

// askKey makes one signed call.
func (d *doctor) askKey(ctx context.Context, f, limits *finding) {
	f.State = stateFail
	budget := bybit.NewBudget(nil)
	client, err := bybit.NewClient(&bybit.Options{
		Environment: d.env, Credentials: d.keys, Budget: budget, Retries: -1, Limits: bybit.LimitRefuse,
		DialContext: d.dial, TLS: &tls.Config{RootCAs: d.roots, MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		f.Detail = err.Error()
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	// Before, so that the call is timed without it. A failure of it shows in the call.
	_, _ = client.SyncTime(ctx)
	begun := d.now()
	r, err := client.User.APIKey(ctx)
	latency := d.now().Sub(begun)
	if err != nil {
		d.judgeKeyError(f, err)
		return
	}
	k, err := newKeyInfo(r)
	if err != nil {
		f.Detail = err.Error()
		return
	}
	judgeKey(f, k)
	f.Detail += "; a signed call takes " + took(latency)
	f.Ms = map[string]float64{"signedCall": inMs(latency)}
	for _, use := range budget.Limits() {
		if use.Op == "GET "+keyPath {
			judgeLimit(limits, &use)
		}
	}
}

// judgeKeyError says why the key could not be asked.
func (d *doctor) judgeKeyError(f *finding, err error) {
	refused, ok := errors.AsType[*bybit.Error](err)
	if !ok {
		f.network = isNetwork(err)
		f.Detail = "no answer: " + networkReason(err)
		return
	}
	if d.own && refused.Status == 404 {
		f.State = stateSkip
	}
	if refused.Code == 0 {
		f.Detail, f.Advice = explainStatus(refused.Status, refused.Message, d.own)
		return
	}
	f.Detail = fmt.Sprintf("refused: %s (%d)", refused.Message, refused.Code)
	f.Advice = refusalAdvice(refused.Code, &d.env)
}

// judgeKey says what a key may do, and warns of what will end or goes far.
func judgeKey(f *finding, k *keyInfo) {
	areas := slices.Sorted(maps.Keys(k.Permissions))
	f.State = stateOK
	f.Detail = fmt.Sprintf("%s, %s, for %s, from %s, expires %s", k.Key, k.access(), cmp.Or(strings.Join(areas, " "), "nothing"), k.addresses(), k.expiry())
	switch {
	case k.Days != nil && *k.Days <= expiryWarn:
		f.State, f.Advice = stateWarn, "extend it where it was made, or bind it to addresses, so that it does not expire"
	case len(k.Addresses) == 0 && !k.ReadOnly && k.may("Withdraw"):
		f.State, f.Advice = stateWarn, "it may withdraw, from any address: bind it to addresses, or take that permission away"
	}
}

// judgeLimit says how much of a limit is left.
func judgeLimit(f *finding, use *bybit.LimitUse) {
	if use.Calls == 0 {
		f.Detail = "the reply says nothing of limits"
		return
	}
	left := max(use.Calls-use.Used, 0)
	f.State, f.Detail = stateOK, fmt.Sprintf("%d of %d calls in %s left", left, use.Calls, use.Per)
	if left*5 < use.Calls {
		f.State, f.Advice = stateWarn, "other programs with this account use it up: spread their calls"
	}
}
