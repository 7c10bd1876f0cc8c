package wire

// Channel is one WebSocket path of the venue. The named channels are the
// constants below; any other value that starts with a slash is a custom path,
// used as it is.
type Channel string

// The channels of V5. Each is spelled like the category where there is one.
const (
	Spot    Channel = "spot"
	Linear  Channel = "linear"
	Inverse Channel = "inverse"
	Option  Channel = "option"
	Spread  Channel = "spread"
	RFQ     Channel = "rfq"
	Status  Channel = "status"
	Finance Channel = "finance"
	Private Channel = "private"
	Trade   Channel = "trade"
)

// channels is the order in which channels are listed to people.
var channels = [...]Channel{Spot, Linear, Inverse, Option, Spread, RFQ, Status, Finance, Private, Trade}

// Channels returns the named channels, public ones first.
func Channels() []Channel {
	return append([]Channel(nil), channels[:]...)
}

// Path returns the path of the channel's URL, such as "/v5/public/linear". A
// custom channel is its own path; an unknown name has none and gives "".
func (c Channel) Path() string {
	switch c {
	case Spot, Linear, Inverse, Option, Spread, RFQ:
		return publicPrefix + string(c)
	case Status:
		return "/v5/public/misc/status"
	case Finance:
		return "/v5/public/fp"
	case Private:
		return "/v5/private"
	case Trade:
		return "/v5/trade"
	}
	if c.IsCustom() {
		return string(c)
	}
	return ""
}

// publicPrefix begins the paths of the public channels.
const publicPrefix = "/v5/public/"

// ChannelOfPath returns the named channel that a URL path belongs to. A path
// that is none of V5's is reported as a custom channel with false.
func ChannelOfPath(path string) (Channel, bool) {
	for _, c := range channels {
		if c.Path() == path {
			return c, true
		}
	}
	return Channel(path), false
}

// IsCustom reports whether the channel is a path of its own and not one of V5's.
func (c Channel) IsCustom() bool {
	return len(c) > 0 && c[0] == '/'
}

// IsKnown reports whether the channel is one of the constants of this package.
func (c Channel) IsKnown() bool {
	for _, k := range channels {
		if c == k {
			return true
		}
	}
	return false
}

// IsPublic reports whether the channel needs no authentication. Custom paths
// count as public.
func (c Channel) IsPublic() bool {
	return c != Private && c != Trade
}

// Family returns the shape of the channel's control frames.
//
// The documentation does not show the frames of rfq, status and finance; they
// and custom paths are taken to answer like linear.
func (c Channel) Family() Family {
	switch c {
	case Spot:
		return FamilySpot
	case Option, Spread:
		return FamilyOption
	case Private:
		return FamilyPrivate
	case Trade:
		return FamilyTrade
	}
	return FamilyFutures
}

// Family is a shape of control frames. The zero value is FamilyFutures, which
// also serves the channels whose frames are not documented.
type Family uint8

// The five families, with the shape of their acknowledgement and pong.
const (
	FamilyFutures Family = iota // linear, inverse: success, ret_msg, conn_id, req_id even when empty, op
	FamilySpot                  // spot: as futures, req_id only when one was sent, ret_msg repeats the op
	FamilyOption                // option, spread: type COMMAND_RESP with a verdict per topic
	FamilyPrivate               // private: req_id first, conn_id last
	FamilyTrade                 // trade: reqId, retCode, retMsg, op, connId
)

// String returns the family's name for messages and test output.
func (f Family) String() string {
	switch f {
	case FamilyFutures:
		return "futures"
	case FamilySpot:
		return "spot"
	case FamilyOption:
		return "option"
	case FamilyPrivate:
		return "private"
	case FamilyTrade:
		return "trade"
	}
	return "unknown"
}
