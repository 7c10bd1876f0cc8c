package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// selection is what a person asked to see: topics of one channel.
type selection struct {
	channel bybit.Channel
	topics  []bybit.Topic
	notices []string // what was changed or assumed
}

// candidate is one topic on its way into a selection.
type candidate struct {
	asked   string       // as it was typed
	name    string       // as V5 calls it
	channel wire.Channel // where it must be, or likely is; empty if the name does not tell
	likely  bool         // channel is the likely one of two
}

// selectTopics reads topics as people write them: V5 names, retired names of V2
// and V3, whole subscribe frames pasted from an old program, or "-" for any of
// these on stdin, one a line. What it changed or assumed is said on stderr, once
// nothing is wrong.
//
// category is what --category says, if anything. own says that the server is one
// of the user's own, which may still have what the venue has retired.
func (a *app) selectTopics(args []string, category string, own bool) (selection, error) {
	var sel selection
	names, err := a.expand(args)
	if err != nil {
		return sel, err
	}
	if len(names) == 0 {
		return sel, usageError("stream: topic missing, like: bywire stream orderbook.50.BTCUSDT publicTrade.BTCUSDT")
	}
	if ch := wire.Channel(category); category != "" && (!ch.IsCustom() && !ch.IsKnown() || !ch.IsPublic()) {
		return sel, wrongCategory(category)
	}
	var all []candidate
	for _, name := range names {
		c, err := sel.candidate(name, wire.Channel(category), own)
		if err != nil {
			return sel, err
		}
		if !slices.ContainsFunc(all, func(k candidate) bool { return k.name == c.name }) {
			all = append(all, c)
		}
	}
	ch := wire.Channel(category)
	if ch == "" {
		if ch, err = sel.agree(all); err != nil {
			return sel, err
		}
	}
	sel.channel = bybit.Channel(ch)
	for _, c := range all {
		topic, err := topicOn(c.name, ch, own)
		if err != nil {
			return sel, err
		}
		sel.topics = append(sel.topics, topic)
	}
	for _, n := range sel.notices {
		a.say("%s", n)
	}
	return sel, nil
}

func (s *selection) notice(format string, args ...any) {
	s.notices = append(s.notices, fmt.Sprintf(format, args...))
}

// expand turns arguments into names: frames into their topics, "-" into the
// lines of stdin.
func (a *app) expand(args []string) ([]string, error) {
	var names []string
	for _, arg := range args {
		if arg != "-" {
			found, err := namesIn(arg)
			if err != nil {
				return nil, err
			}
			names = append(names, found...)
			continue
		}
		from := &io.LimitedReader{R: a.stdin, N: maxTopicList + 1}
		lines := bufio.NewScanner(from)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			found, err := namesIn(lines.Text())
			if err != nil {
				return nil, err
			}
			names = append(names, found...)
		}
		if err := lines.Err(); err != nil {
			return nil, usageError("stdin: %w", err)
		}
		if from.N == 0 {
			return nil, usageError("stdin: more than %s of topics; give one on each line", byteCount(maxTopicList))
		}
	}
	for _, name := range names {
		if !utf8.ValidString(name) {
			return nil, usageError("%s: no topic: not valid UTF-8", strconv.Quote(name))
		}
	}
	return names, nil
}

// maxTopicList bounds the topics on stdin, in bytes: more is a file by mistake.
const maxTopicList = 4_000_000

// namesIn returns the topics of one argument: of a pasted frame, or the
// argument itself.
func namesIn(arg string) ([]string, error) {
	arg = strings.TrimSpace(arg)
	if !strings.HasPrefix(arg, "{") {
		if arg == "" {
			return nil, nil
		}
		return []string{arg}, nil
	}
	req, err := wire.ParseRequest([]byte(arg))
	const like = `{"op":"subscribe","args":["publicTrade.BTCUSDT"]}`
	switch {
	case err != nil:
		return nil, usageError("the pasted frame is not JSON as it should be (quote it for the shell); one looks like %s", like)
	case req.Op == wire.OpAuth:
		return nil, usageError("a pasted auth frame: bywire stream shows public data and needs none; leave it out")
	case req.Op != wire.OpSubscribe:
		return nil, usageError("the pasted frame has op %s; a subscribe frame looks like %s", quoted(req.Op), like)
	case len(req.Args) == 0:
		return nil, usageError("the pasted frame subscribes to nothing; one looks like %s", like)
	}
	return req.Args, nil
}

