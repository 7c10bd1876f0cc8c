package wire

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Topic is the name of a subscription in parts. It is comparable and holds
// substrings of what it was parsed from. The zero value is no topic.
type Topic struct {
	Kind     Kind
	Depth    int    // levels of an order book, for KindOrderBook only
	Interval string // interval of a kline as the venue writes it: "1", "240", "D"

	// Symbol is what the topic is about: a symbol, the base coin of option
	// trades, the group of insurance and adlAlert ("USDT", "USDC", "inverse"),
	// the product of dcp ("future", "spot", "option"), or the category of
	// order.linear and its like. It is empty for topics without such a part.
	Symbol string
}

// Kind is the sort of a topic: its name without depth, interval and symbol.
type Kind uint8

// The kinds of topics, public ones first. The comment is the form of the name.
const (
	KindUnknown             Kind = iota
	KindOrderBook                // orderbook.{depth}.{symbol}
	KindRPIOrderBook             // orderbook.rpi.{symbol}
	KindFullOrderBook            // orderbook.full.{symbol}
	KindTrades                   // publicTrade.{symbol}, on option publicTrade.{baseCoin}
	KindTickers                  // tickers.{symbol}
	KindKlines                   // kline.{interval}.{symbol}
	KindLiquidations             // allLiquidation.{symbol}
	KindInsurance                // insurance.{group}
	KindADLAlerts                // adlAlert.{group}
	KindPriceLimits              // priceLimit.{symbol}
	KindSystemStatus             // system.status
	KindRFQTrades                // rfq.open.public.trades
	KindDualAssetOffers          // earn.dualassets.offers
	KindSmartLeverageOffers      // earn.smartleverage.offers
	KindDoubleWinOffers          // earn.doublewin.offers
	KindDiscountBuyOffers        // earn.discountbuy.offers
	KindPosition                 // position, position.{category}
	KindExecution                // execution, execution.{category}
	KindFastExecution            // execution.fast, execution.fast.{category}
	KindOrder                    // order, order.{category}
	KindWallet                   // wallet
	KindGreeks                   // greeks
	KindDCP                      // dcp.{product}
	KindStrategy                 // strategy
	KindSpreadOrder              // spread.order
	KindSpreadExecution          // spread.execution
	KindRFQs                     // rfq.open.rfqs
	KindRFQQuotes                // rfq.open.quotes
	KindRFQPrivateTrades         // rfq.open.trades
	kindEnd
)

// part says what follows a kind's name.
type part uint8

const (
	partNone     part = iota // nothing: wallet
	partSymbol               // a symbol or base coin: tickers.BTCUSDT
	partDepth                // levels and a symbol: orderbook.50.BTCUSDT
	partInterval             // an interval and a symbol: kline.5.BTCUSDT
	partGroup                // one of groups: insurance.USDT
	partProduct              // one of products: dcp.future
	partCategory             // nothing, or a category: order.linear
)

// kindRow describes one kind.
type kindRow struct {
	name    string // what the topic starts with, without the dot
	part    part
	example string
	on      []Channel // where it can be subscribed, besides custom paths
}

var (
	onMarkets     = []Channel{Spot, Linear, Inverse, Option, Spread}
	onBookMarkets = []Channel{Spot, Linear, Inverse}
	onFutures     = []Channel{Linear, Inverse}
	onStatus      = []Channel{Status}
	onRFQ         = []Channel{RFQ}
	onFinance     = []Channel{Finance}
	onPrivate     = []Channel{Private}
)

