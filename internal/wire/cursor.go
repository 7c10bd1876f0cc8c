package wire

import (
	"errors"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/bywire/bywire/decimal"
)

// SyntaxError says what is wrong with a frame and where.
type SyntaxError struct {
	Offset int    // in the frame
	Reason string // such as "a string expected"
}

// Error names the reason and the offset.
func (e *SyntaxError) Error() string { return e.Reason + " at offset " + strconv.Itoa(e.Offset) }

// maxNesting bounds how deep values that are skipped may nest.
const maxNesting = 128

// Cursor reads a frame of JSON from front to back, strictly: what is not JSON
// is an error. The first error stays; after it every method returns a zero
// value and every iteration ends, so that callers look at Err once.
//
// It is the tolerant half of decoding: keys in any order, white space, escapes,
// numbers as JSON numbers or as strings, null or "" for a number that is
// absent. The functions ScanInt, ScanDecimal, ScanText and Literal are
// the fast half for frames that look as the venue writes them.
type Cursor struct {
	buf []byte
	pos int
	err *SyntaxError
}

// NewCursor returns a cursor at the beginning of the frame, which it does not
// copy.
func NewCursor(frame []byte) Cursor { return Cursor{buf: frame} }

// Err returns the first error, or nil.
func (c *Cursor) Err() *SyntaxError { return c.err }

// Offset returns how far the frame has been read.
func (c *Cursor) Offset() int { return c.pos }

// Fail records an error at the offset, unless there is one already.
func (c *Cursor) Fail(offset int, reason string) {
	if c.err == nil {
		c.err = &SyntaxError{Offset: offset, Reason: reason}
	}
	c.pos = len(c.buf)
}

// End checks that nothing but white space follows.
func (c *Cursor) End() {
	if c.peek(); c.err == nil && c.pos < len(c.buf) {
		c.Fail(c.pos, "more bytes after the message")
	}
}

// peek moves to the next byte that is no white space and returns it; 0 at the
// end and after an error.
func (c *Cursor) peek() byte {
	for c.pos < len(c.buf) {
		b := c.buf[c.pos]
		if b > ' ' || b != ' ' && b != '\t' && b != '\n' && b != '\r' {
			return b
		}
		c.pos++
	}
	return 0
}

// expected records that something else was wanted here.
func (c *Cursor) expected(reason string) {
	if c.pos >= len(c.buf) {
		reason = "the message ends early: " + reason
	}
	c.Fail(c.pos, reason)
}

// Object is the state of walking over one object; its zero value begins with
// the brace that opens it.
type Object struct {
	// Key is the key whose value comes next.
	Key []byte

	start   int // of Key, with its quote
	open    bool
	seen    uint64
	unknown [4]span
	count   int
	more    map[string]struct{}
}

// span is a part of the frame.
type span struct{ from, to int }

// NextKey moves to the next key of the object. It returns false after the
// brace that closes it, or at an error. The caller reads the value, or skips it.
func (c *Cursor) NextKey(o *Object) bool {
	b := c.peek()
	switch {
	case !o.open:
		if b != '{' {
			c.expected("an object expected")
			return false
		}
		o.open = true
		c.pos++
		if b = c.peek(); b == '}' {
			c.pos++
			return false
		}
	case b == '}':
		c.pos++
		return false
	case b == ',':
		c.pos++
		b = c.peek()
	default:
		c.expected("a comma or a closing brace expected")
		return false
	}
	o.start = c.pos
	if b != '"' {
		c.expected("a key expected")
		return false
	}
	o.Key = c.quoted()
	if c.peek() != ':' {
		c.expected("a colon expected")
		return false
	}
	c.pos++
	return c.err == nil
}

// Once notes that the current key is the caller's key number bit, at most 63;
// the second time is an error.
func (c *Cursor) Once(o *Object, bit uint) {
	if o.seen&(1<<bit) != 0 {
		c.Fail(o.start, "the key "+strconv.Quote(string(o.Key))+" stands twice")
	}
	o.seen |= 1 << bit
}

// Skip passes over the value of a key that the caller does not know. That the
// key stands only once is checked here too; keys inside the value are not.
func (c *Cursor) Skip(o *Object) {
	if c.unknownTwice(o) {
		c.Fail(o.start, "the key "+strconv.Quote(string(o.Key))+" stands twice")
		return
	}
	c.skipValue(0)
}

