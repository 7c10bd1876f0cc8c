package wire

import (
	"bytes"
	"time"

	"github.com/bywire/bywire/decimal"
)

// Digit is a field that is yes or no, written as 1 or 0.
func (f *Fields) Digit(name string, p *bool) { f.digit(name, p, false) }

// DigitText is 1 or 0 inside a string.
func (f *Fields) DigitText(name string, p *bool) { f.digit(name, p, true) }

func (f *Fields) digit(name string, p *bool, quoted bool) {
	if f.mode < writing {
		f.readDigit(name, p)
		return
	}
	if f.absent != writeEmpty && f.gone(name, !*p) {
		return
	}
	f.writeKey(name)
	if quoted {
		f.quote()
	}
	if *p {
		f.out = append(f.out, '1')
	} else {
		f.out = append(f.out, '0')
	}
	if quoted {
		f.quote()
	}
}

// readDigit also reads true and false, which endpoints that are alike have in place of digits.
func (f *Fields) readDigit(name string, p *bool) {
	if !f.at(name) {
		return
	}
	c := &f.cursor
	if b := c.peek(); b == 't' || b == 'f' {
		*p = c.Bool()
	} else {
		switch text, at, _ := c.numeral(); string(text) {
		case "1", "true":
			*p = true
		case "0", "false", "":
			*p = false
		default:
			c.Fail(at, "0 or 1 expected")
		}
	}
	f.next(name)
}

// Numeral is a text of digits, such as an id, that stands in JSON as a number: of any length,
// exactly. Absent it is null. What is no whole number is refused, and else written as a string.
func (f *Fields) Numeral(name string, p *string) {
	if f.mode < writing {
		f.TextOrNumber(name, p)
		return
	}
	absent := *p == ""
	f.set(name, !absent)
	if !absent && !isWhole(*p) {
		f.refuse(name, "not a whole number")
	}
	zero := f.absent == writeZero
	switch {
	case f.absent != writeEmpty && f.gone(name, absent):
	case f.mode == writingQuery:
		f.writeText(name, *p)
	case absent && zero:
		f.writeKey(name)
		f.out = append(f.out, '0')
	case absent:
		f.writeKey(name)
		f.out = append(f.out, "null"...)
	case !isWhole(*p):
		f.writeText(name, *p)
	default:
		f.writeKey(name)
		f.out = append(f.out, *p...)
	}
}

// isWhole reports whether a text is a whole number as JSON spells it.
func isWhole(s string) bool {
	if len(s) > 1 && s[0] == '-' {
		s = s[1:]
	}
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return s != "" && (s[0] != '0' || s == "0")
}

// Percent is a number inside a string with a percent sign behind it, such as "4.25%", which is
// the number 4.25 here.
func (f *Fields) Percent(name string, p *decimal.Decimal) {
	if f.mode >= writing {
		if f.absent == writeEmpty || !f.gone(name, !p.IsSet()) {
			text := ""
			f.set(name, p.IsSet())
			if p.IsSet() {
				text = p.String() + "%"
			}
			f.writeText(name, text)
		}
		return
	}
	if !f.at(name) {
		return
	}
	c := &f.cursor
	text, at, present := c.numeral()
	*p = decimal.Decimal{}
	if present {
		d, err := decimal.Parse(bytes.TrimSuffix(text, []byte{'%'}))
		if err != nil {
			c.Fail(at, "not a percentage")
		}
		*p = d
	}
	f.next(name)
}

// RFC3339 is a time as text, such as "2026-01-31T12:00:00Z". Times of 1970 and before are absent
// as they are in the other methods for times.
func (f *Fields) RFC3339(name string, p *time.Time) {
	if f.mode >= writing {
		zero := f.absent == writeZero
		if f.absent == writeEmpty || !f.gone(name, p.IsZero()) {
			text, t := "", *p
			if t.IsZero() && zero {
				t = time.Unix(0, 0)
			}
			f.set(name, !t.IsZero())
			if !t.IsZero() {
				text = t.UTC().Format(time.RFC3339Nano)
			}
			f.writeText(name, text)
		}
		return
	}
	if !f.at(name) {
		return
	}
	c := &f.cursor
	c.peek()
	at := c.pos
	text := string(c.Text())
	if f.mode == readingQuery {
		text = unescape(text)
	}
	*p = time.Time{}
	if text != "" && c.err == nil {
		switch t, err := time.Parse(time.RFC3339, text); {
		case err != nil:
			c.Fail(at, "not a time such as 2026-01-31T12:00:00Z")
		case t.Unix() < 0 && f.exact:
			c.Fail(at, "a time before 1970")
		case t.After(time.Unix(0, 0)) || f.exact:
			*p = t.UTC()
		}
	}
	f.next(name)
}
