package wire

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bywire/bywire/decimal"
)

// Text is a field that is a string.
func (f *Fields) Text(name string, p *string) {
	if f.mode >= writing {
		if f.absent == writeEmpty || !f.gone(name, *p == "") {
			f.writeText(name, *p)
		}
	} else if f.at(name) {
		if f.mode == readingQuery {
			*p = unescape(string(f.cursor.Text()))
		} else {
			*p = f.text(f.cursor.Text())
		}
		f.next(name)
	}
}

// TextOrNumber is a string that the venue also sends as a number, which is kept as it
// stands and written as a string.
func (f *Fields) TextOrNumber(name string, p *string) {
	if f.mode >= writing {
		f.Text(name, p)
	} else if f.at(name) {
		*p = f.text(f.cursor.TextOrNumber())
		f.next(name)
	}
}

func (f *Fields) writeText(name, text string) {
	switch {
	case !utf8.ValidString(text):
		f.refuse(name, "not UTF-8")
	case f.mode == writingQuery && f.level.kind == inValue && strings.Contains(text, ","):
		f.refuse(name, "a comma, which separates the elements of a list in a query")
	}
	f.writeKey(name)
	if f.mode == writingQuery {
		f.out = appendQueryText(f.out, text)
		return
	}
	f.out = AppendString(f.out, text)
}

// Enum is a Text of a type of its own.
func Enum[T ~string](f *Fields, name string, p *T) {
	text := string(*p)
	f.Text(name, &text)
	*p = T(text)
}

// Code is an Int of a type of its own.
func Code[T ~int | ~int64](f *Fields, name string, p *T) {
	v := int64(*p)
	f.Int(name, &v)
	*p = T(v)
}

// CodeText is an IntText of a type of its own.
func CodeText[T ~int | ~int64](f *Fields, name string, p *T) {
	v := int64(*p)
	f.IntText(name, &v)
	*p = T(v)
}

// Int is a field that is a whole number.
func (f *Fields) Int(name string, p *int64) {
	if f.mode >= writing {
		if f.absent == writeEmpty || !f.gone(name, *p == 0) {
			f.writeKey(name)
			f.out = AppendInt(f.out, *p)
		}
		return
	}
	f.readInt(name, p)
}

// IntText is a whole number inside a string.
func (f *Fields) IntText(name string, p *int64) {
	if f.mode >= writing {
		if f.absent == writeEmpty || !f.gone(name, *p == 0) {
			f.writeKey(name)
			f.quote()
			f.out = AppendInt(f.out, *p)
			f.quote()
		}
		return
	}
	f.readInt(name, p)
}

func (f *Fields) readInt(name string, p *int64) {
	if f.at(name) {
		*p, _ = f.cursor.Integer()
		f.next(name)
	}
}

// quote appends a quote, which values in a query do not have.
func (f *Fields) quote() {
	if f.mode == writing {
		f.out = append(f.out, '"')
	}
}

// Bool is a field that is true or false.
func (f *Fields) Bool(name string, p *bool) {
	if f.mode >= writing {
		if f.absent == writeEmpty || !f.gone(name, !*p) {
			f.writeKey(name)
			f.out = AppendBool(f.out, *p)
		}
		return
	}
	f.readBool(name, p)
}

// BoolText is true or false inside a string.
func (f *Fields) BoolText(name string, p *bool) {
	if f.mode >= writing {
		if f.absent == writeEmpty || !f.gone(name, !*p) {
			f.writeKey(name)
			f.quote()
			f.out = AppendBool(f.out, *p)
			f.quote()
		}
		return
	}
	f.readBool(name, p)
}

func (f *Fields) readBool(name string, p *bool) {
	if !f.at(name) {
		return
	}
	c := &f.cursor
	if c.peek() != '"' {
		*p = c.Bool()
		f.next(name)
		return
	}
	at := c.pos
	switch text := c.quoted(); string(text) {
	case "true":
		*p = true
	case "false", "":
		*p = false
	default:
		c.Fail(at, "true or false expected")
	}
	f.next(name)
}

// Decimal is a number inside a string.
func (f *Fields) Decimal(name string, p *decimal.Decimal) {
	if f.mode >= writing {
		if f.absent == writeEmpty || !f.gone(name, !p.IsSet()) {
			f.set(name, p.IsSet())
			f.writeKey(name)
			f.quote()
			f.out = p.AppendTo(f.out)
			f.quote()
		}
		return
	}
	f.readDecimal(name, p)
}

// Number is a number that need not be whole, without quotes.
func (f *Fields) Number(name string, p *decimal.Decimal) {
	if f.mode >= writing {
		f.set(name, p.IsSet())
		switch {
		case f.absent != writeEmpty && f.gone(name, !p.IsSet()):
		case f.mode == writingQuery:
			f.writeKey(name)
			f.out = p.AppendTo(f.out)
		default:
			f.writeKey(name)
			f.out = AppendNumber(f.out, *p)
		}
		return
	}
	f.readDecimal(name, p)
}

