package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

const doctorLong = `Check everything between this machine and the exchange, from the name to the
messages, and say in one line each how it is and what to do:

  dns        the hosts' names resolve
  tcp        their ports answer
  tls        version and certificates; what an alert such as "internal error" means
  rest       HTTP status of /v5/market/time: a 403 is a region or a ban
  clock      this machine's clock against the venue's, median of five
  key        what the API key may do, from where and until when, and how long a signed call
             takes; of a refusal, why: such as a key of another environment
  limits     how much of the account's limit is left, as the reply's headers say
  websocket  per channel: connect, subscribe a topic, acknowledgement, first data
  delay      from a message's ts to its receipt, corrected by what clock found

A line begins with ok, warn (works, but look at it), fail, or skip (was not checked, and
why). With topics only their channel is checked, by these topics: a replay has what was
recorded. -o json prints an array of objects with check, target, state, detail, advice, and
figures in milliseconds.

It ends with code 0 if nothing fails, with 6 if the network does (dns, tcp, tls, a connection
that cannot be made or stays silent), else with 1. See docs/troubleshooting.md.`

func (a *app) doctorCommand() *cobra.Command {
	var conn connection
	var format string
	var length time.Duration
	cmd := &cobra.Command{
		Use:   "doctor [TOPIC...]",
		Short: "check the way to the exchange, and say what to do",
		Long:  doctorLong,
		Example: `  bywire doctor
  bywire doctor --env testnet --category linear --creds testnet.json
  bywire doctor --ws ws://127.0.0.1:8787 --category linear publicTrade.BTCUSDT`,
		ValidArgsFunction: completeTopics,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(format, formatText, formatJSON); err != nil {
				return err
			}
			if length <= 0 || length > time.Hour {
				return usageError("--for %s: give a duration from 1ms to 1h", length)
			}
			env, err := conn.environment(cmd)
			if err != nil {
				return err
			}
			d := newDoctor(env, conn.own())
			d.length = length
			d.keys, err = conn.credentials()
			if half, ok := errors.AsType[*envKeyError](err); ok {
				d.half = half
			} else if err != nil {
				return err
			}
			if d.probes, err = a.probes(&conn, args); err != nil {
				return err
			}
			return a.doctor(cmd.Context(), d, format)
		},
	}
	conn.flags(cmd)
	cmd.Flags().DurationVar(&length, "for", 5*time.Second, "`DURATION` to listen to each channel")
	outputFlag(cmd, &format, formatText, "`FORMAT`: text or json", formatText, formatJSON)
	return cmd
}

// The states of a finding.
const (
	stateOK   = "ok"
	stateWarn = "warn"
	stateFail = "fail"
	stateSkip = "skip"
)

// finding is one line.
type finding struct {
	Check  string             `json:"check"`  // "dns", "tcp", "tls", "rest", "clock", "key", "limits", "websocket", "delay"
	Target string             `json:"target"` // host, or channel
	State  string             `json:"state"`
	Detail string             `json:"detail"`
	Advice string             `json:"advice,omitempty"`
	Ms     map[string]float64 `json:"ms,omitempty"`

	network bool // a failure is one of the network
}

// line is the finding for people.
func (f *finding) line() string {
	s := fmt.Sprintf("%-4s  %-9s  %s: %s", f.State, f.Check, f.Target, f.Detail)
	if f.Advice != "" {
		s += "; " + f.Advice
	}
	return oneLine(s)
}

// doctor checks one environment. What it asks of the world is in fields, so that
// tests can be the world.
type doctor struct {
	env    bybit.Environment
	own    bool               // the server is one of the user's own
	keys   *bybit.Credentials // nil: no key to check
	half   error              // what is wrong with the key of the process's environment
	probes []probe
	length time.Duration // how long to listen
	wait   time.Duration // how long one step may take

	lookup func(ctx context.Context, host string) ([]string, error)
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	getenv func(string) string
	roots  *x509.CertPool // nil: those of the system
	now    func() time.Time

	report func(*finding)
	broken map[string]bool // hosts that cannot be reached, by host:port
	behind time.Duration   // what to add to this machine's clock
	timed  bool            // behind is known
}

func newDoctor(env bybit.Environment, own bool) *doctor {
	return &doctor{
		env: env, own: own, length: 5 * time.Second, wait: 10 * time.Second,
		lookup: net.DefaultResolver.LookupHost,
		dial:   (&net.Dialer{}).DialContext,
		getenv: os.Getenv,
		now:    time.Now,
		broken: make(map[string]bool),
	}
}

