package api

import (
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// How many digits a number is written with differs by field, and recorded replies are what is known of it.

// shown is a number with at most so many digits after the point, without trailing zeros.
func shown(f fixed.F, scale int) decimal.Decimal { return trimmed(f.Decimal(scale)) }

// trimmed is a number without trailing zeros.
func trimmed(d decimal.Decimal) decimal.Decimal {
	if units, ok := d.Units(d.Scale()); ok && d.IsSet() {
		return catalog.Trimmed(units, d.Scale())
	}
	return d
}

// padded is a number with so many digits after the point; one that does not fit stays as it is.
func padded(d decimal.Decimal, scale int) decimal.Decimal {
	if units, ok := d.Units(scale); ok && d.IsSet() {
		return decimal.New(units, scale)
	}
	return d
}
