package bybit

import (
	"strconv"
	"strings"

	"github.com/bywire/bywire/internal/wire"
)

// Topic names a subscription on a channel, such as "orderbook.50.BTCUSDT".
// Topics are comparable. The zero value is no topic.
//
// Constructors do not check that a depth, interval or symbol exists: which of
// them do depends on the channel, so subscribing checks it.
type Topic struct {
	name string
	raw  bool
}

// OrderBook is the order book topic "orderbook.{depth}.{symbol}". Depths are 1,
// 50, 200 and 1000 on spot, linear and inverse, 25 and 100 on option, 25 on
// spread. Messages arrive as [BookMessage]. V5 page:
// [websocket/public/orderbook].
//
// [websocket/public/orderbook]: https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
func OrderBook(depth int, symbol string) Topic {
	return Topic{name: "orderbook." + strconv.Itoa(depth) + "." + symbol}
}

// RPIOrderBook is the order book with retail-price-improvement sizes,
// "orderbook.rpi.{symbol}", 50 levels. Messages arrive as [BookMessage] with
// Level.RPI set. V5 page: [websocket/public/orderbook-rpi].
//
// [websocket/public/orderbook-rpi]: https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook-rpi
func RPIOrderBook(symbol string) Topic { return Topic{name: "orderbook.rpi." + symbol} }

// FullOrderBook is the order book without a depth limit, "orderbook.full.{symbol}".
// It pushes deltas only; the snapshot comes over REST, so that without [BooksNone]
// the environment must have REST, else subscribing fails with an
// [*UnsupportedError]. Messages arrive as [BookMessage]. V5 page:
// [websocket/public/full-ob].
//
// [websocket/public/full-ob]: https://bybit-exchange.github.io/docs/v5/websocket/public/full-ob
func FullOrderBook(symbol string) Topic { return Topic{name: "orderbook.full." + symbol} }

// Trades is the public trade topic "publicTrade.{symbol}"; on option the symbol
// is a base coin such as "BTC". Messages arrive as [TradesMessage]. V5 page:
// [websocket/public/trade].
//
// [websocket/public/trade]: https://bybit-exchange.github.io/docs/v5/websocket/public/trade
func Trades(symbol string) Topic { return Topic{name: "publicTrade." + symbol} }

// Tickers is the ticker topic "tickers.{symbol}". Messages arrive as
// [TickerMessage]. V5 page: [websocket/public/ticker].
//
// [websocket/public/ticker]: https://bybit-exchange.github.io/docs/v5/websocket/public/ticker
func Tickers(symbol string) Topic { return Topic{name: "tickers." + symbol} }

// Klines is the candle topic "kline.{interval}.{symbol}". Messages arrive as
// [KlineMessage]. V5 page: [websocket/public/kline].
//
// [websocket/public/kline]: https://bybit-exchange.github.io/docs/v5/websocket/public/kline
func Klines(interval Interval, symbol string) Topic {
	return Topic{name: "kline." + string(interval) + "." + symbol}
}

// Liquidations is the topic of all liquidations of a symbol,
// "allLiquidation.{symbol}", on linear and inverse. Messages arrive as
// [LiquidationsMessage]. V5 page: [websocket/public/all-liquidation].
//
// [websocket/public/all-liquidation]: https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation
func Liquidations(symbol string) Topic { return Topic{name: "allLiquidation." + symbol} }

// Insurance is the insurance pool topic "insurance.{group}", where group is
// "USDT", "USDC" or "inverse". Messages arrive as [InsuranceMessage]. V5 page:
// [websocket/public/insurance-pool].
//
// [websocket/public/insurance-pool]: https://bybit-exchange.github.io/docs/v5/websocket/public/insurance-pool
func Insurance(group string) Topic { return Topic{name: "insurance." + group} }

// ADLAlerts is the topic of auto-deleveraging alerts "adlAlert.{group}", where
// group is "USDT", "USDC" or "inverse". Messages arrive as [ADLMessage]. V5
// page: [websocket/public/adl-alert].
//
// [websocket/public/adl-alert]: https://bybit-exchange.github.io/docs/v5/websocket/public/adl-alert
func ADLAlerts(group string) Topic { return Topic{name: "adlAlert." + group} }

// PriceLimits is the order price limit topic "priceLimit.{symbol}". Messages
// arrive as [PriceLimitMessage]. V5 page: [websocket/public/order-price-limit].
//
// [websocket/public/order-price-limit]: https://bybit-exchange.github.io/docs/v5/websocket/public/order-price-limit
func PriceLimits(symbol string) Topic { return Topic{name: "priceLimit." + symbol} }

