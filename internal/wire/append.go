package wire

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/bywire/bywire/decimal"
)

// AppendString appends s as a JSON string. Quotes, backslashes and control
// characters are escaped, nothing else: the venue does not escape <, > or &.
// Bytes that are no UTF-8 become the replacement character, since a text frame
// must be UTF-8.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	plain := true
	for i := range len(s) {
		if b := s[i]; b < ' ' || b == '"' || b == '\\' || b >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		dst = append(dst, s...)
	} else {
		dst = appendEscaped(dst, s)
	}
	return append(dst, '"')
}

// appendEscaped is AppendString for a text that is not plain.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// AppendDecimal appends d inside quotes; "" if it is absent.
func AppendDecimal(dst []byte, d decimal.Decimal) []byte {
	dst = append(dst, '"')
	dst = d.AppendTo(dst)
	return append(dst, '"')
}

// AppendNumber appends d as a JSON number; null if it is absent.
func AppendNumber(dst []byte, d decimal.Decimal) []byte {
	if !d.IsSet() {
		return append(dst, "null"...)
	}
	return d.AppendTo(dst)
}

// AppendInt appends v as a JSON number.
func AppendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }

// AppendMillis appends t in milliseconds since 1970 as a JSON number.
func AppendMillis(dst []byte, t time.Time) []byte { return strconv.AppendInt(dst, t.UnixMilli(), 10) }

// AppendMillisString appends t in milliseconds since 1970 inside quotes; "" if
// t is the zero time.
func AppendMillisString(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	if !t.IsZero() {
		dst = AppendMillis(dst, t)
	}
	return append(dst, '"')
}

// AppendBool appends true or false.
func AppendBool(dst []byte, v bool) []byte { return strconv.AppendBool(dst, v) }
