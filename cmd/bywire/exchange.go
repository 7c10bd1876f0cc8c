package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange"
	"github.com/bywire/bywire/internal/guard"
)

// exchangeOptions are the flags of exchange.
type exchangeOptions struct {
	listen, clock, start, limits string
	config, instruments, journal string
	token, metrics               string
	hosts, origins, symbols      []string
	seed                         uint64
	quiet, remote                bool
	ackDelay, quantum, silence   time.Duration
}

const exchangeLong = `Run a Bybit of your own on this machine: ws://ADDR/v5/public/{channel} and
http://ADDR/v5/..., with a generated market behind them that the same --seed makes again.
docs/fidelity.md says what is simulated and what is not.

When connections are accepted it prints one line on stdout:

  {"event":"ready","listen":"127.0.0.1:PORT","rest":"http://...","ws":"ws://..."}

Its time is yours: --clock live is the time of day, x10 ten times as fast, step stands still
until it is advanced, max goes as fast as the machine and the slowest subscriber. While it
runs, http://ADDR/control/v1/ moves the time, the prices, halts, and makes connections fail
on purpose (docs/control.md has a curl line for each).

Clients that work through what they get can have the step and max clocks wait for them: by
saying {"op":"bywire.idle"} (docs/control.md), or with --silence without a word of theirs.

Only this machine can connect, also to --metrics, and no web page can. --allow-remote, with
a token that every request has to say, and --allow-origin change that.

--config FILE reads flags from a TOML file, one a line, such as: clock = "x10". What is given
on the command line counts more.`

func (a *app) exchangeCommand() *cobra.Command {
	var opts exchangeOptions
	cmd := &cobra.Command{
		Use:   "exchange",
		Short: "run a local exchange with a generated market, in the V5 protocol",
		Long:  exchangeLong,
		Example: `  bywire exchange
  bywire exchange --seed 7 --clock step --limits off
  bywire exchange --symbol linear:BTCUSDT --clock max
  bywire exchange --config exchange.toml --journal run.journal`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := configured(cmd, opts.config); err != nil {
				return err
			}
			return a.exchange(cmd.Context(), &opts)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.listen, "listen", "127.0.0.1:8787", "`ADDR` to listen on; another machine's needs --allow-remote")
	flags.Uint64Var(&opts.seed, "seed", 0, "`N` that the market follows from")
	flags.StringVar(&opts.clock, "clock", "live", "what makes time pass, `MODE`: live, step, max, or a speed such as x10")
	flags.StringVar(&opts.start, "start", "", "`TIME` at which the market begins (default: now with --clock live, else 2026-01-01)")
	flags.StringArrayVar(&opts.symbols, "symbol", nil, "only these instruments, `NAME` as linear:BTCUSDT, option:BTC-* or spot; may be repeated (default: all)")
	flags.StringVar(&opts.instruments, "instruments", "", "`FILE` of instruments to add or replace, also a reply of instruments-info")
	flags.BoolVar(&opts.quiet, "quiet", false, "leave the generated orders out: books are empty")
	flags.StringVar(&opts.limits, "limits", "real", "`WHICH` limits hold: real (the venue's) or off")
	flags.DurationVar(&opts.ackDelay, "ack-delay", 3*time.Millisecond, "hold acknowledgements for this `DURATION`; 0 for none")
	flags.DurationVar(&opts.quantum, "quantum", exchange.DefaultQuantum, "`DURATION` that a step or max clock moves between two looks at the clients that it waits for")
	flags.DurationVar(&opts.silence, "silence", 0, "make a step or max clock wait after each quantum until every client has sent nothing for this `DURATION`; 0 waits for those that say bywire.idle")
	flags.StringVar(&opts.journal, "journal", "", "`FILE` to write every command from outside to; bywire exchange replay FILE does the run again")
	flags.BoolVar(&opts.remote, "allow-remote", false, "let other machines connect; needs --token")
	flags.StringVar(&opts.token, "token", "", "`FILE` with a token that every request must say, as Authorization: Bearer TOKEN or as /token/TOKEN before the path")
	flags.StringArrayVar(&opts.hosts, "host", nil, "a `NAME` under which it may be asked, beside localhost and its addresses; may be repeated")
	flags.StringArrayVar(&opts.origins, "allow-origin", nil, "an `ORIGIN` whose web pages may connect, such as http://localhost:3000; may be repeated")
	flags.StringVar(&opts.config, "config", "", "TOML `FILE` with values for these flags")
	metricsFlag(cmd, &opts.metrics)
	completes(cmd, "clock", "live", "step", "max", "x10", "x100")
	completes(cmd, "limits", "real", "off")
	cmd.AddCommand(a.exchangeReplayCommand())
	return cmd
}

