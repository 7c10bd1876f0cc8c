package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/live"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsclient"
)

const liveLong = `Listen to every public channel of mainnet and testnet, and write down where the exchange
differs from what bywire takes it for (docs/fidelity.md): unknown fields, key order, update
ids that skip, acknowledgements, pongs and refusals of another shape. It needs no account.

The file holds versions, times, counts and examples of public messages; no addresses and
no connection ids. Look at it, and send it to us.`

// liveOptions are the flags of live.
type liveOptions struct {
	connection
	length time.Duration
	to     string
}

// liveCommand is what make live runs. It is hidden: it serves those who build
// bywire, not those who use it.
func (a *app) liveCommand() *cobra.Command {
	var opts liveOptions
	cmd := &cobra.Command{
		Use:    "live",
		Short:  "compare the exchange with what bywire takes it for",
		Long:   liveLong,
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.length <= 0 || opts.length > time.Hour {
				return usageError("--for %s: give a duration from 1ms to 1h", opts.length)
			}
			var environments []bybit.Environment
			if opts.own() || cmd.Flags().Changed("env") {
				env, err := opts.environment(cmd)
				if err != nil {
					return err
				}
				environments = append(environments, env)
			} else {
				environments = append(environments, bybit.Mainnet(), bybit.Testnet())
			}
			if opts.category != "" && !slices.Contains(channelNames(), opts.category) {
				return wrongCategory(opts.category)
			}
			return a.live(cmd.Context(), &opts, environments)
		},
	}
	opts.flags(cmd)
	cmd.Flags().DurationVar(&opts.length, "for", time.Minute, "`DURATION` to listen")
	cmd.Flags().StringVar(&opts.to, "to", "bywire-live.json", "`FILE` to write")
	return cmd
}

// liveReport is the file.
type liveReport struct {
	Version  string     `json:"version"`
	Go       string     `json:"go"`
	Platform string     `json:"platform"`
	Began    time.Time  `json:"began"`
	Seconds  float64    `json:"seconds"` // that each channel was listened to
	Runs     []*liveRun `json:"runs"`
}

// liveRun is one channel of one environment.
type liveRun struct {
	Environment string            `json:"environment"`
	Channel     string            `json:"channel"`
	Problem     string            `json:"problem,omitempty"` // why there is no connection, or no more
	Topics      []*liveTopic      `json:"topics"`
	Deviations  []*live.Deviation `json:"deviations"`
	MoreKinds   int               `json:"moreDeviations,omitempty"` // that the list had no room for

	env    bybit.Environment
	length time.Duration
}

// liveTopic is what became of a topic.
type liveTopic struct {
	Topic    string `json:"topic"`
	Messages int    `json:"messages"`
	Refused  string `json:"refused,omitempty"`
}

