package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

const watchLong = `Watch symbols and say when a rule becomes true. A rule compares fields of the ticker,
the order book and the trades; it decides which topics are subscribed. It may use
+ - * / < <= > >= == != and or not, ? :, in, brackets, abs(), min(), max(), numbers, and
texts in quotes. Numbers are exact decimals, as they were received and as you write them;
a quotient is rounded half to even at 18 places, fewer where it would have more than 28
digits. The fields:
%s

A field that has not arrived, or is empty, leaves the rule undecided, which is neither true
nor false; so does a gap, until the state is there again. A rule that held before a gap and
holds after it has not become true. A rule that holds at the start has.

It fires once per symbol when it becomes true, and not again before it was false: with
--reset, before that condition held. With --for it must hold for so long without a break;
--cooldown leaves out firings that follow the last one too soon, and the next one says how
many. A rule about a trade is judged anew for each trade, and fires for each that fits;
it cannot be combined with --for.

--if NAME=EXPR names a rule; --if may be given several times, and --reset NAME=EXPR belongs
to the rule of that name, --reset EXPR to every other.

A firing is one line on stdout. -o ndjson prints an object with time, symbol, channel, name,
rule, fields (texts, exact) and muted. --exec starts a command for each, without a shell:
words are split at spaces, quotes keep them together; a shell is sh -c '...'. It gets the
object on stdin and BYWIRE_SYMBOL, BYWIRE_CHANNEL, BYWIRE_NAME, BYWIRE_RULE, BYWIRE_TIME and
BYWIRE_FIELDS (JSON) in its environment. What it prints goes to stderr. Four run at a time,
64 wait, and of more the command is left out, which is said; one that fails or takes longer
than --exec-timeout is killed with what it started, and reported; watching goes on.

It ends with code 0 at the first firing with --once. At the end of a replay the code is 0;
8 if there was a gap; 1 with --once if nothing has fired. Else it goes on until interrupted.`

// watchOptions are the flags of watch.
type watchOptions struct {
	connection
	ifs, resets    []string
	hold, cooldown time.Duration
	depth          int
	once           bool
	format         string
	command        string
	commandTime    time.Duration
}

func (a *app) watchCommand() *cobra.Command {
	var opts watchOptions
	cmd := &cobra.Command{
		Use:   "watch --if RULE SYMBOL...",
		Short: "say when a rule about prices, books or trades becomes true",
		Long:  fmt.Sprintf(watchLong, fieldList()),
		Example: `  bywire watch --if 'fundingRate > 0.0005' BTCUSDT ETHUSDT
  bywire watch --if 'spreadBps > 5' --reset 'spreadBps < 2' --for 10s BTCUSDT
  bywire watch --if 'big=value > 1_000_000 and side == "Sell"' BTCUSDT --exec 'notify-send "big sale"'
  bywire watch --if 'abs(markPrice / indexPrice - 1) > 0.002' --once BTCUSD && echo basis`,
		ValidArgsFunction: words("BTCUSDT", "ETHUSDT", "BTCUSD", "BTCPERP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := opts.environment(cmd)
			if err != nil {
				return err
			}
			rules, argv, err := opts.prepare(cmd)
			if err != nil {
				return err
			}
			groups, err := a.watchGroups(&opts, rules, args)
			if err != nil {
				return err
			}
			return a.watch(cmd.Context(), &opts, env, rules, groups, argv)
		},
	}
	opts.flags(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&opts.ifs, "if", nil, "`RULE`, or NAME=RULE; may be given several times")
	flags.StringArrayVar(&opts.resets, "reset", nil, "`RULE` that must hold before the next firing (default: that the rule was false)")
	flags.DurationVar(&opts.hold, "for", 0, "`DURATION` that the rule must hold for")
	flags.DurationVar(&opts.cooldown, "cooldown", 0, "least `DURATION` between two firings of a rule and symbol")
	flags.IntVar(&opts.depth, "depth", 0, "`LEVELS` of the book topic (default 50; 25 on option and spread)")
	flags.BoolVar(&opts.once, "once", false, "end with code 0 at the first firing")
	flags.StringVar(&opts.command, "exec", "", "`COMMAND` to start for each firing, without a shell")
	flags.DurationVar(&opts.commandTime, "exec-timeout", 30*time.Second, "kill the command after this `DURATION`")
	outputFlag(cmd, &opts.format, formatText, "`FORMAT`: text or ndjson", formatText, formatNDJSON)
	return cmd
}

// watchRule is a rule with what rearms it.
type watchRule struct {
	*rule
	reset *rule // nil: that the rule fails
}