// translate turns the flags into a configuration, for the addresses to listen on.
func (o *exchangeOptions) translate(addr, metrics string) (*exchange.Config, error) {
	cfg := &exchange.Config{
		Seed: o.seed, AckDelay: o.ackDelay, Quiet: o.quiet, Symbols: o.symbols, Hosts: slices.Clone(o.hosts), AllowOrigins: o.origins,
		Quantum: o.quantum, Silence: o.silence,
	}
	var err error
	if cfg.Clock, cfg.Speed, err = exchange.ParseClock(o.clock); err != nil {
		return nil, usageError("--clock %s: live, step, max, or a speed such as x10 (x0.001 to x1000000)", o.clock)
	}
	if cfg.Start, err = parseMoment("start", o.start, time.Now()); err != nil {
		return nil, usageError("--start %s: no time; write %s, or +90s from now", o.start, momentForms)
	}
	switch {
	case o.ackDelay < 0 || o.ackDelay > time.Minute:
		return nil, usageError("--ack-delay %s: give a duration from 0 to 1m", o.ackDelay)
	case o.ackDelay == 0:
		cfg.AckDelay = -1 // the option's zero is its default
	}
	switch {
	case o.quantum <= 0 || o.quantum > time.Hour:
		return nil, usageError("--quantum %s: give a duration above 0, such as 10ms, and at most 1h", o.quantum)
	case o.silence < 0 || o.silence > time.Minute:
		return nil, usageError("--silence %s: give a duration from 0, which is not to wait for silence, to 1m", o.silence)
	}
	switch o.limits {
	case "real":
	case "off":
		cfg.Limits = exchange.LimitsOff
	default:
		return nil, usageError("--limits %s: write real or off", o.limits)
	}
	for _, origin := range o.origins {
		if err := guard.CheckOrigin(origin); err != nil {
			return nil, usageError("--allow-origin: %w", err)
		}
	}
	if o.instruments != "" {
		if cfg.Catalog, err = os.ReadFile(o.instruments); err != nil {
			return nil, flagFileError("--instruments", o.instruments, err)
		}
		if !json.Valid(cfg.Catalog) {
			return nil, usageError("--instruments %s: no JSON; it takes a reply of GET /v5/market/instruments-info as it is, or the form that docs/control.md describes", o.instruments)
		}
	}
	if o.token != "" {
		if cfg.Token, err = readToken(o.token); err != nil {
			return nil, err
		}
	}
	for _, at := range [][2]string{{"--listen", addr}, {"--metrics", metrics}} {
		if at[1] == "" {
			continue
		}
		hosts, err := o.served(at[0], at[1])
		if err != nil {
			return nil, err
		}
		cfg.Hosts = append(cfg.Hosts, hosts...)
	}
	return cfg, nil
}

// served refuses an address that other machines could connect to, unless that is meant, and returns the names under which
// it is asked beside those of loopback.
func (o *exchangeOptions) served(flag, addr string) ([]string, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "localhost" || err == nil && ip.IsLoopback():
		return nil, nil
	case !o.remote:
		return nil, usageError("%s %s: other machines could connect; add --allow-remote and --token FILE if that is meant", flag, addr)
	case o.token == "":
		return nil, usageError("--allow-remote: needs --token FILE; make one with: openssl rand -hex 16 > token")
	}
	return ownNames(host, ip), nil
}

// explained says which flag an error of exchange.New is about.
func (o *exchangeOptions) explained(err error) error {
	text := strings.TrimPrefix(err.Error(), "exchange: ")
	for name, flag := range map[string]string{"Config.Start": "--start", "core: instruments: catalog:": "--instruments " + o.instruments + ":"} {
		if rest, ok := strings.CutPrefix(text, name); ok {
			return usageError("%s%s", flag, rest)
		}
	}
	if name, ok := strings.CutSuffix(text, " names no instrument"); ok {
		name = strings.Trim(strings.TrimPrefix(name, "catalog: "), `"`)
		return usageError("--symbol %s: no such instrument; one looks like linear:BTCUSDT, several like option:BTC-*, and all of a category like spot; without --symbol all are there, and GET /v5/market/instruments-info lists them", name)
	}
	return usageError("%s", text)
}

// ownNames are the names under which an address of this machine is asked.
func ownNames(host string, ip netip.Addr) []string {
	if !ip.IsUnspecified() {
		return []string{host}
	}
	var names []string
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return names // what is missing can be said with --host
	}
	for _, addr := range addrs {
		if p, err := netip.ParsePrefix(addr.String()); err == nil {
			names = append(names, p.Addr().String())
		}
	}
	return names
}

// minToken is the shortest token: 64 bits in hexadecimal digits.
const minToken = 16

// readToken reads the token of a file. What the file holds is in no error.
func readToken(name string) (string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return "", flagFileError("--token", name, err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < minToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' || r == '%' || r == '?' || r == '#' }) {
		return "", usageError("--token %s: holds no token of %d or more letters and digits; make one with: openssl rand -hex 16 > %[1]s", name, minToken)
	}
	return token, nil
}

