package wire

import (
	"strings"
	"unicode/utf8"
)

// This file words the errors about topics. It runs only when something is
// wrong, so it allocates as it likes.

// unknownTopic words the error about a name that starts like no topic.
func unknownTopic(s string) error {
	if s == "" {
		return &TopicError{Problem: "topic missing, like " + KindOrderBook.Example()}
	}
	head, rest, _ := strings.Cut(s, ".")
	if topic, ch, ok := translateLoosely(head, rest); ok {
		return &TopicError{
			Topic: s, Retired: true, Suggest: topic, On: ch,
			Problem: "retired name; V5 calls it " + topic + " on " + string(ch),
		}
	}
	if kind := nearestKind(s, head); kind != KindUnknown {
		fixed := ""
		if kind.row().part == partNone {
			fixed = kind.row().name
		} else if rest, ok := strings.CutPrefix(s, head); ok {
			fixed = kind.row().name + rest
		}
		if t, err := ParseTopic(fixed); err == nil {
			return &TopicError{Topic: s, Suggest: t.String(), Problem: "no such topic; meant " + t.String() + "?"}
		}
		return &TopicError{Topic: s, Problem: "no such topic; meant " + kind.row().name + ", like " + kind.Example() + "?"}
	}
	switch names := namesUnder(head); {
	case len(names) == 1:
		return &TopicError{Topic: s, Suggest: names[0], Problem: "no such topic; meant " + names[0] + "?"}
	case len(names) > 1:
		return &TopicError{Topic: s, Problem: "no such topic; there are " + strings.Join(names, ", ")}
	}
	if topic, _, ok := Translate(strings.TrimSuffix(s, ".") + ".BTCUSDT"); ok {
		return &TopicError{Topic: s, Problem: "retired name without a symbol; V5 has topics like " + topic}
	}
	return &TopicError{Topic: s, Problem: "no such topic; topics look like " + KindOrderBook.Example() + " or " + KindTrades.Example()}
}

// translateLoosely is Translate for a name that may have its symbol in lower
// case. What stands in front of the symbol has a meaning in its case: 1m is a
// minute and 1M a month.
func translateLoosely(head, rest string) (string, Channel, bool) {
	if topic, ch, ok := Translate(head + "." + rest); ok {
		return topic, ch, true
	}
	symbol := strings.LastIndexByte(rest, '.') + 1
	return Translate(head + "." + rest[:symbol] + strings.ToUpper(rest[symbol:]))
}

// namesUnder lists the topics whose names begin with a word and a dot and are
// more than the word and a symbol: those of rfq, earn, spread and system.
func namesUnder(head string) []string {
	var names []string
	for k := KindUnknown + 1; k < kindEnd; k++ {
		if strings.HasPrefix(kinds[k].name, head+".") {
			names = append(names, kinds[k].name)
		}
	}
	return names
}

// aliases are words people write for a topic, from other venues or from memory.
// Nearness alone would not find them.
var aliases = [...]struct {
	word string
	kind Kind
}{
	{"trade", KindTrades}, {"trades", KindTrades}, {"publictrades", KindTrades},
	{"book", KindOrderBook}, {"books", KindOrderBook}, {"depth", KindOrderBook}, {"orderbooks", KindOrderBook},
	{"candle", KindKlines}, {"candles", KindKlines}, {"candlestick", KindKlines}, {"klines", KindKlines},
	{"liquidation", KindLiquidations}, {"liquidations", KindLiquidations}, {"allliquidations", KindLiquidations},
	{"executions", KindExecution}, {"fill", KindExecution}, {"fills", KindExecution},
	{"orders", KindOrder}, {"positions", KindPosition}, {"balance", KindWallet}, {"greek", KindGreeks},
	{"status", KindSystemStatus}, {"adl", KindADLAlerts}, {"adlnotice", KindADLAlerts},
}

