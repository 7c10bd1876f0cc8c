package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/flow"
)

// controlPrefix begins the paths of the control API: JSON over HTTP, documented in docs/control.md. Whatever it does is a
// method of Exchange as well.
const controlPrefix = "/control/v1/"

// control is one call of the control API.
type control struct {
	method, name string
	fields       []string // of the body, for who misspells one; nil: there is no body
	serve        func(x *Exchange, r *http.Request, body []byte) (any, error)
}

// controls is the table of the control API.
func controls() []control {
	return []control{
		{http.MethodGet, "state", nil, controlState},
		{http.MethodPost, "clock", []string{"advance", "pause", "speed", "mode", "quantum", "silence"}, controlClock},
		{http.MethodPost, "regime", []string{"regime", "coin", "for"}, controlRegime},
		{http.MethodPost, "shock", []string{"percent", "coin", "over"}, controlShock},
		{http.MethodPost, "halt", symbolFields(), controlSymbols((*Exchange).Halt)},
		{http.MethodPost, "resume", symbolFields(), controlSymbols((*Exchange).Resume)},
		{http.MethodPost, "restart", symbolFields(), controlSymbols((*Exchange).RestartBooks)},
		{http.MethodPost, "maintenance", maintenanceFields(), controlMaintenance},
		{http.MethodPost, "block", []string{"strategy", "legs"}, controlBlock},
		{http.MethodGet, "faults", nil, controlFaults},
		{http.MethodPost, "faults", faultFields(), controlAddFault},
		{http.MethodDelete, "faults", nil, controlRemoveFaults},
		{http.MethodGet, "snapshot", nil, controlSnapshots},
		{http.MethodPost, "snapshot", []string{"name"}, controlSnapshot},
		{http.MethodPost, "restore", []string{"name"}, controlRestore},
		{http.MethodPost, "reset", []string{}, controlReset},
		{http.MethodPost, "fork", []string{"listen"}, controlFork},
		{http.MethodPost, "stop", []string{}, controlStop},
	}
}

// controlError is what a call of the control API is refused with.
type controlError struct {
	status int
	text   string
}

func (e *controlError) Error() string { return e.text }

