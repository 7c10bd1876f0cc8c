package flow

import (
	"fmt"
	"strings"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Fair returns the fair price of an instrument in ticks, and the tolerance of its makers.
func (f *Flow) Fair(id catalog.ID) (fair, tolerance fixed.F) {
	return f.desks[id].fair, f.desks[id].prof.tolerance
}

// Inventories returns what the makers of an instrument hold, as shares of their limits.
func (f *Flow) Inventories(id catalog.ID) []fixed.F {
	var shares []fixed.F
	for _, a := range f.desks[id].agents {
		if m, ok := a.(*maker); ok {
			shares = append(shares, fixed.Ratio(m.inventory, max(m.limit, 1)))
		}
	}
	return shares
}

// Agent names what an account of an instrument is.
func (f *Flow) Agent(id catalog.ID, account uint32) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", f.desks[id].agent(account)), "*flow.")
}
