package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/exchange"
)

// exchangeOptions are the flags of exchange.
type exchangeOptions struct {
	listen, clock, start, limits string
	config, instruments, journal string
	token, metrics               string
	hosts, origins, symbols      []string
	seed                         uint64
	quiet, remote                bool
	ackDelay                     time.Duration
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

Only this machine can connect, and no web page can. --allow-remote, with a token that every
request has to say, and --allow-origin change that.

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
	flags.StringVar(&opts.journal, "journal", "", "`FILE` to write every command from outside to, for a replay of the run")
	flags.BoolVar(&opts.remote, "allow-remote", false, "let other machines connect; needs --token")
	flags.StringVar(&opts.token, "token", "", "`FILE` with a token that every request must say, as Authorization: Bearer TOKEN or as /token/TOKEN before the path")
	flags.StringArrayVar(&opts.hosts, "host", nil, "a `NAME` under which it may be asked, beside localhost and its addresses; may be repeated")
	flags.StringArrayVar(&opts.origins, "allow-origin", nil, "an `ORIGIN` whose web pages may connect, such as http://localhost:3000; may be repeated")
	flags.StringVar(&opts.config, "config", "", "TOML `FILE` with values for these flags")
	metricsFlag(cmd, &opts.metrics)
	completes(cmd, "clock", "live", "step", "max", "x10", "x100")
	completes(cmd, "limits", "real", "off")
	return cmd
}

// translate turns the flags into a configuration. What is to be closed afterwards is the journal.
func (o *exchangeOptions) translate(addr string) (*exchange.Config, error) {
	cfg := &exchange.Config{
		Seed: o.seed, AckDelay: o.ackDelay, Quiet: o.quiet, Symbols: o.symbols, Hosts: o.hosts, AllowOrigins: o.origins,
	}
	var err error
	if cfg.Clock, cfg.Speed, err = exchange.ParseClock(o.clock); err != nil {
		return nil, usageError("--clock %s: live, step, max, or a speed such as x10 (x0.001 to x1000000)", o.clock)
	}
	if cfg.Start, err = parseMoment("start", o.start, time.Now()); err != nil {
		return nil, err
	}
	switch {
	case o.ackDelay < 0 || o.ackDelay > time.Minute:
		return nil, usageError("--ack-delay %s: give a duration from 0 to 1m", o.ackDelay)
	case o.ackDelay == 0:
		cfg.AckDelay = -1 // the option's zero is its default
	}
	switch o.limits {
	case "real":
	case "off":
		cfg.Limits = exchange.LimitsOff
	default:
		return nil, usageError("--limits %s: write real or off", o.limits)
	}
	if o.instruments != "" {
		if cfg.Catalog, err = os.ReadFile(o.instruments); err != nil {
			return nil, flagFileError("--instruments", o.instruments, err)
		}
	}
	if o.token != "" {
		if cfg.Token, err = readToken(o.token); err != nil {
			return nil, err
		}
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	ip, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && ip.IsLoopback() {
		return cfg, nil
	}
	switch {
	case !o.remote:
		return nil, usageError("--listen %s: other machines could connect; add --allow-remote and --token FILE if that is meant", o.listen)
	case cfg.Token == "":
		return nil, usageError("--allow-remote: needs --token FILE; make one with: openssl rand -hex 16 > token")
	}
	cfg.Hosts = append(cfg.Hosts, ownNames(host, ip)...)
	return cfg, nil
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
	cfg, err := opts.translate(addr)
	if err != nil {
		return err
	}
	m, err := a.startMeter(opts.metrics, 0)
	if err != nil {
		return err
	}
	defer m.close()
	listener, err := listen("--listen", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	if opts.journal != "" {
		// A journal is of one run: an older one is not written over.
		f, err := os.OpenFile(opts.journal, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return flagFileError("--journal", opts.journal, err)
		}
		defer func() {
			if e := f.Close(); err == nil {
				err = e
			}
		}()
		cfg.Journal = f
	}
	x, err := exchange.New(cfg)
	if err != nil {
		return usageError("%w", err)
	}
	m.exchange(x.Stats)
	return a.serve(ctx, listener, service{
		server: x.Server(),
		close:  x.Close,
		run: func(ctx context.Context, addr string) error {
			a.describeExchange(addr, cfg)
			<-ctx.Done()
			return ctx.Err()
		},
	})
}

// describeExchange says what is served, in words that a person can paste.
func (a *app) describeExchange(addr string, cfg *exchange.Config) {
	a.say("seed %d, clock %s; Ctrl-C ends it", cfg.Seed, clockWords(cfg))
	for _, line := range pasteLines(addr, "linear", "BTCUSDT") {
		a.say("%s", line)
	}
	a.say("  control: curl http://%s/control/v1/state", addr)
}

// clockWords is a clock as --clock takes it.
func clockWords(cfg *exchange.Config) string {
	if cfg.Clock == exchange.Scaled {
		return "x" + strconv.FormatFloat(cfg.Speed, 'g', -1, 64)
	}
	return cfg.Clock.String()
}

// pasteLines show how to use a server from Go, from a shell, and with this command.
func pasteLines(addr, category, symbol string) []string {
	depth := "50"
	if slices.Contains([]string{"option", "spread"}, category) {
		depth = "25"
	}
	return []string{
		`  Go:      bybit.CustomEnvironment("ws://` + addr + `", "http://` + addr + `")`,
		`  curl:    curl 'http://` + addr + `/v5/market/tickers?category=` + category + `&symbol=` + symbol + `'`,
		`  bywire:  bywire stream orderbook.` + depth + `.` + symbol + ` --category ` + category + ` --ws ws://` + addr,
	}
}
