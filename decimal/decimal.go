// Package decimal holds the exact decimal numbers of the V5 API: prices, sizes,
// rates and balances, which the venue sends as text such as "109378.80".
//
// A [Decimal] is a value of 16 bytes:
//
//	sign   coefficient (96 bits, at most 28 digits)   scale (0..28)
//	 -            10937880                               2           "-109378.80"
//
// What it guarantees:
//
//   - Exact. A number that does not fit is refused with [ErrRange]; nothing is
//     rounded unless the call names a [Rounding].
//   - Text survives. The scale is kept, so "1.50" parses and encodes as "1.50",
//     and "-0.00" as "-0.00". Two numbers are the same number if [Decimal.Cmp]
//     says so; == compares the representation, "1.5" != "1.50".
//   - Absent is not zero. The zero value of Decimal is absent: what the venue
//     writes as "". It encodes as "" and counts as 0 in arithmetic and
//     comparison. A parsed "0" is set, see [Decimal.IsSet].
//   - No allocation in parsing, comparing, arithmetic and appending; only errors
//     and the methods that return a new string or slice allocate.
//
// Do not put the json option omitzero on a Decimal field: encoding/json asks
// IsZero, which is about the value, so a set "0" would vanish as well. Encoders
// omit by IsSet.
//
// Coefficients of up to 19 digits, which is nearly everything the venue sends,
// take paths of one machine word; the rest takes two or three words and is the
// same code for callers. The limit of 28 digits is the largest power of ten that
// 96 bits hold.
//
// Some REST fields are longer than that, up to 62 places after the point: they
// are a [Text], the validated text itself, which can be compared and converted
// where it fits.
//
// The package does not know ticks, currencies or instruments, has no
// transcendental functions, and offers float64 for display only.
package decimal

import "cmp"

// Limits of a Decimal.
const (
	// MaxDigits is the largest number of digits in a coefficient, leading zeros
	// not counted.
	MaxDigits = 28
	// MaxScale is the largest number of digits after the point.
	MaxScale = 28
)

// The largest coefficient is 10^28-1; limitHi and limitLo are the two words of
// 10^28, the first one that is too large.
const (
	limitHi = 10_000_000_000_000_000_000_000_000_000 >> 64
	limitLo = 10_000_000_000_000_000_000_000_000_000 & (1<<64 - 1)
)

const (
	flagSet uint8 = 1 << iota
	flagNeg
)

// Decimal is an exact decimal number of at most 28 digits, 28 of them after the
// point, or absent, which is its zero value. It is a value: copy it, compare its
// representation with ==, use it as a map key. It mirrors every numeric string
// of the V5 API that is not documented to be longer.
type Decimal struct {
	lo    uint64 // coefficient, low word
	hi    uint32 // coefficient, high word
	scale uint8  // digits after the point
	flags uint8  // flagSet, flagNeg
}

// New returns coef / 10^scale: New(10937880, 2) is 109378.80. The scale is a
// constant of the program or came from [Decimal.Scale]; New panics if it is
// outside 0..28.
func New(coef int64, scale int) Decimal {
	if uint(scale) > MaxScale {
		panic("decimal: New: scale outside 0..28")
	}
	if coef < 0 {
		return Decimal{lo: -uint64(coef), scale: uint8(scale), flags: flagSet | flagNeg}
	}
	return Decimal{lo: uint64(coef), scale: uint8(scale), flags: flagSet}
}

// FromInt returns the whole number i, with scale 0.
func FromInt(i int64) Decimal { return New(i, 0) }

// FromUnits is the inverse of [Decimal.Units]: units / 10^scale, with that
// scale. Like New it panics if the scale is outside 0..28.
func FromUnits(units int64, scale int) Decimal { return New(units, scale) }

// IsSet reports whether d is a number, zero included, and not absent.
func (d Decimal) IsSet() bool { return d.flags&flagSet != 0 }

// IsZero reports whether d counts as 0: "0", "-0.00" and absent. It says nothing
// about presence; encoders that omit absent fields ask [Decimal.IsSet].
func (d Decimal) IsZero() bool { return d.lo == 0 && d.hi == 0 }

// Sign returns -1, 0 or +1. The sign of "-0.00" is 0, though its text keeps the
// minus.
func (d Decimal) Sign() int {
	if d.IsZero() {
		return 0
	}
	return 1 - int(d.flags&flagNeg)
}

// Scale returns the number of digits after the point, 0..28.
func (d Decimal) Scale() int { return int(d.scale) }

// Neg returns -d. The negative of absent is absent and that of zero is zero
// without a minus.
func (d Decimal) Neg() Decimal {
	if d.IsZero() {
		return d.Abs()
	}
	d.flags ^= flagNeg
	return d
}

// Abs returns d without its sign. The absolute value of absent is absent.
func (d Decimal) Abs() Decimal {
	d.flags &^= flagNeg
	return d
}

// Cmp compares the numbers d and e, not their text: -1 if d < e, 0 if they are
// equal ("1.5" and "1.50" are), +1 if d > e. Absent counts as 0.
func (d Decimal) Cmp(e Decimal) int {
	if d.scale == e.scale && d.hi|e.hi == 0 && (d.flags|e.flags)&flagNeg == 0 {
		return cmp.Compare(d.lo, e.lo)
	}
	return cmpAny(d, e)
}

// Equal reports whether d and e are the same number; it is d.Cmp(e) == 0.
func (d Decimal) Equal(e Decimal) bool { return d.Cmp(e) == 0 }

// cmpAny is Cmp for any signs, scales and sizes.
func cmpAny(d, e Decimal) int {
	sd, se := d.Sign(), e.Sign()
	if sd != se {
		if sd < se {
			return -1
		}
		return +1
	}
	if sd < 0 {
		return cmpAbs(e, d)
	}
	return cmpAbs(d, e)
}

// cmpAbs compares the absolute values of d and e.
func cmpAbs(d, e Decimal) int {
	a, b := align(d, e)
	return a.cmp(b)
}

// Float64 returns the nearest float64, 0 for absent. It is meant for display,
// plots and statistics; money stays a Decimal.
func (d Decimal) Float64() float64 { return d.float64() }
