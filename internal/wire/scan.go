package wire

import (
	"encoding/binary"
	"math/bits"

	"github.com/bywire/bywire/decimal"
)

// The functions of this file are for templates: they read a compact frame at an
// index and return the index behind what they read, or -1 where the frame is not
// as the venue writes it. That says nothing about what is wrong: the caller
// starts again with a Cursor, which accepts more and explains.

// Literal returns the index behind want at i, or -1.
func Literal(f []byte, i int, want string) int {
	if end := i + len(want); end <= len(f) && string(f[i:end]) == want {
		return end
	}
	return -1
}

// ScanInt reads an unsigned number of at most 18 digits at i, eight digits at a
// time while there are as many: times have 13 and cross sequences 12.
func ScanInt(f []byte, i int) (v int64, next int) {
	start := i
	for i+8 <= len(f) {
		x := binary.LittleEndian.Uint64(f[i:]) ^ '0'*ones
		// A byte above 9 carries into its high bit or has it already.
		if (x+(0x7f-9)*ones|x)&highs != 0 {
			break
		}
		// Pairs, then fours, then all eight digits, least significant last.
		x = x*10 + x>>8
		x = (x&fours*(100+1000000<<32) + x>>16&fours*(1+10000<<32)) >> 32
		v = v*100000000 + int64(x)
		i += 8
	}
	for i < len(f) {
		b := f[i] - '0'
		if b > 9 {
			break
		}
		v = v*10 + int64(b)
		i++
	}
	n := i - start
	if n == 1 || n > 1 && n <= 18 && f[start] != '0' {
		return v, i
	}
	return 0, -1
}

// ScanDecimal reads the number inside a string and the string's closing quote;
// i is the index behind its opening quote. "" is the absent Decimal.
//
// Numbers of up to 18 digits, all that books and trades contain, are read in
// one pass that also finds the quote.
func ScanDecimal(f []byte, i int) (d decimal.Decimal, next int) {
	start := i
	var v uint64
	for i < len(f) {
		b := f[i] - '0'
		if b > 9 {
			break
		}
		v = v*10 + uint64(b)
		i++
	}
	whole := i - start
	if i >= len(f) || whole == 0 || whole > 1 && f[start] == '0' {
		return scanDecimalSlow(f, start)
	}
	if f[i] == '"' {
		if whole > 18 {
			return scanDecimalSlow(f, start)
		}
		return decimal.New(int64(v), 0), i + 1
	}
	if f[i] != '.' {
		return scanDecimalSlow(f, start)
	}
	i++
	point := i
	for i < len(f) {
		b := f[i] - '0'
		if b > 9 {
			break
		}
		v = v*10 + uint64(b)
		i++
	}
	places := i - point
	if i >= len(f) || f[i] != '"' || places == 0 || whole+places > 18 {
		return scanDecimalSlow(f, start)
	}
	return decimal.New(int64(v), places), i + 1
}

// scanDecimalSlow reads what ScanDecimal's single pass does not: negative and
// long numbers, exponents and "".
func scanDecimalSlow(f []byte, i int) (decimal.Decimal, int) {
	end := ScanText(f, i)
	if end < 0 {
		return decimal.Decimal{}, -1
	}
	if end == i {
		return decimal.Decimal{}, end + 1
	}
	d, err := decimal.Parse(f[i:end])
	if err != nil {
		return decimal.Decimal{}, -1
	}
	return d, end + 1
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	fours = 0x000000ff000000ff
)

// ScanText returns the index of the quote that closes the string whose text
// begins at i, or -1 if the text has an escape or a control character. It looks
// at eight bytes at a time: trade ids and topics are 20 to 40 bytes long.
func ScanText(f []byte, i int) int {
	for i+8 <= len(f) {
		x := binary.LittleEndian.Uint64(f[i:])
		// In each mask the lowest set high bit marks the first byte that is
		// below 0x20, a quote, or a backslash; bits above it may be wrong.
		control := (x - 0x20*ones) &^ x
		quote := x ^ '"'*ones
		quote = (quote - ones) &^ quote
		escape := x ^ '\\'*ones
		escape = (escape - ones) &^ escape
		if m := (control | quote | escape) & highs; m != 0 {
			i += bits.TrailingZeros64(m) >> 3
			if f[i] == '"' {
				return i
			}
			return -1
		}
		i += 8
	}
	for ; i < len(f); i++ {
		switch b := f[i]; {
		case b == '"':
			return i
		case b == '\\' || b < ' ':
			return -1
		}
	}
	return -1
}

// FrameTopic finds the topic of a data frame and returns it as a part of the
// frame. The venue writes it first, or behind the id; other places are found
// too. It returns false for frames that have none, and stops at the first
// byte that is no JSON.
func FrameTopic(frame []byte) ([]byte, bool) {
	i := Literal(frame, 0, `{"topic":"`)
	if i < 0 {
		if j := Literal(frame, 0, `{"id":"`); j > 0 {
			if j = ScanText(frame, j); j > 0 {
				i = Literal(frame, j, `","topic":"`)
			}
		}
	}
	if i > 0 {
		if end := ScanText(frame, i); end > i {
			return frame[i:end], true
		}
	}
	return findTopic(frame)
}

// findTopic is FrameTopic for any order of keys.
func findTopic(frame []byte) ([]byte, bool) {
	c := NewCursor(frame)
	var o Object
	for c.NextKey(&o) {
		if string(o.Key) == "topic" {
			topic := c.Text()
			return topic, len(topic) > 0 && c.err == nil
		}
		c.skipValue(0)
	}
	return nil, false
}
