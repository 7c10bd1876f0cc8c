package wire

import (
	"strconv"
	"strings"
)

// itoa is strconv.Itoa under a shorter name for messages.
func itoa(n int) string { return strconv.Itoa(n) }

// Translate finds today's name of a topic of V2, V3 or spot V1, and the channel
// it is on. The channel is a guess from the symbol, see CategoryOf, except for
// names that only spot had. The result is false for names that are none of
// those, V5's own included, and for those without a successor.
//
//	orderBookL2_25.BTCUSD          orderbook.50.BTCUSD       inverse
//	orderBook_200.100ms.BTCUSDT    orderbook.200.BTCUSDT     linear
//	trade.BTCUSD                   publicTrade.BTCUSD        inverse
//	instrument_info.100ms.BTCUSD   tickers.BTCUSD            inverse
//	klineV2.1.BTCUSD               kline.1.BTCUSD            inverse
//	candle.D.BTCUSDT               kline.D.BTCUSDT           linear
//	liquidation.BTCUSD             allLiquidation.BTCUSD     inverse
//	orderbook.40.BTCUSDT           orderbook.50.BTCUSDT      spot
//	bookticker.BTCUSDT             orderbook.1.BTCUSDT       spot
func Translate(old string) (topic string, ch Channel, ok bool) {
	head, rest, _ := strings.Cut(old, ".")
	switch head {
	case "orderBookL2_25":
		return translated("orderbook.50.", rest)
	case "orderBook_200", "instrument_info":
		frequency, symbol, ok := strings.Cut(rest, ".")
		if !ok || !strings.HasSuffix(frequency, "ms") {
			return "", "", false
		}
		if head == "instrument_info" {
			return translated("tickers.", symbol)
		}
		return translated("orderbook.200.", symbol)
	case "trade":
		return translated("publicTrade.", rest)
	case "liquidation":
		return translated("allLiquidation.", rest)
	case "klineV2", "candle":
		return translatedKline(rest)
	}
	return translateSpot(head, rest)
}

// translated puts a symbol behind today's name.
func translated(name, symbol string) (string, Channel, bool) {
	ch, ok := CategoryOf(symbol)
	if !ok {
		return "", "", false
	}
	return name + symbol, ch, true
}

// translatedKline translates what follows klineV2 and candle.
func translatedKline(rest string) (string, Channel, bool) {
	word, symbol, _ := strings.Cut(rest, ".")
	interval := v5Interval(word)
	if interval == "" {
		return "", "", false
	}
	return translated("kline."+interval+".", symbol)
}

// translateSpot translates the names that only spot V1 and V3 had: the symbol
// was a field of the request in V1 and is the last part in V3.
func translateSpot(head, rest string) (string, Channel, bool) {
	symbol := rest
	var name string
	switch head {
	case "bookticker", "bookTicker":
		name = "orderbook.1."
	case "depth", "mergedDepth", "diffDepth":
		name = "orderbook.50."
	case "realtimes":
		name = "tickers."
	case "orderbook":
		depth, after, _ := strings.Cut(rest, ".")
		if depth != "40" {
			return "", "", false
		}
		name, symbol = "orderbook.50.", after
	case "kline":
		word, after, _ := strings.Cut(rest, ".")
		interval := v5Interval(word)
		if interval == "" || interval == word {
			return "", "", false
		}
		name, symbol = "kline."+interval+".", after
	default:
		word, ok := strings.CutPrefix(head, "kline_")
		interval := v5Interval(word)
		if !ok || interval == "" {
			return "", "", false
		}
		name = "kline." + interval + "."
	}
	if !validSymbol(symbol) {
		return "", "", false
	}
	return name + symbol, Spot, true
}

// v5Interval returns V5's spelling of a kline interval: its own, spot's "1m",
// "4h", "1d", "1w", "1M", or minutes of a whole day; "" if it has none.
func v5Interval(s string) string {
	if oneOf(s, intervals[:]) {
		return s
	}
	switch s {
	case "1m":
		return "1"
	case "3m":
		return "3"
	case "5m":
		return "5"
	case "15m":
		return "15"
	case "30m":
		return "30"
	case "1h", "60m":
		return "60"
	case "2h":
		return "120"
	case "4h":
		return "240"
	case "6h":
		return "360"
	case "12h":
		return "720"
	case "1d", "1D", "d", "1440":
		return "D"
	case "1w", "1W", "w":
		return "W"
	case "1M":
		return "M"
	}
	return ""
}

// CategoryOf guesses the channel of a contract from its symbol: Inverse for
// BTCUSD and for BTCUSDM21, its dated kind; Linear for what settles in USDT or
// USDC, BTCPERP and ETH-26JUN26 among them; Option for BTC-26JUN26-70000-C. It
// says false where the symbol does not tell. Spot symbols look like linear ones
// and are taken for them.
func CategoryOf(symbol string) (Channel, bool) {
	if !validSymbol(symbol) {
		return "", false
	}
	switch {
	case strings.Contains(symbol, "/"):
		return Spread, true
	case isOption(symbol):
		return Option, true
	case hasCoin(symbol, "USDT"), hasCoin(symbol, "USDC"), hasCoin(symbol, "PERP"):
		return Linear, true
	case hasCoin(symbol, "USD"):
		return Inverse, true
	}
	if base, ok := cutDelivery(symbol); ok && hasCoin(base, "USD") {
		return Inverse, true
	}
	if base, date, ok := strings.Cut(symbol, "-"); ok && base != "" && isDate(date) {
		if hasCoin(base, "USD") {
			return Inverse, true // BTCUSD-26JUN26
		}
		return Linear, true // BTC-26JUN26 settles in USDC, BTCUSDT-26JUN26 in USDT
	}
	return "", false
}

// hasCoin reports whether a symbol is something followed by a coin.
func hasCoin(symbol, coin string) bool {
	return len(symbol) > len(coin) && strings.HasSuffix(symbol, coin)
}

// cutDelivery removes the delivery code of a dated inverse future: the letter of
// a month and two digits of the year, as in BTCUSDM21.
func cutDelivery(symbol string) (string, bool) {
	n := len(symbol) - 3
	if n < 1 || !isDigits(symbol[n+1:]) || !strings.ContainsRune("FGHJKMNQUVXZ", rune(symbol[n])) {
		return symbol, false
	}
	return symbol[:n], true
}

// isDate reports whether a word is a delivery day such as 26JUN26 or 6JAN23.
func isDate(s string) bool {
	if len(s) == 6 {
		s = "0" + s
	}
	if len(s) != 7 || !isDigits(s[:2]) || !isDigits(s[5:]) {
		return false
	}
	i := strings.Index("JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", s[2:5])
	return i >= 0 && i%3 == 0
}

// isOption reports whether a symbol is BTC-26JUN26-70000-C, perhaps with the
// settle coin behind it.
func isOption(symbol string) bool {
	parts := strings.Split(symbol, "-")
	if len(parts) == 5 && (parts[4] == "USDT" || parts[4] == "USDC") {
		parts = parts[:4]
	}
	return len(parts) == 4 && isDate(parts[1]) && (parts[3] == "C" || parts[3] == "P")
}
