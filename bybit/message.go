package bybit

import (
	"strings"

	"github.com/bywire/bywire/internal/wire"
)

// Message is a data message of one topic, both ways: what a client decodes is
// what a server encodes.
type Message interface {
	// Decode replaces all of the receiver by what the frame says; nothing of
	// an earlier message is left. It reuses the receiver's memory, and does
	// not keep the frame. The error is a *DecodeError, after which the
	// receiver's content is undefined.
	Decode(frame []byte) error
	// AppendJSON appends the message as the venue writes it on the channel:
	// compact, keys in the venue's order.
	AppendJSON(dst []byte, ch Channel) []byte
}

// NewMessage returns an empty message of the type that carries the topic, and
// whether there is one: raw and unknown topics have none.
func NewMessage(t Topic) (Message, bool) {
	if t.raw {
		return nil, false
	}
	if strings.HasPrefix(t.name, retiredLiquidationFamily) {
		return new(LiquidationsMessage), true
	}
	topic, err := wire.ParseTopic(t.name)
	if err != nil {
		return nil, false
	}
	switch topic.Kind {
	case wire.KindOrderBook, wire.KindRPIOrderBook, wire.KindFullOrderBook:
		return new(BookMessage), true
	case wire.KindTrades:
		return new(TradesMessage), true
	case wire.KindTickers:
		return new(TickerMessage), true
	case wire.KindKlines:
		return new(KlineMessage), true
	case wire.KindLiquidations:
		return new(LiquidationsMessage), true
	case wire.KindInsurance:
		return new(InsuranceMessage), true
	case wire.KindADLAlerts:
		return new(ADLMessage), true
	case wire.KindPriceLimits:
		return new(PriceLimitMessage), true
	case wire.KindSystemStatus:
		return new(SystemStatusMessage), true
	case wire.KindRFQTrades:
		return new(RFQTradesMessage), true
	case wire.KindDualAssetOffers:
		return new(DualAssetMessage), true
	case wire.KindSmartLeverageOffers:
		return new(SmartLeverageMessage), true
	case wire.KindDoubleWinOffers:
		return new(DoubleWinMessage), true
	case wire.KindDiscountBuyOffers:
		return new(DiscountBuyMessage), true
	}
	return nil, false
}

// FrameTopic finds the topic of a data message in one pass over its first
// keys, without decoding it. The result points into the frame.
func FrameTopic(frame []byte) ([]byte, bool) { return wire.FrameTopic(frame) }
