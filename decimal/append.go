package decimal

import (
	"math/bits"
	"strconv"
)

// pairs holds the two digits of 00..99 in a row.
const pairs = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

// maxLen is the longest text: minus, 0, point and 28 digits.
const maxLen = 3 + MaxScale

// AppendTo appends the plain text of d, never an exponent, with as many digits
// after the point as d has; nothing if d is absent. It allocates only where dst
// has to grow.
func (d Decimal) AppendTo(dst []byte) []byte {
	if !d.IsSet() {
		return dst
	}
	if d.hi != 0 {
		return d.appendLong(dst)
	}
	var buf [maxLen]byte
	i := len(buf)
	v, frac := d.lo, int(d.scale)
	if frac > 0 {
		for ; frac >= 2; frac -= 2 {
			q := v / 100
			p := (v - q*100) * 2
			i -= 2
			buf[i+1], buf[i] = pairs[p+1], pairs[p]
			v = q
		}
		if frac == 1 {
			q := v / 10
			i--
			buf[i] = byte(v-q*10) + '0'
			v = q
		}
		i--
		buf[i] = '.'
	}
	for v >= 100 {
		q := v / 100
		p := (v - q*100) * 2
		i -= 2
		buf[i+1], buf[i] = pairs[p+1], pairs[p]
		v = q
	}
	if v >= 10 {
		i -= 2
		buf[i+1], buf[i] = pairs[v*2+1], pairs[v*2]
	} else {
		i--
		buf[i] = byte(v) + '0'
	}
	if d.flags&flagNeg != 0 {
		i--
		buf[i] = '-'
	}
	return append(dst, buf[i:]...)
}

// appendLong is AppendTo for a coefficient of two words: all digits first, then
// the point among them.
func (d Decimal) appendLong(dst []byte) []byte {
	var buf [maxLen]byte
	i := len(buf)
	high, low := bits.Div64(uint64(d.hi), d.lo, pow10[19])
	for range 19 {
		i--
		buf[i] = byte(low%10) + '0'
		low /= 10
	}
	for ; high > 0; high /= 10 {
		i--
		buf[i] = byte(high%10) + '0'
	}
	if d.scale > 0 {
		point := len(buf) - int(d.scale)
		for i >= point { // "0.0123": zeros up to the one before the point
			i--
			buf[i] = '0'
		}
		copy(buf[i-1:], buf[i:point])
		i--
		buf[point-1] = '.'
	}
	if d.flags&flagNeg != 0 {
		i--
		buf[i] = '-'
	}
	return append(dst, buf[i:]...)
}

// String returns the plain text of d, "" if it is absent.
func (d Decimal) String() string {
	var buf [maxLen]byte
	return string(d.AppendTo(buf[:0]))
}

// AppendText is [Decimal.AppendTo] as an encoding.TextAppender; its error is
// always nil.
func (d Decimal) AppendText(dst []byte) ([]byte, error) { return d.AppendTo(dst), nil }

// MarshalText returns the plain text of d, empty if it is absent.
func (d Decimal) MarshalText() ([]byte, error) {
	return d.AppendTo(make([]byte, 0, maxLen)), nil
}

// UnmarshalText is Parse, except that an empty text makes d absent.
func (d *Decimal) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Decimal{}
		return nil
	}
	e, err := Parse(text)
	if err != nil {
		return err
	}
	*d = e
	return nil
}

// MarshalJSON returns d as the V5 API writes numbers: a JSON string, "" if d is
// absent.
func (d Decimal) MarshalJSON() ([]byte, error) {
	dst := append(make([]byte, 0, maxLen+2), '"')
	return append(d.AppendTo(dst), '"'), nil
}

// UnmarshalJSON reads a JSON string or a JSON number; "" and null make d absent.
func (d *Decimal) UnmarshalJSON(json []byte) error {
	text, ok := unquote(json)
	if !ok {
		return parseError(json, ErrSyntax)
	}
	return d.UnmarshalText(text)
}

// float64 returns the nearest float64.
func (d Decimal) float64() float64 {
	if !d.IsSet() {
		return 0
	}
	var buf [maxLen]byte
	f, _ := strconv.ParseFloat(string(d.AppendTo(buf[:0])), 64)
	return f
}
