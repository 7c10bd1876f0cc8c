package exchange

import (
	"context"

	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/engine"
)

// Stir places the n-th of a row of orders, each of which changes the book of linear BTCUSDT and takes nothing.
func (x *Exchange) Stir(ctx context.Context, n int) error {
	return x.command(ctx, func(c *core.Core) (core.Command, error) {
		ids, err := numbers(c, []Symbol{{"linear", "BTCUSDT"}})
		if err != nil {
			return nil, err
		}
		in := c.Catalog().At(ids[0])
		o := engine.Order{Account: 1000, Side: engine.Buy, Price: in.TicksOf(c.Catalog().StartPrice(in)) - int64(n%50), Qty: in.MinQty}
		return core.Place{Instrument: in.ID, Order: o}, nil
	})
}

// ControlCalls lists the calls of the control API, for the test of its page.
func ControlCalls() (calls []string) {
	for _, c := range controls() {
		calls = append(calls, c.method+" "+controlPrefix+c.name)
	}
	return calls
}

// Matches is what the patterns of faults are matched by.
func Matches(pattern, text string) bool { return matches(pattern, text) }

// HeldBack is how many messages and lanes the faults keep.
func (x *Exchange) HeldBack() int {
	x.faults.mu.Lock()
	defer x.faults.mu.Unlock()
	return len(x.faults.queue) + len(x.faults.lanes)
}