// wrong refuses a body that says what cannot be.
func wrong(format string, args ...any) error {
	return &controlError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// serveControl answers a request of the control API.
func (x *Exchange) serveControl(w http.ResponseWriter, r *http.Request) {
	result, err := x.callControl(w, r)
	status := http.StatusOK
	if err != nil {
		result = struct {
			Error string `json:"error"`
		}{strings.TrimPrefix(err.Error(), "exchange: ")}
		status = http.StatusBadRequest
		if refused, ok := errors.AsType[*controlError](err); ok {
			status = refused.status
		}
		switch {
		case errors.Is(err, ErrClosed):
			status = http.StatusServiceUnavailable
		case r.Context().Err() != nil:
			return // nobody is there to read an answer
		}
	}
	if file, ok := result.(*download); ok {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(file.bytes) // see write
		return
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(result); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if refused, ok := errors.AsType[*methodError](err); ok {
		w.Header().Set("Allow", refused.allow)
		status = http.StatusMethodNotAllowed
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // see write
}

// methodError refuses a method.
type methodError struct{ allow, text string }

func (e *methodError) Error() string { return e.text }

// download is a result that is no JSON.
type download struct{ bytes []byte }

// callControl finds the call and makes it.
func (x *Exchange) callControl(w http.ResponseWriter, r *http.Request) (any, error) {
	name := strings.TrimPrefix(r.URL.Path, controlPrefix)
	var methods []string
	for _, c := range controls() {
		if c.name != name {
			continue
		}
		if c.method != r.Method {
			methods = append(methods, c.method)
			continue
		}
		body, err := readBody(w, r)
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, &controlError{http.StatusRequestEntityTooLarge, "the body is longer than 1 MB"}
		}
		if err != nil {
			return nil, wrong("the body did not arrive: %v", err)
		}
		body = bytes.TrimSpace(body)
		if c.fields == nil && len(body) > 0 {
			return nil, wrong("%s %s takes no body", c.method, r.URL.Path)
		}
		if len(body) == 0 {
			body = []byte("{}")
		}
		if err := c.known(body); err != nil {
			return nil, err
		}
		return c.serve(x, r, body)
	}
	if len(methods) > 0 {
		allow := strings.Join(methods, ", ")
		return nil, &methodError{allow, fmt.Sprintf("%s %s: the method is %s", shortened(r.Method), r.URL.Path, allow)}
	}
	var names []string
	for _, c := range controls() {
		if !slices.Contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	return nil, &controlError{http.StatusNotFound, fmt.Sprintf("no such call: %s; there are %s, below %s",
		shortened(r.URL.Path), strings.Join(names, ", "), controlPrefix)}
}

// known refuses a body that is no object, and fields that the call does not have.
func (c *control) known(body []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return wrong("the body is no JSON object: %s", shortened(string(body)))
	}
	for _, name := range sortedKeys(fields) {
		if slices.Contains(c.fields, name) {
			if string(fields[name]) == "null" {
				return wrong("%s: null is no value; leave it out or give one", name)
			}
			continue
		}
		if len(c.fields) == 0 {
			return wrong("no field %q: %s takes none", shortened(name), c.name)
		}
		return wrong("no field %q: %s has %s", shortened(name), c.name, strings.Join(c.fields, ", "))
	}
	return nil
}

func sortedKeys(m map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// shortened is what a stranger sent, as far as it fits a line.
func shortened(s string) string {
	const longest = 80
	if len(s) > longest {
		return strings.ToValidUTF8(s[:longest], "") + "..."
	}
	return s
}

// fill reads a body whose fields are known. want says of each field what it may be, for who sends something else.
func fill(body []byte, v any, want map[string]string) error {
	if json.Unmarshal(body, v) == nil {
		return nil
	}
	// What a type says of itself has no name, so the fields are tried one by one.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return wrong("%v", err)
	}
	for _, name := range sortedKeys(fields) {
		one, err := json.Marshal(map[string]json.RawMessage{name: fields[name]})
		if err == nil {
			err = json.Unmarshal(one, v)
		}
		if err == nil {
			continue
		}
		if field, ok := errors.AsType[*fieldError](err); ok {
			return wrong("%s: %s", name, field.text)
		}
		if want[name] == "" {
			return wrong("%s: %v", name, err)
		}
		return wrong("%s: %s, not %s", name, want[name], shortened(string(fields[name])))
	}
	return wrong("the body is no JSON object: %s", shortened(string(body)))
}

// fieldError is a value that its field cannot have.
type fieldError struct{ text string }

func (e *fieldError) Error() string { return e.text }

// span is a duration of time in a body, such as "90s".
type span struct {
	time.Duration
	set bool
}

const spanWords = "a duration in quotes, such as 500ms, 60s or 24h"

// UnmarshalJSON implements json.Unmarshaler.
func (d *span) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		return &fieldError{fmt.Sprintf("%s: %s", shortened(string(b)), spanWords)}
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return &fieldError{fmt.Sprintf("%q: %s", shortened(text), spanWords)}
	}
	d.Duration, d.set = v, true
	return nil
}

// controlClock moves or changes the clock.
func controlClock(x *Exchange, r *http.Request, body []byte) (any, error) {
	var q struct {
		Advance, Quantum, Silence span
		Pause                     *bool
		Speed                     *decimal.Decimal
		Mode                      *string
	}
	if err := fill(body, &q, map[string]string{"pause": "true or false", "speed": "a number, such as 10", "mode": "live, step, max or a speed such as x10"}); err != nil {
		return nil, err
	}
	mode := ""
	switch {
	case !q.Advance.set && !q.Quantum.set && !q.Silence.set && q.Pause == nil && q.Speed == nil && q.Mode == nil:
		return nil, wrong(`say what the clock is to do: {"advance":"60s"}, {"pause":true}, {"speed":10}, {"mode":"step"} or {"silence":"20ms"}`)
	case q.Speed != nil && q.Mode != nil:
		return nil, wrong("speed and mode: give one of them")
	case q.Speed != nil:
		mode = "x" + q.Speed.String()
	case q.Mode != nil:
		mode = *q.Mode
	}
	switch {
	case q.Advance.set && (q.Advance.Duration <= 0 || q.Advance.Duration > maxAdvance):
		return nil, wrong("advance %s: above 0 and at most %s at a time", q.Advance, maxAdvance)
	case q.Quantum.set && (q.Quantum.Duration <= 0 || q.Quantum.Duration > maxQuantum):
		return nil, wrong("quantum %s: above 0 and at most %s", q.Quantum, maxQuantum)
	case q.Silence.set && (q.Silence.Duration < 0 || q.Silence.Duration > maxSilence):
		return nil, wrong("silence %s: from 0s, which is not to wait for silence, to %s", q.Silence, maxSilence)
	}
	to := clockChange{runs: mode != "", pause: q.Pause, quantum: q.Quantum, silence: q.Silence}
	if to.runs {
		var err error
		if to.mode, to.speed, err = ParseClock(mode); err != nil && q.Speed != nil {
			return nil, wrong("speed %s: from %g to %.0f times the wall clock", q.Speed, MinSpeed, MaxSpeed)
		} else if err != nil {
			return nil, err
		}
	}
	ctx := r.Context()
	if err := x.changeClock(ctx, &to); err != nil {
		return nil, err
	}
	var late []Late
	if q.Advance.set {
		var err error
		if late, err = x.Advance(ctx, q.Advance.Duration); errors.Is(err, ErrInterrupted) {
			return nil, &controlError{http.StatusConflict, strings.TrimPrefix(err.Error(), "exchange: ")}
		} else if err != nil {
			return nil, err
		}
	}
	reply := struct {
		Time  time.Time  `json:"time"`
		Clock clockText  `json:"clock"`
		Late  []lateText `json:"late"`
	}{Late: []lateText{}}
	for _, l := range late {
		reply.Late = append(reply.Late, lateText{l.Connection, l.Remote, l.Why})
	}
	err := x.do(ctx, func(c *core.Core) {
		reply.Time, reply.Clock = time.Unix(0, c.Now()).UTC(), x.clockText()
	})
	return reply, err
}