// kinds describes every kind, by its number. It is never written.
var kinds = [kindEnd]kindRow{
	KindOrderBook:           {"orderbook", partDepth, "orderbook.50.BTCUSDT", onMarkets},
	KindRPIOrderBook:        {"orderbook.rpi", partSymbol, "orderbook.rpi.BTCUSDT", onBookMarkets},
	KindFullOrderBook:       {"orderbook.full", partSymbol, "orderbook.full.BTCUSDT", onBookMarkets},
	KindTrades:              {"publicTrade", partSymbol, "publicTrade.BTCUSDT", onMarkets},
	KindTickers:             {"tickers", partSymbol, "tickers.BTCUSDT", onMarkets},
	KindKlines:              {"kline", partInterval, "kline.5.BTCUSDT", onBookMarkets},
	KindLiquidations:        {"allLiquidation", partSymbol, "allLiquidation.BTCUSDT", onFutures},
	KindInsurance:           {"insurance", partGroup, "insurance.USDT", onFutures},
	KindADLAlerts:           {"adlAlert", partGroup, "adlAlert.USDT", onFutures},
	KindPriceLimits:         {"priceLimit", partSymbol, "priceLimit.BTCUSDT", onBookMarkets},
	KindSystemStatus:        {"system.status", partNone, "system.status", onStatus},
	KindRFQTrades:           {"rfq.open.public.trades", partNone, "rfq.open.public.trades", onRFQ},
	KindDualAssetOffers:     {"earn.dualassets.offers", partNone, "earn.dualassets.offers", onFinance},
	KindSmartLeverageOffers: {"earn.smartleverage.offers", partNone, "earn.smartleverage.offers", onFinance},
	KindDoubleWinOffers:     {"earn.doublewin.offers", partNone, "earn.doublewin.offers", onFinance},
	KindDiscountBuyOffers:   {"earn.discountbuy.offers", partNone, "earn.discountbuy.offers", onFinance},
	KindPosition:            {"position", partCategory, "position.linear", onPrivate},
	KindExecution:           {"execution", partCategory, "execution.linear", onPrivate},
	KindFastExecution:       {"execution.fast", partCategory, "execution.fast.linear", onPrivate},
	KindOrder:               {"order", partCategory, "order.linear", onPrivate},
	KindWallet:              {"wallet", partNone, "wallet", onPrivate},
	KindGreeks:              {"greeks", partNone, "greeks", onPrivate},
	KindDCP:                 {"dcp", partProduct, "dcp.future", onPrivate},
	KindStrategy:            {"strategy", partNone, "strategy", onPrivate},
	KindSpreadOrder:         {"spread.order", partNone, "spread.order", onPrivate},
	KindSpreadExecution:     {"spread.execution", partNone, "spread.execution", onPrivate},
	KindRFQs:                {"rfq.open.rfqs", partNone, "rfq.open.rfqs", onPrivate},
	KindRFQQuotes:           {"rfq.open.quotes", partNone, "rfq.open.quotes", onPrivate},
	KindRFQPrivateTrades:    {"rfq.open.trades", partNone, "rfq.open.trades", onPrivate},
}

// The closed sets of parts, for parsing and for messages. V5 pages
// websocket/public/kline, insurance-pool and websocket/private/dcp.
var (
	intervals  = [...]string{"1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M"}
	groups     = [...]string{"USDT", "USDC", "inverse"}
	products   = [...]string{"future", "spot", "option"}
	categories = [...]string{"spot", "linear", "inverse", "option"}
)

// Kinds returns every kind there is, public ones first.
func Kinds() []Kind {
	all := make([]Kind, 0, kindEnd-1)
	for k := KindUnknown + 1; k < kindEnd; k++ {
		all = append(all, k)
	}
	return all
}

// row returns the kind's description; an empty one for an unknown kind.
func (k Kind) row() *kindRow {
	if k >= kindEnd {
		return &kinds[KindUnknown]
	}
	return &kinds[k]
}

// String returns the start of the topics' names, such as "orderbook.rpi" or
// "tickers"; "unknown" for none.
func (k Kind) String() string {
	if name := k.row().name; name != "" {
		return name
	}
	return "unknown"
}

// Example returns a topic of the kind, such as "kline.5.BTCUSDT".
func (k Kind) Example() string { return k.row().example }

// Channels returns the channels that have the kind. Custom paths have every
// public one besides.
func (k Kind) Channels() []Channel { return append([]Channel(nil), k.row().on...) }

// IsPublic reports whether topics of the kind need no authentication.
func (k Kind) IsPublic() bool { return k > KindUnknown && k < KindPosition }

// ErrTopic is the sentinel that every *TopicError is.
var ErrTopic = errors.New("wire: bad topic")

// ErrRetired is what a *TopicError is besides, when the topic existed once: a
// recording or a server of one's own may still have it.
var ErrRetired = errors.New("wire: retired topic")

// TopicError says why a name is no topic, or none of a channel, and what would
// be right.
type TopicError struct {
	Topic   string  // what was asked
	Channel Channel // the channel it was asked on; empty if the name alone is wrong
	Retired bool    // the venue had it once; the error is ErrRetired too
	Suggest string  // a topic to ask for instead, empty if none is obvious
	On      Channel // the channel to ask for Suggest on, empty for the same one
	Problem string  // in words, with what would be right
}

