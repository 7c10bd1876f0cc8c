package main

import (
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// source is the kind of topic that a field comes from.
type source uint8

const (
	fromTicker source = iota
	fromBook
	fromTrade
	sources
)

// sourceSet is a set of sources.
type sourceSet uint8

func (s source) set() sourceSet         { return 1 << s }
func (s sourceSet) has(one source) bool { return s&one.set() != 0 }
func (s source) String() string         { return [...]string{"ticker", "book", "trade"}[s] }

// watchField is a name that a rule may use.
type watchField struct {
	name   string
	kind   kind
	source source
	about  string
	read   func(*bybit.Ticker) decimal.Decimal // of most numbers of the ticker
}

// watchFields returns all fields, those of the ticker first, as they are listed
// in the help.
func watchFields() []watchField {
	ticker := func(name string, read func(*bybit.Ticker) decimal.Decimal, about string) watchField {
		return watchField{name: name, kind: kindNumber, read: read, about: about}
	}
	number := func(s source, name, about string) watchField {
		return watchField{name: name, kind: kindNumber, source: s, about: about}
	}
	fields := []watchField{
		ticker("lastPrice", func(t *bybit.Ticker) decimal.Decimal { return t.LastPrice }, "of the last trade"),
		ticker("markPrice", func(t *bybit.Ticker) decimal.Decimal { return t.MarkPrice }, "linear, inverse, option"),
		ticker("indexPrice", func(t *bybit.Ticker) decimal.Decimal { return t.IndexPrice }, "linear, inverse, option"),
		ticker("usdIndexPrice", func(t *bybit.Ticker) decimal.Decimal { return t.USDIndexPrice }, "spot"),
		ticker("fundingRate", func(t *bybit.Ticker) decimal.Decimal { return t.FundingRate }, "perpetuals; 0.0001 is 0.01 %"),
		ticker("fundingCap", func(t *bybit.Ticker) decimal.Decimal { return t.FundingCap }, "perpetuals"),
		ticker("fundingIntervalHour", func(t *bybit.Ticker) decimal.Decimal { return t.FundingIntervalHour }, "perpetuals"),
		number(fromTicker, "nextFundingTime", "perpetuals; milliseconds since 1970"),
		number(fromTicker, "secondsToFunding", "perpetuals; nextFundingTime less the ticker's time"),
		ticker("openInterest", func(t *bybit.Ticker) decimal.Decimal { return t.OpenInterest }, "linear, inverse, option"),
		ticker("openInterestValue", func(t *bybit.Ticker) decimal.Decimal { return t.OpenInterestValue }, "linear, inverse"),
		ticker("singleOpenInterest", func(t *bybit.Ticker) decimal.Decimal { return t.SingleOpenInterest }, "linear, inverse"),
		ticker("singleOpenInterestValue", func(t *bybit.Ticker) decimal.Decimal { return t.SingleOpenInterestValue }, "linear, inverse"),
		ticker("price24hPcnt", func(t *bybit.Ticker) decimal.Decimal { return t.Price24hPcnt }, "change in 24 hours; 0.01 is 1 %"),
		ticker("change24h", func(t *bybit.Ticker) decimal.Decimal { return t.Change24h }, "option"),
		ticker("prevPrice24h", func(t *bybit.Ticker) decimal.Decimal { return t.PrevPrice24h }, "24 hours ago"),
		ticker("prevPrice1h", func(t *bybit.Ticker) decimal.Decimal { return t.PrevPrice1h }, "an hour ago; linear, inverse"),
		ticker("highPrice24h", func(t *bybit.Ticker) decimal.Decimal { return t.HighPrice24h }, ""),
		ticker("lowPrice24h", func(t *bybit.Ticker) decimal.Decimal { return t.LowPrice24h }, ""),
		ticker("volume24h", func(t *bybit.Ticker) decimal.Decimal { return t.Volume24h }, ""),
		ticker("turnover24h", func(t *bybit.Ticker) decimal.Decimal { return t.Turnover24h }, ""),
		ticker("totalVolume", func(t *bybit.Ticker) decimal.Decimal { return t.TotalVolume }, "option"),
		ticker("totalTurnover", func(t *bybit.Ticker) decimal.Decimal { return t.TotalTurnover }, "option"),
		ticker("bid1Price", func(t *bybit.Ticker) decimal.Decimal { return t.BidPrice }, "best bid, of the ticker; also on option and spread"),
		ticker("bid1Size", func(t *bybit.Ticker) decimal.Decimal { return t.BidSize }, "likewise"),
		ticker("ask1Price", func(t *bybit.Ticker) decimal.Decimal { return t.AskPrice }, "likewise"),
		ticker("ask1Size", func(t *bybit.Ticker) decimal.Decimal { return t.AskSize }, "likewise"),
		ticker("bidIv", func(t *bybit.Ticker) decimal.Decimal { return t.BidIV }, "option"),
		ticker("askIv", func(t *bybit.Ticker) decimal.Decimal { return t.AskIV }, "option"),
		ticker("markPriceIv", func(t *bybit.Ticker) decimal.Decimal { return t.MarkPriceIV }, "option"),
		ticker("underlyingPrice", func(t *bybit.Ticker) decimal.Decimal { return t.UnderlyingPrice }, "option"),
		ticker("delta", func(t *bybit.Ticker) decimal.Decimal { return t.Delta }, "option"),
		ticker("gamma", func(t *bybit.Ticker) decimal.Decimal { return t.Gamma }, "option"),
		ticker("vega", func(t *bybit.Ticker) decimal.Decimal { return t.Vega }, "option"),
		ticker("theta", func(t *bybit.Ticker) decimal.Decimal { return t.Theta }, "option"),
		ticker("basis", func(t *bybit.Ticker) decimal.Decimal { return t.Basis }, "futures with a delivery"),
		ticker("basisRate", func(t *bybit.Ticker) decimal.Decimal { return t.BasisRate }, "futures with a delivery"),
		ticker("basisRateYear", func(t *bybit.Ticker) decimal.Decimal { return t.BasisRateYear }, "futures with a delivery"),
		number(fromTicker, "deliveryTime", "futures; milliseconds since 1970"),
		ticker("deliveryFeeRate", func(t *bybit.Ticker) decimal.Decimal { return t.DeliveryFeeRate }, "futures"),
		ticker("predictedDeliveryPrice", func(t *bybit.Ticker) decimal.Decimal { return t.PredictedDeliveryPrice }, "futures, option; in the last 30 minutes"),
		ticker("preOpenPrice", func(t *bybit.Ticker) decimal.Decimal { return t.PreOpenPrice }, "before the market opens"),
		ticker("preQty", func(t *bybit.Ticker) decimal.Decimal { return t.PreQty }, "before the market opens"),
		{name: "curPreListingPhase", kind: kindText, about: "such as \"ContinuousTrading\""},
		{name: "tickDirection", kind: kindText, about: "such as \"PlusTick\""},
	}
	return append(fields,
		number(fromBook, "bestBid", "price"),
		number(fromBook, "bestAsk", "price"),
		number(fromBook, "bidSize", "at the best bid"),
		number(fromBook, "askSize", "at the best ask"),
		number(fromBook, "mid", "halfway between the two"),
		number(fromBook, "spread", "bestAsk - bestBid"),
		number(fromBook, "spreadBps", "spread in 1/10000 of mid, rounded to 8 places"),
		number(fromBook, "bidDepth", "sum of all sizes of the bids in the topic's depth"),
		number(fromBook, "askDepth", "likewise of the asks"),
		number(fromBook, "imbalance", "(bidDepth - askDepth) / (bidDepth + askDepth), rounded to 8 places"),
		number(fromTrade, "price", ""),
		number(fromTrade, "size", "base coin; dollars on inverse"),
		number(fromTrade, "value", "price * size in quote coin; on inverse the size"),
		watchField{name: "side", kind: kindText, source: fromTrade, about: "of the taker: \"Buy\" or \"Sell\""},
	)
}

// fieldNamed finds a field.
func fieldNamed(name string) (watchField, bool) {
	all := watchFields()
	if i := slices.IndexFunc(all, func(f watchField) bool { return f.name == name }); i >= 0 {
		return all[i], true
	}
	return watchField{}, false
}

// nearestField returns the name that was probably meant, or "".
func nearestField(typed string) string {
	var low []string
	all := watchFields()
	for _, f := range all {
		low = append(low, strings.ToLower(f.name))
	}
	if i := slices.Index(low, nearest(typed, low)); i >= 0 {
		return all[i].name
	}
	return ""
}

// fieldsHelp names a few fields; the whole list is in the help.
func fieldsHelp() string {
	return "there are lastPrice, markPrice, fundingRate, openInterest, bestBid, bestAsk, spreadBps, imbalance, price, size, side and more: bywire watch --help lists them"
}

// fieldList is the list in the help.
func fieldList() string {
	var b strings.Builder
	for s := range sources {
		b.WriteString("\n  " + s.String() + ":")
		width := 80
		for _, f := range watchFields() {
			if f.source != s {
				continue
			}
			word := " " + f.name
			if f.about != "" && s != fromTicker {
				word += " (" + f.about + ")"
			}
			if s != fromTicker || width+len(word) > 78 {
				b.WriteString("\n   ")
				width = 3
			}
			b.WriteString(word)
			width += len(word)
		}
	}
	return b.String()
}

// sampleFacts tells the library the types of the fields.
func sampleFacts() map[string]any {
	env := make(map[string]any)
	for _, f := range watchFields() {
		env[f.name] = any(decimal.Decimal{})
		if f.kind == kindText {
			env[f.name] = ""
		}
	}
	return env
}

// facts is what is known of one symbol. What has not arrived, or may have
// changed unseen since a gap, is not known.
type facts struct {
	inverse bool // sizes are dollars

	tickerKnown bool
	ticker      bybit.Ticker
	tickerTime  time.Time

	// What the book said at its last update; absent where a side is empty.
	bestBid, bestAsk, bidSize, askSize decimal.Decimal
	bidDepth, askDepth                 decimal.Decimal

	// The trade at hand, only while rules are judged about it.
	tradeKnown bool
	trade      bybit.Trade
}

// forget drops what a source has said.
func (f *facts) forget(s source) {
	switch s {
	case fromTicker:
		f.tickerKnown = false
	case fromBook:
		f.bestBid, f.bestAsk, f.bidSize, f.askSize = decimal.Decimal{}, decimal.Decimal{}, decimal.Decimal{}, decimal.Decimal{}
		f.bidDepth, f.askDepth = decimal.Decimal{}, decimal.Decimal{}
	case fromTrade:
		f.tradeKnown = false
	}
}

// setTicker takes the state of a ticker. Deltas that have no snapshot say too
// little.
func (f *facts) setTicker(e *bybit.TickerEvent) {
	f.tickerKnown, f.ticker, f.tickerTime = e.Complete, e.Ticker, e.Time
}

// setBook takes what fields need from a book. deep says that sums are needed:
// they cost a walk over all levels.
func (f *facts) setBook(v book.View, deep bool) {
	f.forget(fromBook)
	if bid, err := v.BestBid(); err == nil {
		f.bestBid, f.bidSize = bid.Price, bid.Size
	}
	if ask, err := v.BestAsk(); err == nil {
		f.bestAsk, f.askSize = ask.Price, ask.Size
	}
	if !deep {
		return
	}
	bids, asks, err := v.Len()
	if err != nil {
		return
	}
	if sum, err := v.SumTop(book.Bid, bids); err == nil && bids > 0 {
		f.bidDepth = sum.Size
	}
	if sum, err := v.SumTop(book.Ask, asks); err == nil && asks > 0 {
		f.askDepth = sum.Size
	}
}

// value returns a field: a decimal.Decimal or a string; false while it is not
// known.
func (f *facts) value(field watchField) (any, bool) {
	switch {
	case field.kind == kindText:
		s := f.textValue(field)
		return s, s != ""
	case field.source == fromTicker && !f.tickerKnown:
		return nil, false
	}
	d := f.number(field)
	return d, d.IsSet()
}

func (f *facts) textValue(field watchField) string {
	switch {
	case field.source == fromTrade && f.tradeKnown:
		return string(f.trade.Side)
	case field.source != fromTicker || !f.tickerKnown:
		return ""
	case field.name == "tickDirection":
		return string(f.ticker.TickDirection)
	}
	return f.ticker.CurPreListingPhase
}

func (f *facts) number(field watchField) decimal.Decimal {
	switch field.source {
	case fromBook:
		return f.bookNumber(field.name)
	case fromTrade:
		return f.tradeNumber(field.name)
	}
	switch field.name {
	case "nextFundingTime":
		return millisOf(f.ticker.NextFundingTime)
	case "deliveryTime":
		return millisOf(f.ticker.DeliveryTime)
	case "secondsToFunding":
		if f.ticker.NextFundingTime.IsZero() || f.tickerTime.IsZero() {
			return decimal.Decimal{}
		}
		return decimal.New(f.ticker.NextFundingTime.Sub(f.tickerTime).Milliseconds(), 3)
	}
	return field.read(&f.ticker)
}

// millisOf is a time as the wire has it; absent if it is zero.
func millisOf(t time.Time) decimal.Decimal {
	if t.IsZero() {
		return decimal.Decimal{}
	}
	return decimal.FromInt(t.UnixMilli())
}

func (f *facts) tradeNumber(name string) decimal.Decimal {
	if !f.tradeKnown {
		return decimal.Decimal{}
	}
	switch name {
	case "price":
		return f.trade.Price
	case "size":
		return f.trade.Size
	}
	if f.inverse {
		return f.trade.Size
	}
	return exact(f.trade.Price.Mul(f.trade.Size))
}

// exact drops the result of arithmetic that did not fit: it is not known then.
func exact(d decimal.Decimal, err error) decimal.Decimal {
	if err != nil {
		return decimal.Decimal{}
	}
	return d
}

// derivedScale is how many places spreadBps and imbalance have.
const derivedScale = 8

func (f *facts) bookNumber(name string) decimal.Decimal {
	var none decimal.Decimal
	switch name {
	case "bestBid":
		return f.bestBid
	case "bestAsk":
		return f.bestAsk
	case "bidSize":
		return f.bidSize
	case "askSize":
		return f.askSize
	case "bidDepth":
		return f.bidDepth
	case "askDepth":
		return f.askDepth
	case "imbalance":
		if !f.bidDepth.IsSet() || !f.askDepth.IsSet() {
			return none
		}
		over, sum := exact(f.bidDepth.Sub(f.askDepth)), exact(f.bidDepth.Add(f.askDepth))
		if !over.IsSet() {
			return none
		}
		return exact(over.Quo(sum, derivedScale, decimal.HalfEven))
	}
	if !f.bestBid.IsSet() || !f.bestAsk.IsSet() {
		return none
	}
	spread, sum := exact(f.bestAsk.Sub(f.bestBid)), exact(f.bestAsk.Add(f.bestBid))
	if !spread.IsSet() || !sum.IsSet() {
		return none
	}
	switch name {
	case "spread":
		return spread
	case "mid":
		return exact(sum.Mul(decimal.New(5, 1)))
	}
	twice := exact(spread.Mul(decimal.FromInt(20_000)))
	if !twice.IsSet() {
		return none
	}
	return exact(twice.Quo(sum, derivedScale, decimal.HalfEven))
}