// clockChange is what a body says about the clock.
type clockChange struct {
	runs             bool // as mode and speed say
	mode             Mode
	speed            float64
	pause            *bool
	quantum, silence span
}

// changeClock changes of the clock what a body names.
func (x *Exchange) changeClock(ctx context.Context, to *clockChange) error {
	if to.quantum.set || to.silence.set {
		quantum, silence := time.Duration(x.pace.quantum.Load()), time.Duration(x.pace.silence.Load())
		if to.quantum.set {
			quantum = to.quantum.Duration
		}
		if to.silence.set {
			silence = to.silence.Duration
		}
		if err := x.SetPace(ctx, quantum, silence); err != nil {
			return err
		}
	}
	if to.pause != nil && *to.pause {
		if err := x.Pause(ctx, true); err != nil { // before it could run in another way
			return err
		}
	}
	if to.runs {
		if err := x.SetClock(ctx, to.mode, to.speed); err != nil {
			return err
		}
	}
	if to.pause != nil && !*to.pause || to.pause == nil && to.runs { // a clock that is told how to run is to run
		return x.Pause(ctx, false)
	}
	return nil
}

// Bounds of what the clock is told, so that a mistyped unit is noticed.
const (
	maxAdvance = 10_000 * time.Hour // a little more than a year
	maxQuantum = time.Hour
	maxSilence = time.Minute
)

// lateText is a connection that was not waited for, as the control API shows it.
type lateText struct {
	ID     string     `json:"id"` // conn_id
	Remote string     `json:"remote"`
	Why    LateReason `json:"why"`
}

// clockText is a clock as the control API shows it.
type clockText struct {
	Mode    string  `json:"mode"`
	Speed   float64 `json:"speed,omitempty"`
	Paused  bool    `json:"paused"`
	Quantum string  `json:"quantum"`
	Silence string  `json:"silence"`
}

// clockText runs on the loop.
func (x *Exchange) clockText() clockText {
	t := clockText{
		Mode: x.clock.mode.String(), Paused: x.clock.paused,
		Quantum: time.Duration(x.pace.quantum.Load()).String(), Silence: time.Duration(x.pace.silence.Load()).String(),
	}
	if x.clock.mode == Scaled {
		t.Speed = x.clock.speed
	}
	return t
}

// moment is what calls answer that have nothing else to say: when they took effect.
type moment struct {
	Time time.Time `json:"time"`
}

func (x *Exchange) moment() moment { return moment{x.Now()} }

// controlRegime changes how the market behaves.
func controlRegime(x *Exchange, r *http.Request, body []byte) (any, error) {
	var q struct {
		Regime, Coin string
		For          span
	}
	if err := fill(body, &q, map[string]string{"regime": "one of " + regimes(), "coin": "a base coin, such as BTC"}); err != nil {
		return nil, err
	}
	if _, ok := flow.ParseRegime(q.Regime); !ok {
		return nil, wrong("regime %q: one of %s", shortened(q.Regime), regimes())
	}
	if q.For.Duration < 0 {
		return nil, wrong("for %s: a duration above 0", q.For)
	}
	if err := x.Regime(r.Context(), strings.ToUpper(q.Coin), q.Regime, q.For.Duration); err != nil {
		return nil, x.ofCoin(err, q.Coin)
	}
	return x.moment(), nil
}