// nearestKind finds the kind that was meant by a name: one spelled alike but for
// case, an alias, or the only one within two edits.
func nearestKind(s, head string) Kind {
	low := strings.ToLower(head)
	for _, a := range aliases {
		if a.word == low {
			return a.kind
		}
	}
	best, bestDistance := KindUnknown, 3
	for k := KindUnknown + 1; k < kindEnd; k++ {
		row := kinds[k]
		word := head
		if row.part == partNone {
			word = s
		}
		d := distance(strings.ToLower(word), strings.ToLower(row.name))
		if d < bestDistance && d*3 <= len(row.name) {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the number of single-letter edits and swaps of neighbours between
// two short words; long ones count as far apart.
func distance(a, b string) int {
	const limit = 40
	if len(a) > limit || len(b) > limit {
		return limit
	}
	var before, prev, cur [limit + 1]int
	for j := range len(b) + 1 {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev = prev, cur
	}
	return prev[len(b)]
}

// badSymbol words the error about a missing or misspelled symbol.
func badSymbol(s string, t Topic) error {
	stem := s
	if t.Symbol != "" {
		stem = strings.TrimSuffix(s, "."+t.Symbol)
	}
	stem = strings.TrimSuffix(stem, ".")
	if t.Symbol == "" {
		return &TopicError{Topic: stem, Problem: "symbol missing, like " + stem + ".BTCUSDT"}
	}
	upper := t
	upper.Symbol = strings.ToUpper(t.Symbol)
	if upper.Symbol != t.Symbol && utf8.ValidString(t.Symbol) && validSymbol(upper.Symbol) {
		return &TopicError{
			Topic: s, Suggest: upper.String(),
			Problem: "symbols are upper case; meant " + upper.String() + "?",
		}
	}
	return &TopicError{Topic: s, Problem: "no symbol, one looks like " + stem + ".BTCUSDT"}
}

// badDepth words the error about a word where the levels of a book should be.
func badDepth(s, word string) error {
	switch {
	case word == "":
		return &TopicError{Topic: "orderbook", Problem: "depth missing, like " + KindOrderBook.Example()}
	case looksLikeSymbol(word) && s == "orderbook."+word:
		fixed := "orderbook.50." + strings.ToUpper(word)
		return &TopicError{Topic: s, Suggest: fixed, Problem: "depth missing, like " + fixed}
	case isDigits(word):
		return &TopicError{Topic: s, Problem: "depth " + word + " does not exist; linear has " + currentDepths(Linear)}
	}
	for _, k := range [...]Kind{KindRPIOrderBook, KindFullOrderBook} {
		name := strings.TrimPrefix(k.row().name, "orderbook.")
		if strings.EqualFold(word, name) {
			fixed := "orderbook." + name + strings.TrimPrefix(s, "orderbook."+word)
			if _, err := ParseTopic(fixed); err != nil {
				return &TopicError{Topic: s, Problem: "depth " + word + " is no number; write one like " + k.Example()}
			}
			return &TopicError{Topic: s, Suggest: fixed, Problem: "depth " + word + " is no number; meant " + fixed + "?"}
		}
	}
	return &TopicError{Topic: s, Problem: "depth " + word + " is no number; write one like " + KindOrderBook.Example() + ", or rpi or full"}
}

// looksLikeSymbol reports whether a word in the place of a number is the symbol,
// in either case, and the number is what is missing.
func looksLikeSymbol(word string) bool {
	return validSymbol(strings.ToUpper(word)) && !isDigits(word)
}

// isDigits reports whether a word has digits only.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// badInterval words the error about a kline interval that there is not.
func badInterval(s, word, symbol string) error {
	if word == "" {
		return &TopicError{Topic: "kline", Problem: "interval missing, like " + KindKlines.Example()}
	}
	if interval := v5Interval(word); interval != "" {
		e := &TopicError{Topic: s, Problem: "interval " + word + " does not exist; meant " + interval + "?"}
		if symbol = strings.ToUpper(symbol); validSymbol(symbol) {
			e.Suggest = "kline." + interval + "." + symbol
			e.Problem = "interval " + word + " does not exist; meant " + e.Suggest + "?"
		}
		return e
	}
	if symbol == "" && looksLikeSymbol(word) {
		fixed := "kline.1." + strings.ToUpper(word)
		return &TopicError{Topic: s, Suggest: fixed, Problem: "interval missing, like " + fixed}
	}
	return &TopicError{Topic: s, Problem: "interval " + word + " does not exist; there are " + strings.Join(intervals[:], ", ")}
}

// badChoice words the error about a part that comes from a closed set.
func badChoice(s string, kind Kind, word, what string, set []string) error {
	if word == "" {
		return &TopicError{Topic: kind.row().name, Problem: what + " missing, like " + kind.Example()}
	}
	suggest := ""
	for _, w := range set {
		if strings.EqualFold(w, word) {
			suggest = kind.row().name + "." + w
		}
	}
	return &TopicError{
		Topic: s, Suggest: suggest,
		Problem: what + " " + word + " does not exist; there are " + strings.Join(set, ", "),
	}
}

// badCategory words the error about order.{category} and its like.
func badCategory(s string, kind Kind, word string) error {
	set := categories[:]
	if kind == KindPosition {
		set = categories[1:]
	}
	if word == "" {
		return &TopicError{Topic: s, Suggest: kind.row().name, Problem: "category missing; write " + kind.row().name + " for all"}
	}
	return &TopicError{
		Topic: s, Suggest: kind.row().name,
		Problem: "category " + word + " does not exist here; there are " + strings.Join(set, ", ") + ", or " + kind.row().name + " for all",
	}
}

// notOnChannel words the error about a kind that a channel lacks.
func notOnChannel(t Topic, ch Channel) error {
	e := &TopicError{Topic: t.String(), Channel: ch}
	on := t.Kind.row().on
	if len(on) == 1 {
		e.Suggest, e.On = t.String(), on[0]
	}
	names := make([]string, len(on))
	for i, c := range on {
		names[i] = string(c)
	}
	e.Problem = string(ch) + " has no " + t.Kind.String() + " topics; they are on " + strings.Join(names, ", ")
	switch {
	case ch == Trade:
		e.Problem = "the trade channel takes orders and has no topics; " + t.Kind.String() + " is on " + strings.Join(names, ", ")
	case !ch.IsCustom() && !ch.IsKnown():
		e.Problem = "there is no channel " + string(ch) + "; " + t.Kind.String() + " is on " + strings.Join(names, ", ")
	}
	return e
}

// depthNotOn words the error about a depth that a channel lacks or lost.
func depthNotOn(t Topic, ch Channel, d Depth) error {
	e := &TopicError{Topic: t.String(), Channel: ch}
	where := string(ch)
	if ch.IsCustom() {
		where = "a book"
	}
	if d.State == DepthRetired {
		successor := t
		successor.Depth = d.Successors[0]
		e.Retired, e.Suggest = true, successor.String()
		e.Problem = "depth " + itoa(t.Depth) + " was retired " + d.Retired + "; use " + e.Suggest
		for _, next := range d.Successors[1:] {
			successor.Depth = next
			e.Problem += " or " + successor.String()
		}
		return e
	}
	e.Problem = "depth " + itoa(t.Depth) + " does not exist; " + where + " has " + currentDepths(ch)
	return e
}