// SystemStatus is the topic of announced maintenance, "system.status", on the
// status channel. Messages arrive as [SystemStatusMessage]. V5 page:
// [websocket/system/system-status].
//
// [websocket/system/system-status]: https://bybit-exchange.github.io/docs/v5/websocket/system/system-status
func SystemStatus() Topic { return Topic{name: "system.status"} }

// RFQTrades is the topic of block trades made through quotes,
// "rfq.open.public.trades", on the rfq channel. Messages arrive as
// [RFQTradesMessage]. V5 page: [rfq/websocket/public/public-transaction].
//
// [rfq/websocket/public/public-transaction]: https://bybit-exchange.github.io/docs/v5/rfq/websocket/public/public-transaction
func RFQTrades() Topic { return Topic{name: "rfq.open.public.trades"} }

// DualAssetOffers is the topic "earn.dualassets.offers" on the finance channel.
// Messages arrive as [DualAssetMessage]. V5 page:
// [finance/advanced-earn/websocket/dual-asset-offer].
//
// [finance/advanced-earn/websocket/dual-asset-offer]: https://bybit-exchange.github.io/docs/v5/finance/advanced-earn/websocket/dual-asset-offer
func DualAssetOffers() Topic { return Topic{name: "earn.dualassets.offers"} }

// SmartLeverageOffers is the topic "earn.smartleverage.offers" on the finance
// channel. Messages arrive as [SmartLeverageMessage]. V5 page:
// [finance/advanced-earn/websocket/smart-lvg-offer].
//
// [finance/advanced-earn/websocket/smart-lvg-offer]: https://bybit-exchange.github.io/docs/v5/finance/advanced-earn/websocket/smart-lvg-offer
func SmartLeverageOffers() Topic { return Topic{name: "earn.smartleverage.offers"} }

// DoubleWinOffers is the topic "earn.doublewin.offers" on the finance channel.
// Messages arrive as [DoubleWinMessage]. V5 page:
// [finance/advanced-earn/websocket/double-win-offer].
//
// [finance/advanced-earn/websocket/double-win-offer]: https://bybit-exchange.github.io/docs/v5/finance/advanced-earn/websocket/double-win-offer
func DoubleWinOffers() Topic { return Topic{name: "earn.doublewin.offers"} }

// DiscountBuyOffers is the topic "earn.discountbuy.offers" on the finance
// channel. Messages arrive as [DiscountBuyMessage]. V5 page:
// [finance/advanced-earn/websocket/discount-buy-offer].
//
// [finance/advanced-earn/websocket/discount-buy-offer]: https://bybit-exchange.github.io/docs/v5/finance/advanced-earn/websocket/discount-buy-offer
func DiscountBuyOffers() Topic { return Topic{name: "earn.discountbuy.offers"} }

// ParseTopic reads a topic as the venue writes it. The error says what is
// wrong with it: an unknown kind, or a depth or symbol that is missing.
func ParseTopic(name string) (Topic, error) {
	if _, err := wire.ParseTopic(name); err != nil {
		return Topic{}, err
	}
	return Topic{name: name}, nil
}

// RawTopic is a topic that is subscribed to as it stands, without a check,
// and whose messages arrive undecoded.
func RawTopic(name string) Topic { return Topic{name: name, raw: true} }

// String returns the topic as the venue writes it.
func (t Topic) String() string { return t.name }

// Symbol returns what the topic is about: a symbol, or the base coin, group,
// category or product where its topics have that instead; "" for a topic without
// one. For a name that ParseTopic refuses it is what follows the last point.
func (t Topic) Symbol() string {
	if topic, err := wire.ParseTopic(t.name); err == nil {
		return topic.Symbol
	}
	if point := strings.LastIndexByte(t.name, '.'); point >= 0 {
		return t.name[point+1:]
	}
	return ""
}

// IsZero reports whether t is no topic.
func (t Topic) IsZero() bool { return t == Topic{} }

// MarshalText encodes the topic as the venue writes it.
func (t Topic) MarshalText() ([]byte, error) { return []byte(t.name), nil }

// UnmarshalText reads a topic as ParseTopic does; a name that ParseTopic
// refuses is an error.
func (t *Topic) UnmarshalText(text []byte) error {
	parsed, err := ParseTopic(string(text))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}
