package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const rootLong = `bywire speaks the Bybit V5 API: watch public data, call any endpoint, import
recordings, check them, and serve them again over WebSocket in the same protocol; or
serve a generated market, without a network.

Try:
  bywire up
  bywire book BTCUSDT
  bywire stream publicTrade.BTCUSDT tickers.BTCUSDT --count 10
  bywire call GET /v5/market/tickers category=linear symbol=BTCUSDT
  bywire capture import --from v5-jsonl --category linear --to rec day.jsonl.gz
`

// rootCommand builds the tree of subcommands. It is built anew for each run, so
// that no flag outlives one.
func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "bywire",
		Short:         "the Bybit V5 API, live, recorded and replayed",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          subcommandOf,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	inherited := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd != root {
			inherited(cmd, args)
			return
		}
		a.printHelp(root)
	})
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.upCommand(), a.exchangeCommand(), a.streamCommand(), a.bookCommand(), a.recordCommand(), a.replayCommand(), a.captureCommand(), a.topicsCommand(), a.watchCommand(), a.doctorCommand(), a.liveCommand(),
		a.callCommand(), a.endpointsCommand(), a.keysCommand(), a.historyCommand(), a.versionCommand())
	return root
}

// printHelp prints the short help of the command as a whole.
func (a *app) printHelp(root *cobra.Command) {
	fmt.Fprintf(a.out, "%s\nCommands:\n", rootLong)
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			fmt.Fprintf(a.out, "  %-11s %s\n", cmd.Name(), strings.ToLower(cmd.Short[:1])+cmd.Short[1:])
		}
	}
	fmt.Fprintln(a.out, "\nbywire COMMAND --help says more about one.")
}

// subcommandOf refuses a word that is no subcommand, and names the nearest.
func subcommandOf(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if near := nearest(args[0], names); near != "" {
		return usageError("%s %s: no such command; meant %s %s?", cmd.CommandPath(), args[0], cmd.CommandPath(), near)
	}
	return usageError("%s %s: no such command; there are %s", cmd.CommandPath(), args[0], strings.Join(names, ", "))
}

var (
	unknownFlag   = regexp.MustCompile(`^unknown flag: --(.*)$`)
	unknownLetter = regexp.MustCompile(`^unknown shorthand flag: '(.)' in`)
	missingValue  = regexp.MustCompile(`^flag needs an argument: (?:--(\S+)|'(.)' in .*)$`)
)

// flagError says what is wrong with a flag and what would be right.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	path := strings.TrimPrefix(cmd.CommandPath(), "bywire ")
	if m := unknownFlag.FindStringSubmatch(err.Error()); m != nil {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := nearest(m[1], names); near != "" {
			return usageError("%s: no flag --%s; meant --%s?", path, m[1], near)
		}
		return usageError("%s: no flag --%s; bywire %s --help lists them", path, m[1], path)
	}
	if m := unknownLetter.FindStringSubmatch(err.Error()); m != nil {
		return usageError("%s: no flag -%s; bywire %s --help lists them", path, m[1], path)
	}
	if m := missingValue.FindStringSubmatch(err.Error()); m != nil {
		f := cmd.Flags().Lookup(m[1])
		if f == nil && m[2] != "" {
			f = cmd.Flags().ShorthandLookup(m[2])
		}
		if f != nil {
			_, usage := pflag.UnquoteUsage(f)
			return usageError("%s: --%s needs a value: %s", path, f.Name, usage)
		}
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		_, usage := pflag.UnquoteUsage(bad.GetFlag())
		return usageError("%s: --%s %s is no %s; %s", path, bad.GetFlag().Name, bad.GetValue(), valueName(bad.GetFlag()), usage)
	}
	return usageError("%s: %w", path, err)
}

// valueName says in a word what a flag takes.
func valueName(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "int64", "uint64":
		return "whole number"
	case "duration":
		return "duration (one looks like 10s or 5m)"
	case "bool":
		return "true or false"
	}
	return f.Value.Type()
}

// nearest returns the word closest to what was typed: the only one that begins
// so, or one within two edits; "" if none is close.
func nearest(typed string, words []string) string {
	low := strings.ToLower(typed)
	var begins []string
	best, bestDistance := "", 3
	for _, w := range words {
		if len(low) >= 2 && strings.HasPrefix(w, low) {
			begins = append(begins, w)
		}
		if d := edits(low, w); d < bestDistance && d < len(w) {
			best, bestDistance = w, d
		}
	}
	if best == "" && len(begins) == 1 {
		return begins[0]
	}
	return best
}

// edits is the number of single-letter changes between two words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// oneArgument is the Args of commands that take exactly one.
func oneArgument(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		path := strings.TrimPrefix(cmd.CommandPath(), "bywire ")
		switch len(args) {
		case 0:
			return usageError("%s: %s missing, like: %s", path, what, example)
		case 1:
			return nil
		}
		return usageError("%s: takes one %s, got %d: %s", path, what, len(args), strings.Join(args, " "))
	}
}

// oneArgumentAtMost is the Args of commands that take one or none.
func oneArgumentAtMost(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usageError("%s: takes one %s, got %d: %s", strings.TrimPrefix(cmd.CommandPath(), "bywire "), what, len(args), strings.Join(args, " "))
		}
		return nil
	}
}

// noArguments is the Args of commands that take none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError("%s: takes no arguments, got %s", strings.TrimPrefix(cmd.CommandPath(), "bywire "), strings.Join(args, " "))
	}
	return nil
}

// words completes from a fixed set.
func words(set ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var found []string
		for _, w := range set {
			if strings.HasPrefix(w, typed) {
				found = append(found, w)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// folders completes names of folders.
func folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completes registers the values of a flag for completion. The flag exists: the
// error of cobra would say otherwise.
func completes(cmd *cobra.Command, flag string, set ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, words(set...)); err != nil {
		panic("bywire: " + err.Error())
	}
}

// outputFlag adds -o.
func outputFlag(cmd *cobra.Command, target *string, value, usage string, set ...string) {
	cmd.Flags().StringVarP(target, "output", "o", value, usage)
	completes(cmd, "output", slices.Clone(set)...)
}

// marshalIndent is JSON for people and programs: indented, without the escapes
// that HTML would need, with a newline at its end.
func marshalIndent(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
