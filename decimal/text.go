package decimal

import "cmp"

// MaxTextLen is the longest Text, in characters.
const MaxTextLen = 128

// Text is an exact decimal number as text, for the REST fields whose documented
// values exceed a Decimal. It holds what [ParseText] accepts, unchanged, so
// exponents stay as they came; "" is absent and counts as 0.
//
// A Text made by conversion instead is not validated: Decimal and the encoding
// methods refuse a malformed one, and Cmp counts it as 0.
type Text string

// ParseText checks that s is a number in the syntax of [Parse], of any number of
// digits but at most 128 characters, and returns it. It refuses "" with
// ErrSyntax, and a longer text or an exponent beyond 6 digits with ErrRange.
func ParseText[T ~string | ~[]byte](s T) (Text, error) {
	t, ok := scan(s)
	if !ok {
		return "", parseError(s, ErrSyntax)
	}
	if len(s) > MaxTextLen || t.exp >= maxExp || t.exp <= -maxExp {
		return "", parseError(s, ErrRange)
	}
	return Text(s), nil
}

// IsSet reports whether t is a number and not absent.
func (t Text) IsSet() bool { return t != "" }

// Decimal returns t as a Decimal: absent if t is, ErrRange if it does not fit.
func (t Text) Decimal() (Decimal, error) {
	if t == "" {
		return Decimal{}, nil
	}
	return Parse(t)
}

// Cmp compares the numbers: -1 if t < u, 0 if they are equal, +1 if t > u.
// Absent counts as 0.
func (t Text) Cmp(u Text) int {
	a, b := t.outline(), u.outline()
	sa, sb := a.sign(), b.sign()
	if sa != sb {
		return cmp.Compare(sa, sb)
	}
	switch {
	case sa < 0:
		return cmpOutline(u, t, b, a)
	case sa > 0:
		return cmpOutline(t, u, a, b)
	}
	return 0
}

// outline scans t; a malformed or absent text looks like 0.
func (t Text) outline() number {
	n, ok := scan(t)
	if !ok {
		return number{}
	}
	return n
}

func (n number) sign() int {
	switch {
	case n.digits == 0:
		return 0
	case n.neg:
		return -1
	}
	return +1
}

// cmpOutline compares the absolute values of t and u, which have the outlines a
// and b and are not zero.
func cmpOutline(t, u Text, a, b number) int {
	// The power of ten of the first digit decides unless it is the same.
	if c := cmp.Compare(a.digits-a.places+a.exp, b.digits-b.places+b.exp); c != 0 {
		return c
	}
	i, j := a.first, b.first
	for i < a.end || j < b.end {
		// A text that has ended goes on in zeros.
		x, y := byte('0'), byte('0')
		if i < a.end && t[i] == '.' {
			i++
		}
		if j < b.end && u[j] == '.' {
			j++
		}
		if i < a.end {
			x = t[i]
		}
		if j < b.end {
			y = u[j]
		}
		if x != y {
			return cmp.Compare(x, y)
		}
		i++
		j++
	}
	return 0
}

// MarshalText returns t, or an error if it is not a number.
func (t Text) MarshalText() ([]byte, error) {
	if t != "" {
		if _, err := ParseText(t); err != nil {
			return nil, err
		}
	}
	return []byte(t), nil
}

// UnmarshalText is ParseText, except that an empty text makes t absent.
func (t *Text) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*t = ""
		return nil
	}
	u, err := ParseText(text)
	if err != nil {
		return err
	}
	*t = u
	return nil
}

// MarshalJSON returns t as a JSON string, "" if it is absent.
func (t Text) MarshalJSON() ([]byte, error) {
	text, err := t.MarshalText()
	if err != nil {
		return nil, err
	}
	dst := append(make([]byte, 0, len(text)+2), '"')
	return append(append(dst, text...), '"'), nil
}

// UnmarshalJSON reads a JSON string or a JSON number; "" and null make t absent.
func (t *Text) UnmarshalJSON(json []byte) error {
	text, ok := unquote(json)
	if !ok {
		return parseError(json, ErrSyntax)
	}
	return t.UnmarshalText(text)
}