// candidate finds today's name of a topic and where it is.
func (s *selection) candidate(name string, category wire.Channel, own bool) (candidate, error) {
	c := candidate{asked: name, name: name}
	t, err := wire.ParseTopic(name)
	if err != nil && category.IsCustom() || own && strings.HasPrefix(name, recordedLiquidation) {
		c.channel, _ = wire.CategoryOf(strings.TrimPrefix(name, recordedLiquidation))
		return c, nil
	}
	if err != nil || !own {
		if successor, ch, ok := wire.Translate(name); ok {
			s.notice("%s is a retired name: taking %s on %s", name, successor, pick(category, ch))
			return candidate{asked: name, name: successor, channel: ch}, nil
		}
	}
	if err != nil {
		return c, usageError("%w", err)
	}
	if !t.Kind.IsPublic() {
		return c, usageError("%s is a private topic; bywire stream shows public data: bywire topics lists it", name)
	}
	c.channel, c.likely = channelOf(t)
	return c, nil
}

// recordedLiquidation begins topics that V5 had until 2025 and recordings still
// have: the venue has allLiquidation instead, a replay may have both.
const recordedLiquidation = "liquidation."

func pick(category, guess wire.Channel) wire.Channel {
	if category != "" {
		return category
	}
	return guess
}

// channelOf says which channel a topic is on, as far as its name tells. likely
// means that it could be another one too.
func channelOf(t wire.Topic) (ch wire.Channel, likely bool) {
	on := t.Kind.Channels()
	if len(on) == 1 {
		return on[0], false
	}
	if t.Kind == wire.KindInsurance || t.Kind == wire.KindADLAlerts {
		if t.Symbol == string(wire.Inverse) {
			return wire.Inverse, false
		}
		return wire.Linear, false
	}
	ch, ok := wire.CategoryOf(t.Symbol)
	if !ok {
		return "", false
	}
	// Only a plain pair such as BTCUSDT is traded both as a perpetual and on
	// spot. Pairs in USDC are spot: their perpetuals are called BTCPERP.
	pair := ch == wire.Linear && !strings.Contains(t.Symbol, "-") && !strings.HasSuffix(t.Symbol, "PERP")
	if pair && strings.HasSuffix(t.Symbol, "USDC") && slices.Contains(on, wire.Spot) {
		return wire.Spot, true
	}
	return ch, pair && slices.Contains(on, wire.Spot)
}

// agree finds the one channel of all topics. Those that could be on two follow
// those that cannot.
func (s *selection) agree(all []candidate) (wire.Channel, error) {
	sure := func(c candidate) bool { return c.channel != "" && !c.likely }
	i := slices.IndexFunc(all, sure)
	if i < 0 {
		i = slices.IndexFunc(all, func(c candidate) bool { return c.channel != "" })
	}
	if i < 0 {
		return "", usageError("%s: the name does not tell its category; add --category spot, linear, inverse or option", all[0].asked)
	}
	first := all[i]
	for _, c := range all {
		switch {
		case c.channel == first.channel:
		case c.channel == "":
			return "", usageError("%s: the name does not tell its category; add --category spot, linear, inverse or option", c.asked)
		case !c.likely || first.likely:
			return "", usageError("%s is on %s and %s on %s: a stream has one channel; run one for each", first.name, first.channel, c.name, c.channel)
		}
	}
	if first.likely {
		other := wire.Spot
		if first.channel == wire.Spot {
			other = wire.Linear
		}
		s.notice("taking %s on %s; add --category %s for the other", first.name, first.channel, other)
	}
	return first.channel, nil
}

// topicOn checks that a channel has the topic.
func topicOn(name string, ch wire.Channel, own bool) (bybit.Topic, error) {
	t, err := wire.ParseTopic(name)
	if err != nil {
		return bybit.RawTopic(name), nil // only what candidate let pass
	}
	if err := t.CheckOn(ch); err != nil && (!own || !errors.Is(err, wire.ErrRetired)) {
		return bybit.Topic{}, usageError("%w", err)
	}
	return bybit.ParseTopic(name)
}
