package bybit

import (
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// How a silence is judged of which nobody can say whether it was too long: the
// exchange promises nothing, the topic was subscribed anew, and the user was not
// told. What comes next shows whether something was missed:
//
//   - An order book begins with a snapshot. Its update id says what is missing, and
//     a gap tells.
//   - A ticker that is what it was has missed nothing.
//   - Anything else that comes as soon as the topic was subscribed anew, after a
//     silence so long, may have been pushed before as well.

// quietProof is how soon after the new subscription a message is a sign that
// the old one was dead.
const quietProof = 10 * time.Second

// quietNotice tells the consumer, in its place among the messages, that a topic was
// silent and is subscribed anew. It is never yielded; what is in it may be.
type quietNotice struct{ silent *SilentEvent }

func (*quietNotice) event() {}

// endQuiet looks at the first message after a silence. It returns the notice that
// comes before it, if it is a sign of a loss. The message is not taken into account.
func (s *Stream) endQuiet(sub *subscription, it *item) *SilentEvent {
	quiet := sub.quiet
	sub.quiet = nil
	if it.received.Sub(quiet.Time) > quietProof {
		return nil
	}
	switch sub.kind {
	case wire.KindOrderBook, wire.KindRPIOrderBook, wire.KindFullOrderBook:
		return nil
	case wire.KindTickers:
		var m TickerMessage
		if ev, ok := it.ev.(*TickerEvent); ok {
			m = ev.TickerMessage
		} else if m.Topic = sub.topic; m.Decode(it.frame) != nil {
			return nil // what it is instead is told
		}
		if !m.Snapshot || sub.complete && m.Ticker == sub.ticker {
			return nil // a change is of the old subscription, which was alive
		}
	}
	return quiet
}