// Error returns the topic and the problem.
func (e *TopicError) Error() string {
	if e.Topic == "" {
		return e.Problem
	}
	return e.Topic + ": " + e.Problem
}

// Is makes the error match ErrTopic, and ErrRetired for retired names.
func (e *TopicError) Is(target error) bool {
	return target == ErrTopic || target == ErrRetired && e.Retired
}

// ParseTopic reads a topic's name. It checks everything that holds on every
// channel: the name, the parts it needs, their spelling. Whether a channel has
// the topic is CheckOn's to say; any depth from 1 to 99999 parses. A topic that
// parses prints as it came. The error is a *TopicError; without one there is no
// allocation.
func ParseTopic(s string) (Topic, error) {
	kind, rest, hasRest := splitKind(s)
	if kind == KindUnknown {
		return Topic{}, unknownTopic(s)
	}
	t := Topic{Kind: kind}
	switch kind.row().part {
	case partNone:
		if hasRest {
			return Topic{}, &TopicError{Topic: s, Suggest: kind.row().name, Problem: "nothing may follow " + kind.row().name}
		}
		return t, nil
	case partCategory:
		if !hasRest {
			return t, nil
		}
		if !oneOf(rest, categories[:]) || kind == KindPosition && rest == string(Spot) {
			return Topic{}, badCategory(s, kind, rest)
		}
		t.Symbol = rest
		return t, nil
	case partGroup:
		if !oneOf(rest, groups[:]) {
			return Topic{}, badChoice(s, kind, rest, "group", groups[:])
		}
		t.Symbol = rest
		return t, nil
	case partProduct:
		if !oneOf(rest, products[:]) {
			return Topic{}, badChoice(s, kind, rest, "product", products[:])
		}
		t.Symbol = rest
		return t, nil
	case partDepth:
		word, symbol, ok := strings.Cut(rest, ".")
		t.Depth = parseDepth(word)
		if t.Depth == 0 {
			return Topic{}, badDepth(s, word)
		}
		if !ok {
			symbol = ""
		}
		t.Symbol = symbol
	case partInterval:
		word, symbol, _ := strings.Cut(rest, ".")
		if !oneOf(word, intervals[:]) {
			return Topic{}, badInterval(s, word, symbol)
		}
		t.Interval, t.Symbol = word, symbol
	case partSymbol:
		t.Symbol = rest
	}
	if !validSymbol(t.Symbol) {
		return Topic{}, badSymbol(s, t)
	}
	return t, nil
}

// splitKind finds the kind that a topic's name starts with, and what follows its
// dot. The longest name wins: orderbook.rpi before orderbook.
func splitKind(s string) (kind Kind, rest string, hasRest bool) {
	head, rest, hasRest := strings.Cut(s, ".")
	switch head {
	case "orderbook":
		word, tail, ok := strings.Cut(rest, ".")
		switch word {
		case "rpi":
			return KindRPIOrderBook, tail, ok
		case "full":
			return KindFullOrderBook, tail, ok
		}
		return KindOrderBook, rest, hasRest
	case "publicTrade":
		return KindTrades, rest, hasRest
	case "tickers":
		return KindTickers, rest, hasRest
	case "kline":
		return KindKlines, rest, hasRest
	case "allLiquidation":
		return KindLiquidations, rest, hasRest
	case "insurance":
		return KindInsurance, rest, hasRest
	case "adlAlert":
		return KindADLAlerts, rest, hasRest
	case "priceLimit":
		return KindPriceLimits, rest, hasRest
	case "position":
		return KindPosition, rest, hasRest
	case "execution":
		word, tail, ok := strings.Cut(rest, ".")
		if word == "fast" {
			return KindFastExecution, tail, ok
		}
		return KindExecution, rest, hasRest
	case "order":
		return KindOrder, rest, hasRest
	case "wallet":
		return KindWallet, rest, hasRest
	case "greeks":
		return KindGreeks, rest, hasRest
	case "dcp":
		return KindDCP, rest, hasRest
	case "strategy":
		return KindStrategy, rest, hasRest
	case "system", "rfq", "earn", "spread":
		for k := KindUnknown + 1; k < kindEnd; k++ {
			row := &kinds[k]
			if row.part != partNone || !strings.HasPrefix(s, row.name) {
				continue
			}
			if len(s) == len(row.name) {
				return k, "", false
			}
			if s[len(row.name)] == '.' {
				return k, s[len(row.name)+1:], true
			}
		}
	}
	return KindUnknown, "", false
}

