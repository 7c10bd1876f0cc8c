package flow

import (
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// The basis of an instrument is what its fair price differs from the latent price by.
//
//   - spot: next to nothing, with short excursions;
//   - perpetual: the coin's usual premium (Asset.Funding) and an excursion that returns to it. What makes it return is
//     funding: whoever is on the crowded side pays for it, the more the further the price is away;
//   - future: a carry that wanders around Asset.Carry, times the time to delivery, so that it ends at 0.
var (
	spotBasis, spotBasisMemory = fixed.Ratio(2, 100_000), minute
	perpBasis, perpBasisMemory = fixed.Ratio(12, 100_000), 15 * minute
	dateBasis, dateBasisMemory = fixed.Ratio(8, 100_000), 10 * minute
	carrySpread, carryMemory   = fixed.Ratio(12, 1000), 72 * hour
)

// stepBasis moves the basis by one second.
func (d *desk) stepBasis() {
	switch d.in.Kind {
	case catalog.Spot:
		d.basis = revert(d.basis, spotBasis, spotBasisMemory, second, d.rand)
	case catalog.Perpetual:
		d.basis = revert(d.basis, perpBasis, perpBasisMemory, second, d.rand)
	case catalog.Future:
		d.basis = revert(d.basis, dateBasis, dateBasisMemory, second, d.rand)
		d.carry = revert(d.carry, carrySpread, carryMemory, second, d.rand)
	}
}

// basisNow is the basis at a time.
func (d *desk) basisNow(now int64) fixed.F {
	asset := d.base().asset
	switch d.in.Kind {
	case catalog.Perpetual:
		return asset.Funding + d.basis
	case catalog.Future:
		excursion := d.basis
		if left := d.in.Delivery - now; left < hour {
			excursion = excursion.Mul(fixed.Ratio(max(left, 0), hour))
		}
		return (asset.Carry + d.carry).Mul(d.in.Years(now)) + excursion
	}
	return d.basis
}
