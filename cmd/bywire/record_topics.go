package main

import (
	"slices"
	"strings"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// selectByChannel reads topics as people write them, as selectTopics does, but
// for any number of channels: each topic goes to its own, and a name with a
// channel in front, as in spot:publicTrade.BTCUSDT, to that one.
func (a *app) selectByChannel(args []string, category string, own bool) ([]selection, error) {
	names, err := a.expand(args)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, usageError("record: topic missing, like: bywire record --to rec orderbook.50.BTCUSDT spot:publicTrade.BTCUSDT")
	}
	if ch := wire.Channel(category); category != "" && (!ch.IsCustom() && !ch.IsKnown() || !ch.IsPublic()) {
		return nil, wrongCategory(category)
	}
	var all []selection
	var said selection // of the topics' names
	var assumed []candidate
	for _, name := range names {
		channel, bare, err := prefixed(name, wire.Channel(category))
		if err != nil {
			return nil, err
		}
		c, err := said.candidate(bare, channel, own)
		if err != nil {
			return nil, err
		}
		switch {
		case channel != "":
			c.channel = channel
		case c.channel == "":
			return nil, usageError("%s: the name does not tell its category; write spot:%s, linear:%s or another before it", name, name, name)
		case c.likely && !slices.ContainsFunc(assumed, func(k candidate) bool { return k.name == c.name }):
			assumed = append(assumed, c)
		}
		topic, err := topicOn(c.name, c.channel, own)
		if err != nil {
			return nil, err
		}
		all = place(all, bybit.Channel(c.channel), topic)
	}
	for _, n := range said.notices {
		a.say("%s", n)
	}
	a.sayAssumed(assumed)
	return all, nil
}

// prefixed takes the channel off a name that has one in front.
func prefixed(name string, category wire.Channel) (channel wire.Channel, bare string, err error) {
	before, after, found := strings.Cut(name, ":")
	if !found {
		return category, name, nil
	}
	channel = wire.Channel(before)
	if !channel.IsCustom() && !channel.IsKnown() || !channel.IsPublic() {
		return "", "", usageError("%s: no such category before the colon; there are %s", name, strings.Join(channelNames(), ", "))
	}
	if category != "" && channel != category {
		return "", "", usageError("%s and --category %s: give one of them", name, category)
	}
	return channel, after, nil
}

// place puts a topic into the selection of its channel, once.
func place(all []selection, ch bybit.Channel, topic bybit.Topic) []selection {
	i := slices.IndexFunc(all, func(s selection) bool { return s.channel == ch })
	if i < 0 {
		return append(all, selection{channel: ch, topics: []bybit.Topic{topic}})
	}
	if !slices.Contains(all[i].topics, topic) {
		all[i].topics = append(all[i].topics, topic)
	}
	return all
}

// sayAssumed says, in a line for each channel, which topics could be on another
// one too.
func (a *app) sayAssumed(assumed []candidate) {
	for _, ch := range []wire.Channel{wire.Linear, wire.Spot} {
		var names []string
		for _, c := range assumed {
			if c.channel == ch {
				names = append(names, c.name)
			}
		}
		if len(names) == 0 {
			continue
		}
		other := wire.Spot
		if ch == wire.Spot {
			other = wire.Linear
		}
		a.say("taking %s on %s; %s:%s is the other", shortList(names, 3), ch, other, names[0])
	}
}