// live listens to all channels at the same time.
func (a *app) live(ctx context.Context, opts *liveOptions, environments []bybit.Environment) error {
	report := &liveReport{
		Version: currentVersion(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Began: time.Now().UTC().Truncate(time.Second), Seconds: opts.length.Seconds(),
	}
	for _, env := range environments {
		for _, ch := range channelNames() {
			if opts.category == "" || opts.category == ch {
				report.Runs = append(report.Runs, &liveRun{Environment: env.Name, Channel: ch, env: env, length: opts.length})
			}
		}
	}
	if err := writable(opts.to); err != nil {
		return err
	}
	a.say("listening to %s for %s", counted(len(report.Runs), "channel"), shortDuration(opts.length))
	var wg sync.WaitGroup
	for _, run := range report.Runs {
		wg.Go(func() { run.listen(ctx) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text, err := marshalIndent(report)
	if err != nil {
		return err
	}
	if err := os.WriteFile(opts.to, text, 0o644); err != nil {
		return err
	}
	connected := 0
	for _, run := range report.Runs {
		messages, quiet := 0, 0
		for _, t := range run.Topics {
			messages += t.Messages
			if t.Messages == 0 {
				quiet++
			}
		}
		line := fmt.Sprintf("%s %s: %s, %s", run.Environment, run.Channel, counted(messages, "message"), counted(len(run.Deviations), "deviation"))
		if quiet > 0 {
			line += fmt.Sprintf(", %d of %s silent", quiet, counted(len(run.Topics), "topic"))
		}
		if run.Problem != "" {
			line += "; " + run.Problem
		}
		if messages > 0 || run.Problem == "" {
			connected++
		}
		fmt.Fprintln(a.out, line)
	}
	if err := a.flush(); err != nil {
		return err
	}
	if connected == 0 {
		return &codeError{exitNetwork, fmt.Errorf("no channel could be reached; bywire doctor says why (the report is in %s)", opts.to)}
	}
	a.say("the report is in %s; look at it, and send it to us with an issue", opts.to)
	return nil
}

// writable tries whether a file can be written, so that nobody listens for nothing.
// What the file holds stays, and one that was not there is not there afterwards.
func writable(name string) error {
	_, missing := os.Stat(name)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err == nil {
		err = f.Close()
	}
	if err == nil && errors.Is(missing, fs.ErrNotExist) {
		err = os.Remove(name)
	}
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return usageError("--to %s: may not be written: %w", name, file.Err)
	}
	return err
}

// listen is one run.
func (r *liveRun) listen(ctx context.Context) {
	check := live.NewCheck(bybit.Channel(r.Channel))
	r.Deviations = []*live.Deviation{} // an empty list and no null
	ch := wire.Channel(r.Channel)
	base := hostOf(&r.env, bybit.Channel(ch))
	if base == "" {
		r.Problem = "no documented WebSocket host"
		return
	}
	for _, name := range r.names(ctx, ch) {
		r.Topics = append(r.Topics, &liveTopic{Topic: name})
	}
	step, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	conn, err := wsclient.Dial(step, &wsclient.Config{URL: base + ch.Path()})
	if err != nil {
		r.Problem = r.words(err)
		return
	}
	s := &liveSession{run: r, ch: ch, conn: conn, check: check}
	err = s.converse(ctx)
	conn.Abort(errListened)
	for e := error(nil); e == nil; {
		_, e = conn.Next()
	}
	conn.Wait()
	s.unanswered()
	if err != nil && !errors.Is(err, errListened) {
		r.Problem = r.words(err)
	}
	for _, t := range r.Topics {
		t.Messages = check.Messages(t.Topic)
	}
	r.Deviations, r.MoreKinds = check.Deviations()
	if r.Deviations == nil {
		r.Deviations = []*live.Deviation{}
	}
}

// words is an error without addresses.
func (r *liveRun) words(err error) string {
	if shake, ok := errors.AsType[*wsclient.HandshakeError](err); ok {
		return fmt.Sprintf("handshake refused: HTTP %d", shake.Status)
	}
	return string(live.Scrub([]byte(networkReason(err)), ""))
}

// names are the topics of a channel: one of each form and depth.
func (r *liveRun) names(ctx context.Context, ch wire.Channel) []string {
	var names []string
	symbol := r.symbol(ctx, ch)
	for _, row := range topicRows(ch, false) {
		t, err := wire.ParseTopic(row.Example)
		if err != nil || row.Retired != "" {
			continue
		}
		if symbol != "" && (ch == wire.Spread || strings.Contains(t.Symbol, "-")) {
			t.Symbol = symbol
		}
		names = append(names, t.String())
	}
	return names
}

// symbol asks for a symbol that is listed now, where no name lasts. "" is as well:
// then examples have to do.
func (r *liveRun) symbol(ctx context.Context, ch wire.Channel) string {
	var path string
	switch ch {
	case wire.Option:
		path = "/v5/market/instruments-info?category=option&baseCoin=BTC&limit=1"
	case wire.Spread:
		path = "/v5/spread/instrument?limit=1"
	}
	if path == "" || r.env.RESTURL == "" {
		return ""
	}
	step, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(step, http.MethodGet, r.env.RESTURL+path, http.NoBody)
	if err != nil {
		return ""
	}
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var answer struct {
		Result struct{ List []struct{ Symbol string } }
	}
	if json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer) != nil || len(answer.Result.List) == 0 {
		return ""
	}
	if name := answer.Result.List[0].Symbol; name == url.PathEscape(name) || strings.Contains(name, "/") {
		return name
	}
	return ""
}