// ofCoin says which coins there are, if an error is about that.
func (x *Exchange) ofCoin(err error, coin string) error {
	if !errors.Is(err, core.ErrNoCoin) {
		return err
	}
	var coins []string
	if e := x.do(x.ctx, func(c *core.Core) {
		for _, a := range c.Catalog().Assets() {
			coins = append(coins, a.Coin)
		}
	}); e != nil {
		return e
	}
	return wrong("coin %q: one whose price moves, of %s; without coin it is all", shortened(coin), strings.Join(coins, ", "))
}

// regimes lists them for a person.
func regimes() string {
	var names []string
	for _, r := range flow.Regimes() {
		names = append(names, r.String())
	}
	return strings.Join(names, ", ")
}

// controlShock moves a price.
func controlShock(x *Exchange, r *http.Request, body []byte) (any, error) {
	var q struct {
		Percent decimal.Decimal
		Coin    string
		Over    span
	}
	if err := fill(body, &q, map[string]string{"percent": "a number, such as -5 or 2.5", "coin": "a base coin, such as BTC"}); err != nil {
		return nil, err
	}
	if !q.Percent.IsSet() {
		return nil, wrong("percent: how far the price is to move, such as -5 or 2.5")
	}
	if over := q.Over.Duration; over < 0 || over > maxAdvance {
		return nil, wrong("over %s: from 0s, which is at once, to %s", q.Over, maxAdvance)
	}
	if least, most := decimal.FromInt(-99), decimal.FromInt(1000); q.Percent.Cmp(least) < 0 || q.Percent.Cmp(most) > 0 {
		return nil, wrong("percent %s: from %s to %s", q.Percent, least, most)
	}
	switch err := x.Shock(r.Context(), strings.ToUpper(q.Coin), q.Percent, q.Over.Duration); {
	case errors.Is(err, core.ErrTooFar):
		return nil, wrong("percent %s: prices stay between a twelfth and twelve times of where they began", q.Percent)
	case err != nil:
		return nil, x.ofCoin(err, q.Coin)
	}
	return x.moment(), nil
}

func symbolFields() []string { return []string{"category", "symbols"} }

// controlSymbols makes a call about some instruments, or all.
func controlSymbols(do func(x *Exchange, ctx context.Context, symbols ...Symbol) error) func(*Exchange, *http.Request, []byte) (any, error) {
	return func(x *Exchange, r *http.Request, body []byte) (any, error) {
		var q struct {
			Category string
			Symbols  []string
		}
		if err := fill(body, &q, map[string]string{"category": "spot, linear, inverse, option or spread", "symbols": `a list, such as ["BTCUSDT"]`}); err != nil {
			return nil, err
		}
		symbols, err := x.chosen(r.Context(), q.Category, q.Symbols)
		if err == nil {
			err = do(x, r.Context(), symbols...)
		}
		if err != nil {
			return nil, err
		}
		return x.moment(), nil
	}
}

// chosen finds the instruments of a body: those named, all of a category, or all, which is an empty list.
func (x *Exchange) chosen(ctx context.Context, category string, names []string) ([]Symbol, error) {
	var found []Symbol
	var missing string
	if err := x.do(ctx, func(c *core.Core) {
		for _, name := range names {
			n := len(found)
			for _, in := range c.Catalog().Live() {
				if in.Symbol == name && (category == "" || string(in.Category) == category) {
					found = append(found, Symbol{in.Category, in.Symbol})
				}
			}
			if len(found) == n && missing == "" {
				missing = name
			}
		}
		if len(names) == 0 && category != "" {
			for _, in := range c.Catalog().Live() {
				if string(in.Category) == category {
					found = append(found, Symbol{in.Category, in.Symbol})
				}
			}
		}
	}); err != nil {
		return nil, err
	}
	switch {
	case missing != "" && category != "":
		return nil, wrong("no %s instrument %q; GET /v5/market/instruments-info?category=%[1]s lists them", shortened(category), shortened(missing))
	case missing != "":
		return nil, wrong("no instrument %q; GET /v5/market/instruments-info?category=linear lists those of a category", shortened(missing))
	case len(names) == 0 && category != "" && len(found) == 0:
		return nil, wrong("no instruments of category %q: spot, linear, inverse, option or spread", shortened(category))
	}
	return found, nil
}