// flagFileError is what is wrong with the file that a flag names.
func flagFileError(flag, name string, err error) error {
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		err = file.Err
	}
	return usageError("%s %s: %w", flag, name, err)
}

func (a *app) exchange(ctx context.Context, opts *exchangeOptions) (err error) {
	addr, err := localAddress("--listen", opts.listen)
	if err != nil {
		return err
	}
	metrics := ""
	if opts.metrics != "" {
		if metrics, err = localAddress("--metrics", opts.metrics); err != nil {
			return err
		}
	}
	cfg, err := opts.translate(addr, metrics)
	if err != nil {
		return err
	}
	m, err := a.startMeter(metrics, 0, func(h http.Handler) http.Handler {
		return guard.New(h, guard.Options{Hosts: cfg.Hosts, Token: cfg.Token})
	})
	if err != nil {
		return err
	}
	defer m.close()
	listener, err := listen("--listen", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	journal, err := a.journalFile(opts.journal)
	if err != nil {
		return err
	}
	if journal != nil {
		cfg.Journal = journal
	}
	cfg.Logger = slog.New(&sayHandler{say: a.say})
	x, err := exchange.New(cfg)
	if err != nil {
		journal.remove()
		return opts.explained(err)
	}
	m.exchange(x.Stats)
	return a.serve(ctx, listener, service{
		server: x.Server(),
		close:  func() error { return journal.end(x.Close()) },
		run: func(ctx context.Context, addr string) error {
			for _, reason := range x.Skipped() {
				a.say("--instruments %s: left out: %s", opts.instruments, reason)
			}
			symbols, err := x.Symbols(ctx)
			if err != nil {
				return err
			}
			a.describeExchange(addr, opts, cfg, symbols)
			<-ctx.Done()
			return ctx.Err()
		},
	})
}

// describeExchange says what is served, in words that a person can paste.
func (a *app) describeExchange(addr string, opts *exchangeOptions, cfg *exchange.Config, symbols []exchange.Symbol) {
	a.say("seed %d, clock %s; Ctrl-C ends it", cfg.Seed, clockWords(cfg))
	d := door{addr: outside(addr), tokenFile: opts.token}
	if len(symbols) > 0 {
		shown := symbols[0]
		if i := slices.Index(symbols, exchange.Symbol{Category: bybit.Linear, Symbol: "BTCUSDT"}); i >= 0 {
			shown = symbols[i]
		}
		for _, line := range d.pasteLines(string(shown.Category), shown.Symbol) {
			a.say("%s", line)
		}
	}
	a.say("  control: curl %s", d.shell("http", "/control/v1/state"))
}

// outside is the address under which other machines reach a server that listens on all.
func outside(addr string) string {
	at, err := netip.ParseAddrPort(addr)
	if err != nil || !at.Addr().IsUnspecified() {
		return addr
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return reachable(addr)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsGlobalUnicast() && p.Addr().Is4() {
			return netip.AddrPortFrom(p.Addr(), at.Port()).String()
		}
	}
	return reachable(addr)
}

// clockWords is a clock as --clock takes it.
func clockWords(cfg *exchange.Config) string {
	if cfg.Clock == exchange.Scaled {
		return "x" + strconv.FormatFloat(cfg.Speed, 'g', -1, 64)
	}
	return cfg.Clock.String()
}

// door is where a server is entered.
type door struct {
	addr      string
	tokenFile string // of the token that it demands; "" for none
}

// shell is a URL as a word of a shell, which reads the token by itself: it is printed nowhere.
func (d door) shell(scheme, path string) string {
	if d.tokenFile == "" {
		if url := scheme + "://" + d.addr + path; strings.ContainsAny(path, "?&") {
			return "'" + url + "'"
		}
		return scheme + "://" + d.addr + path
	}
	return `"` + scheme + "://" + d.addr + "/token/$(cat '" + d.tokenFile + "')" + path + `"`
}

// pasteLines show how to use a server from Go, from a shell, and with this command.
func (d door) pasteLines(category, symbol string) []string {
	depth := "50"
	if slices.Contains([]string{"option", "spread"}, category) {
		depth = "25"
	}
	tickers := "/v5/market/tickers?category=" + category + "&symbol=" + symbol
	if category == "spread" {
		tickers = "/v5/spread/tickers?symbol=" + symbol
	}
	token := ""
	if d.tokenFile != "" {
		token = "/token/TOKEN"
	}
	return []string{
		`  Go:      bybit.CustomEnvironment("ws://` + d.addr + token + `", "http://` + d.addr + token + `")`,
		`  curl:    curl ` + d.shell("http", tickers),
		`  bywire:  bywire stream orderbook.` + depth + `.` + symbol + ` --category ` + category + ` --ws ` + d.shell("ws", ""),
	}
}