// unknownTwice remembers the current key. The first keys are remembered by
// where they stand, which allocates nothing; those with escapes and those
// beyond the first four go to a map.
func (c *Cursor) unknownTwice(o *Object) bool {
	for _, s := range o.unknown[:o.count] {
		if string(c.buf[s.from:s.to]) == string(o.Key) {
			return true
		}
	}
	if _, ok := o.more[string(o.Key)]; ok {
		return true
	}
	from, to := o.start+1, o.start+1+len(o.Key)
	plain := to < len(c.buf) && c.buf[to] == '"' && string(c.buf[from:to]) == string(o.Key)
	if plain && o.count < len(o.unknown) {
		o.unknown[o.count] = span{from, to}
		o.count++
		return false
	}
	if o.more == nil {
		o.more = make(map[string]struct{})
	}
	o.more[string(o.Key)] = struct{}{}
	return false
}

// Array is the state of walking over one array; its zero value begins with the
// bracket that opens it.
type Array struct{ open bool }

// NextElement moves to the next element of the array. It returns false after
// the bracket that closes it, at null in place of the array, or at an error.
func (c *Cursor) NextElement(a *Array) bool {
	b := c.peek()
	switch {
	case !a.open:
		if b == 'n' {
			c.word("null")
			return false
		}
		if b != '[' {
			c.expected("an array expected")
			return false
		}
		a.open = true
		c.pos++
		if c.peek() == ']' {
			c.pos++
			return false
		}
	case b == ']':
		c.pos++
		return false
	case b == ',':
		c.pos++
	default:
		c.expected("a comma or a closing bracket expected")
		return false
	}
	return c.err == nil
}

// IsObject reports whether an object comes next.
func (c *Cursor) IsObject() bool { return c.peek() == '{' }

// Text reads a string, or null as "". The result is a part of the frame unless
// the string has escapes.
func (c *Cursor) Text() []byte {
	switch c.peek() {
	case '"':
		return c.quoted()
	case 'n':
		c.word("null")
		return nil
	}
	c.expected("a string expected")
	return nil
}

// TextOrNumber reads a string, or a number or null as it stands, for ids that
// the venue has sent as either.
func (c *Cursor) TextOrNumber() []byte {
	text, _, _ := c.numeral()
	return text
}

// Integer reads a whole number, as a number or inside a string; present is
// false for null and "".
func (c *Cursor) Integer() (v int64, present bool) {
	text, at, present := c.numeral()
	if !present {
		return 0, false
	}
	v, err := parseInt(text)
	if err != nil {
		c.Fail(at, err.Error())
		return 0, false
	}
	return v, true
}

