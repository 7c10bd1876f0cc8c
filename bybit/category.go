package bybit

import "github.com/bywire/bywire/internal/wire"

// Category is a product line: "spot", "linear", "inverse" or "option". It is
// what the V5 pages call category. Unknown values survive.
type Category string

// Channel is one public WebSocket path of the venue, such as
// /v5/public/linear for Linear. It decides the key order of encoded messages.
// The zero value is no channel. V5 page: [ws/connect].
//
// [ws/connect]: https://bybit-exchange.github.io/docs/v5/ws/connect
type Channel string

// The product lines and public channels. They are untyped constants, so that
// Linear serves as a Category and as a Channel.
const (
	Spot    = "spot"    // spot pairs, /v5/public/spot
	Linear  = "linear"  // USDT and USDC perpetuals and futures, /v5/public/linear
	Inverse = "inverse" // coin-settled contracts, /v5/public/inverse
	Option  = "option"  // options, /v5/public/option
	Spread  = "spread"  // spread combinations, /v5/public/spread
	RFQ     = "rfq"     // block trades by request for quote
	Status  = "status"  // system status, /v5/public/misc/status
	Finance = "finance" // earn product offers, /v5/public/fp
)

// Custom returns the channel of a WebSocket path. A path that this package does
// not know, such as "/v5/public/new", is a channel of its own; its messages are
// encoded in the key order of the linear channel.
func Custom(path string) Channel {
	if ch, ok := wire.ChannelOfPath(path); ok {
		return Channel(ch)
	}
	return Channel(path)
}

// Path returns the WebSocket path of the channel, such as
// "/v5/public/linear". A custom channel is its own path.
func (ch Channel) Path() string { return wire.Channel(ch).Path() }

// spotOrder reports whether the channel's gateway writes ts before type in
// every message: spot and spread do.
func (ch Channel) spotOrder() bool { return ch == Spot || ch == Spread }
