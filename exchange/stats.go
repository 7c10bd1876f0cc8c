package exchange

import (
	"context"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
)

// Stats are numbers about an exchange, for metrics. Those that count do so since the beginning.
type Stats struct {
	Time     time.Time     // of the exchange
	Lag      time.Duration // how far a clock that is bound to the wall clock is behind it, in the exchange's time
	Sessions int           // open connections
	Orders   int64         // placed, amended and cancelled, by anybody
	Trades   int64         // matches
	Commands int64         // from outside
	Frames   int64         // messages sent: one counts once for each subscriber
	Bytes    int64         // of these
	Requests int64         // over REST
	Faults   int           // in force
}

// Stats returns the numbers of the moment; after Close, the last ones that need no market.
func (x *Exchange) Stats() Stats {
	s := Stats{Time: x.Now(), Sessions: x.ws.Sessions(), Requests: x.requested.Load()}
	s.Frames, s.Bytes = x.ws.Published()
	// Whatever the loop does takes it a moment; who asks for metrics is not made to wait for longer.
	ctx, cancel := context.WithTimeout(x.ctx, time.Second)
	defer cancel()
	_ = x.do(ctx, func(c *core.Core) {
		s.Time = time.Unix(0, c.Now()).UTC()
		s.Orders, s.Trades = happened(c)
		s.Commands = int64(c.Commands())
		s.Faults = len(x.faults.list(c.Now()))
		if x.clock.runs() && x.clock.mode != Max {
			s.Lag = time.Duration(max(x.clock.target()-c.Now(), 0))
		}
	})
	return s
}

// happened are the orders placed, amended and cancelled, and the matches, so far.
func happened(c *core.Core) (orders, trades int64) {
	n := c.Counts()
	return int64(n.Placed + n.Amended + n.Cancelled), int64(n.Traded)
}
