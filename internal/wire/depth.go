package wire

import (
	"slices"
	"strconv"
	"time"
)

// DepthState says what the venue makes of a number of order book levels.
type DepthState uint8

// The states of a depth on a channel.
const (
	DepthUnknown DepthState = iota // the channel never had it
	DepthCurrent                   // may be subscribed today
	DepthRetired                   // recordings have it, the venue refuses it
)

// String returns "unknown", "current" or "retired".
func (s DepthState) String() string {
	switch s {
	case DepthCurrent:
		return "current"
	case DepthRetired:
		return "retired"
	}
	return "unknown"
}

// Depth is one number of levels that a channel's orderbook.{depth} topics have
// or had. V5 page websocket/public/orderbook.
type Depth struct {
	Levels int
	State  DepthState
	Push   time.Duration // spacing of pushes; zero for a retired depth

	// Retired and Successors are set for retired depths: when the venue took
	// it away, in words, and what to ask for instead, nearest first.
	Retired    string
	Successors []int
}

// The tables of depths. They are never written.
var (
	spotDepths = []Depth{
		{Levels: 1, State: DepthCurrent, Push: 10 * time.Millisecond},
		{Levels: 50, State: DepthCurrent, Push: 20 * time.Millisecond},
		{Levels: 200, State: DepthCurrent, Push: 100 * time.Millisecond},
		{Levels: 1000, State: DepthCurrent, Push: 200 * time.Millisecond},
		{Levels: 40, State: DepthRetired, Retired: "with spot V3", Successors: []int{50}},
	}
	futuresDepths = []Depth{
		{Levels: 1, State: DepthCurrent, Push: 10 * time.Millisecond},
		{Levels: 50, State: DepthCurrent, Push: 20 * time.Millisecond},
		{Levels: 200, State: DepthCurrent, Push: 100 * time.Millisecond},
		{Levels: 1000, State: DepthCurrent, Push: 200 * time.Millisecond},
		{Levels: 500, State: DepthRetired, Retired: "in September 2025", Successors: []int{1000, 200}},
		{Levels: 25, State: DepthRetired, Retired: "with V2", Successors: []int{50}},
	}
	optionDepths = []Depth{
		{Levels: 25, State: DepthCurrent, Push: 20 * time.Millisecond},
		{Levels: 100, State: DepthCurrent, Push: 100 * time.Millisecond},
	}
	spreadDepths = []Depth{
		{Levels: 25, State: DepthCurrent, Push: 20 * time.Millisecond},
	}
	// customDepths is every depth there is or was: a server of one's own may
	// serve a recording of any channel.
	customDepths = []Depth{
		{Levels: 1, State: DepthCurrent, Push: 10 * time.Millisecond},
		{Levels: 25, State: DepthCurrent, Push: 20 * time.Millisecond},
		{Levels: 40, State: DepthCurrent, Push: 20 * time.Millisecond},
		{Levels: 50, State: DepthCurrent, Push: 20 * time.Millisecond},
		{Levels: 100, State: DepthCurrent, Push: 100 * time.Millisecond},
		{Levels: 200, State: DepthCurrent, Push: 100 * time.Millisecond},
		{Levels: 500, State: DepthCurrent, Push: 100 * time.Millisecond},
		{Levels: 1000, State: DepthCurrent, Push: 200 * time.Millisecond},
	}
)

// depthTable returns the channel's table, nil if it has no order books.
func depthTable(ch Channel) []Depth {
	switch ch {
	case Spot:
		return spotDepths
	case Linear, Inverse:
		return futuresDepths
	case Option:
		return optionDepths
	case Spread:
		return spreadDepths
	}
	if ch.IsCustom() {
		return customDepths
	}
	return nil
}

// Depths returns the depths of the channel's order books, current ones first and
// rising, then retired ones. A channel without order books has none.
func Depths(ch Channel) []Depth {
	table := slices.Clone(depthTable(ch))
	for i := range table {
		table[i].Successors = slices.Clone(table[i].Successors)
	}
	return table
}

// findDepth returns what the channel makes of a number of levels, if it has or had it.
func findDepth(ch Channel, levels int) (Depth, bool) {
	for _, d := range depthTable(ch) {
		if d.Levels == levels {
			return d, true
		}
	}
	return Depth{}, false
}

// currentDepths lists the channel's current depths for messages: "1, 50, 200".
func currentDepths(ch Channel) string {
	var b []byte
	for _, d := range depthTable(ch) {
		if d.State != DepthCurrent {
			continue
		}
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, int64(d.Levels), 10)
	}
	return string(b)
}

// Push is how often a topic sends. A topic with RealTime set sends when
// something happened, and after Max at the latest if Max is set. Any other sends
// at a spacing from Min to Max; both are equal where the venue states one
// figure. A topic without any statement is the zero Push.
type Push struct {
	RealTime bool
	Min, Max time.Duration
}

// every is a push at one spacing.
func every(d time.Duration) Push { return Push{Min: d, Max: d} }

// PushOn returns how often the topic sends on a channel, as the topic's V5 page
// states it; the zero Push if it states nothing or the channel lacks the topic.
func (t Topic) PushOn(ch Channel) Push {
	if !t.hasChannel(ch) {
		return Push{}
	}
	switch t.Kind {
	case KindOrderBook:
		if d, ok := findDepth(ch, t.Depth); ok && d.State == DepthCurrent {
			return every(d.Push)
		}
	case KindTickers:
		if ch == Spot {
			return every(50 * time.Millisecond)
		}
		return every(100 * time.Millisecond)
	case KindRPIOrderBook:
		return every(100 * time.Millisecond)
	case KindFullOrderBook:
		return every(200 * time.Millisecond)
	case KindKlines:
		return Push{Min: time.Second, Max: time.Minute}
	case KindLiquidations:
		return every(500 * time.Millisecond)
	case KindInsurance, KindADLAlerts:
		return every(time.Second)
	case KindPriceLimits:
		return every(300 * time.Millisecond)
	case KindSmartLeverageOffers:
		return Push{RealTime: true, Max: 30 * time.Second}
	case KindTrades, KindPosition, KindExecution, KindFastExecution, KindOrder, KindWallet, KindGreeks, KindSpreadOrder:
		return Push{RealTime: true}
	}
	return Push{}
}

// RepeatOn returns the longest silence of a topic on a channel that its V5 page
// allows: what has not changed is sent again after that time. 0 if the page promises
// none; most topics are silent while nothing happens.
func (t Topic) RepeatOn(ch Channel) time.Duration {
	if !t.hasChannel(ch) {
		return 0
	}
	switch {
	case t.Kind == KindOrderBook && t.Depth == 1 && (ch == Spot || ch == Linear || ch == Inverse):
		return 3 * time.Second
	case t.Kind == KindSmartLeverageOffers:
		return 30 * time.Second
	}
	return 0
}
