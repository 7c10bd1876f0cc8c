package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/internal/wire"
)

func (a *app) topicsCommand() *cobra.Command {
	var format, channel string
	var all bool
	cmd := &cobra.Command{
		Use:   "topics",
		Short: "list the topics there are: forms, channels, depths, push intervals",
		Long: `List the topics there are, with the channels that have them, the depths of order
books and how often they push. Private topics are listed with --all.`,
		Example: "  bywire topics\n  bywire topics --category spot\n  bywire topics -o json | jq -r '.[].example'",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if err := checkFormat(format, formatText, formatJSON); err != nil {
				return err
			}
			ch := wire.Channel(channel)
			if channel != "" && !ch.IsKnown() {
				return wrongCategory(channel)
			}
			rows := topicRows(ch, all)
			if format == formatJSON {
				return a.printJSON(rows)
			}
			w := a.columns()
			fmt.Fprintln(w, "TOPIC\tCHANNEL\tDEPTH\tPUSH\tEXAMPLE")
			for _, r := range rows {
				depth := "-"
				if r.Depth > 0 {
					depth = strconv.Itoa(r.Depth)
				}
				if r.Retired != "" {
					r.push = "retired " + r.Retired
					if len(r.Successors) > 0 {
						r.push += ", use " + joinInts(r.Successors, " or ")
					}
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Form, r.Channel, depth, r.push, r.Example)
			}
			return w.Flush()
		},
	}
	outputFlag(cmd, &format, formatText, "`FORMAT`: text or json", formatText, formatJSON)
	cmd.Flags().StringVar(&channel, "category", "", "only topics of this channel: "+strings.Join(channelNames(), ", "))
	cmd.Flags().BoolVar(&all, "all", false, "private topics too")
	completes(cmd, "category", channelNames()...)
	return cmd
}

// topicRow is one line of the list: a form of topic on a channel, and per depth
// for order books.
type topicRow struct {
	Form    string `json:"topic"` // orderbook.{depth}.{symbol}
	Channel string `json:"channel"`
	Path    string `json:"path"`
	Public  bool   `json:"public"`
	Depth   int    `json:"depth,omitempty"`
	// Real time means that the topic pushes when something happens, after
	// MaxMs at the latest if that is there. Else pushes are MinMs to MaxMs apart.
	RealTime   bool   `json:"realTime,omitempty"`
	MinMs      int64  `json:"pushMinMs,omitempty"`
	MaxMs      int64  `json:"pushMaxMs,omitempty"`
	Retired    string `json:"retired,omitempty"`
	Successors []int  `json:"successors,omitempty"`
	Example    string `json:"example"`

	push string
}

func topicRows(only wire.Channel, private bool) []topicRow {
	var rows []topicRow
	for _, kind := range wire.Kinds() {
		if !kind.IsPublic() && !private && only != wire.Private {
			continue
		}
		for _, ch := range kind.Channels() {
			if only != "" && ch != only {
				continue
			}
			row := topicRow{Form: topicForm(kind), Channel: string(ch), Path: ch.Path(), Public: kind.IsPublic()}
			if kind != wire.KindOrderBook {
				rows = append(rows, row.with(exampleOn(kind, 0, ch), ch))
				continue
			}
			for _, d := range wire.Depths(ch) {
				row := row
				row.Depth = d.Levels
				if d.State == wire.DepthRetired {
					row.Retired, row.Successors = d.Retired, d.Successors
				}
				rows = append(rows, row.with(exampleOn(kind, d.Levels, ch), ch))
			}
		}
	}
	return rows
}

// with completes a row by its example and what that says about pushes.
func (r topicRow) with(example wire.Topic, ch wire.Channel) topicRow {
	r.Example = example.String()
	p := example.PushOn(ch)
	r.RealTime, r.MinMs, r.MaxMs = p.RealTime, p.Min.Milliseconds(), p.Max.Milliseconds()
	r.push = pushWords(p)
	return r
}

func pushWords(p wire.Push) string {
	switch {
	case p.RealTime && p.Max > 0:
		return "real time, at least every " + shortDuration(p.Max)
	case p.RealTime:
		return "real time"
	case p.Min == 0 && p.Max == 0:
		return "-"
	case p.Min == p.Max:
		return "every " + shortDuration(p.Min)
	}
	return "every " + shortDuration(p.Min) + " to " + shortDuration(p.Max)
}

// shortDuration is a duration without the zeros that time.Duration prints:
// "20ms", "30s", "1m".
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// topicForm is a kind with the names of its parts in braces.
func topicForm(k wire.Kind) string {
	switch k {
	case wire.KindOrderBook:
		return "orderbook.{depth}.{symbol}"
	case wire.KindKlines:
		return "kline.{interval}.{symbol}"
	case wire.KindInsurance, wire.KindADLAlerts:
		return k.String() + ".{group}"
	case wire.KindDCP:
		return k.String() + ".{product}"
	case wire.KindPosition, wire.KindExecution, wire.KindFastExecution, wire.KindOrder:
		return k.String() + "[.{category}]"
	}
	if _, err := wire.ParseTopic(k.String()); err == nil {
		return k.String()
	}
	return k.String() + ".{symbol}"
}

// exampleOn is a topic of the kind that exists on the channel.
func exampleOn(k wire.Kind, depth int, ch wire.Channel) wire.Topic {
	t, err := wire.ParseTopic(k.Example())
	if err != nil {
		return wire.Topic{}
	}
	if depth > 0 {
		t.Depth = depth
	}
	switch k {
	case wire.KindInsurance, wire.KindADLAlerts:
		if ch == wire.Inverse {
			t.Symbol = "inverse"
		}
		return t
	}
	if t.Symbol != "BTCUSDT" {
		return t
	}
	switch ch {
	case wire.Inverse:
		t.Symbol = "BTCUSD"
	case wire.Option:
		t.Symbol = "BTC-25DEC26-100000-C"
		if k == wire.KindTrades {
			t.Symbol = "BTC"
		}
	case wire.Spread:
		t.Symbol = "BTCUSDT_BTC/USDT"
	}
	return t
}

func joinInts(list []int, sep string) string {
	text := make([]string, len(list))
	for i, n := range list {
		text[i] = strconv.Itoa(n)
	}
	return strings.Join(text, sep)
}

// channelNames are the values of --category.
func channelNames() []string {
	var names []string
	for _, ch := range wire.Channels() {
		if ch.IsPublic() {
			names = append(names, string(ch))
		}
	}
	return names
}

// wrongCategory says which categories there are.
func wrongCategory(value string) error {
	names := channelNames()
	if near := nearest(value, names); near != "" && !slices.Contains(names, value) {
		return usageError("--category %s: no such category; meant %s?", value, near)
	}
	return usageError("--category %s: no such category; there are %s", value, strings.Join(names, ", "))
}

// quoted is a string as JSON, for a shell or a person to see where it ends.
func quoted(s string) string { return string(wire.AppendString(nil, s)) }