// uses are the sources of both.
func (r *watchRule) uses() sourceSet {
	if r.reset == nil {
		return r.sources
	}
	return r.sources | r.reset.sources
}

// prepare checks the flags and compiles the rules.
func (o *watchOptions) prepare(cmd *cobra.Command) (rules []*watchRule, argv []string, err error) {
	if err := checkFormat(o.format, formatText, formatNDJSON); err != nil {
		return nil, nil, err
	}
	switch changed := cmd.Flags().Changed; {
	case len(o.ifs) == 0:
		return nil, nil, usageError("watch: --if missing, like: bywire watch --if 'fundingRate > 0.0005' BTCUSDT")
	case o.hold < 0 || changed("for") && o.hold == 0:
		return nil, nil, usageError("--for %s: give a duration above 0, such as 10s", o.hold)
	case o.cooldown < 0 || changed("cooldown") && o.cooldown == 0:
		return nil, nil, usageError("--cooldown %s: give a duration above 0, such as 5m", o.cooldown)
	case o.commandTime <= 0:
		return nil, nil, usageError("--exec-timeout %s: give a duration above 0, such as 30s", o.commandTime)
	case o.depth < 0 || changed("depth") && o.depth == 0:
		return nil, nil, usageError("--depth %d: no depth; bywire topics lists them", o.depth)
	}
	if rules, err = compileRules(o.ifs, o.resets); err != nil {
		return nil, nil, err
	}
	for _, r := range rules {
		if o.hold > 0 && r.sources.has(fromTrade) {
			return nil, nil, usageError("--for %s: %s is about a trade, which lasts no time; leave --for out", o.hold, quoted(r.text))
		}
	}
	if cmd.Flags().Changed("exec") {
		if argv, err = splitCommand(o.command); err != nil {
			return nil, nil, err
		}
	}
	return rules, argv, nil
}