func (f *Fields) readDecimal(name string, p *decimal.Decimal) {
	if !f.at(name) {
		return
	}
	c := &f.cursor
	if c.pos < len(c.buf) && c.buf[c.pos] == '"' {
		if d, next := ScanDecimal(c.buf, c.pos+1); next > 0 {
			*p = d
			c.pos = next
			f.next(name)
			return
		}
	}
	*p = c.Decimal()
	f.next(name)
}

// Long is a number inside a string that may have more digits than a Decimal.
func (f *Fields) Long(name string, p *decimal.Text) {
	if f.mode >= writing {
		if f.absent == writeEmpty || !f.gone(name, *p == "") {
			f.set(name, *p != "")
			f.writeText(name, string(*p))
		}
		return
	}
	if !f.at(name) {
		return
	}
	c := &f.cursor
	text, at, present := c.numeral()
	*p = ""
	if present {
		t, err := decimal.ParseText(string(text))
		if err != nil {
			c.Fail(at, "not a decimal number")
		}
		*p = t
	}
	f.next(name)
}

// Raw is a field of any JSON, kept as it stands; without any it is null.
func (f *Fields) Raw(name string, p *[]byte) {
	if f.mode >= writing {
		if f.absent == writeEmpty || !f.gone(name, len(*p) == 0) {
			f.writeKey(name)
			if len(*p) == 0 {
				f.out = append(f.out, "null"...)
			}
			f.out = append(f.out, *p...)
		}
		return
	}
	if !f.at(name) {
		return
	}
	c := &f.cursor
	c.peek()
	from := c.pos
	c.skipValue(0)
	if c.err == nil {
		*p = append([]byte(nil), c.buf[from:c.pos]...)
	}
	f.next(name)
}

// Units of a second that times are given in.
const (
	seconds = 1
	millis  = 1000
	micros  = 1000_000
	nanos   = 1000_000_000
)

// Millis is a time in milliseconds since 1970 inside a string. The other methods for
// times are other units, and numbers without quotes.
func (f *Fields) Millis(name string, p *time.Time) { f.time(name, p, millis, true) }

// MillisNumber is a time in milliseconds.
func (f *Fields) MillisNumber(name string, p *time.Time) { f.time(name, p, millis, false) }

// Seconds is a time in seconds inside a string.
func (f *Fields) Seconds(name string, p *time.Time) { f.time(name, p, seconds, true) }

// SecondsNumber is a time in seconds.
func (f *Fields) SecondsNumber(name string, p *time.Time) { f.time(name, p, seconds, false) }

// Micros is a time in microseconds inside a string.
func (f *Fields) Micros(name string, p *time.Time) { f.time(name, p, micros, true) }

// MicrosNumber is a time in microseconds.
func (f *Fields) MicrosNumber(name string, p *time.Time) { f.time(name, p, micros, false) }

// Nanos is a time in nanoseconds inside a string.
func (f *Fields) Nanos(name string, p *time.Time) { f.time(name, p, nanos, true) }

// NanosNumber is a time in nanoseconds.
func (f *Fields) NanosNumber(name string, p *time.Time) { f.time(name, p, nanos, false) }

// A time of 0, or of a negative number, is absent in a reply. An optional parameter is
// what it says: unset is absent there.
func (f *Fields) time(name string, p *time.Time, per int64, quoted bool) {
	if f.mode >= writing {
		zero := f.absent == writeZero
		if f.absent == writeEmpty || !f.gone(name, p.IsZero()) {
			f.writeTime(name, *p, per, quoted, zero)
		}
		return
	}
	if !f.at(name) {
		return
	}
	c := &f.cursor
	at := c.pos
	v, present := c.scanQuotedInt()
	if !present {
		v, present = c.Integer()
	}
	switch {
	case !present || v <= 0 && !f.exact:
		*p = time.Time{}
	case v < 0:
		c.Fail(at, "a time before 1970")
	default:
		*p = time.Unix(v/per, v%per*(nanos/per)).UTC()
	}
	f.next(name)
}

// scanQuotedInt reads a whole number inside a string in the way that is usual, or reads
// nothing.
func (c *Cursor) scanQuotedInt() (v int64, ok bool) {
	if c.pos >= len(c.buf) || c.buf[c.pos] != '"' {
		return 0, false
	}
	v, end := ScanInt(c.buf, c.pos+1)
	if end < 0 || end >= len(c.buf) || c.buf[end] != '"' {
		return 0, false
	}
	c.pos = end + 1
	return v, true
}

func (f *Fields) writeTime(name string, t time.Time, per int64, quoted, zero bool) {
	f.set(name, !t.IsZero())
	f.writeKey(name)
	if zero && t.IsZero() {
		t = time.Unix(0, 0)
	}
	if t.IsZero() && !quoted && f.mode == writing {
		f.out = append(f.out, "null"...)
		return
	}
	if quoted {
		f.quote()
	}
	if !t.IsZero() {
		v := int64(math.MaxInt64)
		if s := t.Unix(); s < math.MaxInt64/per-1 {
			v = s*per + int64(t.Nanosecond())/(nanos/per)
		}
		f.out = AppendInt(f.out, v)
	}
	if quoted {
		f.quote()
	}
}