// parseDepth reads a number of levels from 1 to 99999 as the venue writes it;
// anything else is 0.
func parseDepth(s string) int {
	if len(s) == 0 || len(s) > 5 || s[0] == '0' {
		return 0
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// oneOf reports whether a word is in a set.
func oneOf(s string, set []string) bool {
	for _, w := range set {
		if s == w {
			return true
		}
	}
	return false
}

// validSymbol reports whether a string may be a symbol, a pair of legs or a
// coin: upper case, digits, "-", "_", "/" and "." (option strikes have
// decimals), or what can be seen beyond ASCII, which a few listed coins have.
func validSymbol(s string) bool {
	if s == "" || len(s) > maxSymbolLength || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	for _, r := range s {
		switch {
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '/', r == '.':
		case r >= utf8.RuneSelf && r != utf8.RuneError && unicode.IsPrint(r):
		default:
			return false
		}
	}
	return true
}

// maxSymbolLength bounds a symbol; the longest listed ones, legs of spreads on
// dated futures, have about 40 bytes.
const maxSymbolLength = 100

// String returns the topic's name as the venue writes it; "" for the zero value.
func (t Topic) String() string {
	row := t.Kind.row()
	switch row.part {
	case partNone:
		return row.name
	case partDepth:
		return string(t.AppendTo(make([]byte, 0, len(row.name)+len(t.Symbol)+7)))
	case partInterval:
		return row.name + "." + t.Interval + "." + t.Symbol
	}
	if t.Symbol == "" {
		return row.name
	}
	return row.name + "." + t.Symbol
}

// AppendTo appends the topic's name to dst.
func (t Topic) AppendTo(dst []byte) []byte {
	row := t.Kind.row()
	dst = append(dst, row.name...)
	switch row.part {
	case partDepth:
		dst = append(dst, '.')
		dst = strconv.AppendInt(dst, int64(t.Depth), 10)
	case partInterval:
		dst = append(dst, '.')
		dst = append(dst, t.Interval...)
	}
	if t.Symbol != "" && row.part != partNone {
		dst = append(dst, '.')
		dst = append(dst, t.Symbol...)
	}
	return dst
}

// CheckOn reports whether a channel has the topic, nil if it does. The error is
// a *TopicError that names what the channel has instead; a depth that the venue
// took away matches ErrRetired, so that a caller with a URL of its own may ask
// for it all the same. A custom path has every public topic and every depth that
// any channel has or had.
func (t Topic) CheckOn(ch Channel) error {
	row := t.Kind.row()
	if row.name == "" {
		return &TopicError{Topic: t.String(), Channel: ch, Problem: "no topic"}
	}
	if !t.hasChannel(ch) {
		return notOnChannel(t, ch)
	}
	if t.Kind == KindOrderBook {
		d, _ := findDepth(ch, t.Depth)
		if d.State != DepthCurrent {
			return depthNotOn(t, ch, d)
		}
	}
	if t.Kind == KindTrades && ch == Option && strings.Contains(t.Symbol, "-") {
		base, _, _ := strings.Cut(t.Symbol, "-")
		return &TopicError{
			Topic: t.String(), Channel: ch, Suggest: "publicTrade." + base,
			Problem: "option trades are subscribed by base coin, like publicTrade." + base,
		}
	}
	return nil
}

// hasChannel reports whether the channel has topics of this kind.
func (t Topic) hasChannel(ch Channel) bool {
	if ch.IsCustom() {
		return t.Kind.IsPublic()
	}
	for _, c := range t.Kind.row().on {
		if c == ch {
			return true
		}
	}
	return false
}

// CheckTogether reports whether topics may share one subscribe request. The
// all-in-one topics order, execution and position and their forms per category
// may not: V5 pages websocket/private/order and execution.
func CheckTogether(topics ...Topic) error {
	for i, t := range topics {
		if t.Kind.row().part != partCategory {
			continue
		}
		for _, u := range topics[:i] {
			if u.Kind == t.Kind && (u.Symbol == "") != (t.Symbol == "") {
				return &TopicError{
					Topic: t.String(), Channel: Private,
					Problem: u.String() + " and " + t.String() + " cannot share one subscribe request; send two",
				}
			}
		}
	}
	return nil
}