// ruleName is a name before a rule. "price == 5" has none.
var ruleName = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z0-9_-]*)=([^=].*|)$`)

// namedRule splits NAME=RULE.
func namedRule(flag, text string) (name, body string, err error) {
	m := ruleName.FindStringSubmatch(text)
	if m == nil {
		return "", text, nil
	}
	if _, isField := fieldNamed(m[1]); isField {
		return "", "", usageError("%s %s: column %d: equality is written ==", flag, quoted(text), strings.IndexByte(text, '=')+1)
	}
	return m[1], m[2], nil
}

// compileRules reads --if and --reset.
func compileRules(ifs, resets []string) ([]*watchRule, error) {
	var rules []*watchRule
	for _, text := range ifs {
		name, body, err := namedRule("--if", text)
		if err != nil {
			return nil, err
		}
		r, err := compileRule(name, body)
		if err != nil {
			return nil, usageError("--if %s: %w", quoted(shortened(body)), err)
		}
		if name != "" && slices.ContainsFunc(rules, func(k *watchRule) bool { return k.name == name }) {
			return nil, usageError("--if %s=: the name is taken by another rule", name)
		}
		rules = append(rules, &watchRule{rule: r})
	}
	var general *rule
	for _, text := range resets {
		name, body, err := namedRule("--reset", text)
		if err != nil {
			return nil, err
		}
		r, err := compileRule(name, body)
		if err != nil {
			return nil, usageError("--reset %s: %w", quoted(shortened(body)), err)
		}
		if name == "" {
			if general != nil {
				return nil, usageError("--reset %s: there is one already; a rule of its own is --reset NAME=RULE", quoted(body))
			}
			general = r
			continue
		}
		i := slices.IndexFunc(rules, func(k *watchRule) bool { return k.name == name })
		if i < 0 {
			return nil, usageError("--reset %s=: no --if has that name", name)
		}
		rules[i].reset = r
	}
	for _, r := range rules {
		if r.reset == nil {
			r.reset = general
		}
	}
	return rules, nil
}

// shortened is the beginning of a text that is too long for one line of words.
func shortened(text string) string {
	if runes := []rune(text); len(runes) > 120 {
		return string(runes[:120]) + "..."
	}
	return text
}

// watchGroup is the symbols of one channel, which share a stream.
type watchGroup struct {
	selection
	symbols []string
}

// watchGroups finds the topics that the rules need of each symbol, by channel.
func (a *app) watchGroups(opts *watchOptions, rules []*watchRule, symbols []string) ([]watchGroup, error) {
	if len(symbols) == 0 {
		return nil, usageError("watch: symbol missing, like: bywire watch --if 'fundingRate > 0.0005' BTCUSDT")
	}
	var uses sourceSet
	for _, r := range rules {
		uses |= r.uses()
	}
	names := make(map[wire.Channel][]string)
	var groups []watchGroup
	for _, symbol := range symbols {
		if up := strings.ToUpper(symbol); up != symbol {
			return nil, usageError("%s: symbols are upper case; meant %s?", symbol, up)
		}
		ch := wire.Channel(opts.category)
		if ch == "" {
			t, err := wire.ParseTopic("tickers." + symbol)
			if err != nil {
				return nil, usageError("%s: no symbol; one looks like BTCUSDT", symbol)
			}
			if ch, _ = channelOf(t); ch == "" {
				return nil, usageError("%s: the name does not tell its category; add --category spot, linear, inverse or option", symbol)
			}
		}
		i := slices.IndexFunc(groups, func(g watchGroup) bool { return g.channel == bybit.Channel(ch) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, watchGroup{selection: selection{channel: bybit.Channel(ch)}})
		}
		if slices.Contains(groups[i].symbols, symbol) {
			continue
		}
		groups[i].symbols = append(groups[i].symbols, symbol)
		names[ch] = append(names[ch], watchTopics(uses, symbol, ch, opts.depth)...)
	}
	for i := range groups {
		g := &groups[i]
		ch := wire.Channel(g.channel)
		if opts.category == "" && ch == wire.Linear && slices.ContainsFunc(g.symbols, isPair) {
			a.say("taking %s on linear; add --category spot for the other", g.symbols[slices.IndexFunc(g.symbols, isPair)])
		}
		sel, err := a.selectTopics(names[ch], string(ch), opts.own())
		if err != nil {
			return nil, err
		}
		g.selection = sel
	}
	return groups, nil
}

// isPair reports a symbol that spot has as well.
func isPair(symbol string) bool {
	_, likely := channelOf(wire.Topic{Kind: wire.KindTickers, Symbol: symbol})
	return likely
}

// watchTopics are the topics of one symbol.
func watchTopics(uses sourceSet, symbol string, ch wire.Channel, depth int) []string {
	var names []string
	if uses.has(fromTicker) {
		names = append(names, "tickers."+symbol)
	}
	if uses.has(fromBook) {
		if depth == 0 {
			depth = 50
			if ch == wire.Option || ch == wire.Spread {
				depth = 25
			}
		}
		names = append(names, fmt.Sprintf("orderbook.%d.%s", depth, symbol))
	}
	if uses.has(fromTrade) {
		if ch == wire.Option {
			symbol, _, _ = strings.Cut(symbol, "-") // option trades come by base coin
		}
		names = append(names, "publicTrade."+symbol)
	}
	return names
}

// watch runs until one of its ends: one stream, and one goroutine that judges,
// for each channel.
func (a *app) watch(ctx context.Context, opts *watchOptions, env bybit.Environment, rules []*watchRule, groups []watchGroup, argv []string) (err error) {
	overflow := opts.overflow()
	if overflow == bybit.OverflowGap {
		overflow = bybit.OverflowConflate // what holds now is what rules are about
	}
	var clients []*bybit.Client
	defer func() {
		for _, c := range clients {
			err = errors.Join(err, c.Close())
		}
	}()
	var streams []*bybit.Stream
	for _, g := range groups {
		client, s, err := a.open(ctx, env, g.selection, &bybit.StreamOptions{Overflow: overflow})
		if err != nil {
			return err
		}
		clients = append(clients, client)
		streams = append(streams, s)
	}
	life, end := context.WithCancelCause(ctx)
	defer end(nil)
	out := &firings{a: a, format: opts.format, once: opts.once, end: end}
	if argv != nil {
		out.hooks = startHooks(ctx, a, argv, opts.commandTime)
		defer out.hooks.close()
	}
	type ended struct {
		sum tally
		err error
	}
	results := make(chan ended)
	for i, g := range groups {
		w := newWatcher(rules, g.symbols, g.channel, opts, out, a.say)
		go func() {
			sum, err := w.run(life, streams[i])
			if err != nil {
				end(err)
			}
			results <- ended{sum, err}
		}()
	}
	var sum tally
	for range groups {
		r := <-results
		sum.messages += r.sum.messages
		sum.gaps += r.sum.gaps
		sum.undecoded += r.sum.undecoded
		sum.rejected += r.sum.rejected
		sum.ended = sum.ended || r.sum.ended
	}
	switch cause := context.Cause(life); {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(cause, errFired):
		return nil
	case cause != nil:
		return cause
	}
	fired := out.count()
	if sum.ended {
		a.say("end of capture after %s, %s", counted(sum.messages, "message"), counted(fired, "firing"))
	}
	if err := sum.verdict(); err != nil {
		return err
	}
	if opts.once && fired == 0 {
		return errors.New("nothing has fired")
	}
	return nil
}