// probes are the topics to subscribe: those given, or one for each channel.
func (a *app) probes(conn *connection, args []string) ([]probe, error) {
	if len(args) > 0 {
		sel, err := a.selectTopics(args, conn.category, conn.own())
		if err != nil {
			return nil, err
		}
		var list []probe
		for _, t := range sel.topics {
			list = append(list, probe{channel: wire.Channel(sel.channel), topic: t.String(), asked: true})
		}
		return list, nil
	}
	ch := wire.Channel(conn.category)
	if ch != "" && (!ch.IsKnown() || !ch.IsPublic()) {
		if ch.IsCustom() {
			return nil, usageError("doctor: name a topic of %s, like: bywire doctor --category %s TOPIC", ch, ch)
		}
		return nil, wrongCategory(conn.category)
	}
	list := defaultProbes()
	if ch != "" {
		list = slices.DeleteFunc(list, func(p probe) bool { return p.channel != ch })
	}
	return list, nil
}

// doctor runs the checks and prints what they find.
func (a *app) doctor(ctx context.Context, d *doctor, format string) error {
	var all []*finding
	var stdout error
	d.report = func(f *finding) {
		all = append(all, f)
		if format == formatText && ctx.Err() == nil {
			fmt.Fprintln(a.out, f.line())
			stdout = errors.Join(stdout, a.flush())
		}
	}
	d.examine(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if format == formatJSON {
		stdout = a.printJSON(all)
	}
	if stdout != nil {
		return stdout
	}
	var failed int
	network := false
	for _, f := range all {
		if f.State == stateFail {
			failed++
			network = network || f.network
		}
	}
	switch {
	case failed == 0:
		return nil
	case network:
		return &codeError{exitNetwork, fmt.Errorf("doctor: %s failed", counted(failed, "check"))}
	}
	return &codeError{exitOther, fmt.Errorf("doctor: %s failed", counted(failed, "check"))}
}

// examine makes all checks in order. What cannot be tried because an earlier one
// failed is skipped, and the line says so.
func (d *doctor) examine(ctx context.Context) {
	d.checkProxy()
	for _, e := range d.endpoints() {
		d.checkHost(ctx, e)
	}
	d.checkREST(ctx)
	d.checkKey(ctx)
	d.checkChannels(ctx)
}

// endpoint is a host to reach.
type endpoint struct {
	host, port string
	secure     bool
}

func (e endpoint) addr() string { return net.JoinHostPort(e.host, e.port) }

// endpointOf takes a URL apart.
func endpointOf(raw string) (endpoint, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return endpoint{}, false
	}
	e := endpoint{host: u.Hostname(), port: u.Port(), secure: u.Scheme == "wss" || u.Scheme == "https"}
	if e.port == "" {
		e.port = "80"
		if e.secure {
			e.port = "443"
		}
	}
	return e, true
}

// endpoints are the hosts that the checks need, each once.
func (d *doctor) endpoints() []endpoint {
	var urls []string
	for _, p := range d.probes {
		urls = append(urls, d.base(p.channel))
	}
	urls = append(urls, d.env.RESTURL)
	var list []endpoint
	for _, raw := range urls {
		if e, ok := endpointOf(raw); ok && !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	return list
}

// base is the WebSocket host of a channel; "" if there is none.
func (d *doctor) base(ch wire.Channel) string { return hostOf(&d.env, bybit.Channel(ch)) }

// unreachable reports whether the host of a URL has failed a check.
func (d *doctor) unreachable(raw string) bool {
	e, ok := endpointOf(raw)
	return ok && d.broken[e.addr()]
}

// checkProxy tells who expects the usual variables to work.
func (d *doctor) checkProxy() {
	if d.own {
		return
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		if d.getenv(name) != "" {
			d.report(&finding{
				Check: "proxy", Target: name, State: stateWarn, Detail: "is set, and bywire connects directly all the same",
				Advice: "if this machine reaches the internet through a proxy only, the checks below fail; a program gives its proxy as bybit.Options.DialContext",
			})
			return
		}
	}
}

// took is a duration for people.
func took(d time.Duration) string {
	switch {
	case d.Abs() < 50*time.Microsecond:
		return "0.1ms" // no need to be finer
	case d < 10*time.Millisecond && d > -10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d < 10*time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// inMs is a duration as a figure.
func inMs(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
