package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/endpoints"
)

// Advice that several errors have.
const (
	stopOthers = "stop every program on this address and wait ten minutes; the limits are 600 requests in 5 s and 500 connects in 5 min"
	banOrSite  = "a ban ends after ten minutes without requests; a region does not: use the venue of your country (--env) or run where it is allowed"
)

// refusalAdvice says what to do about a refusal that has to do with the key or with limits; ""
// about others.
func refusalAdvice(code int, env *bybit.Environment) string {
	switch code {
	case 10002:
		return "bywire doctor compares the clocks"
	case 10003:
		return wrongPlace(env)
	case 10004:
		return "the secret is not that of this key, or a proxy has changed the request"
	case 10005:
		return "the key has no permission for this: bywire keys lists what it has"
	case 10006, 10429:
		return "wait a second: all programs of the account share its limits, and bywire doctor shows what is left"
	case 10010:
		return "the key is bound to other addresses than this machine's: add this one where the key was made"
	case 10018:
		return stopOthers
	case 33004, -2015:
		return "the key has expired: extend it where it was made, or make another"
	}
	return ""
}

// wrongPlace says where a key that an environment does not know was likely made. Nothing in a
// key tells: so the others come in the order in which they are mistaken for each other.
func wrongPlace(env *bybit.Environment) string {
	const each, gone = "a key is known only where it was made", "; or it is mistyped, or was deleted"
	switch hostName(env.RESTURL) {
	case hostName(bybit.Mainnet().RESTURL), "api.bytick.com":
		return each + ", and this is mainnet: for one of demo trading, which the same site makes, add --env demo, of testnet --env testnet, of a regional site its --env" + gone
	case hostName(bybit.Testnet().RESTURL):
		return each + ", and this is testnet: for one of mainnet add --env mainnet, of demo trading --env demo" + gone
	case hostName(bybit.Demo().RESTURL):
		return each + ", and this is demo trading: for one of mainnet, which the same site makes, add --env mainnet, of testnet --env testnet" + gone
	}
	return each + ", and this is " + env.RESTURL + ": see whether --env or --rest is where this one was made" + gone
}

// explained adds to a call's error what to do about it.
func explained(err error, env *bybit.Environment) error {
	if refused, ok := errors.AsType[*bybit.Error](err); ok {
		if advice := errorAdvice(refused, env); advice != "" {
			return fmt.Errorf("%w; %s", err, advice)
		}
	}
	if limited, ok := errors.AsType[*bybit.LimitError](err); ok {
		return fmt.Errorf("%w; %s", err, limitAdvice(limited))
	}
	if open, ok := errors.AsType[*bybit.UnknownError](err); ok {
		return fmt.Errorf("%w; it may have been done: ask what became of it before it is sent again%s", err, lookUp(open))
	}
	if _, ok := errors.AsType[*bybit.UnsupportedError](err); ok {
		return usageError("%w; add --rest URL", err)
	}
	return err
}

// errorAdvice is that of a refusal by its code, else by its status, as doctor has it.
func errorAdvice(refused *bybit.Error, env *bybit.Environment) string {
	if refused.Code != 0 {
		return refusalAdvice(refused.Code, env)
	}
	switch {
	case refused.Status == http.StatusForbidden, refused.Status == http.StatusTooManyRequests, refused.Status >= http.StatusInternalServerError:
		_, advice := explainStatus(refused.Status, refused.Message, false)
		return advice
	}
	return ""
}

// limitAdvice says what to do when a limit kept a request back.
func limitAdvice(limited *bybit.LimitError) string {
	switch limited.Scope {
	case bybit.LimitBan:
		return stopOthers
	case bybit.LimitDoubt:
		return banOrSite
	case bybit.LimitAddress:
		return "all programs on this address share it"
	}
	return "all programs of the account share it, and bywire doctor shows what is left"
}

// reader is the endpoint that tells what became of a write.
type reader struct {
	writes string // what the write's path begins with
	path   string
	id     string // the parameter that takes OrderRef.LinkID
	order  bool   // it takes category, symbol and orderId too
}

// readers returns them, the longer beginnings first.
func readers() []reader {
	return []reader{
		{"/v5/asset/transfer/inter-transfer", "/v5/asset/transfer/query-inter-transfer-list", "transferId", false},
		{"/v5/asset/transfer/universal-transfer", "/v5/asset/transfer/query-universal-transfer-list", "transferId", false},
		{"/v5/asset/withdraw/", "/v5/asset/withdraw/query-record", "", false},
		{"/v5/order/", "/v5/order/realtime", "orderLinkId", true},
		{"/v5/position/", "/v5/position/list", "", true},
		{"/v5/spread/order/", "/v5/spread/order/realtime", "orderLinkId", true},
		{"/v5/strategy/", "/v5/strategy/list", "", false},
	}
}

// lookUp names the call that tells what became of a write, with its parameters as far as they
// are known; "" if there is none that is sure to.
func lookUp(open *bybit.UnknownError) string {
	_, path, _ := strings.Cut(open.Op, " ")
	for _, r := range readers() {
		if !strings.HasPrefix(path, r.writes) {
			continue
		}
		var b strings.Builder
		b.WriteString(", like: bywire call GET " + r.path)
		e, _ := endpoints.Find(http.MethodGet, r.path)
		add := func(name, value string) {
			isName := func(p endpoints.Param) bool { return p.Name == name }
			if value != "" && slices.ContainsFunc(e.Params, isName) {
				b.WriteString(" " + name + "=" + shellWord(value))
			}
		}
		if r.order {
			add("category", string(open.Ref.Category))
			add("symbol", open.Ref.Symbol)
			add("orderId", open.Ref.OrderID)
		}
		add(r.id, open.Ref.LinkID)
		return b.String()
	}
	return ""
}

// shellWord writes a value so that a shell takes it as one word.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:", r)
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
