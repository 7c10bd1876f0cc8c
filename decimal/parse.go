package decimal

import "math/bits"

// Parse reads a decimal number: an optional minus, digits, optionally a point and
// digits ("-109378.80"), optionally an exponent ("1.5e-7", which is kept as the
// plain 0.00000015). The scale is kept, and so is the minus of "-0.00".
//
// It refuses "" and everything else that is not a JSON number, such as "+1",
// ".5", "5.", "007", "NaN" or a space, with ErrSyntax; and a number of more than
// 28 digits or more than 28 digits after the point with ErrRange. It never
// rounds, and does not allocate unless it fails. The error keeps a copy of s,
// not s.
func Parse[T ~string | ~[]byte](s T) (Decimal, error) {
	flags := flagSet
	i, n := 0, len(s)
	if n > 0 && s[0] == '-' {
		flags |= flagNeg
		i = 1
	}
	// Up to 19 digits and a point: one word holds them. The plain loop beats
	// joining eight characters at a time by a third: the numbers of a feed are
	// too short to pay for taking the point out.
	if first := i; n-first <= 20 {
		var v uint64
		for i < n && s[i]-'0' <= 9 {
			v = v*10 + uint64(s[i]-'0')
			i++
		}
		whole := i - first
		if whole == 1 || whole > 1 && s[first] != '0' {
			if i == n && whole < 20 {
				return Decimal{lo: v, flags: flags}, nil
			}
			if i < n && s[i] == '.' {
				i++
				point := i
				for i < n && s[i]-'0' <= 9 {
					v = v*10 + uint64(s[i]-'0')
					i++
				}
				if i == n && i > point {
					return Decimal{lo: v, scale: uint8(i - point), flags: flags}, nil
				}
			}
		}
	}
	return parseLong(s)
}

// MustParse is Parse for constants of a program: it panics if s is not a
// decimal number.
func MustParse(s string) Decimal {
	d, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

// parseLong reads what Parse's short path does not: long numbers, exponents, and
// everything that is wrong.
func parseLong[T ~string | ~[]byte](s T) (Decimal, error) {
	t, ok := scan(s)
	if !ok {
		return Decimal{}, parseError(s, ErrSyntax)
	}
	if t.digits > MaxDigits {
		return Decimal{}, parseError(s, ErrRange)
	}
	// The first 19 digits in one word, the others in a second.
	var v, w uint64
	count := 0
	for i := t.first; i < t.end; i++ {
		c := s[i]
		if c == '.' {
			continue
		}
		if count < 19 {
			v = v*10 + uint64(c-'0')
		} else {
			w = w*10 + uint64(c-'0')
		}
		count++
	}
	coef := wide{w0: v}
	if count > 19 {
		h, l := bits.Mul64(v, pow10[count-19])
		var c uint64
		coef.w0, c = bits.Add64(l, w, 0)
		coef.w1 = h + c
	}
	scale := t.places - t.exp
	if scale < 0 {
		if coef, ok = coef.mulPow10(min(-scale, 2*MaxDigits)); !ok || !coef.fits() {
			return Decimal{}, parseError(s, ErrRange)
		}
		scale = 0
	}
	if scale > MaxScale {
		return Decimal{}, parseError(s, ErrRange)
	}
	d := Decimal{lo: coef.w0, hi: uint32(coef.w1), scale: uint8(scale), flags: flagSet}
	if t.neg {
		d.flags |= flagNeg
	}
	return d, nil
}

// number is the outline of a number in a text.
type number struct {
	neg        bool
	first, end int // the digits from the first that is not zero; a point may lie among them
	digits     int // how many digits that is
	places     int // digits after the point
	exp        int // the exponent, cut at maxExp
}

// maxExp is where exponents stop growing while they are read: far beyond what
// either type accepts, far below overflow.
const maxExp = 1_000_000

// scan checks that s is a number as Parse documents it.
func scan[T ~string | ~[]byte](s T) (t number, ok bool) {
	i, n := 0, len(s)
	if i < n && s[i] == '-' {
		t.neg = true
		i++
	}
	whole := i
	for i < n && s[i]-'0' <= 9 {
		i++
	}
	if i == whole || s[whole] == '0' && i-whole > 1 {
		return t, false
	}
	t.first, t.end = whole, i
	t.digits = i - whole
	if i < n && s[i] == '.' {
		i++
		point := i
		for i < n && s[i]-'0' <= 9 {
			i++
		}
		if i == point {
			return t, false
		}
		t.places = i - point
		t.digits += t.places
		t.end = i
	}
	for t.first < t.end && (s[t.first] == '0' || s[t.first] == '.') {
		if s[t.first] == '0' {
			t.digits--
		}
		t.first++
	}
	if i < n && (s[i] == 'e' || s[i] == 'E') {
		i++
		negExp := false
		if i < n && (s[i] == '-' || s[i] == '+') {
			negExp = s[i] == '-'
			i++
		}
		start := i
		for i < n && s[i]-'0' <= 9 {
			t.exp = min(t.exp*10+int(s[i]-'0'), maxExp)
			i++
		}
		if i == start {
			return t, false
		}
		if negExp {
			t.exp = -t.exp
		}
	}
	return t, i == n
}

// unquote returns the text inside a JSON string or of a JSON number; empty for
// null and "". It knows no escapes: no character of a number needs one.
func unquote(json []byte) (text []byte, ok bool) {
	if string(json) == "null" || string(json) == `""` {
		return nil, true
	}
	if len(json) > 0 && json[0] == '"' {
		if len(json) < 3 || json[len(json)-1] != '"' {
			return nil, false
		}
		json = json[1 : len(json)-1]
	}
	return json, len(json) > 0
}