// Millis reads a time in milliseconds since 1970; null and "" are the zero
// time.
func (c *Cursor) Millis() time.Time {
	at := c.pos
	ms, present := c.Integer()
	if !present {
		return time.Time{}
	}
	if ms < 0 {
		c.Fail(at, "a time before 1970")
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Decimal reads a number, as a number or inside a string; null and "" are the
// absent Decimal.
func (c *Cursor) Decimal() decimal.Decimal {
	text, at, present := c.numeral()
	if !present {
		return decimal.Decimal{}
	}
	d, err := decimal.Parse(text)
	if err != nil {
		reason := decimal.ErrSyntax
		if errors.Is(err, decimal.ErrRange) {
			reason = decimal.ErrRange
		}
		c.Fail(at, reason.Error())
	}
	return d
}

// Bool reads true or false; null is false.
func (c *Cursor) Bool() bool {
	switch c.peek() {
	case 't':
		return c.word("true")
	case 'f':
		c.word("false")
		return false
	case 'n':
		c.word("null")
		return false
	}
	c.expected("true or false expected")
	return false
}

// numeral reads the text of a number or of a string, and where it begins;
// present is false for null and "".
func (c *Cursor) numeral() (text []byte, at int, present bool) {
	b := c.peek()
	at = c.pos
	switch {
	case b == '"':
		text = c.quoted()
		return text, at + 1, len(text) > 0 && c.err == nil
	case b == '-' || b-'0' <= 9:
		c.number()
		if c.err != nil {
			return nil, at, false
		}
		return c.buf[at:c.pos], at, true
	case b == 'n':
		c.word("null")
		return nil, at, false
	}
	c.expected("a number expected")
	return nil, at, false
}

// number passes over a JSON number.
func (c *Cursor) number() {
	start := c.pos
	i := c.pos
	if i < len(c.buf) && c.buf[i] == '-' {
		i++
	}
	whole := i
	i = c.digits(i)
	ok := i-whole == 1 || i-whole > 1 && c.buf[whole] != '0'
	if ok && i < len(c.buf) && c.buf[i] == '.' {
		point := i + 1
		i = c.digits(point)
		ok = i > point
	}
	if ok && i < len(c.buf) && (c.buf[i] == 'e' || c.buf[i] == 'E') {
		i++
		if i < len(c.buf) && (c.buf[i] == '-' || c.buf[i] == '+') {
			i++
		}
		exp := i
		i = c.digits(exp)
		ok = i > exp
	}
	if !ok {
		c.Fail(start, "not a number")
		return
	}
	c.pos = i
}

// digits returns the index behind the digits at i.
func (c *Cursor) digits(i int) int {
	for i < len(c.buf) && c.buf[i]-'0' <= 9 {
		i++
	}
	return i
}

// word passes over a literal.
func (c *Cursor) word(w string) bool {
	if len(c.buf)-c.pos < len(w) || string(c.buf[c.pos:c.pos+len(w)]) != w {
		c.Fail(c.pos, w+" expected")
		return false
	}
	c.pos += len(w)
	return true
}

// quoted reads a string; the cursor stands at its quote. Without escapes the
// result is a part of the frame.
func (c *Cursor) quoted() []byte {
	start := c.pos + 1
	if end := ScanText(c.buf, start); end >= 0 {
		c.pos = end + 1
		return c.buf[start:end]
	}
	for i := start; i < len(c.buf); i++ {
		switch b := c.buf[i]; {
		case b == '\\':
			return c.unescape(start, i)
		case b < ' ':
			c.Fail(i, "a control character in a string")
			return nil
		}
	}
	c.Fail(len(c.buf), "the message ends inside a string")
	return nil
}

// unescape reads on after the first backslash of the string that begins at
// start.
func (c *Cursor) unescape(start, i int) []byte {
	text := append(make([]byte, 0, i-start+32), c.buf[start:i]...)
	for i < len(c.buf) {
		b := c.buf[i]
		switch {
		case b == '"':
			c.pos = i + 1
			return text
		case b < ' ':
			c.Fail(i, "a control character in a string")
			return nil
		case b != '\\':
			text = append(text, b)
			i++
			continue
		}
		if i+1 >= len(c.buf) {
			break
		}
		switch e := c.buf[i+1]; e {
		case '"', '\\', '/':
			text = append(text, e)
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			r, n := c.unicode(i)
			if n == 0 {
				c.Fail(i, "a bad escape in a string")
				return nil
			}
			text = utf8.AppendRune(text, r)
			i += n
			continue
		default:
			c.Fail(i, "a bad escape in a string")
			return nil
		}
		i += 2
	}
	c.Fail(len(c.buf), "the message ends inside a string")
	return nil
}

// unicode reads a \u escape at i, with its second half if it is a surrogate.
// It returns the length, 0 if it is bad. Half a pair is the replacement
// character, as in encoding/json.
func (c *Cursor) unicode(i int) (rune, int) {
	r, ok := c.hex4(i)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if low, ok := c.hex4(i + 6); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// hex4 reads \uXXXX at i.
func (c *Cursor) hex4(i int) (rune, bool) {
	if i+6 > len(c.buf) || c.buf[i] != '\\' || c.buf[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, b := range c.buf[i+2 : i+6] {
		switch {
		case b-'0' <= 9:
			b -= '0'
		case b-'a' <= 5:
			b -= 'a' - 10
		case b-'A' <= 5:
			b -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(b)
	}
	return r, true
}

// skipValue passes over any value.
func (c *Cursor) skipValue(depth int) {
	if depth > maxNesting {
		c.Fail(c.pos, "nested too deep")
		return
	}
	switch b := c.peek(); {
	case b == '{':
		// Not NextKey: keys inside a value that is skipped are not compared,
		// so a plain walk does.
		var o Object
		for c.NextKey(&o) {
			c.skipValue(depth + 1)
		}
	case b == '[':
		var a Array
		for c.NextElement(&a) {
			c.skipValue(depth + 1)
		}
	case b == '"':
		c.quoted()
	case b == '-' || b-'0' <= 9:
		c.number()
	case b == 't':
		c.word("true")
	case b == 'f':
		c.word("false")
	case b == 'n':
		c.word("null")
	default:
		c.expected("a value expected")
	}
}

var (
	errNotWhole = errors.New("not a whole number")
	errTooLarge = errors.New("the number is too large")
)

// parseInt reads a whole number in JSON's spelling.
func parseInt(s []byte) (int64, error) {
	digits := s
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 1 && digits[0] == '0' {
		return 0, errNotWhole
	}
	var v uint64
	for _, b := range digits {
		if b-'0' > 9 {
			return 0, errNotWhole
		}
		if v > (1<<63-1)/10 {
			return 0, errTooLarge
		}
		v = v*10 + uint64(b-'0')
	}
	if v > 1<<63-1 {
		return 0, errTooLarge
	}
	if len(digits) < len(s) {
		return -int64(v), nil
	}
	return int64(v), nil
}
